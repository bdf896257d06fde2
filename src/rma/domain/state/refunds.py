"""Money on its way back: a refund's states, and how an amount is taken from an order's payments."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from attrs import evolve, frozen

from rma.domain.messages.effects import (
    GivenUp,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
)
from rma.domain.values.money import Money


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
        failure: why it failed, was reversed or needs attention, in the gateway's words.
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


#: Notifications come in any order: a state is only ever left for one of a higher rank. A refund that
#: succeeded may still fail or be reversed days later; one that failed or was reversed is over.
_RANK = {
    RefundStatus.PENDING: 0,
    RefundStatus.NEEDS_ATTENTION: 0,
    RefundStatus.SUCCEEDED: 1,
    RefundStatus.FAILED: 2,
    RefundStatus.REVERSED: 2,
}


def after(refund: Refund, outcome: RefundOutcome | RefundReversed | GivenUp, at: datetime) -> Refund:
    """The refund once this is known of it: the same one where it says nothing new."""
    match outcome:
        case RefundSucceeded(reference=reference):
            status, failure = RefundStatus.SUCCEEDED, None
        case RefundPending(reference=reference):
            if _RANK[refund.status] or (refund.status is RefundStatus.PENDING and refund.reference):
                return refund
            return evolve(refund, status=RefundStatus.PENDING, reference=reference or refund.reference)
        case RefundDeclined(code=code, message=message):
            status, reference, failure = RefundStatus.FAILED, None, _words(code, message)
        case RefundReversed(code=code, message=message):
            status, reference, failure = RefundStatus.REVERSED, None, _words(code, message)
        case GivenUp(error=error):
            if refund.status is not RefundStatus.PENDING or refund.reference:
                return refund
            return evolve(refund, status=RefundStatus.NEEDS_ATTENTION, failure=error)
        case _:
            assert_never(outcome)
    if _RANK[status] <= _RANK[refund.status]:
        return refund
    return evolve(
        refund, status=status, reference=reference or refund.reference, failure=failure, settled_at=at
    )


def _words(code: str, message: str) -> str:
    return f"{code}: {message}" if message else code


def in_force(refunds: Iterable[Refund]) -> int:
    """The sum of the refunds in force, minor units."""
    return sum([refund.amount.amount for refund in refunds if refund.is_in_force])


def need_attention(entitled_amount: int, refunds: Sequence[Refund]) -> bool:
    """True if what was granted is not paid nor on its way, or nobody can tell what became of a refund."""
    return entitled_amount > in_force(refunds) or any(
        refund.status is RefundStatus.NEEDS_ATTENTION for refund in refunds
    )


def left_of_payments(captured: dict[str, int], refunds: Iterable[Refund]) -> dict[str, int]:
    """What each payment can still give back of what was captured and not refunded elsewhere, minor units."""
    left = {payment_id: max(0, amount) for payment_id, amount in captured.items()}
    for refund in refunds:
        if refund.is_in_force and refund.payment_id in left:
            left[refund.payment_id] = max(0, left[refund.payment_id] - refund.amount.amount)
    return left


def split(amount: int, left: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """The amount taken from the payments in their order, each up to what it has left: at most their sum."""
    allocated = []
    for payment_id, most in left.items():
        part = min(amount, most)
        if part:
            allocated.append((payment_id, part))
        amount -= part
    return tuple(allocated)
