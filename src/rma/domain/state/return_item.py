"""One line of a return: what was asked, what arrived, and what its units took from the line's pool."""

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from rma.domain.sale.catalogue import Fault
from rma.domain.sale.pricing import PricedLine
from rma.domain.sale.ruling import Ruling
from rma.domain.state.graded_units import GradedUnits
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.lots import ReducedBy
from rma.domain.values.errors import history_incomplete
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import share
from rma.domain.values.personal import hidden


@frozen
class ItemUnits:
    """
    How many units of a requested item arrived and were rejected, as it is afterwards.

    Attributes:
        index: which of the return's items, from 0.
    """

    index: int
    received_quantity: int = 0
    damaged_quantity: int = 0
    rejected_quantity: int = 0
    rejected_damaged_quantity: int = 0
    returned_to_customer_quantity: int = 0
    kept_quantity: int = 0
    lost_quantity: int = 0
    found_quantity: int = 0
    waiting_quantity: int = 0
    graded: tuple[GradedUnits, ...] = ()


@frozen
class ReturnItem:
    """
    A line item in a return.

    Attributes:
        quantity: requested units; 0 for what arrived without being requested.
        received_quantity: arrived and can be sold again.
        damaged_quantity: arrived and cannot. The two are disjoint.
        rejected_quantity, rejected_damaged_quantity: of the received and the damaged ones, how many were
            kept without a refund.
        returned_to_customer_quantity: arrived, and went back to the customer; neither received nor damaged.
        is_requested: False for units that were not requested, or came after they were free again.
        is_late: they were requested, and came after they were free again.
        line: the order's line as it was priced when a return first touched it.
        allocated: the share of the line's pool that these units took, as running sums in minor units.
        ruling: by which rule it was taken, as it was decided when it was requested; None if the policy has
            no rules.
        tags: what the host said of the units when it requested them.
        kept_quantity: units that a rule leaves with the customer, paid for and gone for good.
        lost_quantity: units that were lost on the way back and are paid for.
        found_quantity: of those, how many turned up since: they are received or damaged ones.
        images: where pictures of them are that arrived with the request.
        waiting_quantity: arrived, and wait for an inspection; neither in stock nor paid for.
        graded: those that were inspected, by what was said of them, best grade first.
        source: once the return was revised: which of the items that it was opened with has the price of the
            line, from 0; None for a line that a revision added.
        reduced_by: the last price reduction of its units; None for units without any.
        fault: whose fault its reason said that it is when it was requested; None if it did
            not say, or nothing of its policy is inspected.
    """

    item_id: str
    quantity: int
    line: PricedLine = field(repr=False)
    allocated: tuple[int, ...] = field(repr=False)
    received_quantity: int = 0
    damaged_quantity: int = 0
    reason_id: str | None = None
    note: str | None = field(default=None, repr=hidden)
    is_requested: bool = True
    rejected_quantity: int = 0
    rejected_damaged_quantity: int = 0
    returned_to_customer_quantity: int = 0
    metadata: FrozenMap[str, object] = field(default=FrozenMap(), repr=hidden)
    ruling: Ruling | None = None
    kept_quantity: int = 0
    source: int | None = field(default=None, repr=False)
    lost_quantity: int = 0
    found_quantity: int = 0
    images: tuple[str, ...] = field(default=(), repr=hidden)
    tags: tuple[str, ...] = ()
    is_late: bool = False
    waiting_quantity: int = 0
    graded: tuple[GradedUnits, ...] = ()
    reduced_by: ReducedBy | None = None
    fault: Fault | None = None

    @property
    def rule(self) -> str | None:
        """The name of the rule that spoke for it; None if none did."""
        return None if self.ruling is None else self.ruling.rule

    @property
    def facts(self) -> tuple[str, ...]:
        """What rules saw in it, sorted."""
        return () if self.ruling is None else self.ruling.facts

    @property
    def until(self) -> datetime | None:
        """The last moment of its window that the customer was given; None for always."""
        return None if self.ruling is None else self.ruling.until

    @property
    def is_overruled(self) -> bool:
        """True if a person took it although the rules did not."""
        return self.ruling is not None and self.ruling.is_overruled

    @property
    def gone_quantity(self) -> int:
        """The units that arrived, are lost and paid for, or are paid for and stay with the customer."""
        gone = self.received_quantity + self.damaged_quantity + self.kept_quantity
        return gone + self.lost_quantity - self.found_quantity

    @property
    def arrived_quantity(self) -> int:
        """Received and damaged together."""
        return self.received_quantity + self.damaged_quantity

    @property
    def missing_quantity(self) -> int:
        """Requested units that have not arrived, and are not paid for as lost."""
        if not self.is_requested:
            return 0
        back = self.graded_back_quantity if self.graded else 0
        return self.quantity - self.gone_quantity - back

    @property
    def still_lost_quantity(self) -> int:
        """Of the units that were lost and are paid for, those that did not turn up."""
        return self.lost_quantity - self.found_quantity

    @property
    def is_inspected(self) -> bool:
        """True if its units are paid for, and put into stock, as inspections say."""
        return bool(self.waiting_quantity or self.graded)

    @property
    def graded_quantity(self) -> int:
        """The units that were inspected, those that then went back to the customer among them."""
        return sum([each.quantity for each in self.graded])

    @property
    def graded_back_quantity(self) -> int:
        """The units that went back to the customer by an inspection."""
        return sum([each.quantity for each in self.graded if each.is_returned])

    @property
    def allocated_quantity(self) -> int:
        """The units that `allocated` is the share of."""
        return self.quantity if self.is_requested else self.received_quantity + self.damaged_quantity

    def value(self, quantity: int) -> tuple[int, ...]:
        """The share of the first `quantity` units of this item, as running sums."""
        if not quantity:
            return self.line.nothing
        return share(self.allocated, quantity, self.allocated_quantity)

    def refunded_quantity(self, *, refund_damaged: bool) -> int:
        """The units that arrived and are refunded, those that are kept, and those that are lost."""
        if self.is_inspected:
            graded = sum([each.quantity for each in self.graded if each.is_paid])
            return self.kept_quantity + self.still_lost_quantity + graded
        accepted = self.received_quantity - self.rejected_quantity + self.kept_quantity
        accepted += self.lost_quantity - self.found_quantity
        if refund_damaged:
            accepted += self.damaged_quantity - self.rejected_damaged_quantity
        return accepted

    def units(self, index: int) -> ItemUnits:
        """How many of its units arrived and were rejected; it is the return's item of this index."""
        return ItemUnits(
            index,
            self.received_quantity,
            self.damaged_quantity,
            self.rejected_quantity,
            self.rejected_damaged_quantity,
            self.returned_to_customer_quantity,
            self.kept_quantity,
            self.lost_quantity,
            self.found_quantity,
            self.waiting_quantity,
            self.graded,
        )

    def with_units(self, units: ItemUnits) -> "ReturnItem":
        """The item once so many units arrived and were rejected."""
        return ReturnItem(  # written out: one of these is built for each line of each parcel
            item_id=self.item_id,
            quantity=self.quantity,
            line=self.line,
            allocated=self.allocated,
            received_quantity=units.received_quantity,
            damaged_quantity=units.damaged_quantity,
            reason_id=self.reason_id,
            note=self.note,
            is_requested=self.is_requested,
            rejected_quantity=units.rejected_quantity,
            rejected_damaged_quantity=units.rejected_damaged_quantity,
            returned_to_customer_quantity=units.returned_to_customer_quantity,
            metadata=self.metadata,
            ruling=self.ruling,
            kept_quantity=units.kept_quantity,
            source=self.source,
            lost_quantity=units.lost_quantity,
            found_quantity=units.found_quantity,
            images=self.images,
            waiting_quantity=units.waiting_quantity,
            graded=units.graded,
            tags=self.tags,
            is_late=self.is_late,
            reduced_by=self.reduced_by,
            fault=self.fault,
        )


