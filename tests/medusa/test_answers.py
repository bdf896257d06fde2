"""Tests of responses: how returns, reasons and orders are rendered."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    Adjustment,
    CancelReturn,
    LineItem,
    Money,
    NotFound,
    Order,
    OrderStatus,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    Rejected,
    RequestedItem,
    RequestReturn,
    Return,
    ReturnReason,
    ReturnService,
    ReturnShipment,
    ReturnShipmentRequest,
    ReturnStatus,
    ShippingOption,
    TaxLine,
    Unavailable,
)
from rma.adapters.medusa_api import (
    Page,
    order_response,
    reason_response,
    reason_tree_json,
    reasons_json,
    reasons_response,
    return_json,
    return_response,
    returns_response,
)
from rma.adapters.medusa_api.line_items import line_json
from rma.adapters.medusa_api.schemas import ANSWERS
from rma.adapters.medusa_api.serializers import status_of
from rma.adapters.memory import InMemoryFulfillment, InMemoryOrders, in_memory_service
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import counting
from rma.testing.strategies import command_sequences, line_items, orders
from tests.sql.watching import watch

from .documented import FIGURES, ITEM, LINE, METHOD, OPTION, REASON, REQUIRED, STATUSES, TAX_LINE
from .documented import ORDER as ORDER_FIELDS
from .schema_validators import strict_validator

AT = datetime(2019, 8, 24, 14, 15, 22, tzinfo=UTC)
VALIDATORS = {name: strict_validator(schema) for name, schema in ANSWERS.items()}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
POST = ShippingOption(
    id=str(FIGURES["option_id"]),
    name=str(FIGURES["option_name"]),
    price=Money(200, "usd"),
    tax_lines=[TaxLine(10, code="tax01", name="Tax Example")],
    location_id=str(FIGURES["location_id"]),
    provider_id="manual",
)
DAMAGED = ReturnReason(
    id=str(FIGURES["reason_id"]),
    value="damaged",
    label="Damaged goods",
    description="Items that are damaged",
    metadata={"car": "white"},
)
MUG = LineItem(
    id=str(FIGURES["item_id"]),
    title="Medusa Coffee Mug",
    variant_id=str(FIGURES["variant_id"]),
    quantity=2,
    unit_price=8000,
    fulfilled_quantity=2,
    metadata={"car": "white"},
)
ORDER = Order(
    id=str(FIGURES["order_id"]), currency="usd", items=[MUG], payments=[Payment(id="pay_1", captured=16000)]
)


def a_service(order: Order = ORDER, **more: Any) -> ReturnService:
    """Returns a service with a fixed clock and the ids of the documentation."""
    service = in_memory_service(
        [order],
        reasons=[DAMAGED],
        shipping_options=[POST],
        clock=lambda: AT,
        ids=lambda: "01F0YET7XPCMF8RZ0Y151NZV2V",
    )
    return evolve(service, **more)


def mug_request(quantity: int = 1, **more: Any) -> RequestReturn:
    """Requests a return of mugs."""
    item = RequestedItem(
        item_id=MUG.id,
        quantity=quantity,
        reason_id=DAMAGED.id,
        note="I didn't like it.",
        metadata={"car": "white"},
    )
    request = RequestReturn(
        order_id=ORDER.id, items=[item], shipping_option_id=POST.id, metadata={"car": "white"}
    )
    return evolve(request, **more)


def mug_receipt(ret: Return, quantity: int, damaged_quantity: int = 0, **more: Any) -> ReceiveReturn:
    """Receives mugs."""
    item = ReceivedItem(item_id=MUG.id, quantity=quantity, damaged_quantity=damaged_quantity)
    return evolve(ReceiveReturn(return_id=ret.id, items=[item]), **more)


def test_every_documented_field_is_rendered() -> None:
    """The required fields have one of their documented types; method and items have all their fields."""
    service = a_service()

    rendered = return_of(service, service.handle(mug_request()))

    for name, kinds in REQUIRED.items():
        assert isinstance(rendered[name], kinds)
    method, (item,) = rendered["shipping_method"], rendered["items"]
    assert method.keys() == METHOD
    assert method["tax_lines"][0].keys() == TAX_LINE
    assert method["shipping_option"].keys() == OPTION
    assert item.keys() == ITEM
    assert item["reason"].keys() == REASON
    assert item["item"].keys() == LINE
    order = order_response(service, service.list(ORDER.id)[0])["order"]
    assert isinstance(order, dict)
    assert order.keys() >= ORDER_FIELDS


def test_the_documented_values_are_rendered() -> None:
    """The refund of one of two mugs at 80.00 is reduced by 2.00 of return shipping and its tax."""
    service = a_service()

    rendered = return_of(service, service.handle(mug_request(idempotency_key="key")))

    assert rendered["id"] == FIGURES["return_id"]
    assert rendered["order_id"] == FIGURES["order_id"]
    assert rendered["location_id"] == FIGURES["location_id"]
    assert rendered["refund_amount"] == 8000 - 220
    assert rendered["created_at"] == rendered["updated_at"] == "2019-08-24T14:15:22.000Z"
    assert rendered["received_at"] is None
    assert rendered["idempotency_key"] == "key"
    assert rendered["metadata"] == {"car": "white"}
    assert rendered["no_notification"] is False
    method = rendered["shipping_method"]
    assert (method["price"], method["subtotal"], method["tax_total"], method["total"]) == (200, 200, 20, 220)
    assert (method["tax_lines"][0]["rate"], method["tax_lines"][0]["code"]) == (10, "tax01")
    assert method["return_id"] == rendered["id"]
    (item,) = rendered["items"]
    assert item["note"] == "I didn't like it."
    assert item["reason"]["label"] == "Damaged goods"
    assert (item["item"]["title"], item["item"]["unit_price"]) == (FIGURES["title"], 8000)


def test_received_quantity_includes_damaged_units() -> None:
    """It is null before a receipt; the line counts it among its returned units."""
    service = a_service()
    ret = service.handle(mug_request(2))
    before = return_of(service, ret)["items"][0]
    first = return_of(service, service.handle(mug_receipt(ret, 0, 1, more_expected=True)))
    second = return_of(service, service.handle(mug_receipt(ret, 1)))

    quantities = ("quantity", "requested_quantity", "received_quantity", "is_requested")
    assert [before[name] for name in quantities] == [2, 2, None, True]
    assert [first["items"][0][name] for name in quantities] == [2, 2, 1, True]
    assert (first["status"], first["received_at"]) == ("requested", None)
    assert [second["items"][0][name] for name in quantities] == [2, 2, 2, True]
    assert (second["status"], second["received_at"]) == ("received", "2019-08-24T14:15:22.000Z")
    assert second["items"][0]["item"]["returned_quantity"] == 2


def test_an_unexpected_item_has_no_requested_quantity() -> None:
    """Its quantity is what was received."""
    service = a_service(evolve(ORDER, items=[MUG, evolve(MUG, id="other")]))
    ret = service.handle(mug_request(1))
    surprise = [ReceivedItem(item_id=MUG.id, quantity=1), ReceivedItem(item_id="other", quantity=1)]

    rendered = return_of(service, service.handle(ReceiveReturn(return_id=ret.id, items=surprise)))

    expected, surplus = rendered["items"]
    assert rendered["status"] == "requires_action"
    assert (expected["requested_quantity"], expected["received_quantity"]) == (1, 1)
    assert surplus["is_requested"] is False
    assert (surplus["quantity"], surplus["requested_quantity"], surplus["received_quantity"]) == (1, None, 1)


def test_a_line_is_one_item() -> None:
    """A line that is requested twice, or of which more arrives, is one item with the sums, as in Medusa."""
    service = a_service(evolve(ORDER, items=[evolve(MUG, quantity=9, fulfilled_quantity=9)]))
    plain = RequestedItem(item_id=MUG.id, quantity=2)
    first, second = mug_request(1).items[0], evolve(plain, quantity=3, note="broken")
    ret = service.handle(mug_request(items=[plain, first, second], shipping_option_id=None))

    (before,) = return_of(service, ret)["items"]
    (after,) = return_of(service, service.handle(mug_receipt(ret, 7)))["items"]

    quantities = ("quantity", "requested_quantity", "received_quantity", "is_requested")
    assert [before[name] for name in quantities] == [6, 6, None, True]
    assert [after[name] for name in quantities] == [7, 6, 7, True]
    assert (before["reason_id"], before["note"]) == (DAMAGED.id, "I didn't like it.")
    assert before["metadata"] == {"car": "white"}


@pytest.mark.parametrize("status", ReturnStatus)
def test_every_status_is_rendered_as_one_of_medusas(status: ReturnStatus) -> None:
    """Medusa has four statuses."""
    assert status_of(status) in STATUSES


@given(st.data())
def test_responses_match_their_schemas(data: st.DataObject) -> None:
    """After any sequence of commands on any order, every response matches its schema."""
    order = data.draw(orders(most_lines=3))
    service = in_memory_service([order], shipping_options=[POST], ids=counting())
    for command in data.draw(command_sequences(order, option=POST, most=6)):
        with suppress(Rejected):
            service.handle(command)
        check_response("Returns", returns_response(service, Page()))
    for ret in service.list(order.id):
        check_response("Return", return_response(service, ret))
        check_response("Order", order_response(service, ret))


@given(line_items())
def test_a_line_adds_up(line: LineItem) -> None:
    """Subtotal less discount plus tax is the total, and none of them is negative."""
    rendered: Any = line_json("order_1", line)

    subtotal, discount, tax, total = (
        rendered[name] for name in ("subtotal", "discount_total", "tax_total", "total")
    )
    assert subtotal - discount + tax == total
    assert min(subtotal, discount, tax, total) >= 0


def test_discounts_on_a_tax_inclusive_line_are_rendered_net() -> None:
    """1250 with 25 % tax included are 1000 net; 25 off the gross price are 20 off the net price."""
    line = LineItem(
        id="a",
        quantity=10,
        unit_price=125,
        fulfilled_quantity=10,
        is_tax_inclusive=True,
        adjustments=[Adjustment(25)],
        tax_lines=[TaxLine(25)],
    )

    rendered = line_json("order_1", line)

    assert (rendered["subtotal"], rendered["discount_total"]) == (1000, 20)
    assert (rendered["tax_total"], rendered["total"]) == (245, 1225)


def test_discounts_on_the_order_reach_its_lines() -> None:
    """The discount of a line includes its share of the order's discount."""
    service = a_service(evolve(ORDER, adjustments=[Adjustment(1000)], payments=[]))
    ret = service.handle(evolve(mug_request(), shipping_option_id=None))

    line = return_of(service, ret)["items"][0]["item"]

    assert (line["discount_total"], line["total"]) == (1000, 15000)


