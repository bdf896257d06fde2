"""ReceiveReturn: what arrived, what the return becomes by it, and what is paid for it."""

from attrs import evolve, frozen

from rma.domain.checks import all_are, is_whole
from rma.domain.commands import ReceivedItem, ReceiveReturn
from rma.domain.decide.judging import Violations, plain
from rma.domain.decide.paying import refunds_for
from rma.domain.effects import RestockRequest, StockLine
from rma.domain.events import GoodsReceived, RefundBlocked
from rma.domain.facts import Facts
from rma.domain.items import ReturnItem
from rma.domain.ledger import Pool, ReturnLedger
from rma.domain.money import Money
from rma.domain.order import Order
from rma.domain.returns import Receipt, ReceiptItem, Return, ReturnStatus

ReceiveEvents = tuple[GoodsReceived] | tuple[GoodsReceived, RefundBlocked]


def receive_return(facts: Facts, ledger: ReturnLedger, command: ReceiveReturn) -> ReceiveEvents:
    """
    The goods booked and, unless they are a mismatch, paid for.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    target = ledger.find(command.return_id)
    _check_state(wrong, command, order, ledger, target)
    came = _check_items(wrong, command, order, target)
    pools = ledger.pools(order, came) if order else {}
    if target and order:
        _check_limits(wrong, came, target, order, pools)
    named = _check_refund(wrong, command, order, ledger, target)
    wrong.check_key(command)
    target, order = wrong.none_about(target), wrong.none_about(order)

    location_id = command.location_id if command.location_id is not None else target.location_id
    number = len(target.receipts) + 1
    items = _with_arrivals(target.items, came, pools)
    status = _status(items, command)
    refundable = ledger.refundable(order)
    granted = _grant(order, target, items, refundable=refundable, status=status, named=named)
    receipt = Receipt(
        number=number,
        at=facts.at,
        by=command.created_by,
        items=tuple([ReceiptItem(item_id, *counts) for item_id, counts in came.items()]),
        location_id=location_id,
        status=status,
        restock=_restock(target, came, pools, location_id),
    )
    received = GoodsReceived(
        order_id=order.id,
        return_id=target.id,
        at=facts.at,
        by=command.created_by,
        no_notification=target.no_notification,
        command=command if command.idempotency_key else None,
        receipt=receipt,
        items=items,
        refund_amount=Money(granted.refund_amount, order.currency),
        granted=granted.amount,
        named_amount=granted.named_amount,
        rounding=granted.rounding,
        is_blocked=granted.is_blocked,
        location_id=location_id,
        refunds=refunds_for(granted.pay, order, ledger, target, facts.at),
    )
    if not granted.blocked:
        return (received,)
    blocked = RefundBlocked(
        order_id=order.id,
        return_id=target.id,
        at=facts.at,
        by=command.created_by,
        no_notification=target.no_notification,
        amount=Money(granted.blocked, order.currency),
        refundable=Money(refundable, order.currency),
    )
    return (received, blocked)


Came = dict[str, tuple[int, int]]  # by item id: sellable and damaged units


def _check_state(
    wrong: Violations,
    command: ReceiveReturn,
    order: Order | None,
    ledger: ReturnLedger,
    target: Return | None,
) -> None:
    if target is None:
        wrong.add("return_not_found", return_id=plain(command.return_id))
    elif target.status is ReturnStatus.RECEIVED:
        wrong.add("return_already_received", return_id=target.id)
    elif target.status is ReturnStatus.CANCELED:
        wrong.add("return_canceled", return_id=target.id)
    if order is None:
        wrong.add("order_not_found", order_id=ledger.order_id)
    if command.allow_mismatch and command.more_expected:
        wrong.add("mismatch_and_more_expected")


def _check_items(
    wrong: Violations, command: ReceiveReturn, order: Order | None, target: Return | None
) -> Came:
    """What came, summed up by line; lines of which nothing came are kept, as facts."""
    came: Came = {}
    items = command.items
    if not all_are(items, ReceivedItem) or not all_are(tuple([each.item_id for each in items]), str):
        wrong.add("invalid_items", expected="ReceivedItem")
        return came
    known = {line.id for line in order.items} if order else set()
    known |= {item.item_id for item in target.items} if target else set()
    for each in items:
        if order and each.item_id not in known:
            wrong.add("item_not_found", each.item_id, order_id=order.id)
        counts = (each.quantity, each.damaged_quantity)
        for count, code in zip(counts, ("invalid_quantity", "invalid_damaged_quantity"), strict=True):
            if not is_whole(count, at_least=0):
                wrong.add(code, each.item_id, quantity=plain(count), minimum=0)
        if all(is_whole(count, at_least=0) for count in counts):
            sellable, damaged = came.get(each.item_id, (0, 0))
            came[each.item_id] = (sellable + each.quantity, damaged + each.damaged_quantity)
    arrived_before = target is not None and any(item.arrived_quantity for item in target.items)
    nothing_said = not items and not command.allow_mismatch
    nothing_came = not arrived_before and not any(sum(counts) for counts in came.values())
    if nothing_said or (nothing_came and len(came) == len({each.item_id for each in items})):
        wrong.add("no_items")
    return came


def _check_limits(
    wrong: Violations, came: Came, target: Return, order: Order, pools: dict[str, Pool]
) -> None:
    missing: dict[str, int] = {}
    for item in target.items:
        missing[item.item_id] = missing.get(item.item_id, 0) + item.missing_quantity
    lines = {line.id: line for line in order.items}
    for item_id, counts in came.items():
        receivable = missing.get(item_id, 0)
        if item_id in lines:
            receivable += pools[item_id].returnable(lines[item_id])
        if item_id in pools and sum(counts) > receivable:
            wrong.add("quantity_exceeds_receivable", item_id, quantity=sum(counts), receivable=receivable)


def _check_refund(
    wrong: Violations,
    command: ReceiveReturn,
    order: Order | None,
    ledger: ReturnLedger,
    target: Return | None,
) -> int | None:
    """The amount that was named for the whole return, if one was and it can be."""
    if command.refund_amount is None:
        return None
    if command.more_expected:
        wrong.add("refund_amount_with_more_expected")
    amount = wrong.check_amount(
        command.refund_amount, order.currency if order else None, "invalid_refund_amount"
    )
    if amount is not None and order and target:
        refundable = ledger.refundable(order) + target.refunded
        if amount > refundable:
            wrong.add("refund_exceeds_refundable", amount=amount, refundable=refundable)
    return amount


def _with_arrivals(
    items: tuple[ReturnItem, ...], came: Came, pools: dict[str, Pool]
) -> tuple[ReturnItem, ...]:
    """The items with what came: requested ones are filled in their order, the rest was not requested."""
    left = dict(came)
    filled = []
    for item in items:
        sellable, damaged = left.get(item.item_id, (0, 0))
        if item.is_requested and (sellable or damaged):
            sellable = min(sellable, item.missing_quantity)
            damaged = min(damaged, item.missing_quantity - sellable)
            before = left[item.item_id]
            left[item.item_id] = (before[0] - sellable, before[1] - damaged)
            filled.append(_arriving(item, sellable, damaged))
        else:
            filled.append(item)
    for item_id, (sellable, damaged) in left.items():
        if sellable or damaged:
            _add_unrequested(filled, item_id, sellable, damaged, pools[item_id])
    return tuple(filled)


def _add_unrequested(items: list[ReturnItem], item_id: str, sellable: int, damaged: int, pool: Pool) -> None:
    taken, _ = pool.take(sellable + damaged)
    for index, item in enumerate(items):
        if item.item_id == item_id and not item.is_requested:
            sums = tuple([before + more for before, more in zip(item.taken, taken, strict=True)])
            items[index] = evolve(_arriving(item, sellable, damaged), taken=sums)
            return
    fresh = ReturnItem(item_id=item_id, quantity=0, line=pool.line, taken=taken, is_requested=False)
    items.append(_arriving(fresh, sellable, damaged))


def _arriving(item: ReturnItem, sellable: int, damaged: int) -> ReturnItem:
    return evolve(
        item,
        received_quantity=item.received_quantity + sellable,
        damaged_quantity=item.damaged_quantity + damaged,
    )


def _status(items: tuple[ReturnItem, ...], command: ReceiveReturn) -> ReturnStatus:
    missing = any(item.missing_quantity for item in items)
    unrequested = any(not item.is_requested for item in items)
    if command.allow_mismatch or not (missing or unrequested):
        return ReturnStatus.RECEIVED
    if command.more_expected and not unrequested:
        return ReturnStatus.PARTIALLY_RECEIVED
    return ReturnStatus.REQUIRES_ACTION


@frozen
class _Grant:
    """The return's money after a receipt, and what of it is paid now: minor units."""

    refund_amount: int
    amount: int
    named_amount: int | None
    rounding: int = 0
    pay: int = 0
    blocked: int = 0
    is_blocked: bool = False


