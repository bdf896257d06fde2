"""
Situations that users of other systems reported to their trackers, and orders from their test data.

Each has an id, the product and number of the tracker, and what is right. Amounts are in minor units.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from rma import (
    Adjustment,
    Claim,
    ClaimItem,
    CorrectedItem,
    CorrectReceipt,
    Exchange,
    Idempotent,
    LineItem,
    MissingItem,
    Money,
    NewItem,
    NotAllowed,
    Order,
    OrderStatus,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordExchangePayment,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundSucceeded,
    Rejected,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    RestockRequest,
    Return,
    ReturnPolicy,
    TaxLine,
)
from rma.adapters.memory import InMemoryInventory, InMemoryPayments, in_memory_service
from rma.domain.values.money import allocate
from rma.testing.core_harness import START

from .scenario import Ending, Flow
from .world import (
    FIRST,
    ORDER,
    POST,
    SECOND,
    Action,
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


def resolve(return_id: str = FIRST, *, refund_amount: int | None = None) -> ResolveReturn:
    """Closes a return, with an amount if one is given."""
    return ResolveReturn(return_id=return_id, refund_amount=refund_amount)


def request_units(units: dict[str, int]) -> RequestReturn:
    """Requests units, by line."""
    items = [RequestedItem(item_id=item_id, quantity=quantity) for item_id, quantity in units.items()]
    return RequestReturn(order_id=ORDER, items=items)


def receive_units(return_id: str, units: dict[str, int]) -> ReceiveReturn:
    """Receives units, by line, all sellable."""
    items = [ReceivedItem(item_id=item_id, quantity=quantity) for item_id, quantity in units.items()]
    return ReceiveReturn(return_id=return_id, items=items)


def bring_back(return_id: str = FIRST, **units: int) -> tuple[Action, Action]:
    """Requests units, and receives exactly these."""
    return request_units(units), receive_units(return_id, units)


def each_comes_back(*parcels: dict[str, int]) -> tuple[Action, ...]:
    """Each parcel requested and received as a return of its own."""
    return tuple(
        step for number, units in enumerate(parcels, start=1) for step in bring_back(f"ret_{number}", **units)
    )


def parts_of(opened: Return) -> dict[str, int]:
    """The parts of its amount."""
    return {part.name: part.amount.amount for part in opened.breakdown}


ONE_AT_50 = sale(line("a", 1, 5000), paid=5000)
TWO_AT_50 = sale(line("a", 2, 5000), paid=[payment("p1", 5000), payment("p2", 5000)])
TWO_PROMOTED = sale(
    line("a", 2, 1000, off=[300]), paid=[payment("p2", 1000, refunded=300), payment("p1", 1000)]
)
TEN_AT_150 = sale(line("a", 10, 15000), paid=150000)
TEN_AT_100_CREDITED = sale(line("a", 10, 10000), paid=[payment("p1", 150000, refunded=50000)])

# woocommerce/woocommerce-ios, order 560 of its test data
SHOP_560 = sale(
    line("58", 3, 1620), line("59", 10, 3150), line("60", 2, 1800), line("61", 3, 3150), line("62", 2, 1800),
    line("63", 4, 3150), line("64", 2, 3150), line("65", 7, 2700),
    paid=[payment("stripe", 119850)],
)  # fmt: skip
# woocommerce/woocommerce-ios, order 324 of its test data: 54.25 of it is shipping
SHOP_324 = sale(
    line("38", 1, 1350), line("39", 2, 1350), line("40", 3, 1080), line("41", 4, 1350), line("42", 5, 810),
    line("43", 6, 810), line("44", 7, 180), line("45", 8, 270),
    paid=[payment("stripe", 30445)], shipping=5425,
)  # fmt: skip

FLOWS = [
    # vendurehq/vendure#4728, #4917: a second unit is added with a payment of its own.
    pytest.param(
        Flow(order=ONE_AT_50,
             steps=(TWO_AT_50, *bring_back(a=2)),
             they=Ending(),
             we=Ending(returns=("received",), amounts=(10000,), refunds=(("p1", 5000), ("p2", 5000)),
                       stock=(("a", 2),), goods="returned", money="refunded")),
        id="A-01",
    ),
    # The same with a return that was canceled before the edit.
    pytest.param(
        Flow(order=ONE_AT_50,
             steps=(request(a=1), cancel(), TWO_AT_50, *bring_back(SECOND, a=2)),
             they=Ending(),
             we=Ending(returns=("canceled", "received"), amounts=(5000, 10000),
                       refunds=(("p1", 5000), ("p2", 5000)), stock=(("a", 2),),
                       goods="returned", money="refunded")),
        id="A-02",
    ),
    # The same with one unit returned before the edit.
    pytest.param(
        Flow(order=ONE_AT_50,
             steps=(*bring_back(a=1), TWO_AT_50, *bring_back(SECOND, a=1)),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(5000, 5000),
                       refunds=(("p1", 5000), ("p2", 5000)), stock=(("a", 1), ("a", 1)),
                       goods="returned", money="refunded", returnable=(0,))),
        id="A-03",
    ),
    # vendurehq/vendure#1753: one unit is added, then 3.00 of promotion are refunded without this library.
    # 2 x 10.00 less 3.00 are 8.50 each: 7.00 are left of the first payment, the rest is of the other one.
    pytest.param(
        Flow(order=sale(line("a", 1, 1000), paid=1000),
             steps=(sale(line("a", 2, 1000), paid=[payment("p2", 1000), payment("p1", 1000)]), TWO_PROMOTED,
                    *bring_back(a=1), *bring_back(SECOND, a=1)),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(850, 850),
                       refunds=(("p2", 700), ("p1", 150), ("p1", 850)), stock=(("a", 1), ("a", 1)),
                       goods="returned", money="refunded")),
        id="A-04",
    ),
    # spree/spree#14678: 2 of 3 arrive, and the amount on the form is still that of all 3.
    pytest.param(
        Flow(order=sale(line("a", 3, 8999), paid=26997),
             steps=(request(a=3), receive(a=2, refund_amount=26997)),
             they=Ending(),
             we=Ending(returns=("requires_action",), amounts=(26997,), refunds=(), stock=(("a", 2),),
                       goods="partially_returned", money="captured", entitled_amount=0)),
        id="A-17-received",
    ),
    # Accepted without another word, it pays for the two that arrived.
    pytest.param(
        Flow(order=sale(line("a", 3, 8999), paid=26997),
             steps=(request(a=3), receive(a=2, refund_amount=26997), resolve(), *bring_back(SECOND, a=1)),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(17998, 8999),
                       refunds=(("p1", 17998), ("p1", 8999)), stock=(("a", 2), ("a", 1)),
                       goods="returned", money="refunded")),
        id="A-17",
    ),
    # medusajs/medusa#14984: returned before the capture, which then is for the unit that is kept.
    pytest.param(
        Flow(order=sale(line("a", 2, 1000), paid=0),
             steps=(*bring_back(a=1), resolve(refund_amount=0), sale(line("a", 2, 1000), paid=1000), retry()),
             codes=("nothing_due",),
             they=Ending(),
             we=Ending(returns=("received",), amounts=(0,), refunds=(), stock=(("a", 1),),
                       goods="partially_returned", money="captured", entitled_amount=0, refused=(5,))),
        id="A-26",
    ),
    # vendurehq/vendure#1795, #3098: 50.00 off A and B, A comes back, then C is added; all comes back.
    pytest.param(
        Flow(order=sale(line("A", 1, 10000), line("B", 1, 10000), off=[5000], paid=15000),
             steps=(*bring_back(A=1),
                    sale(line("A", 1, 10000), line("B", 1, 10000), line("C", 1, 10000), off=[5000],
                         paid=[payment("p1", 15000), payment("p2", 10000)]),
                    *bring_back(SECOND, B=1, C=1)),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(7500, 17500),
                       refunds=(("p1", 7500), ("p1", 7500), ("p2", 10000)),
                       stock=(("A", 1), ("B", 1), ("C", 1)), goods="returned", money="refunded")),
        id="A-27",
    ),
    # woocommerce/woocommerce#64668: 10 x 23.90 with 20% included, 25% off: 179.25. Three are 53.775, one of
    # the other seven is 17.924, and the last six are the rest.
    pytest.param(
        Flow(order=sale(line("a", 10, 2390, off=[5975], tax=["20"], inclusive=True), paid=17925),
             steps=each_comes_back({"a": 3}, {"a": 1}, {"a": 6}),
             they=Ending(),
             we=Ending(returns=("received",) * 3, amounts=(5378, 1792, 10755),
                       refunds=(("p1", 5378), ("p1", 1792), ("p1", 10755)),
                       stock=(("a", 3), ("a", 1), ("a", 6)), goods="returned", money="refunded")),
        id="RB-01",
    ),
    # magento/magento2#33237: a coupon over everything, so that no payment exists and none is asked.
    pytest.param(
        Flow(order=sale(line("a", 2, 10400, off=[20800], tax=["7"]), paid=[]),
             steps=each_comes_back({"a": 1}, {"a": 1}),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(0, 0), refunds=(),
                       stock=(("a", 1), ("a", 1)), goods="returned", money="not_paid", entitled_amount=0)),
        id="RB-03",
    ),
    # PrestaShop/PrestaShop#18319: 20% off the cart are 42.00, 30.00 of the first line and 12.00 of the other.
    pytest.param(
        Flow(order=sale(line("a", 1, 15000), line("b", 1, 6000), off=[4200], paid=16800),
             steps=each_comes_back({"a": 1}, {"b": 1}),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(12000, 4800),
                       refunds=(("p1", 12000), ("p1", 4800)), stock=(("a", 1), ("b", 1)),
                       goods="returned", money="refunded")),
        id="RB-05",
    ),
    # frappe/erpnext#55860: 50.00 of each unit are credited by the host, which lowers the price. A return that
    # was canceled before does not keep the higher one.
    pytest.param(
        Flow(order=TEN_AT_150,
             steps=(request(a=1), cancel(), TEN_AT_100_CREDITED, *bring_back(SECOND, a=4)),
             they=Ending(),
             we=Ending(returns=("canceled", "received"), amounts=(15000, 40000), refunds=(("p1", 40000),),
                       stock=(("a", 4),), goods="partially_returned", money="partially_refunded")),
        id="RB-09",
    ),
    # frappe/erpnext#12222: a box of ten for 99.95; the host counts pieces.
    pytest.param(
        Flow(order=sale(line("piece", 10, 1000, off=[5]), paid=9995),
             steps=each_comes_back({"piece": 4}, {"piece": 6}),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(3998, 5997),
                       refunds=(("p1", 3998), ("p1", 5997)), stock=(("piece", 4), ("piece", 6)),
                       goods="returned", money="refunded")),
        id="RB-11",
    ),
    # Adyen/adyen-commercetools#975: each line was captured by itself; no refund is above its capture.
    pytest.param(
        Flow(order=sale(line("a", 1, 5499), line("b", 1, 2000),
                        paid=[payment("c1", 5499), payment("c2", 2000)]),
             steps=each_comes_back({"b": 1}, {"a": 1}),
             they=Ending(),
             we=Ending(returns=("received", "received"), amounts=(2000, 5499),
                       refunds=(("c1", 2000), ("c1", 3499), ("c2", 2000)), stock=(("b", 1), ("a", 1)),
                       goods="returned", money="refunded")),
        id="RB-21",
    ),
    # odoo/odoo PR 98271, woocommerce/woocommerce-ios composite product: a kit for 2300.00, whose parts are
    # returned. What a kit cost is in the lines of its parts: the host splits it, here by list prices.
    pytest.param(
        Flow(order=sale(
                 *[line(name, 1, part) for name, part in zip(
                     ("camera", "lens", "card"), allocate(230000, [180000, 90000, 6000]), strict=True)],
                 paid=230000),
             steps=bring_back(camera=1, lens=1, card=1),
             they=Ending(),
             we=Ending(returns=("received",), amounts=(230000,), refunds=(("p1", 230000),),
                       stock=(("camera", 1), ("lens", 1), ("card", 1)), goods="returned", money="refunded")),
        id="RB-30",
    ),
    # allegro/allegro-api#9795, frappe/ecommerce_integrations PR 102: cash on delivery, refused at the
    # door. The return was requested before the order was canceled.
    pytest.param(
        Flow(order=sale(line("a", 1, 99900), paid=[]),
             steps=(request(a=1, refund_amount=0),
                    sale(line("a", 1, 99900), paid=[], status=OrderStatus.CANCELED), receive(a=1)),
             they=Ending(),
             we=Ending(returns=("received",), amounts=(0,), refunds=(), stock=(("a", 1),),
                       goods="returned", money="not_paid", entitled_amount=0)),
        id="RB-32-before",
    ),
    # alphagov/pay-connector, a refund above its charge: 5.01 computed, 5.00 captured.
    pytest.param(
        Flow(order=sale(line("a", 1, 501), paid=500),
             steps=bring_back(a=1),
             they=Ending(),
             we=Ending(returns=("received",), amounts=(500,), refunds=(("p1", 500),), stock=(("a", 1),),
                       goods="returned", money="refunded", entitled_amount=500)),
        id="RB-38",
    ),
    # woocommerce/woocommerce-ios: the four refunds of order 560, 225.00 in all.
    pytest.param(
        Flow(order=SHOP_560,
             steps=each_comes_back({"65": 1}, {"60": 1}, {"59": 1, "63": 1, "65": 2}, {"64": 2}),
             they=Ending(amounts=(2700, 1800, 11700, 6300)),
             we=Ending(returns=("received",) * 4, amounts=(2700, 1800, 11700, 6300), entitled_amount=22500,
                       refunds=(("stripe", 2700), ("stripe", 1800), ("stripe", 11700), ("stripe", 6300)),
                       stock=(("65", 1), ("60", 1), ("59", 1), ("63", 1), ("65", 2), ("64", 2)),
                       goods="partially_returned", money="partially_refunded",
                       returnable=(3, 9, 1, 3, 2, 3, 0, 4))),
        id="RB-41",
    ),
    # woocommerce/woocommerce-ios: two gift cards and a card; the first gift card is refilled first.
    pytest.param(
        Flow(order=sale(line("921", 1, 1800), shipping=1000,
                        paid=[payment("card-2", 2000, kind="gift_card"),
                              payment("card-4", 400, kind="gift_card"), payment("stripe", 400)]),
             steps=each_comes_back({"921": 1}),
             they=Ending(refunds=(("card-2", 1800),)),
             we=Ending(returns=("received",), amounts=(1800,), refunds=(("card-2", 1800),),
                       stock=(("921", 1),), goods="returned", money="partially_refunded")),
        id="RB-43",
    ),
    # Shopify/shopify-api-ruby#1232: 20.00 less 1.00 for the label.
    pytest.param(
        Flow(order=sale(line("a", 1, 2000), paid=2000),
             options=(return_option(100),),
             steps=(request(a=1, shipping_option_id=POST), receive(a=1)),
             they=Ending(),
             we=Ending(returns=("received",), amounts=(1900,), refunds=(("p1", 1900),), stock=(("a", 1),),
                       goods="returned", money="partially_refunded")),
        id="RB-50",
    ),
    # ShipHero: a webhook that is delivered twice, under the warehouse's own number.
    pytest.param(
        Flow(order=sale(line("a", 2, 1000), paid=2000),
             steps=(request(a=2), *[evolve(receive(a=1, more_expected=True), idempotency_key="asn-1")] * 2),
             they=Ending(),
             we=Ending(returns=("partially_received",), amounts=(2000,), refunds=(("p1", 1000),),
                       stock=(("a", 1),), goods="partially_returned", money="partially_refunded",
                       returnable=(0,))),
        id="RB-51",
    ),
    # woocommerce/woocommerce-ios: the two refunds of order 324.
    pytest.param(
        Flow(order=SHOP_324,
             steps=each_comes_back({"42": 1}, {"43": 2}),
             they=Ending(amounts=(810, 1620)),
             we=Ending(returns=("received", "received"), amounts=(810, 1620), entitled_amount=2430,
                       refunds=(("stripe", 810), ("stripe", 1620)), stock=(("42", 1), ("43", 2)),
                       goods="partially_returned", money="partially_refunded")),
        id="RB-56",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", FLOWS)
def test_a_reported_order_ends_with_the_right_goods_money_and_stock(case: Flow) -> None:
    """Statuses, amounts, refunds by payment, stock and the order are as expected after all steps."""
    assert case.answers() == (case.we, case.codes)
    assert case.is_explained


@pytest.mark.parametrize(
    ("order", "steps", "refundable"),
    [
        pytest.param(TWO_AT_50, bring_back(a=2), 0, id="A-01"),
        pytest.param(TWO_PROMOTED, each_comes_back({"a": 1}, {"a": 1}), 0, id="A-04"),
        pytest.param(SHOP_560, each_comes_back({"65": 1}), 117150, id="RB-41"),
        pytest.param(SHOP_324, each_comes_back({"42": 1}, {"43": 2}), 28015, id="RB-56"),
    ],
)
def test_what_a_reported_order_can_still_refund(
    order: Order, steps: Sequence[Action], refundable: int
) -> None:
    """What was captured, less what was refunded, here or elsewhere."""
    world = World.of(order)
    world.do(*steps)
    assert world.service.order_state(ORDER).refundable == Money(refundable, "usd")


def test_an_edit_that_adds_units_after_a_canceled_return_adds_them_to_what_is_returnable() -> None:
    """RB-34: a line of 2 raised to 5 by an order edit of Shopify (microsoft/BCApps PR 7447)."""
    world = World.of(sale(line("a", 2, 1000), paid=2000))
    world.do(request(a=1), cancel(), sale(line("a", 5, 1000), paid=5000))
    (found,) = world.service.returnable_items(ORDER)
    assert (found.quantity, found.reasons) == (5, ())
    (opened,) = world.do(request(a=5))
    assert opened.refund_amount == Money(5000, "usd")


@pytest.mark.parametrize(
    ("sold", "new", "difference"),
    [
        (sale(line("A", 1, 1000, tax=["25"], inclusive=True), off=[10], paid=990), [(1, 1000, True)], 10),
        (sale(line("A", 1, 1000, tax=["25"], inclusive=True), off=[10], paid=990), [(1, 990, True)], 0),
        (sale(line("A", 1, 13800, tax=["25"], inclusive=True)), [(1, 13800, True)], 0),
        (sale(line("A", 1, 11040, tax=["25"])), [(1, 11040, False)], 0),
        (sale(line("A", 1, 11040, tax=["25"])), [(1, 13800, True)], 0),
        (sale(line("A", 3, 10000, off=[20000])), [(2, 3333, True), (1, 3334, True)], 0),
    ],
)
def test_an_exchange_of_like_for_like_is_due_the_discount_at_most(
    sold: Order, new: Sequence[tuple[int, int, bool]], difference: int
) -> None:
    """A-11: medusajs/medusa#2557, #2086, #3168, #3175: returned units are worth what was paid for them."""
    (returned,) = sold.items
    taxes = returned.tax_lines
    quote = World.of(sold).service.quote(
        RequestExchange(
            order_id=ORDER,
            items=[RequestedItem(item_id="A", quantity=returned.quantity)],
            new_items=[
                NewItem(
                    variant_id="B",
                    quantity=quantity,
                    unit_price=price,
                    tax_lines=taxes,
                    is_tax_inclusive=is_tax_inclusive,
                )
                for quantity, price, is_tax_inclusive in new
            ],
        )
    )
    assert quote.difference_due == Money(difference, "usd")


