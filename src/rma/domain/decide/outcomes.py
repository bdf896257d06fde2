"""What outcomes of effects mean, one event for each that they belong to; needs nothing from outside."""

from datetime import datetime
from typing import assert_never

from rma.domain.events import EffectsLeased, EffectsSettled, EventsPublished, Settlement
from rma.domain.messages.effects import (
    Done,
    GivenUp,
    Outcome,
    RefundDeclined,
    RefundPending,
    RefundSucceeded,
    ReplacementShipment,
    ReturnShipment,
    Unknown,
    owner_of,
)
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger, Subject, links
from rma.domain.state.refunds import after


def settle(ledger: ReturnLedger, outcomes: tuple[Outcome, ...], at: datetime) -> tuple[EffectsSettled, ...]:
    """
    What these outcomes change, at an aware moment; nothing where all their effects are closed already.

    An outcome that came twice, by another process or a repeated delivery, settles its effect once.
    """
    settled: dict[str, dict[str, Settlement]] = {}
    for outcome in outcomes:
        target = ledger.find_subject(owner_of(outcome.key))
        settlement = _settlement(ledger, target, outcome, at) if target else None
        if target and settlement:
            settled.setdefault(target.id, {})[outcome.key] = settlement
    return tuple(
        [
            _settled(ledger, subject_id, tuple(settlements.values()), at, number)
            for number, (subject_id, settlements) in enumerate(settled.items(), start=1)
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
            leased.setdefault(effect.owner_id, []).append(key)
    return tuple(
        [_leased(ledger, subject_id, tuple(found), at, until) for subject_id, found in leased.items()]
    )


def _settled(
    ledger: ReturnLedger, subject_id: str, settlements: tuple[Settlement, ...], at: datetime, number: int
) -> EffectsSettled:
    subject = ledger.subject(subject_id)
    return_id, exchange_id, claim_id = links(subject)
    return EffectsSettled(
        order_id=ledger.order_id,
        at=at,
        no_notification=subject.no_notification,
        return_id=return_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        settlements=settlements,
        revision=ledger.revision + 1,
        number=number,
    )


def _leased(
    ledger: ReturnLedger, subject_id: str, keys: tuple[str, ...], at: datetime, until: datetime
) -> EffectsLeased:
    return_id, exchange_id, claim_id = links(ledger.subject(subject_id))
    return EffectsLeased(
        order_id=ledger.order_id,
        at=at,
        return_id=return_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        keys=keys,
        until=until,
    )


def _settlement(ledger: ReturnLedger, target: Subject, outcome: Outcome, at: datetime) -> Settlement | None:
    key, result = outcome.key, outcome.result
    is_open = key in ledger.open_effects
    refunds = () if isinstance(target, Exchange) else target.refunds
    refund = next((each for each in refunds if each.key == key), None)
    match result:
        case RefundSucceeded() | RefundPending() | RefundDeclined() | GivenUp():
            # A notification may have been faster, and may have said less than the answer does.
            known = after(refund, result, at) if refund else None
            return Settlement(key=key, refund=known) if is_open or known != refund else None
        case Unknown(error=error):
            return Settlement(key=key, is_open=True, error=error) if is_open else None
        case ReturnShipment():
            return Settlement(key=key, shipment=result) if is_open else None
        case ReplacementShipment():
            return Settlement(key=key, replacement=result) if is_open else None
        case Done():
            return Settlement(key=key) if is_open else None
        case _:
            assert_never(result)