def _grant(
    order: Order,
    target: Return,
    items: tuple[ReturnItem, ...],
    *,
    refundable: int,
    status: ReturnStatus,
    named: int | None,
) -> _Grant:
    quote = target.refund_amount.amount
    kept = target.named_amount if named is None else named
    if status is ReturnStatus.REQUIRES_ACTION:
        return _Grant(quote, target.granted, kept, target.rounding, is_blocked=target.is_blocked)
    closing = status is ReturnStatus.RECEIVED
    if closing and kept is not None:
        kept = max(kept, target.refunded)  # what is paid stays granted
    due = target.worth_of_arrived(items, kept if closing else None).total
    pay = max(0, due - target.refunded)
    excess = max(0, pay - refundable)
    if not excess:
        granted = _Grant(due, due, kept, pay=pay)
    elif excess <= len(order.items):  # hosts round their totals in other ways
        granted = _Grant(due - excess, due - excess, kept, rounding=excess, pay=refundable)
    else:
        granted = _Grant(due, due, kept, blocked=pay, is_blocked=True)
    return granted if closing else evolve(granted, refund_amount=quote)


def _restock(
    target: Return, came: Came, pools: dict[str, Pool], location_id: str | None
) -> RestockRequest | None:
    stock = tuple(
        [
            StockLine(item_id, pools[item_id].line.variant_id, sellable)
            for item_id, (sellable, _) in came.items()
            if sellable
        ]
    )
    if not stock:
        return None
    earlier = sum(receipt.restock is not None for receipt in target.receipts)
    return RestockRequest(
        key=f"{target.id}/restock/{earlier + 1}",
        order_id=target.order_id,
        return_id=target.id,
        location_id=location_id,
        lines=stock,
    )
