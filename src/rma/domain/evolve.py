"""
How the ledger stands after an event. Total: it never refuses, and knows no rules.

`change` opens the effects that an event asks for; here they are only closed.
"""

from typing import assert_never

from attrs import evolve as with_

from rma.domain.events import (
    ClaimEvent,
    ClaimRequested,
    CommandEvent,
    EffectOutcome,
    EffectsAttempted,
    EffectsLeased,
    Event,
    EventsPublished,
    ExchangeCanceled,
    ExchangeEvent,
    ExchangePaid,
    ExchangeRequested,
    GoodsReceived,
    RefundBlocked,
    RefundOutcomeRecorded,
    RefundRetried,
    ReturnCanceled,
    ReturnRequested,
    ReturnResolved,
)
from rma.domain.messages.effects import CancelShipmentRequest, OpenEffect, ReplacementShipment, ReturnShipment
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger
from rma.domain.state.refunds import Refund
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return, ReturnStatus
from rma.domain.values.frozenmap import FrozenMap


def evolve(ledger: ReturnLedger, event: Event) -> ReturnLedger:
    """The ledger after the event, its revision that of the commit that recorded it."""
    returns, exchanges, claims = ledger.returns, ledger.exchanges, ledger.claims
    published = ledger.published
    match event:
        case ReturnRequested(opened=opened):
            returns = (*returns, opened)
        case ExchangeRequested(exchange=exchange):
            exchanges = (*exchanges, exchange)
        case ClaimRequested(claim=claim):
            claims = (*claims, claim)
        case ExchangeEvent(exchange=exchange):
            exchanges = tuple([exchange if each.id == exchange.id else each for each in exchanges])
            returns = tuple([_of_exchange(each, event) for each in returns])
        case ClaimEvent(claim=claim):
            claims = tuple([claim if each.id == claim.id else each for each in claims])
        case EventsPublished(through=through):
            # Its own revision has nothing to publish: if nothing came between, all is published.
            published = through if through < ledger.revision else max(event.revision, through)
        case RefundBlocked() | EffectsLeased():
            pass  # the one explains the event beside it, the other is about effects alone
        case EffectsAttempted(return_id=None) | RefundOutcomeRecorded(return_id=None):
            exchanges = tuple([_shipped(each, event) for each in exchanges])
            claims = tuple([_made_good(each, event) for each in claims])
        case _:
            return_id = event.return_id
            returns = tuple([_changed(each, event) if each.id == return_id else each for each in returns])
    return ReturnLedger(
        order_id=ledger.order_id,
        revision=event.revision or ledger.revision,
        returns=returns,
        open_effects=_effects(ledger.open_effects, event),
        answered=_remembering(ledger.answered, event),
        published=published,
        exchanges=exchanges,
        claims=claims,
    )


def _of_exchange(each: Return, event: ExchangeEvent) -> Return:
    """The return with what its exchange tells it; other returns as they are."""
    if each.id != event.exchange.return_id:
        return each
    match event:
        case ExchangePaid(payment=payment):
            paid = AmountPart(f"payment:{payment.reference}", payment.amount)
            return with_(each, charges=(*each.charges, paid), updated_at=event.at)
        case ExchangeCanceled() if each.status is ReturnStatus.RECEIVED:
            return each.without_exchange()
        case _:
            return each


def _shipped(each: Exchange, event: EffectsAttempted | RefundOutcomeRecorded) -> Exchange:
    if each.id != event.exchange_id:
        return each
    return with_(each, shipment=_sent(each.shipment, event), updated_at=event.at)


def _made_good(each: Claim, event: EffectsAttempted | RefundOutcomeRecorded) -> Claim:
    if each.id != event.claim_id:
        return each
    return with_(
        each,
        refunds=_known(each.refunds, event),
        shipment=_sent(each.shipment, event),
        updated_at=event.at,
    )


def _known(
    refunds: tuple[Refund, ...], event: EffectsAttempted | RefundOutcomeRecorded
) -> tuple[Refund, ...]:
    """The refunds with what the event says of them."""
    if isinstance(event, RefundOutcomeRecorded):
        render = {event.refund.key: event.refund}
    else:
        render = {
            record_outcomes.refund.key: record_outcomes.refund
            for record_outcomes in event.outcomes
            if record_outcomes.refund
        }
    return tuple([render.get(refund.key, refund) for refund in refunds])


