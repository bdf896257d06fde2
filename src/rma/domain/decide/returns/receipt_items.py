"""Booking what a parcel held to the items of a return."""

from attrs import evolve

from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem

#: By item id: sellable and damaged units. A line of which nothing arrived is a fact, too.
Arrivals = dict[str, tuple[int, int]]


def book_arrivals(
    items: tuple[ReturnItem, ...],
    arrivals: Arrivals,
    remainders: dict[str, Remainder],
    *,
    is_expected: bool = True,
) -> tuple[ReturnItem, ...]:
    """
    The items with what arrived.

    Requested items are filled in request order, sellable units first; what is left over was not requested
    and takes its value from what remains of its line (`remainders` has the lines for which that happens).
    If the units were free again (not `is_expected`), others may have taken their share: they take theirs from
    what remains as well, though as what was requested.
    """
    left = dict(arrivals)
    booked = []
    for item in items:
        sellable, damaged = left.get(item.item_id, (0, 0))
        missing = item.missing_quantity if is_expected else 0
        if missing and (sellable or damaged):
            good = min(sellable, missing)
            bad = min(damaged, missing - good)
            left[item.item_id] = (sellable - good, damaged - bad)
            booked.append(_with(item, good, bad, item.allocated))
        else:
            booked.append(item)
    rest = dict(remainders)
    if not is_expected:
        _book_late(booked, items, left, rest)
    for item_id, (sellable, damaged) in left.items():
        if sellable or damaged:
            line = rest[item_id].line
            unrequested = ReturnItem(
                item_id=item_id, quantity=0, line=line, allocated=line.nothing, is_requested=False
            )
            _book_unrequested(booked, unrequested, sellable, damaged, rest)
    return tuple(booked)


def _book_late(
    booked: list[ReturnItem],
    items: tuple[ReturnItem, ...],
    left: Arrivals,
    remainders: dict[str, Remainder],
) -> None:
    """
    Books requested units that came after they were free again, in request order.

    They count by the rule and for the reason that they were requested for, at what remains of their line.
    """
    for item in items:
        arrived = sum([each.arrived_quantity for each in items if each.is_late and _is_alike(each, item)])
        missing = item.missing_quantity - arrived
        good, bad = left.get(item.item_id, (0, 0))
        good = min(good, missing)
        bad = min(bad, missing - good)
        if missing > 0 and (good or bad):
            sellable, damaged = left[item.item_id]
            left[item.item_id] = (sellable - good, damaged - bad)
            late = evolve(item, quantity=0, is_requested=False, is_late=True, kept_quantity=0, source=None)
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
    allocated = remainder.share(sellable + damaged)
    remainders[item_id] = remainder.less(sellable + damaged, allocated)
    index = _find_unrequested(booked, like, remainder)
    if index is None:
        new = evolve(
            like,
            line=remainder.line,
            allocated=allocated,
            received_quantity=sellable,
            damaged_quantity=damaged,
        )
        booked.append(new)
    else:
        before = booked[index]
        running_sums = tuple([had + more for had, more in zip(before.allocated, allocated, strict=True)])
        booked[index] = _with(before, sellable, damaged, running_sums)


def _find_unrequested(booked: list[ReturnItem], like: ReturnItem, remainder: Remainder) -> int | None:
    """The index of the item to which further units are added; None if the line has other parts by now."""
    for index, item in enumerate(booked):
        is_such = not item.is_requested and item.is_late == like.is_late and _is_alike(item, like)
        if is_such and item.line.has_parts_of(remainder.line):
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
        metadata=item.metadata,
        ruling=item.ruling,
        kept_quantity=item.kept_quantity,
        source=item.source,
        tags=item.tags,
        is_late=item.is_late,
    )
