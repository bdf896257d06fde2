"""Committing where others commit too: a change that comes too late is made anew on the new state."""

from collections.abc import Callable

from rma.domain.change import Change
from rma.domain.errors import StaleLedger
from rma.ports import ReturnRepository

#: How often a change that lost a race is made anew before the caller hears of it.
ATTEMPTS = 20


def committed(returns: ReturnRepository, make: Callable[[], Change]) -> Change:
    """
    The change that was committed, or that needed no commit because it has no events.

    It is made before each attempt, from the state as it is then; making it may refuse by raising.

    Raises:
        StaleLedger: others were faster too often.
    """
    attempt = 1
    while (change := make()).events:
        try:
            returns.commit(change)
        except StaleLedger:
            if attempt == ATTEMPTS:
                raise
            attempt += 1
        else:
            break
    return change
