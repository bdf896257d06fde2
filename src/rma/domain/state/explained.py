"""
Amounts explained: what goods are made of, and what of it an amount takes that a person or rule named.

A named amount takes from the pool of its units each running sum in proportion to what was paid, so that it
carries its share of each tax and discount; what is left carries the rest, and nothing is lost.
"""

from collections.abc import Iterable, Sequence

from attrs import frozen

from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.charges import RefundedCharge, refundable_part, shipping_charge
from rma.domain.sale.pricing import AmountPart, PricedLine
from rma.domain.values.money import Money, add, allocate, share, subtract
from rma.domain.values.tax import TaxRate, rates_of

#: The part that is what the way back costs the customer.
RETURN_SHIPPING = "return_shipping"


@frozen
class NamedAmount:
    """
    An amount beside the goods, negative if it is deducted: minor units.

    Attributes:
        parts: what it is made of, where it has taxes of its own.
        rates: of these taxes, in their order.
        of: of which goods it is a part, by their index; None for all of them, () if it is by itself.
    """

    name: str
    amount: int
    parts: tuple[tuple[str, int], ...] = ()
    of: tuple[int, ...] | None = ()
    rates: tuple[TaxRate, ...] = ()


def charge_back(charge: RefundedCharge) -> NamedAmount:
    """What is given back of a charge."""
    return NamedAmount(f"charge:{charge.id}", charge.amount, charge.parts, rates=charge.rates)


def way_back_cost(method: ShippingMethod, amount: int) -> NamedAmount:
    """So much (minor units) of the price of the way back, deducted, with its taxes."""
    parts = refundable_part(shipping_charge(method)).part(amount).parts if method.tax_lines else ()
    rates = rates_of(method.tax_lines)
    return NamedAmount(RETURN_SHIPPING, -amount, tuple([(name, -each) for name, each in parts]), rates=rates)


def outbound_cost(method: ShippingMethod) -> AmountPart:
    """What it costs to send new goods, negative, with its taxes."""
    cost = way_back_cost(method, method.total.amount)
    parts = [AmountPart(name, Money(amount, method.price.currency)) for name, amount in cost.parts]
    return AmountPart("outbound_shipping", -method.total, tuple(parts))


def explain(
    goods: Sequence[tuple[PricedLine, tuple[int, ...]]],
    other: Iterable[NamedAmount],
    currency: str,
    charges: tuple[AmountPart, ...] = (),
) -> tuple[AmountPart, ...]:
    """
    The goods, the charges of an exchange, and the other amounts in parts; amounts of one name are one.

    Args:
        goods: lines, with the running sums of the units that count.
        other: in the order in which they are taken.
        currency: of all of them.
        charges: with their parts.
    """
    pool = Pool(goods)
    amounts: dict[str, int] = {}
    parts: dict[str, dict[str, int]] = {}
    for each in other:
        amounts[each.name] = amounts.get(each.name, 0) + each.amount
        known = parts.setdefault(each.name, {})
        for name, amount in each.parts or _moved(pool, each):
            known[name] = known.get(name, 0) + amount
    return (
        *(line.part(running_sums) for line, running_sums in goods),
        *charges,
        *(_part(name, amount, parts[name], currency) for name, amount in amounts.items()),
    )


class Pool:
    """What of the goods is taken by the amounts so far."""

    def __init__(self, goods: Iterable[tuple[PricedLine, tuple[int, ...]]]) -> None:
        pairs = list(goods)
        self._lines = [line for line, _ in pairs]
        self._left = [running_sums for _, running_sums in pairs]
        self._taken = [line.nothing for line, _ in pairs]

    def move(
        self, amount: int, of: tuple[int, ...] | None
    ) -> tuple[int, list[tuple[PricedLine, tuple[int, ...]]]]:
        """
        Takes an amount below 0 from these goods, or gives back one above 0.

        Returns what of the amount is beyond the goods, with its sign, and for each line what was moved.
        """
        places = range(len(self._lines)) if of is None else of
        sign = -1 if amount < 0 else 1
        source, target = (self._left, self._taken) if amount < 0 else (self._taken, self._left)
        room = [self._lines[place].paid(source[place]) for place in places]
        most = min(abs(amount), sum(room))
        found = []
        for place, had, moved in zip(places, room, allocate(most, room) if most else (), strict=False):
            if not moved:
                continue
            running_sums = share(source[place], moved, had)
            source[place] = subtract(source[place], running_sums)
            target[place] = add(target[place], running_sums)
            found.append((self._lines[place], running_sums))
        return amount - sign * most, found


def _moved(pool: Pool, named: NamedAmount) -> list[tuple[str, int]]:
    """The parts of an amount without taxes of its own; what is beyond the goods is a price only."""
    sign = -1 if named.amount < 0 else 1
    rest, moved = pool.move(named.amount, named.of)
    parts = {"price": rest}
    for line, running_sums in moved:
        for part in line.part(running_sums).parts:
            parts[part.name] = parts.get(part.name, 0) + sign * part.amount.amount
    return list(parts.items()) if len(parts) > 1 else []


def _part(name: str, amount: int, parts: dict[str, int], currency: str) -> AmountPart:
    if parts and sum(parts.values()) != amount:  # one of several amounts of this name has no parts
        parts["price"] = parts.get("price", 0) + amount - sum(parts.values())
    found = [AmountPart(each, Money(part, currency)) for each, part in _in_order(parts)]
    return AmountPart(name, Money(amount, currency), tuple(found))


def _in_order(parts: dict[str, int]) -> list[tuple[str, int]]:
    """Price, discounts, taxes: as the parts of goods."""
    order = {"price": 0, "discount": 1}
    return sorted(parts.items(), key=lambda part: order.get(part[0].partition(":")[0], 2))
