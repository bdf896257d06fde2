"""
The generated parts of the pages in `docs`, written again from the code.

A part begins with `<!-- generated: NAME -->` and ends with `<!-- end -->`; `PARTS` has a function for each
name. `python -m tests.docs.draw` writes all of them, and the schema of documents; a test fails where a page
says otherwise.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from rma.codec import json_schema
from tests.docs import architecture, messages, reference

DOCS = Path(__file__).parent.parent.parent / "docs"

PARTS: dict[str, Callable[[], str]] = {
    "ports": architecture.ports,
    "storeys": architecture.storeys,
    "levels": architecture.levels,
    "tables": architecture.tables,
    "codes": reference.codes_by_class,
    "policy": reference.policy,
    "timing": reference.timing,
    "signals": reference.signals,
    "schema": reference.schema,
    "indexes": reference.indexes,
    "commands": messages.commands,
    "items": messages.items,
    "events": messages.events,
    "effects": messages.effects,
    "outcomes": messages.outcomes,
}

_PART = re.compile(r"<!-- generated: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def drawn(page: str) -> str:
    """The text of a page with its generated parts as the code is now."""
    return _PART.sub(lambda match: f"<!-- generated: {match[1]} -->\n{PARTS[match[1]]()}\n<!-- end -->", page)


def names(page: str) -> list[str]:
    """The names of the generated parts of a page, in order."""
    return _PART.findall(page)


def schema_of_documents() -> str:
    """`codec.schema.json`: the JSON Schema of every kind of document."""
    return json.dumps(json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    (DOCS / "codec.schema.json").write_text(schema_of_documents(), encoding="utf-8")
    for path in sorted(DOCS.glob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = drawn(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
