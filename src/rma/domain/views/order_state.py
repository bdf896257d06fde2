"""The state of an order with its returns counted in: goods, money, version."""

from enum import StrEnum

from attrs import frozen

from rma.domain.sale.order import LineItem, Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.money import Money


class FulfillmentStatus(StrEnum):
    """The status of an order's goods."""

    NOT_FULFILLED = "not_fulfilled"
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLED = "fulfilled"
    PARTIALLY_RETURNED = "partially_returned"
    RETURNED = "returned"
    REQUIRES_ACTION = "requires_action"


class PaymentStatus(StrEnum):
    """The status of an order's money."""

    NOT_PAID = "not_paid"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


@frozen
class OrderState:
    """
    The state of an order with its returns counted in.

    Attributes:
        refundable: what may still be paid back.
        refunded: what was, or is on its way; without the store credit of goodwill, which is extra.
        order_version: the host's version and the changes that returns made to the order since.
    """

    fulfillment_status: FulfillmentStatus
    payment_status: PaymentStatus
    refundable: Money
    refunded: Money
    order_version: int


def order_state(order: Order, ledger: ReturnLedger) -> OrderState:
    """The order's derived state."""
    elsewhere = sum([payment.refunded.amount for payment in order.payments])
    return OrderState(
        _fulfillment_status(order, ledger),
        _payment_status(order, ledger),
        ledger.refundable(order),
        Money(elsewhere + sum([each.amount_given_back for each in ledger.refunds]), order.currency),
        order.version + ledger.changes,
    )


def _fulfillment_status(order: Order, ledger: ReturnLedger) -> FulfillmentStatus:
    back = ledger.arrived_quantities()
    for item in [item for each in ledger.returns for item in each.items]:  # lost ones are with no one
        back[item.item_id] = back.get(item.item_id, 0) + item.still_lost_quantity

    def all_back(line: LineItem) -> bool:
        return line.returned_quantity + back.get(line.id, 0) >= line.fulfilled_quantity

    fulfilled = sum(line.fulfilled_quantity for line in order.items)
    of_returns = any(each.entitlement.is_refund_blocked and each.amount_due.amount for each in ledger.returns)
    if of_returns or any(
        each.entitlement.is_refund_blocked and each.amount_due.amount for each in ledger.claims
    ):
        return FulfillmentStatus.REQUIRES_ACTION
    if fulfilled and all(all_back(line) for line in order.items):
        return FulfillmentStatus.RETURNED
    if any(line.returned_quantity or back.get(line.id) for line in order.items):
        return FulfillmentStatus.PARTIALLY_RETURNED
    if not fulfilled:
        return FulfillmentStatus.NOT_FULFILLED
    if fulfilled < sum(line.quantity for line in order.items):
        return FulfillmentStatus.PARTIALLY_FULFILLED
    return FulfillmentStatus.FULFILLED


def _payment_status(order: Order, ledger: ReturnLedger) -> PaymentStatus:
    refunded = any(payment.refunded.amount for payment in order.payments) or any(
        refund.is_in_force and not refund.is_extra for refund in ledger.refunds
    )
    if refunded:
        left = ledger.refundable(order)
        return PaymentStatus.PARTIALLY_REFUNDED if left.amount else PaymentStatus.REFUNDED
    if any(payment.captured.amount for payment in order.payments):
        return PaymentStatus.CAPTURED
    return PaymentStatus.NOT_PAID
