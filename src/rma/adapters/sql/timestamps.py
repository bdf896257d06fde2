"""Moments as they are written beside documents: where databases compare them."""

from datetime import UTC, datetime


def timestamp(at: datetime) -> str:
    """In UTC, as ISO 8601 with microseconds, which sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
