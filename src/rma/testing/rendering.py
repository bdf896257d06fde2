"""Renders what happened as code that can be pasted into a test."""

from collections.abc import Iterator
from typing import Any, cast

from attrs import NOTHING, Attribute, AttrsInstance, fields, has

from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject
from rma.domain.values.money import Money


def render(value: object) -> str:
    """
    The value as code, without what is as by default.

    >>> from rma import CancelReturn
    >>> from rma.testing.rendering import render
    >>> render(CancelReturn(return_id="ret_1", idempotency_key="key_1"))
    "CancelReturn(return_id='ret_1', idempotency_key='key_1')"
    """
    match value:
        case Money():
            return f"Money({value.amount}, {value.currency!r})"
        case tuple():
            return f"[{', '.join(map(render, value))}]"
        case _ if has(type(value)):
            given = [f"{name}={render(each)}" for name, each in _given(cast("AttrsInstance", value))]
            return f"{type(value).__name__}({', '.join(given)})"
        case _:
            return repr(value)


def outcome(answer: Subject) -> str:
    """A line about the status of the return, exchange or claim."""
    about = [f"{answer.id} {answer.status}"]
    if isinstance(answer, Exchange):
        about += [f"returned by {answer.return_id}", f"{answer.owed} owed"]
    else:
        about += [f"{refund.amount} {refund.status}" for refund in answer.refunds]
    return ", ".join(about)


def _given(value: AttrsInstance) -> Iterator[tuple[str, object]]:
    attribute: Attribute[Any]
    for attribute in fields(type(value)):
        given, default = getattr(value, attribute.name), attribute.default
        if default is NOTHING or given != _made(default):
            yield attribute.name, given


def _made(default: Any) -> object:  # attrs types it so
    return default.factory() if hasattr(default, "factory") else default
