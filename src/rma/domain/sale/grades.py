"""The merchant's scale of conditions: what is paid for a unit of each grade, and where it goes."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from rma.domain.values.tax import as_percentage, percentage
from rma.domain.values.validators import as_tuple, flag, invalid, text

#: The disposition of units that can be sold again: they are put into stock.
RESTOCK = "restock"
#: The disposition of units that go back to the customer, who is not paid for them.
SEND_BACK = "send_back"
#: The disposition of units that stay where they are; no port is asked for anything.
HOLD = "hold"


def _percentage(value: Decimal | int | str) -> Decimal:
    return as_percentage(value)


def _at_most_100(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    percentage(instance, attribute, value)
    if isinstance(value, Decimal) and value > 100:
        raise invalid(instance, attribute.name, value, "at most 100")


@frozen
class Grade:
    """
    A step of the merchant's scale.

    Args:
        name: what clerks call it.
        percent: of the value of a unit, what is paid for it: from 0 to 100.
        disposition: where its units go, in the merchant's words, unless an inspection says otherwise:
            `"refurbish"`, `"outlet"`. Three words are known here: `"restock"`, `"send_back"` (to the
            customer, without a refund) and `"hold"` (nothing is asked of any port).
        restock: True if its units are put into stock, whatever the disposition is called.
    """

    name: str = field(validator=text)
    percent: Decimal = field(converter=_percentage, validator=_at_most_100)
    disposition: str = field(default=HOLD, validator=text)
    restock: bool = field(default=False, validator=flag)

    def __attrs_post_init__(self) -> None:
        if self.restock and self.disposition in (SEND_BACK, HOLD):
            raise invalid(self, "restock", self.restock, f"False, as its units are to {self.disposition}")


def default_grades(*, refund_damaged: bool) -> tuple[Grade, ...]:
    """The scale of a policy that names none: what a receipt counts as sellable, and as damaged."""
    return (
        Grade("sellable", Decimal(100), RESTOCK, restock=True),
        Grade("damaged", Decimal(100 if refund_damaged else 0)),
    )


def as_grades(values: Iterable[Grade]) -> tuple[Grade, ...]:
    """A converter from any iterable of grades to a tuple."""
    return as_tuple(values)


def check_grades(instance: object, grades: tuple[Grade, ...]) -> None:
    """
    A scale: none, or grades of different names, one of them at 100 percent.

    Raises:
        InvalidValue: they are not, or grades of the same disposition disagree whether it is stock.
    """
    if not grades:
        return
    names = [grade.name for grade in grades]
    if len(set(names)) != len(names):
        raise invalid(instance, "grades", names, "grades of names that do not repeat")
    if all(grade.percent != 100 for grade in grades):
        raise invalid(instance, "grades", names, "a scale with a grade of 100 percent")
    stock: dict[str, bool] = {}
    for grade in grades:
        is_stock = is_restocked(grade.disposition, (grade,))
        if stock.setdefault(grade.disposition, is_stock) != is_stock:
            expected = f"{grade.disposition} put into stock by all of its grades, or by none"
            raise invalid(instance, "grades", names, expected)


def is_restocked(disposition: str, grades: Iterable[Grade]) -> bool:
    """True if units of this disposition are put into stock, by this scale."""
    return disposition == RESTOCK or any(
        grade.restock and grade.disposition == disposition for grade in grades
    )
