"""What a customer gets on top who takes credit at the shop, or new goods, instead of money."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from attrs import field, frozen
from attrs.validators import optional

from rma.domain.sale.fees import as_optional_percentage
from rma.domain.values.money import Money, round_half_up
from rma.domain.values.tax import not_negative, optional_money, percentage
from rma.domain.values.validators import invalid, short_text


@frozen
class Bonus:
    """
    What is given besides the amount: a percentage of it, or an amount once for each return.

    Exactly one of the two is given. It counts against nothing that was paid, and is never paid as money.

    Args:
        percent: of what is given for the units of the rule, up to 100.
    """

    name: str = field(validator=short_text)
    percent: Decimal | None = field(
        default=None, converter=as_optional_percentage, validator=optional(percentage)
    )
    amount: Money | None = field(default=None, converter=optional_money, validator=optional(not_negative))

    def __attrs_post_init__(self) -> None:
        if (self.amount is None) == (self.percent is None):
            raise invalid(self, "amount", self.amount, "either an amount or a percent")
        if self.percent is not None and self.percent > 100:
            raise invalid(self, "percent", self.percent, "at most 100")


def bonus_on(amount: int, shares: Sequence[tuple[Bonus | None, int]]) -> int:
    """
    The bonus on an amount that is given for units, minor units.

    `shares` are the units by their bonus, with a weight of at least 0 each: a percentage is of their share of
    the amount, rounded half up once for all of them; an amount is given once if any unit has it.
    """
    whole = sum([weight for _, weight in shares])
    if not amount or not whole:
        return 0
    percent = Fraction(0)
    amounts: dict[str, int] = {}
    for bonus, weight in shares:
        if bonus is None or not weight:
            continue
        percent += Fraction(bonus.percent or 0) * Fraction(weight, whole)
        amounts[bonus.name] = bonus.amount.amount if bonus.amount else 0
    exact = amount * percent / 100
    return round_half_up(exact.numerator, exact.denominator) + sum(amounts.values())