class DeletedProduct(InMemoryInventory):
    """Stock that no longer knows the product."""

    def restock(self, request: RestockRequest) -> None:
        """Raises."""
        raise LookupError(request.key)


def test_goods_that_are_late_or_a_final_sale_are_taken_if_a_manager_says_why() -> None:
    """A-20: spree/spree#5982, solidusio/solidus#1093: refused to the customer, paid in full."""
    late, final = line("a", 1, 1000), evolve(line("b", 1, 500), is_returnable=False)
    order = evolve(sale(late, final, paid=1500), created_at=START - timedelta(days=60))
    world = World.of(order, policy=ReturnPolicy(window_days=30))
    with pytest.raises(Rejected) as refused:
        world.service.handle(request_units({"a": 1, "b": 1}))

    overruled = evolve(request_units({"a": 1, "b": 1}), overrule="a good customer", created_by="manager")
    world.service.handle(overruled)
    ret = world.service.handle(receive_units(FIRST, {"a": 1, "b": 1}))

    codes = {violation.code for violation in refused.value.violations}
    assert codes == {"return_window_closed", "item_not_returnable"}
    assert (ret.status, ret.refunded, ret.overrule) == ("received", Money(1500, "usd"), "a good customer")


def test_goods_whose_product_was_deleted_are_received_and_paid() -> None:
    """A-14: openfoodfoundation/openfoodnetwork#6830: the stock fails for good, the customer is refunded."""
    payments = InMemoryPayments()
    service = in_memory_service([sale(line("a", 1, 1000))], inventory=DeletedProduct(), payments=payments)
    opened = service.handle(request(a=1))
    received = service.handle(receive(opened.id, a=1))
    assert received.status == "received"
    assert [each.amount.amount for each in payments.refunds.values()] == [1000]


