"""A change as the rows that store it, and the ledger that rows hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache

from attrs import frozen

from rma.adapters.sql.codec import decoded, encoded
from rma.adapters.sql.moments import moment
from rma.domain.change import Change
from rma.domain.commands import Command
from rma.domain.effects import OpenEffect
from rma.domain.errors import Unavailable
from rma.domain.events import Event, OfReturn
from rma.domain.frozenmap import FrozenMap
from rma.domain.ledger import Answered, ReturnLedger
from rma.domain.returns import Return

#: How many of the returns that were read last are kept, if their documents are no longer than this. The
#: same document is always the same value, so what is kept can not be out of date.
KEPT_RETURNS, LONGEST_KEPT = 512, 8192

#: As `statements.LEDGER` answers: position, order id, revision, published, document.
LedgerRow = tuple[int, str, int, int, str]
#: By column.
Row = Mapping[str, str | int | None]


@frozen
class LedgerDocument:
    """What the row of a ledger holds besides its columns."""

    open_effects: tuple[OpenEffect, ...] = ()


@frozen
class ReturnDocument:
    """What the row of a return holds: the return, and by their keys the commands about it that were done."""

    state: Return
    answered: FrozenMap[str, Command] = FrozenMap()


@frozen
class Rows:
    """
    What a commit writes.

    Attributes:
        ledger: what its row becomes. `since`: when it began to have unpublished events, unless it had
            some before; None if it has none.
        returns: those that changed.
        events: all new ones.
    """

    ledger: Row
    returns: list[Row]
    events: list[Row]


def rows_of(change: Change) -> Rows:
    """
    The rows that store this change (which has events).

    Raises:
        InvalidValue: something in it is not what JSON can carry.
    """
    ledger, order_id = change.ledger, change.order_id
    effects = tuple(ledger.open_effects.values())
    due = [effect.due_at for effect in effects if effect.due_at is not None]
    is_behind = ledger.published < ledger.revision
    changed = {event.return_id for event in change.events if isinstance(event, OfReturn)}
    return Rows(
        ledger={
            "revision": ledger.revision,
            "published": ledger.published,
            "waiting_since": moment(min([effect.opened_at for effect in effects])) if effects else None,
            "due_at": moment(min(due)) if due and len(due) == len(effects) else None,
            "since": moment(change.events[0].at) if is_behind else None,
            "document": encoded(LedgerDocument(effects), LedgerDocument),
        },
        returns=[
            {
                "order_id": order_id,
                "position": position,
                "return_id": each.id,
                "status": each.status.value,
                "needs_attention": each.needs_attention,
                "requested_at": moment(each.requested_at),
                "document": encoded(ReturnDocument(each, _answered(ledger, each.id)), ReturnDocument),
            }
            for position, each in enumerate(ledger.returns)
            if each.id in changed
        ],
        events=[
            {
                "order_id": order_id,
                "revision": event.revision,
                "number": event.number,
                "document": encoded(event, Event),
            }
            for event in change.events
        ],
    )


def ledger_of(rows: Sequence[LedgerRow]) -> ReturnLedger:
    """
    The ledger that its row and those of its returns hold, in this order.

    Raises:
        Unavailable: `unreadable_document`.
    """
    (_, order_id, revision, published, document), *of_returns = rows
    with readable(order_id):
        stored: LedgerDocument = decoded(document, LedgerDocument)
        its_returns = [_return(row[-1]) for row in of_returns]
    answered = {
        key: Answered(command, each.state.id)
        for each in its_returns
        for key, command in each.answered.items()
    }
    return ReturnLedger(
        order_id,
        revision=revision,
        returns=tuple([each.state for each in its_returns]),
        open_effects=FrozenMap({effect.request.key: effect for effect in stored.open_effects}),
        answered=FrozenMap(answered),
        published=published,
    )


def events_of(order_id: str, documents: Iterable[str]) -> tuple[Event, ...]:
    """
    The events that these documents hold.

    Raises:
        Unavailable: `unreadable_document`.
    """
    with readable(order_id):
        return tuple([decoded(document, Event) for document in documents])


def returns_of(rows: Iterable[tuple[str, str]]) -> tuple[Return, ...]:
    """
    The returns in rows of order id and document.

    Raises:
        Unavailable: `unreadable_document`.
    """
    found = []
    for order_id, document in rows:
        with readable(order_id):
            found.append(_return(document).state)
    return tuple(found)


@contextmanager
def readable(order_id: str) -> Iterator[None]:
    """Whatever is wrong with a document of this order, told as Unavailable."""
    try:
        yield
    except Exception as error:  # it may hold anything
        details = {"order_id": order_id, "error": f"{type(error).__name__}: {error}"}
        raise Unavailable("unreadable_document", details) from error


def _return(document: str) -> ReturnDocument:
    return _kept_return(document) if len(document) <= LONGEST_KEPT else _decoded_return(document)


def _decoded_return(document: str) -> ReturnDocument:
    stored: ReturnDocument = decoded(document, ReturnDocument)
    return stored


_kept_return = lru_cache(KEPT_RETURNS)(_decoded_return)


def _answered(ledger: ReturnLedger, return_id: str) -> FrozenMap[str, Command]:
    return FrozenMap(
        {key: each.command for key, each in ledger.answered.items() if each.return_id == return_id}
    )
