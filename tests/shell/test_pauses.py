"""A command that lost against another pauses before it tries again, longer each time."""

import asyncio
import time
from contextlib import suppress

import pytest
from attrs import evolve

from rma import AsyncReturnService, Change, StaleLedger
from rma.adapters.memory import InMemoryReturns
from rma.shell.commit import ATTEMPTS, LONGEST_PAUSE, SHORTEST_PAUSE
from rma.shell.construction import pause, pause_awaited
from tests.rules.given import order_of, request
from tests.world import World


class Losing(InMemoryReturns):
    """Ledgers to which another process commits first, each time."""

    def commit(self, change: Change) -> None:
        """Never stores."""
        raise StaleLedger("stale_ledger", {"order_id": change.order_id, "expected": 0, "found": 1})


def test_pauses_grow_to_a_limit() -> None:
    """Twice as long after each attempt, and none after the last."""
    pauses: list[float] = []
    service = evolve(World(order_of()).service, returns=Losing(), pause=pauses.append)

    with pytest.raises(StaleLedger):
        service.handle(request(1))

    assert len(pauses) == ATTEMPTS - 1
    assert pauses[:4] == [SHORTEST_PAUSE, 2 * SHORTEST_PAUSE, 4 * SHORTEST_PAUSE, 8 * SHORTEST_PAUSE]
    assert pauses[-1] == max(pauses) == LONGEST_PAUSE
    assert pauses == sorted(pauses)


def test_pauses_are_awaited_by_an_awaited_service() -> None:
    """A pause of the host is awaited, and what it answers at once will do as well."""
    pauses: list[float] = []

    async def awaited(longest: float) -> None:
        await asyncio.sleep(0)
        pauses.append(longest)

    service = World(order_of()).service
    for each in (awaited, pauses.append):
        pauses.clear()
        losing = AsyncReturnService(
            orders=service.orders,
            returns=Losing(),
            inventory=service.inventory,
            payments=service.payments,
            pause=each,
        )
        with pytest.raises(StaleLedger):
            asyncio.run(losing.handle(request(1)))
        assert len(pauses) == ATTEMPTS - 1


def test_a_pause_lasts_a_random_part_of_its_limit() -> None:
    """Blocking or awaited; two that lost together do not pause equally long."""
    lasted = set()

    async def simulate() -> None:
        for _ in range(4):
            begun = time.perf_counter()
            await pause_awaited(0.02)
            lasted.add(time.perf_counter() - begun)

    asyncio.run(simulate())
    for _ in range(4):
        begun = time.perf_counter()
        pause(0.02)
        lasted.add(time.perf_counter() - begun)
    assert len(lasted) == 8
    pause(0)


def test_outside_of_asyncio_nothing_is_awaited() -> None:
    """In another event loop the default pause ends at once; such a host passes its own."""
    steps = pause_awaited(60.0)
    with suppress(StopIteration):
        steps.send(None)
        pytest.fail("it waits")
