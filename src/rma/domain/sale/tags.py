"""Tags: plain strings by which a host sorts orders, lines and requested units, and which rules name."""

from collections.abc import Iterable
from typing import Any, cast

from attrs import Attribute

from rma.domain.values.validators import MAX_SHORT_TEXT, invalid, is_short_text

#: What the library says itself about requested units begins with one of these; no tag does.
RESERVED = ("reason:", "fault:", "basis:")

#: What a tag has to be.
EXPECTED = f"strings of 1 to {MAX_SHORT_TEXT} characters that do not begin with {', '.join(RESERVED)}"

_EMPTY: frozenset[Any] = frozenset()


def is_tag(value: object) -> bool:
    """True for a string that is not empty or too long, and does not look like a fact of the library."""
    return is_short_text(value) and not value.startswith(RESERVED)


def as_set(values: Iterable[Any]) -> frozenset[Any]:
    """The values of any iterable but a string, each once; anything else is left to the validator."""
    given: object = values
    if not given and isinstance(given, tuple | list | frozenset | set):
        return _EMPTY
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        try:
            return frozenset(given)
        except TypeError:  # a value that cannot be hashed is not a tag
            return cast("frozenset[Any]", given)
    return cast("frozenset[Any]", given)


def as_tags(values: Iterable[str]) -> frozenset[str]:
    """A converter from any iterable of tags to a set."""
    return as_set(values)


def tags(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a set of tags."""
    if not isinstance(value, frozenset) or not all(map(is_tag, value)):
        raise invalid(instance, attribute.name, value, EXPECTED)
