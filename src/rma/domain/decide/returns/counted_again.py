"""Counting again what was booked to the items of a return: further units, fewer, or others."""

from collections.abc import Sequence

from attrs import evolve

from rma.domain.decide.returns.judging import Judge
from rma.domain.decide.returns.receipt_items import Room, book_arrivals, expected_room
from rma.domain.messages.command_items import InspectedItem
from rma.domain.state.graded_units import GradedUnits
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return


def count_again(
    items: tuple[ReturnItem, ...],
    item_id: str,
    good: int,
    bad: int,
    remainder: Remainder,
    *,
    room: Room = expected_room,
    are_late: bool = False,
) -> tuple[ReturnItem, ...]:
    """
    The items once so many sellable and damaged units of this line are here.

    What is not there after all is taken from what no one rejected or graded, then from what was graded; each
    time from what was not requested first, then from the last requested units. Further units are booked as
    if they arrived now. Sellable units fill the items in request order. Units that were rejected stay: at
    least as many are here. Which grades are gone, `without_grades` says.
    """
    places = [index for index, item in enumerate(items) if item.item_id == item_id]
    found = list(items)
    more = good + bad - sum([items[index].arrived_quantity for index in places])
    if more > 0:
        found = list(
            book_arrivals(items, {item_id: (more, 0)}, {item_id: remainder}, room=room, are_late=are_late)
        )
        places = [index for index, item in enumerate(found) if item.item_id == item_id]
    elif more < 0:
        _take(found, places, -more)
    spare = good - sum([found[index].rejected_quantity for index in places])
    for index in places:
        item = found[index]
        sellable = min(spare, item.arrived_quantity - _rejected(item))
        spare -= sellable
        sellable += item.rejected_quantity
        if sellable != item.received_quantity:
            damaged = item.arrived_quantity - sellable
            found[index] = evolve(item, received_quantity=sellable, damaged_quantity=damaged)
    return tuple(found)


def without_grades(
    target: Return,
    items: tuple[ReturnItem, ...],
    item_id: str,
    grade: str | None,
    judge: Judge,
) -> tuple[ReturnItem, ...]:
    """
    The items once it is said of the units of this line that are left how they are, and of no others.

    Args:
        target: before its receipts are corrected.
        items: as they are counted now, with the grades of before.
        item_id: of the line.
        grade: of which units are gone; None for those that were graded last.
        judge: by the return's terms.
    """
    inspected = [
        index for index, each in enumerate(target.items) if each.item_id == item_id and each.is_inspected
    ]
    line = [items[index] for index in inspected]
    said = {evolve(each, quantity=0): each.quantity for each in judge.said_before(line)}
    if not said:
        return items
    here = sum([item.arrived_quantity for item in line])
    units = max(0, sum(said.values()) - here)
    for entry in _graded_last(target, item_id, grade):
        place = (
            judge.grades[entry.grade].disposition if entry.disposition is None else entry.disposition,
            target.location_id if entry.location_id is None else entry.location_id,
        )
        units -= _forget(said, entry, min(units, entry.quantity), place)
    left = [evolve(alike, quantity=quantity) for alike, quantity in said.items()]
    after = list(items)
    for index, item in zip(inspected, judge.spread(line, left), strict=True):
        after[index] = item
    return tuple(after)


def undecided_units(items: Sequence[ReturnItem]) -> int:
    """How many units of these items arrived and were neither rejected nor graded."""
    return sum([_undecided(item) for item in items])


def _take(found: list[ReturnItem], places: Sequence[int], units: int) -> None:
    """Takes so many units away, of whichever kind: which, is said afterwards."""
    waiting = sum([found[index].waiting_quantity for index in places])
    for index in reversed(places):
        item = found[index]
        fewer = min(units, waiting, item.arrived_quantity) if item.is_inspected else 0
        waiting -= fewer
        if not item.is_inspected:
            fewer = min(units, _undecided(item))
        units -= fewer
        found[index] = _fewer(item, fewer)
    for index in reversed(places):
        if found[index].is_inspected:
            fewer = min(units, found[index].arrived_quantity)
            units -= fewer
            found[index] = _fewer(found[index], fewer)


def _graded_last(target: Return, item_id: str, grade: str | None) -> list[InspectedItem]:
    """What was said of units of a line, or of those of a grade, what was said last first."""
    return [
        entry
        for inspection in reversed(target.inspections)
        for entry in reversed(inspection.items)
        if entry.item_id == item_id and grade in (None, entry.grade)
    ]


def _forget(
    said: dict[GradedUnits, int], entry: InspectedItem, units: int, place: tuple[str, str | None]
) -> int:
    """Takes so many units of the entry's grade out of what was said, and tells how many there were."""
    left = units
    for alike in sorted(said, key=lambda each: _distance((each.disposition, each.location_id), place)):
        gone = min(left, said[alike]) if alike.grade == entry.grade else 0
        said[alike] -= gone
        left -= gone
    return units - left


def _distance(place: tuple[str, str | None], other: tuple[str, str | None]) -> tuple[bool, bool]:
    return place[0] != other[0], place[1] != other[1]


def _undecided(item: ReturnItem) -> int:
    """The units that arrived and that no one rejected or graded."""
    return item.waiting_quantity if item.is_inspected else item.arrived_quantity - _rejected(item)


def _rejected(item: ReturnItem) -> int:
    return item.rejected_quantity + item.rejected_damaged_quantity


def _fewer(item: ReturnItem, units: int) -> ReturnItem:
    """The item without so many units."""
    if not units:
        return item
    good = min(units, item.received_quantity)
    left = item.arrived_quantity - units
    return evolve(
        item,
        allocated=item.allocated if item.is_requested else item.value(left),
        received_quantity=item.received_quantity - good,
        damaged_quantity=item.damaged_quantity - (units - good),
        found_quantity=item.found_quantity - min(item.found_quantity, units),  # they are lost again
    )
