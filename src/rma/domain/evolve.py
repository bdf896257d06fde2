"""
The ledger after an event. Total: it never refuses, and knows no rules.

`change` opens the effects that an event asks for; here they are only closed.
"""

from typing import TypeVar, assert_never

from attrs import evolve as with_

from rma.domain import events
from rma.domain.events import EffectOutcome, Event
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    OpenEffect,
    ReplacementShipment,
    ReturnShipment,
)
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.claims import Claim
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, Subject
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.frozenmap import FrozenMap

S = TypeVar("S", bound=Subject)

#: Events that carry the outcomes of effects of a return, exchange or claim.
OutcomeEvent = events.EffectsAttempted | events.RefundOutcomeRecorded
DeliveryEvent = OutcomeEvent | events.DeliveryChanged


def evolve(ledger: ReturnLedger, event: Event) -> ReturnLedger:
    """The ledger after the event, its revision that of the commit that recorded it."""
    returns, exchanges, claims = ledger.returns, ledger.exchanges, ledger.claims
    published = ledger.published
    match event:
        case events.ReturnRequested(opened=opened):
            returns = (*returns, opened)
        case events.ExchangeRequested(exchange=exchange):
            exchanges = (*exchanges, exchange)
        case events.ClaimRequested(claim=claim):
            claims = (*claims, claim)
        case events.ExchangeReceived() | events.ExchangePaid() | events.ExchangeCanceled():
            exchanges = tuple(
                [event.exchange if each.id == event.exchange.id else each for each in exchanges]
            )
            returns = tuple([_return_of_exchange(each, event) for each in returns])
        case (
            events.ClaimCompleted()
            | events.ClaimRefundRetried()
            | events.ClaimResolved()
            | events.ClaimCanceled()
        ):
            claims = tuple([event.claim if each.id == event.claim.id else each for each in claims])
        case events.EventsPublished(through=through):
            # Its own revision has nothing to publish: if nothing was committed between, all is published.
            # The ledger does not tell: in a replay, events that were superseded are not there.
            published = through if through < event.revision - 1 else max(event.revision, through)
        case events.RefundBlocked():
            pass  # it explains the event beside it
        case events.EffectsAttempted() | events.RefundOutcomeRecorded() | events.DeliveryChanged():
            subject_id = event.subject_id
            returns = tuple(
                [_return_after(each, event) if each.id == subject_id else each for each in returns]
            )
            exchanges = tuple(
                [_exchange_after(each, event) if each.id == subject_id else each for each in exchanges]
            )
            claims = tuple([_claim_after(each, event) if each.id == subject_id else each for each in claims])
        case (
            events.GoodsReceived()
            | events.ReturnResolved()
            | events.RefundRetried()
            | events.ReturnCanceled()
        ):
            subject_id = event.subject_id
            returns = tuple([_changed(each, event) if each.id == subject_id else each for each in returns])
        case _:
            assert_never(event)
    return ReturnLedger(
        order_id=ledger.order_id,
        revision=event.revision or ledger.revision,
        returns=returns,
        open_effects=_effects(ledger.open_effects, event),
        answered=_remembering(ledger.answered, event),
        published=published,
        exchanges=exchanges,
        claims=claims,
        order_version=event.header.order_version or ledger.order_version,
    )


def _changed(
    before: Return,
    event: events.GoodsReceived | events.ReturnResolved | events.RefundRetried | events.ReturnCanceled,
) -> Return:
    match event:
        case events.GoodsReceived(receipt=receipt):
            return with_(
                before,
                status=receipt.status,
                items=event.items,
                receipts=(*before.receipts, receipt),
                entitlement=event.entitlement,
                location_id=event.location_id,
                received_at=event.at if receipt.status is ReturnStatus.RECEIVED else None,
                updated_at=event.at,
            )
        case events.ReturnResolved():
            return with_(
                before,
                status=ReturnStatus.RECEIVED,
                items=event.items,
                resolution=event.resolution,
                entitlement=event.entitlement,
                received_at=before.received_at or event.at,
                updated_at=event.at,
            )
        case events.RefundRetried():
            return with_(before, entitlement=event.entitlement, updated_at=event.at)
        case events.ReturnCanceled():
            return with_(
                before,
                status=ReturnStatus.CANCELED,
                items=tuple([_nothing_arrived(item) for item in before.items]),
                canceled_at=event.at,
                updated_at=event.at,
            )
        case _:
            assert_never(event)


def _nothing_arrived(item: ReturnItem) -> ReturnItem:
    return with_(item, received_quantity=0, damaged_quantity=0) if item.arrived_quantity else item


def _return_of_exchange(
    each: Return, event: events.ExchangeReceived | events.ExchangePaid | events.ExchangeCanceled
) -> Return:
    """The return with what its exchange changes in it; other returns as they are."""
    if each.id != event.exchange.return_id:
        return each
    match event:
        case events.ExchangePaid(payment=payment):
            paid = AmountPart(f"payment:{payment.reference}", payment.amount)
            return with_(each, charges=(*each.charges, paid), updated_at=event.at)
        case events.ExchangeCanceled() if each.status is ReturnStatus.RECEIVED:
            return each.without_exchange()
        case _:
            return each


