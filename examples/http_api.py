"""
Serves Medusa v1's return routes with Starlette and a SQLite file.

Run it: `python examples/http_api.py`. It has four orders of two customers, prints requests to try, and
stores returns in `returns.db`. The API is in `rma.adapters.medusa_api` and the rules are in the library; this
file does only HTTP: authentication, limits of the size and time of bodies, and threads for calls that block.
"""

import argparse
import asyncio
import hmac
import json
import logging
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from attrs import evolve, field, frozen
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rma import (
    Adjustment,
    ApproveReturn,
    LineItem,
    NotFound,
    Order,
    Payment,
    ReturnPolicy,
    ReturnReason,
    ReturnService,
    ShippingOption,
    TaxLine,
)
from rma.adapters.medusa_api import (
    cancel_return,
    error_json,
    loads,
    openapi,
    order_response,
    page,
    plain_error,
    reason_response,
    reasons_response,
    receive_return,
    request_return,
    return_response,
    returns_response,
)
from rma.adapters.medusa_api.keys import ADMIN, scoped_key
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryReturnReasons,
    InMemoryReturns,
    InMemoryShippingOptions,
)
from rma.adapters.sql import sql_service

#: The largest body that is read, in bytes; a return of hundreds of lines is smaller.
MOST_BYTES = 64 * 1024
#: How long a body may take to arrive, in seconds.
BODY_TIMEOUT = 30.0
#: How often open effects are delivered, in seconds.
RESUME_EVERY = 60.0

ORDERS = (
    Order(
        id="order_mug",
        currency="usd",
        customer_id="cus_ada",
        items=[
            LineItem(
                id="item_mug",
                title="Medusa Coffee Mug",
                variant_id="variant_small",
                quantity=3,
                unit_price=8000,
                fulfilled_quantity=3,
                adjustments=[Adjustment(1000, code="10DISC")],
                tax_lines=[TaxLine(10, code="tax01", name="Tax Example")],
            )
        ],
        payments=[Payment(id="pay_mug", captured=25300)],
    ),
    Order(
        id="order_shirt",
        currency="eur",
        customer_id="cus_ada",
        items=[
            LineItem(
                id="item_shirt",
                title="Shirt",
                quantity=2,
                unit_price=1200,
                fulfilled_quantity=2,
                tax_lines=[TaxLine(20, name="vat")],
                is_tax_inclusive=True,
            )
        ],
        payments=[Payment(id="pay_shirt", captured=2400)],
    ),
    Order(
        id="order_tea",
        currency="usd",
        customer_id="cus_bob",
        items=[LineItem(id="item_tea", title="Tea", quantity=1, unit_price=500, fulfilled_quantity=1)],
        payments=[Payment(id="pay_tea", captured=500)],
    ),
    Order(
        id="order_lamp",
        currency="usd",
        customer_id="cus_bob",
        items=[LineItem(id="item_lamp", title="Lamp", quantity=2, unit_price=90_000, fulfilled_quantity=2)],
        payments=[Payment(id="pay_lamp", captured=180_000)],
    ),
)
#: Returns of what costs this much wait for a clerk's approval.
DEAR = 50_000
REASONS = (
    ReturnReason(id="rr_size", value="size", label="Wrong size"),
    ReturnReason(id="rr_small", value="too_small", label="Too small", parent_id="rr_size"),
    ReturnReason(id="rr_damaged", value="damaged", label="Damaged goods", description="It arrived broken"),
)
SHIPPING_OPTIONS = (
    ShippingOption(id="so_return", name="PostFake Return", price=200, location_id="sloc_1"),
    ShippingOption(id="so_out", name="PostFake Standard", price=500, is_return=False),
)
#: The customer of each token. Replace it with your own authentication.
CUSTOMERS = {"ada-token": "cus_ada", "bob-token": "cus_bob"}
ADMIN_TOKEN = "admin-token"

