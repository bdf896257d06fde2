"""The statements that read, and those by which workers lease what is outstanding."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import sub
from typing import TypeVarTuple

from attrs import frozen
from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    CompoundSelect,
    Executable,
    Float,
    Integer,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    func,
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

from rma.adapters.sql.schema import events, formats, is_no_return, ledgers, returns, sort_key
from rma.adapters.sql.timestamps import Timestamp, timestamp
from rma.domain.state.ledger import SubjectKind
from rma.domain.views.query import ReturnQuery

Columns = TypeVarTuple("Columns")


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


def _ledger(order_id: ColumnElement[str], kind: str) -> CompoundSelect[str, int, str, int, int, str]:
    """
    Selects the ledger's row, and after it those of its returns, exchanges and claims, in one snapshot.

    The first column is called `kind` and differs between statements: by their columns they are known.
    """
    ledger = select(
        literal_column("''", Text).label(kind),
        literal_column("0", Integer).label("position"),
        ledgers.c.order_id,
        ledgers.c.revision,
        ledgers.c.published,
        ledgers.c.document,
    ).where(ledgers.c.order_id == order_id)
    its_returns = select(
        returns.c.kind, returns.c.position, null(), null(), null(), returns.c.document
    ).where(returns.c.order_id == order_id)
    return union_all(ledger, its_returns).order_by(kind, "position")


LEDGER = _ledger(bindparam("order_id", type_=Text), "kind")
LEDGER_OF_RETURN = _ledger(
    select(returns.c.order_id).where(returns.c.return_id == bindparam("return_id")).scalar_subquery(),
    "kind_by_return",
)
#: The SQL of the statements with which every command begins, for SQLite's driver.
SQLITE_TEXTS: Mapping[Executable, str] = {each: sqlite_text(each) for each in (LEDGER, LEDGER_OF_RETURN)}
#: Why a commit wrote nothing: since which format the tables can be written, and the stored revision, null if
#: there is no ledger.
STORED = select(
    func.max(formats.c.writable_since).label("writable_since"),
    select(ledgers.c.revision)
    .where(ledgers.c.order_id == bindparam("order_id"))
    .scalar_subquery()
    .label("revision"),
)
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
    worker, now = bindparam("worker", type_=Text), bindparam("now", type_=Timestamp)
    # A worker whose clock is a day ahead would lease an order for a day: no lease ends later by the clock of
    # the database than it should.
    bound = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("seconds", type_=Float))
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
        .values(leased_until=func.least(bindparam("until", type_=Timestamp), bound), leased_by=worker)
        .cte("leased")
    )
    return Outstanding(found, select(mine.c.order_id).add_cte(leased).order_by(mine.c.since, mine.c.order_id))


DUE = _outstanding(
    ledgers.c.due_at,
    ledgers.c.waiting_since.is_not(None),
    ledgers.c.due_at <= bindparam("now", type_=Timestamp),
)
UNPUBLISHED = _outstanding(ledgers.c.unpublished_since)
#: Orders that have had an open effect for long, due or not.
WAITING = (
    select(ledgers.c.order_id)
    .where(
        ledgers.c.waiting_since.is_not(None), ledgers.c.waiting_since <= bindparam("before", type_=Timestamp)
    )
    .order_by(ledgers.c.waiting_since, ledgers.c.order_id)
    .limit(bindparam("limit"))
)

SORT_KEY = select(*sort_key).where(returns.c.return_id == bindparam("return_id"))
_ROW = (*sort_key, returns.c.return_id, returns.c.document)

#: What a row of `SORT_KEY` is.
LastRow = Row[tuple[str, str, int, str]]


def page(query: ReturnQuery, last: LastRow | None) -> Select[str, str, int, str, str, str]:
    """
    Selects sort key, id and document of what the query asks for of all orders, after the sort key of the
    last one; in order, unless the query has an offset.
    """
    if query.offset:  # what is skipped is read in an index: only the documents of the page are loaded
        wanted = _sorted(select(returns.c.order_id, returns.c.kind, returns.c.position), query, last)
        keys = wanted.limit(query.limit).offset(query.offset).subquery()
        is_wanted = and_(*[returns.c[each.name] == each for each in keys.c])
        return select(*_ROW).join(keys, is_wanted)
    return _sorted(select(*_ROW), query, last).limit(query.limit)


def of_orders(order_ids: Sequence[str], kinds: Sequence[SubjectKind]) -> Select[str, str, int, str, str, str]:
    """
    Selects sort key, id and document of these kinds in these orders, in any order.

    It has no other condition, so that no database prefers an index over all orders to the primary key.
    """
    return select(*_ROW).where(returns.c.order_id.in_(order_ids), *_of_kinds(kinds))


def number_of(query: ReturnQuery) -> Select[int]:
    """Selects how many the query asks for of all orders."""
    conditions = _conditions(query)
    everything = select(func.count().label("found")).select_from(returns)
    if conditions:
        return everything.where(*conditions, *_of_kinds(query.kinds))
    # Counting all rows is a tenth of the work of counting those of one kind, and other kinds are few.
    others = [kind for kind in SubjectKind if kind not in query.kinds]
    unwanted = [everything.where(is_no_return, *_of_kinds([kind])).scalar_subquery() for kind in others]
    return select(reduce(sub, unwanted, everything.scalar_subquery()).label("found"))


def _sorted(found: Select[*Columns], query: ReturnQuery, last: LastRow | None) -> Select[*Columns]:
    found = found.where(*_conditions(query), *_of_kinds(query.kinds))
    if last is not None:
        here, there = tuple_(*sort_key), tuple_(*last, types=[each.type for each in sort_key])
        found = found.where(here < there if query.newest_first else here > there)
    return found.order_by(*[each.desc() if query.newest_first else each for each in sort_key])


def _of_kinds(kinds: Sequence[SubjectKind]) -> list[ColumnElement[bool]]:
    """The condition that only these kinds have; none if they are all."""
    if len(kinds) == len(SubjectKind):
        return []
    return [or_(*[returns.c.kind == kind.value for kind in kinds])]


def _conditions(query: ReturnQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if SubjectKind.RETURN not in query.kinds and query.status is None and not query.needs_attention:
        found.append(is_no_return)
    if query.status is not None:
        found.append(returns.c.status == query.status.value)
    if query.needs_attention:
        found.append(returns.c.needs_attention == true())
    if query.requested_since is not None:
        found.append(returns.c.requested_at >= timestamp(query.requested_since))
    if query.requested_before is not None:
        found.append(returns.c.requested_at < timestamp(query.requested_before))
    return found
