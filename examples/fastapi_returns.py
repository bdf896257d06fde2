"""
Returns in a FastAPI application with tables of its own in PostgreSQL, in as many processes as you like.

Start it, with the URL of an empty database and that of a payment gateway:

    export DATABASE_URL=postgresql://localhost/shop GATEWAY_URL=http://localhost:9001
    python examples/fastapi_returns.py
    uvicorn --app-dir examples --workers 2 fastapi_returns:app

The first command makes the tables and puts two orders into them. docs/fastapi.md explains the parts.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any

import httpx
from attrs import evolve, frozen
from fastapi import Depends, FastAPI, Header, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rma import (
    AsyncReturnService,
    Idempotent,
    LineItem,
    NotFound,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RefundAnswer,
    RefundDeclined,
    RefundNotSent,
    RefundRequest,
    RefundSucceeded,
    Rejected,
    RequestedItem,
    RequestReturn,
    RestockRequest,
    Return,
    RmaError,
    Violation,
    WithdrawRequest,
)
from rma.adapters.sql.aio import AsyncSqlReturns

log = logging.getLogger("shop")

#: The largest body that is read, in bytes; a return of hundreds of lines is smaller.
MOST_BYTES = 64 * 1024
#: How many violations an answer has: a body of mistakes gets a short one.
MOST_VIOLATIONS = 100


# The tables of the shop

metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("captured", Integer, nullable=False),
)
lines = Table(
    "order_lines",
    metadata,
    Column("order_id", ForeignKey(orders.c.id), primary_key=True),
    Column("item_id", String, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", Integer, nullable=False),
)
stock = Table(
    "stock",
    metadata,
    Column("item_id", String, primary_key=True),
    Column("on_hand", Integer, nullable=False),
)
stock_moves = Table("stock_moves", metadata, Column("key", String, primary_key=True))
tickets = Table(
    "tickets",
    metadata,
    Column("return_id", String, primary_key=True),
    Column("key", String, primary_key=True),  # of the command
    Column("about", String, nullable=False),
)


# The ports


async def find_order(connection: AsyncConnection, order_id: str) -> Order:
    """The order as the tables of the shop have it."""
    order = (await connection.execute(select(orders).where(orders.c.id == order_id))).one_or_none()
    if order is None:
        raise NotFound("order_not_found", {"order_id": order_id})
    bought = await connection.execute(select(lines).where(lines.c.order_id == order_id))
    return Order(
        id=order.id,
        currency=order.currency,
        customer_id=order.customer_id,
        items=[
            LineItem(
                id=line.item_id,
                quantity=line.quantity,
                fulfilled_quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in bought
        ],
        payments=[Payment(id=f"pay_{order.id}", captured=order.captured)],
    )


@frozen
class Orders:
    """Orders, read on connections of their own."""

    engine: AsyncEngine

    async def get(self, order_id: str) -> Order:
        """The order, or `NotFound`."""
        async with self.engine.connect() as connection:
            return await find_order(connection, order_id)


@frozen
class OrdersOn:
    """Orders, read on the connection of a transaction: it needs no second one, and sees what it wrote."""

    connection: AsyncConnection

    async def get(self, order_id: str) -> Order:
        """The order, or `NotFound`."""
        return await find_order(self.connection, order_id)


@frozen
class Stock:
    """The stock table. A move and its key are one transaction, so that a key moves stock once."""

    engine: AsyncEngine

    async def restock(self, request: RestockRequest) -> None:
        """Units come back."""
        await self._move(request, 1)

    async def withdraw(self, request: WithdrawRequest) -> None:
        """Units leave."""
        await self._move(request, -1)

    async def _move(self, request: RestockRequest | WithdrawRequest, sign: int) -> None:
        async with self.engine.begin() as connection:
            key = insert(stock_moves).values(key=request.key).on_conflict_do_nothing()
            if await connection.scalar(key.returning(stock_moves.c.key)) is None:
                return  # it was there: done before
            for line in sorted(request.lines, key=lambda each: each.item_id):
                moved = stock.c.on_hand + sign * line.quantity
                await connection.execute(
                    update(stock).where(stock.c.item_id == line.item_id).values(on_hand=moved)
                )


@frozen
class Gateway:
    """The payment gateway: it answers a key that it has seen as it did the first time, for a day."""

    client: httpx.AsyncClient
    gateway = Idempotent(key_lifetime=timedelta(hours=24))

    async def refund(self, request: RefundRequest) -> RefundAnswer:
        """What the gateway answers; what is raised means that the outcome is unknown."""
        try:
            answer = await self.client.post(
                "/refunds",
                headers={"Idempotency-Key": request.key},
                json={
                    "payment": request.payment_id,
                    "amount": request.amount.amount,
                    "currency": request.amount.currency,
                },
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return RefundNotSent(f"{type(error).__name__}: {error}")
        answer.raise_for_status()
        refund = answer.json()
        if refund["status"] == "declined":
            return RefundDeclined(refund["reason"])
        return RefundSucceeded(reference=refund["id"])


# One service for each process, and a timer that goes on with what another one left


@frozen
class Shop:
    """What the requests of a process share."""

    engine: AsyncEngine
    orders: Orders
    returns: AsyncReturnService

    async def decide(self, command: RequestReturn | ReceiveReturn, about: str) -> Return:
        """
        Stores what the command decides and a ticket about it, both or neither; then delivers.

        If this process dies before the last line, the timer of any process delivers.
        """
        async with self.engine.begin() as connection:
            service = evolve(self.returns.in_transaction(connection), orders=OrdersOn(connection))
            done = await service.handle(command)
            ticket = {"return_id": done.id, "key": command.idempotency_key, "about": about}
            await connection.execute(insert(tickets).values(ticket).on_conflict_do_nothing())
        await self.returns.resume(done.id)
        return await self.returns.get(done.id)


async def resume_forever(service: AsyncReturnService, seconds: float) -> None:
    """Delivers at intervals what is due."""
    while True:
        try:
            await service.resume()
        except Exception:
            log.exception("resume failed; it is tried again")
        await asyncio.sleep(seconds)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Makes what the process needs, and puts the shop into the state of each request."""
    ledgers = AsyncSqlReturns(os.environ["DATABASE_URL"])
    async with httpx.AsyncClient(base_url=os.environ["GATEWAY_URL"], timeout=10) as client:
        orders = Orders(ledgers.engine)
        service = AsyncReturnService(
            orders=orders,
            returns=ledgers,
            inventory=Stock(ledgers.engine),
            payments=Gateway(client),
        )
        timer = asyncio.create_task(resume_forever(service, float(os.environ.get("RESUME_EVERY", "60"))))
        yield {"shop": Shop(ledgers.engine, orders, service)}
        timer.cancel()
        with suppress(asyncio.CancelledError):
            await timer
    await ledgers.close()


