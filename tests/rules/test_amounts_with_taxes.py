"""Every amount carries its taxes: named amounts, fees, grades, the way back, and what is rounded."""

from decimal import Decimal
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    ClaimItem,
    Fee,
    Grade,
    InspectedItem,
    InspectReturn,
    LineItem,
    ReceivedItem,
    ReceiveReturn,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ReturnPolicy,
    ReturnRule,
    ShippingMethod,
    ShippingOption,
    TaxLine,
)
from rma.testing.edits import total_paid
from tests.rules.given import Given, line, off, order_of, receive, request, usd, vat
from tests.rules.test_reductions import CUP, parts


def shoe(price: int = 11_900, rate: str = "19", **more: Any) -> LineItem:
    """Returns one pair of shoes with tax in their price."""
    return line(quantity=1, price=price, tax_lines=vat(rate, code="vat"), is_tax_inclusive=True, **more)


def refund_claim(amount: int | None = None, quantity: int = 1, **more: Any) -> RequestClaim:
    """Returns a claim for an amount."""
    items = [ClaimItem(item_id="mug", quantity=quantity, reason="other")]
    return RequestClaim(order_id="order_1", type="refund", items=items, refund_amount=amount, **more)


def part(given: Given, name: str) -> dict[str, int]:
    """Returns the parts of a part of the return's amount."""
    return next(found for each, _, found in parts(given.the()) if each == name)


def test_a_named_amount_takes_its_part_of_the_tax() -> None:
    """12.30 incl. 2.30: 5.00 take 0.93 of it, and the 7.30 that are left 1.37."""
    tax = TaxLine(Decimal(23), code="vat", amount=usd(230))
    given = Given(order_of(line(quantity=1, price=1230, tax_lines=[tax], is_tax_inclusive=True)))

    given.when(refund_claim(500))

    assert parts(given.ledger.claims[0]) == [
        ("item:mug", 1230, {"price": 1000, "tax:vat": 230}),
        ("custom_amount", -730, {"price": -593, "tax:vat": -137}),
    ]


def test_two_amounts_that_reduce_one_unit_take_all_of_its_tax() -> None:
    """The same as price reductions: 0.93 and 1.37 are together 2.30."""
    tax = TaxLine(Decimal(23), code="vat", amount=usd(230))
    given = Given(order_of(line(quantity=1, price=1230, tax_lines=[tax], is_tax_inclusive=True)))
    for amount in (500, 730):
        item = ClaimItem(item_id="mug", quantity=1, reason="other", amount=amount)
        given.when(RequestClaim(order_id="order_1", type="reduce", items=[item]))

    assert [parts(claim) for claim in given.ledger.claims] == [
        [("item:mug", 500, {"price": 407, "tax:vat": 93})],
        [("item:mug", 730, {"price": 593, "tax:vat": 137})],
    ]


def test_a_fee_without_taxes_of_its_own_carries_those_of_its_goods() -> None:
    """119.00 incl. 19.00, 15 % are kept: 17.85 with 2.85 of tax; credited are 101.15 = 85.00 + 16.15."""
    given = Given(order_of(shoe(), captured=11_900), ReturnPolicy(fees=[Fee("restocking", percent=15)]))
    given.when(request(1))

    given.when(receive(1))

    assert parts(given.the()) == [
        ("item:mug", 11_900, {"price": 10_000, "tax:vat": 1900}),
        ("fee:restocking", -1785, {"price": -1500, "tax:vat": -285}),
    ]
    assert given.the().refund_amount == usd(10_115)


def test_a_fee_of_a_rule_carries_the_taxes_of_the_units_under_it() -> None:
    """5.00 for worn goods of 19 %, none of it from goods of 7 % that come back with them."""
    given = Given(
        order_of(shoe(), line("book", 1, 1070, tax_lines=vat("7", code="low"), is_tax_inclusive=True)),
        ReturnPolicy(
            rules=[
                ReturnRule(name="worn", when={"worn"}, fees=[Fee("worn", amount=500)]),
                ReturnRule(name="rest"),
            ]
        ),
    )
    items = [
        RequestedItem(item_id="mug", quantity=1, tags=["worn"]),
        RequestedItem(item_id="book", quantity=1),
    ]

    given.when(RequestReturn(order_id="order_1", items=items))

    assert part(given, "fee:worn") == {"price": -420, "tax:vat": -80}


