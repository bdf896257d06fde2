"""The outcomes of effects recorded: one event for each return, exchange or claim that they belong to."""

from datetime import datetime
from typing import assert_never

from rma.domain.events import (
    EffectOutcome,
    EffectsAttempted,
    EffectsLeased,
    EventHeader,
    EventsPublished,
    header_for,
)
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
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.refunds import after


def record_outcomes(
    ledger: ReturnLedger, outcomes: tuple[Outcome, ...], at: datetime
) -> tuple[EffectsAttempted, ...]:
    """
    What these outcomes change, at an aware moment; nothing where all their effects are closed already.

    An outcome that is reported twice, by another process or a repeated delivery, is recorded once.
    """
    recorded: dict[str, dict[str, EffectOutcome]] = {}
    for outcome in outcomes:
        target = ledger.find_subject(owner_of(outcome.key))
        effect_outcome = _effect_outcome(ledger, target, outcome, at) if target else None
        if target and effect_outcome:
            recorded.setdefault(target.id, {})[outcome.key] = effect_outcome
    return tuple(
        [
            EffectsAttempted(
                header=header_for(ledger.subject(subject_id), ledger, at),
                outcomes=tuple(effect_outcomes.values()),
            )
            for subject_id, effect_outcomes in recorded.items()
        ]
    )


def record_publication(
    ledger: ReturnLedger, through: int, at: datetime
) -> tuple[()] | tuple[EventsPublished]:
    """The publisher took the events up to this revision; nothing if it is known already."""
    if through <= ledger.published:
        return ()
    return (
        EventsPublished(
            header=EventHeader(order_id=ledger.order_id, at=at, revision=ledger.revision + 1, number=1),
            through=through,
        ),
    )


def lease_effects(
    ledger: ReturnLedger, keys: tuple[str, ...], at: datetime, until: datetime
) -> tuple[EffectsLeased, ...]:
    """These effects are being sent, by no other process until then; those no longer due are left out."""
    leased: dict[str, list[str]] = {}
    for key in keys:
        effect = ledger.open_effects.get(key)
        if effect is not None and effect.is_due(at):
            leased.setdefault(effect.owner_id, []).append(key)
    return tuple(
        [
            EffectsLeased(
                header=header_for(ledger.subject(subject_id), ledger, at), keys=tuple(found), until=until
            )
            for subject_id, found in leased.items()
        ]
    )


def _effect_outcome(
    ledger: ReturnLedger, target: Subject, outcome: Outcome, at: datetime
) -> EffectOutcome | None:
    key, result = outcome.key, outcome.result
    is_open = key in ledger.open_effects
    refunds = () if isinstance(target, Exchange) else target.refunds
    refund = next((each for each in refunds if each.key == key), None)
    match result:
        case RefundSucceeded() | RefundPending() | RefundDeclined() | GivenUp():
            # A notification may have been faster, and may have said less than the answer does.
            known = after(refund, result, at) if refund else None
            return EffectOutcome(key=key, refund=known) if is_open or known != refund else None
        case Unknown(error=error):
            return EffectOutcome(key=key, is_open=True, error=error) if is_open else None
        case ReturnShipment():
            return EffectOutcome(key=key, shipment=result) if is_open else None
        case ReplacementShipment():
            return EffectOutcome(key=key, replacement=result) if is_open else None
        case Done():
            return EffectOutcome(key=key) if is_open else None
        case _:
            assert_never(result)
