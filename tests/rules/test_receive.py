"""ReceiveReturn."""

from typing import Any, cast

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

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
    Rejected,
    RequestedItem,
    RequestReturn,
    ReturnPolicy,
    ReturnStatus,
)
from rma.domain.messages.effects import RefundDeclined, RestockRequest, StockLine
from rma.domain.react import react
from rma.domain.state.lifecycle import return_refusal
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
    """Returns an order of five mugs at 10.00 with a return of some of them."""
    given = Given(order_of(line(quantity=5)), policy)
    given.when(request(quantity, **more))
    return given


def test_what_was_requested_arrived_so_stock_and_money_move() -> None:
    """A receipt of exactly the requested units restocks them, then refunds them."""
    given = requested(2, location_id="loc_1")

    (event,) = given.when(receive(2, created_by="bob"))

    ret = given.the()
    assert isinstance(event, GoodsReceived)
    assert event.status is ret.status is ReturnStatus.RECEIVED
    assert react(event) == (
        RestockRequest("ret_1-restock-1", "order_1", "ret_1", "loc_1", (StockLine("mug", "v_mug", 2),)),
        RefundRequest("ret_1-refund-1", "order_1", "ret_1", "pay_1", usd(2000), kind="card"),
    )
    assert (ret.received_at, ret.updated_at, ret.refund_amount) == (given.now, given.now, usd(2000))
    assert ret.amount_due == usd(0)
    (refund,) = ret.refunds
    assert (refund.status, refund.requested_at, refund.retry_of) == (RefundStatus.PENDING, given.now, None)
    (receipt,) = ret.receipts
    assert (receipt.number, receipt.by, receipt.items) == (1, "bob", (ReceiptItem("mug", 2, 0, "v_mug"),))


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
    ids=[
        "fewer units",
        "more units",
        "another line besides",
        "another line instead",
        "another line, damaged",
    ],
)
def test_anything_else_is_a_mismatch_that_books_the_goods_and_moves_no_money(
    arrivals: list[ReceivedItem],
) -> None:
    """Any other receipt requires action: it restocks the sellable units and refunds nothing."""
    given = Given(order_of(line(quantity=5), line("pot")))
    given.when(request(2))

    given.when(ReceiveReturn(return_id="ret_1", items=arrivals))

    ret = given.the()
    assert ret.status is ReturnStatus.REQUIRES_ACTION
    assert (ret.refunds, ret.received_at, ret.refund_amount) == ((), None, usd(2000))
    sellable = [
        StockLine(each.item_id, f"v_{each.item_id}", each.quantity) for each in arrivals if each.quantity
    ]
    assert list(ret.receipts[0].restocked) == sellable
    assert {item.item_id for item in ret.items if not item.is_requested} <= {"mug", "pot"}


def test_a_mismatch_can_be_accepted_at_once() -> None:
    """With `allow_mismatch`, what arrived is refunded and the missing units are returnable again."""
    given = requested(3)

    given.when(receive(1, allow_mismatch=True))

    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refund_amount == usd(1000)
    assert given.refuses(request(5)).violations[0].numbers == {"quantity": 5, "returnable": 4}


def test_a_mismatch_can_be_accepted_later_without_items() -> None:
    """A receipt without items and with `allow_mismatch` refunds what arrived before."""
    given = requested(3)
    given.when(receive(1))

    (event,) = given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))

    assert effect_kinds(given.ledger) == ["restock-1", "refund-1"]
    assert given.the().refund_amount == usd(1000)
    assert given.the().receipts[1].items == ()
    assert isinstance(event, GoodsReceived)
    assert event.receipt.restock_key is None


def test_later_parcels_add_to_earlier_ones() -> None:
    """A return is received when the parcels together match the request."""
    given = requested(3)
    given.when(receive(2))

    given.when(receive(1))

    (item,) = given.the().items
    assert (item.received_quantity, given.the().status) == (3, ReturnStatus.RECEIVED)
    assert given.the().refund_amount == usd(3000)


