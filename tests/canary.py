"""A string that is put into every field that can hold data about persons, to be looked for afterwards."""

from typing import Any, TypeVar, cast, get_args, get_type_hints

from attrs import evolve, fields, has

from rma.domain.redaction import group_of
from rma.domain.values.frozenmap import FrozenMap

T = TypeVar("T")

CANARY = "Jane Doe, 555-0100"


def planted(value: T) -> T:
    """The value, and all of its parts, with the string in each such field."""
    return cast("T", _planted(value))


def _planted(value: object) -> object:
    if isinstance(value, tuple):
        return tuple([_planted(each) for each in value])
    if isinstance(value, FrozenMap):
        return FrozenMap({key: _planted(each) for key, each in value.items()})
    kind: type[Any] = type(value)
    if not has(kind):
        return value
    hints = get_type_hints(kind)
    return evolve(
        cast("Any", value),
        **{
            each.name: (
                _planted(getattr(value, each.name))
                if group_of(kind, each.name) is None
                else _text_for(hints[each.name])
            )
            for each in fields(kind)
            if each.init
        },
    )


def _text_for(hint: object) -> object:
    spelled = str(hint)
    if "tuple" in spelled:
        return (CANARY,)
    return FrozenMap({"said": CANARY}) if "FrozenMap" in spelled else CANARY


def strings_in(hint: object) -> bool:
    """True if a field of this type can hold a string of any kind."""
    if hint in (str, object):
        return True
    return any(strings_in(each) for each in get_args(hint))


def classes_in(*hints: object) -> set[type[Any]]:
    """All attrs classes that values of these types have as parts."""
    found: set[type[Any]] = set()
    todo = list(hints)
    while todo:
        hint = todo.pop()
        if isinstance(hint, type) and has(hint):
            if hint not in found:
                found.add(hint)
                todo += get_type_hints(hint).values()
        else:
            todo += get_args(hint)
    return found
