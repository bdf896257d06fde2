"""Columns as the tables have them, on each database in its own way."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from rma.adapters.sql.timestamps import timestamp

if TYPE_CHECKING:  # Django's own classes take no arguments
    TextField = models.TextField[Any, Any]
    DateTimeField = models.DateTimeField[Any, Any]
else:
    TextField, DateTimeField = models.TextField, models.DateTimeField


class CodePointText(TextField):
    """A string that is compared and sorted by code points; PostgreSQL would otherwise use its locale."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        """Returns the type, with its collation on PostgreSQL."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class Timestamp(DateTimeField):
    """A datetime; on SQLite a string of the whole adapter's form, which sorts as time does."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Returns the type of the column."""
        return "text" if connection.vendor == "sqlite" else super().db_type(connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 # Django's
        """Returns the parameter for a datetime."""
        if connection.vendor != "sqlite":
            return super().get_db_prep_value(value, connection, prepared)
        if not prepared:
            value = self.get_prep_value(value)
        if not isinstance(value, datetime):
            return value
        return timestamp(value if value.tzinfo else value.replace(tzinfo=UTC))