def test_more_expected_refunds_each_parcel_on_receipt() -> None:
    """With `more_expected` each parcel is refunded on receipt, and return shipping is deducted once."""
    given = requested(3, shipping_option_id="so_return")

    given.when(receive(1, more_expected=True))
    first = given.the()
    given.when(receive(1, 1))

    assert (first.status, first.received_at) == (ReturnStatus.PARTIALLY_RECEIVED, None)
    assert first.refund_amount == usd(2800)
    assert [refund.amount for refund in given.the().refunds] == [usd(800), usd(2000)]
    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refund_amount == usd(2800)


def test_more_expected_applies_only_to_missing_units() -> None:
    """With `more_expected`, a complete receipt is received, and an unrequested unit still requires action."""
    complete = requested(2)
    complete.when(receive(2, more_expected=True))
    extra = requested(2)
    extra.when(receive(3, more_expected=True))

    assert complete.the().status is ReturnStatus.RECEIVED
    assert extra.the().status is ReturnStatus.REQUIRES_ACTION
    assert extra.the().refunds == ()


def test_extra_units_take_their_value_from_what_remains_of_their_line() -> None:
    """
    Unrequested units join one return item of their own and are worth their share of the rest of the line.
    """
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
    """Received units fill the return items of a line in request order, sellable units first."""
    given = Given(order_of(line(quantity=5)))
    items = [RequestedItem(item_id="mug", quantity=2), RequestedItem(item_id="mug", quantity=1)]
    given.when(RequestReturn(order_id="order_1", items=items))

    given.when(receive(1, 1, more_expected=True))
    given.when(receive(0, 1))

    counts = [(item.received_quantity, item.damaged_quantity) for item in given.the().items]
    assert counts == [(1, 1), (0, 1)]


def test_at_most_the_expected_and_the_free_units_are_the_orders() -> None:
    """Of five mugs in a parcel four can be of this return or free; the fifth is foreign, a damaged one."""
    given = requested(2)
    given.when(request(1))

    given.when(receive(3, 2))

    ret = given.the()
    assert [(each.received_quantity, each.damaged_quantity) for each in ret.items] == [(2, 0), (1, 1)]
    (foreign,) = ret.foreign
    assert (foreign.item_id, foreign.sku, foreign.quantity) == ("mug", "v_mug", 1)
    assert (ret.status, ret.refunds) == (ReturnStatus.REQUIRES_ACTION, ())


def test_damaged_units_are_not_restocked_and_paid_unless_the_terms_say_otherwise() -> None:
    """Damaged units are not restocked, and are refunded unless the terms at the request exclude it."""
    pays = requested(2)
    pays.when(receive(1, 1))
    refuses = requested(2, policy=ReturnPolicy(refund_damaged=False))
    refuses.policy = ReturnPolicy()
    refuses.when(receive(1, 1))

    assert pays.the().refund_amount == usd(2000)
    assert refuses.the().refund_amount == usd(1000)
    assert refuses.the().status is ReturnStatus.RECEIVED
    for given in (pays, refuses):
        assert [each.quantity for each in given.the().receipts[0].restocked] == [1]


def test_nothing_sellable_means_nothing_for_stock() -> None:
    """A receipt of damaged units only opens a refund and no restock."""
    given = requested(2)

    given.when(receive(0, 2))

    assert effect_kinds(given.ledger) == ["refund-1"]


def test_a_requested_refund_shrinks_with_missing_units() -> None:
    """
    A requested refund is paid in proportion to the received value, and unrequested units are added at their
    price.
    """
    short = requested(2, refund_amount=usd(700))
    short.when(receive(1, allow_mismatch=True))
    extra = requested(2, refund_amount=usd(700))
    extra.when(receive(3, allow_mismatch=True))

    assert short.the().refund_amount == usd(350)
    assert names_and_amounts(short.the()) == {"item:mug": 1000, "custom_amount": -650}
    assert extra.the().refund_amount == usd(1700)


def test_a_requested_refund_for_goods_without_value_is_split_by_units() -> None:
    """For goods priced 0, a requested refund is paid in proportion to the refunded units."""
    policy = ReturnPolicy(refund_damaged=False)
    given = Given(order_of(line(quantity=3, price=0)), policy)
    given.when(request(3, refund_amount=usd(100), refund_note="goodwill"))

    given.when(receive(1, 1, allow_mismatch=True))

    assert given.the().refund_amount == usd(33)


