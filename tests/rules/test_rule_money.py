"""The money of rules: fees and their taxes, who pays the way back, charges back, goods that are kept."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelExchange,
    CancelReturn,
    Charge,
    ClaimItem,
    ExchangeReceived,
    Fee,
    GoodsReceived,
    HostRule,
    InvalidValue,
    LineItem,
    NewItem,
    Order,
    ReceivedItem,
    ReceiveReturn,
    RejectedItem,
    RequestClaim,
    RequestExchange,
    ResolveReturn,
    ReturnRequested,
    ReturnRule,
    ReturnStatus,
    Review,
    ShippingMethod,
    Violation,
)
from rma.domain.messages.command_items import RequestedItem
from rma.domain.state.review import needs_review
from rma.domain.views.returnable import returnable_items
from rma.domain.views.timeline import timeline
from tests.rules.given import Given, line, names_and_amounts, off, order_of, put, request, usd, vat
from tests.rules.test_rules import asked, offered, policy_of, requested

LABEL: dict[str, Any] = {"shipping_option_id": "so_return", "shipping_price": 390}


def gross(item_id: str, quantity: int, price: int, **more: Any) -> LineItem:
    """Returns a line whose price contains 19 % tax."""
    return line(item_id, quantity, price, tax_lines=vat("19"), is_tax_inclusive=True, **more)


def parts_of(given: Given, name: str, return_id: str = "ret_1") -> dict[str, int]:
    """Returns the parts of this part of the return's breakdown, in minor units."""
    (part,) = [each for each in given.the(return_id).breakdown if each.name == name]
    return {each.name: each.amount.amount for each in part.parts}


def received(return_id: str = "ret_1", **units: int) -> ReceiveReturn:
    """Returns the receipt of these units."""
    items = [ReceivedItem(item_id=item_id, quantity=quantity) for item_id, quantity in units.items()]
    return ReceiveReturn(return_id=return_id, items=items)


# -- fees and the way back ------------------------------------------------------------------------

VAT_19 = vat("19")
BY_FAULT = policy_of(
    ReturnRule(name="defective", when={"reason:damaged"}, way_back="merchant"),
    ReturnRule(name="change of mind", fees=[Fee("restocking", percent=15, tax_lines=VAT_19)]),
)


def test_number_3_fault_decides_about_fees_and_the_way_back() -> None:
    """Number 3: one line is the merchant's fault, and the parcel travels anyway."""
    order = order_of(gross("shoe", 1, 11_900), gross("cap", 1, 2000), captured=20_000)
    given = Given(order, BY_FAULT)
    given.when(requested(asked("shoe"), asked("cap", reason_id="rr_damaged"), **LABEL))

    quoted = names_and_amounts(given.the())
    given.when(received(shoe=1, cap=1))

    assert quoted == {"item:shoe": 11_900, "item:cap": 2000, "fee:restocking": -1785}
    assert parts_of(given, "fee:restocking") == {"price": -1500, "tax:19": -285}
    assert given.the().refunded == usd(12_115)


def test_the_way_back_is_the_customers_if_nothing_of_the_merchants_arrives() -> None:
    """Only lines that are paid for count; a label that nothing pays for is not shown."""
    order = order_of(gross("shoe", 1, 11_900), gross("cap", 1, 2000), captured=20_000)
    given = Given(order, BY_FAULT)
    given.when(requested(asked("shoe"), asked("cap", reason_id="rr_damaged"), **LABEL))

    given.when(evolve(received(shoe=1, cap=0), allow_mismatch=True))

    assert names_and_amounts(given.the()) == {
        "item:shoe": 11_900, "return_shipping": -390, "fee:restocking": -1785
    }  # fmt: skip


