"""Runs statements in a transaction that the host has begun, on its connection and through SQLAlchemy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection

from rma.adapters.sql.database import Database, is_postgresql
from rma.adapters.sql.executor import Executor, executor_on
from rma.adapters.sql.failures import failures
from rma.adapters.sql.pooling import look_at
from rma.adapters.sql.preparing import begin_writing, find_format, prepare, require_prepared
from rma.adapters.sql.schema import is_autocommit
from rma.adapters.sql.statement import Statement
from rma.domain.values.errors import InvalidValue

T = TypeVar("T")


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
        self._manage_schema = database.manage_schema
        self._is_ready = database.is_ready_for(connection)

    def found(self, statement: Statement, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Returns the rows as the host's transaction sees them."""
        with failures(self._connection.engine):
            self._prepare()
            return executor_on(self._connection).found(statement, parameters)

    def write(self, do: Callable[[Executor], T]) -> T:
        """Returns what `do` returns; on SQLite, where it executes several statements, within a savepoint."""
        with self.changing() as executor:
            return do(executor)

    @contextmanager
    def changing(self) -> Iterator[Executor]:
        """Yields an executor on the host's connection; on SQLite within a savepoint."""
        with failures(self._connection.engine):
            self._prepare()
            if is_postgresql(self._connection.engine):
                yield executor_on(self._connection)
            else:
                with self._connection.begin_nested():
                    yield executor_on(self._connection)

    def _prepare(self) -> None:
        connection = self._connection
        begin_writing(connection)
        look_at(connection)
        if self._is_ready:
            return
        if self._manage_schema and find_format(connection) is None:
            prepare(connection)
        else:  # an upgrade would lock all tables until the host commits
            require_prepared(connection)
        self._is_ready = True


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
