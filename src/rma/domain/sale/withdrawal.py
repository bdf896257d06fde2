"""The right of withdrawal: a law's periods, beside the merchant's own policy."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen
from attrs.validators import optional

from rma.domain.sale.charges import ChargesBack, as_charges_back
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.windows import LONGEST_WINDOW, Calendar, Window, WindowEnd, WindowStart
from rma.domain.values.display import with_article
from rma.domain.values.errors import Violation
from rma.domain.values.validators import Validator, as_member, invalid, is_whole, member_of


class ReturnBasis(StrEnum):
    """By which right goods come back: the merchant's `policy`, or the law's `withdrawal`."""

    POLICY = "policy"
    WITHDRAWAL = "withdrawal"


class DueFrom(StrEnum):
    """
    What the days begin with within which a withdrawal is to be refunded.

    `declaration`: the declaration, though the merchant may wait for the goods or a proof that they were sent
    (European Union). `goods`: the earlier of those two (United Kingdom).
    """

    DECLARATION = "declaration"
    GOODS = "goods"


def _due_from(value: DueFrom | str) -> DueFrom:
    return as_member(DueFrom, value)


def instance(kind: type[object]) -> Validator:
    """The field is an instance of this class."""

    def check(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, kind):
            raise invalid(instance, attribute.name, value, with_article(kind.__name__))

    return check


def days_within_reason(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is an integer of days, at most a century."""
    if not is_whole(value, at_least=0) or value > LONGEST_WINDOW:
        expected = f"an integer of days, from 0 to {LONGEST_WINDOW}"
        raise invalid(instance, attribute.name, value, expected)


_WITHDRAWAL_WINDOW = Window(14, since=WindowStart.LAST_DELIVERED, ends=WindowEnd.DAY)


@frozen(kw_only=True)
class Withdrawal:
    """
    The periods of the right of withdrawal.

    Args:
        calendar: by which days end, else that of the policy, which is refused if neither has one.
        window: within which it can be declared.
        return_days: so many after the declaration the goods are to be sent.
        grace_days: so many more until the return expires, which the customer need not know of.
        refund_days: so many until the refund is due.
        due_from: what those begin with.
        charges_back: which of the order's charges the refund gives back, unless a rule for withdrawals spoke.

    Raises:
        InvalidValue: a number of days below 0 or above a century; a start that does not exist.
    """

    calendar: Calendar | None = field(default=None, validator=optional(instance(Calendar)))
    window: Window = field(default=_WITHDRAWAL_WINDOW, validator=instance(Window))
    return_days: int = field(default=14, validator=days_within_reason)
    grace_days: int = field(default=7, validator=days_within_reason)
    refund_days: int = field(default=14, validator=days_within_reason)
    due_from: DueFrom = field(default=DueFrom.DECLARATION, converter=_due_from, validator=member_of(DueFrom))
    charges_back: ChargesBack = field(
        default=ChargesBack.ALL_BACK, converter=as_charges_back, validator=member_of(ChargesBack)
    )

    def refusals(self, order: Order, line: LineItem, declared_at: datetime) -> tuple[Violation, ...]:
        """Why this line could not be withdrawn from then; empty if it could. A final sale does not matter."""
        closes_at = self.window.closes_at(order, line, self.calendar)
        if closes_at is None or declared_at <= closes_at:
            return ()
        until = self.window.until(order, line, self.calendar)
        assert until is not None, "a window that closes has a last moment"
        return (Violation("return_window_closed", line.id, {"until": until.isoformat()}),)

    def return_by(self, declared_at: datetime, recorded_at: datetime) -> datetime:
        """
        The moment after which the return expires, if nothing was sent or received.

        Days of grace are those after it was recorded, too: a declaration may be recorded late.
        """
        window = Window(self.return_days, grace_days=self.grace_days, ends=WindowEnd.DAY)
        grace = Window(self.grace_days, ends=WindowEnd.DAY)
        return max(
            window.last_moment(declared_at, self.calendar), grace.last_moment(recorded_at, self.calendar)
        )

    def refund_due_by(self, declared_at: datetime, goods_at: datetime) -> datetime:
        """
        Until when the refund is due.

        `goods_at` is when the goods arrived, or when the customer sent them with proof; the earlier of both.
        """
        days = Window(self.refund_days, ends=WindowEnd.DAY)
        if self.due_from is DueFrom.GOODS:
            return days.last_moment(goods_at, self.calendar)
        same_day = Window(0, ends=WindowEnd.DAY)
        return max(
            days.last_moment(declared_at, self.calendar), same_day.last_moment(goods_at, self.calendar)
        )
