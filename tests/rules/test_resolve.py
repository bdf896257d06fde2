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
    """Of a return of two mugs at 10.00, of an order of five, other than two came."""
    given = Given(order_of(line(quantity=5)), policy)
    given.when(request(2, **more))
    given.when(receive(arrivals, damaged, location_id="loc_1"))
    given.all_delivered()
    return given


def resolve(*rejected: RejectedItem, **more: Any) -> ResolveReturn:
    """The first return."""
    return ResolveReturn(return_id="ret_1", rejected=rejected, **more)


def reject(quantity: int, damaged: int = 0, **more: Any) -> RejectedItem:
    """Mugs."""
    return RejectedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged, **more)


def free(given: Given) -> int:
    """How many mugs can still be returned."""
    assert given.order is not None
    (item,) = returnable_items(given.order, given.ledger, given.policy, given.now)
    return item.quantity


def test_what_came_is_accepted_and_paid_for() -> None:
    """One more than was announced; stock moved when it came, not again."""
    given = disputed(3)

    (event,) = given.when(resolve(created_by="bob"))

    ret = given.the()
    assert isinstance(event, ReturnResolved)
    assert ret.status is ReturnStatus.RECEIVED
    assert ret.refund_amount == usd(3000)
    assert ret.received_at == event.at
    assert ret.resolution is not None
    assert (ret.resolution.by, ret.resolution.rejected) == ("bob", ())
    assert effect_kinds(given.ledger) == ["refund/1"]
    assert free(given) == 2


def test_a_return_that_stays_short_is_closed() -> None:
    """What did not come is released."""
    given = disputed(1)

    given.when(resolve())

    assert given.the().refund_amount == usd(1000)
    assert free(given) == 4


def test_what_is_rejected_and_sent_back_leaves_stock_and_is_not_paid() -> None:
    """The customer has it again, and may return it another time."""
    given = disputed(3)

    (event,) = given.when(resolve(reject(1, reason="not ours"), reject(1, reason="worn")))

    (asked, extra) = given.the().items
    assert (asked.received_quantity, asked.returned_to_customer_quantity) == (1, 1)
    assert (extra.received_quantity, extra.returned_to_customer_quantity, extra.quantity) == (0, 1, 0)
    assert given.the().refund_amount == usd(1000)
    assert react(event)[0] == WithdrawRequest(
        key="ret_1/withdraw/1",
        order_id="order_1",
        return_id="ret_1",
        location_id="loc_1",
        lines=(StockLine("mug", "v_mug", 2),),
        restock_key="ret_1/restock/1",
    )
    assert effect_kinds(given.ledger) == ["withdraw/1", "refund/1"]
    assert free(given) == 4


def test_what_is_rejected_and_kept_stays_in_stock_unpaid() -> None:
    """It is not the customer's any more, so nobody can return it."""
    given = disputed(3)

    given.when(resolve(reject(1, send_back=False)))

    assert given.the().refund_amount == usd(2000)
    assert sum(item.rejected_quantity for item in given.the().items) == 1
    assert effect_kinds(given.ledger) == ["refund/1"]
    assert free(given) == 2


def test_damaged_units_are_rejected_as_such() -> None:
    """They never went into stock, so none is withdrawn."""
    given = disputed(1, damaged=2)

    given.when(resolve(reject(0, 1), reject(0, 1, send_back=False)))

    assert given.the().refund_amount == usd(1000)
    assert effect_kinds(given.ledger) == ["refund/1"]
    assert sum(item.returned_to_customer_quantity for item in given.the().items) == 1
    assert sum(item.rejected_damaged_quantity for item in given.the().items) == 1
    assert free(given) == 3


def test_goods_go_back_from_where_they_went() -> None:
    """The latest parcel's first, each from its own stock."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(4))
    given.when(receive(1, location_id="loc_1"))
    given.when(receive(2, location_id="loc_2"))

    (event,) = given.when(resolve(reject(3)))

    withdrawn = [effect for effect in react(event) if isinstance(effect, WithdrawRequest)]
    assert [(w.location_id, w.lines[0].quantity, w.restock_key) for w in withdrawn] == [
        ("loc_2", 2, "ret_1/restock/2"),
        ("loc_1", 1, "ret_1/restock/1"),
    ]
    assert given.the().refund_amount == usd(0)
    assert free(given) == 5


def test_a_withdrawal_waits_for_its_restock() -> None:
    """Stock that was not told of the one can not be told of the other."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(2))
    given.when(receive(3))

    given.when(resolve(reject(1)))

    assert given.ledger.open_effects["ret_1/withdraw/1"].waits_for == "ret_1/restock/1"


