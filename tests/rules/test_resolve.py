"""ResolveReturn."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    CancelReturn,
    Invalid,
    Money,
    NotAllowed,
    NotFound,
    Payment,
    RefundDeclined,
    RejectedItem,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnResolved,
    ReturnStatus,
)
from rma.domain.messages.effects import StockLine, WithdrawRequest
from rma.domain.react import react
from rma.domain.views.order_state import FulfillmentStatus, order_state
from rma.domain.views.returnable import returnable_items
from tests.rules.given import (
    Given,
    effect_kinds,
    line,
    names_and_amounts,
    order_of,
    put,
    receive,
    request,
    usd,
)


def disputed(
    arrivals: int = 3, damaged: int = 0, *, policy: ReturnPolicy | None = None, **more: Any
) -> Given:
    """Returns an order of five mugs at 10.00 with a return of two, of which another number was received."""
    given = Given(order_of(line(quantity=5)), policy)
    given.when(request(2, **more))
    given.when(receive(arrivals, damaged, location_id="loc_1"))
    given.all_delivered()
    return given


def resolve(*rejected: RejectedItem, **more: Any) -> ResolveReturn:
    """Resolves the first return."""
    return ResolveReturn(return_id="ret_1", rejected=rejected, **more)


def reject(quantity: int, damaged: int = 0, **more: Any) -> RejectedItem:
    """Rejects this many mugs."""
    return RejectedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged, **more)


def free(given: Given) -> int:
    """Returns how many mugs are returnable."""
    assert given.order is not None
    (item,) = returnable_items(given.order, given.ledger, given.policy, given.now)
    return item.quantity


def test_a_resolution_refunds_everything_received() -> None:
    """A resolution refunds all received units, one more than requested, and restocks nothing again."""
    given = disputed(3)

    (event,) = given.when(resolve(created_by="bob"))

    ret = given.the()
    assert isinstance(event, ReturnResolved)
    assert ret.status is ReturnStatus.RECEIVED
    assert ret.refund_amount == usd(3000)
    assert ret.received_at == event.at
    assert ret.resolution is not None
    assert (ret.resolution.by, ret.resolution.rejected) == ("bob", ())
    assert effect_kinds(given.ledger) == ["refund-1"]
    assert free(given) == 2


def test_a_return_that_stays_short_is_closed() -> None:
    """A resolution refunds the received units and makes the missing one returnable again."""
    given = disputed(1)

    given.when(resolve())

    assert given.the().refund_amount == usd(1000)
    assert free(given) == 4


def test_units_rejected_and_returned_to_the_customer_are_withdrawn_unpaid() -> None:
    """Units that are returned to the customer are withdrawn, not refunded, and returnable again."""
    given = disputed(3)

    (event,) = given.when(resolve(reject(1, reason="not ours"), reject(1, reason="worn")))

    (asked, extra) = given.the().items
    assert (asked.received_quantity, asked.returned_to_customer_quantity) == (1, 1)
    assert (extra.received_quantity, extra.returned_to_customer_quantity, extra.quantity) == (0, 1, 0)
    assert given.the().refund_amount == usd(1000)
    assert react(event)[0] == WithdrawRequest(
        key="ret_1-withdraw-1",
        order_id="order_1",
        return_id="ret_1",
        location_id="loc_1",
        lines=(StockLine("mug", "v_mug", 2),),
        restock_key="ret_1-restock-1",
    )
    assert effect_kinds(given.ledger) == ["withdraw-1", "sendback-1", "refund-1"]
    assert free(given) == 4


def test_units_rejected_and_retained_stay_in_stock_unpaid() -> None:
    """Units that are rejected and not returned to the customer stay in stock, unpaid and not returnable."""
    given = disputed(3)

    given.when(resolve(reject(1, send_back=False)))

    assert given.the().refund_amount == usd(2000)
    assert sum(item.rejected_quantity for item in given.the().items) == 1
    assert effect_kinds(given.ledger) == ["refund-1"]
    assert free(given) == 2


def test_damaged_units_are_rejected_as_such() -> None:
    """Rejecting damaged units withdraws nothing, as they were not restocked."""
    given = disputed(1, damaged=2)

    given.when(resolve(reject(0, 1), reject(0, 1, send_back=False)))

    assert given.the().refund_amount == usd(1000)
    assert effect_kinds(given.ledger) == ["sendback-1", "refund-1"]
    assert sum(item.returned_to_customer_quantity for item in given.the().items) == 1
    assert sum(item.rejected_damaged_quantity for item in given.the().items) == 1
    assert free(given) == 3


def test_rejected_goods_are_withdrawn_where_they_were_restocked() -> None:
    """Rejected units are withdrawn from the latest receipt first, each from its own location."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(4))
    given.when(receive(1, location_id="loc_1"))
    given.when(receive(2, location_id="loc_2"))

    (event,) = given.when(resolve(reject(3)))

    withdrawn = [effect for effect in react(event) if isinstance(effect, WithdrawRequest)]
    assert [(w.location_id, w.lines[0].quantity, w.restock_key) for w in withdrawn] == [
        ("loc_2", 2, "ret_1-restock-2"),
        ("loc_1", 1, "ret_1-restock-1"),
    ]
    assert given.the().refund_amount == usd(0)
    assert free(given) == 5


