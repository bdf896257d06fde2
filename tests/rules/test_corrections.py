"""CorrectReceipt: more units arrived than were booked, or fewer, or others."""

from typing import Any

import pytest

from rma import (
    CancelExchange,
    CancelReturn,
    ClaimItem,
    CorrectedItem,
    CorrectReceipt,
    DeclineReturn,
    ExchangeReceived,
    ExchangeStatus,
    NewItem,
    ReceiptCorrected,
    ReceivedItem,
    ReceiveReturn,
    RecordExchangePayment,
    RejectedItem,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    ReturnPolicy,
    ReturnStatus,
)
from rma.domain.messages.effects import RefundDeclined, RestockRequest, StockLine, WithdrawRequest
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
)


def correct(quantity: int, damaged: int = 0, **more: Any) -> CorrectReceipt:
    """Corrects the mugs of the first return."""
    items = [CorrectedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged)]
    fields: dict[str, Any] = {"return_id": "ret_1", "reason": "counted again", **more}
    return CorrectReceipt(items=items, **fields)


def booked(quantity: int = 2, damaged: int = 0, *, sold: int = 5, wanted: int = 2, **more: Any) -> Given:
    """Returns mugs at 10.00, of which so many were requested and so many booked."""
    given = Given(order_of(line(quantity=sold)), more.pop("policy", None))
    given.when(request(wanted, location_id="loc_1"))
    given.when(receive(quantity, damaged, **more))
    return given


def free(given: Given) -> int:
    """Returns how many mugs can be returned."""
    assert given.order is not None
    return given.ledger.remainders(given.order, ["mug"])["mug"].sent_quantity


def test_two_were_booked_and_paid_and_one_arrived() -> None:
    """2 at 10.00: stock -1, returnable +1, overpaid 10.00; the receipt and its correction are on record."""
    given = booked(2)
    given.all_delivered()
    assert free(given) == 3

    (event,) = given.when(correct(1, created_by="Bo"))

    ret = given.the()
    assert isinstance(event, ReceiptCorrected)
    assert react(event) == (
        WithdrawRequest(
            "ret_1-withdraw-1",
            "order_1",
            "ret_1",
            "loc_1",
            (StockLine("mug", "v_mug", 1),),
            "ret_1-restock-1",
            is_correction=True,
        ),
    )
    assert (ret.status, free(given)) == (ReturnStatus.RECEIVED, 4)
    assert (ret.refund_amount, ret.refunded, ret.entitlement.overpaid) == (usd(1000), usd(2000), usd(1000))
    assert (ret.amount_due, ret.needs_attention) == (usd(0), True)  # a person decides about the 10.00
    assert names_and_amounts(ret) == {"item:mug": 1000}
    assert ret.receipts[0].items[0].quantity == 2
    assert (ret.corrections[0].reason, ret.corrections[0].by) == ("counted again", "Bo")
    assert ret.booked_quantities() == {"mug": (1, 0)}


def test_more_arrived_than_was_booked_so_more_is_paid() -> None:
    """One of two booked and accepted, in truth both arrived: one more into stock, 10.00 more paid."""
    given = booked(1, allow_mismatch=True)

    (event,) = given.when(correct(2))

    assert react(event)[0] == RestockRequest(
        "ret_1-restock-2", "order_1", "ret_1", "loc_1", (StockLine("mug", "v_mug", 1),)
    )
    assert [refund.amount for refund in given.the().refunds] == [usd(1000), usd(1000)]
    assert (given.the().status, free(given)) == (ReturnStatus.RECEIVED, 3)


def test_damage_that_is_found_the_next_day_leaves_stock_and_counts_for_the_amount() -> None:
    """Where damaged units are not paid for, 10.00 is paid too much; where they are, nothing is."""
    strict = booked(2, policy=ReturnPolicy(refund_damaged=False))
    kind = booked(2)
    for given in (strict, kind):
        given.when(correct(1, 1))

    assert strict.the().entitlement.overpaid == usd(1000)
    assert kind.the().entitlement.overpaid == usd(0)
    for given in (strict, kind):
        (item,) = given.the().items
        assert (item.received_quantity, item.damaged_quantity) == (1, 1)
        assert effect_kinds(given.ledger) == ["restock-1", "refund-1", "withdraw-1"]