class ViolationView(BaseModel):
    """One thing that is wrong, with the line that it is about and the numbers behind it."""

    code: str
    message: str
    item_id: str | None = None
    numbers: dict[str, Any] = {}

    @classmethod
    def of(cls, each: Violation) -> "ViolationView":
        """One of the library's."""
        return cls(code=each.code, message=str(each), item_id=each.item_id, numbers=dict(each.numbers))


class ErrorView(BaseModel):
    """Every error: what is wrong with the request, or nothing if the same request may be sent again."""

    code: str
    violations: list[ViolationView]


HTTP_CODES = {401: "unauthorized", 404: "unknown_route", 405: "unknown_method", 413: "body_too_large"}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorView} for status in (400, 401, 404, 409, 413, 422, 503)
}


@frozen
class BodyLimit:
    """ASGI middleware: reading a body that is larger is refused."""

    app: ASGIApp
    most_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        left = self.most_bytes

        async def receive_some() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"a body has at most {self.most_bytes} bytes")
            return message

        await self.app(scope, receive_some, send)


app = FastAPI(title="Returns", lifespan=lifespan, responses=ERRORS)
app.add_middleware(BodyLimit, most_bytes=MOST_BYTES)


# Who asks

CUSTOMERS = {"ada-token": "cus_ada", "bob-token": "cus_bob"}  # your authentication
CLERKS = {"dan-token": "dan"}
Token = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def the_shop(request: Request) -> Shop:
    """The shop of this process."""
    shop: Shop = request.state.shop
    return shop


def customer_of(token: Token) -> str:
    """The customer who asks."""
    if token.credentials not in CUSTOMERS:
        raise HTTPException(401, "send the token of a customer")
    return CUSTOMERS[token.credentials]


def clerk_of(token: Token) -> str:
    """The clerk who asks."""
    if token.credentials not in CLERKS:
        raise HTTPException(401, "send the token of a clerk")
    return CLERKS[token.credentials]


ShopNow = Annotated[Shop, Depends(the_shop)]
Customer = Annotated[str, Depends(customer_of)]
Clerk = Annotated[str, Depends(clerk_of)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=100)]
OrderId = Annotated[str, Path(pattern=r"^[\w-]+$")]  # a NUL would be an error of PostgreSQL


async def own_order(order_id: OrderId, shop: ShopNow, customer: Customer) -> Order:
    """The order, if it is this customer's; another one's is answered as one that does not exist."""
    order = await shop.orders.get(order_id)
    if order.customer_id != customer:
        raise NotFound("order_not_found", {"order_id": order_id})
    return order


OwnOrder = Annotated[Order, Depends(own_order)]


def customer_key(customer: Customer, key: Key) -> str:
    """The key in the scope of the customer. The length says where the id ends."""
    return f"customer:{len(customer)}:{customer}:{key}"


def clerk_key(_: Clerk, key: Key) -> str:
    """The key in the scope that all clerks share."""
    return f"clerk:{key}"


CustomerKey = Annotated[str, Depends(customer_key)]
ClerkKey = Annotated[str, Depends(clerk_key)]


# Routes


class Item(BaseModel):
    """Units of a line."""

    model_config = ConfigDict(strict=True, extra="forbid")

    item_id: str
    quantity: int


class Items(BaseModel):
    """What a customer sends back, or what arrived."""

    model_config = ConfigDict(strict=True, extra="forbid")

    items: list[Item]


