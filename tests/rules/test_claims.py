"""RequestClaim, ResolveClaim, CancelClaim."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    CancelClaim,
    CancelReturn,
    Claim,
    ClaimCompleted,
    ClaimItem,
    ClaimRefundRetried,
    ClaimRequested,
    ClaimResolved,
    ClaimStatus,
    Invalid,
    InvalidValue,
    Money,
    NewItem,
    NotAllowed,
    OrderStatus,
    Payment,
    ReceiveReturn,
    RecordRefundOutcome,
    RefundBlocked,
    RefundDeclined,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    RejectedItem,
    ReplacementRequest,
    RequestClaim,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRequested,
    ReturnStatus,
)
from rma.domain.change import apply_command
from rma.domain.react import react
from rma.domain.views.order_state import FulfillmentStatus, PaymentStatus, order_state
from rma.domain.views.returnable import returnable_items
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

CUP = NewItem(variant_id="v_cup", quantity=1, unit_price=usd(1500))


def claim(quantity: int = 2, kind: str = "refund", reason: str = "missing_item", **more: Any) -> RequestClaim:
    """Returns a claim for mugs."""
    fields: dict[str, Any] = {
        "items": [ClaimItem(item_id="mug", quantity=quantity, reason=reason)],
        "new_items": [CUP] * (kind == "replace"),
        **more,
    }
    return RequestClaim(order_id="order_1", type=kind, **fields)


def claimed(quantity: int = 2, kind: str = "refund", *, captured: int | None = None, **more: Any) -> Given:
    """Returns an order of five mugs at 10.00 with one claim."""
    given = Given(order_of(line(quantity=5), captured=captured))
    given.when(claim(quantity, kind, **more))
    return given


def the(given: Given) -> Claim:
    """Returns the first claim."""
    return given.ledger.claims[0]


def free(given: Given) -> tuple[int, tuple[str, ...]]:
    """Returns how many mugs are returnable, and the reasons why not more."""
    assert given.order is not None
    (item,) = returnable_items(given.order, given.ledger, given.policy, given.now)
    return item.quantity, item.reasons


def test_a_refund_claim_pays_when_it_is_made() -> None:
    """A refund claim refunds the value of its units at once, without a return."""
    given = Given(order_of(line(quantity=5)))

    (event,) = given.when(
        claim(
            2,
            created_by="ann",
            items=[
                ClaimItem(
                    item_id="mug", quantity=2, reason="production_failure", note="cracked", images=["a.jpg"]
                )
            ],
        )
    )

    assert isinstance(event, ClaimRequested)
    found = the(given)
    assert (found.id, found.type, found.status) == ("claim_1", "refund", ClaimStatus.COMPLETED)
    assert (found.refund_amount, found.refunded, found.return_id) == (usd(2000), usd(2000), None)
    assert names_and_amounts(found) == {"item:mug": 2000}
    (item,) = found.items
    assert (item.reason, item.note, item.images) == ("production_failure", "cracked", ("a.jpg",))
    assert react(event) == (
        RefundRequest("claim_1-refund-1", "order_1", None, "pay_1", usd(2000), "claim", kind="card"),
    )
    given.all_delivered()
    assert [refund.status for refund in the(given).refunds] == ["succeeded"]
    assert free(given) == (3, ("claimed",))


def test_the_claim_names_the_amount() -> None:
    """A claim may request more or less than the value of its units, at most what is refundable."""
    given = claimed(refund_amount=500)
    assert the(given).refund_amount == usd(500)
    assert names_and_amounts(the(given)) == {"item:mug": 2000, "custom_amount": -1500}

    error = given.refuses(claim(1, refund_amount=usd(9501)))
    assert (error.code, error.details["refundable"]) == ("refund_exceeds_refundable", 9500)


def test_a_claim_above_the_value_of_its_units_keeps_the_note_that_says_why() -> None:
    """15.00 for a mug at 10.00; without a note it is refused, with the value."""
    given = Given()
    error = given.refuses(claim(1, refund_amount=usd(1500)))
    assert error.violations[0].code == "refund_exceeds_worth"
    assert error.violations[0].numbers == {"amount": 1500, "value": 1000, "currency": "usd"}

    given.when(claim(1, refund_amount=usd(1500), refund_note="promised by phone"))

    assert the(given).entitlement.refund_note == "promised by phone"
    assert the(given).refund_amount == usd(1500)


def test_a_claim_above_what_is_refundable_requires_action() -> None:
    """A claim above what is refundable pays nothing and requires action, until a retry pays it."""
    given = Given(order_of(line(quantity=5), captured=1500))

    _, blocked = given.when(claim())

    assert isinstance(blocked, RefundBlocked)
    assert (blocked.claim_id, blocked.amount, blocked.refundable) == ("claim_1", usd(2000), usd(1500))
    assert the(given).status is ClaimStatus.REQUIRES_ACTION
    assert the(given).needs_attention
    assert given.order is not None
    assert order_state(given.order, given.ledger).fulfillment_status is FulfillmentStatus.REQUIRES_ACTION
    put(given, payments=[Payment(id="pay_1", captured=usd(2000))])
    (event,) = given.when(RetryRefund(claim_id="claim_1"))
    assert isinstance(event, ClaimRefundRetried)
    assert (the(given).status, the(given).refunded, the(given).entitlement.is_refund_blocked) == (
        ClaimStatus.COMPLETED,
        usd(2000),
        False,
    )
    assert effect_kinds(given.ledger) == ["refund-1"]


def test_a_rounding_difference_of_a_cent_a_line_does_not_block_a_claim() -> None:
    """A claim that exceeds what is refundable by one minor unit a line is refunded with a rounding part."""
    given = claimed(5, captured=4999)

    assert the(given).refund_amount == usd(4999)
    assert names_and_amounts(the(given)) == {"item:mug": 5000, "rounding": -1}


def test_a_replace_claim_sends_the_replacement_and_moves_no_money() -> None:
    """A replace claim sends its new items once, when it is made, and refunds nothing."""
    given = claimed(2, "replace")

    assert the(given).status is ClaimStatus.COMPLETED
    assert (the(given).refund_amount, the(given).breakdown) == (usd(0), ())
    assert react(given.history[-1]) == (
        ReplacementRequest("claim_1-replacement-1", "order_1", None, "claim_1", (CUP,)),
    )
    given.all_delivered()
    shipment = the(given).shipment
    assert shipment is not None
    assert free(given) == (3, ("claimed",))


@pytest.mark.parametrize("kind", ["refund", "replace"])
def test_goods_that_come_back_have_a_return_that_moves_no_money(kind: str) -> None:
    """The return of a claim restocks its goods, refunds nothing and charges no return shipping."""
    given = Given(order_of(line(quantity=5)), ReturnPolicy(refund_damaged=False))
    opened, _ = given.when(claim(2, kind, shipping_option_id="so_return"))
    assert isinstance(opened, ReturnRequested)
    ret = given.the()
    assert (ret.claim_id, ret.refund_amount, ret.breakdown) == ("claim_1", usd(0), ())
    assert (the(given).return_id, the(given).status) == ("ret_1", ClaimStatus.REQUESTED)
    given.all_delivered()
    paid = the(given).refunded

    _, event = given.when(receive(1, 1))

    assert isinstance(event, ClaimCompleted)
    assert the(given).status is ClaimStatus.COMPLETED
    assert given.the().status is ReturnStatus.RECEIVED
    assert (given.the().refunds, given.the().entitlement.entitled.amount, the(given).refunded) == (
        (),
        0,
        paid,
    )
    assert effect_kinds(given.ledger) == ["restock-1"]
    assert free(given)[0] == 3


def test_goods_may_come_back_without_a_shipment_booked_here() -> None:
    """A claim may expect its goods back without booking a return shipment."""
    given = claimed(return_items=True)

    assert given.the().shipping_method is None
    assert "shipment-1" not in effect_kinds(given.ledger)


def test_units_of_a_claim_are_compensated_once_whether_they_come_back_or_not() -> None:
    """Units of a claim can be neither returned nor claimed again, even if they were never received."""
    given = claimed(3, return_items=True)

    assert given.codes(request(3)) == ["quantity_exceeds_returnable"]
    assert given.codes(claim(3)) == ["quantity_exceeds_returnable"]
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.codes(request(3)) == ["quantity_exceeds_returnable"]
    given.when(request(2))
    assert given.the("ret_2").refund_amount == usd(2000)


def test_an_id_that_was_given_before_is_the_hosts_mistake() -> None:
    """An id factory that repeats an id raises InvalidValue with `id_not_fresh`."""
    given = claimed(1)

    with pytest.raises(InvalidValue) as error:
        apply_command(evolve(given.facts(claim(1)), fresh_id="1"), given.ledger, claim(1))

    assert error.value.code == "id_not_fresh"


def test_what_belongs_together_is_known_by_each_of_its_ids() -> None:
    """A claim and its return are related by either id; an unknown id is related to itself only."""
    given = claimed(return_items=True)

    assert given.ledger.related("claim_1") == given.ledger.related("ret_1") == {"claim_1", "ret_1"}
    assert given.ledger.related("claim_9") == {"claim_9"}


def test_returned_units_are_not_claimed() -> None:
    """A claim is refused for units that are reserved by an open return."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(3))

    error = given.refuses(claim(3))

    assert (error.code, error.details) == ("quantity_exceeds_returnable", {"quantity": 3, "returnable": 2})


