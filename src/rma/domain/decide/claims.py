"""RequestClaim, CancelClaim: units made good, by their money or by new goods, at most once."""

from attrs import evolve, frozen

from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.entitlement import block_refund
from rma.domain.decide.refunds.split import limit_to_refundable, refunds_for
from rma.domain.decide.replacements import check_new_items, replacement_of
from rma.domain.decide.returns.cancel import cancel_event, check_cancelable
from rma.domain.decide.returns.request import (
    Asked,
    allocate_items,
    check_custom_amount,
    check_order,
    check_rest,
    check_shipping,
    no_notification,
    open_return,
)
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import ClaimCanceled, ClaimRequested, Event, ReturnRequested
from rma.domain.messages.command_items import ClaimItem, RequestedItem
from rma.domain.messages.commands import CancelClaim, RequestClaim, RequestReturn
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim, ClaimedItem, ClaimReason, ClaimStatus, ClaimType
from rma.domain.state.ledger import Remainder, ReturnLedger
from rma.domain.state.returns import ReturnStatus
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money
from rma.domain.values.validators import all_are, is_whole


def request_claim(facts: Facts, ledger: ReturnLedger, command: RequestClaim) -> tuple[Event, ...]:
    """
    The units made good: refunded, or replaced; and the return opened that brings them back, if one does.

    Windows and final sale do not matter: it was the shop that failed.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is allocated.
    """
    wrong = Violations()
    order = check_order(wrong, command.order_id, facts.order, ledger)
    kind = _kind(wrong, command)
    items = wrong.check_items(command.items, ClaimItem)
    remainders = ledger.remainders(order, [asked.item_id for asked in items]) if order else {}
    quantities = _check_items(wrong, items, order, remainders)
    new_items = _check_new_items(wrong, command, kind, order, books_shipments=facts.books_shipments)
    requested_refund = check_custom_amount(wrong, command.refund_amount, order, ledger)
    check_shipping(wrong, facts, command.shipping_option_id, None)
    wrong.check_flags(return_items=command.return_items)
    check_rest(wrong, command)
    order = wrong.require(order)

    claim_id = f"claim_{facts.fresh_id}"
    if ledger.find_claim(claim_id):
        raise InvalidValue("id_not_fresh", {"return_id": claim_id})
    coming_back = _coming_back(command, items)
    units = allocate_items(coming_back.items, quantities, remainders)
    request: tuple[()] | tuple[ReturnRequested] = ()
    if command.return_items or command.shipping_option_id is not None:
        asked = Asked(order, remainders, quantities)
        request = (open_return(facts, ledger, coming_back, order, asked, items=units, claim_id=claim_id),)
    value = sum([item.line.paid(item.allocated) for item in units])
    refundable = ledger.refundable(order)
    money = _money(order, refundable, kind, value, requested_refund)
    claim = Claim(
        id=claim_id,
        order_id=order.id,
        display_id=len(ledger.claims) + 1,
        type=kind,
        status=_status(money, comes_back=bool(request)),
        items=tuple(
            [
                ClaimedItem(
                    item_id=asked.item_id,
                    quantity=asked.quantity,
                    reason=ClaimReason(asked.reason),
                    line=unit.line,
                    allocated=unit.allocated,
                    note=asked.note,
                    images=asked.images,
                )
                for asked, unit in zip(items, units, strict=True)
            ]
        ),
        refund_amount=Money(money.entitled_amount, order.currency),
        requested_at=facts.at,
        updated_at=facts.at,
        new_items=new_items,
        return_id=request[0].return_id if request else None,
        entitled_amount=money.entitled_amount,
        requested_refund=requested_refund,
        is_refund_blocked=money.is_refund_blocked,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        idempotency_key=command.idempotency_key,
        metadata=command.metadata,
    )
    refunds = refunds_for(money.pay, order, ledger, claim, facts.at) if money.pay else ()
    event = ClaimRequested(
        order_id=order.id,
        return_id=claim.return_id,
        claim_id=claim.id,
        at=facts.at,
        by=command.created_by,
        no_notification=claim.no_notification,
        command=command if command.idempotency_key else None,
        claim=evolve(claim, refunds=refunds),
        refunds=refunds,
        replacement=replacement_of(claim) if kind is ClaimType.REPLACE else None,
    )
    stuck = money.entitled_amount if money.is_refund_blocked else 0
    return (*request, event, *block_refund(claim, stuck, refundable, facts.at, command.created_by))