def test_the_way_back_is_the_customers_if_what_is_the_merchants_is_not_paid_for() -> None:
    """A cap that arrives damaged, under a policy that does not pay for damage, does not count."""
    order = order_of(gross("shoe", 1, 11_900), gross("cap", 1, 2000), captured=20_000)
    given = Given(order, evolve(BY_FAULT, refund_damaged=False))
    given.when(requested(asked("shoe"), asked("cap", reason_id="rr_damaged"), **LABEL))
    parcel = [
        ReceivedItem(item_id="shoe", quantity=1),
        ReceivedItem(item_id="cap", quantity=0, damaged_quantity=1),
    ]

    given.when(ReceiveReturn(return_id="ret_1", items=parcel))

    assert given.the().refunded == usd(11_900 - 390 - 1785)


def test_number_4_deductions_have_an_order_and_take_at_most_what_is_left() -> None:
    """Number 4: goods and charges, less the way back, less fees; the taxes of a fee shrink with it."""
    fees = [Fee("handling", amount=1190, tax_lines=VAT_19), Fee("extra", amount=50)]
    given = Given(order_of(gross("cap", 1, 1000)), policy_of(ReturnRule(name="all", fees=fees)))
    given.when(requested(asked("cap"), **LABEL))

    assert names_and_amounts(given.the()) == {
        "item:cap": 1000, "return_shipping": -390, "fee:handling": -610, "fee:extra": 0
    }  # fmt: skip
    assert parts_of(given, "fee:handling") == {"price": -513, "tax:19": -97}
    assert given.the().quoted_refund == usd(0)


def test_a_fee_takes_of_goods_and_not_of_charges() -> None:
    """What delivery gives back is not eaten by a fee on goods that are worth little."""
    order = order_of(line(quantity=1, price=100), charges=[Charge("post", "shipping", usd(490))])
    rule = ReturnRule(name="all", fees=[Fee("flat", amount=500)], charges_back="all_back")
    given = Given(order, policy_of(rule))
    given.when(request(1))

    assert names_and_amounts(given.the()) == {"item:mug": 100, "charge:post": 490, "fee:flat": -100}


def test_a_fee_is_of_the_return_the_lines_or_the_units() -> None:
    """An amount of the return is kept once by its name, over parcels and rules; others add up."""
    once, lines = Fee("once", amount=100), Fee("line", amount=10, per="line")
    units = Fee("unit", amount=2, per="unit", tax_lines=vat("10"), is_tax_inclusive=False)
    given = Given(
        order_of(line(quantity=3), line("tea"), line("cup", tags=["cup"])),
        policy_of(
            ReturnRule(name="cups", when={"cup"}, fees=[Fee("units", percent=10), lines, once]),
            ReturnRule(name="rest", fees=[once, lines, units, Fee("units", percent=5, tax_lines=vat("25"))]),
        ),
    )
    given.when(requested(asked(quantity=2), asked("tea"), asked(), asked("cup")))
    amounts = {
        part.name: part.amount.amount for part in given.the().breakdown if part.name.startswith("fee:")
    }
    assert amounts == {"fee:units": -300, "fee:line": -30, "fee:once": -100, "fee:unit": -9}
    assert parts_of(given, "fee:units") == {"price": -260, "tax:25": -40}

    given.when(evolve(received(mug=1), more_expected=True))
    assert given.the().entitlement.entitled == usd(1000 - 100 - 10 - 2 - 50)
    given.when(received(mug=2, tea=1, cup=1))
    assert given.the().refunded == usd(5000 - 439)


def test_options_say_what_is_kept_of_a_unit() -> None:
    """As if it were returned alone, at most its value."""
    fees = [Fee("handling", amount=150, tax_lines=vat("25")), Fee("rest", amount=5000)]
    rule = ReturnRule(name="all", fees=fees, way_back="merchant", review=True, goods="kept")
    given = Given(policy=policy_of(rule))

    refund, exchange = offered(given).options

    assert [(each.name, each.amount.amount) for each in refund.fees] == [
        ("fee:handling", -150), ("fee:rest", -850)
    ]  # fmt: skip
    assert [each.amount.amount for each in refund.fees[0].parts] == [-120, -30]
    assert (refund.value, refund.way_back, refund.goods, refund.needs_review) == (
        usd(1000), "merchant", "kept", True
    )  # fmt: skip
    assert (exchange.outcome, exchange.is_offered) == ("exchange", True)


