"""Bodies, paths and headers that nobody sends by accident: refused in Medusa's shape, and nothing changed."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from http_api import MOST_BYTES, sample_service

from .serving import ADA, ADMIN, BOB, JSON, Answer, Shop, serving

MUG: dict[str, Any] = {"item_id": "item_mug", "quantity": 1}
ONE_MUG: dict[str, Any] = {"order_id": "order_mug", "items": [MUG]}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """A shop with one open return, and its id; no test here may change anything."""
    database = tmp_path_factory.mktemp("busy") / "returns.db"
    with serving(sample_service(f"sqlite:///{database}")) as shop:
        yield shop, shop.post("/store/returns", ONE_MUG, ADA).body["return"]["id"]


def unchanged(busy: tuple[Shop, str], method: str, path: str, body: bytes | None, headers: Any) -> Answer:
    """The answer, after which every ledger and every history is what it was."""
    shop, return_id = busy
    before = shop.render()
    answer = shop.ask(method, path.replace(":id", return_id), body, headers)
    assert shop.render() == before
    return answer


MALFORMED = {
    "nothing": b"",
    "half": b'{"order_id": "order_mug", "items": [',
    "no-json": b"order_id=order_mug",
    "no-utf-8": b'{"order_id": "\xff"}',
    "twice": b'{"items": [], "items": []}',
    "nan": b'{"items": NaN}',
    "deep-array": b"[" * 30_000 + b"]" * 30_000,
    "deep-object": b'{"items":' * 6_000 + b"1" + b"}" * 6_000,
    "long-number": b'{"items": ' + b"9" * 60_000 + b"}",
    "exponent": b'{"items": 1e999}',
    "null": b"null",
    "array": b"[]",
    "text": b'"items"',
    "number": b"1",
    "true": b"true",
    "empty": b"{}",
    "unknown": b'{"items": [], "order_id": "order_mug", "__proto__": {"admin": true}}',
    "items-object": b'{"order_id": "order_mug", "items": {"item_id": "item_mug", "quantity": 1}}',
    "items-null": b'{"order_id": "order_mug", "items": null}',
    "item-text": b'{"order_id": "order_mug", "items": ["item_mug"]}',
    "quantity-text": b'{"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": "1"}]}',
    "quantity-true": b'{"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": true}]}',
    "quantity-float": b'{"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": 1.0}]}',
    "quantity-huge": b'{"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": 1e3}]}',
    "quantity-wide": b'{"order_id": "o", "items": [{"item_id": "item_mug", "quantity": 9007199254740992}]}',
    "surrogate": b'{"order_id": "\\ud800", "items": [{"item_id": "\\udfff", "quantity": 1}]}',
    "surrogate-key": b'{"order_id": "order_mug", "items": [], "\\ud800": 1}',
    "many-mistakes": json.dumps({f"x{number}": 0 for number in range(5000)}).encode(),
}
ROUTES = {
    "create": ("/store/returns", ADA),
    "receive": ("/admin/returns/:id/receive", ADMIN),
    "cancel": ("/admin/returns/:id/cancel", ADMIN),
}


#: A cancellation has no body, or an empty one.
WELL_FORMED = [("cancel", "nothing"), ("cancel", "empty")]


@pytest.mark.parametrize(
    ("route", "name"), [pair for pair in product(ROUTES, MALFORMED) if pair not in WELL_FORMED]
)
def test_a_malformed_body_is_refused_in_place(busy: tuple[Shop, str], route: str, name: str) -> None:
    """422, with every place by its path."""
    path, token = ROUTES[route]

    answer = unchanged(busy, "POST", path, MALFORMED[name], {**JSON, **token})

    assert answer.error == (422, "invalid_data", "invalid_request_error")
    assert all(error["path"].startswith("$") for error in answer.body["errors"])
    assert len(json.dumps(answer.body)) < 20_000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({**ONE_MUG, "order_id": "order_none"}, (404, "not_found", "order_not_found")),
        ({**ONE_MUG, "order_id": ""}, (404, "not_found", "order_not_found")),
        ({**ONE_MUG, "order_id": "order_mug\x00"}, (404, "not_found", "order_not_found")),
        ({**ONE_MUG, "order_id": "' OR 1=1 --"}, (404, "not_found", "order_not_found")),
        ({**ONE_MUG, "order_id": "order_tea"}, (404, "not_found", "order_not_found")),
        (
            {**ONE_MUG, "return_shipping": {"option_id": "so_none"}},
            (404, "not_found", "shipping_option_not_found"),
        ),
        (
            {**ONE_MUG, "return_shipping": {"option_id": "so_out"}},
            (400, "invalid_data", "not_a_return_option"),
        ),
        ({**ONE_MUG, "items": []}, (400, "invalid_data", "no_items")),
        ({**ONE_MUG, "items": [{**MUG, "quantity": 0}]}, (400, "invalid_data", "invalid_quantity")),
        ({**ONE_MUG, "items": [{**MUG, "quantity": -1}]}, (400, "invalid_data", "invalid_quantity")),
        (
            {**ONE_MUG, "items": [{**MUG, "quantity": 3}]},
            (400, "invalid_data", "quantity_exceeds_returnable"),
        ),
        (
            {**ONE_MUG, "items": [{**MUG, "quantity": 2**53 - 1}] * 2},
            (400, "invalid_data", "quantity_exceeds_returnable"),
        ),
        ({**ONE_MUG, "items": [{**MUG, "item_id": "item_tea"}]}, (400, "invalid_data", "item_not_found")),
        (
            {**ONE_MUG, "items": [{**MUG, "reason_id": "rr_none"}]},
            (400, "invalid_data", "return_reason_not_found"),
        ),
        (
            {**ONE_MUG, "items": [{**MUG, "reason_id": "rr_size"}]},
            (400, "invalid_data", "return_reason_is_category"),
        ),
        (
            {**ONE_MUG, "items": [{**MUG, "item_id": f"item_{number}"} for number in range(1500)]},
            (400, "invalid_data", "multiple_errors"),
        ),
    ],
    ids=range(16),
)
def test_a_request_that_can_not_be_is_refused(
    busy: tuple[Shop, str], body: dict[str, Any], message: tuple[int, str, str]
) -> None:
    """Of the right shape, and against the rules."""
    sent = json.dumps(body).encode()

    answer = unchanged(busy, "POST", "/store/returns", sent, {**JSON, **ADA})

    assert answer.error == message
    assert len(answer.body.get("errors", [])) <= 100


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"items": []}, "no_items"),
        ({"items": [{**MUG, "quantity": -1}]}, "invalid_quantity"),
        ({"items": [{**MUG, "damaged_quantity": -1}]}, "invalid_damaged_quantity"),
        ({"items": [{**MUG, "quantity": 4}]}, "quantity_exceeds_receivable"),
        ({"items": [{**MUG, "item_id": "item_tea"}]}, "item_not_found"),
        ({"items": [MUG], "refund": -1}, "invalid_refund_amount"),
        ({"items": [MUG], "refund": 2**53 - 1}, "refund_exceeds_refundable"),
        ({"items": [MUG], "allow_mismatch": True, "more_expected": True}, "mismatch_and_more_expected"),
    ],
)
def test_a_receipt_that_can_not_be_is_refused(
    busy: tuple[Shop, str], body: dict[str, Any], code: str
) -> None:
    """Of the right shape, and against the rules."""
    sent = json.dumps(body).encode()

    answer = unchanged(busy, "POST", "/admin/returns/:id/receive", sent, {**JSON, **ADMIN})

    assert answer.error == (400, "invalid_data", code)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/store/returns", {}),
        ("POST", "/store/returns", {"Authorization": "Bearer nobody"}),
        ("POST", "/store/returns", {"Authorization": "Bearer "}),
        ("POST", "/store/returns", {"Authorization": "ada-token"}),
        ("POST", "/store/returns", {"Authorization": "Basic ada-token"}),
        ("POST", "/store/returns", ADMIN),
        ("GET", "/admin/returns", {}),
        ("GET", "/admin/returns", ADA),
        ("GET", "/admin/returns", {"x-medusa-access-token": ""}),
        ("GET", "/admin/returns", {"x-medusa-access-token": "admin-toke"}),
        ("GET", "/admin/returns", {"x-medusa-access-token": b"\xff\xfe"}),
        ("GET", "/admin/returns/:id", {}),
        ("GET", "/admin/returns/ret_none", ADA),
        ("POST", "/admin/returns/:id/receive", ADA),
        ("POST", "/admin/returns/:id/cancel", BOB),
    ],
    ids=range(15),
)
def test_without_a_token_nothing_is_done(
    busy: tuple[Shop, str], method: str, path: str, headers: dict[str, Any]
) -> None:
    """Nor told, not even whether a return exists."""
    body = json.dumps(ONE_MUG).encode() if method == "POST" else None

    answer = unchanged(busy, method, path, body, {**JSON, **headers})

    assert answer.error == (401, "unauthorized", "unauthorized")


def test_the_admin_may_come_as_a_bearer(busy: tuple[Shop, str]) -> None:
    """Medusa takes the token in either header."""
    shop, return_id = busy

    assert shop.get(f"/admin/returns/{return_id}", {"Authorization": "bearer admin-token"}).status == 200


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "declared",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "multipart/form-data"],
)
def test_another_type_of_body_is_refused(busy: tuple[Shop, str], route: str, declared: str) -> None:
    """Whatever is in it."""
    path, token = ROUTES[route]
    body = json.dumps({"items": [MUG]} if route == "receive" else ONE_MUG).encode()

    answer = unchanged(busy, "POST", path, body, {"Content-Type": declared, **token})

    assert answer.error == (415, "invalid_data", "unsupported_media_type")


def test_the_type_may_say_its_charset(shop: Shop) -> None:
    """As clients do, in any case."""
    answer = shop.post("/store/returns", ONE_MUG, {**ADA, "Content-Type": "Application/JSON; charset=utf-8"})

    assert answer.status == 200


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("size", [MOST_BYTES + 1, 20 * MOST_BYTES])
def test_a_body_that_is_too_large_is_not_read(busy: tuple[Shop, str], route: str, size: int) -> None:
    """It could have been a request."""
    path, token = ROUTES[route]
    body = json.dumps(ONE_MUG).encode().ljust(size)

    answer = unchanged(busy, "POST", path, body, {**JSON, **token})

    assert answer.error == (413, "invalid_data", "body_too_large")


def test_a_body_of_the_largest_size_is_read(shop: Shop) -> None:
    """To the byte."""
    answer = shop.ask(
        "POST", "/store/returns", json.dumps(ONE_MUG).encode().ljust(MOST_BYTES), {**JSON, **ADA}
    )

    assert answer.status == 200


def test_a_body_without_an_end_is_cut_off(busy: tuple[Shop, str]) -> None:
    """In chunks, it says no size."""
    shop, _ = busy
    before = shop.render()
    with closing(HTTPConnection("127.0.0.1", shop.port, timeout=30)) as connection:
        connection.putrequest("POST", "/store/returns")
        for name, value in {**JSON, **ADA, "Transfer-Encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        with suppress(ConnectionError):  # it hangs up when it has read enough
            for _ in range(17):
                connection.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
        response = connection.getresponse()

        assert response.status == 413
        assert json.loads(response.read())["code"] == "body_too_large"
    assert shop.render() == before


def test_a_client_that_leaves_does_no_harm(busy: tuple[Shop, str]) -> None:
    """In the middle of its body."""
    shop, return_id = busy
    before = shop.render()
    for _ in range(5):
        with closing(socket.create_connection(("127.0.0.1", shop.port), timeout=30)) as connection:
            connection.sendall(
                b"POST /store/returns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\n"
                b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
            )

    assert shop.get(f"/admin/returns/{return_id}", ADMIN).status == 200
    assert shop.render() == before


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "unknown_route"),
        ("GET", "/store", 404, "unknown_route"),
        ("GET", "/store/returns", 405, "unknown_method"),
        ("DELETE", "/admin/returns/:id", 405, "unknown_method"),
        ("PUT", "/admin/returns/:id/receive", 405, "unknown_method"),
        ("GET", "/admin/returns/:id/receive", 405, "unknown_method"),
        ("GET", "/admin/returns/ret_none", 404, "return_not_found"),
        ("GET", "/admin/returns/%00", 404, "return_not_found"),
        ("GET", "/admin/returns/%ED%A0%80", 404, "return_not_found"),
        ("GET", "/admin/returns/%FF", 404, "return_not_found"),
        ("GET", "/admin/returns/..%5C..", 404, "return_not_found"),
        ("GET", "/admin/returns/" + "x" * 20_000, 404, "return_not_found"),
        ("POST", "/admin/returns/ret_none/cancel", 404, "return_not_found"),
        ("GET", "/store/return-reasons/%00", 404, "return_reason_not_found"),
        ("GET", "/admin/returns?limit=1000", 422, "invalid_request_error"),
        ("GET", "/admin/returns?limit=1;offset=2", 422, "invalid_request_error"),
        ("GET", "/admin/returns?offset=-1&fields=id&limit=", 422, "invalid_request_error"),
    ],
    ids=range(17),
)
def test_a_path_that_leads_nowhere(
    busy: tuple[Shop, str], method: str, path: str, status: int, code: str
) -> None:
    """Is refused in the same shape."""
    answer = unchanged(busy, method, path, None, ADMIN)

    assert (answer.error[0], answer.error[2]) == (status, code)


@pytest.mark.parametrize("key", ["é", "x" * 255, "a b;c", "../../etc", "{}"])
def test_any_key_is_a_key(shop: Shop, key: str) -> None:
    """It is the client's, and sent back as it came."""
    headers = {**ADA, "Idempotency-Key": key}

    first, again = (shop.post("/store/returns", ONE_MUG, headers) for _ in range(2))

    assert first.status == 200
    assert first.body == again.body
    assert first.body["return"]["idempotency_key"] == first.headers["idempotency-key"] == key


