"""What outcomes of effects mean: one event a return for all that ended; needs nothing from outside."""

from datetime import datetime
from typing import assert_never

from attrs import evolve as with_

from rma.domain.effects import (
    Done,
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
from rma.domain.returns import Return


def settle(ledger: ReturnLedger, outcomes: tuple[Outcome, ...], at: datetime) -> tuple[EffectsSettled, ...]:
    """
    What these outcomes change, at an aware moment; nothing where all their effects are closed already.

    An outcome that came twice, by another process or a repeated delivery, settles its effect once.
    """
    settled: dict[str, dict[str, Settlement]] = {}
    for outcome in outcomes:
        effect = ledger.open_effects.get(outcome.key)
        if effect is not None:
            target = ledger.get(effect.request.return_id)
            settled.setdefault(target.id, {})[outcome.key] = _settlement(target, outcome, at)
    return tuple(
        [
            EffectsSettled(
                order_id=ledger.order_id,
                at=at,
                no_notification=ledger.get(return_id).no_notification,
                return_id=return_id,
                settlements=tuple(settlements.values()),
                revision=ledger.revision + 1,
                number=number,
            )
            for number, (return_id, settlements) in enumerate(settled.items(), start=1)
        ]
    )


def published(ledger: ReturnLedger, through: int, at: datetime) -> tuple[()] | tuple[EventsPublished]:
    """The publisher took the events up to this revision; nothing if it is known already."""
    if through <= ledger.published:
        return ()
    return (EventsPublished(order_id=ledger.order_id, at=at, through=through),)


def _settlement(target: Return, outcome: Outcome, at: datetime) -> Settlement:
    key = outcome.key
    match outcome.result:
        case Unknown(error=error):
            return Settlement(key=key, is_open=True, error=error)
        case ReturnShipment() as shipment:
            return Settlement(key=key, shipment=shipment)
        case Done():
            return Settlement(key=key)
        case RefundSucceeded(reference=reference):
            refund = _refund(target, key)
            succeeded = with_(refund, status=RefundStatus.SUCCEEDED, reference=reference, settled_at=at)
            return Settlement(key=key, refund=succeeded)
        case RefundPending(reference=reference):
            return Settlement(key=key, refund=with_(_refund(target, key), reference=reference))
        case RefundDeclined(code=code, message=message):
            words = f"{code}: {message}" if message else code
            failed = with_(_refund(target, key), status=RefundStatus.FAILED, failure=words, settled_at=at)
            return Settlement(key=key, refund=failed)
        case unexpected:
            assert_never(unexpected)


def _refund(target: Return, key: str) -> Refund:
    (refund,) = [refund for refund in target.refunds if refund.key == key]
    return refund