def test_a_mismatch_that_is_none_after_all_is_received_and_paid() -> None:
    """Two requested, one booked: a person would have to decide; in truth both arrived."""
    given = booked(1)

    given.when(correct(2))

    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(2000))


def test_a_parcel_of_several_is_corrected_before_the_next() -> None:
    """2 of 3 paid, 1 arrived: 10.00 overpaid, which the next parcel of two uses up."""
    given = booked(2, wanted=3, more_expected=True)

    given.when(correct(1))
    between = given.the()
    given.when(receive(2))

    assert (between.status, between.entitlement.overpaid) == (ReturnStatus.PARTIALLY_RECEIVED, usd(1000))
    assert [refund.amount for refund in given.the().refunds] == [usd(2000), usd(1000)]
    assert given.the().status is ReturnStatus.RECEIVED


def test_what_was_overpaid_stays_overpaid_when_the_return_is_closed_short() -> None:
    """Closing short pays nothing, and takes nothing back; 10.00 is still shown as paid too much."""
    given = booked(2, wanted=3, more_expected=True)
    given.when(correct(1))

    given.when(ResolveReturn(return_id="ret_1"))

    ret = given.the()
    assert (ret.refund_amount, ret.refunded, ret.entitlement.overpaid) == (usd(1000), usd(2000), usd(1000))


def test_there_and_back_again_is_as_if_nothing_was_corrected() -> None:
    """2, corrected to 0, corrected to 2: nothing is paid twice, stock has two."""
    given = booked(2)
    for quantity in (0, 2, 1, 2):
        given.when(correct(quantity))

    ret = given.the()
    assert (ret.refunded, ret.entitlement.overpaid, free(given)) == (usd(2000), usd(0), 3)
    assert [refund.amount for refund in ret.refunds] == [usd(2000)]
    assert [line.quantity for restock in ret.in_stock for line in restock.lines] == [1, 1]


def test_what_the_receipts_said_already_changes_nothing() -> None:
    """No event, and the key stands for nothing."""
    given = booked(1, 1)

    assert given.when(correct(1, 1, idempotency_key="same")) == ()
    assert "same" not in given.ledger.answered


def test_units_beyond_the_request_need_a_person() -> None:
    """Two requested and booked, three arrived: a person decides about the third, as if in one parcel."""
    given = booked(2)

    given.when(correct(3))

    ret = given.the()
    assert (ret.status, ret.refunded) == (ReturnStatus.REQUIRES_ACTION, usd(2000))
    parts = [(part.name, part.amount.amount) for part in ret.breakdown]
    assert parts == [("item:mug", 2000), ("item:mug", 1000), ("undecided", -1000)]
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().refunded == usd(3000)


