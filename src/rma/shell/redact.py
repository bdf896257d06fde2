"""Takes data about persons from everything that is stored of an order, in one commit."""

from collections.abc import Callable, Iterable
from typing import Any

from rma.async_ports import AsyncReturnRepository, Host
from rma.domain.change import Change, apply_redaction, unchanged
from rma.domain.events import Event, OrderRedacted
from rma.domain.values.errors import InvalidValue
from rma.domain.values.personal import PersonalField
from rma.ports import ReturnRepository
from rma.shell.commit import commit_with_retry
from rma.shell.driver import call
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
    history: tuple[Event, ...] = ()
    attempted: tuple[Event, ...] = ()

    async def make_change() -> Change:
        nonlocal history, attempted
        ledger = await call(host.returns.load(order_id))
        before = await call(host.returns.history(order_id))
        await require_known_order(order_id, ledger, host)
        if any(each in before for each in attempted):
            return unchanged(ledger)  # it is stored, though it was refused
        change, history = apply_redaction(ledger, before, groups, now(host), by=created_by)
        attempted = change.events
        return change

    await commit_with_retry(await make_change(), host, make_change, lambda change: store(change, history))
    return next((each for each in attempted if isinstance(each, OrderRedacted)), None)


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
