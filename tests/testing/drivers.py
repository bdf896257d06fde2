"""
The drivers of databases, as far down as Python goes, with a hook around every statement.

`let_between` sets `asked` on each connection, which is then called with each statement, and with COMMIT,
and with a function that sends it to the database.
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
    """Calls the hook."""

    connection: "_SqliteConnection"

    def execute(self, sql: str, *parameters: Any) -> Any:
        """If the hook lets it."""
        return self.connection.asked(sql, lambda: super(_SqliteCursor, self).execute(sql, *parameters))

    def executemany(self, sql: str, *rows: Any) -> Any:
        """If the hook lets it."""
        return self.connection.asked(sql, lambda: super(_SqliteCursor, self).executemany(sql, *rows))


class _SqliteConnection(sqlite3.Connection):
    """Calls the hook."""

    asked: Asked = staticmethod(_at_once)

    def cursor(self, factory: Any = _SqliteCursor) -> Any:
        """A cursor that calls the hook."""
        return super().cursor(factory)

    def commit(self) -> None:
        """If the hook lets it, and if there is anything."""
        if self.in_transaction:
            self.asked("COMMIT", super().commit)


class _PostgresCursor(psycopg.Cursor[Any]):
    """Calls the hook."""

    def execute(self, query: Any, *parameters: Any, **options: Any) -> Any:
        """If the hook lets it."""
        ask = super().execute
        return _asked_of(self.connection)(str(query), lambda: ask(query, *parameters, **options))

    def executemany(self, query: Any, *rows: Any, **options: Any) -> Any:
        """If the hook lets it."""
        ask = super().executemany
        return _asked_of(self.connection)(str(query), lambda: ask(query, *rows, **options))


class _PostgresConnection(psycopg.Connection[Any]):
    """Calls the hook."""

    asked: Asked = staticmethod(_at_once)

    def commit(self) -> None:
        """If the hook lets it, and if there is anything."""
        if self.info.transaction_status is not TransactionStatus.IDLE:
            self.asked("COMMIT", super().commit)


def _asked_of(connection: Any) -> Asked:
    return connection.asked  # type: ignore[no-any-return] # one of ours


def let_between(engine: Engine, asked: Asked) -> None:
    """Makes everything that is sent to this database go through this hook from now on."""
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