def cancel_claim(facts: Facts, ledger: ReturnLedger, command: CancelClaim) -> tuple[Event, ...]:
    """
    The claim called off, and its return; nothing if it was before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    claim = ledger.find_claim(command.claim_id)
    target = ledger.find(claim.return_id) if claim and claim.return_id else None
    if claim is None:
        wrong.add("claim_not_found", claim_id=error_value(command.claim_id))
    elif claim.status is not ClaimStatus.CANCELED and (claim.refunded or claim.new_items):
        wrong.add("claim_not_cancelable", claim_id=claim.id, paid=claim.refunded)
    is_open = target is not None and target.status is not ReturnStatus.CANCELED
    if target and is_open:
        check_cancelable(wrong, target)
    wrong.check_texts(command)
    claim = wrong.require(claim)
    if claim.status is ClaimStatus.CANCELED:
        return ()
    event = ClaimCanceled(
        order_id=claim.order_id,
        return_id=claim.return_id,
        claim_id=claim.id,
        at=facts.at,
        by=command.created_by,
        no_notification=claim.no_notification,
        command=command if command.idempotency_key else None,
        claim=evolve(
            claim,
            status=ClaimStatus.CANCELED,
            refund_amount=Money(0, claim.currency),
            entitled_amount=0,
            is_refund_blocked=False,
            canceled_at=facts.at,
            updated_at=facts.at,
        ),
    )
    return (cancel_event(target, facts.at, command.created_by), event) if target and is_open else (event,)


def _kind(wrong: Violations, command: RequestClaim) -> ClaimType:
    kind: object = command.type
    if kind not in list(ClaimType):
        wrong.add("invalid_claim_type", type=error_value(kind))
        return ClaimType.REFUND
    return ClaimType(command.type)


def _check_items(
    wrong: Violations, items: tuple[ClaimItem, ...], order: Order | None, remainders: dict[str, Remainder]
) -> dict[str, int]:
    """The quantities claimed by line; the limits hold for these sums."""
    totals: dict[str, int] = {}
    for asked in items:
        if is_whole(asked.quantity, at_least=1):
            totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity
        else:
            wrong.add("invalid_quantity", asked.item_id, quantity=error_value(asked.quantity), minimum=1)
        reason: object = asked.reason
        if reason not in list(ClaimReason):
            wrong.add("invalid_claim_reason", asked.item_id, reason=error_value(reason))
        wrong.check_text("note", asked.note, asked.item_id)
        if not all_are(asked.images, str):
            wrong.add("invalid_text", asked.item_id, field="images", value=error_value(asked.images))
    lines = {line.id: line for line in order.items} if order else {}
    for item_id in dict.fromkeys([asked.item_id for asked in items]) if order else ():
        line = lines.get(item_id)
        if line is None:
            wrong.add("item_not_found", item_id, order_id=order.id if order else "")
        elif totals.get(item_id, 0) > (most := remainders[item_id].returnable(line)):
            wrong.add("quantity_exceeds_returnable", item_id, quantity=totals[item_id], returnable=most)
    return totals


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


def _coming_back(command: RequestClaim, items: tuple[ClaimItem, ...]) -> RequestReturn:
    return RequestReturn(
        order_id=command.order_id,
        items=[
            RequestedItem(item_id=asked.item_id, quantity=asked.quantity, note=asked.note) for asked in items
        ],
        shipping_option_id=command.shipping_option_id,
        location_id=command.location_id,
        no_notification=command.no_notification,
        created_by=command.created_by,
    )


@frozen
class _Money:
    """A claim's money, minor units, and what of it is paid now."""

    entitled_amount: int = 0
    pay: int = 0
    is_refund_blocked: bool = False


def _money(
    order: Order, refundable: int, kind: ClaimType, value: int, requested_refund: int | None
) -> _Money:
    if kind is ClaimType.REPLACE:
        return _Money()
    if requested_refund is not None:
        return _Money(requested_refund, requested_refund)
    pay, rounding = limit_to_refundable(value, refundable, order)
    return _Money(value - rounding, pay or 0, is_refund_blocked=pay is None)


def _status(money: _Money, *, comes_back: bool) -> ClaimStatus:
    if money.is_refund_blocked:
        return ClaimStatus.REQUIRES_ACTION
    return ClaimStatus.REQUESTED if comes_back else ClaimStatus.COMPLETED
