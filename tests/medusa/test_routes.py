"""Tests of every route of the example, over a real socket and a SQLite file."""

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from http_api import sample_service
from rma import LineItem, Order, Payment, StaleLedger, Unavailable
from rma.adapters.medusa_api import openapi
from rma.adapters.medusa_api.schemas import ANSWERS
from rma.adapters.memory import InMemoryOrders
from rma.domain.change import Change
from tests.medusa_js.run import example_server

from .schema_validators import draft_validator, strict_validator
from .serving import ADA, ADMIN, BOB, Response, Shop, serving

ONE_MUG: dict[str, Any] = {"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": 1}]}
ONE_RECEIVED = {"items": [{"item_id": "item_mug", "quantity": 1}]}


def create_return(shop: Shop, **more: object) -> str:
    """Creates a return of one mug and returns its id."""
    answer = shop.post("/store/returns", {**ONE_MUG, **more}, ADA)
    assert answer.status == 200
    return str(answer.body["return"]["id"])


def checked_body(name: str, answer: Response) -> Any:
    """Returns the body of a successful response, which matches its schema."""
    assert answer.status == 200
    strict_validator(ANSWERS[name]).validate(answer.body)
    return answer.body


def test_a_customer_requests_a_return(shop: Shop) -> None:
    """The refund is a third of (24000 - 1000) + 10 %, less return shipping."""
    body = {
        **ONE_MUG,
        "return_shipping": {"option_id": "so_return"},
        "items": [{"item_id": "item_mug", "quantity": 1, "reason_id": "rr_small", "note": "too small"}],
    }

    rendered = checked_body("Return", shop.post("/store/returns", body, ADA))["return"]

    assert rendered["refund_amount"] == 8433 - 200
    assert rendered["shipping_method"]["shipping_option"]["name"] == "PostFake Return"
    assert rendered["shipping_data"]["tracking_number"].startswith("TRACK-")
    assert rendered["items"][0]["reason"]["label"] == "Too small"
    ret = shop.service.get(rendered["id"])
    assert ret.created_by == "cus_ada"
    assert ret.idempotency_key == f"medusa:customer:7:cus_ada:{rendered['idempotency_key']}"


def test_a_key_is_always_returned(shop: Shop) -> None:
    """Every response, refusals too, has the client's key or a fresh one, and lets browsers read it."""
    ours = shop.post("/store/returns", ONE_MUG, ADA)
    theirs = shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": "key-1"})
    refused = shop.post("/store/returns", {}, ADA)
    stranger = shop.post("/store/returns", ONE_MUG)

    assert theirs.headers["idempotency-key"] == theirs.body["return"]["idempotency_key"] == "key-1"
    assert ours.headers["idempotency-key"] == ours.body["return"]["idempotency_key"]
    for answer in (ours, theirs, refused, stranger):
        assert answer.headers["idempotency-key"]
        assert answer.headers["access-control-expose-headers"] == "Idempotency-Key"


def test_a_request_with_the_same_key_is_handled_once(shop: Shop) -> None:
    """It gets the same response; another request with that key is refused."""
    first = shop.post("/store/returns", ONE_MUG, ADA)
    key = {"Idempotency-Key": first.headers["idempotency-key"]}
    before = shop.stored()

    again = shop.post("/store/returns", ONE_MUG, {**ADA, **key})
    other = shop.post("/store/returns", {**ONE_MUG, "items": ONE_RECEIVED["items"] * 2}, {**ADA, **key})

    assert again.body == first.body
    assert other.error == (409, "conflict", "idempotency_key_reused")
    assert shop.stored() == before


def test_another_customers_order_is_not_found(shop: Shop) -> None:
    """The response is the same as for an unknown order, for any body and any key."""
    shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": "key-1"})
    before = shop.stored()
    bodies: list[dict[str, Any]] = [
        ONE_MUG,
        {**ONE_MUG, "items": []},
        {**ONE_MUG, "items": [{"item_id": "item_mug", "quantity": 99, "reason_id": "rr_size"}]},
        {**ONE_MUG, "return_shipping": {"option_id": "so_out"}},
        {**ONE_MUG, "return_shipping": {"option_id": "so_none"}},
    ]
    for body in bodies:
        for key in ({}, {"Idempotency-Key": "key-1"}):
            theirs = shop.post("/store/returns", body, {**BOB, **key})
            missing = shop.post("/store/returns", {**body, "order_id": "order_non"}, {**BOB, **key})

            assert theirs.status == missing.status == 404
            assert str(theirs.body) == str(missing.body).replace("order_non", "order_mug")
    assert shop.stored() == before


