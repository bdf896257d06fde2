"""
The same ledgers for asynchronous applications, over SQLAlchemy's asyncio. Needs the extras `sql` and `aio`.

Statements, documents and failures are those of `rma.adapters.sql`; this module only gets the connections.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from rma.adapters.sql.database import is_postgresql
from rma.adapters.sql.deadlines import deadlines_for
from rma.adapters.sql.engines import BEGINS, QUIET, make_durable
from rma.adapters.sql.executor import Executor, executor_on
from rma.adapters.sql.failures import ConnectionLost, NotSerializable, failures
from rma.adapters.sql.finishing import finish
from rma.adapters.sql.host_transaction import require_connection
from rma.adapters.sql.pooling import look_at
from rma.adapters.sql.preparing import make_ready
from rma.adapters.sql.repetition import Repetition
from rma.adapters.sql.repository import Repository
from rma.adapters.sql.returns import SqlReturns
from rma.adapters.sql.schema import transaction
from rma.adapters.sql.statement import Statement
from rma.adapters.sql.writer import write_for
from rma.async_ports import AsyncBoundReturns
from rma.domain.change import Change
from rma.domain.events import Event
from rma.domain.state.ledger import ReturnLedger
from rma.domain.views.differences import Difference
from rma.domain.views.query import FoundSubject, ReturnQuery

#: What URLs mean that name none: the drivers that can be awaited.
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}

T = TypeVar("T")

#: A query or a commit, done on the ledgers of one connection.
Ask = Callable[[Repository], T]


class AsyncRepository(ABC):
    """An `AsyncReturnRepository`; what its methods raise, `rma.ports.ReturnRepository` says."""

    async def load(self, order_id: str) -> ReturnLedger:
        """The ledger as last committed, or an empty one."""
        return await self._read(lambda ledgers: ledgers.load(order_id))

    async def load_by_return(self, return_id: str) -> ReturnLedger:
        """The ledger that holds this return."""
        return await self._read(lambda ledgers: ledgers.load_by_return(return_id))

    async def commit(self, change: Change) -> None:
        """Store the change, all of it or nothing; a canceled task first ends the commit that it began."""
        await finish(self._on_connection(lambda ledgers: ledgers.commit(change)))

    async def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Ids of orders with something outstanding and due, those that were due first in front."""
        return await self._read(lambda ledgers: ledgers.outstanding(now, limit, unpublished=unpublished))

    async def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """Ids of orders with an effect that was opened by then and is open, the oldest first."""
        return await self._read(lambda ledgers: ledgers.waiting(before, limit))

    async def find(self, query: ReturnQuery) -> tuple[FoundSubject, ...]:
        """The page of returns, exchanges and claims, in the order in which they were requested."""
        return await self._read(lambda ledgers: ledgers.find(query))

    async def count(self, query: ReturnQuery) -> int:
        """How many the query asks for."""
        return await self._read(lambda ledgers: ledgers.count(query))

    async def compare(self, ledger: ReturnLedger) -> tuple[Difference, ...]:
        """In what everything that is stored of this order differs from this ledger."""
        return await self._read(lambda ledgers: ledgers.compare(ledger))

    async def replace(self, ledger: ReturnLedger, unpublished_since: datetime | None) -> None:
        """Store this ledger in the place of everything but the events that is stored of its order."""
        await finish(self._change(lambda ledgers: ledgers.replace(ledger, unpublished_since)))

    async def redact(self, change: Change, history: tuple[Event, ...]) -> None:
        """Store the change, with this history in the place of all events of its order."""
        await finish(self._change(lambda ledgers: ledgers.redact(change, history)))

    async def note_unpublished(self, now: datetime, batch: int = 1000) -> int:
        """Note every order with unpublished events: see `SqlReturns.note_unpublished`."""
        return await finish(self._change(lambda ledgers: ledgers.note_unpublished(now, batch)))

    async def history(self, order_id: str) -> tuple[Event, ...]:
        """Every event of the order, oldest first."""
        return await self._read(lambda ledgers: ledgers.history(order_id))

    @abstractmethod
    async def _on_connection(self, ask: Ask[T]) -> T:
        """Returns what the ledgers answer on a connection of this kind."""

    async def _change(self, ask: Ask[T]) -> T:
        """The same for several statements that write, in one transaction."""
        return await self._on_connection(ask)

    async def _read(self, ask: Ask[T]) -> T:
        """The same for a query, which may be repeated."""
        return await self._on_connection(ask)


