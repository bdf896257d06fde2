"""The ledgers in a database of Django."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from rma.adapters.django.conf import database_alias
from rma.adapters.django.connector import DjangoConnector
from rma.adapters.django.support import require_supported
from rma.adapters.sql.repository import Repository
from rma.adapters.sql.writer import write_for
from rma.domain.values.errors import InvalidValue


class DjangoReturns(Repository):
    """
    The ledgers in SQLite or PostgreSQL, on Django's connection of the calling thread; a
    `rma.ReturnRepository`.

    In a transaction of the host it reads and writes there, and says so with `in_host_transaction`: a service
    over it then delivers nothing. It makes no tables: `manage.py migrate rma` does.

    Args:
        using: the alias of the database, as `RMA["DATABASE"]` says unless given.
        worker_lease: as that of `SqlReturns`, on PostgreSQL only.

    Raises:
        InvalidValue: the database is neither SQLite nor PostgreSQL with psycopg 3.
    """

    def __init__(self, using: str | None = None, *, worker_lease: float = 60.0) -> None:
        self.using = database_alias() if using is None else using
        require_supported(connections[self.using])
        vendor = connections[self.using].vendor
        self._django = DjangoConnector(self.using)
        self._given_lease = worker_lease
        lease = timedelta(seconds=worker_lease if vendor == "postgresql" else 0)
        super().__init__(self._django, write_for(vendor), lease)

    def in_host_transaction(self) -> bool:
        """
        Returns True inside `transaction.atomic`, and where autocommit is off, on this database.

        Raises:
            Unavailable: the database does not answer.
        """
        return self._django.is_in_host_transaction()

    def in_transaction(self, connection: object) -> "DjangoReturns":
        """
        Returns the same ledgers over another connection of Django to the same database, in a transaction.

        Raises:
            InvalidValue: it is not one of `django.db.connections`, or each of its statements is committed by
                itself.
        """
        if not isinstance(connection, BaseDatabaseWrapper):
            value = f"of class {type(connection).__name__}"
            raise InvalidValue(
                "invalid_value",
                {"field": "connection", "value": value, "expected": "one of django.db.connections"},
            )
        bound = DjangoReturns(connection.alias, worker_lease=self._given_lease)
        if not bound.in_host_transaction():
            details = {
                "field": "connection",
                "value": "outside of it",
                "expected": "inside transaction.atomic",
            }
            raise InvalidValue("invalid_value", details)
        return bound

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """
        Returns ids of orders with something outstanding and due; in a transaction of the host none is leased.

        Raises:
            Unavailable: the database failed.
        """
        if self._worker_lease and self.in_host_transaction():
            unleased = Repository(self._connector, self._write)
            return unleased.outstanding(now, limit, unpublished=unpublished)
        return super().outstanding(now, limit, unpublished=unpublished)