# -- charges back ---------------------------------------------------------------------------------

EXPRESS = Charge("express", "shipping", usd(1200), VAT_19, is_tax_inclusive=True, refundable=usd(490))


def sold(*charges: Charge, captured: int = 20_000, **more: Any) -> Order:
    """Returns 3 shirts of 20.00 that contain 19 %, 6.00 off, and charges."""
    return order_of(gross("shirt", 3, 2000), adjustments=off(600), charges=charges, captured=captured, **more)


def all_back(mode: str, **more: Any) -> Any:
    """Returns a policy that gives charges back so."""
    return policy_of(ReturnRule(name="all", charges_back=mode, **more))


def come_home(given: Given, quantity: int, item_id: str = "shirt", **more: Any) -> int:
    """Requests units and receives them; returns what is refunded for them."""
    given.when(request(quantity, item_id, **more))
    return_id = given.ledger.returns[-1].id
    quoted = given.the(return_id).refund_amount
    given.when(received(return_id, **{item_id: quantity}))
    assert given.the(return_id).refunded == quoted
    assert sum(part.amount.amount for part in given.the(return_id).breakdown) == quoted.amount
    return quoted.amount


def test_fees_in_an_exchange_are_at_most_what_their_goods_are_worth() -> None:
    """As in a refund: at most the old goods are lost, and the new ones asked for."""
    flat = Fee("handling", amount=700, per="unit", tax_lines=vat("19"))
    rules = [
        ReturnRule(name="cheap", when={"cheap"}, fees=[flat, Fee("box", amount=600, per="line")]),
        ReturnRule(name="rest"),
    ]
    order = order_of(line(price=1000, tags=["cheap"]), line("tea", price=5000))
    given = Given(order, policy_of(*rules))
    new = NewItem(variant_id="v", quantity=1, unit_price=9000)
    exchange = RequestExchange(order_id="order_1", items=[asked(), asked("tea")], new_items=[new])

    given.when(exchange)

    amounts = names_and_amounts(given.the())
    assert (amounts["fee:handling"], amounts["fee:box"]) == (-700, -300)
    assert given.ledger.exchanges[0].difference_due == usd(9000 - 5000)
    given.when(evolve(received(mug=1), allow_mismatch=True))
    assert names_and_amounts(given.the())["difference_due"] == 9000


def test_number_5_charges_are_given_back_once_all_is_back() -> None:
    """Number 5: with the last unit, what standard delivery would have cost, with its tax."""
    given = Given(sold(EXPRESS), all_back("all_back"))

    assert come_home(given, 2) == 3600
    assert come_home(given, 1) == 2290
    assert parts_of(given, "charge:express", "ret_2") == {"price": 412, "tax:19": 78}


def test_number_5_in_one_return_with_a_label() -> None:
    """The way back comes off goods and delivery together."""
    given = Given(sold(EXPRESS), all_back("all_back"))

    assert come_home(given, 3, **LABEL) == 5500


def test_number_5_by_share_any_partition_gives_back_all() -> None:
    """Units take their share of what is left, taxes included."""
    given = Given(sold(EXPRESS), all_back("share"))

    refunds = [come_home(given, 1) for _ in range(3)]

    assert [each - 1800 for each in refunds] == [163, 164, 163]
    taxes = [parts_of(given, "charge:express", f"ret_{number}")["tax:19"] for number in (1, 2, 3)]
    assert sum(taxes) == 78


def test_number_5_cash_rounding_may_go_down() -> None:
    """1.98 was sold and 1.95 taken: the refund is 1.95, and no payment has less."""
    charge = Charge("rounding", "cash_rounding", -3)
    given = Given(order_of(line(quantity=2, price=99), charges=[charge], captured=195), all_back("all_back"))

    assert come_home(given, 1, "mug") == 99
    assert come_home(given, 1, "mug") == 96

    by_share = Given(order_of(line(quantity=2, price=99), charges=[charge], captured=195), all_back("share"))
    assert [come_home(by_share, 1, "mug") for _ in range(2)] == [97, 98]


