"""What happened, in words that can be pasted into a test."""

from collections.abc import Iterator
from typing import Any, cast

from attrs import NOTHING, Attribute, AttrsInstance, fields, has

from rma.domain.money import Money
from rma.domain.returns import Return


def told(value: object) -> str:
    """
    The value as code, without what is as by default.

    >>> from rma import CancelReturn
    >>> from rma.testing.words import told
    >>> told(CancelReturn(return_id="ret_1", idempotency_key="key_1"))
    "CancelReturn(return_id='ret_1', idempotency_key='key_1')"
    """
    match value:
        case Money():
            return f"Money({value.amount}, {value.currency!r})"
        case tuple():
            return f"[{', '.join(map(told, value))}]"
        case _ if has(type(value)):
            given = [f"{name}={told(each)}" for name, each in _given(cast("AttrsInstance", value))]
            return f"{type(value).__name__}({', '.join(given)})"
        case _:
            return repr(value)


def outcome(answer: Return) -> str:
    """How the return stands."""
    refunds = [f"{refund.amount} {refund.status}" for refund in answer.refunds]
    return ", ".join([f"{answer.id} {answer.status}", *refunds])


def _given(value: AttrsInstance) -> Iterator[tuple[str, object]]:
    attribute: Attribute[Any]
    for attribute in fields(type(value)):
        given, default = getattr(value, attribute.name), attribute.default
        if default is NOTHING or given != _made(default):
            yield attribute.name, given


def _made(default: Any) -> object:  # attrs types it so
    return default.factory() if hasattr(default, "factory") else default
