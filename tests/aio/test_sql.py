"""Ledgers behind an awaited driver keep what the port promises, and what `SqlReturns` does besides."""

import asyncio
import gc
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import evolve
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

from rma import InvalidValue, NotFound, ReturnLedger, StaleLedger, Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.testing.contracts import ReturnRepositoryContract
from rma.testing.core_harness import CoreHarness
from tests.aio.hosts import awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.world import World

T = TypeVar("T")


class AwaitedStores(ReturnRepositoryContract):
    """The contract of ledgers, and how what it opens is closed."""

    @pytest.fixture(autouse=True)
    def _stores(self) -> None:
        self.stores: list[AsyncSqlReturns] = []

    def opened(self, url: str) -> AsyncSqlReturns:
        """Closed when the test is over."""
        self.stores.append(AsyncSqlReturns(url))
        return self.stores[-1]

    async def damage(self, returns: AsyncSqlReturns, return_id: str) -> None:
        """Breaks the document off."""
        async with returns.engine.begin() as connection:
            statement = text("UPDATE rma_returns SET document = '{' WHERE return_id = :id")
            await connection.execute(statement, {"id": return_id})

    def close(self) -> None:
        """All of them."""
        while self.stores:
            self.wait(self.stores.pop().close())


class TestAsyncSqlReturns(AwaitedStores):
    """On a file of its own for each law."""

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.places = tmp_path_factory

    def make(self) -> AsyncSqlReturns:
        """Over a new file."""
        return self.opened(f"sqlite+aiosqlite:///{self.places.mktemp('store') / 'returns.db'}")


