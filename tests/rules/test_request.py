"""RequestReturn."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from attrs import evolve

from rma import (
    AmountPart,
    Fee,
    Invalid,
    InvalidValue,
    Money,
    NotAllowed,
    NotFound,
    Order,
    OrderStatus,
    Payment,
    RequestedItem,
    RequestReturn,
    ReturnPolicy,
    ReturnRequested,
    ReturnStatus,
    ShippingOption,
    TaxLine,
)
from rma.domain.change import apply_command
from rma.domain.messages.effects import ReturnShipmentRequest
from rma.domain.react import react
from rma.testing.core_harness import START
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
    vat,
)


def test_a_request_reserves_units_and_quotes_what_they_are_worth() -> None:
    """
    A request of two of three mugs reserves them and quotes their price less discount plus tax, part by
    part.
    """
    given = Given(order_of(line(quantity=3, price=1000, adjustments=off(300), tax_lines=vat("20"))))

    (event,) = given.when(request(2, created_by="anna", metadata={"via": "portal"}))

    ret = given.the()
    assert isinstance(event, ReturnRequested)
    assert event.opened == ret
    assert (event.by, event.at, event.event_id) == ("anna", given.now, "order_1/1/1")
    assert ret.status is ReturnStatus.REQUESTED
    assert ret.refund_amount == usd(2160)
    assert ret.breakdown == (
        AmountPart(
            "item:mug",
            usd(2160),
            (
                AmountPart("price", usd(2000)),
                AmountPart("discount:1", usd(-200)),
                AmountPart("tax:20", usd(360)),
            ),
        ),
    )
    assert (ret.id, ret.display_id, ret.order_version, ret.created_by) == ("ret_1", 1, 2, "anna")
    assert ret.metadata == {"via": "portal"}
    assert ret.requested_at == ret.updated_at == given.now
    assert (ret.received_at, ret.canceled_at, ret.shipping_method, ret.shipping_data) == (None,) * 4
    assert react(event) == ()
    assert given.codes(request(2)) == ["quantity_exceeds_returnable"]


def test_contained_tax_is_shown_and_not_added() -> None:
    """Contained tax is a part of the breakdown and does not increase the refund."""
    given = Given(
        order_of(
            line(quantity=1, price=1500, is_tax_inclusive=True, adjustments=off(300), tax_lines=vat("20"))
        )
    )

    given.when(request(1))

    assert given.the().breakdown == (
        AmountPart(
            "item:mug",
            usd(1200),
            (
                AmountPart("price", usd(1300)),
                AmountPart("discount:1", usd(-300)),
                AmountPart("tax:20", usd(200)),
            ),
        ),
    )


def test_parts_are_named_by_code_name_rate_or_number() -> None:
    """
    A part of the breakdown is named by the code or name of its discount or tax, or else by number or rate.
    """
    taxes = [TaxLine(Decimal("7.50"), code="vat"), TaxLine(Decimal(5), name="City"), TaxLine("2.50")]
    given = Given(
        order_of(
            line(adjustments=[*off(10), evolve(off(10)[0], code="SUMMER")], tax_lines=taxes),
            adjustments=[evolve(off(10)[0], code="WELCOME"), *off(1)],
        )
    )

    given.when(request(2))

    (item,) = given.the().breakdown
    assert [part.name for part in item.parts] == [
        "price",
        "discount:1",
        "discount:SUMMER",
        "discount:WELCOME",
        "discount:4",
        "tax:vat",
        "tax:City",
        "tax:2.5",
    ]


def test_a_charged_tax_amount_replaces_the_rate() -> None:
    """A tax line with an amount is refunded by that amount, on top of the price or contained in it."""
    given = Given(
        order_of(
            line("a", 1, 1000, tax_lines=vat("20", amount=usd(199))),
            line("b", 1, 1200, tax_lines=vat("20", amount=usd(201)), is_tax_inclusive=True),
        )
    )
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in "ab"]

    given.when(RequestReturn(order_id="order_1", items=items))

    a, b = given.the().breakdown
    assert (a.amount, b.amount) == (usd(1199), usd(1200))
    assert [part.amount for part in b.parts] == [usd(999), usd(201)]


def test_an_orders_discount_is_allocated_to_its_lines_by_value() -> None:
    """A discount of 1.00 on the order is split as 0.33 and 0.67 over lines of 10.00 and 20.00."""
    given = Given(order_of(line("a", 1, 1000), line("b", 1, 2000), adjustments=off(100)))
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in "ab"]

    given.when(RequestReturn(order_id="order_1", items=items))

    assert names_and_amounts(given.the()) == {"item:a": 967, "item:b": 1933}


def test_units_that_the_host_counts_as_returned_are_not_returnable() -> None:
    """If the host counts one of three units as returned, the other two are worth the rest of the line."""
    given = Given(order_of(line(quantity=3, returned_quantity=1, adjustments=off(100))))

    given.when(request(2))

    assert given.the().refund_amount == usd(2900 - 967)
    assert given.codes(request(1)) == ["quantity_exceeds_returnable"]


def test_units_that_the_host_counts_as_returned_later_lower_what_is_returnable() -> None:
    """
    A unit that the host counts as returned after a request is not returnable, and the price of the others
    stays.
    """
    given = Given(order_of(line(quantity=3)))
    given.when(request(1))
    put(given, items=[line(quantity=3, returned_quantity=1)])

    error = given.refuses(request(2))
    given.when(request(1))

    assert error.violations[0].numbers == {"quantity": 2, "returnable": 1}
    assert given.the("ret_2").refund_amount == usd(1000)


def test_units_that_an_edit_adds_are_returnable() -> None:
    """What was paid and what can come back are read from the order as it is now."""
    given = Given(order_of(line(quantity=2)))
    given.when(request(1))
    put(given, items=[line(quantity=5)])
    added = given.refuses(request(5))
    put(given, items=[line(quantity=5, returned_quantity=1)])

    assert added.violations[0].numbers == {"quantity": 5, "returnable": 4}
    assert given.refuses(request(4)).violations[0].numbers == {"quantity": 4, "returnable": 3}


def test_a_line_that_shrank_below_its_reserved_units_has_nothing_returnable() -> None:
    """If an edit leaves fewer units than are reserved, 0 units are returnable, not a negative number."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(3))
    put(given, items=[line(quantity=1)])

    assert given.refuses(request(1)).violations[0].numbers == {"quantity": 1, "returnable": 0}