def test_more_than_was_claimed_is_not_accepted() -> None:
    """Units beyond the claim are not accepted; a clerk has to reject them."""
    given = claimed(1, return_items=True)

    given.when(receive(2, allow_mismatch=True))
    assert given.the().status == "requires_action"
    error = given.refuses(ReceiveReturn(return_id="ret_1", allow_mismatch=True))
    assert (error.code, error.details) == ("units_not_claimed", {"quantity": 1, "claim_id": "claim_1"})
    assert given.codes(ResolveReturn(return_id="ret_1")) == ["units_not_claimed"]
    given.when(ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=1)]))

    assert the(given).status is ClaimStatus.COMPLETED
    assert free(given)[0] == 4


def test_a_claims_return_may_be_canceled_by_itself() -> None:
    """Canceling the return of a claim completes the claim, whose refund stays."""
    given = claimed(return_items=True)

    events = given.when(CancelReturn(return_id="ret_1"))

    assert [type(event) for event in events[1:]] == [ClaimCompleted]
    assert (the(given).status, the(given).refunded) == (ClaimStatus.COMPLETED, usd(2000))
    assert free(given)[0] == 3


def test_no_refund_is_named_for_a_claims_return() -> None:
    """A receipt for the return of a claim is refused if it names a refund."""
    given = claimed(return_items=True)

    assert given.codes(receive(2, refund_amount=1)) == ["refund_settled_elsewhere"]