def test_a_fee_with_taxes_of_its_own_keeps_those() -> None:
    """Free of tax, if that is what it says."""
    given = Given(
        order_of(shoe(), captured=11_900),
        ReturnPolicy(fees=[Fee("damages", amount=500, tax_lines=[TaxLine(Decimal(0), code="none")])]),
    )
    given.when(request(1))

    assert part(given, "fee:damages") == {"price": -500, "tax:none": 0}


def test_a_grade_carries_the_taxes_of_what_it_takes_off() -> None:
    """80 % of 119.00: 23.80 less, with 3.80 of tax; a fee of 10 % of the rest takes 9.52 with 1.52."""
    given = Given(
        order_of(shoe(), captured=11_900),
        ReturnPolicy(
            inspect=True,
            grades=[Grade("A", 100, "restock", restock=True), Grade("B", 80, "outlet")],
            fees=[Fee("restocking", percent=10)],
        ),
    )
    given.when(request(1))
    given.when(receive(1))
    looked_at = InspectedItem(item_id="mug", quantity=1, grade="B")

    given.when(InspectReturn(return_id="ret_1", items=[looked_at]))

    assert part(given, "grade:B") == {"price": -2000, "tax:vat": -380}
    assert part(given, "fee:restocking") == {"price": -800, "tax:vat": -152}


def test_grades_of_several_lines_are_one_part() -> None:
    """Of 119.00 with tax and 10.00 without, at 80 %: 25.80 less, with 3.80 of tax."""
    given = Given(
        order_of(shoe(), line("book", 1, 1000)),
        ReturnPolicy(
            inspect=True,
            grades=[Grade("A", 100, "restock", restock=True), Grade("B", 80, "outlet")],
        ),
    )
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("mug", "book")]
    given.when(RequestReturn(order_id="order_1", items=items))
    arrived = [ReceivedItem(item_id=item_id, quantity=1) for item_id in ("mug", "book")]
    given.when(ReceiveReturn(return_id="ret_1", items=arrived))
    looked_at = [InspectedItem(item_id=item_id, quantity=1, grade="B") for item_id in ("mug", "book")]

    given.when(InspectReturn(return_id="ret_1", items=looked_at))

    assert part(given, "grade:B") == {"price": -2200, "tax:vat": -380}


def test_a_cent_of_several_lines_is_a_cent_of_one() -> None:
    """0.01 of two lines that are worth the same is taken of the first."""
    given = Given(
        order_of(shoe(100), line("book", 1, 100, tax_lines=vat("7", code="low"), is_tax_inclusive=True))
    )
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("mug", "book")]

    given.when(RequestReturn(order_id="order_1", items=items, refund_amount=199))

    assert part(given, "custom_amount") == {"price": -1, "tax:vat": 0}


def test_the_way_back_carries_taxes_of_its_own() -> None:
    """A label of 3.57 incl. 0.57: its tax is not that of the goods."""
    given = Given(order_of(line(quantity=1), captured=1000))
    given.options["label"] = ShippingOption(id="label", price=357, tax_lines=vat("19"), is_tax_inclusive=True)

    given.when(request(1, shipping_option_id="label"))

    assert parts(given.the())[1:] == [("return_shipping", -357, {"price": -300, "tax:19": -57})]


def test_the_way_back_is_at_most_the_goods_and_so_is_its_tax() -> None:
    """A label of 3.57 for a mug of 1.19: 1.19 with 0.19 of tax."""
    given = Given(order_of(line(quantity=1, price=119), captured=119))
    given.options["label"] = ShippingOption(id="label", price=357, tax_lines=vat("19"), is_tax_inclusive=True)

    given.when(request(1, shipping_option_id="label"))

    assert part(given, "return_shipping") == {"price": -100, "tax:19": -19}


def test_an_exchange_explains_its_fees_and_its_way_back() -> None:
    """As a return does."""
    given = Given(order_of(shoe(), captured=11_900), ReturnPolicy(fees=[Fee("restocking", percent=15)]))
    given.options["label"] = ShippingOption(id="label", price=357, tax_lines=vat("19"), is_tax_inclusive=True)
    items = [RequestedItem(item_id="mug", quantity=1)]

    given.when(RequestExchange(order_id="order_1", items=items, new_items=[CUP], shipping_option_id="label"))

    assert part(given, "fee:restocking") == {"price": -1500, "tax:vat": -285}
    assert part(given, "return_shipping") == {"price": -300, "tax:19": -57}