def test_a_line_may_be_returned_twice_in_one_request_for_different_reasons() -> None:
    """A line in two requested items gives two return items, whose sum is limited and booked together."""
    given = Given(order_of(line(quantity=3, price=1000, adjustments=off(100))))
    items = [
        RequestedItem(item_id="mug", quantity=1, reason_id="rr_big", note="too big", metadata={"n": 1}),
        RequestedItem(item_id="mug", quantity=2, reason_id="rr_damaged"),
    ]

    given.when(RequestReturn(order_id="order_1", items=items, shipping_option_id="so_return"))

    ret = given.the()
    assert [(item.quantity, item.reason_id, item.note) for item in ret.items] == [
        (1, "rr_big", "too big"),
        (2, "rr_damaged", None),
    ]
    assert ret.items[0].metadata == {"n": 1}
    assert ret.refund_amount == usd(2900 - 200)
    (booking,) = [open_.request for open_ in given.ledger.open_effects.values()]
    assert isinstance(booking, ReturnShipmentRequest)
    assert [each.quantity for each in booking.lines] == [3]


def test_return_shipping_is_booked_and_its_price_with_tax_deducted() -> None:
    """A request with a shipping option books the shipment and deducts its price of 2.00 with 12.5 % tax."""
    given = Given()
    taxed = ShippingOption(
        id="so", price=usd(200), tax_lines=vat("12.5"), location_id="loc", provider_id="post"
    )
    given.options["so"] = taxed

    given.when(request(1, shipping_option_id="so"))

    ret = given.the()
    assert ret.refund_amount == usd(775)
    assert names_and_amounts(ret) == {"item:mug": 1000, "return_shipping": -225}
    assert ret.location_id == "loc"
    assert ret.shipping_method is not None
    method = ret.shipping_method
    assert (method.subtotal, method.tax_total, method.total) == (usd(200), usd(25), usd(225))
    assert effect_kinds(given.ledger) == ["shipment-1"]
    booking = given.ledger.open_effects["ret_1-shipment-1"].request
    assert isinstance(booking, ReturnShipmentRequest)
    assert (booking.provider_id, booking.location_id, booking.shipping_method) == ("post", "loc", method)
    assert [(each.item_id, each.variant_id, each.quantity) for each in booking.lines] == [("mug", "v_mug", 1)]


