"""Documents: JSON with the kind and the format of what it holds, judged as a whole before it is read."""

import json
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from typing import Any, Literal, NoReturn, cast

from rma.codec.conversion import TAG, LongTuple, new_converter
from rma.codec.found import Found
from rma.codec.kinds import FORMAT, KINDS, Coded, classes_of
from rma.codec.scalars import write_instant
from rma.codec.shapes import OPEN_EFFECTS, OneOf, object_of
from rma.domain.messages.effects import OpenEffect
from rma.domain.values.display import name_kind, show
from rma.domain.values.errors import Invalid, InvalidValue, Violation
from rma.domain.values.frozenmap import FrozenMap

#: The field of a document that has the number of its format.
FORMAT_TAG = "_format"

#: What becomes of fields that this release does not know.
Unknown = Literal["refuse", "ignore"]


def encode(value: Coded) -> str:
    """
    Encodes a value as a JSON document of ASCII characters.

    The same value always gives the same string: names are in order, there are no spaces, timestamps are in
    UTC, and fields that have their default are left out.

    Raises:
        Invalid: `invalid_document`, with a violation for each part that is not what its class says.
        InvalidValue: it is of no public kind.

    >>> from rma import CancelReturn, codec
    >>> codec.encode(CancelReturn(return_id="ret_1"))
    '{"_format":1,"_type":"CancelReturn","return_id":"ret_1"}'
    """
    kind = type(value)
    if KINDS.get(kind.__name__) is not kind:
        details = {"field": "value", "value": name_kind(value), "expected": "one of rma.codec.KINDS"}
        raise InvalidValue("invalid_value", details)
    found = Found()
    object_of(kind).judge(value, None, found)
    _require_none(found, kind.__name__)
    plain = {FORMAT_TAG: FORMAT, TAG: kind.__name__, **_CONVERTER.unstructure(value, kind)}
    return _ENCODER.encode(plain)


def decode_document(document: str | bytes, kind: object, unknown: Unknown) -> Any:
    """Decodes a document: see `rma.codec.decode`."""
    try:
        string: object = document.decode() if isinstance(document, bytes) else document
        if not isinstance(string, str):  # `json.loads` would take more
            _raise([_not_json(f"it must be a string or bytes, not {name_kind(string)}")], kind)
        plain = json.loads(string, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except RecursionError:
        _raise([_not_json("it is nested too deeply")], kind)
    except (ValueError, TypeError) as error:
        _raise([_not_json(str(error))], kind)
    return read_plain(plain, kind, unknown)


def to_plain(value: Coded) -> dict[str, Any]:
    """
    The document of a value as dict, list, str, int, float, bool and None: what `json` makes of `encode`.

    Raises:
        Invalid, InvalidValue: as `encode`.
    """
    return cast("dict[str, Any]", json.loads(encode(value)))


def plain_of(part: object, kind: object) -> Any:
    """A part of a value, of this type, as it is in a document."""
    return json.loads(_ENCODER.encode(_CONVERTER.unstructure(part, kind)))


def is_ignored(unknown: Unknown) -> bool:
    """
    True for `"ignore"`, False for `"refuse"`.

    Raises:
        InvalidValue: it is another word.
    """
    if unknown not in ("refuse", "ignore"):
        details = {"field": "unknown", "value": show(unknown), "expected": "'refuse' or 'ignore'"}
        raise InvalidValue("invalid_value", details)
    return unknown == "ignore"


def read_plain(plain: object, kind: object, unknown: Unknown) -> Any:
    """Reads what `to_plain` made; see `rma.codec.from_plain`."""
    shape, ignores = _shape_of(classes_of(kind)), is_ignored(unknown)
    try:
        read = _read(plain, shape, Found(ignores), kind)
        try:
            return _build(read)
        except InvalidValue:
            _read(plain, shape, Found(ignores, build=_try), kind)  # says which part it was
            raise
    except RecursionError:
        _raise([_not_json("it is nested too deeply")], kind)


def _read(plain: object, shape: OneOf, found: Found, kind: object) -> dict[str, Any]:
    if isinstance(plain, dict):
        if FORMAT_TAG not in plain:
            found.missing(None, FORMAT_TAG, "the document")
        elif type(number := plain[FORMAT_TAG]) is not int or not 1 <= number <= FORMAT:
            found.of_no_format((None, FORMAT_TAG), FORMAT, number)
            _require_none(found, kind)  # what its fields mean is not known
    read: dict[str, Any] = shape.read_with(plain, None, found, (TAG, FORMAT_TAG))
    _require_none(found, kind)
    return read


def _build(read: dict[str, Any]) -> Any:
    return _CONVERTER.structure(read, KINDS[read.pop(TAG)])


def _try(part: dict[str, Any], kind: type[Any]) -> object:
    return _CONVERTER.structure(deepcopy(part), kind)  # which takes the tags out of what it reads


@cache
def _shape_of(kinds: tuple[type[Any], ...]) -> OneOf:
    return OneOf(kinds)


def _require_none(found: Found, kind: object) -> None:
    if found.number:
        _raise(found.violations, kind)


def _raise(violations: Iterable[Violation], kind: object) -> NoReturn:
    named = kind if isinstance(kind, str) else getattr(kind, "__name__", None)
    raise Invalid("invalid_document", {"kind": named}, violations) from None


def _not_json(problem: str) -> Violation:
    return Violation("not_json", numbers={"problem": problem})


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (name, _), *_ = Counter([name for name, _ in pairs]).most_common(1)
        raise ValueError(f"the field {show(name)} is there twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _spell_out(long: LongTuple) -> list[Any]:
    return [long.to_json(each) for each in long.values]


_ENCODER = json.JSONEncoder(
    separators=(",", ":"), check_circular=False, allow_nan=False, sort_keys=True, default=_spell_out
)

_CONVERTER = new_converter(write_instant)
_CONVERTER.register_unstructure_hook_func(
    lambda kind: kind == OPEN_EFFECTS,
    lambda effects: [_CONVERTER.unstructure(each, OpenEffect) for each in effects.values()],
)
_CONVERTER.register_structure_hook_func(
    lambda kind: kind == OPEN_EFFECTS,
    lambda plain, _: FrozenMap(
        {each.request.key: each for each in [_CONVERTER.structure(one, OpenEffect) for one in plain]}
    ),
)
