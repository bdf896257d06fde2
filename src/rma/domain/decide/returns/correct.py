"""CorrectReceipt: what the receipts of a return should have said, and what follows for stock and money."""

from attrs import frozen

from rma.domain.decide.checks import check_order, check_strings, check_text, report_unknown, valid_items
from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import change_linked
from rma.domain.decide.refunds.entitlement import charges_now, correct_entitlement, pays_now, report_blocked
from rma.domain.decide.returns.cancel import withdraw_units
from rma.domain.decide.returns.limits import expected_units, limits_of, room_of
from rma.domain.decide.returns.receipt_items import (
    Arrivals,
    Room,
    count_again,
    hold_for_inspection,
    lost_room,
)
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import Event, ReceiptCorrected, header_for
from rma.domain.messages.command_items import CorrectedItem
from rma.domain.messages.commands import CorrectReceipt
from rma.domain.messages.effects import effect_key
from rma.domain.sale.order import Order
from rma.domain.state.at_the_dock import CorrectedUnits, Correction
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem, changes_between, once_judged
from rma.domain.state.returns import Return
from rma.domain.values.validators import is_whole


@frozen
class _Line:
    """
    A line of a return as it was counted: sellable and damaged units.

    Attributes:
        booked: what its receipts say together.
        here: of these, what did not go back to the customer.
        rejected: of those that are here, what is not paid for.
        graded: of those that are here, how many were graded by an inspection, of either kind.
    """

    booked: tuple[int, int]
    here: tuple[int, int]
    rejected: tuple[int, int]
    graded: int = 0

    @property
    def least(self) -> tuple[int, int]:
        """What it cannot be corrected below: units that were decided about cannot vanish."""
        (good, bad), here, rejected = self.booked, self.here, self.rejected
        return good - here[0] + rejected[0], bad - here[1] + rejected[1]

    @property
    def least_units(self) -> int:
        """What both kinds together cannot be corrected below: nor can units that were graded."""
        return sum(self.booked) - sum(self.here) + self.graded


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
    reason = _check_reason(wrong, command.reason)
    said = _check_items(wrong, command)
    if target and order:
        _check_lines(wrong, said, order, target)
    check_strings(wrong, command)
    target, order = wrong.require(target), wrong.require(order)

    counted = _lines_of(target)
    nothing = _Line((0, 0), (0, 0), (0, 0))
    changed = {each: to for each, to in said.items() if to != counted.get(each, nothing).booked}
    if not changed:
        return ()
    room = _room(ledger, order, target)
    _check_limits(
        wrong, ledger, order, target, {each: counted.get(each, nothing) for each in changed}, changed
    )
    wrong.require(target)
    items, are_late = target.items, room_of(ledger, target) is lost_room
    remainders = ledger.remainders(order, changed)
    for item_id, (good, bad) in changed.items():
        line = counted.get(item_id, nothing)
        here = good - line.booked[0] + line.here[0], bad - line.booked[1] + line.here[1]
        items = count_again(items, item_id, *here, remainders[item_id], room=room, are_late=are_late)
    items, waiting = hold_for_inspection(target.items, items, target.terms)
    units = _units(changed, counted, order, items, waiting)
    return _events(facts, ledger, order, target, items, units, reason, command)


def _events(
    facts: Facts,
    ledger: ReturnLedger,
    order: Order,
    target: Return,
    items: tuple[ReturnItem, ...],
    units: tuple[CorrectedUnits, ...],
    reason: str,
    command: CorrectReceipt,
) -> tuple[Event, ...]:
    status = once_judged(_status(target, items), items)
    at, by = facts.at, command.created_by
    refundable = ledger.refundable(order).amount
    charges_back = charges_now(order, ledger, target, items, status, None)
    account = correct_entitlement(
        order, ledger, target, items, status=status, refundable=refundable, at=at, charges_back=charges_back
    )
    restocked = any(each.restocked_quantity > 0 for each in units)
    correction = Correction(
        number=len(target.corrections) + 1,
        at=at,
        by=by,
        reason=reason,
        items=units,
        status=status,
        location_id=target.location_id,
        restock_key=effect_key(target.id, "restock", len(target.restocks) + 1) if restocked else None,
    )
    fewer = {each.item_id: -each.restocked_quantity for each in units if each.restocked_quantity < 0}
    corrected = ReceiptCorrected(
        header=header_for(target, ledger, at, by=by, command=command, order=order),
        correction=correction,
        items=changes_between(target.items, items),
        entitlement=account.change_since(target.entitlement),
        withdraw_requests=withdraw_units(target, fewer, is_correction=True),
        charges_back=charges_back,
    )
    blocked = report_blocked(account, target, ledger, refundable, at, by) if pays_now(target, status) else ()
    return (corrected, *blocked, *change_linked(ledger, target, items, status, at, by))


