"""The JSON Schemas of documents, as the validator of another library reads them."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from rma import codec


@cache
def validator(kind: Any, unknown: codec.Unknown = "refuse") -> Draft202012Validator:
    """A validator of the schema of this kind."""
    return Draft202012Validator(codec.json_schema(kind, unknown=unknown))


def is_valid(plain: object, kind: Any, unknown: codec.Unknown = "refuse") -> bool:
    """True if the schema of this kind accepts it."""
    return bool(validator(kind, unknown).is_valid(plain))