def test_a_request_with_a_wrong_quantity_is_canceled_and_made_again() -> None:
    """A-16, before the receipt: open-mercato/open-mercato#3035: two labels are booked, one is canceled."""
    world = World.of(sale(line("a", 3, 1000)), options=[return_option(0)])
    world.do(
        request(a=2, shipping_option_id=POST),
        cancel(),
        request(a=1, shipping_option_id=POST),
        receive(SECOND, a=1),
    )
    assert [each.return_id for each in world.fulfillment.shipments.values()] == [FIRST, SECOND]
    assert [each.return_id for each in world.fulfillment.cancellations.values()] == [FIRST]
    assert [each.quantity for each in world.service.returnable_items(ORDER)] == [2]


def correct(return_id: str = FIRST, **units: int) -> CorrectReceipt:
    """Says what the receipts should have said."""
    items = [CorrectedItem(item_id=item_id, quantity=quantity) for item_id, quantity in units.items()]
    return CorrectReceipt(return_id=return_id, items=items, reason="counted again")


def test_a_receipt_that_counted_too_much_is_corrected() -> None:
    """A-16: open-mercato/open-mercato#3035, PrestaShop/PrestaShop#25079: two booked, one arrived."""
    world = World.of(sale(line("a", 3, 1000), paid=3000))
    *_, corrected = world.do(request(a=2), receive(a=2), correct(a=1))

    assert [each.quantity for each in world.service.returnable_items(ORDER)] == [2]
    assert (world.stock, world.refunds) == ((("a", 2), ("a", -1)), (("p1", 2000),))
    assert corrected.entitlement.overpaid.amount == 1000


