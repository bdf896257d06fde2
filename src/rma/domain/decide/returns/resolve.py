"""ResolveReturn: a clerk's last word on what came, and on what of it is paid for."""

from attrs import evolve

from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import complete_linked
from rma.domain.decide.refunds.entitlement import (
    block_refund,
    check_claimed,
    check_named_amount,
    grant,
    resolve_event,
)
from rma.domain.decide.returns.cancel import withdrawal
from rma.domain.decide.returns.receipt_items import Arrivals
from rma.domain.decide.violations import Violations, are_items, error_value
from rma.domain.events import Event
from rma.domain.messages.command_items import RejectedItem
from rma.domain.messages.commands import ResolveReturn
from rma.domain.messages.effects import StockLine, WithdrawRequest
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Resolution, Return, ReturnStatus
from rma.domain.values.validators import is_whole


def resolve_return(facts: Facts, ledger: ReturnLedger, command: ResolveReturn) -> tuple[Event, ...]:
    """
    The return closed: what is accepted is paid for, what is rejected is kept or goes back.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    target = ledger.find(command.return_id)
    _check_state(wrong, command, target)
    wrong.check_order(order, ledger, target)
    rejected = _check_rejected(wrong, command, target)
    refundable = ledger.refundable(order) if order else 0
    named = check_named_amount(wrong, command.refund_amount, order, target, refundable)
    wrong.check_texts(command)
    target, order = wrong.require(target), wrong.require(order)

    items = _without(target.items, rejected)
    if rejected:
        _check_granted(wrong, target, items)
    check_claimed(wrong, target, items, ReturnStatus.RECEIVED)
    wrong.require(target)
    at, by = facts.at, command.created_by
    money = grant(order, target, items, refundable=refundable, status=ReturnStatus.RECEIVED, named=named)
    event = resolve_event(
        ledger,
        target,
        order,
        money,
        Resolution(at, by, rejected),
        items=items,
        command=command,
        withdraw_requests=_withdrawals(target, rejected),
    )
    return (
        event,
        *block_refund(target, money.blocked, refundable, at, by),
        *complete_linked(ledger, target, items, ReturnStatus.RECEIVED, at, by),
    )


def _check_state(wrong: Violations, command: ResolveReturn, target: Return | None) -> None:
    if target is None:
        wrong.add("return_not_found", return_id=error_value(command.return_id))
    elif target.status is ReturnStatus.CANCELED:
        wrong.add("return_canceled", return_id=target.id)
    elif target.status is ReturnStatus.REQUESTED:
        wrong.add("nothing_to_resolve", return_id=target.id)
    elif target.status is ReturnStatus.RECEIVED and (
        command.rejected or command.refund_amount is None or not target.amount_due.amount
    ):
        wrong.add("return_already_received", return_id=target.id)


def _check_rejected(
    wrong: Violations, command: ResolveReturn, target: Return | None
) -> tuple[RejectedItem, ...]:
    """The units that are rejected, each kind of them at most as many as came."""
    rejected = command.rejected
    if not are_items(rejected, RejectedItem):
        wrong.add("invalid_items", expected="RejectedItem")
        return ()
    totals: Arrivals = {}
    for each in rejected:
        if _check_quantities(wrong, each):
            good, bad = totals.get(each.item_id, (0, 0))
            totals[each.item_id] = (good + each.quantity, bad + each.damaged_quantity)
        wrong.check_text("reason", each.reason, each.item_id)
        wrong.check_flags(send_back=each.send_back)
    here = _here(target) if target else totals
    for item_id, (good, bad) in totals.items():
        if item_id not in here:
            wrong.add("item_not_in_return", item_id, return_id=error_value(command.return_id))
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
    """What is here, by line."""
    here: Arrivals = {}
    for item in target.items:
        good, bad = here.get(item.item_id, (0, 0))
        here[item.item_id] = (good + item.received_quantity, bad + item.damaged_quantity)
    return here


def _check_granted(wrong: Violations, target: Return, items: tuple[ReturnItem, ...]) -> None:
    """A unit that an earlier parcel was refunded for can not be rejected any more: it would be both."""
    left = target.value_arrived(items, None).total
    if left < target.entitled_amount:
        wrong.add(
            "rejected_already_refunded",
            return_id=target.id,
            entitled_amount=target.entitled_amount,
            accepted=left,
        )


def _without(items: tuple[ReturnItem, ...], rejected: tuple[RejectedItem, ...]) -> tuple[ReturnItem, ...]:
    """The items as they stand then: of a line, what came last, and unannounced, is rejected first."""
    left = list(items)
    for each in rejected:
        good, bad = each.quantity, each.damaged_quantity
        for index in reversed(range(len(left))):
            item = left[index]
            if item.item_id == each.item_id and (good or bad):
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


def _withdrawals(target: Return, rejected: tuple[RejectedItem, ...]) -> tuple[WithdrawRequest, ...]:
    """What goes back, out of the stock into which it came: the latest parcel's first."""
    back: dict[str, int] = {}
    for each in rejected:
        if each.send_back and each.quantity:
            back[each.item_id] = back.get(each.item_id, 0) + each.quantity
    withdrawals: list[WithdrawRequest] = []
    for restock in [receipt.restock for receipt in reversed(target.receipts) if receipt.restock]:
        lines = []
        for line in restock.lines:
            units = min(line.quantity, back.get(line.item_id, 0))
            if units:
                lines.append(StockLine(line.item_id, line.variant_id, units))
                back[line.item_id] -= units
        if lines:
            withdrawals.append(withdrawal(target, restock, tuple(lines), len(withdrawals) + 1))
    return tuple(withdrawals)
