"""Refunds: what an outcome changes in one, and what they leave of an order's payments."""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from attrs import evolve, field, frozen

from rma.domain.messages.effects import (
    GivenUp,
    NoRoom,
    Overdue,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
)
from rma.domain.sale.means import Means
from rma.domain.state.lifecycle import RefundStatus, refund_rules, refund_status_after
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden


@frozen
class PaymentShare:
    """A part of a payment."""

    payment_id: str
    amount: Money


@frozen
class Refund:
    """
    One amount that goes back by one means, asked of its port under one key.

    Attributes:
        key: `{return_id}-refund-{n}`; repeated with every attempt, never used for another refund.
        payment_id: the payment that gives it back; None for store credit and payouts.
        reference: what the gateway calls it.
        retry_of: the key of the failed or reversed refund that this one replaces.
        failure: why it failed, was reversed or needs attention, in the gateway's words.
        moved: what really moved, where the gateway said another amount than was asked for.
        success_notice: the id of a notice that said that it succeeded; once more, it says nothing new.
        other_success_notices: those of others that said so.
        failure_notices: the ids of notices that said that it failed or was reversed.
        is_contradicted: the gateway said that it succeeded after it had said that it failed. It counts as in
            force, until a person says what is true.
        means: by which it goes back.
        bonus: what is given besides as store credit; it counts against nothing.
        payee, customer_id: who gets store credit, as in `CreditRequest`.
        kind, provider_id: of the payment, as the order had them.
        against: of which payments it counts as given back, for store credit and payouts. What it does not say
            counts against the payments in their order, and so does what these do not have any more.
        is_extra: store credit that was given as goodwill: it counts against no payment.
        carried: how much more it is for than it moves, minor units, since its gateway moves steps only; below
            0 if it moves more. It goes with the next refund of the order, unless this one fails.
        after_key: the refund of the same payment that goes first, since its gateway moves steps only.
    """

    key: str
    payment_id: str | None
    amount: Money
    status: RefundStatus
    requested_at: datetime
    reference: str | None = None
    retry_of: str | None = None
    settled_at: datetime | None = None
    failure: str | None = field(default=None, repr=hidden)
    moved: Money | None = None
    success_notice: str | None = None
    other_success_notices: tuple[str, ...] = ()
    failure_notices: tuple[str, ...] = ()
    is_contradicted: bool = False
    means: Means = Means.PAYMENT
    bonus: Money | None = None
    payee: str | None = None
    customer_id: str | None = None
    kind: str | None = None
    provider_id: str | None = None
    against: tuple[PaymentShare, ...] = ()
    is_extra: bool = False
    carried: int = 0
    after_key: str | None = None

    @property
    def is_in_force(self) -> bool:
        """True while the money has left or may leave."""
        return refund_rules(self.status).is_in_force

    @property
    def amount_in_force(self) -> int:
        """What has left or may leave, minor units; 0 once it is known that nothing did."""
        if not self.is_in_force:
            return 0
        return (self.amount if self.moved is None else self.moved).amount

    @property
    def carried_in_force(self) -> int:
        """`carried`, 0 once it is known that nothing was moved."""
        return self.carried if self.is_in_force else 0

    @property
    def amount_given_back(self) -> int:
        """What of that counts against the payments of the order, minor units."""
        return 0 if self.is_extra else self.amount_in_force


def after(  # noqa: PLR0911 # a row for each outcome
    refund: Refund,
    outcome: RefundOutcome | RefundReversed | GivenUp | NoRoom | Overdue,
    at: datetime,
    *,
    by: str | None = None,
    notice: str | None = None,
) -> Refund:
    """
    The refund once this outcome is known: the same one if it says nothing new.

    Where the gateway contradicted itself, only a person who gives a name (`by`) says what is true. `notice`
    is the id of the gateway's notice; one that `with_notice` remembered says nothing new.
    """
    if notice is not None and notice in _notices(refund, outcome):
        return refund
    status = refund_status_after(refund.status, outcome)
    if status is None or (refund.is_contradicted and by is None):
        return _with_more(refund, outcome)
    match outcome:
        case RefundSucceeded():
            return _succeeded(refund, outcome, status, at)
        case RefundPending(reference=reference):
            if refund.status is RefundStatus.PENDING and refund.reference:
                return refund
            return evolve(refund, status=status, reference=reference or refund.reference)
        case RefundDeclined(code=code, message=message) | RefundReversed(code=code, message=message):
            failure = failure_of(code, message)
            return evolve(refund, status=status, failure=failure, settled_at=at, is_contradicted=False)
        case NoRoom(amount=amount, left=left):
            failure = f"payment_has_no_room: {amount} asked for, {left} left"
            return evolve(refund, status=status, failure=failure)
        case Overdue(since=since):
            return evolve(refund, status=status, failure=overdue_since(since))
        case GivenUp(error=error):
            # A gateway that answered with a reference took the request: it will report the outcome.
            return refund if refund.reference else evolve(refund, status=status, failure=error)
        case _:
            assert_never(outcome)


