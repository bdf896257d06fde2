"""Refunds: what an outcome changes in one, and how an amount is split over an order's payments."""

from collections.abc import Iterable
from datetime import datetime
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
from rma.domain.state.lifecycle import RefundStatus, refund_rules, refund_status_after
from rma.domain.values.money import Money


@frozen
class Refund:
    """
    One amount from one payment, asked of the payments port under one key.

    Attributes:
        key: `{return_id}-refund-{n}`; repeated with every attempt, never used for another refund.
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
        return refund_rules(self.status).is_in_force


def after(refund: Refund, outcome: RefundOutcome | RefundReversed | GivenUp, at: datetime) -> Refund:
    """The refund once this outcome is known: the same one if it says nothing new."""
    status = refund_status_after(refund.status, outcome)
    if status is None:
        return refund
    match outcome:
        case RefundSucceeded(reference=reference):
            return _ended(refund, status, at, reference=reference)
        case RefundPending(reference=reference):
            if refund.status is RefundStatus.PENDING and refund.reference:
                return refund
            return evolve(refund, status=status, reference=reference or refund.reference)
        case RefundDeclined(code=code, message=message) | RefundReversed(code=code, message=message):
            return _ended(refund, status, at, failure=_words(code, message))
        case GivenUp(error=error):
            # A gateway that answered with a reference took the request: it will report the outcome.
            return refund if refund.reference else evolve(refund, status=status, failure=error)
        case _:
            assert_never(outcome)


def _ended(
    refund: Refund,
    status: RefundStatus,
    at: datetime,
    *,
    reference: str | None = None,
    failure: str | None = None,
) -> Refund:
    return evolve(
        refund, status=status, reference=reference or refund.reference, failure=failure, settled_at=at
    )


def _words(code: str, message: str) -> str:
    return f"{code}: {message}" if message else code


def in_force(refunds: Iterable[Refund]) -> int:
    """The sum of the refunds in force, minor units."""
    return sum([refund.amount.amount for refund in refunds if refund.is_in_force])


def left_of_payments(captured: dict[str, int], refunds: Iterable[Refund]) -> dict[str, int]:
    """What each payment can still give back of what was captured and not refunded elsewhere, minor units."""
    left = {payment_id: max(0, amount) for payment_id, amount in captured.items()}
    for refund in refunds:
        if refund.is_in_force and refund.payment_id in left:
            left[refund.payment_id] = max(0, left[refund.payment_id] - refund.amount.amount)
    return left


def split(amount: int, left: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """The amount split over the payments in their order, each up to what it has left: at most their sum."""
    allocated = []
    for payment_id, most in left.items():
        part = min(amount, most)
        if part:
            allocated.append((payment_id, part))
        amount -= part
    return tuple(allocated)