def test_a_refund_that_failed_is_due_until_it_is_retried() -> None:
    """
    The amount of a claim is due again after a declined and after a reversed refund, until it is retried.
    """
    given = claimed()
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))
    assert (the(given).amount_due, the(given).status) == (usd(2000), ClaimStatus.COMPLETED)

    given.when(RetryRefund(claim_id="claim_1", amount=500))
    given.when(RecordRefundOutcome(key="claim_1-refund-2", outcome=RefundSucceeded("re_2")))
    given.when(RecordRefundOutcome(return_id="claim_1", reference="re_2", outcome=RefundReversed()))

    assert the(given).amount_due == usd(2000)
    given.when(RetryRefund(claim_id="claim_1", idempotency_key="k"))
    assert [refund.key for refund in the(given).refunds] == [f"claim_1-refund-{n}" for n in (1, 2, 3)]
    assert given.ledger.answered["k"].subject_id == "claim_1"
    assert given.codes(RetryRefund(claim_id="claim_1")) == ["nothing_due"]


def test_a_claim_that_compensated_nothing_can_be_canceled() -> None:
    """Canceling such a claim cancels its return and frees its units; a second cancellation does nothing."""
    given = Given(order_of(line(quantity=5), captured=0))
    given.when(claim(return_items=True, refund_amount=0))

    given.when(CancelClaim(claim_id="claim_1"))

    assert (the(given).status, given.the().status) == (ClaimStatus.CANCELED, ReturnStatus.CANCELED)
    assert free(given) == (5, ())
    assert given.when(CancelClaim(claim_id="claim_1")) == ()


def test_a_claim_whose_refund_failed_can_be_canceled() -> None:
    """Nothing is due for a claim that was canceled after its refund failed."""
    given = claimed()
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))

    given.when(CancelClaim(claim_id="claim_1"))

    assert (the(given).amount_due, the(given).needs_attention) == (usd(0), False)
    assert given.codes(RetryRefund(claim_id="claim_1")) == ["nothing_due"]


def test_a_blocked_claim_is_written_off() -> None:
    """What was paid is what is due, the claim is completed, and its units stay claimed."""
    given = Given(order_of(line(quantity=5), captured=1500))
    given.when(claim())
    given.when(RetryRefund(claim_id="claim_1", amount=500))
    assert the(given).status is ClaimStatus.REQUIRES_ACTION
    assert given.codes(CancelClaim(claim_id="claim_1")) == ["claim_not_cancelable"]

    off = ResolveClaim(claim_id="claim_1", refund_amount=0, created_by="Cy")
    (event,) = given.when(off)

    assert isinstance(event, ClaimResolved)
    assert (event.by, event.refunds, react(event)) == ("Cy", (), ())
    found = the(given)
    assert (found.status, found.needs_attention) == (ClaimStatus.COMPLETED, False)
    assert (found.refund_amount, found.refunded, found.amount_due) == (usd(500), usd(500), usd(0))
    assert not found.entitlement.is_refund_blocked
    assert names_and_amounts(found) == {"item:mug": 2000, "custom_amount": -1500}
    assert free(given) == (3, ("claimed",))
    assert given.codes(off) == ["nothing_due"]
    assert given.codes(RetryRefund(claim_id="claim_1")) == ["nothing_due"]


