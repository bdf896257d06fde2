"""Archiving the history of an order that is over: nothing is removed that can still be needed."""

from collections.abc import Iterable
from datetime import datetime

from rma.domain.decide.violations import Violations
from rma.domain.events import Event, EventHeader, HistoryArchived, Opening
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import Refund
from rma.domain.values.errors import rejection

#: Refunds whose outcome is known, so that only a reversal can follow.
_ENDED = (RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.REVERSED)


def archive_history(
    ledger: ReturnLedger, history: Iterable[Event], at: datetime, *, has_publisher: bool
) -> tuple[tuple[HistoryArchived, ...], tuple[Event, ...]]:
    """
    The event that the history is archived, and what it removes; nothing if there is nothing to remove.

    Those that opened a return, exchange or claim stay: the prices of its lines are nowhere else.

    Args:
        ledger: the order's.
        history: all that is stored of it, as of this ledger or later.
        at: aware.
        has_publisher: True if events are published from here.

    Raises:
        Rejected: the order is not over; with everything that is not.
    """
    if ledger.archived == ledger.revision:
        return (), ()
    if wrong := _unfinished(ledger, has_publisher=has_publisher):
        raise rejection(wrong)
    removed = tuple(
        [each for each in history if each.revision <= ledger.revision and not isinstance(each, Opening)]
    )
    if not removed:
        return (), ()
    header = EventHeader(order_id=ledger.order_id, at=at, revision=ledger.revision + 1, number=1)
    return (HistoryArchived(header=header, removed=len(removed)),), removed


def _unfinished(ledger: ReturnLedger, *, has_publisher: bool) -> Violations:
    wrong = Violations()
    for key, effect in ledger.open_effects.items():
        wrong.add("effect_open", key=key, attempts=effect.delivery.attempts)
    # A process without a publisher must not remove what another one has yet to publish.
    is_published_elsewhere = ledger.published > ledger.archived
    if ledger.published < ledger.revision and (has_publisher or is_published_elsewhere):
        wrong.add(
            "events_unpublished",
            order_id=ledger.order_id,
            published=ledger.published,
            revision=ledger.revision,
        )
    subjects: tuple[Subject, ...] = (*ledger.returns, *ledger.exchanges, *ledger.claims)
    for each in subjects:
        wrong += _unfinished_in(each)
    return wrong


def _unfinished_in(subject: Subject) -> Violations:
    wrong = Violations()
    if subject.is_open:
        wrong.add("not_over", subject_id=subject.id, status=subject.status.value)
    refunds: tuple[Refund, ...] = ()
    if not isinstance(subject, Exchange):
        refunds, due = subject.refunds, subject.amount_due
        if due.amount:
            wrong.add("amount_due", subject_id=subject.id, amount=due.amount, currency=due.currency)
    for refund in refunds:
        if refund.status not in _ENDED:
            wrong.add("refund_not_ended", key=refund.key, status=refund.status.value)
    if subject.needs_attention and not wrong:
        wrong.add("needs_attention", subject_id=subject.id)
    return wrong
