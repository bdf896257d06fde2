"""
Timestamps in columns: on SQLite strings that sort as time does, on PostgreSQL its own type.

This adapter sends and reads them as strings on both.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import TIMESTAMP, ColumnElement, Text, func
from sqlalchemy.types import TypeDecorator

#: How PostgreSQL writes a `timestamptz` in UTC: the same string as `timestamp`, whatever `TimeZone` and
#: `DateStyle` of the session are.
_AS_STRING = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'


class _TimestampTz(TypeDecorator[str]):
    """`timestamptz`, given and read as the string of `timestamp`."""

    impl = TIMESTAMP(timezone=True)
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Selects the string."""
        return func.to_char(func.timezone("UTC", column), _AS_STRING)


#: The type of a column that holds a timestamp; its values are those of `timestamp`.
Timestamp = Text().with_variant(_TimestampTz(), "postgresql")


def timestamp(at: datetime) -> str:
    """Returns the datetime in UTC, as ISO 8601 with microseconds, which sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
