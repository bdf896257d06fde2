"""Every statement that a load, a commit or a look at what is outstanding runs."""

from collections.abc import Callable

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Insert,
    Integer,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from rma.adapters.sql.moments import moment
from rma.adapters.sql.schema import events, ledgers, returns
from rma.domain.errors import InvalidValue
from rma.domain.query import ReturnQuery


def _ledger(order_id: ColumnElement[str]) -> CompoundSelect[int, str, int, int, str]:
    """The ledger's row, and after it its returns', oldest first: one statement sees them as they stood."""
    ledger = select(
        literal_column("-1", Integer).label("position"),
        ledgers.c.order_id,
        ledgers.c.revision,
        ledgers.c.published,
        ledgers.c.document,
    ).where(ledgers.c.order_id == order_id)
    its_returns = select(returns.c.position, null(), null(), null(), returns.c.document).where(
        returns.c.order_id == order_id
    )
    return union_all(ledger, its_returns).order_by("position")


LEDGER = _ledger(bindparam("order_id", type_=Text))
LEDGER_OF_RETURN = _ledger(
    select(returns.c.order_id).where(returns.c.return_id == bindparam("return_id")).scalar_subquery()
)
REVISION = select(ledgers.c.revision).where(ledgers.c.order_id == bindparam("order_id"))
HISTORY = (
    select(events.c.document)
    .where(events.c.order_id == bindparam("order_id"))
    .order_by(events.c.revision, events.c.number)
)
WAITING = (
    select(ledgers.c.order_id)
    .where(
        ledgers.c.waiting_since.is_not(None),
        or_(ledgers.c.due_at.is_(None), ledgers.c.due_at <= bindparam("now")),
    )
    .order_by(ledgers.c.waiting_since, ledgers.c.order_id)
    .limit(bindparam("limit"))
)
UNPUBLISHED = (
    select(ledgers.c.order_id)
    .where(ledgers.c.unpublished_since.is_not(None))
    .order_by(ledgers.c.unpublished_since, ledgers.c.order_id)
    .limit(bindparam("limit"))
)

#: By which returns are ordered: see `rma.domain.query`.
_PLACE = (returns.c.requested_at, returns.c.order_id, returns.c.position)
PLACE = select(*_PLACE).where(returns.c.return_id == bindparam("return_id"))


def page(query: ReturnQuery, last: Row[tuple[str, str, int]] | None) -> Select[tuple[str, str]]:
    """Order id and document of the returns that the query asks for, behind the place of the last one."""
    found = select(returns.c.order_id, returns.c.document)
    if query.order_id is not None:
        found = found.where(returns.c.order_id == query.order_id)
    if query.status is not None:
        found = found.where(returns.c.status == query.status.value)
    if query.needs_attention:
        found = found.where(returns.c.needs_attention == true())
    if query.requested_since is not None:
        found = found.where(returns.c.requested_at >= moment(query.requested_since))
    if query.requested_before is not None:
        found = found.where(returns.c.requested_at < moment(query.requested_before))
    if last is not None:
        here, there = tuple_(*_PLACE), tuple_(*last)
        found = found.where(here < there if query.newest_first else here > there)
    found = found.order_by(*[each.desc() if query.newest_first else each for each in _PLACE])
    return found.limit(query.limit)


_since = bindparam("since", type_=Text)

#: Compare and set: no row is changed if the stored revision is another.
NEXT_REVISION = (
    update(ledgers)
    .where(ledgers.c.order_id == bindparam("of_order"), ledgers.c.revision == bindparam("expected_revision"))
    .values(unpublished_since=case((_since.is_not(None), func.coalesce(ledgers.c.unpublished_since, _since))))
)
NEW_EVENTS = insert(events)


@frozen
class Upserts:
    """What databases spell differently: rows that may be there already."""

    first_revision: Insert
    changed_returns: Insert


def upserts(dialect: str) -> Upserts:
    """
    In the words of this database.

    Raises:
        InvalidValue: it is none that this adapter knows.
    """
    match dialect:
        case "sqlite":
            return _upserts(sqlite.insert)
        case "postgresql":
            return _upserts(postgresql.insert)
        case _:
            details = {"field": "SqlReturns.engine", "value": dialect, "expected": "sqlite or postgresql"}
            raise InvalidValue("invalid_value", details)


def _upserts(into: Callable[[Table], sqlite.Insert] | Callable[[Table], postgresql.Insert]) -> Upserts:
    changed = into(returns)
    first = into(ledgers).values(unpublished_since=_since).on_conflict_do_nothing()
    return Upserts(
        first.execution_options(preserve_rowcount=True),  # else some drivers' count is lost
        changed.on_conflict_do_update(
            index_elements=[returns.c.order_id, returns.c.position],
            set_={name: changed.excluded[name] for name in ("status", "needs_attention", "document")},
        ),
    )