def test_cash_rounding_takes_at_most_the_goods() -> None:
    """A refund is never negative."""
    charge = Charge("rounding", "cash_rounding", usd(-3))
    order = order_of(line(quantity=1, price=1), charges=[charge, Charge("bag", "wrapping", usd(1))])
    given = Given(order, all_back("all_back"))

    assert come_home(given, 1, "mug") == 0
    assert names_and_amounts(given.the()) == {"item:mug": 1, "charge:rounding": -2, "charge:bag": 1}


def test_shipping_methods_are_charges() -> None:
    """With the tax on top of their price; free ones are not named."""
    methods = [
        ShippingMethod(id=name, option_id=None, name="", price=usd(price), tax_lines=vat("10"))
        for name, price in (("post", 500), ("free", 0))
    ]
    given = Given(order_of(shipping_methods=methods), all_back("all_back"))

    assert come_home(given, 2, "mug") == 2550
    assert parts_of(given, "charge:post") == {"price": 500, "tax:10": 50}


def test_never_and_named_amounts_leave_charges_alone() -> None:
    """A refund that was named is final; a rule may keep delivery for good."""
    given = Given(sold(EXPRESS), all_back("never"))
    assert come_home(given, 3) == 5400

    given = Given(sold(EXPRESS), all_back("all_back"))
    given.when(request(3, "shirt", refund_amount=100))
    given.when(received(shirt=3))
    assert (given.the().refunded, given.the().charges_back) == (usd(100), ())

    given = Given(sold(EXPRESS), all_back("all_back"))
    given.when(request(3, "shirt"))
    given.when(evolve(received(shirt=3), refund_amount=100))
    assert (given.the().refunded, given.the().charges_back) == (usd(100), ())
    assert names_and_amounts(given.the()) == {"item:shirt": 5400, "custom_amount": -5300}


BY_TAG = policy_of(
    ReturnRule(name="never", when={"never"}),
    ReturnRule(name="share", when={"share"}, charges_back="share"),
    ReturnRule(name="all", charges_back="all_back"),
)


def tagged(given: Given, *tags: str) -> list[int]:
    """Brings a shirt home for each tag; returns what each refund gives back of charges."""
    back = []
    for tag in tags:
        given.when(requested(asked("shirt", tags=[tag])))
        return_id = given.ledger.returns[-1].id
        given.when(received(return_id, shirt=1))
        back.append(sum(each.amount for each in given.the(return_id).charges_back))
    return back


def test_mixed_rules_never_give_back_twice() -> None:
    """What shares gave back is gone; the last unit gives back the rest, unless its rule never does."""
    assert tagged(Given(sold(EXPRESS), BY_TAG), "share", "all", "all") == [163, 0, 327]
    assert tagged(Given(sold(EXPRESS), BY_TAG), "all", "share", "share") == [0, 163, 327]
    assert tagged(Given(sold(EXPRESS), BY_TAG), "never", "share", "share") == [0, 164, 163]
    assert tagged(Given(sold(EXPRESS), BY_TAG), "share", "never", "share") == [163, 0, 164]
    assert tagged(Given(sold(EXPRESS), BY_TAG), "all", "share", "never") == [0, 163, 0]
    assert tagged(Given(sold(EXPRESS), BY_TAG), "never", "never", "all") == [0, 0, 490]


def test_a_line_that_does_not_arrive_gives_back_nothing() -> None:
    """Only the rules of what is paid for count."""
    given = Given(sold(EXPRESS), BY_TAG)
    given.when(requested(asked("shirt", tags=["never"]), asked("shirt", quantity=2)))

    given.when(evolve(received(shirt=1), allow_mismatch=True))

    assert given.the().charges_back == ()


