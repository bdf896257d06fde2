"""
What was read or written last, kept in memory within a limit of characters; safe with threads.

A command usually continues with a return that this process has just read or written, or that is one of many
of its order. An entry cannot be out of date: what was restored is frozen, and the same documents always
restore an equal value.
"""

from threading import Lock
from typing import TypeVar, cast

from cachetools import LRUCache

from rma.adapters.sql import encoded
from rma.adapters.sql.documents import CHANGES, Changes, Record, Restored, decode_event, restore
from rma.codec.conversion import decode
from rma.domain.events import Opening

D = TypeVar("D", bound=Changes | Record)

#: How many characters of documents are kept with what they hold, those used last: of events that opened
#: something, of the documents of rows, and of what was restored from both.
MAX_CHARACTERS = 4_000_000

#: Revision and number of the event that opened it, document and record of a row, document of that event.
Documents = tuple[int, int, str | None, str | None, str | None]

#: The row of an event that opened something: order id, revision, number, document.
EventRow = tuple[str, int, int, str]

_OPENINGS: LRUCache[EventRow, tuple[int, Opening]] = LRUCache(
    MAX_CHARACTERS, getsizeof=lambda entry: entry[0]
)
#: By that event, document and record.
_RESTORED: LRUCache[tuple[EventRow, str | None, str | None], tuple[int, Restored]] = LRUCache(
    MAX_CHARACTERS, getsizeof=lambda entry: entry[0]
)
#: By class and document, what `document` and `record` of a row hold.
_DOCUMENTS: LRUCache[tuple[type, str], tuple[int, Changes | Record]] = LRUCache(
    MAX_CHARACTERS, getsizeof=lambda entry: entry[0]
)
_lock = Lock()

# A load looks up every return of its order, so that the calls which `cachetools.cached` adds would be felt.


def restored(order_id: str, kind: str, documents: Documents) -> Restored:
    """
    Restores what a row and the document of the event that opened it say, or returns it from the cache.

    Raises:
        Exception: of any class, if they do not say such a thing.
    """
    revision, number, document, record, opening = documents
    if opening is None:
        raise LookupError(f"the event that opened it is not there: {revision}/{number}")
    place = order_id, revision, number, opening
    key = place, document, record
    with _lock:
        try:
            return _RESTORED[key][1]
        except KeyError:
            pass
    value = restore(
        _opening(place),
        _decoded(document, CHANGES[kind]) if document is not None else None,
        _decoded(record, Record) if record is not None else None,
    )
    size = len(opening) + len(document or "") + len(record or "")
    if size <= MAX_CHARACTERS:
        with _lock:
            _RESTORED[key] = size, value
    return value


def remember_opening(order_id: str, revision: int, number: int, document: str, event: Opening) -> None:
    """Puts an event that was just encoded into the cache: the next command on what it opened reads it."""
    if len(document) <= MAX_CHARACTERS:
        with _lock:
            _OPENINGS[order_id, revision, number, document] = len(document), event


def remember_document(document: str, value: Changes | Record) -> None:
    """Does the same for what a row holds."""
    if len(document) <= MAX_CHARACTERS:
        with _lock:
            _DOCUMENTS[type(value), document] = len(document), value


def _decoded(document: str, kind: type[D]) -> D:
    with _lock:
        try:
            return cast("D", _DOCUMENTS[kind, document][1])
        except KeyError:
            pass
    value: D = decode(document, kind)  # what is restored from it is kept
    return value


def _opening(place: EventRow) -> Opening:
    with _lock:
        try:
            return _OPENINGS[place][1]
        except KeyError:
            pass
    event = decode_event(*place)
    if not isinstance(event, Opening):
        raise TypeError(f"{type(event).__name__} opens nothing")
    return event


def clear() -> None:
    """Empties all of them, and that of encoded tuples."""
    encoded.clear()
    with _lock:
        _OPENINGS.clear()
        _RESTORED.clear()
        _DOCUMENTS.clear()
