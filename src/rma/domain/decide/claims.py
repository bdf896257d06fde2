"""RequestClaim, CancelClaim: units compensated by their money or by new goods, at most once."""

from attrs import evolve

from rma.domain.decide.checks import (
    check_flags,
    check_images,
    check_items,
    check_refund_value,
    check_strings,
    check_text,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.entitlement import pay_what_is_due, report_blocked
from rma.domain.decide.replacements import check_new_items, replacement_of
from rma.domain.decide.returns.cancel import check_cancelable, report_canceled
from rma.domain.decide.returns.draft import ReturnDraft, allocate, open_return
from rma.domain.decide.returns.request import (
    check_order_of,
    check_request_options,
    check_requested_refund,
    check_shipping,
    no_notification,
)
from rma.domain.decide.returns.rule_checks import require_means
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import ClaimCanceled, ClaimRequested, Event, ReturnRequested, header_for
from rma.domain.messages.command_items import ClaimItem
from rma.domain.messages.commands import CancelClaim, RequestClaim
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim, ClaimedItem, ClaimReason, ClaimType
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus, ReturnStatus, claim_refusal
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money
from rma.domain.values.validators import is_whole


def request_claim(facts: Facts, ledger: ReturnLedger, command: RequestClaim) -> tuple[Event, ...]:
    """
    The units compensated: refunded, or replaced; and the return opened that brings them back, if one does.

    Windows and final sale do not matter: the merchant failed to deliver what was sold.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is taken.
    """
    wrong = Violations()
    require_means(facts)
    order = check_order_of(wrong, command.order_id, facts.order, ledger)
    kind = _kind(wrong, command)
    items = check_items(wrong, command.items, ClaimItem)
    remainders = ledger.remainders(order, [asked.item_id for asked in items]) if order else {}
    _check_items(wrong, items, order, remainders)
    new_items = _check_new_items(wrong, command, kind, order, books_shipments=facts.books_shipments)
    refund = check_requested_refund(wrong, command.refund_amount, order, ledger)
    check_shipping(wrong, facts, command.shipping_option_id, None)
    check_flags(wrong, return_items=command.return_items)
    check_request_options(wrong, command)
    check_strings(wrong, command, "location_id", "refund_note")
    order = wrong.require(order)
    claimed = _allocate_claimed(items, remainders)
    value = sum([item.line.paid(item.allocated) for item in claimed])
    check_refund_value(wrong, refund, command.refund_note, value)
    wrong.require(order)

    claim_id = facts.new_id("claim")
    if ledger.find_claim(claim_id):
        raise InvalidValue("id_not_fresh", {"return_id": claim_id})
    request = _open_return(facts, ledger, command, order, claim_id, claimed)
    claim = Claim(
        id=claim_id,
        order_id=order.id,
        display_id=len(ledger.claims) + 1,
        type=kind,
        status=ClaimStatus.REQUESTED if request else ClaimStatus.COMPLETED,
        items=claimed,
        entitlement=Entitlement(
            _entitled(order, kind, value, refund),
            requested_refund=refund,
            refund_note=command.refund_note if refund else None,
        ),
        requested_at=facts.at,
        updated_at=facts.at,
        new_items=new_items,
        return_id=request[0].opened.id if request else None,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        idempotency_key=command.idempotency_key,
        metadata=command.metadata,
        refund_terms=facts.policy.refund_terms,
        customer_id=order.customer_id,
    )
    refundable = ledger.refundable(order).amount
    account = pay_what_is_due(
        order,
        ledger,
        claim,
        claim.refund_amount.amount,
        refund_note=claim.entitlement.refund_note,
        refundable=refundable,
        at=facts.at,
    )
    status = ClaimStatus.REQUIRES_ACTION if account.is_refund_blocked else claim.status
    claim = evolve(claim, status=status, entitlement=account)
    event = ClaimRequested(
        header=header_for(claim, ledger, facts.at, by=command.created_by, command=command, order=order),
        opened=claim,
        replacement=replacement_of(claim) if kind is ClaimType.REPLACE else None,
    )
    return (
        *request,
        event,
        *report_blocked(account, claim, ledger, refundable, facts.at, command.created_by),
    )


def cancel_claim(facts: Facts, ledger: ReturnLedger, command: CancelClaim) -> tuple[Event, ...]:
    """
    The claim canceled, and its return; nothing if it was before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    claim = ledger.find_claim(command.claim_id)
    target = ledger.find(claim.return_id) if claim and claim.return_id else None
    if claim is None:
        report_unknown(wrong, "claim_not_found", "claim_id", command.claim_id)
    else:
        _check_cancelable(wrong, claim, command)
    is_open = target is not None and target.status is not ReturnStatus.CANCELED
    if target and is_open:
        check_cancelable(wrong, target)
    check_strings(wrong, command)
    claim = wrong.require(claim)
    if claim.status is ClaimStatus.CANCELED:
        return ()
    at, by = facts.at, command.created_by
    event = ClaimCanceled(header=header_for(claim, ledger, at, by=by, command=command))
    return (report_canceled(target, ledger, at, by), event) if target and is_open else (event,)


def _check_cancelable(wrong: Violations, claim: Claim, command: CancelClaim) -> None:
    """Its status allows it, and nothing was paid or sent."""
    paid = claim.refunded.amount
    refusal = claim_refusal(claim.status, command)
    if refusal is None and claim.status is not ClaimStatus.CANCELED and (paid or claim.new_items):
        refusal = "claim_not_cancelable"
    if refusal is not None:
        wrong.add(refusal, claim_id=claim.id, paid=paid)


def _kind(wrong: Violations, command: RequestClaim) -> ClaimType:
    kind: object = command.type
    if kind not in list(ClaimType):
        wrong.add("invalid_claim_type", type=error_value(kind))
        return ClaimType.REFUND
    return ClaimType(command.type)


def _check_items(
    wrong: Violations, items: tuple[ClaimItem, ...], order: Order | None, remainders: dict[str, Remainder]
) -> None:
    """Each item by itself, and the limits for the sum of a line's quantities."""
    totals: dict[str, int] = {}
    for asked in items:
        if is_whole(asked.quantity, at_least=1):
            totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity
        else:
            wrong.add("invalid_quantity", asked.item_id, quantity=error_value(asked.quantity), minimum=1)
        reason: object = asked.reason
        if reason not in list(ClaimReason):
            wrong.add("invalid_claim_reason", asked.item_id, reason=error_value(reason))
        check_text(wrong, "note", asked.note, asked.item_id)
        check_images(wrong, asked.images, asked.item_id, maximum=None)
    lines = {line.id: line for line in order.items} if order else {}
    for item_id in dict.fromkeys([asked.item_id for asked in items]) if order else ():
        line = lines.get(item_id)
        if line is None:
            wrong.add("item_not_found", item_id, order_id=order.id if order else "")
        elif totals.get(item_id, 0) > (most := remainders[item_id].returnable(line)):
            wrong.add("quantity_exceeds_returnable", item_id, quantity=totals[item_id], returnable=most)


def _check_new_items(
    wrong: Violations, command: RequestClaim, kind: ClaimType, order: Order | None, *, books_shipments: bool
) -> tuple[NewItem, ...]:
    currency = order.currency if order else None
    new_items = check_new_items(wrong, command.new_items, currency, books_shipments=books_shipments)
    if kind is ClaimType.REPLACE:
        if not command.new_items:
            wrong.add("no_new_items")
        if command.refund_amount is not None:
            wrong.add("refund_amount_of_replacement")
    elif command.new_items:
        wrong.add("new_items_of_refund")
    return new_items


def _allocate_claimed(
    items: tuple[ClaimItem, ...], remainders: dict[str, Remainder]
) -> tuple[ClaimedItem, ...]:
    """The items with the value that their units take from their lines, in request order."""
    taken = allocate([(asked.item_id, asked.quantity) for asked in items], remainders)
    return tuple(
        [
            ClaimedItem(
                item_id=asked.item_id,
                quantity=asked.quantity,
                reason=ClaimReason(asked.reason),
                line=remainder.line,
                allocated=share,
                note=asked.note,
                images=asked.images,
            )
            for asked, (remainder, share) in zip(items, taken, strict=True)
        ]
    )


def _open_return(
    facts: Facts,
    ledger: ReturnLedger,
    command: RequestClaim,
    order: Order,
    claim_id: str,
    claimed: tuple[ClaimedItem, ...],
) -> tuple[()] | tuple[ReturnRequested]:
    """The return that brings the claimed goods back, if they are to be returned."""
    if not command.return_items and command.shipping_option_id is None:
        return ()
    items = [
        ReturnItem(
            item_id=each.item_id,
            quantity=each.quantity,
            line=each.line,
            allocated=each.allocated,
            note=each.note,
        )
        for each in claimed
    ]
    draft = ReturnDraft(
        order=order,
        items=tuple(items),
        location_id=command.location_id,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        claim_id=claim_id,
    )
    return (open_return(facts, ledger, draft),)


def _entitled(order: Order, kind: ClaimType, value: int, refund: Money | None) -> Money:
    if kind is ClaimType.REPLACE:
        return Money(0, order.currency)
    if refund is not None:
        return refund
    return Money(value, order.currency)
