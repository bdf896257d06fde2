"""The value of a return and its breakdown: goods, less shipping and fees, or an amount that was named."""

from collections.abc import Sequence

from attrs import frozen

from rma.domain.sale.policy import Terms, fee_on
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.money import Money, round_half_up

#: The part that brings the value of an exchange's goods up to its charges.
DIFFERENCE_DUE = "difference_due"


@frozen
class Valuation:
    """
    An amount with everything it is made of, in minor units.

    Attributes:
        goods: the items that count, each with the running sums that count of it.
        other: named amounts beside the goods, deductions negative.
        total: the sum of both and of the charges; never negative.
        charges: what an exchange sets against the goods, with its parts.
    """

    goods: tuple[tuple[ReturnItem, tuple[int, ...]], ...]
    other: tuple[tuple[str, int], ...]
    total: int
    charges: tuple[AmountPart, ...] = ()

    @property
    def owed(self) -> int:
        """By how much the goods fall short of an exchange's charges; the customer owes it."""
        return sum([amount for name, amount in self.other if name == DIFFERENCE_DUE])

    def breakdown(self, currency: str) -> tuple[AmountPart, ...]:
        """The parts, which add up to the total exactly."""
        return (
            *(item.line.part(running_sums) for item, running_sums in self.goods),
            *self.charges,
            *(AmountPart(name, Money(amount, currency)) for name, amount in self.other),
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
) -> Valuation:
    """The value of the return when exactly the requested units arrive."""
    goods = [(item, item.allocated) for item in items if item.is_requested]
    value = sum([item.line.paid(allocated) for item, allocated in goods])
    if charges:
        return _charged(goods, value, shipping, terms, charges)
    if requested_refund is not None:
        return _named(goods, value, requested_refund.amount)
    return _deducted(goods, value, shipping, terms)


def value_arrived(
    items: Sequence[ReturnItem],
    *,
    shipping: int,
    terms: Terms,
    requested_refund: Money | None = None,
    agreed_refund: Money | None = None,
    charges: tuple[AmountPart, ...] = (),
) -> Valuation:
    """
    The value of the units that arrived so far.

    A custom amount, named on request, is for the requested units: it shrinks with what did not arrive, and
    what arrived unrequested is added to it. An amount named on receipt is for the whole return, and final.
    """
    damaged = terms.refund_damaged
    arrivals = [item for item in items if item.arrived_quantity]
    counted = [(item, item.refunded_quantity(refund_damaged=damaged)) for item in arrivals]
    goods = [(item, item.value(quantity)) for item, quantity in counted]
    value = sum([item.line.paid(running_sums) for item, running_sums in goods])
    if agreed_refund is not None:
        return _named(goods, value, agreed_refund.amount)
    if charges:
        return _charged(goods, value, shipping, terms, charges)
    if requested_refund is None:
        return _deducted(goods, value, shipping, terms)
    unrequested = sum([item.line.paid(running_sums) for item, running_sums in goods if not item.is_requested])
    part = value - unrequested
    whole = sum([item.line.paid(item.allocated) for item in items if item.is_requested])
    if not whole:  # without value, yet the merchant pays for it: by units then
        part = sum([quantity for item, quantity in counted if item.is_requested])
        whole = sum([item.quantity for item in items])
    return _named(goods, value, round_half_up(requested_refund.amount * part, whole) + unrequested)


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
    return Valuation(
        valuation.goods, (*valuation.other, (name, difference)), entitled_amount, valuation.charges
    )


def _deducted(
    goods: list[tuple[ReturnItem, tuple[int, ...]]], value: int, shipping: int, terms: Terms
) -> Valuation:
    left, other = value, []
    if shipping:
        other.append(("return_shipping", -min(shipping, left)))
        left += other[-1][1]
    for fee in terms.fees:
        other.append((f"fee:{fee.name}", -min(fee_on(fee, value), left)))
        left += other[-1][1]
    return Valuation(tuple(goods), tuple(other), left)


def _charged(
    goods: list[tuple[ReturnItem, tuple[int, ...]]],
    value: int,
    shipping: int,
    terms: Terms,
    charges: tuple[AmountPart, ...],
) -> Valuation:
    """Of an exchange: what the goods do not cover, deductions included, the customer can be asked for."""
    if not any(part.name.startswith("new_item:") for part in charges):  # it was canceled; these are payments
        alone = _deducted(goods, value, shipping, terms)
        paid = sum([part.amount.amount for part in charges])
        return Valuation(alone.goods, alone.other, alone.total + paid, charges)
    other = [("return_shipping", -shipping)] if shipping else []
    other += [(f"fee:{fee.name}", -fee_on(fee, value)) for fee in terms.fees]
    balance = value + sum([amount for _, amount in other]) + sum([part.amount.amount for part in charges])
    if balance < 0:
        other.append((DIFFERENCE_DUE, -balance))
    return Valuation(tuple(goods), tuple(other), max(0, balance), charges)


def _named(goods: list[tuple[ReturnItem, tuple[int, ...]]], value: int, amount: int) -> Valuation:
    return Valuation(tuple(goods), (("custom_amount", amount - value),), amount)
