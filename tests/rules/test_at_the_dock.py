"""What comes to the dock: unexpected, foreign, over-sold, lost and found; nothing is refused there."""

from typing import Any

import pytest

from rma import (
    CancelReturn,
    CorrectedItem,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    ForeignDecision,
    ForeignItem,
    GoodsReceived,
    LineItem,
    MissingItem,
    OrderStatus,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RejectedItem,
    RequestedItem,
    RequestReturn,
    ResolveReturn,
    ReturnPolicy,
    ReturnRequested,
    ReturnStatus,
)
from rma.domain.messages.effects import RefundDeclined, StockLine
from tests.rules.given import Given, effect_kinds, line, order_of, put, receive, request, usd

SOCK = ForeignItem(description="a sock", quantity=1, sku="sock", note="worn", images=["sock.jpg"])


def unexpected(quantity: int = 1, damaged: int = 0, **more: Any) -> ReceiveUnannounced:
    """Receives mugs of which no one said anything."""
    items = [ReceivedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged)]
    return ReceiveUnannounced(order_id="order_1", items=items, **more)


def resolve(return_id: str = "ret_1", **more: Any) -> ResolveReturn:
    """Closes a return."""
    return ResolveReturn(return_id=return_id, **more)


def lost(quantity: int, *, pay: bool = True) -> list[MissingItem]:
    """Mugs that will not arrive."""
    return [MissingItem(item_id="mug", quantity=quantity, pay=pay, reason="lost by the carrier")]


def free(given: Given) -> int:
    """Returns how many mugs can be returned."""
    assert given.order is not None
    return given.ledger.remainders(given.order, ["mug"])["mug"].returnable(given.order.items[0])


# -- parcels that no one expected ----------------------------------------------------------------


def test_an_unexpected_parcel_opens_a_return_that_a_person_decides_about() -> None:
    """It is booked, into stock, and pays nothing until it is resolved."""
    given = Given(order_of(line(quantity=3)))

    events = given.when(unexpected(1, 1, location_id="loc_1", created_by="Bo", idempotency_key="dock-1"))

    assert [type(event) for event in events] == [ReturnRequested, GoodsReceived]
    ret = given.the()
    assert (ret.status, ret.refunds, ret.needs_attention) == (ReturnStatus.REQUIRES_ACTION, (), True)
    assert [(item.received_quantity, item.damaged_quantity) for item in ret.items] == [(1, 1)]
    assert ret.restocks[0].lines == (StockLine("mug", "v_mug", 1),)
    assert (ret.location_id, ret.created_by, free(given)) == ("loc_1", "Bo", 1)
    assert effect_kinds(given.ledger) == ["restock-1"]
    given.when(resolve())
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(2000))


def test_an_amount_that_is_named_for_what_was_requested_is_for_nothing_here() -> None:
    """Named with another parcel, with a note: what is accepted is worth what it is worth."""
    given = Given(order_of(line(quantity=3)))
    given.when(unexpected(1))
    given.when(receive(1, refund_amount=usd(500), refund_note="agreed"))

    given.when(resolve())

    assert given.the().refunded == usd(2000)


def test_cash_on_delivery_that_was_refused_at_the_door_goes_into_stock_and_pays_nothing() -> None:
    """The order is canceled and nothing was paid: closed for 0.00, no one is bothered any more."""
    given = Given(order_of(line(quantity=1), captured=0, status=OrderStatus.CANCELED))

    given.when(unexpected(1))
    given.when(resolve(refund_amount=0))

    assert (given.the().status, given.the().needs_attention) == (ReturnStatus.RECEIVED, False)
    assert effect_kinds(given.ledger) == ["restock-1"]


def test_at_most_what_the_customer_still_has_is_the_orders() -> None:
    """4 arrived of 3 sold: three units, and one foreign one of the same SKU."""
    given = Given(order_of(line(quantity=3)))

    given.when(unexpected(4))

    ret = given.the()
    assert ret.receipts[0].items[0].quantity == 3
    assert [(each.number, each.quantity, each.sku, each.item_id) for each in ret.foreign] == [
        (1, 1, "v_mug", "mug")
    ]
    assert (ret.restocks[0].lines[0].quantity, free(given)) == (3, 0)


