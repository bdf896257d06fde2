"""How long effects are left alone, tried again and waited for, until a person has to look."""

from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from rma.domain.messages.effects import Delivery, NotSent, OpenEffect
from rma.domain.values.validators import positive_duration


def _duration(**default: int) -> timedelta:
    duration: timedelta = field(default=timedelta(**default), validator=positive_duration)
    return duration


@frozen(kw_only=True)
class Timing:
    """
    When a timer tries open effects, and when they need attention.

    Args:
        grace: an effect that its own command is sending is left alone by timers for so long.
        first_retry, longest_retry: the time after a failed attempt. It doubles with each failure, up to the
            longest.
        stuck_after: what is open for longer needs attention, whatever it is.
        failing_time: a port whose failing calls took so long in one `resume`, the publisher too, is left
            alone for its rest.
        pending_lookup: how often a refund that the gateway called pending is looked up, where it can be.
        pending_patience: a refund that is pending for longer needs attention.

    Raises:
        InvalidValue: a duration is not above 0.
    """

    grace: timedelta = _duration(seconds=60)
    first_retry: timedelta = _duration(minutes=1)
    longest_retry: timedelta = _duration(hours=1)
    stuck_after: timedelta = _duration(hours=1)
    failing_time: timedelta = _duration(seconds=30)
    pending_lookup: timedelta = _duration(hours=6)
    pending_patience: timedelta = _duration(days=10)

    def after_failure(self, effect: OpenEffect, error: str, at: datetime) -> Delivery:
        """How far the delivery is after one more failure."""
        before = effect.delivery
        doublings = min(before.attempts, 30)  # beyond, the number is too large for a timedelta
        due_at = at + min(self.first_retry * 2**doublings, self.longest_retry)
        if effect.opened_at + self.stuck_after > at:
            due_at = min(due_at, effect.opened_at + self.stuck_after)
        if before.leased_until is not None:
            due_at = max(due_at, before.leased_until)
        return Delivery(
            attempts=before.attempts + 1,
            last_error=error,
            due_at=due_at,
            started_at=before.started_at,
            leased_until=before.leased_until,
            unsent_until=None,
            pending_since=before.pending_since,
            is_stuck=before.is_stuck
            or (before.pending_since is None and at >= effect.opened_at + self.stuck_after),
        )

    def after_not_sent(self, effect: OpenEffect, outcome: NotSent, at: datetime) -> Delivery:
        """
        How far the delivery is once its adapter knows that nothing was sent.

        That holds for all attempts so far if this one was the first, or if it was known of the one before and
        no lease began since that did not end: a process that dies says nothing.
        """
        before = effect.delivery
        is_first = outcome.is_first and not before.attempts
        was_unsent = before.unsent_until is not None
        free = evolve(effect, delivery=evolve(before, leased_until=None))
        failed = self.after_failure(free, outcome.error, at)
        return evolve(failed, started_at=None, unsent_until=at if is_first or was_unsent else None)

    def after_deferral(self, effect: OpenEffect, at: datetime) -> Delivery:
        """How far the delivery is once it was left out, since its port was away for others."""
        return evolve(effect.delivery, due_at=at + self.first_retry)

    def while_pending(self, effect: OpenEffect, at: datetime) -> Delivery:
        """How far the delivery is once the gateway said that the outcome follows."""
        before = effect.delivery
        since = before.pending_since or at
        return Delivery(
            attempts=before.attempts,
            due_at=min(at + self.pending_lookup, since + self.pending_patience),
            started_at=before.started_at,
            pending_since=since,
        )

    def is_overdue(self, effect: OpenEffect, at: datetime) -> bool:
        """True if the gateway called the refund pending and reported nothing for too long."""
        since = effect.delivery.pending_since
        return since is not None and at >= since + self.pending_patience


#: What a host gets that says nothing else.
DEFAULT_TIMING = Timing()
