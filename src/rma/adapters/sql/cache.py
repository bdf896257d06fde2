"""
Encoded tuples and decoded documents, kept in memory within a limit of characters; safe with threads.

The documents of one commit share most of what they hold: an event has the items that the return has, and so
has the command that is remembered. A long tuple is therefore encoded once. Documents are cached because a
command usually continues with a return that this process has just written. An entry cannot be out of date:
tuples and decoded values are frozen, and the same document always decodes to the same value.
"""

from threading import Lock
from typing import Any, TypeVar

from cachetools import LRUCache

from rma.adapters.sql.codec import LongTuple, decode

T = TypeVar("T")

#: How many characters of encoded tuples are kept, those used last.
MAX_TUPLE_CHARACTERS = 4_000_000

#: How many characters of documents are kept, those used last.
MAX_DOCUMENT_CHARACTERS = 4_000_000

#: By the identities of the tuple and of the hook that encodes its values. An entry holds both objects, so
#: that no other object can have their identities.
_TUPLES: LRUCache[tuple[int, int], tuple[str, LongTuple]] = LRUCache(
    MAX_TUPLE_CHARACTERS, getsizeof=lambda entry: len(entry[0])
)
#: By class and document.
_DOCUMENTS: LRUCache[tuple[type, str], tuple[str, Any]] = LRUCache(
    MAX_DOCUMENT_CHARACTERS, getsizeof=lambda entry: len(entry[0])
)
_tuples_lock, _documents_lock = Lock(), Lock()

# A load looks up every return of its order, so that the calls which `cachetools.cached` adds would be felt.


def encode_long_tuple(long: LongTuple) -> str:
    """Encodes a long tuple, or returns its string from the cache."""
    key = id(long.values), id(long.to_json)
    with _tuples_lock:
        try:
            return _TUPLES[key][0]
        except KeyError:
            pass
    string = long.encode(encode_long_tuple)
    if len(string) <= MAX_TUPLE_CHARACTERS:
        with _tuples_lock:
            _TUPLES[key] = string, long
    return string


def decode_document(document: str, kind: type[T]) -> T:
    """
    Decodes the value of this class from a document, or returns it from the cache.

    Raises:
        Exception: of any class, if the document does not hold such a value.
    """
    with _documents_lock:
        try:
            return _DOCUMENTS[kind, document][1]  # type: ignore[no-any-return] # of this class, by its key
        except KeyError:
            pass
    value: T = decode(document, kind)
    remember_document(document, kind, value)
    return value


def remember_document(document: str, kind: type[T], value: T) -> None:
    """Puts a value that was just encoded into the cache, for the next `decode_document`."""
    if len(document) <= MAX_DOCUMENT_CHARACTERS:
        with _documents_lock:
            _DOCUMENTS[kind, document] = document, value


def clear() -> None:
    """Empties both caches."""
    with _tuples_lock:
        _TUPLES.clear()
    with _documents_lock:
        _DOCUMENTS.clear()
