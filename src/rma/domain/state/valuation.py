"""The value of a return and its breakdown: goods, less shipping and fees, or an amount that was named."""

from collections.abc import Sequence

from attrs import frozen

from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.fees import KeptFee
from rma.domain.sale.policy import Terms
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.deductions import Counted, fees_of, price_of_way_back
from rma.domain.state.grading import Reduction, grade_item
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
    counted: list[Counted] = []
    goods: Goods = []
    reduced: list[Reduction] = []
    for item in items:
        if item.is_inspected:
            graded = grade_item(item)
            goods.append((item, graded.running_sums))
            counted += graded.counted
            reduced += graded.reductions
        elif item.gone_quantity:
            quantity = item.refunded_quantity(refund_damaged=damaged)
            goods.append((item, item.value(quantity)))
            counted.append(Counted(item, quantity, item.line.paid(goods[-1][1])))
    reductions = _reductions(reduced) if reduced else []
    if agreed_refund is not None:
        return _named(goods, counted, agreed_refund.amount, reductions)
    if charges:
        return _charged(goods, counted, shipping, terms, charges, charges_back, reductions)
    if requested_refund is None:
        return _deducted(goods, counted, shipping, terms, charges_back, reductions)
    requested = [each for each in counted if each.item.is_requested or each.item.is_late]
    part = sum([each.value for each in requested])
    unrequested = _value(counted) - part
    whole = sum([item.line.paid(item.allocated) for item in items if item.is_requested])
    if not whole:  # without value, yet the merchant pays for it: by units then
        part = sum([each.quantity for each in requested])
        whole = sum([item.quantity for item in items])
    if not whole:  # nothing was requested that it could be for
        return _named(goods, counted, unrequested, reductions)
    part = min(part, whole)  # what is late may be worth more by now than it was when it was requested
    amount = round_half_up(requested_refund.amount * part, whole) + unrequested
    return _named(goods, counted, amount, reductions)


def value_of_units(items: Sequence[ReturnItem], terms: Terms) -> int:
    """
    What is paid for the units that arrived, without deductions: minor units.

    As they were graded; and those that wait for it whole.
    """
    value = 0
    for item in items:
        if item.is_inspected:
            graded = grade_item(item)
            value += sum([each.value for each in graded.counted])
            value += item.line.paid(item.value(item.gone_quantity)) - item.line.paid(graded.running_sums)
        elif quantity := item.refunded_quantity(refund_damaged=terms.refund_damaged):
            value += item.line.paid(item.value(quantity))
    return value


def value_in_full_order(items: Sequence[ReturnItem], terms: Terms) -> int:
    """What the units that arrived are worth, whatever their grades are, without deductions: minor units."""
    value = 0
    for item in items:
        refunded = item.refunded_quantity(refund_damaged=terms.refund_damaged)
        value += item.line.paid(item.value(item.gone_quantity if item.is_inspected else refunded))
    return value


def with_entitled(valuation: Valuation, entitled_amount: int, *, is_undecided: bool = False) -> Valuation:
    """
    The valuation as it was granted, the difference shown.

    Less, because the host rounds its totals in other ways: `rounding`; or because a person has yet to decide
    about goods that came after it was closed: `undecided`. More, because more was paid before a lower amount
    was named, and money is not taken back: `already_paid`.
    """
    difference = entitled_amount - valuation.total
    if not difference:
        return valuation
    name = "already_paid" if difference > 0 else "undecided" if is_undecided else "rounding"
    other = (*valuation.other, NamedAmount(name, difference))
    return Valuation(valuation.goods, other, entitled_amount, valuation.charges)


def _deducted(
    goods: Goods,
    counted: list[Counted],
    shipping: int,
    terms: Terms,
    charges_back: tuple[RefundedCharge, ...],
    reductions: Sequence[NamedAmount] = (),
) -> Valuation:
    """Goods as they were graded, and charges, less the way back, then fees, each at most what is left."""
    given_back = [_charge_back(each) for each in charges_back if each.amount]
    other = [*reductions, *given_back]
    left = _value(counted) + sum([each.amount for each in given_back])
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
    reductions: Sequence[NamedAmount] = (),
) -> Valuation:
    """Of an exchange: what the goods do not cover, deductions included, the customer can be asked for."""
    if not any(part.name.startswith("new_item:") for part in charges):  # it was canceled; these are payments
        alone = _deducted(goods, counted, shipping, terms, charges_back, reductions)
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
    return Valuation(tuple(goods), (*reductions, *other), max(0, balance), charges)


def _named(
    goods: Goods, counted: list[Counted], amount: int, reductions: Sequence[NamedAmount] = ()
) -> Valuation:
    custom = NamedAmount("custom_amount", amount - _value(counted))
    return Valuation(tuple(goods), (*reductions, custom), amount)


def _reductions(graded: Sequence[Reduction]) -> list[NamedAmount]:
    """What grades and deductions take off the goods, by name."""
    amounts: dict[str, int] = {}
    for each in graded:
        amounts[each.name] = amounts.get(each.name, 0) - each.amount
    return [NamedAmount(name, amount) for name, amount in amounts.items()]


def _value(counted: list[Counted]) -> int:
    return sum([each.value for each in counted])


def _charge_back(charge: RefundedCharge) -> NamedAmount:
    return NamedAmount(f"charge:{charge.id}", charge.amount, charge.parts)


def _fee(fee: KeptFee) -> NamedAmount:
    return NamedAmount(f"fee:{fee.name}", -fee.amount, tuple([(name, -each) for name, each in fee.parts]))
