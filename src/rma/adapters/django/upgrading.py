"""Upgrades tables on a connection of Django: the upgrades are those of `rma.adapters.sql.upgrades`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from sqlalchemy import Connection, StaticPool, create_engine

from rma.adapters.sql.engines import QUIET
from rma.adapters.sql.preparing import upgrade

#: The dialect of SQLAlchemy, by vendor.
_DIALECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "sqlite": ("sqlite://", {}),
    "postgresql": ("postgresql+psycopg://", {"use_native_hstore": False}),
}


def upgrade_older(connection: BaseDatabaseWrapper) -> None:
    """
    Upgrades tables and documents of an older format, in the transaction that Django has begun.

    Orders that cannot be converted are left, and logged (`rma`).

    Raises:
        Unavailable: `store_not_permitted`: the tables belong to another role. Others, as the database says.
    """
    with _as_sqlalchemy(connection) as lent:
        upgrade(lent)


class _Lent:
    """The connection of the driver, whose transaction and end are left to Django."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        """Leaves it to Django."""

    def rollback(self) -> None:
        """Leaves it to Django; SQLAlchemy does it after it has looked which server it is."""

    def close(self) -> None:
        """Leaves it to Django."""


@contextmanager
def _as_sqlalchemy(connection: BaseDatabaseWrapper) -> Iterator[Connection]:
    connection.ensure_connection()
    url, options = _DIALECTS[connection.vendor]
    lent = _Lent(connection.connection)
    engine = create_engine(url, creator=lambda: lent, poolclass=StaticPool, **options, **QUIET)
    try:
        with engine.connect() as yielded:
            yield yielded
    finally:
        engine.dispose()
