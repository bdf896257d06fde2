"""What a parcel held: as it was said, checked, and sorted into units of the order and foreign goods."""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from rma.domain.decide.checks import check_filled, check_images, check_text, valid_items, valid_members
from rma.domain.decide.returns.receipt_items import Arrivals
from rma.domain.decide.violations import Violations, error_value
from rma.domain.messages.command_items import ForeignItem, ReceivedItem
from rma.domain.messages.commands import ReceiveReturn, ReceiveUnannounced
from rma.domain.sale.order import LineItem
from rma.domain.state.at_the_dock import ForeignGoods
from rma.domain.state.returns import ReceiptItem
from rma.domain.values.validators import is_whole


@frozen
class Counted:
    """What a parcel held under one item id: of each entry, the sellable and damaged units, and serials."""

    entries: tuple[tuple[int, int, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def units(self) -> int:
        """Sellable and damaged ones."""
        return sum([good + bad for good, bad, _ in self.entries])

    @property
    def has_serials(self) -> bool:
        """True if a serial of any unit was read."""
        return any(serials for _, _, serials in self.entries)

    def plus(self, item: ReceivedItem) -> "Counted":
        """It with further units."""
        return Counted(
            (*self.entries, (item.quantity, item.damaged_quantity, item.serials)),
            (*self.notes, item.note) if item.note else self.notes,
            (*self.images, *item.images),
        )

    @property
    def note(self) -> str | None:
        """All notes, a line each; None if there is none."""
        return "\n".join(self.notes) or None


@frozen
class _BySerial:
    """Units of one item id: sellable and damaged ones that can be of the line, and those that cannot."""

    good: int = 0
    bad: int = 0
    serials: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()


@frozen
class Parcel:
    """What was said of a parcel, without what is malformed."""

    counted: dict[str, Counted]
    foreign: tuple[ForeignItem, ...]

    @property
    def is_empty(self) -> bool:
        """True if nothing was in it."""
        return not self.foreign and not any(each.units for each in self.counted.values())


@frozen
class Sorted:
    """
    A parcel by what its goods are.

    Attributes:
        arrivals: units of the order's lines that the customer had.
        items: of the receipt.
        foreign: all other goods.
        is_covered: False if the order, as it is now, does not have all of these units.
    """

    arrivals: Arrivals = field(factory=dict)
    items: tuple[ReceiptItem, ...] = ()
    foreign: tuple[ForeignGoods, ...] = ()
    is_covered: bool = True

    def held(self, waiting: Mapping[str, int]) -> "Sorted":
        """It with so many units by line that can be sold again, and wait for an inspection."""
        items = [evolve(item, waiting_quantity=waiting.get(item.item_id, 0)) for item in self.items]
        return evolve(self, items=tuple(items))


@frozen
class Limit:
    """
    How many units of a line can arrive.

    Attributes:
        expected: of those that the return reserves.
        receivable: of those and the free ones, as the order is now.
    """

    expected: int = 0
    receivable: int = 0

    @property
    def most(self) -> int:
        """The host may count fewer units as fulfilled than it did, or have removed the line."""
        return max(self.expected, self.receivable)


def read_parcel(wrong: Violations, command: ReceiveReturn | ReceiveUnannounced) -> Parcel:
    """What the command says arrived, added up by item id; appends what is malformed."""
    counted: dict[str, Counted] = {}
    serials: set[str] = set()
    for each in valid_items(wrong, command.items, ReceivedItem, "items"):
        if _check_item(wrong, each, serials):
            counted[each.item_id] = counted.get(each.item_id, Counted()).plus(each)
    if command.location_id is not None:
        check_filled(wrong, "location_id", command.location_id)
    foreign = valid_members(wrong, command.foreign, ForeignItem, "foreign")
    for number, goods in enumerate(foreign):
        check_filled(wrong, f"foreign[{number}].description", goods.description)
        for name, text in (("sku", goods.sku), ("note", goods.note)):
            check_text(wrong, f"foreign[{number}].{name}", text)
        check_images(wrong, goods.images)
        if not is_whole(goods.quantity, at_least=1):
            wrong.add("invalid_quantity", quantity=error_value(goods.quantity), minimum=1)
    return Parcel(counted, foreign)


def _check_item(wrong: Violations, item: ReceivedItem, serials: set[str]) -> bool:
    """True if it can be counted; `serials` are those of the items before."""
    before = len(wrong)
    good, bad = item.quantity, item.damaged_quantity
    if not is_whole(good, at_least=0):
        wrong.add("invalid_quantity", item.item_id, quantity=error_value(good), minimum=0)
    if not is_whole(bad, at_least=0):
        wrong.add("invalid_damaged_quantity", item.item_id, quantity=error_value(bad), minimum=0)
    check_filled(wrong, "item_id", item.item_id, item.item_id)
    check_text(wrong, "note", item.note, item.item_id)
    check_images(wrong, item.images, item.item_id)
    given: object = item.serials
    if not isinstance(given, tuple):
        expected, value = "a list of strings", error_value(given)
        wrong.add("invalid_text", item.item_id, field="serials", expected=expected, value=value)
        return False
    for serial in item.serials:
        known = len(wrong)
        check_filled(wrong, "serial_id", serial, item.item_id)
        if len(wrong) == known and serial in serials:
            wrong.add("serial_given_twice", item.item_id, serial=serial)
        elif len(wrong) == known:
            serials.add(serial)
    if len(wrong) == before and len(item.serials) > good + bad:
        wrong.add("serials_exceed_quantity", item.item_id, serials=len(item.serials), quantity=good + bad)
    return len(wrong) == before


def sort_parcel(
    parcel: Parcel,
    lines: Mapping[str, LineItem],
    limits: Mapping[str, Limit],
    variants: Mapping[str, str | None],
    here: Mapping[str, frozenset[str]],
) -> Sorted:
    """
    The parcel sorted: of each line at most as many units as can arrive, all else is foreign.

    `lines` are the order's, `limits` has every line of order or return, `variants` those of lines that are
    not on the order any more, `here` the serials of units that arrived before and are here. Foreign goods
    are numbered from 1; the caller counts on.
    """
    arrivals: Arrivals = {}
    items: list[ReceiptItem] = []
    foreign: list[ForeignGoods] = []
    is_covered = True
    for item_id, counted in parcel.counted.items():
        line, limit = lines.get(item_id), limits.get(item_id)
        own = _by_serial(counted, line, here.get(item_id, frozenset()))
        most = limit.most if limit else 0
        good = min(own.good, most)
        bad = min(own.bad, most - good)
        count = counted.units - good - bad
        variant_id = line.variant_id if line else variants.get(item_id)
        if limit:
            is_covered = is_covered and good + bad <= limit.receivable
            arrivals[item_id] = (good, bad)
            kept = own.serials[: good + bad]
            items.append(ReceiptItem(item_id, good, bad, variant_id, kept, counted.note, counted.images))
        if count:
            foreign.append(
                ForeignGoods(
                    number=len(foreign) + 1,
                    description=(line.title if line else "") or item_id,
                    quantity=count,
                    sku=variant_id if limit else item_id,
                    item_id=item_id,
                    serials=(*own.strange, *own.serials[good + bad :]),
                    note=None if limit else counted.note,
                    images=() if limit else counted.images,
                )
            )
    for each in parcel.foreign:
        number = len(foreign) + 1
        foreign.append(
            ForeignGoods(
                number, each.description, each.quantity, each.sku, note=each.note, images=each.images
            )
        )
    return Sorted(arrivals, tuple(items), tuple(foreign), is_covered)


def _by_serial(counted: Counted, line: LineItem | None, here: frozenset[str]) -> _BySerial:
    """
    What can be of this line: a number that the line does not name among those sold cannot, nor one that is
    here already. Of an entry with both kinds, sellable units are the ones that cannot.
    """
    sold = line.serials if line else frozenset[str]()
    good, bad, own, strange = 0, 0, list[str](), list[str]()
    for sellable, damaged, serials in counted.entries:
        others = [each for each in serials if each in here or (sold and each not in sold)]
        taken = min(sellable, len(others))
        good += sellable - taken
        bad += damaged - (len(others) - taken)
        own += [each for each in serials if each not in others]
        strange += others
    return _BySerial(good, bad, tuple(own), tuple(strange))
