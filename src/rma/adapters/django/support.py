"""Which databases of Django can hold ledgers."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from rma.domain.values.errors import InvalidValue


def unsupported(connection: BaseDatabaseWrapper) -> str | None:
    """Returns what the database is, if it cannot hold ledgers, or None; nothing is asked of it."""
    if connection.vendor == "sqlite":
        return None
    if connection.vendor != "postgresql":
        return connection.display_name
    driver = driver_of(connection).__name__
    return None if driver == "psycopg" else f"{connection.display_name} with {driver}"


def require_supported(connection: BaseDatabaseWrapper) -> None:
    """
    Checks that the database can hold ledgers.

    Raises:
        InvalidValue: it is neither SQLite nor PostgreSQL with psycopg 3.
    """
    if (reason := unsupported(connection)) is not None:
        details = {
            "field": f"DATABASES[{connection.alias!r}]",
            "value": reason,
            "expected": "SQLite, or PostgreSQL with psycopg 3",
        }
        raise InvalidValue("invalid_value", details)


def driver_of(connection: Any) -> Any:
    """Returns the module of the driver."""
    return connection.Database
