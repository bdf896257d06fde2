"""
Values of every public kind, and the documents that are kept of them.

    python -m tests.codec.values > tests/codec/golden/format-1.json
"""

import json
import logging
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from attrs import fields, has

from rma import Event, ReturnLedger
from rma.adapters.memory import InMemoryReturns
from rma.codec import KINDS, Coded, PublishedEvent, encode
from tests.sql.before_grants import recording_no_grants
from tests.sql.kinds import run, worlds

GOLDEN = Path(__file__).parent / "golden"


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


def of_order(ledger: ReturnLedger, history: tuple[Event, ...]) -> Iterator[Coded]:
    """Everything of an order that can be a document."""
    yield from inside(ledger)
    for event in history:
        yield from inside(event)
        yield PublishedEvent(event.event_id, event)


@cache
def kept() -> dict[str, list[Coded]]:
    """Of each kind the value with the longest document, and the one with the shortest, of all scripts."""
    return _chosen()


@cache
def kept_before_grants() -> dict[str, list[Coded]]:
    """The same as a release recorded them before events said what they granted and moved."""
    with recording_no_grants():
        return _chosen()


def _chosen() -> dict[str, list[Coded]]:
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


def golden_before_grants() -> dict[str, list[str]]:
    """The documents of format 1 that are kept of before events said what they granted and moved."""
    documents: dict[str, list[str]] = json.loads((GOLDEN / "before-grants.json").read_text("utf-8"))
    return documents


def golden(number: int) -> dict[str, list[str]]:
    """The documents that are kept of this format, by kind."""
    documents: dict[str, list[str]] = json.loads((GOLDEN / f"format-{number}.json").read_text("utf-8"))
    return documents


if __name__ == "__main__":
    logging.getLogger("rma").setLevel(logging.CRITICAL)  # ports fail on purpose
    written = {name: [encode(each) for each in values] for name, values in kept().items()}
    json.dump(written, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
