"""Removes the history of an order that is over, and hands it to the host."""

from rma.async_ports import Host
from rma.domain.change import Change, apply_archive
from rma.domain.events import Event
from rma.domain.state.ledger import ReturnLedger
from rma.shell.commit import commit_with_history
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

    async def change_of(ledger: ReturnLedger, history: tuple[Event, ...]) -> Change:
        nonlocal removed
        change = apply_archive(ledger, history, now(host), has_publisher=host.events is not None)
        places = frozenset(change.superseded)
        removed = tuple([each for each in history if (each.revision, each.number) in places])
        return change

    await commit_with_history(order_id, host, change_of)
    return removed
