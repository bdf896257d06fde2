"""Which databases of Django can hold ledgers."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def unsupported(connection: BaseDatabaseWrapper) -> str | None:
    """Returns what the database is, if it cannot hold ledgers, or None; nothing is asked of it."""
    if connection.vendor == "sqlite":
        return None
    if connection.vendor != "postgresql":
        return connection.display_name
    driver = driver_of(connection).__name__
    return None if driver == "psycopg" else f"{connection.display_name} with {driver}"


def driver_of(connection: Any) -> Any:
    """Returns the module of the driver."""
    return connection.Database
