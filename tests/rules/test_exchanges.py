"""RequestExchange, RecordExchangePayment, CancelExchange."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    CancelExchange,
    CancelReturn,
    Exchange,
    ExchangePaid,
    ExchangeReceived,
    ExchangeRequested,
    ExchangeStatus,
    Invalid,
    LineItem,
    Money,
    NewItem,
    NotAllowed,
    NotFound,
    Payment,
    RecordExchangePayment,
    RefundDeclined,
    RejectedItem,
    ReplacementRequest,
    RequestedItem,
    RequestExchange,
    ResolveReturn,
    RetryRefund,
    ReturnRequested,
    ReturnStatus,
    ShippingMethod,
)
from rma.domain.react import react
from rma.domain.views.order_state import order_state
from tests.rules.given import (
    Given,
    effect_kinds,
    line,
    names_and_amounts,
    order_of,
    put,
    receive,
    request,
    usd,
    vat,
)


def exchange(quantity: int = 2, price: int = 1500, *, new: int = 1, **more: Any) -> RequestExchange:
    """Requests an exchange of mugs for new cups."""
    fields: dict[str, Any] = {
        "items": [RequestedItem(item_id="mug", quantity=quantity)],
        "new_items": [NewItem(variant_id="v_cup", quantity=new, unit_price=price)] * bool(new),
        **more,
    }
    return RequestExchange(order_id="order_1", **fields)


def opened(*lines: LineItem, **more: Any) -> Given:
    """Returns an order of five mugs at 10.00 with an exchange of two."""
    given = Given(order_of(*(lines or (line(quantity=5),))))
    given.when(exchange(**more))
    return given


def pay(amount: Money | int = 1000, reference: str = "ch_1", **more: Any) -> RecordExchangePayment:
    """Records a payment for the first exchange."""
    return RecordExchangePayment(exchange_id="exc_1", amount=amount, reference=reference, **more)


def the(given: Given) -> Exchange:
    """Returns the first exchange, and asserts that the history rebuilds the ledger."""
    given.the()
    return given.ledger.exchanges[0]


def test_an_exchange_opens_its_return_and_quotes_the_difference() -> None:
    """
    The difference is the new items with tax and shipping, less the returned items after return shipping.
    """
    given = Given(order_of(line(quantity=5)))

    request, event = given.when(
        exchange(
            new_items=[
                NewItem(
                    variant_id="v_cup", quantity=2, unit_price=usd(1200), title="Cup", tax_lines=vat("10")
                )
            ],
            outbound_shipping=ShippingMethod(id="sm", option_id="so_out", name="Post", price=usd(500)),
            shipping_option_id="so_return",
            created_by="ann",
        )
    )

    assert isinstance(request, ReturnRequested)
    assert isinstance(event, ExchangeRequested)
    assert (event.exchange_id, event.return_id, event.by) == ("exc_1", "ret_1", "ann")
    found, ret = the(given), given.the()
    assert (found.id, found.return_id, ret.exchange_id) == ("exc_1", "ret_1", "exc_1")
    assert found.status is ExchangeStatus.REQUESTED
    assert found.difference_due == found.owed == usd(2640 + 500 - (2000 - 200))
    assert ret.refund_amount == usd(0)
    assert names_and_amounts(ret) == {
        "item:mug": 2000,
        "new_item:v_cup": -2640,
        "outbound_shipping": -500,
        "return_shipping": -200,
        "difference_due": 1340,
    }
    assert [(p.name, p.amount.amount) for p in ret.breakdown[1].parts] == [("price", -2400), ("tax:10", -240)]
    assert effect_kinds(given.ledger) == ["shipment-1"]


def test_a_difference_in_the_customers_favour_is_refunded_on_receipt() -> None:
    """The receipt refunds the difference once, through the return, and sends the new items."""
    given = opened()
    assert the(given).difference_due == usd(-500)
    assert given.the().refund_amount == usd(500)

    _, received = given.when(receive(2))

    assert isinstance(received, ExchangeReceived)
    assert the(given).status is ExchangeStatus.COMPLETED
    assert the(given).completed_at == received.at
    assert given.the().entitlement.entitled.amount == 500
    assert effect_kinds(given.ledger) == ["restock-1", "refund-1", "replacement-1"]
    (sent,) = react(received)
    assert sent == ReplacementRequest(
        key="exc_1-replacement-1",
        order_id="order_1",
        exchange_id="exc_1",
        claim_id=None,
        new_items=(NewItem(variant_id="v_cup", quantity=1, unit_price=usd(1500)),),
    )
    given.all_delivered()
    shipment = the(given).shipment
    assert shipment is not None
    assert shipment.data == {"label": "exc_1-replacement-1"}
    assert given.the().refunded == usd(500)


def test_an_even_exchange_moves_no_money() -> None:
    """An exchange without a difference sends the new items and refunds nothing."""
    given = opened(price=2000)

    given.when(receive(2))

    assert the(given).status is ExchangeStatus.COMPLETED
    assert the(given).difference_due == usd(0)
    assert effect_kinds(given.ledger) == ["restock-1", "replacement-1"]


def test_a_customer_who_owes_pays_before_the_goods_are_sent() -> None:
    """After the receipt, the new items are sent with the payment that completes the difference."""
    given = opened(price=3000)
    given.when(receive(2))
    assert the(given).status is ExchangeStatus.AWAITING_PAYMENT
    assert the(given).owed == usd(1000)

    given.when(pay(400))
    assert the(given).status is ExchangeStatus.AWAITING_PAYMENT
    (event,) = given.when(pay(600, "ch_2", created_by="till"))

    assert isinstance(event, ExchangePaid)
    assert the(given).status is ExchangeStatus.COMPLETED
    assert [(p.reference, p.amount, p.by) for p in the(given).payments] == [
        ("ch_1", usd(400), None),
        ("ch_2", usd(600), "till"),
    ]
    assert effect_kinds(given.ledger) == ["restock-1", "replacement-1"]
    assert names_and_amounts(given.the()) == {
        "item:mug": 2000,
        "new_item:v_cup": -3000,
        "payment:ch_1": 400,
        "payment:ch_2": 600,
    }


def test_a_customer_may_pay_before_the_goods_are_received() -> None:
    """An exchange that is paid in advance is completed by the receipt."""
    given = opened(price=3000)

    given.when(pay(1000))
    assert the(given).status is ExchangeStatus.REQUESTED
    given.when(receive(2))

    assert the(given).status is ExchangeStatus.COMPLETED
    assert "replacement-1" in effect_kinds(given.ledger)


def test_a_payment_that_is_recorded_twice_counts_once() -> None:
    """A payment under a known reference records nothing, and another amount under it is refused."""
    given = opened(price=3000)
    given.when(pay(1000))

    assert given.when(pay(usd(1000))) == ()
    error = given.refuses(pay(999))
    assert (error.code, error.details) == ("payment_reference_reused", {"reference": "ch_1", "amount": 1000})
    given.when(receive(2))
    assert given.when(pay(1000)) == ()
    assert given.codes(pay(1, "ch_2")) == ["exchange_completed"]


def test_one_charge_does_not_pay_two_exchanges() -> None:
    """A reference that another exchange of the order has is refused, whatever its amount."""
    given = Given(order_of(line(quantity=2)))
    for _ in range(2):
        given.when(exchange(1, price=2000))

    given.when(RecordExchangePayment(exchange_id="exc_1", amount=1000, reference="ch_1"))

    for amount in (1000, 999):
        again = RecordExchangePayment(exchange_id="exc_2", amount=amount, reference="ch_1")
        error = given.refuses(again)
        assert (error.code, error.details) == (
            "payment_reference_reused",
            {"reference": "ch_1", "amount": 1000},
        )


def test_a_payment_of_the_order_does_not_pay_an_exchange() -> None:
    """Its money would be counted as the order's. One that the order lists as this payment is taken."""
    given = opened(price=3000)

    error = given.refuses(pay(1500, "pay_1"))

    assert [each.code for each in error.violations] == ["payment_reference_reused", "payment_exceeds_owed"]
    assert error.violations[0].numbers["amount"] == 10_000
    assert given.codes(pay(0, "pay_1")) == ["invalid_payment_amount"]
    assert given.order is not None
    put(given, payments=[*given.order.payments, Payment(id="ch_1", captured=usd(1000))])
    given.when(pay(1000, "ch_1"))
    assert given.ledger.refundable(given.order) == usd(11_000)


