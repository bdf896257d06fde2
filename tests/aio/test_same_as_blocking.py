"""An awaited service makes the same calls and gives the same answers as a blocking one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from rma import (
    AsyncReturnService,
    Command,
    Gateway,
    Idempotent,
    NotIdempotent,
    Rejected,
    ReturnPolicy,
    ReturnService,
    RmaError,
    Searchable,
)
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.testing.faults import AnswerLost, Away, Declines, Fault, Pends, RefundFault
from rma.testing.strategies import command_sequences, orders, policies, policies_with_rules
from tests.aio.hosts import awaited_service
from tests.sql.alike import assert_alike
from tests.world import RETURN_OPTION, World

GATEWAYS: tuple[Gateway, ...] = (Idempotent(), Searchable(), NotIdempotent())
OUTSIDE = ("payments", "inventory", "fulfillment", "events")
STORES = ("returns", "orders", "shipping_options", "return_reasons")


@frozen
class Trouble:
    """What fails while a command is handled: a port all the time, a single call, refunds."""

    port: str | None
    calls_before: int | None
    fault: Fault
    refunds: RefundFault | None

    def comes_over(self, world: World) -> None:
        """From now on; what was before is over."""
        world.faults.calm()
        world.faults.refunds.extend([self.refunds] * 3)
        if self.port is not None:
            world.faults.breaks(self.port, self.fault)
        if self.calls_before is not None:
            world.faults.fails_after(self.calls_before, self.fault)


def troubles(*ports: str) -> st.SearchStrategy[Trouble]:
    """Often none; at one of these ports, and at any call at all."""
    return st.builds(
        Trouble,
        st.sampled_from([None, None, None, *ports]),
        st.one_of(st.none(), st.integers(0, 15)),
        st.sampled_from([Away(), AnswerLost()]),
        st.sampled_from([None, Declines(), Pends()]),
    )


def answer(service: ReturnService, command: Command | None) -> object:
    """What the service says to the command, or to `resume` if there is none."""
    try:
        return service.resume() if command is None else service.handle(command)
    except RmaError as error:
        return refusal(error)


async def awaited_answer(service: AsyncReturnService, command: Command | None) -> object:
    """The same of the host that waits."""
    try:
        return await (service.resume() if command is None else service.handle(command))
    except RmaError as error:
        return refusal(error)


def refusal(error: RmaError) -> object:
    """An error, to compare it."""
    return type(error), error.code, error.violations if isinstance(error, Rejected) else error.details


@given(data=st.data(), policy=st.one_of(policies(), policies_with_rules()), gateway=st.sampled_from(GATEWAYS))
def test_the_same_calls_are_made_in_the_same_order(
    data: st.DataObject, policy: ReturnPolicy, gateway: Gateway
) -> None:
    """Each load, commit, effect and event; answers, refusals, ledgers; whatever fails, and when."""
    order = data.draw(orders())
    commands = data.draw(command_sequences(order, option=RETURN_OPTION))
    blocks, waits = World(order, policy, gateway), World(order, policy, gateway)
    awaited = awaited_service(waits.service)

    async def simulate() -> None:
        for command in (*commands, None):
            trouble = data.draw(troubles(*OUTSIDE, *STORES))
            for world in (blocks, waits):
                trouble.comes_over(world)

            assert_alike(await awaited_answer(awaited, command), answer(blocks.service, command))

            assert waits.faults.calls == blocks.faults.calls
            assert_alike(waits.asked, blocks.asked)
            assert_alike(waits.ledger, blocks.ledger)
            assert_alike(waits.returns.history(order.id), blocks.returns.history(order.id))

    asyncio.run(simulate())


@settings(max_examples=30)  # each opens a database
@given(data=st.data(), policy=st.one_of(policies(), policies_with_rules()), gateway=st.sampled_from(GATEWAYS))
def test_ledgers_behind_an_awaited_driver_come_to_the_same(
    data: st.DataObject, policy: ReturnPolicy, gateway: Gateway
) -> None:
    """SQLAlchemy's asyncio on one side, memory that blocks on the other, while ports fail."""
    order = data.draw(orders())
    commands = data.draw(command_sequences(order, option=RETURN_OPTION))
    blocks, waits = World(order, policy, gateway), World(order, policy, gateway)
    service = evolve(blocks.service, returns=blocks.returns)

    async def simulate() -> None:
        async with in_memory() as store:
            awaited = awaited_service(waits.service, store)
            for command in (*commands, None):
                trouble = data.draw(troubles(*OUTSIDE))
                for world in (blocks, waits):
                    trouble.comes_over(world)

                assert_alike(await awaited_answer(awaited, command), answer(service, command))

                assert waits.faults.calls == blocks.faults.calls
                assert_alike(waits.asked, blocks.asked)
                ledger = await store.load(order.id)
                assert_alike(ledger, blocks.ledger)
                assert list(ledger.open_effects) == list(blocks.ledger.open_effects)
                for unpublished in (False, True):
                    assert await store.outstanding(blocks.now, 9, unpublished=unpublished) == tuple(
                        blocks.returns.outstanding(blocks.now, 9, unpublished=unpublished)
                    )
            assert_alike(await store.history(order.id), blocks.returns.history(order.id))
            for each in blocks.all_returns:
                assert_alike(await store.load_by_return(each.id), blocks.ledger)

    asyncio.run(simulate())


@asynccontextmanager
async def in_memory() -> AsyncIterator[AsyncSqlReturns]:
    """A store, for as long as it is used."""
    store = AsyncSqlReturns("sqlite+aiosqlite://")
    try:
        yield store
    finally:
        await store.close()
