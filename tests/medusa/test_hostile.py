"""Tests of hostile bodies, paths and headers: they are refused with Medusa's errors and change nothing."""

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

from .serving import ADA, ADMIN, BOB, JSON, Response, Shop, serving

MUG: dict[str, Any] = {"item_id": "item_mug", "quantity": 1}
ONE_MUG: dict[str, Any] = {"order_id": "order_mug", "items": [MUG]}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """A shop with one open return, and its id; tests must not change it."""
    database = tmp_path_factory.mktemp("busy") / "returns.db"
    with serving(sample_service(f"sqlite:///{database}")) as shop:
        yield shop, shop.post("/store/returns", ONE_MUG, ADA).body["return"]["id"]


def send_in_vain(
    busy: tuple[Shop, str], method: str, path: str, body: bytes | None, headers: Any
) -> Response:
    """Sends a request and checks that no ledger and no history changed."""
    shop, return_id = busy
    before = shop.stored()
    answer = shop.send(method, path.replace(":id", return_id), body, headers)
    assert shop.stored() == before
    return answer


MALFORMED = {
    "nothing": b"",
    "half": b'{"order_id": "order_mug", "items": [',
    "not-json": b"order_id=order_mug",
    "not-utf-8": b'{"order_id": "\xff"}',
    "twice": b'{"items": [], "items": []}',
    "nan": b'{"items": NaN}',
    "deep-array": b"[" * 30_000 + b"]" * 30_000,
    "deep-object": b'{"items":' * 6_000 + b"1" + b"}" * 6_000,
    "long-number": b'{"items": ' + b"9" * 60_000 + b"}",
    "exponent": b'{"items": 1e999}',
    "null": b"null",
    "array": b"[]",
    "string": b'"items"',
    "number": b"1",
    "true": b"true",
    "empty": b"{}",
    "unknown": b'{"items": [], "order_id": "order_mug", "__proto__": {"admin": true}}',
    "items-object": b'{"order_id": "order_mug", "items": {"item_id": "item_mug", "quantity": 1}}',
    "items-null": b'{"order_id": "order_mug", "items": null}',
    "item-string": b'{"order_id": "order_mug", "items": ["item_mug"]}',
    "quantity-string": b'{"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": "1"}]}',
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
def test_a_malformed_body_is_refused(busy: tuple[Shop, str], route: str, name: str) -> None:
    """The status is 422, and every problem has its path."""
    path, token = ROUTES[route]

    answer = send_in_vain(busy, "POST", path, MALFORMED[name], {**JSON, **token})

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
def test_a_request_against_the_rules_is_refused(
    busy: tuple[Shop, str], body: dict[str, Any], message: tuple[int, str, str]
) -> None:
    """A body of the right shape that breaks a rule is refused with its code."""
    content = json.dumps(body).encode()

    answer = send_in_vain(busy, "POST", "/store/returns", content, {**JSON, **ADA})

    assert answer.error == message
    assert len(answer.body.get("errors", [])) <= 100


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"items": [{**MUG, "quantity": -1}]}, "invalid_quantity"),
        ({"items": [{**MUG, "damaged_quantity": -1}]}, "invalid_damaged_quantity"),
        ({"items": [MUG], "refund": -1}, "invalid_refund_amount"),
        ({"items": [MUG], "refund": 2**53 - 1}, "multiple_errors"),  # above the value, and what is refundable
        ({"items": [MUG], "allow_mismatch": True, "more_expected": True}, "mismatch_and_more_expected"),
    ],
)
def test_a_receipt_against_the_rules_is_refused(
    busy: tuple[Shop, str], body: dict[str, Any], code: str
) -> None:
    """A body of the right shape that breaks a rule is refused with its code."""
    content = json.dumps(body).encode()

    answer = send_in_vain(busy, "POST", "/admin/returns/:id/receive", content, {**JSON, **ADMIN})

    assert answer.error == (400, "invalid_data", code)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/store/returns", {}),
        ("POST", "/store/returns", {"Authorization": "Bearer unknown"}),
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
    """The response does not reveal whether a return exists."""
    body = json.dumps(ONE_MUG).encode() if method == "POST" else None

    answer = send_in_vain(busy, method, path, body, {**JSON, **headers})

    assert answer.error == (401, "unauthorized", "unauthorized")


def test_the_admin_token_may_be_a_bearer_token(busy: tuple[Shop, str]) -> None:
    """The token is accepted in either header."""
    shop, return_id = busy

    assert shop.get(f"/admin/returns/{return_id}", {"Authorization": "bearer admin-token"}).status == 200


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "declared",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "multipart/form-data"],
)
def test_another_type_of_body_is_refused(busy: tuple[Shop, str], route: str, declared: str) -> None:
    """A body that is not declared as JSON is refused with 415."""
    path, token = ROUTES[route]
    body = json.dumps({"items": [MUG]} if route == "receive" else ONE_MUG).encode()

    answer = send_in_vain(busy, "POST", path, body, {"Content-Type": declared, **token})

    assert answer.error == (415, "invalid_data", "unsupported_media_type")


def test_the_content_type_may_have_a_charset(shop: Shop) -> None:
    """The content type is compared without parameters and case."""
    answer = shop.post("/store/returns", ONE_MUG, {**ADA, "Content-Type": "Application/JSON; charset=utf-8"})

    assert answer.status == 200


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("size", [MOST_BYTES + 1, 20 * MOST_BYTES])
def test_a_body_that_is_too_large_is_not_read(busy: tuple[Shop, str], route: str, size: int) -> None:
    """A body above the limit is refused with 413, even if it is a valid request."""
    path, token = ROUTES[route]
    body = json.dumps(ONE_MUG).encode().ljust(size)

    answer = send_in_vain(busy, "POST", path, body, {**JSON, **token})

    assert answer.error == (413, "invalid_data", "body_too_large")


