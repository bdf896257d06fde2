"""What can be read off an order and its ledger: what may still come back, and how the order stands."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from rma.domain.eligibility import refusals
from rma.domain.exchanges import Exchange
from rma.domain.ledger import ReturnLedger
from rma.domain.money import Money, share
from rma.domain.order import LineItem, Order, OrderStatus
from rma.domain.policy import ReturnPolicy
from rma.domain.pricing import Part
from rma.domain.refunds import in_force
from rma.domain.returns import Return


@frozen
class QuotedItem:
    """What the requested units of one line item are worth, before deductions."""

    item_id: str
    quantity: int
    amount: Money


@frozen
class Quote:
    """What a return would be worth if exactly the requested units arrived, and why."""

    refund_amount: Money
    breakdown: tuple[Part, ...]
    items: tuple[QuotedItem, ...]


@frozen
class ExchangeQuote:
    """What an exchange would come to if exactly the requested units arrived, and why."""

    difference_due: Money
    breakdown: tuple[Part, ...]
    items: tuple[QuotedItem, ...]


def exchange_quote_of(exchange: Exchange, opened: Return) -> ExchangeQuote:
    """The quote that an exchange begins with, with its return."""
    return ExchangeQuote(exchange.difference_due, opened.breakdown, quote_of(opened).items)


def quote_of(opened: Return) -> Quote:
    """The quote that a return begins with."""
    return Quote(
        opened.refund_amount,
        opened.breakdown,
        tuple(
            [
                QuotedItem(item.item_id, item.quantity, Money(item.line.paid(item.taken), opened.currency))
                for item in opened.items
            ]
        ),
    )


@frozen
class ReturnableItem:
    """
    How many units of a line can come back now.

    Attributes:
        unit_value: what the next one is worth; the others may differ from it by one minor unit.
        reasons: codes for why the quantity is below the ordered one: `order_canceled`,
            `item_not_returnable`, `return_window_closed`, `not_fulfilled`, `in_open_return`, `claimed`,
            `already_returned`.
    """

    item_id: str
    quantity: int
    unit_value: Money
    reasons: tuple[str, ...] = ()


def returnable_items(
    order: Order, ledger: ReturnLedger, policy: ReturnPolicy, at: datetime
) -> tuple[ReturnableItem, ...]:
    """Every line of the order, those without returnable units too, in the order's order."""
    pools = ledger.pools(order, [line.id for line in order.items])
    announced, back, claimed = _announced(ledger), _back(ledger), _claimed(ledger)
    found = []
    for line in order.items:
        codes = [violation.code for violation in refusals(order, line, policy, at)]
        if order.status is OrderStatus.CANCELED:
            codes.insert(0, "order_canceled")
        pool = pools[line.id]
        quantity = 0 if codes else pool.returnable(line)
        next_unit = pool.line.paid(share(pool.sums, 1, pool.quantity)) if pool.quantity else 0
        shortened = {
            "not_fulfilled": line.fulfilled_quantity < line.quantity,
            "in_open_return": announced.get(line.id),
            "claimed": claimed.get(line.id),
            "already_returned": line.returned_quantity or back.get(line.id),
        }
        codes += [code for code, applies in shortened.items() if applies]
        found.append(ReturnableItem(line.id, quantity, Money(next_unit, order.currency), tuple(codes)))
    return tuple(found)


class FulfillmentStatus(StrEnum):
    """How the goods of an order stand."""

    NOT_FULFILLED = "not_fulfilled"
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLED = "fulfilled"
    PARTIALLY_RETURNED = "partially_returned"
    RETURNED = "returned"
    REQUIRES_ACTION = "requires_action"


class PaymentStatus(StrEnum):
    """How the money of an order stands."""

    NOT_PAID = "not_paid"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


@frozen
class OrderState:
    """
    How an order stands with its returns counted in.

    Attributes:
        refundable: what may still be paid back.
        refunded: what was, or is on its way.
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
        Money(ledger.refundable(order), order.currency),
        Money(elsewhere + in_force(ledger.refunds), order.currency),
        order.version + ledger.changes,
    )


def _fulfillment_status(order: Order, ledger: ReturnLedger) -> FulfillmentStatus:
    back = _back(ledger)

    def all_back(line: LineItem) -> bool:
        return line.returned_quantity + back.get(line.id, 0) >= line.fulfilled_quantity

    fulfilled = sum(line.fulfilled_quantity for line in order.items)
    of_returns = any(each.is_blocked and each.amount_due.amount for each in ledger.returns)
    if of_returns or any(each.is_blocked and each.amount_due.amount for each in ledger.claims):
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
        refund.is_in_force for refund in ledger.refunds
    )
    if refunded:
        left = ledger.refundable(order)
        return PaymentStatus.PARTIALLY_REFUNDED if left else PaymentStatus.REFUNDED
    if any(payment.captured.amount for payment in order.payments):
        return PaymentStatus.CAPTURED
    return PaymentStatus.NOT_PAID


def _back(ledger: ReturnLedger) -> dict[str, int]:
    """Units that arrived, by line."""
    back: dict[str, int] = {}
    for each in ledger.returns:
        for item in each.items:
            back[item.item_id] = back.get(item.item_id, 0) + item.arrived_quantity
    return back


def _claimed(ledger: ReturnLedger) -> dict[str, int]:
    """Units that claims made good, by line."""
    claimed: dict[str, int] = {}
    for claim in ledger.claims:
        for item_id, quantity in claim.held_quantities():
            claimed[item_id] = claimed.get(item_id, 0) + quantity
    return claimed


def _announced(ledger: ReturnLedger) -> dict[str, int]:
    """Units of open returns that have not arrived, by line."""
    announced: dict[str, int] = {}
    for each in ledger.returns:
        for item in each.items if each.is_open else ():
            announced[item.item_id] = announced.get(item.item_id, 0) + item.missing_quantity
    return announced
