"""
Makes the tables, or upgrades them, when a store is first used.

One process does it while others wait: on PostgreSQL under an advisory lock of its transaction, on SQLite
under the lock of a transaction that writes.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, inspect, select

from rma.adapters.sql.failures import failures
from rma.adapters.sql.pooling import look_at
from rma.adapters.sql.schema import (
    FORMAT,
    WRITABLE_SINCE,
    formats,
    metadata,
    require_known,
    transaction,
)
from rma.adapters.sql.upgrades import UpgradeResult, retry_left_orders, upgrade_tables
from rma.adapters.sql.upgrades.tables import is_postgresql
from rma.domain.values.errors import Unavailable

#: The advisory lock under which PostgreSQL tables are made: the bytes of "rma" and a number.
_PREPARING = 0x726D_6100

#: What an administrator runs.
COMMAND = "python -m rma.adapters.sql upgrade URL"

_log = logging.getLogger("rma")


def find_format(connection: Connection) -> int | None:
    """
    Returns the format of the tables, which may be older than ours; None if there are no tables.

    A later one is returned if this release may write it as well.

    Raises:
        Unavailable: `newer_format`: a later release made tables that this one must not write.
    """
    if not inspect(connection).has_table(formats.name):
        return None
    found = connection.scalar(select(formats.c.format))
    if found is not None and found > FORMAT:  # the other column is not in every format
        require_known(connection.scalar(select(formats.c.writable_since)))
    return found


def is_prepared(connection: Connection) -> bool:
    """
    Returns True if there are tables that this release reads and writes.

    Raises:
        Unavailable: as `find_format`.
    """
    found = find_format(connection)
    return found is not None and found >= FORMAT


def require_prepared(connection: Connection) -> None:
    """
    Checks it.

    Raises:
        Unavailable: as `find_format`; `tables_missing`; `older_format`: they have to be upgraded.
    """
    found = find_format(connection)
    if found is None:
        raise Unavailable("tables_missing", {"hint": f"an administrator makes them: {COMMAND}"})
    if found < FORMAT:
        details = {"found": found, "known": FORMAT, "hint": f"an administrator upgrades them: {COMMAND}"}
        raise Unavailable("older_format", details)


def make_ready(connection: Connection, *, manage_schema: bool) -> None:
    """
    Makes or upgrades the tables, if need be, on a new connection that begins transactions itself.

    Raises:
        Unavailable: as `require_prepared`, if it must not; as `prepare`, if it may.
    """
    if is_postgresql(connection):
        connection.execution_options(isolation_level="READ COMMITTED")
        look_at(connection)
        _warn_of_lost_commits(connection)
    if not manage_schema:
        require_prepared(connection)
    elif not is_prepared(connection):
        with for_administrators(connection), transaction(connection):
            prepare(connection)


def prepare(connection: Connection) -> UpgradeResult:
    """
    Makes or upgrades the tables in the transaction of this connection, unless another process was faster.

    What an upgrade had to leave is not tried again: `upgrade` does that.

    Raises:
        Unavailable: as `find_format`.
    """
    if is_postgresql(connection):  # where one of two processes that make a table fails
        connection.execute(select(func.pg_advisory_xact_lock(_PREPARING)))
    found = find_format(connection)
    if found is None:
        metadata.create_all(connection)
        connection.execute(formats.insert(), {"format": FORMAT, "writable_since": WRITABLE_SINCE})
    elif found < FORMAT:
        result = upgrade_tables(connection, found)
        _report(result)
        return result
    return UpgradeResult(found)


def upgrade(connection: Connection) -> UpgradeResult:
    """
    Makes or upgrades the tables for a migration of the host; orders that an upgrade left are tried again.

    >>> from sqlalchemy import create_engine
    >>> from rma.adapters.sql import upgrade
    >>> with create_engine("sqlite://").begin() as connection:
    ...     upgrade(connection).before is None  # there were no tables
    True

    Args:
        connection: to the database, in a transaction that the host commits.

    Raises:
        Unavailable: `newer_format`: a later release made the tables. `store_not_permitted`,
            `store_read_only`: this role must not change them.
    """
    with for_administrators(connection):
        begin_writing(connection)
        result = prepare(connection)
        if result.before is not None and not result.orders:
            result = retry_left_orders(connection)
            _report(result)
        return result


def begin_writing(connection: Connection) -> None:
    """Begins a transaction on SQLite that writes, unless there is one: its driver waits until it does."""
    if is_postgresql(connection):
        return
    if not connection.in_transaction():
        connection.begin()  # as its next statement does
    if not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr] # of sqlite3
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def for_administrators(connection: Connection) -> Iterator[None]:
    """
    Says to an administrator what has to be done, where making or upgrading tables was not permitted.

    Raises:
        Unavailable: with a `hint`, whatever the database raised.
    """
    try:
        with failures(connection.engine):
            yield
    except Unavailable as error:
        if error.code not in {"store_not_permitted", "store_read_only"}:
            raise
        hint = f"an administrator makes or upgrades the tables: {COMMAND}"
        raise Unavailable(error.code, {**error.details, "hint": hint}) from error


def _report(result: UpgradeResult) -> None:
    _log.info("tables were upgraded from format %s to %s", result.before, FORMAT)
    for each in result.left:
        _log.warning(
            "order %s could not be upgraded from format %s: %s", each.order_id, each.format, each.error
        )


def _warn_of_lost_commits(connection: Connection) -> None:
    if connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off":
        _log.warning("synchronous_commit is off: a crash of the server loses commits that were confirmed")