def test_contained_tax_of_return_shipping_is_not_deducted_twice() -> None:
    """Return shipping of 2.25 that contains its tax deducts 2.25."""
    given = Given()
    given.options["so"] = ShippingOption(
        id="so",
        price=225,
        tax_lines=vat("12.5"),
        is_tax_inclusive=True,
    )

    given.when(request(1, shipping_option_id="so"))

    method = given.the().shipping_method
    assert method is not None
    assert (method.subtotal, method.tax_total, method.total) == (usd(200), usd(25), usd(225))
    assert given.the().refund_amount == usd(775)


def test_a_shipping_price_of_the_request_replaces_that_of_the_option() -> None:
    """A shipping price of the request is taxed by the rate of the option, not by its charged tax amount."""
    given = Given()
    given.options["so"] = ShippingOption(id="so", price=usd(200), tax_lines=vat("10", amount=usd(99)))

    given.when(request(1, shipping_option_id="so", shipping_price=usd(100)))

    assert names_and_amounts(given.the())["return_shipping"] == -110


def test_free_return_shipping_is_not_a_deduction() -> None:
    """A shipping price of 0 deducts nothing."""
    given = Given()

    given.when(request(1, shipping_option_id="so_return", shipping_price=0))

    assert names_and_amounts(given.the()) == {"item:mug": 1000}


def test_a_fee_in_percent_is_rounded_half_up() -> None:
    """A fee of half a cent is rounded to a cent."""
    given = Given(policy=ReturnPolicy(fees=[Fee("restocking", percent="0.05")]))

    given.when(request(1))

    assert names_and_amounts(given.the()) == {"item:mug": 1000, "fee:restocking": -1}


def test_deductions_are_limited_to_the_value_of_the_goods() -> None:
    """Shipping and fees above the value of the goods leave a refund of 0, and the parts still add up."""
    given = Given(order_of(line(price=100)), ReturnPolicy(fees=[Fee("handling", amount=usd(100))]))

    given.when(request(1, shipping_option_id="so_return"))

    assert given.the().refund_amount == usd(0)
    assert names_and_amounts(given.the()) == {"item:mug": 100, "return_shipping": -100, "fee:handling": 0}


def test_fees_are_deducted_from_the_value_of_the_goods() -> None:
    """
    A fee in percent and a fixed fee are deducted from the goods, and the terms are stored with the return.
    """
    policy = ReturnPolicy(
        name="de",
        version="7",
        fees=[Fee("restocking", percent="15"), Fee("handling", amount=100)],
    )
    given = Given(policy=policy)

    given.when(request(2))

    assert names_and_amounts(given.the()) == {"item:mug": 2000, "fee:restocking": -300, "fee:handling": -100}
    assert given.the().refund_amount == usd(1600)
    assert given.the().terms == policy.terms
    assert (given.the().terms.name, given.the().terms.version) == ("de", "7")


def test_a_requested_refund_is_final() -> None:
    """Neither shipping nor fees are deducted from a requested refund."""
    given = Given(policy=ReturnPolicy(fees=[Fee("handling", amount=usd(100))]))

    given.when(request(2, refund_amount=usd(700), shipping_option_id="so_return"))

    assert given.the().refund_amount == usd(700)
    assert names_and_amounts(given.the()) == {"item:mug": 2000, "custom_amount": -1300}


def test_a_requested_refund_of_zero_is_an_amount() -> None:
    """A requested refund of 0 gives a refund of 0, not the computed one."""
    given = Given()

    given.when(request(2, refund_amount=0))

    assert given.the().refund_amount == usd(0)


def test_a_computed_amount_above_what_is_refundable_does_not_stop_a_request() -> None:
    """A request is accepted although its computed refund exceeds what is refundable."""
    given = Given(order_of(captured=100))

    given.when(request(2))

    assert given.the().refund_amount == usd(2000)


def test_what_the_hosts_rounding_makes_unpayable_is_not_quoted() -> None:
    """39.99 of 40.00 were captured: that is quoted, with a rounding part, and paid once all arrives."""
    given = Given(order_of(line(quantity=4), captured=3999))
    given.when(request(4))

    quoted = given.the()
    assert (quoted.quoted_refund, quoted.refund_amount) == (usd(3999), usd(3999))
    assert names_and_amounts(quoted) == {"item:mug": 4000, "rounding": -1}
    given.when(receive(4))
    assert (given.the().refunded, given.the().breakdown) == (usd(3999), quoted.breakdown)

    given = Given(order_of(line(quantity=4), captured=3998))
    given.when(request(4))
    assert given.the().refund_amount == usd(4000)  # 0.02 is too much for one line: a person decides


