"""Writes the rows of a ledger that was rebuilt from its history, in the place of those that the order has."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Select, bindparam, delete, func, insert, select, union, update

from rma.adapters.sql.executor import Executor
from rma.adapters.sql.rows import events_of, ledger_row, openings_of, subject_rows
from rma.adapters.sql.schema import Text, events, formats, ledgers, require_known, returns
from rma.adapters.sql.statement import Statement, WritingStatement
from rma.adapters.sql.statements import HISTORY
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import stale_ledger

_OF_ORDER = bindparam("of_order", type_=Text)


def _next_orders() -> Select[str]:
    """Each table answers from its primary key as many as are wanted; none is read to its end."""
    parts = [
        select(table.c.order_id)
        .distinct()
        .where(table.c.order_id > bindparam("after", type_=Text))
        .order_by(table.c.order_id)
        .limit(bindparam("limit"))
        .subquery()
        for table in (ledgers, events, returns)
    ]
    known = union(*[select(part.c.order_id) for part in parts]).subquery("known")
    return select(known.c.order_id).order_by(known.c.order_id).limit(bindparam("limit"))


#: Selects ids of orders of which anything is stored, in order, after one of them.
SELECT_NEXT_ORDERS = _next_orders()
NEXT_ORDERS = Statement(SELECT_NEXT_ORDERS)

#: Since which format the tables can be written, and the revision of the order's last event, if any.
_LAST = Statement(
    select(
        select(func.max(formats.c.writable_since)).scalar_subquery().label("writable_since"),
        select(func.max(events.c.revision))
        .where(events.c.order_id == _OF_ORDER)
        .scalar_subquery()
        .label("last_event"),
    )
)
#: Locks the row of a ledger.
LOCKED = Statement(select(ledgers.c.order_id).where(ledgers.c.order_id == _OF_ORDER).with_for_update())
_COLUMNS = ("revision", "published", "waiting_since", "due_at", "unpublished_since", "document")
_REPLACED = WritingStatement(
    update(ledgers)
    .where(ledgers.c.order_id == _OF_ORDER)
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS} | {"leased_by": None, "leased_until": None})
)
_NEW_LEDGER = WritingStatement(
    insert(ledgers).values({name: bindparam(name) for name in ("order_id", *_COLUMNS)})
)
_NO_RETURNS = WritingStatement(delete(returns).where(returns.c.order_id == _OF_ORDER))
_NEW_RETURNS = WritingStatement(insert(returns))


def replace(executor: Executor, ledger: ReturnLedger, since: datetime | None) -> None:
    """
    Writes the rows of this ledger in the place of those that the order has.

    Raises:
        StaleLedger: the last event is of another revision; nothing was written.
        Unavailable: `newer_format`; nothing was written.
    """
    named: Mapping[str, object] = {"of_order": ledger.order_id}
    executor.found(LOCKED, named)  # a commit that has begun ends first, and another waits
    ((writable_since, last),) = executor.found(_LAST, named)
    require_known(writable_since)
    if (last or 0) != ledger.revision:
        raise stale_ledger(ledger.order_id, ledger.revision, last or 0)
    write_rows(executor, ledger, since)


def write_rows(executor: Executor, ledger: ReturnLedger, since: datetime | None) -> None:
    """
    Writes them without looking at what is there; no event is touched.

    Args:
        executor: of a transaction in which no one else writes to the order.
        ledger: what to write.
        since: when its first unpublished event was recorded; None if it has none.
    """
    named: Mapping[str, object] = {"of_order": ledger.order_id}
    row = ledger_row(ledger, since)
    values = {name: row["since" if name == "unpublished_since" else name] for name in _COLUMNS}
    new = {f"new_{name}": value for name, value in values.items()}
    if not executor.written(_REPLACED, {**named, **new}):
        executor.written(_NEW_LEDGER, {**values, "order_id": ledger.order_id})
    executor.written(_NO_RETURNS, named)
    history = executor.found(HISTORY, {"order_id": ledger.order_id})
    subjects = subject_rows(ledger, openings_of(events_of(ledger.order_id, history)))
    if subjects:
        executor.write_each(_NEW_RETURNS, subjects)