def test_another_product_in_the_box_leaves_a_trace() -> None:
    """A-21: allegro/allegro-api#13866; RB-26: ForgeFlow/stock-rma#79: a person decides, nothing moves."""
    for parcel in (receive_units(FIRST, {"a": 0, "other": 1}), receive_units(FIRST, {"sock": 1})):
        world = World.of(sale(line("a", 1, 1000), paid=1000))
        *_, received = world.do(request(a=1), parcel)

        assert (received.status, received.refunds, world.stock) == ("requires_action", (), ())
        assert [each.item_id in ("other", "sock") for each in received.foreign] == [True]


def test_an_empty_parcel_and_a_third_shoe_where_two_were_sold_leave_a_trace() -> None:
    """RB-26: allegro/allegro-api#13203: neither is refused, and neither moves money."""
    empty = World.of(sale(line("shoe", 2, 5000), paid=10_000))
    third = World.of(sale(line("shoe", 2, 5000), paid=10_000))
    *_, nothing = empty.do(request(shoe=1), receive_units(FIRST, {}))
    *_, three = third.do(request(shoe=1), receive(shoe=3))

    assert (nothing.status, len(nothing.receipts), empty.stock) == ("requires_action", 1, ())
    assert (three.status, third.stock, third.refunds) == ("requires_action", (("shoe", 2),), ())
    assert [(each.item_id, each.quantity) for each in three.foreign] == [("shoe", 1)]