class TestAsyncSqlReturnsInMemory(AwaitedStores):
    """Without a file: one connection, for which coroutines take turns."""

    def make(self) -> AsyncSqlReturns:
        """Over a new database."""
        return self.opened("sqlite+aiosqlite://")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database will be; nothing is there yet."""
    return tmp_path / "returns.db"


def on(file: Path, use: Callable[[AsyncSqlReturns], Awaitable[T]], **options: Any) -> T:
    """What is done with a store over the file, which is closed afterwards."""

    async def simulate() -> T:
        store = AsyncSqlReturns(f"sqlite:///{file}", **options)
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(simulate())


def test_a_commit_is_on_the_disk_when_it_returns(file: Path) -> None:
    """Every connection that is opened has WAL and `synchronous=FULL`, and commits where we begin."""

    async def snapshot(store: AsyncSqlReturns) -> object:
        async with store.engine.connect() as connection:
            journal = await connection.scalar(text("PRAGMA journal_mode"))
            synchronous = await connection.scalar(text("PRAGMA synchronous"))
        return journal, synchronous

    assert on(file, snapshot) == ("wal", 2)


def test_commits_wait_for_each_other_and_reads_do_not_wait(file: Path) -> None:
    """A writer of another process holds up writers, within the timeout, and never readers."""
    change = CoreHarness(order_of(line())).handle(request(1))

    async def use(store: AsyncSqlReturns) -> ReturnLedger:
        await store.load("order_1")
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable) as error:
                await store.commit(change)
            assert error.value.code == "store_locked"
            return await store.load("order_1")

    assert on(file, use, busy_timeout=0) == ReturnLedger("order_1")


def test_what_is_canceled_while_it_commits_is_committed_or_undone(file: Path) -> None:
    """The connection goes back to the pool as new, and the next commit finds no open transaction."""
    harness = CoreHarness(order_of(line(quantity=50)))

    async def use(store: AsyncSqlReturns) -> None:
        await store.load("order_1")
        for delay in range(25):
            change = harness.handle(request(1))
            task = asyncio.create_task(store.commit(change))
            await asyncio.sleep(delay / 10_000)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                stored = await store.load("order_1")
                assert stored.revision in {change.expected_revision, change.ledger.revision}
                if stored.revision == change.expected_revision:
                    await store.commit(change)
            assert await store.load("order_1") == change.ledger

    on(file, use, busy_timeout=1)


@pytest.mark.parametrize("cancels", [1, 3])
def test_a_commit_that_has_begun_is_finished_when_its_task_is_canceled(file: Path, cancels: int) -> None:
    """It is canceled while it waits for another writer, once or again and again, and is stored then."""
    change = CoreHarness(order_of(line())).handle(request(1))

    async def use(store: AsyncSqlReturns) -> ReturnLedger:
        await store.load("order_1")
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            task = asyncio.create_task(store.commit(change))
            for _ in range(cancels):
                await asyncio.sleep(0.05)
                task.cancel()
            other.execute("ROLLBACK")
            with pytest.raises(asyncio.CancelledError):
                await task
            other.execute("BEGIN IMMEDIATE")  # the file is free as soon as the task has ended
            other.execute("ROLLBACK")
        return await store.load("order_1")

    assert on(file, use) == change.ledger


def test_a_canceled_task_does_not_report_that_its_commit_failed(file: Path) -> None:
    """It is canceled, whatever became of the commit; nothing is left for the event loop to report."""
    change = CoreHarness(order_of(line())).handle(request(1))
    reported: list[object] = []

    async def use(store: AsyncSqlReturns) -> ReturnLedger:
        await store.load("order_1")
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            task = asyncio.create_task(store.commit(change))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        gc.collect()
        return await store.load("order_1")

    assert on(file, use, busy_timeout=0.2) == ReturnLedger("order_1")
    assert not reported


def test_what_cannot_be_read_is_unavailable(file: Path) -> None:
    """With the code of what has to be mended."""
    file.write_text("not a database " * 100)

    async def use(store: AsyncSqlReturns) -> str:
        with pytest.raises(Unavailable) as error:
            await store.load("order_1")
        await asyncio.sleep(0.1)  # a thread of aiosqlite that opened nothing ends later, in this loop
        return error.value.code

    assert on(file, use) == "store_corrupt"
    assert on(file / "nowhere", use) == "store_not_opened"


def test_a_command_is_part_of_the_hosts_transaction(file: Path) -> None:
    """Committed with what the host writes, or undone with it; delivered afterwards, by `resume`."""
    world = World(order_of(line(quantity=2)))

    async def ask(store: AsyncSqlReturns, *, fails: bool = False) -> None:
        async with store.engine.begin() as connection:
            bound = awaited_service(world.service, store).in_transaction(connection)
            opened = await bound.handle(request(1, shipping_option_id="so_return"))
            await bound.handle(receive(1, return_id=opened.id))
            with pytest.raises(InvalidValue) as error:
                await bound.resume(opened.id)
            assert error.value.code == "in_host_transaction"
            await connection.execute(text("INSERT INTO notes VALUES (:note)"), {"note": opened.id})
            if fails:
                raise ConnectionAbortedError

    async def use(store: AsyncSqlReturns) -> None:
        async with store.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE notes (note TEXT PRIMARY KEY)"))
        with pytest.raises(ConnectionAbortedError):
            await ask(store, fails=True)
        await ask(store)
        with pytest.raises(NotFound):
            await store.load_by_return("ret_1")
        async with store.engine.connect() as connection:
            assert list(await connection.scalars(text("SELECT note FROM notes"))) == ["ret_2"]
        assert not world.fulfillment.shipments
        assert not world.payments.refunds
        assert not world.events.published
        await awaited_service(world.service, store).resume("ret_2")
        assert list(world.fulfillment.shipments) == ["ret_2-shipment-1"]
        assert list(world.payments.refunds) == ["ret_2-refund-1"]

    on(file, use)


def test_what_is_not_an_awaited_connection_is_refused(file: Path) -> None:
    """Before anything is asked of it."""
    world = World(order_of(line(quantity=2)))

    async def use(store: AsyncSqlReturns) -> None:
        with pytest.raises(InvalidValue, match="must be an SQLAlchemy AsyncConnection in a transaction"):
            awaited_service(world.service, store).in_transaction(store.engine)

    on(file, use)


def test_an_engine_of_the_host_is_used_as_it_is(file: Path) -> None:
    """And is the host's to dispose of."""

    async def simulate() -> ReturnLedger:
        engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
        world = World(order_of(line()))
        service = awaited_service(world.service, AsyncSqlReturns(engine))
        await service.handle(request(1))
        await service.handle(receive(1))
        found = await AsyncSqlReturns(engine).load("order_1")
        await engine.dispose()
        return found

    ledger = asyncio.run(simulate())

    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        assert store.load("order_1") == ledger
    assert [each.status for each in ledger.returns] == ["received"]


def test_a_stale_change_stores_nothing(file: Path) -> None:
    """And leaves no transaction behind."""
    change = CoreHarness(order_of(line())).handle(request(1))

    async def use(store: AsyncSqlReturns) -> None:
        await store.commit(change)
        for _ in range(20):
            with pytest.raises(StaleLedger):
                await store.commit(change)
        assert await store.history("order_1") == change.events

    on(file, use, busy_timeout=0)


def test_nothing_is_asked_for_a_change_without_events(file: Path) -> None:
    """Not even a connection's transaction."""
    statements: list[str] = []

    async def use(store: AsyncSqlReturns) -> None:
        ledger = await store.load("order_1")
        event.listen(
            store.engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2])
        )
        change = CoreHarness(order_of(line())).handle(request(1))
        await store.commit(evolve(change, ledger=ledger, events=(), effects=()))

    on(file, use)

    assert statements == []
