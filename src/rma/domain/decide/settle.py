"""What outcomes of effects mean: one event a return for all that ended; needs nothing from outside."""

from datetime import datetime
from typing import assert_never

from rma.domain.effects import (
    Done,
    GivenUp,
    Outcome,
    RefundDeclined,
    RefundPending,
    RefundSucceeded,
    ReturnShipment,
    Unknown,
)
from rma.domain.events import EffectsLeased, EffectsSettled, EventsPublished, Settlement
from rma.domain.ledger import ReturnLedger
from rma.domain.refunds import after
from rma.domain.returns import Return


def settle(ledger: ReturnLedger, outcomes: tuple[Outcome, ...], at: datetime) -> tuple[EffectsSettled, ...]:
    """
    What these outcomes change, at an aware moment; nothing where all their effects are closed already.

    An outcome that came twice, by another process or a repeated delivery, settles its effect once.
    """
    settled: dict[str, dict[str, Settlement]] = {}
    for outcome in outcomes:
        target = ledger.find(outcome.key.split("/", 1)[0])
        settlement = _settlement(ledger, target, outcome, at) if target else None
        if target and settlement:
            settled.setdefault(target.id, {})[outcome.key] = settlement
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


def start(
    ledger: ReturnLedger, keys: tuple[str, ...], at: datetime, until: datetime
) -> tuple[EffectsLeased, ...]:
    """These effects are being sent, by nobody else until then; those not due any more are left out."""
    leased: dict[str, list[str]] = {}
    for key in keys:
        effect = ledger.open_effects.get(key)
        if effect is not None and effect.is_due(at):
            leased.setdefault(effect.request.return_id, []).append(key)
    return tuple(
        [
            EffectsLeased(
                order_id=ledger.order_id, at=at, return_id=return_id, keys=tuple(found), until=until
            )
            for return_id, found in leased.items()
        ]
    )


def _settlement(ledger: ReturnLedger, target: Return, outcome: Outcome, at: datetime) -> Settlement | None:
    key, result = outcome.key, outcome.result
    is_open = key in ledger.open_effects
    refund = next((each for each in target.refunds if each.key == key), None)
    match result:
        case RefundSucceeded() | RefundPending() | RefundDeclined() | GivenUp():
            # A notification may have been faster, and may have said less than the answer does.
            known = after(refund, result, at) if refund else None
            return Settlement(key=key, refund=known) if is_open or known != refund else None
        case Unknown(error=error):
            return Settlement(key=key, is_open=True, error=error) if is_open else None
        case ReturnShipment():
            return Settlement(key=key, shipment=result) if is_open else None
        case Done():
            return Settlement(key=key) if is_open else None
        case _:
            assert_never(result)