def test_three_were_booked_and_paid_and_the_recount_finds_two() -> None:
    """RB-28: OCA/stock-logistics-workflow PR 593, adempiere/adempiere PR 2891: 50.00 was paid too much."""
    world = World.of(sale(line("shoe", 3, 5000), paid=15_000))
    *_, corrected = world.do(request(shoe=3), receive(shoe=3), correct(shoe=2))

    assert world.inventory.on_hand == {(None, "shoe"): 2}
    assert [each.quantity for each in world.service.returnable_items(ORDER)] == [1]
    assert (corrected.status, corrected.entitlement.overpaid.amount) == ("received", 5000)
    assert (world.refunds, corrected.needs_attention) == ((("p1", 15_000),), True)


def test_cash_on_delivery_that_was_refused_at_the_door_comes_home() -> None:
    """RB-32: allegro/allegro-api#9795, ONDC-Official/verification-logs PR 1979: nothing was paid, or is."""
    world = World.of(sale(line("a", 1, 99_900), paid=[], status=OrderStatus.CANCELED))
    home = ReceiveUnannounced(order_id=ORDER, items=[ReceivedItem(item_id="a", quantity=1)])
    _, closed = world.do(home, resolve(refund_amount=0))

    assert (closed.status, closed.needs_attention) == ("received", False)
    assert (world.stock, world.refunds) == ((("a", 1),), ())


