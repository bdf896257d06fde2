"""A claim whose new goods cannot be had: other goods, or money, or nothing."""

from typing import Any

import pytest

from rma import (
    CancelClaim,
    ClaimedCharge,
    ClaimItem,
    ClaimResolved,
    ClaimStatus,
    ClaimType,
    NewItem,
    OutOfStock,
    Payment,
    RefundBlocked,
    RefundDeclined,
    ReplacementRequest,
    ReplacementShipment,
    RequestClaim,
    ResolveClaim,
    RetryRefund,
)
from rma.domain.change import replay
from rma.domain.messages.effects import GivenUp, Unknown
from rma.domain.react import react
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.state.claims import Claim
from rma.domain.views.notes import credit_notes
from rma.domain.views.returnable import returnable_items
from rma.domain.views.timeline import timeline
from tests.rules.given import Given, effect_kinds, line, names_and_amounts, order_of, put, receive, usd

CUP = NewItem(variant_id="v_cup", quantity=1, unit_price=usd(1500))
BOWL = NewItem(variant_id="v_bowl", quantity=2, unit_price=usd(500))
NONE_LEFT = OutOfStock("sold out")
MONEY = ResolveClaim(claim_id="claim_1", created_by="Cy")


def replaced(quantity: int = 2, *, captured: int | None = None, **more: Any) -> Given:
    """Returns an order of five mugs at 10.00, of which so many are to be replaced."""
    given = Given(order_of(line(quantity=5), captured=captured))
    items = [ClaimItem(item_id="mug", quantity=quantity, reason="production_failure")]
    given.when(RequestClaim(order_id="order_1", type="replace", items=items, new_items=[CUP], **more))
    return given


def out_of_stock(quantity: int = 2, **more: Any) -> Given:
    """Returns the same, once the carrier said that there are none; what else is on its way succeeded."""
    given = replaced(quantity, **more)
    given.record_outcomes(("claim_1-replacement-1", NONE_LEFT))
    return given


def the(given: Given) -> Claim:
    """Returns the claim, and asserts that the history rebuilds the ledger."""
    assert replay("order_1", given.history) == given.ledger
    return given.ledger.claims[0]


def test_new_goods_that_cannot_be_had_require_action() -> None:
    """Nothing was sent, and nothing is tried again under that key."""
    given = out_of_stock()
    assert effect_kinds(given.ledger) == []
    claim = the(given)
    assert (claim.status, claim.out_of_stock) == (ClaimStatus.REQUIRES_ACTION, NONE_LEFT)
    assert (claim.lacks_new_goods, claim.needs_attention, claim.is_open) == (True, True, True)
    assert given.order is not None
    assert (
        returnable_items(given.order, given.ledger, given.policy, given.now)[0].quantity == 3
    )  # they stay claimed


def test_money_is_given_instead_what_the_units_are_worth() -> None:
    """Once, and the claim is one for money from then on; its credit note has the units."""
    given = out_of_stock()
    (event,) = given.when(MONEY)
    assert isinstance(event, ClaimResolved)
    assert (event.becomes, event.header.by, event.replacement) == (ClaimType.REFUND, "Cy", None)
    assert [type(effect).__name__ for effect in react(event)] == ["RefundRequest"]
    claim = the(given)
    assert (claim.status, claim.type, claim.new_items) == (ClaimStatus.COMPLETED, ClaimType.REFUND, ())
    assert (claim.refund_amount, names_and_amounts(claim)) == (usd(2000), {"item:mug": 2000})
    (note,) = credit_notes(given.ledger)
    assert (note.total, [(each.quantity, each.is_reduction) for each in note.lines]) == (
        usd(2000),
        [(2, False)],
    )
    given.all_delivered()
    assert not the(given).needs_attention
    assert given.codes(MONEY) == ["nothing_due", "invalid_refund_amount"]
    assert given.codes(ResolveClaim(claim_id="claim_1", new_items=[BOWL])) == ["new_items_of_refund"]
    assert effect_kinds(given.ledger) == []


