"""ReceiveReturn: what arrived, the return's status afterwards, and what is paid for it."""

from rma.domain.decide.checks import (
    check_flags,
    check_order,
    check_refund_value,
    check_strings,
    report_unknown,
    valid_items,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import complete_linked
from rma.domain.decide.refunds.entitlement import (
    charges_now,
    check_agreed_refund,
    check_claimed,
    entitle,
    pays_now,
    report_blocked,
    value_refunded_for,
)
from rma.domain.decide.returns.receipt_items import Arrivals, book_arrivals
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import Event, GoodsReceived, header_for
from rma.domain.messages.command_items import ReceivedItem
from rma.domain.messages.commands import ReceiveReturn
from rma.domain.messages.effects import effect_key
from rma.domain.sale.order import LineItem, Order
from rma.domain.state.deadlines import refund_due_by
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem, changes_between
from rma.domain.state.returns import Receipt, ReceiptItem, Return
from rma.domain.values.validators import is_whole


def receive_return(facts: Facts, ledger: ReturnLedger, command: ReceiveReturn) -> tuple[Event, ...]:
    """
    The goods booked and, unless they are a mismatch, paid for.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    target = ledger.find(command.return_id)
    _check_state(wrong, command, order, ledger, target)
    lines = {line.id: line for line in order.items} if order else {}
    arrivals = _check_items(wrong, command, order, lines, target)
    remainders = _check_limits(wrong, arrivals, target, order, lines, ledger) if target and order else {}
    refundable = ledger.refundable(order).amount if order else 0
    if command.refund_amount is not None and command.more_expected:
        wrong.add("refund_amount_with_more_expected")
    agreed = check_agreed_refund(wrong, command.refund_amount, order, target, refundable)
    check_strings(wrong, command, "location_id", "refund_note")
    target, order = wrong.require(target), wrong.require(order)

    items = book_arrivals(target.items, arrivals, remainders, is_expected=not target.is_released)
    status = _status(target, items, command)
    check_claimed(wrong, target, items, status)
    if agreed is not None:
        check_refund_value(wrong, agreed, command.refund_note, value_refunded_for(target, items, status))
    wrong.require(target)
    at, by = facts.at, command.created_by
    location_id = command.location_id if command.location_id is not None else target.location_id
    charges_back = charges_now(order, ledger, target, items, status, agreed)
    account = entitle(
        order,
        ledger,
        target,
        items,
        status=status,
        agreed=agreed,
        refund_note=command.refund_note,
        refundable=refundable,
        at=at,
        charges_back=charges_back,
    )
    received = GoodsReceived(
        header=header_for(target, ledger, at, by=by, command=command, order=order),
        receipt=Receipt(
            number=len(target.receipts) + 1,
            at=at,
            by=by,
            items=_receipt_items(items, arrivals),
            location_id=location_id,
            status=status,
            restock_key=_restock_key(target, arrivals),
        ),
        items=changes_between(target.items, items),
        entitlement=account.change_since(target.entitlement),
        charges_back=charges_back,
        refund_due_by=refund_due_by(
            target,
            sending=target.sending,
            received_at=target.receipts[0].at if target.receipts else at,
        ),
    )
    blocked = report_blocked(account, target, ledger, refundable, at, by) if pays_now(target, status) else ()
    return (received, *blocked, *complete_linked(ledger, target, items, status, at, by))


def _check_state(
    wrong: Violations,
    command: ReceiveReturn,
    order: Order | None,
    ledger: ReturnLedger,
    target: Return | None,
) -> None:
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif refusal := return_refusal(target.status, command):
        wrong.add(refusal, return_id=target.id)
    check_order(wrong, order, ledger, target)
    check_flags(wrong, allow_mismatch=command.allow_mismatch, more_expected=command.more_expected)
    if command.allow_mismatch and command.more_expected:
        wrong.add("mismatch_and_more_expected")


def _check_items(
    wrong: Violations,
    command: ReceiveReturn,
    order: Order | None,
    lines: dict[str, LineItem],
    target: Return | None,
) -> Arrivals:
    """What arrived, added up by line."""
    arrivals: Arrivals = {}
    asked: object = command.items
    items = valid_items(wrong, asked, ReceivedItem, "items")
    here = {item.item_id for item in target.items} if target else set()
    are_whole = items is asked
    for each in items:
        item_id, good, bad = each.item_id, each.quantity, each.damaged_quantity
        if order and item_id not in lines and item_id not in here:
            wrong.add("item_not_found", item_id, order_id=order.id)
        if is_whole(good, at_least=0) and is_whole(bad, at_least=0):
            before = arrivals.get(item_id)
            arrivals[item_id] = (good + before[0], bad + before[1]) if before else (good, bad)
            continue
        are_whole = False
        if not is_whole(good, at_least=0):
            wrong.add("invalid_quantity", item_id, quantity=error_value(good), minimum=0)
        if not is_whole(bad, at_least=0):
            wrong.add("invalid_damaged_quantity", item_id, quantity=error_value(bad), minimum=0)
    something_arrived = any(good or bad for good, bad in arrivals.values())
    something_is_there = something_arrived or (
        target is not None and any(item.gone_quantity for item in target.items)
    )
    if (asked == () and not command.allow_mismatch) or (are_whole and not something_is_there):
        wrong.add("no_items")
    return arrivals


def _check_limits(
    wrong: Violations,
    arrivals: Arrivals,
    target: Return,
    order: Order,
    lines: dict[str, LineItem],
    ledger: ReturnLedger,
) -> dict[str, Remainder]:
    """What remains of the lines of which more arrived than this return expected."""
    missing: dict[str, int] = {}
    for item in target.items:
        expected = 0 if target.is_released else item.missing_quantity
        missing[item.item_id] = missing.get(item.item_id, 0) + expected
    unexpected = [
        item_id for item_id, (good, bad) in arrivals.items() if good + bad > missing.get(item_id, 0)
    ]
    remainders = ledger.remainders(order, unexpected) if unexpected else {}
    reserved = ledger.reserved_quantities()
    for item_id, (good, bad) in arrivals.items():
        if not good + bad or (item_id not in lines and item_id not in missing):
            continue
        # The host may count fewer units as fulfilled than it did, or have removed the line.
        line = lines.get(item_id)
        fulfilled = line.fulfilled_quantity - line.returned_quantity if line else 0
        receivable = max(0, missing.get(item_id, 0) + fulfilled - reserved.get(item_id, 0))
        if good + bad > receivable:
            wrong.add("quantity_exceeds_receivable", item_id, quantity=good + bad, receivable=receivable)
    return remainders


def _status(target: Return, items: tuple[ReturnItem, ...], command: ReceiveReturn) -> ReturnStatus:
    is_accepted = command.allow_mismatch and target.status is ReturnStatus.REQUIRES_ACTION
    if (target.needs_approval or target.is_released) and not is_accepted:
        return ReturnStatus.REQUIRES_ACTION  # no one agreed to it: a person decides
    missing = any(item.missing_quantity for item in items)
    unrequested = not all(item.is_requested for item in items)
    if command.allow_mismatch or not (missing or unrequested):
        return ReturnStatus.RECEIVED
    if command.more_expected and not unrequested:
        return ReturnStatus.PARTIALLY_RECEIVED
    return ReturnStatus.REQUIRES_ACTION


def _receipt_items(items: tuple[ReturnItem, ...], arrivals: Arrivals) -> tuple[ReceiptItem, ...]:
    variants = {item.item_id: item.line.variant_id for item in items}
    return tuple(
        [ReceiptItem(item_id, good, bad, variants.get(item_id)) for item_id, (good, bad) in arrivals.items()]
    )


def _restock_key(target: Return, arrivals: Arrivals) -> str | None:
    """The next key, if anything arrived that can be sold again."""
    if not any(good for good, _ in arrivals.values()):
        return None
    earlier = sum([receipt.restock_key is not None for receipt in target.receipts])
    return effect_key(target.id, "restock", earlier + 1)