def test_other_objects_are_provided_by_the_host() -> None:
    """The host is called with kind and id; an object it does not have is left out."""
    known = {
        ("order", ORDER.id): {"email": "ada@example.com"},
        ("variant", MUG.variant_id): {"sku": "mug-s", "product_id": "prod_1"},
        ("product", "prod_1"): {"handle": "coffee-mug"},
    }
    service = a_service()
    ret = service.handle(mug_request())

    rendered = return_response(service, ret, lambda kind, wanted_id: known.get((kind, wanted_id)))

    check_response("Return", rendered)
    inside = rendered["return"]
    assert isinstance(inside, dict)
    assert inside["order"] == {"email": "ada@example.com"}
    assert inside["items"][0]["item"]["variant"]["product"] == {"handle": "coffee-mug"}
    assert "swap" not in inside
    assert not {"order", "variant"} & return_of(service, ret).keys()


def test_required_fields_that_only_the_host_knows_are_provided_by_it() -> None:
    """Of objects that the library renders, the callback adds these fields and changes no other."""
    service = a_service()
    ret = service.handle(mug_request())
    rows: dict[tuple[str, str], dict[str, object]] = {
        ("line_item", MUG.id): {"thumbnail": "mug.png", "shipped_quantity": 2, "title": "?", "cart": {}},
        ("shipping_option", POST.id): {"region_id": "reg_1", "admin_only": False, "amount": 0},
        ("return_reason", DAMAGED.id): {"created_at": "2019-08-24T14:15:22.000Z", "label": "?"},
        ("order", ORDER.id): {"email": "ada@example.com", "display_id": 7, "items": []},
    }

    def expand(kind: str, wanted_id: str) -> dict[str, object] | None:
        return rows.get((kind, wanted_id))

    rendered: Any = return_response(service, ret, expand)["return"]
    item, option = rendered["items"][0], rendered["shipping_method"]["shipping_option"]
    assert (item["item"]["thumbnail"], item["item"]["shipped_quantity"]) == ("mug.png", 2)
    assert (item["item"]["title"], item["item"]["description"]) == (MUG.title, None)
    assert "cart" not in item["item"]
    assert (option["region_id"], option["admin_only"], option["amount"]) == ("reg_1", False, 200)
    assert (item["reason"]["created_at"][:4], item["reason"]["label"]) == ("2019", DAMAGED.label)
    response: Any = order_response(service, ret, expand)
    check_response("Order", response)
    order = response["order"]
    assert (order["email"], order["display_id"], order["region_id"]) == ("ada@example.com", 7, None)
    assert len(order["items"]) == 1
    listed: Any = [reasons_response(service, expand)["return_reasons"]]
    one: Any = reason_response(service, DAMAGED.id, expand)["return_reason"]
    assert listed == [[one]]
    assert one["created_at"] == "2019-08-24T14:15:22.000Z"