def test_an_amount_named_on_receipt_is_for_the_whole_return_and_final() -> None:
    """
    A refund named on receipt is the total of the return, without deductions; earlier refunds count towards
    it.
    """
    given = requested(3, shipping_option_id="so_return", policy=ReturnPolicy(fees=[Fee("f", percent=10)]))
    given.when(receive(1, more_expected=True))

    given.when(receive(2, refund_amount=usd(2500)))

    assert [refund.amount for refund in given.the().refunds] == [usd(700), usd(1800)]
    assert given.the().refund_amount == usd(2500)
    assert names_and_amounts(given.the()) == {"item:mug": 3000, "custom_amount": -500}


def test_an_amount_named_below_what_is_paid_takes_nothing_back() -> None:
    """
    A named refund below what was already paid pays nothing more, and the breakdown shows `already_paid`.
    """
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


def test_an_amount_named_on_a_mismatch_is_for_the_requested_units() -> None:
    """
    It shrinks with what did not arrive when it is accepted later, is whole when the rest arrives, and another
    amount may be named.
    """
    accepted = requested(2)
    accepted.when(receive(1, refund_amount=usd(900)))
    waiting = accepted.the()
    accepted.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))
    completed = requested(2)
    completed.when(receive(1, refund_amount=usd(900)))
    completed.when(receive(1))
    renamed = requested(2)
    renamed.when(receive(1, refund_amount=usd(900)))
    renamed.when(receive(1, refund_amount=usd(800)))

    assert (waiting.refunds, waiting.refund_amount) == ((), usd(900))
    assert accepted.the().refund_amount == usd(450)
    assert completed.the().refund_amount == usd(900)
    assert renamed.the().refund_amount == usd(800)


def test_the_whole_amount_named_for_two_of_three_pays_two_when_it_is_accepted() -> None:
    """3 x 89.99 requested, 2 arrive, 269.97 named: 179.98 is paid when the mismatch is accepted."""
    given = Given(order_of(line(quantity=3, price=8999), captured=26_997))
    given.when(request(3))
    given.when(receive(2, refund_amount=usd(26_997)))

    given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))

    assert given.the().refund_amount == usd(17_998)


def test_an_amount_named_on_a_mismatch_is_not_for_units_that_were_not_requested() -> None:
    """
    One mug at 10.00 requested, two arrive: 20.00 is above the value of the one, refused without a note;
    10.00 is accepted, and the second mug is paid besides.
    """
    given = requested(1)

    assert given.refuses(receive(2, refund_amount=usd(2000))).violations[0].numbers == {
        "amount": 2000,
        "value": 1000,
        "currency": "usd",
    }
    given.when(receive(2, refund_amount=usd(1000)))
    given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))
    assert given.the().refund_amount == usd(2000)


@for_all(
    requested_units=st.integers(1, 4),
    arrived=st.integers(1, 4),
    damaged=st.integers(0, 2),
    units_named=st.integers(0, 6),
    more=st.integers(0, 1),
    price=st.integers(0, 1500),
    refund_damaged=st.booleans(),
)
def test_an_amount_named_without_a_note_pays_at_most_the_value_of_what_arrived(
    requested_units: int,
    arrived: int,
    damaged: int,
    units_named: int,
    more: int,
    price: int,
    refund_damaged: bool,
) -> None:
    """Whatever is requested, arrives and is accepted later: the units of a return pay for themselves only."""
    given = Given(order_of(line(quantity=6, price=price)), ReturnPolicy(refund_damaged=refund_damaged))
    given.when(request(requested_units))
    try:
        given.when(receive(arrived, damaged, refund_amount=usd(units_named * price + more)))
    except Rejected:
        return
    if given.the().status == "requires_action":
        given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))

    refunded = arrived + damaged if refund_damaged else arrived
    assert given.the().refund_amount.amount <= refunded * price


def test_a_named_amount_above_what_is_refundable_is_refused() -> None:
    """A named refund may be at most what is refundable plus what this return was refunded."""
    given = Given(order_of(line(quantity=5), captured=3000))
    given.when(request(3))
    given.when(receive(1, more_expected=True))

    error = given.refuses(receive(2, refund_amount=usd(3001)))
    given.when(receive(2, refund_amount=usd(3000)))

    assert error.violations[0].numbers == {"amount": 3001, "refundable": 3000, "currency": "usd"}
    assert [refund.amount for refund in given.the().refunds] == [usd(1000), usd(2000)]


