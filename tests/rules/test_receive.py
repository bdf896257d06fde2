"""ReceiveReturn."""

from typing import Any, cast

import pytest

from rma import (
    CancelReturn,
    Fee,
    GoodsReceived,
    Invalid,
    Money,
    NotAllowed,
    NotFound,
    OrderStatus,
    Payment,
    ReceiptItem,
    ReceivedItem,
    ReceiveReturn,
    RefundBlocked,
    RefundRequest,
    RefundStatus,
    RequestedItem,
    RequestReturn,
    ReturnPolicy,
    ReturnStatus,
)
from rma.domain.messages.effects import RefundDeclined, RestockRequest, StockLine
from rma.domain.react import react
from tests.rules.given import (
    Given,
    effect_kinds,
    line,
    names_and_amounts,
    off,
    order_of,
    put,
    receive,
    request,
    usd,
    vat,
)


def requested(quantity: int = 2, *, policy: ReturnPolicy | None = None, **more: Any) -> Given:
    """A return of mugs at 10.00, of an order of five."""
    given = Given(order_of(line(quantity=5)), policy)
    given.when(request(quantity, **more))
    return given


def test_what_was_requested_arrived_so_stock_and_money_move() -> None:
    """Stock first."""
    given = requested(2, location_id="loc_1")

    (event,) = given.when(receive(2, created_by="bob"))

    ret = given.the()
    assert isinstance(event, GoodsReceived)
    assert event.status is ret.status is ReturnStatus.RECEIVED
    assert react(event) == (
        RestockRequest("ret_1/restock/1", "order_1", "ret_1", "loc_1", (StockLine("mug", "v_mug", 2),)),
        RefundRequest("ret_1/refund/1", "order_1", "ret_1", "pay_1", usd(2000)),
    )
    assert (ret.received_at, ret.updated_at, ret.refund_amount) == (given.now, given.now, usd(2000))
    assert ret.amount_due == usd(0)
    (refund,) = ret.refunds
    assert (refund.status, refund.requested_at, refund.retry_of) == (RefundStatus.PENDING, given.now, None)
    (receipt,) = ret.receipts
    assert (receipt.number, receipt.by, receipt.items) == (1, "bob", (ReceiptItem("mug", 2, 0),))


@pytest.mark.parametrize(
    "arrivals",
    [
        [ReceivedItem(item_id="mug", quantity=1)],
        [ReceivedItem(item_id="mug", quantity=3)],
        [ReceivedItem(item_id="mug", quantity=2), ReceivedItem(item_id="pot", quantity=1)],
        [ReceivedItem(item_id="pot", quantity=1)],
        [
            ReceivedItem(item_id="mug", quantity=0),
            ReceivedItem(item_id="pot", quantity=0, damaged_quantity=1),
        ],
    ],
    ids=["less", "more", "something else besides", "something else instead", "something else, damaged"],
)
def test_anything_else_is_a_mismatch_that_books_the_goods_and_moves_no_money(
    arrivals: list[ReceivedItem],
) -> None:
    """What arrived is a fact all the same: sellable units are in stock at once."""
    given = Given(order_of(line(quantity=5), line("pot")))
    given.when(request(2))

    given.when(ReceiveReturn(return_id="ret_1", items=arrivals))

    ret = given.the()
    assert ret.status is ReturnStatus.REQUIRES_ACTION
    assert (ret.refunds, ret.received_at, ret.refund_amount) == ((), None, usd(2000))
    sellable = [
        StockLine(each.item_id, f"v_{each.item_id}", each.quantity) for each in arrivals if each.quantity
    ]
    restock = ret.receipts[0].restock
    assert (list(restock.lines) if restock else []) == sellable
    assert {item.item_id for item in ret.items if not item.is_requested} <= {"mug", "pot"}


def test_a_mismatch_can_be_accepted_at_once() -> None:
    """Paid for what arrived; what did not come is returnable again."""
    given = requested(3)

    given.when(receive(1, allow_mismatch=True))

    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refund_amount == usd(1000)
    assert given.refuses(request(5)).violations[0].numbers == {"quantity": 5, "returnable": 4}


