"""
Commands, events, returns, exchanges, claims, ledgers and effects as JSON documents, and back.

What one release wrote, every later one reads. Needs the extra `codec` (or `sql`): cattrs.

The values and their classes are those of `rma`; a document names its kind in `_type` and the number of its
format in `_format`. `KINDS` has every kind, `json_schema` what its documents look like.
"""

from typing import Any, TypeVar, overload

try:
    import cattrs as _cattrs  # noqa: F401 # to say what is missing
except ImportError as error:
    raise ImportError("rma.codec needs cattrs: pip install 'rma-core[codec]'", name="cattrs") from error

from rma.codec.documents import Unknown, decode_document, encode, is_ignored, read_plain, to_plain
from rma.codec.kinds import FORMAT, KINDS, Coded, PublishedEvent
from rma.codec.schema import draw_schema

T = TypeVar("T")

__all__ = [
    "FORMAT",
    "KINDS",
    "Coded",
    "PublishedEvent",
    "Unknown",
    "decode",
    "encode",
    "from_plain",
    "json_schema",
    "to_plain",
]


@overload
def decode(document: str | bytes, kind: None = None, *, unknown: Unknown = "refuse") -> Coded: ...
@overload
def decode(document: str | bytes, kind: type[T], *, unknown: Unknown = "refuse") -> T: ...
@overload
def decode(document: str | bytes, kind: object, *, unknown: Unknown = "refuse") -> Any: ...
def decode(document: str | bytes, kind: object = None, *, unknown: Unknown = "refuse") -> Any:
    """
    Decodes the value of a JSON document.

    Args:
        document: as `encode` of this or an earlier release wrote it, or another program by the schema; bytes
            in UTF-8.
        kind: what it may be: a class of `KINDS`, or a union of them such as `rma.Event`; any of them unless
            given.
        unknown: `"ignore"` to leave out fields that this release does not know, as a later one may have
            written them. What was read so cannot be written back whole.

    Raises:
        Invalid: `invalid_document`, with a violation for everything that is wrong with it and where.
        InvalidValue: there is no such `kind`.

    >>> from rma import CancelReturn, codec
    >>> command = codec.decode(b'{"_type": "CancelReturn", "_format": 1, "return_id": "ret_1"}')
    >>> command == CancelReturn(return_id="ret_1")
    True
    >>> codec.decode(b'{"_type": "CancelReturn", "_format": 1, "return_id": 1, "why": "late"}')
    Traceback (most recent call last):
    rma.domain.values.errors.Invalid: return_id must be a string, not 1; why is not a field of CancelReturn
    """
    return decode_document(document, kind, unknown)


@overload
def from_plain(plain: object, kind: None = None, *, unknown: Unknown = "refuse") -> Coded: ...
@overload
def from_plain(plain: object, kind: type[T], *, unknown: Unknown = "refuse") -> T: ...
@overload
def from_plain(plain: object, kind: object, *, unknown: Unknown = "refuse") -> Any: ...
def from_plain(plain: object, kind: object = None, *, unknown: Unknown = "refuse") -> Any:
    """
    The value of a document that was parsed already: what a JSON column or a task queue gives back.

    Args:
        plain: as `to_plain` made it; it is not changed.
        kind: as of `decode`.
        unknown: as of `decode`.

    Raises:
        Invalid, InvalidValue: as `decode`.
    """
    return read_plain(plain, kind, unknown)


def json_schema(kind: object = None, *, unknown: Unknown = "refuse") -> dict[str, Any]:
    """
    The JSON Schema (draft 2020-12) of documents of this kind, whole: it refers to nothing outside.

    It accepts what `decode` reads, and more only where `decode` says `refused_value` or `invalid_metadata`.

    Args:
        kind: as of `decode`.
        unknown: `"ignore"` for a schema that accepts the fields of later releases, too.

    Raises:
        InvalidValue: there is no such `kind`.
    """
    return draw_schema(kind, is_open=is_ignored(unknown))
