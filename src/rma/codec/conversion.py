"""
Encodes values as JSON documents and decodes them, equal in every field; with cattrs, by their annotations.

This is what stores use for what they wrote themselves. It trusts its documents; `rma.codec.documents` judges
those of others before they are converted here.

A document holds only the fields that differ from their defaults. It stays small, and a field that is added
with a default can be read from older documents; the default of a stored class is therefore part of the
format. A field that the class does not have is an error. Members of unions carry the name of their class.

A long tuple is encoded by itself and its string is inserted into the document, so that a caller can supply
strings that it has encoded before (`rma.adapters.sql.encoded`).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from secrets import token_hex
from types import MappingProxyType, NoneType, UnionType
from typing import Any, NoReturn, TypeVar, Union, cast, get_args, get_origin
from zoneinfo import ZoneInfo

from attrs import Attribute, fields, has, resolve_types
from cattrs import Converter
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn_from_attrs

from rma.domain.values.errors import InvalidValue
from rma.domain.values.frozenmap import FrozenMap, frozen_map

T = TypeVar("T")

#: The field of a document that names the class of a union's member.
TAG = "_type"

#: Tuples of at least this many values are encoded by themselves.
LONG = 4

#: Holds the place of a long tuple until its string is inserted. It is drawn at random, so that no value
#: contains it.
_TOKEN = token_hex(16)


class LongTuple:
    """A tuple of at least `LONG` values on its way into a document, and the hook that encodes each value."""

    __slots__ = ("to_json", "values")

    def __init__(self, values: tuple[Any, ...], to_json: Callable[[Any], Any]) -> None:
        self.values, self.to_json = values, to_json

    def encode(self, encode_long: "EncodeLong") -> str:
        """Encodes the tuple as a JSON array; `encode_long` encodes the long tuples within it."""
        return _to_string([self.to_json(each) for each in self.values], encode_long)


EncodeLong = Callable[[LongTuple], str]


def encode_long_tuple(long: LongTuple) -> str:
    """Encodes a long tuple, and those within it, without a cache."""
    return long.encode(encode_long_tuple)


def encode(value: object, kind: object, encode_long: EncodeLong = encode_long_tuple) -> str:
    """
    Encodes a value of this class or union as a JSON document.

    Args:
        value: what to encode.
        kind: its class, or a union of which its class is a member.
        encode_long: encodes each long tuple; it may answer from a cache.

    Raises:
        InvalidValue: a part of the value, mostly metadata, cannot be represented in JSON.
    """
    return _to_string(_CONVERTER.unstructure(value, kind), encode_long)


def encode_without(
    value: object, kind: object, field: str, left_out: Iterable[str], encode_long: EncodeLong
) -> str:
    """
    The same without some fields of the object in this field.

    Raises:
        InvalidValue: as `encode`.
    """
    plain = _CONVERTER.unstructure(value, kind)
    for name in left_out:
        plain[field].pop(name, None)
    return _to_string(plain, encode_long)


def decode(
    document: str, kind: object, given: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Any:  # mypy has no type for "a class or a union"
    """
    Decodes the value of this class or union from a document.

    Args:
        document: as `encode` or `encode_without` wrote it.
        kind: as there.
        given: fields of objects that the document leaves out, by the field that the object is in.

    Raises:
        Exception: of any class, if the document does not hold such a value.
    """
    plain = json.loads(document)
    for field, left_out in given.items():
        plain[field].update(left_out)
    return _CONVERTER.structure(plain, cast("type[Any]", kind))


def _to_string(plain: object, encode_long: EncodeLong) -> str:
    arrays: list[str] = []

    def default(value: object) -> str:
        arrays.append(encode_long(value) if isinstance(value, LongTuple) else _refuse(value))
        return _TOKEN

    encoder = json.JSONEncoder(  # values cannot contain themselves: they are frozen when they are built
        separators=(",", ":"), check_circular=False, allow_nan=False, default=default
    )
    try:
        document = encoder.encode(plain)
    except InvalidValue:
        raise
    except ValueError as error:  # an integer of more digits than Python converts
        raise _not_json(str(error)) from error
    for array in arrays:
        document = document.replace(f'"{_TOKEN}"', array, 1)
    return document


def _not_json(value: str) -> InvalidValue:
    details = {"field": "stored", "value": value, "expected": "what JSON can carry"}
    return InvalidValue("invalid_value", details)


def _refuse(value: object) -> NoReturn:
    raise _not_json(repr(value))


def _check_metadata(value: Any) -> Any:
    """Returns metadata unchanged if JSON represents it without loss; refuses it otherwise."""
    match value:
        case dict():
            for key, each in value.items():
                _check_metadata(each if isinstance(key, str) else _refuse(key))
        case list():
            for each in value:
                _check_metadata(each)
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


def _is_set(kind: Any) -> bool:
    origin: object = get_origin(kind)
    return origin is frozenset


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
    def as_read(each: "Attribute[Any]") -> "Attribute[Any]":  # without a hook, cattrs copies a plain value
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
        return LongTuple(values, hook) if len(values) >= LONG else [hook(value) for value in values]

    return to_json


def _tuple_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    each_kind, _ = get_args(kind)
    if each_kind in (int, str):
        return lambda values, _: tuple(values)
    hook = converter.get_structure_hook(each_kind)
    return lambda values, _: tuple([hook(value, each_kind) for value in values])


def _set_to_json(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    hook = converter.get_unstructure_hook(get_args(kind)[0])
    return lambda values: [hook(value) for value in sorted(values)]


def _set_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (each_kind,) = get_args(kind)
    hook = converter.get_structure_hook(each_kind)
    return lambda values, _: frozenset([hook(value, each_kind) for value in values])


def _map_to_json(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    value_kind = get_args(kind)[1]
    if value_kind is object:
        return _check_metadata
    hook = converter.get_unstructure_hook(value_kind)
    return lambda mapping: {key: hook(value) for key, value in mapping.items()}


def _map_from_json(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    value_kind = get_args(kind)[1]
    if value_kind is object:
        return lambda mapping, _: frozen_map(mapping)
    hook = converter.get_structure_hook(value_kind)
    return lambda mapping, _: FrozenMap({key: hook(value, value_kind) for key, value in mapping.items()})


def new_converter(written: Callable[[datetime], str] = datetime.isoformat) -> Converter:
    """Returns a converter of values to documents and back; `written` is what becomes of timestamps."""
    converter = Converter(omit_if_default=True, forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook_factory(has, _class_from_json)
    for plain in (str, int, bool):
        converter.register_structure_hook(plain, _as_is)
    converter.register_unstructure_hook_func(_is_plain, identity)
    converter.register_unstructure_hook(StrEnum, identity)
    converter.register_structure_hook(StrEnum, lambda string, kind: kind(string))
    converter.register_unstructure_hook(datetime, written)
    converter.register_structure_hook(datetime, lambda string, _: datetime.fromisoformat(string))
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_structure_hook(date, lambda string, _: date.fromisoformat(string))
    converter.register_unstructure_hook(tzinfo, str)  # of a `Calendar`, whose zone has a name
    converter.register_structure_hook(tzinfo, lambda name, _: ZoneInfo(name))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda string, _: Decimal(string))
    converter.register_unstructure_hook_factory(_is_tuple, _tuple_to_json)
    converter.register_structure_hook_factory(_is_tuple, _tuple_from_json)
    converter.register_unstructure_hook_factory(_is_set, _set_to_json)
    converter.register_structure_hook_factory(_is_set, _set_from_json)
    converter.register_unstructure_hook_factory(_is_map, _map_to_json)
    converter.register_structure_hook_factory(_is_map, _map_from_json)
    converter.register_unstructure_hook_factory(_is_tagged, _tagged_to_json)
    converter.register_structure_hook_factory(_is_tagged, _tagged_from_json)
    converter.register_structure_hook_factory(_is_class_or_plain, _class_or_plain_from_json)
    return converter


_CONVERTER = new_converter()
