"""Turning an amount into refunds: one for each payment that gives it, each with its own key."""

from collections.abc import Collection
from datetime import datetime

from rma.domain.messages.effects import effect_key
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import Refund, split
from rma.domain.state.returns import Return
from rma.domain.values.money import Money


def refunds_for(
    amount: int,
    order: Order,
    ledger: ReturnLedger,
    target: Return | Claim,
    at: datetime,
    *,
    first: Collection[str] = (),
) -> tuple[Refund, ...]:
    """
    The amount (minor units, at most what is refundable) as refunds, from the payments in their order.

    Those whose ids are `first` give before the others.

    A payment whose refund failed or was reversed is tried again under the next key.
    """
    retried = {refund.retry_of for refund in target.refunds}
    lost = {
        refund.payment_id: refund.key
        for refund in target.refunds
        if not refund.is_in_force and refund.key not in retried
    }
    left = ledger.left_of_payments(order)
    left = dict(sorted(left.items(), key=lambda each: each[0] not in first))
    return tuple(
        [
            Refund(
                key=effect_key(target.id, "refund", number),
                payment_id=payment_id,
                amount=Money(part, order.currency),
                status=RefundStatus.PENDING,
                requested_at=at,
                retry_of=lost.get(payment_id),
            )
            for number, (payment_id, part) in enumerate(split(amount, left), start=len(target.refunds) + 1)
        ]
    )


def limit_to_refundable(following: int, refundable: int, order: Order | None) -> tuple[int | None, int]:
    """
    What is paid of a computed amount, and how much of it the host's rounding makes unpayable, minor units.

    All of it; or what is refundable, where the amount exceeds it by at most one minor unit for each line
    of the order, because hosts round their totals in their own ways; or None: it is blocked.
    """
    excess = max(0, following - refundable)
    if excess > (len(order.items) if order else 0):
        return None, 0
    return following - excess, excess
