"""Committing where others commit too: a change that comes too late is made anew on the new state."""

from collections.abc import Callable

from rma.async_ports import Host
from rma.domain.change import Change
from rma.domain.values.errors import StaleLedger
from rma.shell.driver import Steps

#: How often a change is tried that each time loses to another, which is committed, before the caller hears of
#: it. Coroutines run in step, and the last of many at once loses to each of the others, several times.
ATTEMPTS = 100


def committed(change: Change, host: Host, retry: Callable[[], Steps[Change]]) -> Steps[Change]:
    """
    The change that was committed, or that needed no commit because it has no events.

    `retry` makes it again, from the state as it is then, and may refuse by raising.

    Raises:
        StaleLedger: others were faster too often.
    """
    attempt = 1
    while change.events:
        try:
            yield host.returns.commit(change)
        except StaleLedger:
            if attempt == ATTEMPTS:
                raise
            attempt += 1
            change = yield from retry()
        else:
            break
    return change
