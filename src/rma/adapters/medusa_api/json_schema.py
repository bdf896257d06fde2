"""
Parses JSON strictly and validates it against a schema; reports all problems together.

A body is accepted if and only if its JSON Schema accepts it, with two exceptions that a schema cannot
express: `2.0` is not an integer here, and half of a surrogate pair is not a string.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from attrs import frozen

from rma.domain.values.errors import RmaError

#: The part of JSON Schema (draft 2020-12) that `problems` understands, as plain data.
Schema = Mapping[str, object]

#: Integers beyond it are different numbers to different JSON parsers (RFC 7493).
LARGEST_INTEGER = 2**53 - 1

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "an integer",
    float: "a decimal number",
    bool: "a boolean",
    type(None): "null",
}


@frozen
class Problem:
    """
    One place where a request does not match its schema.

    Attributes:
        path: where, as a JSON path: `$.items[0].quantity`; `?limit` is in the query.
        code: `malformed`, `given_twice`, `missing`, `unknown`, `wrong_type` or `out_of_range`.
        message: what is wrong, in English.
    """

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class MalformedRequest(RmaError):
    """A request that does not match the schema of its route; only its shape was checked."""

    http_status_hint = 422

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("invalid_request_error", {"paths": [problem.path for problem in self.problems]})
        self.args = (self.problems,)

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


def loads(body: bytes) -> object:
    """
    Parses UTF-8 bytes as one JSON value.

    >>> from rma.adapters.medusa_api import loads
    >>> loads(b'{"quantity": 2}')
    {'quantity': 2}

    Raises:
        MalformedRequest: the bytes are not JSON, are nested too deep, or an object has the same key twice,
            which JSON allows and programs interpret differently.
    """
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        reason = "not UTF-8"
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except RecursionError:
        reason = "nested too deep"
    except ValueError as error:  # from our hooks, or for a numeral of thousands of digits
        reason = str(error) if isinstance(error, _NotJsonError) else "a number is too long"
    raise MalformedRequest([Problem("$", "malformed", reason)])


class _NotJsonError(ValueError):
    """Something that Python's parser accepts and JSON does not."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _NotJsonError(f"the key {json.dumps(key)} is in an object twice")
        found[key] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"{name} is not JSON")


def check(value: object, schema: Schema) -> None:
    """
    Does nothing if the value matches the schema.

    Raises:
        MalformedRequest: the value does not match; it lists every problem.
    """
    if found := list(problems(value, schema)):
        raise MalformedRequest(found)


def problems(value: object, schema: Schema, path: str = "$") -> Iterator[Problem]:
    """Yields every place where the value does not match the schema, in the order of the schema."""
    wanted = schema.get("type", list(_KINDS))
    kinds = [wanted] if isinstance(wanted, str) else wanted
    assert isinstance(kinds, list)
    if not any(type(value) in _KINDS[kind] for kind in kinds):
        expected = " or ".join("a number" if kind == "number" else _NAMES[_KINDS[kind][0]] for kind in kinds)
        yield Problem(path, "wrong_type", f"must be {expected}, not {_name(value)}")
    elif isinstance(value, dict):
        yield from _in_object(value, schema, path)
    elif isinstance(value, list):
        each = schema.get("items", {})
        assert isinstance(each, Mapping)
        for number, item in enumerate(value):
            yield from problems(item, each, f"{path}[{number}]")
    elif isinstance(value, str):
        if not _is_unicode(value):
            yield Problem(path, "wrong_type", "must be a Unicode string, not half of a surrogate pair")
    elif isinstance(value, int | float):
        yield from _in_range(value, schema, path)


def _in_object(value: dict[str, object], schema: Schema, path: str) -> Iterator[Problem]:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    assert isinstance(properties, Mapping)
    assert isinstance(required, list)
    for name, inner in properties.items():
        if name in value:
            yield from problems(value[name], inner, path + _path_part(name))
        elif name in required:
            yield Problem(path + _path_part(name), "missing", "is required")
    if schema.get("additionalProperties") is False:
        for name in value:
            if name not in properties:
                yield Problem(path + _path_part(name), "unknown", "is unknown")


def _in_range(value: float, schema: Schema, path: str) -> Iterator[Problem]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int) and value < least:
        yield Problem(path, "out_of_range", f"must be at least {least}")
    if isinstance(most, int) and value > most:
        yield Problem(path, "out_of_range", f"must be at most {most}")


def _path_part(name: str) -> str:
    return f".{name}" if name.isidentifier() and name.isascii() else f"[{json.dumps(name)}]"


def _name(value: object) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
