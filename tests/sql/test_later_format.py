"""A process that is open while a later version changes the tables writes no more."""

import asyncio
from contextlib import closing

import pytest
from sqlalchemy import text

from rma import Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.adapters.sql.schema import FORMAT
from rma.testing.core_harness import CoreHarness
from tests.rules.given import line, order_of, request


def migrate(store: SqlReturns) -> None:
    """Leaves the mark of a later version."""
    with store.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE rma_format SET format = {FORMAT + 1}, writable_since = {FORMAT + 1}")
        )


@pytest.mark.parametrize("is_first", [True, False])
def test_an_open_process_does_not_write_an_older_format(url: str, *, is_first: bool) -> None:
    """
    Its commit raises `newer_format` and stores nothing, for a new ledger and for one that exists, also in a
    transaction of the host.
    """
    life = CoreHarness(order_of(line(quantity=9)))
    with closing(SqlReturns(url)) as store:
        store.load("order_1")
        if not is_first:
            store.commit(life.handle(request(1)))
        before = life.ledger
        migrate(store)
        change = life.handle(request(1))

        with pytest.raises(Unavailable) as error:
            store.commit(change)
        assert (error.value.code, error.value.details) == (
            "newer_format",
            {"found": FORMAT + 1, "known": FORMAT},
        )
        with store.engine.begin() as connection, pytest.raises(Unavailable) as error:
            store.in_transaction(connection).commit(change)
        assert error.value.code == "newer_format"
        assert store.load("order_1") == before


def test_an_open_process_that_is_awaited_does_not_either(url: str) -> None:
    """The same for a store that is awaited."""
    change = CoreHarness(order_of(line())).handle(request(1))

    async def simulate() -> str:
        store = AsyncSqlReturns(url)
        await store.load("order_1")
        with closing(SqlReturns(url)) as other:
            migrate(other)
        with pytest.raises(Unavailable) as error:
            await store.commit(change)
        assert not (await store.load("order_1")).returns
        await store.close()
        return error.value.code

    assert asyncio.run(simulate()) == "newer_format"
