"""What is known of goods at the dock besides what arrived: foreign goods, corrections, withdrawals."""

from collections.abc import Iterable
from datetime import datetime

from attrs import evolve, field, frozen

from rma.domain.messages.command_items import CorrectedForeign, ForeignDecision
from rma.domain.messages.effects import RestockRequest, StockLine
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.values.personal import hidden


@frozen
class ForeignGoods:
    """
    Goods that arrived and belong to no unit of the order that its customer still has.

    Attributes:
        number: counts the foreign goods of a return from 1.
        sku: what the host calls such goods, as far as it is known.
        item_id: under which they were booked: of a line of which more arrived than the customer had, or of no
            line of the order; None for goods that were described only.
        serials: those of these units, as far as they were read.
        expected_by: the oldest other return of the order that waits for such units; perhaps the parcel is
            that return's.
    """

    number: int
    description: str = field(repr=hidden)
    quantity: int
    sku: str | None = None
    item_id: str | None = None
    serials: tuple[str, ...] = ()
    note: str | None = field(default=None, repr=hidden)
    images: tuple[str, ...] = field(default=(), repr=hidden)
    expected_by: str | None = None


@frozen
class CorrectedUnits:
    """
    What a correction adds to what the receipts said of a line, or takes from it if it is below 0.

    Attributes:
        quantity: sellable units.
        damaged_quantity: damaged units.
        waiting_quantity: of the sellable ones, those that wait for an inspection: they were not in stock.
    """

    item_id: str
    quantity: int
    damaged_quantity: int
    variant_id: str | None = None
    waiting_quantity: int = 0

    @property
    def restocked_quantity(self) -> int:
        """Those that stock has more, or fewer, because of it."""
        return self.quantity - self.waiting_quantity


@frozen
class Correction:
    """
    What the receipts of a return should have said besides.

    Attributes:
        number: counts the return's corrections from 1.
        status: of the return afterwards.
        restock_key: under which further units were put into stock; None if none were.
        location_id: where they were.
        foreign: how many foreign goods there were, where that was wrong.
        is_payment_awaited: the exchange of the goods was yet to be completed.
    """

    number: int
    at: datetime
    by: str | None = field(repr=hidden)
    reason: str = field(repr=hidden)
    items: tuple[CorrectedUnits, ...]
    status: ReturnStatus
    location_id: str | None = None
    restock_key: str | None = None
    foreign: tuple[CorrectedForeign, ...] = ()
    is_payment_awaited: bool = False

    @property
    def restocked(self) -> tuple[StockLine, ...]:
        """What was put into stock because of it."""
        if self.restock_key is None:
            return ()
        found = [each for each in self.items if each.restocked_quantity > 0]
        return tuple([StockLine(each.item_id, each.variant_id, each.restocked_quantity) for each in found])

    def restock(self, order_id: str, return_id: str) -> RestockRequest | None:
        """The request to put this into stock; `order_id` and `return_id` are those of its return."""
        if self.restock_key is None:
            return None
        return RestockRequest(self.restock_key, order_id, return_id, self.location_id, self.restocked)


@frozen
class StockWithdrawal:
    """Units that were taken out of stock again, of those that were put in under `restock_key`."""

    restock_key: str
    lines: tuple[StockLine, ...]


def foreign_after(
    goods: tuple[ForeignGoods, ...], corrected: Iterable[CorrectedForeign]
) -> tuple[ForeignGoods, ...]:
    """The foreign goods once there were so many of these; without those of which there were none."""
    quantities = {each.number: each.quantity for each in corrected}
    after = [evolve(each, quantity=quantities.get(each.number, each.quantity)) for each in goods]
    return tuple([each for each in after if each.quantity])


def left_in_stock(
    restocks: Iterable[RestockRequest], withdrawals: Iterable[StockWithdrawal]
) -> tuple[RestockRequest, ...]:
    """The restocks with the units that were not withdrawn since; without those of which nothing is left."""
    gone: dict[tuple[str, str], int] = {}
    for withdrawal in withdrawals:
        for line in withdrawal.lines:
            place = withdrawal.restock_key, line.item_id
            gone[place] = gone.get(place, 0) + line.quantity
    left = []
    for restock in restocks:
        lines = [
            evolve(line, quantity=line.quantity - gone.get((restock.key, line.item_id), 0))
            for line in restock.lines
        ]
        if some := tuple([line for line in lines if line.quantity]):
            left.append(restock if some == restock.lines else evolve(restock, lines=some))
    return tuple(left)


def decisions_after(
    before: tuple[ForeignDecision, ...], decided: Iterable[ForeignDecision]
) -> tuple[ForeignDecision, ...]:
    """What is decided of foreign goods once this is, too."""
    return tuple(sorted([*before, *decided], key=lambda each: each.number))
