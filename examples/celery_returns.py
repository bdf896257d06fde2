"""
Returns with Celery: receipts are tasks, and `resume` is one that beat sends every minute.

Start it, with the URL of an empty database, of a payment gateway and of any broker that Celery knows:

    export DATABASE_URL=postgresql://localhost/shop GATEWAY_URL=http://localhost:9001
    export BROKER_URL=redis://localhost
    python examples/celery_returns.py
    celery --workdir examples -A celery_returns worker
    celery --workdir examples -A celery_returns beat

The first command makes the tables. docs/celery.md explains the parts.
"""

import os
from datetime import timedelta
from functools import cache

import httpx
from attrs import frozen
from celery import Celery
from celery.utils.log import get_task_logger
from sqlalchemy import Engine, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from rma import (
    Conflict,
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
    RestockRequest,
    ReturnService,
    Timing,
    Unavailable,
    WithdrawRequest,
)
from rma.adapters.sql import SqlReturns

log = get_task_logger(__name__)

#: How often beat sends `resume`, in seconds.
RESUME_EVERY = float(os.environ.get("RESUME_EVERY", "60"))
#: Timers leave an effect alone that a task is sending: for longer than the gateway's time-out.
TIMING = Timing(grace=timedelta(seconds=60))


# The ports


class Orders:
    """Stands for the tables of your shop: orders of one mug."""

    def get(self, order_id: str) -> Order:
        """The order, or `NotFound`."""
        if not order_id.startswith("order_"):
            raise NotFound("order_not_found", {"order_id": order_id})
        mug = LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=1000)
        payment = Payment(id=f"pay_{order_id}", captured=1000)
        return Order(id=order_id, currency="usd", items=[mug], payments=[payment])


@frozen
class Stock:
    """Moves of stock, with the key of the request as their primary key: each is there once."""

    engine: Engine

    def restock(self, request: RestockRequest) -> None:
        """Units come back."""
        self._move(request, 1)

    def withdraw(self, request: WithdrawRequest) -> None:
        """Units leave."""
        self._move(request, -1)

    def _move(self, request: RestockRequest | WithdrawRequest, sign: int) -> None:
        quantity = sign * sum(line.quantity for line in request.lines)
        move = text("INSERT INTO stock_moves VALUES (:key, :quantity) ON CONFLICT DO NOTHING")
        with self.engine.begin() as connection:
            connection.execute(move, {"key": request.key, "quantity": quantity})


@frozen
class Gateway:
    """The payment gateway: it answers a key that it has seen as it did the first time, for a day."""

    client: httpx.Client
    gateway = Idempotent(key_lifetime=timedelta(hours=24))

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """What the gateway answers; what is raised means that the outcome is unknown."""
        amount = {"amount": request.amount.amount, "currency": request.amount.currency}
        try:
            answer = self.client.post(
                "/refunds",
                headers={"Idempotency-Key": request.key},
                json={"payment": request.payment_id, **amount},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return RefundNotSent(f"{type(error).__name__}: {error}")
        answer.raise_for_status()
        refund = answer.json()
        if refund["status"] == "declined":
            return RefundDeclined(refund["reason"])
        return RefundSucceeded(reference=refund["id"])


# One service for each process of the pool


@cache
def service() -> ReturnService:
    """The service of this process, made when a task first asks for it: after the fork, with no query."""
    ledgers = SqlReturns(os.environ["DATABASE_URL"])
    return ReturnService(
        orders=Orders(),
        returns=ledgers,
        inventory=Stock(ledgers.engine),
        payments=Gateway(httpx.Client(base_url=os.environ["GATEWAY_URL"], timeout=10)),
        timing=TIMING,
    )


# The tasks

app = Celery("celery_returns", broker=os.environ.get("BROKER_URL", "redis://localhost"))
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    beat_schedule={
        "resume": {
            "task": "celery_returns.resume",
            "schedule": RESUME_EVERY,
            "options": {"expires": RESUME_EVERY},  # a worker that was away does not find a heap of them
        }
    },
)


#: What passes, of ledgers and of tables of the shop: the message is kept and tried again, later and later.
PASSING = (Conflict, Unavailable, OperationalError, InterfaceError, NoConnectionFree)


@app.task(
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=PASSING,
    retry_backoff=True,
    max_retries=None,
)
def receive(return_id: str, items: dict[str, int], *, key: str, clerk: str) -> str:
    """
    A parcel has arrived.

    Args:
        return_id: of which return.
        items: how many units of each line.
        key: the same each time that this parcel is reported.
        clerk: who has it.
    """
    command = ReceiveReturn(
        return_id=return_id,
        items=[ReceivedItem(item_id=item_id, quantity=quantity) for item_id, quantity in items.items()],
        idempotency_key=key,
        created_by=clerk,
    )
    try:
        return service().handle(command).status
    except Rejected as error:  # it would be again
        log.warning("the receipt %s of return %s was refused: %s", key, return_id, error)
        return error.code


@app.task
def resume() -> int:
    """Delivers what is due, and returns of how many orders."""
    found = service().resume(time_limit=timedelta(seconds=RESUME_EVERY))
    return len(found.orders)


# The tables


def prepare(url: str) -> None:
    """Makes the tables of the shop and of the ledgers."""
    ledgers = SqlReturns(url)
    with ledgers.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE IF NOT EXISTS stock_moves (key TEXT PRIMARY KEY, quantity INT)")
        )
    ledgers.load("order_1")
    ledgers.close()


if __name__ == "__main__":
    prepare(os.environ["DATABASE_URL"])
