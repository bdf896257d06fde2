"""
What an event asks of the outside. Total, and the only source of effects.

Because effects are derived from recorded events, none can be asked for without a fact behind it, and
an outbox that was lost can be rebuilt from history.
"""

from typing import assert_never

from rma.domain.events import (
    ClaimCanceled,
    ClaimCompleted,
    ClaimRefundRetried,
    ClaimRequested,
    EffectsAttempted,
    EffectsLeased,
    Event,
    EventsPublished,
    ExchangeCanceled,
    ExchangePaid,
    ExchangeReceived,
    ExchangeRequested,
    GoodsReceived,
    RefundBlocked,
    RefundOutcomeRecorded,
    RefundRetried,
    ReturnCanceled,
    ReturnRequested,
    ReturnResolved,
)
from rma.domain.messages.effects import Effect, RefundRequest
from rma.domain.state.claims import Claim
from rma.domain.state.refunds import Refund


def react(event: Event) -> tuple[Effect, ...]:  # noqa: PLR0911 # a row for each kind of event
    """The effects of an event, in the order in which they are delivered: stock before money."""
    match event:
        case ReturnRequested(shipment_request=request):
            return (request,) if request else ()
        case GoodsReceived(receipt=receipt):
            restock = (receipt.restock,) if receipt.restock else ()
            return (*restock, *_refund_requests(event))
        case ReturnResolved(withdraw_requests=withdrawals):
            return (*withdrawals, *_refund_requests(event))
        case RefundRetried():
            return _refund_requests(event)
        case ClaimRequested(replacement=replacement, refunds=refunds):
            return (*_claim_refunds(event.claim, refunds), *((replacement,) if replacement else ()))
        case ClaimRefundRetried(claim=claim, refunds=refunds):
            return _claim_refunds(claim, refunds)
        case ExchangeReceived(replacement=replacement) | ExchangePaid(replacement=replacement):
            return (replacement,) if replacement else ()
        case ReturnCanceled(cancel_request=cancel, withdraw_requests=withdrawals):
            return ((cancel,) if cancel else ()) + withdrawals
        case (
            RefundBlocked()
            | RefundOutcomeRecorded()
            | EffectsLeased()
            | EffectsAttempted()
            | EventsPublished()
            | ExchangeRequested()
            | ExchangeCanceled()
            | ClaimCompleted()
            | ClaimCanceled()
        ):
            return ()
        case _:
            assert_never(event)


def _refund_requests(event: GoodsReceived | ReturnResolved | RefundRetried) -> tuple[RefundRequest, ...]:
    return tuple(
        [
            RefundRequest(
                key=refund.key,
                order_id=event.order_id,
                return_id=event.return_id,
                payment_id=refund.payment_id,
                amount=refund.amount,
                reason="exchange" if event.exchange_id else "return",
            )
            for refund in event.refunds
        ]
    )


def _claim_refunds(claim: Claim, refunds: tuple[Refund, ...]) -> tuple[RefundRequest, ...]:
    return tuple(
        [
            RefundRequest(
                key=refund.key,
                order_id=claim.order_id,
                return_id=claim.return_id or "",
                payment_id=refund.payment_id,
                amount=refund.amount,
                reason="claim",
            )
            for refund in refunds
        ]
    )
