"""Timestamps as they are written in columns, where databases compare them."""

from datetime import UTC, datetime


def timestamp(at: datetime) -> str:
    """Returns the datetime in UTC, as ISO 8601 with microseconds, which sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
