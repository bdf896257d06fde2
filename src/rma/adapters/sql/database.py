"""
The database behind the tables: opened, made ready on first use, and its failures told as `Unavailable`.

A SQLite file is opened so that a commit is on the disk when it returns (WAL, `synchronous=FULL`), that
several threads and processes wait for each other, and that transactions begin where this adapter begins
them, not where Python's `sqlite3` would.
"""

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from rma.adapters.sql.schema import prepare, transaction
from rma.domain.errors import Unavailable

#: What went wrong, by SQLite's primary result code; anything else is `store_failed`.
_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: "store_locked",
    sqlite3.SQLITE_LOCKED: "store_locked",
    sqlite3.SQLITE_FULL: "store_full",
    sqlite3.SQLITE_CORRUPT: "store_corrupt",
    sqlite3.SQLITE_NOTADB: "store_corrupt",
    sqlite3.SQLITE_READONLY: "store_read_only",
    sqlite3.SQLITE_CANTOPEN: "store_not_opened",
}


class Database:
    """
    An engine, ready.

    Args:
        engine_or_url: an engine is used as the host configured it; what a URL opens is closed with us.
        busy_timeout: how many seconds a commit waits for those of others, on a SQLite file opened here.
    """

    def __init__(self, engine_or_url: Engine | URL | str, busy_timeout: float) -> None:
        if isinstance(engine_or_url, Engine):
            self.engine = engine_or_url
        else:
            self.engine = _opened(make_url(engine_or_url), busy_timeout)
            weakref.finalize(self, self.engine.dispose)
        self._lock = threading.Lock()
        self._is_ready = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one statement that reads."""
        with _failures(self.engine), self.engine.connect() as connection:
            self._prepare(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction, which is committed unless something is raised."""
        with self.reading() as connection, transaction(connection):
            yield connection

    def _prepare(self, connection: Connection) -> None:
        if self._is_ready:
            return
        with self._lock:
            if not self._is_ready:
                prepare(connection)
                self._is_ready = True


def _opened(url: URL, busy_timeout: float) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    waiting = {"timeout": busy_timeout, "check_same_thread": False}
    if url.database in {None, "", ":memory:"}:
        # There are as many databases in memory as connections: one, for which threads take turns.
        engine = create_engine(url, connect_args=waiting, poolclass=QueuePool, pool_size=1, max_overflow=0)
    else:
        engine = create_engine(url, connect_args=waiting)
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: sqlite3.Connection, _: object) -> None:
    try:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()  # SQLAlchemy does not
        raise


@contextmanager
def _failures(engine: Engine) -> Iterator[None]:
    """Whatever the database raises, told as Unavailable."""
    try:
        yield
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        raise Unavailable(_SQLITE_CODES.get(code, "store_failed"), {"error": str(cause)}) from error