def test_a_mismatch_can_be_accepted_later_without_items() -> None:
    """The clerk's word that this is all."""
    given = requested(3)
    given.when(receive(1))

    (event,) = given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))

    assert effect_kinds(given.ledger) == ["restock/1", "refund/1"]
    assert given.the().refund_amount == usd(1000)
    assert given.the().receipts[1].items == ()
    assert isinstance(event, GoodsReceived)
    assert event.receipt.restock is None


def test_later_parcels_add_to_earlier_ones() -> None:
    """Two of three, then the third: the sum matches."""
    given = requested(3)
    given.when(receive(2))

    given.when(receive(1))

    (item,) = given.the().items
    assert (item.received_quantity, given.the().status) == (3, ReturnStatus.RECEIVED)
    assert given.the().refund_amount == usd(3000)


def test_more_expected_pays_for_each_parcel_as_it_comes() -> None:
    """Return shipping is deducted once, from the first."""
    given = requested(3, shipping_option_id="so_return")

    given.when(receive(1, more_expected=True))
    first = given.the()
    given.when(receive(1, 1))

    assert (first.status, first.received_at) == (ReturnStatus.PARTIALLY_RECEIVED, None)
    assert first.refund_amount == usd(2800)
    assert [refund.amount for refund in given.the().refunds] == [usd(800), usd(2000)]
    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refund_amount == usd(2800)


def test_more_expected_speaks_only_of_what_is_missing() -> None:
    """All came: received. Something unannounced besides: requires action, and nothing is paid."""
    complete = requested(2)
    complete.when(receive(2, more_expected=True))
    extra = requested(2)
    extra.when(receive(3, more_expected=True))

    assert complete.the().status is ReturnStatus.RECEIVED
    assert extra.the().status is ReturnStatus.REQUIRES_ACTION
    assert extra.the().refunds == ()


def test_extra_units_take_their_value_from_what_remains_of_their_line() -> None:
    """And become a return item that was not requested; more of them join it."""
    given = Given(order_of(line(quantity=5, adjustments=off(100))))
    given.when(request(2))

    given.when(receive(3))
    given.when(receive(0, 1))
    given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))

    requested_item, extra = given.the().items
    assert (requested_item.arrived_quantity, requested_item.is_requested) == (2, True)
    assert (extra.quantity, extra.received_quantity, extra.damaged_quantity) == (0, 1, 1)
    assert not extra.is_requested
    assert given.the().refund_amount == usd(4 * 980)
    assert given.codes(request(2)) == ["quantity_exceeds_returnable"]


def test_a_line_in_two_return_items_is_filled_in_request_order() -> None:
    """Sellable units first."""
    given = Given(order_of(line(quantity=5)))
    items = [RequestedItem(item_id="mug", quantity=2), RequestedItem(item_id="mug", quantity=1)]
    given.when(RequestReturn(order_id="order_1", items=items))

    given.when(receive(1, 1, more_expected=True))
    given.when(receive(0, 1))

    counts = [(item.received_quantity, item.damaged_quantity) for item in given.the().items]
    assert counts == [(1, 1), (0, 1)]


def test_no_more_arrives_than_is_announced_or_still_with_the_customer() -> None:
    """Two announced here, one in another return, two free: at most four."""
    given = requested(2)
    given.when(request(1))

    error = given.refuses(receive(3, 2))
    given.when(receive(2, 2))

    (violation,) = error.violations
    assert (violation.code, violation.item_id) == ("quantity_exceeds_receivable", "mug")
    assert violation.numbers == {"quantity": 5, "receivable": 4}


def test_damaged_units_are_not_restocked_and_paid_unless_the_terms_say_otherwise() -> None:
    """The terms are those of the request, not those of today."""
    pays = requested(2)
    pays.when(receive(1, 1))
    refuses = requested(2, policy=ReturnPolicy(refund_damaged=False))
    refuses.policy = ReturnPolicy()
    refuses.when(receive(1, 1))

    assert pays.the().refund_amount == usd(2000)
    assert refuses.the().refund_amount == usd(1000)
    assert refuses.the().status is ReturnStatus.RECEIVED
    for given in (pays, refuses):
        restock = given.the().receipts[0].restock
        assert restock is not None
        assert [each.quantity for each in restock.lines] == [1]


