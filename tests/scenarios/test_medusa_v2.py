"""
Scenarios of Medusa v2, with its answers and ours, in minor units.

A return in v2 changes what the order owes, and a person refunds it later; that amount is compared with the
entitled amount of our returns. In v2 damaged units count as received on the return, but not on the line of
the order; here they never count as received. Drafts of a return, which v2 can edit and delete, have no
counterpart here: a quote changes nothing, and a request is complete.
"""

from typing import cast

import pytest
from attrs import evolve

from rma import (
    AmountPart,
    Invalid,
    InvalidValue,
    Money,
    NotAllowed,
    Order,
    RequestedItem,
    RequestReturn,
    ReturnPolicy,
    ReturnReason,
    ReturnShipmentRequest,
    ShippingOption,
    StockLine,
)
from rma.adapters.memory import InMemoryPayments, in_memory_service

from .scenario import Balance, Ending, Flow, Refusal, Value
from .world import (
    FIRST,
    ORDER,
    POST,
    SECOND,
    World,
    cancel,
    line,
    payment,
    receive,
    request,
    return_option,
    sale,
)

TWO_AT_25 = sale(line("i", 2, 2500), paid=5000)
ONE_AT_50 = sale(line("i", 1, 5000), paid=5000)
# 5000 less 1000 discount, 10% tax on top: 4400.
DISCOUNTED = sale(line("i", 2, 2500, off=[1000], tax=["10"]), paid=4400)
# Goods for 50.00, shipping for 10.00 and 10% tax.
SENT = sale(line("i", 2, 2500), paid=6100, shipping=1000)
PARTLY_SENT = sale(
    line("one", 1, 1000), line("two", 2, 10000, fulfilled=1), line("three", 3, 2000), paid=27000
)

