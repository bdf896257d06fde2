"""What was counted wrong ends as if it had been counted right: foreign goods, amounts, statuses, dates."""

from datetime import timedelta
from typing import Any

import pytest

from rma import (
    Calendar,
    CancelExchange,
    CancelReturn,
    CorrectedForeign,
    CorrectedItem,
    CorrectReceipt,
    ForeignDecision,
    ForeignItem,
    MissingItem,
    NewItem,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordSending,
    RefundDeclined,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    ReturnPolicy,
    ReturnStatus,
    Withdrawal,
)
from rma.domain.change import replay
from rma.domain.views.order_state import order_state
from tests.rules.given import Given, line, off, order_of, receive, request, usd
from tests.rules.inspected import INSPECT, graded, inspect

SOCKS = ForeignItem(description="socks", quantity=2)


def correct(quantity: int, damaged: int = 0, item_id: str = "mug", **more: Any) -> CorrectReceipt:
    """Corrects one line of the first return."""
    items = [CorrectedItem(item_id=item_id, quantity=quantity, damaged_quantity=damaged)]
    return CorrectReceipt(return_id="ret_1", items=items, reason="counted again", **more)


def socks(quantity: int, number: int = 1) -> CorrectReceipt:
    """Corrects foreign goods of the first return."""
    foreign = [CorrectedForeign(number=number, quantity=quantity)]
    return CorrectReceipt(return_id="ret_1", foreign=foreign, reason="counted again")


def booked(quantity: int, wanted: int = 3, sold: int = 3, policy: ReturnPolicy | None = None) -> Given:
    """Returns mugs at 10.00, of which so many were requested and booked."""
    given = Given(order_of(line(quantity=sold)), policy)
    given.when(request(wanted))
    given.when(receive(quantity))
    return given


def foreign(given: Given) -> list[tuple[int, int]]:
    """Returns the foreign goods of the first return for which no one decided: numbers and quantities."""
    return [(each.number, each.quantity) for each in given.the().undecided_foreign]


# -- foreign goods -----------------------------------------------------------------------------------


def test_a_unit_too_many_that_never_arrived_is_taken_away() -> None:
    """4 were typed of 3 that arrived: there is no foreign unit, and the return is received and paid."""
    given = booked(4)
    assert (given.the().status, foreign(given)) == (ReturnStatus.REQUIRES_ACTION, [(1, 1)])

    given.when(correct(3))

    assert (given.the().status, foreign(given), given.the().foreign) == (ReturnStatus.RECEIVED, [], ())
    assert given.the().refunded == usd(3000)
    assert given.ledger == replay("order_1", given.history)


def test_foreign_units_of_a_line_are_taken_away_before_its_own() -> None:
    """6 of 3 were typed: 5 leave two foreign ones, 4 one, 3 none, 2 take one of the line."""
    given = booked(6)
    for said, left in ((5, 2), (4, 1)):
        given.when(correct(said))
        assert (foreign(given), given.the().items[0].arrived_quantity) == ([(1, left)], 3)
    assert given.when(correct(4)) == ()

    given.when(correct(2))

    assert (foreign(given), given.the().items[0].arrived_quantity) == ([], 2)
    assert given.refuses(correct(4)).violations[0].numbers == {"quantity": 4, "receivable": 3}


def test_the_last_foreign_units_of_a_line_are_taken_away_first() -> None:
    """Of two parcels with one unit too many each, the second one's."""
    given = booked(4)
    given.when(receive(1))
    assert foreign(given) == [(1, 1), (2, 1)]

    given.when(correct(4))

    assert foreign(given) == [(1, 1)]
    given.when(receive(1))
    assert foreign(given) == [(1, 1), (3, 1)]  # numbers are not given again