def test_a_parcel_that_was_lost_and_paid_turns_up() -> None:
    """medusajs/medusa#4052: it is booked, and pays nothing."""
    world = World.of(sale(line("a", 2, 1000), paid=2000))
    lost = [MissingItem(item_id="a", quantity=1, pay=True, reason="lost by the carrier")]
    *_, found = world.do(request(a=1), ResolveReturn(return_id=FIRST, missing=lost), receive(a=1))

    assert (found.status, found.refunded.amount, world.stock) == ("received", 1000, (("a", 1),))
    assert [each.quantity for each in world.service.returnable_items(ORDER)] == [1]


class Declining(InMemoryPayments):
    """A gateway that declines every refund of these payments."""

    def __init__(self, **codes: str) -> None:
        super().__init__(answer=self._answer)
        self.codes = codes
        self.moved: list[tuple[str, int]] = []
        self.before: Callable[[], object] = lambda: None

    def _answer(self, request: RefundRequest) -> RefundOutcome:
        if request.payment_id in self.codes:
            return RefundDeclined(self.codes[request.payment_id])
        before, self.before = self.before, lambda: None
        before()
        self.moved.append((request.payment_id, request.amount.amount))
        return RefundSucceeded(f"re_{request.key}")


def test_two_clerks_who_retry_one_refund_at_once_pay_it_once() -> None:
    """A-24: saleor/saleor-dashboard#4474, Sylius/RefundPlugin#348: the second is refused, nothing is due."""
    gateway = Declining(p1="do_not_honor")
    world = World.of(sale(line("a", 1, 1000), paid=2000), payments=gateway)
    world.do(*bring_back(a=1))
    gateway.codes.clear()
    refused: list[str] = []

    def retry_too() -> None:
        with pytest.raises(NotAllowed) as error:
            world.do(retry())
        refused.append(error.value.code)

    gateway.before = retry_too
    world.do(retry())
    assert (gateway.moved, refused) == ([("p1", 1000)], ["nothing_due"])


@pytest.mark.parametrize(
    ("amount", "currency", "shown"), [(5800, "jpy", "5,800 JPY"), (10500, "kwd", "10.500 KWD")]
)
def test_currencies_with_no_cents_and_with_three_decimals_are_paid_and_shown(
    amount: int, currency: str, shown: str
) -> None:
    """A-30: antiwork/gumroad#3749, woocommerce/woocommerce-gateway-stripe#5162."""
    price = Money(amount, currency)
    sold = LineItem(id="a", quantity=1, unit_price=price, fulfilled_quantity=1)
    world = World.of(Order(id=ORDER, currency=currency, items=[sold], payments=[Payment("p1", price)]))
    _, received = world.do(*bring_back(a=1))
    assert str(received.refund_amount) == shown
    assert world.refunds == (("p1", amount),)


def test_a_refund_that_a_dispute_stopped_is_paid_when_the_dispute_is_won() -> None:
    """RB-16: alphagov/pay-connector, 65.00: nothing can be refunded while the bank holds the charge."""
    gateway = InMemoryPayments(answer=lambda request: RefundPending("re_1"))
    order = sale(line("a", 1, 6500), paid=6500)
    world = World.of(order, payments=gateway)
    _, received = world.do(*bring_back(a=1))
    (refund,) = received.refunds
    assert (refund.amount, refund.status) == (Money(6500, "usd"), "pending")

    (failed,) = world.do(
        RecordRefundOutcome(key=refund.key, outcome=RefundDeclined("charge_disputed", "Disputed"))
    )
    assert (failed.amount_due, failed.needs_attention) == (Money(6500, "usd"), True)

    world.do(sale(line("a", 1, 6500), paid=[payment("p1", 6500, refunded=6500)]))
    with pytest.raises(Rejected) as error:
        world.do(retry())
    assert error.value.code == "refund_exceeds_refundable"

    gateway.answer = lambda request: RefundSucceeded("re_2")
    (won,) = world.do(order, retry())
    assert [each.status for each in won.refunds] == ["failed", "succeeded"]
    assert won.amount_due == Money(0, "usd")
    assert world.service.order_state(ORDER).payment_status == "refunded"