def test_no_more_is_paid_than_is_owed() -> None:
    """A payment above what is owed is refused with the amount owed."""
    given = opened(price=3000)

    error = given.refuses(pay(1001))

    assert isinstance(error, Invalid)
    assert error.details == {"amount": 1001, "owed": 1000, "currency": "usd"}
    even = opened(price=2000)
    assert even.codes(pay(1)) == ["payment_exceeds_owed"]


def test_a_short_parcel_that_makes_the_customer_owe_requires_action() -> None:
    """If accepting missing units makes the customer owe, the exchange requires action until it is paid."""
    given = opened(price=2000)

    given.when(receive(1))
    assert the(given).status is ExchangeStatus.REQUESTED
    given.when(receive(0, allow_mismatch=True))

    assert the(given).status is ExchangeStatus.REQUIRES_ACTION
    assert the(given).difference_due == the(given).owed == usd(1000)
    given.when(pay(1000))
    assert the(given).status is ExchangeStatus.COMPLETED


def test_a_short_parcel_increases_what_is_owed() -> None:
    """
    If the customer owed before, accepting missing units leaves the exchange awaiting the larger payment.
    """
    given = opened(price=3000)

    given.when(receive(1, allow_mismatch=True))

    assert the(given).status is ExchangeStatus.AWAITING_PAYMENT
    assert the(given).owed == usd(2000)