def test_swaps_and_claims_are_rendered_by_their_ids() -> None:
    """A return of an exchange is rendered as the return of a swap."""
    ret = evolve(a_service().handle(mug_request()), exchange_id="exc_1", claim_id="claim_1")

    rendered = return_json(ret, expand=lambda kind, wanted_id: {"id": wanted_id, "kind": kind})

    assert (rendered["swap_id"], rendered["claim_order_id"]) == ("exc_1", "claim_1")
    assert rendered["swap"] == {"id": "exc_1", "kind": "swap"}
    assert rendered["claim_order"] == {"id": "claim_1", "kind": "claim_order"}


def test_the_carriers_data_are_rendered_whole() -> None:
    """`shipping_data` includes tracking number and label URL; it is null without a shipment."""

    class Carrier(InMemoryFulfillment):
        def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
            return ReturnShipment({"label_url": "its own", "weight": 3}, "T1", "https://label.example")

    service = a_service(fulfillment=Carrier())
    shipped = return_of(service, service.handle(mug_request()))
    plain = a_service()

    assert shipped["shipping_data"] == {"tracking_number": "T1", "label_url": "its own", "weight": 3}
    assert return_of(plain, plain.handle(mug_request(shipping_option_id=None)))["shipping_data"] is None


def test_timestamps_are_rendered_in_utc() -> None:
    """Timestamps have the format of JavaScript."""
    local = AT.astimezone(timezone(timedelta(hours=2)))
    service = a_service(clock=lambda: local)

    assert return_of(service, service.handle(mug_request()))["created_at"] == "2019-08-24T14:15:22.000Z"


