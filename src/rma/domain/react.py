"""
What an event asks of ports. Total, and the only source of effects.

Because effects are derived from recorded events, none can be asked for without a fact behind it, and
an outbox that was lost can be rebuilt from history.
"""

from typing import assert_never

from rma.domain import events
from rma.domain.events import Event
from rma.domain.messages.effects import CreditRequest, Effect, MoneyRequest, PayoutRequest, RefundRequest
from rma.domain.sale.means import Means
from rma.domain.state.refunds import Refund


def react(event: Event) -> tuple[Effect, ...]:  # noqa: C901, PLR0911, PLR0912 # a row for each kind of event
    """The effects of an event, in the order in which they are delivered: stock before money."""
    match event:
        case (
            events.ReturnRequested(shipment_request=request) | events.ReturnApproved(shipment_request=request)
        ):
            return (request,) if request else ()
        case (
            events.ReturnUpdated(cancel_request=cancel, shipment_request=booking)
            | events.ShipmentRenewed(cancel_request=cancel, shipment_request=booking)
        ):
            return ((cancel,) if cancel else ()) + ((booking,) if booking else ())
        case events.ReturnExpired(cancel_request=cancel):
            return (cancel,) if cancel else ()
        case events.GoodsReceived(receipt=receipt, return_id=return_id):
            assert return_id is not None, "goods are received for a return"
            restock = receipt.restock(event.order_id, return_id)
            return (*((restock,) if restock else ()), *_refund_requests(event))
        case events.GoodsInspected(inspection=inspection):
            return (*inspection.requests, *_refund_requests(event))
        case events.ReceiptCorrected(correction=correction, return_id=return_id):
            assert return_id is not None, "receipts are a return's"
            restock = correction.restock(event.order_id, return_id)
            return (
                *event.withdraw_requests,
                *((restock,) if restock else ()),
                *_refund_requests(event),
            )
        case events.ReturnResolved(cancel_request=cancel, withdraw_requests=withdrawals):
            back = event.resolution.send_back_request
            return (
                *((cancel,) if cancel else ()),
                *withdrawals,
                *((back,) if back else ()),
                *_refund_requests(event),
            )
        case (
            events.PaidAhead()
            | events.RefundRetried()
            | events.ExchangePaymentRefunded()
            | events.ClaimRefundRetried()
            | events.PriceReduced()
        ):
            return _refund_requests(event)
        case events.ClaimRequested(replacement=replacement) | events.ClaimResolved(replacement=replacement):
            return (*_refund_requests(event), *((replacement,) if replacement else ()))
        case events.ExchangeReceived(replacement=replacement) | events.ExchangePaid(replacement=replacement):
            return (replacement,) if replacement else ()
        case events.ExchangeRequested(reserve_request=reserve):
            return (reserve,) if reserve else ()
        case events.AdvanceShipped(replacement=replacement):
            return (replacement,)
        case events.ExchangeUpdated(
            reserve_request=reserve,
            release_reservation=release,
            replacement=replacement,
            release_request=given_back,
        ):
            asked = (release, reserve, replacement, given_back)
            return tuple([each for each in asked if each])
        case events.AdvanceCharged(charge_request=charge):
            return (charge,)
        case events.HoldReleased(release_request=given_back):
            return (given_back,)
        case events.ExchangeCanceled(release_reservation=unreserve):
            return (unreserve,) if unreserve else ()
        case events.ReturnCanceled(cancel_request=cancel, withdraw_requests=withdrawals):
            return ((cancel,) if cancel else ()) + withdrawals
        case (
            events.ReturnDeclined()
            | events.ReturnSent()
            | events.ReturnOverdue()
            | events.RefundBlocked()
            | events.PayoutRecorded()
            | events.ClaimPayoutRecorded()
            | events.RefundOutcomeRecorded()
            | events.KnownOutcomeReported()
            | events.DeliveryChanged()
            | events.EffectsAttempted()
            | events.EventsPublished()
            | events.HistoryArchived()
            | events.OrderRedacted()
            | events.AdvanceWrittenOff()
            | events.ChargeOutcomeRecorded()
            | events.ClaimCompleted()
            | events.ClaimCanceled()
        ):
            return ()
        case _:
            assert_never(event)


def _refund_requests(
    event: events.EntitlementEvent
    | events.ClaimEntitlementEvent
    | events.ClaimRequested
    | events.PriceReduced,
) -> tuple[MoneyRequest, ...]:
    header = event.header
    if isinstance(event, events.ClaimEvent):
        reason = "claim"
    else:
        reason = "exchange" if header.exchange_id else "return"
    return tuple([_request(refund, header, reason) for refund in event.refunds])


def _request(refund: Refund, header: events.EventHeader, reason: str) -> MoneyRequest:
    key, order_id, return_id = refund.key, header.order_id, header.return_id
    match refund.means:
        case Means.PAYMENT:
            assert refund.payment_id is not None, "a payment gives it back"
            return RefundRequest(
                key=key,
                order_id=order_id,
                return_id=return_id,
                payment_id=refund.payment_id,
                amount=refund.amount,
                reason=reason,
                kind=refund.kind,
                provider_id=refund.provider_id,
                after_key=refund.after_key,
            )
        case Means.STORE_CREDIT:
            return CreditRequest(
                key=key,
                order_id=order_id,
                return_id=return_id,
                customer_id=refund.customer_id,
                payee=refund.payee,
                amount=refund.amount,
                bonus=refund.bonus,
                reason=reason,
            )
        case Means.PAYOUT:
            return PayoutRequest(
                key=key, order_id=order_id, return_id=return_id, amount=refund.amount, reason=reason
            )
        case _:
            assert_never(refund.means)