def test_what_was_paid_too_much_is_refunded() -> None:
    """
    A surplus payment is refunded, first from the payments of the order, then from those of the exchange.
    """
    given = Given(order_of(line(quantity=5), captured=300))
    given.when(exchange(price=3000))
    given.when(pay(1000))
    assert given.order is not None
    assert order_state(given.order, given.ledger).refundable == usd(1300)

    given.when(receive(3, allow_mismatch=True))

    assert the(given).difference_due == usd(0)
    assert given.the().entitlement.entitled.amount == 1000
    assert [(r.payment_id, r.amount) for r in given.the().refunds] == [
        ("pay_1", usd(300)),
        ("ch_1", usd(700)),
    ]


def test_a_payment_that_the_host_counts_among_the_orders_is_not_counted_twice() -> None:
    """A payment of an exchange that is also a payment of the order counts once in what is refundable."""
    given = opened(price=3000)
    given.when(pay(1000))
    put(given, payments=[Payment(id="pay_1", captured=usd(50)), Payment(id="ch_1", captured=usd(1000))])

    assert given.order is not None
    assert order_state(given.order, given.ledger).refundable == usd(1050)


def test_parcels_of_an_exchange_pay_nothing_before_the_last() -> None:
    """An exchange refunds its difference once, with the last parcel."""
    given = opened(price=500)

    given.when(receive(1, more_expected=True))
    assert given.the().status is ReturnStatus.PARTIALLY_RECEIVED
    assert not given.the().refunds
    given.when(receive(1))

    assert [refund.amount for refund in given.the().refunds] == [usd(1500)]
    assert the(given).status is ExchangeStatus.COMPLETED


def test_a_clerk_resolves_an_exchanges_return() -> None:
    """Rejected units of an exchange do not count towards the new items."""
    given = opened(price=1000)
    given.when(receive(3))

    given.when(ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=2)]))

    assert the(given).difference_due == usd(0)
    assert the(given).status is ExchangeStatus.COMPLETED
    assert not given.the().refunds


def test_a_difference_above_what_is_left_is_blocked_and_the_goods_are_sent() -> None:
    """
    A difference above what is refundable is blocked, the new items are sent, and a smaller amount may be
    set.
    """
    given = Given(order_of(line(quantity=5), captured=100))
    given.when(exchange())

    events = given.when(receive(2))

    assert [type(event).__name__ for event in events] == [
        "GoodsReceived",
        "RefundBlocked",
        "ExchangeReceived",
    ]
    assert the(given).status is ExchangeStatus.COMPLETED
    assert given.the().needs_attention
    given.when(ResolveReturn(return_id="ret_1", refund_amount=100))
    assert given.the().refunded == usd(100)


