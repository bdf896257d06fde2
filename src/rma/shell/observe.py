"""How the shell tells a host's observer what was done."""

import logging
from collections.abc import Iterator
from typing import assert_never

from rma.async_ports import Host
from rma.domain.change import Change
from rma.domain.events import (
    DeliveryChanged,
    EffectsAttempted,
    Event,
    GoodsReceived,
    RefundBlocked,
    RefundOutcomeRecorded,
    ReturnExpired,
    ReturnRequested,
    ReturnResolved,
    ReturnUpdated,
)
from rma.domain.state.lifecycle import RefundStatus, ReturnStatus
from rma.domain.state.refunds import Refund
from rma.domain.values.money import Money
from rma.observing import AttentionNeeded, Signal

_log = logging.getLogger("rma")


def tell(host: Host, signal: Signal) -> None:
    """Tells the observer; what it raises is logged, since observing must not fail what is observed."""
    try:
        host.observer.observe(signal)
    except Exception:
        _log.exception("the observer failed on %s", type(signal).__name__)


def tell_attention(host: Host, change: Change) -> None:
    """Tells what needs attention because of a change that was committed."""
    for event in change.events:
        subject_id = event.subject_id
        if subject_id is None:
            continue
        for key, reason, amount in _reasons(event):
            tell(
                host,
                AttentionNeeded(
                    order_id=event.order_id, subject_id=subject_id, key=key, reason=reason, amount=amount
                ),
            )
        if isinstance(event, ReturnExpired | ReturnResolved):
            _tell_of_loss(host, change, event)


def _tell_of_loss(host: Host, change: Change, event: ReturnExpired | ReturnResolved) -> None:
    """Tells that a return was paid for, and ended without its goods, if no person has decided about it."""
    target = change.ledger.find(event.subject_id)
    if target is not None and target.is_loss_undecided:
        tell(
            host,
            AttentionNeeded(
                order_id=event.order_id,
                subject_id=target.id,
                key=None,
                reason="paid_without_goods",
                amount=target.entitlement.overpaid,
            ),
        )


def _reasons(  # noqa: C901 # a row for each reason
    event: Event,
) -> Iterator[tuple[str | None, str, Money | None]]:
    """Key, reason and amount of all that needs attention because of the event."""
    match event:
        case DeliveryChanged(key=key, is_newly_stuck=True):
            yield key, "effect_stuck", None
        case EffectsAttempted(outcomes=outcomes):
            for outcome in outcomes:
                if outcome.refund:
                    yield from _of_refund(outcome.refund)
        case RefundOutcomeRecorded(refund=refund):
            yield from _of_refund(refund)
        case RefundBlocked(amount=amount):
            yield None, "refund_blocked", amount
        case GoodsReceived(receipt=receipt) if receipt.status is ReturnStatus.REQUIRES_ACTION:
            yield None, "mismatch", None
        case GoodsReceived() | ReturnResolved() if event.status is ReturnStatus.IN_INSPECTION:
            yield None, "inspection_needed", None
        case ReturnRequested(opened=opened) if opened.needs_approval:
            yield None, "approval_needed", None
        case ReturnUpdated(status=ReturnStatus.PENDING_APPROVAL):
            yield None, "approval_needed", None
        case _:
            pass


def _of_refund(refund: Refund) -> Iterator[tuple[str, str, Money]]:
    match refund.status:
        case RefundStatus.NEEDS_ATTENTION:
            yield refund.key, "refund_needs_attention", refund.amount
        case RefundStatus.FAILED:
            yield refund.key, "refund_failed", refund.amount
        case RefundStatus.REVERSED:
            yield refund.key, "refund_reversed", refund.amount
        case RefundStatus.PENDING | RefundStatus.SUCCEEDED:
            pass
        case _:
            assert_never(refund.status)
