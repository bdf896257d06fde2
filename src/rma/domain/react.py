"""
What an event asks of ports. Total, and the only source of effects.

Because effects are derived from recorded events, none can be asked for without a fact behind it, and
an outbox that was lost can be rebuilt from history.
"""

from typing import assert_never

from rma.domain import events
from rma.domain.events import Event
from rma.domain.messages.effects import Effect, RefundRequest


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
        case events.RefundRetried() | events.ClaimRefundRetried() | events.ClaimResolved():
            return _refund_requests(event)
        case events.ClaimRequested(replacement=replacement):
            return (*_refund_requests(event), *((replacement,) if replacement else ()))
        case events.ExchangeReceived(replacement=replacement) | events.ExchangePaid(replacement=replacement):
            return (replacement,) if replacement else ()
        case events.ReturnCanceled(cancel_request=cancel, withdraw_requests=withdrawals):
            return ((cancel,) if cancel else ()) + withdrawals
        case (
            events.ReturnDeclined()
            | events.ReturnSent()
            | events.RefundBlocked()
            | events.RefundOutcomeRecorded()
            | events.DeliveryChanged()
            | events.EffectsAttempted()
            | events.EventsPublished()
            | events.HistoryArchived()
            | events.ExchangeRequested()
            | events.ExchangeCanceled()
            | events.ClaimCompleted()
            | events.ClaimCanceled()
        ):
            return ()
        case _:
            assert_never(event)


def _refund_requests(
    event: events.EntitlementEvent | events.ClaimEntitlementEvent | events.ClaimRequested,
) -> tuple[RefundRequest, ...]:
    header = event.header
    if isinstance(event, events.ClaimEvent):
        reason = "claim"
    else:
        reason = "exchange" if header.exchange_id else "return"
    return tuple(
        [
            RefundRequest(
                key=refund.key,
                order_id=header.order_id,
                return_id=header.return_id,
                payment_id=refund.payment_id,
                amount=refund.amount,
                reason=reason,
            )
            for refund in event.refunds
        ]
    )
