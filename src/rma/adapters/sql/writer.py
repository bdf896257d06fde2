"""Writes a commit: several statements on SQLite, a single one on PostgreSQL."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from sqlalchemy import (
    Boolean,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from rma.adapters.sql.executor import Executor
from rma.adapters.sql.failures import sqlstate_of
from rma.adapters.sql.rows import Row, Rows
from rma.adapters.sql.schema import FORMAT, events, formats, ledgers, returns
from rma.adapters.sql.statement import Sql, sqlite_text
from rma.adapters.sql.timestamps import Timestamp
from rma.domain.values.errors import InvalidValue

#: Writes the rows of this order if its ledger has this revision, and the tables no later format; otherwise it
#: writes nothing and returns False.
Write = Callable[[Executor, str, int, Rows], bool]


def write_for(dialect: str) -> Write:
    """
    Returns the function that writes a commit to this database.

    Raises:
        InvalidValue: the adapter does not know this database.
    """
    match dialect:
        case "sqlite":
            return _write_in_turn
        case "postgresql":
            return _write_at_once
        case _:
            details = {"field": "SqlReturns.engine", "value": dialect, "expected": "sqlite or postgresql"}
            raise InvalidValue("invalid_value", details)


# Both compare and set the ledger's row by its revision, unless the tables have a later format by now, and
# end the lease of the order: its worker has finished or is too late. A record that is null is left as it is.
_KEY = tuple(returns.primary_key.columns.keys())
_CHANGING = ("status", "needs_attention", "document", "record", "return_by", "due_by")

# On SQLite

_LEDGER = ("revision", "published", "waiting_since", "due_at", "document")
_since = bindparam("since", type_=Text)
_is_known_format = (
    ~select(formats.c.format).where(formats.c.writable_since > literal_column(str(FORMAT))).exists()
)
#: What was noted before stays, even if this commit awaits no publication.
_first_since = func.coalesce(ledgers.c.unpublished_since, _since)
_is_behind = literal_column(":published < :revision", Boolean)  # the new values
_FIRST = ("order_id", *_LEDGER, "unpublished_since")
_FIRST_REVISION = sqlite_text(
    sqlite.insert(ledgers)
    .from_select(
        _FIRST,
        select(*[bindparam(each, type_=ledgers.c[each].type) for each in _FIRST[:-1]], _since).where(
            _is_known_format
        ),
    )
    .on_conflict_do_nothing()
)
_NEXT_REVISION = sqlite_text(
    update(ledgers)
    .where(
        ledgers.c.order_id == bindparam("of_order"),
        ledgers.c.revision == bindparam("expected_revision"),
        _is_known_format,
    )
    .values(unpublished_since=case((_is_behind, _first_since)), leased_by=null()),
    _LEDGER,
)
_NEW_EVENTS = sqlite_text(insert(events))
_SUPERSEDED_EVENTS = sqlite_text(
    delete(events).where(*[column == bindparam(column.name) for column in events.primary_key.columns])
)
_NEW_RETURNS = sqlite_text(insert(returns))
_CHANGED_RETURNS = sqlite_text(
    update(returns)
    .where(*[column == bindparam(f"of_{column.name}") for column in returns.primary_key.columns])
    .values(
        {name: bindparam(name) for name in _CHANGING}
        | {"record": func.coalesce(bindparam("record", type_=Text), returns.c.record)}
    )
)


def _write_in_turn(executor: Executor, order_id: str, expected: int, rows: Rows) -> bool:
    if expected:
        is_next = {"of_order": order_id, "expected_revision": expected}
        cursor = executor.execute(_NEXT_REVISION, {**rows.ledger, **is_next})
    else:
        cursor = executor.execute(_FIRST_REVISION, {**rows.ledger, "order_id": order_id})
    if not cursor.rowcount:
        return False
    if rows.superseded:
        executor.execute_many(_SUPERSEDED_EVENTS, rows.superseded)
    executor.execute_many(_NEW_EVENTS, rows.events)
    if rows.opened:
        executor.execute_many(_NEW_RETURNS, rows.opened)
    if rows.changed:
        executor.execute_many(_CHANGED_RETURNS, [_named(row) for row in rows.changed])
    return True


def _named(row: Row) -> Row:
    return {**row, **{f"of_{name}": row[name] for name in _KEY}}


# On PostgreSQL, where each statement is a round trip. It waits for another process that is about to commit
# the same revision; then that row or revision exists, and nothing is written.

#: What the only column of its answer is called.
_WRITTEN = "ledgers_written"
_IS_KNOWN_FORMAT = f"NOT EXISTS (SELECT FROM rma_format WHERE writable_since > {FORMAT})"
_INSERTED = f"""
    INSERT INTO rma_ledgers
        (order_id, revision, published, waiting_since, due_at, unpublished_since, document)
    SELECT %(order_id)s, %(revision)s, %(published)s, %(waiting_since)s, %(due_at)s, %(since)s, %(document)s
    WHERE {_IS_KNOWN_FORMAT}
    ON CONFLICT DO NOTHING
    RETURNING order_id