VALUES = [
    pytest.param(Value(order=ONE_AT_50, command=request(i=1), they=5000, we=5000), id="mv2-036"),
    pytest.param(Value(order=SENT, command=request(i=2), they=5000, we=5000), id="mv2-058"),
    # 50.00 less 10.00 for return shipping.
    pytest.param(
        Value(order=TWO_AT_25, command=request(i=2, shipping_option_id=POST), options=(return_option(1000),),
              they=4000, we=4000),
        id="mv2-103-value",
    ),
    pytest.param(
        Value(order=DISCOUNTED, command=request(i=2),
              they=5000, we=4400,
              difference="they take list prices; we take what was paid, less discounts, with tax"),
        id="mv2-109",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_the_value_of_returned_units_is_what_was_paid_for_them(case: Value) -> None:
    """Quote, request and refund are the value with tax after discounts, less return shipping."""
    assert case.answers() == (case.we, case.we, case.we)
    assert case.is_explained


REASONS = (
    ReturnReason("parent", "parent", "Parent"),
    ReturnReason("child-1", "child-1", "Child", parent_id="parent"),
    ReturnReason("child-2", "child-2", "Child", parent_id="parent"),
)

ONE_OF_NOTHING = RequestedItem(item_id=cast("str", None), quantity=1)
ONE_OF_I = RequestedItem(item_id="i", quantity=1)
TWO_OF_I = RequestedItem(item_id="i", quantity=2)

REFUSALS = [
    pytest.param(
        Refusal(order=PARTLY_SENT, command=RequestReturn(order_id=ORDER, items=(ONE_OF_NOTHING,)),
                kind=Invalid, code="invalid_items"),
        id="mv2-002",
    ),
    pytest.param(
        Refusal(order=PARTLY_SENT, before=(request(three=2),), command=request(three=2),
                kind=Invalid, code="quantity_exceeds_returnable", item_id="three",
                numbers={"quantity": 2, "returnable": 1}),
        id="mv2-005",
    ),
    pytest.param(
        Refusal(order=ONE_AT_50, reasons=REASONS, command=request(i=1, reason_id="parent"),
                kind=Invalid, code="return_reason_is_category", item_id="i", numbers={"reason_id": "parent"}),
        id="mv2-018",
    ),
    pytest.param(
        Refusal(order=TWO_AT_25, before=(request(i=2), receive(i=2)), command=request(i=2),
                kind=Invalid, code="quantity_exceeds_returnable", item_id="i",
                numbers={"quantity": 2, "returnable": 0},
                they="returned again: 4 of 2 received",
                difference="they ignore earlier returns; a received unit is never returnable again"),
        id="mv2-112",
    ),
    pytest.param(
        Refusal(order=TWO_AT_25, command=request(i=cast("int", 0.5)),
                kind=Invalid, code="invalid_quantity", item_id="i", numbers={"minimum": 1},
                they="half a unit requested, worth 12.50",
                difference="they accept any number; we require an integer"),
        id="mv2-115",
    ),
    pytest.param(
        Refusal(order=TWO_AT_25, command=RequestReturn(order_id=ORDER, items=(ONE_OF_I, TWO_OF_I)),
                kind=Invalid, code="quantity_exceeds_returnable", item_id="i",
                numbers={"quantity": 3, "returnable": 2}),
        id="mv2-117",
    ),
    pytest.param(
        Refusal(order=TWO_AT_25, before=(request(i=2),), command=receive(allow_mismatch=True),
                kind=Invalid, code="no_items",
                they="received, nothing restocked",
                difference="they accept an empty receipt; we book an empty parcel, and accept nothing of it"),
        id="mv2-127",
    ),
    pytest.param(
        Refusal(order=TWO_AT_25,
                before=(request(i=1), request(i=1), receive(FIRST, i=1), receive(SECOND, i=1)),
                command=cancel(SECOND),
                kind=NotAllowed, code="return_already_received", numbers={"return_id": SECOND}),
        id="mv2-016",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_an_invalid_command_is_refused_with_numbers_and_changes_nothing(case: Refusal) -> None:
    """The error has the item and the numbers; returns, refunds and stock stay the same."""
    assert case.answers() == case.expected
    assert case.is_explained


# Their discount of 10.00 is above the price of the first line; 8.00 is the largest possible discount.
THREE_LINES = sale(
    line("one", 1, 800, off=[800], tax=["0.1"], inclusive=True),
    line("two", 2, 500),
    line("three", 1, 3000),
    paid=5800,
    shipping=1000,
)
# The first return is 0 + 5.00 + 30.00 less 35.00 for return shipping, the second 5.00 less 5.00.
RETURN_OPTIONS = (return_option(3500, option_id="so_a"), return_option(500, option_id="so_b"))
TWICE_25 = (
    request(i=1),
    receive(FIRST, i=1, refund_amount=2500),
    request(i=1),
    receive(SECOND, i=1, refund_amount=2500),
)
BOTH_REQUESTED = (
    request(one=1, two=1, three=1, shipping_option_id="so_a"),
    request(two=1, shipping_option_id="so_b"),
)
FIRST_PARCEL = receive(FIRST, one=1, two=1, more_expected=True)
SECOND_PARCEL = receive(FIRST, three=1)

FLOWS = [
    pytest.param(
        Flow(order=PARTLY_SENT,
             steps=(request(three=2), receive(three=(1, 2))),
             they=Ending(refused=(2,)),
             we=Ending(returns=("requires_action",), amounts=(4000,), refunds=(), stock=(("three", 1),),
                       goods="partially_returned", money="captured",
                       counters=((0, 0, 0), (0, 0, 0), (0, 1, 2)), refused=()),
             difference="they refuse a unit above the expected number; here a clerk decides about it"),
        id="mv2-007",
    ),
    pytest.param(
        Flow(order=THREE_LINES, options=RETURN_OPTIONS,
             steps=BOTH_REQUESTED,
             they=Ending(returns=("requested", "requested"), counters=((1, 0, 0), (2, 0, 0), (1, 0, 0))),
             we=Ending(returns=("requested", "requested"), amounts=(0, 0), refunds=(), stock=(),
                       goods="fulfilled", money="captured", counters=((1, 0, 0), (2, 0, 0), (1, 0, 0)),
                       returnable=(0, 0, 0))),
        id="mv2-011",
    ),
    pytest.param(
        Flow(order=THREE_LINES, options=RETURN_OPTIONS,
             steps=(*BOTH_REQUESTED, FIRST_PARCEL),
             they=Ending(returns=("partially_received", "requested"),
                         counters=((0, 1, 0), (1, 1, 0), (1, 0, 0))),
             we=Ending(returns=("partially_received", "requested"), amounts=(0, 0), refunds=(),
                       stock=(("one", 1), ("two", 1)), goods="partially_returned", money="captured",
                       counters=((0, 1, 0), (1, 1, 0), (1, 0, 0)))),
        id="mv2-012",
    ),
    pytest.param(
        Flow(order=THREE_LINES, options=RETURN_OPTIONS,
             steps=(*BOTH_REQUESTED, FIRST_PARCEL, SECOND_PARCEL),
             they=Ending(returns=("received", "requested"), counters=((0, 1, 0), (1, 1, 0), (0, 1, 0))),
             we=Ending(returns=("received", "requested"), amounts=(0, 0), refunds=(),
                       stock=(("one", 1), ("two", 1), ("three", 1)), goods="partially_returned",
                       money="captured", counters=((0, 1, 0), (1, 1, 0), (0, 1, 0)))),
        id="mv2-013",
    ),
    pytest.param(
        Flow(order=THREE_LINES, options=RETURN_OPTIONS,
             steps=(*BOTH_REQUESTED, FIRST_PARCEL, SECOND_PARCEL, receive(SECOND, two=1)),
             they=Ending(returns=("received", "received"), counters=((0, 1, 0), (0, 2, 0), (0, 1, 0))),
             we=Ending(returns=("received", "received"), amounts=(0, 0), refunds=(),
                       stock=(("one", 1), ("two", 1), ("three", 1), ("two", 1)), goods="returned",
                       money="captured", counters=((0, 1, 0), (0, 2, 0), (0, 1, 0)))),
        id="mv2-014",
    ),
    pytest.param(
        Flow(order=SENT,
             steps=(request(i=2), receive(i=1, more_expected=True)),
             they=Ending(counters=((1, 1, 0),)),
             we=Ending(returns=("partially_received",), amounts=(5000,), refunds=(("p1", 2500),),
                       stock=(("i", 1),), goods="partially_returned", money="partially_refunded",
                       counters=((1, 1, 0),))),
        id="mv2-067",
    ),
    pytest.param(
        Flow(order=SENT,
             steps=(request(i=2), receive(i=1, more_expected=True), receive(i=(0, 1))),
             they=Ending(counters=((0, 1, 1),), stock=(("i", 1),)),
             we=Ending(returns=("received",), amounts=(5000,), refunds=(("p1", 2500), ("p1", 2500)),
                       stock=(("i", 1),), goods="returned", money="partially_refunded",
                       counters=((0, 1, 1),))),
        id="mv2-069",
    ),
    pytest.param(
        Flow(order=ONE_AT_50,
             steps=(request(i=1), receive(i=1, refund_amount=2500)),
             they=Ending(refunds=(("p1", 2500),)),
             we=Ending(returns=("received",), amounts=(2500,), refunds=(("p1", 2500),), stock=(("i", 1),),
                       goods="returned", money="partially_refunded")),
        id="mv2-091",
    ),
    pytest.param(
        Flow(order=sale(line("i", 2, 5000), paid=10000),
             steps=TWICE_25,
             they=Ending(refunds=(("p1", 2500), ("p1", 2500))),
             we=Ending(returns=("received", "received"), amounts=(2500, 2500),
                       refunds=(("p1", 2500), ("p1", 2500)), stock=(("i", 1), ("i", 1)), goods="returned",
                       money="partially_refunded")),
        id="mv2-092",
    ),
    pytest.param(
        Flow(order=TWO_AT_25,
             steps=(request(i=2),),
             they=Ending(entitled_amount=5000),
             we=Ending(returns=("requested",), amounts=(5000,), entitled_amount=0, refunds=(), stock=(),
                       goods="fulfilled", money="captured"),
             difference="they owe the money on request; here it is due when the goods are received"),
        id="mv2-101",
    ),
    pytest.param(
        Flow(order=TWO_AT_25, options=(return_option(1000),),
             steps=(request(i=2, shipping_option_id=POST),),
             they=Ending(entitled_amount=4000),
             we=Ending(returns=("requested",), amounts=(4000,), entitled_amount=0, refunds=(), stock=(),
                       goods="fulfilled", money="captured"),
             difference="they owe the money on request; here it is due when the goods are received"),
        id="mv2-103",
    ),
    pytest.param(
        Flow(order=TWO_AT_25,
             steps=(request(i=2), receive(i=1, more_expected=True)),
             they=Ending(entitled_amount=2500),
             we=Ending(returns=("partially_received",), amounts=(5000,), entitled_amount=2500,
                       refunds=(("p1", 2500),), stock=(("i", 1),), goods="partially_returned",
                       money="partially_refunded")),
        id="mv2-104",
    ),
    pytest.param(
        Flow(order=TWO_AT_25,
             steps=(request(i=2), cancel()),
             they=Ending(entitled_amount=-5000, counters=((0, 0, 0),)),
             we=Ending(returns=("canceled",), amounts=(5000,), entitled_amount=0, refunds=(), stock=(),
                       goods="fulfilled", money="captured", counters=((0, 0, 0),), returnable=(2,)),
             difference="they bill the customer for a canceled return; here canceling moves no money"),
        id="mv2-108",
    ),
    pytest.param(
        Flow(order=TWO_AT_25,
             steps=(request(i=2), receive(i=(1, 1))),
             they=Ending(entitled_amount=5000, counters=((0, 1, 1),)),
             we=Ending(returns=("received",), amounts=(5000,), entitled_amount=5000, refunds=(("p1", 5000),),
                       stock=(("i", 1),), goods="returned", money="refunded", counters=((0, 1, 1),))),
        id="mv2-119",
    ),
    # The policy does not refund damaged units.
    pytest.param(
        Flow(order=TWO_AT_25, policy=ReturnPolicy(refund_damaged=False),
             steps=(request(i=2), receive(i=(1, 1))),
             they=Ending(entitled_amount=5000, counters=((0, 1, 1),)),
             we=Ending(returns=("received",), amounts=(2500,), entitled_amount=2500, refunds=(("p1", 2500),),
                       stock=(("i", 1),), goods="returned", money="partially_refunded",
                       counters=((0, 1, 1),)),
             difference="they always refund damaged units; here the policy decides"),
        id="mv2-119-damaged-unpaid",
    ),
    # 22.00 for one of two units; 22.00 remain for the other.
    pytest.param(
        Flow(order=DISCOUNTED,
             steps=(request(i=2), receive(i=1, more_expected=True)),
             they=Ending(entitled_amount=2200),
             we=Ending(returns=("partially_received",), amounts=(4400,), entitled_amount=2200,
                       refunds=(("p1", 2200),), stock=(("i", 1),), goods="partially_returned",
                       money="partially_refunded")),
        id="mv2-124",
    ),
    pytest.param(
        Flow(order=sale(line("i", 3, 2500), paid=7500),
             steps=(request(i=3), receive(i=1, more_expected=True), receive(i=2)),
             they=Ending(returns=("partially_received",), counters=((0, 2, 0),), stock=(("i", 1), ("i", 2))),
             we=Ending(returns=("received",), amounts=(7500,), refunds=(("p1", 2500), ("p1", 5000)),
                       stock=(("i", 1), ("i", 2)), goods="returned", money="refunded", counters=((0, 3, 0),)),
             difference="they overwrite the first parcel with the second; we add parcels up"),
        id="mv2-125",
    ),
    # Two variants of one inventory item.
    pytest.param(
        Flow(order=sale(line("v1", 1, 2500), line("v2", 1, 2500), paid=5000),
             steps=(request(v1=1, v2=1), receive(v1=1, v2=1)),
             they=Ending(stock=(("v1", 1),)),
             we=Ending(returns=("received",), amounts=(5000,), refunds=(("p1", 5000),),
                       stock=(("v1", 1), ("v2", 1)), goods="returned", money="refunded"),
             difference="they restock one line for each inventory item and lose the second; we restock both"),
        id="mv2-133",
    ),
    pytest.param(
        Flow(order=TWO_AT_25,
             steps=(request(i=2), receive(i=(0, 2))),
             they=Ending(refused=(2,)),
             we=Ending(returns=("received",), amounts=(5000,), refunds=(("p1", 5000),), stock=(),
                       goods="returned", money="refunded", refused=()),
             difference="they require a location even for damaged units; we do not restock those"),
        id="mv2-136",
    ),
    pytest.param(
        Flow(order=TWO_AT_25,
             steps=(request(i=2), receive(i=2)),
             they=Ending(refused=(2,)),
             we=Ending(returns=("received",), amounts=(5000,), refunds=(("p1", 5000),), stock=(("i", 2),),
                       goods="returned", money="refunded", refused=()),
             difference="they fail without a location; here the host's port chooses it"),
        id="mv2-137",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", FLOWS)
def test_goods_money_and_stock_move_once_and_only_for_received_units(case: Flow) -> None:
    """Statuses, amounts, refunds by payment, stock and the order are as expected after all steps."""
    assert case.answers() == (case.we, case.codes)
    assert case.is_explained


BALANCES = [
    pytest.param(
        Balance(order=sale(line("i", 1, 5000), paid=[payment("p1", 6800, refunded=2000)]),
                 they=("partially_refunded", 4800), we=("partially_refunded", 4800)),
        id="mv2-031",
    ),
    pytest.param(
        Balance(order=sale(line("i", 1, 5000), paid=[payment("p1", 6800)]),
                 they=("captured", 6800), we=("captured", 6800)),
        id="mv2-032",
    ),
    pytest.param(
        Balance(order=sale(line("i", 1, 5000), paid=[payment("p1", 6800, refunded=5000)]),
                 they=("partially_refunded", 1800), we=("partially_refunded", 1800)),
        id="mv2-033",
    ),
    pytest.param(
        Balance(order=sale(line("i", 1, 5000), paid=[payment("p1", 6800, refunded=7000)]),
                 they=("refunded", -200), we=("refunded", 0),
                 difference="they go below 0; here the refundable amount is at least 0"),
        id="mv2-034",
    ),
    pytest.param(
        Balance(order=sale(line("i", 2, 2500, fulfilled=0), paid=6100, shipping=1000),
                 they=("captured", 6100), we=("captured", 6100)),
        id="mv2-077",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", BALANCES)
def test_refunds_made_by_hand_count_in_the_state_of_the_order(case: Balance) -> None:
    """Payment status and refundable amount include refunds made without this library."""
    assert case.answers() == case.we
    assert case.is_explained


@pytest.mark.parametrize(
    ("order", "option", "price", "they", "we", "refund"),
    [
        pytest.param(ONE_AT_50, return_option(1000), 2000, 2000, 2000, 3000, id="mv2-043"),
        pytest.param(ONE_AT_50, return_option(1000, inclusive=True), None, 1000, 1000, 4000, id="mv2-044"),
        # 1000.00 for goods of 50.00: the refund is 0.
        pytest.param(SENT, return_option(100000), None, 100000, 100000, 0, id="mv2-061"),
    ],
)
def test_return_shipping_costs_the_price_of_its_option_or_the_requested_price(
    order: Order, option: ShippingOption, price: int | None, they: int, we: int, refund: int
) -> None:
    """Return shipping reduces the refund, at most to 0."""
    world = World.of(order, options=[option])
    units = order.items[0].quantity
    (opened,) = world.do(request(i=units, shipping_option_id=POST, shipping_price=price))
    method = opened.shipping_method
    assert method is not None
    assert (method.price, method.subtotal, method.total) == (Money(we, "usd"),) * 3
    assert they == we
    assert opened.refund_amount == Money(refund, "usd")


@pytest.mark.parametrize(
    ("they", "we", "difference"),
    [
        pytest.param(2145, 2200, "they subtract the discount with its tax, then add tax", id="mv2-120"),
        pytest.param(2200, 2200, "", id="mv2-121"),
    ],
)
def test_the_value_of_the_last_unit_is_the_rest_of_its_line(they: int, we: int, difference: str) -> None:
    """Half of 44.00 is requested; the other half is the value of the returnable unit."""
    world = World.of(DISCOUNTED)
    (opened,) = world.do(request(i=1))
    (left,) = world.service.returnable_items(ORDER)
    assert opened.refund_amount == Money(4400 - we, "usd")
    assert (left.quantity, left.unit_value) == (1, Money(we, "usd"))
    assert bool(difference) == (they != we)


def test_the_parts_of_a_discounted_and_taxed_unit_add_up_to_it() -> None:
    """mv2-124: 25.00 less 5.00 plus 2.00 tax are 22.00, as in v2 after the first parcel."""
    world = World.of(DISCOUNTED)
    world.do(request(i=2), receive(i=1, allow_mismatch=True))
    assert world.returns[0].breakdown == (
        AmountPart(
            "item:i",
            Money(2200, "usd"),
            (
                AmountPart("price", Money(2500, "usd")),
                AmountPart("discount:1", Money(-500, "usd")),
                AmountPart("tax:10", Money(200, "usd")),
            ),
        ),
    )


def test_a_discount_above_the_price_of_its_line_is_refused() -> None:
    """mv2-011: 10.00 off a line of 8.00 is refused when the line is built."""
    with pytest.raises(InvalidValue) as err:
        line("one", 1, 800, off=[1000])
    assert err.value.code == "invalid_value"


def test_a_request_makes_the_next_version_of_the_order() -> None:
    """mv2-044 and mv2-064: a request with its reason changes the order's version from 1 to 2."""
    world = World.of(ONE_AT_50, options=[return_option(1000, inclusive=True)], reasons=REASONS)
    (opened,) = world.do(request(i=1, shipping_option_id=POST, reason_id="child-1"))
    assert (opened.status, opened.order_version, opened.requested_at is not None) == ("requested", 2, True)
    assert opened.items[0].reason_id == "child-1"
    assert world.service.order_state(ORDER).order_version == 2

    world.do(receive(i=1))
    assert world.service.order_state(ORDER).order_version == 3


def test_a_return_shipment_is_booked_for_its_option_and_its_units_only() -> None:
    """mv2-140 and mv2-142: v2 loses the option, or lists the whole order at full quantity."""
    option = ShippingOption("so_1", Money(1000, "usd"), provider_id="carrier", location_id="L")
    world = World.of(sale(line("i1", 5, 1000), line("i2", 1, 1000), paid=6000), options=[option])
    (opened,) = world.do(request(i1=1, shipping_option_id="so_1"))
    assert opened.shipping_method is not None
    key = f"{FIRST}-shipment-1"
    assert world.fulfillment.shipments == {
        key: ReturnShipmentRequest(
            key=key,
            order_id=ORDER,
            return_id=FIRST,
            shipping_method=opened.shipping_method,
            provider_id="carrier",
            location_id="L",
            lines=(StockLine("i1", "variant", 1),),
        )
    }
    assert opened.shipping_method.option_id == "so_1"


def test_a_receipt_without_a_location_restocks_without_one() -> None:
    """mv2-137: the location of the restock request is None."""
    world = World.of(TWO_AT_25)
    world.do(request(i=2), receive(i=2))
    assert [restock.location_id for restock in world.inventory.restocks.values()] == [None]


def test_returns_of_two_orders_are_independent() -> None:
    """mv2-071: both are open at the same time; one is received and refunded on its own order."""
    payments = InMemoryPayments()
    service = in_memory_service([TWO_AT_25, evolve(TWO_AT_25, id="other")], payments=payments)
    one = service.handle(request(i=2))
    two = service.handle(RequestReturn(order_id="other", items=(RequestedItem(item_id="i", quantity=1),)))
    assert [each.id for each in service.list(ORDER)] == [one.id]
    assert [each.id for each in service.list("other")] == [two.id]

    service.handle(receive(two.id, i=1))
    assert [(each.order_id, each.amount) for each in payments.refunds.values()] == [
        ("other", Money(2500, "usd"))
    ]
    assert service.get(one.id).status == "requested"
    assert service.order_state(ORDER).refundable == Money(5000, "usd")
    assert service.order_state("other").refundable == Money(2500, "usd")