def _with_more(refund: Refund, outcome: object) -> Refund:
    """The refund with the larger amount of which the gateway says that it moved; otherwise as it is."""
    if not isinstance(outcome, RefundSucceeded) or outcome.amount is None or not refund.is_in_force:
        return refund
    return evolve(refund, moved=outcome.amount) if outcome.amount.amount > refund.amount_in_force else refund


def _succeeded(refund: Refund, outcome: RefundSucceeded, status: RefundStatus, at: datetime) -> Refund:
    is_contradicted = status is RefundStatus.NEEDS_ATTENTION
    return evolve(
        refund,
        status=status,
        reference=outcome.reference or refund.reference,
        failure=f"succeeded after: {refund.failure}" if is_contradicted else None,
        settled_at=at,
        moved=None if outcome.amount == refund.amount else outcome.amount,
        is_contradicted=is_contradicted,
    )


def with_notice(refund: Refund, outcome: RefundOutcome | RefundReversed, notice: str | None) -> Refund:
    """
    The refund that remembers the id of this notice, whether or not it says anything new.

    That of a pending one changes no outcome, however often it is delivered, and nothing changes a refund that
    was reversed.
    """
    is_over = isinstance(outcome, RefundPending) or refund.status is RefundStatus.REVERSED
    if notice is None or is_over or notice in _notices(refund, outcome):
        return refund
    if not isinstance(outcome, RefundSucceeded):
        return evolve(refund, failure_notices=(*refund.failure_notices, notice))
    if refund.success_notice is None:
        return evolve(refund, success_notice=notice)
    return evolve(refund, other_success_notices=(*refund.other_success_notices, notice))


def _notices(refund: Refund, outcome: object) -> tuple[str | None, ...]:
    """The ids of the notices that said the same before: another outcome is news even under a known id."""
    if isinstance(outcome, RefundSucceeded):
        return (refund.success_notice, *refund.other_success_notices)
    return refund.failure_notices if isinstance(outcome, RefundDeclined | RefundReversed) else ()


def failure_of(code: str, message: str) -> str:
    """Why money did not move, in the gateway's words."""
    return f"{code}: {message}" if message else code


def overdue_since(since: datetime) -> str:
    """What is said of a request that a gateway took, and whose outcome it has not reported for too long."""
    return f"pending since {since:%Y-%m-%d %H:%M}"


def in_force(refunds: Iterable[Refund]) -> int:
    """The sum of the refunds in force, minor units."""
    return sum([refund.amount_in_force for refund in refunds])


def left_of_payments(captured: dict[str, int], refunds: Iterable[Refund]) -> dict[str, int]:
    """
    What each payment can still give back of what was captured and not refunded elsewhere, minor units.

    First its own refunds are taken from each payment, which is never below 0: the host may count them, too.
    Then store credit and payouts are taken from the payments they count against. What these do not have
    any more, since the host gave it back itself, is taken from the payments in their order; so are the
    refunds of a payment that is not there any more (the host renamed or merged payments), and what store
    credit and payouts do not say of themselves. Store credit that is extra is taken from none.
    """
    left = dict(captured)
    shares, unnamed = list[tuple[str, int]](), 0
    for refund in refunds:
        amount = refund.amount_given_back
        if refund.payment_id is not None and refund.payment_id in left:
            left[refund.payment_id] -= amount
            continue
        for share in refund.against:
            part = min(amount, share.amount.amount)
            shares.append((share.payment_id, part))
            amount -= part
        unnamed += amount
    left = {payment_id: max(0, amount) for payment_id, amount in left.items()}
    for payment_id, amount in shares:
        taken = min(amount, left.get(payment_id, 0))
        unnamed += amount - taken
        if taken:
            left[payment_id] -= taken
    for payment_id, amount in left.items():
        taken = min(unnamed, amount)
        left[payment_id] -= taken
        unnamed -= taken
    return left