def test_nothing_sellable_means_nothing_for_stock() -> None:
    """All damaged: money moves, stock does not."""
    given = requested(2)

    given.when(receive(0, 2))

    assert effect_kinds(given.ledger) == ["refund/1"]


def test_a_custom_amount_shrinks_with_what_did_not_come() -> None:
    """7.00 for two of 10.00: one is worth 3.50; an unannounced unit is worth its price besides."""
    short = requested(2, refund_amount=usd(700))
    short.when(receive(1, allow_mismatch=True))
    extra = requested(2, refund_amount=usd(700))
    extra.when(receive(3, allow_mismatch=True))

    assert short.the().refund_amount == usd(350)
    assert names_and_amounts(short.the()) == {"item:mug": 1000, "custom_amount": -650}
    assert extra.the().refund_amount == usd(1700)


def test_a_custom_amount_for_goods_worth_nothing_goes_by_units() -> None:
    """And by those that are refunded."""
    policy = ReturnPolicy(refund_damaged=False)
    given = Given(order_of(line(quantity=3, price=0)), policy)
    given.when(request(3, refund_amount=usd(100)))

    given.when(receive(1, 1, allow_mismatch=True))

    assert given.the().refund_amount == usd(33)


def test_an_amount_named_on_receipt_is_for_the_whole_return_and_final() -> None:
    """Neither shipping nor fees come off it; what was paid before counts."""
    given = requested(3, shipping_option_id="so_return", policy=ReturnPolicy(fees=[Fee("f", percent=10)]))
    given.when(receive(1, more_expected=True))

    given.when(receive(2, refund_amount=usd(2500)))

    assert [refund.amount for refund in given.the().refunds] == [usd(700), usd(1800)]
    assert given.the().refund_amount == usd(2500)
    assert names_and_amounts(given.the()) == {"item:mug": 3000, "custom_amount": -500}


def test_an_amount_named_below_what_is_paid_takes_nothing_back() -> None:
    """What is paid stays granted, and the parts say so."""
    given = requested(2)
    given.when(receive(1, more_expected=True))

    given.when(receive(1, refund_amount=usd(400)))

    assert [refund.amount for refund in given.the().refunds] == [usd(1000)]
    assert (given.the().refund_amount, given.the().amount_due) == (usd(1000), usd(0))
    assert names_and_amounts(given.the()) == {
        "item:mug": 2000,
        "custom_amount": -1600,
        "already_paid": 600,
    }


def test_an_amount_named_on_a_mismatch_is_kept_until_it_is_accepted() -> None:
    """Or until a later parcel makes the sum match, unless another is named."""
    accepted = requested(2)
    accepted.when(receive(1, refund_amount=usd(900)))
    kept = accepted.the()
    accepted.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))
    completed = requested(2)
    completed.when(receive(1, refund_amount=usd(900)))
    completed.when(receive(1))
    renamed = requested(2)
    renamed.when(receive(1, refund_amount=usd(900)))
    renamed.when(receive(1, refund_amount=usd(800)))

    assert (kept.refunds, kept.refund_amount) == ((), usd(2000))
    assert accepted.the().refund_amount == usd(900)
    assert completed.the().refund_amount == usd(900)
    assert renamed.the().refund_amount == usd(800)


def test_a_named_amount_above_what_is_refundable_is_refused() -> None:
    """The caller's to change, and the maximum is in the answer: what is left and what this return has."""
    given = Given(order_of(line(quantity=5), captured=3000))
    given.when(request(3))
    given.when(receive(1, more_expected=True))

    error = given.refuses(receive(2, refund_amount=usd(3001)))
    given.when(receive(2, refund_amount=usd(3000)))

    assert error.violations[0].numbers == {"amount": 3001, "refundable": 3000, "currency": "usd"}
    assert [refund.amount for refund in given.the().refunds] == [usd(1000), usd(2000)]