Json = dict[str, object]
Endpoint = Callable[[Request, str], Awaitable[Json]]

_log = logging.getLogger("http_api")


class Refused(Exception):
    """A request that is refused before it reaches the API."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = plain_error(kind, code, message)


class BodyDeadline:
    """
    ASGI middleware: a body arrives within so many seconds of its head, or it is given up.

    Reading it then raises `Refused` (408). A response that is sent before the body has ended is sent whole;
    the connection is closed when the body ends or its time is over, so that a client which is still sending
    can read the response. Heads that do not end are left to the server and its proxy.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self._seconds
        names = {name.lower(): value for name, value in scope["headers"]}
        is_arriving = b"transfer-encoding" in names or names.get(b"content-length", b"0") != b"0"

        async def receive_in_time() -> Message:
            nonlocal is_arriving
            if not is_arriving:  # an application may wait for the client to leave, as long as it wants
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                reason = f"the body must arrive within {self._seconds:g} seconds"
                raise Refused(408, "invalid_data", "body_too_slow", reason) from None
            is_arriving = message.get("more_body", False)
            return message

        async def send_and_close(message: Message) -> None:
            if is_arriving and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            if (
                is_arriving
                and message["type"] == "http.response.body"
                and not message.get("more_body", False)
            ):
                await send({**message, "more_body": True})
                with suppress(Refused):
                    while is_arriving:
                        await receive_in_time()
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, receive_in_time, send_and_close)


@frozen
class ReturnsApi:
    """
    The routes of a service.

    Attributes:
        customers: customer ids of the store routes, by token.
        admin_token: the token of the admin routes.
    """

    service: ReturnService
    customers: Mapping[str, str] = field(repr=False)
    admin_token: str = field(repr=False)

    async def create(self, request: Request, key: str) -> Json:
        """POST /store/returns: customers return their own orders only."""
        customer_id = self.customers.get(_bearer(request))
        if customer_id is None:
            raise _unauthorized()
        body = await _body(request)

        def create() -> Json:
            command = request_return(loads(body), idempotency_key=key, created_by=customer_id)
            service = self._service_of(customer_id, command.order_id)
            return return_response(service, service.handle(command), idempotency_key=key)

        return await run_in_threadpool(create)

    async def list_reasons(self, request: Request, key: str) -> Json:  # noqa: ARG002 # as every endpoint
        """GET /store/return-reasons."""
        return await run_in_threadpool(reasons_response, self.service)

    async def get_reason(self, request: Request, key: str) -> Json:  # noqa: ARG002 # as every endpoint
        """GET /store/return-reasons/{id}."""
        return await run_in_threadpool(reason_response, self.service, request.path_params["id"])

    async def list_returns(self, request: Request, key: str) -> Json:  # noqa: ARG002 # as every endpoint
        """GET /admin/returns."""
        self._require_admin(request)
        wanted = page(request.query_params.multi_items())
        return await run_in_threadpool(returns_response, self.service, wanted)

    async def get_return(self, request: Request, key: str) -> Json:  # noqa: ARG002 # as every endpoint
        """GET /admin/returns/{id}."""
        self._require_admin(request)
        return_id = request.path_params["id"]
        return await run_in_threadpool(lambda: return_response(self.service, self.service.get(return_id)))

    async def receive(self, request: Request, key: str) -> Json:
        """POST /admin/returns/{id}/receive."""
        self._require_admin(request)
        return_id, body = request.path_params["id"], await _body(request)

        def receive() -> Json:
            command = receive_return(return_id, loads(body), idempotency_key=key, created_by="admin")
            return return_response(self.service, self.service.handle(command))

        return await run_in_threadpool(receive)

    async def cancel(self, request: Request, key: str) -> Json:
        """POST /admin/returns/{id}/cancel, with or without an empty body."""
        self._require_admin(request)
        return_id, body = request.path_params["id"], await _body(request)

        def cancel() -> Json:
            document = loads(body or b"{}")
            command = cancel_return(return_id, document, idempotency_key=key, created_by="admin")
            return order_response(self.service, self.service.handle(command))

        return await run_in_threadpool(cancel)

    async def approve(self, request: Request, key: str) -> Json:
        """POST /admin/returns/{id}/approve, a route that Medusa does not have."""
        self._require_admin(request)
        return_id = request.path_params["id"]

        def approve() -> Json:
            command = ApproveReturn(
                return_id=return_id, idempotency_key=scoped_key(ADMIN, key), created_by="admin"
            )
            return return_response(self.service, self.service.handle(command))

        return await run_in_threadpool(approve)

    async def describe(self, request: Request, key: str) -> Json:  # noqa: ARG002 # as every endpoint
        """GET /openapi.json."""
        return described()

    def _require_admin(self, request: Request) -> None:
        given = request.headers.get("x-medusa-access-token") or _bearer(request)
        if not hmac.compare_digest(given.encode(), self.admin_token.encode()):
            raise _unauthorized()

    def _service_of(self, customer_id: str, order_id: str) -> ReturnService:
        """Returns the service; for another customer's order, one without orders that answers "not found"."""
        with suppress(NotFound):
            if self.service.orders.get(order_id).customer_id == customer_id:
                return self.service
        return evolve(self.service, orders=InMemoryOrders(), returns=InMemoryReturns())


