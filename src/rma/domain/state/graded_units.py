"""What inspections say of the units of a return: how they are, what is paid for them, where they go."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from attrs import evolve, frozen

from rma.domain.sale.catalogue import Fault
from rma.domain.values.money import Money


@frozen
class GradedUnits:
    """
    Units of an item that were graded alike.

    Attributes:
        percent: of their value, what is paid: the grade's, or 100 where they come back by the merchant's or
            the carrier's fault, or where a deduction is named instead.
        disposition: where they are, in the merchant's words.
        is_restocked: they were put into stock, at `location_id`.
        is_returned: they went back to the customer, and nothing is paid.
        deduction: of each unit, instead of the grade's.
        reason_id, fault: why they come back as the clerk saw it; None where the customer's reason holds.
        facts: what rules see in that reason, as it was when they were graded; sorted.
        rule: which of the terms' rules speaks for them by that reason; None for that of their item.
    """

    grade: str
    quantity: int
    percent: Decimal
    disposition: str
    is_restocked: bool = False
    is_returned: bool = False
    location_id: str | None = None
    deduction: Money | None = None
    reason_id: str | None = None
    fault: Fault | None = None
    rule: str | None = None
    facts: tuple[str, ...] = ()

    @property
    def is_paid(self) -> bool:
        """True if something is paid for them, as far as their grade says."""
        return self.percent > 0 and not self.is_returned


def merge_graded(graded: Iterable[GradedUnits], grades: Sequence[str]) -> tuple[GradedUnits, ...]:
    """
    The units by what was said of them: best grade first, whatever order they were graded in.

    Args:
        graded: in any order.
        grades: the names of the scale, the best first.
    """
    quantities: dict[GradedUnits, int] = {}
    for each in graded:
        alike = evolve(each, quantity=0)
        quantities[alike] = quantities.get(alike, 0) + each.quantity
    index = {name: number for number, name in enumerate(grades)}
    merged = [evolve(alike, quantity=quantity) for alike, quantity in quantities.items() if quantity]
    return tuple(sorted(merged, key=lambda each: _order(each, index)))


def _order(each: GradedUnits, index: dict[str, int]) -> tuple[object, ...]:
    return (
        index[each.grade],
        -each.percent,
        each.deduction.amount if each.deduction else 0,
        each.reason_id or "",  # before the places: what is paid does not depend on where the units go
        each.rule or "",
        each.facts,
        each.is_returned,
        each.disposition,
        each.location_id is not None,
        each.location_id or "",
    )
