"""Validates JSON Schemas with the `jsonschema` package: as drafted, and as strictly as the adapter does."""

from typing import cast

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from rma.adapters.medusa_api.json_schema import Schema

#: `2.0` is an integer in JSON Schema, and not in the adapter.
_Strict = extend(  # type: ignore[no-untyped-call] # its stubs leave it untyped
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def strict_validator(schema: Schema) -> Validator:
    """Returns a validator that refuses `2.0` as an integer."""
    return cast("Validator", _Strict(dict(schema)))


def draft_validator(schema: Schema) -> Validator:
    """Returns a validator of draft 2020-12."""
    return cast("Validator", Draft202012Validator(dict(schema)))
