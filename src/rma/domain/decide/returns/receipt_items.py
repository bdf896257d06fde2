"""Booking what a parcel held to the items of a return."""

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
    Nothing is filled if the units were free again (not `is_expected`): others may have taken their share.
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
    left_over = {item_id: counts for item_id, counts in left.items() if any(counts)}
    if left_over:
        _book_unrequested(booked, left_over, remainders)
    return tuple(booked)


def _book_unrequested(
    booked: list[ReturnItem], left_over: Arrivals, remainders: dict[str, Remainder]
) -> None:
    for item_id, (sellable, damaged) in left_over.items():
        remainder = remainders[item_id]
        allocated = remainder.share(sellable + damaged)
        index = _find_unrequested(booked, item_id, remainder)
        if index is None:
            booked.append(
                ReturnItem(
                    item_id=item_id,
                    quantity=0,
                    line=remainder.line,
                    allocated=allocated,
                    received_quantity=sellable,
                    damaged_quantity=damaged,
                    is_requested=False,
                )
            )
        else:
            before = booked[index]
            running_sums = tuple([had + more for had, more in zip(before.allocated, allocated, strict=True)])
            booked[index] = _with(before, sellable, damaged, running_sums)


def _find_unrequested(booked: list[ReturnItem], item_id: str, remainder: Remainder) -> int | None:
    """The index of the item to which further units are added; None if the line has other parts by now."""
    for index, item in enumerate(booked):
        is_of_line = item.item_id == item_id and not item.is_requested
        if is_of_line and item.line.has_parts_of(remainder.line):
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
    )
