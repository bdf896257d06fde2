"""Tests of bodies that do not end: they are given up after a time, and the connection is closed."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from inspect import signature
from itertools import repeat
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from http_api import MOST_BYTES, returns_app, sample_service

from .serving import ADA, ADMIN, JSON, Shop, serving

#: The bound of these tests, in seconds.
BOUND = 0.4
ONE_MUG: dict[str, Any] = {"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": 1}]}
CHUNKED = {"Transfer-Encoding": "chunked"}
LONG = {"Content-Length": "50000"}
ROUTES = {
    "create": ("/store/returns", ADA),
    "receive": ("/admin/returns/ret_none/receive", ADMIN),
    "cancel": ("/admin/returns/ret_none/cancel", ADMIN),
}


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that waits a short time for bodies; tests must not change it."""
    database = tmp_path_factory.mktemp("impatient") / "returns.db"
    with serving(sample_service(f"sqlite:///{database}"), body_timeout=BOUND) as shop:
        yield shop


def talk(
    shop: Shop, method: str, path: str, headers: dict[str, str], parts: Iterator[bytes]
) -> tuple[bytes, float]:
    """
    Sends a head, and a part of the body whenever nothing has arrived for a while, until the server closes.

    Returns all that arrived, and after how many seconds the connection was closed.
    """
    started, arrived = monotonic(), b""
    with closing(socket.create_connection(("127.0.0.1", shop.port))) as client:
        fields = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "shop", **headers}.items())
        client.sendall(f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode())
        client.settimeout(BOUND / 8)
        while monotonic() < started + 20:
            try:
                received = client.recv(65536)
            except TimeoutError:
                with suppress(ConnectionError):  # closed meanwhile
                    client.sendall(next(parts, b""))
                continue
            except ConnectionError:
                break
            if not received:
                break
            arrived += received
        else:
            pytest.fail("the server does not give up")
    return arrived, monotonic() - started


def parsed(arrived: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers by small letters, and body of the only response."""
    head, _, body = arrived.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, json.loads(body)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("framing", "part"),
    [(LONG, b" "), (CHUNKED, b"1\r\n \r\n"), (LONG, b""), (CHUNKED, b"")],
    ids=["slow", "slow-chunks", "silent", "silent-chunks"],
)
def test_a_body_that_does_not_end_is_given_up(
    impatient: Shop, route: str, framing: dict[str, str], part: bytes
) -> None:
    """The status is 408 after the bound, however small the parts are; the connection is closed."""
    path, token = ROUTES[route]
    before = impatient.stored()

    arrived, seconds = talk(impatient, "POST", path, {**JSON, **token, **framing}, repeat(part))

    status, headers, body = parsed(arrived)
    assert (status, body["type"], body["code"]) == (408, "invalid_data", "body_too_slow")
    assert body["message"] == f"the body must arrive within {BOUND:g} seconds"
    assert headers["connection"] == "close"
    assert headers["idempotency-key"]
    assert seconds > 0.9 * BOUND  # timers round
    assert impatient.stored() == before


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/store/returns", JSON, 401),
        ("POST", "/admin/returns/ret_none/cancel", {**JSON, **ADA}, 401),
        ("POST", "/nowhere", JSON, 404),
        ("PUT", "/store/returns", {**JSON, **ADA}, 405),
        ("GET", "/store/return-reasons", JSON, 200),
        ("GET", "/admin/returns", ADMIN, 200),
    ],
    ids=range(6),
)
def test_a_response_does_not_wait_for_the_body(
    impatient: Shop, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """What needs no body is answered without it; the rest of the body is given up after the bound."""
    arrived, seconds = talk(impatient, method, path, {**headers, **LONG}, repeat(b" "))

    answered, sent, _ = parsed(arrived)
    assert (answered, sent["connection"]) == (status, "close")
    assert seconds > 0.9 * BOUND  # timers round


def test_a_body_that_is_too_large_and_does_not_end_is_given_up(tmp_path: Path) -> None:
    """It is refused with 413 when it is too large, and the rest is given up after the bound."""
    parts = iter([b"%x\r\n" % (MOST_BYTES + 1) + b" " * (MOST_BYTES + 1) + b"\r\n"])
    # a bound within which any machine has read so much
    with serving(sample_service(f"sqlite:///{tmp_path / 'returns.db'}"), body_timeout=3) as shop:
        arrived, seconds = talk(shop, "POST", "/store/returns", {**JSON, **ADA, **CHUNKED}, parts)

    status, headers, body = parsed(arrived)
    assert (status, body["code"], headers["connection"]) == (413, "body_too_large", "close")
    assert seconds > 2.7


def test_a_client_that_waits_for_the_server_is_given_up(impatient: Shop) -> None:
    """A client that asks whether it should send its body, and does not send it, gets 408 as well."""
    headers = {**JSON, **ADA, **LONG, "Expect": "100-continue"}

    arrived, _ = talk(impatient, "POST", "/store/returns", headers, repeat(b""))

    assert arrived.startswith(b"HTTP/1.1 100 ")
    assert parsed(arrived.partition(b"\r\n\r\n")[2])[0] == 408


def test_others_are_served_while_bodies_do_not_end(impatient: Shop) -> None:
    """More clients than there are threads send nothing, and another is answered."""
    head = "POST /store/returns HTTP/1.1\r\nHost: shop\r\nContent-Length: 9\r\n"
    head += "Authorization: Bearer ada-token\r\n\r\n"
    clients = [socket.create_connection(("127.0.0.1", impatient.port)) for _ in range(60)]
    for client in clients:
        client.sendall(head.encode())

    assert impatient.get("/store/return-reasons").status == 200
    for client in clients:
        client.settimeout(20)
        assert client.recv(100).startswith(b"HTTP/1.1 408 ")
        client.close()


def test_a_body_that_ends_in_time_keeps_its_connection(shop: Shop) -> None:
    """Also if it arrives in parts; more requests follow on the connection."""
    refused = json.dumps({**ONE_MUG, "items": []}).encode()
    with closing(HTTPConnection("127.0.0.1", shop.port, timeout=20)) as connection:
        for _ in range(3):
            connection.putrequest("POST", "/store/returns")
            for name, value in {**JSON, **ADA, "Content-Length": str(len(refused))}.items():
                connection.putheader(name, value)
            connection.endheaders()
            for byte in refused:
                connection.send(bytes([byte]))
            response = connection.getresponse()

            assert (response.status, json.loads(response.read())["code"]) == (400, "no_items")
            assert response.headers["connection"] != "close"


def test_the_bound_is_thirty_seconds_unless_given() -> None:
    """The application has it as an option."""
    assert signature(returns_app).parameters["body_timeout"].default == 30