def test_a_mistyped_item_id_is_corrected() -> None:
    """One mug was booked as a mgu: it was none of these, and one of those."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(1))
    given.when(ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="mgu", quantity=1)]))
    items = [CorrectedItem(item_id="mgu", quantity=0), CorrectedItem(item_id="mug", quantity=1)]

    given.when(CorrectReceipt(return_id="ret_1", items=items, reason="a typing error"))

    assert (given.the().status, given.the().refunded, foreign(given)) == (
        ReturnStatus.RECEIVED,
        usd(1000),
        [],
    )
    assert given.refuses(correct(1, item_id="mgu")).violations[0].code == "item_not_found"


def test_more_than_the_foreign_units_under_an_unknown_id_cannot_be() -> None:
    """What is of no line of the order cannot arrive as one."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(1))
    given.when(ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="mgu", quantity=2)]))

    assert given.when(correct(2, item_id="mgu")) == ()
    assert given.refuses(correct(3, item_id="mgu")).violations[0].numbers == {"quantity": 3, "receivable": 2}


def test_a_mistyped_serial_is_corrected() -> None:
    """A unit with the number l was the one with the number 1: there was no foreign one, and one mug."""
    given = Given(order_of(line(quantity=3, serials=("1", "2", "3"))))
    given.when(request(1))
    items = [ReceivedItem(item_id="mug", quantity=1, serials=["l"])]
    given.when(ReceiveReturn(return_id="ret_1", items=items))
    assert given.when(correct(1)) == ()  # one unit under this id is what was said

    given.when(correct(1, foreign=[CorrectedForeign(number=1, quantity=0)]))

    assert (given.the().status, given.the().refunded, foreign(given)) == (
        ReturnStatus.RECEIVED,
        usd(1000),
        [],
    )


def test_described_goods_are_corrected_by_their_number() -> None:
    """Three socks, one, none: then the mugs that were requested are all that arrived."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(1))
    given.when(receive(1, foreign=[SOCKS]))
    for said in (3, 1):
        given.when(socks(said))
        assert (given.the().status, foreign(given)) == (ReturnStatus.REQUIRES_ACTION, [(1, said)])
    assert given.when(socks(1)) == ()

    given.when(socks(0))

    ret = given.the()
    assert (ret.status, ret.refunded, foreign(given)) == (ReturnStatus.RECEIVED, usd(1000), [])
    assert (ret.receipts[0].foreign[0].quantity, ret.corrections[-1].foreign[0].quantity) == (2, 0)


def test_foreign_goods_that_are_not_there_are_not_corrected() -> None:
    """Those that were decided about were there; each is named once; there are never fewer than none."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(1))
    given.when(receive(1, foreign=[SOCKS]))
    twice = [CorrectedForeign(number=1, quantity=0), CorrectedForeign(number=1, quantity=-1)]

    found = given.refuses(CorrectReceipt(return_id="ret_1", foreign=twice, reason="counted again"))
    assert [each.code for each in found.violations] == ["foreign_decided_twice", "invalid_quantity"]
    assert given.refuses(socks(0, number=2)).violations[0].code == "foreign_not_found"
    assert given.refuses(CorrectReceipt(return_id="ret_1", reason="why")).violations[0].code == "no_items"
    given.when(ResolveReturn(return_id="ret_1", foreign=[ForeignDecision(number=1, send_back=True)]))
    assert given.refuses(socks(0)).violations[0].code == "foreign_not_found"


def test_foreign_goods_on_record_of_a_closed_return_are_corrected() -> None:
    """A sock came after it was closed, and was none: it is as it was."""
    given = booked(3)
    given.when(ReceiveReturn(return_id="ret_1", foreign=[SOCKS]))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION

    given.when(socks(0))

    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(3000))


# -- a typing error that is undone -------------------------------------------------------------------


def test_a_typing_error_that_is_undone_leaves_a_closed_return_closed() -> None:
    """2 of 2 arrived; corrected to 3, a person decides; corrected back, there is nothing to decide."""
    given = booked(2, wanted=2)

    given.when(correct(3))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(correct(2))

    ret = given.the()
    assert (ret.status, ret.refunded, ret.needs_attention) == (ReturnStatus.RECEIVED, usd(2000), False)


def test_a_parcel_that_was_booked_for_the_wrong_return_is_taken_away() -> None:
    """A mug too many after it was closed, and then none: it is closed as before."""
    given = booked(2, wanted=2)
    given.when(receive(1))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION

    given.when(correct(2))

    assert given.the().status is ReturnStatus.RECEIVED


