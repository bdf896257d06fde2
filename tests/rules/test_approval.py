"""Given a return that waits for approval, when a person decides, then it may be sent, or never."""

from attrs import evolve

from rma import (
    ApprovedItem,
    ApproveReturn,
    CancelReturn,
    Decision,
    DeclineReturn,
    Fee,
    NotFound,
    ResolveReturn,
    ReturnApproved,
    ReturnDeclined,
    ReturnPolicy,
    ReturnStatus,
    RevisedItem,
)
from tests.rules.before import DECLINE, EXPIRE, RENEW, REVIEW, SENT, approve, pending, requested
from tests.rules.given import (
    Given,
    effect_kinds,
    line,
    names_and_amounts,
    order_of,
    receive,
    request,
    update,
    usd,
)


def test_a_request_under_review_holds_its_units_and_books_nothing() -> None:
    """Its label is booked on approval only, and until then a person is needed."""
    given = pending(2, shipping_option_id="so_return")

    assert given.the().status is ReturnStatus.PENDING_APPROVAL
    assert given.the().needs_attention
    assert given.ledger.open_effects == {}
    assert given.codes(request(2)) == ["quantity_exceeds_returnable"]


def test_approving_books_the_label() -> None:
    """It is requested then, with who approved it, and the note for the customer."""
    given = pending(shipping_option_id="so_return")

    (event,) = given.when(approve(note="come in", created_by="anna"))

    assert isinstance(event, ReturnApproved)
    assert effect_kinds(given.ledger) == ["shipment-1"]
    assert given.the().status is ReturnStatus.REQUESTED
    assert given.the().decision == Decision(is_approved=True, at=given.now, by="anna", note="come in")
    assert not given.the().needs_attention


def test_number_2_approving_fewer_quotes_again_and_frees_the_rest() -> None:
    """3 mugs of 29.00, approved 2: 19.33; the third is free again, worth 9.67."""
    given = pending()
    assert given.the().refund_amount == usd(2900)

    (event,) = given.when(approve(2))

    assert isinstance(event, ReturnApproved)
    assert [type(each) for each in event.items] == [RevisedItem]  # no price is repeated
    assert given.the().refund_amount == usd(1933)
    assert given.the().items[0].quantity == 2
    given.policy = ReturnPolicy()
    given.when(request(1))
    assert given.the("ret_2").refund_amount == usd(967)


def test_approving_all_by_number_is_approving_all() -> None:
    """Nothing is revised where every unit is named."""
    given = pending()

    (event,) = given.when(approve(3))

    assert isinstance(event, ReturnApproved)
    assert event.items == ()
    assert not given.the().is_revised


def test_lines_that_are_not_named_are_not_approved() -> None:
    """A line may be in several items: its units are approved in request order."""
    given = Given(order_of(line("mug", 3), line("tea", 1, 500)), REVIEW)
    from rma import RequestedItem, RequestReturn  # noqa: PLC0415 # only here

    asked = [("mug", 1, "rr_big"), ("tea", 1, None), ("mug", 2, None)]
    items = [RequestedItem(item_id=item, quantity=count, reason_id=why) for item, count, why in asked]
    given.when(RequestReturn(order_id="order_1", items=items))

    given.when(approve(2))

    assert [(item.item_id, item.quantity, item.reason_id) for item in given.the().items] == [
        ("mug", 1, "rr_big"),
        ("mug", 1, None),
    ]
    assert names_and_amounts(given.the()) == {"item:mug": 1000}


def test_a_named_refund_shrinks_with_what_is_approved() -> None:
    """It was for the requested units; the units' fees and shipping are not deducted from it."""
    given = pending(refund_amount=1500)

    given.when(approve(2))

    assert given.the().refund_amount == usd(1000)
    assert given.the().entitlement.requested_refund == usd(1000)


def test_a_named_refund_for_goods_without_value_shrinks_by_units() -> None:
    """The merchant pays for them all the same."""
    given = Given(order_of(line("mug", 3, 0)), REVIEW)
    given.when(request(3, refund_amount=900, refund_note="goodwill"))

    given.when(approve(1))

    assert given.the().refund_amount == usd(300)


