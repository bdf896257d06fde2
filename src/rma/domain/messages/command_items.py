"""
The parts of commands: what is asked about single lines, kept as it is given.

Lists become tuples and mappings frozen ones; what is neither stays as it is, and `decide` refuses it.
"""

from collections.abc import Iterable
from typing import cast

from attrs import field, frozen

from rma.domain.sale.new_item import NewItem
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden
from rma.domain.values.validators import all_are, as_map, as_tuple


def _as_strings(values: Iterable[str]) -> tuple[str, ...]:
    """A tuple of them."""
    return as_tuple(values)


def _as_sorted(values: Iterable[str]) -> tuple[str, ...]:
    """The strings in order, each once: two requests with the same tags are the same."""
    given: object = values
    if isinstance(given, set | frozenset):
        given = tuple(given)
    tags = as_tuple(cast("Iterable[str]", given))
    return tuple(sorted(set(tags))) if all_are(tags, str) else tags


@frozen(kw_only=True)
class RequestedItem:
    """
    Units of a line item to send back: an integer of at least 1, and why.

    Args:
        tags: what rules of return name, as the host saw the units: `opened`, `worn`.
        images: where pictures of them are, in the host's words: at most 20.
        claim_id: these are units whose price this claim reduced; others come back first unless it is given.
    """

    item_id: str
    quantity: int
    reason_id: str | None = None
    note: str | None = field(default=None, repr=hidden)
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, repr=hidden)
    tags: tuple[str, ...] = field(default=(), converter=_as_sorted)
    images: tuple[str, ...] = field(default=(), converter=_as_strings, repr=hidden)
    claim_id: str | None = None


@frozen(kw_only=True)
class ApprovedItem:
    """Units of a line item that are approved: at most those requested; 0 for none of them."""

    item_id: str
    quantity: int


@frozen(kw_only=True)
class ReceivedItem:
    """
    Units of a line item that arrived: sellable ones, and besides them damaged ones; 0 is a fact.

    Args:
        item_id: of a line of the order; goods under any other id are foreign.
        serials: numbers of these units, as far as they were read; at most one a unit.
        note: what was seen.
        images: where pictures of them are, in the host's words: at most 20.
    """

    item_id: str
    quantity: int
    damaged_quantity: int = 0
    serials: tuple[str, ...] = field(default=(), converter=_as_strings)
    note: str | None = field(default=None, repr=hidden)
    images: tuple[str, ...] = field(default=(), converter=_as_strings, repr=hidden)


@frozen(kw_only=True)
class ForeignItem:
    """
    Goods that arrived and are of no line of the order: a fact, which is worth nothing.

    Args:
        description: what it is.
        quantity: units, an integer of at least 1.
        sku: what the host calls such goods, if it knows.
        images: where pictures of them are, in the host's words: at most 20.
    """

    description: str = field(repr=hidden)
    quantity: int = 1
    sku: str | None = None
    note: str | None = field(default=None, repr=hidden)
    images: tuple[str, ...] = field(default=(), converter=_as_strings, repr=hidden)


@frozen(kw_only=True)
class ForeignDecision:
    """
    What becomes of foreign goods.

    Args:
        number: of the goods, as the return counts them from 1.
        send_back: True if they go back to the customer, False if they are kept without a refund.
    """

    number: int
    send_back: bool
    note: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class MissingItem:
    """
    Requested units of a line item that are not expected any more.

    Args:
        pay: True if they were lost on the way back: they are paid for as if they had arrived in full order.
            False if they are the customer's again.
        reason: why, in the merchant's words.
    """

    item_id: str
    quantity: int
    pay: bool
    reason: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class CorrectedItem:
    """
    What all receipts of a return together should have said of a line item.

    Args:
        item_id: as it was given with the receipt, also if it is of no line.
        quantity, damaged_quantity: all units, foreign ones under this id that no one decided about among
            them: fewer units take those away first.
        grade: of the units that are taken away, if some were graded by an inspection; unless given, what was
            graded last is taken first.
    """

    item_id: str
    quantity: int
    damaged_quantity: int = 0
    grade: str | None = None


