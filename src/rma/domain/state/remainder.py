"""
What remains of an order's lines: read from the order as it is now, less what units that are reserved took.

Platforms edit orders in place, while returns are open, closed or canceled. So what was paid for a line is
never remembered: units that a return or claim reserves took their share when they were requested; the rest
of what the order says now belongs to the units that nothing reserves. Without edits, taking and giving back
shares is exact, part by part, in any order.
"""

from collections.abc import Iterable, Mapping
from itertools import product

from attrs import frozen

from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.pricing import PricedLine, price_lines
from rma.domain.values.money import allocate, share


@frozen
class Reserved:
    """Units of a line that a return or claim reserves, and the share that they took of the line as it was."""

    line: PricedLine
    quantity: int
    running_sums: tuple[int, ...]


@frozen
class Remainder:
    """
    What remains of a line.

    Attributes:
        line: as the order says now.
        quantity: units that nothing reserves, fulfilled or not.
        running_sums: what they are worth together, as the line's running sums.
        reserved_quantity: units that returns and claims reserve.
    """

    line: PricedLine
    quantity: int
    running_sums: tuple[int, ...]
    reserved_quantity: int = 0

    def returnable(self, item: LineItem) -> int:
        """How many units of the line can still be requested, as the order is now."""
        return max(0, item.fulfilled_quantity - item.returned_quantity - self.reserved_quantity)

    def share(self, quantity: int) -> tuple[int, ...]:
        """The value of this many units of what remains."""
        return share(self.running_sums, quantity, self.quantity) if quantity else self.line.nothing

    def less(self, quantity: int, allocated: tuple[int, ...]) -> "Remainder":
        """What remains without these units and their share."""
        left = tuple([amount - gone for amount, gone in zip(self.running_sums, allocated, strict=True)])
        return Remainder(self.line, self.quantity - quantity, left, self.reserved_quantity + quantity)


def remainders_of(
    order: Order, item_ids: Iterable[str], reserved: Mapping[str, list[Reserved]]
) -> dict[str, Remainder]:
    """
    What remains of these lines, by item id; ids neither on the order nor reserved are left out.

    A line that is no longer on the order has quantity 0.
    """
    wanted = set(item_ids)
    spread = order.adjustments and any(reserved.values())  # one line's discount may depend on all lines
    lines = price_lines(order, [item.id for item in order.items] if spread else wanted)
    if spread:
        lines = _with_discounts_spread(order, lines, reserved)
    found = {
        item_id: _remainder(line, reserved.get(item_id, []))
        for item_id, line in lines.items()
        if item_id in wanted
    }
    for item_id in wanted - found.keys():
        if reserved_units := reserved.get(item_id):
            line = reserved_units[-1].line
            found[item_id] = Remainder(line, 0, line.nothing, sum([each.quantity for each in reserved_units]))
    return found


def _remainder(line: PricedLine, reserved_units: list[Reserved]) -> Remainder:
    units = sum([each.quantity for each in reserved_units])
    if not units:
        return Remainder(line, line.quantity, line.running_sums)
    quantity = max(0, line.quantity - units)
    return Remainder(
        line, quantity, _rest(line, reserved_units, quantity) if quantity else line.nothing, units
    )


def _rest(line: PricedLine, reserved_units: list[Reserved], quantity: int) -> tuple[int, ...]:
    """The line's running sums less what was taken of them, for the units that are left (at least 1)."""
    if all(each.line.has_parts_of(line) for each in reserved_units):
        running_sums = line.running_sums
        for each in reserved_units:
            running_sums = tuple(
                [amount - gone for amount, gone in zip(running_sums, each.running_sums, strict=True)]
            )
        if line.are_valid(running_sums):
            return running_sums
    # Discounts or taxes were changed: what remains is split like the line as it is now.
    whole = line.paid(line.running_sums)
    paid = max(0, whole - sum([each.line.paid(each.running_sums) for each in reserved_units]))
    if not whole:
        return share(line.running_sums, quantity, line.quantity)
    return share(line.running_sums, paid, whole)


