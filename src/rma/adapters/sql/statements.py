"""The statements that read, and those by which workers lease what is outstanding."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from attrs import frozen
from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Integer,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from rma.adapters.sql.listing import DOCUMENTS, ROW, WITH_OPENING
from rma.adapters.sql.schema import events, formats, ledgers, returns, sort_key
from rma.adapters.sql.statement import Statement, WritingStatement
from rma.adapters.sql.timestamps import Timestamp
from rma.domain.state.ledger import SubjectKind

_ORDER_ID, _RETURN_ID = bindparam("order_id", type_=Text), bindparam("return_id", type_=Text)


def _ledger(order_id: ColumnElement[str], kind: str) -> Statement:
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
        literal_column("NULL", Text).label("record"),
        literal_column("NULL", Text).label("opening"),
    ).where(ledgers.c.order_id == order_id)
    its_returns = (
        select(returns.c.kind, returns.c.position, returns.c.order_id, *DOCUMENTS)
        .select_from(WITH_OPENING)
        .where(returns.c.order_id == order_id)
    )
    return Statement(union_all(ledger, its_returns).order_by(kind, "position"))


LEDGER = _ledger(_ORDER_ID, "kind")
LEDGER_OF_RETURN = _ledger(
    select(returns.c.order_id).where(returns.c.return_id == _RETURN_ID).scalar_subquery(),
    "kind_by_return",
)
#: Why a commit wrote nothing: since which format the tables can be written, and the stored revision, null if
#: there is no ledger.
STORED = Statement(
    select(
        func.max(formats.c.writable_since).label("writable_since"),
        select(ledgers.c.revision).where(ledgers.c.order_id == _ORDER_ID).scalar_subquery().label("revision"),
    )
)
HISTORY = Statement(
    select(events.c.revision, events.c.number, events.c.document)
    .where(events.c.order_id == _ORDER_ID)
    .order_by(events.c.revision, events.c.number)
)


_LIMIT = bindparam("limit", type_=Integer)


@frozen
class Outstanding:
    """
    The statements that find orders with something outstanding.

    Attributes:
        found: reads them.
        leased: reads those that no other worker has leased, and leases them to this one; it skips rows that
            are being written. For PostgreSQL only.
    """

    found: Statement
    leased: Statement


def _outstanding(since: Column[str], *conditions: ColumnElement[bool]) -> Outstanding:
    found = (
        select(ledgers.c.order_id)
        .where(since.is_not(None), *conditions)
        .order_by(since, ledgers.c.order_id)
        .limit(_LIMIT)
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
    named = select(mine.c.order_id).add_cte(leased).order_by(mine.c.since, mine.c.order_id)
    return Outstanding(Statement(found), Statement(named))


DUE = _outstanding(
    ledgers.c.due_at,
    ledgers.c.waiting_since.is_not(None),
    ledgers.c.due_at <= bindparam("now", type_=Timestamp),
)
UNPUBLISHED = _outstanding(ledgers.c.unpublished_since)
#: Orders that have had an open effect for long, due or not.
WAITING = Statement(
    select(ledgers.c.order_id)
    .where(
        ledgers.c.waiting_since.is_not(None), ledgers.c.waiting_since <= bindparam("before", type_=Timestamp)
    )
    .order_by(ledgers.c.waiting_since, ledgers.c.order_id)
    .limit(_LIMIT)
)

_is_behind = and_(ledgers.c.published < ledgers.c.revision, ledgers.c.unpublished_since.is_(None))
#: Orders behind one of them with unpublished events that are not noted.
NEXT_BEHIND = Statement(
    select(ledgers.c.order_id)
    .where(ledgers.c.order_id > bindparam("after", type_=Text), _is_behind)
    .order_by(ledgers.c.order_id)
    .limit(_LIMIT)
)
#: Notes those of the orders from one to another, unless a commit was faster.
NOTED = WritingStatement(
    update(ledgers)
    .where(
        ledgers.c.order_id >= bindparam("from_order", type_=Text),
        ledgers.c.order_id <= bindparam("to_order", type_=Text),
        _is_behind,
    )
    .values(unpublished_since=bindparam("since", type_=Timestamp))
)

SORT_KEY = Statement(select(*sort_key).where(returns.c.return_id == _RETURN_ID))


def of_orders(order_ids: Sequence[str], kinds: Sequence[SubjectKind]) -> tuple[Statement, Mapping[str, str]]:
    """
    Returns the statement for sort key, id and document of these kinds in these orders, in any order, with its
    parameters.

    It has no other condition, so that no database prefers an index over all orders to the primary key.
    """
    parameters = {f"order_{number}": order_id for number, order_id in enumerate(order_ids)}
    return _of_orders(len(parameters), tuple(kinds)), parameters


@lru_cache(64)
def _of_orders(count: int, kinds: tuple[SubjectKind, ...]) -> Statement:
    ids = [bindparam(f"order_{number}", type_=Text) for number in range(count)]
    wanted = select(*ROW).select_from(WITH_OPENING).where(returns.c.order_id.in_(ids))
    if len(kinds) < len(SubjectKind):
        wanted = wanted.where(or_(*[returns.c.kind == kind.value for kind in kinds]))
    return Statement(wanted)
