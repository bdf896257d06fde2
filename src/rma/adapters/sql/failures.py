"""Reports what databases raise as `Unavailable`, with a code for each cause."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rma.domain.values.errors import InvalidValue, RmaError, Unavailable

#: The code of an error, by SQLite's primary result code.
_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: "store_locked",
    sqlite3.SQLITE_LOCKED: "store_locked",
    sqlite3.SQLITE_FULL: "store_full",
    sqlite3.SQLITE_CORRUPT: "store_corrupt",
    sqlite3.SQLITE_NOTADB: "store_corrupt",
    sqlite3.SQLITE_READONLY: "store_read_only",
    sqlite3.SQLITE_CANTOPEN: "store_not_opened",
}

#: The same, by PostgreSQL's SQLSTATE or by its class, the first two characters.
_SQLSTATES = {
    "40001": "store_not_serializable",
    "40P01": "store_deadlock",
    "55P03": "store_locked",  # lock_timeout
    "57014": "store_timeout",  # statement_timeout, or canceled by an administrator
    "25006": "store_read_only",
    "53100": "store_full",
    "53300": "store_crowded",
    "57P01": "store_shut_down",
    "57P02": "store_shut_down",
    "57P03": "store_not_opened",  # it starts up
    "42501": "store_not_permitted",
    "26000": "store_mixed_up",  # a prepared statement is not on this connection of the server,
    "42P05": "store_mixed_up",  # or is there already: a pooler lends it to several clients
    "XX001": "store_corrupt",
    "XX002": "store_corrupt",
    "08": "store_disconnected",
    "28": "store_not_permitted",  # user or password
    "3D": "store_not_opened",  # no such database
    "3F": "store_not_permitted",  # no schema in which this role may make tables
}

#: The code of a connection that could not be made, by libpq's message, as it has no SQLSTATE.
_REFUSALS = (
    ("too many clients", "store_crowded"),
    ("connection slots are reserved", "store_crowded"),
    ("too many connections", "store_crowded"),
    ("password authentication failed", "store_not_permitted"),
)


class ConnectionLost(Unavailable):
    """The connection broke while it was used; the next use opens another."""


class ConstraintFailed(Unavailable):
    """A constraint of the tables refused a row; the error of the driver names it."""


class NotSerializable(Unavailable):
    """
    The statement could not be brought into an order with those of others, and did nothing.

    Databases whose isolation is stricter than READ COMMITTED raise it, and those that are spread over several
    servers; it may be repeated at once, or with its whole transaction if it is in one.
    """


@contextmanager
def failures(engine: Engine) -> Iterator[None]:
    """
    Reports every error of the database as Unavailable, and one that broke the connection as ConnectionLost.

    Raises:
        InvalidValue: a string cannot be stored in the database.
    """
    try:
        yield
    except Exception as error:
        if (found := reported(error, engine)) is None:
            raise
        raise found from error


def reported(error: Exception, engine: Engine, connection: Any = None) -> RmaError | None:
    """
    Returns what is raised for an error of the database, or None if it is none.

    Args:
        error: SQLAlchemy's, or the driver's own. Its words are kept, and hold no parameters.
        engine: whose connection raised it.
        connection: the driver's, if the error is, so that it can tell whether it is broken.
    """
    if isinstance(error, UnicodeEncodeError):  # half of a surrogate pair
        return not_storable(error.object)
    driver: Any = sqlite3 if engine.dialect.name == "sqlite" else engine.dialect.loaded_dbapi
    cause: BaseException = error
    if isinstance(error, DBAPIError):
        cause, is_lost = error.orig or error, error.connection_invalidated
    elif isinstance(error, driver.Error):
        is_lost = connection is not None and engine.dialect.is_disconnect(error, connection, None)
    elif isinstance(error, SQLAlchemyError):
        is_lost = False
    else:
        return None
    return report(cause, driver, is_lost=is_lost)


def report(cause: BaseException, driver: Any, *, is_lost: bool) -> RmaError:
    """
    Returns what is raised for this error of a driver of the DB-API.

    Args:
        cause: its words are kept.
        driver: the module.
        is_lost: whether it broke the connection.
    """
    if isinstance(cause, driver.DataError) and not sqlstate_of(cause):
        return not_storable(str(cause))  # psycopg sends no zero byte
    code = _code_of(cause, is_lost=is_lost)
    kind: type[Unavailable] = Unavailable
    if is_lost:
        kind = ConnectionLost
    elif code == "store_not_serializable":
        kind = NotSerializable
    elif isinstance(cause, driver.IntegrityError):
        kind = ConstraintFailed
    return kind(code, {"error": str(cause)})


def sqlstate_of(cause: BaseException | None) -> str:
    """Returns PostgreSQL's code of the error, or an empty string if it has none."""
    return getattr(cause, "sqlstate", None) or ""


def not_storable(value: str) -> InvalidValue:
    """Returns what is raised for a string that the database cannot hold."""
    details = {"field": "stored", "value": value, "expected": "a string that the database can hold"}
    return InvalidValue("invalid_value", details)


def _code_of(cause: BaseException | None, *, is_lost: bool) -> str:
    if isinstance(cause, PoolTimeout):
        return "store_crowded"
    if isinstance(cause, sqlite3.Error):
        return _SQLITE_CODES.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, "store_failed")
    state = sqlstate_of(cause)
    if code := _SQLSTATES.get(state) or _SQLSTATES.get(state[:2]):
        return code
    if is_lost:
        return "store_disconnected"
    if not state and type(cause).__name__ in {"OperationalError", "ConnectionTimeout"}:
        return next((code for words, code in _REFUSALS if words in str(cause)), "store_not_opened")
    return "store_failed"
