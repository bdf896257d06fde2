"""
Notices a pooler that lends the connections to PostgreSQL by transaction, and does without prepared
statements behind it.

A prepared statement belongs to a connection of the server, and psycopg counts the names on each connection of
its own: behind such a pooler, `_pg3_0` may be the statement of another client, which answers instead of ours.
PgBouncer, pooling by transaction, is one such pooler.
"""

from typing import Any

from sqlalchemy import Connection, PoolProxiedConnection

from rma.adapters.sql.executor import PostgresExecutor, SharedExecutor
from rma.adapters.sql.statement import Sql

#: Set in the `info` of a connection that was looked at.
_IS_KNOWN = "rma_is_known"

_ANSWERING = Sql("SELECT pg_backend_pid()", {}, ("pg_backend_pid",))


def look_for_pooler(pooled: PoolProxiedConnection, executor: PostgresExecutor) -> None:
    """
    Turns prepared statements off on this connection if a pooler is between us and the server.

    It asks the server once for each new connection: the process that answers is then not the one that the
    protocol named when the connection was made. A connection that prepares no statements is not asked.
    """
    if _IS_KNOWN in pooled.info:
        return
    driver: Any = pooled.driver_connection
    if getattr(driver, "prepare_threshold", None) is not None:
        ((answering,),) = executor.rows(_ANSWERING, {})
        if answering != driver.info.backend_pid:
            driver.prepare_threshold = None
    pooled.info[_IS_KNOWN] = True


def look_at(connection: Connection) -> None:
    """Does the same for a connection of SQLAlchemy; nothing is between us and SQLite."""
    if connection.dialect.name == "postgresql":
        look_for_pooler(connection.connection, SharedExecutor(connection))
