"""Steps come to the same, whether what they ask for is there at once or awaited."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from attrs import evolve

from async_host import Desk
from rma import NotAllowed, NotFound
from rma.shell.driver import Steps, arun, run
from tests.aio.hosts import desk_over
from tests.rules.given import line, order_of, receive, request
from tests.world import World


def halved(number_of: Callable[[str], object]) -> Steps[float]:
    """Half of what it says of one thing, or nothing if that can not be told."""
    try:
        number: float = yield number_of("one")
    except LookupError:
        return 0.0
    yield None
    return number / 2


def at_once(_: str) -> int:
    """An answer."""
    return 3


async def later(name: str) -> int:
    """The same, awaited."""
    await asyncio.sleep(0)
    return at_once(name)


def raises(name: str) -> int:
    """No answer."""
    raise LookupError(name)


async def raises_later(name: str) -> int:
    """No answer either."""
    await asyncio.sleep(0)
    return raises(name)


def test_an_answer_is_sent_where_it_was_asked_for() -> None:
    """At once, or when it is there; and an answer of None is one."""
    assert run(halved(at_once)) == 1.5
    assert asyncio.run(arun(halved(later))) == 1.5
    assert asyncio.run(arun(halved(at_once))) == 1.5


def test_what_a_port_raises_is_raised_where_it_was_asked() -> None:
    """So that steps can go on, however it came."""
    assert run(halved(raises)) == 0.0
    assert asyncio.run(arun(halved(raises_later))) == 0.0
    assert asyncio.run(arun(halved(raises))) == 0.0


@pytest.mark.parametrize("number_of", [at_once, later])
def test_what_steps_raise_is_heard(number_of: Callable[[str], int | Awaitable[int]]) -> None:
    """By whoever runs them."""

    def steps() -> Steps[float]:
        number: int = yield number_of("one")
        return 1 / (number - 3)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(arun(steps()))


def test_steps_that_ask_nothing_end_at_once() -> None:
    """There is nothing to wait for."""

    def steps() -> Steps[int]:
        yield from ()
        return 7

    assert run(steps()) == asyncio.run(arun(steps())) == 7


def test_a_host_may_have_ports_of_both_kinds() -> None:
    """What is at hand is not awaited; and a refusal is the same as ever."""
    world = World(order_of(line(quantity=1)))
    at_hand = world.service
    desk: Desk = evolve(
        desk_over(world.service),
        shipping_options=at_hand.shipping_options,
        return_reasons=at_hand.return_reasons,
        policies=at_hand.policies,
    )

    async def simulate() -> None:
        opened = await desk.handle(request(1, shipping_option_id="so_return"))
        await desk.handle(receive(1, return_id=opened.id))
        with pytest.raises(NotAllowed):
            await desk.handle(receive(1, return_id=opened.id))
        with pytest.raises(NotFound):
            await desk.handle(receive(1, return_id="ret_9"))

    asyncio.run(simulate())

    assert list(world.payments.refunds) == ["ret_1/refund/1"]
