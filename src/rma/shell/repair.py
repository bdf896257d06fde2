"""
Holds what is stored of an order against its history, and puts it right from there.

Events are never changed by it. A ledger, with its open effects and idempotency keys, is what its events say;
it is stored beside them so that a command need not read them all.
"""

from typing import Any

from attrs import frozen

from rma.async_ports import AsyncReturnRepository
from rma.domain.change import replay
from rma.domain.events import Event, Opening
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue, StaleLedger, stale_ledger
from rma.domain.views.differences import Difference, find_loss, ledger_differences, with_archived
from rma.ports import ReturnRepository
from rma.shell.driver import call

Returns = ReturnRepository | AsyncReturnRepository

#: How often it begins again while others commit to the order.
_TRIES = 100


@frozen
class Comparison:
    """
    What is stored of an order, held against its history.

    Attributes:
        differences: what is stored otherwise; nothing if all is well.
        is_archived: True if the history was archived. Only what was opened afterwards, open effects,
            revisions and the columns by which rows are found could be compared.
    """

    differences: tuple[Difference, ...]
    is_archived: bool


async def verify(order_id: str, returns: Returns) -> tuple[Difference, ...]:
    """
    Returns what is stored of this order otherwise than its history rebuilds it; nothing if all is well.

    Raises:
        As `verify_order`.
    """
    return (await verify_order(order_id, returns)).differences


async def rebuild(order_id: str, returns: Returns) -> tuple[Difference, ...]:
    """
    Stores the ledger that the history of this order rebuilds, in one commit; returns what differed before.

    Raises:
        As `rebuild_order`.
    """
    return (await rebuild_order(order_id, returns)).differences


async def verify_order(order_id: str, returns: Returns) -> Comparison:
    """
    Compares what is stored of this order with what its history rebuilds.

    Raises:
        InvalidValue: `history_incomplete`: an event is about something that history does not know.
        Unavailable: the store cannot answer now; `unreadable_document`: an event cannot be read, or anything
            of an order whose history is archived.
        StaleLedger: others committed to the order again and again meanwhile.
    """
    found, rebuilt, _ = await _compare(order_id, returns)
    return Comparison(found, rebuilt.archived > 0)


async def rebuild_order(order_id: str, returns: Returns) -> Comparison:
    """
    Stores the ledger that the history of this order rebuilds, in one commit; says what differed before.

    Nothing is stored if nothing differs.

    Raises:
        InvalidValue: `history_incomplete`: something is stored that history does not know, so a part of it is
            lost; nothing was stored. `history_archived`: something differs, and the history was archived;
            nothing was stored. `repair_unsupported`: the repository has no `replace`.
        Unavailable, StaleLedger: as `verify_order`; nothing was stored.
    """
    replace = getattr(returns, "replace", None)
    if replace is None:
        raise InvalidValue("repair_unsupported", {"repository": type(returns).__qualname__})
    for _ in range(_TRIES):
        found, ledger, history = await _compare(order_id, returns)
        if not found:
            return Comparison((), ledger.archived > 0)
        if ledger.archived:
            raise InvalidValue("history_archived", {"order_id": order_id, "archived": ledger.archived})
        if (lost := find_loss(found)) is not None:
            raise InvalidValue("history_incomplete", {"order_id": order_id, "lost": str(lost)})
        behind = [event.at for event in history if event.revision > ledger.published]
        try:
            await call(replace(ledger, behind[0] if behind else None))
        except StaleLedger:
            continue
        return Comparison(found, is_archived=False)
    raise _busy(order_id)


async def _compare(
    order_id: str, returns: Returns
) -> tuple[tuple[Difference, ...], ReturnLedger, tuple[Event, ...]]:
    """What differs from what this history rebuilds; both were read while there was no commit."""
    compare: Any = getattr(returns, "compare", None)
    history = await call(returns.history(order_id))
    for _ in range(_TRIES):
        rebuilt = replay(order_id, history)
        if rebuilt.archived:
            rebuilt = await _with_archived(rebuilt, history, returns)
        if compare is not None:
            found: tuple[Difference, ...] = await call(compare(rebuilt))
        else:
            stored: ReturnLedger = await call(returns.load(order_id))
            found = ledger_differences(stored, rebuilt)
        if not found:
            return (), rebuilt, history
        before, history = history, await call(returns.history(order_id))
        if history == before:
            return found, rebuilt, history
    raise _busy(order_id)


async def _with_archived(rebuilt: ReturnLedger, history: tuple[Event, ...], returns: Returns) -> ReturnLedger:
    """The ledger that an archived history rebuilds, with what is stored of what it cannot know."""
    stored: ReturnLedger = await call(returns.load(rebuilt.order_id))
    known = [
        each.opened.id for each in history if isinstance(each, Opening) and each.revision > rebuilt.archived
    ]
    return with_archived(rebuilt, stored, frozenset(known))


def _busy(order_id: str) -> StaleLedger:
    return stale_ledger(order_id, "no commits", "commits")
