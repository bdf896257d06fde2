"""Coroutines in each other's way on one order: all come to their turn, and nothing is done twice."""

import asyncio
from collections.abc import Awaitable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    AsyncReturnService,
    CancelReturn,
    Command,
    Gateway,
    Idempotent,
    NotIdempotent,
    Rejected,
    Return,
    ReturnStatus,
    Searchable,
    StaleLedger,
)
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.domain.change import replay
from rma.domain.state.ledger import Subject
from rma.shell.deliver import is_news
from tests.aio.hosts import Awaited, awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.world import World

UNITS = 4


async def at_once(*awaited: Awaitable[object]) -> tuple[list[Return], list[Rejected]]:
    """What they come to, and which of them were refused; anything else that is raised is a failure."""
    returns, refusals = [], []
    for found in await asyncio.gather(*awaited, return_exceptions=True):
        match found:
            case Return():
                returns.append(found)
            case Rejected():
                refusals.append(found)
            case BaseException():
                raise found
            case _:
                pass
    return returns, refusals


@given(
    chance=st.integers(0, 2**32).map(Random),
    gateway=st.sampled_from([Idempotent(), Searchable(), NotIdempotent()]),
)
def test_rivals_are_refused_for_what_is_true_and_nothing_else(chance: Random, gateway: Gateway) -> None:
    """Requests for more units than there are, receipts, a cancellation, a timer, however they take turns."""
    world = World(order_of(line(quantity=UNITS)), gateway=gateway)
    service = awaited_service(world.service, turns=lambda: chance.randrange(4))
    asked = [request(1, idempotency_key=f"ask {number}") for number in range(UNITS + 1)]

    async def simulate() -> None:
        opened, refused = await at_once(*[service.handle(each) for each in (*asked, *asked[:2])])
        assert len({each.id for each in opened}) == UNITS
        assert {error.code for error in refused} == {"quantity_exceeds_returnable"}

        ids = sorted({each.id for each in opened})
        arrivals = [receive(1, return_id=each, idempotency_key=f"received {each}") for each in ids]
        canceled = CancelReturn(return_id=ids[0])
        done, refused = await at_once(
            *[service.handle(each) for each in (*arrivals, *arrivals)],
            service.handle(canceled),
            *[service.resume(), service.resume()],
        )
        assert {each.id for each in done} == set(ids)
        assert {error.code for error in refused} <= {"return_already_received", "return_canceled"}
        await service.resume()

    asyncio.run(simulate())

    ledger, history = world.ledger, world.returns.history("order_1")
    received = [each for each in ledger.returns if each.status is ReturnStatus.RECEIVED]
    late = [each for each in ledger.returns if each.status is ReturnStatus.REQUIRES_ACTION]
    assert len(received) in {UNITS - 1, UNITS}
    assert all(each.canceled_at is not None and not each.refunds for each in late)
    assert not ledger.open_effects
    assert replay("order_1", history) == ledger
    for each in received:
        assert world.payments.refunds_made(f"{each.id}-refund-1") == 1
        assert [refund.is_in_force for refund in each.refunds] == [True]
    assert len(world.payments.refunds) == len(received)
    assert len(world.inventory.restocks) == len(received) + len(late)
    assert list(world.events.published) == [event.event_id for event in history if is_news(event)]


@given(
    steps=st.tuples(st.integers(0, 40), st.integers(0, 60)),
    gateway=st.sampled_from([Idempotent(), Searchable()]),
)
def test_who_hangs_up_finds_it_done_once(steps: tuple[int, int], gateway: Gateway) -> None:
    """A task that is canceled, wherever it waits, has done all or nothing; repeated, it goes on."""
    world = World(order_of(line(quantity=1)), gateway=gateway)
    service = awaited_service(world.service)
    asked = request(1, idempotency_key="a", shipping_option_id="so_return")

    async def hang_up(command: Command, after: int) -> None:
        task = asyncio.create_task(service.handle(command))
        for _ in range(after):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def simulate() -> Subject:
        await hang_up(asked, steps[0])
        opened = await service.handle(asked)
        arrivals = receive(1, return_id=opened.id, idempotency_key="b")
        await hang_up(arrivals, steps[1])
        received = await service.handle(arrivals)
        world.now += timedelta(minutes=30)  # every lease is over
        await service.resume()
        return received

    received = asyncio.run(simulate())

    (only,) = world.all_returns
    assert only.id == received.id
    assert only.status is ReturnStatus.RECEIVED
    assert not world.ledger.open_effects
    assert world.payments.refunds_made(f"{only.id}-refund-1") == 1
    assert len(world.inventory.restocks) == len(world.fulfillment.shipments) == 1


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///{}", "sqlite+aiosqlite://"])
def test_coroutines_on_one_new_database_take_turns(tmp_path: Path, url: str) -> None:
    """Each reserves its own units; the tables are made once, by the first of them."""
    file = tmp_path / "returns.db"
    world = World(order_of(line(quantity=12)))

    async def simulate() -> None:
        store = AsyncSqlReturns(url.format(file))
        service = awaited_service(world.service, store)
        opened, refused = await at_once(*[service.handle(request(1)) for _ in range(12)])
        assert (len(opened), refused) == (12, [])
        ledger = await store.load("order_1")
        assert [each.display_id for each in ledger.returns] == list(range(1, 13))
        assert replay("order_1", await store.history("order_1")) == ledger
        await store.close()

    asyncio.run(simulate())


def test_more_commands_at_once_than_there_are_attempts_are_all_done() -> None:
    """Of 120 in step some lose 100 times and give up; after pauses of random parts none of them does."""
    world = World(order_of(line(quantity=120)))
    chance = Random(1)

    async def pause(longest: float) -> None:
        for _ in range(int(longest * chance.random() * 1000)):  # turns of the event loop, not seconds
            await asyncio.sleep(0)

    async def simulate(service: AsyncReturnService) -> list[object]:
        asked = [service.handle(request(1, idempotency_key=str(number))) for number in range(120)]
        return await asyncio.gather(*asked, return_exceptions=True)

    in_step = awaited_service(world.service)
    ends = asyncio.run(simulate(evolve(in_step, returns=Awaited(InMemoryReturns()))))
    assert any(isinstance(each, StaleLedger) for each in ends)

    ends = asyncio.run(simulate(evolve(in_step, pause=pause)))
    assert all(isinstance(each, Return) for each in ends)
    assert len(world.all_returns) == 120


def test_a_host_that_waits_and_one_that_blocks_share_a_file(tmp_path: Path) -> None:
    """What the one stored the other reads, and goes on with."""
    world = World(order_of(line(quantity=2)))

    async def ask() -> Return:
        store = AsyncSqlReturns(f"sqlite+aiosqlite:///{tmp_path / 'returns.db'}")
        found = await awaited_service(world.service, store).handle(request(2))
        await store.close()
        assert isinstance(found, Return)
        return found

    opened = asyncio.run(ask())
    with closing(SqlReturns(f"sqlite:///{tmp_path / 'returns.db'}")) as store:
        service = evolve(world.service, returns=store)
        assert service.get(opened.id) == opened
        assert service.handle(receive(2)).status is ReturnStatus.RECEIVED
