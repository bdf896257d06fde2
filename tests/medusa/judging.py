"""JSON Schemas judged by the `jsonschema` package: as drafted, and with our one stricter meaning."""

from typing import cast

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from rma.adapters.medusa_api.json_schema import Schema

#: `2.0` is an integer to JSON Schema, and none to us.
_Strict = extend(  # type: ignore[no-untyped-call] # its stubs leave it untyped
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def strictly(schema: Schema) -> Validator:
    """A validator to which `2.0` is no integer."""
    return cast("Validator", _Strict(dict(schema)))


def as_drafted(schema: Schema) -> Validator:
    """A validator of draft 2020-12."""
    return cast("Validator", Draft202012Validator(dict(schema)))
