"""Money on its way back: a refund's states, and how an amount is taken from an order's payments."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from rma.domain.money import Money
from rma.domain.order import Order


class RefundStatus(StrEnum):
    """
    How a refund stands.

    An unknown outcome is *pending*: it may have moved money, so it counts until the opposite is known.
    """

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"
    NEEDS_ATTENTION = "needs_attention"


#: States in which the money has left or may leave; in the others it is free again.
IN_FORCE = frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.NEEDS_ATTENTION})


@frozen
class Refund:
    """
    One amount from one payment, asked of the payments port under one key.

    Attributes:
        key: `{return_id}/refund/{n}`; repeated with every attempt, never used for another refund.
        reference: what the gateway calls it.
        retry_of: the key of the failed or reversed refund that this one replaces.
        failure: the gateway's words for why it was declined.
    """

    key: str
    payment_id: str
    amount: Money
    status: RefundStatus
    requested_at: datetime
    reference: str | None = None
    retry_of: str | None = None
    settled_at: datetime | None = None
    failure: str | None = None

    @property
    def is_in_force(self) -> bool:
        """True while the money has left or may leave."""
        return self.status in IN_FORCE


def in_force(refunds: Iterable[Refund]) -> int:
    """The sum of the refunds in force, minor units."""
    return sum([refund.amount.amount for refund in refunds if refund.is_in_force])


def left_of_payments(order: Order, refunds: Iterable[Refund]) -> dict[str, int]:
    """What each payment can still give back, minor units, in the order of `Order.payments`."""
    left = {
        payment.id: max(0, payment.captured.amount - payment.refunded.amount) for payment in order.payments
    }
    for refund in refunds:
        if refund.is_in_force and refund.payment_id in left:
            left[refund.payment_id] = max(0, left[refund.payment_id] - refund.amount.amount)
    return left


def split(amount: int, left: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """The amount taken from the payments in their order, each up to what it has left: at most their sum."""
    taken = []
    for payment_id, most in left.items():
        part = min(amount, most)
        if part:
            taken.append((payment_id, part))
        amount -= part
    return tuple(taken)
