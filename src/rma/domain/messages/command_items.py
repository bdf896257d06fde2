"""
The parts of commands: what is asked about single lines, kept as it is given.

Lists become tuples and mappings frozen ones; what is neither stays as it is, and `decide` refuses it.
"""

from collections.abc import Iterable
from typing import cast

from attrs import field, frozen

from rma.domain.sale.new_item import NewItem
from rma.domain.values.frozenmap import FrozenMap
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
    """

    item_id: str
    quantity: int
    reason_id: str | None = None
    note: str | None = None
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map)
    tags: tuple[str, ...] = field(default=(), converter=_as_sorted)


@frozen(kw_only=True)
class ApprovedItem:
    """Units of a line item that are approved: at most those requested; 0 for none of them."""

    item_id: str
    quantity: int


@frozen(kw_only=True)
class ReceivedItem:
    """Units of a line item that arrived: sellable ones, and besides them damaged ones; 0 is a fact."""

    item_id: str
    quantity: int
    damaged_quantity: int = 0


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
    reason: str | None = None
    send_back: bool = True


@frozen(kw_only=True)
class ClaimItem:
    """
    Units that never arrived, or arrived wrong or broken.

    Args:
        reason: a `ClaimReason`, its spelling will do.
        images: where pictures of it are, in the host's words.
    """

    item_id: str
    quantity: int
    reason: str
    note: str | None = None
    images: tuple[str, ...] = field(default=(), converter=_as_strings)


def requested_items(items: Iterable[RequestedItem]) -> tuple[RequestedItem, ...]:
    """A tuple of them."""
    return as_tuple(items)


def approved_items(items: Iterable[ApprovedItem] | None) -> tuple[ApprovedItem, ...] | None:
    """A tuple of them; None stays None."""
    return None if items is None else as_tuple(items)


def received_items(items: Iterable[ReceivedItem]) -> tuple[ReceivedItem, ...]:
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