@pytest.mark.parametrize(("amount", "note"), [(500, None), (2000, None), (2500, "a gift was spoiled")])
def test_another_amount_is_named_instead(amount: int, note: str | None) -> None:
    """Above what the units are worth it needs a note."""
    given = out_of_stock()
    given.when(ResolveClaim(claim_id="claim_1", refund_amount=amount, refund_note=note))
    claim = the(given)
    assert (claim.refund_amount, claim.refunded, claim.entitlement.refund_note) == (
        usd(amount),
        usd(amount),
        note,
    )
    assert names_and_amounts(claim) == {"item:mug": 2000, "custom_amount": amount - 2000}


def test_an_amount_instead_is_judged_as_any() -> None:
    """At most what is left; without a note, at most what the units are worth."""
    given = out_of_stock(captured=2500)
    assert given.codes(ResolveClaim(claim_id="claim_1", refund_amount=2001)) == ["refund_exceeds_worth"]
    refused = given.codes(ResolveClaim(claim_id="claim_1", refund_amount=2501, refund_note="sorry"))
    assert refused == ["refund_exceeds_refundable"]
    assert given.codes(ResolveClaim(claim_id="claim_1", refund_amount=-1)) == ["invalid_refund_amount"]


def test_nothing_is_given_instead_of_goods_that_may_have_been_sent() -> None:
    """Not while the answer is awaited, is unknown or was given up; not once they were sent."""
    given = replaced()
    for result in (None, Unknown("time-out"), GivenUp("time-out"), ReplacementShipment({})):
        if result is not None:
            given.record_outcomes(("claim_1-replacement-1", result))
        for command in (MONEY, ResolveClaim(claim_id="claim_1", new_items=[BOWL])):
            assert "replacement_sent" in given.codes(command)
        assert given.codes(CancelClaim(claim_id="claim_1")) == ["claim_not_cancelable"]


def test_what_is_due_beside_goods_that_were_sent_is_written_off_alone() -> None:
    """The claim stays one that replaces."""
    given = replaced(refund_amount=500)
    given.record_outcomes(
        ("claim_1-replacement-1", ReplacementShipment({})), ("claim_1-refund-1", RefundDeclined("no"))
    )
    given.when(ResolveClaim(claim_id="claim_1", refund_amount=0))
    claim = the(given)
    assert (claim.type, claim.status, claim.amount_due) == (
        ClaimType.REPLACE,
        ClaimStatus.COMPLETED,
        usd(0),
    )


def test_other_new_goods_are_sent_instead_under_the_next_key() -> None:
    """Or the same ones, once there are some."""
    given = out_of_stock()
    (event,) = given.when(ResolveClaim(claim_id="claim_1", new_items=[BOWL]))
    (request,) = react(event)
    assert isinstance(request, ReplacementRequest)
    assert (request.key, request.new_items) == ("claim_1-replacement-2", (BOWL,))
    claim = the(given)
    assert (claim.status, claim.type, claim.new_items) == (
        ClaimStatus.COMPLETED,
        ClaimType.REPLACE,
        (BOWL,),
    )
    assert (claim.out_of_stock, claim.refund_amount) == (None, usd(0))
    assert given.codes(MONEY) == ["replacement_sent", "invalid_refund_amount"]
    given.record_outcomes(("claim_1-replacement-2", NONE_LEFT))
    given.when(ResolveClaim(claim_id="claim_1", new_items=[CUP]))
    given.record_outcomes(("claim_1-replacement-3", ReplacementShipment({"box": 3})))
    assert (the(given).shipment, the(given).needs_attention) == (ReplacementShipment({"box": 3}), False)


