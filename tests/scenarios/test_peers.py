"""
Scenarios of Solidus, Sylius, Saleor, Vendure, Spree, Odoo, Shopify and of issues that their users reported.

Amounts are in minor units. If a peer refunds money without goods, that amount is requested on a return here.
"""

from decimal import Decimal

import pytest

from rma import (
    Adjustment,
    AmountPart,
    Fee,
    Invalid,
    InvalidValue,
    LineItem,
    Money,
    Order,
    Payment,
    ReturnPolicy,
    TaxLine,
)

from .scenario import Ending, Flow, Refusal, Value
from .world import (
    FIRST,
    ORDER,
    POST,
    SECOND,
    THIRD,
    World,
    line,
    payment,
    receive,
    request,
    retry,
    return_option,
    sale,
)

THREE_AT_100 = sale(line("a", 3, 10000))
THREE_AT_100_DISCOUNTED = sale(line("a", 3, 10000), off=[1000], paid=29000)
# 12.30 and 24.60 with 23% tax.
SALEOR = sale(line("a", 3, 1000, tax=["23"]), line("b", 2, 2000, tax=["23"]), paid=9840, shipping=1230)
SHIRT = sale(line("a", 1, 1000, tax=["23"]), paid=[payment("p1", 1230, refunded=500)])

NO_SHIPPING = "they refund outbound shipping; we refund items"