def test_an_order_that_is_not_there_and_malformed_input_are_refused() -> None:
    """All at once."""
    given = Given()
    command = ReceiveUnannounced(
        order_id="order_9",
        items=[
            ReceivedItem(item_id="mug", quantity=-1),
            ReceivedItem(item_id="mug", quantity=1, note="n" * 10_001),
        ],
        foreign=[ForeignItem(description="", quantity=0), SOCK, ForeignItem(description=5)],  # type: ignore[arg-type] # the point
        no_notification="no",  # type: ignore[arg-type] # the point
    )

    assert given.codes(command) == [
        "order_not_found",
        "invalid_quantity",
        "text_too_long",
        "invalid_text",
        "invalid_quantity",
        "invalid_text",
        "invalid_flag",
    ]


# -- foreign goods ---------------------------------------------------------------------------------


def test_foreign_goods_are_facts_that_move_nothing_and_need_a_decision() -> None:
    """What was requested arrived, with a sock: a person says what becomes of it, then the rest is paid."""
    given = Given()
    given.when(request(2))

    given.when(receive(2, foreign=[SOCK]))
    waiting = given.the()
    refusal = given.refuses(resolve())
    given.when(resolve(foreign=[ForeignDecision(number=1, send_back=False, note="to the bin")]))

    assert (waiting.status, waiting.refunds) == (ReturnStatus.REQUIRES_ACTION, ())
    (sock,) = waiting.foreign
    assert (sock.description, sock.sku, sock.note, sock.images) == ("a sock", "sock", "worn", ("sock.jpg",))
    assert (refusal.code, refusal.violations[0].numbers["numbers"]) == ("foreign_undecided", [1])
    ret = given.the()
    assert (ret.status, ret.refunded, ret.undecided_foreign) == (ReturnStatus.RECEIVED, usd(2000), ())
    assert ret.foreign_decisions == (ForeignDecision(number=1, send_back=False, note="to the bin"),)
    assert ret.resolution is not None
    assert ret.resolution.foreign == ret.foreign_decisions


def test_a_wrong_article_leaves_a_trace() -> None:
    """An id that is not a line of the order is foreign; the return waits, nothing moves."""
    given = Given(order_of(line(quantity=1)))
    given.when(request(1))
    items = [ReceivedItem(item_id="mug", quantity=0), ReceivedItem(item_id="pot", quantity=1, note="blue")]

    given.when(ReceiveReturn(return_id="ret_1", items=items))

    ret = given.the()
    assert (ret.status, effect_kinds(given.ledger)) == (ReturnStatus.REQUIRES_ACTION, [])
    assert [(each.description, each.item_id, each.note) for each in ret.foreign] == [("pot", "pot", "blue")]
    assert given.when(CancelReturn(return_id="ret_1"))
    assert given.the().foreign_decisions == (ForeignDecision(number=1, send_back=True),)


def test_foreign_goods_are_not_accepted_with_the_others() -> None:
    """`allow_mismatch` accepts units of the order; what becomes of a sock must be said."""
    given = Given()
    given.when(request(2))
    given.when(receive(1, foreign=[SOCK], allow_mismatch=True))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert given.codes(ReceiveReturn(return_id="ret_1", allow_mismatch=True)) == ["foreign_undecided"]
    given.when(receive(1))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION


def test_foreign_goods_are_decided_about_once() -> None:
    """Numbers count on from parcel to parcel; of none that is not there, and of none twice."""
    given = Given()
    given.when(request(2))
    given.when(receive(1, foreign=[SOCK]))
    given.when(receive(0, foreign=[SOCK, SOCK]))
    decided = [ForeignDecision(number=number, send_back=True) for number in (1, 2, 2, 9)]

    assert given.codes(resolve(foreign=decided)) == [
        "foreign_decided_twice",
        "foreign_not_found",
        "foreign_undecided",
    ]
    given.when(resolve(foreign=[ForeignDecision(number=number, send_back=True) for number in (3, 1, 2)]))
    assert [each.number for each in given.the().foreign_decisions] == [1, 2, 3]
    given.when(receive(0, foreign=[SOCK]))
    assert [each.number for each in given.the().undecided_foreign] == [4]


