"""
Lots: units of a line that are worth the same, because the same price reduction was their last, or none was.

A reduction takes an amount from units and leaves the units with the customer. What is left of them is a lot
of its own: it can come back, be claimed, or be reduced again. Taking shares of a lot is exact, as it is of a
line.
"""

from collections.abc import Sequence

from attrs import frozen

from rma.domain.sale.pricing import PricedLine
from rma.domain.values.money import add, allocate, round_half_up, share, subtract


@frozen
class ReducedBy:
    """The price reduction that units had last: of which claim, and which of its items, from 0."""

    claim_id: str
    index: int


@frozen
class Lot:
    """
    Units of a line with what they are worth together, as the line's running sums.

    Attributes:
        reduced_by: None for units that no reduction touched.
        claim_ids: of all claims that reduced them.
    """

    quantity: int
    running_sums: tuple[int, ...]
    reduced_by: ReducedBy | None = None
    claim_ids: tuple[str, ...] = ()

    def share(self, quantity: int) -> tuple[int, ...]:
        """The value of this many of its units."""
        return (
            share(self.running_sums, quantity, self.quantity) if quantity else (0,) * len(self.running_sums)
        )

    def part(self, quantity: int) -> "Lot":
        """So many of its units, with their value."""
        return Lot(quantity, self.share(quantity), self.reduced_by, self.claim_ids)

    def less(self, part: "Lot") -> "Lot":
        """What remains without these units and their value."""
        left = subtract(self.running_sums, part.running_sums)
        return Lot(self.quantity - part.quantity, left, self.reduced_by, self.claim_ids)


@frozen
class Reserved:
    """
    Units of a line that a return or claim reserves, and the share that they took of the line as it was.

    Attributes:
        reduced_by: the lot that they were taken from.
        is_sent: False for units that were never sent, and were paid back.
    """

    line: PricedLine
    quantity: int
    running_sums: tuple[int, ...]
    reduced_by: ReducedBy | None = None
    is_sent: bool = True


@frozen
class Reduction:
    """
    Units whose price was reduced: a lot as it began.

    Attributes:
        taken, left: what the reduction took of these units, and what it left of them.
        source: the lot that they were taken from.
    """

    reduced_by: ReducedBy
    line: PricedLine
    quantity: int
    taken: tuple[int, ...]
    left: tuple[int, ...]
    source: ReducedBy | None = None

    @property
    def whole(self) -> tuple[int, ...]:
        """What the units were worth before."""
        return add(self.taken, self.left)


