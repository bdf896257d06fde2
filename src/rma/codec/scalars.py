"""Shapes of what JSON writes as one string, number or constant, and of metadata."""

import re
from collections.abc import Callable
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from attrs import field, frozen

from rma.codec.found import Found, Path
from rma.codec.shape import Drawing, Schema, Shape
from rma.domain.values.display import is_writable, show
from rma.domain.values.validators import as_utc

_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_CURRENCY = r"^[A-Za-z]{3}$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# Python takes a second for 1E+999999 as a fraction, and no percentage has such an exponent.
_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"


def write_instant(value: datetime) -> str:
    """An aware timestamp in UTC, ISO 8601: the same moment is always the same string."""
    written: datetime = as_utc(value)
    return written.isoformat()


def _is_string(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and is_writable(value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_instant(value: object) -> bool:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return False
    return re.match(_INSTANT, write_instant(value)) is not None


def _is_day(value: object) -> bool:
    return type(value) is date


def _is_decimal(value: object) -> bool:
    return isinstance(value, Decimal) and re.match(_DECIMAL, str(value)) is not None


def _is_zone(value: object) -> bool:
    return isinstance(value, tzinfo) and isinstance(getattr(value, "key", None), str)


def _matches(pattern: str) -> Callable[[object], bool]:
    compiled = re.compile(pattern)
    return lambda plain: isinstance(plain, str) and compiled.fullmatch(plain) is not None


@frozen
class Scalar(Shape):
    """
    A value that is one string, number or constant.

    Attributes:
        expected: what it is, as errors say it.
        is_value: True for those in memory.
        is_plain: True for those in JSON.
        drawn: the JSON Schema.
        find: raises for a string that is well-formed and names nothing, such as February 30.
    """

    expected: str
    is_value: Callable[[object], bool]
    is_plain: Callable[[object], bool]
    drawn: Schema
    find: Callable[[str], object] | None = None

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Notes what is not such a value."""
        if not self.is_value(value):
            found.invalid(path, self.expected, value)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Notes what is not written as such a value is, or names none."""
        if not self.is_plain(plain):
            found.invalid(path, self.expected, plain)
        elif self.find is not None:
            try:
                self.find(plain)
            except (ValueError, KeyError, OSError, ArithmeticError):
                found.refused(path, f"there is no {show(plain)}")
        return plain

    def schema(self, drawing: Drawing) -> Schema:  # noqa: ARG002 # it refers to nothing
        """The schema that was given."""
        return self.drawn


STRING = Scalar("a string", _is_string, _is_string, {"type": "string"})
CURRENCY = Scalar(
    "a three-letter currency code",
    _matches(_CURRENCY),
    _matches(_CURRENCY),
    {"type": "string", "pattern": _CURRENCY},
)
WHOLE = Scalar("an integer", _is_whole, _is_whole, {"type": "integer"})
FLAG = Scalar("True or False", _is_flag, _is_flag, {"type": "boolean"})
INSTANT = Scalar(
    "a timestamp with its offset from UTC",
    _is_instant,
    _matches(_INSTANT),
    {"type": "string", "format": "date-time", "pattern": _INSTANT},
    datetime.fromisoformat,
)
DAY = Scalar(
    "a date",
    _is_day,
    _matches(_DAY),
    {"type": "string", "format": "date", "pattern": _DAY},
    date.fromisoformat,
)
DECIMAL = Scalar(
    "a decimal number in a string",
    _is_decimal,
    _matches(_DECIMAL),
    {"type": "string", "pattern": _DECIMAL},
    Decimal,
)
ZONE = Scalar("the name of a time zone", _is_zone, _is_string, {"type": "string"}, ZoneInfo)


@frozen
class Member(Shape):
    """A member of an enumeration, written as its value."""

    kind: type[StrEnum]
    values: frozenset[str] = field(init=False)

    @values.default
    def _values(self) -> frozenset[str]:
        return frozenset([each.value for each in self.kind])

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Notes what is not a member."""
        if not isinstance(value, self.kind):
            found.invalid(path, self._expected, value)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Notes what is not the value of a member."""
        if not isinstance(plain, str) or plain not in self.values:
            found.invalid(path, self._expected, plain)
        return plain

    def schema(self, drawing: Drawing) -> Schema:  # noqa: ARG002 # it refers to nothing
        """Its values."""
        return {"type": "string", "enum": [each.value for each in self.kind]}

    @property
    def _expected(self) -> str:
        return f"one of {', '.join([each.value for each in self.kind])}"


class Metadata(Shape):
    """What hosts and carriers put into a mapping: an object with anything that JSON can carry."""

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Notes each part that JSON cannot carry."""
        if isinstance(value, dict):
            found.check_metadata(value, path)
        else:
            found.invalid(path, "a mapping", value)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Notes what is not an object, or too deep to be kept."""
        self.judge(plain, path, found)
        return plain

    def schema(self, drawing: Drawing) -> Schema:  # noqa: ARG002 # it refers to nothing
        """Any object."""
        return {"type": "object"}