class StoredErrors(InMemoryPayments):
    """A gateway that stores its failure under the key, and answers it for a day."""

    gateway = Idempotent(timedelta(hours=24))

    def __init__(self) -> None:
        super().__init__(answer=self._answer)
        self.now = START

    def _answer(self, request: RefundRequest) -> RefundOutcome:
        if self.now < START + timedelta(hours=24):
            raise ConnectionError("500, stored for this key")
        return RefundSucceeded("re_1")

    def find_refund(self, key: str) -> RefundOutcome | None:
        """What it did for the key; it did nothing for a failure."""
        return self._outcomes.get(key)


def test_a_failure_that_a_gateway_repeats_for_a_day_is_looked_up_and_paid_once() -> None:
    """RB-20: Stripe stores an answer of status 500 under the key for 24 hours."""
    gateway = StoredErrors()
    service = in_memory_service([sale(line("a", 2, 5000))], payments=gateway, clock=lambda: gateway.now)
    opened = service.handle(request(a=1))
    service.handle(receive(opened.id, a=1))
    for _ in range(30):
        gateway.now += timedelta(hours=1)
        service.resume()
    paid = service.get(opened.id)
    assert [(each.payment_id, each.amount.amount, each.status) for each in paid.refunds] == [
        ("p1", 5000, "succeeded")
    ]
    assert [each.amount.amount for each in gateway.refunds.values()] == [5000]
    assert paid.amount_due == Money(0, "usd")


def test_what_an_exchange_was_paid_with_can_be_refunded() -> None:
    """RB-36: spree/spree PR 5073: 10.00 and then 2.00 were paid, 12.00 are refunded for what was sent."""
    world = World.of(sale(line("a", 1, 1000), paid=1000))
    exchange = world.service.handle(
        RequestExchange(
            order_id=ORDER,
            items=[RequestedItem(item_id="a", quantity=1)],
            new_items=[NewItem(variant_id="b", quantity=1, unit_price=1200)],
        )
    )
    assert isinstance(exchange, Exchange)
    assert exchange.difference_due == Money(200, "usd")
    world.service.handle(RecordExchangePayment(exchange_id=exchange.id, amount=200, reference="ch_2"))
    world.do(
        receive(exchange.return_id, a=1),
        sale(line("a", 1, 1000), line("b", 1, 1200), paid=1000),
        *bring_back(SECOND, b=1),
    )
    assert world.refunds == (("p1", 1000), ("ch_2", 200))
    assert world.service.order_state(ORDER).refundable == Money(0, "usd")


def test_a_refund_of_ours_that_a_host_counts_as_its_own_blocks_and_never_pays_twice() -> None:
    """
    RB-37: woocommerce/woocommerce-gateway-stripe#838: a charge of 50.00 with 20.00 refunded, by this library.

    `Payment.refunded` is what was refunded without this library: of the sum that a gateway shows, ours is
    subtracted. A host that does not is refused 30.00 until it does.
    """
    lines = (line("a", 1, 2000), line("b", 1, 3000))
    world = World.of(sale(*lines, paid=5000))
    world.do(*bring_back(a=1), sale(*lines, paid=[payment("p1", 5000, refunded=2000)]))
    _, blocked = world.do(*bring_back(SECOND, b=1))
    assert (blocked.amount_due, world.refunds) == (Money(3000, "usd"), (("p1", 2000),))

    ours = -sum(each.amount.amount for each in world.service.transactions(ORDER))
    world.do(sale(*lines, paid=[payment("p1", 5000, refunded=2000 - ours)]))
    assert world.service.order_state(ORDER).refundable == Money(3000, "usd")
    world.do(retry(return_id=SECOND))
    assert world.refunds == (("p1", 2000), ("p1", 3000))


def test_a_missing_cent_is_a_part_of_the_amount() -> None:
    """RB-38: 5.01 was computed, 5.00 captured: a part says why."""
    _, received = World.of(sale(line("a", 1, 501), paid=500)).do(*bring_back(a=1))
    assert parts_of(received) == {"item:a": 501, "rounding": -1}
    assert not received.needs_attention


def test_the_parts_of_an_order_of_shopify_are_those_of_its_own_documentation() -> None:
    """RB-40: Shopify/shopify_python_api: 199.00, less a third of 10.00, with 3.98 of tax that is given."""
    items = [
        LineItem(
            id=item_id,
            quantity=1,
            unit_price=19900,
            fulfilled_quantity=1,
            tax_lines=[TaxLine(Decimal(6), amount=Money(398, "usd"))],
        )
        for item_id in ("466157049", "518995019", "703073504")
    ]
    order = Order(
        id=ORDER,
        currency="usd",
        items=items,
        payments=[payment("801038806", 40994, refunded=36800)],
        adjustments=[Adjustment(Money(1000, "usd"), code="TENOFF")],
    )
    quote = World.of(order).service.quote(request_units({"518995019": 1}))
    (shown,) = quote.breakdown
    assert {part.name: part.amount.amount for part in shown.parts} == {
        "price": 19900,
        "discount:TENOFF": -333,
        "tax:6": 398,
    }
    assert quote.refund_amount == Money(19965, "usd")


