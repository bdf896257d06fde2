"""ResolveReturn: a clerk decides which received goods are paid for, and closes the return."""

from collections.abc import Collection

from attrs import evolve

from rma.domain.decide.checks import (
    check_flags,
    check_order,
    check_strings,
    check_text,
    report_unknown,
    valid_items,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import change_linked
from rma.domain.decide.refunds.entitlement import (
    charges_now,
    check_agreed_refund,
    check_agreed_value,
    check_claimed,
    entitle,
    pays_now,
    report_blocked,
)
from rma.domain.decide.returns.cancel import withdraw_units
from rma.domain.decide.returns.outstanding import check_foreign, check_missing, without_lost
from rma.domain.decide.returns.receipt_items import Arrivals
from rma.domain.decide.returns.sending_back import request_send_back
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.events import Event, RefundBlocked, ReturnResolved, header_for
from rma.domain.messages.command_items import RejectedItem
from rma.domain.messages.commands import Command, ResolveReturn
from rma.domain.messages.effects import CancelShipmentRequest, WithdrawRequest
from rma.domain.sale.order import Order
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.return_item import ReturnItem, changes_between, once_judged
from rma.domain.state.returns import Resolution, Return
from rma.domain.values.money import Money
from rma.domain.values.validators import is_whole


def resolve_return(facts: Facts, ledger: ReturnLedger, command: ResolveReturn) -> tuple[Event, ...]:
    """
    The return closed: what is accepted is paid for, what is rejected is kept or goes back.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    found = ledger.find(command.return_id)
    target = found.by_itself() if found else None
    exchange = ledger.find_exchange(target.exchange_id) if target else None
    _check_state(wrong, command, target, exchange)
    check_order(wrong, order, ledger, target)
    rejected = _check_rejected(wrong, command, target)
    missing = check_missing(wrong, command, target)
    foreign = check_foreign(wrong, command, target)
    refundable = ledger.refundable(order).amount if order else 0
    agreed = check_agreed_refund(wrong, command.refund_amount, order, target, refundable)
    check_strings(wrong, command, "refund_note")
    target = wrong.require(target, besides="refund_exceeds_refundable")
    order = wrong.require(order, besides="refund_exceeds_refundable")

    items = without_lost(_without(target.items, rejected), missing)
    if rejected and not target.is_paid_ahead:
        _check_entitled(wrong, order, ledger, target, items)
    check_claimed(wrong, target, items, ReturnStatus.RECEIVED)
    status = once_judged(ReturnStatus.RECEIVED, items)
    check_agreed_value(wrong, agreed, command.refund_note, order, ledger, target, items, status)
    wrong.require(target)
    back = request_send_back(facts, target, rejected, foreign)
    resolution = Resolution(facts.at, command.created_by, rejected, missing, foreign, back)
    return (
        *close_return(
            order,
            ledger,
            target,
            resolution,
            items=items,
            agreed=agreed,
            refund_note=command.refund_note,
            command=command,
            withdraw_requests=withdraw_units(target, _returned_units(rejected)),
        ),
        *change_linked(ledger, _agreed(target, agreed), items, status, facts.at, command.created_by),
    )


def _agreed(target: Return, agreed: Money | None) -> Return:
    """The return with the amount that was named for it just now."""
    if agreed is None:
        return target
    return evolve(target, entitlement=evolve(target.entitlement, agreed_refund=agreed))


def close_return(
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    resolution: Resolution,
    *,
    items: tuple[ReturnItem, ...],
    agreed: Money | None = None,
    refund_note: str | None = None,
    command: Command | None = None,
    withdraw_requests: tuple[WithdrawRequest, ...] = (),
    cancel_request: CancelShipmentRequest | None = None,
    first: Collection[str] = (),
) -> tuple[ReturnResolved, *tuple[RefundBlocked, ...]]:
    """
    The events that the resolution closed the return, and what is due was paid or is blocked.

    What waits for an inspection is not due yet. Payments whose ids are `first` give before others.
    """
    at, by = resolution.at, resolution.by
    refundable = ledger.refundable(order).amount
    status = once_judged(ReturnStatus.RECEIVED, items)
    charges_back = charges_now(order, ledger, target, items, status, agreed)
    account = entitle(
        order,
        ledger,
        target,
        items,
        status=status,
        agreed=agreed,
        refund_note=refund_note,
        refundable=refundable,
        at=at,
        charges_back=charges_back,
        first=first,
    )
    before = target.resolution.send_backs if target.resolution else 0
    resolution = evolve(resolution, send_backs=before + (resolution.send_back_request is not None))
    event = ReturnResolved(
        header=header_for(target, ledger, at, by=by, command=command, order=order),
        resolution=resolution,
        items=changes_between(target.items, items),
        entitlement=account.change_since(target.entitlement),
        withdraw_requests=withdraw_requests,
        charges_back=charges_back,
        status=status,
        cancel_request=cancel_request,
    )
    blocked = report_blocked(account, target, ledger, refundable, at, by) if pays_now(target, status) else ()
    return (event, *blocked)


def _check_state(
    wrong: Violations, command: ResolveReturn, target: Return | None, exchange: Exchange | None
) -> None:
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
        return
    refusal = return_refusal(target.status, command)
    is_only_amount = not (command.rejected or command.missing or command.foreign)
    is_unpaid = exchange is not None and exchange.is_sent and exchange.owed.amount > 0
    is_unsettled = is_unpaid or target.amount_due.amount > 0 or target.entitlement.overpaid.amount > 0
    sets_amount = is_only_amount and command.refund_amount is not None and is_unsettled
    if target.status is ReturnStatus.REQUESTED and not command.missing:
        refusal = "nothing_to_resolve"
    if target.status is ReturnStatus.EXPIRED and not (sets_amount and target.lacks_goods_paid_for):
        refusal = "nothing_to_resolve"
    if target.status is ReturnStatus.RECEIVED and not sets_amount:
        refusal = "return_already_received"
    if refusal is not None:
        wrong.add(refusal, return_id=target.id)


def _check_rejected(
    wrong: Violations, command: ResolveReturn, target: Return | None
) -> tuple[RejectedItem, ...]:
    """The units that are rejected, of each kind at most as many as arrived."""
    rejected = valid_items(wrong, command.rejected, RejectedItem, "rejected")
    totals: Arrivals = {}
    for each in rejected:
        if _check_quantities(wrong, each):
            good, bad = totals.get(each.item_id, (0, 0))
            totals[each.item_id] = (good + each.quantity, bad + each.damaged_quantity)
        check_text(wrong, "reason", each.reason, each.item_id)
        check_flags(wrong, send_back=each.send_back)
    here = _here(target) if target else totals
    inspected = {item.item_id for item in target.items if item.is_inspected} if target else set()
    graded = [each.item_id for each in rejected if each.item_id in inspected and not any(here[each.item_id])]
    for item_id in dict.fromkeys(graded):
        wrong.add("graded_by_inspection", item_id)
    for item_id, (good, bad) in totals.items():
        if item_id in graded:
            continue
        if item_id not in here:
            wrong.add("item_not_in_return", item_id, return_id=error_id(command.return_id))
            continue
        received, damaged = here[item_id]
        if good > received:
            wrong.add("quantity_exceeds_received", item_id, quantity=good, received=received)
        if bad > damaged:
            wrong.add("damaged_quantity_exceeds_received", item_id, quantity=bad, received=damaged)
    return rejected


def _check_quantities(wrong: Violations, each: RejectedItem) -> bool:
    before = len(wrong)
    if not is_whole(each.quantity, at_least=0):
        wrong.add("invalid_quantity", each.item_id, quantity=error_value(each.quantity), minimum=0)
    if not is_whole(each.damaged_quantity, at_least=0):
        wrong.add(
            "invalid_damaged_quantity", each.item_id, quantity=error_value(each.damaged_quantity), minimum=0
        )
    if each.quantity == 0 == each.damaged_quantity:
        wrong.add("invalid_quantity", each.item_id, quantity=0, minimum=1)
    return len(wrong) == before


def _here(target: Return) -> Arrivals:
    """What is here and was not rejected before, by line, without what inspections decide about."""
    here: Arrivals = {}
    for item in target.items:
        good, bad = here.get(item.item_id, (0, 0))
        if not item.is_inspected:
            good += item.received_quantity - item.rejected_quantity
            bad += item.damaged_quantity - item.rejected_damaged_quantity
        here[item.item_id] = (good, bad)
    return here


def _check_entitled(
    wrong: Violations,
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
) -> None:
    """A unit that an earlier parcel was refunded for can no longer be rejected: it would be both."""
    charges_back = charges_now(order, ledger, target, items, ReturnStatus.RECEIVED, None)
    accepted = target.value_arrived(items, None, charges_back).total
    entitled = target.entitlement.entitled.amount
    if accepted < entitled:
        wrong.add("rejected_already_refunded", return_id=target.id, entitled=entitled, accepted=accepted)


def _without(items: tuple[ReturnItem, ...], rejected: tuple[RejectedItem, ...]) -> tuple[ReturnItem, ...]:
    """The items without the rejected units: of a line, what arrived last is rejected first."""
    left = list(items)
    for each in rejected:
        good, bad = each.quantity, each.damaged_quantity
        for index in reversed(range(len(left))):
            item = left[index]
            if item.item_id == each.item_id and not item.is_inspected and (good or bad):
                sellable = min(good, item.received_quantity - item.rejected_quantity)
                damaged = min(bad, item.damaged_quantity - item.rejected_damaged_quantity)
                change = _returned_to_customer if each.send_back else _kept
                left[index] = change(item, sellable, damaged)
                good, bad = good - sellable, bad - damaged
    return tuple(left)


def _kept(item: ReturnItem, sellable: int, damaged: int) -> ReturnItem:
    return evolve(
        item,
        rejected_quantity=item.rejected_quantity + sellable,
        rejected_damaged_quantity=item.rejected_damaged_quantity + damaged,
    )


def _returned_to_customer(item: ReturnItem, sellable: int, damaged: int) -> ReturnItem:
    left = item.arrived_quantity - sellable - damaged
    return evolve(
        item,
        allocated=item.allocated if item.is_requested else item.value(left),
        received_quantity=item.received_quantity - sellable,
        damaged_quantity=item.damaged_quantity - damaged,
        returned_to_customer_quantity=item.returned_to_customer_quantity + sellable + damaged,
    )


def _returned_units(rejected: tuple[RejectedItem, ...]) -> dict[str, int]:
    """By line, the sellable units that go back to the customer."""
    back: dict[str, int] = {}
    for each in rejected:
        if each.send_back and each.quantity:
            back[each.item_id] = back.get(each.item_id, 0) + each.quantity
    return back
