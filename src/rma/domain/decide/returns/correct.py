"""CorrectReceipt: what the receipts of a return should have said, and what follows for stock and money."""

from attrs import evolve, frozen

from rma.domain.decide.checks import check_order, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import change_linked
from rma.domain.decide.refunds.entitlement import charges_now, correct_entitlement, pays_now, report_blocked
from rma.domain.decide.returns.cancel import withdraw_units
from rma.domain.decide.returns.corrected_items import (
    Line,
    check_limits,
    check_lines,
    check_reason,
    count_lines,
    lines_of,
    read_foreign,
    read_items,
)
from rma.domain.decide.returns.corrected_status import corrected_status
from rma.domain.decide.returns.counted_again import count_again, without_grades
from rma.domain.decide.returns.judging import Judge
from rma.domain.decide.returns.limits import room_of
from rma.domain.decide.returns.placing import withdrawals_between
from rma.domain.decide.returns.receipt_items import Arrivals, Room, hold_for_inspection, lost_room
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, ReceiptCorrected, header_for
from rma.domain.messages.command_items import CorrectedForeign
from rma.domain.messages.commands import CorrectReceipt
from rma.domain.messages.effects import WithdrawRequest, effect_key
from rma.domain.sale.order import Order
from rma.domain.state.at_the_dock import CorrectedUnits, Correction, foreign_after
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import return_refusal
from rma.domain.state.lots import Lot
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem, changes_between, once_judged
from rma.domain.state.returns import Return
from rma.domain.values.money import subtract


@frozen
class _Corrected:
    """A return as it is counted now: its items, what was added and taken, and how many foreign goods."""

    items: tuple[ReturnItem, ...]
    units: tuple[CorrectedUnits, ...]
    foreign: tuple[CorrectedForeign, ...]


