"""
Scenarios of Medusa v1, with its answers and ours.

They are translated to our terms. A flat tax rate of the order is a tax line of each item here. Units are
fulfilled and orders are paid unless the scenario is about that, because v1 checks neither. Discounts of v1
are net, so on a tax-inclusive line they are given here as the gross amount. A return never changes the
payment status of an order in v1; one scenario covers that, the others leave the status out.
"""

import pytest

from rma import (
    Invalid,
    Money,
    NotAllowed,
    OrderStatus,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    Rejected,
    RequestedItem,
    RequestReturn,
    ReturnReason,
)
from rma.adapters.memory import InMemoryPayments

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
    retry,
    return_option,
    sale,
)

PER_UNIT = "they round the discount of one unit and multiply it; we take a share of the line"
TAX_PER_UNIT = "they round the tax of one unit and multiply it; we take a share of the line"

# 1200 was paid for each `a`, with tax; a flat rate and a tax line are the same for us.
TWO_AT_1000 = sale(line("a", 2, 1000, tax=["20"]))
ONE_AT_8000 = sale(line("a", 1, 8000))
TWO_AT_1200_INCLUSIVE = line("a", 2, 1200, tax=["20"], inclusive=True)
ODD_CENTS = sale(line("a", 2, 4452600, off=[9023], tax=["20"]), line("b", 2, 482200, off=[977], tax=["20"]))
TEN_AND_TEN = sale(line("a", 10, 100, tax=["25"]), line("b", 10, 100, tax=["25"]), line("c", 1, 100))

