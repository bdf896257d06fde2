"""
What was paid for a line, in parts, and the value of some of its units.

A line is priced as the order is now, as running sums of its parts. Every unit that
leaves takes its share of each sum of what remains (`money.share`), so parts always add up, none is ever
negative, and the value of all units together is exactly what was paid.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from attrs import frozen

from rma.domain.sale.order import LineItem, Order
from rma.domain.values.money import Money, allocate, round_half_up, share, subtract
from rma.domain.values.tax import TaxRate, rates_of, tax_sums


@frozen
class AmountPart:
    """
    One named part of an amount; its own parts, where it has any, add up to it exactly.

    Names: `item:<item_id>` of `price`, `discount:<code or number>` and `tax:<code, name or rate>`;
    then `charge:<id>`, `return_shipping`, `fee:<name>` (of `price` and `tax:…` where they have taxes),
    `custom_amount`, `rounding`, `already_paid`; of an exchange
    also `new_item:<variant_id>`, `outbound_shipping`, `payment:<reference>` and `difference_due`.
    """

    name: str
    amount: Money
    parts: "tuple[AmountPart, ...]" = ()


@frozen
class PricedLine:
    """
    What was paid for a line of an order, as the order said when it was read.

    Attributes:
        quantity: units in the pool: ordered, less those that were back without us by then.
        running_sums: over those units in minor units. Tax on top: net, net + tax 1, …, paid. Tax
            contained: tax 1, tax 1 + tax 2, …, paid. Then, upwards from net or paid, + discount 1,
            + discount 2, … to the price.
        taxes, discounts: what the steps are called, in that order.
        order_discounts: how many of the discounts, the last ones, are shares of the order's.
        rates: of the taxes, in that order; none of what an earlier release recorded.
    """

    item_id: str
    variant_id: str | None
    currency: str
    quantity: int
    running_sums: tuple[int, ...]
    taxes: tuple[str, ...]
    discounts: tuple[str, ...]
    is_tax_inclusive: bool
    order_discounts: int = 0
    rates: tuple[TaxRate, ...] = ()

    def paid(self, running_sums: tuple[int, ...]) -> int:
        """What these sums say was paid, with tax, after discounts: minor units."""
        return running_sums[len(self.taxes)]

    @property
    def nothing(self) -> tuple[int, ...]:
        """The sums of no unit."""
        return (0,) * len(self.running_sums)

    def has_parts_of(self, other: "PricedLine") -> bool:
        """True if both lines have the same discounts and taxes, by name."""
        return (
            self.taxes == other.taxes
            and self.discounts == other.discounts
            and self.order_discounts == other.order_discounts
            and self.is_tax_inclusive == other.is_tax_inclusive
        )

    def are_valid(self, running_sums: tuple[int, ...]) -> bool:
        """True if no part of these sums is negative."""
        taxes = len(self.taxes)
        net = running_sums[taxes] if self.is_tax_inclusive else running_sums[0]
        start = 0 if self.is_tax_inclusive else net
        up_to_paid = running_sums[: taxes + 1] if self.is_tax_inclusive else running_sums[1 : taxes + 1]
        contained = running_sums[taxes - 1] if self.is_tax_inclusive and taxes else 0
        steps = _steps(up_to_paid, start=start) + _steps(running_sums[taxes + 1 :], start=net)
        return net >= 0 and min(steps, default=0) >= 0 and contained >= 0

    def order_discounts_of(self, running_sums: tuple[int, ...], quantity: int) -> tuple[int, ...]:
        """
        What each of the order's discounts took off so many units that took these sums, minor units.

        Where discounts were changed meanwhile, the parts of what units took are in proportion to the line,
        not what was taken off. Then it is their price, less the line's own discounts, less what they took;
        below 0 if they got back what others had paid too much.
        """
        taxes, net = len(self.taxes), self.net(running_sums)
        first = len(self.discounts) - self.order_discounts
        if running_sums[-1] * self.quantity == self.running_sums[-1] * quantity:
            return tuple(_steps(running_sums[taxes + 1 :], start=net)[first:])
        of_line = _steps(self.running_sums[taxes + 1 :], start=self.net(self.running_sums))
        price, own = self.running_sums[-1] * quantity // self.quantity, sum(of_line[:first])
        taken = price - round_half_up(own * quantity, self.quantity) - net
        weights = of_line[first:]
        return allocate(taken, weights if any(weights) else [1] * len(weights)) if weights else ()

    def net(self, running_sums: tuple[int, ...]) -> int:
        """What these sums say was paid after discounts; without taxes that come on top: minor units."""
        return running_sums[len(self.taxes)] if self.is_tax_inclusive else running_sums[0]

    def taxes_in(self, running_sums: tuple[int, ...]) -> list[int]:
        """What these sums say of each tax, minor units."""
        if self.is_tax_inclusive:
            return _steps(running_sums[: len(self.taxes)], start=0)
        return _steps(running_sums[1 : len(self.taxes) + 1], start=running_sums[0])

    def part(self, running_sums: tuple[int, ...]) -> AmountPart:
        """The sums as the part of a breakdown."""
        paid = self.paid(running_sums)
        net = paid if self.is_tax_inclusive else running_sums[0]
        taxes = self.taxes_in(running_sums)
        discounts = _steps(running_sums[len(self.taxes) + 1 :], start=net)
        contained = sum(taxes) if self.is_tax_inclusive else 0
        parts = [
            ("price", net + sum(discounts) - contained),
            *((f"discount:{name}", -step) for name, step in zip(self.discounts, discounts, strict=True)),
            *((f"tax:{name}", step) for name, step in zip(self.taxes, taxes, strict=True)),
        ]
        return AmountPart(
            f"item:{self.item_id}",
            Money(paid, self.currency),
            tuple([AmountPart(name, Money(amount, self.currency)) for name, amount in parts]),
        )


def price_lines(
    order: Order, item_ids: Iterable[str], *, shares: tuple[tuple[int, ...], ...] | None = None
) -> dict[str, PricedLine]:
    """
    Those lines of the order priced as they are now, by item id; ids not on the order are left out.

    `shares` are what each line of the order gets of each of its adjustments, where that is not as allocated.
    """
    wanted = set(item_ids)
    shares = order.allocated_adjustments() if shares is None else shares
    return {
        item.id: _price(item, order, order_shares)
        for item, order_shares in zip(order.items, shares, strict=True)
        if item.id in wanted
    }


def _price(item: LineItem, order: Order, order_shares: tuple[int, ...]) -> PricedLine:
    discounts = [adjustment.amount.amount for adjustment in item.adjustments]
    discounts += order_shares
    paid = item.unit_price.amount * item.quantity - sum(discounts)
    taxes = tax_sums(paid, item.tax_lines, is_tax_inclusive=item.is_tax_inclusive)
    steps = accumulate(discounts, initial=paid)
    if item.is_tax_inclusive:
        running_sums = (*taxes, *steps)
    else:
        running_sums = (next(steps), *[paid + tax for tax in taxes], *steps)
    if item.returned_quantity:
        gone = share(running_sums, item.returned_quantity, item.quantity)
        running_sums = subtract(running_sums, gone)
    adjustments = enumerate(item.adjustments + order.adjustments, start=1)
    return PricedLine(
        item_id=item.id,
        variant_id=item.variant_id,
        currency=order.currency,
        quantity=item.quantity - item.returned_quantity,
        running_sums=running_sums,
        taxes=tuple([tax.label for tax in item.tax_lines]),
        discounts=tuple([each.code or str(number) for number, each in adjustments]),
        is_tax_inclusive=item.is_tax_inclusive,
        order_discounts=len(order.adjustments),
        rates=rates_of(item.tax_lines),
    )


def _steps(running_sums: Sequence[int], *, start: int) -> list[int]:
    return [after - before for before, after in zip([start, *running_sums], running_sums, strict=False)]