def test_what_is_still_undecided_stays_so() -> None:
    """Two arrived after it was closed, one of them never did; an empty parcel arrived besides."""
    given = booked(1, wanted=1)
    given.when(receive(2))
    given.when(correct(2))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(ResolveReturn(return_id="ret_1"))
    given.when(ReceiveReturn(return_id="ret_1"))
    given.when(receive(1))

    given.when(correct(2))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION


def test_a_return_that_was_closed_by_an_inspection_is_closed_again() -> None:
    """Graded and paid; one more was typed, and undone."""
    given = booked(2, wanted=2, policy=INSPECT)
    given.when(inspect("A", "A"))

    given.when(correct(3))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(correct(2))

    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(2000))


def test_units_of_a_canceled_return_wait_for_a_person_whatever_is_corrected() -> None:
    """It was never closed with them."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(1))
    given.when(CancelReturn(return_id="ret_1"))
    given.when(receive(1))

    given.when(correct(0))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION


# -- amounts -------------------------------------------------------------------------------------------


def test_units_that_went_back_with_a_canceled_return_are_not_paid_twice() -> None:
    """Two mugs that no one asked for went back and arrived again: 20.00, and a third is worth what it was."""
    given = Given(order_of(line(quantity=3), line("cup", 1, 5000)))
    given.when(request(1, "cup"))
    given.when(receive(2))
    given.when(CancelReturn(return_id="ret_1"))
    given.when(receive(2))

    given.when(ResolveReturn(return_id="ret_1"))

    assert given.the().refunded == usd(2000)
    given.when(request(1))
    assert given.the("ret_2").quoted_refund == usd(1000)


def test_an_unannounced_parcel_that_went_back_and_arrived_again_is_paid_once() -> None:
    """One mug, 10.00."""
    given = Given(order_of(line(quantity=3)))
    items = [ReceivedItem(item_id="mug", quantity=1)]
    given.when(ReceiveUnannounced(order_id="order_1", items=items))
    given.when(CancelReturn(return_id="ret_1"))
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))

    assert given.the().refunded == usd(1000)


def test_a_named_amount_survives_a_correction_there_and_back() -> None:
    """25.00 for three: two hold it down to 20.00, three to 25.00 again."""
    given = booked(3, wanted=2)
    given.when(ResolveReturn(return_id="ret_1", refund_amount=usd(2500)))

    given.when(correct(2))
    assert (given.the().refund_amount, given.the().entitlement.overpaid) == (usd(2000), usd(500))
    given.when(correct(3))
    given.when(ResolveReturn(return_id="ret_1"))

    ret = given.the()
    assert (ret.refund_amount, ret.refunded, ret.entitlement.overpaid) == (usd(2500), usd(2500), usd(0))
    assert sum([part.amount.amount for part in ret.breakdown]) == 2500


def test_the_units_of_a_request_keep_their_share_when_more_came_after_all() -> None:
    """18.99 for two: the requested one is 9.50, the other 9.49."""
    given = Given(order_of(line(quantity=2, adjustments=off(101)), line("cup", 1)))
    given.when(request(1))
    given.when(ReceiveReturn(return_id="ret_1"))
    given.when(ResolveReturn(return_id="ret_1"))

    given.when(correct(2))
    given.when(ResolveReturn(return_id="ret_1"))

    assert given.the().refunded == usd(1899)


def test_what_was_paid_too_much_is_found_until_a_person_writes_it_off() -> None:
    """2 were paid, 1 arrived: it needs attention; the 20.00 are granted with a note, or the other arrives."""
    given, other = booked(2, wanted=2), booked(2, wanted=2)
    for each in (given, other):
        each.all_delivered()
        each.when(correct(1))
        assert each.the().needs_attention

    error = given.refuses(ResolveReturn(return_id="ret_1", refund_amount=usd(2000)))
    assert error.violations[0].code == "refund_exceeds_worth"
    given.when(ResolveReturn(return_id="ret_1", refund_amount=usd(2000), refund_note="our mistake"))
    other.when(receive(1))
    other.when(ResolveReturn(return_id="ret_1"))

    for each in (given, other):
        ret = each.the()
        assert (ret.refunded, ret.entitlement.overpaid) == (usd(2000), usd(0))
        assert not ret.needs_attention


def test_goods_of_a_canceled_exchange_that_wait_are_quoted_by_themselves() -> None:
    """10.00 for 10.00, canceled; the mug arrived late, and is accepted: what is shown adds up."""
    given = Given(order_of(line(quantity=3)), INSPECT)
    items, new = (
        [RequestedItem(item_id="mug", quantity=1)],
        NewItem(variant_id="v_new", quantity=1, unit_price=usd(1000)),
    )
    given.when(RequestExchange(order_id="order_1", items=items, new_items=[new]))
    given.when(CancelExchange(exchange_id=given.ledger.exchanges[0].id))
    return_id = given.ledger.returns[0].id
    given.when(receive(1, return_id=return_id))

    given.when(ResolveReturn(return_id=return_id))

    ret = given.ledger.get(return_id)
    assert (ret.status, ret.refund_amount) == (ReturnStatus.IN_INSPECTION, usd(1000))
    assert sum([part.amount.amount for part in ret.breakdown]) == 1000
    assert given.ledger == replay("order_1", given.history)


@pytest.mark.parametrize(("price", "awaits"), [(1500, False), (2500, True)])
def test_an_exchange_that_waits_for_its_payment_needs_a_person_after_a_correction(
    price: int, *, awaits: bool
) -> None:
    """One of two mugs arrived: nothing new went out for 25.00; what went out for 15.00 is not asked back."""
    given = Given(order_of(line(quantity=3)))
    items, new = (
        [RequestedItem(item_id="mug", quantity=2)],
        NewItem(variant_id="v_new", quantity=1, unit_price=usd(price)),
    )
    given.when(RequestExchange(order_id="order_1", items=items, new_items=[new]))
    return_id = given.ledger.returns[0].id
    given.when(receive(2, return_id=return_id))
    items_now = [CorrectedItem(item_id="mug", quantity=1)]

    given.when(CorrectReceipt(return_id=return_id, items=items_now, reason="counted again"))

    ret, exchange = given.ledger.get(return_id), given.ledger.exchanges[0]
    assert exchange.is_open is awaits
    assert ret.needs_attention is (awaits or ret.entitlement.overpaid.amount > 0)
    assert ret.valuation.owed > 0


# -- dates ---------------------------------------------------------------------------------------------

FIVE_DAYS = ReturnPolicy(pay_within_days=5)
BY_LAW = ReturnPolicy(withdrawal=Withdrawal(calendar=Calendar("Europe/Berlin")))


@pytest.mark.parametrize("parcel", [(), (SOCKS,)])
def test_an_empty_or_a_foreign_parcel_does_not_start_the_days_to_pay(parcel: tuple[ForeignItem, ...]) -> None:
    """The goods come ten days later: then the days begin."""
    given = Given(order_of(line(quantity=3)), FIVE_DAYS)
    given.when(request(1))
    given.when(ReceiveReturn(return_id="ret_1", foreign=parcel))
    assert (given.the().refund_due_by, given.the().payable_by) == (None, None)

    given.now += timedelta(days=10)
    given.when(receive(1))

    assert given.the().refund_due_by == given.now + timedelta(days=5)


def test_goods_that_came_first_keep_their_date() -> None:
    """An empty parcel after them does not move it."""
    given = Given(order_of(line(quantity=3)), FIVE_DAYS)
    given.when(request(2))
    given.when(receive(1, more_expected=True))
    due_by = given.the().refund_due_by

    given.now += timedelta(days=2)
    given.when(ReceiveReturn(return_id="ret_1", more_expected=True))

    assert given.the().refund_due_by == due_by is not None


def test_a_sock_for_a_canceled_return_is_not_to_be_paid_by_a_date() -> None:
    """Its mug went back when it was canceled; a mug that comes after that counts again."""
    given = Given(order_of(line(quantity=3)), FIVE_DAYS)
    given.when(request(1))
    given.when(receive(2))
    given.when(CancelReturn(return_id="ret_1"))
    given.now += timedelta(days=3)

    given.when(ReceiveReturn(return_id="ret_1", foreign=[SOCKS]))
    assert given.the().payable_by is None
    given.when(receive(1))

    assert given.the().payable_by == given.now + timedelta(days=5)


def test_nothing_is_to_be_paid_by_a_date_once_nothing_came_after_all() -> None:
    """A correction to nothing ends it, as an empty parcel never begins it."""
    given = Given(order_of(line(quantity=3)), FIVE_DAYS)
    given.when(request(2))
    given.when(receive(1))
    assert given.the().payable_by is not None

    given.when(correct(0))

    assert given.the().payable_by is None


def test_what_is_due_though_nothing_arrived_after_all_is_to_be_paid_by_the_date() -> None:
    """5.00 were named, with a note; nothing arrived, as is known by now, and the refund failed."""
    given = Given(order_of(line(quantity=3)), FIVE_DAYS)
    given.when(request(1))
    given.when(receive(1, refund_amount=500, refund_note="agreed on the phone"))
    given.when(correct(0))
    assert given.the().payable_by is None

    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))

    assert given.the().amount_due == usd(500)
    assert given.the().payable_by == given.the().refund_due_by is not None


def test_an_empty_parcel_makes_no_withdrawal_due_and_a_proof_does() -> None:
    """Nothing is due while the goods are with the customer, as far as is known."""
    order = order_of(line(quantity=3))
    given = Given(order, BY_LAW)
    asked = [RequestedItem(item_id="mug", quantity=1)]
    given.when(RequestReturn(order_id="order_1", items=asked, basis="withdrawal"))

    given.when(ReceiveReturn(return_id="ret_1"))
    assert (given.the().refund_due_by, given.the().payable_by) == (None, None)

    sent = Given(order, BY_LAW)
    sent.when(RequestReturn(order_id="order_1", items=asked, basis="withdrawal"))
    sent.when(RecordSending(return_id="ret_1", sent_at=sent.now, proof="receipt of the post office"))
    sent.when(ReceiveReturn(return_id="ret_1"))
    assert sent.the().payable_by == sent.the().refund_due_by is not None


# -- small things --------------------------------------------------------------------------------------


def test_a_foreign_unit_names_the_return_that_waits_for_it() -> None:
    """A parcel without its number, while a return of all mugs is open: that one is the hint."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(3))
    items = [ReceivedItem(item_id="mug", quantity=1), ReceivedItem(item_id="mgu", quantity=1)]

    given.when(ReceiveUnannounced(order_id="order_1", items=items, foreign=[SOCKS]))

    assert [each.expected_by for each in given.the("ret_2").foreign] == ["ret_1", None, None]
    given.when(receive(3))
    given.when(receive(1, return_id="ret_2"))
    assert given.the("ret_2").foreign[-1].expected_by is None  # it arrived