VALUES = [
    # A flat tax rate of the order: 2 x 1000 + 12.5% = 2250, half of it.
    pytest.param(
        Value(order=sale(line("a", 2, 1000, tax=["12.5"])), command=request(a=1), they=1125, we=1125),
        id="v1t-old-tax",
    ),
    # 1200 less return shipping, 1000 + 12.5% = 1125.
    pytest.param(
        Value(order=TWO_AT_1000, command=request(a=1, shipping_option_id=POST),
              options=(return_option(1000, tax=["12.5"]),),
              they=75, we=75),
        id="v1t-new-tax-ship",
    ),
    # (2000 - 200) + 20% = 2160, half of it.
    pytest.param(
        Value(order=sale(line("a", 2, 1000, off=[200], tax=["20"])), command=request(a=1),
              they=1080, we=1080),
        id="v1t-discount",
    ),
    # Net 8905200 - 9023 = 8896177; tax 1779235.4 -> 1779235; paid 10675412, half of it.
    pytest.param(Value(order=ODD_CENTS, command=request(a=1), they=5337706, we=5337706), id="v1t-precision"),
    pytest.param(
        Value(order=sale(line("a", 2, 1125, tax=["12.5"], inclusive=True)), command=request(a=1),
              they=1125, we=1125),
        id="v1t-ff-old-incl",
    ),
    pytest.param(Value(order=TWO_AT_1000, command=request(a=1), they=1200, we=1200), id="v1t-ff-excl"),
    pytest.param(Value(order=ONE_AT_8000, command=request(a=1), they=8000, we=8000), id="v1t-store-simple"),
    # A discount that does not apply to a line is not one of its adjustments.
    pytest.param(
        Value(order=sale(line("a", 1, 8000), line("b", 1, 1000, off=[100])), command=request(a=1),
              they=8000, we=8000),
        id="v1t-store-nondiscountable",
    ),
    pytest.param(
        Value(order=ONE_AT_8000, command=request(a=1, shipping_option_id=POST),
              options=(return_option(1000),),
              they=7000, we=7000),
        id="v1t-store-ship",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 8000, off=[800])), command=request(a=1), they=7200, we=7200),
        id="v1t-admin-create",
    ),
    # Return shipping, 80 + 25% = 100, uses up the 100.
    pytest.param(
        Value(order=sale(line("a", 10, 10)), command=request(a=10, shipping_option_id=POST),
              options=(return_option(80, tax=["25"]),),
              they=0, we=0),
        id="v1t-u-create-ship",
    ),
    pytest.param(Value(order=TEN_AND_TEN, command=request(b=10), they=1250, we=1250), id="v1t-u-total"),
    # (1000 - 20) + 25%
    pytest.param(
        Value(order=sale(line("a", 10, 100, tax=["25"]), line("b", 10, 100, off=[20], tax=["25"])),
              command=request(b=10),
              they=1225, we=1225),
        id="v1t-u-total-fixed",
    ),
    pytest.param(
        Value(order=sale(line("a", 10, 125, tax=["25"], inclusive=True), line("b", 10, 100, tax=["25"])),
              command=request(b=10),
              they=1250, we=1250),
        id="v1t-u-total-ff",
    ),
    # 20 net off is 25 gross off: 1250 - 25.
    pytest.param(
        Value(order=sale(line("a", 10, 125, off=[25], tax=["25"], inclusive=True)), command=request(a=10),
              they=1225, we=1225),
        id="v1t-u-total-ff-fixed-incl",
    ),
    # (1000 - 100) + 25%
    pytest.param(
        Value(order=sale(line("b", 10, 100, off=[100], tax=["25"])), command=request(b=10),
              they=1125, we=1125),
        id="v1t-u-total-ff-pct",
    ),
    pytest.param(
        Value(order=sale(line("i", 1, 1000, tax=["20"], inclusive=True)), command=request(i=1),
              they=1000, we=1000),
        id="v1t-u-nt-incl",
    ),
    pytest.param(
        Value(order=sale(line("i", 1, 1000, tax=["30"], inclusive=True)), command=request(i=1),
              they=1000, we=1000),
        id="v1t-u-nt-incl-flat",
    ),
    # Paid 2900: a third is 966.67.
    pytest.param(
        Value(order=sale(line("a", 3, 1000, off=[100])), command=request(a=1), they=967, we=967),
        id="v1x-calc-adj100-q3-ret1",
    ),
    # Paid 2900: two thirds are 1933.33.
    pytest.param(
        Value(order=sale(line("a", 3, 1000, off=[100])), command=request(a=2),
              they=1934, we=1933, difference=PER_UNIT),
        id="v1x-calc-adj100-q3-ret2",
    ),
    pytest.param(
        Value(order=sale(line("a", 3, 1000, off=[200])), command=request(a=3),
              they=2799, we=2800, difference=PER_UNIT),
        id="v1x-calc-adj200-q3-ret3",
    ),
    pytest.param(
        Value(order=sale(line("a", 2, 1000, off=[5])), command=request(a=2),
              they=1994, we=1995, difference=PER_UNIT),
        id="v1-adj5-q2-ret2",
    ),
    # 2997 + 225 (224.775) + 75 (74.925) = 3297, a third.
    pytest.param(
        Value(order=sale(line("a", 3, 999, tax=["7.5", "2.5"])), command=request(a=1), they=1099, we=1099),
        id="v1x-calc-two-tax-lines",
    ),
    # A flat rate of 0 replaces the tax line of 20%.
    pytest.param(
        Value(order=sale(line("a", 2, 1000, tax=["0"])), command=request(a=1), they=1000, we=1000),
        id="v1x-calc-legacy-tax-zero",
    ),
    # (999 - 100) + 112 (112.375) = 1011, two thirds.
    pytest.param(
        Value(order=sale(line("a", 3, 333, off=[100], tax=["12.5"])), command=request(a=2),
              they=675, we=674,
              difference="they round discount and tax for the two units; we take a share of the whole line"),
        id="v1x-calc-legacy-tax-round",
    ),
    pytest.param(
        Value(order=sale(TWO_AT_1200_INCLUSIVE), command=request(a=1), they=1200, we=1200),
        id="v1x-calc-incl-20",
    ),
    pytest.param(
        Value(order=sale(line("a", 3, 99, tax=["25"], inclusive=True)), command=request(a=3),
              they=296, we=297, difference=TAX_PER_UNIT),
        id="v1x-calc-incl-99-at-25",
    ),
    pytest.param(
        Value(order=sale(line("a", 7, 199, tax=["19"], inclusive=True)), command=request(a=7),
              they=1391, we=1393, difference=TAX_PER_UNIT),
        id="v1x-calc-incl-199-at-19",
    ),
    # 200 net off is 240 gross off: (2400 - 240) / 2.
    pytest.param(
        Value(order=sale(line("a", 2, 1200, off=[240], tax=["20"], inclusive=True)), command=request(a=1),
              they=1080, we=1080),
        id="v1x-calc-incl-discount",
    ),
    # With the feature switched off the tax was charged on top, so the line is not inclusive.
    pytest.param(
        Value(order=sale(line("a", 2, 1200, tax=["20"])), command=request(a=1), they=1440, we=1440),
        id="v1x-calc-incl-flag-off",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 1000, tax=["10", "5"], inclusive=True)), command=request(a=1),
              they=1001, we=1000,
              difference="they remove several rates together and add each back rounded; we keep the gross"),
        id="v1x-calc-incl-two-rates",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 1000, off=[100, 50])), command=request(a=1),
              they=900, we=850,
              difference="they subtract the first discount only; we subtract every discount of the line"),
        id="v1x-calc-second-discount-ignored",
    ),
    # The discount of 70 was not allowed on this line, so it is not one of its adjustments.
    pytest.param(
        Value(order=sale(line("a", 1, 1000, off=[100])), command=request(a=1), they=900, we=900),
        id="v1x-calc-custom-adjustment",
    ),
    # 1200 - (100 + 13), since 12.5 is rounded up.
    pytest.param(
        Value(order=sale(line("a", 1, 1000, tax=["20"])), command=request(a=1, shipping_option_id=POST),
              options=(return_option(100, tax=["12.5"]),),
              they=1087, we=1087),
        id="v1x-ship-excl",
    ),
    pytest.param(
        Value(order=sale(TWO_AT_1200_INCLUSIVE), command=request(a=1, shipping_option_id=POST),
              options=(return_option(1000, tax=["12.5"], inclusive=True),),
              they=200, we=200),
        id="v1x-ship-incl",
    ),
    # 1000 - (80 + 25%); the option's 500 does not count.
    pytest.param(
        Value(order=sale(line("a", 1, 1000)),
              command=request(a=1, shipping_option_id=POST, shipping_price=80),
              options=(return_option(500, tax=["25"]),),
              they=900, we=900),
        id="v1x-ship-custom-price",
    ),
    # A requested amount is final: return shipping is not deducted from it.
    pytest.param(
        Value(order=sale(line("a", 1, 1000)),
              command=request(a=1, shipping_option_id=POST, refund_amount=700),
              options=(return_option(500, tax=["25"]),),
              they=700, we=700),
        id="v1x-ship-custom-refund",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 5000)), command=request(a=1, shipping_option_id=POST),
              options=(return_option(999, tax=["10", "5"], inclusive=True),),
              they=4001, we=4001),
        id="v1x-ship-multi-rate-incl",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 100)), command=request(a=1, shipping_option_id=POST),
              options=(return_option(500, tax=["25"]),),
              they=-525, we=0,
              difference="they store a negative refund; return shipping is at most the value of the goods"),
        id="v1-shipping-above-goods",
    ),
    # One of the two was returned before, so its half of 2000 is reserved.
    pytest.param(
        Value(order=sale(line("a", 2, 1000, back=1)), command=request(a=1), they=1000, we=1000),
        id="v1x-val-already-returned-rest",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_the_value_of_returned_units_is_their_share_of_the_paid_line(case: Value) -> None:
    """Quote, request and refund are the value with tax after discounts, less return shipping."""
    assert case.answers() == (case.we, case.we, case.we)
    assert case.is_explained


WRONG_SIZE = (
    ReturnReason("wrong_size", "wrong_size", "Wrong size"),
    ReturnReason("too_big", "too_big", "Too big", parent_id="wrong_size"),
)
TWO_PLAIN = sale(line("a", 2, 1000))
ONE_PLAIN = sale(line("a", 1, 1000), paid=1000)
TWO_PAYMENTS = sale(line("a", 1, 1000), paid=[payment("p1", 300), payment("p2", 700)])

REFUSALS = [
    pytest.param(
        Refusal(order=ONE_AT_8000, reasons=WRONG_SIZE, command=request(a=1, reason_id="wrong_size"),
                kind=Invalid, code="return_reason_is_category", item_id="a",
                numbers={"reason_id": "wrong_size"}),
        id="v1t-store-reason-category",
    ),
    pytest.param(
        Refusal(order=TWO_PLAIN, command=request(a=3),
                kind=Invalid, code="quantity_exceeds_returnable", item_id="a",
                numbers={"quantity": 3, "returnable": 2}),
        id="v1x-val-too-many",
    ),
    pytest.param(
        Refusal(order=sale(line("a", 2, 1000, back=1)), command=request(a=2),
                kind=Invalid, code="quantity_exceeds_returnable", item_id="a",
                numbers={"quantity": 2, "returnable": 1}),
        id="v1x-val-already-returned",
    ),
    # The host recorded its own return of one unit after ours was requested: 3 - 1 - 1.
    pytest.param(
        Refusal(order=sale(line("a", 3, 1000)), before=(request(a=1), sale(line("a", 3, 1000, back=1))),
                command=request(a=2),
                kind=Invalid, code="quantity_exceeds_returnable", item_id="a",
                numbers={"quantity": 2, "returnable": 1}),
        id="v1x-val-already-returned-meanwhile",
    ),
    pytest.param(
        Refusal(order=sale(line("a", 2, 1000, fulfilled=0), paid=0), command=request(a=1),
                kind=Invalid, code="quantity_exceeds_returnable", item_id="a",
                numbers={"quantity": 1, "returnable": 0},
                they="requested, 1000",
                difference="they check the ordered quantity; only fulfilled units can be returned"),
        id="v1x-val-unfulfilled-unpaid",
    ),
    pytest.param(
        Refusal(order=TWO_PLAIN, command=request(),
                kind=Invalid, code="no_items",
                they="requested, 0", difference="they open an empty return; we require items"),
        id="v1x-val-empty-items",
    ),
    pytest.param(
        Refusal(order=ONE_PLAIN, command=request(a=1, refund_amount=-5),
                kind=Invalid, code="invalid_refund_amount", numbers={"minimum": 0},
                they="requested, -5", difference="they store it; a refund is at least 0"),
        id="v1x-val-custom-negative",
    ),
    pytest.param(
        Refusal(order=ONE_PLAIN, command=request(a=1, refund_amount=-1),
                kind=Invalid, code="invalid_refund_amount", numbers={"minimum": 0},
                they="requested, 0", difference="they make it 0; we never change an amount silently"),
        id="v1t-r-neg",
    ),
    pytest.param(
        Refusal(order=ONE_PLAIN, command=request(a=1, refund_amount=1500, refund_note="asked"),
                kind=Invalid, code="refund_exceeds_refundable", numbers={"amount": 1500, "refundable": 1000},
                they="requested, 1500",
                difference="they do not check it; we check the limit when an amount is requested"),
        id="v1-custom-above-paid",
    ),
    pytest.param(
        Refusal(order=ONE_PLAIN, command=request(a=0),
                kind=Invalid, code="invalid_quantity", item_id="a", numbers={"quantity": 0, "minimum": 1},
                they="requested, 0",
                difference="they do not check it; we require an integer of at least 1"),
        id="v1-quantity-zero",
    ),
    pytest.param(
        Refusal(order=ONE_PLAIN, options=(return_option(500, is_return=False),),
                command=request(a=1, shipping_option_id=POST),
                kind=Invalid, code="not_a_return_option", numbers={"shipping_option_id": POST},
                they="requested, 500",
                difference="they accept any shipping option; we accept options for returns only"),
        id="v1-outbound-option",
    ),
    # Manual refunds are the requested amount of a return here.
    pytest.param(
        Refusal(order=TWO_PAYMENTS, command=request(a=1, refund_amount=1001, refund_note="asked"),
                kind=Invalid, code="refund_exceeds_refundable", numbers={"amount": 1001, "refundable": 1000}),
        id="v1x-refund-order-over",
    ),
    pytest.param(
        Refusal(order=sale(line("a", 1, 100), paid=[payment("p1", 100, refunded=100)]),
                command=request(a=1, refund_amount=100),
                kind=Invalid, code="refund_exceeds_refundable", numbers={"amount": 100, "refundable": 0}),
        id="v1t-u-refund-over",
    ),
    pytest.param(
        Refusal(order=sale(line("a", 1, 1000), paid=1000, status=OrderStatus.CANCELED),
                command=request(a=1, refund_amount=10),
                kind=NotAllowed, code="order_canceled", numbers={"order_id": ORDER}),
        id="v1x-refund-canceled-order",
    ),
    pytest.param(
        Refusal(order=ONE_PLAIN, before=(request(a=1), receive(a=1)), command=cancel(),
                kind=NotAllowed, code="return_already_received", numbers={"return_id": FIRST}),
        id="v1t-u-cancel-received",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_an_invalid_command_is_refused_with_numbers_and_changes_nothing(case: Refusal) -> None:
    """The error has the item and the numbers; returns, refunds and stock stay the same."""
    assert case.answers() == case.expected
    assert case.is_explained


def test_a_reason_can_be_chosen_although_its_category_is_refused() -> None:
    """v1x-val-reason-category: the category is refused, and its child is accepted."""
    world = World.of(TWO_PLAIN, reasons=WRONG_SIZE)
    with pytest.raises(Invalid) as err:
        world.do(request(a=1, reason_id="wrong_size"))
    assert [violation.code for violation in err.value.violations] == ["return_reason_is_category"]

    (opened,) = world.do(request(a=1, reason_id="too_big"))
    assert (opened.id, opened.refund_amount) == (FIRST, Money(1000, "usd"))
    assert opened.items[0].reason_id == "too_big"


# 2400 was paid for two `a` and 600 for one `b`.
TWO_LINES = sale(line("a", 2, 1000, tax=["20"]), line("b", 1, 500, tax=["20"]), paid=3000)
FOUR_AT_1000 = sale(line("a", 4, 1000), paid=4000)
WITH_GIFT_CARD = [payment("p1", 400), payment("gift", 600, kind="gift_card")]
CANCELED_MEANWHILE = sale(line("a", 1, 1000), paid=1000, status=OrderStatus.CANCELED)

FLOWS = [
    pytest.param(
        Flow(order=TWO_LINES,
             steps=(request(a=1), receive(a=1)),
             they=Ending(returns=("received",), amounts=(1200,), refunds=(("p1", 1200),), stock=(("a", 1),),
                         goods="partially_returned", returnable=(1, 1)),
             we=Ending(returns=("received",), amounts=(1200,), refunds=(("p1", 1200),), stock=(("a", 1),),
                       goods="partially_returned", money="partially_refunded", returnable=(1, 1))),
        id="v1x-recv-partial-order",
    ),
    pytest.param(
        Flow(order=ONE_PLAIN,
             steps=(request(a=1), cancel(), receive(a=1)),
             they=Ending(returns=("canceled",), refunds=(), stock=(), refused=(3,)),
             we=Ending(returns=("requires_action",), amounts=(1000,), refunds=(), stock=(("a", 1),),
                       goods="returned", money="captured", refused=()),
             difference="they refuse what comes for a canceled return; we book it, and a person decides"),
        id="v1t-u-receive-canceled",
    ),
    pytest.param(
        Flow(order=TWO_LINES,
             steps=(request(a=1), receive()),
             they=Ending(returns=("received",), amounts=(1200,), refunds=(("p1", 1200),), stock=(),
                         goods="partially_returned", returnable=(1, 1), refused=()),
             we=Ending(returns=("requires_action",), amounts=(1200,), refunds=(), stock=(), goods="fulfilled",
                       money="captured", returnable=(1, 1), refused=()),
             difference="they pay for goods that were not received; for us it is an empty parcel"),
        id="v1x-recv-empty",
    ),
    pytest.param(
        Flow(order=TWO_LINES,
             steps=(request(a=1), receive(a=1, refund_amount=-50)),
             they=Ending(returns=("received",), amounts=(0,), refunds=(), stock=(("a", 1),),
                         goods="partially_returned", refused=()),
             we=Ending(returns=("requested",), amounts=(1200,), refunds=(), stock=(), goods="fulfilled",
                       money="captured", refused=(2,)),
             codes=("invalid_refund_amount",),
             difference="they make it 0; we never change an amount silently"),
        id="v1x-recv-refund-negative",
    ),
    pytest.param(
        Flow(order=TWO_LINES,
             steps=(request(a=1), receive(a=1), receive(a=1)),
             they=Ending(returns=("received",), refunds=(("p1", 1200),), stock=(("a", 1),), returnable=(1, 1),
                         refused=(3,)),
             we=Ending(returns=("requires_action",), amounts=(1200,), refunds=(("p1", 1200),),
                       stock=(("a", 1), ("a", 1)), goods="partially_returned", money="partially_refunded",
                       returnable=(0, 1), refused=()),
             difference="they refuse the second parcel; we book it, and a person decides"),
        id="v1x-recv-twice",
    ),
    pytest.param(
        Flow(order=TWO_LINES,
             steps=(request(a=1), receive(a=1), cancel()),
             they=Ending(returns=("received",), refunds=(("p1", 1200),), stock=(("a", 1),),
                         goods="partially_returned", refused=(3,)),
             we=Ending(returns=("received",), amounts=(1200,), refunds=(("p1", 1200),), stock=(("a", 1),),
                       goods="partially_returned", money="partially_refunded", refused=(3,)),
             codes=("return_already_received",)),
        id="v1x-cancel-received",
    ),
    pytest.param(
        Flow(order=TWO_LINES,
             steps=(request(a=1), cancel(), cancel()),
             they=Ending(returns=("canceled",), amounts=(1200,), refunds=(), stock=(), goods="fulfilled",
                         returnable=(2, 1), refused=()),
             we=Ending(returns=("canceled",), amounts=(1200,), refunds=(), stock=(), goods="fulfilled",
                       money="captured", returnable=(2, 1), refused=())),
        id="v1x-cancel-twice",
    ),
    pytest.param(
        Flow(order=sale(line("a", 2, 1000, tax=["20"]), paid=2400),
             steps=(request(a=2), request(a=2), receive(FIRST, a=2), receive(SECOND, a=2)),
             they=Ending(returns=("received", "requested"), amounts=(2400, 2400), refunds=(("p1", 2400),),
                         stock=(("a", 2),), goods="returned", returnable=(0,), refused=(4,)),
             we=Ending(returns=("received",), amounts=(2400,), refunds=(("p1", 2400),), stock=(("a", 2),),
                       goods="returned", money="refunded", returnable=(0,), refused=(2, 4)),
             codes=("quantity_exceeds_returnable", "return_not_found"),
             difference="they accept the same units twice; an open return reserves its units"),
        id="v1x-flow-two-pending",
    ),
    pytest.param(
        Flow(order=FOUR_AT_1000,
             steps=(request(a=2), receive(a=1), receive(a=1)),
             they=Ending(returns=("received",), amounts=(2000,), refunds=(), stock=(("a", 1), ("a", 1)),
                         goods="fulfilled", returnable=(1,)),
             we=Ending(returns=("received",), amounts=(2000,), refunds=(("p1", 2000),),
                       stock=(("a", 1), ("a", 1)), goods="partially_returned", money="partially_refunded",
                       returnable=(2,)),
             difference="they count 3 received units instead of 2; our receipts add up and pay"),
        id="v1x-recv-service-mismatch",
    ),
    pytest.param(
        Flow(order=FOUR_AT_1000,
             steps=(request(a=2), receive(a=1), cancel()),
             they=Ending(returns=("canceled",), amounts=(2000,), refunds=(), stock=(("a", 1),),
                         goods="fulfilled", returnable=(2,)),
             we=Ending(returns=("canceled",), amounts=(2000,), refunds=(), stock=(("a", 1), ("a", -1)),
                       goods="fulfilled", money="captured", returnable=(4,)),
             difference="they keep stock and counters; we return received units to the customer"),
        id="v1x-cancel-requires-action",
    ),
    pytest.param(
        Flow(order=TWO_LINES,
             steps=(request(a=1), receive(a=1)),
             they=Ending(returns=("received",), amounts=(1200,), refunds=(), stock=(("a", 1),),
                         goods="fulfilled"),
             we=Ending(returns=("received",), amounts=(1200,), refunds=(("p1", 1200),), stock=(("a", 1),),
                       goods="partially_returned", money="partially_refunded"),
             difference="they pay nothing if received in the same call; our receipts refund what is due"),
        id="v1x-recv-now-no-refund",
    ),
    pytest.param(
        Flow(order=sale(line("a", 1, 8000, off=[800]), paid=10000, shipping=1000),
             steps=(request(a=1), receive(a=1)),
             they=Ending(stock=()),
             we=Ending(returns=("received",), amounts=(7200,), refunds=(("p1", 7200),), stock=(("a", 1),),
                       goods="returned", money="partially_refunded"),
             difference="they skip variants without stock; we leave that to the host's port"),
        id="v1t-receive-now-unmanaged",
    ),
    pytest.param(
        Flow(order=sale(line("a", 1, 1000, variant_id=None), paid=1000),
             steps=(request(a=1), receive(a=1)),
             they=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(),
                         goods="returned"),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(("a", 1),),
                       goods="returned", money="refunded"),
             difference="they skip lines without variant; we restock every sellable unit by its line"),
        id="v1x-recv-custom-line-no-variant",
    ),
    pytest.param(
        Flow(order=ONE_PLAIN,
             steps=(request(a=1), receive(a=1)),
             they=Ending(returns=("received",), refunds=(("p1", 1000),), goods="returned", money="captured"),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(("a", 1),),
                       goods="returned", money="refunded"),
             difference="they never change the payment status; we derive it from the refunds"),
        id="v1x-return-payment-status-stays",
    ),
    # A short receipt is accepted: one of two units was received.
    pytest.param(
        Flow(order=sale(line("a", 2, 1000, tax=["20"]), paid=2400),
             steps=(request(a=2), receive(a=1, allow_mismatch=True)),
             they=Ending(returns=("received",), amounts=(2400,), refunds=(("p1", 2400),), stock=(("a", 1),),
                         returnable=(0,)),
             we=Ending(returns=("received",), amounts=(1200,), refunds=(("p1", 1200),), stock=(("a", 1),),
                       goods="partially_returned", money="partially_refunded", returnable=(1,)),
             difference="they pay for and count units that were not received; we pay for received ones"),
        id="v1t-receive-partial",
    ),
    pytest.param(
        Flow(order=FOUR_AT_1000,
             steps=(request(a=1), receive(a=2, allow_mismatch=True)),
             they=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(("a", 2),),
                         returnable=(3,)),
             we=Ending(returns=("received",), amounts=(2000,), refunds=(("p1", 2000),), stock=(("a", 2),),
                       goods="partially_returned", money="partially_refunded", returnable=(2,)),
             difference="they restock an extra unit and neither count nor pay it; we do both"),
        id="v1-phantom-stock",
    ),
    pytest.param(
        Flow(order=sale(line("a", 10, 100), line("b", 10, 100), paid=2000),
             steps=(request(a=10), receive(a=10, refund_amount=1000)),
             they=Ending(returns=("received",), amounts=(1000,), stock=(("a", 10),),
                         counters=((0, 10, 0), (0, 0, 0))),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(("a", 10),),
                       goods="partially_returned", money="partially_refunded",
                       counters=((0, 10, 0), (0, 0, 0)))),
        id="v1t-u-receive",
    ),
    pytest.param(
        Flow(order=sale(line("a", 10, 10), paid=100),
             steps=(request(a=10), receive(a=10)),
             they=Ending(refunds=(("p1", 100),), goods="returned"),
             we=Ending(returns=("received",), amounts=(100,), refunds=(("p1", 100),), stock=(("a", 10),),
                       goods="returned", money="refunded")),
        id="v1t-u-register",
    ),
    pytest.param(
        Flow(order=sale(line("a", 10, 10), paid=100),
             steps=(request(a=10), receive(a=10, refund_amount=95)),
             they=Ending(refunds=(("p1", 95),)),
             we=Ending(returns=("received",), amounts=(95,), refunds=(("p1", 95),), stock=(("a", 10),),
                       goods="returned", money="partially_refunded")),
        id="v1t-u-register-custom",
    ),
    pytest.param(
        Flow(order=ONE_PLAIN,
             steps=(request(a=1), CANCELED_MEANWHILE, receive(a=1)),
             they=Ending(returns=("requested",), refunds=(), stock=(), refused=(3,)),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(("a", 1),),
                       goods="returned", money="refunded", refused=()),
             difference="they refuse the receipt; we record received goods even if the order is canceled"),
        id="v1t-u-register-canceled",
    ),
    # An authorised payment has a captured amount of 0.
    pytest.param(
        Flow(order=sale(line("a", 1, 2000), paid=[payment("p1", 0), payment("p2", 1000)]),
             steps=(request(a=1, refund_amount=800), receive(a=1)),
             they=Ending(refunds=(("p1", 800),)),
             we=Ending(returns=("received",), amounts=(800,), refunds=(("p2", 800),), stock=(("a", 1),),
                       goods="returned", money="partially_refunded"),
             difference="they refund an uncaptured payment; we refund at most what was captured"),
        id="v1x-pay-uncaptured-first",
    ),
    pytest.param(
        Flow(order=TWO_PAYMENTS,
             steps=(request(a=1, refund_amount=500), receive(a=1)),
             they=Ending(refunds=(("p1", 300), ("p2", 200)), money="partially_refunded"),
             we=Ending(returns=("received",), amounts=(500,), refunds=(("p1", 300), ("p2", 200)),
                       stock=(("a", 1),), goods="returned", money="partially_refunded")),
        id="v1x-refund-order-partial",
    ),
    # 800 were refunded by hand, so 1000 are more than the remaining 200: the whole refund waits.
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=[payment("p1", 1000, refunded=800)]),
             steps=(request(a=1), receive(a=1)),
             they=Ending(returns=("received",), amounts=(1000,), refunds=(), stock=(("a", 1),),
                         goods="requires_action", money="partially_refunded", returnable=(0,)),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(), stock=(("a", 1),),
                       goods="requires_action", money="partially_refunded", returnable=(0,))),
        id="v1x-refund-then-return",
    ),
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=WITH_GIFT_CARD),
             steps=(request(a=1), receive(a=1)),
             they=Ending(returns=("received",), amounts=(1000,), refunds=(), stock=(("a", 1),),
                         goods="requires_action"),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 400), ("gift", 600)),
                       stock=(("a", 1),), goods="returned", money="refunded"),
             difference="they do not count a gift card as a payment; we refund to it what it paid"),
        id="v1x-calc-giftcard-ignored",
    ),
    # A host that does not report the gift card as a payment gets the same result as in v1.
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=400),
             steps=(request(a=1), receive(a=1)),
             they=Ending(returns=("received",), amounts=(1000,), refunds=(), stock=(("a", 1),),
                         goods="requires_action", money="captured"),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(), stock=(("a", 1),),
                       goods="requires_action", money="captured")),
        id="v1x-calc-giftcard-ignored-unreported",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", FLOWS)