def test_units_that_are_free_again_come_after_all() -> None:
    """Of three, two were requested, one arrived, another is requested. In truth both did: none is left."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(2))
    given.when(receive(1, allow_mismatch=True))
    given.when(request(1))

    given.when(correct(2))

    assert [item.received_quantity for item in given.the().items] == [2]
    assert given.the().refunded == usd(2000)
    assert free(given) == 0
    assert given.codes(correct(3)) == ["quantity_exceeds_receivable"]


def test_a_correction_below_what_was_decided_about_is_refused_with_the_numbers() -> None:
    """Of four, one went back to the customer and one was kept without a refund: two at least arrived."""
    given = booked(4)
    rejected = [
        RejectedItem(item_id="mug", quantity=1),
        RejectedItem(item_id="mug", quantity=1, send_back=False),
    ]
    given.when(ResolveReturn(return_id="ret_1", rejected=rejected))

    (violation,) = given.refuses(correct(1)).violations
    assert violation.code == "correction_below_decided"
    assert violation.numbers == {"quantity": 1, "damaged_quantity": 0, "least": 2, "damaged_least": 0}
    given.when(correct(2))
    ret = given.the()
    assert (ret.refund_amount, ret.entitlement.overpaid) == (usd(0), usd(2000))
    assert [each.restock_key for each in ret.withdrawals] == ["ret_1-restock-1"] * 2
    assert ret.in_stock[0].lines[0].quantity == 1


def test_a_correction_of_a_canceled_return_says_what_arrived_besides() -> None:
    """Two went back when it was canceled: fewer cannot have come; a third is here and needs a person."""
    given = booked(1, wanted=3)
    given.when(receive(1))
    given.when(CancelReturn(return_id="ret_1"))

    assert given.codes(correct(1)) == ["correction_below_decided"]
    given.when(correct(3))

    ret = given.the()
    assert (ret.status, sum(item.received_quantity for item in ret.items)) == ("requires_action", 1)
    assert [key for key in given.ledger.open_effects if "restock" in key][-1] == "ret_1-restock-3"
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_not_cancelable"]
    assert free(given) == 4


def test_goods_of_a_corrected_return_leave_stock_once_when_it_is_canceled() -> None:
    """Three booked, two arrived, canceled: one and then two are withdrawn, under keys of their own."""
    given = booked(3)
    given.when(correct(2))
    # it matches now, so it was paid
    assert given.the().status is ReturnStatus.RECEIVED

    short = booked(3, wanted=4)
    short.when(correct(2))
    (event, *_) = short.when(CancelReturn(return_id="ret_1"))

    assert [(each.key, each.lines[0].quantity) for each in react(event)] == [("ret_1-withdraw-2", 2)]  # type: ignore[union-attr] # withdrawals
    assert short.the().in_stock == ()


@pytest.mark.parametrize("status", ["requested", "declined"])
def test_nothing_is_corrected_where_nothing_was_received(status: str) -> None:
    """There is no receipt that could be wrong."""
    given = Given(order_of(), ReturnPolicy(review=status == "declined"))
    given.when(request(1))
    if status == "declined":
        given.when(DeclineReturn(return_id="ret_1", reason="worn"))

    assert given.codes(correct(1)) == ["nothing_to_correct"]


def test_all_that_is_wrong_is_said_at_once() -> None:
    """A reason is missing, a quantity is below 0, a line is none of the order's."""
    given = booked(2)
    items = [
        CorrectedItem(item_id="mug", quantity=-1),
        CorrectedItem(item_id="pot", quantity=1),
        CorrectedItem(item_id="mug", quantity=1, damaged_quantity=True),
    ]

    assert given.codes(CorrectReceipt(return_id="ret_1", items=items)) == [
        "correction_without_reason",
        "invalid_quantity",
        "invalid_damaged_quantity",
        "item_not_found",
    ]
    assert given.codes(CorrectReceipt(return_id="ret_9", items=[], reason=" ")) == [
        "return_not_found",
        "correction_without_reason",
        "no_items",
    ]
    assert given.codes(correct(6)) == ["quantity_exceeds_receivable"]
    assert given.codes(correct(1, reason=5)) == ["invalid_text"]


def test_a_named_amount_is_at_most_what_arrived() -> None:
    """20.00 named for two: one arrived, so 10.00; with a note, what was agreed stays."""
    plain = booked(2, refund_amount=usd(1500))
    noted = booked(2, refund_amount=usd(2500), refund_note="goodwill")
    for given in (plain, noted):
        given.when(correct(1))

    assert (plain.the().refund_amount, plain.the().entitlement.overpaid) == (usd(1000), usd(500))
    assert (noted.the().refund_amount, noted.the().entitlement.overpaid) == (usd(2500), usd(0))


def test_what_is_due_and_failed_is_not_due_any_more() -> None:
    """20.00 was declined; one of the two arrived: 10.00 is paid."""
    given = booked(2)
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))

    given.when(correct(1))

    assert [(each.amount, each.status.value) for each in given.the().refunds] == [
        (usd(2000), "failed"),
        (usd(1000), "pending"),
    ]


def test_a_line_in_two_entries_keeps_its_first_units() -> None:
    """Two and one requested of 29.00 for three: corrected from three to two, the last entry is empty."""
    given = Given(order_of(line(quantity=3, adjustments=off(100))))
    items = [RequestedItem(item_id="mug", quantity=2), RequestedItem(item_id="mug", quantity=1)]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(2, 1))

    given.when(correct(1, 1))

    counts = [(item.received_quantity, item.damaged_quantity) for item in given.the().items]
    assert counts == [(1, 1), (0, 0)]
    assert given.the().refund_amount == usd(1933)


