"""The outbox example over a real NATS server, with a relay and a consumer that are killed."""

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

import outbox_nats
from rma.adapters.sql.aio import AsyncSqlReturns
from tests.databases import Databases
from tests.hosts.running import MODULE, ROOT, running

SERVER = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")

ORDERS = ("order_1", "order_2", "order_3")
#: What of the relay and of the consumer is not done any more when they are killed.
MOMENTS = {"relay": ["mark_sent"], "mails": ["write_mail", "ack"]}


@contextmanager
def running_nats(folder: Path) -> Iterator[str]:
    """Yields the URL of a server that stores its streams in this folder."""
    assert SERVER is not None
    arguments = ["--jetstream", "--store_dir", str(folder), "--addr", "127.0.0.1", "--port", "-1"]
    with running(SERVER, *arguments, environment={}) as server:
        yield f"nats://{server.wait_for(r'client connections on (127.0.0.1:[0-9]+)')[1]}"


@pytest.mark.skipif(SERVER is None, reason="there is no nats-server: apt-get install nats-server")
def test_a_consumer_handles_each_event_once(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Commands are handled, one by a process that dies before its last event is stored, while no server is up.

    The relay dies between the stream's answer and its note; the consumer before its commit, and before it
    acknowledges. The stream has each event once, the consumer handled each once, in the order of each order.
    What is not JSON stops nothing, and fields that it does not know are left out.
    """
    with databases.new("postgresql") as database:
        environment = {
            "DATABASE_URL": database,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        monkeypatch.setenv("DATABASE_URL", database)
        monkeypatch.delenv("NATS_URL", raising=False)
        asyncio.run(with_engine(outbox_nats.make_tables))
        for order_id in ORDERS:
            asyncio.run(outbox_nats.main("return", order_id))
        killed = ["tests.hosts.outbox_killed", "publish", "2", "return", "order_4"]
        with running(*MODULE, *killed, environment=environment) as process:
            assert process.wait() == -signal.SIGKILL
        before = len(asyncio.run(published()))
        asyncio.run(outbox_nats.main("resume"))
        events = asyncio.run(published())
        assert len(events) > before > 2 * len(ORDERS)
        asyncio.run(with_engine(add_a_later_field))

        with running_nats(tmp_path) as url:
            environment |= {"NATS_URL": url}
            monkeypatch.setenv("NATS_URL", url)
            asyncio.run(outbox_nats.main("prepare"))
            monkeypatch.setattr(outbox_nats, "ACK_WAIT", 1.0)
            asyncio.run(outbox_nats.main("prepare"))  # makes the consumer as it is configured now
            asyncio.run(send(b"no JSON"))
            for command, moments in MOMENTS.items():
                for moment in moments:
                    killed = ["tests.hosts.outbox_killed", moment, "2", command]
                    with running(*MODULE, *killed, environment=environment) as process:
                        assert process.wait() == -signal.SIGKILL
                with running(*MODULE, "outbox_nats", command, environment=environment) as process:
                    done = {"relay": "sent", "mails": "handled"}[command]
                    process.wait_for(rf"{done} {events[-1]}")
                    process.wait_for(r" again| before$")  # it repeated what was done and not noted
            assert asyncio.run(stored()) == (len(events) + 1, sorted(events), 2 * (len(ORDERS) + 1))

            asyncio.run(send(b'{"_type": "Later", "_format": 1}'))  # it waits for a consumer that knows it
            with running(*MODULE, "outbox_nats", "mails", environment=environment) as process:
                process.wait_for("Invalid: _type must be PublishedEvent, not 'Later'")
                assert process.wait() == 1
            assert asyncio.run(waiting()) == (1, 1.0)


async def with_engine(do: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    """Does this with the database."""
    ledgers = AsyncSqlReturns(os.environ["DATABASE_URL"])
    await do(ledgers.engine)
    await ledgers.close()


async def add_a_later_field(engine: AsyncEngine) -> None:
    """Makes the documents in the outbox those of a later release."""
    document = outbox_nats.outbox.c.document
    later = func.replace(document, '"event_id"', '"carbon_grams":120,"event_id"')
    async with engine.begin() as connection:
        await connection.execute(update(outbox_nats.outbox).values(document=later))


async def send(message: bytes) -> None:
    """Sends what the relay would not."""
    async with outbox_nats.connected() as stream:
        await stream.publish("returns.other", message)


async def waiting() -> tuple[int, float]:
    """How many messages were delivered to the consumer and not acknowledged, and how long it may take."""
    async with outbox_nats.connected() as stream:
        info = await stream.consumer_info("RETURNS", "mails")
        return info.num_ack_pending or 0, info.config.ack_wait or 0


async def published() -> list[str]:
    """Ids of the events in the outbox."""
    return [event_id for (event_id,) in await rows("outbox", "event_id", "number")]


async def stored() -> tuple[int, list[str], int]:
    """How many messages the stream has, the events that were handled, and the number of mails."""
    async with outbox_nats.connected() as stream:
        info = await stream.stream_info("RETURNS")
    done = [event_id for (event_id,) in await rows("handled", "event_id", "event_id")]
    return info.state.messages, sorted(done), len(await rows("mails", "number", "number"))


async def rows(table: str, column: str, by: str) -> list[tuple[str]]:
    """A column of a table of the example."""
    found = outbox_nats.metadata.tables[table]
    ledgers = AsyncSqlReturns(os.environ["DATABASE_URL"])
    async with ledgers.engine.connect() as connection:
        every = [
            tuple(row) for row in await connection.execute(select(found.c[column]).order_by(found.c[by]))
        ]
    await ledgers.close()
    return every