def test_a_following_amount_above_what_is_refundable_books_the_goods_and_pays_nothing() -> None:
    """
    If a computed refund exceeds what is refundable, the goods are restocked and the whole amount is
    blocked.
    """
    given = Given(order_of(captured=1500))
    given.when(request(2))

    received, blocked = given.when(receive(2))

    ret = given.the()
    assert isinstance(received, GoodsReceived)
    assert isinstance(blocked, RefundBlocked)
    assert (blocked.amount, blocked.refundable) == (usd(2000), usd(1500))
    assert (ret.status, ret.entitlement.is_refund_blocked, ret.refunds) == (ReturnStatus.RECEIVED, True, ())
    assert (ret.refund_amount, ret.amount_due) == (usd(2000), usd(2000))
    assert effect_kinds(given.ledger) == ["restock-1"]


def test_a_blocked_parcel_stays_blocked_through_a_mismatch() -> None:
    """A blocked refund stays blocked when a later parcel is a mismatch."""
    given = Given(order_of(line(quantity=5), captured=500))
    given.when(request(2))
    given.when(receive(1, more_expected=True))

    given.when(receive(2))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert given.the().entitlement.is_refund_blocked
    assert given.the().amount_due == usd(1000)


def test_a_rounding_difference_of_a_cent_a_line_is_refunded() -> None:
    """A refund that exceeds what was captured by one minor unit is paid with a rounding part."""
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
def test_more_than_a_cent_a_line_is_blocked(captured: int, *, blocked: bool) -> None:
    """A refund of one line is blocked if it exceeds what was captured by more than one minor unit."""
    given = Given(order_of(captured=captured))
    given.when(request(2))

    given.when(receive(2))

    assert given.the().entitlement.is_refund_blocked is blocked


def test_a_refund_is_split_over_the_payments_in_their_order() -> None:
    """A refund is split over the payments in their order, each up to its rest, without empty parts."""
    payments = [
        Payment(id="card", captured=usd(700), refunded=usd(100)),
        Payment(id="spent", captured=usd(50), refunded=usd(50)),
        Payment(id="gift", captured=usd(5000), kind="gift_card"),
    ]
    given = Given(order_of(payments=payments))
    given.when(request(2))

    given.when(receive(2))

    assert [(refund.key, refund.payment_id, refund.amount.amount) for refund in given.the().refunds] == [
        ("ret_1-refund-1", "card", 600),
        ("ret_1-refund-2", "gift", 1400),
    ]


def test_money_on_its_way_counts_against_what_is_refundable() -> None:
    """A refund that is pending reduces what is refundable for another return."""
    given = Given(order_of(line(quantity=2), captured=1500))
    given.when(request(1))
    given.when(request(1))
    given.when(receive(1))

    given.when(receive(1, return_id="ret_2"))

    assert given.the("ret_2").entitlement.is_refund_blocked


def test_a_failed_refund_is_paid_with_the_next_parcel() -> None:
    """The next parcel requests what is due for the whole return, as a retry of the failed refund."""
    given = requested(2)
    given.when(receive(1, more_expected=True))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("expired", "card expired")))

    given.when(receive(1))

    first, second = given.the().refunds
    assert (first.status, first.failure) == (RefundStatus.FAILED, "expired: card expired")
    assert (second.amount, second.retry_of) == (usd(2000), "ret_1-refund-1")


def test_goods_for_an_order_canceled_meanwhile_are_booked() -> None:
    """Goods of a return are received after the order was canceled."""
    given = requested(2)
    put(given, status=OrderStatus.CANCELED)

    given.when(receive(2))

    assert given.the().status is ReturnStatus.RECEIVED


def test_the_location_of_a_receipt_replaces_that_of_the_return() -> None:
    """A receipt restocks at its own location, or else at that of the return, which takes over the new one."""
    given = requested(2, location_id="loc_1")
    given.when(receive(1))
    given.when(receive(1, location_id="loc_2"))

    locations = [restock.location_id for restock in given.the().restocks]
    assert locations == ["loc_1", "loc_2"]
    assert given.the().location_id == "loc_2"


