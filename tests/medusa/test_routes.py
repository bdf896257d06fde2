"""Every route of the example, over a real socket and a SQLite file."""

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

from .judging import as_drafted, strictly
from .serving import ADA, ADMIN, BOB, Answer, Shop, serving

ONE_MUG: dict[str, Any] = {"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": 1}]}
ONE_CAME = {"items": [{"item_id": "item_mug", "quantity": 1}]}


def created(shop: Shop, **more: object) -> str:
    """The id of a return of one mug."""
    answer = shop.post("/store/returns", {**ONE_MUG, **more}, ADA)
    assert answer.status == 200
    return str(answer.body["return"]["id"])


def keeps_to(name: str, answer: Answer) -> Any:
    """The body of an answer that was done, by its schema."""
    assert answer.status == 200
    strictly(ANSWERS[name]).validate(answer.body)
    return answer.body


def test_a_customer_asks_for_a_return(shop: Shop) -> None:
    """A third of (24000 - 1000) + 10 %, less postage."""
    body = {
        **ONE_MUG,
        "return_shipping": {"option_id": "so_return"},
        "items": [{"item_id": "item_mug", "quantity": 1, "reason_id": "rr_small", "note": "too small"}],
    }

    render = keeps_to("Return", shop.post("/store/returns", body, ADA))["return"]

    assert render["refund_amount"] == 8433 - 200
    assert render["shipping_method"]["shipping_option"]["name"] == "PostFake Return"
    assert render["shipping_data"]["tracking_number"].startswith("TRACK-")
    assert render["items"][0]["reason"]["label"] == "Too small"
    ret = shop.service.get(render["id"])
    assert (ret.created_by, ret.idempotency_key) == ("cus_ada", render["idempotency_key"])


def test_a_key_is_always_sent_back(shop: Shop) -> None:
    """The client's, or one that was made; browsers may read it; on refusals too."""
    ours = shop.post("/store/returns", ONE_MUG, ADA)
    theirs = shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": "key-1"})
    refused = shop.post("/store/returns", {}, ADA)
    stranger = shop.post("/store/returns", ONE_MUG)

    assert theirs.headers["idempotency-key"] == theirs.body["return"]["idempotency_key"] == "key-1"
    assert ours.headers["idempotency-key"] == ours.body["return"]["idempotency_key"]
    for answer in (ours, theirs, refused, stranger):
        assert answer.headers["idempotency-key"]
        assert answer.headers["access-control-expose-headers"] == "Idempotency-Key"


def test_a_request_under_the_same_key_is_done_once(shop: Shop) -> None:
    """With either key; another request under it is refused."""
    first = shop.post("/store/returns", ONE_MUG, ADA)
    key = {"Idempotency-Key": first.headers["idempotency-key"]}
    before = shop.render()

    again = shop.post("/store/returns", ONE_MUG, {**ADA, **key})
    other = shop.post("/store/returns", {**ONE_MUG, "items": ONE_CAME["items"] * 2}, {**ADA, **key})

    assert again.body == first.body
    assert other.error == (409, "conflict", "idempotency_key_reused")
    assert shop.render() == before


def test_somebody_elses_order_is_no_order(shop: Shop) -> None:
    """The answers are the same to the byte, whatever else is wrong, and with whatever key."""
    shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": "key-1"})
    before = shop.render()
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
            nobodys = shop.post("/store/returns", {**body, "order_id": "order_non"}, {**BOB, **key})

            assert theirs.status == nobodys.status == 404
            assert str(theirs.body) == str(nobodys.body).replace("order_non", "order_mug")
    assert shop.render() == before


def test_an_order_of_nobody_is_nobodys(tmp_path: Path) -> None:
    """An order without a customer is not returned by whoever comes."""
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


def test_reasons_are_for_everybody(shop: Shop) -> None:
    """As trees, and one by one."""
    listed = keeps_to("ReturnReasons", shop.get("/store/return-reasons"))["return_reasons"]
    one = keeps_to("ReturnReason", shop.get("/store/return-reasons/rr_size"))["return_reason"]

    assert [each["id"] for each in listed] == ["rr_size", "rr_damaged"]
    assert listed[0] == one
    assert [each["id"] for each in one["return_reason_children"]] == ["rr_small"]
    assert shop.get("/store/return-reasons/none").error == (404, "not_found", "return_reason_not_found")


def test_the_back_office_sees_returns(shop: Shop) -> None:
    """Newest first, page by page, and one by one."""
    first, second = created(shop), created(shop)

    listed = keeps_to("Returns", shop.get("/admin/returns", ADMIN))
    paged = keeps_to("Returns", shop.get("/admin/returns/?limit=1&offset=1", ADMIN))
    one = keeps_to("Return", shop.get(f"/admin/returns/{first}", ADMIN))["return"]

    assert [each["id"] for each in listed["returns"]] == [second, first]
    assert (listed["count"], listed["offset"], listed["limit"]) == (2, 0, 50)
    assert (paged["returns"], paged["count"], paged["limit"]) == ([one], 2, 1)
    assert shop.get("/admin/returns/ret_none", ADMIN).error == (404, "not_found", "return_not_found")


def test_the_back_office_receives_a_return(shop: Shop) -> None:
    """Refunded and restocked once, however often it is said under one key."""
    ret = created(shop)
    path, key = f"/admin/returns/{ret}/receive", {**ADMIN, "Idempotency-Key": "receipt-1"}

    render = keeps_to("Return", shop.post(path, ONE_CAME, key))["return"]
    again = shop.post(path, ONE_CAME, key)
    twice = shop.post(path, ONE_CAME, ADMIN)

    assert (render["status"], render["refund_amount"]) == ("received", 8433)
    assert render["items"][0]["received_quantity"] == render["items"][0]["item"]["returned_quantity"] == 1
    assert again.body == {"return": render}
    assert twice.error == (409, "not_allowed", "return_already_received")
    assert [str(refund.amount) for refund in shop.service.get(ret).refunds] == ["84.33 USD"]


