"""
Refusals of the values that hosts build, as attrs validators and converters.

Only constructors use these. What `decide` checks about a request lives beside its rule.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeGuard, TypeVar

from attrs import Attribute

from rma.domain.values.errors import InvalidValue
from rma.domain.values.frozenmap import FrozenMap, frozen_map

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def is_whole(value: object, *, at_least: int) -> TypeGuard[int]:
    """True for integers of at least this size; `True` and `1.0` are not integers."""
    return type(value) is int and value >= at_least


def all_are(values: object, kind: type[T]) -> TypeGuard[tuple[T, ...]]:
    """True for a tuple of nothing but `kind`."""
    return isinstance(values, tuple) and all(isinstance(value, kind) for value in values)


def invalid(instance: object, field: str, value: object, expected: str) -> InvalidValue:
    """The error for one field of a value: which, what it was, what it should have been."""
    name = f"{type(instance).__name__}.{field}"
    return InvalidValue("invalid_value", {"field": name, "value": repr(value), "expected": expected})


# attrs is typed so that a validator for several types of fields has to take Any.
def whole(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a whole number of at least 0."""
    if not is_whole(value, at_least=0):
        raise invalid(instance, attribute.name, value, "a whole number of at least 0")


def text(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise invalid(instance, attribute.name, value, "a text that is not empty")


def flag(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is True or False; anything else, however truthy, is a mistake."""
    if not isinstance(value, bool):
        raise invalid(instance, attribute.name, value, "True or False")


def aware(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a datetime that knows its time zone."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise invalid(instance, attribute.name, value, "a datetime with a time zone")


def member_of(kind: type[E], value: E | str) -> E:
    """The member of `kind` that this is, or is the spelling of."""
    try:
        return kind(value)
    except ValueError:
        expected = ", ".join(member.value for member in kind)
        details = {"field": kind.__name__, "value": repr(value), "expected": expected}
        raise InvalidValue("invalid_value", details) from None


def tuple_of(kind: type[T], values: object) -> tuple[T, ...]:
    """Any iterable of `kind` as a tuple."""
    found: object = tuple(values) if isinstance(values, Iterable) else values
    if not all_are(found, kind):
        expected = f"a list of {kind.__name__}"
        raise InvalidValue(
            "invalid_value", {"field": kind.__name__, "value": repr(values), "expected": expected}
        )
    return found


def metadata(mapping: Mapping[str, object]) -> FrozenMap[str, object]:
    """A converter from any mapping to a frozen copy."""
    given: object = mapping
    if not isinstance(given, Mapping):
        details = {"field": "metadata", "value": repr(given), "expected": "a mapping"}
        raise InvalidValue("invalid_value", details)
    return frozen_map(mapping)
