"""The example application behind a real socket, and a client of nothing but Python's own."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import uvicorn
from attrs import frozen

from http_api import ADMIN_TOKEN, CUSTOMERS, returns_app
from rma import ReturnService
from rma.adapters.medusa_api.schemas import ERROR

from .judging import strictly

ADMIN = {"x-medusa-access-token": ADMIN_TOKEN}
ADA = {"Authorization": "Bearer ada-token"}
BOB = {"Authorization": "Bearer bob-token"}
JSON = {"Content-Type": "application/json"}


@frozen
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any  # a JSON object

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, type and code of a refusal, which has Medusa's shape."""
        strictly(ERROR).validate(self.body)
        return self.status, self.body["type"], self.body["code"]


@frozen
class Shop:
    """A running application."""

    service: ReturnService
    port: int

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answer:
        """Ask to read."""
        return self.ask("GET", path, None, headers)

    def post(self, path: str, body: object = None, headers: Mapping[str, str] = {}) -> Answer:
        """Ask for something to be done; no body for None."""
        sent = None if body is None else json.dumps(body).encode()
        return self.ask("POST", path, sent, {**(JSON if sent else {}), **headers})

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send these very bytes."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            assert response.headers.get_content_type() == "application/json"
            return Answer(response.status, dict(response.headers), json.loads(response.read()))

    def render(self) -> object:
        """Every ledger and every history, as they are stored."""
        orders = ("order_mug", "order_shirt", "order_tea", "order_none")
        returns = self.service.returns
        return [(returns.load(order_id), returns.history(order_id)) for order_id in orders]


@contextmanager
def serving(service: ReturnService) -> Iterator[Shop]:
    """The application over this service, at a port of its own."""
    app = returns_app(service, customers=CUSTOMERS, admin_token=ADMIN_TOKEN)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="none"))
    started = threading.Event()
    startup = server.startup

    async def expected(sockets: Any = None) -> None:  # as uvicorn has it
        await startup(sockets)
        started.set()

    server.startup = expected  # type: ignore[method-assign] # it has no other way to tell
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(timeout=30)
        yield Shop(service, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=30)
