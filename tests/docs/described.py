"""Classes of values as rows of a table: fields, types, defaults, and what docstrings say about them."""

from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from attrs import NOTHING, Factory, fields, has

from rma import Command, Effect, Event, RefundOutcome
from rma.codec.docstrings import meanings, paragraph

#: Unions that are written by their name.
_NAMED = {"Event": Event, "Command": Command, "Effect": Effect, "RefundOutcome": RefundOutcome}


def type_name(annotation: object) -> str:
    """An annotation as it is written, without modules."""
    arguments = get_args(annotation)
    if annotation is NoneType or annotation is None:
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, list):
        return f"[{', '.join(map(type_name, annotation))}]"
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        return " | ".join(_members(arguments))
    if arguments:
        return f"{type_name(get_origin(annotation))}[{', '.join(map(type_name, arguments))}]"
    return getattr(annotation, "__name__", str(annotation))


def _members(arguments: tuple[object, ...]) -> list[str]:
    for name, union in _NAMED.items():
        members = get_args(union)
        if set(members) <= set(arguments):
            return [name, *_members(tuple([each for each in arguments if each not in members]))]
    return [type_name(each) for each in arguments]


def default_name(default: Any) -> str:
    """What a field is unless given."""
    if default is NOTHING:
        return "required"
    if default == () or isinstance(default, Factory):  # type: ignore[arg-type] # it is a class
        return "empty"
    if isinstance(default, timedelta):
        return duration_name(default)
    if isinstance(default, frozenset):  # in an order of its own in each process
        return ", ".join([default_name(each) for each in sorted(default)]) or "empty"
    return f"`{written(default)}`"


def written(default: Any) -> str:
    """A value as a call would give it: without the fields that are not given."""
    if isinstance(default, Enum):
        return repr(default.value)
    if not has(type(default)):
        return repr(default)
    values = {each.name: (getattr(default, each.name), each.default) for each in fields(type(default))}
    given = [f"{name}={written(value)}" for name, (value, unless) in values.items() if value != unless]
    return f"{type(default).__name__}({', '.join(given)})"


def duration_name(duration: timedelta) -> str:
    """A duration in the largest unit of which it is a multiple."""
    for unit, name in ((timedelta(days=1), "days"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if duration % unit == timedelta(0):
            return f"{duration // unit} {name}"
    return f"{duration.total_seconds():g} s"


def code(text: str) -> str:
    """As code in a cell of a table."""
    return f"`{text}`".replace("|", r"\|")


def cell(text: str) -> str:
    """Prose in a cell of a table."""
    return text.replace("|", r"\|")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *map(list, rows)]
    return "\n".join([f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines])


def table_of(kind: type[Any], *, inherited: bool = True) -> str:
    """The fields of an attrs class, with its own docstring's words."""
    means = meanings(kind.__doc__)
    shown = [each for each in fields(kind) if inherited or not each.inherited]
    head = ("field", "type", "unless given", "means")
    rows = [
        (
            code(each.name),
            code(type_name(each.type)),
            default_name(each.default),
            cell(means.get(each.name, "")),
        )
        for each in shown
    ]
    if not any(means.get(each.name) for each in shown):
        return table(head[:3], [row[:3] for row in rows]) if rows else ""
    return table(head, rows) if rows else ""


def section(kind: type[Any], *, inherited: bool = True) -> str:
    """A class under a heading of its own: what it is, and its fields."""
    parts = [f"### {kind.__name__}", paragraph(kind.__doc__), table_of(kind, inherited=inherited)]
    return "\n\n".join(filter(None, parts))