def test_a_key_that_is_too_long_is_refused(shop: Shop) -> None:
    """Its length is reported, and nothing is done."""
    answer = shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": "x" * 256})

    assert answer.error == (400, "invalid_data", "invalid_idempotency_key")
    assert (answer.body["numbers"]["length"], answer.body["numbers"]["maximum"]) == (256, 255)
    assert shop.service.list("order_mug") == ()


@pytest.mark.parametrize("key", ["", "   "])
def test_an_empty_key_is_no_key(shop: Shop, key: str) -> None:
    """One is made, so that two requests are two."""
    first, second = (shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": key}) for _ in range(2))

    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert first.body["return"]["id"] != second.body["return"]["id"]


def test_a_rush_for_the_last_units(shop: Shop) -> None:
    """Eight ask for two of three mugs at once: one gets them, and the others are told what is left."""
    body = {**ONE_MUG, "items": [{**MUG, "quantity": 2}]}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: shop.post("/store/returns", body, ADA), range(8)))

    refusals = [answer for answer in answers if answer.status != 200]
    assert len(refusals) == 7
    for refusal in refusals:
        assert refusal.error == (400, "invalid_data", "quantity_exceeds_returnable")
        assert refusal.body["numbers"] == {"quantity": 2, "returnable": 1}
    assert len(shop.service.list("order_mug")) == 1


def test_a_key_that_is_sent_eight_times_at_once(shop: Shop) -> None:
    """One return, told eight times."""
    headers = {**ADA, "Idempotency-Key": "rush"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: shop.post("/store/returns", ONE_MUG, headers), range(8)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["return"]["id"] for answer in answers}) == 1
    assert len(shop.service.list("order_mug")) == 1


def test_a_refund_is_not_made_twice_in_a_rush(tmp_path: Path) -> None:
    """Eight clerks receive the same parcel, without a key."""
    with serving(sample_service(f"sqlite:///{tmp_path / 'returns.db'}")) as shop:
        ret = shop.post("/store/returns", ONE_MUG, ADA).body["return"]["id"]
        path = f"/admin/returns/{ret}/receive"
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: shop.post(path, {"items": [MUG]}, ADMIN), range(8)))

        assert sorted(answer.status for answer in answers) == [200] + [409] * 7
        assert len(shop.service.get(ret).refunds) == 1
