"""The value of a return and its breakdown: goods, less shipping and fees, or an amount that was named."""

from collections.abc import Sequence

from attrs import frozen

from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.fees import KeptFee
from rma.domain.sale.policy import Terms
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.deductions import Counted, fees_of, price_of_way_back
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.money import Money, round_half_up

#: Items that count, each with the running sums that count of it.
Goods = list[tuple[ReturnItem, tuple[int, ...]]]

#: The part that brings the value of an exchange's goods up to its charges.
DIFFERENCE_DUE = "difference_due"


@frozen
class NamedAmount:
    """An amount beside the goods, negative if it is deducted, with what it is made of: minor units."""

    name: str
    amount: int
    parts: tuple[tuple[str, int], ...] = ()

    def part(self, currency: str) -> AmountPart:
        """It as the part of a breakdown."""
        parts = [AmountPart(name, Money(amount, currency)) for name, amount in self.parts]
        return AmountPart(self.name, Money(self.amount, currency), tuple(parts))


@frozen
class Valuation:
    """
    An amount with everything it is made of, in minor units.

    Attributes:
        goods: the items that count, each with the running sums that count of it.
        other: amounts beside the goods, deductions negative.
        total: the sum of both and of the charges; never negative.
        charges: what an exchange sets against the goods, with its parts.
    """

    goods: tuple[tuple[ReturnItem, tuple[int, ...]], ...]
    other: tuple[NamedAmount, ...]
    total: int
    charges: tuple[AmountPart, ...] = ()

    @property
    def owed(self) -> int:
        """By how much the goods fall short of an exchange's charges; the customer owes it."""
        return sum([each.amount for each in self.other if each.name == DIFFERENCE_DUE])

    def breakdown(self, currency: str) -> tuple[AmountPart, ...]:
        """The parts, which add up to the total exactly."""
        return (
            *(item.line.part(running_sums) for item, running_sums in self.goods),
            *self.charges,
            *(each.part(currency) for each in self.other),
        )


#: The value of a return that moves goods only.
NOTHING = Valuation((), (), 0)


def value_requested(
    items: Sequence[ReturnItem],
    *,
    shipping: int,
    terms: Terms,
    requested_refund: Money | None = None,
    charges: tuple[AmountPart, ...] = (),
    charges_back: tuple[RefundedCharge, ...] = (),
) -> Valuation:
    """The value of the return when exactly the requested units arrive."""
    goods = [(item, item.allocated) for item in items if item.is_requested]
    counted = [Counted(item, item.quantity, item.line.paid(allocated)) for item, allocated in goods]
    if charges:
        return _charged(goods, counted, shipping, terms, charges, charges_back)
    if requested_refund is not None:
        return _named(goods, counted, requested_refund.amount)
    return _deducted(goods, counted, shipping, terms, charges_back)


def value_arrived(
    items: Sequence[ReturnItem],
    *,
    shipping: int,
    terms: Terms,
    requested_refund: Money | None = None,
    agreed_refund: Money | None = None,
    charges: tuple[AmountPart, ...] = (),
    charges_back: tuple[RefundedCharge, ...] = (),
) -> Valuation:
    """
    The value of the units that arrived so far, or are kept.

    A custom amount, named on request, is for the requested units, also if they are late: it shrinks with
    what did not arrive, and what arrived unrequested is added to it. An amount named on receipt is for the
    whole return, and final.
    """
    damaged = terms.refund_damaged
    counted, goods = [], []
    for item in items:
        if item.gone_quantity:
            quantity = item.refunded_quantity(refund_damaged=damaged)
            goods.append((item, item.value(quantity)))
            counted.append(Counted(item, quantity, item.line.paid(goods[-1][1])))
    if agreed_refund is not None:
        return _named(goods, counted, agreed_refund.amount)
    if charges:
        return _charged(goods, counted, shipping, terms, charges, charges_back)
    if requested_refund is None:
        return _deducted(goods, counted, shipping, terms, charges_back)
    requested = [each for each in counted if each.item.is_requested or each.item.is_late]
    part = sum([each.value for each in requested])
    unrequested = _value(counted) - part
    whole = sum([item.line.paid(item.allocated) for item in items if item.is_requested])
    if not whole:  # without value, yet the merchant pays for it: by units then
        part = sum([each.quantity for each in requested])
        whole = sum([item.quantity for item in items])
    part = min(part, whole)  # what is late may be worth more by now than it was when it was requested
    return _named(goods, counted, round_half_up(requested_refund.amount * part, whole) + unrequested)


