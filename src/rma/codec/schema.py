"""JSON Schemas of documents, draft 2020-12."""

from typing import Any

from attrs import Attribute

from rma.codec.documents import FORMAT_TAG, plain_of
from rma.codec.kinds import FORMAT, classes_of
from rma.codec.shape import Drawing, Schema
from rma.codec.shapes import object_of


def draw_schema(kind: object, *, is_open: bool) -> Schema:
    """The schema of documents of this kind, with all that it refers to; see `rma.codec.json_schema`."""
    drawing = Drawing(is_open, _default)
    envelope = {FORMAT_TAG: {"type": "integer", "minimum": 1, "maximum": FORMAT}}
    drawn = [object_of(each).document(drawing, envelope) for each in classes_of(kind)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **({"title": kind.__name__} if isinstance(kind, type) else {}),
        **(drawn[0] if len(drawn) == 1 else {"oneOf": drawn}),
        "$defs": dict(sorted(drawing.definitions.items())),
    }


def _default(attribute: "Attribute[Any]") -> Any:
    default: Any = attribute.default
    factory = getattr(default, "factory", None)  # of what is made for each value
    return plain_of(default if factory is None else factory(), attribute.type)