def test_what_was_received_or_canceled_is_not_accepted_again() -> None:
    """To accept what arrived is refused as NotAllowed where nothing waits for it, each with its code."""
    accept = ReceiveReturn(return_id="ret_1", allow_mismatch=True)
    received = requested(2)
    received.when(receive(2))
    canceled = requested(2)
    canceled.when(CancelReturn(return_id="ret_1"))

    assert type(received.refuses(accept)) is NotAllowed
    assert received.codes(accept) == ["return_already_received"]
    assert received.codes(receive(1, refund_amount=usd(1))) == ["return_already_received"]
    assert type(canceled.refuses(accept)) is NotAllowed
    assert canceled.codes(accept) == ["return_canceled"]


def test_all_violations_of_a_receipt_are_reported_at_once() -> None:
    """The refusal lists every violation of the receipt, in the order of its fields."""
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
        ("invalid_quantity", "mug"),
        ("invalid_damaged_quantity", "mug"),
        ("refund_amount_with_more_expected", None),
        ("refund_exceeds_refundable", None),
        ("invalid_idempotency_key", None),
    ]


def test_a_return_or_order_that_does_not_exist_is_reported() -> None:
    """An unknown return is reported as not found, together with the invalid quantity."""
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
        ReceiveReturn(return_id="ret_1", allow_mismatch=True),
        receive(0, allow_mismatch=True),
    ],
    ids=["no items accepted", "none accepted"],
)
def test_nothing_at_all_is_not_accepted(command: ReceiveReturn) -> None:
    """To accept what arrived is refused with `no_items` where nothing did."""
    assert requested(2).codes(command) == ["no_items"]


@pytest.mark.parametrize(
    "command",
    [ReceiveReturn(return_id="ret_1"), receive(0), receive(0, more_expected=True)],
    ids=["no items", "none received", "none received yet"],
)
def test_an_empty_parcel_is_a_receipt(command: ReceiveReturn) -> None:
    """It moves neither stock nor money, a person decides, and the return can still be canceled."""
    given = requested(2)

    given.when(command)

    ret = given.the()
    assert (ret.status, len(ret.receipts), ret.refunds) == (ReturnStatus.REQUIRES_ACTION, 1, ())
    assert effect_kinds(given.ledger) == []
    assert given.when(CancelReturn(return_id="ret_1"))


def test_a_later_receipt_may_report_zero_units() -> None:
    """After a first receipt, zero units of a line may be reported, with more expected."""
    given = requested(2)
    given.when(receive(1))

    given.when(receive(0, more_expected=True))

    assert given.the().status is ReturnStatus.PARTIALLY_RECEIVED
    assert [refund.amount for refund in given.the().refunds] == [usd(1000)]


@pytest.mark.parametrize("items", [None, 5, [{"item_id": "mug"}]])
def test_items_are_a_list_of_received_items(items: object) -> None:
    """A receipt whose items are not a list of ReceivedItem is refused with `invalid_items`."""
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
    """A named refund has to be an integer or Money of at least 0 in the currency of the order."""
    assert requested(2).codes(receive(2, refund_amount=amount)) == [code]


def test_the_orders_version_counts_receipts() -> None:
    """The order version of a return counts the receipts before it."""
    given = requested(2)
    given.when(receive(1, more_expected=True))
    given.when(receive(1))

    given.when(request(1))

    assert given.the("ret_2").order_version == 5


def test_units_that_are_all_damaged_and_not_paid_for_are_worth_nothing() -> None:
    """If the terms exclude damaged units, a receipt of damaged units only is received and refunds nothing."""
    given = requested(2, policy=ReturnPolicy(refund_damaged=False))

    given.when(receive(0, 2))

    assert names_and_amounts(given.the()) == {"item:mug": 0}
    assert (given.the().status, given.the().refunds) == (ReturnStatus.RECEIVED, ())


