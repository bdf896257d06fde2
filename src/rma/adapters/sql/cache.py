"""
Encoded tuples and decoded documents, kept in memory within a limit of characters; safe with threads.

The documents of one commit share most of what they hold: an event has the items that the return has, and so
has the command that is remembered. A long tuple is therefore encoded once. Documents are cached because a
command usually continues with a return that this process has just written. An entry cannot be out of date:
tuples and decoded values are frozen, and the same document always decodes to the same value.
"""

from contextlib import suppress
from threading import Lock
from typing import TypeVar, cast

from cachetools import LRUCache, cached

from rma.adapters.sql.codec import LongTuple, decode

T = TypeVar("T")

#: How many characters of encoded tuples are kept, those used last.
MAX_TUPLE_CHARACTERS = 1_000_000

#: How many characters of documents are kept, those used last.
MAX_DOCUMENT_CHARACTERS = 4_000_000

#: By the identities of the tuple and of the hook that encodes its values. An entry holds both objects, so
#: that no other object can have their identities.
_TUPLES: LRUCache[tuple[int, int], tuple[LongTuple, str]] = LRUCache(
    MAX_TUPLE_CHARACTERS, getsizeof=lambda entry: len(entry[1])
)
#: By class and document.
_DOCUMENTS: LRUCache[tuple[type, str], tuple[str, object]] = LRUCache(
    MAX_DOCUMENT_CHARACTERS, getsizeof=lambda entry: len(entry[0])
)
_tuples_lock, _documents_lock = Lock(), Lock()


def encode_long_tuple(long: LongTuple) -> str:
    """Encodes a long tuple, or returns its string from the cache."""
    return _encode(long)[1]


def decode_document(document: str, kind: type[T]) -> T:
    """
    Decodes the value of this class from a document, or returns it from the cache.

    Raises:
        Exception: of any class, if the document does not hold such a value.
    """
    return cast("T", _decode(kind, document)[1])


def remember_document(document: str, kind: type[T], value: T) -> None:
    """Puts a value that was just encoded into the cache, for the next `decode_document`."""
    with _documents_lock, suppress(ValueError):  # the document is larger than the whole cache
        _DOCUMENTS[kind, document] = document, value


def clear() -> None:
    """Empties both caches."""
    with _tuples_lock:
        _TUPLES.clear()
    with _documents_lock:
        _DOCUMENTS.clear()


@cached(_TUPLES, key=lambda long: (id(long.values), id(long.to_json)), lock=_tuples_lock)
def _encode(long: LongTuple) -> tuple[LongTuple, str]:
    return long, long.encode(encode_long_tuple)


@cached(_DOCUMENTS, key=lambda kind, document: (kind, document), lock=_documents_lock)
def _decode(kind: type, document: str) -> tuple[str, object]:
    return document, decode(document, kind)