def once_judged(status: ReturnStatus, items: Sequence[ReturnItem]) -> ReturnStatus:
    """This status of a return with these items; in inspection, if it is received and some are not graded."""
    if status is ReturnStatus.RECEIVED and any(item.waiting_quantity for item in items):
        return ReturnStatus.IN_INSPECTION
    return status


@frozen
class RevisedItem:
    """
    An item of a return that was revised before anything arrived: all of it but its line and the line's price.

    Attributes:
        index: the item that has the price, from 0: in an event, among the return's items before it; in a
            row, among those that the return was opened with.
        ruling: None for that of the item that has the price.
    """

    index: int
    quantity: int
    allocated: tuple[int, ...]
    reason_id: str | None = None
    note: str | None = field(default=None, repr=hidden)
    metadata: FrozenMap[str, object] = field(default=FrozenMap(), repr=hidden)
    ruling: Ruling | None = None
    images: tuple[str, ...] = field(default=(), repr=hidden)
    tags: tuple[str, ...] = ()
    reduced_by: ReducedBy | None = None
    fault: Fault | None = None


#: An item after a revision: of a line whose price is known already, or with a price of its own.
ItemRevision = RevisedItem | ReturnItem


def revision_between(before: Sequence[ReturnItem], after: Sequence[ReturnItem]) -> tuple[ItemRevision, ...]:
    """What an event says of the items after it: it does not repeat a price that is among those before."""
    backwards = list(reversed(list(enumerate(before))))
    known = {item.item_id: index for index, item in backwards}
    ruled = {(item.item_id, item.ruling): index for index, item in backwards}
    revised: list[ItemRevision] = []
    for item in after:
        index = ruled.get((item.item_id, item.ruling), known.get(item.item_id))
        if index is not None and before[index].line == item.line:
            revised.append(revise(item, before[index], index))
        else:
            revised.append(item)
    return tuple(revised)