def test_an_order_without_a_customer_is_not_found(tmp_path: Path) -> None:
    """A customer cannot return an order that has no customer."""
    guest = Order(
        id="order_guest",
        currency="usd",
        items=[LineItem(id="a", quantity=1, fulfilled_quantity=1, unit_price=5)],
        payments=[Payment(id="p", captured=5)],
    )
    service = evolve(sample_service(f"sqlite:///{tmp_path / 'returns.db'}"), orders=InMemoryOrders([guest]))
    body = {"order_id": "order_guest", "items": [{"item_id": "a", "quantity": 1}]}
    with serving(service) as shop:
        assert shop.post("/store/returns", body, ADA).status == 404


def test_reasons_need_no_token(shop: Shop) -> None:
    """Reasons are listed as trees, and returned one by one."""
    listed = checked_body("ReturnReasons", shop.get("/store/return-reasons"))["return_reasons"]
    one = checked_body("ReturnReason", shop.get("/store/return-reasons/rr_size"))["return_reason"]

    assert [each["id"] for each in listed] == ["rr_size", "rr_damaged"]
    assert listed[0] == one
    assert [each["id"] for each in one["return_reason_children"]] == ["rr_small"]
    assert shop.get("/store/return-reasons/none").error == (404, "not_found", "return_reason_not_found")


def test_the_back_office_lists_returns(shop: Shop) -> None:
    """Returns are listed newest first, in pages, and returned one by one."""
    first, second = create_return(shop), create_return(shop)

    listed = checked_body("Returns", shop.get("/admin/returns", ADMIN))
    paged = checked_body("Returns", shop.get("/admin/returns/?limit=1&offset=1", ADMIN))
    one = checked_body("Return", shop.get(f"/admin/returns/{first}", ADMIN))["return"]

    assert [each["id"] for each in listed["returns"]] == [second, first]
    assert (listed["count"], listed["offset"], listed["limit"]) == (2, 0, 50)
    assert (paged["returns"], paged["count"], paged["limit"]) == ([one], 2, 1)
    assert shop.get("/admin/returns/ret_none", ADMIN).error == (404, "not_found", "return_not_found")


def test_the_back_office_receives_a_return(shop: Shop) -> None:
    """A receipt that is repeated with its key refunds once; one without is another parcel."""
    ret = create_return(shop)
    path, key = f"/admin/returns/{ret}/receive", {**ADMIN, "Idempotency-Key": "receipt-1"}

    rendered = checked_body("Return", shop.post(path, ONE_RECEIVED, key))["return"]
    again = shop.post(path, ONE_RECEIVED, key)
    twice = shop.post(path, ONE_RECEIVED, ADMIN)

    assert (rendered["status"], rendered["refund_amount"]) == ("received", 8433)
    assert rendered["items"][0]["received_quantity"] == rendered["items"][0]["item"]["returned_quantity"] == 1
    assert again.body == {"return": rendered}
    assert checked_body("Return", twice)["return"]["status"] == "requires_action"
    assert len(shop.service.get(ret).refunds) == 1
    canceling = shop.post(f"/admin/returns/{ret}/cancel", {}, ADMIN)
    assert canceling.error == (400, "not_allowed", "return_not_cancelable")
    assert [str(refund.amount) for refund in shop.service.get(ret).refunds] == ["84.33 USD"]


def test_a_mismatch_waits_for_a_decision(shop: Shop) -> None:
    """A short receipt refunds nothing until it is accepted; then half of 168.67 is refunded."""
    ret = create_return(shop, items=[{"item_id": "item_mug", "quantity": 2}])
    path = f"/admin/returns/{ret}/receive"

    short = checked_body("Return", shop.post(path, ONE_RECEIVED, ADMIN))["return"]
    accepted = checked_body("Return", shop.post(path, {"items": [], "allow_mismatch": True}, ADMIN))["return"]

    assert (short["status"], short["received_at"]) == ("requires_action", None)
    assert (accepted["status"], accepted["refund_amount"]) == ("received", 8434)


def test_a_receipt_may_name_damage_and_the_refund(shop: Shop) -> None:
    """A receipt can have damaged units, a refund amount and another location."""
    ret = create_return(shop)
    items = [{"item_id": "item_mug", "quantity": 0, "damaged_quantity": 1}]
    body = {"items": items, "refund": 500, "location_id": "sloc_2"}

    rendered = checked_body("Return", shop.post(f"/admin/returns/{ret}/receive", body, ADMIN))["return"]

    assert (rendered["status"], rendered["refund_amount"]) == ("received", 500)
    assert rendered["items"][0]["received_quantity"] == 1
    assert shop.service.get(ret).items[0].damaged_quantity == 1


