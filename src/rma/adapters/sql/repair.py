"""Compares all rows of an order with a ledger that was rebuilt from its history."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import bindparam, select

from rma.adapters.sql.cache import Documents, restored
from rma.adapters.sql.database import Connector
from rma.adapters.sql.documents import LedgerDocument, Restored, document_of
from rma.adapters.sql.listing import WITH_OPENING
from rma.adapters.sql.rows import columns_of, ledger_row, ledger_with
from rma.adapters.sql.schema import Text, events, ledgers, returns
from rma.adapters.sql.statement import Statement
from rma.codec.conversion import decode
from rma.domain.state.ledger import ReturnLedger, Subject, SubjectKind
from rma.domain.views.differences import Difference, ledger_differences

_OF_ORDER = bindparam("of_order", type_=Text)
_LEDGER_ROW = Statement(select(ledgers).where(ledgers.c.order_id == _OF_ORDER))
_RETURN_ROWS = Statement(
    select(returns, events.c.document.label("opening"))
    .select_from(WITH_OPENING)
    .where(returns.c.order_id == _OF_ORDER)
    .order_by(returns.c.kind, returns.c.position)
)

#: The columns by which the row of a ledger is found.
_DUE_BY = ("waiting_since", "due_at")


@frozen
class _Stored:
    """The rows of an order."""

    ledger: Mapping[str, Any] | None
    subjects: Mapping[tuple[str, int], Mapping[str, Any]]


def compare(connector: Connector, rebuilt: ReturnLedger) -> tuple[Difference, ...]:
    """Returns in what the rows of the order differ from this ledger; a document that cannot be read does."""
    named = {"of_order": rebuilt.order_id}
    found = [dict(zip(ledgers.c.keys(), row, strict=True)) for row in connector.found(_LEDGER_ROW, named)]
    names = [*returns.c.keys(), "opening"]
    rows = [dict(zip(names, row, strict=True)) for row in connector.found(_RETURN_ROWS, named)]
    stored = _Stored(found[0] if found else None, {_place(row): row for row in rows})
    if stored.ledger is None and not rows and rebuilt == ReturnLedger(rebuilt.order_id):
        return ()
    return (*_columns(stored, rebuilt), *_documents(stored, rebuilt))


def _columns(stored: _Stored, rebuilt: ReturnLedger) -> Iterator[Difference]:
    """The columns by which rows are found, where they are not those of the rebuilt ledger."""
    if stored.ledger is not None:
        row = ledger_row(rebuilt, None)
        yield from _differing(
            rebuilt.order_id, "ledger", stored.ledger, {name: row[name] for name in _DUE_BY}
        )
        if rebuilt.published == rebuilt.revision:  # else it is noted if a publisher is to find it
            yield from _differing(rebuilt.order_id, "ledger", stored.ledger, {"unpublished_since": None})
    for place, subject in _subjects(rebuilt).items():
        found = stored.subjects.get(place)
        if found is not None:
            yield from _differing(rebuilt.order_id, _where(place, subject), found, columns_of(subject))


def _differing(
    order_id: str, where: str, stored: Mapping[str, Any], expected: Mapping[str, Any]
) -> Iterator[Difference]:
    for name, value in expected.items():
        if stored[name] != value:
            yield Difference(
                order_id=order_id, where=where, field=f"column {name}", stored=stored[name], rebuilt=value
            )


def _documents(stored: _Stored, rebuilt: ReturnLedger) -> Iterator[Difference]:
    """What documents say otherwise; where one cannot be read, only that, and the others are compared."""
    order_id = rebuilt.order_id
    expected = _subjects(rebuilt)
    ledger, revision, published = document_of(rebuilt), rebuilt.revision, rebuilt.published
    if stored.ledger is None:
        yield Difference(order_id=order_id, where="ledger", field=None, stored=None, rebuilt=rebuilt.revision)
    else:
        revision, published = stored.ledger["revision"], stored.ledger["published"]
        try:
            ledger = decode(stored.ledger["document"], LedgerDocument)
        except Exception as error:  # decoding may raise any class
            yield _unreadable(order_id, "ledger", error)
    found: list[Restored] = []
    for place, row in stored.subjects.items():
        known = expected.get(place)
        try:
            found.append(restored(order_id, row["kind"], _documents_in(row)))
        except Exception as error:  # as above
            where = f"{row['kind']} {row['return_id']}"
            yield _unreadable(order_id, where, error)
            if known is None:
                words = f"{type(error).__name__}: {error}"
                yield Difference(order_id=order_id, where=where, field=None, stored=words, rebuilt=None)
            else:
                found.append(_restored(known, rebuilt))
    yield from ledger_differences(ledger_with(order_id, revision, published, ledger, found), rebuilt)


def _documents_in(row: Mapping[str, Any]) -> Documents:
    names = ("opened_revision", "opened_number", "document", "record", "opening")
    revision, number, document, record, opening = [row[name] for name in names]
    return revision, number, document, record, opening


def _restored(subject: Subject, rebuilt: ReturnLedger) -> Restored:
    records = {key: each for key, each in rebuilt.answered.items() if each.subject_id == subject.id}
    return Restored(
        subject,
        {key: each.command for key, each in records.items()},
        tuple([each for each in rebuilt.grants if each.subject_id == subject.id]),
        {key: each.redacted for key, each in records.items()},
    )


def _subjects(ledger: ReturnLedger) -> dict[tuple[str, int], Subject]:
    """By kind and position."""
    return {
        (kind.value, position): each
        for kind in SubjectKind
        for position, each in enumerate(ledger.subjects(kind))
    }


def _where(place: tuple[str, int], subject: Subject) -> str:
    return f"{place[0]} {subject.id}"


def _unreadable(order_id: str, where: str, error: Exception) -> Difference:
    words = f"{type(error).__name__}: {error}"
    return Difference(order_id=order_id, where=where, field="document", stored=words, rebuilt="readable")


def _place(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["kind"], row["position"]