def test_notification_and_location_come_from_the_request_else_from_order_and_option() -> None:
    """The request decides notification and location; by default, the order and the shipping option do."""
    given = Given(order_of(line(quantity=9), no_notification=True))

    given.when(request(1, shipping_option_id="so_return"))
    given.when(request(1, shipping_option_id="so_return", location_id="mine", no_notification=False))
    given.when(request(1))

    first, second, third = given.ledger.returns
    assert (first.no_notification, first.location_id) == (True, "loc_1")
    assert (second.no_notification, second.location_id) == (False, "mine")
    assert (third.no_notification, third.location_id) == (True, None)
    assert [event.no_notification for event in given.history] == [True, False, True]


def test_order_versions_and_display_ids_count_up() -> None:
    """Each return has the next display id, and the next order version from that of the order."""
    given = Given(order_of(version=5))

    given.when(request(1))
    given.when(request(1))

    assert [(ret.display_id, ret.order_version) for ret in given.ledger.returns] == [(1, 6), (2, 7)]


def test_the_window_closes_after_its_last_day() -> None:
    """The window is counted from delivery, or else from the order, and does not close without either date."""
    policy = ReturnPolicy(window_days=14)
    delivered = Given(order_of(line(quantity=9, delivered_at=START), created_at=START), policy)
    ordered = Given(order_of(line(quantity=9), created_at=START), policy)
    unknown = Given(order_of(line(quantity=9)), policy)

    for given in (delivered, ordered, unknown):
        given.now = START + timedelta(days=14, minutes=-1)
        given.when(request(1))
        given.now = START + timedelta(days=14, minutes=1)

    for given in (delivered, ordered):
        (violation,) = given.refuses(request(1)).violations
        assert violation.code == "return_window_closed"
        assert violation.numbers == {"until": (START + timedelta(days=14)).isoformat()}
    assert unknown.when(request(1))


def test_all_violations_are_reported_at_once_in_the_order_of_the_request() -> None:
    """The refusal lists every violation with its line and numbers; the gravest gives class and code."""
    given = Given(order_of(line("a"), line("b", is_returnable=False), line("c", fulfilled_quantity=1)))
    items = [
        RequestedItem(item_id="a", quantity=3),
        RequestedItem(item_id="b", quantity=0),
        RequestedItem(item_id="c", quantity=1, reason_id="rr_size"),
        RequestedItem(item_id="c", quantity=1, reason_id="rr_old"),
        RequestedItem(item_id="x", quantity=1, reason_id="rr_none", metadata=[]),  # type: ignore[arg-type] # the point
    ]
    command = RequestReturn(
        order_id="order_1",
        items=items,
        shipping_option_id="so_none",
        shipping_price=-1,
        refund_amount=usd(20_000),
        idempotency_key="",
        metadata="x",  # type: ignore[arg-type] # the point
    )

    error = given.refuses(command)

    assert [(violation.code, violation.item_id) for violation in error.violations] == [
        ("quantity_exceeds_returnable", "a"),
        ("item_not_returnable", "b"),
        ("invalid_quantity", "b"),
        ("quantity_exceeds_returnable", "c"),
        ("return_reason_is_category", "c"),
        ("return_reason_retired", "c"),
        ("item_not_found", "x"),
        ("return_reason_not_found", "x"),
        ("invalid_metadata", "x"),
        ("shipping_option_not_found", None),
        ("invalid_shipping_price", None),
        ("refund_exceeds_refundable", None),
        ("invalid_metadata", None),
        ("invalid_idempotency_key", None),
    ]
    assert type(error) is NotFound
    assert (error.code, error.http_status_hint) == ("shipping_option_not_found", 404)
    assert error.violations[0].numbers == {"quantity": 3, "returnable": 2}
    assert str(error).startswith("line a: asked to return 3, only 2 returnable; line b: this item cannot")


