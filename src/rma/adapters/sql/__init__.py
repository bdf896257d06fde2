"""
Ledgers in a database: SQLite by default, PostgreSQL when one machine is too small. Needs the extra `sql`.

Values travel as JSON documents (`rma.codec`); `schema` has the tables, `statements` all that is asked of
them, `upgrades` what later releases changed.
"""

from rma.adapters.sql.preparing import upgrade
from rma.adapters.sql.returns import SqlReturns
from rma.adapters.sql.schema import metadata
from rma.adapters.sql.service import sql_service

__all__ = ["SqlReturns", "metadata", "sql_service", "upgrade"]