def test_a_clerk_names_the_amount() -> None:
    """For the whole return."""
    given = disputed(3)

    given.when(resolve(reject(1), refund_amount=usd(2500)))

    assert given.the().refund_amount == usd(2500)
    assert names_and_amounts(given.the())["custom_amount"] == 500


def test_a_named_amount_that_was_kept_is_paid() -> None:
    """It was given with the parcel, and could not be paid then."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(2))
    given.when(receive(1, refund_amount=usd(700)))

    given.when(resolve())

    assert given.the().refund_amount == usd(700)


def test_the_rest_of_a_return_in_parcels_is_closed() -> None:
    """What came was paid for, so nothing is paid again; what did not come is released."""
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
    """The customer would have both; what came later is rejected all the same."""
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
    """Return shipping once; a custom amount shrinks with what is not accepted."""
    shipped = disputed(1, shipping_option_id="so_return")
    shipped.when(resolve())
    assert shipped.the().refund_amount == usd(800)

    custom = disputed(2 + 1, refund_amount=usd(600))
    custom.when(resolve(reject(2, send_back=False)))
    assert custom.the().refund_amount == usd(300)


def test_an_amount_above_what_is_left_is_blocked() -> None:
    """The return is received; the order requires action; a clerk may set a smaller amount."""
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


def test_what_can_not_be_paid_is_written_off() -> None:
    """A refund that failed is not owed for ever."""
    given = disputed(3)
    given.when(resolve())
    given.record_outcomes(("ret_1/refund/1", RefundDeclined("card_closed")))
    assert given.the().needs_attention

    given.when(resolve(refund_amount=usd(0)))

    assert given.the().refund_amount == usd(0)
    assert not given.the().needs_attention
    assert given.codes(RetryRefund(return_id="ret_1")) == ["nothing_due"]


def test_it_is_done_once() -> None:
    """Under a key it is answered, without one refused; and nothing is canceled afterwards."""
    given = disputed(3)
    given.when(resolve(reject(1), idempotency_key="k"))

    assert given.ledger.answered["k"].command == resolve(reject(1), idempotency_key="k")
    assert given.codes(resolve()) == ["return_already_received"]
    assert given.codes(resolve(refund_amount=usd(1))) == ["return_already_received"]
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_already_received"]


def test_there_must_be_something_to_resolve() -> None:
    """Neither before anything came nor after it was called off."""
    given = Given(order_of(line(quantity=5)))
    assert isinstance(given.refuses(resolve()), NotFound)
    given.when(request(2))
    assert given.codes(resolve()) == ["nothing_to_resolve"]
    given.when(CancelReturn(return_id="ret_1"))
    assert given.codes(resolve()) == ["return_canceled"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """With the numbers."""
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
def test_what_is_no_list_of_rejected_items_is_refused(rejected: Any) -> None:
    """Not raised when the command is built."""
    given = disputed(3)

    assert given.codes(ResolveReturn(return_id="ret_1", rejected=rejected)) == ["invalid_items"]


def test_an_order_that_is_gone_can_not_be_refunded() -> None:
    """Nor one in another currency."""
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
    """Each unit is at the customer, here and paid, or here and unpaid; the rest returned gives the rest."""
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
    kept = [data.draw(st.integers(0, most)) for most in (sellable, damaged)]
    back = [
        data.draw(st.integers(0, most - less)) for most, less in zip((sellable, damaged), kept, strict=True)
    ]
    rejected = [reject(*kept, send_back=False)] * any(kept) + [reject(*back)] * any(back)

    given.when(resolve(*rejected))
    given.all_delivered()

    paid = sellable - kept[0] - back[0] + (damaged - kept[1] - back[1]) * refund_damaged
    here = sellable + damaged - sum(back)
    assert given.the().refunded == given.the().entitlement.entitled == usd(paid * price)
    assert sum(item.arrived_quantity for item in given.the().items) == here
    assert free(given) == quantity - here
    if free(given):
        given.when(request(free(given)))
        assert given.the("ret_2").refund_amount == usd((quantity - here) * price)