def test_fees_and_shipping_are_deducted_from_what_is_approved() -> None:
    """They are of the terms and the way back that were agreed on request."""
    policy = ReturnPolicy(review=True, fees=[Fee("restocking", percent=10)])
    given = pending(policy=policy, shipping_option_id="so_return")
    given.policy = ReturnPolicy()

    given.when(approve(2))

    assert given.the().refund_amount == usd(1933 - 200 - 193)


def test_a_declined_return_moves_nothing_and_frees_its_units() -> None:
    """Its code and the note for the customer are kept."""
    given = pending(shipping_option_id="so_return")

    (event,) = given.when(DeclineReturn(return_id="ret_1", reason="worn", note="sorry", created_by="anna"))

    assert isinstance(event, ReturnDeclined)
    assert given.the().status is ReturnStatus.DECLINED
    assert given.the().decision == Decision(
        is_approved=False, at=given.now, by="anna", reason="worn", note="sorry"
    )
    assert given.ledger.open_effects == {}
    given.when(request(3))
    assert given.the("ret_2").refund_amount == usd(2900)


def test_canceling_a_pending_return_cancels_no_label() -> None:
    """None was booked."""
    given = pending(shipping_option_id="so_return")

    given.when(CancelReturn(return_id="ret_1"))

    assert given.ledger.open_effects == {}


def test_everything_that_is_wrong_with_an_approval_is_said_together() -> None:
    """With the numbers."""
    given = pending(2)
    items = [
        ApprovedItem(item_id="mug", quantity=3),
        ApprovedItem(item_id="tea", quantity=1),
        ApprovedItem(item_id="mug", quantity=-1),
    ]

    error = given.refuses(ApproveReturn(return_id="ret_1", items=items, note="x" * 501))

    assert [str(each) for each in error.violations] == [
        "line mug: quantity must be an integer of at least 0, not -1",
        "line mug: asked to approve 3, only 2 requested",
        "line tea: not in return ret_1",
        "note must be at most 500 characters long, not 501",
    ]


def test_approving_nothing_is_declining() -> None:
    """Which needs a reason, so it is another command."""
    given = pending()

    assert given.codes(approve(0)) == ["nothing_approved"]
    assert given.codes(ApproveReturn(return_id="ret_1", items=[])) == ["nothing_approved"]
    assert given.codes(ApproveReturn(return_id="ret_1", items=["mug"])) == ["invalid_items"]  # type: ignore[list-item] # wrong on purpose


def test_only_what_is_pending_is_approved_or_declined() -> None:
    """What was decided stays."""
    given = requested()
    assert given.codes(approve()) == given.codes(DECLINE) == ["return_not_pending"]
    assert str(given.refuses(approve())) == "return ret_1 does not wait for approval: it is requested"
    missing = ApproveReturn(return_id="ret_9", items=[ApprovedItem(item_id="mug", quantity=1)])
    assert isinstance(given.refuses(missing), NotFound)


def test_a_return_is_declined_for_a_reason() -> None:
    """A code of the merchant's; the note is for the customer, and short."""
    given = pending()

    assert given.codes(DeclineReturn(return_id="ret_1", note="x" * 501)) == [
        "decline_reason_missing",
        "note_too_long",
    ]
    assert given.codes(DeclineReturn(return_id="ret_1", reason=" \n")) == ["decline_reason_missing"]
    assert given.codes(DeclineReturn(return_id="ret_1", reason="", note=5)) == [  # type: ignore[arg-type] # wrong on purpose
        "decline_reason_missing",
        "invalid_text",
    ]


def test_nothing_is_sent_renewed_or_expired_before_it_is_approved() -> None:
    """A code of its own says so."""
    given = pending(shipping_option_id="so_return")
    for command in (SENT, RENEW, EXPIRE):
        assert given.codes(command) == ["return_not_approved"]