def correct_receipt(facts: Facts, ledger: ReturnLedger, command: CorrectReceipt) -> tuple[Event, ...]:
    """
    The receipts corrected; nothing if they said so before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    found = ledger.find(command.return_id)
    target = found.by_itself() if found else None
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif refusal := return_refusal(target.status, command) or _without_receipt(target):
        wrong.add(refusal, return_id=target.id)
    check_order(wrong, order, ledger, target)
    reason = check_reason(wrong, command.reason)
    said = read_items(wrong, command, target)
    foreign = read_foreign(wrong, command, target)
    if target and order:
        check_lines(wrong, said, order, target)
    check_strings(wrong, command)
    target, order = wrong.require(target), wrong.require(order)

    counted = lines_of(target)
    counts = count_lines(ledger, order, target, said, foreign)
    if not (counts.booked or counts.foreign):
        return ()
    check_limits(wrong, said, counted, counts)
    wrong.require(target)
    items, waiting = _count(ledger, order, target, counted, counts.booked)
    judge = Judge(target.terms, facts.reasons)
    for item_id in counts.booked:
        items = without_grades(target, items, item_id, said[item_id].grade, judge)
    units = _units(counts.booked, counted, order, items, waiting)
    return _events(facts, ledger, order, target, _Corrected(items, units, counts.foreign), reason, command)


def _count(
    ledger: ReturnLedger,
    order: Order,
    target: Return,
    counted: dict[str, Line],
    changed: Arrivals,
) -> tuple[tuple[ReturnItem, ...], dict[str, int]]:
    """The items with these units, and by line how many more wait for an inspection that can be sold again."""
    items, are_late, room = target.items, room_of(ledger, target) is lost_room, _room(ledger, order, target)
    remainders = ledger.remainders(order, changed)
    for item_id, (good, bad) in changed.items():
        line = counted.get(item_id, Line())
        here = good - line.booked[0] + line.here[0], bad - line.booked[1] + line.here[1]
        remainder = remainders[item_id]
        if are_late:
            remainder = _left_for_others(remainder, items, sum(here) - sum(line.here), room)
        items = count_again(items, item_id, *here, remainder, room=room, are_late=are_late)
    return hold_for_inspection(target.items, items, target.terms)


def _left_for_others(remainder: Remainder, items: tuple[ReturnItem, ...], more: int, room: Room) -> Remainder:
    """What remains of a line once requested items took their own units, which were free, back."""
    for item in items:
        taken = min(max(0, more), room(item)) if item.item_id == remainder.line.item_id else 0
        more -= taken
        units = taken - min(taken, item.still_lost_quantity)
        if units:
            had, has = item.value(item.gone_quantity), item.value(item.gone_quantity + units)
            remainder = remainder.less([Lot(units, subtract(has, had), item.reduced_by)])
    return remainder


def _events(
    facts: Facts,
    ledger: ReturnLedger,
    order: Order,
    target: Return,
    corrected: _Corrected,
    reason: str,
    command: CorrectReceipt,
) -> tuple[Event, ...]:
    items, units = corrected.items, corrected.units
    has_foreign = bool(foreign_after(target.undecided_foreign, corrected.foreign))
    status = once_judged(corrected_status(target, items, units, has_foreign=has_foreign), items)
    at, by = facts.at, command.created_by
    refundable = ledger.refundable(order).amount
    charges_back = charges_now(order, ledger, target, items, status, None)
    account = correct_entitlement(
        order, ledger, target, items, status=status, refundable=refundable, at=at, charges_back=charges_back
    )
    restocked = any(each.restocked_quantity > 0 for each in units)
    exchange = ledger.find_exchange(target.exchange_id)
    correction = Correction(
        number=len(target.corrections) + 1,
        at=at,
        by=by,
        reason=reason,
        items=units,
        status=status,
        location_id=target.location_id,
        restock_key=effect_key(target.id, "restock", len(target.restocks) + 1) if restocked else None,
        foreign=corrected.foreign,
        is_payment_awaited=exchange is not None and exchange.is_open,
    )
    event = ReceiptCorrected(
        header=header_for(target, ledger, at, by=by, command=command, order=order),
        correction=correction,
        items=changes_between(target.items, items),
        entitlement=account.change_since(target.entitlement),
        withdraw_requests=_withdrawals(target, items, units),
        charges_back=charges_back,
    )
    blocked = report_blocked(account, target, ledger, refundable, at, by) if pays_now(target, status) else ()
    return (event, *blocked, *change_linked(ledger, target, items, status, at, by))


def _withdrawals(
    target: Return, items: tuple[ReturnItem, ...], units: tuple[CorrectedUnits, ...]
) -> tuple[WithdrawRequest, ...]:
    """What is not there after all, out of the stock of receipts, and out of that of inspections."""
    fewer = {each.item_id: -each.restocked_quantity for each in units if each.restocked_quantity < 0}
    requests = (*withdraw_units(target, fewer), *withdrawals_between(target, items))
    earlier = len(target.withdrawals)
    keys = [effect_key(target.id, "withdraw", earlier + number + 1) for number in range(len(requests))]
    return tuple(
        [evolve(each, key=key, is_correction=True) for key, each in zip(keys, requests, strict=True)]
    )


def _without_receipt(target: Return) -> str | None:
    return None if target.receipts else "nothing_to_correct"


def _room(ledger: ReturnLedger, order: Order, target: Return) -> Room:
    """
    How many further units each requested item takes.

    Of a return that was received without all of its units, the missing ones if their share is still there;
    others may have taken it, and what is left of the line is then worth what is left.
    """
    room = room_of(ledger, target)
    was_received = target.was_closed and target.canceled_at is None
    if not was_received or target.claim_id is not None or room is not lost_room:
        return room
    remainders = ledger.remainders(order, [item.item_id for item in target.items])

    def with_free_units(item: ReturnItem) -> int:
        missing = item.missing_quantity
        has_share = missing and _has_share(remainders[item.item_id], item, missing)
        return room(item) + (missing if has_share else 0)

    return with_free_units


def _has_share(remainder: Remainder, item: ReturnItem, units: int) -> bool:
    """True if what remains of the line has so many units, with the share that was quoted for them."""
    left = remainder.lot(item.reduced_by)
    if left.quantity < units or not item.line.has_parts_of(remainder.line):
        return False
    had, whole = item.value(item.gone_quantity), item.value(item.gone_quantity + units)
    left = left.less(Lot(units, subtract(whole, had), item.reduced_by))
    return remainder.line.are_valid(left.running_sums) if left.quantity else not any(left.running_sums)


def _units(
    said: Arrivals,
    counted: dict[str, Line],
    order: Order,
    items: tuple[ReturnItem, ...],
    waiting: dict[str, int],
) -> tuple[CorrectedUnits, ...]:
    variants = {line.id: line.variant_id for line in order.items}
    variants |= {item.item_id: item.line.variant_id for item in items}
    found = []
    for item_id, (good, bad) in said.items():
        before = counted[item_id].booked if item_id in counted else (0, 0)
        more = good - before[0], bad - before[1]
        found.append(CorrectedUnits(item_id, *more, variants.get(item_id), waiting.get(item_id, 0)))
    return tuple(found)