# -- serial numbers --------------------------------------------------------------------------------


def with_serials(*serials: str, quantity: int = 3) -> LineItem:
    """Returns mugs whose serial numbers are known."""
    return line(quantity=quantity, serials=serials)


def test_units_with_other_serial_numbers_are_foreign() -> None:
    """A and B were sold: of A and X, A is the order's and X is not."""
    given = Given(order_of(with_serials("A", "B", "C")))
    given.when(request(2))
    items = [ReceivedItem(item_id="mug", quantity=2, serials=["A", "X"])]

    given.when(ReceiveReturn(return_id="ret_1", items=items))

    ret = given.the()
    assert (ret.receipts[0].items[0].serials, ret.receipts[0].items[0].quantity) == (("A",), 1)
    assert [(each.serials, each.quantity) for each in ret.foreign] == [(("X",), 1)]
    assert ret.status is ReturnStatus.REQUIRES_ACTION


def test_serial_numbers_that_match_change_nothing() -> None:
    """They are on the receipt; where the line names none, any number will do."""
    for sold in (with_serials("A", "B", "C"), line(quantity=3)):
        given = Given(order_of(sold))
        given.when(request(2))
        items = [ReceivedItem(item_id="mug", quantity=1, damaged_quantity=1, serials=["A", "B"])]

        given.when(ReceiveReturn(return_id="ret_1", items=items))

        assert given.the().status is ReturnStatus.RECEIVED
        assert given.the().receipts[0].items[0].serials == ("A", "B")


def test_a_serial_number_is_given_once_and_for_a_unit() -> None:
    """Twice the same, more than units, or none at all is malformed."""
    given = Given()
    given.when(request(2))

    def codes(*items: ReceivedItem) -> list[str]:
        return given.codes(ReceiveReturn(return_id="ret_1", items=items))

    assert codes(ReceivedItem(item_id="mug", quantity=2, serials=["A", "A"])) == ["serial_given_twice"]
    one, other = [ReceivedItem(item_id="mug", quantity=1, serials=["A"]) for _ in range(2)]
    assert codes(one, other) == ["serial_given_twice"]
    assert codes(ReceivedItem(item_id="mug", quantity=1, serials=["A", "B"])) == ["serials_exceed_quantity"]
    assert codes(ReceivedItem(item_id="mug", quantity=1, serials="A")) == ["invalid_text"]
    assert codes(ReceivedItem(item_id="mug", quantity=1, serials=[5])) == ["invalid_text"]  # type: ignore[list-item] # the point
    assert codes(ReceivedItem(item_id="mug", quantity=1, images=["i"] * 21)) == ["too_many_images"]


# -- notes and images ------------------------------------------------------------------------------


def test_notes_and_images_are_kept_with_the_items() -> None:
    """Those of the request with the item, those of the parcel with the receipt, entries added up."""
    given = Given()
    asked = RequestedItem(item_id="mug", quantity=2, note="cracked", images=["crack.jpg"])
    given.when(RequestReturn(order_id="order_1", items=[asked]))
    items = [
        ReceivedItem(item_id="mug", quantity=1, note="fine", images=["1.jpg"]),
        ReceivedItem(item_id="mug", quantity=0, damaged_quantity=1, note="cracked", images=["2.jpg"]),
    ]

    given.when(ReceiveReturn(return_id="ret_1", items=items))

    ret = given.the()
    assert (ret.items[0].note, ret.items[0].images) == ("cracked", ("crack.jpg",))
    (received,) = ret.receipts[0].items
    assert (received.note, received.images) == ("fine\ncracked", ("1.jpg", "2.jpg"))
    too_many = RequestedItem(item_id="mug", quantity=1, images=["i"] * 21)
    other = Given()
    assert other.codes(RequestReturn(order_id="order_1", items=[too_many])) == ["too_many_images"]


# -- units that will not arrive --------------------------------------------------------------------


