"""Compares all rows of an order with a ledger that was rebuilt from its history."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import bindparam, select

from rma.adapters.sql.codec import decode
from rma.adapters.sql.database import Connector
from rma.adapters.sql.rows import (
    DOCUMENTS,
    LedgerDocument,
    LedgerRow,
    ledger_of,
    ledger_row,
    subject_rows,
)
from rma.adapters.sql.schema import Text, ledgers, returns
from rma.domain.state.ledger import ReturnLedger, SubjectKind
from rma.domain.views.differences import Difference, ledger_differences

_OF_ORDER = bindparam("of_order", type_=Text)
_LEDGER_ROW = select(ledgers).where(ledgers.c.order_id == _OF_ORDER)
_RETURN_ROWS = (
    select(returns).where(returns.c.order_id == _OF_ORDER).order_by(returns.c.kind, returns.c.position)
)

#: The columns by which rows are found, of a return and of a ledger.
_FOUND_BY = ("return_id", "status", "needs_attention", "requested_at")
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
    rows = [dict(zip(returns.c.keys(), row, strict=True)) for row in connector.found(_RETURN_ROWS, named)]
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
        is_behind = rebuilt.published < rebuilt.revision
        if is_behind != (stored.ledger["unpublished_since"] is not None):
            expected = {"unpublished_since": "a time" if is_behind else None}
            yield from _differing(rebuilt.order_id, "ledger", stored.ledger, expected)
    for row in _expected(rebuilt):
        found = stored.subjects.get(_place(row))
        if found is not None:
            where = f"{row['kind']} {row['return_id']}"
            yield from _differing(rebuilt.order_id, where, found, {name: row[name] for name in _FOUND_BY})


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
    expected = {_place(row): row for row in _expected(rebuilt)}
    order_id = rebuilt.order_id
    rows: list[LedgerRow] = []
    if stored.ledger is None:
        yield Difference(order_id=order_id, where="ledger", field=None, stored=None, rebuilt=rebuilt.revision)
        rows.append(("", 0, order_id, rebuilt.revision, rebuilt.published, _of(rebuilt)))
    else:
        row = stored.ledger
        document, error = _readable(row["document"], LedgerDocument, _of(rebuilt))
        if error:
            yield _unreadable(order_id, "ledger", error)
        rows.append(("", 0, order_id, row["revision"], row["published"], document))
    for (kind, position), row in stored.subjects.items():
        known = expected.get((kind, position))
        document, error = _readable(row["document"], DOCUMENTS[kind], known["document"] if known else None)
        if error:
            yield _unreadable(order_id, f"{kind} {row['return_id']}", error)
        if document:
            rows.append((kind, position, "", 0, 0, document))
        elif known is None:
            yield Difference(
                order_id=order_id, where=f"{kind} {row['return_id']}", field=None, stored=error, rebuilt=None
            )
    yield from ledger_differences(ledger_of(rows), rebuilt)


def _readable(document: str, kind: type, instead: str | None) -> tuple[str, str | None]:
    """The document, or another instead and why, if it cannot be read."""
    try:
        decode(document, kind)
    except Exception as error:  # decoding may raise any class
        return instead or "", f"{type(error).__name__}: {error}"
    return document, None


def _unreadable(order_id: str, where: str, error: str) -> Difference:
    return Difference(order_id=order_id, where=where, field="document", stored=error, rebuilt="readable")


def _place(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["kind"], row["position"]


def _of(rebuilt: ReturnLedger) -> str:
    return str(ledger_row(rebuilt, None)["document"])


def _expected(rebuilt: ReturnLedger) -> Sequence[Mapping[str, Any]]:
    return subject_rows(rebuilt, {each.id for kind in SubjectKind for each in rebuilt.subjects(kind)})
