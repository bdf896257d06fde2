"""
Notices a pooler that lends the connections to PostgreSQL by transaction, and does without prepared
statements behind it.

A prepared statement belongs to a connection of the server, and psycopg counts the names on each connection of
its own: behind such a pooler, `_pg3_0` may be the statement of another client, which answers instead of ours.
PgBouncer, pooling by transaction, is one such pooler.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Select

from rma.domain.values.errors import Unavailable

#: Set in the `info` of a connection that was looked at.
_IS_KNOWN = "rma_is_known"


def look_for_pooler(connection: Connection) -> None:
    """
    Turns prepared statements off on this connection if a pooler is between us and the server.

    It asks the server once for each new connection: the process that answers is then not the one that the
    protocol named when the connection was made. A connection that prepares no statements is not asked.
    """
    pooled = connection.connection
    if _IS_KNOWN in pooled.info:
        return
    driver: Any = pooled.driver_connection
    if getattr(driver, "prepare_threshold", None) is not None:
        answering = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        if answering != driver.info.backend_pid:
            driver.prepare_threshold = None
    pooled.info[_IS_KNOWN] = True


def rows_that_fit(result: CursorResult[Any], statement: Executable) -> Sequence[Any]:
    """
    Returns the rows of this statement.

    Raises:
        Unavailable: `store_mixed_up`: the columns are not those of the statement, even if there are no rows.
    """
    require_columns(result, _names(statement))
    return result.all()


def require_columns(result: CursorResult[Any], names: Sequence[str]) -> None:
    """
    Checks that the database answered with these columns.

    Raises:
        Unavailable: `store_mixed_up`.
    """
    cursor: Any = result.cursor  # None if no rows were answered at all
    found = [each[0] for each in (cursor and cursor.description) or ()]
    if found != list(names):
        raise Unavailable("store_mixed_up", {"columns": _listed(found), "expected": _listed(names)})


@lru_cache(maxsize=64)
def _names(statement: Select[Any]) -> tuple[str, ...]:
    return tuple([each.name for each in statement.selected_columns])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
