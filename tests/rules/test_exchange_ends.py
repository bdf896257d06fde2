"""Exchanges that were paid and are canceled, and those whose new goods cannot be had."""

from typing import Any

import pytest

from rma import (
    ApproveReturn,
    CancelExchange,
    CancelReturn,
    DeclineReturn,
    ExchangeCanceled,
    ExchangePaymentRefunded,
    ExchangeStatus,
    ExchangeUpdated,
    ExpireReturn,
    NewItem,
    OutOfStock,
    Payment,
    RecordRefundOutcome,
    RefundDeclined,
    ReleaseReservationRequest,
    ReplacementShipment,
    RequestedItem,
    RequestExchange,
    ReserveRequest,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnStatus,
    ShippingMethod,
    UpdateExchange,
    VariantLine,
)
from rma.domain.messages.effects import Done
from rma.domain.react import react
from tests.rules.advance import NOT_GRADED, customer_paid, first, pay, shipped, shoes, the
from tests.rules.given import Given, effect_kinds, line, order_of, put, receive, usd


def exchange(price: int = 3000, quantity: int = 2, **more: Any) -> RequestExchange:
    """Requests an exchange of mugs at 10.00 for one thing at this price."""
    fields: dict[str, Any] = {
        "items": [RequestedItem(item_id="mug", quantity=quantity)],
        "new_items": [NewItem(variant_id="v_new", quantity=1, unit_price=price)],
        **more,
    }
    return RequestExchange(order_id="order_1", **fields)


def opened(policy: ReturnPolicy | None = None, *, reserves: bool = False, **more: Any) -> Given:
    """Returns an order of two mugs for 20.00 with an exchange of both."""
    given = Given(order_of(captured=2000), policy)
    given.reserves = reserves
    given.when(exchange(**more))
    return given


def instead(price: int = 2500, variant: str = "v_other", **more: Any) -> UpdateExchange:
    """Asks for something else at this price."""
    new = [NewItem(variant_id=variant, quantity=1, unit_price=price)]
    return UpdateExchange(exchange_id="exc_1", new_items=new, **more)


CANCEL = CancelExchange(exchange_id="exc_1", created_by="ann")
KEEP = CancelExchange(exchange_id="exc_1", keep_return=True)
NONE_LEFT = OutOfStock("sold out")


def test_an_exchange_that_was_paid_is_canceled_and_the_payment_given_back() -> None:
    """From the payment that was made for it, though the order's is first; its units are free again."""
    given = opened()
    given.when(pay(600, "ch_1"))
    given.when(pay(400, "ch_2"))

    _, _, back = given.when(CANCEL)

    assert isinstance(back, ExchangePaymentRefunded)
    assert [(each.payment_id, each.amount) for each in back.refunds] == [
        ("ch_1", usd(600)),
        ("ch_2", usd(400)),
    ]
    assert [each.key for each in react(back)] == ["ret_1-refund-1", "ret_1-refund-2"]
    assert (the(given).status, given.the().status) == (ExchangeStatus.CANCELED, ReturnStatus.CANCELED)
    assert customer_paid(given) == 2000
    assert given.when(CANCEL) == ()
    given.all_delivered()
    assert not given.the().needs_attention
    given.when(exchange())


def test_goods_that_arrive_after_a_paid_exchange_was_canceled_are_worth_what_they_are() -> None:
    """What was given back of the exchange is not given back again with them."""
    given = opened()
    given.when(pay(1000))
    given.when(CANCEL)
    given.when(receive(2))
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().refunded == usd(3000)
    assert customer_paid(given) == 0


def test_a_payment_that_cannot_be_given_back_is_due() -> None:
    """The order is gone: refused. Its payments have too little left: blocked, and asked for again later."""
    given = opened()
    given.when(pay(1000))
    order, given.order = given.order, None
    assert given.codes(CANCEL) == ["order_not_found"]
    given.order = order
    put(given, payments=[Payment(id="ch_1", captured=usd(1000), refunded=usd(1000))])
    *_, blocked = given.when(CANCEL)
    assert type(blocked).__name__ == "RefundBlocked"
    assert given.the().amount_due == usd(1000)
    put(given, payments=[Payment(id="ch_1", captured=usd(1000))])
    given.when(RetryRefund(return_id="ret_1"))
    assert given.the().refunded == usd(1000)


