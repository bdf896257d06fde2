"""Money that moved for an order because of its returns, exchanges and claims: a view, nowhere stored."""

from datetime import datetime

from attrs import frozen

from rma.domain.sale.means import Means
from rma.domain.sale.order import Order
from rma.domain.state.exchanges import Exchange, ExchangePayment
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.refunds import Refund
from rma.domain.values.money import Money


@frozen(kw_only=True)
class OrderTransaction:
    """
    One movement of money.

    Attributes:
        id: a refund's key; of a payment, the exchange's id and the payment's reference.
        return_id, exchange_id, claim_id: what it was for, as far as it was for one of each.
        amount: negative for a refund in force: it left, or may leave; without the bonus of store credit.
            Positive for an exchange's payment.
        reference: `"refund"`, `"store_credit"`, `"payout"` or `"payment"`.
        reference_id: what the gateway, or the host, calls it.
        version: the order's version when it was made.
    """

    id: str
    order_id: str
    return_id: str | None
    exchange_id: str | None
    claim_id: str | None
    amount: Money
    reference: str
    reference_id: str | None
    version: int
    created_at: datetime


def transactions(order: Order, ledger: ReturnLedger) -> tuple[OrderTransaction, ...]:
    """
    Every refund in force, and every payment for an exchange that is not among the order's, oldest first.

    With what was captured, less what was refunded elsewhere, they add up to what is still refundable, unless
    a payment was refunded elsewhere of which its gateway gave back as much for this library that both are
    more than was captured: what is above that counts against no other payment. The store credit of goodwill
    is none of them: no money of the order moved.
    """
    found = [
        _refunded(order, ledger, refund, each.id, each.exchange_id, None)
        for each in ledger.returns
        for refund in each.refunds
        if refund.is_in_force
    ]
    found += [
        _refunded(order, ledger, refund, claim.return_id, None, claim.id)
        for claim in ledger.claims
        for refund in claim.refunds
        if refund.is_in_force and not refund.is_extra
    ]
    known = {payment.id for payment in order.payments}  # what the host counts as captured
    found += [
        _paid(order, ledger, exchange, payment)
        for exchange in ledger.exchanges
        for payment in exchange.payments
        if payment.reference not in known
    ]
    return tuple(sorted(found, key=lambda each: each.created_at))


def _refunded(
    order: Order,
    ledger: ReturnLedger,
    refund: Refund,
    return_id: str | None,
    exchange_id: str | None,
    claim_id: str | None,
) -> OrderTransaction:
    return OrderTransaction(
        id=refund.key,
        order_id=order.id,
        return_id=return_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        amount=-(refund.moved or refund.amount),
        reference="refund" if refund.means is Means.PAYMENT else refund.means.value,
        reference_id=refund.reference,
        version=order.version + ledger.changes_until(refund.requested_at),
        created_at=refund.requested_at,
    )


def _paid(
    order: Order, ledger: ReturnLedger, exchange: Exchange, payment: ExchangePayment
) -> OrderTransaction:
    return OrderTransaction(
        id=f"{exchange.id}/payment/{payment.reference}",
        order_id=order.id,
        return_id=exchange.return_id,
        exchange_id=exchange.id,
        claim_id=None,
        amount=payment.amount,
        reference="payment",
        reference_id=payment.reference,
        version=order.version + ledger.changes_until(payment.at),
        created_at=payment.at,
    )
