"""
Events of returns through an outbox table to NATS JetStream, and a consumer that handles each of them once.

Start it, with the URL of an empty database:

    nats-server -js -sd nats
    export DATABASE_URL=postgresql://localhost/shop NATS_URL=nats://localhost:4222
    python examples/outbox_nats.py prepare
    python examples/outbox_nats.py relay
    python examples/outbox_nats.py mails
    python examples/outbox_nats.py return order_1
    python examples/outbox_nats.py resume

`relay` and `mails` run until they are stopped; a timer runs `resume`. docs/outbox.md explains the parts.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import nats
from attrs import frozen
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingThere
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    Row,
    String,
    Table,
    Text,
    false,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rma import (
    AsyncReturnService,
    Event,
    GoodsReceived,
    Invalid,
    LineItem,
    NotFound,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
    ReturnRequested,
    codec,
)
from rma.adapters.memory import InMemoryInventory, InMemoryPayments
from rma.adapters.sql.aio import AsyncSqlReturns

log = logging.getLogger("outbox")

#: How long the consumer may take for an event, in seconds; then the broker gives it to another one.
ACK_WAIT = float(os.environ.get("ACK_WAIT", "30"))
#: How often the consumer asks again while nothing comes, in seconds: a broker that was restarted forgot it.
FETCH_FOR = 5.0
#: How often the relay looks for rows, in seconds, when there were none.
RELAY_EVERY = 1.0

metadata = MetaData()
outbox = Table(
    "outbox",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("is_sent", Boolean, nullable=False, server_default=false()),
)
Index("outbox_unsent", outbox.c.number, postgresql_where=~outbox.c.is_sent)
handled = Table(
    "handled",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
mails = Table(
    "mails",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("order_id", String, nullable=False),
    Column("subject", String, nullable=False),
)


# Into the outbox


@frozen
class Outbox:
    """The publisher of the service: one row for each event, however often it is published."""

    engine: AsyncEngine

    async def publish(self, event_id: str, event: Event) -> None:
        """Stores the event, or finds it stored."""
        row = {
            "event_id": event_id,
            "kind": type(event).__name__,
            "document": codec.encode(codec.PublishedEvent(event_id, event)),
        }
        async with self.engine.begin() as connection:
            await connection.execute(insert(outbox).values(row).on_conflict_do_nothing())


# From the outbox to the stream


async def relay(engine: AsyncEngine, stream: JetStreamContext) -> None:
    """Sends what is in the outbox, again and again."""
    while True:
        rows = await unsent(engine)
        for row in rows:
            await send(stream, row)
            await mark_sent(engine, row)
        if not rows:
            await asyncio.sleep(RELAY_EVERY)


async def unsent(engine: AsyncEngine) -> Sequence[Row[Any]]:
    """The rows that wait, those of each order in the order of its events."""
    waiting = select(outbox).where(~outbox.c.is_sent).order_by(outbox.c.number).limit(100)
    async with engine.connect() as connection:
        return (await connection.execute(waiting)).all()


async def send(stream: JetStreamContext, row: Row[Any]) -> None:
    """Returns when the stream has stored the event; it drops one whose id it has seen."""
    headers = {"Nats-Msg-Id": row.event_id}
    stored = await stream.publish(f"returns.{row.kind}", row.document.encode(), headers=headers)
    print("sent", row.event_id, "again" if stored.duplicate else "")


async def mark_sent(engine: AsyncEngine, row: Row[Any]) -> None:
    """The row waits no longer."""
    async with engine.begin() as connection:
        await connection.execute(update(outbox).where(outbox.c.number == row.number).values(is_sent=True))


# A consumer


async def consume(engine: AsyncEngine, stream: JetStreamContext) -> None:
    """Handles events one after the other; the broker remembers by the durable name where it was."""
    subscription = await stream.pull_subscribe_bind("mails", "RETURNS")
    while True:
        try:
            (message,) = await subscription.fetch(1, timeout=FETCH_FOR)
        except NothingThere:
            continue
        await handle(engine, message)


async def handle(engine: AsyncEngine, message: Msg) -> None:
    """Writes the mail and the id of the event in one transaction, then acknowledges."""
    try:
        published = codec.decode(message.data, codec.PublishedEvent, unknown="ignore")
    except Invalid as error:
        if error.violations[0].code != "not_json":
            raise  # it waits for a release that reads it
        log.warning("message %s of the stream is dropped: %s", message.metadata.sequence.stream, error)
        await message.term()
        return
    row = insert(handled).values(event_id=published.event_id).on_conflict_do_nothing()
    async with engine.begin() as connection:
        is_new = await connection.scalar(row.returning(handled.c.event_id)) is not None
        if is_new:
            await write_mail(connection, published.event)
    await message.ack()
    print("handled", published.event_id, "" if is_new else "before")


async def write_mail(connection: AsyncConnection, event: Event) -> None:
    """Puts a mail into the table that your mailer sends from, if this event calls for one."""
    match event:
        case ReturnRequested():
            subject = "We expect your parcel"
        case GoodsReceived():
            subject = "Your parcel has arrived"
        case _:
            return
    await connection.execute(insert(mails).values(order_id=event.order_id, subject=subject))


# The commands of this file


class Orders:
    """Stands for the tables of your shop: orders of one mug."""

    async def get(self, order_id: str) -> Order:
        """The order, or `NotFound`."""
        if not order_id.startswith("order_"):
            raise NotFound("order_not_found", {"order_id": order_id})
        mug = LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=1000)
        payment = Payment(id=f"pay_{order_id}", captured=1000)
        return Order(id=order_id, currency="usd", items=[mug], payments=[payment])


def service_over(ledgers: AsyncSqlReturns) -> AsyncReturnService:
    """The service, which knows nothing of the broker."""
    return AsyncReturnService(
        orders=Orders(),
        returns=ledgers,
        inventory=InMemoryInventory(),
        payments=InMemoryPayments(),
        events=Outbox(ledgers.engine),
    )


async def return_mug(service: AsyncReturnService, order_id: str) -> None:
    """The mug of this order is requested to be returned, and arrives."""
    items = [RequestedItem(item_id="mug", quantity=1)]
    request = RequestReturn(order_id=order_id, items=items, idempotency_key=f"{order_id}: request")
    opened = await service.handle(request)
    parcel = [ReceivedItem(item_id="mug", quantity=1)]
    await service.handle(
        ReceiveReturn(return_id=opened.id, items=parcel, idempotency_key=f"{order_id}: receipt")
    )


async def make_tables(engine: AsyncEngine) -> None:
    """Makes the tables."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


