"""
What an event asks of the outside. Total, and the only source of effects.

Because effects are derived from recorded events, none can be asked for without a fact behind it, and
an outbox that was lost can be rebuilt from history.
"""

from typing import assert_never

from rma.domain.effects import Effect, RefundRequest
from rma.domain.events import (
    EffectsLeased,
    EffectsSettled,
    Event,
    EventsPublished,
    GoodsReceived,
    RefundBlocked,
    RefundOutcomeRecorded,
    RefundRetried,
    ReturnCanceled,
    ReturnRequested,
)


def react(event: Event) -> tuple[Effect, ...]:
    """The effects of an event, in the order in which they are delivered: stock before money."""
    match event:
        case ReturnRequested(shipment_request=request):
            return (request,) if request else ()
        case GoodsReceived(receipt=receipt):
            restock = (receipt.restock,) if receipt.restock else ()
            return (*restock, *_refund_requests(event))
        case RefundRetried():
            return _refund_requests(event)
        case ReturnCanceled(cancel_request=cancel, withdraw_requests=withdrawals):
            return ((cancel,) if cancel else ()) + withdrawals
        case (
            RefundBlocked() | RefundOutcomeRecorded() | EffectsLeased() | EffectsSettled() | EventsPublished()
        ):
            return ()
        case _:
            assert_never(event)


def _refund_requests(event: GoodsReceived | RefundRetried) -> tuple[RefundRequest, ...]:
    return tuple(
        [
            RefundRequest(
                key=refund.key,
                order_id=event.order_id,
                return_id=event.return_id,
                payment_id=refund.payment_id,
                amount=refund.amount,
            )
            for refund in event.refunds
        ]
    )
