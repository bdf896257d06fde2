"""Booking what a parcel held to the items of a return."""

from collections.abc import Callable

from attrs import evolve

from rma.domain.sale.policy import Terms
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.money import add

#: By item id: sellable and damaged units. A line of which nothing arrived is a fact, too.
Arrivals = dict[str, tuple[int, int]]

#: How many further units of a requested item can still arrive for it.
Room = Callable[[ReturnItem], int]


def expected_room(item: ReturnItem) -> int:
    """What was requested and did not arrive, lost units too."""
    return item.missing_quantity + item.still_lost_quantity


def lost_room(item: ReturnItem) -> int:
    """Only units that were lost and paid for: others may have taken the share of the rest."""
    return item.still_lost_quantity


def book_arrivals(
    items: tuple[ReturnItem, ...],
    arrivals: Arrivals,
    remainders: dict[str, Remainder],
    *,
    room: Room = expected_room,
    are_late: bool = False,
) -> tuple[ReturnItem, ...]:
    """
    The items with what arrived.

    Requested items are filled in request order, sellable units first; what is left over was not requested
    and takes its value from what remains of its line (`remainders` has the lines for which that happens).
    If the units were free again (`are_late`), others may have taken their share: they take theirs from what
    remains as well, though as what was requested.
    """
    left = dict(arrivals)
    booked = []
    for item in items:
        sellable, damaged = left.get(item.item_id, (0, 0))
        missing = room(item) if sellable or damaged else 0
        if missing:
            good = min(sellable, missing)
            bad = min(damaged, missing - good)
            left[item.item_id] = (sellable - good, damaged - bad)
            booked.append(_with(item, good, bad, item.allocated))
        else:
            booked.append(item)
    if not any(good or bad for good, bad in left.values()):
        return tuple(booked)
    rest = dict(remainders)
    if are_late:
        _book_late(booked, left, rest)
    for item_id, (sellable, damaged) in left.items():
        if sellable or damaged:
            line = rest[item_id].line
            unrequested = ReturnItem(
                item_id=item_id, quantity=0, line=line, allocated=line.nothing, is_requested=False
            )
            _book_unrequested(booked, unrequested, sellable, damaged, rest)
    return tuple(booked)


def hold_for_inspection(
    before: tuple[ReturnItem, ...], after: tuple[ReturnItem, ...], terms: Terms
) -> tuple[tuple[ReturnItem, ...], dict[str, int]]:
    """
    The items after a parcel or a correction, with what waits for an inspection by these terms; and by line,
    how many more units wait that can be sold again.
    """
    if not terms.inspects:
        return after, {}
    items = list(after)
    waiting: dict[str, int] = {}
    for index, item in enumerate(after):
        if not terms.is_inspected(item.rule, is_requested=item.is_requested or item.is_late):
            continue
        had = before[index] if index < len(before) else None
        arrived = item.arrived_quantity - (had.arrived_quantity if had else 0)
        sellable = item.received_quantity - (had.received_quantity if had else 0)
        if arrived or sellable:
            items[index] = evolve(item, waiting_quantity=item.waiting_quantity + arrived)
            waiting[item.item_id] = waiting.get(item.item_id, 0) + sellable
    return tuple(items), waiting


def _book_late(
    booked: list[ReturnItem],
    left: Arrivals,
    remainders: dict[str, Remainder],
) -> None:
    """
    Books requested units that came after they were free again, in request order.

    They count by the rule and for the reason that they were requested for, at what remains of their line.
    """
    for item in tuple(booked):
        if not item.is_requested:
            continue
        alike = [each for each in booked if _is_alike(each, item)]
        arrived = sum([each.arrived_quantity for each in alike if each.is_late])
        missing = sum([each.missing_quantity for each in alike]) - arrived
        good, bad = left.get(item.item_id, (0, 0))
        good = min(good, missing)
        bad = min(bad, missing - good)
        if missing > 0 and (good or bad):
            sellable, damaged = left[item.item_id]
            left[item.item_id] = (sellable - good, damaged - bad)
            late = evolve(
                item,
                quantity=0,
                is_requested=False,
                is_late=True,
                rejected_quantity=0,
                rejected_damaged_quantity=0,
                returned_to_customer_quantity=0,
                kept_quantity=0,
                lost_quantity=0,
                found_quantity=0,
                waiting_quantity=0,
                graded=(),
                source=None,
            )
            _book_unrequested(booked, late, good, bad, remainders)


def _is_alike(late: ReturnItem, item: ReturnItem) -> bool:
    """True if late units of this item could be those."""
    of_late = (late.item_id, late.reason_id, late.tags, late.ruling)
    return of_late == (item.item_id, item.reason_id, item.tags, item.ruling)


def _book_unrequested(
    booked: list[ReturnItem],
    like: ReturnItem,
    sellable: int,
    damaged: int,
    remainders: dict[str, Remainder],
) -> None:
    """Adds units of what remains of their line to the item that is like this one, or as a new item."""
    item_id = like.item_id
    remainder = remainders[item_id]
    taken = remainder.take(sellable + damaged)
    remainders[item_id] = remainder.less(taken)
    for lot in taken:
        good = min(sellable, lot.quantity)
        bad = lot.quantity - good
        sellable -= good
        of_lot = evolve(like, reduced_by=lot.reduced_by)
        index = _find_unrequested(booked, of_lot, remainder)
        if index is None:
            new = evolve(
                of_lot,
                line=remainder.line,
                allocated=lot.running_sums,
                received_quantity=good,
                damaged_quantity=bad,
            )
            booked.append(new)
        else:
            before = booked[index]
            booked[index] = _with(before, good, bad, add(before.allocated, lot.running_sums))


def _find_unrequested(booked: list[ReturnItem], like: ReturnItem, remainder: Remainder) -> int | None:
    """The index of the item to which further units are added; None if the line has other parts by now."""
    for index, item in enumerate(booked):
        is_such = not item.is_requested and item.is_late == like.is_late and _is_alike(item, like)
        if is_such and item.reduced_by == like.reduced_by and item.line.has_parts_of(remainder.line):
            return index
    return None


def _with(item: ReturnItem, sellable: int, damaged: int, allocated: tuple[int, ...]) -> ReturnItem:
    return ReturnItem(  # written out: one of these is built for each line of each parcel
        item_id=item.item_id,
        quantity=item.quantity,
        line=item.line,
        allocated=allocated,
        received_quantity=item.received_quantity + sellable,
        damaged_quantity=item.damaged_quantity + damaged,
        reason_id=item.reason_id,
        note=item.note,
        is_requested=item.is_requested,
        rejected_quantity=item.rejected_quantity,
        rejected_damaged_quantity=item.rejected_damaged_quantity,
        returned_to_customer_quantity=item.returned_to_customer_quantity,
        metadata=item.metadata,
        ruling=item.ruling,
        kept_quantity=item.kept_quantity,
        source=item.source,
        tags=item.tags,
        is_late=item.is_late,
        fault=item.fault,
        lost_quantity=item.lost_quantity,
        found_quantity=item.found_quantity + min(item.still_lost_quantity, sellable + damaged),
        images=item.images,
        waiting_quantity=item.waiting_quantity,
        graded=item.graded,
        reduced_by=item.reduced_by,
    )
