"""The statements that read, and those by which workers lease what is outstanding."""

from collections.abc import Iterable, Mapping

from attrs import frozen
from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    CompoundSelect,
    Executable,
    Integer,
    Row,
    Select,
    Text,
    bindparam,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite

from rma.adapters.sql.schema import events, is_return, ledgers, returns
from rma.adapters.sql.timestamps import timestamp
from rma.domain.views.query import ReturnQuery


def sqlite_text(statement: ClauseElement, columns: Iterable[str] | None = None) -> str:
    """
    Returns the statement in SQLite's dialect, with named parameters.

    Statements of every command go to the driver directly, as SQLAlchemy takes several times as long for one
    as SQLite itself.

    Args:
        statement: a statement that reads or writes.
        columns: the columns that are written, if not all.
    """
    named = sqlite.dialect(paramstyle="named")
    return str(statement.compile(dialect=named, column_keys=None if columns is None else list(columns)))


def _ledger(order_id: ColumnElement[str]) -> CompoundSelect[str, int, str, int, int, str]:
    """Selects the ledger's row, and after it those of its returns, exchanges and claims, in one snapshot."""
    ledger = select(
        literal_column("''", Text).label("kind"),
        literal_column("0", Integer).label("position"),
        ledgers.c.order_id,
        ledgers.c.revision,
        ledgers.c.published,
        ledgers.c.document,
    ).where(ledgers.c.order_id == order_id)
    its_returns = select(
        returns.c.kind, returns.c.position, null(), null(), null(), returns.c.document
    ).where(returns.c.order_id == order_id)
    return union_all(ledger, its_returns).order_by("kind", "position")


LEDGER = _ledger(bindparam("order_id", type_=Text))
LEDGER_OF_RETURN = _ledger(
    select(returns.c.order_id).where(returns.c.return_id == bindparam("return_id")).scalar_subquery()
)
#: The SQL of the statements with which every command begins, for SQLite's driver.
SQLITE_TEXTS: Mapping[Executable, str] = {each: sqlite_text(each) for each in (LEDGER, LEDGER_OF_RETURN)}
REVISION = select(ledgers.c.revision).where(ledgers.c.order_id == bindparam("order_id"))
HISTORY = (
    select(events.c.document)
    .where(events.c.order_id == bindparam("order_id"))
    .order_by(events.c.revision, events.c.number)
)


@frozen
class Outstanding:
    """
    The statements that find orders with something outstanding.

    Attributes:
        found: reads them.
        leased: reads those that no other worker has leased, and leases them to this one; it skips rows that
            are being written. For PostgreSQL only.
    """

    found: Select[str]
    leased: Select[str]


def _outstanding(since: Column[str], *conditions: ColumnElement[bool]) -> Outstanding:
    found = (
        select(ledgers.c.order_id)
        .where(since.is_not(None), *conditions)
        .order_by(since, ledgers.c.order_id)
        .limit(bindparam("limit"))
    )
    worker, now = bindparam("worker", type_=Text), bindparam("now", type_=Text)
    is_over = or_(ledgers.c.leased_until.is_(None), ledgers.c.leased_until <= now)
    mine = (
        found.add_columns(since.label("since"))
        .where(or_(ledgers.c.leased_by.is_(None), ledgers.c.leased_by == worker, is_over))
        .with_for_update(key_share=True, skip_locked=True)
        .cte("mine")
    )
    # An order whose lease was ended early by a commit was just tried: it is named to all, and leased to none.
    leased = (
        update(ledgers)
        .where(ledgers.c.order_id == mine.c.order_id, is_over)
        .values(leased_until=bindparam("until", type_=Text), leased_by=worker)
        .cte("leased")
    )
    return Outstanding(found, select(mine.c.order_id).add_cte(leased).order_by(mine.c.since, mine.c.order_id))


DUE = _outstanding(
    ledgers.c.due_at,
    ledgers.c.waiting_since.is_not(None),
    ledgers.c.due_at <= bindparam("now", type_=Text),
)
UNPUBLISHED = _outstanding(ledgers.c.unpublished_since)
#: Orders that have had an open effect for long, due or not.
WAITING = (
    select(ledgers.c.order_id)
    .where(ledgers.c.waiting_since.is_not(None), ledgers.c.waiting_since <= bindparam("before", type_=Text))
    .order_by(ledgers.c.waiting_since, ledgers.c.order_id)
    .limit(bindparam("limit"))
)

#: The columns by which returns are ordered: see `rma.domain.views.query`.
_SORT_KEY = (returns.c.requested_at, returns.c.order_id, returns.c.position)
SORT_KEY = select(*_SORT_KEY).where(returns.c.return_id == bindparam("return_id"))


def page(query: ReturnQuery, last: Row[tuple[str, str, int]] | None) -> Select[tuple[str, str]]:
    """
    Selects order id and document of the returns that the query asks for, after the sort key of the last
    one.
    """
    found = select(returns.c.order_id, returns.c.document).where(is_return)
    if query.order_id is not None:
        found = found.where(returns.c.order_id == query.order_id)
    if query.status is not None:
        found = found.where(returns.c.status == query.status.value)
    if query.needs_attention:
        found = found.where(returns.c.needs_attention == true())
    if query.requested_since is not None:
        found = found.where(returns.c.requested_at >= timestamp(query.requested_since))
    if query.requested_before is not None:
        found = found.where(returns.c.requested_at < timestamp(query.requested_before))
    if last is not None:
        here, there = tuple_(*_SORT_KEY), tuple_(*last)
        found = found.where(here < there if query.newest_first else here > there)
    found = found.order_by(*[each.desc() if query.newest_first else each for each in _SORT_KEY])
    return found.limit(query.limit)
