"""Runs the example application behind a real socket, with a client from the standard library."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import uvicorn
from attrs import frozen

from http_api import ADMIN_TOKEN, BODY_TIMEOUT, CUSTOMERS, returns_app
from rma import ReturnService
from rma.adapters.medusa_api.schemas import ERROR

from .schema_validators import strict_validator

ADMIN = {"x-medusa-access-token": ADMIN_TOKEN}
ADA = {"Authorization": "Bearer ada-token"}
BOB = {"Authorization": "Bearer bob-token"}
JSON = {"Content-Type": "application/json"}


@frozen
class Response:
    """A response with its parsed body."""

    status: int
    headers: Mapping[str, str]
    body: Any  # a JSON object

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, type and code of an error, whose body matches its schema."""
        strict_validator(ERROR).validate(self.body)
        return self.status, self.body["type"], self.body["code"]


@frozen
class Shop:
    """A running application."""

    service: ReturnService
    port: int

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Response:
        """Sends a GET request."""
        return self.send("GET", path, None, headers)

    def post(self, path: str, body: object = None, headers: Mapping[str, str] = {}) -> Response:
        """Sends a POST request; None sends no body."""
        content = None if body is None else json.dumps(body).encode()
        return self.send("POST", path, content, {**(JSON if content else {}), **headers})

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        """Sends these bytes as the body."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            assert response.headers.get_content_type() == "application/json"
            return Response(response.status, dict(response.headers), json.loads(response.read()))

    def ask(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
        """Sends a request whose response need not be JSON; returns status and headers, by small letters."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, headers=dict(headers))
            response = connection.getresponse()
            response.read()
            return response.status, {name.lower(): value for name, value in response.headers.items()}

    def stored(self) -> object:
        """Returns every ledger and every history."""
        orders = ("order_mug", "order_shirt", "order_tea", "order_none")
        returns = self.service.returns
        return [(returns.load(order_id), returns.history(order_id)) for order_id in orders]


@contextmanager
def serving(
    service: ReturnService, *, store_origins: Sequence[str] = (), body_timeout: float = BODY_TIMEOUT
) -> Iterator[Shop]:
    """Runs the application of this service at a free port."""
    app = returns_app(
        service,
        customers=CUSTOMERS,
        admin_token=ADMIN_TOKEN,
        store_origins=store_origins,
        body_timeout=body_timeout,
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="none"))
    started = threading.Event()
    startup = server.startup

    async def start(sockets: Any = None) -> None:  # the signature of uvicorn
        await startup(sockets)
        started.set()

    server.startup = start  # type: ignore[method-assign] # uvicorn reports its start in no other way
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(timeout=30)
        yield Shop(service, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=30)
