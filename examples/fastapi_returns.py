"""
Returns in a FastAPI application with tables of its own in PostgreSQL, in as many processes as you like.

Start it, with the URL of an empty database and that of a payment gateway:

    export DATABASE_URL=postgresql://localhost/shop GATEWAY_URL=http://localhost:9001
    python examples/fastapi_returns.py
    uvicorn --app-dir examples --workers 2 fastapi_returns:app

The first command makes the tables and puts two orders into them. docs/fastapi.md explains the parts.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Annotated, Any

import httpx
from attrs import evolve, frozen
from fastapi import Depends, FastAPI, Header, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

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
    WithdrawRequest,
)
from rma.adapters.sql.aio import AsyncSqlReturns

log = logging.getLogger("shop")


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
    Column("about", String, primary_key=True),
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
            ticket = insert(tickets).values(return_id=done.id, about=about).on_conflict_do_nothing()
            await connection.execute(ticket)
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


app = FastAPI(title="Returns", lifespan=lifespan)


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


# Routes


class Item(BaseModel):
    """Units of a line."""

    item_id: str
    quantity: int


class Items(BaseModel):
    """What a customer sends back, or what arrived."""

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
    order: OwnOrder, body: Items, shop: ShopNow, customer: Customer, key: Key
) -> ReturnView:
    """A customer sends something back."""
    command = RequestReturn(
        order_id=order.id,
        items=[RequestedItem(item_id=each.item_id, quantity=each.quantity) for each in body.items],
        idempotency_key=f"customer:{customer}:{key}",  # the same key of another customer is another one
        created_by=customer,
    )
    return ReturnView.of(await shop.decide(command, "requested"))


@app.get("/orders/{order_id}/returns")
async def list_returns(order: OwnOrder, shop: ShopNow) -> list[ReturnView]:
    """A customer looks where the returns of an order are."""
    return [ReturnView.of(each) for each in await shop.returns.list(order_id=order.id)]


@app.post("/returns/{return_id}/receipts", status_code=201)
async def receive_return(return_id: str, body: Items, shop: ShopNow, clerk: Clerk, key: Key) -> ReturnView:
    """A clerk has the parcel."""
    command = ReceiveReturn(
        return_id=return_id,
        items=[ReceivedItem(item_id=each.item_id, quantity=each.quantity) for each in body.items],
        idempotency_key=f"clerk:{key}",
        created_by=clerk,
    )
    return ReturnView.of(await shop.decide(command, "received"))


# What goes wrong


@app.exception_handler(RmaError)
async def answer_error(request: Request, error: RmaError) -> JSONResponse:
    """A refusal with everything that is wrong; of anything else, its code alone."""
    status = error.http_status_hint
    if not isinstance(error, Rejected):
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse({"code": error.code}, status)
    violations = [
        {"code": each.code, "message": str(each), "item_id": each.item_id, "numbers": dict(each.numbers)}
        for each in error.violations
    ]
    return JSONResponse({"code": error.code, "violations": violations}, status)


@app.exception_handler(RequestValidationError)
async def answer_malformed(_: Request, error: RequestValidationError) -> JSONResponse:
    """What is not the shape of the request, without the input, which need not be fit for an answer."""
    wrong = [{name: each[name] for name in ("type", "loc", "msg")} for each in error.errors()]
    return JSONResponse({"code": "malformed", "detail": wrong}, 422)


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
