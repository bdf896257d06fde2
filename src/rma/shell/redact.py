"""Takes data about persons from everything that is stored of an order, in one commit."""

from collections.abc import Callable, Iterable
from typing import Any

from rma.async_ports import AsyncReturnRepository, Host
from rma.domain.change import Change, apply_redaction
from rma.domain.events import Event, OrderRedacted
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue
from rma.domain.values.personal import PersonalField
from rma.ports import ReturnRepository
from rma.shell.commit import commit_with_history
from rma.shell.facts import now
from rma.shell.read import require_known_order


async def redact(
    order_id: str, host: Host, fields: Iterable[PersonalField | str], created_by: str | None
) -> OrderRedacted | None:
    """
    Takes what these fields hold from ledger, events and remembered commands of this order.

    Returns the event that says so, also if the commit reached the store twice, which then refuses it as
    stale; None if the fields hold nothing.

    Raises:
        NotFound: nothing is stored of it, and the host has no such order.
        Rejected: something open still needs the data; nothing changed.
        InvalidValue: `redaction_unsupported`, or as `apply_redaction`; nothing changed.
        Unavailable: the store failed; nothing changed, unless the answer to the commit was lost.
        StaleLedger: other writers were faster too often; nothing changed.
    """
    store = redacts(host.returns)
    is_read_once = not isinstance(fields, str) and isinstance(fields, Iterable)
    groups = tuple(fields) if is_read_once else fields  # they are read again after a conflict
    redacted: tuple[Event, ...] = ()

    async def change_of(ledger: ReturnLedger, history: tuple[Event, ...]) -> Change:
        nonlocal redacted
        await require_known_order(order_id, ledger, host)
        change, redacted = apply_redaction(ledger, history, groups, now(host), by=created_by)
        return change

    change = await commit_with_history(order_id, host, change_of, lambda change: store(change, redacted))
    return next((each for each in change.events if isinstance(each, OrderRedacted)), None)


def redacts(returns: ReturnRepository | AsyncReturnRepository) -> Callable[[Change, tuple[Event, ...]], Any]:
    """
    The method of the repository that stores a redaction.

    Raises:
        InvalidValue: `redaction_unsupported`: it has none.
    """
    method: Callable[[Change, tuple[Event, ...]], Any] | None = getattr(returns, "redact", None)
    if method is None:
        raise InvalidValue("redaction_unsupported", {"repository": type(returns).__qualname__})
    return method