def test_units_that_were_lost_on_the_way_back_are_paid_and_held() -> None:
    """Two of three lost: paid as if they had come; they cannot be returned again."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(3))

    given.when(resolve(missing=lost(2)))

    ret = given.the()
    assert (ret.status, ret.refunded, free(given)) == (ReturnStatus.RECEIVED, usd(2000), 2)
    assert (ret.items[0].lost_quantity, ret.items[0].still_lost_quantity) == (2, 2)
    assert effect_kinds(given.ledger) == ["refund-1"]
    assert ret.resolution is not None
    assert ret.resolution.missing == tuple(lost(2))


@pytest.mark.parametrize("policy", [ReturnPolicy(), ReturnPolicy(refund_damaged=False)])
@pytest.mark.parametrize(("sellable", "damaged"), [(1, 0), (0, 1), (2, 0), (1, 1)])
def test_a_lost_parcel_that_turns_up_is_booked_and_pays_nothing(
    policy: ReturnPolicy, sellable: int, damaged: int
) -> None:
    """Whatever its state; no one has to decide."""
    given = Given(order_of(line(quantity=4)), policy)
    given.when(request(2))
    given.when(resolve(missing=lost(2)))

    given.when(receive(sellable, damaged))

    ret = given.the()
    assert (ret.status, ret.refunded, ret.entitlement.overpaid) == (ReturnStatus.RECEIVED, usd(2000), usd(0))
    assert (ret.items[0].received_quantity, ret.items[0].damaged_quantity) == (sellable, damaged)
    assert (free(given), ret.needs_attention) == (2, False)
    assert ("restock-1" in effect_kinds(given.ledger)) == bool(sellable)


def test_a_lost_parcel_that_turns_up_does_not_ask_for_a_declined_refund_again() -> None:
    """What is due stays due: a parcel moves no money by itself."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(2))
    given.when(resolve(missing=lost(2)))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))

    given.when(receive(2))

    assert (len(given.the().refunds), given.the().amount_due) == (1, usd(2000))


def test_more_than_was_lost_turns_up() -> None:
    """One lost and paid, two come: the second one is a late one, for a person to decide about."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(2))
    given.when(receive(1, more_expected=True))
    given.when(resolve(missing=lost(1)))

    given.when(receive(2))

    ret = given.the()
    assert (ret.status, ret.refunded) == (ReturnStatus.REQUIRES_ACTION, usd(2000))
    assert [item.received_quantity for item in ret.items] == [2, 1]
    given.when(resolve())
    assert given.the().refunded == usd(3000)


def test_units_that_were_never_sent_are_the_customers_again() -> None:
    """Not paid for, as when a return is closed short."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(3))
    given.when(receive(1, more_expected=True))

    given.when(resolve(missing=lost(2, pay=False)))

    assert (given.the().status, given.the().refunded, free(given)) == (ReturnStatus.RECEIVED, usd(1000), 3)