@pytest.mark.parametrize(
    "parcel",
    [
        {"items": [ReceivedItem(item_id="mug", quantity=1, serials=[" "])]},
        {"items": [ReceivedItem(item_id="", quantity=1)]},
        {"foreign": [ForeignItem(description=" ")]},
        {"location_id": ""},
    ],
)
def test_what_says_nothing_is_refused(parcel: dict[str, Any]) -> None:
    """A number, an id, a description, a place."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(1))

    (found,) = given.refuses(ReceiveReturn(return_id="ret_1", **parcel)).violations

    assert (found.code, found.numbers["expected"]) == ("invalid_text", "a string that is not blank")


def test_an_order_whose_units_were_all_lost_on_the_way_back_is_returned() -> None:
    """They are paid for, and no one has them."""
    given = Given(order_of(line(quantity=1)))
    given.when(request(1))
    lost = [MissingItem(item_id="mug", quantity=1, pay=True)]
    given.when(ResolveReturn(return_id="ret_1", missing=lost))

    assert given.order is not None
    assert order_state(given.order, given.ledger).fulfillment_status == "returned"


def test_a_grade_that_is_not_given_is_named_once() -> None:
    """One violation, whatever was before."""
    given = booked(1, wanted=1, policy=INSPECT)
    nothing: Any = None

    found = given.refuses(inspect(graded(nothing)))

    assert [each.code for each in found.violations].count("unknown_grade") == 1
