"""The merchant's rules: asked once, when a return is requested; what is about money stays with the return."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from attrs import field, frozen
from attrs.validators import optional

from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.withdrawal import Withdrawal, days_within_reason, instance
from rma.domain.values.money import Money
from rma.domain.values.tax import as_percentage, not_negative, optional_money, percent_of, percentage
from rma.domain.values.validators import as_tuple, flag, invalid, is_whole, text, tuple_of

#: A century; None means "always".
LONGEST_WINDOW = 36_525


def _as_optional_percentage(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else as_percentage(value)


@frozen
class Fee:
    """
    What the merchant keeps of a refund: an amount for the return, or a percentage of its goods' value.

    Exactly one of the two is given. A fee takes at most what is left; a custom amount is free of fees.
    """

    name: str = field(validator=text)
    amount: Money | None = field(default=None, converter=optional_money, validator=optional(not_negative))
    percent: Decimal | None = field(
        default=None, converter=_as_optional_percentage, validator=optional(percentage)
    )

    def __attrs_post_init__(self) -> None:
        if (self.amount is None) == (self.percent is None):
            raise invalid(self, "amount", self.amount, "either an amount or a percent")
        if self.percent is not None and self.percent > 100:
            raise invalid(self, "percent", self.percent, "at most 100")


def fee_on(fee: Fee, value: int) -> int:
    """The fee on goods of this value, minor units, before it is limited to what is left."""
    if fee.percent is not None:
        return percent_of(value, fee.percent)
    return fee.amount.amount if fee.amount is not None else 0


def _fees(values: Iterable[Fee]) -> tuple[Fee, ...]:
    return as_tuple(values)


@frozen
class Terms:
    """
    What the policy in force at the request says about money, damage and dates; copied to the return.

    Attributes:
        return_within_days: the return expires so many times 24 hours after it was requested or approved.
        pay_within_days: its refund is due so many times 24 hours after the goods arrived.
        withdrawal: the periods by which it was withdrawn, instead of those two; None for other returns.
    """

    name: str
    version: str
    refund_damaged: bool = True
    fees: tuple[Fee, ...] = ()
    return_within_days: int | None = None
    pay_within_days: int | None = None
    withdrawal: Withdrawal | None = None


@frozen
class ReturnPolicy:
    """
    The merchant's rules for one order.

    Args:
        name, version: which rules these are; returns remember both.
        refund_damaged: whether units that arrive damaged are paid for.
        fees: kept of every refund, in this order.
        window_days: how long after delivery a line can be returned: so many times 24 hours from
            `LineItem.delivered_at`, else from `Order.created_at`, the last moment included; None, or
            neither date known: always.
        review: True if each request waits for a person's approval, withdrawals excepted.
        return_within_days: a return for which nothing was sent or received expires so many times 24 hours
            after it was requested, or approved; None: never.
        pay_within_days: a refund is due so many times 24 hours after its goods arrived; None: no date.
        withdrawal: the right of withdrawal, where the law gives one.
    """

    name: str = field(default="default", validator=text)
    version: str = field(default="1", validator=text)
    refund_damaged: bool = field(default=True, validator=flag)
    fees: tuple[Fee, ...] = field(default=(), converter=_fees, validator=tuple_of(Fee))
    window_days: int | None = None
    review: bool = field(default=False, validator=flag)
    return_within_days: int | None = field(default=None, validator=optional(days_within_reason))
    pay_within_days: int | None = field(default=None, validator=optional(days_within_reason))
    withdrawal: Withdrawal | None = field(default=None, validator=optional(instance(Withdrawal)))

    def __attrs_post_init__(self) -> None:
        days = self.window_days
        if days is not None and not (is_whole(days, at_least=0) and days <= LONGEST_WINDOW):
            raise invalid(self, "window_days", days, f"an integer of days, from 0 to {LONGEST_WINDOW}")
        names = [fee.name for fee in self.fees]
        if len(set(names)) != len(names):
            raise invalid(self, "fees", names, "names that do not repeat")

    @property
    def terms(self) -> Terms:
        """What a return keeps of this policy."""
        return Terms(
            self.name,
            self.version,
            self.refund_damaged,
            self.fees,
            return_within_days=self.return_within_days,
            pay_within_days=self.pay_within_days,
        )

    @property
    def withdrawal_terms(self) -> Terms:
        """What a withdrawal keeps of it: no fees, and what is damaged is paid."""
        return Terms(self.name, self.version, withdrawal=self.withdrawal)

    def returnable_until(self, order: Order, item: LineItem) -> datetime | None:
        """The last moment at which this line can be returned; None for always."""
        since = item.delivered_at or order.created_at
        if self.window_days is None or since is None:
            return None
        return since + timedelta(days=self.window_days)
