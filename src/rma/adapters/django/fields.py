"""Columns as the tables have them, on each database in its own way."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import lookups
from django.db.models.expressions import Col
from django.utils import timezone

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


class TimestampColumn(Col):
    """
    A column of `Timestamp` in a query.

    On SQLite it is what Django has there in columns of its own, for its functions and comparisons: the time
    in the zone of the connection without an offset, as in `2026-11-30 14:45:00.250000`.
    """

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, list[Any]]:
        """Returns the expression and its parameters."""
        column, parameters = self.as_sql(compiler, connection)
        seconds = f"replace(substr({column}, 1, 19), 'T', ' ')"
        if connection.timezone_name != "UTC":
            seconds = f"django_datetime_trunc('second', {seconds}, %s, 'UTC')"
            parameters = [*parameters, connection.timezone_name]
        return f"({seconds} || replace(substr({column}, 20, 7), '.000000', ''))", list(parameters)


class Timestamp(DateTimeField):
    """A datetime; on SQLite a string of the whole adapter's form, which sorts as time does."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Returns the type of the column."""
        return "text" if connection.vendor == "sqlite" else super().db_type(connection)

    def get_col(self, alias: str, output_field: Any = None) -> TimestampColumn:
        """Returns the column in a query."""
        return TimestampColumn(alias, self, output_field)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 # Django's
        """Returns the parameter for a datetime, in the form of `TimestampColumn`."""
        value = value if prepared else self.get_prep_value(value)
        if not settings.USE_TZ and isinstance(value, datetime) and value.tzinfo:  # SQLite would refuse it
            value = timezone.make_naive(value, _zone(connection))
        return super().get_db_prep_value(value, connection, prepared=True)


class _ComparedWithValues(lookups.FieldGetDbPrepValueMixin):
    """
    Compares a column of SQLite with values as it is stored, so that an index serves.

    With other expressions it is compared in the form that those have.
    """

    lhs: Any
    rhs: Any

    def process_lhs(self, compiler: Any, connection: BaseDatabaseWrapper, lhs: Any = None) -> Any:
        """Returns the statement and the parameters of the left side."""
        lhs = lhs or self.lhs
        if self._is_as_stored(connection):
            lhs = Col(lhs.alias, lhs.target, lhs.output_field)
        return super().process_lhs(compiler, connection, lhs)  # type: ignore[misc] # of the lookup

    def get_db_prep_lookup(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Returns the placeholder and the parameters of the right side."""
        if not self._is_as_stored(connection):
            return super().get_db_prep_lookup(value, connection)
        values = value if self.get_db_prep_lookup_value_is_iterable else [value]
        return "%s", [timestamp(_aware(each, connection)) for each in values]

    def _is_as_stored(self, connection: BaseDatabaseWrapper) -> bool:
        given = self.rhs
        values = [given] if hasattr(given, "as_sql") or not isinstance(given, Iterable) else given
        is_column = connection.vendor == "sqlite" and isinstance(self.lhs, TimestampColumn)
        return is_column and not any(hasattr(each, "resolve_expression") for each in values)


for _lookup in (
    lookups.Exact,
    lookups.GreaterThan,
    lookups.GreaterThanOrEqual,
    lookups.LessThan,
    lookups.LessThanOrEqual,
    lookups.In,
    lookups.Range,
    lookups.IsNull,
):
    Timestamp.register_lookup(type(_lookup.__name__, (_ComparedWithValues, _lookup), {}))


def _aware(at: datetime, connection: BaseDatabaseWrapper) -> datetime:
    """The datetime; without `USE_TZ` a naive one is in the zone of the settings, as on PostgreSQL."""
    return at if at.tzinfo else timezone.make_aware(at, _zone(connection))


def _zone(connection: BaseDatabaseWrapper) -> ZoneInfo:
    return ZoneInfo(connection.timezone_name)