def _return_after(each: Return, event: DeliveryEvent) -> Return:
    if isinstance(event, events.DeliveryChanged):
        return _with_delivery(each, event)
    return with_(
        each,
        entitlement=_with_outcomes(each.entitlement, event),
        shipment=_booked(each.shipment, event),
        stuck_effects=_still_stuck(each, event),
        updated_at=event.at,
    )


def _exchange_after(each: Exchange, event: DeliveryEvent) -> Exchange:
    if isinstance(event, events.DeliveryChanged):
        return _with_delivery(each, event)
    return with_(
        each,
        shipment=_sent(each.shipment, event),
        stuck_effects=_still_stuck(each, event),
        updated_at=event.at,
    )


def _claim_after(each: Claim, event: DeliveryEvent) -> Claim:
    if isinstance(event, events.DeliveryChanged):
        return _with_delivery(each, event)
    return with_(
        each,
        entitlement=_with_outcomes(each.entitlement, event),
        shipment=_sent(each.shipment, event),
        stuck_effects=_still_stuck(each, event),
        updated_at=event.at,
    )


def _with_outcomes(entitlement: Entitlement, event: OutcomeEvent) -> Entitlement:
    """The account with what the event says of its refunds."""
    if isinstance(event, events.RefundOutcomeRecorded):
        known = {event.refund.key: event.refund}
    else:
        known = {outcome.refund.key: outcome.refund for outcome in event.outcomes if outcome.refund}
    if not known:
        return entitlement
    return with_(
        entitlement, refunds=tuple([known.get(refund.key, refund) for refund in entitlement.refunds])
    )


def _with_delivery(each: S, event: events.DeliveryChanged) -> S:
    """The subject with this effect among those that are stuck, or not."""
    is_stuck = event.delivery.is_stuck
    if is_stuck == (event.key in each.stuck_effects):
        return each
    others = [key for key in each.stuck_effects if key != event.key]
    # In the order of their keys: which was stuck first may be known from an event that was superseded.
    return with_(each, stuck_effects=tuple(sorted([*others, event.key] if is_stuck else others)))


def _still_stuck(each: Subject, event: OutcomeEvent) -> tuple[str, ...]:
    """The keys of its stuck effects without those whose outcome the event has."""
    if not each.stuck_effects:
        return ()
    known = (
        {event.refund.key}
        if isinstance(event, events.RefundOutcomeRecorded)
        else {outcome.key for outcome in event.outcomes}
    )
    return tuple([key for key in each.stuck_effects if key not in known])


def _booked(before: ReturnShipment | None, event: OutcomeEvent) -> ReturnShipment | None:
    """What the carrier answered about the way back, if the event says so."""
    outcomes = event.outcomes if isinstance(event, events.EffectsAttempted) else ()
    return next((each.shipment for each in reversed(outcomes) if each.shipment), before)


def _sent(before: ReplacementShipment | None, event: OutcomeEvent) -> ReplacementShipment | None:
    """What the carrier answered about new goods, if the event says so."""
    outcomes = event.outcomes if isinstance(event, events.EffectsAttempted) else ()
    return next((each.replacement for each in outcomes if each.replacement), before)


def _effects(effects: FrozenMap[str, OpenEffect], event: Event) -> FrozenMap[str, OpenEffect]:
    match event:
        case events.EffectsAttempted(outcomes=outcomes):
            for outcome in outcomes:
                effects = _after(effects, outcome)
        case events.DeliveryChanged(key=key, delivery=delivery):
            if key in effects:
                # An event by which the effect became stuck stays: it is published.
                place = None if event.is_newly_stuck else (event.header.revision, event.header.number)
                effects = effects.with_(key, with_(effects[key], delivery=delivery, recorded_in=place))
        case events.RefundOutcomeRecorded(refund=refund, delivery=delivery):
            effects = _after(effects, EffectOutcome(key=refund.key, delivery=delivery))
        case _:
            pass
    return effects


def _after(effects: FrozenMap[str, OpenEffect], outcome: EffectOutcome) -> FrozenMap[str, OpenEffect]:
    key = outcome.key
    if outcome.delivery is not None:
        tried = effects.get(key)
        return effects if tried is None else effects.with_(key, with_(tried, delivery=outcome.delivery))
    left = effects.without(key)
    return _with_booking(left, key, outcome.shipment) if outcome.shipment else left


def _with_booking(
    effects: FrozenMap[str, OpenEffect], shipment_key: str, shipment: ReturnShipment
) -> FrozenMap[str, OpenEffect]:
    # A cancellation waits for the answer to its booking, so it was not sent with another payload.
    for key, waiting in effects.items():
        request = waiting.request
        if isinstance(request, CancelShipmentRequest) and request.shipment_key == shipment_key:
            return effects.with_(key, with_(waiting, request=with_(request, shipment=shipment)))
    return effects


def _remembering(
    answered: FrozenMap[str, IdempotencyRecord], event: Event
) -> FrozenMap[str, IdempotencyRecord]:
    header = event.header
    command = header.command
    if command is None or command.idempotency_key is None or header.subject_id is None:
        return answered
    return answered.with_(command.idempotency_key, IdempotencyRecord(command, header.subject_id))
