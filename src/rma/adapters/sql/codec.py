"""
Values as JSON documents and back, equal to the last field; what they mean is not known here.

A document holds only what differs from a field's default, so that it stays small and a field that was added
with a default is read from older documents: a default of a stored class is thereby part of the format. A
field that the class does not have is an error. Members of unions carry the name of their class.

The documents of a commit hold much the same: an event has the items that the return has, and the command that
is remembered. A long tuple is therefore written once: being frozen, the same tuple is always the same text.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from secrets import token_hex
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeVar, Union, cast, get_args, get_origin

from attrs import Attribute, fields, has, resolve_types
from cattrs import Converter
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn_from_attrs

from rma.adapters.sql.cache import Cache
from rma.domain.values.errors import InvalidValue
from rma.domain.values.frozenmap import FrozenMap, frozen_map

T = TypeVar("T")

#: The field in which a member of a union says which it is.
TAG = "_type"

#: From this length on a tuple of values is written once, not in each document that has it.
LONG = 4

#: How many characters are kept of tuples that were written last.
MAX_CACHED_CHARACTERS = 1_000_000

#: Written in place of a tuple whose text is put in afterwards. Drawn at random, so that there is no value in
#: which it would be found.
_SORT_KEY = token_hex(16)


def encoded(value: object, kind: object) -> str:
    """
    The value, of this class or union, as a document.

    Raises:
        InvalidValue: something in it, mostly metadata, is not what JSON can carry.
    """
    return _text(_CONVERTER.unstructure(value, kind))


def decoded(document: str, kind: object) -> Any:  # a union is no type to mypy
    """
    The value of this class or union that the document holds.

    Raises:
        Exception: of any class; it holds no such thing.
    """
    return _CONVERTER.structure(json.loads(document), cast("type[Any]", kind))


class _Long:
    """A long tuple, among what JSON can carry: its text is put in."""

    __slots__ = ("to_json", "values")

    def __init__(self, values: tuple[Any, ...], to_json: Callable[[Any], Any]) -> None:
        self.values, self.to_json = values, to_json

    @property
    def text(self) -> str:
        """Written now, or before."""
        key = (id(self.values), id(self.to_json))
        kept = CACHE.get(key)
        if kept is None:
            kept = self.values, _text([self.to_json(each) for each in self.values])
            CACHE.put(key, kept, len(kept[1]))
        return kept[1]


def _text(plain: object) -> str:
    texts: list[str] = []

    def place(value: object) -> str:
        texts.append(value.text if isinstance(value, _Long) else _refuse(value))
        return _SORT_KEY

    encoder = json.JSONEncoder(  # values can not contain themselves: they are frozen when they are built
        separators=(",", ":"), check_circular=False, allow_nan=False, default=place
    )
    try:
        document = encoder.encode(plain)
    except InvalidValue:
        raise
    except ValueError as error:  # a whole number of more digits than Python writes
        raise _no_json(str(error)) from error
    for text in texts:
        document = document.replace(f'"{_SORT_KEY}"', text, 1)
    return document


def _no_json(value: str) -> InvalidValue:
    details = {"field": "stored", "value": value, "expected": "what JSON can carry"}
    return InvalidValue("invalid_value", details)


def _refuse(value: object) -> NoReturn:
    raise _no_json(repr(value))


def _carried(value: Any) -> Any:
    """Metadata as it is, once nothing in it would be lost or changed on the way."""
    match value:
        case dict():
            for key, each in value.items():
                _carried(each if isinstance(key, str) else _refuse(key))
        case list():
            for each in value:
                _carried(each)
        case None | str() | int():
            pass
        case float() if isfinite(value):
            pass
        case _:
            _refuse(value)
    return value


def _as_is(value: T, _: object = None) -> T:
    return value


# cattrs asks for hooks by type; types at run time are `Any` to mypy.


def _is_tuple(kind: Any) -> bool:
    origin: object = get_origin(kind)
    return origin is tuple


def _is_map(kind: Any) -> bool:
    origin: object = get_origin(kind)
    return origin is FrozenMap


def _members(kind: Any) -> tuple[Any, ...]:
    is_union = get_origin(kind) in (Union, UnionType)
    return tuple([each for each in get_args(kind) if each is not NoneType]) if is_union else ()


def _is_tagged(kind: Any) -> bool:
    members = _members(kind)
    return len(members) > 1 and all(has(each) for each in members)


def _is_class_or_plain(kind: Any) -> bool:
    members = _members(kind)
    return len(members) > 1 and sum([has(each) for each in members]) == 1


def _is_plain(kind: Any) -> bool:
    return all(each in (str, int, bool) for each in _members(kind) or (kind,))


def _class_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    def as_read(each: "Attribute[Any]") -> "Attribute[Any]":  # cattrs calls nothing for what is plain
        return each.evolve(converter=_as_is if _is_plain(each.type) else None)

    each_as_read = [as_read(each) for each in fields(resolve_types(kind))]
    return make_dict_structure_fn_from_attrs(
        each_as_read, kind, converter, _cattrs_prefer_attrib_converters=True
    )


def _tagged_to_json(kind: Any, converter: Converter) -> Callable[[Any], dict[str, Any] | None]:
    hooks = {each: converter.get_unstructure_hook(each) for each in _members(kind)}

    def to_json(value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        return {TAG: type(value).__name__, **hooks[type(value)](value)}

    return to_json


def _tagged_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    hooks = {each.__name__: (converter.get_structure_hook(each), each) for each in _members(kind)}

    def from_json(fields: Any, _: Any) -> Any:
        if fields is None:
            return None
        hook, member = hooks[fields.pop(TAG)]
        return hook(fields, member)

    return from_json


def _class_or_plain_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (member,) = [each for each in _members(kind) if has(each)]
    hook = converter.get_structure_hook(member)
    return lambda value, _: hook(value, member) if isinstance(value, dict) else value


def _tuple_to_json(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    each_kind, _ = get_args(kind)
    if each_kind in (int, str):
        return identity
    hook = converter.get_unstructure_hook(each_kind)

    def to_json(values: Any) -> Any:
        return _Long(values, hook) if len(values) >= LONG else [hook(value) for value in values]

    return to_json


def _tuple_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    each_kind, _ = get_args(kind)
    if each_kind in (int, str):
        return lambda values, _: tuple(values)
    hook = converter.get_structure_hook(each_kind)
    return lambda values, _: tuple([hook(value, each_kind) for value in values])


def _map_to_json(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    value_kind = get_args(kind)[1]
    if value_kind is object:
        return _carried
    hook = converter.get_unstructure_hook(value_kind)
    return lambda mapping: {key: hook(value) for key, value in mapping.items()}


def _map_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    value_kind = get_args(kind)[1]
    if value_kind is object:
        return lambda mapping, _: frozen_map(mapping)
    hook = converter.get_structure_hook(value_kind)
    return lambda mapping, _: FrozenMap({key: hook(value, value_kind) for key, value in mapping.items()})


def _converter() -> Converter:
    converter = Converter(omit_if_default=True, forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook_factory(has, _class_from_json)
    for plain in (str, int, bool):
        converter.register_structure_hook(plain, _as_is)
    converter.register_unstructure_hook_func(_is_plain, identity)
    converter.register_unstructure_hook(StrEnum, identity)
    converter.register_structure_hook(StrEnum, lambda text, kind: kind(text))
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook_factory(_is_tuple, _tuple_to_json)
    converter.register_structure_hook_factory(_is_tuple, _tuple_from_json)
    converter.register_unstructure_hook_factory(_is_map, _map_to_json)
    converter.register_structure_hook_factory(_is_map, _map_from_json)
    converter.register_unstructure_hook_factory(_is_tagged, _tagged_to_json)
    converter.register_structure_hook_factory(_is_tagged, _tagged_from_json)
    converter.register_structure_hook_factory(_is_class_or_plain, _class_or_plain_from_json)
    return converter


_CONVERTER = _converter()
#: By tuple and the way of writing its values; with the tuple, which therefore stays the one of this `id`.
CACHE: Cache[tuple[int, int], tuple[tuple[Any, ...], str]] = Cache(MAX_CACHED_CHARACTERS)
