"""The outbox example over a real NATS server, with a relay and a consumer that are killed."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
import pytest
from sqlalchemy import select

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
    The relay dies between the stream's answer and its note; the consumer before its commit, and before it
    acknowledges. The stream has each event once, the consumer handled each once, in the order of each order.
    """
    with databases.new("postgresql") as database, running_nats(tmp_path) as url:
        environment = {
            "DATABASE_URL": database,
            "NATS_URL": url,
            "ACK_WAIT": "1",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        for name in ("DATABASE_URL", "NATS_URL"):
            monkeypatch.setenv(name, environment[name])
        asyncio.run(outbox_nats.main("prepare"))
        for order_id in ORDERS:
            asyncio.run(outbox_nats.main("return", order_id))
        events = asyncio.run(published())
        assert len(events) > 2 * len(ORDERS)

        for command, moments in MOMENTS.items():
            for moment in moments:
                killed = ["tests.hosts.outbox_killed", moment, "2", command]
                with running(*MODULE, *killed, environment=environment) as process:
                    assert process.wait() == -signal.SIGKILL
            with running(*MODULE, "outbox_nats", command, environment=environment) as process:
                done = {"relay": "sent", "mails": "handled"}[command]
                process.wait_for(rf"{done} {events[-1]}")
                process.wait_for(r" again| before$")  # it repeated what was done and not noted

        assert asyncio.run(stored()) == (len(events), sorted(events), 2 * len(ORDERS))


async def published() -> list[str]:
    """Ids of the events in the outbox."""
    return [event_id for (event_id,) in await rows("outbox", "event_id", "number")]


async def stored() -> tuple[int, list[str], int]:
    """How many messages the stream has, the events that were handled, and the number of mails."""
    client = await nats.connect(os.environ["NATS_URL"])
    info = await client.jetstream().stream_info("RETURNS")
    await client.close()
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