class LotsOfLine:
    """The lots of a line, from its reductions (in order of their making) and from what was taken of each."""

    def __init__(self, reserved: Sequence[Reserved], reductions: Sequence[Reduction]) -> None:
        self._reductions = reductions
        self._by_id = {each.reduced_by: each for each in reductions}
        self._reserved: dict[ReducedBy | None, list[Reserved]] = {}
        for each in reserved:
            self._reserved.setdefault(each.reduced_by if each.reduced_by in self._by_id else None, []).append(
                each
            )
        self._nested: dict[ReducedBy | None, list[Reduction]] = {}
        for reduction in reductions:
            source = reduction.source if reduction.source in self._by_id else None
            self._nested.setdefault(source, []).append(reduction)

    def taken_of_line(self) -> list[Reserved]:
        """What was taken of the units that no reduction touched: by returns, claims and reductions."""
        return self._reserved.get(None, []) + [
            Reserved(each.line, each.quantity, each.whole) for each in self._nested.get(None, [])
        ]

    def gone(self) -> list[Reserved]:
        """
        What is reserved, worth what it would be without reductions.

        What a reduction took of units that are reserved is counted with them, so that all units of a line
        together took all of it.
        """
        found = list(self._reserved.get(None, []))
        for root in self._nested.get(None, []):
            of_tree: list[Reserved] = []
            for each in self._tree(root):
                gone = share(each.taken, min(self._gone(each), each.quantity), each.quantity)
                of_tree.append(Reserved(each.line, 0, gone))
                of_tree += self._reserved.get(each.reduced_by, [])
            if all(each.line.has_parts_of(root.line) for each in of_tree):
                running_sums = root.line.nothing
                for one in of_tree:
                    running_sums = add(running_sums, one.running_sums)
                of_tree = [Reserved(root.line, sum([each.quantity for each in of_tree]), running_sums)]
            found += of_tree if self._gone(root) else []
        return found

    def exact(self, line: PricedLine) -> tuple[Lot, ...] | None:
        """
        The lots with units left, each worth what its reduction left and nothing took since.

        None if the line is not as it was then, so that they are not worth that.
        """
        taken = [each for lot, of_lot in self._reserved.items() if lot is not None for each in of_lot]
        is_as_it_was = all(each.line == line for each in self._reductions)
        if not is_as_it_was or not all(each.line.has_parts_of(line) for each in taken):
            return None
        found = []
        for each, quantity in self._live():
            running_sums = each.left
            for one in self._reserved.get(each.reduced_by, []):
                running_sums = subtract(running_sums, one.running_sums)
            for nested in self._nested.get(each.reduced_by, []):
                running_sums = subtract(running_sums, nested.whole)
            found.append(Lot(quantity, running_sums, each.reduced_by, self._claim_ids(each)))
        return tuple(found) if all(line.are_valid(each.running_sums) for each in found) else None

    def split(
        self, line: PricedLine, quantity: int, running_sums: tuple[int, ...]
    ) -> tuple[Lot, tuple[Lot, ...]]:
        """
        What remains of a line that the host changed since, as untouched units and lots.

        Each unit is worth what the line says now, less what was taken off it.
        """
        lots, left = [], quantity
        for each, live in self._live():
            units = min(live, left)
            left -= units
            if units:
                lots.append((units, each))
        whole = line.paid(line.running_sums)
        weights = [whole * left]
        for units, each in lots:
            reduced = self._reduced(each.reduced_by, units) * line.quantity
            weights.append(max(0, whole * units - reduced))
        counts = [left, *[units for units, _ in lots]]
        shares = _split(line, running_sums, counts, weights)
        found = [
            Lot(units, part, each.reduced_by, self._claim_ids(each))
            for (units, each), part in zip(lots, shares[1:], strict=True)
        ]
        return Lot(left, shares[0]), tuple(found)

    def _live(self) -> list[tuple[Reduction, int]]:
        """The reductions of which units are left, with how many."""
        found = []
        for each in self._reductions:
            taken = sum([one.quantity for one in self._reserved.get(each.reduced_by, [])])
            taken += sum([nested.quantity for nested in self._nested.get(each.reduced_by, [])])
            if taken < each.quantity:
                found.append((each, each.quantity - taken))
        return found

    def _tree(self, root: Reduction) -> list[Reduction]:
        """A reduction, and those of its units that were made since."""
        found = [root]
        for each in found:
            found += self._nested.get(each.reduced_by, [])
        return found

    def _gone(self, reduction: Reduction) -> int:
        """How many of its units are reserved, those that were reduced again among them."""
        direct = sum([each.quantity for each in self._reserved.get(reduction.reduced_by, [])])
        nested = [self._gone(each) for each in self._nested.get(reduction.reduced_by, [])]
        return direct + sum(nested)

    def _reduced(self, reduced_by: ReducedBy | None, units: int) -> int:
        """What was taken off so many units of a lot, by all of their reductions: minor units."""
        amount = 0
        while reduced_by in self._by_id:
            each = self._by_id[reduced_by]
            amount += round_half_up(each.line.paid(each.taken) * units, each.quantity)
            reduced_by = each.source
        return amount

    def _claim_ids(self, reduction: Reduction) -> tuple[str, ...]:
        found = [reduction.reduced_by.claim_id]
        source = reduction.source
        while source in self._by_id:
            found.append(source.claim_id)
            source = self._by_id[source].source
        return tuple(found)


def _split(
    line: PricedLine, running_sums: tuple[int, ...], counts: Sequence[int], weights: Sequence[int]
) -> list[tuple[int, ...]]:
    """Running sums in parts by weights of what was paid, or by units without any weight; exact in sum."""
    parts = allocate(line.paid(running_sums), weights if any(weights) else counts) if any(counts) else counts
    shares, units = [], sum(counts)
    for part, count in zip(parts, counts, strict=True):
        paid = line.paid(running_sums)
        taken = (
            share(running_sums, part, paid)
            if paid
            else share(running_sums, count, units)
            if units
            else running_sums
        )
        shares.append(taken)
        running_sums, units = subtract(running_sums, taken), units - count
    return shares
