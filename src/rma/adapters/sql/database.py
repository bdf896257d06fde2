"""
Runs statements on connections of our own, past SQLAlchemy, which lends them from its pool.

A connection is taken for one read or one commit, and given back: no thread holds one while ports are called,
or while it waits for its next command, so that threads may outnumber connections.

PostgreSQL runs in autocommit: each of our statements is atomic by itself, and begins and ends no transaction
over the wire.
"""

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, Pool, PoolProxiedConnection, make_url

from rma.adapters.sql.engines import BEGINS, open_engine
from rma.adapters.sql.executor import Executor, PostgresExecutor, SharedExecutor
from rma.adapters.sql.failures import ConnectionLost, NotSerializable, failures, reported
from rma.adapters.sql.pooling import look_at, look_for_pooler
from rma.adapters.sql.preparing import for_administrators, make_ready, upgrade
from rma.adapters.sql.repetition import Repetition
from rma.adapters.sql.schema import transaction
from rma.adapters.sql.statement import Statement
from rma.adapters.sql.upgrades import UpgradeResult
from rma.domain.values.errors import RmaError

T = TypeVar("T")


class Connector(Protocol):
    """Reads rows, and gives a connection for writing."""

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

    def changing(self) -> AbstractContextManager[Connection]:
        """
        Yields a connection for several statements, whose writes are all stored, or none if the block raises.

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
            weakref.finalize(self, self.engine.dispose)
        self._ours = self.engine.execution_options(**{BEGINS: True})
        self._borrowed = BorrowedPostgres if is_postgresql(self.engine) else Borrowed
        self._lock = threading.Lock()
        self._is_ready = False

    def found(self, statement: Statement, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Returns the rows; repeats the statement as `Repetition` says."""
        if not self._is_ready:
            self._prepare()
        repetition = Repetition()
        while True:
            try:
                with self._borrowed(self.engine) as executor:
                    return executor.found(statement, parameters)
            except (ConnectionLost, NotSerializable) as error:
                repetition.allow(error)

    def write(self, do: Callable[[Executor], T]) -> T:
        """Returns what `do` returns: on SQLite in a transaction, on PostgreSQL in a single statement."""
        if not self._is_ready:
            self._prepare()
        with self._borrowed(self.engine) as executor:
            return executor.atomically(do)

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Yields a transaction."""
        self._prepare()
        with failures(self.engine), self._ours.connect() as connection:
            look_at(connection)
            with transaction(connection):
                yield connection

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


class Borrowed:
    """
    A connection to SQLite from the pool, while something is executed on it.

    Raises:
        Unavailable: the database failed, in the block as well; `ConnectionLost`, `ConstraintFailed`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Executor:
        self._pooled = self._taken()
        return Executor(self._pooled.driver_connection)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pooled.close()  # which rolls back
        if isinstance(error, Exception) and (found := reported(error, self._engine)) is not None:
            raise found from error

    def _taken(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except Exception as error:
            if (found := reported(error, self._engine)) is None:
                raise
            raise found from error


class BorrowedPostgres(Borrowed):
    """The same to PostgreSQL, in autocommit; a connection that breaks takes those with it that are as old."""

    def __enter__(self) -> Executor:
        self._pool: Pool = self._engine.pool
        self._pooled = self._taken()
        driver: Any = self._pooled.driver_connection
        self._driver = driver
        try:
            self._was_autocommit = driver.autocommit
            if not self._was_autocommit:
                driver.autocommit = True
            executor = PostgresExecutor(driver)
            look_for_pooler(self._pooled, executor)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return executor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        found = reported(error, self._engine, self._driver) if isinstance(error, Exception) else None
        if isinstance(found, ConnectionLost):
            self._pooled.invalidate(error)
            if self._engine.pool is self._pool:  # and no other thread has noticed
                self._engine.dispose()
        elif error is not None and found is None and not isinstance(error, RmaError):
            self._pooled.invalidate(error)  # interrupted: an answer may be on its way
        else:
            if not self._was_autocommit:
                self._driver.autocommit = False
            self._pooled.close()
        if found is not None:
            raise found from error


def is_postgresql(engine: Engine) -> bool:
    """Returns True for PostgreSQL and False for SQLite."""
    return engine.dialect.name == "postgresql"


def executor_on(connection: Connection) -> Executor:
    """Returns an executor on a connection of SQLAlchemy, which is left in its transaction, if it has one."""
    if is_postgresql(connection.engine):
        return SharedExecutor(connection)
    return Executor(connection.connection)