def test_a_mismatch_waits_for_a_decision(shop: Shop) -> None:
    """Fewer than announced: no money moves until the short receipt is accepted, for half of 168.67."""
    ret = created(shop, items=[{"item_id": "item_mug", "quantity": 2}])
    path = f"/admin/returns/{ret}/receive"

    short = keeps_to("Return", shop.post(path, ONE_CAME, ADMIN))["return"]
    accepted = keeps_to("Return", shop.post(path, {"items": [], "allow_mismatch": True}, ADMIN))["return"]

    assert (short["status"], short["received_at"]) == ("requires_action", None)
    assert (accepted["status"], accepted["refund_amount"]) == ("received", 8434)


def test_a_receipt_may_name_damage_and_the_refund(shop: Shop) -> None:
    """At another place than announced."""
    ret = created(shop)
    items = [{"item_id": "item_mug", "quantity": 0, "damaged_quantity": 1}]
    body = {"items": items, "refund": 500, "location_id": "sloc_2"}

    render = keeps_to("Return", shop.post(f"/admin/returns/{ret}/receive", body, ADMIN))["return"]

    assert (render["status"], render["refund_amount"]) == ("received", 500)
    assert render["items"][0]["received_quantity"] == 1
    assert shop.service.get(ret).items[0].damaged_quantity == 1


def test_the_back_office_cancels_a_return(shop: Shop) -> None:
    """The order is told; canceled twice is the same as once; a received return is not canceled."""
    ret, other = created(shop), created(shop)
    shop.post(f"/admin/returns/{other}/receive", ONE_CAME, ADMIN)

    order = keeps_to("Order", shop.post(f"/admin/returns/{ret}/cancel", None, ADMIN))["order"]
    before = shop.render()
    again = shop.post(f"/admin/returns/{ret}/cancel", {}, ADMIN)

    assert (order["id"], order["currency_code"]) == ("order_mug", "usd")
    assert {each["id"]: each["status"] for each in order["returns"]} == {ret: "canceled", other: "received"}
    assert again.body == {"order": order}
    assert shop.render() == before
    received = shop.post(f"/admin/returns/{other}/cancel", None, ADMIN)
    assert received.error == (409, "not_allowed", "return_already_received")


def test_a_line_with_tax_inside_is_told(shop: Shop) -> None:
    """1200 with 20 % inside, twice."""
    body = {"order_id": "order_shirt", "items": [{"item_id": "item_shirt", "quantity": 1}]}

    render = keeps_to("Return", shop.post("/store/returns", body, ADA))["return"]

    line = render["items"][0]["item"]
    assert render["refund_amount"] == 1200
    assert (line["subtotal"], line["tax_total"], line["total"]) == (2000, 400, 2400)


def test_the_routes_describe_themselves(shop: Shop) -> None:
    """In OpenAPI, with every route that there is, and schemas that hold."""
    document = shop.get("/openapi.json").body

    assert document == openapi(title=document["info"]["title"])
    served = {
        (path.replace("{id}", "none"), method) for path, item in document["paths"].items() for method in item
    }
    assert len(served) == 7
    for path, method in served:
        answer = shop.ask(method.upper(), path, None, {})
        assert answer.status in (200, 401) or answer.body["code"] == "return_reason_not_found"
    for name, schema in document["components"]["schemas"].items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        as_drafted(schema).check_schema(schema)
        assert not as_drafted(whole).is_valid("neither of these is a text")


def test_returns_outlive_the_server(tmp_path: Path) -> None:
    """They are in the file."""
    database = f"sqlite:///{tmp_path / 'returns.db'}"
    with serving(sample_service(database)) as shop:
        ret = created(shop)
    with serving(sample_service(database)) as shop:
        assert shop.get("/admin/returns", ADMIN).body["returns"][0]["id"] == ret


def test_the_example_is_served_by_its_command(tmp_path: Path) -> None:
    """With its sample orders; it prints requests to try, with its port."""
    with example_server(cwd=tmp_path) as port:
        answer = Shop(sample_service("sqlite://"), port).post("/store/returns", ONE_MUG, ADA)

    assert keeps_to("Return", answer)["return"]["refund_amount"] == 8433
    assert (tmp_path / "returns.db").exists()


class Failing:
    """Ledgers that can be read, and refuse every commit with this error."""

    def __init__(self, returns: Any, error: Exception) -> None:
        self._returns = returns
        self._error = error

    def commit(self, change: Change) -> None:
        """Never."""
        raise self._error

    def __getattr__(self, name: str) -> Any:  # as the ledgers do
        return getattr(self._returns, name)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Unavailable("sqlite:///secret is away"), (503, "unexpected_state", "unavailable")),
        (StaleLedger("stale_ledger", {"order_id": "secret"}), (409, "conflict", "stale_ledger")),
        (RuntimeError("secret"), (500, "unknown_error", "api_error")),
    ],
)
def test_failures_are_told_without_their_words(
    tmp_path: Path, error: Exception, message: tuple[int, str, str]
) -> None:
    """With the key under which to ask again."""
    service = sample_service(f"sqlite:///{tmp_path / 'returns.db'}")
    with serving(evolve(service, returns=Failing(service.returns, error))) as shop:
        answer = shop.post("/store/returns", ONE_MUG, ADA)

    assert answer.error == message
    assert "secret" not in str(answer.body)
    assert answer.headers["idempotency-key"]