def test_a_line_that_left_the_order_is_booked_as_one_whose_fulfilled_quantity_fell_to_zero() -> None:
    """The host took it off the order and paid it back: it is not paid by itself; a person may pay for it."""
    removed, lowered = requested(2), requested(2)
    put(removed, items=[line("pot")])
    put(lowered, items=[line(quantity=5, fulfilled_quantity=0), line("pot")])

    for given in (removed, lowered):
        given.when(receive(2))
        assert (given.the().status, given.the().refunds) == (ReturnStatus.REQUIRES_ACTION, ())
        assert given.the().receipts[0].items == (ReceiptItem("mug", 2, 0, "v_mug"),)
        given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))
        assert given.the().refunded == usd(2000)


@pytest.mark.parametrize(
    ("changes", "receivable"),
    [({"returned_quantity": 1}, 4), ({"fulfilled_quantity": 1}, 1), ({"fulfilled_quantity": 0}, 0), ({}, 5)],
)
def test_what_the_host_counts_now_limits_what_is_paid_by_itself(
    changes: dict[str, Any], receivable: int
) -> None:
    """Units that were requested are booked; above what the order has of them now, a person decides."""
    for quantity in range(1, 6):
        given = requested(quantity)
        put(given, items=[line(quantity=5, **changes)])

        given.when(receive(quantity))

        assert given.the().items[0].received_quantity == quantity
        assert bool(given.the().refunds) == (quantity <= receivable)


def test_a_receipt_does_not_use_units_that_another_return_reserves() -> None:
    """Units are not paid by themselves if others reserve them, or if they were returned elsewhere."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(2))
    given.when(request(2))
    put(given, items=[line(quantity=4, returned_quantity=1)])

    given.when(receive(2))

    assert (given.the().status, given.the().refunds) == (ReturnStatus.REQUIRES_ACTION, ())


def test_an_amount_named_on_a_mismatch_is_paid_by_parcel() -> None:
    """Each parcel pays its share of it, and all parcels together pay the whole."""
    given = requested(3)
    given.when(receive(1, refund_amount=usd(500)))

    given.when(receive(1, more_expected=True))
    given.when(receive(1))

    assert [refund.amount for refund in given.the().refunds] == [usd(333), usd(167)]
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
def test_flags_are_booleans_and_ids_are_strings(more: dict[str, Any], code: str) -> None:
    """A flag that is not a boolean and an id that is not a string are refused with their code."""
    assert requested(2).codes(receive(2, **more)) == [code]


def test_zero_units_of_an_unrequested_line_are_not_a_mismatch() -> None:
    """A receipt that reports zero units of an unrequested line is received."""
    given = Given(order_of(line(quantity=5), line("pot")))
    given.when(request(2))

    items = [ReceivedItem(item_id="mug", quantity=2), ReceivedItem(item_id="pot", quantity=0)]
    given.when(ReceiveReturn(return_id="ret_1", items=items))

    assert given.the().status is ReturnStatus.RECEIVED


def test_an_order_that_is_gone_is_reported_with_a_return_that_is_known() -> None:
    """
    A receipt for a known return of an unknown order is refused with `order_not_found` and the other
    violations.
    """
    given = requested(2)
    given.order = None

    command = ReceiveReturn(
        return_id="ret_1",
        items=[ReceivedItem(item_id="mug", quantity=1, damaged_quantity=cast("int", None))],
        refund_amount=usd(5),
    )

    assert given.codes(command) == ["order_not_found", "invalid_damaged_quantity"]


def test_a_line_that_was_edited_between_two_parcels_is_there_twice() -> None:
    """What arrived unrequested has the parts of its line as it was then: a new tax is not spread over it."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(1))
    given.when(receive(2))
    put(given, items=[line(quantity=4, tax_lines=vat("10"))])

    given.when(receive(1))

    assert [(item.is_requested, item.received_quantity) for item in given.the().items] == [
        (True, 1),
        (False, 1),
        (False, 1),
    ]
    given.when(receive(1))
    given.when(receive(0, allow_mismatch=True))
    assert given.the().refund_amount == usd(4 * 1100)  # what the order says was paid


@pytest.mark.parametrize("status", ReturnStatus)
def test_no_status_refuses_a_parcel(status: ReturnStatus) -> None:
    """What arrived, arrived."""
    assert return_refusal(status, receive(1)) is None