VALUES = [
    pytest.param(Value(order=THREE_AT_100, command=request(a=1), they=10000, we=10000), id="SOL-01"),
    # A third of 290.00.
    pytest.param(
        Value(order=THREE_AT_100_DISCOUNTED, command=request(a=1),
              they=Decimal("9666.666666666666667"), we=9667,
              difference="they keep fractions of a cent; our amounts are integers of minor units"),
        id="SOL-02",
    ),
    # The discount of 50.00 on the shipment is part of the price of shipping.
    pytest.param(
        Value(order=sale(line("a", 3, 10000), shipping=5000), command=request(a=1), they=10000, we=10000),
        id="SOL-03",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 500)), command=request(a=1, refund_amount=100), they=100, we=100),
        id="SOL-16",
    ),
    pytest.param(
        Value(order=sale(line("a", 2, 1000, off=[200])), command=request(a=1), they=900, we=900),
        id="SYL-06",
    ),
    pytest.param(
        Value(order=sale(line("a", 2, 1000), line("b", 3, 10000)), command=request(a=1, b=1),
              they=11000, we=11000),
        id="SYL-09",
    ),
    pytest.param(
        Value(order=sale(line("a", 2, 1000), shipping=2000), command=request(a=1),
              they=3000, we=1000, difference=NO_SHIPPING),
        id="SYL-12",
    ),
    # 4000 - 399 = 3601, 10% of it 360.1: 3961 for the shirts, and 575 for shipping.
    pytest.param(
        Value(order=sale(line("a", 4, 1000, tax=["10"]), off=[399], shipping=500), command=request(a=4),
              they=4536, we=3961, difference=NO_SHIPPING),
        id="SYL-22",
    ),
    # 2 x 12.30 + 2 x 24.60
    pytest.param(Value(order=SALEOR, command=request(a=2, b=2), they=7380, we=7380), id="SAL-01"),
    pytest.param(
        Value(order=SALEOR, command=request(a=2, b=2), they=8610, we=7380, difference=NO_SHIPPING),
        id="SAL-02",
    ),
    pytest.param(
        Value(order=SALEOR, command=request(a=2, b=2, refund_amount=1000), they=1000, we=1000),
        id="SAL-03",
    ),
    pytest.param(
        Value(order=SALEOR, command=request(a=2, b=2, refund_amount=1100), they=1100, we=1100),
        id="SAL-04",
    ),
    pytest.param(
        Value(order=sale(line("a", 10, 100, tax=["25"])), command=request(a=10), they=1250, we=1250),
        id="MV1-01",
    ),
    # 1000 less 150 + 38, since 37.5 is rounded up.
    pytest.param(
        Value(order=sale(line("a", 1, 1000)), command=request(a=1, shipping_option_id=POST),
              options=(return_option(150, tax=["25"]),),
              they=Decimal("812.5"), we=812,
              difference="they keep half a cent of tax; we round tax half up to minor units"),
        id="MV1-07",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 5099)),
              policy=ReturnPolicy(fees=(Fee("restocking", amount=Money(500, "usd")),)), command=request(a=1),
              they=4599, we=4599),
        id="SHO-01",
    ),
    # A fee is at most the remaining amount.
    pytest.param(
        Value(order=sale(line("a", 1, 5099)),
              policy=ReturnPolicy(fees=(Fee("restocking", amount=Money(6000, "usd")),)), command=request(a=1),
              they=0, we=0),
        id="SHO-02",
    ),
    # Two thirds of 270.00.
    pytest.param(
        Value(order=sale(line("a", 3, 10000), off=[3000]), command=request(a=2), they=18000, we=18000),
        id="ISS-03",
    ),
    # The discount stays even if the remaining unit no longer qualifies for the coupon: five sixths of 270.00.
    pytest.param(
        Value(order=sale(line("a", 6, 5000), off=[3000]), command=request(a=5), they=22500, we=22500),
        id="ISS-04",
    ),
    # Two fifths of 24.75.
    pytest.param(
        Value(order=sale(line("a", 5, 550), off=[275], shipping=50, paid=2525), command=request(a=2),
              they=990, we=990),
        id="ISS-08",
    ),
    pytest.param(
        Value(order=sale(line("a", 1, 3999, tax=["7"])), command=request(a=1, refund_amount=2000),
              they=2140, we=2000,
              difference="they add tax to a part of the price; a requested amount is final"),
        id="ISS-10",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_the_value_of_returned_units_is_what_was_paid_for_them(case: Value) -> None:
    """Quote, request and refund are the value with tax after discounts, less the deductions."""
    assert case.answers() == (case.we, case.we, case.we)
    assert case.is_explained


IN_RUPEES = Order(
    id=ORDER,
    currency="inr",
    items=(LineItem(id="a", quantity=1, unit_price=Money(9863300, "inr"), fulfilled_quantity=1),),
    payments=(Payment("p1", captured=Money(9863300, "inr")),),
)

REFUSALS = [
    pytest.param(
        Refusal(order=SHIRT, command=request(a=1, refund_amount=1000),
                kind=Invalid, code="refund_exceeds_refundable", numbers={"amount": 1000, "refundable": 730}),
        id="SYL-04",
    ),
    pytest.param(
        Refusal(order=sale(line("a", 2, 1000)), command=request(), kind=Invalid, code="no_items"),
        id="SYL-28",
    ),
    pytest.param(
        Refusal(order=SALEOR, command=request(a=1, refund_amount=100000, refund_note="asked"),
                kind=Invalid, code="refund_exceeds_refundable",
                numbers={"amount": 100000, "refundable": 9840}),
        id="SAL-05",
    ),
    pytest.param(
        Refusal(order=sale(line("a", 1, 1000), paid=123), command=request(a=1, refund_amount=223),
                kind=Invalid, code="refund_exceeds_refundable", numbers={"amount": 223, "refundable": 123}),
        id="SAL-08",
    ),
    pytest.param(
        Refusal(order=sale(line("a", 1, 1000), paid=[payment("card", 1000, kind="gift_card")]),
                command=request(a=1, refund_amount=2000, refund_note="asked"),
                kind=Invalid, code="refund_exceeds_refundable", numbers={"amount": 2000, "refundable": 1000}),
        id="SAL-15",
    ),
    pytest.param(
        Refusal(order=THREE_AT_100, command=request(other=1),
                kind=Invalid, code="item_not_found", item_id="other", numbers={"order_id": ORDER}),
        id="MV1-06",
    ),
    # The maximum is in the error.
    pytest.param(
        Refusal(order=sale(line("a", 1, 1500), paid=1500),
                command=request(a=1, refund_amount=999999, refund_note="asked"),
                kind=Invalid, code="refund_exceeds_refundable",
                numbers={"amount": 999999, "refundable": 1500}),
        id="VEN-01",
    ),
    # Authorised, not captured.
    pytest.param(
        Refusal(order=sale(line("a", 1, 1500), paid=0), command=request(a=1, refund_amount=1500),
                kind=Invalid, code="refund_exceeds_refundable", numbers={"amount": 1500, "refundable": 0}),
        id="VEN-06",
    ),
    pytest.param(
        Refusal(order=IN_RUPEES, command=request(a=1, refund_amount=Money(100000, "gbp")),
                kind=Invalid, code="currency_mismatch", numbers={"currency": "gbp", "order_currency": "inr"},
                they="refunded the number as rupees",
                difference="they drop the currency; we never mix two currencies"),
        id="ISS-09",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_an_invalid_command_is_refused_with_numbers_and_changes_nothing(case: Refusal) -> None:
    """The error has the item and the numbers; returns, refunds and stock stay the same."""
    assert case.answers() == case.expected
    assert case.is_explained


ONE_BY_ONE = tuple(
    step for return_id in (FIRST, SECOND, THIRD) for step in (request(a=1), receive(return_id, a=1))
)

FLOWS = [
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=[payment("card", 500), payment("check", 500, kind="check")]),
             steps=(request(a=1), receive(a=1)),
             they=Ending(refunds=(("card", 500), ("check", 500))),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("card", 500), ("check", 500)),
                       stock=(("a", 1),), goods="returned", money="refunded")),
        id="SOL-11",
    ),
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=1000),
             steps=(request(a=1), receive(a=1)),
             they=Ending(stock=(("a", 1),)),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(("a", 1),),
                       goods="returned", money="refunded")),
        id="SOL-20",
    ),
    pytest.param(
        Flow(order=SHIRT,
             steps=(request(a=1, refund_amount=730), receive(a=1)),
             they=Ending(refunds=(("p1", 730),)),
             we=Ending(returns=("received",), amounts=(730,), refunds=(("p1", 730),), stock=(("a", 1),),
                       goods="returned", money="refunded")),
        id="SYL-02",
    ),
    pytest.param(
        Flow(order=sale(line("a", 3, 1000), paid=4000, shipping=1000),
             steps=(request(a=3), receive(a=3)),
             they=Ending(refunds=(("p1", 4000),), money="refunded"),
             we=Ending(returns=("received",), amounts=(3000,), refunds=(("p1", 3000),), stock=(("a", 3),),
                       goods="returned", money="partially_refunded"),
             difference=NO_SHIPPING),
        id="SYL-25",
    ),
    # One of two units was refunded without goods; both are received, and a clerk retries the remaining 10.00.
    pytest.param(
        Flow(order=sale(line("a", 2, 1000), paid=[payment("p1", 2000, refunded=1000)]),
             steps=(request(a=2), receive(a=2), retry(1000)),
             they=Ending(amounts=(1000,), refunds=(("p1", 1000),)),
             we=Ending(returns=("received",), amounts=(2000,), refunds=(("p1", 1000),), stock=(("a", 2),),
                       goods="requires_action", money="refunded"),
             difference="they know which unit was refunded; we never reduce an amount silently"),
        id="SAL-06",
    ),
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=123),
             steps=(request(a=1), receive(a=1)),
             they=Ending(amounts=(123,), refunds=(("p1", 123),)),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(), stock=(("a", 1),),
                       goods="requires_action", money="captured"),
             difference="they reduce it to the captured amount; here a clerk decides"),
        id="SAL-07",
    ),
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=[payment("card", 1000, kind="gift_card")]),
             steps=(request(a=1, refund_amount=100), receive(a=1)),
             they=Ending(refunds=(("card", 100),), money="partially_refunded"),
             we=Ending(returns=("received",), amounts=(100,), refunds=(("card", 100),), stock=(("a", 1),),
                       goods="returned", money="partially_refunded")),
        id="SAL-14",
    ),
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=1000),
             steps=(request(a=1), receive(a=(0, 1))),
             they=Ending(counters=((0, 1, 0),), stock=()),
             we=Ending(returns=("received",), amounts=(1000,), refunds=(("p1", 1000),), stock=(),
                       goods="returned", money="refunded", counters=((0, 0, 1),)),
             difference="they count a damaged unit as received; we count them separately"),
        id="SPR-05",
    ),
    pytest.param(
        Flow(order=sale(line("a", 10, 1000), paid=10000),
             steps=(request(a=10), receive(a=10)),
             they=Ending(stock=()),
             we=Ending(returns=("received",), amounts=(10000,), refunds=(("p1", 10000),), stock=(("a", 10),),
                       goods="returned", money="refunded"),
             difference="they set it aside until a decision; we restock sellable units at once"),
        id="OCA-08",
    ),
    pytest.param(
        Flow(order=sale(line("a", 2, 1500), paid=[payment("p1", 1000), payment("p2", 2000)]),
             steps=(request(a=1), receive(a=1)),
             they=Ending(refunds=(("p1", 1000), ("p2", 500))),
             we=Ending(returns=("received",), amounts=(1500,), refunds=(("p1", 1000), ("p2", 500)),
                       stock=(("a", 1),), goods="partially_returned", money="partially_refunded")),
        id="VEN-03",
    ),
    # 29000 / 3 = 9666.67, then 19333 / 2 = 9666.5, then the rest.
    pytest.param(
        Flow(order=THREE_AT_100_DISCOUNTED,
             steps=ONE_BY_ONE,
             they=Ending(amounts=(9666, 9666, 9666)),
             we=Ending(returns=("received", "received", "received"), amounts=(9667, 9667, 9666),
                       refunds=(("p1", 9667), ("p1", 9667), ("p1", 9666)),
                       stock=(("a", 1), ("a", 1), ("a", 1)), goods="returned", money="refunded"),
             difference="they round each unit down and keep two cents; our shares add up"),
        id="DER-01",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", FLOWS)
def test_goods_money_and_stock_move_once_and_only_for_received_units(case: Flow) -> None:
    """Statuses, amounts, refunds by payment, stock and the order are as expected after all steps."""
    assert case.answers() == (case.we, case.codes)
    assert case.is_explained


def test_an_amount_finer_than_the_currency_is_refused() -> None:
    """SOL-06: 10.003 is refused; Solidus truncates two of them to 20.00."""
    with pytest.raises(InvalidValue) as err:
        Money.from_major("10.003", "usd")
    assert err.value.code == "invalid_value"


def test_a_received_unit_cannot_be_returned_again() -> None:
    """SYL-09: after one of 2 and one of 3, 1 and 2 are returnable."""
    world = World.of(sale(line("a", 2, 1000), line("b", 3, 10000)))
    world.do(request(a=1, b=1), receive(a=1, b=1))
    assert [each.quantity for each in world.service.returnable_items(ORDER)] == [1, 2]
    with pytest.raises(Invalid) as err:
        world.do(request(a=2, b=3))
    assert [(each.code, each.item_id, dict(each.numbers)) for each in err.value.violations] == [
        ("quantity_exceeds_returnable", "a", {"quantity": 2, "returnable": 1}),
        ("quantity_exceeds_returnable", "b", {"quantity": 3, "returnable": 2}),
    ]


def test_a_requested_price_replaces_that_of_the_option() -> None:
    """MV2-03: return shipping costs 1002 instead of the option's 1000."""
    world = World.of(sale(line("a", 1, 5000)), options=[return_option(1000)])
    (opened,) = world.do(request(a=1, shipping_option_id=POST, shipping_price=1002))
    method = opened.shipping_method
    assert method is not None
    assert (method.price, method.subtotal, method.total) == (Money(1002, "usd"),) * 3
    assert opened.refund_amount == Money(5000 - 1002, "usd")


def test_a_discount_of_the_whole_order_is_a_part_of_each_line() -> None:
    """SYL-22: 40.00 less 3.99 plus 3.60 tax, as in the credit memo of Sylius."""
    shirts = Order(
        id=ORDER,
        currency="usd",
        items=(
            LineItem(
                id="a",
                quantity=4,
                unit_price=Money(1000, "usd"),
                fulfilled_quantity=4,
                tax_lines=(TaxLine(Decimal(10), name="VAT"),),
            ),
        ),
        payments=(payment("p1", 4536),),
        adjustments=(Adjustment(Money(399, "usd"), code="PROMO"),),
    )
    quote = World.of(shirts).service.quote(request(a=4))
    assert quote.breakdown == (
        AmountPart(
            "item:a",
            Money(3961, "usd"),
            (
                AmountPart("price", Money(4000, "usd")),
                AmountPart("discount:PROMO", Money(-399, "usd")),
                AmountPart("tax:VAT", Money(360, "usd")),
            ),
        ),
    )


def test_included_tax_is_split_without_losing_a_cent() -> None:
    """
    DER-02: 12.30 with 2.30 tax included, refunded in parts: three units of 4.10.

    They truncate the parts of the tax to 0.76; ours are 76.67 -> 77, 153 / 2 = 76.5 -> 77, and the rest, 76.
    """
    world = World.of(sale(line("a", 3, 410, tax=["23"], inclusive=True), paid=1230))
    for return_id in (FIRST, SECOND, THIRD):
        world.do(request(a=1), receive(return_id, a=1))
    parts = [[(part.name, part.amount.amount) for part in each.breakdown[0].parts] for each in world.returns]
    assert parts == [
        [("price", 333), ("tax:23", 77)],
        [("price", 333), ("tax:23", 77)],
        [("price", 334), ("tax:23", 76)],
    ]
    assert world.refunds == (("p1", 410),) * 3
