"""
Refusals of the values that hosts build, as attrs validators and converters.

Only constructors use these. What `decide` checks about a request lives beside its rule. Converters leave
alone what they cannot convert, so that a validator, which knows the field, refuses it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeGuard, TypeVar, cast

from attrs import Attribute

from rma.domain.values.display import name_kind, show
from rma.domain.values.errors import InvalidValue
from rma.domain.values.frozenmap import FrozenMap, frozen_map
from rma.domain.values.json_data import is_unicode
from rma.domain.values.personal import hidden

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

# attrs is typed so that a validator for several types of fields has to take Any.
Validator = Callable[[object, "Attribute[Any]", object], None]

#: The longest name of a rule or a fee, and the longest tag.
MAX_SHORT_TEXT = 255


def is_whole(value: object, *, at_least: int) -> TypeGuard[int]:
    """True for integers of at least this size; `True` and `1.0` are not integers."""
    return type(value) is int and value >= at_least


def all_are(values: object, kind: type[T]) -> TypeGuard[tuple[T, ...]]:
    """True for a tuple of nothing but `kind`."""
    return isinstance(values, tuple) and all(isinstance(value, kind) for value in values)


def invalid(
    instance: object, field: str, value: object, expected: str, *, hint: str | None = None
) -> InvalidValue:
    """
    The error for one field of a value: which, what it was, what it should have been.

    >>> from rma import Money
    >>> from rma.domain.values.validators import invalid
    >>> str(invalid(Money(1, "usd"), "amount", "1", "an integer"))
    "Money.amount must be an integer, not '1'"
    """
    attributes: Iterable[Attribute[Any]] = getattr(type(instance), "__attrs_attrs__", ())
    hides = any(each.name == field and each.repr is hidden for each in attributes)
    shown = name_kind(value) if hides else show(value)
    details = {"field": f"{type(instance).__name__}.{field}", "value": shown, "expected": expected}
    if hint is not None:
        details["hint"] = hint
    return InvalidValue("invalid_value", details)


def whole(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is an integer of at least 0."""
    if not is_whole(value, at_least=0):
        raise invalid(instance, attribute.name, value, "an integer of at least 0")


def positive_duration(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a timedelta above 0."""
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise invalid(instance, attribute.name, value, "a timedelta above 0")


def text(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise invalid(instance, attribute.name, value, "a string that is not empty")


def is_short_text(value: object) -> TypeGuard[str]:
    """True for a string of 1 to 255 characters that every store can write."""
    return isinstance(value, str) and 0 < len(value) <= MAX_SHORT_TEXT and is_unicode(value)


def short_text(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a string of 1 to 255 characters that every store can write."""
    if not is_short_text(value):
        raise invalid(
            instance, attribute.name, value, f"a string of 1 to {MAX_SHORT_TEXT} characters of Unicode"
        )


def string(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a string, which may be empty."""
    if not isinstance(value, str):
        raise invalid(instance, attribute.name, value, "a string")


def flag(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is True or False; anything else, however truthy, is a mistake."""
    if not isinstance(value, bool):
        raise invalid(instance, attribute.name, value, "True or False")


def aware(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a datetime that knows its time zone."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise invalid(instance, attribute.name, value, "a datetime with a time zone")


def as_utc(value: object) -> Any:
    """
    The same moment in UTC; anything but an aware datetime is left to the validator.

    Python compares and adds local times by the clock on the wall, which jumps when summer time begins or
    ends.
    """
    if isinstance(value, datetime) and value.utcoffset() is not None and value.tzinfo is not UTC:
        try:
            return value.astimezone(UTC)
        except OverflowError:  # in the first or last hours that a datetime can name
            return value
    return value


def mapping(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is what `as_map` makes of any mapping."""
    if not isinstance(value, FrozenMap):
        raise invalid(instance, attribute.name, value, "a mapping")


def member_of(kind: type[E]) -> Validator:
    """The field is a member of `kind`, or was the spelling of one."""

    def check(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, kind):
            expected = ", ".join(member.value for member in kind)
            raise invalid(instance, attribute.name, value, f"one of {expected}")

    return check


def optional_of(kind: type[object]) -> Validator:
    """The field is an instance of `kind`, or None."""

    def check(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is not None and not isinstance(value, kind):
            raise invalid(instance, attribute.name, value, f"a {kind.__name__}")

    return check


def tuple_of(kind: type[T]) -> Validator:
    """The field is a tuple of nothing but `kind`."""

    def check(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if not all_are(value, kind):
            raise invalid(instance, attribute.name, value, f"a list of {kind.__name__}")

    return check


def as_member(kind: type[E], value: E | str) -> E:
    """The member of `kind` that is spelled like this."""
    try:
        return kind(value)
    except ValueError:
        return cast("E", value)


def as_tuple(values: Iterable[T]) -> tuple[T, ...]:
    """The values of any iterable but a string or mapping, whose parts no one means."""
    given: object = values
    if isinstance(given, tuple):
        return given
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping):
        return tuple(given)
    return cast("tuple[T, ...]", given)


def as_map(given: Mapping[str, object]) -> FrozenMap[str, object]:
    """A frozen copy of any mapping."""
    value: object = given
    return frozen_map(given) if isinstance(value, Mapping) else cast("FrozenMap[str, object]", value)