def _with_discounts_spread(
    order: Order, lines: dict[str, PricedLine], reserved: Mapping[str, list[Reserved]]
) -> dict[str, PricedLine]:
    """
    The lines with the order's discounts as they are to be given from now on.

    A line without units left keeps what its units took. What its share is too much or too little by, as the
    order is now, goes to the lines that have units left, by their remaining value.
    """
    left = {item_id: _remainder(line, reserved.get(item_id, [])) for item_id, line in lines.items()}
    open_ids = [item_id for item_id, remainder in left.items() if remainder.quantity]
    ended = {**lines, **reserved}.keys() - set(open_ids)
    shares = {
        item.id: list(each) for item, each in zip(order.items, order.allocated_adjustments(), strict=True)
    }
    room = [left[item_id].line.paid(left[item_id].running_sums) for item_id in open_ids]
    count = len(order.adjustments)
    excesses = [_excess(lines.get(item_id), reserved.get(item_id, []), count) for item_id in ended]
    is_changed, left_over = False, 0
    # What one discount has no room for goes to the others: in a second round, to those before it as well.
    for is_first, number in product((True, False), range(count if open_ids else 0)):
        excess = left_over + sum([each[number] for each in excesses if is_first])
        if not excess:
            continue
        more = _spread(excess, room, [shares[item_id][number] for item_id in open_ids])
        for item_id, amount in zip(open_ids, more, strict=True):
            shares[item_id][number] += amount
        room = [amount - discount for amount, discount in zip(room, more, strict=True)]
        left_over = excess - sum(more)
        is_changed = is_changed or any(more)
    if not is_changed:
        return lines
    return price_lines(order, lines, shares=tuple([tuple(each) for each in shares.values()]))


def _excess(line: PricedLine | None, reserved_units: list[Reserved], count: int) -> list[int]:
    """What a line without units left gets of each of the order's discounts, beyond what its units took."""
    excess = [0] * count
    if line:
        for number, now in enumerate(line.order_discounts_of(line.running_sums, line.quantity)):
            excess[number] += now
    for each in reserved_units:
        # The order may have had more discounts then: one that is gone counts with the last of now.
        for number, taken in enumerate(each.line.order_discounts_of(each.running_sums, each.quantity)):
            excess[min(number, count - 1)] -= taken
    if line and _is_all_of(line, reserved_units):
        # Then it does not matter which of them took the line's own discounts: their sum is known.
        missing = sum([each.line.net(each.running_sums) for each in reserved_units])
        missing -= line.net(line.running_sums) + sum(excess)
        weights = line.order_discounts_of(line.running_sums, line.quantity)
        parts = allocate(missing, weights if any(weights) else [1] * count)
        excess = [each + part for each, part in zip(excess, parts, strict=True)]
    return excess


def _is_all_of(line: PricedLine, reserved_units: list[Reserved]) -> bool:
    """True if these are the units of the line, at the price that they have now."""
    price = line.running_sums[-1]
    return sum([each.quantity for each in reserved_units]) == line.quantity and all(
        each.line.running_sums[-1] * line.quantity == price * each.line.quantity for each in reserved_units
    )


def _spread(excess: int, room: list[int], given: list[int]) -> tuple[int, ...]:
    """The excess over lines by what they have left; no line gives up more than it got."""
    if excess > 0:
        most = min(excess, sum(room))
        return allocate(most, room) if most else (0,) * len(room)
    most = min(-excess, sum(given))
    parts = [0] * len(given)
    while missing := most - sum(parts):
        weights = [
            weight if part < limit else 0 for weight, part, limit in zip(room, parts, given, strict=True)
        ]
        if not any(weights):  # lines that are worth nothing because of this very discount
            weights = [limit - part for part, limit in zip(parts, given, strict=True)]
        more = allocate(missing, weights)
        parts = [min(limit, part + each) for part, each, limit in zip(parts, more, given, strict=True)]
    return tuple([-part for part in parts])