@frozen(kw_only=True)
class CorrectedForeign:
    """
    How many foreign goods there were.

    Args:
        number: of the goods, as the return counts them from 1; no one decided about them yet.
        quantity: units, an integer of at least 0; 0 if there were none.
    """

    number: int
    quantity: int


@frozen(kw_only=True)
class RejectedItem:
    """
    Units that arrived and are not paid for: sellable ones, and besides them damaged ones.

    Args:
        reason: why, in the merchant's words.
        send_back: True if they go back to the customer, False if they are kept without a refund.
    """

    item_id: str
    quantity: int
    damaged_quantity: int = 0
    reason: str | None = field(default=None, repr=hidden)
    send_back: bool = True


@frozen(kw_only=True)
class InspectedItem:
    """
    Units of a line item that were looked at: how they are, and where they go.

    Args:
        quantity: how many, at least 1.
        grade: a name of the scale of the return's terms.
        disposition: where they go, in the merchant's words; unless given, where the grade says.
        location_id: where they are put; else the return's location.
        deduction: what is taken off each unit (minor units) instead of the grade's percentage, at most its
            value; with a note that says why.
        note: what the clerk saw.
        images: where pictures of it are, in the host's words.
        reason_id: why they come back as the clerk saw it, if not for the customer's reason; that one stays.
        previous_grade: given where units are graded again: the grade that they had.
        previous_disposition: where these units went, if units of that grade went to several places.
    """

    item_id: str
    quantity: int
    grade: str
    disposition: str | None = None
    location_id: str | None = None
    deduction: Money | int | None = None
    note: str | None = field(default=None, repr=hidden)
    images: tuple[str, ...] = field(default=(), converter=_as_strings, repr=hidden)
    reason_id: str | None = None
    previous_grade: str | None = None
    previous_disposition: str | None = None


@frozen(kw_only=True)
class ClaimItem:
    """
    Units that never arrived, or arrived wrong or broken, or were never sent.

    Args:
        reason: a `ClaimReason`, its spelling will do. `"not_sent"` is for units that are not fulfilled; all
            others are for units that the customer has.
        images: where pictures of it are, in the host's words.
        amount: what the price of all these units together is reduced by, tax included; for `"reduce"` only.
        claim_id: these are units whose price this claim reduced before.
    """

    item_id: str
    quantity: int
    reason: str
    note: str | None = field(default=None, repr=hidden)
    images: tuple[str, ...] = field(default=(), converter=_as_strings, repr=hidden)
    amount: Money | int | None = None
    claim_id: str | None = None


@frozen(kw_only=True)
class ClaimedCharge:
    """
    A charge of the order that a claim gives back: postage, wrapping.

    Args:
        charge_id: of the order's shipping methods or charges.
        amount: so much of it, tax included; all that is left of it unless given.
    """

    charge_id: str
    amount: Money | int | None = None


def requested_items(items: Iterable[RequestedItem]) -> tuple[RequestedItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def approved_items(items: Iterable[ApprovedItem] | None) -> tuple[ApprovedItem, ...] | None:
    """A tuple of them; None stays None."""
    return None if items is None else as_tuple(items)


def received_items(items: Iterable[ReceivedItem]) -> tuple[ReceivedItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def inspected_items(items: Iterable[InspectedItem]) -> tuple[InspectedItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def foreign_items(items: Iterable[ForeignItem]) -> tuple[ForeignItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def foreign_decisions(items: Iterable[ForeignDecision]) -> tuple[ForeignDecision, ...]:
    """A tuple of them."""
    return as_tuple(items)


def missing_items(items: Iterable[MissingItem]) -> tuple[MissingItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def corrected_items(items: Iterable[CorrectedItem]) -> tuple[CorrectedItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def corrected_foreign(items: Iterable[CorrectedForeign]) -> tuple[CorrectedForeign, ...]:
    """A tuple of them."""
    return as_tuple(items)


def rejected_items(items: Iterable[RejectedItem]) -> tuple[RejectedItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def new_items(items: Iterable[NewItem]) -> tuple[NewItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def claim_items(items: Iterable[ClaimItem]) -> tuple[ClaimItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def claimed_charges(charges: Iterable[ClaimedCharge]) -> tuple[ClaimedCharge, ...]:
    """A tuple of them."""
    return as_tuple(charges)