async def make_stream(stream: JetStreamContext) -> None:
    """Makes the stream, which knows the ids of ten minutes, and makes or changes the consumer."""
    await stream.add_stream(StreamConfig(name="RETURNS", subjects=["returns.>"], duplicate_window=600))
    one_at_a_time = ConsumerConfig(
        durable_name="mails", ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT, max_ack_pending=1
    )
    await stream.add_consumer("RETURNS", one_at_a_time)


@asynccontextmanager
async def connected() -> AsyncIterator[JetStreamContext]:
    """Connects to the broker."""
    client = await nats.connect(os.environ["NATS_URL"])
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def main(command: str, *arguments: str) -> None:
    """Runs one of the commands above."""
    ledgers = AsyncSqlReturns(os.environ["DATABASE_URL"])
    try:
        match command, arguments:
            case "return", (order_id,):
                await return_mug(service_over(ledgers), order_id)
            case "resume", ():
                await service_over(ledgers).resume()
            case "prepare", ():
                await make_tables(ledgers.engine)
                async with connected() as stream:
                    await make_stream(stream)
            case "relay", ():
                async with connected() as stream:
                    await relay(ledgers.engine, stream)
            case "mails", ():
                async with connected() as stream:
                    await consume(ledgers.engine, stream)
            case _:
                sys.exit(__doc__)
    finally:
        await ledgers.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
