"""The ledgers, in a database."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Engine, Executable
from sqlalchemy.exc import IntegrityError

from rma.adapters.sql.database import Database
from rma.adapters.sql.moments import moment
from rma.adapters.sql.rows import events_of, ledger_of, returns_of, rows_of
from rma.adapters.sql.statements import (
    HISTORY,
    LEDGER,
    LEDGER_OF_RETURN,
    NEW_EVENTS,
    NEXT_REVISION,
    PLACE,
    REVISION,
    UNPUBLISHED,
    WAITING,
    page,
    upserts,
)
from rma.domain.change import Change
from rma.domain.errors import InvalidValue, NotFound, StaleLedger
from rma.domain.events import Event
from rma.domain.ledger import ReturnLedger
from rma.domain.query import ReturnQuery
from rma.domain.returns import Return


class SqlReturns:
    """
    The ledgers in SQLite (or PostgreSQL); a `rma.ReturnRepository`, safe to use from several threads.

    Nothing is asked of the database before the first use, which makes the tables if there are none.

    >>> from rma import ReturnLedger
    >>> from rma.adapters.sql import SqlReturns
    >>> returns = SqlReturns("sqlite://")  # in memory; a file: "sqlite:///returns.db"
    >>> returns.load("order_1") == ReturnLedger("order_1")
    True
    >>> returns.close()

    Args:
        engine_or_url: a URL is opened so that commits are durable and wait for each other. An engine is
            used as it is, with the durability that the host gave it.
        busy_timeout: how many seconds a commit waits for those of others, on a SQLite file opened here.

    Raises:
        InvalidValue: the database is neither SQLite nor PostgreSQL.
    """

    def __init__(self, engine_or_url: Engine | URL | str, *, busy_timeout: float = 5.0) -> None:
        self._database = Database(engine_or_url, busy_timeout)
        self._upserts = upserts(self.engine.dialect.name)

    @property
    def engine(self) -> Engine:
        """What it asks; for watching it, and for reading beside it."""
        return self._database.engine

    def load(self, order_id: str) -> ReturnLedger:
        """
        The ledger as last committed, or an empty one.

        Raises:
            Unavailable: the database failed, or holds what this version can not read.
        """
        rows = self._found(LEDGER, order_id=order_id)
        return ledger_of(rows) if rows else ReturnLedger(order_id)

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """
        The ledger that holds this return.

        Raises:
            NotFound: there is none.
            Unavailable: as `load`.
        """
        rows = self._found(LEDGER_OF_RETURN, return_id=return_id)
        if not rows:
            raise NotFound("return_not_found", {"return_id": return_id})
        return ledger_of(rows)

    def commit(self, change: Change) -> None:
        """
        Store the change in one transaction.

        Raises:
            StaleLedger: the stored revision is not the expected one; nothing was stored.
            InvalidValue: something in it is not what JSON can carry, or a new return has the id of a return
                of another order; nothing was stored.
            Unavailable: the database failed; nothing was stored.
        """
        if not change.events:
            return
        order_id, expected = change.order_id, change.expected_revision
        rows = rows_of(change)
        with self._database.writing() as connection:
            if expected:
                is_next = {"of_order": order_id, "expected_revision": expected}
                stored = connection.execute(NEXT_REVISION, {**rows.ledger, **is_next})
            else:
                stored = connection.execute(
                    self._upserts.first_revision, {**rows.ledger, "order_id": order_id}
                )
            if not stored.rowcount:
                found = connection.scalar(REVISION, {"order_id": order_id}) or 0
                raise StaleLedger(
                    "stale_ledger", {"order_id": order_id, "expected": expected, "found": found}
                )
            connection.execute(NEW_EVENTS, rows.events)
            if rows.returns:
                try:
                    connection.execute(self._upserts.changed_returns, rows.returns)
                except IntegrityError as error:
                    return_id = rows.returns[-1]["return_id"]
                    raise InvalidValue("id_not_fresh", {"return_id": return_id}) from error

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """
        Ids of orders with something outstanding and due, those that waited longest first.

        Raises:
            Unavailable: the database failed.
        """
        found = [row[0] for row in self._found(WAITING, now=moment(now), limit=limit)]
        if unpublished and len(found) < limit:
            found += [row[0] for row in self._found(UNPUBLISHED, limit=limit)]
        return tuple(dict.fromkeys(found))[:limit]

    def find(self, query: ReturnQuery) -> tuple[Return, ...]:
        """
        The page of returns, in the order in which they were requested.

        Raises:
            NotFound: there is no return `query.after`.
            Unavailable: as `load`.
        """
        last = None
        if query.after is not None:
            places = self._found(PLACE, return_id=query.after)
            if not places:
                raise NotFound("return_not_found", {"return_id": query.after})
            (last,) = places
        return returns_of(self._found(page(query, last)))

    def history(self, order_id: str) -> tuple[Event, ...]:
        """
        Every event of the order, oldest first.

        Raises:
            Unavailable: as `load`.
        """
        return events_of(order_id, [row[0] for row in self._found(HISTORY, order_id=order_id)])

    def close(self) -> None:
        """Close what was opened; what is asked afterwards opens it again."""
        self.engine.dispose()

    def _found(self, statement: Executable, **parameters: str | int) -> Sequence[Any]:
        try:
            with self._database.reading() as connection:
                return connection.execute(statement, parameters).all()
        except UnicodeEncodeError:  # half of a surrogate pair: no text that a database could hold
            return ()