class AsyncSqlReturns(AsyncRepository):
    """
    The ledgers in SQLite or PostgreSQL, for an event loop.

    Nothing is asked of the database before the first use, which makes the tables if there are none.

    >>> import asyncio
    >>> from rma import ReturnLedger
    >>> from rma.adapters.sql.aio import AsyncSqlReturns
    >>> async def snapshot():
    ...     returns = AsyncSqlReturns("sqlite://")  # in memory; a file: "sqlite:///returns.db"
    ...     found = await returns.load("order_1")
    ...     await returns.close()
    ...     return found
    >>> asyncio.run(snapshot()) == ReturnLedger("order_1")
    True

    Args:
        engine_or_url: `postgresql://…` is opened with psycopg 3, a SQLite file with aiosqlite, so that
            commits are durable and wait for each other. An engine is used as it is, with the durability
            that the host gave it.
        busy_timeout, worker_lease, manage_schema: as those of `SqlReturns`; a worker is an event loop.

    Raises:
        InvalidValue: the database is neither SQLite nor PostgreSQL.
    """

    def __init__(
        self,
        engine_or_url: AsyncEngine | URL | str,
        *,
        busy_timeout: float = 5.0,
        worker_lease: float = 60.0,
        manage_schema: bool = True,
    ) -> None:
        if isinstance(engine_or_url, AsyncEngine):
            self.engine = engine_or_url
        else:
            self.engine = _opened(make_url(engine_or_url), busy_timeout)
        is_shared = is_postgresql(self.engine.sync_engine)
        self._manage_schema = manage_schema
        self._blocking = SqlReturns(self.engine.sync_engine, manage_schema=manage_schema)
        self._write = write_for(self.engine.dialect.name)
        self._worker_lease = timedelta(seconds=worker_lease if is_shared else 0)
        self._beginning = self.engine.execution_options(**{BEGINS: True})
        # On PostgreSQL each of our statements is whole by itself.
        self._ours = (
            self._beginning.execution_options(isolation_level="AUTOCOMMIT") if is_shared else self._beginning
        )
        self._is_ready = False

    def in_transaction(self, connection: AsyncConnection) -> AsyncBoundReturns:
        """
        The same ledgers in a transaction of the host: see `SqlReturns.in_transaction`.

        Raises:
            InvalidValue: it is not an `AsyncConnection`. One that commits each statement by itself is refused
                when the ledgers are first used.
        """
        require_connection(connection, AsyncConnection)
        return _InTransaction(self._blocking, connection)

    async def close(self) -> None:
        """Close what was opened; what is asked afterwards opens it again."""
        await self.engine.dispose()

    async def _on_connection(self, ask: Ask[T]) -> T:
        return await self._on_connection_of(self._ours, ask)

    async def _change(self, ask: Ask[T]) -> T:
        return await self._on_connection_of(self._beginning, ask)

    async def _on_connection_of(self, engine: AsyncEngine, ask: Ask[T]) -> T:
        with failures(self.engine.sync_engine):
            if not self._is_ready:
                await finish(self._make_ready())
            async with engine.connect() as connection:
                return await connection.run_sync(lambda blocking: ask(self._ledgers(blocking)))

    async def _make_ready(self) -> None:
        async with self._beginning.connect() as connection:
            await connection.run_sync(partial(make_ready, manage_schema=self._manage_schema))
        self._is_ready = True

    async def _read(self, ask: Ask[T]) -> T:
        repetition = Repetition()
        while True:
            try:
                return await self._on_connection(ask)
            except (ConnectionLost, NotSerializable) as error:
                repetition.allow(error)

    def _ledgers(self, connection: Connection) -> Repository:
        look_at(connection)
        return Repository(_Connected(connection), self._write, self._worker_lease)


class _InTransaction(AsyncRepository):
    def __init__(self, returns: SqlReturns, connection: AsyncConnection) -> None:
        self._returns = returns
        self._connection = connection
        self._ledgers: Repository | None = None

    def in_host_transaction(self) -> bool:
        return True

    async def _on_connection(self, ask: Ask[T]) -> T:
        return await self._connection.run_sync(lambda blocking: ask(self._ledgers_on(blocking)))

    def _ledgers_on(self, connection: Connection) -> Repository:
        if self._ledgers is None:
            self._ledgers = cast("Repository", self._returns.in_transaction(connection))
        return self._ledgers


class _Connected:
    """A `Connector` over a connection of our own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def found(self, statement: Statement, parameters: Mapping[str, object]) -> Sequence[Any]:
        """The rows."""
        with failures(self._connection.engine):
            return executor_on(self._connection).found(statement, parameters)

    def write(self, do: Callable[[Executor], T]) -> T:
        """What `do` returns, whose writes are all stored, or none."""
        with failures(self._connection.engine):
            return executor_on(self._connection).atomically(do)

    @contextmanager
    def changing(self) -> Iterator[Executor]:
        """A transaction."""
        with failures(self._connection.engine), transaction(self._connection):
            yield executor_on(self._connection)


def _opened(url: URL, busy_timeout: float) -> AsyncEngine:
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, connect_args=deadlines_for(url), **QUIET)
    waiting = {"timeout": busy_timeout}
    if url.database in {None, "", ":memory:"}:
        # There are as many databases in memory as connections: one, for which coroutines take turns.
        engine = create_async_engine(
            url,
            connect_args=waiting,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            **QUIET,
        )
    else:
        engine = create_async_engine(url, connect_args=waiting, **QUIET)
    make_durable(engine.sync_engine)
    return engine