def _sent(
    before: ReplacementShipment | None, event: EffectsAttempted | RefundOutcomeRecorded
) -> ReplacementShipment | None:
    """What the carrier answered about new goods, if the event says so."""
    outcomes = event.outcomes if isinstance(event, EffectsAttempted) else ()
    return next((each.replacement for each in outcomes if each.replacement), before)


def _effects(effects: FrozenMap[str, OpenEffect], event: Event) -> FrozenMap[str, OpenEffect]:
    match event:
        case EffectsAttempted(outcomes=outcomes):
            for outcome in outcomes:
                effects = _after(effects, outcome)
        case EffectsLeased(keys=keys, until=until):
            for key in effects.keys() & set(keys):
                effects = effects.with_(key, with_(effects[key], started_at=event.at, due_at=until))
        case RefundOutcomeRecorded(refund=refund):
            effects = effects.without(refund.key)
        case _:
            pass
    return effects


def _changed(
    before: Return,
    event: GoodsReceived
    | ReturnResolved
    | RefundRetried
    | ReturnCanceled
    | RefundOutcomeRecorded
    | EffectsAttempted,
) -> Return:
    match event:
        case GoodsReceived(receipt=receipt):
            return with_(
                before,
                status=receipt.status,
                items=event.items,
                receipts=(*before.receipts, receipt),
                refunds=before.refunds + event.refunds,
                refund_amount=event.refund_amount,
                entitled_amount=event.entitled_amount,
                agreed_refund=event.agreed_refund,
                location_id=event.location_id,
                is_refund_blocked=event.is_refund_blocked,
                received_at=event.at if receipt.status is ReturnStatus.RECEIVED else None,
                updated_at=event.at,
            )
        case ReturnResolved():
            return with_(
                before,
                status=ReturnStatus.RECEIVED,
                items=event.items,
                resolution=event.resolution,
                refunds=before.refunds + event.refunds,
                refund_amount=event.refund_amount,
                entitled_amount=event.entitled_amount,
                agreed_refund=event.agreed_refund,
                is_refund_blocked=event.is_refund_blocked,
                received_at=before.received_at or event.at,
                updated_at=event.at,
            )
        case RefundRetried():
            return with_(
                before,
                refunds=before.refunds + event.refunds,
                refund_amount=event.refund_amount,
                entitled_amount=event.entitled_amount,
                is_refund_blocked=event.is_refund_blocked,
                updated_at=event.at,
            )
        case EffectsAttempted():
            return _recorded(before, event)
        case RefundOutcomeRecorded():
            return with_(before, refunds=_known(before.refunds, event), updated_at=event.at)
        case ReturnCanceled():
            return with_(
                before,
                status=ReturnStatus.CANCELED,
                items=tuple([_back_to_nothing(item) for item in before.items]),
                canceled_at=event.at,
                updated_at=event.at,
            )
        case _:
            assert_never(event)


def _back_to_nothing(item: ReturnItem) -> ReturnItem:
    return with_(item, received_quantity=0, damaged_quantity=0) if item.arrived_quantity else item


def _remembering(
    answered: FrozenMap[str, IdempotencyRecord], event: Event
) -> FrozenMap[str, IdempotencyRecord]:
    if isinstance(event, CommandEvent) and event.command and event.command.idempotency_key is not None:
        return answered.with_(
            event.command.idempotency_key, IdempotencyRecord(event.command, event.subject_id)
        )
    return answered


def _recorded(before: Return, event: EffectsAttempted) -> Return:
    shipments = [each.shipment for each in event.outcomes if each.shipment]
    return with_(
        before,
        refunds=_known(before.refunds, event),
        shipment=shipments[-1] if shipments else before.shipment,
        updated_at=event.at,
    )


def _after(effects: FrozenMap[str, OpenEffect], outcome: EffectOutcome) -> FrozenMap[str, OpenEffect]:
    key = outcome.key
    if outcome.is_open:
        tried = effects.get(key)
        if tried is None:
            return effects
        return effects.with_(key, with_(tried, attempts=tried.attempts + 1, last_error=outcome.error))
    left = effects.without(key)
    return _told_what_to_cancel(left, key, outcome.shipment) if outcome.shipment else left


def _told_what_to_cancel(
    effects: FrozenMap[str, OpenEffect], shipment_key: str, shipment: ReturnShipment
) -> FrozenMap[str, OpenEffect]:
    # A cancellation waits for the answer to its booking, so it has not been sent with anything else.
    for key, waiting in effects.items():
        request = waiting.request
        if isinstance(request, CancelShipmentRequest) and request.shipment_key == shipment_key:
            return effects.with_(key, with_(waiting, request=with_(request, shipment=shipment)))
    return effects