def test_an_open_return_gives_nothing_back_and_a_canceled_one_neither() -> None:
    """All is back once the last of several parcels arrives, whichever it is."""
    given = Given(sold(EXPRESS), all_back("all_back"))
    given.when(request(1, "shirt"))
    given.when(request(1, "shirt"))
    given.when(request(1, "shirt"))
    given.when(CancelReturn(return_id="ret_2"))

    given.when(received("ret_3", shirt=1))
    given.when(received("ret_1", shirt=1))
    assert [given.the(f"ret_{number}").charges_back for number in (1, 2, 3)] == [(), (), ()]
    assert come_home(given, 1) == 1800 + 490


def test_parcels_of_one_return_give_back_once() -> None:
    """Each is paid what is given back so far, less what was paid; a rejected unit gives back no share."""
    for mode, first in (("all_back", 0), ("share", 163)):
        given = Given(sold(EXPRESS), all_back(mode))
        given.when(request(3, "shirt"))
        given.when(evolve(received(shirt=1), more_expected=True))
        assert given.the().refunded == usd(1800 + first)
        assert names_and_amounts(given.the())["charge:express"] == 490  # the quote
        given.when(received(shirt=2))
        assert given.the().refunded == usd(5400 + 490)

    given = Given(sold(EXPRESS), all_back("share"))
    given.when(request(3, "shirt"))
    given.when(evolve(received(shirt=1), more_expected=True))
    given.when(evolve(received(shirt=1)))
    kept = RejectedItem(item_id="shirt", quantity=1, send_back=False)
    given.when(ResolveReturn(return_id="ret_1", rejected=[kept]))
    assert given.the().refunded == usd(1800 + 163)


def test_a_share_is_taken_back_only_as_far_as_it_was_not_paid() -> None:
    """A unit that was paid for cannot be rejected, so that its share stays."""
    given = Given(sold(EXPRESS), all_back("share"))
    given.when(request(3, "shirt"))
    given.when(evolve(received(shirt=2), more_expected=True))
    back = RejectedItem(item_id="shirt", quantity=1)

    refusal = given.refuses(ResolveReturn(return_id="ret_1", rejected=[back]))

    assert refusal.violations == (
        Violation(
            "rejected_already_refunded", None, {"return_id": "ret_1", "entitled": 3927, "accepted": 1964}
        ),
    )


def claim_one(given: Given) -> None:
    """Claims one shirt, which is refunded."""
    items = [ClaimItem(item_id="shirt", quantity=1, reason="missing_item")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=items))


def test_claimed_units_are_not_left_with_the_customer() -> None:
    """Their share of a charge is not given back with the others'; all the charge is, once all is back."""
    given = Given(sold(EXPRESS), all_back("share"))
    claim_one(given)
    given.when(request(2, "shirt"))
    given.when(received("ret_2", shirt=2))
    assert [each.amount for each in given.the("ret_2").charges_back] == [327]

    given = Given(sold(EXPRESS), all_back("all_back"))
    claim_one(given)
    given.when(request(2, "shirt"))
    given.when(received("ret_2", shirt=2))
    assert [each.amount for each in given.the("ret_2").charges_back] == [490]


def test_units_that_are_still_to_be_sent_are_not_back() -> None:
    """Delivery is not undone while a part of the order is to be delivered."""
    shirt = gross("shirt", 3, 2000, fulfilled_quantity=2)
    given = Given(order_of(shirt, charges=[EXPRESS]), all_back("all_back"))

    assert come_home(given, 2) == 4000
    put(given, items=[evolve(shirt, fulfilled_quantity=3)])
    assert come_home(given, 1) == 2490


