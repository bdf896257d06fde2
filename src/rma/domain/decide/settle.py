"""What outcomes of effects mean: one event for all that ended together; needs nothing from outside."""

from datetime import datetime
from typing import assert_never

from attrs import evolve

from rma.domain.effects import (
    Done,
    OpenEffect,
    Outcome,
    RefundDeclined,
    RefundPending,
    RefundSucceeded,
    ReturnShipment,
    Unknown,
)
from rma.domain.events import EffectsSettled, EventsPublished, Settlement
from rma.domain.ledger import ReturnLedger
from rma.domain.refunds import Refund, RefundStatus


def settle(
    ledger: ReturnLedger, outcomes: tuple[Outcome, ...], at: datetime
) -> tuple[()] | tuple[EffectsSettled]:
    """
    What these outcomes change, at an aware moment; nothing where all their effects are closed already.

    An outcome that came twice, by another process or a repeated delivery, settles its effect once.
    """
    settlements: dict[str, Settlement] = {}
    for outcome in outcomes:
        effect = ledger.open_effects.get(outcome.key)
        if effect is not None:
            settlements[outcome.key] = _settlement(ledger, effect, outcome, at)
    if not settlements:
        return ()
    return (EffectsSettled(order_id=ledger.order_id, at=at, settlements=tuple(settlements.values())),)


def published(ledger: ReturnLedger, through: int, at: datetime) -> tuple[()] | tuple[EventsPublished]:
    """The publisher took the events up to this revision; nothing if it is known already."""
    if through <= ledger.published:
        return ()
    return (EventsPublished(order_id=ledger.order_id, at=at, through=through),)


def _settlement(ledger: ReturnLedger, effect: OpenEffect, outcome: Outcome, at: datetime) -> Settlement:
    key, return_id, result = outcome.key, effect.request.return_id, outcome.result
    match result:
        case Unknown(error=error):
            return Settlement(key=key, return_id=return_id, is_open=True, error=error)
        case ReturnShipment():
            return Settlement(key=key, return_id=return_id, shipment=result)
        case Done():
            return Settlement(key=key, return_id=return_id)
        case RefundSucceeded() | RefundPending() | RefundDeclined():
            refund = _refund(ledger, return_id, key)
            settled = _ended(refund, result, at) if refund else None
            return Settlement(key=key, return_id=return_id, refund=settled)
        case _:
            assert_never(result)


def _refund(ledger: ReturnLedger, return_id: str, key: str) -> Refund | None:
    return next((refund for refund in ledger.get(return_id).refunds if refund.key == key), None)


def _ended(refund: Refund, result: RefundSucceeded | RefundPending | RefundDeclined, at: datetime) -> Refund:
    match result:
        case RefundSucceeded(reference=reference):
            return evolve(refund, status=RefundStatus.SUCCEEDED, reference=reference, settled_at=at)
        case RefundPending(reference=reference):
            return evolve(refund, reference=reference)
        case RefundDeclined(code=code, message=message):
            words = f"{code}: {message}" if message else code
            return evolve(refund, status=RefundStatus.FAILED, failure=words, settled_at=at)
        case _:
            assert_never(result)