def test_goods_money_and_stock_move_once_and_only_for_received_units(case: Flow) -> None:
    """Statuses, amounts, refunds by payment, stock and the order are as expected after all steps."""
    assert case.answers() == (case.we, case.codes)
    assert case.is_explained


ALL_BACK = payment("p1", 300, refunded=300)

BALANCES = [
    pytest.param(
        Balance(order=sale(line("item-1", 1, 1000), paid=[ALL_BACK, payment("p2", 700, refunded=700)]),
                 they=("refunded", 0), we=("refunded", 0)),
        id="v1t-refund-full",
    ),
    pytest.param(
        Balance(order=sale(line("item-1", 1, 1000), paid=[ALL_BACK, payment("p2", 700, refunded=200)]),
                 they=("partially_refunded", 500), we=("partially_refunded", 500)),
        id="v1t-refund-part",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", BALANCES)
def test_refunds_made_by_hand_count_in_the_state_of_the_order(case: Balance) -> None:
    """Payment status and refundable amount include refunds made without this library."""
    assert case.answers() == case.we
    assert case.is_explained


def test_a_mismatch_refunds_nothing_until_it_is_accepted() -> None:
    """v1t-receive-partial, without `allow_mismatch`, which their route implies."""
    world = World.of(sale(line("a", 2, 1000, tax=["20"]), paid=2400))
    _, short = world.do(request(a=2), receive(a=1))
    assert (short.status, short.received_at, world.refunds) == ("requires_action", None, ())
    assert world.stock == (("a", 1),)

    (accepted,) = world.do(receive(allow_mismatch=True))
    assert (accepted.status, accepted.refund_amount) == ("received", Money(1200, "usd"))
    assert (world.refunds, world.stock) == ((("p1", 1200),), (("a", 1),))


def test_the_location_of_a_receipt_overrides_that_of_the_return() -> None:
    """v1x-location-override: expected at one location, received at another."""
    world = World.of(TWO_PLAIN)
    opened, closed = world.do(request(a=1, location_id="loc1"), receive(a=1, location_id="loc2"))
    assert (opened.location_id, closed.location_id) == ("loc1", "loc2")
    assert [restock.location_id for restock in world.inventory.restocks.values()] == ["loc2"]
    assert world.inventory.on_hand == {("loc2", "a"): 1}


def test_return_shipping_is_booked_and_does_not_reduce_a_requested_amount() -> None:
    """v1t-r-fulfil: 100 are requested, return shipping costs 12, and it is booked automatically."""
    world = World.of(sale(line("a", 1, 1000)), options=[return_option(500)])
    (opened,) = world.do(request(a=1, shipping_option_id=POST, shipping_price=12, refund_amount=100))
    assert opened.refund_amount == Money(100, "usd")
    assert opened.shipping_method is not None
    assert opened.shipping_method.total == Money(12, "usd")
    assert opened.shipping_data == {"shipment": f"{FIRST}-shipment-1"}
    assert list(world.fulfillment.shipments) == [f"{FIRST}-shipment-1"]


def test_a_return_keeps_reason_note_and_no_notification() -> None:
    """v1t-admin-create and v1t-r-neg: reason and note of the request, and `no_notification` of the order."""
    world = World.of(
        sale(line("a", 1, 8000, off=[800]), no_notification=True),
        reasons=[ReturnReason("too_big", "too_big", "Too big")],
    )
    item = RequestedItem(item_id="a", quantity=1, reason_id="too_big", note="TOO SMALL")
    (opened,) = world.do(RequestReturn(order_id=ORDER, items=(item,)))
    assert (opened.items[0].reason_id, opened.items[0].note) == ("too_big", "TOO SMALL")
    assert opened.no_notification is True


def test_a_blocked_refund_is_paid_later_as_far_as_the_payments_reach() -> None:
    """v1x-refund-then-return, which v1 cannot finish: the whole is refused with its limit, a part is paid."""
    world = World.of(sale(line("a", 1, 1000), paid=[payment("p1", 1000, refunded=800)]))
    _, blocked = world.do(request(a=1), receive(a=1))
    assert blocked.amount_due == Money(1000, "usd")

    with pytest.raises(Rejected) as err:
        world.do(retry())
    assert [(each.code, dict(each.numbers)) for each in err.value.violations] == [
        ("refund_exceeds_refundable", {"amount": 1000, "refundable": 200, "currency": "usd"})
    ]

    (paid,) = world.do(retry(200))
    assert (paid.amount_due, world.refunds) == (Money(800, "usd"), (("p1", 200),))
    state = world.service.order_state(ORDER)
    assert (state.fulfillment_status, state.payment_status) == ("requires_action", "refunded")


def test_only_a_declined_refund_is_retried() -> None:
    """
    v1t-u-pay-error, where v1 raises an error and loses the refund of the first payment.

    600 are due on payments of 300 and 700: the first refunds 300, the second declines 300.
    """
    declining = [RefundDeclined("card_expired")]

    def answer(request: RefundRequest) -> RefundOutcome:
        return declining.pop() if request.payment_id == "p2" and declining else RefundSucceeded()

    world = World.of(TWO_PAYMENTS, payments=InMemoryPayments(answer))
    _, received = world.do(request(a=1), receive(a=1, refund_amount=600))
    assert received.status == "received"
    assert [(each.payment_id, each.status) for each in received.refunds] == [
        ("p1", RefundStatus.SUCCEEDED),
        ("p2", RefundStatus.FAILED),
    ]
    assert received.amount_due == Money(300, "usd")

    (paid,) = world.do(retry())
    assert (paid.amount_due, paid.refunds[2].retry_of) == (Money(0, "usd"), f"{FIRST}-refund-2")
    assert world.refunds == (("p1", 300), ("p2", 300), ("p2", 300))
    assert world.service.order_state(ORDER).refundable == Money(400, "usd")


def test_a_request_that_is_repeated_with_its_key_books_nothing() -> None:
    """v1x-fulfill-twice: v1 refuses a second booking; here a repeat returns the same answer."""
    world = World.of(TWO_PLAIN, options=[return_option(0)])
    once = request(a=1, shipping_option_id=POST, idempotency_key="mine")
    first, again = world.do(once, once)
    assert (first.id, again.id, again.status) == (FIRST, FIRST, "requested")
    assert len(world.returns) == len(world.fulfillment.shipments) == 1