def test_a_withdrawal_waits_for_its_restock() -> None:
    """A withdrawal waits for the open restock of the same units."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(2))
    given.when(receive(3))

    given.when(resolve(reject(1)))

    assert given.ledger.open_effects["ret_1-withdraw-1"].waits_for == "ret_1-restock-1"


def test_a_resolution_may_name_the_refund() -> None:
    """A refund named in the resolution is the total of the return."""
    given = disputed(3)

    (violation,) = given.refuses(resolve(reject(1), refund_amount=usd(2500))).violations
    given.when(resolve(reject(1), refund_amount=usd(2500), refund_note="promised by phone"))

    assert violation.numbers == {"amount": 2500, "value": 2000, "currency": "usd"}
    assert given.the().entitlement.refund_note == "promised by phone"
    assert given.the().refund_amount == usd(2500)
    assert names_and_amounts(given.the())["custom_amount"] == 500


def test_a_refund_named_on_receipt_is_paid_by_the_resolution() -> None:
    """A refund that was named with a mismatched receipt is paid for the part that arrived."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(2))
    given.when(receive(1, refund_amount=usd(700)))

    given.when(resolve())

    assert given.the().refund_amount == usd(350)


def test_the_rest_of_a_return_in_parcels_is_closed() -> None:
    """A resolution after a refunded parcel pays nothing more and frees the missing units."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(3))
    given.when(receive(1, more_expected=True))
    given.all_delivered()

    given.when(resolve())

    ret = given.the()
    assert (ret.status, ret.refund_amount, len(ret.refunds)) == (ReturnStatus.RECEIVED, usd(1000), 1)
    assert not given.ledger.open_effects
    assert free(given) == 4


def test_what_an_earlier_parcel_was_refunded_for_is_not_rejected() -> None:
    """Units that a parcel was refunded for cannot be rejected; those received later can."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(3))
    given.when(receive(1, more_expected=True))
    given.when(receive(3))

    error = given.refuses(resolve(reject(4)))

    assert isinstance(error, NotAllowed)
    assert (error.code, error.details) == (
        "rejected_already_refunded",
        {"return_id": "ret_1", "entitled": 1000, "accepted": 0},
    )
    given.when(resolve(reject(3)))
    assert given.the().refund_amount == usd(1000)


def test_deductions_apply_to_what_is_accepted() -> None:
    """
    Return shipping is deducted once, and a requested refund shrinks with the units that are not accepted.
    """
    shipped = disputed(1, shipping_option_id="so_return")
    shipped.when(resolve())
    assert shipped.the().refund_amount == usd(800)

    custom = disputed(2 + 1, refund_amount=usd(600))
    custom.when(resolve(reject(2, send_back=False)))
    assert custom.the().refund_amount == usd(300)


def test_an_amount_above_what_is_left_is_blocked() -> None:
    """
    A refund above what is refundable is blocked, the order requires action, and a smaller refund may be
    named.
    """
    given = disputed(3)
    put(given, payments=[Payment(id="pay_1", captured=usd(1500))])

    events = given.when(resolve())

    assert [type(event).__name__ for event in events] == ["ReturnResolved", "RefundBlocked"]
    assert given.the().amount_due == usd(3000)
    assert given.order is not None
    assert order_state(given.order, given.ledger).fulfillment_status is FulfillmentStatus.REQUIRES_ACTION
    received_at = given.the().received_at

    given.when(resolve(refund_amount=usd(1500)))

    ret = given.the()
    assert (ret.refund_amount, ret.amount_due, ret.refunded, ret.entitlement.is_refund_blocked) == (
        usd(1500),
        usd(0),
        usd(1500),
        False,
    )
    assert ret.received_at == received_at
    assert order_state(given.order, given.ledger).fulfillment_status is FulfillmentStatus.PARTIALLY_RETURNED


def test_a_refund_that_failed_can_be_written_off() -> None:
    """A resolution with a refund of 0 ends what is due after a failed refund."""
    given = disputed(3)
    given.when(resolve())
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))
    assert given.the().needs_attention

    given.when(resolve(refund_amount=usd(0)))

    assert given.the().refund_amount == usd(0)
    assert not given.the().needs_attention
    assert given.codes(RetryRefund(return_id="ret_1")) == ["nothing_due"]