def test_other_new_goods_are_judged() -> None:
    """As those of the request; and they are not given beside an amount."""
    given = out_of_stock()
    both = ResolveClaim(claim_id="claim_1", new_items=[BOWL], refund_amount=5)
    assert given.codes(both) == ["new_items_and_refund_amount"]
    none = NewItem(variant_id="v_bowl", quantity=0, unit_price=usd(500))
    assert given.codes(ResolveClaim(claim_id="claim_1", new_items=[none])) == ["invalid_new_item"]
    given.books_shipments = False
    assert given.codes(ResolveClaim(claim_id="claim_1", new_items=[BOWL])) == ["no_fulfillment"]
    given.order = None
    assert "order_not_found" in given.codes(ResolveClaim(claim_id="claim_1", new_items=[BOWL]))
    assert given.codes(ResolveClaim(claim_id="claim_9", new_items=[BOWL]))[0] == "claim_not_found"


def test_a_claim_whose_goods_cannot_be_had_can_be_canceled() -> None:
    """Its units are the customer's again."""
    given = out_of_stock()
    given.when(CancelClaim(claim_id="claim_1"))
    assert (the(given).status, the(given).needs_attention) == (ClaimStatus.CANCELED, False)
    assert given.order is not None
    assert returnable_items(given.order, given.ledger, given.policy, given.now)[0].quantity == 5
    assert given.codes(MONEY) == ["nothing_due", "invalid_refund_amount"]


def test_money_that_exceeds_what_is_left_is_blocked() -> None:
    """It is due, and the claim is one for money all the same."""
    given = out_of_stock(captured=1500)
    events = given.when(MONEY)
    assert [type(event) for event in events] == [ClaimResolved, RefundBlocked]
    claim = the(given)
    assert (claim.type, claim.status, claim.amount_due) == (
        ClaimType.REFUND,
        ClaimStatus.REQUIRES_ACTION,
        usd(2000),
    )
    put(given, payments=[Payment(id="pay_1", captured=usd(5000))])
    given.when(RetryRefund(claim_id="claim_1"))
    assert (the(given).status, the(given).refunded) == (ClaimStatus.COMPLETED, usd(2000))


def test_what_was_paid_beside_the_goods_is_not_paid_again() -> None:
    """A part was for a unit that was not replaced; its credit note is taken off the new one."""
    given = out_of_stock(refund_amount=500)
    assert the(given).refunded == usd(500)
    given.when(MONEY)
    claim = the(given)
    assert ([refund.amount for refund in claim.refunds], claim.refund_amount) == (
        [usd(500), usd(1500)],
        usd(2000),
    )
    assert names_and_amounts(claim) == {"item:mug": 2000, "custom_amount": 0}
    assert [note.total for note in credit_notes(given.ledger)] == [usd(500), usd(1500)]


def test_a_generous_amount_beside_the_goods_stays_with_its_note() -> None:
    """The units are worth less than was paid already: nothing more is paid."""
    given = out_of_stock(refund_amount=2500, refund_note="twice wrong")
    given.when(MONEY)
    claim = the(given)
    assert (claim.refunded, claim.entitlement.refund_note) == (usd(2500), "twice wrong")
    assert (claim.type, len(claim.refunds)) == (ClaimType.REFUND, 1)


def test_charges_that_were_given_back_are_paid_besides() -> None:
    """Units of 20.00 and 3.00 of the shipping: 3.00 with the claim, 20.00 instead of the goods."""
    shipping = ShippingMethod(id="sm_1", option_id="so", name="Post", price=usd(500))
    given = Given(order_of(line(quantity=5), shipping_methods=[shipping]))
    items = [ClaimItem(item_id="mug", quantity=2, reason="other")]
    charges = [ClaimedCharge(charge_id="sm_1", amount=300)]
    given.when(
        RequestClaim(order_id="order_1", type="replace", items=items, new_items=[CUP], charges=charges)
    )
    given.record_outcomes(("claim_1-replacement-1", NONE_LEFT))
    given.when(MONEY)
    assert [refund.amount for refund in the(given).refunds] == [usd(300), usd(2000)]
    assert names_and_amounts(the(given)) == {"item:mug": 2000, "charge:sm_1": 300}