def test_a_claim_is_resolved_with_another_amount() -> None:
    """What is above the amount paid is paid at once; its return is expected as before."""
    given = Given(order_of(line(quantity=5), captured=1500))
    given.when(claim(return_items=True))

    (event,) = given.when(ResolveClaim(claim_id="claim_1", refund_amount=usd(1500)))

    assert isinstance(event, ClaimResolved)
    assert [refund.amount for refund in event.refunds] == [usd(1500)]
    assert react(event) == (
        RefundRequest("claim_1-refund-1", "order_1", "ret_1", "pay_1", usd(1500), "claim", kind="card"),
    )
    assert (the(given).status, the(given).amount_due) == (ClaimStatus.REQUESTED, usd(0))
    given.when(receive(2))
    assert the(given).status is ClaimStatus.COMPLETED


def test_a_claim_whose_refund_failed_is_written_off() -> None:
    """An amount that is due after a refund failed is written off as one that was blocked is."""
    given = claimed()
    assert given.codes(ResolveClaim(claim_id="claim_1", refund_amount=0)) == ["nothing_due"]
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))

    given.when(ResolveClaim(claim_id="claim_1", refund_amount=0))

    assert (the(given).status, the(given).refund_amount) == (ClaimStatus.COMPLETED, usd(0))


def test_the_amount_that_resolves_a_claim_is_judged() -> None:
    """It is money of at least 0, at most what is refundable, and needs a note above the units' value."""
    given = Given(order_of(line(quantity=5), captured=2500))
    given.when(claim(1, refund_amount=400))
    given.when(claim(3))
    off: Any = ResolveClaim(claim_id="claim_2", refund_amount=0)

    assert given.codes(evolve(off, refund_amount=-1)) == ["invalid_refund_amount"]
    assert given.codes(evolve(off, refund_amount=None)) == ["invalid_refund_amount"]
    assert given.codes(evolve(off, refund_amount=Money(1, "eur"))) == ["currency_mismatch"]
    error = given.refuses(evolve(off, refund_amount=3001))
    assert [each.code for each in error.violations] == ["refund_exceeds_refundable", "refund_exceeds_worth"]
    assert error.violations[0].numbers["refundable"] == 2100
    assert given.codes(evolve(off, claim_id="claim_9")) == ["claim_not_found"]
    assert given.codes(evolve(off, refund_note=7)) == ["invalid_text"]
    given.when(RetryRefund(claim_id="claim_2", amount=2000))
    error = given.refuses(evolve(off, refund_amount=2101))
    assert error.violations[0].numbers["refundable"] == 2100
    given.when(evolve(off, refund_amount=2100))
    assert the(given).refunded + given.ledger.claims[1].refunded == usd(2500)
    put(given, payments=[Payment(id="pay_1", captured=usd(9900))])
    given.when(claim(1))
    given.record_outcomes((f"{given.ledger.claims[2].id}-refund-1", RefundDeclined("no")))
    generous = ResolveClaim(claim_id="claim_3", refund_amount=1200, refund_note="it was a gift")
    given.when(generous)
    assert given.ledger.claims[2].entitlement.refund_note == "it was a gift"


def test_a_canceled_claim_is_not_resolved() -> None:
    """Nothing is due for it."""
    given = claimed(refund_amount=0)
    given.when(CancelClaim(claim_id="claim_1"))

    assert given.codes(ResolveClaim(claim_id="claim_1", refund_amount=5)) == ["nothing_due"]


@pytest.mark.parametrize("kind", ["refund", "replace"])
def test_a_claim_that_was_compensated_cannot_be_canceled(kind: str) -> None:
    """The cancellation is refused as NotAllowed once a refund or a replacement was requested."""
    error = claimed(2, kind).refuses(CancelClaim(claim_id="claim_1"))

    assert isinstance(error, NotAllowed)
    assert error.code == "claim_not_cancelable"


def test_a_claim_whose_goods_were_received_cannot_be_canceled() -> None:
    """The cancellation is refused with `return_already_received`."""
    given = claimed(return_items=True, refund_amount=0)
    given.when(receive(2))

    assert given.codes(CancelClaim(claim_id="claim_1")) == ["return_already_received"]