def test_charges_that_the_host_changed_give_back_what_is_left() -> None:
    """A lower charge, or one with other taxes, never gives back more than it is now."""
    given = Given(sold(EXPRESS), all_back("share"))
    assert come_home(given, 1) == 1800 + 163
    put(given, charges=[evolve(EXPRESS, tax_lines=vat("7"))])
    assert come_home(given, 1) == 1800 + 164
    put(given, charges=[evolve(EXPRESS, refundable=usd(100))])
    assert come_home(given, 1) == 1800
    put(given, charges=[])
    assert [each.amount for each in given.the("ret_1").charges_back] == [163]

    given = Given(sold(EXPRESS), all_back("share"))
    assert come_home(given, 2) == 3600 + 327
    put(given, charges=[evolve(EXPRESS, tax_lines=[])])
    assert come_home(given, 1) == 1800 + 163
    assert parts_of(given, "charge:express", "ret_2") == {}


def test_goods_of_an_exchange_give_back_no_charges_until_it_is_canceled() -> None:
    """New goods take the place of those that come back."""
    given = Given(sold(EXPRESS), all_back("all_back"))
    given.when(
        RequestExchange(
            order_id="order_1",
            items=[asked("shirt", 3)],
            new_items=[NewItem(variant_id="v", quantity=1, unit_price=9000)],
        )
    )
    given.when(received(shirt=3))
    assert given.the().charges_back == ()
    given.when(CancelExchange(exchange_id="exc_1"))
    assert given.the().refunded == usd(5400 + 490)


def test_free_goods_have_no_share_of_a_charge_until_all_are_back() -> None:
    """Nothing was paid for goods: the charge is given back with the last one."""
    order = order_of(line(price=0), charges=[Charge("post", "shipping", usd(100))])
    given = Given(order, all_back("share"))

    assert [come_home(given, 1, "mug") for _ in range(2)] == [0, 100]


# -- goods that are kept --------------------------------------------------------------------------

KEPT = ReturnRule(name="keep it", when={"reason:damaged"}, goods="kept", worth_at_most=2000)


def test_number_6_goods_that_are_kept_are_paid_for_at_once() -> None:
    """Number 6: received with nothing to come; its units are gone for good, and no label is booked."""
    given = Given(order_of(line(quantity=3)), policy_of(KEPT, ReturnRule(name="rest")))

    events = given.when(
        requested(
            asked(quantity=2, reason_id="rr_damaged"), idempotency_key="k", created_by="customer", **LABEL
        )
    )

    assert [type(event) for event in events] == [ReturnRequested, GoodsReceived]
    ret = given.the()
    assert (ret.status, ret.refunded, ret.shipping_method) == (ReturnStatus.RECEIVED, usd(2000), None)
    assert list(given.ledger.open_effects) == ["ret_1-refund-1"]
    assert (ret.items[0].kept_quantity, ret.items[0].arrived_quantity, ret.items[0].missing_quantity) == (
        2,
        0,
        0,
    )
    assert (offered(given).quantity, offered(given).reasons) == (1, ("kept_by_customer",))
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_already_received"]
    assert given.refuses(request(2)).violations[0].numbers["returnable"] == 1


def test_dearer_goods_come_back() -> None:
    """The next rule speaks for units that are worth more together."""
    given = Given(order_of(line(quantity=3)), policy_of(KEPT, ReturnRule(name="rest")))
    given.when(requested(asked(quantity=3, reason_id="rr_damaged")))

    assert (given.the().items[0].rule, given.the().status) == ("rest", ReturnStatus.REQUESTED)


def test_some_goods_are_kept_and_others_come_back() -> None:
    """What is kept is paid for at once; the label is for the rest, which is expected as another parcel is."""
    given = Given(order_of(line(), line("tea", price=500)), policy_of(KEPT, ReturnRule(name="rest")))
    given.when(requested(asked(quantity=2, reason_id="rr_damaged"), asked("tea", quantity=2), **LABEL))

    ret = given.the()
    assert (ret.status, ret.refunded) == (ReturnStatus.PARTIALLY_RECEIVED, usd(2000))
    shipment = given.ledger.open_effects["ret_1-shipment-1"].request
    assert [each.item_id for each in getattr(shipment, "lines", ())] == ["tea"]
    assert ret.quoted_refund == usd(3000 - 390)
    given.when(received(tea=2))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(3000 - 390))