def test_the_back_office_cancels_a_return(shop: Shop) -> None:
    """The response is the order; a repeat changes nothing; a received return cannot be canceled."""
    ret, other = create_return(shop), create_return(shop)
    shop.post(f"/admin/returns/{other}/receive", ONE_RECEIVED, ADMIN)

    order = checked_body("Order", shop.post(f"/admin/returns/{ret}/cancel", None, ADMIN))["order"]
    before = shop.stored()
    again = shop.post(f"/admin/returns/{ret}/cancel", {}, ADMIN)

    assert (order["id"], order["currency_code"]) == ("order_mug", "usd")
    assert {each["id"]: each["status"] for each in order["returns"]} == {ret: "canceled", other: "received"}
    assert again.body == {"order": order}
    assert shop.stored() == before
    received = shop.post(f"/admin/returns/{other}/cancel", None, ADMIN)
    assert received.error == (400, "not_allowed", "return_already_received")


def test_the_back_office_approves_a_return_of_what_is_dear(shop: Shop) -> None:
    """It is shown as requested before and after; its label is booked on approval, once."""
    body = {
        "order_id": "order_lamp",
        "items": [{"item_id": "item_lamp", "quantity": 1}],
        "return_shipping": {"option_id": "so_return"},
    }
    waiting = checked_body("Return", shop.post("/store/returns", body, BOB))["return"]
    ret = waiting["id"]
    assert (waiting["status"], shop.service.get(ret).status) == ("requested", "pending_approval")
    assert shop.service.get(ret).shipment is None

    approved = shop.post(f"/admin/returns/{ret}/approve", None, {**ADMIN, "Idempotency-Key": "ok"})
    again = shop.post(f"/admin/returns/{ret}/approve", None, {**ADMIN, "Idempotency-Key": "ok"})

    assert checked_body("Return", approved)["return"]["status"] == "requested"
    assert shop.service.get(ret).status == "requested"
    assert shop.service.get(ret).shipment is not None
    assert again.status == approved.status == 200
    twice = shop.post(f"/admin/returns/{ret}/approve", None, ADMIN)
    assert twice.error == (400, "not_allowed", "return_not_pending")
    assert shop.post(f"/admin/returns/{ret}/approve", None, {}).status == 401


def test_a_tax_inclusive_line_is_rendered(shop: Shop) -> None:
    """Its two units at 1200 include 20 % tax."""
    body = {"order_id": "order_shirt", "items": [{"item_id": "item_shirt", "quantity": 1}]}

    rendered = checked_body("Return", shop.post("/store/returns", body, ADA))["return"]

    line = rendered["items"][0]["item"]
    assert rendered["refund_amount"] == 1200
    assert (line["subtotal"], line["tax_total"], line["total"]) == (2000, 400, 2400)


def test_the_routes_describe_themselves(shop: Shop) -> None:
    """The OpenAPI document has Medusa's routes and the example's own, and its schemas are valid."""
    document = shop.get("/openapi.json").body

    of_medusa = {path: item for path, item in document["paths"].items() if not path.endswith("/approve")}
    assert {**document, "paths": of_medusa} == openapi(title=document["info"]["title"])
    served = {
        (path.replace("{id}", "none"), method) for path, item in document["paths"].items() for method in item
    }
    assert len(served) == 8
    for item in document["paths"].values():
        assert {"408", "413", "415"} <= item["post"]["responses"].keys() if "post" in item else True
    for path, method in served:
        answer = shop.send(method.upper(), path, None, {})
        assert answer.status in (200, 401) or answer.body["code"] == "return_reason_not_found"
    for name, schema in document["components"]["schemas"].items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        draft_validator(schema).check_schema(schema)
        assert not draft_validator(whole).is_valid("neither of these is a string")


STOREFRONT = "https://shop.example"


