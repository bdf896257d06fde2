"""The ledgers in a database."""

from datetime import timedelta

from sqlalchemy import URL, Connection, Engine

from rma.adapters.sql.database import Database, is_postgresql
from rma.adapters.sql.host_transaction import HostTransaction
from rma.adapters.sql.repository import Repository
from rma.adapters.sql.upgrades import UpgradeResult
from rma.adapters.sql.writer import write_for
from rma.ports import BoundReturns


class SqlReturns(Repository):
    """
    The ledgers in SQLite or PostgreSQL; a `rma.ReturnRepository`, safe to use from several threads.

    It executes nothing before the first use, which makes the tables if there are none, and upgrades those of
    an earlier release.

    >>> from rma import ReturnLedger
    >>> from rma.adapters.sql import SqlReturns
    >>> returns = SqlReturns("sqlite://")  # in memory; a file: "sqlite:///returns.db"
    >>> returns.load("order_1") == ReturnLedger("order_1")
    True
    >>> returns.close()

    Args:
        engine_or_url: `postgresql://…` is opened with psycopg 3, a SQLite file so that commits are durable
            and wait for each other. An engine is used as it is, with the durability that the host gave it.
        busy_timeout: how many seconds a commit waits for other commits, on a SQLite file opened here.
        worker_lease: how many seconds an order that `outstanding` named to one worker (a thread) is not
            named to others, unless something is committed to it before; 0 for not at all. On PostgreSQL only.
        manage_schema: False if administrators make and upgrade the tables, with `python -m rma.adapters.sql
            upgrade` or `upgrade`; every use is then `Unavailable` until they did (`tables_missing`,
            `older_format`).

    Raises:
        InvalidValue: the database is neither SQLite nor PostgreSQL.
    """

    def __init__(
        self,
        engine_or_url: Engine | URL | str,
        *,
        busy_timeout: float = 5.0,
        worker_lease: float = 60.0,
        manage_schema: bool = True,
    ) -> None:
        self._database = Database(engine_or_url, busy_timeout, manage_schema=manage_schema)
        leased = timedelta(seconds=worker_lease if is_postgresql(self.engine) else 0)
        super().__init__(self._database, write_for(self.engine.dialect.name), leased)

    @property
    def engine(self) -> Engine:
        """The engine, for statements of the host; ours go to the driver, where its events do not see them."""
        return self._database.engine

    def in_transaction(self, connection: Connection) -> BoundReturns:
        """
        Returns the same ledgers, read and written in the transaction of the host on this connection.

        They are committed with everything else that the host writes there, or not at all; nothing here
        commits or rolls back. `ReturnService.in_transaction` is a service over them, which delivers nothing:
        no port may move money for a change that can still be undone. A `StaleLedger` is raised before
        anything is written, so the transaction can go on; after `Unavailable` PostgreSQL requires a rollback.

        Raises:
            InvalidValue: it is not a `Connection` (of an ORM session: `session.connection()`), or it commits
                each statement by itself.
        """
        return _Bound(HostTransaction(self._database, connection), self._write)

    def upgrade(self) -> UpgradeResult:
        """
        Makes or upgrades the tables now, also with `manage_schema=False`; orders that were left before are
        tried again.

        Raises:
            Unavailable: `newer_format`: a later release made the tables. `store_not_permitted`,
                `store_read_only`: this role must not change them. Other codes: the database failed. Nothing
                was changed.
        """
        return self._database.upgrade()

    def close(self) -> None:
        """Closes all connections; a later use opens new ones."""
        self._database.close()


class _Bound(Repository):
    def in_host_transaction(self) -> bool:
        return True