def test_a_canceled_exchange_can_leave_its_return() -> None:
    """The customer wants the money instead: the goods come back, and are refunded as any return's."""
    given = opened()
    given.when(pay(1000))
    canceled, _ = given.when(KEEP)
    assert isinstance(canceled, ExchangeCanceled)
    assert (the(given).status, given.the().status) == (ExchangeStatus.CANCELED, ReturnStatus.REQUESTED)
    assert given.the().refund_amount == usd(3000)
    given.when(receive(2))
    assert given.the().refunded == usd(3000)
    assert customer_paid(given) == 0


def test_a_return_that_its_exchange_left_is_canceled_by_itself() -> None:
    """Nothing waits for it any more."""
    given = opened()
    given.when(pay(1000))
    given.when(KEEP)
    given.when(CancelReturn(return_id="ret_1"))
    assert given.the().status is ReturnStatus.CANCELED
    assert customer_paid(given) == 2000


def test_a_return_that_its_exchange_left_expires_or_is_declined() -> None:
    """The exchange is not canceled once more; what was given back stays given back, and is not overpaid."""
    given = opened(ReturnPolicy(return_within_days=7))
    given.when(pay(1000))
    given.when(KEEP)
    until = given.the().return_by
    assert until is not None
    assert given.the().expires_at == until
    given.now = until
    assert len(given.when(ExpireReturn(return_id="ret_1"))) == 1
    assert given.the().entitlement.overpaid == usd(0)
    assert customer_paid(given) == 2000

    given = opened(ReturnPolicy(review=True))
    given.when(KEEP)
    assert len(given.when(DeclineReturn(return_id="ret_1", reason="no"))) == 1
    given = opened(ReturnPolicy(review=True))
    given.when(KEEP)
    given.when(ApproveReturn(return_id="ret_1"))
    assert given.the().refund_amount == usd(2000)


def test_keeping_the_return_is_a_flag() -> None:
    """Anything else is a mistake."""
    given = opened()
    assert given.codes(CancelExchange(exchange_id="exc_1", keep_return="yes")) == ["invalid_flag"]  # type: ignore[arg-type] # on purpose
    assert given.codes(CancelExchange(exchange_id="exc_9")) == ["exchange_not_found"]


def test_new_goods_are_reserved_while_the_others_are_expected() -> None:
    """With the request; sent with the reservation's key, after it was answered."""
    given = opened(reserves=True, price=2000)
    assert effect_kinds(given.ledger) == ["reserve-1"]
    request = given.ledger.open_effects["exc_1-reserve-1"].request
    assert request == ReserveRequest("exc_1-reserve-1", "order_1", "exc_1", (VariantLine("v_new", 1),))
    given.when(receive(2))
    sent = given.ledger.open_effects["exc_1-replacement-1"]
    assert sent.waits_for == "exc_1-reserve-1"
    given.all_delivered()
    assert the(given).shipment == ReplacementShipment({"label": "exc_1-replacement-1"})


def test_a_reservation_ends_with_its_exchange() -> None:
    """Canceled, declined or expired: the goods are free again, once the reservation was answered."""
    for end in (CANCEL, KEEP):
        given = opened(reserves=True)
        *_, canceled = [event for event in given.when(end) if isinstance(event, ExchangeCanceled)]
        (release,) = react(canceled)
        assert release == ReleaseReservationRequest(
            "exc_1-unreserve-1", "order_1", "exc_1", "exc_1-reserve-1", (VariantLine("v_new", 1),)
        )
        assert given.ledger.open_effects["exc_1-unreserve-1"].waits_for == "exc_1-reserve-1"
    given = opened(ReturnPolicy(review=True), reserves=True)
    given.when(DeclineReturn(return_id="ret_1", reason="no"))
    assert effect_kinds(given.ledger) == ["reserve-1", "unreserve-1"]


