"""How the shell tells a host's observer what was done."""

import logging
from collections.abc import Iterator
from typing import assert_never

from rma.async_ports import Host
from rma.domain.change import Change
from rma.domain.events import (
    AdvanceCharged,
    ChargeOutcomeRecorded,
    DeliveryChanged,
    EffectsAttempted,
    Event,
    ExchangePaid,
    ExchangeReceived,
    GoodsReceived,
    RefundBlocked,
    RefundOutcomeRecorded,
    ReturnExpired,
    ReturnOverdue,
    ReturnRequested,
    ReturnResolved,
    ReturnUpdated,
)
from rma.domain.messages.effects import owner_of
from rma.domain.state.exchanges import Exchange, HoldCharge
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ChargeStatus, ExchangeStatus, RefundStatus, ReturnStatus
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
        for key, reason, amount in _reasons(event, change.ledger):
            tell(
                host,
                AttentionNeeded(
                    order_id=event.order_id, subject_id=subject_id, key=key, reason=reason, amount=amount
                ),
            )


def _reasons(  # noqa: C901, PLR0912 # a row for each reason
    event: Event, ledger: ReturnLedger
) -> Iterator[tuple[str | None, str, Money | None]]:
    """Key, reason and amount of all that needs attention because of the event; `ledger` is afterwards."""
    match event:
        case DeliveryChanged(key=key, is_newly_stuck=True):
            yield key, "effect_stuck", None
        case EffectsAttempted(outcomes=outcomes):
            for outcome in outcomes:
                if outcome.refund:
                    yield from _of_refund(outcome.refund, ledger)
                if outcome.charge:
                    yield from _of_charge(outcome.charge, ledger)
                if outcome.out_of_stock:
                    yield outcome.key, "out_of_stock", None
        case RefundOutcomeRecorded(refund=refund):
            yield from _of_refund(refund, ledger)
        case ChargeOutcomeRecorded(charge=charge):
            yield from _of_charge(charge, ledger)
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
        case ReturnOverdue():
            yield None, "last_day_over", None
        case ExchangePaid(status=ExchangeStatus.REQUIRES_ACTION) if _waits_paid(event, ledger):
            yield None, "last_day_over", None
        case ExchangeReceived() | AdvanceCharged() if event.status is not ExchangeStatus.AWAITING_PAYMENT:
            if (owed := _exchange(ledger, event.subject_id).owed).amount:
                yield None, "payment_due", owed
        case _:
            pass
    if isinstance(event, ReturnExpired | ReturnResolved):
        target = ledger.find(event.subject_id)
        if target is not None and target.is_loss_undecided:
            yield None, "paid_without_goods", target.entitlement.overpaid


def _exchange(ledger: ReturnLedger, exchange_id: str | None) -> Exchange:
    exchange = ledger.find_exchange(exchange_id)
    assert exchange is not None, "the event is about it"
    return exchange


def _waits_paid(event: ExchangePaid, ledger: ReturnLedger) -> bool:
    """True if it waits though nothing is owed for it, and its new goods can be had."""
    exchange = _exchange(ledger, event.subject_id)
    return not exchange.owed.amount and exchange.out_of_stock is None


def _of_refund(refund: Refund, ledger: ReturnLedger) -> Iterator[tuple[str, str, Money]]:
    match refund.status:
        case RefundStatus.NEEDS_ATTENTION:
            yield refund.key, "refund_needs_attention", refund.amount
        case RefundStatus.FAILED:
            # The terms may have given it by other means in the same commit.
            if not any(each.retry_of == refund.key for each in ledger.refunds):
                yield refund.key, "refund_failed", refund.amount
        case RefundStatus.REVERSED:
            yield refund.key, "refund_reversed", refund.amount
        case RefundStatus.PENDING | RefundStatus.SUCCEEDED:
            pass
        case _:
            assert_never(refund.status)


def _of_charge(charge: HoldCharge, ledger: ReturnLedger) -> Iterator[tuple[str, str, Money]]:
    exchange = _exchange(ledger, owner_of(charge.key))
    match charge.status:
        case ChargeStatus.NEEDS_ATTENTION:
            yield charge.key, "charge_needs_attention", charge.amount
        case ChargeStatus.FAILED:
            if exchange.owed.amount:
                yield charge.key, "charge_failed", exchange.owed
        case ChargeStatus.SUCCEEDED:
            if (due := ledger.get(exchange.return_id).amount_due).amount:
                yield charge.key, "refund_due", due
        case ChargeStatus.PENDING:
            pass
        case _:
            assert_never(charge.status)
