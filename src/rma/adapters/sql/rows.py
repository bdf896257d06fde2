"""A change as the rows that store it, and the ledger that rows hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain

from attrs import frozen

from rma.adapters.sql.cache import Cache
from rma.adapters.sql.codec import decoded, encoded
from rma.adapters.sql.timestamps import timestamp
from rma.domain.change import Change
from rma.domain.events import Event, ExchangeCanceled, ExchangePaid
from rma.domain.messages.commands import Command
from rma.domain.messages.effects import OpenEffect
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, Subject
from rma.domain.state.returns import Return
from rma.domain.values.errors import Unavailable
from rma.domain.values.frozenmap import FrozenMap

#: How many characters are kept of the documents of returns that were read or written last, with what they
#: hold. The same document is always the same value, so what is kept can not be out of date.
MAX_CACHED_DOCUMENTS = 4_000_000

#: As `statements.LEDGER` answers: kind, position, order id, revision, published, document.
LedgerRow = tuple[str, int, str, int, int, str]
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
class ExchangeDocument:
    """The same of an exchange."""

    state: Exchange
    answered: FrozenMap[str, Command] = FrozenMap()


@frozen
class ClaimDocument:
    """The same of a claim."""

    state: Claim
    answered: FrozenMap[str, Command] = FrozenMap()


Document = ReturnDocument | ExchangeDocument | ClaimDocument

#: By the kind that a row says it is of.
_DOCUMENTS: dict[str, type[Document]] = {
    "return": ReturnDocument,
    "exchange": ExchangeDocument,
    "claim": ClaimDocument,
}


@frozen
class Rows:
    """
    What a commit writes.

    Attributes:
        ledger: what its row becomes. `since`: when it began to have unpublished events, unless it had
            some before; None if it has none.
        returns: returns, exchanges and claims that changed.
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
    changed = set(chain.from_iterable(map(_changed_by, change.events)))
    by_kind: dict[str, tuple[Subject, ...]] = {
        "return": ledger.returns,
        "exchange": ledger.exchanges,
        "claim": ledger.claims,
    }
    return Rows(
        ledger={
            "revision": ledger.revision,
            "published": ledger.published,
            "waiting_since": timestamp(min([effect.opened_at for effect in effects])) if effects else None,
            "due_at": timestamp(min(due)) if due and len(due) == len(effects) else None,
            "since": timestamp(change.events[0].at) if is_behind else None,
            "document": encoded(LedgerDocument(effects), LedgerDocument),
        },
        returns=[
            {
                "order_id": order_id,
                "kind": kind,
                "position": position,
                "return_id": each.id,
                "status": each.status.value,
                "needs_attention": not isinstance(each, Exchange) and each.needs_attention,
                "requested_at": timestamp(each.requested_at),
                "document": _document(kind, each, ledger),
            }
            for kind, subjects in by_kind.items()
            for position, each in enumerate(subjects)
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
    (_, _, order_id, revision, published, document), *of_subjects = rows
    with readable(order_id):
        stored: LedgerDocument = decoded(document, LedgerDocument)
        subjects = [_stored(kind, document) for kind, *_, document in of_subjects]
    answered = {
        key: IdempotencyRecord(command, each.state.id)
        for each in subjects
        for key, command in each.answered.items()
    }
    return ReturnLedger(
        order_id,
        revision=revision,
        returns=tuple([each.state for each in subjects if isinstance(each, ReturnDocument)]),
        exchanges=tuple([each.state for each in subjects if isinstance(each, ExchangeDocument)]),
        claims=tuple([each.state for each in subjects if isinstance(each, ClaimDocument)]),
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
    found: list[Return] = []
    for order_id, document in rows:
        with readable(order_id):
            stored: ReturnDocument = _stored("return", document)  # type: ignore[assignment] # of that kind
        found.append(stored.state)
    return tuple(found)


@contextmanager
def readable(order_id: str) -> Iterator[None]:
    """Whatever is wrong with a document of this order, told as Unavailable."""
    try:
        yield
    except Exception as error:  # it may hold anything
        details = {"order_id": order_id, "error": f"{type(error).__name__}: {error}"}
        raise Unavailable("unreadable_document", details) from error


#: By kind and document.
STORED: Cache[tuple[str, str], Document] = Cache(MAX_CACHED_DOCUMENTS)


def _stored(kind: str, document: str) -> Document:
    stored = STORED.get((kind, document))
    if stored is None:
        stored = decoded(document, _DOCUMENTS[kind])
        STORED.put((kind, document), stored, len(document))
    return stored


def _document(kind: str, subject: Subject, ledger: ReturnLedger) -> str:
    answered = FrozenMap(
        {key: each.command for key, each in ledger.answered.items() if each.subject_id == subject.id}
    )
    stored = _DOCUMENTS[kind](subject, answered)  # type: ignore[arg-type] # of that kind
    document = encoded(stored, _DOCUMENTS[kind])
    STORED.put((kind, document), stored, len(document))  # whoever goes on with it reads it first
    return document


def _changed_by(event: Event) -> tuple[str, ...]:
    """The ids of what stands otherwise after the event."""
    match event:
        case ExchangePaid(exchange=exchange) | ExchangeCanceled(exchange=exchange):
            return exchange.id, exchange.return_id
        case _:
            return () if event.subject_id is None else (event.subject_id,)
