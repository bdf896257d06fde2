"""
What remains of an order's lines: read from the order as it is now, less what units that are reserved took.

Platforms edit orders in place, while returns are open, closed or canceled. So what was paid for a line is
never remembered: units that a return or claim reserves took their share when they were requested; the rest
of what the order says now belongs to the units that nothing reserves. Without edits, taking and giving back
shares is exact, part by part, in any order.

Units whose price was reduced are lots of their own. While the line is as it was, they keep what the reduction
left of them; once the host changed it, they are worth what it says now, less what was taken off them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from attrs import field, frozen

from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.pricing import PricedLine, price_lines
from rma.domain.state.lots import Lot, LotsOfLine, ReducedBy, Reduction, Reserved
from rma.domain.values.money import allocate, share, subtract


@frozen
class Remainder:
    """
    What remains of a line.

    Attributes:
        line: as the order says now.
        quantity: units that nothing reserves and no reduction touched, sent or not.
        running_sums: what they are worth together, as the line's running sums.
        reserved_quantity: units that were sent and that returns and claims reserve.
        lots: units that nothing reserves and that were reduced, those of the oldest reduction first.
        sent_quantity: units that were sent and that nothing reserves, reduced ones too: they are returnable.
    """

    line: PricedLine
    quantity: int
    running_sums: tuple[int, ...]
    reserved_quantity: int = 0
    lots: tuple[Lot, ...] = ()
    sent_quantity: int = field(default=0, kw_only=True)

    @property
    def free_quantity(self) -> int:
        """Units that nothing reserves, sent or not, reduced or not."""
        return self.quantity + self._reduced_quantity

    @property
    def unsent_quantity(self) -> int:
        """Those of them that were never sent."""
        return max(0, self.free_quantity - self.sent_quantity)

    def reduced_quantity(self, claim_id: str) -> int:
        """How many units that nothing reserves the claim reduced."""
        return sum([each.quantity for each in self.lots if claim_id in each.claim_ids])

    @property
    def all_lots(self) -> tuple[Lot, ...]:
        """All units that nothing reserves, those that no reduction touched first."""
        return (self._untouched, *self.lots) if self.quantity else self.lots

    def lot(self, reduced_by: ReducedBy | None) -> Lot:
        """The units that this price reduction was the last for; None for those that none touched."""
        found = [each for each in self.all_lots if each.reduced_by == reduced_by]
        return found[0] if found else Lot(0, self.line.nothing, reduced_by)

    def take(self, quantity: int, *, claim_id: str | None = None, is_sent: bool = True) -> tuple[Lot, ...]:
        """
        So many units with their value: those that no reduction touched, then those of the oldest reduction.

        Args:
            quantity: at most as many as there are.
            claim_id: those that this claim reduced come before all others.
            is_sent: the customer has them; False for units that were never sent.
        """
        if not self.lots:
            return (self._untouched.part(quantity),) if quantity else ()
        reduced = list(enumerate(self.lots, start=1))
        sent = min(self.quantity, max(0, self.sent_quantity - self._reduced_quantity))
        if is_sent:
            named = [(number, each.quantity) for number, each in reduced if claim_id in each.claim_ids]
            places = [*named, (0, sent), *[(number, each.quantity) for number, each in reduced]]
        else:
            places = [(0, self.quantity - sent), *[(number, each.quantity) for number, each in reduced[::-1]]]
        lots, counts, left = (self._untouched, *self.lots), [0] * (1 + len(self.lots)), quantity
        for number, most in [*places, (0, self.quantity)]:
            units = min(left, most, lots[number].quantity - counts[number])
            counts[number] += units
            left -= units
        return tuple([lot.part(count) for lot, count in zip(lots, counts, strict=True) if count])

    def less(self, taken: Iterable[Lot], *, is_sent: bool = True) -> "Remainder":
        """What remains without these units and their share."""
        untouched, lots, units = self._untouched, list(self.lots), 0
        for part in taken:
            units += part.quantity
            if part.reduced_by is None:
                untouched = untouched.less(part)
            lots = [each.less(part) if each.reduced_by == part.reduced_by else each for each in lots]
        units *= is_sent
        return Remainder(
            self.line,
            untouched.quantity,
            untouched.running_sums,
            self.reserved_quantity + units,
            tuple([each for each in lots if each.quantity]),
            sent_quantity=max(0, self.sent_quantity - units),
        )

    @property
    def _untouched(self) -> Lot:
        return Lot(self.quantity, self.running_sums)

    @property
    def _reduced_quantity(self) -> int:
        return sum([each.quantity for each in self.lots])


def remainders_of(
    order: Order,
    item_ids: Iterable[str],
    reserved: Mapping[str, list[Reserved]],
    reductions: Mapping[str, list[Reduction]],
) -> dict[str, Remainder]:
    """
    What remains of these lines, by item id; ids neither on the order nor reserved are left out.

    A line that is no longer on the order has quantity 0.
    """
    wanted = set(item_ids)
    if reductions:
        gone = {
            item_id: LotsOfLine(reserved.get(item_id, []), reductions.get(item_id, [])).gone()
            for item_id in {**reserved, **reductions}
        }
    else:
        gone = dict(reserved)
    spread = order.adjustments and any(gone.values())  # one line's discount may depend on all lines
    lines = price_lines(order, [item.id for item in order.items] if spread else wanted)
    if spread:
        lines = _with_discounts_spread(order, lines, gone)
    items = {item.id: item for item in order.items}
    found = {
        item_id: _remainder(line, items[item_id], reserved.get(item_id, []), reductions.get(item_id, []))
        for item_id, line in lines.items()
        if item_id in wanted
    }
    for item_id in wanted - found.keys():
        if reserved_units := reserved.get(item_id):
            line = reserved_units[-1].line
            sent = sum([each.quantity for each in reserved_units if each.is_sent])
            found[item_id] = Remainder(line, 0, line.nothing, sent)
    return found


def sent_of(item: LineItem, unsent: int) -> int:
    """How many units of the line were sent and are not back without us; `unsent` ones were paid back."""
    return max(0, min(item.fulfilled_quantity, item.quantity - unsent) - item.returned_quantity)


def _remainder(
    line: PricedLine, item: LineItem, reserved: list[Reserved], reductions: list[Reduction]
) -> Remainder:
    sent = sum([each.quantity for each in reserved if each.is_sent])
    unsent = sum([each.quantity for each in reserved]) - sent
    free = max(0, sent_of(item, unsent) - sent)
    if not reductions:
        rest = _untouched(line, reserved)
        return Remainder(line, rest.quantity, rest.running_sums, sent, sent_quantity=free)
    by_lot = LotsOfLine(reserved, reductions)
    lots = by_lot.exact(line)
    if lots is not None:
        untouched = _untouched(line, by_lot.taken_of_line())
    else:
        taken = [Reserved(each.line, 0, each.taken) for each in reductions]
        rest = _untouched(line, [*reserved, *taken])
        untouched, lots = by_lot.split(line, rest.quantity, rest.running_sums)
    return Remainder(line, untouched.quantity, untouched.running_sums, sent, lots, sent_quantity=free)


def _untouched(line: PricedLine, taken: Sequence[Reserved]) -> Lot:
    """What is left of the line without all of this."""
    if not taken:
        return Lot(line.quantity, line.running_sums)
    quantity = max(0, line.quantity - sum([each.quantity for each in taken]))
    return Lot(quantity, _rest(line, taken, quantity) if quantity else line.nothing)


def _rest(line: PricedLine, reserved_units: Sequence[Reserved], quantity: int) -> tuple[int, ...]:
    """The line's running sums less what was taken of them, for the units that are left (at least 1)."""
    if all(each.line.has_parts_of(line) for each in reserved_units):
        running_sums = line.running_sums
        for each in reserved_units:
            running_sums = subtract(running_sums, each.running_sums)
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
    left = {item_id: _untouched(line, reserved.get(item_id, [])) for item_id, line in lines.items()}
    open_ids = [item_id for item_id, rest in left.items() if rest.quantity]
    ended = {**lines, **reserved}.keys() - set(open_ids)
    shares = {
        item.id: list(each) for item, each in zip(order.items, order.allocated_adjustments(), strict=True)
    }
    room = [lines[item_id].paid(left[item_id].running_sums) for item_id in open_ids]
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