def test_an_order_that_does_not_exist_is_reported_with_the_rest() -> None:
    """An unknown order is reported together with the violations that do not depend on it."""
    given = Given()
    given.order = None

    error = given.refuses(request(0, refund_amount=-1, shipping_option_id="so_return", shipping_price=5))

    assert type(error) is NotFound
    assert [violation.code for violation in error.violations] == [
        "order_not_found",
        "invalid_quantity",
        "invalid_refund_amount",
    ]


def test_a_canceled_order_takes_no_requests() -> None:
    """A request is refused for a canceled order and accepted for one of any other status."""
    for status in OrderStatus:
        given = Given(order_of(status=status))
        if status is OrderStatus.CANCELED:
            assert type(given.refuses(request())) is NotAllowed
            assert given.codes(request()) == ["order_canceled"]
        else:
            assert given.when(request())


@pytest.mark.parametrize("quantity", [0, -1, 0.5, 1.0, True, "1", None])
def test_quantities_are_whole_and_at_least_1(quantity: object) -> None:
    """A quantity that is not an integer of at least 1, such as True or 1.0, is refused."""
    given = Given()

    error = given.refuses(request(quantity))  # type: ignore[arg-type] # the point

    assert type(error) is Invalid
    assert [violation.code for violation in error.violations] == ["invalid_quantity"]
    assert error.violations[0].item_id == "mug"


@pytest.mark.parametrize(
    "items", [None, 5, "mug", [{"item_id": "mug"}], [RequestedItem(item_id=cast("str", 7), quantity=1)]]
)
def test_items_are_a_list_of_requested_items(items: object) -> None:
    """A request whose items are not a list of RequestedItem is refused with `invalid_items`."""
    command = RequestReturn(order_id="order_1", items=items)  # type: ignore[arg-type] # the point

    assert Given().codes(command) == ["invalid_items"]


def test_a_request_needs_an_item() -> None:
    """A request without items is refused with `no_items`."""
    assert Given().codes(RequestReturn(order_id="order_1", items=[])) == ["no_items"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"shipping_option_id": "so_none"}, "shipping_option_not_found"),
        ({"shipping_option_id": "so_out"}, "not_a_return_option"),
        ({"shipping_price": usd(5)}, "shipping_price_without_option"),
        ({"shipping_price": usd(-5), "shipping_option_id": "so_return"}, "invalid_shipping_price"),
        ({"shipping_price": 1.5, "shipping_option_id": "so_return"}, "invalid_shipping_price"),
        ({"shipping_price": Money(5, "eur"), "shipping_option_id": "so_return"}, "currency_mismatch"),
        ({"refund_amount": usd(-1)}, "invalid_refund_amount"),
        ({"refund_amount": "5"}, "invalid_refund_amount"),
        ({"refund_amount": True}, "invalid_refund_amount"),
        ({"refund_amount": Money(5, "eur")}, "currency_mismatch"),
        ({"refund_amount": usd(10_001), "refund_note": "all"}, "refund_exceeds_refundable"),
        ({"idempotency_key": 5}, "invalid_idempotency_key"),
        ({"no_notification": "no"}, "invalid_flag"),
        ({"location_id": [1]}, "invalid_text"),
        ({"created_by": 7}, "invalid_text"),
    ],
)
def test_each_invalid_field_is_refused_with_its_code(more: dict[str, Any], code: str) -> None:
    """A request with one invalid field is refused with exactly one violation."""
    assert Given().codes(request(1, **more)) == [code]


def test_a_requested_refund_is_limited_to_what_is_refundable() -> None:
    """
    A requested refund may be at most what was captured, less refunds of the host and those in force here.
    """
    payments = [Payment(id="p", captured=usd(3000), refunded=usd(500))]
    given = Given(order_of(line(quantity=5), payments=payments))
    given.when(request(1))
    given.when(receive(1))

    assert given.when(request(1, refund_amount=usd(1500), refund_note="goodwill"))
    named = request(1, refund_amount=usd(1501), refund_note="goodwill")
    (violation,) = given.refuses(named).violations
    assert violation.numbers == {"amount": 1501, "refundable": 1500, "currency": "usd"}


def test_a_refund_above_the_value_of_the_units_needs_a_note() -> None:
    """20.00 for a mug of 10.00 would use up the money of other lines: a typing error has no note."""
    given = Given(order_of(line(quantity=3)))

    (violation,) = given.refuses(request(1, refund_amount=usd(2000))).violations
    given.when(request(1, refund_amount=usd(2000), refund_note="promised by phone"))
    given.when(request(1, refund_amount=usd(1000)))

    assert (violation.code, violation.numbers) == (
        "refund_exceeds_worth",
        {"amount": 2000, "value": 1000, "currency": "usd"},
    )
    assert given.the("ret_1").entitlement.refund_note == "promised by phone"
    assert given.the("ret_2").entitlement.refund_note is None