def test_a_following_amount_above_what_is_refundable_books_the_goods_and_pays_nothing() -> None:
    """Not even a part; it is due, and said."""
    given = Given(order_of(captured=1500))
    given.when(request(2))

    received, blocked = given.when(receive(2))

    ret = given.the()
    assert isinstance(received, GoodsReceived)
    assert isinstance(blocked, RefundBlocked)
    assert (blocked.amount, blocked.refundable) == (usd(2000), usd(1500))
    assert (ret.status, ret.entitlement.is_refund_blocked, ret.refunds) == (ReturnStatus.RECEIVED, True, ())
    assert (ret.refund_amount, ret.amount_due) == (usd(2000), usd(2000))
    assert effect_kinds(given.ledger) == ["restock/1"]


def test_a_blocked_parcel_stays_blocked_through_a_mismatch() -> None:
    """Only paying ends it."""
    given = Given(order_of(line(quantity=5), captured=500))
    given.when(request(2))
    given.when(receive(1, more_expected=True))

    given.when(receive(2))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert given.the().entitlement.is_refund_blocked
    assert given.the().amount_due == usd(1000)


def test_a_host_that_rounds_in_other_ways_is_met_by_a_cent_a_line() -> None:
    """Two lines of 0.10 at 5 %: we say 0.22, they captured 0.21; that is paid and shown."""
    given = Given(
        order_of(line("a", 1, 10, tax_lines=vat("5")), line("b", 1, 10, tax_lines=vat("5")), captured=21)
    )
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in "ab"]
    given.when(RequestReturn(order_id="order_1", items=items))

    arrivals = [ReceivedItem(item_id=item_id, quantity=1) for item_id in "ab"]
    given.when(ReceiveReturn(return_id="ret_1", items=arrivals))

    assert names_and_amounts(given.the()) == {"item:a": 11, "item:b": 11, "rounding": -1}
    assert (given.the().refund_amount, given.the().amount_due) == (usd(21), usd(0))


@pytest.mark.parametrize(("captured", "blocked"), [(1999, False), (1998, True)])
def test_more_than_a_cent_a_line_is_no_rounding(captured: int, *, blocked: bool) -> None:
    """One line: one minor unit."""
    given = Given(order_of(captured=captured))
    given.when(request(2))

    given.when(receive(2))

    assert given.the().entitlement.is_refund_blocked is blocked


def test_a_refund_is_taken_from_the_payments_in_their_order() -> None:
    """Each up to what it has left; one that has nothing is left out."""
    payments = [
        Payment(id="card", captured=usd(700), refunded=usd(100)),
        Payment(id="spent", captured=usd(50), refunded=usd(50)),
        Payment(id="gift", captured=usd(5000), kind="gift_card"),
    ]
    given = Given(order_of(payments=payments))
    given.when(request(2))

    given.when(receive(2))

    assert [(refund.key, refund.payment_id, refund.amount.amount) for refund in given.the().refunds] == [
        ("ret_1/refund/1", "card", 600),
        ("ret_1/refund/2", "gift", 1400),
    ]


def test_money_on_its_way_counts_against_what_is_refundable() -> None:
    """A second return can not spend what the first is about to."""
    given = Given(order_of(line(quantity=2), captured=1500))
    given.when(request(1))
    given.when(request(1))
    given.when(receive(1))

    given.when(receive(1, return_id="ret_2"))

    assert given.the("ret_2").entitlement.is_refund_blocked


def test_a_failed_refund_is_made_good_by_the_next_parcel() -> None:
    """What is due for the whole return, less what is in force."""
    given = requested(2)
    given.when(receive(1, more_expected=True))
    given.record_outcomes(("ret_1/refund/1", RefundDeclined("expired", "card expired")))

    given.when(receive(1))

    first, second = given.the().refunds
    assert (first.status, first.failure) == (RefundStatus.FAILED, "expired: card expired")
    assert (second.amount, second.retry_of) == (usd(2000), "ret_1/refund/1")


def test_goods_for_an_order_canceled_meanwhile_are_booked() -> None:
    """They are a fact."""
    given = requested(2)
    put(given, status=OrderStatus.CANCELED)

    given.when(receive(2))

    assert given.the().status is ReturnStatus.RECEIVED


