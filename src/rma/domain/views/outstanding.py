"""What ports have not answered yet, for the person on call."""

from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from rma.domain.messages.effects import Effect
from rma.domain.state.ledger import ReturnLedger


@frozen(kw_only=True)
class OutstandingEffect:
    """
    An effect without a final outcome.

    Attributes:
        subject_id: the return, exchange or claim that it belongs to.
        request: what its port is asked for, under `request.key`.
        since: when it was asked for, aware.
        attempts, last_error: how often it was tried in vain, and what the port raised last.
        next_attempt: when a timer tries it, or looks it up, aware; None if none does: it is stopped, or waits
            for another effect.
        waits_for: the key of the effect that must have an outcome first; None if it waits for none.
        is_pending: the gateway took it and will report the outcome later.
        is_stuck: it needs attention.
        is_stopped: nothing tries it again until a person decides: `resume(subject_id, stopped=True)`.
    """

    subject_id: str
    request: Effect
    since: datetime
    attempts: int
    last_error: str | None
    next_attempt: datetime | None
    waits_for: str | None
    is_pending: bool
    is_stuck: bool
    is_stopped: bool

    @property
    def key(self) -> str:
        """The key under which the port is asked."""
        return self.request.key

    @property
    def order_id(self) -> str:
        """The order."""
        return self.request.order_id


def outstanding_effects(ledger: ReturnLedger, opened_before: datetime) -> Iterator[OutstandingEffect]:
    """The effects of one order that were opened by then and are open, in order of creation."""
    for effect in ledger.open_effects.values():
        if effect.opened_at > opened_before:
            continue
        delivery = effect.delivery
        waits_for = ledger.waits_for(effect)
        is_tried = not delivery.is_stopped and waits_for is None
        yield OutstandingEffect(
            subject_id=effect.owner_id,
            request=effect.request,
            since=effect.opened_at,
            attempts=delivery.attempts,
            last_error=delivery.last_error,
            next_attempt=(delivery.due_at or effect.opened_at) if is_tried else None,
            waits_for=waits_for,
            is_pending=delivery.pending_since is not None,
            is_stuck=delivery.is_stuck,
            is_stopped=delivery.is_stopped,
        )
