"""What an upgrade is."""

from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen
from sqlalchemy import Connection

#: Documents as plain JSON.
Documents = list[dict[str, Any]]


@frozen
class Conversion:
    """
    How the documents of an order are converted.

    Attributes:
        events: takes the documents of all its events in the format before, the oldest first, and returns as
            many in the format afterwards. Whatever it raises leaves the order as it is.
        refund_keys: takes the document of a return, exchange or claim in the format before, and returns the
            keys of its refunds, which history has to know.
    """

    events: Callable[[Documents], Documents]
    refund_keys: Callable[[dict[str, Any]], set[str]]


@frozen
class Upgrade:
    """
    An upgrade of tables and documents from the format before.

    Attributes:
        format: the format afterwards.
        is_breaking: True if releases of older formats must not write afterwards. An upgrade is not breaking
            if it adds columns that may be null, or indexes: their statements go on, and a document with a
            field that they do not know is unreadable to them, and so its order.
        change_tables: changes tables, columns and indexes.
        conversion: of documents; None if those of the format before are read as they are.
    """

    format: int
    is_breaking: bool
    change_tables: Callable[[Connection], None]
    conversion: Conversion | None = None


def combine(upgrades: Iterable[Upgrade]) -> Conversion:
    """Returns the conversion that does what those of these upgrades do in turn."""
    found = [each.conversion for each in upgrades if each.conversion is not None]

    def events(documents: Documents) -> Documents:
        for each in found:
            documents = each.events(documents)
        return documents

    return Conversion(events, found[0].refund_keys if found else lambda _: set())
