"""A port that is away is asked less and less, and the history counts that instead of growing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from rma import DeliveryChanged, ReturnRepository
from rma.adapters.memory import InMemoryEvents, InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from tests.aio.hosts import awaited_service
from tests.shell.days import (
    MINUTES,
    a_day,
    assert_is_a_day_without_payments,
    delivery_changes,
    receive_without_payments,
)
from tests.shell.shop import HOUR, KINDS, METHODS, MINUTE, Shop, port_of


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReturnRepository]:
    """Yields a store in memory or in a file."""
    if request.param == "memory":
        yield InMemoryReturns()
        return
    opened = SqlReturns(f"sqlite:///{tmp_path / 'returns.db'}")
    yield opened
    opened.close()


def test_a_day_without_payments_is_thirty_calls_and_commits(store: ReturnRepository) -> None:
    """Six in the first hour, then one an hour; each failed attempt is one commit, in place of the last."""
    shop = Shop(returns=store)
    receive_without_payments(shop)

    async def resume() -> None:
        shop.service.resume()

    asked = asyncio.run(a_day(shop, resume))

    assert_is_a_day_without_payments(shop, shop.history, asked)
    assert shop.calls("payments.refund") == len(MINUTES)
    assert shop.calls("returns.commit") == 2 + len(MINUTES)  # and those of the two commands
    assert shop.calls("returns.outstanding") < 2 * 24 * 60
    assert shop.calls("returns.load") < 2 * len(MINUTES)


def test_an_awaited_service_is_as_calm(store: ReturnRepository) -> None:
    """It asks at the same minutes and commits as often."""
    shop = Shop(returns=store)
    receive_without_payments(shop)
    awaited = awaited_service(shop.service, turns=lambda: 0)

    asked = asyncio.run(a_day(shop, awaited.resume))

    assert_is_a_day_without_payments(shop, shop.history, asked)
    assert shop.calls("returns.commit") == 2 + len(MINUTES)


def test_an_awaited_store_keeps_one_event_that_counts(tmp_path: Path) -> None:
    """What is superseded is removed from a database behind an awaited driver, too."""
    file = tmp_path / "returns.db"
    blocking = SqlReturns(f"sqlite:///{file}")
    shop = Shop(returns=blocking)
    receive_without_payments(shop)

    async def simulate() -> list[int]:
        store = AsyncSqlReturns(f"sqlite+aiosqlite:///{file}")
        try:
            return await a_day(shop, awaited_service(shop.service, store, turns=lambda: 0).resume)
        finally:
            await store.close()

    asked = asyncio.run(simulate())

    assert_is_a_day_without_payments(shop, shop.history, asked)
    blocking.close()


@pytest.mark.parametrize("kind", KINDS)
def test_history_alone_rebuilds_the_ledger_after_every_attempt(kind: str) -> None:
    """Whatever the effect, and after its port answered again: the event that counts stays in the history."""
    shop = Shop()
    key, before, last = KINDS[kind]
    shop.handle_all(*before)
    shop.away = {METHODS[kind].split(".")[0]}
    shop.handle_all(last)

    for _ in range(5 * 60):
        shop.pass_time(MINUTE)
        shop.service.resume()
        assert key in shop.ledger.open_effects
        of_effect = [each for each in shop.history if isinstance(each, DeliveryChanged) and each.key == key]
        assert len([each for each in of_effect if not each.is_newly_stuck]) <= 1
        assert len([each for each in of_effect if each.is_newly_stuck]) <= 1
    shop.away.clear()
    shop.pass_time(HOUR)
    shop.service.resume()

    assert not shop.ledger.open_effects
    assert port_of(shop, kind).done.count(key) == 1
    assert (11, False) in delivery_changes(shop.history)


def test_the_event_by_which_an_effect_became_stuck_is_published() -> None:
    """Failed attempts before and after it are not; and it stays in the history as it was published."""
    events = InMemoryEvents()
    shop = Shop(events=events)
    receive_without_payments(shop)

    for _ in range(5 * 60):
        shop.pass_time(MINUTE)
        shop.service.resume()

    published = [each for each in events.published.values() if isinstance(each, DeliveryChanged)]
    assert [(each.delivery.attempts, each.is_newly_stuck) for each in published] == [(7, True)]
    assert published[0] in shop.history
    assert shop.ledger.published == shop.ledger.revision


def test_two_effects_of_one_return_are_counted_each_by_itself() -> None:
    """A restock and a refund fail together: two commits' worth of events stay, one for each."""
    shop = Shop()
    shop.handle_all(*KINDS["refund"][1])
    shop.away = {"payments", "inventory"}
    shop.handle_all(KINDS["refund"][2])

    for _ in range(59):
        shop.pass_time(MINUTE)
        shop.service.resume()

    assert delivery_changes(shop.history) == [(6, False), (6, False)]
    assert shop.calls("returns.commit") == 2 + 6  # one for both
    assert list(shop.ledger.open_effects) == ["ret_1-restock-1", "ret_1-refund-1"]