@pytest.mark.parametrize(
    ("units", "amount", "parts"),
    [
        ({"a": 1}, 853, {"price": 1020, "discount:five": -237, "tax:9": 70}),
        ({"b": 1}, 947, {"price": 1046, "discount:five": -263, "tax:21": 164}),
        ({"a": 1, "b": 1}, 1800, {"price": 1020, "discount:five": -237, "tax:9": 70}),
    ],
)
def test_tax_is_of_the_line_and_its_share_of_a_discount(
    units: dict[str, int], amount: int, parts: dict[str, int]
) -> None:
    """RB-49: mollie/Shopware6#1374: 5.00 off 10.90 with 9% and 12.10 with 21%: 2.37 and 2.63."""
    order = evolve(
        sale(line("a", 1, 1090, tax=["9"], inclusive=True), line("b", 1, 1210, tax=["21"], inclusive=True)),
        adjustments=[Adjustment(Money(500, "usd"), code="five")],
    )
    quote = World.of(order).service.quote(request_units(units))
    assert quote.refund_amount == Money(amount, "usd")
    assert {part.name: part.amount.amount for part in quote.breakdown[0].parts} == parts


def test_two_boxes_of_one_return_go_to_two_warehouses() -> None:
    """RB-52: ShipBob: each receipt has its location, and is paid when it arrives."""
    world = World.of(sale(line("a", 2, 1000), line("b", 1, 500), paid=2500))
    _, first, second = world.do(
        request(a=2, b=1),
        receive(a=2, location_id="A", more_expected=True),
        receive(b=1, location_id="B"),
    )
    assert (first.status, second.status) == ("partially_received", "received")
    assert world.inventory.on_hand == {("A", "a"): 2, ("B", "b"): 1}
    assert world.refunds == (("p1", 2000), ("p1", 500))


def test_a_free_replacement_comes_back_for_what_was_paid_once() -> None:
    """RB-53: amzn/selling-partner-api-docs#765: the host lists the replacement at what its unit cost."""
    world = World.of(sale(line("a", 1, 1000), paid=1000))
    claim = world.service.handle(
        RequestClaim(
            order_id=ORDER,
            type="replace",
            items=[ClaimItem(item_id="a", quantity=1, reason="production_failure")],
            new_items=[NewItem(variant_id="a", quantity=1, unit_price=1000)],
        )
    )
    assert isinstance(claim, Claim)
    assert (claim.status, claim.refund_amount) == ("completed", Money(0, "usd"))

    world.do(sale(line("a", 1, 1000), line("new", 1, 1000), paid=1000))
    (opened,) = world.do(request(new=1))
    (received,) = world.do(receive(opened.id, new=1))
    assert received.refund_amount == Money(1000, "usd")
    assert world.refunds == (("p1", 1000),)
    assert world.service.order_state(ORDER).refundable == Money(0, "usd")
    assert [each.quantity for each in world.service.returnable_items(ORDER)] == [0, 0]


def test_a_payment_too_old_to_refund_is_passed_by_one_that_the_host_lists_before_it() -> None:
    """RB-54: PayPal and Adyen refuse refunds of old captures."""
    lines = (line("a", 1, 5499), line("b", 1, 2000))
    old, young = payment("c1", 5499), payment("c2", 2000)
    gateway = Declining(c1="REFUND_TIME_LIMIT_EXCEEDED")
    world = World.of(sale(*lines, paid=[old, young]), payments=gateway)
    _, failed = world.do(*bring_back(b=1))
    assert (failed.amount_due, failed.needs_attention) == (Money(2000, "usd"), True)

    world.do(sale(*lines, paid=[young, old]))
    (paid,) = world.do(retry())
    assert (paid.amount_due, gateway.moved) == (Money(0, "usd"), [("c2", 2000)])


def test_a_refund_that_a_person_stopped_is_never_sent() -> None:
    """
    RB-55: juspay/hyperswitch-control-center#4109: the gateway is away, and the bank takes the payment back.

    A person records the open refund as declined, and writes the amount off.
    """
    gateway = InMemoryPayments()
    gateway.answer = _away
    world = World.of(sale(line("a", 1, 10000), paid=10000), payments=gateway)
    _, received = world.do(*bring_back(a=1))
    (refund,) = received.refunds
    outcome = RecordRefundOutcome(key=refund.key, outcome=RefundDeclined("charged_back"))
    (stopped,) = world.do(outcome)
    assert (stopped.amount_due, stopped.needs_attention) == (Money(10000, "usd"), True)

    world.do(sale(line("a", 1, 10000), paid=[payment("p1", 10000, refunded=10000)]))
    gateway.answer = lambda request: RefundSucceeded("re_1")
    world.service.resume()
    with pytest.raises(Rejected) as error:
        world.do(retry())
    assert error.value.code == "refund_exceeds_refundable"
    (closed,) = world.do(resolve(refund_amount=0))
    assert (closed.refund_amount, closed.needs_attention) == (Money(0, "usd"), False)
    assert world.refunds == ()


def _away(request: RefundRequest) -> RefundOutcome:
    raise ConnectionError(request.key)
