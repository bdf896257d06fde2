"""Shapes of classes and of unions of classes, and which shape a type has."""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

from attrs import NOTHING, Attribute, evolve, fields, frozen, has, resolve_types

from rma.codec.containers import ListOf, MapOf, ObjectOr, Optional, Row
from rma.codec.conversion import TAG
from rma.codec.docstrings import meanings, paragraph
from rma.codec.found import Found, Path
from rma.codec.scalars import (
    CURRENCY,
    DAY,
    DECIMAL,
    FLAG,
    INSTANT,
    STRING,
    WHOLE,
    ZONE,
    Member,
    Metadata,
    Scalar,
)
from rma.codec.shape import Drawing, Fields, Schema, Shape
from rma.domain.messages.effects import OpenEffect
from rma.domain.values.display import show, with_article
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money

#: The effects of a ledger that are open. Their order counts and their requests have the keys, so that they
#: are written as a list; databases that understand JSON forget the order of an object.
OPEN_EFFECTS = FrozenMap[str, OpenEffect]

#: How many kinds an error names.
MOST_NAMED = 10

#: Fields whose values are fewer than those of their type.
_NARROWER: Mapping[tuple[type, str], Shape] = {(Money, "currency"): CURRENCY}


@frozen
class OpenEffects(Shape):
    """The open effects of a ledger by key, written as a list of them."""

    each: Shape

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges each, and that it is under its key."""
        if not isinstance(value, dict):
            found.invalid(path, "a mapping", value)
            return
        before = found.number
        for key, each in value.items():
            self.each.judge(each, (path, str(key)), found)
        if found.number == before:
            for key, each in value.items():
                if each.request.key != key:
                    found.refused((path, str(key)), f"its request has the key {show(each.request.key)}")

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads each; no key is there twice."""
        before = found.number
        read = ListOf(self.each).read(plain, path, found)
        if found.number == before:
            seen = set()
            for index, each in enumerate(read):
                key = each["request"]["key"]
                if key in seen:
                    found.refused((path, index), f"its key {show(key)} is there before")
                seen.add(key)
        return read

    def schema(self, drawing: Drawing) -> Schema:
        """A list of them."""
        return ListOf(self.each).schema(drawing)


class OneOf(Shape):
    """A value of one of these classes, written with the name of its class in `_type`."""

    def __init__(self, kinds: tuple[type[Any], ...]) -> None:
        self._by_name: dict[str, ObjectOf] = {each.__name__: object_of(each) for each in kinds}
        self._expected = "the name of one of rma.codec.KINDS"
        if len(kinds) <= MOST_NAMED:
            self._expected = f"{'one of ' if len(kinds) > 1 else ''}{', '.join(self._by_name)}"

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges by its class."""
        shape = self._by_name.get(type(value).__name__)
        if shape is None:
            found.invalid(path, self._expected, value)
        else:
            shape.judge(value, path, found)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads by the class that it names; of another it says nothing else."""
        return self.read_with(plain, path, found, (TAG,))

    def read_with(self, plain: Any, path: Path, found: Found, besides: tuple[str, ...]) -> Any:
        """The same for an object that has more fields than its class, its tag among them; these are kept."""
        if not isinstance(plain, dict):
            found.invalid(path, "an object", plain)
            return {}
        if TAG not in plain:
            found.missing(
                path, TAG, "the document" if path is None else "an object of one of several classes"
            )
            return {}
        name = plain[TAG]
        shape = self._by_name.get(name) if isinstance(name, str) else None
        if shape is None:
            found.of_no_kind((path, TAG), self._expected, name)
            return {}
        return {TAG: name, **shape.read_fields(plain, path, found, besides)}

    def schema(self, drawing: Drawing) -> Schema:
        """Any of them, known by its tag."""
        drawn = [each.tagged(drawing) for each in self._by_name.values()]
        return drawn[0] if len(drawn) == 1 else {"oneOf": drawn}


