"""
Values as JSON documents and back, equal to the last field; what they mean is not known here.

A document holds only what differs from a field's default, so that it stays small and a field that was added
with a default is read from older documents: a default of a stored class is thereby part of the format. A
field that the class does not have is an error. Members of unions carry the name of their class.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeVar, Union, cast, get_args, get_origin

from attrs import has
from cattrs import Converter

from rma.domain.errors import InvalidValue
from rma.domain.frozenmap import FrozenMap, frozen_map

T = TypeVar("T")

#: The field in which a member of a union says which it is.
TAG = "_type"


def encoded(value: object, kind: object) -> str:
    """
    The value, of this class or union, as a document.

    Raises:
        InvalidValue: something in it, mostly metadata, is not what JSON can carry.
    """
    plain = _CONVERTER.unstructure(value, kind)
    try:
        return _ENCODER.encode(plain)
    except InvalidValue:
        raise
    except ValueError as error:  # a whole number of more digits than Python writes
        raise _no_json(str(error)) from error


def decoded(document: str, kind: object) -> Any:  # a union is no type to mypy
    """
    The value of this class or union that the document holds.

    Raises:
        Exception: of any class; it holds no such thing.
    """
    return _CONVERTER.structure(json.loads(document), cast("type[Any]", kind))


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
        return _as_is
    hook = converter.get_unstructure_hook(each_kind)
    return lambda values: [hook(value) for value in values]


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
    for plain in (str, int, bool):
        converter.register_structure_hook(plain, _as_is)
    converter.register_unstructure_hook(StrEnum, _as_is)
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
_ENCODER = json.JSONEncoder(  # values can not contain themselves: they are frozen when they are built
    separators=(",", ":"), check_circular=False, allow_nan=False, default=_refuse
)
