"""Executes statements on one connection, and checks that an answer belongs to its statement."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from rma.adapters.sql.schema import is_autocommit
from rma.adapters.sql.statement import Sql, Statement, WritingStatement
from rma.domain.values.errors import Unavailable

T = TypeVar("T")

Parameters = Mapping[str, object]


class Executor:
    """
    Executes statements on a connection to SQLite.

    Each method raises what the driver raises.

    Args:
        connection: the driver's, or what stands for it in SQLAlchemy's pool.
    """

    #: True if each statement is committed by itself.
    is_autocommit = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters) -> Any:
        """Executes a statement, and returns a cursor with its rows and the number of rows that it wrote."""
        cursor = self._connection.cursor()
        cursor.execute(sql, parameters)
        return cursor

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Executes a statement that writes for each of these rows."""
        self._connection.cursor().executemany(sql, rows)

    def found(self, statement: Statement, parameters: Parameters) -> Sequence[Any]:
        """
        Returns the rows of a statement that reads.

        Raises:
            Unavailable: `store_mixed_up`: the database answered another statement.
        """
        return self.rows(self._sql(statement), parameters)

    def written(self, statement: WritingStatement, parameters: Parameters) -> int:
        """Executes a statement that writes, and returns the number of rows that it wrote."""
        sql = self._sql(statement)
        count: int = self.execute(sql.text, {**sql.constants, **parameters}).rowcount
        return count

    def write_each(self, statement: WritingStatement, rows: Iterable[Parameters]) -> None:
        """Executes a statement that writes for each of these rows."""
        sql = self._sql(statement)
        self.execute_many(sql.text, [{**sql.constants, **row} for row in rows])

    def rows(self, sql: Sql, parameters: Parameters) -> Sequence[Any]:
        """
        Returns the rows of a statement in the words of this database.

        Raises:
            Unavailable: as `found`.
        """
        if sql.constants:
            parameters = {**sql.constants, **parameters}
        cursor = self.execute(sql.text, parameters)
        self._check(cursor, sql.columns)
        rows: Sequence[Any] = cursor.fetchall()
        return rows

    def atomically(self, do: Callable[["Executor"], T]) -> T:
        """
        Returns what `do` returns, and commits what it writes, or undoes it if it raises.

        On SQLite the transaction takes the write lock when it begins, and waits for it until the timeout.
        """
        try:
            self._connection.cursor().execute("BEGIN IMMEDIATE")
            result = do(self)
            self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise
        return result

    def _sql(self, statement: Statement | WritingStatement) -> Sql:
        """The statement in the words of this database."""
        return statement.sqlite

    def _check(self, cursor: Any, columns: Sequence[str]) -> None:
        """Nothing is between us and SQLite."""


class PostgresExecutor(Executor):
    """The same for a connection of psycopg, which commits each statement."""

    is_autocommit = True

    def atomically(self, do: Callable[[Executor], T]) -> T:
        """Returns what `do` returns, which executes a single statement that writes."""
        return do(self)

    def _sql(self, statement: Statement | WritingStatement) -> Sql:
        return statement.postgresql

    def _check(self, cursor: Any, columns: Sequence[str]) -> None:
        """A pooler may have lent us a connection on which the statement of another client has its name."""
        found = tuple([each[0] for each in cursor.description or ()])
        if found != columns:
            details = {"columns": ", ".join(found) or "none", "expected": ", ".join(columns)}
            raise Unavailable("store_mixed_up", details)


class SharedExecutor(PostgresExecutor):
    """
    The same for a connection of SQLAlchemy to PostgreSQL, on which a host may have begun a transaction.

    It goes through SQLAlchemy, which then knows of the transaction, and of a connection that broke.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.is_autocommit = is_autocommit(connection)

    def execute(self, sql: str, parameters: Parameters) -> Any:
        """Executes a statement, and returns what SQLAlchemy makes of its cursor."""
        return self._connection.exec_driver_sql(sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Executes a statement that writes for each of these rows."""
        self._connection.exec_driver_sql(sql, list(rows))

    def _check(self, cursor: Any, columns: Sequence[str]) -> None:
        super()._check(cursor.cursor or cursor, columns)


def executor_on(connection: Connection) -> Executor:
    """Returns an executor on a connection of SQLAlchemy, which is left in its transaction, if it has one."""
    if connection.dialect.name == "postgresql":
        return SharedExecutor(connection)
    return Executor(connection.connection)