def value_of_units(items: Sequence[ReturnItem], terms: Terms) -> int:
    """The value of the units that arrived and are refunded, without deductions: minor units."""
    counted = [(item, item.refunded_quantity(refund_damaged=terms.refund_damaged)) for item in items]
    return sum([item.line.paid(item.value(quantity)) for item, quantity in counted if quantity])


def with_entitled(valuation: Valuation, entitled_amount: int) -> Valuation:
    """
    The valuation as it was granted, the difference shown.

    Less, because the host rounds its totals in other ways: `rounding`. More, because more was paid before
    a lower amount was named, and money is not taken back: `already_paid`.
    """
    difference = entitled_amount - valuation.total
    if not difference:
        return valuation
    name = "already_paid" if difference > 0 else "rounding"
    other = (*valuation.other, NamedAmount(name, difference))
    return Valuation(valuation.goods, other, entitled_amount, valuation.charges)


def _deducted(
    goods: Goods,
    counted: list[Counted],
    shipping: int,
    terms: Terms,
    charges_back: tuple[RefundedCharge, ...],
) -> Valuation:
    """Goods and charges, less the way back, then fees, each at most what is left."""
    other = [_charge_back(each) for each in charges_back if each.amount]
    left = _value(counted) + sum([each.amount for each in other])
    if shipping and (price := price_of_way_back(counted, shipping, terms)):
        price = min(price, left)
        if terms.keeps_goods:  # those that stay were paid for already, whether others come or not
            price = min(price, sum([each.value for each in counted if not terms.is_kept(each.item.rule)]))
        other.append(NamedAmount("return_shipping", -price))
        left -= price
    for fee in fees_of(counted, terms):
        kept = fee.limited(left)
        other.append(_fee(kept))
        left -= kept.amount
    return Valuation(tuple(goods), tuple(other), left)


def _charged(
    goods: Goods,
    counted: list[Counted],
    shipping: int,
    terms: Terms,
    charges: tuple[AmountPart, ...],
    charges_back: tuple[RefundedCharge, ...],
) -> Valuation:
    """Of an exchange: what the goods do not cover, deductions included, the customer can be asked for."""
    if not any(part.name.startswith("new_item:") for part in charges):  # it was canceled; these are payments
        alone = _deducted(goods, counted, shipping, terms, charges_back)
        paid = sum([part.amount.amount for part in charges])
        return Valuation(alone.goods, alone.other, alone.total + paid, charges)
    price = price_of_way_back(counted, shipping, terms)
    other = [NamedAmount("return_shipping", -price)] if price else []
    other += [_fee(fee.kept) for fee in fees_of(counted, terms)]
    balance = (
        _value(counted) + sum([each.amount for each in other]) + sum([part.amount.amount for part in charges])
    )
    if balance < 0:
        other.append(NamedAmount(DIFFERENCE_DUE, -balance))
    return Valuation(tuple(goods), tuple(other), max(0, balance), charges)


def _named(goods: Goods, counted: list[Counted], amount: int) -> Valuation:
    return Valuation(tuple(goods), (NamedAmount("custom_amount", amount - _value(counted)),), amount)


def _value(counted: list[Counted]) -> int:
    return sum([each.value for each in counted])


def _charge_back(charge: RefundedCharge) -> NamedAmount:
    return NamedAmount(f"charge:{charge.id}", charge.amount, charge.parts)


def _fee(fee: KeptFee) -> NamedAmount:
    return NamedAmount(f"fee:{fee.name}", -fee.amount, tuple([(name, -each) for name, each in fee.parts]))