def test_a_refund_that_is_retried_does_not_hide_goods_that_are_missing() -> None:
    """Nor does one that is paid by other ways: the goods are missing until the claim is resolved."""
    given = replaced(captured=300, refund_amount=300)
    given.record_outcomes(("claim_1-replacement-1", NONE_LEFT), ("claim_1-refund-1", RefundDeclined("no")))
    given.when(RetryRefund(claim_id="claim_1"))
    assert (the(given).status, the(given).amount_due) == (ClaimStatus.REQUIRES_ACTION, usd(0))
    given.when(ResolveClaim(claim_id="claim_1", new_items=[BOWL]))
    assert the(given).status is ClaimStatus.COMPLETED


def test_other_goods_leave_what_is_blocked_in_money_blocked() -> None:
    """Both were missing; the goods are sent now."""
    given = Given(order_of(line(quantity=5), captured=300))
    shipping = ShippingMethod(id="sm_1", option_id="so", name="Post", price=usd(500))
    put(given, shipping_methods=[shipping])
    items = [ClaimItem(item_id="mug", quantity=2, reason="other")]
    charges = [ClaimedCharge(charge_id="sm_1")]
    given.when(
        RequestClaim(order_id="order_1", type="replace", items=items, new_items=[CUP], charges=charges)
    )
    assert the(given).amount_due == usd(500)
    given.record_outcomes(("claim_1-replacement-1", NONE_LEFT))
    given.when(ResolveClaim(claim_id="claim_1", new_items=[BOWL]))
    assert (the(given).status, the(given).lacks_new_goods) == (ClaimStatus.REQUIRES_ACTION, False)
    assert effect_kinds(given.ledger) == ["replacement-2"]


def test_units_without_a_price_are_credited_all_the_same() -> None:
    """Two that were free, and 5.00 of the shipping, which cannot be paid before or after."""
    shipping = ShippingMethod(id="sm_1", option_id="so", name="Post", price=usd(500))
    given = Given(order_of(line(quantity=2, price=0), captured=300, shipping_methods=[shipping]))
    items = [ClaimItem(item_id="mug", quantity=2, reason="other")]
    charges = [ClaimedCharge(charge_id="sm_1")]
    given.when(
        RequestClaim(order_id="order_1", type="replace", items=items, new_items=[CUP], charges=charges)
    )
    given.record_outcomes(("claim_1-replacement-1", NONE_LEFT))
    given.when(MONEY)
    assert (the(given).status, the(given).amount_due) == (ClaimStatus.REQUIRES_ACTION, usd(500))
    lines = [(each.name, each.quantity) for note in credit_notes(given.ledger) for each in note.lines]
    assert ("item:mug", 2) in lines


def test_goods_that_come_back_end_no_claim_without_new_goods() -> None:
    """They are here, and something is given for them by a person; the return moves no money."""
    given = out_of_stock(return_items=True)
    given.when(receive(2))
    assert the(given).status is ClaimStatus.REQUIRES_ACTION
    given.when(MONEY)
    assert (the(given).status, the(given).refunded) == (ClaimStatus.COMPLETED, usd(2000))
    assert given.the().refund_amount == usd(0)


def test_goods_that_are_yet_to_come_back_are_waited_for() -> None:
    """The claim is `requested` until they are here."""
    given = out_of_stock(return_items=True)
    given.when(MONEY)
    assert the(given).status is ClaimStatus.REQUESTED
    given.when(receive(2))
    assert the(given).status is ClaimStatus.COMPLETED


def test_the_timeline_tells_what_was_given_instead() -> None:
    """Goods or money."""
    given = out_of_stock()
    given.when(ResolveClaim(claim_id="claim_1", new_items=[BOWL]))
    given.record_outcomes(("claim_1-replacement-2", NONE_LEFT))
    given.when(MONEY)
    other, answered, money = list(timeline("order_1", given.history))[-3:]
    assert (other.summary, other.details) == (
        "claim_1 resolved: other new goods",
        ("2 x v_bowl to be sent",),
    )
    assert answered.details == ("claim_1-replacement-2: out of stock (sold out)",)
    assert (money.summary, money.amount) == ("claim_1 resolved: money instead of new goods", usd(2000))