def test_a_body_of_the_largest_size_is_read(shop: Shop) -> None:
    """A body of exactly the limit is accepted."""
    answer = shop.send(
        "POST", "/store/returns", json.dumps(ONE_MUG).encode().ljust(MOST_BYTES), {**JSON, **ADA}
    )

    assert answer.status == 200


def test_an_endless_body_is_refused(busy: tuple[Shop, str]) -> None:
    """A chunked body has no declared size and is refused at the limit."""
    shop, _ = busy
    before = shop.stored()
    with closing(HTTPConnection("127.0.0.1", shop.port, timeout=30)) as connection:
        connection.putrequest("POST", "/store/returns")
        for name, value in {**JSON, **ADA, "Transfer-Encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        with suppress(ConnectionError):  # the server closes the connection at the limit
            for _ in range(17):
                connection.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
        response = connection.getresponse()

        assert response.status == 413
        assert json.loads(response.read())["code"] == "body_too_large"
    assert shop.stored() == before


def test_a_client_that_leaves_does_no_harm(busy: tuple[Shop, str]) -> None:
    """Connections that close in the middle of a body change nothing."""
    shop, return_id = busy
    before = shop.stored()
    for _ in range(5):
        with closing(socket.create_connection(("127.0.0.1", shop.port), timeout=30)) as connection:
            connection.sendall(
                b"POST /store/returns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\n"
                b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
            )

    assert shop.get(f"/admin/returns/{return_id}", ADMIN).status == 200
    assert shop.stored() == before


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "unknown_route"),
        ("GET", "/store/", 404, "unknown_route"),
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
        ("GET", "/admin/returns?limit=1e3", 422, "invalid_request_error"),
        ("GET", "/admin/returns?limit=1;offset=2", 422, "invalid_request_error"),
        ("GET", "/admin/returns?offset=-1&fields=id&limit=", 422, "invalid_request_error"),
    ],
    ids=range(17),
)
def test_an_unknown_path_is_refused(
    busy: tuple[Shop, str], method: str, path: str, status: int, code: str
) -> None:
    """Unknown routes, methods, ids and queries are refused with Medusa's errors."""
    answer = send_in_vain(busy, method, path, None, ADMIN)

    assert (answer.error[0], answer.error[2]) == (status, code)


@pytest.mark.parametrize("key", ["é", "x" * 255, "a b;c", "../../etc", "{}"])
def test_any_string_can_be_a_key(shop: Shop, key: str) -> None:
    """The client's key is returned unchanged."""
    headers = {**ADA, "Idempotency-Key": key}

    first, again = (shop.post("/store/returns", ONE_MUG, headers) for _ in range(2))

    assert first.status == 200
    assert first.body == again.body
    assert first.body["return"]["idempotency_key"] == first.headers["idempotency-key"] == key


def test_a_key_that_is_too_long_is_refused(shop: Shop) -> None:
    """The error has its length, and no return is created."""
    answer = shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": "x" * 256})

    assert answer.error == (400, "invalid_data", "invalid_idempotency_key")
    assert (answer.body["numbers"]["length"], answer.body["numbers"]["maximum"]) == (256, 255)
    assert shop.service.list("order_mug") == ()


@pytest.mark.parametrize("key", ["", "   "])
def test_an_empty_key_is_replaced(shop: Shop, key: str) -> None:
    """Each request gets a fresh key, so two requests create two returns."""
    first, second = (shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": key}) for _ in range(2))

    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert first.body["return"]["id"] != second.body["return"]["id"]


def test_concurrent_requests_for_the_last_units(shop: Shop) -> None:
    """Of eight requests for two of three mugs one succeeds; the others are refused with what is left."""
    body = {**ONE_MUG, "items": [{**MUG, "quantity": 2}]}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: shop.post("/store/returns", body, ADA), range(8)))

    refusals = [answer for answer in answers if answer.status != 200]
    assert len(refusals) == 7
    for refusal in refusals:
        assert refusal.error == (400, "invalid_data", "quantity_exceeds_returnable")
        assert refusal.body["numbers"] == {"quantity": 2, "returnable": 1}
    assert len(shop.service.list("order_mug")) == 1


def test_concurrent_requests_with_the_same_key(shop: Shop) -> None:
    """One return is created, and all eight responses contain it."""
    headers = {**ADA, "Idempotency-Key": "same"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: shop.post("/store/returns", ONE_MUG, headers), range(8)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["return"]["id"] for answer in answers}) == 1
    assert len(shop.service.list("order_mug")) == 1


def test_concurrent_receipts_refund_once(tmp_path: Path) -> None:
    """Eight clerks receive the same parcel at once, without a key: it is booked, and a person decides."""
    with serving(sample_service(f"sqlite:///{tmp_path / 'returns.db'}")) as shop:
        ret = shop.post("/store/returns", ONE_MUG, ADA).body["return"]["id"]
        path = f"/admin/returns/{ret}/receive"
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: shop.post(path, {"items": [MUG]}, ADMIN), range(8)))

        received = shop.service.get(ret)
        assert [answer.status for answer in answers] == [200] * 8
        assert (len(received.refunds), received.status) == (1, "requires_action")
        assert sum(item.arrived_quantity for item in received.items) == 3  # of three that were sold
