"""
Opens an engine for a URL.

A SQLite file is opened so that a commit is on the disk when it returns (WAL, `synchronous=FULL`), that
several threads and processes wait for each other, and that transactions begin where this adapter begins
them, not where Python's `sqlite3` would.
"""

import sqlite3

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event

from rma.adapters.sql.deadlines import deadlines_for

#: The driver for `postgresql://`, for which SQLAlchemy 2.0 would look for psycopg 2.
_POSTGRESQL = "postgresql+psycopg"

#: How many times the write-ahead log of a new SQLite file is requested while other processes request it.
_TRIES = 100

#: Errors of the database name the statement without its parameters: documents have customers' words in them.
QUIET = {"hide_parameters": True}

#: The execution option of connections that begin transactions themselves.
BEGINS = "rma_begins"


def open_engine(url: URL, busy_timeout: float) -> Engine:
    """Returns an engine for this URL; a commit on a SQLite file waits `busy_timeout` seconds for others."""
    if url.drivername == "postgresql":
        url = url.set(drivername=_POSTGRESQL)
    if url.get_backend_name() != "sqlite":
        return create_engine(url, connect_args=deadlines_for(url), **QUIET)
    waiting = {"timeout": busy_timeout, "check_same_thread": False}
    if url.database in {None, "", ":memory:"}:
        # Each connection to memory is another database: threads use a single one in turn.
        engine = create_engine(
            url, connect_args=waiting, poolclass=QueuePool, pool_size=1, max_overflow=0, **QUIET
        )
    else:
        engine = create_engine(url, connect_args=waiting, **QUIET)
    make_durable(engine)
    return engine


def make_durable(engine: Engine) -> None:
    """
    Configures a SQLite engine so that a commit is on the disk when it returns, and begins where it is
    begun.
    """
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin_for_others)


def _configure(connection: sqlite3.Connection, _: object) -> None:
    try:
        connection.isolation_level = None
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()  # SQLAlchemy does not
        raise


def _write_ahead(connection: sqlite3.Connection) -> None:
    # If several processes open a new file, SQLite refuses all but one at once, whatever their timeout.
    for _ in range(_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            connection.execute("BEGIN IMMEDIATE")  # here they wait in turn, within their timeout
            connection.execute("ROLLBACK")
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_for_others(connection: Connection) -> None:
    """Begins a transaction for the host on our engine, where `sqlite3` begins none."""
    if not connection.get_execution_options().get(BEGINS):
        connection.exec_driver_sql("BEGIN")