def test_new_goods_that_cannot_be_reserved_are_replaced_by_others() -> None:
    """Out of stock: a person or the customer chooses other goods, and the difference is theirs."""
    given = opened(reserves=True)
    given.record_outcomes(("exc_1-reserve-1", NONE_LEFT))
    assert (the(given).status, the(given).out_of_stock) == (ExchangeStatus.REQUIRES_ACTION, NONE_LEFT)
    assert the(given).needs_attention
    assert the(given).reservation is None

    (updated,) = given.when(instead(2500, created_by="ann"))

    assert isinstance(updated, ExchangeUpdated)
    assert (the(given).status, the(given).owed, the(given).out_of_stock) == (
        ExchangeStatus.REQUESTED,
        usd(500),
        None,
    )
    assert [each.key for each in react(updated)] == ["exc_1-reserve-2"]
    given.when(pay(500))
    given.when(receive(2))
    given.all_delivered()
    assert the(given).status is ExchangeStatus.COMPLETED
    assert customer_paid(given) == 2500


def test_goods_that_arrive_while_the_new_ones_are_out_of_stock_wait_for_a_person() -> None:
    """Nothing is sent, whatever is paid; other goods are sent at once, or everything is refunded."""
    given = opened(reserves=True, price=2000)
    given.when(receive(2))
    given.record_outcomes(("exc_1-reserve-1", NONE_LEFT))
    assert "replacement-1" not in effect_kinds(given.ledger)
    assert the(given).status is ExchangeStatus.REQUIRES_ACTION

    updated, _ = given.when(instead(2000))
    assert isinstance(updated, ExchangeUpdated)
    assert updated.replacement is not None
    assert updated.replacement.key == "exc_1-replacement-2"
    assert updated.replacement.reservation_key == "exc_1-reserve-2"
    assert the(given).status is ExchangeStatus.COMPLETED

    given = opened(reserves=True)
    given.record_outcomes(("exc_1-reserve-1", NONE_LEFT))
    given.when(receive(2))
    given.when(pay(1000))
    assert the(given).status is ExchangeStatus.REQUIRES_ACTION
    given.when(CANCEL)
    assert given.the().refunded == usd(3000)
    assert customer_paid(given) == 0


def test_new_goods_that_cannot_be_sent_make_the_exchange_require_action() -> None:
    """A replacement that is declined later: nothing was sent, and another is asked for under the next key."""
    given = opened(price=1500)
    given.when(receive(2))
    given.record_outcomes(("exc_1-replacement-1", NONE_LEFT))
    assert (the(given).status, the(given).is_sent) == (ExchangeStatus.REQUIRES_ACTION, False)
    assert given.the().refunded == usd(500)
    assert given.codes(instead(2000)) == ["difference_already_refunded"]

    given.when(instead(1200))

    assert the(given).status is ExchangeStatus.COMPLETED
    assert given.the().refunded == usd(800)
    assert effect_kinds(given.ledger)[-2:] == ["replacement-2", "refund-2"]
    given.all_delivered()
    assert customer_paid(given) == 1200


def test_an_exchange_whose_new_goods_cannot_be_sent_is_refunded() -> None:
    """Goods and payments, less what was refunded before."""
    given = opened(price=1500)
    given.when(receive(2))
    given.record_outcomes(("exc_1-replacement-1", NONE_LEFT))
    given.when(CANCEL)
    assert given.the().refunded == usd(2000)
    assert customer_paid(given) == 0


def test_other_goods_can_be_chosen_before_any_were_sent() -> None:
    """What was reserved is free again; how the new goods travel stays, unless it is said again."""
    post = ShippingMethod(id="sm", option_id="so_out", name="Post", price=usd(500))
    given = opened(reserves=True, outbound_shipping=post)
    given.record_outcomes(("exc_1-reserve-1", Done()))
    given.when(instead(1000))
    assert effect_kinds(given.ledger) == ["unreserve-1", "reserve-2"]
    assert (the(given).difference_due, given.the().refund_amount) == (usd(-500), usd(500))
    given.when(instead(1000, outbound_shipping=ShippingMethod(id="s", option_id="o", name="P", price=usd(0))))
    assert the(given).difference_due == usd(-1000)
    given.record_outcomes(("exc_1-reserve-2", NONE_LEFT))
    assert the(given).out_of_stock is None  # of a reservation that is not needed any more
    given.when(receive(2))
    assert given.codes(instead()) == ["exchange_completed"]


