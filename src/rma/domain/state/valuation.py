"""The value of a return and its breakdown: goods, less shipping and fees, or an amount that was named."""

from collections.abc import Sequence

from attrs import frozen

from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.charges import RefundedCharge, up_to
from rma.domain.sale.policy import Terms
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.deductions import Counted, DueFee, exchange_bonus, fees_of, price_of_way_back
from rma.domain.state.explained import RETURN_SHIPPING, NamedAmount, charge_back, explain, way_back_cost
from rma.domain.state.grading import Reduction, grade_item
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.money import Money, round_half_up

#: Items that count, each with the running sums that count of it.
Goods = list[tuple[ReturnItem, tuple[int, ...]]]

#: The part that brings the value of an exchange's goods up to its charges.
DIFFERENCE_DUE = "difference_due"


@frozen
class Valuation:
    """
    An amount with everything it is made of, in minor units.

    Attributes:
        goods: the items that count, each with the running sums that count of it.
        other: amounts beside the goods, deductions negative.
        total: the sum of both and of the charges; never negative.
        charges: what an exchange sets against the goods, with its parts.
        charges_back: what is given back of the order's charges.
    """

    goods: tuple[tuple[ReturnItem, tuple[int, ...]], ...]
    other: tuple[NamedAmount, ...]
    total: int
    charges: tuple[AmountPart, ...] = ()
    charges_back: tuple[RefundedCharge, ...] = ()

    @property
    def owed(self) -> int:
        """By how much the goods fall short of an exchange's charges; the customer owes it."""
        return sum([each.amount for each in self.other if each.name == DIFFERENCE_DUE])

    def breakdown(self, currency: str, way_back: ShippingMethod | None = None) -> tuple[AmountPart, ...]:
        """
        The parts, which add up to the total exactly. What is taken off the goods carries their taxes.

        `way_back` is how the goods travel; what it costs carries taxes of its own.
        """
        goods = [(item.line, running_sums) for item, running_sums in self.goods]
        return explain(goods, self.named(way_back), currency, self.charges)

    def named(self, way_back: ShippingMethod | None) -> list[NamedAmount]:
        """The amounts beside the goods; what the way back costs has its taxes."""
        return [
            way_back_cost(way_back, -each.amount) if way_back and each.name == RETURN_SHIPPING else each
            for each in self.other
        ]


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
    """
    The value of the return when exactly the requested units arrive.

    Of an amount that is named, `charges_back` are what it is above the value of the units, as far as it is.
    """
    goods = [(item, item.allocated) for item in items if item.is_requested]
    counted = [Counted(item, item.quantity, item.line.paid(allocated)) for item, allocated in goods]
    if charges:
        return _charged(goods, counted, shipping, terms, charges, charges_back)
    if requested_refund is not None:
        amount = requested_refund.amount
        return _named(goods, counted, amount, up_to(charges_back, amount - _value(counted)))
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
    quoted_charges: tuple[RefundedCharge, ...] = (),
) -> Valuation:
    """
    The value of the units that arrived so far, or are kept.

    A custom amount, named on request, is for the requested units, also if they are late: it shrinks with
    what did not arrive, and what arrived unrequested is added to it. As far as it was for `quoted_charges`,
    as many of them are paid as come back. An amount named on receipt is for the whole return, and final.
    """
    damaged = terms.refund_damaged
    counted: list[Counted] = []
    goods: Goods = []
    reductions: list[NamedAmount] = []
    for item in items:
        if item.is_inspected:
            graded = grade_item(item)
            goods.append((item, graded.running_sums))
            counted += graded.counted
            reductions += _reductions(graded.reductions, len(goods) - 1)
        elif item.gone_quantity:
            quantity = item.refunded_quantity(refund_damaged=damaged)
            goods.append((item, item.value(quantity)))
            counted.append(Counted(item, quantity, item.line.paid(goods[-1][1])))
    if agreed_refund is not None:
        amount = agreed_refund.amount
        return _named(goods, counted, amount, up_to(charges_back, amount - _value(counted)), reductions)
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
        return _named(goods, counted, unrequested, (), reductions)
    part = min(part, whole)  # what is late may be worth more by now than it was when it was requested
    of_charges = charges_named(items, requested_refund, quoted_charges)
    back = up_to(charges_back, of_charges)
    amount = round_half_up((requested_refund.amount - of_charges) * part, whole) + unrequested
    return _named(goods, counted, amount + sum([each.amount for each in back]), back, reductions)


