"""
Runs statements: on connections of our own, or in a transaction that the host has begun.

PostgreSQL runs in autocommit: each of our statements is atomic by itself, and begins and ends no transaction
over the wire.
"""

import logging
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, Executable, make_url

from rma.adapters.sql.engines import BEGINS, open_engine
from rma.adapters.sql.failures import ConnectionLost, NotSerializable, failures
from rma.adapters.sql.pooling import look_for_pooler, rows_that_fit
from rma.adapters.sql.repetition import Repetition
from rma.adapters.sql.schema import is_autocommit, is_prepared, prepare, transaction
from rma.adapters.sql.statements import SQLITE_TEXTS
from rma.domain.values.errors import InvalidValue

_log = logging.getLogger("rma")


class Connector(Protocol):
    """Reads rows, and gives a connection for writing."""

    def found(self, statement: Executable, parameters: Mapping[str, object]) -> Sequence[Any]:
        """
        Returns the rows of a statement, which may be executed twice.

        Raises:
            Unavailable: the database failed.
        """
        ...

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """
        Yields a connection for a commit, whose writes are all stored, or none of them if the block raises.

        Raises:
            Unavailable: the database failed.
        """
        ...

    def changing(self) -> AbstractContextManager[Connection]:
        """
        The same for several statements, on PostgreSQL too.

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
    """

    def __init__(self, engine_or_url: Engine | URL | str, busy_timeout: float) -> None:
        if isinstance(engine_or_url, Engine):
            self.engine = engine_or_url
        else:
            self.engine = open_engine(make_url(engine_or_url), busy_timeout)
            weakref.finalize(self, self.engine.dispose)
        self._ours = self.engine.execution_options(**{BEGINS: True})
        self._lock = threading.Lock()
        self._is_ready = False

    def found(self, statement: Executable, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Returns the rows; repeats the statement as `Repetition` says."""
        self._prepare()
        repetition = Repetition()
        while True:
            try:
                with self._connected() as connection:
                    return rows_found(connection, statement, parameters)
            except (ConnectionLost, NotSerializable) as error:
                repetition.allow(error)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """
        Yields, on SQLite, a transaction, and on PostgreSQL a connection for a single statement that writes.
        """
        self._prepare()
        with self._connected() as connection:
            if is_postgresql(self.engine):
                yield connection
            else:
                with transaction(connection):
                    yield connection

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Yields a transaction."""
        self._prepare()
        with failures(self.engine), self._ours.connect() as connection:
            if is_postgresql(self.engine):
                look_for_pooler(connection)
            with transaction(connection):
                yield connection

    def is_ready_for(self, connection: Connection) -> bool:
        """Returns True if this connection leads to the database whose tables are known to exist."""
        return self._is_ready and connection.engine.pool is self.engine.pool

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with failures(self.engine), self._ours.connect() as connection:
            if not is_postgresql(self.engine):
                yield connection
                return
            # The same as SQLAlchemy's isolation level AUTOCOMMIT, in a twentieth of the time.
            driver: Any = connection.connection.driver_connection
            driver.autocommit = True
            try:
                look_for_pooler(connection)
                yield connection
            finally:
                if not connection.invalidated:
                    driver.autocommit = False

    def _prepare(self) -> None:
        if self._is_ready:
            return
        with self._lock:
            if not self._is_ready:
                with failures(self.engine), self._ours.connect() as connection:
                    make_ready(connection)
                self._is_ready = True


class HostTransaction:
    """
    A `Connector` whose writes are committed by the host, together with its own, or undone by it.

    Args:
        connection: the host's connection; nothing here commits it or rolls it back.

    Raises:
        InvalidValue: it is not a `Connection`, or it commits each statement by itself.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        require_connection(connection, Connection)
        if is_autocommit(connection):
            raise InvalidValue(
                "invalid_value",
                {"field": "connection", "value": "AUTOCOMMIT", "expected": "a connection in a transaction"},
            )
        self._connection = connection
        self._is_ready = database.is_ready_for(connection)

    def found(self, statement: Executable, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Returns the rows as the host's transaction sees them."""
        with failures(self._connection.engine):
            self._prepare()
            return rows_found(self._connection, statement, parameters)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yields the host's connection; on SQLite, which takes several statements, within a savepoint."""
        with failures(self._connection.engine):
            self._prepare()
            if is_postgresql(self._connection.engine):
                yield self._connection
            else:
                with self._connection.begin_nested():
                    yield self._connection

    def changing(self) -> AbstractContextManager[Connection]:
        """Yields the host's connection, as `writing`."""
        return self.writing()

    def _prepare(self) -> None:
        connection = self._connection
        if not is_postgresql(connection.engine):
            if not connection.in_transaction():
                connection.begin()  # as its next statement does
            driver: Any = connection.connection.driver_connection
            if not driver.in_transaction:  # sqlite3 waits until something is written
                connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            look_for_pooler(connection)
        if not self._is_ready:
            if not is_prepared(connection):
                prepare(connection)
            self._is_ready = True


def rows_found(
    connection: Connection, statement: Executable, parameters: Mapping[str, object]
) -> Sequence[Any]:
    """
    Returns the rows of the statement.

    Raises:
        Unavailable: `store_mixed_up`: the database answered another statement.
    """
    text = SQLITE_TEXTS.get(statement)
    if is_postgresql(connection.engine):
        return rows_that_fit(connection.execute(statement, parameters), statement)
    if text is None:
        return connection.execute(statement, parameters).all()
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(text, parameters)
        return cursor.fetchall()


def require_connection(connection: object, kind: type) -> None:
    """
    Checks that a host passed a connection of this class, and not a session or an engine.

    Raises:
        InvalidValue: it is something else.
    """
    if not isinstance(connection, kind):
        expected = f"an SQLAlchemy {kind.__name__} in a transaction"
        value = f"of class {type(connection).__name__}"
        raise InvalidValue("invalid_value", {"field": "connection", "value": value, "expected": expected})


def is_postgresql(engine: Engine) -> bool:
    """Returns True for PostgreSQL and False for SQLite."""
    return engine.dialect.name == "postgresql"


def make_ready(connection: Connection) -> None:
    """Makes the tables, if there are none, on a new connection that begins transactions itself."""
    if is_postgresql(connection.engine):
        connection.execution_options(isolation_level="READ COMMITTED")
        look_for_pooler(connection)
        _warn_of_lost_commits(connection)
    if not is_prepared(connection):
        with transaction(connection):
            prepare(connection)


def _warn_of_lost_commits(connection: Connection) -> None:
    if connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off":
        _log.warning("synchronous_commit is off: a crash of the server loses commits that were confirmed")
