"""What a return comes to, and why: goods, less shipping and fees, or an amount that somebody named."""

from collections.abc import Sequence

from attrs import frozen

from rma.domain.items import ReturnItem
from rma.domain.money import Money, round_half_up
from rma.domain.policy import Terms
from rma.domain.pricing import Part


@frozen
class Valuation:
    """
    An amount with everything it is made of, in minor units.

    Attributes:
        goods: the items that count, each with the running sums that count of it.
        other: named amounts beside the goods, deductions negative.
        total: the sum of both; never negative.
    """

    goods: tuple[tuple[ReturnItem, tuple[int, ...]], ...]
    other: tuple[tuple[str, int], ...]
    total: int

    def breakdown(self, currency: str) -> tuple[Part, ...]:
        """The parts, which add up to the total exactly."""
        return (
            *(item.line.part(sums) for item, sums in self.goods),
            *(Part(name, Money(amount, currency)) for name, amount in self.other),
        )


def quoted(
    items: Sequence[ReturnItem], *, shipping: int, terms: Terms, custom_amount: int | None = None
) -> Valuation:
    """What the return comes to when exactly the requested units arrive."""
    goods = [(item, item.taken) for item in items if item.is_requested]
    value = sum([item.line.paid(taken) for item, taken in goods])
    if custom_amount is not None:
        return _named(goods, value, custom_amount)
    return _deducted(goods, value, shipping, terms)


def arrived(
    items: Sequence[ReturnItem],
    *,
    shipping: int,
    terms: Terms,
    custom_amount: int | None = None,
    named_amount: int | None = None,
) -> Valuation:
    """
    What the units that arrived so far come to.

    A custom amount, named on request, is for the requested units: it shrinks with what did not come, and
    what came unrequested is added to it. An amount named on receipt is for the whole return, and final.
    """
    damaged = terms.refund_damaged
    came = [item for item in items if item.arrived_quantity]
    counted = [(item, item.refunded_quantity(refund_damaged=damaged)) for item in came]
    goods = [(item, item.worth(quantity)) for item, quantity in counted]
    value = sum([item.line.paid(sums) for item, sums in goods])
    if named_amount is not None:
        return _named(goods, value, named_amount)
    if custom_amount is None:
        return _deducted(goods, value, shipping, terms)
    unrequested = sum([item.line.paid(sums) for item, sums in goods if not item.is_requested])
    part = value - unrequested
    whole = sum([item.line.paid(item.taken) for item in items if item.is_requested])
    if not whole:  # worth nothing, yet the merchant pays for it: by units then
        part = sum([quantity for item, quantity in counted if item.is_requested])
        whole = sum([item.quantity for item in items])
    return _named(goods, value, round_half_up(custom_amount * part, whole) + unrequested)


def as_granted(valuation: Valuation, granted: int) -> Valuation:
    """
    The valuation as it was granted, the difference shown.

    Less, because the host rounds its totals in other ways: `rounding`. More, because more was paid before
    a lower amount was named, and money is not taken back: `already_paid`.
    """
    difference = granted - valuation.total
    if not difference:
        return valuation
    name = "already_paid" if difference > 0 else "rounding"
    return Valuation(valuation.goods, (*valuation.other, (name, difference)), granted)


def _deducted(
    goods: list[tuple[ReturnItem, tuple[int, ...]]], value: int, shipping: int, terms: Terms
) -> Valuation:
    left, other = value, []
    if shipping:
        other.append(("return_shipping", -min(shipping, left)))
        left += other[-1][1]
    for fee in terms.fees:
        other.append((f"fee:{fee.name}", -min(fee.on(value), left)))
        left += other[-1][1]
    return Valuation(tuple(goods), tuple(other), left)


def _named(goods: list[tuple[ReturnItem, tuple[int, ...]]], value: int, amount: int) -> Valuation:
    return Valuation(tuple(goods), (("custom_amount", amount - value),), amount)
