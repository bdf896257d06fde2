"""What is paid for units that were inspected: a function of how many have which grade."""

from decimal import Decimal

from attrs import evolve, frozen

from rma.domain.sale.grades import HOLD
from rma.domain.state.deductions import Counted
from rma.domain.state.graded_units import GradedUnits
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.tax import percent_of


@frozen
class Reduction:
    """What a grade, or a deduction that was named, takes off the goods: minor units, above 0."""

    name: str
    amount: int


@frozen
class GradedItem:
    """
    An item by what was graded.

    Attributes:
        running_sums: of all of its units that were graded, are kept, or are lost, without reductions.
        counted: those that are paid for, with what is paid.
        reductions: what was taken off.
        quantity: the units of `running_sums`.
    """

    running_sums: tuple[int, ...]
    counted: tuple[Counted, ...]
    reductions: tuple[Reduction, ...]
    quantity: int


def grade_item(item: ReturnItem) -> GradedItem:
    """
    The value of the units that were graded. Units of one line can differ by a minor unit: those of the best
    grade are the first ones.
    """
    position = item.kept_quantity + item.still_lost_quantity  # both are paid for whole
    before = item.line.paid(item.value(position))
    counted = [Counted(item, position, before)] if position else []
    reductions = []
    for graded, quantity in _alike(item.graded):
        position += quantity
        upto = item.line.paid(item.value(position))
        value, before = upto - before, upto
        reduced = _reduced(graded, quantity, value)
        if graded.percent:
            counted.append(Counted(item, quantity, reduced, graded.rule))
        if reduced < value:
            is_named = graded.deduction is not None
            name = f"deduction:{item.item_id}" if is_named else f"grade:{graded.grade}"
            reductions.append(Reduction(name, value - reduced))
    return GradedItem(item.value(position), tuple(counted), tuple(reductions), position)


def as_if_whole(item: ReturnItem) -> ReturnItem:
    """The item as if all of its units that inspections grade were worth their whole value."""
    if not item.is_inspected:
        return item
    whole = GradedUnits("", item.arrived_quantity, Decimal(100), HOLD)
    return evolve(item, waiting_quantity=0, graded=(whole,))


def lowest_value(item: ReturnItem) -> int:
    """The value of one of its units, rounded down: a deduction takes at most this off each."""
    quantity = item.allocated_quantity
    return item.line.paid(item.allocated) // quantity if quantity else 0


def _alike(graded: tuple[GradedUnits, ...]) -> list[tuple[GradedUnits, int]]:
    """What is valued together: wherever the units went, but not those that the customer has again."""
    quantities: dict[tuple[object, ...], tuple[GradedUnits, int]] = {}
    for each in graded:
        if not each.is_returned:
            key = each.grade, each.percent, each.deduction, each.rule
            first, quantity = quantities.get(key, (each, 0))
            quantities[key] = first, quantity + each.quantity
    return list(quantities.values())


def _reduced(graded: GradedUnits, quantity: int, value: int) -> int:
    """What is paid of this value of so many units."""
    if graded.deduction is not None:
        return value - min(value, graded.deduction.amount * quantity)  # a unit may be worth one less
    return value if graded.percent == 100 else percent_of(value, graded.percent)