def test_a_refund_of_a_difference_that_failed_is_retried() -> None:
    """A retry by the return of an exchange requests the difference again, for the reason `exchange`."""
    given = opened()
    given.when(receive(2))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))

    given.when(RetryRefund(return_id="ret_1"))

    assert [refund.key for refund in given.the().refunds] == ["ret_1-refund-1", "ret_1-refund-2"]
    assert react(given.history[-1])[0].reason == "exchange"  # type: ignore[union-attr] # a refund request


def test_deductions_above_what_comes_back_are_owed() -> None:
    """Return shipping above the value of the returned items is added to what the customer owes."""
    given = Given(order_of(line(price=100)))

    given.when(exchange(1, 300, shipping_option_id="so_return"))

    assert the(given).difference_due == usd(300 - (100 - 200))


def test_no_refund_is_named_for_an_exchanges_return() -> None:
    """Neither a receipt nor a resolution may name a refund for the return of an exchange."""
    given = opened()

    assert given.codes(receive(2, refund_amount=1)) == ["refund_settled_elsewhere"]
    given.when(receive(1))
    resolve = ResolveReturn(return_id="ret_1", refund_amount=1)
    assert given.codes(resolve) == ["refund_settled_elsewhere"]


def test_an_exchange_is_canceled_with_its_return() -> None:
    """
    A cancellation frees the units, withdraws received goods and cancels the label; a second one does
    nothing.
    """
    given = opened(shipping_option_id="so_return")
    given.all_delivered()
    given.when(receive(1))

    given.when(CancelExchange(exchange_id="exc_1"))

    assert the(given).status is ExchangeStatus.CANCELED
    assert given.the().status is ReturnStatus.CANCELED
    assert effect_kinds(given.ledger) == ["restock-1", "cancel_shipment-1", "withdraw-1"]
    assert given.when(CancelExchange(exchange_id="exc_1")) == ()
    assert given.codes(pay(1)) == ["exchange_canceled"]
    given.when(request(5))


def test_a_completed_exchange_cannot_be_canceled() -> None:
    """The cancellation is refused once the new goods were sent; its return is never canceled by itself."""
    given = opened(price=3000)
    error = given.refuses(CancelReturn(return_id="ret_1"))
    assert isinstance(error, NotAllowed)
    assert error.code == "return_of_exchange"

    given.when(pay(1000))
    given.when(receive(2))
    assert given.codes(CancelExchange(exchange_id="exc_1")) == ["exchange_completed"]


def test_an_exchange_whose_difference_is_not_paid_is_canceled_and_its_goods_refunded() -> None:
    """
    A cancellation after receipt refunds the goods and the payments; a second one does nothing, even without
    the order.
    """
    given = opened(price=3000, shipping_option_id="so_return")
    given.when(receive(2))
    assert given.the().needs_attention
    given.when(pay(400))

    events = given.when(CancelExchange(exchange_id="exc_1"))
    given.all_delivered()

    assert [type(event).__name__ for event in events] == ["ExchangeCanceled", "ReturnResolved"]
    assert (the(given).status, the(given).owed) == (ExchangeStatus.CANCELED, usd(0))
    ret = given.the()
    assert (ret.status, ret.refunded, ret.needs_attention) == (ReturnStatus.RECEIVED, usd(1800 + 400), False)
    assert names_and_amounts(ret) == {"item:mug": 2000, "payment:ch_1": 400, "return_shipping": -200}
    assert "exc_1-replacement-1" not in given.ledger.open_effects
    given.order = None
    assert given.when(CancelExchange(exchange_id="exc_1")) == ()


def test_an_exchange_that_is_canceled_late_needs_its_order() -> None:
    """A cancellation after receipt needs the order, and blocks the refund if too little is refundable."""
    given = opened(price=3000)
    given.when(receive(2))
    order, given.order = given.order, None
    assert given.codes(CancelExchange(exchange_id="exc_1")) == ["order_not_found"]
    given.order = order
    put(given, payments=[Payment(id="pay_1", captured=usd(100))])

    events = given.when(CancelExchange(exchange_id="exc_1"))

    assert [type(event).__name__ for event in events][2:] == ["RefundBlocked"]
    assert given.the().amount_due == usd(2000)


def test_deductions_of_a_canceled_exchange_are_those_of_a_return() -> None:
    """After a cancellation return shipping deducts at most the value of the goods."""
    given = Given(order_of(line(price=50)))
    given.when(exchange(1, 3000, shipping_option_id="so_return"))
    given.when(receive(1))
    given.when(pay(300))

    given.when(CancelExchange(exchange_id="exc_1"))

    assert given.the().refund_amount == usd(300)
    assert not given.the().needs_attention


