"""A day with a port away is as calm over PostgreSQL as in memory."""

import asyncio

from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from tests.aio.hosts import awaited_service
from tests.shell.days import MINUTES, a_day, assert_is_a_day_without_payments, receive_without_payments
from tests.shell.shop import Shop


def test_a_day_without_payments_is_thirty_calls_and_commits(url: str) -> None:
    """Each failed attempt is one commit, in place of the last."""
    store = SqlReturns(url)
    shop = Shop(returns=store)
    receive_without_payments(shop)

    async def resume() -> None:
        shop.service.resume()

    asked = asyncio.run(a_day(shop, resume))

    assert_is_a_day_without_payments(shop, shop.history, asked)
    assert shop.calls("returns.commit") == 2 + len(MINUTES)
    store.close()


def test_an_awaited_store_keeps_one_event_that_counts(url: str) -> None:
    """What is superseded is removed behind an awaited driver, too."""
    blocking = SqlReturns(url)
    shop = Shop(returns=blocking)
    receive_without_payments(shop)

    async def simulate() -> list[int]:
        store = AsyncSqlReturns(url)
        try:
            return await a_day(shop, awaited_service(shop.service, store, turns=lambda: 0).resume)
        finally:
            await store.close()

    asked = asyncio.run(simulate())

    assert_is_a_day_without_payments(shop, shop.history, asked)
    blocking.close()