def test_a_return_is_resolved_once() -> None:
    """A resolved return refuses a second resolution and a cancellation, and stores the idempotency key."""
    given = disputed(3)
    given.when(resolve(reject(1), idempotency_key="k"))

    assert given.ledger.answered["k"].command == resolve(reject(1), idempotency_key="k")
    assert given.codes(resolve()) == ["return_already_received"]
    assert given.codes(resolve(refund_amount=usd(1))) == ["return_already_received"]
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_already_received"]


def test_there_must_be_something_to_resolve() -> None:
    """A return without receipts and a canceled return cannot be resolved."""
    given = Given(order_of(line(quantity=5)))
    assert isinstance(given.refuses(resolve()), NotFound)
    given.when(request(2))
    assert given.codes(resolve()) == ["nothing_to_resolve"]
    given.when(CancelReturn(return_id="ret_1"))
    assert given.codes(resolve()) == ["return_canceled"]


def test_all_violations_are_reported_at_once() -> None:
    """The refusal lists every violation of the resolution, with its numbers."""
    given = disputed(2, damaged=1)

    error = given.refuses(
        resolve(
            reject(3),
            reject(0, 2),
            RejectedItem(item_id="hat", quantity=1),
            reject(0),
            RejectedItem(item_id="mug", quantity=-1, damaged_quantity=True, reason=7, send_back="no"),  # type: ignore[arg-type] # that is what is wrong
            refund_amount=usd(99_999),
            created_by=7,
        )
    )

    assert isinstance(error, Invalid)
    assert [violation.code for violation in error.violations] == [
        "invalid_quantity",
        "invalid_quantity",
        "invalid_damaged_quantity",
        "invalid_text",
        "invalid_flag",
        "quantity_exceeds_received",
        "damaged_quantity_exceeds_received",
        "item_not_in_return",
        "refund_exceeds_refundable",
        "invalid_text",
    ]
    assert error.violations[5].numbers == {"quantity": 3, "received": 2}
    assert error.violations[6].numbers == {"quantity": 2, "received": 1}


@pytest.mark.parametrize("rejected", [7, ["mug"], [RejectedItem(item_id=7, quantity=1)]])  # type: ignore[arg-type] # wrong
def test_rejected_is_a_list_of_rejected_items(rejected: Any) -> None:
    """A resolution whose `rejected` is not a list of RejectedItem is refused with `invalid_items`."""
    given = disputed(3)

    assert given.codes(ResolveReturn(return_id="ret_1", rejected=rejected)) == ["invalid_items"]


def test_a_resolution_needs_the_order() -> None:
    """
    A resolution for an unknown order is refused with `order_not_found`, whatever the currency of its
    refund.
    """
    given = disputed(3)
    given.order = None
    assert given.codes(resolve()) == ["order_not_found"]
    assert given.codes(resolve(refund_amount=Money(1, "eur"))) == ["order_not_found"]


@for_all(
    asked=st.integers(1, 4),
    sellable=st.integers(0, 4),
    damaged=st.integers(0, 4),
    price=st.integers(0, 99),
    refund_damaged=st.booleans(),
    data=st.data(),
)
def test_units_and_money_are_conserved_whatever_is_rejected(
    asked: int, sellable: int, damaged: int, price: int, refund_damaged: bool, data: st.DataObject
) -> None:
    """
    Each unit is with the customer or here, each accepted one is refunded once, and the rest is worth the
    rest.
    """
    quantity = asked + sellable + damaged
    policy = ReturnPolicy(refund_damaged=refund_damaged)
    given = Given(order_of(line(quantity=quantity, price=price), captured=quantity * price), policy)
    given.when(request(asked))
    if not sellable + damaged:
        return
    given.when(receive(sellable, damaged))
    given.all_delivered()
    if given.the().status is ReturnStatus.RECEIVED:
        return
    retained = [data.draw(st.integers(0, most)) for most in (sellable, damaged)]
    back = [
        data.draw(st.integers(0, most - less))
        for most, less in zip((sellable, damaged), retained, strict=True)
    ]
    rejected = [reject(*retained, send_back=False)] * any(retained) + [reject(*back)] * any(back)

    given.when(resolve(*rejected))
    given.all_delivered()

    paid = sellable - retained[0] - back[0] + (damaged - retained[1] - back[1]) * refund_damaged
    here = sellable + damaged - sum(back)
    assert given.the().refunded == given.the().entitlement.entitled == usd(paid * price)
    assert sum(item.arrived_quantity for item in given.the().items) == here
    assert free(given) == quantity - here
    if free(given):
        given.when(request(free(given)))
        assert given.the("ret_2").refund_amount == usd((quantity - here) * price)