def test_all_violations_are_reported_at_once() -> None:
    """The refusal lists the violations of the return and of the new items together."""
    given = Given(order_of(line(quantity=5)))
    given.books_shipments = False
    wrong: Any = "no"
    number: Any = 7

    error = given.refuses(
        exchange(
            9,
            new_items=[
                NewItem(variant_id="", quantity=0, unit_price=-1, title=number, tax_lines=wrong),
                NewItem(variant_id="v", quantity=1, unit_price=Money(1, "eur"), is_tax_inclusive=wrong),
                NewItem(
                    variant_id="v", quantity=1, unit_price=wrong, tax_lines=vat("5", amount=Money(1, "eur"))
                ),
            ],
            outbound_shipping=ShippingMethod(id="sm", option_id=None, name="", price=Money(1, "eur")),
            created_by=7,
            idempotency_key="",
        )
    )

    assert [violation.code for violation in error.violations] == [
        "quantity_exceeds_returnable",
        "invalid_text",
        "no_fulfillment",
        "invalid_new_item",
        "invalid_new_item",
        "invalid_new_item",
        "invalid_new_item",
        "invalid_new_item",
        "currency_mismatch",
        "invalid_flag",
        "invalid_new_item",
        "invalid_new_item",
        "currency_mismatch",
        "invalid_idempotency_key",
    ]
    named = [violation.numbers.get("field") for violation in error.violations[3:8]]
    assert named == ["variant_id", "quantity", "unit_price", "title", "tax_lines"]


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (exchange(new=0), ["no_new_items"]),
        (exchange(items=[]), ["no_items"]),
        (exchange(new_items=7), ["invalid_items"]),
        (exchange(outbound_shipping=7), ["invalid_outbound_shipping"]),
        (pay(), ["exchange_not_found"]),
        (pay(True, ""), ["exchange_not_found", "invalid_reference", "invalid_payment_amount"]),
        (CancelExchange(exchange_id="exc_9"), ["exchange_not_found"]),
    ],
)
def test_each_impossible_command_is_refused_with_its_code(command: Any, codes: list[str]) -> None:
    """
    An exchange needs items, new items and valid shipping; a payment or cancellation needs a known exchange.
    """
    given = Given(order_of(line(quantity=5)))

    assert given.codes(command) == codes


def test_an_order_that_is_not_there_is_not_found() -> None:
    """An exchange for an unknown order is refused as NotFound."""
    given = Given()
    given.order = None

    assert isinstance(given.refuses(exchange()), NotFound)


@for_all(
    quantity=st.integers(1, 4),
    price=st.integers(0, 99),
    new_price=st.integers(0, 500),
    inclusive=st.booleans(),
    arrivals=st.integers(1, 5),
    early=st.booleans(),
    postage=st.booleans(),
)
def test_an_exchange_pays_exactly_its_difference(
    quantity: int, price: int, new_price: int, inclusive: bool, arrivals: int, early: bool, postage: bool
) -> None:
    """
    The customer gives, in goods and money, exactly what they get, whatever arrives and whenever they pay.
    """
    given = Given(order_of(line(quantity=9, price=price), captured=9 * price))
    item = NewItem(
        variant_id="v", quantity=2, unit_price=new_price, tax_lines=vat("7.5"), is_tax_inclusive=inclusive
    )
    given.when(exchange(quantity, new_items=[item], shipping_option_id="so_return" if postage else None))
    if early and the(given).owed.amount:
        given.when(pay(the(given).owed))
    given.when(receive(arrivals, allow_mismatch=True))
    if the(given).owed.amount:
        given.when(pay(the(given).owed, "ch_2"))
    given.all_delivered()

    gave = arrivals * price + the(given).paid.amount
    got = item.total.amount + 200 * postage + given.the().refunded.amount + given.the().amount_due.amount
    assert gave == got
    assert the(given).status is ExchangeStatus.COMPLETED
    assert the(given).difference_due == usd(item.total.amount + 200 * postage - arrivals * price)
    assert sum(part.amount.amount for part in given.the().breakdown) == given.the().refund_amount.amount
