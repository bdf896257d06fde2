"""
Encoded tuples, kept in memory within a limit of characters; safe with threads.

The documents of one commit share some of what they hold: the record of a return has the receipt that its
event has, and so has the command that is remembered. A long tuple is therefore encoded once. An entry cannot
be out of date: tuples are frozen.
"""

from threading import Lock

from cachetools import LRUCache

from rma.codec.conversion import LongTuple

#: How many characters are kept, those used last.
MAX_CHARACTERS = 4_000_000

#: By the identities of the tuple and of the hook that encodes its values. An entry holds both objects, so
#: that no other object can have their identities.
_TUPLES: LRUCache[tuple[int, int], tuple[str, LongTuple]] = LRUCache(
    MAX_CHARACTERS, getsizeof=lambda entry: len(entry[0])
)
_lock = Lock()


def encode_long_tuple(long: LongTuple) -> str:
    """Encodes a long tuple, or returns its string from the cache."""
    key = id(long.values), id(long.to_json)
    with _lock:
        try:
            return _TUPLES[key][0]
        except KeyError:
            pass
    string = long.encode(encode_long_tuple)
    if len(string) <= MAX_CHARACTERS:
        with _lock:
            _TUPLES[key] = string, long
    return string


def clear() -> None:
    """Empties the cache."""
    with _lock:
        _TUPLES.clear()
