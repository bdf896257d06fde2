"""Threads on one file: every command is done, and none is done twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from attrs import evolve

from rma import Return, ReturnStatus
from rma.adapters.sql import SqlReturns
from rma.domain.change import replay
from rma.testing.core_harness import counting
from tests.rules.given import line, order_of, receive, request
from tests.world import World

THREADS = 4


def at_once(*runs: Callable[[], Return]) -> list[Return]:
    """Returns the results of these functions, all begun at the same time."""
    together = Barrier(len(runs))

    def run(each: Callable[[], Return]) -> Return:
        together.wait()
        return each()

    with ThreadPoolExecutor(len(runs)) as threads:
        return list(threads.map(run, runs))


@pytest.mark.parametrize("url", ["sqlite:///{}", "sqlite://"])
def test_requests_for_one_order_at_once_are_all_done(file: Path, url: str) -> None:
    """Each request reserves its own units, and the tables are made once."""
    with closing(SqlReturns(url.format(file), busy_timeout=60)) as store:
        world = World(order_of(line(quantity=THREADS * 5)))
        service = evolve(world.service, returns=store, ids=counting())

        def five() -> Return:
            return [service.handle(request(1)) for _ in range(5)][-1]

        at_once(*[five] * THREADS)

        ledger = store.load("order_1")
        assert [each.display_id for each in ledger.returns] == list(range(1, THREADS * 5 + 1))
        assert service.returnable_items("order_1")[0].quantity == 0
        assert replay("order_1", store.history("order_1")) == ledger


def test_the_same_command_at_once_is_done_once(file: Path) -> None:
    """Every thread gets the same return, and each effect is sent under one key."""
    with closing(SqlReturns(f"sqlite:///{file}", busy_timeout=60)) as store:
        world = World(order_of(line(quantity=2)))
        service = evolve(world.service, returns=store)
        asked = request(2, shipping_option_id="so_return", idempotency_key="a")
        arrivals = receive(2, idempotency_key="b")

        requested = at_once(*[lambda: service.handle(asked)] * THREADS)
        arrivals = evolve(arrivals, return_id=requested[0].id)
        received = at_once(*[lambda: service.handle(arrivals)] * THREADS)

        assert {each.id for each in requested + received} == {requested[0].id}
        assert {each.status for each in received} == {ReturnStatus.RECEIVED}
        assert world.payments.executions == {f"{requested[0].id}-refund-1": 1}
        service.resume()
        assert not store.load("order_1").open_effects


def test_stores_may_open_one_new_file_at_once(file: Path) -> None:
    """Several stores over one new file make its tables once, and all requests are stored."""
    stores = [SqlReturns(f"sqlite:///{file}", busy_timeout=60) for _ in range(THREADS)]
    order = order_of(line(quantity=THREADS))
    services = [
        evolve(World(order).service, returns=store, ids=counting(f"{number}_"))
        for number, store in enumerate(stores)
    ]

    at_once(*[lambda service=service: service.handle(request(1)) for service in services])

    ledgers = [store.load("order_1") for store in stores]
    assert {len(ledger.returns) for ledger in ledgers} == {THREADS}
    assert all(ledger == ledgers[0] for ledger in ledgers)
    for store in stores:
        store.close()
