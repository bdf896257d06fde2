"""Writes an order from which data about persons were taken: all of its events, and all of its rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from rma.adapters.sql.executor import Executor
from rma.adapters.sql.rebuilding import LOCKED, write_rows
from rma.adapters.sql.rows import event_row
from rma.adapters.sql.schema import Text, events, formats, ledgers, require_known
from rma.adapters.sql.statement import Statement, WritingStatement
from rma.domain.change import Change
from rma.domain.events import Event
from rma.domain.values.errors import stale_ledger

_OF_ORDER = bindparam("of_order", type_=Text)
#: Since which format the tables can be written, and of the order, if anything is stored of it, the revision
#: and since when events are not published.
_STORED = Statement(
    select(
        select(func.max(formats.c.writable_since)).scalar_subquery().label("writable_since"),
        *[
            select(column).where(ledgers.c.order_id == _OF_ORDER).scalar_subquery().label(f"stored_{name}")
            for name, column in (
                ("revision", ledgers.c.revision),
                ("since", ledgers.c.unpublished_since),
            )
        ],
    )
)
_NO_EVENTS = WritingStatement(delete(events).where(events.c.order_id == _OF_ORDER))
_NEW_EVENTS = WritingStatement(insert(events))


def redact(executor: Executor, change: Change, history: Iterable[Event]) -> None:
    """
    Writes this history and the ledger of the change in the place of all that the order has.

    Args:
        executor: of a transaction.
        change: its events are the last of the history.
        history: every event of the order as it is from now on.

    Raises:
        StaleLedger: the ledger is of another revision than the change expects; nothing was written.
        Unavailable: `newer_format`; nothing was written.
        InvalidValue: a part of it cannot be represented in JSON.
    """
    order_id, expected = change.order_id, change.expected_revision
    named: Mapping[str, object] = {"of_order": order_id}
    executor.found(LOCKED, named)  # a commit that has begun ends first, and another waits
    ((writable_since, revision, noted),) = executor.found(_STORED, named)
    require_known(writable_since)
    if (revision or 0) != expected:
        raise stale_ledger(order_id, expected, revision or 0)
    since = change.events[0].at if change.awaits_publication else None
    if noted is not None:
        since = datetime.fromisoformat(noted)
    executor.written(_NO_EVENTS, named)
    executor.write_each(_NEW_EVENTS, [event_row(each) for each in history])
    write_rows(executor, change.ledger, since)
