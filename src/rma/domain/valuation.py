"""What a return comes to, and why: goods, less shipping and fees, or an amount that somebody named."""

from collections.abc import Callable, Iterable, Sequence

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
    goods = [
        (item, item.paid_for(refund_damaged=terms.refund_damaged)) for item in items if item.arrived_quantity
    ]
    value = sum([item.line.paid(sums) for item, sums in goods])
    if named_amount is not None:
        return _named(goods, value, named_amount)
    if custom_amount is None:
        return _deducted(goods, value, shipping, terms)
    unrequested = sum([item.line.paid(sums) for item, sums in goods if not item.is_requested])
    part, whole = value - unrequested, _value(items, lambda item: item.line.paid(item.taken))
    if not whole:  # worth nothing, yet the merchant pays for it: by units then
        part, whole = _value(items, _refunded_units(terms)), _value(items, lambda item: item.quantity)
    return _named(goods, value, round_half_up(custom_amount * part, whole) + unrequested)


def with_rounding(valuation: Valuation, rounding: int) -> Valuation:
    """The valuation less what the host's own rounding makes unpayable."""
    if not rounding:
        return valuation
    other = (*valuation.other, ("rounding", -rounding))
    return Valuation(valuation.goods, other, valuation.total - rounding)


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


def _value(items: Iterable[ReturnItem], of: Callable[[ReturnItem], int]) -> int:
    return sum([of(item) for item in items if item.is_requested])


def _refunded_units(terms: Terms) -> Callable[[ReturnItem], int]:
    return lambda item: item.arrived_quantity if terms.refund_damaged else item.received_quantity
