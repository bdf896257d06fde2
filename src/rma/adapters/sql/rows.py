"""Turns a change into the rows that store it, and rows into ledgers, events and returns."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain

from attrs import frozen

from rma.adapters.sql.cache import decode_document, encode_long_tuple, remember_document
from rma.adapters.sql.codec import decode, encode
from rma.adapters.sql.timestamps import timestamp
from rma.domain.change import Change
from rma.domain.events import DeliveryChanged, Event, ExchangeCanceled, ExchangePaid
from rma.domain.messages.commands import Command
from rma.domain.messages.effects import OpenEffect
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, Subject, SubjectKind
from rma.domain.state.returns import Return
from rma.domain.values.errors import Unavailable
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.views.query import FoundSubject, UnreadableSubject

#: A row that `statements.LEDGER` selects: kind, position, order id, revision, published, document.
LedgerRow = tuple[str, int, str, int, int, str]
#: A row of a page: when it was requested, order id, position, kind, id, document.
SubjectRow = tuple[str, str, int, str, str, str]
#: By column.
Row = Mapping[str, str | int | None]


@frozen
class LedgerDocument:
    """The document in the row of a ledger: what has no column there."""

    open_effects: tuple[OpenEffect, ...] = ()
    order_version: int = 1


@frozen
class ReturnDocument:
    """The document in the row of a return: the return, and the commands about it by idempotency key."""

    state: Return
    answered: FrozenMap[str, Command] = FrozenMap()


@frozen
class ExchangeDocument:
    """The same for an exchange."""

    state: Exchange
    answered: FrozenMap[str, Command] = FrozenMap()


@frozen
class ClaimDocument:
    """The same for a claim."""

    state: Claim
    answered: FrozenMap[str, Command] = FrozenMap()


Document = ReturnDocument | ExchangeDocument | ClaimDocument

#: By the `kind` of a row.
DOCUMENTS: dict[str, type[Document]] = {
    "return": ReturnDocument,
    "exchange": ExchangeDocument,
    "claim": ClaimDocument,
}


@frozen
class Rows:
    """
    The rows that a commit writes.

    Attributes:
        ledger: the new columns of the ledger's row. `since` is when it began to have unpublished events,
            unless it had some before; None if it has none.
        returns: the returns, exchanges and claims that changed.
        events: all new events.
        superseded: the keys of stored events whose place the new ones take.
    """

    ledger: Row
    returns: list[Row]
    events: list[Row]
    superseded: list[Row]


def rows_of(change: Change) -> Rows:
    """
    Turns a change that has events into the rows that store it.

    Raises:
        InvalidValue: a part of it cannot be represented in JSON.
    """
    ledger, order_id = change.ledger, change.order_id
    changed = set(chain.from_iterable(map(_changed_by, change.events)))
    return Rows(
        ledger=ledger_row(ledger, change.events[0].at),
        returns=subject_rows(ledger, changed),
        events=[
            {
                "order_id": order_id,
                "revision": event.revision,
                "number": event.number,
                "document": encode(event, Event, encode_long_tuple),
            }
            for event in change.events
        ],
        superseded=[
            {"order_id": order_id, "revision": revision, "number": number}
            for revision, number in change.superseded
        ],
    )


def ledger_row(ledger: ReturnLedger, since: datetime | None) -> Row:
    """
    Returns the columns of the ledger's row; `since` is when its first unpublished event was recorded.

    Raises:
        InvalidValue: a part of it cannot be represented in JSON.
    """
    effects = tuple(ledger.open_effects.values())
    due_at = ledger.due_at
    return {
        "revision": ledger.revision,
        "published": ledger.published,
        "waiting_since": timestamp(min([effect.opened_at for effect in effects])) if effects else None,
        "due_at": timestamp(due_at) if due_at else None,
        "since": timestamp(since) if since is not None and ledger.published < ledger.revision else None,
        "document": encode(LedgerDocument(effects, ledger.order_version), LedgerDocument, encode_long_tuple),
    }


def subject_rows(ledger: ReturnLedger, ids: Container[str]) -> list[Row]:
    """
    Returns the rows of those returns, exchanges and claims that have these ids.

    Raises:
        InvalidValue: as `ledger_row`.
    """
    return [
        {
            "order_id": ledger.order_id,
            "kind": kind.value,
            "position": position,
            "return_id": each.id,
            "status": each.status.value,
            "needs_attention": each.needs_attention,
            "requested_at": timestamp(each.requested_at),
            "document": _document(kind, each, ledger),
        }
        for kind in SubjectKind
        for position, each in enumerate(ledger.subjects(kind))
        if each.id in ids
    ]


def ledger_of(rows: Sequence[LedgerRow]) -> ReturnLedger:
    """
    Builds a ledger from its row and the rows of its returns, exchanges and claims, in this order.

    Raises:
        Unavailable: `unreadable_document`.
    """
    (_, _, order_id, revision, published, document), *of_subjects = rows
    with readable(order_id):
        stored: LedgerDocument = decode(document, LedgerDocument)
        subjects = [decode_document(document, DOCUMENTS[kind]) for kind, *_, document in of_subjects]
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
        order_version=stored.order_version,
    )


def events_of(order_id: str, documents: Iterable[str]) -> tuple[Event, ...]:
    """
    Decodes the events of an order.

    Raises:
        Unavailable: `unreadable_document`.
    """
    with readable(order_id):
        return tuple([decode(document, Event) for document in documents])


def subjects_of(rows: Iterable[SubjectRow]) -> tuple[FoundSubject, ...]:
    """Decodes returns, exchanges and claims; one that cannot be read is an `UnreadableSubject`."""
    found: list[FoundSubject] = []
    for requested_at, order_id, _, kind, subject_id, document in rows:
        try:
            with readable(order_id):
                found.append(decode_document(document, DOCUMENTS[kind]).state)
        except Unavailable as error:
            unreadable = UnreadableSubject(
                id=subject_id,
                order_id=order_id,
                kind=SubjectKind(kind),
                requested_at=datetime.fromisoformat(requested_at),
                error=str(error.details["error"]),
            )
            found.append(unreadable)
    return tuple(found)


@contextmanager
def readable(order_id: str) -> Iterator[None]:
    """Reports any error while a document of this order is decoded as `Unavailable`."""
    try:
        yield
    except Exception as error:  # decoding may raise any class
        details = {"order_id": order_id, "error": f"{type(error).__name__}: {error}"}
        raise Unavailable("unreadable_document", details) from error


def _document(kind: str, subject: Subject, ledger: ReturnLedger) -> str:
    answered = FrozenMap(
        {key: each.command for key, each in ledger.answered.items() if each.subject_id == subject.id}
    )
    stored = DOCUMENTS[kind](subject, answered)  # type: ignore[arg-type] # of that kind
    document = encode(stored, DOCUMENTS[kind], encode_long_tuple)
    remember_document(document, DOCUMENTS[kind], stored)  # the next command on it reads it first
    return document


def _changed_by(event: Event) -> tuple[str, ...]:
    """The ids of the returns, exchanges and claims that the event changed."""
    match event:
        case ExchangePaid() | ExchangeCanceled():
            return tuple([each for each in (event.exchange_id, event.return_id) if each is not None])
        case DeliveryChanged(delivery=delivery, is_newly_stuck=is_newly_stuck):
            # Most say something about effects only, which are stored with the ledger.
            is_told = event.subject_id is not None and (is_newly_stuck or not delivery.is_stuck)
            return (event.subject_id,) if is_told and event.subject_id else ()
        case _:
            return () if event.subject_id is None else (event.subject_id,)
