"""The shell's coroutines come to the same, whether what they call answers at once or is awaited."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest
from attrs import evolve

from rma import AsyncReturnService, CancelReturn, NotAllowed, NotFound
from rma.shell.driver import arun, call, run
from tests.aio.hosts import awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.world import World


async def halved(number_of: Callable[[str], Awaitable[int] | int]) -> float:
    """Half of what is answered about one thing; 0 if the answer is an error."""
    try:
        number = await call(number_of("one"))
    except LookupError:
        return 0.0
    await call(None)
    return number / 2


def at_once(_: str) -> int:
    """An answer."""
    return 3


async def later(name: str) -> int:
    """The same, awaited."""
    await asyncio.sleep(0)
    return at_once(name)


def raises(name: str) -> int:
    """An error instead of an answer."""
    raise LookupError(name)


async def raises_later(name: str) -> int:
    """The same, awaited."""
    await asyncio.sleep(0)
    return raises(name)


def test_an_answer_is_returned_where_it_was_called_for() -> None:
    """At once, or when it is there; and an answer of None is one."""
    assert run(halved(at_once)) == 1.5
    assert asyncio.run(arun(halved(later))) == 1.5
    assert asyncio.run(arun(halved(at_once))) == 1.5


def test_what_a_port_raises_is_raised_where_it_was_called() -> None:
    """So that the shell can handle it, whether the port is awaited or not."""
    assert run(halved(raises)) == 0.0
    assert asyncio.run(arun(halved(raises_later))) == 0.0
    assert asyncio.run(arun(halved(raises))) == 0.0


@pytest.mark.parametrize("number_of", [at_once, later])
def test_what_the_shell_raises_reaches_the_caller(number_of: Callable[[str], int | Awaitable[int]]) -> None:
    """Before an answer was awaited, or after."""

    async def steps() -> float:
        return 1 / (await call(number_of("one")) - 3)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(arun(steps()))


def test_a_coroutine_that_calls_nothing_ends_at_once() -> None:
    """There is nothing to wait for."""

    async def steps() -> int:
        return 7

    assert run(steps()) == asyncio.run(arun(steps())) == 7


def test_a_blocking_driver_closes_what_would_have_to_be_awaited() -> None:
    """The coroutine never runs, and the call raises `TypeError`, even if nothing would suspend."""
    begun = []

    async def act(name: str) -> int:
        begun.append(name)
        return 3

    coroutine = act("one")

    with pytest.raises(TypeError, match="use AsyncReturnService"):
        run(halved(lambda _: coroutine))

    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert begun == []


def test_a_blocking_driver_cancels_a_future_and_leaves_other_awaitables_alone() -> None:
    """What can be ended is ended; nothing is taken for an answer."""

    class Odd:
        def __await__(self) -> Generator[Any, None, int]:
            yield None
            return 3

    async def in_a_loop() -> bool:
        future = asyncio.get_running_loop().create_future()
        with pytest.raises(TypeError):
            run(halved(lambda _: future))
        return future.cancelled()

    assert asyncio.run(in_a_loop())
    with pytest.raises(TypeError):
        run(halved(lambda _: Odd()))


def test_a_host_may_have_ports_of_both_kinds() -> None:
    """What is at hand is not awaited; and a refusal is the same as ever."""
    world = World(order_of(line(quantity=1)))
    at_hand = world.service
    service: AsyncReturnService = evolve(
        awaited_service(world.service),
        shipping_options=at_hand.shipping_options,
        return_reasons=at_hand.return_reasons,
        policies=at_hand.policies,
    )

    async def simulate() -> None:
        opened = await service.handle(request(1, shipping_option_id="so_return"))
        await service.handle(receive(1, return_id=opened.id))
        with pytest.raises(NotAllowed):
            await service.handle(CancelReturn(return_id=opened.id))
        with pytest.raises(NotFound):
            await service.handle(receive(1, return_id="ret_9"))

    asyncio.run(simulate())

    assert list(world.payments.refunds) == ["ret_1-refund-1"]