def charges_named(
    items: Sequence[ReturnItem], requested_refund: Money, quoted_charges: tuple[RefundedCharge, ...]
) -> int:
    """How much of an amount that was named for the requested units is for charges, minor units."""
    value = sum([item.line.paid(item.allocated) for item in items if item.is_requested])
    return sum([each.amount for each in up_to(quoted_charges, requested_refund.amount - value)])


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
    other = (*valuation.other, NamedAmount(name, difference, of=None))
    return Valuation(valuation.goods, other, entitled_amount, valuation.charges, valuation.charges_back)


def _deducted(
    goods: Goods,
    counted: list[Counted],
    shipping: int,
    terms: Terms,
    charges_back: tuple[RefundedCharge, ...],
    reductions: Sequence[NamedAmount] = (),
) -> Valuation:
    """Goods as they were graded, and charges, less the way back, then fees, each at most what is left."""
    given_back = [charge_back(each) for each in charges_back if each.amount]
    other = [*reductions, *given_back]
    left = _value(counted) + sum([each.amount for each in given_back])
    if shipping and (price := price_of_way_back(counted, shipping, terms)):
        price = min(price, left)
        if terms.keeps_goods:  # those that stay were paid for already, whether others come or not
            price = min(price, sum([each.value for each in counted if not terms.is_kept(each.item.rule)]))
        other.append(NamedAmount(RETURN_SHIPPING, -price))
        left -= price
    for fee in fees_of(counted, terms):
        other.append(_fee(fee, goods, left))
        left += other[-1].amount
    return Valuation(tuple(goods), tuple(other), left, charges_back=charges_back)


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
        return Valuation(alone.goods, alone.other, alone.total + paid, charges, charges_back)
    price = price_of_way_back(counted, shipping, terms)
    other = [NamedAmount(RETURN_SHIPPING, -price)] if price else []
    other += [_fee(fee, goods) for fee in fees_of(counted, terms)]
    net_value = _value(counted) + sum([each.amount for each in other])
    balance = net_value + sum([part.amount.amount for part in charges])
    if balance < 0 and (bonus := exchange_bonus(counted, terms, net_value)):
        other.append(NamedAmount(bonus.name, min(bonus.amount, -balance)))  # it is never paid as money
        balance += other[-1].amount
    if balance < 0:
        other.append(NamedAmount(DIFFERENCE_DUE, -balance))
    return Valuation(tuple(goods), (*reductions, *other), max(0, balance), charges)


def _named(
    goods: Goods,
    counted: list[Counted],
    amount: int,
    charges_back: tuple[RefundedCharge, ...],
    reductions: Sequence[NamedAmount] = (),
) -> Valuation:
    """The amount that was named, in which these charges are given back."""
    given_back = [charge_back(each) for each in charges_back if each.amount]
    rest = amount - _value(counted) - sum([each.amount for each in given_back])
    custom = NamedAmount("custom_amount", rest, of=None)
    return Valuation(tuple(goods), (*reductions, *given_back, custom), amount, charges_back=charges_back)


def _reductions(graded: Sequence[Reduction], index: int) -> list[NamedAmount]:
    """What grades and deductions take off the goods of this index."""
    return [NamedAmount(each.name, -each.amount, of=(index,)) for each in graded]


def _value(counted: list[Counted]) -> int:
    return sum([each.value for each in counted])


def _fee(fee: DueFee, goods: Goods, left: int | None = None) -> NamedAmount:
    """What is kept of the fee, of so much that is left; without taxes of its own it carries its goods'."""
    kept = fee.kept if left is None else fee.limited(left)
    parts = tuple([(name, -each) for name, each in kept.parts])
    of = tuple([index for index, (item, _) in enumerate(goods) if any(item is each for each in fee.items)])
    return NamedAmount(f"fee:{kept.name}", -kept.amount, parts, of, kept.rates)


def fees_explained(counted: Counted, terms: Terms, currency: str) -> tuple[AmountPart, ...]:
    """The fees on these units, each at most what is left of them."""
    whole = [(counted.item, counted.item.allocated)]
    other = _deducted(whole, [counted], 0, terms, ()).other
    return explain([(item.line, running_sums) for item, running_sums in whole], other, currency)[1:]
