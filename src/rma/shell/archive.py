"""Removes the history of an order that is over, and hands it to the host."""

from rma.async_ports import Host
from rma.domain.change import Change, apply_archive, unchanged
from rma.domain.events import Event
from rma.shell.commit import commit_with_retry
from rma.shell.driver import call
from rma.shell.facts import now


async def archive(order_id: str, host: Host) -> tuple[Event, ...]:
    """
    Removes all events of this order but those that opened a return, exchange or claim, in one commit.

    Returns the removed ones, oldest first, also if the commit reached the store twice, which then refuses it
    as stale; nothing if there are none to remove.

    Raises:
        Rejected: the order is not over; with everything that is not, and nothing was removed.
        Unavailable: the store failed; nothing was removed, unless the answer to the commit was lost.
        StaleLedger: other writers were faster too often; nothing was removed.
    """
    removed: tuple[Event, ...] = ()
    attempted: tuple[Event, ...] = ()

    async def make_change() -> Change:
        nonlocal removed, attempted
        ledger = await call(host.returns.load(order_id))
        history = await call(host.returns.history(order_id))
        if any(each in history for each in attempted):
            return unchanged(ledger)  # it is stored, though it was refused: `removed` are gone
        change = apply_archive(ledger, history, now(host), has_publisher=host.events is not None)
        places = frozenset(change.superseded)
        removed = tuple([each for each in history if (each.revision, each.number) in places])
        attempted = change.events
        return change

    await commit_with_retry(await make_change(), host, make_change)
    return removed