def test_windows_and_final_sale_do_not_matter() -> None:
    """A claim is accepted for a line that is not returnable."""
    given = Given(order_of(line(is_returnable=False)))

    given.when(claim())

    assert the(given).refunded == usd(2000)


def test_the_order_counts_claims_refunds() -> None:
    """The refund of a claim counts in the payment status and in what is refundable."""
    given = claimed(5, captured=5000)

    assert given.order is not None
    state = order_state(given.order, given.ledger)
    assert (state.payment_status, state.refundable) == (PaymentStatus.REFUNDED, usd(0))


def test_all_violations_are_reported_at_once() -> None:
    """The refusal lists every violation of the claim, in the order of its fields."""
    given = Given(order_of(line(quantity=5), status=OrderStatus.CANCELED))
    given.books_shipments = False
    wrong: Any = 7

    error = given.refuses(
        RequestClaim(
            order_id="order_1",
            type="exchange",
            items=[
                ClaimItem(item_id="hat", quantity=1, reason="stolen"),
                ClaimItem(item_id="mug", quantity=0, reason=wrong, note=wrong, images=[wrong]),
                ClaimItem(item_id="mug", quantity=6, reason="other"),
            ],
            new_items=[CUP],
            refund_amount=-1,
            shipping_option_id="so_out",
            return_items=wrong,
            no_notification=wrong,
            metadata=wrong,
            created_by=wrong,
        )
    )

    assert [violation.code for violation in error.violations] == [
        "order_canceled",
        "invalid_claim_type",
        "invalid_claim_reason",
        "invalid_quantity",
        "invalid_claim_reason",
        "invalid_text",
        "invalid_text",
        "item_not_found",
        "quantity_exceeds_returnable",
        "no_fulfillment",
        "new_items_of_refund",
        "invalid_refund_amount",
        "no_fulfillment",
        "invalid_flag",
        "invalid_flag",
        "invalid_metadata",
        "invalid_text",
    ]


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (claim(items=[]), ["no_items"]),
        (claim(items=7), ["invalid_items"]),
        (claim(kind="replace", new_items=[]), ["no_new_items"]),
        (claim(kind="replace", refund_amount=2001), ["refund_exceeds_worth"]),
        (claim(shipping_option_id="so_out"), ["not_a_return_option"]),
        (claim(shipping_option_id="so_9"), ["shipping_option_not_found"]),
        (claim(refund_amount=Money(1, "eur")), ["currency_mismatch"]),
        (CancelClaim(claim_id="claim_9"), ["claim_not_found"]),
        (RetryRefund(claim_id="claim_9"), ["claim_not_found"]),
        (RetryRefund(), ["return_not_found"]),
        (RetryRefund(claim_id="claim_1", return_id="ret_1"), ["return_and_claim"]),
    ],
)
def test_each_impossible_command_is_refused_with_its_code(command: Any, codes: list[str]) -> None:
    """Each of these commands is refused with its own code, as Invalid unless something was not found."""
    error = Given(order_of(line(quantity=5))).refuses(command)

    assert [violation.code for violation in error.violations] == codes
    assert codes[0].endswith("not_found") or isinstance(error, Invalid)


@for_all(
    quantities=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    price=st.integers(0, 99),
    discount=st.integers(0, 50),
    data=st.data(),
)
def test_claims_and_returns_share_what_was_paid_exactly(
    quantities: list[int], price: int, discount: int, data: st.DataObject
) -> None:
    """
    Claims and returns in any partition, with canceled claims between, refund exactly what was paid, each
    unit once.
    """
    units = sum(quantities)
    whole = price * units - min(discount, price * units)
    mugs = line(quantity=units, price=price, adjustments=off(min(discount, price * units)))
    given = Given(order_of(mugs, captured=whole))
    for quantity in quantities:
        if data.draw(st.booleans()):
            given.when(claim(quantity, refund_amount=0))
            given.when(CancelClaim(claim_id=given.ledger.claims[-1].id))
        if data.draw(st.booleans()):
            given.when(claim(quantity, return_items=data.draw(st.booleans())))
        else:
            given.when(request(quantity))
            given.when(receive(quantity, return_id=given.ledger.returns[-1].id))

    assert sum(refund.amount.amount for refund in given.ledger.refunds if refund.is_in_force) == whole
    assert free(given)[0] == 0
    if units:
        assert given.codes(claim(1)) == ["quantity_exceeds_returnable"]
