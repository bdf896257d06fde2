"""
Holds what is stored of an order against its history, and puts it right from there.

Events are never changed by it. A ledger, with its open effects and idempotency keys, is what its events say;
it is stored beside them so that a command need not read them all.
"""

from typing import Any

from rma.async_ports import AsyncReturnRepository
from rma.domain.change import replay
from rma.domain.events import Event
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue, StaleLedger
from rma.domain.views.differences import Difference, find_loss, ledger_differences
from rma.ports import ReturnRepository
from rma.shell.driver import call

Returns = ReturnRepository | AsyncReturnRepository

#: How often it begins again while others commit to the order.
_TRIES = 100


async def verify(order_id: str, returns: Returns) -> tuple[Difference, ...]:
    """
    Returns what is stored of this order otherwise than its history rebuilds it; nothing if all is well.

    Raises:
        Unavailable: the store cannot answer now; `unreadable_document`: an event cannot be read.
        StaleLedger: others committed to the order again and again meanwhile.
    """
    found, _ = await _compare(order_id, returns)
    return found


async def rebuild(order_id: str, returns: Returns) -> tuple[Difference, ...]:
    """
    Stores the ledger that the history of this order rebuilds, in one commit; returns what differed before.

    Nothing is stored if nothing differs.

    Raises:
        InvalidValue: `history_incomplete`: something is stored that history does not know, so a part of it is
            lost; nothing was stored. `repair_unsupported`: the repository has no `replace`.
        Unavailable, StaleLedger: as `verify`; nothing was stored.
    """
    replace = getattr(returns, "replace", None)
    if replace is None:
        raise InvalidValue("repair_unsupported", {"repository": type(returns).__qualname__})
    for _ in range(_TRIES):
        found, history = await _compare(order_id, returns)
        if not found:
            return ()
        if (lost := find_loss(found)) is not None:
            raise InvalidValue("history_incomplete", {"order_id": order_id, "lost": str(lost)})
        ledger = replay(order_id, history)
        behind = [event.at for event in history if event.revision > ledger.published]
        try:
            await call(replace(ledger, behind[0] if behind else None))
        except StaleLedger:
            continue
        return found
    raise _busy(order_id)


async def _compare(order_id: str, returns: Returns) -> tuple[tuple[Difference, ...], tuple[Event, ...]]:
    """What differs from this history; both were read while there was no commit."""
    compare: Any = getattr(returns, "compare", None)
    history = await call(returns.history(order_id))
    for _ in range(_TRIES):
        rebuilt = replay(order_id, history)
        if compare is not None:
            found: tuple[Difference, ...] = await call(compare(rebuilt))
        else:
            stored: ReturnLedger = await call(returns.load(order_id))
            found = ledger_differences(stored, rebuilt)
        if not found:
            return (), history
        before, history = history, await call(returns.history(order_id))
        if history == before:
            return found, history
    raise _busy(order_id)


def _busy(order_id: str) -> StaleLedger:
    return StaleLedger("stale_ledger", {"order_id": order_id, "expected": "no commits", "found": "commits"})