"""
_UPDATED = f"""
    UPDATE rma_ledgers
    SET revision = %(revision)s, published = %(published)s, waiting_since = %(waiting_since)s,
        due_at = %(due_at)s, document = %(document)s, leased_by = NULL,
        unpublished_since = CASE WHEN %(published)s < %(revision)s
                                 THEN coalesce(unpublished_since, %(since)s::timestamptz) END
    WHERE order_id = %(order_id)s AND revision = %(expected)s AND {_IS_KNOWN_FORMAT}
    RETURNING order_id
"""
_HAPPENED = (
    "INSERT INTO rma_events (order_id, {columns}) SELECT order_id, new.* FROM ledger, (VALUES {rows}) AS new"
)
_SUPERSEDED = """
    DELETE FROM rma_events AS old USING ledger, (VALUES {rows}) AS place ({columns})
    WHERE old.order_id = ledger.order_id AND old.revision = place.revision AND old.number = place.number
"""
_OPENED = (
    "INSERT INTO rma_returns (order_id, {columns}) SELECT order_id, new.* FROM ledger, (VALUES {rows}) AS new"
)
_CHANGED = """
    UPDATE rma_returns AS old
    SET status = new.status, needs_attention = new.needs_attention, document = new.document,
        record = coalesce(new.record, old.record), return_by = new.return_by, due_by = new.due_by
    FROM ledger, (VALUES {rows}) AS new ({columns})
    WHERE old.order_id = ledger.order_id AND old.kind = new.kind AND old.position = new.position
"""


def _kinds(table: Table) -> dict[str, str]:
    """
    Returns the PostgreSQL type of each column except `order_id`, which the statement takes from the ledger.
    """
    names = {str: "text", int: "integer", bool: "boolean"}
    return {
        each.name: "timestamptz" if each.type is Timestamp else names[each.type.python_type]
        for each in table.c
        if each.name != "order_id"
    }


_EVENT, _RETURN = _kinds(events), _kinds(returns)
_CHANGE = {name: kind for name, kind in _RETURN.items() if name in {*_KEY, *_CHANGING}}
_PLACE = {name: kind for name, kind in _EVENT.items() if name != "document"}


def _write_at_once(executor: Executor, order_id: str, expected: int, rows: Rows) -> bool:
    counts = len(rows.events), len(rows.opened), len(rows.changed), len(rows.superseded)
    statement = _statement(bool(expected), *counts)
    parameters = {**rows.ledger, "order_id": order_id, "expected": expected}
    for number, event in enumerate(rows.events):
        parameters.update([(f"event_{number}_{name}", event[name]) for name in _EVENT])
    for number, opened in enumerate(rows.opened):
        parameters.update([(f"opened_{number}_{name}", opened[name]) for name in _RETURN])
    for number, changed in enumerate(rows.changed):
        parameters.update([(f"changed_{number}_{name}", changed[name]) for name in _CHANGE])
    for number, event in enumerate(rows.superseded):
        parameters.update([(f"superseded_{number}_{name}", event[name]) for name in _PLACE])
    try:
        ((written,),) = executor.rows(statement, parameters)
    except Exception as error:
        # Under stricter isolation than READ COMMITTED, this is the error of a commit that is too late.
        if sqlstate_of(getattr(error, "orig", error)) == "40001" and executor.is_autocommit:
            return False
        raise
    return bool(written)


@lru_cache(maxsize=32)
def _statement(
    is_next: bool,  # noqa: FBT001 # private
    event_count: int,
    opened_count: int,
    changed_count: int,
    superseded_count: int,
) -> Sql:
    """Returns the statement for these numbers of rows; it selects the number of ledgers that it wrote."""
    parts = [
        f"ledger AS ({_UPDATED if is_next else _INSERTED})",
        f"happened AS ({_HAPPENED.format(**_marks('event', _EVENT, event_count))})",
    ]
    if opened_count:
        parts.append(f"opened AS ({_OPENED.format(**_marks('opened', _RETURN, opened_count))})")
    if changed_count:
        parts.append(f"changed AS ({_CHANGED.format(**_marks('changed', _CHANGE, changed_count))})")
    if superseded_count:
        places = _marks("superseded", _PLACE, superseded_count)
        parts.append(f"superseded AS ({_SUPERSEDED.format(**places)})")
    text = f"WITH {', '.join(parts)} SELECT count(*) AS {_WRITTEN} FROM ledger"
    return Sql(text, {}, (_WRITTEN,))


def _marks(what: str, kinds: Mapping[str, str], count: int) -> dict[str, str]:
    rows = [
        ", ".join([f"%({what}_{number}_{name})s::{kind}" for name, kind in kinds.items()])
        for number in range(count)
    ]
    return {"columns": ", ".join(kinds), "rows": ", ".join([f"({row})" for row in rows])}