def exchanged(price: int, quantity: int = 2) -> Given:
    """Returns two mugs at 10.00 for something of this price; they were received."""
    given = Given(order_of(line(quantity=5)))
    mugs = [RequestedItem(item_id="mug", quantity=quantity)]
    new = [NewItem(variant_id="v_new", quantity=1, unit_price=usd(price))]
    given.when(RequestExchange(order_id="order_1", items=mugs, new_items=new))
    given.when(receive(quantity))
    return given


def test_a_difference_that_is_not_paid_yet_is_computed_again() -> None:
    """Two for 25.00: 5.00 owed; one arrived: 15.00 owed, and the new goods wait for it."""
    given = exchanged(2500)

    _, event = given.when(correct(1))

    assert isinstance(event, ExchangeReceived)
    exchange = given.ledger.find_exchange("exc_1")
    assert exchange is not None
    assert (exchange.owed, exchange.status) == (usd(1500), ExchangeStatus.AWAITING_PAYMENT)
    given.when(RecordExchangePayment(exchange_id="exc_1", amount=1500, reference="ch_1"))
    exchange = given.ledger.find_exchange("exc_1")
    assert exchange is not None
    assert exchange.status is ExchangeStatus.COMPLETED


def test_new_goods_that_were_sent_are_not_asked_back() -> None:
    """Two for 20.00, sent; one arrived: no one is charged, and a person decides about 10.00."""
    given = exchanged(2000)

    events = given.when(correct(1))

    assert [type(event) for event in events] == [ReceiptCorrected, ExchangeReceived]
    assert (given.the().refund_amount, given.the().needs_attention) == (usd(0), False)
    exchange = given.ledger.find_exchange("exc_1")
    assert exchange is not None
    assert (exchange.owed, exchange.needs_attention) == (usd(1000), True)


def test_a_claims_return_moves_goods_only() -> None:
    """Its claim paid; stock is corrected."""
    given = Given(order_of(line(quantity=5)))
    broken = [ClaimItem(item_id="mug", quantity=2, reason="production_failure")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken, return_items=True))
    given.when(receive(2))

    given.when(correct(1))

    assert given.the().entitlement.overpaid == usd(0)
    assert effect_kinds(given.ledger) == ["refund-1", "restock-1", "withdraw-1"]


def test_a_canceled_exchange_is_none_when_its_parcel_comes() -> None:
    """Canceled before its goods arrived: accepted, they are paid for as any goods are."""
    given = Given(order_of(line(quantity=5)))
    mugs = [RequestedItem(item_id="mug", quantity=1)]
    new = [NewItem(variant_id="v_new", quantity=1, unit_price=usd(900))]
    given.when(RequestExchange(order_id="order_1", items=mugs, new_items=new))
    given.when(CancelExchange(exchange_id="exc_1"))

    given.when(ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="mug", quantity=1)]))
    waiting = given.the()
    given.when(ResolveReturn(return_id="ret_1"))

    assert (waiting.status, waiting.refunds) == (ReturnStatus.REQUIRES_ACTION, ())
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(1000))
    exchange = given.ledger.find_exchange("exc_1")
    assert exchange is not None
    assert exchange.status is ExchangeStatus.CANCELED


def test_units_of_a_line_that_was_edited_since_are_counted_at_its_new_price() -> None:
    """One of two was booked and paid; a discount of 5.00 leaves 35.00 for the other four; both arrived."""
    given = booked(1, wanted=2)
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().entitlement.entitled == usd(1000)
    put(given, items=[line(quantity=5, adjustments=off(500))])

    given.when(correct(2))
    given.when(ResolveReturn(return_id="ret_1"))

    assert given.the().entitlement.entitled == usd(1875)


def test_a_line_that_left_the_order_is_counted_again() -> None:
    """The host took it off the order since: fewer arrived than was booked, or more than anyone can have."""
    given = booked(2)
    put(given, items=[line("pot")])

    assert given.codes(correct(3)) == ["quantity_exceeds_receivable"]
    given.when(correct(1))

    ret = given.the()
    assert ret.entitlement.overpaid == usd(1000)
    assert ret.items[0].received_quantity == 1
