"""
What metadata may hold: what JSON can carry, so that every store gives it back equal.

That is None, True and False, strings, integers, finite floats, and lists and mappings of these with strings
for keys, at most `MAX_DEPTH` levels deep, and at most `MAX_BYTES` in all.
"""

from collections.abc import Iterator
from math import isfinite

from attrs import frozen

from rma.domain.values.display import MAX_DIGITS, is_writable, name_kind, show
from rma.domain.values.frozenmap import MAX_DEPTH

#: How large metadata may be, as JSON in UTF-8 without spaces.
MAX_BYTES = 65_536

#: Characters that JSON escapes with two characters, and control characters, which take six.
_SHORT_ESCAPES = '"\\\b\f\n\r\t'
_ESCAPED = dict.fromkeys(range(32), "\\u0000") | {ord(each): "\\_" for each in _SHORT_ESCAPES}


@frozen
class Unstorable:
    """
    A value within metadata that a store could not give back.

    Attributes:
        path: where it is, such as `metadata.parcels[2].weight`.
        expected: what may be there, as a sentence says it.
        value: what is there, as an error shows it.
    """

    path: str
    expected: str
    value: str


def find_unstorable(value: object, path: str, parents: tuple[int, ...] = ()) -> Iterator[Unstorable]:
    """
    Everything in these metadata that a store could not give back equal, in its order.

    `parents` are the identities of the mappings and lists that hold the value: one that contains itself has
    no end.
    """
    if not isinstance(value, dict | list):
        expected = _expected(value)
        if expected is not None:
            yield Unstorable(path, expected, _shown(value))
        return
    if len(parents) >= MAX_DEPTH or id(value) in parents:
        yield Unstorable(path, f"part of metadata at most {MAX_DEPTH} levels deep", name_kind(value))
        return
    inside = (*parents, id(value))
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from find_unstorable(each, f"{path}[{index}]", inside)
        return
    for key, each in value.items():
        if isinstance(key, str) and is_unicode(key):
            yield from find_unstorable(each, path + path_step(key), inside)
        else:
            expected = "a mapping with strings of Unicode for keys"
            yield Unstorable(path, expected, f"one with the key {show(key)}")


def json_size(value: object) -> int:
    """
    Returns the bytes of what `find_unstorable` accepts, as JSON in UTF-8 without spaces.

    >>> from rma.domain.values.json_data import json_size
    >>> json_size({"note": ["é", 12, None]}), len('{"note":["é",12,null]}'.encode())
    (23, 23)
    """
    match value:
        case str():
            return len(value.translate(_ESCAPED).encode()) + 2
        case bool():
            return 4 if value else 5
        case None:
            return 4
        case dict():
            return (
                sum([json_size(key) + json_size(each) + 2 for key, each in value.items()]) + (not value) + 1
            )
        case list():
            return sum([json_size(each) + 1 for each in value]) + (not value) + 1
        case _:
            return len(repr(value))


def is_unicode(value: str) -> bool:
    """True unless it holds half of a surrogate pair, which UTF-8 cannot write."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    """Numbers as they are; of anything else its class, since it may be what a person said."""
    return show(value) if isinstance(value, int | float) else name_kind(value)


def _expected(value: object) -> str | None:
    """What a value that is neither mapping nor list should be instead; None if it is storable."""
    match value:
        case str():
            return None if is_unicode(value) else "a string of Unicode"
        case int():
            return None if is_writable(value) else f"an integer of at most {MAX_DIGITS} digits"
        case float():
            return None if isfinite(value) else "a finite number"
        case None:
            return None
        case _:
            return "what JSON can carry"


def path_step(key: str) -> str:
    """
    The field of this name, as a path goes on with it.

    >>> from rma.domain.values.json_data import path_step
    >>> path_step("weight"), path_step("two words")
    ('.weight', "['two words']")
    """
    return f".{key}" if key.isidentifier() and len(key) <= 40 else f"[{show(key)}]"
