"""What a merchant keeps of a refund, with the tax in it."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Any

from attrs import Attribute, field, frozen
from attrs.validators import optional

from rma.domain.values.money import Money, share
from rma.domain.values.tax import (
    TaxLine,
    TaxRate,
    as_percentage,
    as_tax_lines,
    not_negative,
    optional_money,
    percent_of,
    percentage,
    tax_sums,
)
from rma.domain.values.validators import as_member, as_tuple, flag, invalid, member_of, short_text, tuple_of


class FeePer(StrEnum):
    """
    What an amount is kept for.

    `return`: once, however many parcels and rules. `line`: for each line of which units are paid for. `unit`:
    for each unit that is paid for.
    """

    RETURN = "return"
    LINE = "line"
    UNIT = "unit"


def as_optional_percentage(value: Decimal | int | str | None) -> Decimal | None:
    """A converter for a percentage that need not be given."""
    return None if value is None else as_percentage(value)


def _per(value: FeePer | str) -> FeePer:
    return as_member(FeePer, value)


def _rates(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    tuple_of(TaxLine)(instance, attribute, value)
    if isinstance(value, tuple) and any(tax.amount is not None for tax in value):
        raise invalid(instance, attribute.name, value, "tax lines of a rate, without an amount")


@frozen
class Fee:
    """
    What the merchant keeps of a refund: an amount, or a percentage of its goods' value.

    Exactly one of the two is given. A fee takes at most what is left; a custom amount is free of fees.

    Args:
        percent: of the value of the units that the fee is for, up to 100.
        per: what an amount is for; a percentage is always of all of them.
        tax_lines: the taxes on it, by rate; they are parts of it in a breakdown.
        is_tax_inclusive: True if they are contained in it, False if they are kept on top.
    """

    name: str = field(validator=short_text)
    amount: Money | None = field(default=None, converter=optional_money, validator=optional(not_negative))
    percent: Decimal | None = field(
        default=None, converter=as_optional_percentage, validator=optional(percentage)
    )
    per: FeePer = field(default=FeePer.RETURN, converter=_per, validator=member_of(FeePer))
    tax_lines: tuple[TaxLine, ...] = field(default=(), converter=as_tax_lines, validator=_rates)
    is_tax_inclusive: bool = field(default=True, validator=flag)

    def __attrs_post_init__(self) -> None:
        if (self.amount is None) == (self.percent is None):
            raise invalid(self, "amount", self.amount, "either an amount or a percent")
        if self.percent is not None and self.percent > 100:
            raise invalid(self, "percent", self.percent, "at most 100")
        if self.percent is not None and self.per is not FeePer.RETURN:
            raise invalid(self, "per", self.per.value, "return, for a percent: it is of all units")


def as_fees(values: Iterable[Fee]) -> tuple[Fee, ...]:
    """A converter from any iterable of fees to a tuple."""
    return as_tuple(values)


def check_fee_names(instance: object, fees: tuple[Fee, ...]) -> None:
    """
    No two of the fees have the same name.

    Raises:
        InvalidValue: they do.
    """
    names = [fee.name for fee in fees]
    if len(set(names)) != len(names):
        raise invalid(instance, "fees", names, "names that do not repeat")


@frozen
class KeptFee:
    """
    A fee as it is kept: minor units.

    Attributes:
        amount: with its taxes.
        taxes: what of it is tax, by the names of the taxes; empty for a fee without any.
        rates: of the taxes, in that order.
    """

    name: str
    amount: int
    taxes: tuple[tuple[str, int], ...] = ()
    rates: tuple[TaxRate, ...] = ()

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """What it is made of: net and taxes; nothing for a fee without taxes."""
        net = self.amount - sum([tax for _, tax in self.taxes])
        return (("price", net), *[(f"tax:{label}", tax) for label, tax in self.taxes]) if self.taxes else ()

    def at_most(self, left: int) -> "KeptFee":
        """The fee, or as much of it as is left, its taxes in proportion."""
        if self.amount <= left:
            return self
        running_sums = share(tuple(accumulate([tax for _, tax in self.taxes])), left, self.amount)
        steps = [after - before for before, after in pairwise([0, *running_sums])]
        labels = [label for label, _ in self.taxes]
        return KeptFee(self.name, left, tuple(zip(labels, steps, strict=True)), self.rates)

    def plus(self, other: "KeptFee") -> "KeptFee":
        """Both as one, taxes of the same name as one."""
        taxes = dict(self.taxes)
        for label, tax in other.taxes:
            taxes[label] = taxes.get(label, 0) + tax
        rates = {**other.rates_by_label, **self.rates_by_label}
        return KeptFee(
            self.name,
            self.amount + other.amount,
            tuple(taxes.items()),
            tuple([rates[label] for label in taxes]),
        )

    @property
    def rates_by_label(self) -> dict[str, TaxRate]:
        """How it is taxed, by the names of the taxes."""
        return {label: rate for (label, _), rate in zip(self.taxes, self.rates, strict=True)}


def keep(fee: Fee, value: int, times: int = 1) -> KeptFee:
    """The fee on goods of this value (minor units), so many times where it is an amount; not limited yet."""
    if fee.percent is not None:
        amount = percent_of(value, fee.percent)
    else:
        amount = fee.amount.amount * times if fee.amount is not None else 0
    if not fee.tax_lines:
        return KeptFee(fee.name, amount)
    running_sums = tax_sums(amount, fee.tax_lines, is_tax_inclusive=fee.is_tax_inclusive)
    taxes: dict[str, int] = {}
    for tax, (before, after) in zip(fee.tax_lines, pairwise([0, *running_sums]), strict=True):
        taxes[tax.label] = taxes.get(tax.label, 0) + after - before
    whole = amount if fee.is_tax_inclusive else amount + running_sums[-1]
    rates = {tax.label: tax.taxed for tax in reversed(fee.tax_lines)}
    return KeptFee(fee.name, whole, tuple(taxes.items()), tuple([rates[label] for label in taxes]))
