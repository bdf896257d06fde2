"""
Values of every public kind, and the documents that are kept of them.

    python -m tests.codec.values > tests/codec/golden/unreleased.json
"""

import json
import logging
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from attrs import fields, has

from rma import Event, OrderExport, ReturnLedger
from rma.adapters.memory import InMemoryReturns
from rma.codec import KINDS, Coded, PublishedEvent, encode, json_schema
from rma.domain.views.timeline import timeline
from tests.sql.kinds import run, worlds

GOLDEN = Path(__file__).parent / "golden"
#: The file of what is written now.
UNRELEASED = "unreleased"


def inside(value: object) -> Iterator[Any]:
    """The values of public kinds within this one, itself included."""
    if type(value) in KINDS.values():
        yield value
    if has(kind := type(value)):
        for each in fields(kind):
            yield from inside(getattr(value, each.name))
    elif isinstance(value, dict):
        for held in value.values():
            yield from inside(held)
    elif isinstance(value, tuple):
        for held in value:
            yield from inside(held)


#: Of a longer history no export is kept: it has the documents of all of its events.
SHORT = 12


def of_order(ledger: ReturnLedger, history: tuple[Event, ...]) -> Iterator[Coded]:
    """Everything of an order that can be a document."""
    yield from inside(ledger)
    for event in history:
        yield from inside(event)
        yield PublishedEvent(event.event_id, event)
    if len(history) < SHORT:
        words = tuple([str(each) for each in timeline(ledger.order_id, history)])
        yield OrderExport(order_id=ledger.order_id, ledger=ledger, history=history, timeline=words)


@cache
def kept() -> dict[str, list[Coded]]:
    """Of each kind the value with the longest document, and the one with the shortest, of all scripts."""
    found: dict[str, dict[str, Coded]] = {name: {} for name in KINDS}
    for script, world in worlds().values():
        returns = InMemoryReturns()
        run(script, world, returns)
        for value in of_order(returns.load("order_1"), returns.history("order_1")):
            found[type(value).__name__].setdefault(encode(value), value)
    chosen = {}
    for name, by_document in found.items():
        documents = sorted(by_document, key=lambda document: (len(document), document))
        chosen[name] = [by_document[each] for each in dict.fromkeys([documents[-1], documents[0]])]
    return chosen


def defaults() -> dict[str, dict[str, Any]]:
    """The fields that a document may leave out, by class, with what they are then."""
    return {
        name: {field: each["default"] for field, each in drawn["properties"].items() if "default" in each}
        for name, drawn in json_schema()["$defs"].items()
    }


def changed_defaults(before: dict[str, dict[str, Any]]) -> list[str]:
    """Of the fields that had these defaults, those that have another or none now."""
    now, missing = defaults(), object()
    return [
        f"{name}.{each}"
        for name, of_class in before.items()
        for each, default in of_class.items()
        if now.get(name, {}).get(each, missing) != default
    ]


def written() -> dict[str, Any]:
    """What a golden file has, as it is written now."""
    documents = {name: [encode(each) for each in values] for name, values in kept().items()}
    return {"documents": documents, "defaults": defaults()}


def golden_file(release: str) -> dict[str, Any]:
    """What is kept of this release."""
    kept_of_it: dict[str, Any] = json.loads((GOLDEN / f"{release}.json").read_text("utf-8"))
    return kept_of_it


def golden(release: str = UNRELEASED) -> dict[str, list[str]]:
    """The documents that are kept of this release, by kind."""
    documents: dict[str, list[str]] = golden_file(release)["documents"]
    return documents


if __name__ == "__main__":
    logging.getLogger("rma").setLevel(logging.CRITICAL)  # ports fail on purpose
    json.dump(written(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