def test_rates_are_numbers() -> None:
    """A rate that is an integer is rendered without a fraction."""
    ret = a_service().handle(mug_request())
    assert ret.shipping_method is not None
    taxes = [TaxLine(Decimal("7.5")), TaxLine(Decimal("20.00"), name="vat")]

    rendered = return_json(evolve(ret, shipping_method=evolve(ret.shipping_method, tax_lines=taxes)))

    method = rendered["shipping_method"]
    assert isinstance(method, dict)
    assert [(line["name"], repr(line["rate"])) for line in method["tax_lines"]] == [
        ("7.5", "7.5"),
        ("vat", "20"),
    ]


def test_a_return_is_rendered_while_catalogues_are_unavailable() -> None:
    """What the unavailable catalogues would provide is null."""

    class Unreachable:
        def get(self, wanted_id: str) -> ShippingOption:
            raise Unavailable("timeout")

        def list(self) -> tuple[ReturnReason, ...]:
            raise Unavailable("timeout")

    service = a_service()
    ret = service.handle(mug_request())
    alone = evolve(
        service, orders=InMemoryOrders(), shipping_options=Unreachable(), return_reasons=Unreachable()
    )

    rendered = return_of(alone, ret)

    assert rendered["refund_amount"] == 7780
    assert rendered["shipping_method"]["shipping_option"] is None
    assert (rendered["items"][0]["reason"], rendered["items"][0]["item"]) == (None, None)


def test_a_cancellation_is_answered_with_the_order() -> None:
    """The order has all its returns; it is null if the host no longer has it."""
    service = a_service()
    received = service.handle(mug_receipt(service.handle(mug_request()), 1))
    canceled = evolve(service, ids=lambda: "2")
    ret = canceled.handle(CancelReturn(return_id=canceled.handle(mug_request()).id))

    order = order_response(service, ret)["order"]

    check_response("Order", {"order": order})
    assert isinstance(order, dict)
    assert [each["id"] for each in order["returns"]] == [received.id, "ret_2"]
    assert [each["status"] for each in order["returns"]] == ["received", "canceled"]
    assert (order["paid_total"], order["refunded_total"], order["refundable_amount"]) == (16000, 7780, 8220)
    assert (order["fulfillment_status"], order["payment_status"]) == (
        "partially_returned",
        "partially_refunded",
    )
    assert order["items"][0]["returned_quantity"] == 1
    assert order["status"] == OrderStatus.PENDING
    assert order_response(evolve(service, orders=InMemoryOrders()), ret) == {"order": None}


