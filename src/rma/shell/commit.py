"""Optimistic concurrency: if another writer commits first, the change is computed again and retried."""

from collections.abc import Awaitable, Callable

from rma.async_ports import Host
from rma.domain.change import Change
from rma.domain.values.errors import StaleLedger
from rma.observing import CommitConflicted
from rma.shell.driver import call
from rma.shell.observe import tell

#: How often a change is tried that each time loses to another, which is committed, before `StaleLedger` is
#: raised. Coroutines run in step, and the last of many at once loses to each of the others, several times.
ATTEMPTS = 100


async def commit_with_retry(change: Change, host: Host, retry: Callable[[], Awaitable[Change]]) -> Change:
    """
    Commits the change and returns it, or the one computed again that was committed in its place.

    A change without events needs no commit. `retry` computes the change from the ledger as it is then, and
    may refuse by raising.

    Raises:
        StaleLedger: other writers were faster too often.
    """
    attempt = 1
    while change.events:
        try:
            await call(host.returns.commit(change))
        except StaleLedger:
            if attempt == ATTEMPTS:
                raise
            tell(host, CommitConflicted(order_id=change.order_id, attempt=attempt))
            attempt += 1
            change = await retry()
        else:
            break
    return change
