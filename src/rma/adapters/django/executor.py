"""Executes statements on a connection of Django through its cursor, so that Django sees each of them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rma.adapters.sql.executor import Executor, Parameters, PostgresExecutor

T = TypeVar("T")

#: Begins to write on SQLite, and changes nothing. A transaction that has only read when another process
#: writes could not write any more.
_BEGIN_WRITING = "UPDATE rma_format SET format = format WHERE format IS NULL"

#: What libpq calls a transaction in which a statement failed.
_FAILED = 3


class DjangoSqliteExecutor(Executor):
    """Executes statements on SQLite, in the transaction of the connection if it has one."""

    def execute(self, sql: str, parameters: Parameters) -> Any:
        """Executes a statement, and returns a cursor with its rows and the number of rows that it wrote."""
        return execute(self._connection, sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Executes a statement that writes for each of these rows."""
        execute_many(self._connection, sql, rows)

    def atomically(self, do: Callable[[Executor], T]) -> T:
        """Returns what `do` returns, and commits what it writes, or undoes it if it raises."""
        with transaction.atomic(using=self._connection.alias):
            return do(self)


class DjangoPostgresExecutor(PostgresExecutor):
    """
    Executes statements on PostgreSQL, in the transaction of the connection if it has one.

    After a statement that failed in a transaction of the host, Django rolls this back when its `atomic` block
    ends: PostgreSQL would not commit it, and would not say so.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        self.is_autocommit = connection.get_autocommit()

    def execute(self, sql: str, parameters: Parameters) -> Any:
        """Executes a statement, and returns a cursor with its rows and the number of rows that it wrote."""
        with self._rolled_back_later():
            return execute(self._connection, sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Executes a statement that writes for each of these rows."""
        with self._rolled_back_later():
            execute_many(self._connection, sql, rows)

    @contextmanager
    def _rolled_back_later(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            connection = self._connection
            driver = connection.connection
            if connection.in_atomic_block and driver and driver.info.transaction_status == _FAILED:
                connection.set_rollback(True)
            raise


def executor_on(connection: BaseDatabaseWrapper) -> Executor:
    """Returns an executor on a connection of Django."""
    if connection.vendor == "postgresql":
        return DjangoPostgresExecutor(connection)
    return DjangoSqliteExecutor(connection)


def begin_writing(connection: BaseDatabaseWrapper) -> None:
    """On SQLite, waits for the lock of those who write, and keeps it until the transaction ends."""
    if connection.vendor == "sqlite":
        executor_on(connection).execute(_BEGIN_WRITING, {})


def execute(connection: BaseDatabaseWrapper, sql: str, parameters: Parameters) -> Any:
    """Executes a statement, and returns Django's cursor; raises what the driver raises."""
    with _driver_errors():
        cursor = connection.cursor()
        cursor.execute(sql, cast("dict[str, Any]", parameters))
        return cursor


def execute_many(connection: BaseDatabaseWrapper, sql: str, rows: Iterable[Parameters]) -> None:
    """Executes a statement for each of these rows; raises what the driver raises."""
    with _driver_errors():
        connection.cursor().executemany(sql, cast("list[dict[str, Any]]", list(rows)))


@contextmanager
def _driver_errors() -> Iterator[None]:
    try:
        yield
    except Error as error:
        if error.__cause__ is None:  # Django's own: the host's transaction is broken
            raise
        raise error.__cause__ from error
