"""
Everything known about the returns of ONE order: the boundary inside which it must all be consistent.

The ledger stores returns, what is outstanding and which commands were answered. Quantities, refundable
amounts and order statuses are derived here, in one place, and nowhere stored.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from attrs import frozen

from rma.domain.commands import Command
from rma.domain.effects import Effect, OpenEffect
from rma.domain.errors import NotFound
from rma.domain.frozenmap import FrozenMap
from rma.domain.money import share
from rma.domain.order import LineItem, Order
from rma.domain.pricing import PricedLine, price_lines
from rma.domain.refunds import Refund, left_of_payments
from rma.domain.returns import Return, ReturnStatus


@frozen
class Answered:
    """A command that was done under an idempotency key, and the return that it was about."""

    command: Command
    return_id: str


@frozen
class Pool:
    """What remains of a line: units that no return holds, and the running sums over them."""

    line: PricedLine
    quantity: int
    sums: tuple[int, ...]

    def returnable(self, item: LineItem) -> int:
        """How many units of the line can still be announced, as the order stands now."""
        return max(0, self.line.free(item, held=self.line.quantity - self.quantity))

    def share(self, quantity: int) -> tuple[int, ...]:
        """What this many units of what remains are worth."""
        return share(self.sums, quantity, self.quantity) if quantity else self.line.nothing

    def less(self, quantity: int, taken: tuple[int, ...]) -> "Pool":
        """The pool without these units and their share."""
        left = tuple([amount - gone for amount, gone in zip(self.sums, taken, strict=True)])
        return Pool(self.line, self.quantity - quantity, left)


@frozen
class ReturnLedger:
    """
    The returns of one order.

    Attributes:
        revision: counts commits; 0 for an order without any. The compare-and-set number.
        returns: oldest first.
        open_effects: by key, in order of creation: what the outside has not answered yet.
        answered: by idempotency key.
        published: the revision up to which events reached their publisher.
    """

    order_id: str
    revision: int = 0
    returns: tuple[Return, ...] = ()
    open_effects: FrozenMap[str, OpenEffect] = FrozenMap()
    answered: FrozenMap[str, Answered] = FrozenMap()
    published: int = 0

    def is_due(self, now: datetime) -> bool:
        """True if any open effect may be tried now."""
        return any(effect.is_due(now) for effect in self.open_effects.values())

    def find(self, return_id: str) -> Return | None:
        """The return of this id, if it is here."""
        for each in self.returns:
            if each.id == return_id:
                return each
        return None

    def get(self, return_id: str) -> Return:
        """
        The return of this id.

        Raises:
            NotFound: `return_not_found`.
        """
        found = self.find(return_id)
        if found is None:
            raise NotFound("return_not_found", {"return_id": return_id})
        return found

    @property
    def refunds(self) -> Iterator[Refund]:
        """Every refund of every return."""
        return (refund for each in self.returns for refund in each.refunds)

    @property
    def changes(self) -> int:
        """How many requests, receipts and cancellations there were: by so much the order's version grew."""
        return sum([1 + len(each.receipts) + (each.status is ReturnStatus.CANCELED) for each in self.returns])

    def pools(self, order: Order, item_ids: Iterable[str]) -> dict[str, Pool]:
        """What remains of these lines, by item id; ids neither on the order nor in a return are left out."""
        wanted = set(item_ids)
        found: dict[str, Pool] = {}
        for each in self.returns:
            for item, (item_id, quantity) in zip(each.items, each.held_quantities(), strict=True):
                if item_id in wanted:
                    pool = found.get(item_id) or Pool(item.line, item.line.quantity, item.line.pool)
                    found[item_id] = pool.less(quantity, item.worth(quantity))
        if untouched := wanted - found.keys():
            for item_id, line in price_lines(order, untouched).items():
                found[item_id] = Pool(line, line.quantity, line.pool)
        return found

    def held_quantities(self) -> dict[str, int]:
        """Units that returns hold, by item id."""
        held: dict[str, int] = {}
        for each in self.returns:
            for item_id, quantity in each.held_quantities():
                held[item_id] = held.get(item_id, 0) + quantity
        return held

    def left_of_payments(self, order: Order) -> dict[str, int]:
        """What each payment can still give back, minor units, in their order."""
        return left_of_payments(order, self.refunds)

    def refundable(self, order: Order) -> int:
        """Captured, less what was refunded and what is on its way: minor units."""
        return sum(self.left_of_payments(order).values())

    def opening(self, effects: Iterable[Effect], at: datetime) -> "ReturnLedger":
        """The ledger with these effects open, after those that are."""
        opened = {effect.key: OpenEffect(effect, opened_at=at) for effect in effects}
        if not opened:
            return self
        return ReturnLedger(
            order_id=self.order_id,
            revision=self.revision,
            returns=self.returns,
            open_effects=FrozenMap({**self.open_effects, **opened}),
            answered=self.answered,
            published=self.published,
        )