def test_the_timeline_says_what_is_kept() -> None:
    """And what a parcel gives back of charges so far."""
    order = order_of(line(), line("tea", price=500), charges=[Charge("post", "shipping", usd(300))])
    kept = evolve(KEPT, charges_back="share")
    given = Given(order, policy_of(kept, ReturnRule(name="rest")))
    given.when(requested(asked(quantity=2, reason_id="rr_damaged"), asked("tea")))

    entry = timeline("order_1", given.history)[1]

    assert entry.summary == "ret_1: nothing to send back, partially received"
    assert entry.details == ("2 x mug kept by the customer", "money: 22.00 USD back to pay_1")
    assert entry.amount == usd(2200)
    assert {part.name: part.amount.amount for part in entry.breakdown} == {
        "item:mug": 2000,
        "charge:post": 200,
    }


def test_a_clerk_closes_what_is_kept_and_does_not_come() -> None:
    """Nothing arrived, and something is paid for."""
    given = Given(order_of(line(), line("tea")), policy_of(KEPT, ReturnRule(name="rest")))
    given.when(requested(asked(reason_id="rr_damaged"), asked("tea")))

    given.when(ReceiveReturn(return_id="ret_1", allow_mismatch=True))

    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(1000))
    assert offered(given).quantity == 1


def test_new_goods_are_sent_at_once_for_goods_that_are_kept() -> None:
    """An exchange of goods that stay where they are is completed by its request."""
    given = Given(policy=policy_of(KEPT, ReturnRule(name="rest")))
    exchange = RequestExchange(
        order_id="order_1",
        items=[asked(reason_id="rr_damaged")],
        new_items=[NewItem(variant_id="v", quantity=1, unit_price=1000)],
    )

    events = given.when(exchange)

    assert isinstance(events[-1], ExchangeReceived)
    assert list(given.ledger.open_effects) == ["exc_1-replacement-1"]
    given.when(evolve(exchange, items=[asked(quantity=1)]))
    assert given.the("ret_2").status is ReturnStatus.REQUESTED


def test_an_exchange_of_some_goods_that_are_kept_waits_for_the_rest() -> None:
    """It is paid once, when all its goods are here."""
    given = Given(order_of(line(), line("tea")), policy_of(KEPT, ReturnRule(name="rest")))
    exchange = RequestExchange(
        order_id="order_1",
        items=[asked(reason_id="rr_damaged"), asked("tea")],
        new_items=[NewItem(variant_id="v", quantity=1, unit_price=500)],
    )
    given.when(exchange)

    assert (given.the().status, given.the().refunded) == (ReturnStatus.PARTIALLY_RECEIVED, usd(0))
    given.when(received(tea=1))
    assert given.the().refunded == usd(1500)


def test_a_refund_of_kept_goods_that_exceeds_the_payments_is_blocked() -> None:
    """As any refund is."""
    given = Given(order_of(captured=100), policy_of(KEPT))

    given.when(requested(asked(reason_id="rr_damaged")))

    assert given.the().entitlement.is_refund_blocked


# -- a host's own rules ---------------------------------------------------------------------------

Answer = Violation | Review | None


def judged_by(answer: Callable[[Any, LineItem, RequestedItem], Any]) -> Given:
    """Returns a shop with a rule of its own."""

    class Judged(Given):
        def facts(self, command: Any) -> Any:
            return evolve(super().facts(command), host_rules=(HostRule("risk", answer),))

    return Judged(order_of(line(), line("tea")))


