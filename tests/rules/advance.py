"""Exchanges whose new goods are sent first: shoes for 59.95 against others for 64.95, on a hold."""

from datetime import timedelta
from typing import Any

from rma import (
    Exchange,
    ExchangeQuote,
    ExchangeRequested,
    Grade,
    Hold,
    Money,
    NewItem,
    Order,
    RecordExchangePayment,
    RequestedItem,
    RequestExchange,
    ReturnPolicy,
    ReturnRequested,
)
from rma.domain.decide.exchanges import request_exchange
from rma.domain.views.quotes import exchange_quote_of
from rma.testing.core_harness import START
from tests.rules.given import Given, line, order_of

SCALE = (
    Grade("A", 100, "restock"),
    Grade("B", 80, "refurbish"),
    Grade("D", 0, "recycle"),
)
#: Goods are to be sent within 14 days, and are graded.
POLICY = ReturnPolicy(return_within_days=14, inspect=True, grades=SCALE)
NOT_GRADED = ReturnPolicy(return_within_days=14)
UNTIL = START + timedelta(days=21)


def shoes(quantity: int = 1, price: int = 5995, **more: Any) -> Order:
    """Returns an order of shoes, paid."""
    return order_of(line("mug", quantity, price), captured=quantity * price, **more)


def hold(amount: int = 5995, reference: str = "auth_1", **more: Any) -> Hold:
    """Returns a hold that is long enough."""
    return Hold(**{"reference": reference, "amount": Money(amount, "usd"), "until": UNTIL, **more})


def first(price: int = 6495, quantity: int = 1, **more: Any) -> RequestExchange:
    """Requests an exchange of shoes for others, which are sent first."""
    fields: dict[str, Any] = {
        "items": [RequestedItem(item_id="mug", quantity=quantity)],
        "new_items": [NewItem(variant_id="v_new", quantity=1, unit_price=price)],
        "ship": "first",
        "hold": hold(5995 * quantity),
        **more,
    }
    return RequestExchange(order_id="order_1", **fields)


def pay(amount: int = 500, reference: str = "ch_1", **more: Any) -> RecordExchangePayment:
    """Records a payment for the first exchange."""
    return RecordExchangePayment(exchange_id="exc_1", amount=amount, reference=reference, **more)


def shipped(policy: ReturnPolicy = POLICY, order: Order | None = None, **more: Any) -> Given:
    """Returns an exchange whose new goods were sent, with its difference of 5.00 paid."""
    given = Given(order or shoes(), policy)
    given.when(first(**more))
    if owed := the(given).owed.amount:
        given.when(pay(owed))
    return given


def the(given: Given) -> Exchange:
    """Returns the first exchange, and asserts that the history rebuilds the ledger."""
    given.the()
    return given.ledger.exchanges[0]


def after_last_day(given: Given) -> None:
    """Moves the clock behind the last day for the goods."""
    until = given.the().return_by
    assert until is not None
    given.now = until


def customer_paid(given: Given) -> int:
    """Returns what the customer paid for everything, less what was given back: minor units."""
    order = given.order
    assert order is not None
    captured = sum(payment.captured.amount for payment in order.payments)
    given_back = sum(refund.amount_in_force for refund in given.ledger.refunds)
    return captured + the(given).paid.amount - given_back


def quoted(given: Given, asked: RequestExchange) -> ExchangeQuote:
    """Returns what the request is quoted."""
    request, exchange, *_ = request_exchange(given.facts(asked), given.ledger, asked)
    assert isinstance(request, ReturnRequested)
    assert isinstance(exchange, ExchangeRequested)
    return exchange_quote_of(exchange.opened, request.opened, given.facts(asked))