def test_sending_new_goods_carries_taxes_of_its_own() -> None:
    """5.95 incl. 0.95."""
    given = Given(order_of(shoe(), captured=11_900))
    post = ShippingMethod(
        id="out", option_id="so_out", name="Post", price=usd(595), tax_lines=vat("19"), is_tax_inclusive=True
    )
    items = [RequestedItem(item_id="mug", quantity=1)]

    given.when(RequestExchange(order_id="order_1", items=items, new_items=[CUP], outbound_shipping=post))

    assert part(given, "outbound_shipping") == {"price": -500, "tax:19": -95}


def test_an_amount_above_the_goods_has_no_tax_beyond_theirs() -> None:
    """150.00 for goods of 119.00: nothing was sold for the 31.00 above."""
    given = Given(order_of(shoe(), captured=20_000))

    given.when(refund_claim(15_000, refund_note="promised"))

    assert parts(given.ledger.claims[0]) == [
        ("item:mug", 11_900, {"price": 10_000, "tax:vat": 1900}),
        ("custom_amount", 3100, {}),
    ]


def test_an_amount_carries_its_part_of_the_discounts() -> None:
    """Half of 3 x 20.00 less 6.00 with 10 % on top: price 30.00, discount 3.00, tax 2.70."""
    given = Given(
        order_of(
            line(quantity=3, price=2000, tax_lines=vat("10", code="vat"), adjustments=off(600)), captured=5940
        )
    )

    given.when(refund_claim(2970, 3))

    assert parts(given.ledger.claims[0]) == [
        ("item:mug", 5940, {"price": 6000, "discount:1": -600, "tax:vat": 540}),
        ("custom_amount", -2970, {"price": -3000, "discount:1": 300, "tax:vat": -270}),
    ]


def test_an_amount_of_several_lines_is_taken_from_each_by_its_value() -> None:
    """90.00 of 119.00 at 19 % and 107.00 at 7 %: of each tax its part, to a cent."""
    given = Given(
        order_of(shoe(), line("book", 1, 10_700, tax_lines=vat("7", code="low"), is_tax_inclusive=True))
    )
    given.when(
        RequestReturn(
            order_id="order_1",
            items=[RequestedItem(item_id="mug", quantity=1), RequestedItem(item_id="book", quantity=1)],
            refund_amount=9000,
        )
    )

    found = part(given, "custom_amount")
    assert sum(found.values()) == 9000 - 22_600
    assert found["tax:vat"] == -round(1900 * Decimal(13_600) / 22_600)
    assert found["tax:low"] == -round(700 * Decimal(13_600) / 22_600)


def test_what_was_paid_before_a_lower_amount_was_named_keeps_its_tax() -> None:
    """Two parcels: the first was paid 119.00, then 0 is named for all: what stays paid has all of its tax."""
    given = Given(order_of(shoe(fulfilled_quantity=1), line("cup", 1, 100), captured=20_000))
    items = [RequestedItem(item_id="mug", quantity=1), RequestedItem(item_id="cup", quantity=1)]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(1, more_expected=True))

    given.when(receive(0, allow_mismatch=True, refund_amount=0))

    assert given.the().refund_amount == usd(11_900)
    assert part(given, "custom_amount") == {"price": -10_000, "tax:vat": -1900}
    assert part(given, "already_paid") == {"price": 10_000, "tax:vat": 1900}


@for_all(
    price=st.integers(1, 5000),
    rate=st.sampled_from(["7", "19", "21", "8.875"]),
    percent=st.integers(0, 100),
    quantity=st.integers(1, 4),
    discount=st.integers(0, 500),
    is_inclusive=st.booleans(),
)
def test_credited_tax_follows_the_credited_amount(
    price: int, rate: str, percent: int, quantity: int, discount: int, is_inclusive: bool
) -> None:
    """After a fee of some percent, the tax that is credited is its part of the line's to a minor unit."""
    mugs = line(
        quantity=quantity,
        price=price,
        tax_lines=vat(rate, code="vat"),
        is_tax_inclusive=is_inclusive,
        adjustments=off(min(discount, price * quantity)),
    )
    order = order_of(mugs, captured=100_000)
    given = Given(order, ReturnPolicy(fees=[Fee("restocking", percent=percent)]))
    given.when(request(quantity))
    given.when(receive(quantity))

    found = parts(given.the())
    taxes = {name: leaves.get("tax:vat", 0) for name, _, leaves in found}
    paid = total_paid(order)
    credited = given.the().refund_amount.amount
    exact = Decimal(taxes["item:mug"]) * credited / paid if paid else Decimal(0)
    assert abs(sum(taxes.values()) - exact) < 1
    assert 0 <= sum(taxes.values()) <= max(credited, 0)