def test_a_storefront_of_another_origin_may_use_the_store_routes(tmp_path: Path) -> None:
    """Preflight and requests are answered for origins in the setting, refusals too, and with credentials."""
    service = sample_service(f"sqlite:///{tmp_path / 'returns.db'}")
    asked = {
        "Origin": STOREFRONT,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    with serving(service, store_origins=[STOREFRONT]) as shop:
        preflight = shop.ask("OPTIONS", "/store/returns", asked)
        stranger = shop.ask("OPTIONS", "/store/returns", {**asked, "Origin": "https://evil.example"})
        admin = shop.ask("OPTIONS", "/admin/returns", asked)
        done = shop.post("/store/returns", ONE_MUG, {**ADA, "Origin": STOREFRONT})
        refused = shop.post("/store/returns", {}, {**ADA, "Origin": STOREFRONT})
        elsewhere = shop.post("/store/returns", ONE_MUG, {**ADA, "Origin": "https://evil.example"})
        back_office = shop.get("/admin/returns", {**ADMIN, "Origin": STOREFRONT})

    assert preflight[0] == 200
    assert preflight[1]["access-control-allow-origin"] == STOREFRONT
    assert preflight[1]["access-control-allow-credentials"] == "true"
    assert "POST" in preflight[1]["access-control-allow-methods"]
    for header in ("authorization", "content-type", "idempotency-key"):
        assert header in preflight[1]["access-control-allow-headers"]
    assert (stranger[0], "access-control-allow-origin" in stranger[1]) == (400, False)
    assert (admin[0], "access-control-allow-origin" in admin[1]) == (405, False)
    assert (done.status, refused.status, back_office.status) == (200, 422, 200)
    for answer in (done, refused):
        assert answer.headers["access-control-allow-origin"] == STOREFRONT
        assert answer.headers["access-control-expose-headers"] == "Idempotency-Key"
    for answer in (elsewhere, back_office):
        assert "access-control-allow-origin" not in answer.headers


def test_a_page_beyond_the_bounds_is_clipped(shop: Shop) -> None:
    """The response tells the limit that was used."""
    create_return(shop), create_return(shop)

    answers = [shop.get(f"/admin/returns?limit={limit}", ADMIN).body for limit in ("1000", "0")]

    assert [(each["limit"], len(each["returns"]), each["count"]) for each in answers] == [
        (100, 2, 2),
        (1, 1, 2),
    ]


@pytest.mark.parametrize("offset", [2, 2**31, 2**32, 10**15, 2**53 - 1])
def test_a_page_behind_the_last_return_is_empty(shop: Shop, offset: int) -> None:
    """Any offset that the published schema allows is answered."""
    create_return(shop)
    parameters = shop.get("/openapi.json").body["paths"]["/admin/returns"]["get"]["parameters"]
    (schema,) = [each["schema"] for each in parameters if each["name"] == "offset"]
    strict_validator(schema).validate(offset)

    listed = checked_body("Returns", shop.get(f"/admin/returns?offset={offset}", ADMIN))

    assert (listed["returns"], listed["count"], listed["offset"]) == ([], 1, offset)


def test_returns_outlive_the_server(tmp_path: Path) -> None:
    """Returns are in the file when another server starts."""
    database = f"sqlite:///{tmp_path / 'returns.db'}"
    with serving(sample_service(database)) as shop:
        ret = create_return(shop)
    with serving(sample_service(database)) as shop:
        assert shop.get("/admin/returns", ADMIN).body["returns"][0]["id"] == ret


def test_the_example_is_served_by_its_command(tmp_path: Path) -> None:
    """The command serves the sample orders and prints its port."""
    with example_server(cwd=tmp_path) as port:
        answer = Shop(sample_service("sqlite://"), port).post("/store/returns", ONE_MUG, ADA)

    assert checked_body("Return", answer)["return"]["refund_amount"] == 8433
    assert (tmp_path / "returns.db").exists()


class Failing:
    """A repository that can be read, and raises this error in every commit."""

    def __init__(self, returns: Any, error: Exception) -> None:
        self._returns = returns
        self._error = error

    def commit(self, change: Change) -> None:
        """Raises the error."""
        raise self._error

    def __getattr__(self, name: str) -> Any:  # the types of the repository
        return getattr(self._returns, name)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Unavailable("sqlite:///secret is away"), (503, "unexpected_state", "unavailable")),
        (StaleLedger("stale_ledger", {"order_id": "secret"}), (409, "conflict", "stale_ledger")),
        (RuntimeError("secret"), (500, "unknown_error", "api_error")),
    ],
)
def test_failures_are_rendered_without_their_messages(
    tmp_path: Path, error: Exception, message: tuple[int, str, str]
) -> None:
    """The response has the key with which the request can be repeated."""
    service = sample_service(f"sqlite:///{tmp_path / 'returns.db'}")
    failing = evolve(service, returns=Failing(service.returns, error), pause=lambda _: None)
    with serving(failing) as shop:
        answer = shop.post("/store/returns", ONE_MUG, ADA)

    assert answer.error == message
    assert "secret" not in str(answer.body)
    assert answer.headers["idempotency-key"]
