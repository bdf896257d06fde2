"""How long something can be returned: windows, and the calendar by which days are counted."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, assert_never, cast

from attrs import Attribute, field, frozen

from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.tags import as_set
from rma.domain.values.validators import as_member, invalid, is_whole, member_of

#: A century.
LONGEST_WINDOW = 36_525


class WindowStart(StrEnum):
    """
    What a window begins with.

    `delivered`: the line's delivery, else the order's date. `last_delivered`: the delivery of the order's
    last line, so that the window has not begun while one of them is on its way. `fulfilled`: when the line
    left. `ordered`: the order's date.
    """

    DELIVERED = "delivered"
    LAST_DELIVERED = "last_delivered"
    FULFILLED = "fulfilled"
    ORDERED = "ordered"


class WindowEnd(StrEnum):
    """How a window ends: `exact`, so many times 24 hours later, or `day`, with a day of the calendar."""

    EXACT = "exact"
    DAY = "day"


def _as_zone(value: tzinfo | str) -> tzinfo:
    given: object = value
    if not isinstance(given, str):
        return cast("tzinfo", given)
    from zoneinfo import ZoneInfo  # noqa: PLC0415 # slow to import, and few policies have a calendar

    try:
        return ZoneInfo(given)
    except (KeyError, ValueError, OSError):  # unknown, or not the name of a zone at all
        return cast("tzinfo", given)


def _zone(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    # A return keeps the calendar of a withdrawal: what is stored of a zone is its name.
    if not isinstance(value, tzinfo) or not isinstance(getattr(value, "key", None), str):
        raise invalid(instance, attribute.name, value, "the name of a time zone, such as Europe/Berlin")


def _days_of_a_week(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    is_set = isinstance(value, frozenset) and all(is_whole(day, at_least=0) and day <= 6 for day in value)
    if not is_set or (isinstance(value, frozenset) and len(value) == 7):
        raise invalid(instance, attribute.name, value, "days of the week, 0 for Monday, and not all of them")


def _dates(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, frozenset) or not all(type(day) is date for day in value):
        raise invalid(instance, attribute.name, value, "dates")


@frozen
class Calendar:
    """
    How days are counted where a window ends with a day.

    Args:
        zone: whose midnight ends a day, such as `"Europe/Berlin"`, or the `ZoneInfo` of this name.
        free_weekdays: on which no window ends: it runs on to the next day; 0 is Monday.
        holidays: dates on which none ends either.

    Raises:
        InvalidValue: the zone is not known, or every day of the week is free.
    """

    zone: tzinfo = field(converter=_as_zone, validator=_zone)
    free_weekdays: frozenset[int] = field(
        default=frozenset({5, 6}), converter=as_set, validator=_days_of_a_week
    )
    holidays: frozenset[date] = field(default=frozenset(), converter=as_set, validator=_dates)

    def end_of_day(self, since: datetime, days: int) -> datetime:
        """24:00 of the day so many days after that of `since`, or of the next that is not free; in UTC."""
        day = since.astimezone(self.zone).date() + timedelta(days=days)
        while day.weekday() in self.free_weekdays or day in self.holidays:
            day += timedelta(days=1)
        midnight = datetime.combine(day + timedelta(days=1), time(), self.zone)
        return midnight.astimezone(UTC)


def _start(value: WindowStart | str) -> WindowStart:
    return as_member(WindowStart, value)


def _end(value: WindowEnd | str) -> WindowEnd:
    return as_member(WindowEnd, value)


def _days(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if not is_whole(value, at_least=0) or value > LONGEST_WINDOW:
        raise invalid(instance, attribute.name, value, f"an integer of days, from 0 to {LONGEST_WINDOW}")


@frozen
class Window:
    """
    A span of time in which something can be returned, its last moment included.

    Args:
        days: so many after it began.
        since: what it begins with; without that date it never ends.
        grace_days: so many more, which the customer is not given.
        ends: `day` needs a `Calendar`, which never shortens a window.
    """

    days: int = field(validator=_days)
    since: WindowStart = field(
        default=WindowStart.DELIVERED, converter=_start, validator=member_of(WindowStart)
    )
    grace_days: int = field(default=0, validator=_days)
    ends: WindowEnd = field(default=WindowEnd.EXACT, converter=_end, validator=member_of(WindowEnd))

    def until(self, order: Order, line: LineItem, calendar: Calendar | None) -> datetime | None:
        """The last moment that the customer is given for this line, in UTC; None for always."""
        return self._end(order, line, calendar, self.days)

    def closes_at(self, order: Order, line: LineItem, calendar: Calendar | None) -> datetime | None:
        """The last moment at which this line can be returned, days of grace included; None for always."""
        return self._end(order, line, calendar, self.days + self.grace_days)

    def _end(self, order: Order, line: LineItem, calendar: Calendar | None, days: int) -> datetime | None:
        since = _began(self.since, order, line)
        return None if since is None else self._days_after(since, calendar, days)

    def last_moment(self, since: datetime, calendar: Calendar | None) -> datetime:
        """The last moment of the days that follow this one, days of grace included, in UTC."""
        return self._days_after(since, calendar, self.days + self.grace_days)

    def _days_after(self, since: datetime, calendar: Calendar | None, days: int) -> datetime:
        exact = since + timedelta(days=days)
        if self.ends is WindowEnd.EXACT or calendar is None:
            return exact
        # Where the clock was put forward meanwhile, so many times 24 hours may end after midnight.
        return max(exact, calendar.end_of_day(since, days))

    def covers(self, other: "Window | None") -> bool:
        """True if this window never closes before the other one, whatever the dates."""
        if other is None or self.since is not other.since:
            return False
        if self.ends is WindowEnd.EXACT and other.ends is WindowEnd.DAY:
            return False
        return self.days + self.grace_days >= other.days + other.grace_days


def _began(start: WindowStart, order: Order, line: LineItem) -> datetime | None:
    match start:
        case WindowStart.DELIVERED:
            return line.delivered_at or order.created_at
        case WindowStart.LAST_DELIVERED:
            delivered = [each.delivered_at for each in order.items if each.quantity]
            dates = [at for at in delivered if at is not None]
            return max(dates) if dates and len(dates) == len(delivered) else None
        case WindowStart.FULFILLED:
            return line.fulfilled_at
        case WindowStart.ORDERED:
            return order.created_at
        case _:
            assert_never(start)
