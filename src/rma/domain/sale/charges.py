"""What an order charged besides its goods: shipping, duties, wrapping; and what of that is given back."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from attrs import Attribute, evolve, field, frozen
from attrs.validators import optional

from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.values.money import Money, as_money, hint_at_major, share, subtract
from rma.domain.values.tax import (
    TaxLine,
    TaxRate,
    as_tax_lines,
    check_contained_taxes,
    not_negative,
    optional_money,
    rates_of,
    tax_sums,
)
from rma.domain.values.validators import as_member, as_tuple, flag, invalid, short_text, tuple_of

#: What totals were rounded by; the one kind of charge that may be negative.
CASH_ROUNDING = "cash_rounding"
#: The kind of shipping methods.
SHIPPING = "shipping"


class ChargesBack(StrEnum):
    """
    Which charges of the order a refund gives back.

    `never`: none. `all_back`: what is left of them, once no unit is left with the customer. `share`: of each,
    as large a share as the units have of what was paid for goods.
    """

    NEVER = "never"
    ALL_BACK = "all_back"
    SHARE = "share"


def as_charges_back(value: ChargesBack | str) -> ChargesBack:
    """A converter that takes the name for the member too."""
    return as_member(ChargesBack, value)


def _price(instance: "Charge", attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, Money) or (value.amount < 0 and instance.kind != CASH_ROUNDING):
        expected = f"money of at least 0, or {CASH_ROUNDING}"
        raise invalid(instance, attribute.name, value, expected, hint=hint_at_major(value))


@frozen
class Charge:
    """
    What the order charged besides its goods.

    Args:
        kind: `shipping`, `duties`, `wrapping`, … in the host's words; only `cash_rounding` may be negative.
        price: with tax where `is_tax_inclusive`.
        tax_lines: each computed on the price, unless it has an amount.
        refundable: so much of what was paid for it, tax included, can be given back at most: of an express
            delivery the cheapest standard one. All of it unless given.
    """

    id: str = field(validator=short_text)
    kind: str = field(validator=short_text)
    price: Money = field(converter=as_money, validator=_price)
    tax_lines: tuple[TaxLine, ...] = field(default=(), converter=as_tax_lines, validator=tuple_of(TaxLine))
    is_tax_inclusive: bool = field(default=False, validator=flag)
    refundable: Money | None = field(default=None, converter=optional_money, validator=optional(not_negative))

    def __attrs_post_init__(self) -> None:
        if self.price.amount < 0 and self.tax_lines:
            raise invalid(self, "tax_lines", self.tax_lines, f"none, of {CASH_ROUNDING} below 0")
        check_contained_taxes(self, self.price.amount)
        paid = _paid(self)
        if self.refundable is not None and self.refundable.amount > max(0, paid[-1]):
            raise invalid(self, "refundable", self.refundable, f"at most what was paid, {max(0, paid[-1])}")


def as_charges(values: Iterable[Charge]) -> tuple[Charge, ...]:
    """A converter from any iterable of charges to a tuple."""
    return as_tuple(values)


def shipping_charge(method: ShippingMethod) -> Charge:
    """A shipping method of an order as the charge that it is."""
    return Charge(method.id, SHIPPING, method.price, method.tax_lines, method.is_tax_inclusive)


@frozen
class RefundedCharge:
    """
    How much of a charge a refund gives back.

    Attributes:
        id: of the charge.
        running_sums: minor units. Tax on top: net, net + tax 1, …, paid. Tax contained: tax 1,
            tax 1 + tax 2, …, paid.
        taxes: what the steps are called, in that order.
        share_of: the value of the units that took it by share, minor units.
        rates: of the taxes, in that order; none of what an earlier release recorded.
    """

    id: str
    running_sums: tuple[int, ...]
    taxes: tuple[str, ...] = ()
    is_tax_inclusive: bool = False
    share_of: int = 0
    rates: tuple[TaxRate, ...] = ()

    @property
    def amount(self) -> int:
        """With tax, minor units; negative for a rounding that had gone up."""
        return self.running_sums[-1]

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """Price and taxes, which add up to the amount; nothing for a charge without taxes."""
        if not self.taxes:
            return ()
        running = self.running_sums[:-1] if self.is_tax_inclusive else self.running_sums[1:]
        start = 0 if self.is_tax_inclusive else self.running_sums[0]
        steps = [after - before for before, after in zip((start, *running), running, strict=False)]
        labels = [f"tax:{name}" for name in self.taxes]
        return (("price", self.amount - sum(steps)), *zip(labels, steps, strict=True))

    def has_parts_of(self, other: "RefundedCharge") -> bool:
        """True if both have the same taxes, by name."""
        return self.taxes == other.taxes and self.is_tax_inclusive == other.is_tax_inclusive

    def less(self, given: "Iterable[RefundedCharge]") -> "RefundedCharge":
        """What is left of it without what was given back before; never on the other side of 0."""
        taken = list(given)
        left = self.running_sums
        for each in taken if all(self.has_parts_of(each) for each in taken) else ():
            left = subtract(left, each.running_sums)
        rest = self.amount - sum([each.amount for each in taken])
        rest = max(0, rest) if self.amount > 0 else min(0, rest)
        is_valid = left[-1] == rest and left[0] >= min(0, rest) and list(left) == sorted(left)
        if not is_valid:  # the order charges something else by now
            return self.part(rest)
        return RefundedCharge(self.id, left, self.taxes, self.is_tax_inclusive, rates=self.rates)

    def part(self, amount: int) -> "RefundedCharge":
        """So much of it, its taxes in proportion."""
        if amount == self.amount:
            return self
        sign = -1 if self.amount < 0 else 1
        whole = tuple([sign * each for each in self.running_sums])
        running_sums = share(whole, sign * amount, sign * self.amount)
        left = tuple([sign * each for each in running_sums])
        return RefundedCharge(self.id, left, self.taxes, self.is_tax_inclusive, rates=self.rates)


def up_to(charges: tuple[RefundedCharge, ...], most: int) -> tuple[RefundedCharge, ...]:
    """
    So much of these charges at most, minor units: the first ones first; those below 0 with all others only.

    None if `most` is not above 0, or they come to no more than 0.
    """
    total = sum([each.amount for each in charges])
    if most <= 0 or total <= 0:
        return ()
    if total <= most:
        return charges
    found = []
    for each in charges:
        amount = min(most, max(0, each.amount))
        most -= amount
        found.append(evolve(each.part(amount), share_of=each.share_of))
    return tuple(found)


def refundable_part(charge: Charge) -> RefundedCharge:
    """All that can be given back of a charge."""
    labels = tuple([tax.label for tax in charge.tax_lines])
    rates = rates_of(charge.tax_lines)
    whole = RefundedCharge(charge.id, _paid(charge), labels, charge.is_tax_inclusive, rates=rates)
    return whole if charge.refundable is None else whole.part(charge.refundable.amount)


def _paid(charge: Charge) -> tuple[int, ...]:
    price = charge.price.amount
    taxes = tax_sums(price, charge.tax_lines, is_tax_inclusive=charge.is_tax_inclusive)
    if charge.is_tax_inclusive:
        return (*taxes, price)
    return (price, *[price + tax for tax in taxes])