def test_a_list_is_returned_page_by_page() -> None:
    """Pages are newest first, and have the number of all returns."""
    many = evolve(ORDER, items=[evolve(MUG, quantity=250, fulfilled_quantity=250)])
    ticks = iter(range(10_000))
    service = a_service(many, ids=counting(), clock=lambda: AT + timedelta(seconds=next(ticks)))
    for _ in range(203):
        service.handle(mug_request(shipping_option_id=None))

    def list_ids(**wanted: int) -> tuple[list[str], object]:
        rendered = returns_response(service, Page(**wanted))
        found = rendered["returns"]
        assert isinstance(found, list)
        return [each["id"] for each in found], rendered["count"]

    assert list_ids(limit=3) == (["ret_203", "ret_202", "ret_201"], 203)
    assert list_ids(limit=2, offset=99) == (["ret_104", "ret_103"], 203)
    assert list_ids(offset=201) == (["ret_2", "ret_1"], 203)
    assert list_ids(offset=203) == ([], 203)


def test_responses_ask_the_store_a_fixed_number_of_times(tmp_path: Path) -> None:
    """A list has three statements, whatever it lists; a cancellation loads the order's returns once."""
    service = a_service(
        evolve(ORDER, items=[evolve(MUG, quantity=50, fulfilled_quantity=50)]),
        ids=counting(),
        returns=(store := SqlReturns(f"sqlite:///{tmp_path / 'returns.db'}")),
    )
    other = evolve(ORDER, id="order_2")
    service = evolve(service, orders=InMemoryOrders([service.orders.get(ORDER.id), other]))
    made = [service.handle(mug_request(shipping_option_id=None)) for _ in range(20)]
    service.handle(mug_request(shipping_option_id=None, order_id="order_2"))
    asked = watch(store.engine)

    service.returns.load("order_3")  # the tables exist
    asked.forget()
    assert len(returns_response(service, Page(offset=5))["returns"]) == 16  # type: ignore[arg-type] # a list
    assert len(asked.statements) == 3
    asked.forget()
    order: Any = order_response(service, made[0])["order"]
    assert len(order["returns"]) == 20
    assert len(asked.statements) == 1


def test_reasons_are_rendered_as_trees() -> None:
    """Retired reasons are left out; a child of a retired reason becomes a root."""
    catalogue = [
        ReturnReason(id="size", value="size", label="Size"),
        ReturnReason(id="small", value="small", label="Too small", parent_id="size"),
        ReturnReason(id="tiny", value="tiny", label="Far too small", parent_id="small"),
        ReturnReason(id="old", value="old", label="Old", parent_id="size", retired=True),
        ReturnReason(id="gone", value="gone", label="Gone", retired=True),
        ReturnReason(id="left", value="left", label="Left alone", parent_id="gone"),
    ]
    service = in_memory_service(reasons=catalogue)

    check_response("ReturnReasons", reasons_response(service))
    check_response("ReturnReason", reason_response(service, "small"))
    assert [shape_of(root) for root in reasons_json(catalogue)] == [
        ("size", [("small", [("tiny", [])])]),
        ("left", []),
    ]
    assert shape_of(reason_tree_json(catalogue, "small")) == ("small", [("tiny", [])])
    for missing in ("old", "none"):
        with pytest.raises(NotFound):
            reason_response(service, missing)


def test_a_catalogue_with_a_cycle_is_rendered() -> None:
    """Rendering ends where a reason would repeat."""
    circle = [
        ReturnReason(id="a", value="a", label="A", parent_id="b"),
        ReturnReason(id="b", value="b", label="B", parent_id="a"),
    ]

    assert reasons_json(circle) == []
    assert shape_of(reason_tree_json(circle, "a")) == ("a", [("b", [])])


def return_of(service: ReturnService, ret: Return) -> Any:  # a JSON object
    """Renders a return, and checks the response against its schema."""
    body = return_response(service, ret)
    check_response("Return", body)
    return body["return"]


def check_response(name: str, body: Any) -> None:
    """Fails unless the body matches its schema and its timestamps have the format of JavaScript."""
    VALIDATORS[name].validate(body)
    for field, value in fields(body):
        if field.endswith("_at") and value is not None:
            assert isinstance(value, str)
            assert TIMESTAMP.fullmatch(value)


def fields(value: object) -> Iterator[tuple[str, object]]:
    """Yields every field of every object in a JSON value."""
    if isinstance(value, dict):
        yield from value.items()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from fields(each)


def shape_of(reason: Any) -> object:
    """Returns the ids of a tree of reasons."""
    return reason["id"], [shape_of(below) for below in reason["return_reason_children"]]
