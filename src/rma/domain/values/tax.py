"""Taxes: on top of a price or contained in it, several at a time, exact in sum."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from itertools import accumulate, pairwise
from math import lcm
from typing import Any, Protocol, cast

from attrs import Attribute, field, frozen
from attrs.validators import optional

from rma.domain.values.money import Money, as_money, hint_at_major, round_half_up
from rma.domain.values.validators import as_tuple, invalid, string, text


def not_negative(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is money of at least 0."""
    if not isinstance(value, Money) or value.amount < 0:
        hint = hint_at_major(value)
        raise invalid(instance, attribute.name, value, "money of at least 0", hint=hint)


def as_percentage(value: Decimal | int | str) -> Decimal:
    """A converter to a Decimal; a float stays one, since its digits are not those that were written."""
    if type(value) not in (int, str):
        return cast("Decimal", value)
    try:
        return Decimal(value)
    except InvalidOperation:
        return cast("Decimal", value)


def percentage(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a finite percentage of at least 0."""
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise invalid(instance, attribute.name, value, "a Decimal of at least 0, never a float")


def optional_money(value: Money | int | None) -> Money | None:
    """A converter for money that need not be given."""
    return None if value is None else as_money(value)


def _optional_percentage(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else as_percentage(value)


@frozen
class TaxRate:
    """
    How something is taxed: by so many percent, as something of this category.

    Attributes:
        rate: None where only the amount of the tax is known.
        category: as in `TaxLine`.
    """

    rate: Decimal | None = None
    category: str | None = None


@frozen
class TaxLine:
    """
    One tax on a line or on shipping.

    Args:
        rate: percent, as `Decimal`, integer or text; never a float. None where only the amount is known.
        code, name: how it is called; the first that is given names it in breakdowns.
        amount: what was really charged on the whole line after discounts, when the host knows it; wins
            over the rate.
        category: what credit notes keep apart, also under one rate: the codes of EN 16931 (`S`, `Z`, `E`,
            `AE`, …) where they are to become documents of it.

    Raises:
        InvalidValue: neither a rate nor an amount is given.
    """

    rate: Decimal | None = field(default=None, converter=_optional_percentage, validator=optional(percentage))
    code: str | None = field(default=None, validator=optional(string))
    name: str | None = field(default=None, validator=optional(string))
    amount: Money | None = field(default=None, converter=optional_money, validator=optional(not_negative))
    category: str | None = field(default=None, validator=optional(text))

    def __attrs_post_init__(self) -> None:
        if self.rate is None and self.amount is None:
            raise invalid(self, "rate", self.rate, "a rate, or an amount")

    @property
    def label(self) -> str:
        """What breakdowns call it; its code, name or rate, or "tax" without any of them."""
        if self.code or self.name:
            return self.code or self.name or ""
        if self.rate is None:
            return "tax"
        written = f"{self.rate:f}"
        return written.rstrip("0").rstrip(".") if "." in written else written

    @property
    def percent(self) -> Decimal:
        """The rate, 0 where only the amount is known."""
        return Decimal(0) if self.rate is None else self.rate

    @property
    def taxed(self) -> TaxRate:
        """How the line is taxed by it. A rate of 0 beside an amount is none."""
        is_absent = not self.rate and self.amount is not None and self.amount.amount != 0
        return TaxRate(None if is_absent else self.rate, self.category)


def as_tax_lines(values: Iterable[TaxLine]) -> tuple[TaxLine, ...]:
    """A converter from any iterable of tax lines to a tuple."""
    return as_tuple(values)


def rates_of(taxes: Iterable[TaxLine]) -> tuple[TaxRate, ...]:
    """How what has these taxes is taxed by each."""
    return tuple([tax.taxed for tax in taxes])


def tax_sums(amount: int, taxes: Sequence[TaxLine], *, is_tax_inclusive: bool) -> tuple[int, ...]:
    """
    The taxes on an amount, summed up one after the other: (tax 1, tax 1 + tax 2, …), minor units.

    On top, each tax is rounded half up by itself. Contained, the running sums are rounded, not the
    single taxes, so that net and taxes give the amount back exactly for any number of rates.
    """
    contained = _contained(amount, taxes) if is_tax_inclusive else ()
    total = 0
    running_sums = []
    for number, tax in enumerate(taxes):
        if tax.amount is not None:
            total += tax.amount.amount
        elif is_tax_inclusive:
            total += contained[number]
        else:
            total += percent_of(amount, tax.percent)
        running_sums.append(total)
    return tuple(running_sums)


def _contained(amount: int, taxes: Sequence[TaxLine]) -> tuple[int, ...]:
    ratios = [tax.percent.as_integer_ratio() for tax in taxes]
    scale = lcm(*[denominator for _, denominator in ratios])
    rates = list(accumulate([numerator * (scale // denominator) for numerator, denominator in ratios]))
    whole = 100 * scale + (rates[-1] if rates else 0)
    running_sums = [round_half_up(amount * rate, whole) for rate in rates]
    return tuple([after - before for before, after in pairwise([0, *running_sums])])


class Taxed(Protocol):
    """What has taxes, on top or contained."""

    @property
    def tax_lines(self) -> tuple[TaxLine, ...]:
        """Each once."""
        ...

    @property
    def is_tax_inclusive(self) -> bool:
        """Whether they are contained."""
        ...


def check_contained_taxes(taxed: Taxed, paid: int) -> None:
    """
    Taxes contained in what was paid are at most that. Rates always are; amounts named by a host may not be.

    Raises:
        InvalidValue: they are more.
    """
    if taxed.is_tax_inclusive and any(tax.amount is not None for tax in taxed.tax_lines):
        taxes = tax_sums(paid, taxed.tax_lines, is_tax_inclusive=True)[-1]
        if taxes > paid:
            raise invalid(taxed, "tax_lines", taxes, f"contained taxes of at most what was paid, {paid}")


def percent_of(amount: int, rate: Decimal) -> int:
    """`amount * rate / 100`, rounded half up to a whole minor unit."""
    numerator, denominator = rate.as_integer_ratio()
    return round_half_up(amount * numerator, 100 * denominator)