class ReturnView(BaseModel):
    """A return; amounts are in minor units of the currency."""

    id: str
    status: str
    currency: str
    refund_amount: int
    refunded: int

    @classmethod
    def of(cls, each: Return) -> "ReturnView":
        """The return as customers and clerks see it."""
        return cls(
            id=each.id,
            status=each.status,
            currency=each.refund_amount.currency,
            refund_amount=each.refund_amount.amount,
            refunded=sum(refund.amount.amount for refund in each.refunds if refund.status == "succeeded"),
        )


@app.post("/orders/{order_id}/returns", status_code=201)
async def request_return(
    order: OwnOrder, body: Items, shop: ShopNow, customer: Customer, key: CustomerKey
) -> ReturnView:
    """A customer sends something back."""
    command = RequestReturn(
        order_id=order.id,
        items=[RequestedItem(item_id=each.item_id, quantity=each.quantity) for each in body.items],
        idempotency_key=key,
        created_by=customer,
    )
    return ReturnView.of(await shop.decide(command, "requested"))


@app.get("/orders/{order_id}/returns")
async def list_returns(order: OwnOrder, shop: ShopNow) -> list[ReturnView]:
    """A customer looks where the returns of an order are."""
    return [ReturnView.of(each) for each in await shop.returns.list(order_id=order.id)]


@app.post("/returns/{return_id}/receipts", status_code=201)
async def receive_return(
    return_id: str, body: Items, shop: ShopNow, clerk: Clerk, key: ClerkKey
) -> ReturnView:
    """A clerk has the parcel."""
    command = ReceiveReturn(
        return_id=return_id,
        items=[ReceivedItem(item_id=each.item_id, quantity=each.quantity) for each in body.items],
        idempotency_key=key,
        created_by=clerk,
    )
    return ReturnView.of(await shop.decide(command, "received"))


# What goes wrong


def answer(
    status: int, code: str, wrong: Iterable[ViolationView] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An error. JSON of ASCII can say what UTF-8 cannot: half of a surrogate pair that was sent."""
    said = [each.model_dump() for each in islice(wrong, MOST_VIOLATIONS)]
    body = json.dumps({"code": code, "violations": said}, default=str)
    return Response(body, status, headers, "application/json")


@app.exception_handler(Rejected)
async def answer_refusal(request: Request, error: Rejected) -> Response:
    """Everything that is wrong. 409 would mean that the request may be sent again, which never helps here."""
    status = 422 if error.http_status_hint == 409 else error.http_status_hint
    return answer(status, error.code, [ViolationView.of(as_sent(each, request)) for each in error.violations])


def as_sent(violation: Violation, request: Request) -> Violation:
    """With the key that the client sent, without its scope."""
    if "idempotency_key" not in violation.numbers:
        return violation
    sent = {"idempotency_key": request.headers["Idempotency-Key"]}
    return evolve(violation, numbers=violation.numbers | sent)


@app.exception_handler(RmaError)
async def answer_failure(request: Request, error: RmaError) -> Response:
    """Its code alone: it is not the fault of who asked."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(error.http_status_hint, error.code)


@app.exception_handler(OperationalError)
@app.exception_handler(InterfaceError)
@app.exception_handler(NoConnectionFree)
async def answer_unavailable(request: Request, error: Exception) -> Response:
    """The database is away, or all connections are in use."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(503, "database_unavailable")


@app.exception_handler(RequestValidationError)
async def answer_malformed(_: Request, error: RequestValidationError) -> Response:
    """What is not the shape of the request, each part by its path."""
    wrong = [(each, ".".join(map(str, each["loc"]))) for each in error.errors()]
    violations = [
        ViolationView(code=each["type"], message=f"{path}: {each['msg']}", numbers={"path": path})
        for each, path in wrong
    ]
    return answer(422, "malformed", violations)


@app.exception_handler(AnyHTTPException)
async def answer_http(_: Request, error: AnyHTTPException) -> Response:
    """No token, no such route, a body that is too large or no JSON."""
    code = HTTP_CODES.get(error.status_code, "malformed")
    wrong = ViolationView(code=code, message=error.detail)
    return answer(error.status_code, code, [wrong], error.headers)


# The tables and two orders to try


async def prepare(url: str) -> None:
    """Makes the tables of the shop and of the ledgers, and puts two orders of three mugs into them."""
    ledgers = AsyncSqlReturns(url)
    async with ledgers.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for order_id, customer_id in (("order_ada", "cus_ada"), ("order_bob", "cus_bob")):
            order = {"id": order_id, "customer_id": customer_id, "currency": "usd", "captured": 3000}
            line = {"order_id": order_id, "item_id": "mug", "quantity": 3, "unit_price": 1000}
            await connection.execute(insert(orders).values(order).on_conflict_do_nothing())
            await connection.execute(insert(lines).values(line).on_conflict_do_nothing())
        await connection.execute(insert(stock).values(item_id="mug", on_hand=0).on_conflict_do_nothing())
    await ledgers.load("order_ada")
    await ledgers.close()


if __name__ == "__main__":
    asyncio.run(prepare(os.environ["DATABASE_URL"]))