class ObjectOf(Shape):
    """A value of one class, written as an object with the fields that differ from their defaults."""

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind
        self._name = kind.__name__

    @cached_property
    def _attributes(self) -> "tuple[Attribute[Any], ...]":
        return tuple(fields(resolve_types(self.kind)))

    @cached_property
    def _fields(self) -> Fields:
        return {
            each.name: _NARROWER.get((self.kind, each.name)) or shape_of(cast("Any", each.type))
            for each in self._attributes
        }

    @cached_property
    def _required(self) -> tuple[str, ...]:
        return tuple([each.name for each in self._attributes if each.default is NOTHING])

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges each field of an instance."""
        if type(value) is not self.kind:
            found.invalid(path, with_article(self._name), value)
            return
        for name, shape in self._fields.items():
            shape.judge(getattr(value, name), (path, name), found)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads each field of an object."""
        if not isinstance(plain, dict):
            found.invalid(path, f"an object, {with_article(self._name)}", plain)
            return {}
        return self.read_fields(plain, path, found)

    def read_fields(
        self, plain: dict[Any, Any], path: Path, found: Found, besides: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Reads each field; `besides` are others that may be there, and are left out."""
        before = found.number
        read = {}
        for name, value in plain.items():
            if (shape := self._fields.get(name)) is not None:
                read[name] = shape.read(value, (path, name), found)
            elif name not in besides:
                found.unknown(path, name, self._name)
        for name in self._required:
            if name not in plain:
                found.missing(path, name, self._name)
        if found.number == before:
            found.try_to_build(read, self.kind, path)
        return read

    def schema(self, drawing: Drawing) -> Schema:
        """A reference to the class."""
        return drawing.refer_to(self._name, lambda: self._drawn(drawing, {}))

    def tagged(self, drawing: Drawing) -> Schema:
        """A reference to the class with its name in `_type`."""
        tag = {TAG: {"const": self._name}}
        return drawing.refer_to(f"{self._name}Member", lambda: self._drawn(drawing, tag))

    def document(self, drawing: Drawing, envelope: Mapping[str, Schema]) -> Schema:
        """A reference to the class as a document of its own, with these fields besides."""
        besides = {TAG: {"const": self._name}, **envelope}
        return drawing.refer_to(f"{self._name}Document", lambda: self._drawn(drawing, besides))

    def _drawn(self, drawing: Drawing, besides: Mapping[str, Schema]) -> Schema:
        says = meanings(self.kind.__doc__)
        properties = dict(besides)
        for each in self._attributes:
            drawn = dict(self._fields[each.name].schema(drawing))
            if each.name in says:
                drawn["description"] = says[each.name]
            if each.default is not NOTHING:
                drawn["default"] = drawing.default(each)
            properties[each.name] = drawn
        schema: Schema = {"type": "object"}
        if said := paragraph(self.kind.__doc__):
            schema["description"] = said
        schema["properties"] = properties
        if required := [*besides, *self._required]:
            schema["required"] = required
        if not drawing.is_open:
            schema["additionalProperties"] = False
        return schema


_OBJECTS: dict[Any, ObjectOf] = {}


def object_of(kind: Any) -> ObjectOf:
    """
    The shape of a class: the same each time.

    Raises:
        TypeError: it is not a class of values.
    """
    if not has(kind):
        raise TypeError(f"no shape for {kind}")
    return _OBJECTS.setdefault(kind, ObjectOf(kind))


_SCALARS: Mapping[object, Scalar] = {
    str: STRING,
    int: WHOLE,
    bool: FLAG,
    datetime: INSTANT,
    date: DAY,
    Decimal: DECIMAL,
    tzinfo: ZONE,
}


@cache
def shape_of(kind: Any) -> Shape:
    """
    The shape of a type.

    Raises:
        TypeError: there is none: values of this library hold nothing of the type.
    """
    shape: Shape | None = _SCALARS.get(kind)
    if shape is None and isinstance(kind, type) and not get_origin(kind):
        shape = Member(kind) if issubclass(kind, StrEnum) else object_of(kind)
    if shape is None and get_origin(kind) in (Union, UnionType):
        shape = _shape_of_union(get_args(kind))
    if shape is None:
        shape = _shape_of_generic(kind, get_args(kind))
    return shape


def _shape_of_generic(kind: Any, arguments: tuple[Any, ...]) -> Shape:
    if kind == FrozenMap[str, object]:
        return Metadata()
    if kind == OPEN_EFFECTS:
        return OpenEffects(object_of(OpenEffect))
    origin: object = get_origin(kind)
    if origin is FrozenMap:
        return MapOf(shape_of(arguments[1]))
    if origin in (tuple, frozenset) and (origin is frozenset or arguments[1] is Ellipsis):
        return ListOf(shape_of(arguments[0]), is_set=origin is frozenset)
    if origin is tuple:
        return Row(tuple([shape_of(each) for each in arguments]))
    raise TypeError(f"no shape for {kind}")


def _shape_of_union(members: tuple[Any, ...]) -> Shape:
    given = tuple([each for each in members if each is not NoneType])
    classes = tuple([each for each in given if has(each)])
    shape: Shape
    if len(given) == 1:
        shape = shape_of(given[0])
    elif classes == given:
        shape = OneOf(classes)
    else:
        (of_class,), (other,) = classes, [_SCALARS[each] for each in given if each not in classes]
        expected = f"{other.expected} or {with_article(of_class.__name__)}"
        shape = ObjectOr(object_of(of_class), evolve(other, expected=expected))
    return shape if len(given) == len(members) else Optional(shape)