def test_an_option_in_another_currency_is_refused() -> None:
    """A shipping option in another currency than the order is refused; amounts are not converted."""
    given = Given()
    given.options["so"] = ShippingOption(id="so", price=Money(5, "gbp"))

    error = given.refuses(request(1, shipping_option_id="so"))

    assert [violation.numbers["currency"] for violation in error.violations] == ["gbp"]


def test_a_fee_in_another_currency_is_an_error_of_the_policy() -> None:
    """A policy with a fee in another currency raises InvalidValue instead of refusing the request."""
    given = Given(policy=ReturnPolicy(fees=[Fee("f", amount=Money(5, "eur")), Fee("g", percent=1)]))

    with pytest.raises(InvalidValue) as error:
        given.when(request(1))

    assert (error.value.code, error.value.details["currency"]) == ("currency_mismatch", "eur")
    assert str(error.value) == "fee f of policy default is in eur, the order in usd"
    assert not given.ledger.returns


def test_without_fulfillment_nothing_can_be_shipped() -> None:
    """A request with a shipping option is refused if the service has no fulfillment port."""
    given = Given()
    given.books_shipments = False

    assert given.codes(request(1, shipping_option_id="so_return")) == ["no_fulfillment"]


def test_an_integer_amount_is_in_the_currency_of_the_order() -> None:
    """Integer amounts of a request are minor units of the currency of the order."""
    given = Given()

    given.when(request(1, refund_amount=300, shipping_option_id="so_return", shipping_price=5))

    assert given.the().refund_amount == usd(300)


def test_several_commands_fold_into_one_change() -> None:
    """Two changes combined with `then` are one commit whose events are numbered in order."""
    given = Given()
    first = apply_command(given.facts(request(1)), given.ledger, request(1))

    facts = evolve(given.facts(request(1)), fresh_id="2")
    both = first.then(apply_command(facts, first.ledger, request(1)).events)

    assert (both.expected_revision, both.ledger.revision) == (0, 1)
    assert [event.event_id for event in both.events] == ["order_1/1/1", "order_1/1/2"]
    assert [ret.id for ret in both.ledger.returns] == ["ret_1", "ret_2"]


def test_reasons_and_notes_are_strings() -> None:
    """A reason id or a note that is a number is refused."""
    odd: Any = RequestedItem
    items = [odd(item_id="mug", quantity=1, reason_id=1, note=2)]

    assert Given().codes(RequestReturn(order_id="order_1", items=items)) == [
        "return_reason_not_found",
        "invalid_text",
    ]


def test_an_order_found_under_another_id_is_another_order() -> None:
    """
    An order whose id differs in case from that of the request is not found, so that one order has one
    ledger.
    """
    given = Given()
    put(given, id="ORDER_1")

    assert given.codes(request(1)) == ["order_not_found"]


def test_an_order_that_changed_its_currency_takes_no_requests() -> None:
    """Requests and receipts are refused after the order changed its currency."""
    given = Given()
    given.when(request(1))
    given.order = Order(id="order_1", currency="eur", items=[evolve(line(), unit_price=Money(1, "eur"))])

    (violation,) = given.refuses(request(1)).violations
    assert violation.code == "order_currency_changed"
    assert violation.numbers == {"currency": "eur", "return_currency": "usd"}
    assert given.codes(receive(1)) == ["order_currency_changed"]


def test_an_id_that_was_given_before_raises_invalid_value() -> None:
    """An id factory that repeats an id raises InvalidValue, so that no return is overwritten."""
    given = Given()
    given.when(request(1))

    with pytest.raises(InvalidValue) as error:
        apply_command(evolve(given.facts(request(1)), fresh_id="1"), given.ledger, request(1))

    assert str(error.value) == "id ret_1 was given before"


def test_metadata_are_stored() -> None:
    """Metadata are stored with tuples as lists, as JSON has them."""
    given = Given()

    given.when(request(1, metadata={"thing": None, "list": [{"a": (1,)}]}))

    assert given.the().metadata == {"thing": None, "list": [{"a": [1]}]}
