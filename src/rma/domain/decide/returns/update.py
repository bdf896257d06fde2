"""UpdateReturn: what a return was requested for is replaced, as if it was canceled and requested again."""

from attrs import evolve

from rma.domain.decide.checks import check_items, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.draft import ReturnDraft, first_given, method_for
from rma.domain.decide.returns.request import draft_request
from rma.domain.decide.returns.review import needs_review
from rma.domain.decide.returns.shipments import book_shipment, cancel_shipment
from rma.domain.decide.violations import Violations
from rma.domain.events import ReturnUpdated, header_for
from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import RequestReturn, UpdateReturn
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.return_item import revision_between
from rma.domain.state.returns import Return
from rma.domain.state.valuation import value_requested
from rma.domain.values.money import Money


def update_return(facts: Facts, ledger: ReturnLedger, command: UpdateReturn) -> tuple[ReturnUpdated]:
    """
    The return with other items, another way back, or another amount.

    Its own units are free for it. An update that adds no unit is checked as of the request; one that does is
    checked as of now, and has to be approved where the policy says so.

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
    is_more = _adds_units(target, command)
    as_of = facts if is_more else evolve(facts, at=target.requested_at)
    request = _as_request(target, command, as_of)
    draft = draft_request(wrong, as_of, _without(ledger, target), request)
    return (_updated(facts, ledger, target, command, draft, is_more=is_more),)


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


def _adds_units(target: Return, command: UpdateReturn) -> bool:
    """True if there are more units of any line than before; also where quantities are not numbers."""
    before: dict[str, int] = {}
    for item in target.items:
        before[item.item_id] = before.get(item.item_id, 0) + item.quantity
    for asked in check_items(Violations(), command.items, RequestedItem):
        quantity: object = asked.quantity
        before[asked.item_id] = before.get(asked.item_id, 0) - (quantity if type(quantity) is int else 0)
    return any(left < 0 for left in before.values())


def _as_request(target: Return, command: UpdateReturn, as_of: Facts) -> RequestReturn:
    """The request that would open such a return."""
    is_withdrawal = target.basis is ReturnBasis.WITHDRAWAL
    declared_at = target.declared_at if as_of.at == target.requested_at else as_of.at
    return RequestReturn(
        order_id=target.order_id,
        items=command.items,
        shipping_option_id=command.shipping_option_id,
        shipping_price=command.shipping_price,
        refund_amount=command.refund_amount,
        refund_note=command.refund_note,
        location_id=command.location_id,
        basis=target.basis.value,
        declared_at=declared_at if is_withdrawal else None,
    )


def _without(ledger: ReturnLedger, target: Return) -> ReturnLedger:
    """The ledger as if the return was canceled."""
    canceled = evolve(target, status=ReturnStatus.CANCELED)
    return evolve(ledger, returns=tuple([canceled if each is target else each for each in ledger.returns]))


def _updated(
    facts: Facts,
    ledger: ReturnLedger,
    target: Return,
    command: UpdateReturn,
    draft: ReturnDraft,
    *,
    is_more: bool,
) -> ReturnUpdated:
    option = facts.shipping_option
    is_pending = target.status is ReturnStatus.PENDING_APPROVAL or (
        is_more and needs_review(facts, target.basis)
    )
    provider_id = option.provider_id if option else None
    location_id = first_given(draft.location_id, option.location_id if option else None)
    method = None
    if option:
        number = target.shipment_number + (target.label_number is not None)
        method_id = f"sm_{target.id.removeprefix('ret_')}_{number}"
        method = method_for(option, draft.shipping_price, draft.order.currency, method_id)
    is_same_way = _is_same(target.shipping_method, method) and (
        (target.provider_id, target.location_id) == (provider_id, location_id)
    )
    # A label that is booked is kept for the same way, unless the goods may not travel for now.
    is_kept = is_same_way and not (is_pending and target.label_number is not None)
    number = target.shipment_number
    if not is_kept and target.label_number is not None:
        number += 1
    after = evolve(
        target,
        items=draft.items,
        shipping_method=target.shipping_method if is_same_way else method,
        provider_id=provider_id,
        location_id=location_id,
        shipment_number=number,
        is_unbooked=is_pending and method is not None,
    )
    quote = value_requested(
        draft.items,
        shipping=after.shipping_total.amount,
        terms=target.terms,
        requested_refund=draft.requested_refund,
    )
    return ReturnUpdated(
        header=header_for(
            target, ledger, facts.at, by=command.created_by, command=command, order=draft.order
        ),
        status=ReturnStatus.PENDING_APPROVAL if is_pending else ReturnStatus.REQUESTED,
        items=revision_between(target.items, draft.items),
        quoted_refund=Money(quote.total, target.currency),
        requested_refund=draft.requested_refund,
        refund_note=draft.refund_note,
        shipping_method=after.shipping_method,
        provider_id=provider_id,
        location_id=location_id,
        shipment_number=number,
        is_unbooked=after.is_unbooked,
        cancel_request=None if is_kept else cancel_shipment(target, ledger),
        shipment_request=None if is_kept else book_shipment(after),
    )


def _is_same(before: ShippingMethod | None, after: ShippingMethod | None) -> bool:
    """True if both are the same way at the same price, whatever their ids."""
    if before is None or after is None:
        return before is after
    return evolve(after, id=before.id) == before