def test_an_advance_whose_new_goods_are_out_of_stock_is_not_charged() -> None:
    """Nothing was sent: it can be canceled, its hold is released; or others are sent at once."""
    given = shipped(NOT_GRADED)
    given.record_outcomes(("exc_1-replacement-1", NONE_LEFT))
    assert (the(given).status, the(given).sent_first) == (ExchangeStatus.REQUIRES_ACTION, False)
    given.when(instead(6495))
    assert (the(given).status, the(given).sent_first) == (ExchangeStatus.REQUESTED, True)
    given.record_outcomes(("exc_1-replacement-2", NONE_LEFT))
    given.when(instead(7000))
    assert (the(given).status, the(given).owed) == (ExchangeStatus.AWAITING_PAYMENT, usd(505))
    given.when(CANCEL)
    assert "release-1" in effect_kinds(given.ledger)
    assert customer_paid(given) == 5995


def test_other_goods_need_no_more_than_the_hold_covers() -> None:
    """Of cheap goods it was little: dear ones need a hold that is larger."""
    from tests.rules.advance import hold  # noqa: PLC0415 # beside what it is used for

    given = Given(shoes(), NOT_GRADED)
    given.when(first(4000, hold=hold(4000)))
    given.record_outcomes(("exc_1-replacement-1", NONE_LEFT))
    assert given.codes(instead(5000)) == ["hold_too_small"]
    given.when(instead(3000))


def test_what_cannot_be_updated_is_refused() -> None:
    """With everything that is wrong."""
    given = opened()
    assert given.codes(UpdateExchange(exchange_id="exc_9", new_items=[])) == [
        "exchange_not_found",
        "no_new_items",
    ]
    given.books_shipments = False
    assert given.codes(instead()) == ["no_fulfillment"]
    given.books_shipments = True
    given.when(CANCEL)
    assert given.codes(instead()) == ["exchange_canceled"]
    given = shipped()
    assert given.codes(instead()) == ["new_goods_sent"]


@pytest.mark.parametrize("price", [1500, 2000, 3000])
def test_an_answer_that_comes_after_the_exchange_was_canceled_changes_nothing(price: int) -> None:
    """The goods were not to be kept any more."""
    given = opened(reserves=True, price=price)
    given.when(CANCEL)
    given.record_outcomes(("exc_1-reserve-1", NONE_LEFT))
    assert the(given).status is ExchangeStatus.CANCELED


@pytest.mark.parametrize("is_declined", [False, True])
def test_what_became_of_a_payment_given_back_is_recorded_before_the_return_is_approved(
    is_declined: bool,  # drawn
) -> None:
    """An exchange was paid and canceled, its return still waits for approval, or was declined then."""
    given = opened(ReturnPolicy(review=True))
    given.when(pay(1000))
    given.when(KEEP)
    assert given.the().status is ReturnStatus.PENDING_APPROVAL
    if is_declined:
        given.when(DeclineReturn(return_id="ret_1", reason="worn"))

    given.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundDeclined("closed")))
    assert given.the().amount_due == usd(1000)
    given.when(RetryRefund(return_id="ret_1"))

    given.all_delivered()
    assert (given.the().refunded, given.the().amount_due) == (usd(1000), usd(0))


def test_other_new_goods_do_not_change_the_quote_by_what_arrived_besides() -> None:
    """Two were requested, a third is inspected with them; then a parcel makes it a mismatch again."""
    given = Given(order_of(line(quantity=3)), ReturnPolicy(inspect=True))
    given.when(exchange(500))
    given.when(receive(3))
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    given.when(instead(600))
    assert given.the().quoted_refund == usd(1400)
    given.when(receive(0))

    target = given.the()
    assert target.status is ReturnStatus.REQUIRES_ACTION
    assert sum(part.amount.amount for part in target.breakdown) == target.refund_amount.amount == 1400


def test_what_was_paid_for_fewer_units_is_quoted_once_the_others_may_come() -> None:
    """One of two is inspected, 5.00 are owed and paid; then both may come, and would be worth more."""
    given = Given(order_of(line(quantity=3)), ReturnPolicy(inspect=True))
    given.when(exchange(1500))
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))
    given.when(instead(1500))
    assert the(given).owed == usd(500)
    given.when(pay(500))
    given.when(receive(0))

    target = given.the()
    assert target.status is ReturnStatus.REQUIRES_ACTION
    assert sum(part.amount.amount for part in target.breakdown) == target.refund_amount.amount == 1000
