"""Optimistic concurrency: if another writer commits first, the change is computed again and retried."""

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import evolve

from rma.async_ports import Host
from rma.domain.change import Change, unchanged
from rma.domain.events import Event
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import StaleLedger
from rma.observing import CommitConflicted
from rma.shell.driver import call
from rma.shell.observe import tell

#: How often a change is tried that each time loses to another, which is committed, before `StaleLedger` is
#: raised. Coroutines run in step, and the last of many at once loses to each of the others, several times.
ATTEMPTS = 100

#: The longest pause after the first attempt and after any, in seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.5


def longest_pause(attempt: int) -> float:
    """Returns how many seconds the pause after this attempt may last: twice as many each time, to a limit."""
    return min(SHORTEST_PAUSE * 2.0 ** min(attempt - 1, 10), LONGEST_PAUSE)


async def commit_change(
    order_id: str, host: Host, change_of: Callable[[ReturnLedger], Change], ledger: ReturnLedger | None = None
) -> Change:
    """
    Commits this change of the order's ledger, and returns it.

    The ledger is loaded unless it is given, and again each time that another writer was faster.

    Raises:
        As `commit_with_retry`; Unavailable: the ledger cannot be loaded.
    """

    async def computed() -> Change:
        return change_of(await call(host.returns.load(order_id)))

    first = await computed() if ledger is None else change_of(ledger)
    return await commit_with_retry(first, host, computed)


async def commit_with_history(
    order_id: str,
    host: Host,
    change_of: Callable[[ReturnLedger, tuple[Event, ...]], Awaitable[Change]],
    store: Callable[[Change], Any] | None = None,
) -> Change:
    """
    Commits this change of the order's ledger and whole history, and returns the last that was attempted.

    It counts as committed, too, if its commit reached the store twice, which then refuses it as stale.

    Raises:
        As `commit_with_retry`; Unavailable: ledger or history cannot be loaded.
    """
    attempted: Change | None = None

    async def computed() -> Change:
        nonlocal attempted
        ledger = await call(host.returns.load(order_id))
        history = await call(host.returns.history(order_id))
        if attempted is not None and any(each in history for each in attempted.events):
            return unchanged(ledger)  # it is stored, though it was refused
        attempted = await change_of(ledger, history)
        return attempted

    change = await computed()
    await commit_with_retry(change, host, computed, store)
    return attempted or change


async def commit_with_retry(
    change: Change,
    host: Host,
    retry: Callable[[], Awaitable[Change]],
    store: Callable[[Change], Any] | None = None,
) -> Change:
    """
    Commits the change and returns it, or the one computed again that was committed in its place.

    A change without events needs no commit. `retry` computes the change from the ledger as it is then, and
    may refuse by raising. The host pauses before it for a part of `longest_pause` that it draws at random, so
    that those who lost together do not meet again. `store` stores the change, unless the repository's
    `commit` does.

    Raises:
        StaleLedger: other writers were faster too often.
    """
    attempt = 1
    while change.events:
        try:
            await call((store or host.returns.commit)(_for_store(change, host)))
        except StaleLedger:
            if attempt == ATTEMPTS:
                raise
            tell(host, CommitConflicted(order_id=change.order_id, attempt=attempt))
            await call(host.pause(longest_pause(attempt)))
            attempt += 1
            change = await retry()
        else:
            break
    return change


def _for_store(change: Change, host: Host) -> Change:
    """What the store is given: without a publisher, nothing has to be found again to be published."""
    return change if host.events is not None else evolve(change, awaits_publication=False)
