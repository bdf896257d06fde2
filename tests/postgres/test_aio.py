"""Ledgers in PostgreSQL for hosts that wait: the same promises, over psycopg's asyncio."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event

from rma.adapters.sql.aio import AsyncSqlReturns
from rma.domain.change import replay
from rma.testing.core_harness import START
from tests.aio.hosts import awaited_service
from tests.aio.test_at_once import at_once
from tests.aio.test_sql import AwaitedStores
from tests.rules.given import line, order_of, receive, request
from tests.world import World


class TestAsyncSqlReturnsOnPostgres(AwaitedStores):
    """In a schema of its own for each law."""

    examples = 10

    @pytest.fixture(autouse=True)
    def _urls(self, new_url: Callable[[], str], _finished: None) -> Iterator[None]:
        self.new_url = new_url
        yield
        self.finish()  # before the schemas go

    def make(self) -> AsyncSqlReturns:
        """Over an empty schema."""
        return self.opened(self.new_url())


def test_coroutines_on_an_empty_schema_take_turns(url: str) -> None:
    """Each reserves its own units; the tables are made once, by the first of them."""
    world = World(order_of(line(quantity=8)))

    async def simulate() -> None:
        store = AsyncSqlReturns(url)
        service = awaited_service(world.service, store)
        opened, refused = await at_once(*[service.handle(request(1)) for _ in range(8)])
        assert (len(opened), refused) == (8, [])
        await at_once(*[service.handle(receive(1, return_id=each.id)) for each in opened])
        ledger = await store.load("order_1")
        assert not ledger.open_effects
        assert replay("order_1", await store.history("order_1")) == ledger
        assert await store.outstanding(START, 10) == ()
        await store.close()

    asyncio.run(simulate())

    assert len(world.payments.refunds) == 8


def test_each_statement_is_whole_by_itself(url: str) -> None:
    """A request is two statements, and no transaction is begun or ended over the wire."""
    said: list[str] = []

    async def simulate() -> None:
        store = AsyncSqlReturns(url)
        await store.load("order_1")  # makes the tables
        engine = store.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2].split()[0]))
        event.listen(engine, "commit", lambda _: said.append("COMMIT"))
        world = World(order_of(line()))
        service = awaited_service(world.service, store)
        await service.handle(request(1))
        await store.close()

    asyncio.run(simulate())

    assert said[:2] == ["SELECT", "WITH"]
    assert "COMMIT" not in said