def test_where_the_goods_are_is_the_receipts_word_else_the_returns() -> None:
    """And the return follows."""
    given = requested(2, location_id="loc_1")
    given.when(receive(1))
    given.when(receive(1, location_id="loc_2"))

    locations = [receipt.restock.location_id for receipt in given.the().receipts if receipt.restock]
    assert locations == ["loc_1", "loc_2"]
    assert given.the().location_id == "loc_2"


def test_what_was_received_or_canceled_is_not_received_again() -> None:
    """By state."""
    received = requested(2)
    received.when(receive(2))
    canceled = requested(2)
    canceled.when(CancelReturn(return_id="ret_1"))

    assert type(received.refuses(receive(1))) is NotAllowed
    assert received.codes(receive(1)) == ["return_already_received"]
    assert type(canceled.refuses(receive(1))) is NotAllowed
    assert canceled.codes(receive(1)) == ["return_canceled"]


def test_everything_that_is_wrong_with_a_receipt_is_said_at_once() -> None:
    """In its order."""
    given = requested(2)
    items = [
        ReceivedItem(item_id="mug", quantity=9),
        ReceivedItem(item_id="pot", quantity=1),
        ReceivedItem(item_id="mug", quantity=-1, damaged_quantity=True),
    ]
    command = ReceiveReturn(
        return_id="ret_1",
        items=items,
        allow_mismatch=True,
        more_expected=True,
        refund_amount=usd(10_001),
        idempotency_key="",
    )

    error = given.refuses(command)

    assert type(error) is Invalid
    assert [(violation.code, violation.item_id) for violation in error.violations] == [
        ("mismatch_and_more_expected", None),
        ("item_not_found", "pot"),
        ("invalid_quantity", "mug"),
        ("invalid_damaged_quantity", "mug"),
        ("quantity_exceeds_receivable", "mug"),
        ("refund_amount_with_more_expected", None),
        ("refund_exceeds_refundable", None),
        ("invalid_idempotency_key", None),
    ]


def test_a_return_or_order_that_does_not_exist_is_reported() -> None:
    """With the rest."""
    given = requested(2)
    given.order = None

    error = given.refuses(receive(-1, return_id="ret_9", refund_amount=5))

    assert type(error) is NotFound
    assert [violation.code for violation in error.violations] == [
        "return_not_found",
        "invalid_quantity",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ReceiveReturn(return_id="ret_1"),
        ReceiveReturn(return_id="ret_1", allow_mismatch=True),
        receive(0),
        receive(0, allow_mismatch=True),
        receive(0, more_expected=True),
    ],
    ids=["nothing said", "nothing accepted", "none came", "none accepted", "none came yet"],
)
def test_nothing_at_all_is_not_received(command: ReceiveReturn) -> None:
    """Cancel the return instead."""
    assert requested(2).codes(command) == ["no_items"]


def test_once_something_came_a_later_nothing_is_a_fact() -> None:
    """A zero for a line may be said; an empty list only to accept."""
    given = requested(2)
    given.when(receive(1))

    assert given.codes(ReceiveReturn(return_id="ret_1")) == ["no_items"]
    given.when(receive(0, more_expected=True))

    assert given.the().status is ReturnStatus.PARTIALLY_RECEIVED
    assert [refund.amount for refund in given.the().refunds] == [usd(1000)]


@pytest.mark.parametrize("items", [None, 5, [{"item_id": "mug"}]])
def test_items_are_a_list_of_received_items(items: object) -> None:
    """Anything else is refused, not raised about."""
    command = ReceiveReturn(return_id="ret_1", items=items)  # type: ignore[arg-type] # the point

    assert requested(2).codes(command) == ["invalid_items"]


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (usd(-1), "invalid_refund_amount"),
        (1.5, "invalid_refund_amount"),
        (Money(1, "eur"), "currency_mismatch"),
    ],
)
def test_a_named_amount_is_money_of_the_order(amount: object, code: str) -> None:
    """Of at least 0."""
    assert requested(2).codes(receive(2, refund_amount=amount)) == [code]


