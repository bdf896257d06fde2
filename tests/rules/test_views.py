"""What is computed from an order and its ledger."""

from datetime import timedelta

import pytest

from rma import CancelReturn, LineItem, OrderStatus, Payment, ReturnPolicy
from rma.domain.messages.effects import RefundDeclined
from rma.domain.views.order_state import FulfillmentStatus, PaymentStatus, order_state
from rma.domain.views.quotes import quote_of
from rma.domain.views.returnable import returnable_items
from rma.testing.core_harness import START
from tests.rules.given import Given, line, off, order_of, put, receive, request, usd, vat


def state(given: Given) -> tuple[str, str, int, int]:
    """
    Returns the fulfillment status, the payment status, what is refundable, and the version of the order.
    """
    assert given.order is not None
    found = order_state(given.order, given.ledger)
    return (
        found.fulfillment_status.value,
        found.payment_status.value,
        found.refundable.amount,
        found.order_version,
    )


def test_an_orders_state_follows_its_returns() -> None:
    """
    The state goes from fulfilled and captured to returned and refunded, and its version counts every
    change.
    """
    given = Given(order_of(line(quantity=2), captured=2000))
    states = [state(given)]

    for command in (
        request(1),
        receive(1),
        request(1),
        CancelReturn(return_id="ret_2"),
        request(1),
        receive(0, 1, return_id="ret_3"),
    ):
        given.when(command)
        states.append(state(given))

    assert states == [
        ("fulfilled", "captured", 2000, 1),
        ("fulfilled", "captured", 2000, 2),
        ("partially_returned", "partially_refunded", 1000, 3),
        ("partially_returned", "partially_refunded", 1000, 4),
        ("partially_returned", "partially_refunded", 1000, 5),
        ("partially_returned", "partially_refunded", 1000, 6),
        ("returned", "refunded", 0, 7),
    ]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([line("a", fulfilled_quantity=0)], FulfillmentStatus.NOT_FULFILLED),
        ([line("a"), line("b", fulfilled_quantity=0)], FulfillmentStatus.PARTIALLY_FULFILLED),
        ([line("a"), line("b")], FulfillmentStatus.FULFILLED),
        ([line("a", returned_quantity=1), line("b")], FulfillmentStatus.PARTIALLY_RETURNED),
        ([line("a", returned_quantity=2), line("b", fulfilled_quantity=0)], FulfillmentStatus.RETURNED),
    ],
)
def test_fulfillment_counts_what_the_host_took_back(lines: list[LineItem], status: FulfillmentStatus) -> None:
    """An order is returned when every fulfilled unit is back, also by the count of the host."""
    given = Given(order_of(*lines))

    assert state(given)[0] == status


@pytest.mark.parametrize(
    ("captured", "refunded", "status"),
    [
        (0, 0, PaymentStatus.NOT_PAID),
        (5, 0, PaymentStatus.CAPTURED),
        (5, 2, PaymentStatus.PARTIALLY_REFUNDED),
        (5, 5, PaymentStatus.REFUNDED),
        (5, 9, PaymentStatus.REFUNDED),
    ],
)
def test_payment_counts_what_the_host_refunded(captured: int, refunded: int, status: PaymentStatus) -> None:
    """An order is refunded when something was refunded and nothing is left, also by the count of the host."""
    payments = [Payment(id="p", captured=usd(captured), refunded=usd(refunded))]

    assert state(Given(order_of(payments=payments)))[1] == status


def test_refunds_that_failed_do_not_count() -> None:
    """The amount of a declined refund is refundable again."""
    given = Given(order_of(captured=2000))
    given.when(request(2))
    given.when(receive(2))
    before = state(given)

    given.record_outcomes(("ret_1-refund-1", RefundDeclined("expired")))

    assert before == ("returned", "refunded", 0, 3)
    assert state(given) == ("returned", "captured", 2000, 3)


def test_returnable_items_say_how_many_what_one_is_worth_and_why_not_more() -> None:
    """
    Every line, in the order's order, has its returnable quantity, the value of one unit and the reasons for
    the limit.
    """
    given = Given(
        order_of(
            line("mug", 5, 1000, fulfilled_quantity=4, adjustments=off(100), tax_lines=vat("20")),
            line("sale", 1, 500, is_returnable=False),
            line("free", 1, 0),
        )
    )
    given.when(request(1))
    given.when(receive(1))
    given.when(request(1))
    assert given.order is not None

    mug, sale, free = returnable_items(given.order, given.ledger, given.policy, given.now)

    assert (mug.item_id, mug.quantity, mug.unit_value) == ("mug", 2, usd(1176))
    assert mug.reasons == ("not_fulfilled", "in_open_return", "already_returned")
    assert (sale.quantity, sale.unit_value, sale.reasons) == (0, usd(500), ("item_not_returnable",))
    assert (free.quantity, free.unit_value, free.reasons) == (1, usd(0), ())


def test_returnable_items_give_the_reasons_of_a_refusal() -> None:
    """A canceled order, a closed window and an open return are all given as reasons."""
    given = Given(order_of(line(quantity=1, delivered_at=START)), ReturnPolicy(window_days=1))
    given.when(request(1))
    put(given, status=OrderStatus.CANCELED)
    assert given.order is not None

    (mug,) = returnable_items(given.order, given.ledger, given.policy, START + timedelta(days=2))

    assert (mug.quantity, mug.unit_value) == (0, usd(0))
    assert mug.reasons == ("order_canceled", "return_window_closed", "in_open_return")


def test_a_quote_says_what_each_item_is_worth() -> None:
    """A quote has the value of each item before deductions and the refund after them."""
    given = Given()
    given.when(request(1, shipping_option_id="so_return"))

    assert given.order is not None

    quote = quote_of(given.the(), given.order, given.ledger, given.now)

    assert [(item.item_id, item.quantity, item.amount) for item in quote.items] == [("mug", 1, usd(1000))]
    assert quote.refund_amount == usd(800)
    assert quote.breakdown == given.the().breakdown