def _without_receipt(target: Return) -> str | None:
    return None if target.receipts else "nothing_to_correct"


def _check_reason(wrong: Violations, reason: object) -> str:
    check_text(wrong, "reason", reason)
    if not isinstance(reason, str) or not reason.strip():
        if reason is None or isinstance(reason, str):
            wrong.add("correction_without_reason")
        return ""
    return reason


def _check_items(wrong: Violations, command: CorrectReceipt) -> Arrivals:
    """What the receipts should have said, by line."""
    asked: object = command.items
    if asked == ():
        wrong.add("no_items")
    said: Arrivals = {}
    for each in valid_items(wrong, asked, CorrectedItem, "items"):
        good, bad = each.quantity, each.damaged_quantity
        if not is_whole(good, at_least=0):
            wrong.add("invalid_quantity", each.item_id, quantity=error_value(good), minimum=0)
        elif not is_whole(bad, at_least=0):
            wrong.add("invalid_damaged_quantity", each.item_id, quantity=error_value(bad), minimum=0)
        else:
            before = said.get(each.item_id, (0, 0))
            said[each.item_id] = (before[0] + good, before[1] + bad)
    return said


def _check_lines(wrong: Violations, said: Arrivals, order: Order, target: Return) -> None:
    known = {line.id for line in order.items} | {item.item_id for item in target.items}
    for item_id in said:
        if item_id not in known:
            wrong.add("item_not_found", item_id, order_id=order.id)


def _lines_of(target: Return) -> dict[str, _Line]:
    counted: dict[str, _Line] = {}
    for item_id, booked in target.booked_quantities().items():
        items = [item for item in target.items if item.item_id == item_id]
        here = sum([item.received_quantity for item in items]), sum([item.damaged_quantity for item in items])
        rejected = [(item.rejected_quantity, item.rejected_damaged_quantity) for item in items]
        graded = sum([item.graded_quantity - item.graded_back_quantity for item in items])
        counted[item_id] = _Line(
            booked, here, (sum([g for g, _ in rejected]), sum([b for _, b in rejected])), graded
        )
    return counted


def _check_limits(
    wrong: Violations,
    ledger: ReturnLedger,
    order: Order,
    target: Return,
    counted: dict[str, _Line],
    said: Arrivals,
) -> None:
    """Neither below what was decided about, nor above what the customer can have sent."""
    expected = expected_units(target.items, room_of(ledger, target))
    limits = limits_of(ledger, {line.id: line for line in order.items}, expected, said)
    for item_id, (good, bad) in said.items():
        line = counted[item_id]
        least = line.least
        if good < least[0] or bad < least[1]:
            wrong.add(
                "correction_below_decided",
                item_id,
                quantity=good,
                damaged_quantity=bad,
                least=least[0],
                damaged_least=least[1],
            )
        elif good + bad < line.least_units:
            wrong.add("correction_below_graded", item_id, quantity=good + bad, least=line.least_units)
        most = sum(line.booked) + limits[item_id].most
        if good + bad > max(most, sum(line.booked)):
            wrong.add("quantity_exceeds_receivable", item_id, quantity=good + bad, receivable=most)


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
    if remainder.quantity < units or not item.line.has_parts_of(remainder.line):
        return False
    had, whole = item.value(item.gone_quantity), item.value(item.gone_quantity + units)
    left = remainder.less(units, tuple([after - before for before, after in zip(had, whole, strict=True)]))
    return left.line.are_valid(left.running_sums) if left.quantity else not any(left.running_sums)


def _units(
    said: Arrivals,
    counted: dict[str, _Line],
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


def _status(target: Return, items: tuple[ReturnItem, ...]) -> ReturnStatus:
    """As if the receipts had said so from the beginning, but that what is closed stays closed."""
    more = sum([_unrequested(each) for each in items]) > sum([_unrequested(each) for each in target.items])
    if target.undecided_foreign or target.status is ReturnStatus.CANCELED:
        return ReturnStatus.REQUIRES_ACTION
    if target.status in (ReturnStatus.RECEIVED, ReturnStatus.IN_INSPECTION):
        return ReturnStatus.REQUIRES_ACTION if more else ReturnStatus.RECEIVED
    if target.needs_approval or target.is_released:
        return ReturnStatus.REQUIRES_ACTION
    if any(_unrequested(each) for each in items):
        return ReturnStatus.REQUIRES_ACTION
    return target.status if any(each.missing_quantity for each in items) else ReturnStatus.RECEIVED


def _unrequested(item: ReturnItem) -> int:
    return 0 if item.is_requested else item.arrived_quantity
