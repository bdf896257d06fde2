"""
Converts the documents of one order: its events by upgrades, everything else from its history.

An order that cannot be converted is left: each of its documents is stored as a string in another document,
`{"left_in_format":1,"document":"…"}`, which no release reads. So nothing of it is taken for what it is not,
nothing is lost, and it can be tried again when it was put right.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, RowMapping, Table, bindparam, select, union, update

from rma.adapters.sql.documents import decode_event, encode_event
from rma.adapters.sql.executor import executor_on
from rma.adapters.sql.rebuilding import SELECT_NEXT_ORDERS, write_rows
from rma.adapters.sql.schema import Text, events, ledgers, returns
from rma.adapters.sql.upgrades.upgrade import Conversion, Upgrade, combine
from rma.domain.change import replay
from rma.domain.events import Event
from rma.domain.state.ledger import ReturnLedger, SubjectKind
from rma.domain.values.errors import InvalidValue

#: How documents begin that could not be converted; the format that they have follows.
_LEFT = '{"left_in_format":'
_LEFT_FORMAT = re.compile(rf"{re.escape(_LEFT)}(\d+),")

#: How many ids of orders are read at a time.
_BATCH = 1000

_OF_ORDER = bindparam("of_order", type_=Text)
_AFTER = bindparam("after", type_=Text)
_TABLES = (ledgers, returns, events)
_LEFT_BEHIND = union(
    *[
        select(each.c.order_id).where(
            each.c.order_id > _AFTER, each.c.document.startswith(_LEFT, autoescape=True)
        )
        for each in _TABLES
    ]
).subquery("left_behind")
_LEFT_ORDERS = select(_LEFT_BEHIND.c.order_id).order_by(_LEFT_BEHIND.c.order_id).limit(bindparam("limit"))


@frozen
class LeftOrder:
    """
    An order that could not be converted.

    Attributes:
        format: that its documents have.
        error: why, with the class of the error.
    """

    order_id: str
    format: int
    error: str


def every_order(connection: Connection, *, left: bool = False) -> Iterator[str]:
    """Yields the ids of all orders, or of those that were left; they may be rewritten meanwhile."""
    after = ""
    statement = _LEFT_ORDERS if left else SELECT_NEXT_ORDERS
    while found := connection.scalars(statement, {"after": after, "limit": _BATCH}).all():
        yield from found
        after = found[-1]


def rewrite(
    connection: Connection, order_id: str, before: int, upgrades: Sequence[Upgrade]
) -> LeftOrder | None:
    """Writes the order, which has the format before unless it was left, as it is now; or says why not."""
    rows = {table: _rows(connection, table, order_id) for table in _TABLES}
    found = [_format(each["document"]) for of_table in rows.values() for each in of_table]
    order_format = max([each for each in found if each is not None], default=before)
    conversion = combine([each for each in upgrades if each.format > order_format])
    try:
        history = _history(order_id, rows[events], conversion)
        rebuilt = replay(order_id, history)
        _require_complete(rows, rebuilt, conversion)
    except Exception as error:  # converting and decoding may raise any class
        for table, of_table in rows.items():
            left = [_left(each["document"], order_format) for each in of_table]
            _write_documents(connection, table, of_table, left)
        return LeftOrder(order_id, order_format, f"{type(error).__name__}: {error}")
    _write_documents(connection, events, rows[events], [encode_event(each) for each in history])
    behind = [event.at for event in history if event.revision > rebuilt.published]
    write_rows(executor_on(connection), rebuilt, behind[0] if behind else None)
    return None


def _rows(connection: Connection, table: Table, order_id: str) -> Sequence[RowMapping]:
    found = select(table).where(table.c.order_id == _OF_ORDER).order_by(*table.primary_key.columns)
    return connection.execute(found, {"of_order": order_id}).mappings().all()


def _history(order_id: str, rows: Sequence[RowMapping], conversion: Conversion) -> tuple[Event, ...]:
    documents = conversion.events([_plain(each["document"]) for each in rows])
    return tuple(
        [
            decode_event(order_id, row["revision"], row["number"], json.dumps(document))
            for row, document in zip(rows, documents, strict=True)
        ]
    )


def _require_complete(
    rows: Mapping[Table, Sequence[RowMapping]], rebuilt: ReturnLedger, conversion: Conversion
) -> None:
    """Refuses to forget what is stored and what history does not know: it may have moved money."""
    if rebuilt.archived:
        raise InvalidValue("history_archived", {"order_id": rebuilt.order_id, "archived": rebuilt.archived})
    known = {each.id for kind in SubjectKind for each in rebuilt.subjects(kind)}
    known |= {each.key for each in rebuilt.refunds}
    lost = [f"revision {each['revision']}" for each in rows[ledgers] if each["revision"] > rebuilt.revision]
    for each in rows[returns]:
        lost += sorted({each["return_id"], *_refunds(each["document"], conversion)} - known)
    if lost:
        details = {"order_id": rebuilt.order_id, "lost": ", ".join(lost)}
        raise InvalidValue("history_incomplete", details)


def _refunds(document: str | None, conversion: Conversion) -> set[str]:
    """The keys of the refunds in a document; none if it is broken: it is written from the history."""
    try:
        return conversion.refund_keys(_plain(document)) if document is not None else set()
    except Exception:  # of any class
        return set()


def _plain(document: str) -> Any:
    """What the document says, or what it said before it was left."""
    plain = json.loads(document)
    return plain if _format(document) is None else json.loads(plain["document"])


def _format(document: str | None) -> int | None:
    """The format of a document that was left; None for any other, and for none."""
    found = _LEFT_FORMAT.match(document or "")
    return int(found[1]) if found else None


def _left(document: str | None, order_format: int) -> str | None:
    if document is None or _format(document) is not None:
        return document
    return json.dumps({"left_in_format": order_format, "document": document}, separators=(",", ":"))


def _write_documents(
    connection: Connection, table: Table, rows: Sequence[RowMapping], documents: Sequence[str | None]
) -> None:
    key = table.primary_key.columns.keys()
    is_row = [table.c[name] == bindparam(f"old_{name}") for name in key]
    written = update(table).where(*is_row).values(document=bindparam("new_document"))
    if rows:
        connection.execute(
            written,
            [
                {"new_document": document, **{f"old_{name}": row[name] for name in key}}
                for row, document in zip(rows, documents, strict=True)
            ],
        )
