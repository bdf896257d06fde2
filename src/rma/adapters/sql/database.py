"""
Runs statements on connections of our own, past SQLAlchemy.

PostgreSQL runs in autocommit: each of our statements is atomic by itself, and begins and ends no transaction
over the wire.
"""

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, QueuePool, make_url

from rma.adapters.sql.connections import Connections
from rma.adapters.sql.engines import BEGINS, open_engine
from rma.adapters.sql.executor import Executor, executor_on
from rma.adapters.sql.failures import ConnectionLost, NotSerializable, failures
from rma.adapters.sql.pooling import look_at
from rma.adapters.sql.preparing import for_administrators, make_ready, upgrade
from rma.adapters.sql.repetition import Repetition
from rma.adapters.sql.schema import transaction
from rma.adapters.sql.statement import Statement
from rma.adapters.sql.upgrades import UpgradeResult

T = TypeVar("T")


class Connector(Protocol):
    """Reads rows, and gives an executor for writing."""

    def found(self, statement: Statement, parameters: Mapping[str, object]) -> Sequence[Any]:
        """
        Returns the rows of a statement, which may be executed twice.

        Raises:
            Unavailable: the database failed.
        """
        ...

    def write(self, do: Callable[[Executor], T]) -> T:
        """
        Returns what `do` returns, whose writes are all stored, or none of them if it raises.

        On PostgreSQL it executes one statement that writes.

        Raises:
            Unavailable: the database failed; `ConstraintFailed`, if it refused a row.
        """
        ...

    def changing(self) -> AbstractContextManager[Executor]:
        """
        Yields an executor for several statements, whose writes are all stored, or none if the block raises.

        Raises:
            Unavailable: the database failed.
        """
        ...


class Database:
    """
    A `Connector` over an engine with its tables; it commits its writes.

    Args:
        engine_or_url: an engine is used as the host configured it; an engine for a URL is disposed with this.
        busy_timeout: how many seconds a commit waits for other commits, on a SQLite file opened here.
        manage_schema: whether the first use makes or upgrades the tables.
    """

    def __init__(
        self, engine_or_url: Engine | URL | str, busy_timeout: float, *, manage_schema: bool
    ) -> None:
        self.manage_schema = manage_schema
        if isinstance(engine_or_url, Engine):
            self.engine = engine_or_url
        else:
            self.engine = open_engine(make_url(engine_or_url), busy_timeout)
        is_ours = not isinstance(engine_or_url, Engine)
        self._connections = Connections(self.engine, _most_kept(self.engine) if is_ours else 0)
        if is_ours:
            weakref.finalize(self, _close, self._connections, self.engine)
        self._ours = self.engine.execution_options(**{BEGINS: True})
        self._lock = threading.Lock()
        self._is_ready = False

    def found(self, statement: Statement, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Returns the rows; repeats the statement as `Repetition` says."""
        if not self._is_ready:
            self._prepare()
        repetition = Repetition()
        while True:
            try:
                return self._connections.use(lambda executor: executor.found(statement, parameters))
            except (ConnectionLost, NotSerializable) as error:
                repetition.allow(error)

    def write(self, do: Callable[[Executor], T]) -> T:
        """Returns what `do` returns: on SQLite in a transaction, on PostgreSQL in a single statement."""
        if not self._is_ready:
            self._prepare()
        return self._connections.use(lambda executor: executor.atomically(do))

    @contextmanager
    def changing(self) -> Iterator[Executor]:
        """Yields a transaction."""
        self._prepare()
        with failures(self.engine), self._ours.connect() as connection:
            look_at(connection)
            with transaction(connection):
                yield executor_on(connection)

    def upgrade(self) -> UpgradeResult:
        """
        Makes or upgrades the tables, whether or not the first use does, in a transaction.

        Raises:
            Unavailable: the database failed; nothing was changed.
        """
        with failures(self.engine), self._ours.connect() as connection:
            if is_postgresql(self.engine):
                connection.execution_options(isolation_level="READ COMMITTED")
            look_at(connection)
            with for_administrators(connection), transaction(connection):
                return upgrade(connection)

    def close(self) -> None:
        """Closes all connections; a later use opens new ones."""
        _close(self._connections, self.engine)

    def is_ready_for(self, connection: Connection) -> bool:
        """Returns True if this connection leads to the database whose tables are known to exist."""
        return self._is_ready and connection.engine.pool is self.engine.pool

    def _prepare(self) -> None:
        if self._is_ready:
            return
        with self._lock:
            if not self._is_ready:
                with failures(self.engine), self._ours.connect() as connection:
                    make_ready(connection, manage_schema=self.manage_schema)
                self._is_ready = True


def _most_kept(engine: Engine) -> int:
    """All of a pool but one, which is left to statements of the host; none if it has a single one."""
    return engine.pool.size() - 1 if isinstance(engine.pool, QueuePool) else 0


def _close(connections: Connections, engine: Engine) -> None:
    connections.close()
    engine.dispose()


def is_postgresql(engine: Engine) -> bool:
    """Returns True for PostgreSQL and False for SQLite."""
    return engine.dialect.name == "postgresql"