def returns_app(
    service: ReturnService,
    *,
    customers: Mapping[str, str],
    admin_token: str,
    store_origins: Sequence[str] = (),
    body_timeout: float = BODY_TIMEOUT,
) -> Starlette:
    """
    Returns an ASGI application; while it runs, it delivers open effects at intervals.

    Args:
        service: what it serves.
        customers: customer ids of the store routes, by token.
        admin_token: the token of the admin routes.
        store_origins: the origins, as `https://shop.example`, whose pages may use the store routes.
        body_timeout: how long a body may take to arrive, in seconds; then the response is 408.
    """
    api = ReturnsApi(service, customers, admin_token)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        resuming = asyncio.create_task(_resume_forever(service))
        yield
        resuming.cancel()
        with suppress(asyncio.CancelledError):
            await resuming

    store = [
        _route("POST", "/returns", api.create),
        _route("GET", "/return-reasons", api.list_reasons),
        _route("GET", "/return-reasons/{id}", api.get_reason),
    ]
    # Medusa's client sends credentials, so that no wildcard would do; it sends headers of its own, too.
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origins=store_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        allow_credentials=True,
    )
    return Starlette(
        routes=[
            Mount("/store", routes=store, middleware=[cross_origin]),
            _route("GET", "/admin/returns", api.list_returns),
            _route("GET", "/admin/returns/", api.list_returns),  # the path that Medusa's client uses
            _route("GET", "/admin/returns/{id}", api.get_return),
            _route("POST", "/admin/returns/{id}/receive", api.receive),
            _route("POST", "/admin/returns/{id}/cancel", api.cancel),
            _route("POST", "/admin/returns/{id}/approve", api.approve),
            _route("GET", "/openapi.json", api.describe),
        ],
        middleware=[Middleware(BodyDeadline, seconds=body_timeout)],
        exception_handlers={HTTPException: _no_route},
        lifespan=lifespan,
    )


def described() -> Json:
    """Returns the OpenAPI document: Medusa's routes, and the one that it does not have."""
    document: dict[str, Any] = openapi(title="rma: returns over HTTP")
    paths = document["paths"]
    cancel = paths["/admin/returns/{id}/cancel"]["post"]
    done = paths["/admin/returns/{id}/receive"]["post"]["responses"]["200"]
    approve = {name: value for name, value in cancel.items() if name != "requestBody"}
    approve |= {"operationId": "approve", "responses": {**cancel["responses"], "200": done}}
    paths["/admin/returns/{id}/approve"] = {"post": approve}
    return document


