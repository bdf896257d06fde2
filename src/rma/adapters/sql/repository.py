"""
The repository over a connector: every read and write, for both databases and with either owner of the
transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from attrs import evolve

from rma.adapters.sql.database import Connector
from rma.adapters.sql.executor import Executor
from rma.adapters.sql.failures import ConstraintFailed
from rma.adapters.sql.listing import number_of, page
from rma.adapters.sql.rebuilding import NEXT_ORDERS, replace
from rma.adapters.sql.redacting import redact
from rma.adapters.sql.repair import compare
from rma.adapters.sql.rows import SubjectRow, events_of, ledger_of, rows_of, subjects_of
from rma.adapters.sql.schema import require_known, returns
from rma.adapters.sql.statement import Statement
from rma.adapters.sql.statements import (
    DUE,
    HISTORY,
    LEDGER,
    LEDGER_OF_RETURN,
    NEXT_BEHIND,
    NOTED,
    SORT_KEY,
    STORED,
    UNPUBLISHED,
    WAITING,
    Outstanding,
    of_orders,
)
from rma.adapters.sql.timestamps import timestamp
from rma.adapters.sql.worker_id import worker_id
from rma.adapters.sql.writer import Write
from rma.domain.change import Change
from rma.domain.events import Event
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.values.errors import InvalidValue, NotFound, Unavailable, stale_ledger
from rma.domain.views.differences import Difference
from rma.domain.views.query import FoundSubject, ReturnQuery, SortKey, UnreadableSubject


class Repository:
    """
    The ledgers behind a connector; a `rma.ReturnRepository`.

    Args:
        worker_lease: for how long an order that `outstanding` named to one worker is not named to others.
    """

    def __init__(self, connector: Connector, write: Write, worker_lease: timedelta = timedelta(0)) -> None:
        self._connector = connector
        self._write = write
        self._worker_lease = worker_lease

    def load(self, order_id: str) -> ReturnLedger:
        """
        Returns the ledger as last committed, or an empty one.

        Raises:
            Unavailable: the database failed, or holds what this version cannot read.
        """
        rows = self._found(LEDGER, {"order_id": order_id})
        return ledger_of(rows) if rows else ReturnLedger(order_id)

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """
        Returns the ledger that has this return.

        Raises:
            NotFound: there is none.
            Unavailable: as `load`.
        """
        rows = self._found(LEDGER_OF_RETURN, {"return_id": return_id})
        if not rows:
            raise NotFound("return_not_found", {"return_id": return_id})
        return ledger_of(rows)

    def commit(self, change: Change) -> None:
        """
        Stores the change, all of it or nothing.

        Raises:
            StaleLedger: the stored revision is not the expected one; nothing was stored.
            InvalidValue: something in it is not what JSON can carry, or a new return has the id of a return
                of another order; nothing was stored.
            Unavailable: the database failed; nothing was stored, unless the answer to the commit was lost.
                `newer_format`: a later version of this library has changed the tables; nothing was stored.
        """
        if not change.events:
            return
        order_id, expected = change.order_id, change.expected_revision
        rows = rows_of(change)
        if not change.awaits_publication:
            rows = evolve(rows, ledger={**rows.ledger, "since": None})

        def store(executor: Executor) -> None:
            if self._write(executor, order_id, expected, rows):
                return
            ((version, found),) = executor.found(STORED, {"order_id": order_id})
            require_known(version)
            raise stale_ledger(order_id, expected, found or 0)

        try:
            self._connector.write(store)
        except ConstraintFailed as error:
            if returns.name not in str(error.details["error"]):
                raise
            return_id = rows.opened[-1]["return_id"] if rows.opened else None
            raise InvalidValue("id_not_fresh", {"return_id": return_id}) from error

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """
        Returns ids of orders with something outstanding and due, those that were due first in front.

        Raises:
            Unavailable: the database failed.
        """
        found = self._ids(DUE, now, limit)
        if unpublished and len(found) < limit:
            found += self._ids(UNPUBLISHED, now, limit)
        return tuple(dict.fromkeys(found))[:limit]

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """
        Returns ids of orders with an effect that was opened by then and is open, the oldest first.

        Raises:
            Unavailable: the database failed.
        """
        return tuple([row[0] for row in self._found(WAITING, {"before": timestamp(before), "limit": limit})])

    def find(self, query: ReturnQuery) -> tuple[FoundSubject, ...]:
        """
        Returns the page of returns, exchanges and claims, in the order in which they were requested.

        One that cannot be read is an `UnreadableSubject` in its place; behind the others, if there are
        `order_ids`.

        Raises:
            NotFound: there is no return, exchange or claim `query.after`.
            Unavailable: the database failed, or a document of the order `order_id` cannot be read.
        """
        last = None
        if query.after is not None:
            keys = self._found(SORT_KEY, {"return_id": query.after})
            if not keys:
                raise NotFound("return_not_found", {"return_id": query.after})
            (last,) = keys
        if query.orders is not None:
            readable, unreadable = self._of(query.orders, query)
            return query.page(readable, last and _sort_key(last)) + unreadable
        rows: Sequence[SubjectRow] = self._found(*page(query, last))
        rows = sorted(rows, key=itemgetter(0, 1, 2, 3), reverse=query.newest_first)
        return subjects_of(rows)

    def count(self, query: ReturnQuery) -> int:
        """
        Returns how many the query asks for, on all pages together.

        Raises:
            Unavailable: as `load`.
        """
        if query.orders is not None:
            readable, _ = self._of(query.orders, query)
            return sum(map(query.accepts, readable))
        ((number,),) = self._found(*number_of(query))
        return int(number)

    def history(self, order_id: str) -> tuple[Event, ...]:
        """
        Returns every event of the order, oldest first.

        Raises:
            Unavailable: as `load`.
        """
        return events_of(order_id, self._found(HISTORY, {"order_id": order_id}))

    def compare(self, ledger: ReturnLedger) -> tuple[Difference, ...]:
        """
        Returns in what the rows of this order differ from this ledger, columns included.

        Raises:
            Unavailable: the database failed.
        """
        return compare(self._connector, ledger)

    def replace(self, ledger: ReturnLedger, unpublished_since: datetime | None) -> None:
        """
        Stores the ledger in the place of all rows of its order but the events, in one transaction.

        Raises:
            StaleLedger: the last stored event is of another revision; nothing was stored.
            InvalidValue: `id_not_fresh`: another order has a return of one of its ids; nothing was stored.
            Unavailable: as `commit`; nothing was stored.
        """
        try:
            with self._connector.changing() as executor:
                replace(executor, ledger, unpublished_since)
        except ConstraintFailed as error:
            raise InvalidValue("id_not_fresh", {"return_id": ledger.order_id}) from error

    def redact(self, change: Change, history: tuple[Event, ...]) -> None:
        """
        Stores the change, with this history in the place of all events of its order, in one transaction.

        Raises:
            StaleLedger, InvalidValue, Unavailable: as `commit`.
        """
        with self._connector.changing() as executor:
            redact(executor, change, history)

    def note_unpublished(self, now: datetime, batch: int = 1000) -> int:
        """
        Notes every order with unpublished events, so that `outstanding` names it; returns how many it added.

        For a host that has a publisher from now on: what was committed without one is not noted. It may be
        repeated at any time, also while commands are handled.

        Args:
            now: since when they count as unpublished; aware.
            batch: how many are noted in one transaction, which commits to these orders wait for.

        Raises:
            Unavailable: the database failed; what was noted before stays noted.
        """
        noted, after = 0, ""
        while rows := self._found(NEXT_BEHIND, {"after": after, "limit": batch}):
            parameters = {"from_order": rows[0][0], "to_order": rows[-1][0], "since": timestamp(now)}
            with self._connector.changing() as executor:
                noted += executor.written(NOTED, parameters)
            after = rows[-1][0]
        return noted

    def order_ids(self, after: str, limit: int) -> tuple[str, ...]:
        """
        Returns ids of at most `limit` orders of which anything is stored, in their order, behind this one.

        Raises:
            Unavailable: the database failed.
        """
        return tuple([row[0] for row in self._found(NEXT_ORDERS, {"after": after, "limit": limit})])

    def _ids(self, which: Outstanding, now: datetime, limit: int) -> list[str]:
        if not self._worker_lease:
            return [row[0] for row in self._found(which.found, {"now": timestamp(now), "limit": limit})]
        parameters = {
            "now": timestamp(now),
            "limit": limit,
            "until": timestamp(now + self._worker_lease),
            "seconds": self._worker_lease.total_seconds(),
            "worker": worker_id(),
        }
        return [row[0] for row in self._found(which.leased, parameters)]

    def _of(
        self, order_ids: Sequence[str], query: ReturnQuery
    ) -> tuple[list[Subject], tuple[UnreadableSubject, ...]]:
        rows: Sequence[SubjectRow] = self._found(*of_orders(order_ids, query.kinds)) if order_ids else ()
        found = subjects_of(rows)
        unreadable = tuple([each for each in found if isinstance(each, UnreadableSubject)])
        if unreadable and query.order_id is not None:
            details = {"order_id": query.order_id, "error": unreadable[0].error}
            raise Unavailable("unreadable_document", details)
        return [each for each in found if not isinstance(each, UnreadableSubject)], unreadable

    def _found(self, statement: Statement, parameters: Mapping[str, object]) -> Sequence[Any]:
        try:
            return self._connector.found(statement, parameters)
        except InvalidValue:  # an id that the database cannot hold is not in it
            return ()


def _sort_key(row: Sequence[Any]) -> SortKey:
    requested_at, order_id, position, kind = row
    return datetime.fromisoformat(requested_at), order_id, position + 1, kind