def test_a_rule_of_the_host_is_asked_about_each_line() -> None:
    """What it refuses is reported like ours; what it said is kept with the item."""

    def risk(facts: Any, of: LineItem, units: RequestedItem) -> Answer:
        assert facts.order.items
        if units.quantity > 1:
            return Violation("too_many", numbers={"most": 1})
        return Review("looks odd") if of.id == "tea" else None

    given = judged_by(risk)

    refusals = given.refuses(requested(asked(quantity=2), asked("tea"), asked("tea", quantity=0))).violations
    given.when(requested(asked(), asked("tea")))
    given.when(requested(asked("tea", quantity=1)))

    assert [(each.code, each.item_id) for each in refusals] == [
        ("too_many", "mug"),
        ("invalid_quantity", "tea"),
    ]
    mug, tea = given.the().items
    assert mug.ruling is not None
    assert tea.ruling is not None
    assert [(each.rule, each.review, each.reason) for each in mug.ruling.answers] == [("risk", False, None)]
    assert [(each.rule, each.review, each.reason) for each in tea.ruling.answers] == [
        ("risk", True, "looks odd")
    ]
    assert needs_review(given.the().items, given.the().terms)
    assert not needs_review([mug], given.the().terms)


def test_a_person_overrules_a_rule_of_the_host_too() -> None:
    """What it refused is kept."""
    given = judged_by(lambda *_: Violation("risky", "another line"))

    assert given.codes(request(1)) == ["risky"]
    given.when(request(1, overrule="known customer"))

    ruling = given.the().items[0].ruling
    assert ruling is not None
    assert (ruling.is_overruled, ruling.answers[0].refused_code) == (True, "risky")


def test_a_person_who_overrules_a_rule_of_the_host_keeps_the_rule_that_spoke() -> None:
    """Its terms but for its fees: who pays the way back, and that it spoke; other lines keep their fees."""
    fee = Fee("handling", percent=10)
    given = judged_by(lambda _, of, __: Violation("risky") if of.id == "mug" else None)
    given.policy = policy_of(ReturnRule(name="all", way_back="merchant", fees=[fee]))
    overruled = requested(asked(), asked("tea"), overrule="known", shipping_option_id="so_return")

    given.when(overruled)

    mug, tea = given.the().items
    assert [(each.rule, each.is_overruled) for each in (mug, tea)] == [("all", True), ("all", False)]
    assert names_and_amounts(given.the()) == {"item:mug": 1000, "item:tea": 1000, "fee:handling": -100}
    assert mug.ruling is not None
    assert mug.ruling.answers[0].refused_code == "risky"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda *_: True, "it answered a bool, not a Violation, a Review or None"),
        (lambda _, of, __: dict[str, str]()[of.id], r"it raised KeyError\('mug'\)"),
        (lambda *_: Review(5), "it raised InvalidValue"),  # type: ignore[arg-type] # what is wrong
        (lambda *_: Violation(""), "it answered a Violation whose code is '', not a name"),
    ],
)
def test_a_rule_of_the_host_that_fails_is_reported_by_its_name(answer: Any, problem: str) -> None:
    """A host's function that raises or returns True has a mistake in it; nothing was changed."""
    given = judged_by(answer)
    before = given.ledger

    with pytest.raises(InvalidValue, match=f"the host's rule risk failed: {problem}") as error:
        given.when(request(1))

    assert (error.value.code, error.value.details["rule"]) == ("host_rule_failed", "risk")
    assert (error.value.__cause__ is not None) == ("raised" in problem)
    assert given.ledger == before
    with pytest.raises(InvalidValue, match="the host's rule risk failed"):
        returnable_items(
            order_of(), given.ledger, given.policy, given.now, host_rules=[HostRule("risk", answer)]
        )
    with pytest.raises(InvalidValue, match="a function that answers at once"):
        HostRule("risk", "no function")  # type: ignore[arg-type] # what is refused


def test_a_rule_asks_for_a_review() -> None:
    """One item under it is enough."""
    rules = (ReturnRule(name="dear", when={"dear"}, review=True), ReturnRule(name="rest"))
    given = Given(order_of(line(), line("tea", tags=["dear"])), policy_of(*rules))
    given.when(request(1))
    given.when(requested(asked(), asked("tea")))

    assert [needs_review(each.items, each.terms) for each in given.ledger.returns] == [False, True]