def revise(item: ReturnItem, of: ReturnItem, index: int) -> ItemRevision:
    """What is to be said of an item whose price is that of another, which has this index."""
    if item.ruling is None and of.ruling is not None:
        return item
    return RevisedItem(
        index,
        item.quantity,
        item.allocated,
        item.reason_id,
        item.note,
        item.metadata,
        None if item.ruling == of.ruling else item.ruling,
        item.images,
        item.tags,
        item.reduced_by,
        item.fault,
    )


def revise_items(
    before: Sequence[ReturnItem], revision: Sequence[ItemRevision], *, is_first: bool
) -> tuple[ReturnItem, ...]:
    """
    The items after a revision of those before; `is_first` if none of them was revised before.

    Raises:
        InvalidValue: `history_incomplete`: an item is revised that is not among them.
    """
    revised = []
    for each in revision:
        if isinstance(each, RevisedItem):
            _require_item(before, each.index)
            source = each.index if is_first else before[each.index].source
            revised.append(_revise(before[each.index], each, source))
        else:
            revised.append(each)
    return tuple(revised)


def _require_item(items: Sequence[ReturnItem], index: int) -> None:
    if index >= len(items):
        raise history_incomplete(f"what made item {index + 1} of a return that has {len(items)} without it")


def _revise(before: ReturnItem, revised: RevisedItem, source: int | None) -> ReturnItem:
    return ReturnItem(
        item_id=before.item_id,
        quantity=revised.quantity,
        line=before.line,
        allocated=revised.allocated,
        reason_id=revised.reason_id,
        note=revised.note,
        metadata=revised.metadata,
        ruling=before.ruling if revised.ruling is None else revised.ruling,
        source=source,
        images=revised.images,
        tags=revised.tags,
        reduced_by=revised.reduced_by,
        fault=revised.fault,
    )


@frozen
class ItemChanges:
    """
    What an event changed in the items of a return, as they are afterwards.

    Attributes:
        units: of requested items: their prices and shares stay as they are.
        unrequested: items that arrived without being requested, with the prices of their lines.
    """

    units: tuple[ItemUnits, ...] = ()
    unrequested: tuple[ReturnItem, ...] = ()


def changes_between(before: Sequence[ReturnItem], after: Sequence[ReturnItem]) -> ItemChanges:
    """What was changed in the items before: those after are the same ones and further unrequested ones."""
    units, unrequested = [], []
    for index, item in enumerate(after):
        if index < len(before) and item is before[index]:
            continue
        if item.is_requested:
            units.append(item.units(index))
        else:
            unrequested.append(item)
    return ItemChanges(tuple(units), tuple(unrequested))


def items_after(before: tuple[ReturnItem, ...], changes: ItemChanges) -> tuple[ReturnItem, ...]:
    """
    The items once this was changed in them.

    Raises:
        InvalidValue: `history_incomplete`: the change is of an item that is not among them.
    """
    if not changes.units and not changes.unrequested:
        return before
    items = list(before)
    for units in changes.units:
        _require_item(items, units.index)
        items[units.index] = items[units.index].with_units(units)
    if changes.unrequested:
        places = {_place(item): index for index, item in enumerate(before) if not item.is_requested}
        for item in changes.unrequested:
            place = _place(item)
            if place in places:
                items[places[place]] = item
            else:
                items.append(item)
    return tuple(items)


def _place(item: ReturnItem) -> tuple[object, ...]:
    """
    What distinguishes an unrequested item from others of its line.

    A line can be there several times: its discounts or taxes were changed between two parcels, or units of
    it were requested for different reasons and arrived late, or their prices were reduced.
    """
    return item.item_id, item.line, item.is_late, item.reason_id, item.tags, item.ruling, item.reduced_by
