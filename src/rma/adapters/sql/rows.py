"""Turns a change into the rows that store it, and rows into ledgers, events and returns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from attrs import frozen

from rma.adapters.sql.cache import remember_document, remember_opening, restored
from rma.adapters.sql.documents import (
    CHANGES,
    NOTHING_RECORDED,
    LedgerDocument,
    Record,
    Restored,
    changes_of,
    decode_event,
    document_of,
    encode_event,
    record_of,
)
from rma.adapters.sql.encoded import encode_long_tuple
from rma.adapters.sql.timestamps import timestamp
from rma.codec.conversion import decode, encode
from rma.domain.change import Change
from rma.domain.events import (
    ChargeOutcomeRecorded,
    ClaimResolved,
    DeliveryChanged,
    EffectOutcome,
    EffectsAttempted,
    Event,
    ExchangeCanceled,
    ExchangePaid,
    ExchangeUpdated,
    GoodsInspected,
    GoodsReceived,
    Opening,
    ReceiptCorrected,
    ReturnApproved,
    ReturnCanceled,
    ReturnResolved,
    ReturnUpdated,
)
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.grants import Grant
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, Subject, SubjectKind
from rma.domain.state.returns import Return
from rma.domain.values.errors import Unavailable
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.views.query import FoundSubject, UnreadableSubject

#: A row that `statements.LEDGER` selects. Of the ledger: an empty kind, 0, order id, revision, published,
#: document, null, null. Of a return, exchange or claim: kind, position, order id, revision and number of the
#: event that opened it, document, record, document of that event.
LedgerRow = tuple[str, int, str, int, int, str | None, str | None, str | None]
#: A row of a page: when it was requested, order id, position, kind, id, and the last five of the above.
SubjectRow = tuple[str, str, int, str, str, int, int, str | None, str | None, str | None]
#: A row of the history: revision, number, document.
EventRow = tuple[int, int, str]
#: By column.
Row = Mapping[str, str | int | None]


@frozen
class Rows:
    """
    The rows that a commit writes.

    Attributes:
        ledger: the new columns of the ledger's row. `since` is when it began to have unpublished events,
            unless it had some before; None if it has none.
        opened: the returns, exchanges and claims that are new.
        changed: those that were there and changed; a `record` that is None is as it was.
        events: all new events.
        superseded: the keys of stored events whose place the new ones take.
    """

    ledger: Row
    opened: list[Row]
    changed: list[Row]
    events: list[Row]
    superseded: list[Row]


def rows_of(change: Change) -> Rows:
    """
    Turns a change that has events into the rows that store it.

    Raises:
        InvalidValue: a part of it cannot be represented in JSON.
    """
    ledger, order_id = change.ledger, change.order_id
    openings: dict[str, Opening] = {}
    changed: dict[str, bool] = {}  # by id, whether its record changed
    events: list[Row] = []
    for event in change.events:
        row = event_row(event)
        events.append(row)
        if isinstance(event, Opening):
            openings[event.opened.id] = event
            remember_opening(order_id, event.revision, event.number, str(row["document"]), event)
        for subject_id in _changed_by(event):
            changed[subject_id] = changed.get(subject_id, False) or _is_on_record(event, subject_id)
    return Rows(
        ledger=ledger_row(ledger, change.events[0].at),
        opened=subject_rows(ledger, openings),
        changed=_changed_rows(ledger, {each: changed[each] for each in changed if each not in openings}),
        events=events,
        superseded=[
            {"order_id": order_id, "revision": revision, "number": number}
            for revision, number in change.superseded
        ],
    )


def event_row(event: Event) -> Row:
    """
    Returns the row of an event.

    Raises:
        InvalidValue: as `rows_of`.
    """
    return {
        "order_id": event.order_id,
        "revision": event.revision,
        "number": event.number,
        "document": encode_event(event),
    }


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
        "document": encode(document_of(ledger), LedgerDocument, encode_long_tuple),
    }


def subject_rows(ledger: ReturnLedger, openings: Mapping[str, Opening]) -> list[Row]:
    """
    Returns whole rows of those returns, exchanges and claims that these events opened, by id.

    Raises:
        InvalidValue: as `ledger_row`.
    """
    rows: list[Row] = []
    for kind in SubjectKind:
        for position, each in enumerate(ledger.subjects(kind)):
            if (opening := openings.get(each.id)) is None:
                continue
            is_as_it_began = each is opening.opened or each == opening.opened
            rows.append(
                {
                    "order_id": ledger.order_id,
                    "kind": kind.value,
                    "position": position,
                    **columns_of(each),
                    "opened_revision": opening.revision,
                    "opened_number": opening.number,
                    "document": None if is_as_it_began else _document(kind, each),
                    "record": None if is_as_it_began else _record(ledger, each),
                }
            )
    return rows


def columns_of(subject: Subject) -> Row:
    """Returns the columns by which the row of a return, exchange or claim is found."""
    return {
        "return_id": subject.id,
        "status": subject.status.value,
        "needs_attention": subject.needs_attention,
        "requested_at": timestamp(subject.requested_at),
        **dates_of(subject),
    }


def dates_of(subject: Subject) -> Row:
    """Returns the columns of its dates: until when it is to be sent, and to be paid, as long as it is."""
    if not isinstance(subject, Return):
        return {"return_by": None, "due_by": None}
    return {
        "return_by": _optional_timestamp(subject.last_day),
        "due_by": _optional_timestamp(subject.payable_by),
    }


def _optional_timestamp(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def _changed_rows(ledger: ReturnLedger, ids: Mapping[str, bool]) -> list[Row]:
    """Returns what changes in the rows of these ids; their record only where it is said that it changed."""
    return [
        {
            "order_id": ledger.order_id,
            "kind": kind.value,
            "position": position,
            "status": each.status.value,
            "needs_attention": each.needs_attention,
            **dates_of(each),
            "document": _document(kind, each),
            "record": _record(ledger, each) if ids[each.id] else None,
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
    (_, _, order_id, revision, published, document, _, _), *of_subjects = rows
    with readable(order_id):
        stored: LedgerDocument = decode(document or "", LedgerDocument)
        found = [restored(order_id, row[0], row[3:]) for row in of_subjects]
    return ledger_with(order_id, revision, published, stored, found)


def ledger_with(
    order_id: str, revision: int, published: int, stored: LedgerDocument, found: Sequence[Restored]
) -> ReturnLedger:
    """Builds a ledger from what its row says, and from its returns, exchanges and claims."""
    states = [each.state for each in found]
    answered = {
        key: IdempotencyRecord(command, each.state.id, each.redacted.get(key, ()))
        for each in found
        for key, command in each.answered.items()
    }
    return ReturnLedger(
        order_id,
        revision=revision,
        returns=tuple([each for each in states if isinstance(each, Return)]),
        exchanges=tuple([each for each in states if isinstance(each, Exchange)]),
        claims=tuple([each for each in states if isinstance(each, Claim)]),
        open_effects=FrozenMap({effect.request.key: effect for effect in stored.open_effects}),
        answered=FrozenMap(answered),
        published=published,
        order_version=stored.order_version,
        archived=stored.archived,
        grants=tuple(sorted([grant for each in found for grant in each.grants], key=_number)),
        invoice_ids=stored.invoice_ids,
    )


def _number(grant: Grant) -> int:
    return grant.number


def events_of(order_id: str, rows: Iterable[EventRow]) -> tuple[Event, ...]:
    """
    Decodes the events of an order.

    Raises:
        Unavailable: `unreadable_document`.
    """
    with readable(order_id):
        return tuple([decode_event(order_id, *row) for row in rows])


def openings_of(events: Iterable[Event]) -> dict[str, Opening]:
    """Returns the events that opened a return, exchange or claim, by its id."""
    return {event.opened.id: event for event in events if isinstance(event, Opening)}


def subjects_of(rows: Iterable[SubjectRow]) -> tuple[FoundSubject, ...]:
    """Restores returns, exchanges and claims; one that cannot be read is an `UnreadableSubject`."""
    found: list[FoundSubject] = []
    for row in rows:
        requested_at, order_id, _, kind, subject_id, *_ = row
        try:
            with readable(order_id):
                found.append(restored(order_id, kind, row[5:]).state)
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


def _document(kind: str, subject: Subject) -> str:
    changes = changes_of(subject)
    document = encode(changes, CHANGES[kind], encode_long_tuple)
    remember_document(document, changes)  # the next command on it reads it first
    return document


def _record(ledger: ReturnLedger, subject: Subject) -> str | None:
    """Its record, with the commands that were answered but the one that opened it; None if it is empty."""
    answered = {
        key: each
        for key, each in ledger.answered.items()
        if each.subject_id == subject.id and key != subject.idempotency_key
    }
    grants = tuple([each for each in ledger.grants if each.subject_id == subject.id])
    record = record_of(subject, answered, grants)
    if record == NOTHING_RECORDED:
        return None
    document = encode(record, Record, encode_long_tuple)
    remember_document(document, record)
    return document


def _changed_by(event: Event) -> tuple[str, ...]:
    """The ids of the returns, exchanges and claims that the event changed, or granted something for."""
    ids = [each.subject_id for each in event.header.grants]
    return tuple(dict.fromkeys([*_changed_in_state(event), *ids]))


def _changed_in_state(event: Event) -> tuple[str, ...]:
    match event:
        case ExchangePaid() | ExchangeCanceled() | ExchangeUpdated() | ChargeOutcomeRecorded():
            return tuple([each for each in (event.exchange_id, event.return_id) if each is not None])
        case EffectsAttempted(exchange_id=str(), outcomes=outcomes) if any(map(_is_of_both, outcomes)):
            # What was taken of a hold counts as paid for the goods of the return, which wait for new ones.
            return tuple([each for each in (event.exchange_id, event.return_id) if each is not None])
        case DeliveryChanged(delivery=delivery, is_newly_stuck=is_newly_stuck):
            # Most say something about effects only, which are stored with the ledger.
            is_told = event.subject_id is not None and (is_newly_stuck or not delivery.is_stuck)
            return (event.subject_id,) if is_told and event.subject_id else ()
        case _:
            return () if event.subject_id is None else (event.subject_id,)


def _is_of_both(outcome: EffectOutcome) -> bool:
    """True if the outcome changed the exchange, and the return."""
    return outcome.charge is not None or outcome.out_of_stock is not None


def _is_on_record(event: Event, subject_id: str) -> bool:
    """True if the event changed the record of this one, not only its document."""
    if isinstance(event, GoodsReceived | ReceiptCorrected | GoodsInspected | ReturnResolved | ReturnCanceled):
        return True
    if isinstance(event, ReturnApproved | ReturnUpdated | ExchangeUpdated | ClaimResolved):
        return True
    if any(each.subject_id == subject_id for each in event.header.grants):
        return True
    return event.command is not None and event.subject_id == subject_id