def sample_service(database: str) -> ReturnService:
    """Returns a service that stores returns in this database; the rest of the shop is in memory."""
    return sql_service(
        database,
        orders=InMemoryOrders(ORDERS),
        inventory=InMemoryInventory(),
        payments=InMemoryPayments(),
        fulfillment=InMemoryFulfillment(),
        shipping_options=InMemoryShippingOptions(SHIPPING_OPTIONS),
        return_reasons=InMemoryReturnReasons(REASONS),
        policies=policy_for,
    )


def policy_for(order: Order) -> ReturnPolicy:
    """Returns the rules for an order: a clerk looks at what is dear before it may be sent."""
    return ReturnPolicy(review=any(item.unit_price.amount >= DEAR for item in order.items))


def _route(method: str, path: str, endpoint: Endpoint) -> Route:
    async def respond(request: Request) -> Response:
        headers = {}
        key = ""
        if method == "POST":
            key = request.headers.get("idempotency-key") or str(uuid.uuid4())
            headers = {"Idempotency-Key": key, "Access-Control-Expose-Headers": "Idempotency-Key"}
        try:
            return _response(200, await endpoint(request, key), headers)
        except ClientDisconnect:
            return Response(status_code=400)  # no one receives it
        except Refused as refused:
            return _response(refused.status, refused.body, headers)
        except Exception as error:  # every failure is rendered as Medusa does, without its message
            status, body = error_json(error)
            if status >= 500:
                _log.exception("%s %s failed", method, path)
            return _response(status, body, headers)

    return Route(path, respond, methods=[method])


def _response(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    # default=str: metadata of a host may contain values that are not JSON
    return Response(json.dumps(body, default=str), status, headers, "application/json")


def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "unknown_route" if error.status_code == 404 else "unknown_method"
    return _response(error.status_code, plain_error("not_found", code, error.detail), error.headers)


async def _body(request: Request) -> bytes:
    """Reads the body; refuses one that is too large or is not declared as JSON."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(413, "invalid_data", "body_too_large", f"at most {MOST_BYTES} bytes")
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and declared != "application/json":
        raise Refused(415, "invalid_data", "unsupported_media_type", "send application/json")
    return bytes(body)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _unauthorized() -> Refused:
    return Refused(401, "unauthorized", "unauthorized", "send a token")


async def _resume_forever(service: ReturnService) -> None:
    while True:
        try:
            await run_in_threadpool(service.resume)
        except Exception:  # it is tried again after the interval
            _log.exception("resume failed")
        await asyncio.sleep(RESUME_EVERY)


def main() -> None:
    """Serves the sample orders."""
    parser = argparse.ArgumentParser(description="Medusa v1's return routes, with sample orders")
    parser.add_argument("--port", type=int, default=9000, help="0 for any free port")
    parser.add_argument("--store-cors", default="", help="origins of storefronts, separated by commas")
    parser.add_argument("--database", default="sqlite:///returns.db")
    parser.add_argument("--body-timeout", type=float, default=BODY_TIMEOUT, help="seconds until 408")
    options = parser.parse_args()
    body = '{"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": 1}]}'
    app = returns_app(
        sample_service(options.database),
        customers=CUSTOMERS,
        admin_token=ADMIN_TOKEN,
        store_origins=[origin.strip() for origin in options.store_cors.split(",") if origin.strip()],
        body_timeout=options.body_timeout,
    )
    listening = socket.create_server(("127.0.0.1", options.port))  # clients can connect from here on
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    print(f"Request a return:\n  curl {url}/store/returns -H 'Authorization: Bearer ada-token'", end=" ")
    print(f"-H 'Content-Type: application/json' -d '{body}'")
    print(f"List returns:\n  curl {url}/admin/returns -H 'x-medusa-access-token: {ADMIN_TOKEN}'", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
