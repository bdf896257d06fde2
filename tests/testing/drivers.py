"""
The drivers of databases, as far down as Python goes, with somebody between them and what they are asked.

Whoever opens a connection sets its `asked`, which is then called with each statement, and with COMMIT, and
with what asks the database.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

#: A statement, and how it is asked.
Asked = Callable[[str, Callable[[], Any]], Any]


def _at_once(statement: str, ask: Callable[[], Any]) -> Any:
    return ask()


class _SqliteCursor(sqlite3.Cursor):
    """Lets somebody between."""

    connection: "_SqliteConnection"

    def execute(self, sql: str, *parameters: Any) -> Any:
        """When it is let."""
        return self.connection.asked(sql, lambda: super(_SqliteCursor, self).execute(sql, *parameters))

    def executemany(self, sql: str, *rows: Any) -> Any:
        """When it is let."""
        return self.connection.asked(sql, lambda: super(_SqliteCursor, self).executemany(sql, *rows))


class _SqliteConnection(sqlite3.Connection):
    """Lets somebody between."""

    asked: Asked = staticmethod(_at_once)

    def cursor(self, factory: Any = _SqliteCursor) -> Any:
        """That lets somebody between."""
        return super().cursor(factory)

    def commit(self) -> None:
        """When it is let, if there is anything."""
        if self.in_transaction:
            self.asked("COMMIT", super().commit)


class _PostgresCursor(psycopg.Cursor[Any]):
    """Lets somebody between."""

    def execute(self, query: Any, *parameters: Any, **options: Any) -> Any:
        """When it is let."""
        ask = super().execute
        return _asked_of(self.connection)(str(query), lambda: ask(query, *parameters, **options))

    def executemany(self, query: Any, *rows: Any, **options: Any) -> Any:
        """When it is let."""
        ask = super().executemany
        return _asked_of(self.connection)(str(query), lambda: ask(query, *rows, **options))


class _PostgresConnection(psycopg.Connection[Any]):
    """Lets somebody between."""

    asked: Asked = staticmethod(_at_once)

    def commit(self) -> None:
        """When it is let, if there is anything."""
        if self.info.transaction_status is not TransactionStatus.IDLE:
            self.asked("COMMIT", super().commit)


def _asked_of(connection: Any) -> Asked:
    return connection.asked  # type: ignore[no-any-return] # one of ours


def let_between(engine: Engine, asked: Asked) -> None:
    """From now on, whoever asks this database anything asks through this."""
    is_postgresql = engine.dialect.name == "postgresql"

    @event.listens_for(engine, "do_connect")
    def connect(*arguments: Any) -> psycopg.Connection[Any] | None:
        *_, positional, named = arguments
        if is_postgresql:
            return _PostgresConnection.connect(*positional, **named, cursor_factory=_PostgresCursor)
        named["factory"] = _SqliteConnection
        return None

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.asked = asked
