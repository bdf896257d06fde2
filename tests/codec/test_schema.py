"""The JSON Schemas stand on their own, and the file with all of them is that of the code."""

import json
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from rma import CancelReturn, Command, Event, Invalid, codec
from tests.codec.schemas import is_valid
from tests.codec.values import golden
from tests.docs.draw import DOCS, schema_of_documents

EVERY = [*codec.KINDS.values(), Command, Event, None]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: getattr(kind, "__name__", "union"))
def test_every_schema_is_one_and_refers_to_nothing_outside(kind: object) -> None:
    """Of draft 2020-12; what it refers to is in it, and nothing else is."""
    schema = codec.json_schema(kind)
    Draft202012Validator.check_schema(schema)
    written = json.dumps(schema)
    targets = {f"#/$defs/{name}" for name in schema["$defs"]}

    assert all(f'"{target}"' in written for target in targets)
    assert written.count('"$ref"') == sum([written.count(f'"$ref": "{target}"') for target in targets])


def test_members_of_a_union_are_known_by_their_type() -> None:
    """One document fits one member."""
    schema = codec.json_schema(Command)
    document = json.loads(golden()["CancelReturn"][0])

    assert len(schema["oneOf"]) == len(get_args(Command))
    assert is_valid(document, Command)
    assert not is_valid({**document, "_type": "CancelClaim"}, Command)
    assert not is_valid(document, Event)


def test_a_schema_has_types_defaults_and_words() -> None:
    """What a program in another language, and the person who writes it, need to know."""
    schema = codec.json_schema(CancelReturn)
    of_class = schema["$defs"]["CancelReturnDocument"]

    assert schema["title"] == "CancelReturn"
    assert of_class["required"] == ["_type", "_format", "return_id"]
    assert of_class["properties"]["created_by"] == {"type": ["string", "null"], "default": None}
    assert of_class["description"].startswith("Cancel a return before anything was refunded")
    assert of_class["additionalProperties"] is False
    opened = codec.json_schema(CancelReturn, unknown="ignore")["$defs"]["CancelReturnDocument"]
    assert "additionalProperties" not in opened


def test_the_file_of_schemas_is_that_of_the_code() -> None:
    """`python -m tests.docs.draw` writes it."""
    assert (DOCS / "codec.schema.json").read_text("utf-8") == schema_of_documents()


def test_an_integer_of_json_schema_may_be_written_as_a_float() -> None:
    """A difference between the schema and the reader that is not about values that do not exist."""
    document = {**json.loads(golden()["RefundRequest"][0]), "amount": {"amount": 5.0, "currency": "usd"}}

    assert is_valid(document, None)
    with pytest.raises(Invalid, match="must be an integer"):
        codec.from_plain(document)


@pytest.mark.parametrize("end", ["\n", "\r\n", "x"])
def test_a_newline_at_the_end_passes_a_pattern_in_python_only(end: str) -> None:
    """`$` is the end by ECMA 262, which JSON Schema means; Python's allows a newline behind it."""
    amount = {"amount": 5, "currency": f"usd{end}"}
    document = {**json.loads(golden()["RefundRequest"][0]), "amount": amount}

    assert is_valid(document, None) == (end == "\n")
    with pytest.raises(Invalid, match="must be a three-letter currency code"):
        codec.from_plain(document)
