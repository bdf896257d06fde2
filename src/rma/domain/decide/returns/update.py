"""UpdateReturn: what a return was requested for is replaced, as if it was canceled and requested again."""

from attrs import evolve

from rma.domain.decide.checks import check_items, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.ahead import pay_ahead
from rma.domain.decide.returns.draft import (
    ReturnDraft,
    first_given,
    method_for,
    quote_return,
    revised_terms,
)
from rma.domain.decide.returns.eligibility import Replaced
from rma.domain.decide.returns.kept import pay_for_kept
from rma.domain.decide.returns.request import draft_request
from rma.domain.decide.returns.shipments import any_travels, book_shipment, cancel_shipment
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, ReturnUpdated, header_for
from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import RequestReturn, UpdateReturn
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.paying import PayOn
from rma.domain.sale.policy import ReturnPolicy, Terms
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.deadlines import return_by
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.return_item import ReturnItem, revision_between
from rma.domain.state.returns import Return
from rma.domain.state.review import needs_review


def update_return(facts: Facts, ledger: ReturnLedger, command: UpdateReturn) -> tuple[Event, ...]:
    """
    The return with other items, another way back, or another amount.

    Its own units are free for it. Of the lines of which it adds no unit, those that come back for the same
    reason are taken as they were, the others graded as of the request. Lines of which it adds units are
    graded now, and have to be approved where policy or rules say so. Where a rule leaves goods with the
    customer, they are paid for at once.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `currency_mismatch`, as for a request.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    _check_state(wrong, command, target)
    check_strings(wrong, command)
    if target is None:
        check_items(wrong, command.items, RequestedItem)
        target = wrong.require(target)
    if target.basis is ReturnBasis.WITHDRAWAL:  # by the right under which it was declared
        facts = evolve(facts, policy=evolve(facts.policy, withdrawal=target.terms.withdrawal))
    replaced = Replaced(target, _growing(target, command))
    others = _without(ledger, target)
    draft = draft_request(wrong, facts, others, _as_request(target, command, facts), replaced)
    return _updated(facts, ledger, others, command, replaced, draft)


def _check_state(wrong: Violations, command: UpdateReturn, target: Return | None) -> None:
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif target.exchange_id is not None:
        wrong.add("return_of_exchange", return_id=target.id, exchange_id=target.exchange_id)
    elif target.claim_id is not None:
        wrong.add("return_of_claim", return_id=target.id, claim_id=target.claim_id)
    if target and (refusal := return_refusal(target.status, command)):
        wrong.add(refusal, return_id=target.id)
    elif target and target.sending is not None:
        wrong.add("return_already_sent", return_id=target.id)
    elif target and target.paid_ahead is not None and not target.is_only_promised:
        wrong.add("return_already_paid", return_id=target.id, paid=target.refunded.amount)


def _growing(target: Return, command: UpdateReturn) -> frozenset[str]:
    """The lines of which there are more units than before; also where quantities are not numbers."""
    more: dict[str, int] = {}
    for asked in check_items(Violations(), command.items, RequestedItem):
        quantity: object = asked.quantity
        more[asked.item_id] = more.get(asked.item_id, 0) + (quantity if type(quantity) is int else 0)
    for item in target.items:
        more[item.item_id] = more.get(item.item_id, 0) - item.quantity
    return frozenset([item_id for item_id, count in more.items() if count > 0])


def _as_request(target: Return, command: UpdateReturn, facts: Facts) -> RequestReturn:
    """The request that would open such a return; more of a withdrawal is declared now."""
    is_withdrawal = target.basis is ReturnBasis.WITHDRAWAL
    return RequestReturn(
        order_id=target.order_id,
        items=command.items,
        shipping_option_id=command.shipping_option_id,
        shipping_price=command.shipping_price,
        refund_amount=command.refund_amount,
        refund_note=command.refund_note,
        location_id=command.location_id,
        basis=target.basis.value,
        declared_at=facts.at if is_withdrawal else None,
        outcome=command.outcome,
        overrule=command.overrule,
        payee=command.payee,
    )


def _without(ledger: ReturnLedger, target: Return) -> ReturnLedger:
    """The ledger as if the return was canceled."""
    canceled = evolve(target.without_promise(), status=ReturnStatus.CANCELED)
    return evolve(ledger, returns=tuple([canceled if each is target else each for each in ledger.returns]))


def _updated(
    facts: Facts,
    ledger: ReturnLedger,
    others: ReturnLedger,
    command: UpdateReturn,
    replaced: Replaced,
    draft: ReturnDraft,
) -> tuple[Event, ...]:
    """The events of the update; `others` is the ledger without the return."""
    target, order, by = replaced.target, draft.order, command.created_by
    terms = revised_terms(facts.policy, target, draft.items)
    after = _after(facts, replaced, draft, terms)
    quote = quote_return(
        order,
        others,
        after.items,
        terms,
        shipping=after.shipping_total.amount,
        requested_refund=draft.requested_refund,
    )
    keeps_label = after.label_number is not None and after.shipment_number == target.label_number
    event = ReturnUpdated(
        header=header_for(target, ledger, facts.at, by=by, command=command, order=order),
        status=after.status,
        items=revision_between(target.items, after.items),
        quoted_refund=quote.refund,
        quoted_charges=quote.charges_back,
        requested_refund=draft.requested_refund,
        refund_note=draft.refund_note,
        rules=terms.rules,
        other_rules=terms.other_rules,
        overrule=after.overrule,
        shipping_method=after.shipping_method,
        provider_id=after.provider_id,
        location_id=after.location_id,
        shipment_number=after.shipment_number,
        is_unbooked=after.is_unbooked,
        return_by=after.return_by,
        outcome=after.outcome,
        payee=after.payee,
        cancel_request=None if keeps_label else cancel_shipment(target, ledger),
        shipment_request=None if keeps_label else book_shipment(after),
    )
    if after.status is ReturnStatus.PENDING_APPROVAL:
        return (event,)
    after = evolve(after, quoted_refund=quote.refund, quoted_charges=quote.charges_back)
    ahead = pay_ahead(order, others, after, PayOn.REQUEST, at=facts.at, by=by)
    return (event, *ahead.events, *pay_for_kept(facts, others, order, ahead.target, by=by))


def _after(facts: Facts, replaced: Replaced, draft: ReturnDraft, terms: Terms) -> Return:
    """The return once it is updated, but for its quote."""
    target = replaced.target
    was_pending = target.status is ReturnStatus.PENDING_APPROVAL
    is_pending = target.basis is ReturnBasis.POLICY and _waits(facts.policy, replaced, draft.items, terms)
    until = target.return_by
    if is_pending:
        until = None
    elif was_pending:
        until = return_by(terms, facts.at)
    option = facts.shipping_option if any_travels(draft.items, terms) else None
    provider_id = option.provider_id if option else None
    location_id = first_given(draft.location_id, option.location_id if option else None)
    number, had_label = target.shipment_number, target.label_number is not None
    method = None
    if option:
        method_id = f"sm_{target.id.removeprefix('ret_')}_{number + had_label}"
        method = method_for(option, draft.shipping_price, draft.order.currency, method_id)
    is_same_way = _is_same(target.shipping_method, method) and (
        (target.provider_id, target.location_id) == (provider_id, location_id)
    )
    # A label that is booked is kept for the same way, unless the goods may not travel for now.
    keeps_label = had_label and is_same_way and not is_pending
    alone = target.without_promise()
    return evolve(
        alone,
        status=ReturnStatus.PENDING_APPROVAL if is_pending else ReturnStatus.REQUESTED,
        items=draft.items,
        entitlement=evolve(
            alone.entitlement, requested_refund=draft.requested_refund, refund_note=draft.refund_note
        ),
        terms=terms,
        overrule=draft.overrule or (target.overrule if _is_overruled(draft.items) else None),
        shipping_method=target.shipping_method if is_same_way else method,
        provider_id=provider_id,
        location_id=location_id,
        shipment_number=number + (had_label and not keeps_label),
        is_unbooked=is_pending and method is not None,
        return_by=until,
        outcome=draft.outcome,
        payee=draft.payee,
    )


def _waits(policy: ReturnPolicy, replaced: Replaced, items: tuple[ReturnItem, ...], terms: Terms) -> bool:
    """True if a person has to approve it: what was approved stays so, unless rules judge units again."""
    if replaced.target.status is ReturnStatus.PENDING_APPROVAL:
        return policy.review or needs_review(items, terms)
    before = {item.ruling for item in replaced.target.items}
    new = [item for item in items if item.item_id in replaced.growing or item.ruling not in before]
    return (policy.review and bool(replaced.growing)) or needs_review(new, terms)


def _is_overruled(items: tuple[ReturnItem, ...]) -> bool:
    return any(item.is_overruled for item in items)


def _is_same(before: ShippingMethod | None, after: ShippingMethod | None) -> bool:
    """True if both are the same way at the same price, whatever their ids."""
    if before is None or after is None:
        return before is after
    return evolve(after, id=before.id) == before