def test_a_parcel_of_a_pending_return_is_booked_and_not_paid() -> None:
    """Nothing is refused at the dock; a clerk decides, however much arrived."""
    given = pending(2)

    given.when(receive(1))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(receive(1))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert given.the().refunds == ()

    given.when(receive(0, allow_mismatch=True))
    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refund_amount == usd(1933)


def test_a_late_parcel_of_a_declined_return_is_booked_if_its_units_are_free() -> None:
    """It requires action, and reserves what arrived; its units have what is left of their line.

    It traveled without a label of ours, so nothing is deducted for the way.
    """
    given = pending(2, shipping_option_id="so_return")
    given.when(DECLINE)
    given.policy = ReturnPolicy()
    given.when(request(1))

    given.when(receive(2, allow_mismatch=True))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert given.codes(request(1)) == ["quantity_exceeds_returnable"]
    given.when(receive(0, allow_mismatch=True))
    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refund_amount == usd(2900 - 967)


def test_a_late_parcel_can_go_back_to_the_customer() -> None:
    """Nothing is booked or canceled at the carrier for it."""
    given = pending(2, shipping_option_id="so_return")
    given.when(DECLINE)
    given.when(receive(1))
    given.all_delivered()

    given.when(CancelReturn(return_id="ret_1"))

    assert given.the().status is ReturnStatus.CANCELED
    assert effect_kinds(given.ledger) == ["withdraw-1"]


def test_of_a_late_parcel_units_that_others_took_are_foreign() -> None:
    """Two arrive, one is free: it is booked, the other is not a unit that the customer can have sent."""
    given = pending(2)
    given.when(DECLINE)
    given.policy = ReturnPolicy()
    given.when(request(2))

    given.when(receive(2))

    ret = given.the()
    assert (ret.status, ret.items[-1].received_quantity) == ("requires_action", 1)
    assert [(each.item_id, each.quantity) for each in ret.foreign] == [("mug", 1)]


def test_a_late_parcel_can_be_resolved() -> None:
    """What arrived is paid, without what did not."""
    given = pending(3)
    given.when(DECLINE)
    given.when(receive(1))

    given.when(ResolveReturn(return_id="ret_1"))

    assert given.the().refund_amount == usd(967)
    assert given.the().refunded == usd(967)


def test_what_is_declined_cannot_be_updated_sent_or_canceled() -> None:
    """It has ended."""
    given = pending()
    given.when(DECLINE)
    for command in (update(1), SENT, RENEW, EXPIRE, CancelReturn(return_id="ret_1")):
        assert "return_declined" in given.codes(command)


def test_approving_all_equals_no_review() -> None:
    """But for what says that it was reviewed, and when."""
    reviewed, straight = pending(shipping_option_id="so_return"), requested(shipping_option_id="so_return")

    reviewed.when(approve())

    same = evolve(reviewed.the(), decision=None, updated_at=straight.the().updated_at)
    assert same == straight.the()
    assert reviewed.ledger.open_effects.keys() == straight.ledger.open_effects.keys()
    effect, other = (each.ledger.open_effects["ret_1-shipment-1"] for each in (reviewed, straight))
    assert effect.request == other.request


def test_a_late_parcel_is_worth_what_is_left_of_its_line() -> None:
    """Others may have taken the cent that it once had: everything together is what was paid."""
    given = pending(1)
    given.when(DECLINE)
    given.policy = ReturnPolicy()
    given.when(request(1))
    given.when(request(1))

    given.when(receive(1))
    given.when(receive(0, allow_mismatch=True))

    amounts = [given.the(f"ret_{number}").refund_amount for number in (1, 2, 3)]
    assert amounts == [usd(966), usd(967), usd(967)]


def test_a_late_parcel_reserves_no_more_than_it_held() -> None:
    """What did not come with it can be requested."""
    given = pending(3)
    given.when(DECLINE)
    given.policy = ReturnPolicy()

    given.when(receive(1))

    given.when(request(2))