def test_at_most_what_is_outstanding_is_missing() -> None:
    """The sum of a line's entries, of what did not arrive; nothing once its units were free."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(3))
    given.when(receive(1, more_expected=True))
    other = [
        MissingItem(item_id="pot", quantity=1, pay=True),
        MissingItem(item_id="mug", quantity=0, pay=True),
    ]

    (violation,) = given.refuses(resolve(missing=[*lost(1), *lost(2, pay=False)])).violations
    assert (violation.code, violation.numbers) == (
        "missing_exceeds_outstanding",
        {"quantity": 3, "outstanding": 2},
    )
    assert given.codes(resolve(missing=other)) == ["invalid_quantity", "item_not_in_return"]
    late = late_return("declined")
    late.when(receive(1))
    assert late.codes(resolve(missing=lost(1))) == ["missing_exceeds_outstanding"]


def test_a_request_is_resolved_only_to_say_what_is_missing() -> None:
    """Else it is canceled."""
    given = Given()
    given.when(request(2))

    assert given.codes(resolve()) == ["nothing_to_resolve"]


# -- nothing is refused at the dock ----------------------------------------------------------------


def late_return(status: str) -> Given:
    """Returns three mugs, of which a return of two has this status."""
    policy = ReturnPolicy(
        review=status in ("pending_approval", "declined"),
        return_within_days=1,
        inspect=status == "in_inspection",
    )
    given = Given(order_of(line(quantity=3)), policy)
    given.when(request(2))
    match status:
        case "canceled":
            given.when(CancelReturn(return_id="ret_1"))
        case "declined":
            given.when(DeclineReturn(return_id="ret_1", reason="worn"))
        case "expired":
            given.now = given.the().return_by or given.now
            given.when(ExpireReturn(return_id="ret_1"))
        case "received" | "in_inspection":
            given.when(receive(2))
        case "partially_received":
            given.when(receive(1, more_expected=True))
        case "requires_action":
            given.when(receive(1))
        case _:
            pass
    assert given.the().status.value == status
    return given


@pytest.mark.parametrize("status", [each.value for each in ReturnStatus])
@pytest.mark.parametrize("is_canceled", [False, True])
@pytest.mark.parametrize("is_removed", [False, True])
def test_any_parcel_is_booked_whatever_the_status(status: str, is_canceled: bool, is_removed: bool) -> None:
    """Full, too much, empty, foreign; of a canceled order, of a line that is not on it any more."""
    for parcel in (
        receive(2),
        receive(0, 1, allow_mismatch=True),
        receive(9, 9, more_expected=True),
        receive(0),
        ReceiveReturn(return_id="ret_1"),
        ReceiveReturn(return_id="ret_1", foreign=[SOCK]),
        ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="unknown", quantity=3)]),
    ):
        given = late_return(status)
        if is_canceled:
            put(given, status=OrderStatus.CANCELED)
        if is_removed:
            put(given, items=[line("pot")])
        paid, receipts = given.the().refunded, len(given.the().receipts)

        assert given.when(parcel)

        ret = given.the()
        assert len(ret.receipts) == receipts + 1
        if status in ("canceled", "declined", "expired", "received", "pending_approval"):
            assert (ret.status, ret.refunded) == (ReturnStatus.REQUIRES_ACTION, paid)


@pytest.mark.parametrize("status", ["canceled", "declined", "expired", "received"])
def test_what_arrived_late_is_paid_or_returned_as_a_person_says(status: str) -> None:
    """One mug: accepted, it pays 10.00; rejected, it leaves stock and is the customer's again."""
    paying, rejecting = late_return(status), late_return(status)
    before, free_before = paying.the().refunded, free(paying)
    for given in (paying, rejecting):
        given.when(receive(1))
        assert free(given) == free_before - 1

    paying.when(resolve())
    rejecting.when(resolve(rejected=[RejectedItem(item_id="mug", quantity=1)]))

    assert paying.the().refunded == before + usd(1000)
    assert (rejecting.the().refunded, free(rejecting)) == (before, free_before)
    assert rejecting.the().withdrawals


def test_a_return_that_was_received_shows_what_was_granted_until_the_rest_is_decided() -> None:
    """Its amount stays what it was; what arrived late is shown as undecided."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(2))
    given.when(receive(1, allow_mismatch=True))

    given.when(receive(1))

    ret = given.the()
    assert (ret.quoted_refund, ret.refund_amount, ret.is_open) == (usd(2000), usd(1000), True)
    assert [(part.name, part.amount.amount) for part in ret.breakdown] == [
        ("item:mug", 1000),
        ("item:mug", 1000),
        ("undecided", -1000),
    ]
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_not_cancelable"]


def test_an_unknown_return_and_malformed_numbers_are_refused() -> None:
    """They are not a parcel."""
    given = Given()
    given.when(request(2))

    assert given.codes(receive(1, return_id="ret_9")) == ["return_not_found"]
    assert given.codes(receive(-1)) == ["invalid_quantity"]


def test_what_turns_up_is_what_was_lost_not_what_the_customer_kept() -> None:
    """Two were lost, one never sent: one turns up, no one decides; counted wrong, it is lost again."""
    given = Given(order_of(line(quantity=4)))
    given.when(request(3))
    given.when(resolve(missing=[*lost(2), *lost(1, pay=False)]))

    given.when(receive(1))
    found = given.the().items[0]
    counted = CorrectedItem(item_id="mug", quantity=0)
    given.when(CorrectReceipt(return_id="ret_1", items=[counted], reason="another parcel"))

    assert (found.received_quantity, found.still_lost_quantity, found.missing_quantity) == (1, 1, 1)
    assert (given.the().status, given.the().refunded, free(given)) == ("received", usd(2000), 2)
    assert given.the().items[0].still_lost_quantity == 2
    assert given.the().entitlement.overpaid == usd(0)
