"""The outcomes of effects recorded: one event for each return, exchange or claim that they belong to."""

from collections.abc import Collection
from datetime import datetime
from typing import assert_never

from attrs import evolve

from rma.domain.decide.holds import release_after
from rma.domain.decide.refunds.closed import pay_instead
from rma.domain.events import (
    ClaimRefundRetried,
    DeliveryChanged,
    EffectOutcome,
    EffectsAttempted,
    EventHeader,
    EventsPublished,
    HoldReleased,
    RefundRetried,
    header_for,
)
from rma.domain.messages.advance import (
    ChargeDeclined,
    ChargePending,
    ChargeRequest,
    ChargeSucceeded,
    OutOfStock,
)
from rma.domain.messages.effects import (
    Deferred,
    Delivery,
    Done,
    GivenUp,
    MoneyRequest,
    NoRoom,
    NotSent,
    OpenEffect,
    Outcome,
    Overdue,
    RefundDeclined,
    RefundPending,
    RefundSucceeded,
    ReplacementShipment,
    ReturnShipment,
    Unknown,
    owner_of,
)
from rma.domain.messages.timing import Timing
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange, HoldCharge
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.lifecycle import ChargeStatus, RefundStatus
from rma.domain.state.refunds import Refund, after
from rma.domain.state.returns import Return


def record_outcomes(
    ledger: ReturnLedger, outcomes: tuple[Outcome, ...], at: datetime, timing: Timing
) -> tuple[EffectsAttempted | RefundRetried | ClaimRefundRetried | DeliveryChanged | HoldReleased, ...]:
    """
    What these outcomes change, at an aware moment; nothing where all their effects are closed already.

    An outcome that is reported twice, by another process or a repeated delivery, is recorded once. What a
    payment does not take is given by other means, where the terms say so. A hold whose charge failed is
    released if nothing is owed, since the goods are back.
    """
    ended: dict[str, list[tuple[Refund, object]]] = {}
    recorded: dict[str, dict[str, EffectOutcome]] = {}
    changed: list[DeliveryChanged] = []
    for outcome in outcomes:
        target = ledger.find_subject(owner_of(outcome.key))
        if target is None:
            continue
        effect = ledger.open_effects.get(outcome.key)
        delivery = _delivery(effect, outcome, at, timing) if effect else None
        if effect and delivery:
            changed.append(_delivery_changed(target, ledger, effect, delivery, at))
        elif effect_outcome := _effect_outcome(effect, target, outcome, at, timing):
            recorded.setdefault(target.id, {})[outcome.key] = effect_outcome
            if effect_outcome.refund:
                ended.setdefault(target.id, []).append((effect_outcome.refund, outcome.result))
    attempted = [
        EffectsAttempted(
            header=header_for(ledger.subject(subject_id), ledger, at),
            outcomes=tuple(effect_outcomes.values()),
        )
        for subject_id, effect_outcomes in recorded.items()
    ]
    retried = [
        event
        for subject_id, refunds in ended.items()
        for event in pay_instead(ledger, _payee(ledger, subject_id), refunds, at)
    ]
    released = [
        event
        for exchange in ledger.exchanges
        for outcome in recorded.get(exchange.id, {}).values()
        if outcome.charge
        for event in release_after(exchange, outcome.charge, ledger, at)
    ]
    return (*attempted, *retried, *changed, *released)


def _payee(ledger: ReturnLedger, subject_id: str) -> Return | Claim:
    """The return or claim of a refund."""
    subject = ledger.subject(subject_id)
    assert not isinstance(subject, Exchange), "what an exchange gives back, its return does"
    return subject


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


def lease_effect(
    ledger: ReturnLedger, key: str, at: datetime, until: datetime
) -> tuple[()] | tuple[DeliveryChanged]:
    """This effect is being sent, by no other process until then; nothing if another one is sending it."""
    effect = ledger.open_effects.get(key)
    if effect is None or not effect.is_free(at):
        return ()
    before = effect.delivery
    # A lease that began before and did not end: its process died, and may have sent the request.
    unsent_until = before.unsent_until if before.started_at is None else None
    delivery = evolve(before, started_at=at, leased_until=until, due_at=until, unsent_until=unsent_until)
    return (_delivery_changed(ledger.subject(effect.owner_id), ledger, effect, delivery, at),)