def test_the_orders_version_counts_receipts() -> None:
    """The next request sees them."""
    given = requested(2)
    given.when(receive(1, more_expected=True))
    given.when(receive(1))

    given.when(request(1))

    assert given.the("ret_2").order_version == 5


def test_units_that_are_all_damaged_and_not_paid_for_are_worth_nothing() -> None:
    """They are back all the same."""
    given = requested(2, policy=ReturnPolicy(refund_damaged=False))

    given.when(receive(0, 2))

    assert names_and_amounts(given.the()) == {"item:mug": 0}
    assert (given.the().status, given.the().refunds) == (ReturnStatus.RECEIVED, ())


def test_a_line_that_left_the_order_is_still_received_as_far_as_it_was_announced() -> None:
    """Goods are a fact; what was paid for them was frozen by the request."""
    given = requested(2)
    put(given, items=[line("pot")])

    error = given.refuses(receive(3))
    given.when(receive(2))

    assert error.violations[0].numbers == {"quantity": 3, "receivable": 2}
    assert given.the().refund_amount == usd(2000)
    restock = given.the().receipts[0].restock
    assert restock is not None
    assert [each.variant_id for each in restock.lines] == ["v_mug"]
    assert given.codes(request(1)) == ["item_not_found"]


@pytest.mark.parametrize(
    ("changes", "receivable"),
    [({"returned_quantity": 1}, 4), ({"fulfilled_quantity": 1}, 1), ({"fulfilled_quantity": 0}, 0), ({}, 5)],
)
def test_what_the_host_counts_now_limits_what_arrives(changes: dict[str, Any], receivable: int) -> None:
    """A unit that came back without us meanwhile does not come back again."""
    given = requested(5)
    put(given, items=[line(quantity=5, **changes)])

    if receivable < 5:
        (violation,) = given.refuses(receive(receivable + 1)).violations
        assert violation.numbers == {"quantity": receivable + 1, "receivable": receivable}
    if receivable:
        assert given.when(receive(receivable))


def test_units_of_other_returns_stay_theirs() -> None:
    """Of two returns of two, one can not swallow the other when the host counts three."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(2))
    given.when(request(2))
    put(given, items=[line(quantity=4, returned_quantity=1)])

    assert given.codes(receive(2)) == ["quantity_exceeds_receivable"]


def test_a_kept_amount_is_never_exceeded_by_a_parcel() -> None:
    """It is for the whole return."""
    given = requested(3)
    given.when(receive(1, refund_amount=usd(500)))

    given.when(receive(1, more_expected=True))
    given.when(receive(1))

    assert [refund.amount for refund in given.the().refunds] == [usd(500)]
    assert given.the().refund_amount == usd(500)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"allow_mismatch": "false"}, "invalid_flag"),
        ({"more_expected": None}, "invalid_flag"),
        ({"location_id": 5}, "invalid_text"),
        ({"created_by": ["bob"]}, "invalid_text"),
    ],
)
def test_flags_are_flags_and_texts_are_texts(more: dict[str, Any], code: str) -> None:
    """However truthy the rest is."""
    assert requested(2).codes(receive(2, **more)) == [code]


def test_a_line_said_to_have_brought_nothing_is_no_mismatch() -> None:
    """Zero of something that was never announced."""
    given = Given(order_of(line(quantity=5), line("pot")))
    given.when(request(2))

    items = [ReceivedItem(item_id="mug", quantity=2), ReceivedItem(item_id="pot", quantity=0)]
    given.when(ReceiveReturn(return_id="ret_1", items=items))

    assert given.the().status is ReturnStatus.RECEIVED


def test_an_order_that_is_gone_is_reported_with_a_return_that_is_known() -> None:
    """Goods can not be booked without it."""
    given = requested(2)
    given.order = None

    command = ReceiveReturn(
        return_id="ret_1",
        items=[ReceivedItem(item_id="mug", quantity=1, damaged_quantity=cast("int", None))],
        refund_amount=usd(5),
    )

    assert given.codes(command) == ["order_not_found", "invalid_damaged_quantity"]