def start_again(
    ledger: ReturnLedger, subject_ids: Collection[str], at: datetime
) -> tuple[DeliveryChanged, ...]:
    """The stopped effects of these subjects may be tried again, as if they had never been sent."""
    unsent = Delivery(unsent_until=at)
    return tuple(
        [
            _delivery_changed(ledger.subject(effect.owner_id), ledger, effect, unsent, at)
            for effect in ledger.open_effects.values()
            if effect.delivery.is_stopped and effect.owner_id in subject_ids
        ]
    )


def _delivery_changed(
    target: Subject, ledger: ReturnLedger, effect: OpenEffect, delivery: Delivery, at: datetime
) -> DeliveryChanged:
    return DeliveryChanged(
        header=header_for(target, ledger, at),
        key=effect.request.key,
        delivery=delivery,
        is_newly_stuck=delivery.is_stuck and not effect.delivery.is_stuck,
    )


def _delivery(effect: OpenEffect, outcome: Outcome, at: datetime, timing: Timing) -> Delivery | None:
    """How far an effect is that stays open; None if this outcome says more than that."""
    match outcome.result:
        case Unknown(error=error):
            return timing.after_failure(effect, error, at)
        case NotSent():
            return timing.after_not_sent(effect, outcome.result, at)
        case Deferred():
            return timing.after_deferral(effect, at)
        case GivenUp(error=error) if not isinstance(effect.request, MoneyRequest | ChargeRequest):
            # A refund has a status for this, and commands that end it; a shipment is looked for by a person.
            return _stopped(effect, error)
        case RefundPending() | ChargePending() if effect.delivery.pending_since is not None:
            return timing.while_pending(effect, at)
        case _:
            return None


def _stopped(effect: OpenEffect, error: str) -> Delivery:
    """How far the delivery is once it is not tried again, unless a person asks for it."""
    return evolve(
        effect.delivery,
        attempts=effect.delivery.attempts + 1,
        last_error=error,
        is_stopped=True,
        is_stuck=True,
    )


def _effect_outcome(  # noqa: PLR0911 # a row for each kind of outcome
    effect: OpenEffect | None, target: Subject, outcome: Outcome, at: datetime, timing: Timing
) -> EffectOutcome | None:
    key, result = outcome.key, outcome.result
    if isinstance(target, Exchange) and (charge := target.find_charge(key)):
        return _charge_outcome(effect, charge, result, at, timing)
    refunds = () if isinstance(target, Exchange) else target.refunds
    refund = next((each for each in refunds if each.key == key), None)
    match result:
        case RefundSucceeded() | RefundPending() | RefundDeclined() | GivenUp() | NoRoom() | Overdue():
            # A notification may have been faster, and may have said less than the answer does.
            known = after(refund, result, at) if refund else None
            is_waiting = effect is not None and effect.delivery.pending_since is not None
            if (known == refund and (effect is None or is_waiting)) or (
                is_waiting and isinstance(result, GivenUp)  # the gateway has said more than this
            ):
                return None
            is_pending = known is not None and known.status is RefundStatus.PENDING
            delivery = timing.while_pending(effect, at) if effect and is_pending else None
            return EffectOutcome(key=key, refund=known, delivery=delivery)
        case ReturnShipment():
            return EffectOutcome(key=key, shipment=result) if effect else None
        case ReplacementShipment():
            return EffectOutcome(key=key, replacement=result) if effect else None
        case OutOfStock():
            return EffectOutcome(key=key, out_of_stock=result) if effect else None
        case Done():
            return EffectOutcome(key=key) if effect else None
        case ChargeSucceeded() | ChargePending() | ChargeDeclined():
            return None  # of no charge
        case Unknown() | NotSent() | Deferred():
            return None  # it is closed
        case _:
            assert_never(result)


def _charge_outcome(
    effect: OpenEffect | None, charge: HoldCharge, result: object, at: datetime, timing: Timing
) -> EffectOutcome | None:
    """The charge with this outcome; nothing if it was known, or a later one is known."""
    if not isinstance(result, ChargeSucceeded | ChargePending | ChargeDeclined | GivenUp | Overdue):
        return None
    if effect is None and charge.status is ChargeStatus.SUCCEEDED:
        return None  # a slower process; a failure that follows a success is a notice
    known = charge.after(result, at)
    is_waiting = effect is not None and effect.delivery.pending_since is not None
    if (known == charge and (effect is None or is_waiting)) or (is_waiting and isinstance(result, GivenUp)):
        return None
    is_pending = known.status is ChargeStatus.PENDING
    delivery = timing.while_pending(effect, at) if effect and is_pending else None
    return EffectOutcome(key=charge.key, charge=known, delivery=delivery)
