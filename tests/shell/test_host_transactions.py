"""Over ledgers in a transaction of the host nothing is delivered, whatever the host asks for."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import InvalidValue, Rejected, ReturnService
from rma.adapters.memory import InMemoryReturns
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Faults
from rma.testing.recording_ports import RecordingReturns
from rma.testing.strategies import command_sequences, orders
from tests.aio.hosts import Awaited, awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.world import RETURN_OPTION, World


class Declaring(InMemoryReturns):
    """Ledgers of a host that manages its transactions itself, and says when one is open."""

    is_open = True

    def in_host_transaction(self) -> bool:
        """As the host says."""
        return self.is_open


class Bindable(InMemoryReturns):
    """Ledgers that can be bound, to whatever is given as the connection."""

    def in_transaction(self, connection: Any) -> Any:
        """That."""
        return connection


def world_over(returns: InMemoryReturns) -> tuple[World, ReturnService]:
    """A world of five mugs, and its service over these ledgers."""
    world = World(order_of(line(quantity=5)))
    return world, evolve(world.service, returns=returns)


def nothing_was_asked(world: World) -> bool:
    """Whether no port that acts was called, and nothing was published."""
    return world.asked == World(world.order).asked


@given(data=st.data())
def test_no_command_reaches_a_port(data: st.DataObject) -> None:
    """Returns, exchanges and claims, repeats and refusals; the ledger has what is outstanding."""
    order = data.draw(orders())
    world, returns = World(order), Declaring()
    service = evolve(world.service, returns=returns)

    for command in data.draw(command_sequences(order, option=RETURN_OPTION)):
        with suppress(Rejected):
            service.handle(command)
        assert nothing_was_asked(world)
        for subject_id in (None, "ret_1", "not there"):
            with pytest.raises(InvalidValue) as error:
                service.resume(subject_id)
            assert error.value.code == "in_host_transaction"
    assert nothing_was_asked(world)


def test_no_command_of_an_awaited_service_reaches_a_port() -> None:
    """Whether the declaration is awaited, as it is here, or answers at once."""
    for returns in (Declaring(), Awaited(Declaring())):
        world = World(order_of(line(quantity=5)))
        awaited = awaited_service(world.service, returns)  # type: ignore[arg-type] # of either kind

        async def use() -> None:
            await awaited.handle(request(1, shipping_option_id="so_return"))  # noqa: B023 # called at once
            with pytest.raises(InvalidValue):
                await awaited.resume()  # noqa: B023 # called at once

        asyncio.run(use())
        assert nothing_was_asked(world)


def test_once_the_host_has_committed_everything_is_delivered() -> None:
    """By a repository that says so when it is asked, and by every later command about the return."""
    returns = Declaring()
    world, service = world_over(returns)
    opened = service.handle(request(2, shipping_option_id="so_return"))
    assert nothing_was_asked(world)

    returns.is_open = False
    service.handle(receive(2, return_id=opened.id))

    assert list(world.payments.refunds) == ["ret_1-refund-1"]
    assert list(world.fulfillment.shipments) == ["ret_1-shipment-1"]
    assert service.resume().still_open == ()


def test_a_repository_that_commits_by_itself_need_not_say_so() -> None:
    """Without the method, commands are delivered at once."""
    world, service = world_over(InMemoryReturns())

    service.handle(request(2, shipping_option_id="so_return"))

    assert list(world.fulfillment.shipments) == ["ret_1-shipment-1"]


def test_the_declaration_is_read_after_the_commit() -> None:
    """A session that begins its transaction with the first statement is in one then, and not before."""

    class Lazy(Declaring):
        is_open = False

        def commit(self, change: Any) -> None:
            super().commit(change)
            self.is_open = True

    world, service = world_over(Lazy())

    service.handle(request(2, shipping_option_id="so_return"))

    assert nothing_was_asked(world)


def test_a_service_is_bound_with_all_its_other_ports() -> None:
    """To what the repository answers for this connection."""
    world, service = world_over(Bindable())
    transaction = Declaring()

    bound = service.in_transaction(transaction)

    assert bound == evolve(service, returns=transaction)
    assert type(bound) is ReturnService
    awaited = awaited_service(service, service.returns)  # type: ignore[arg-type] # it blocks
    assert awaited.in_transaction(transaction) == evolve(awaited, returns=transaction)
    bound.handle(request(1, shipping_option_id="so_return"))
    assert nothing_was_asked(world)


@pytest.mark.parametrize(
    ("returns", "connection", "expected"),
    [
        (InMemoryReturns(), Declaring(), "a method in_transaction(connection)"),
        (Bindable(), InMemoryReturns(), "an in_transaction that answers a BoundReturns"),
        (Bindable(), Awaited(Declaring()), "an in_transaction that answers a BoundReturns"),
        (Bindable(), None, "an in_transaction that answers a BoundReturns"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_repository_that_cannot_be_bound_is_named(
    returns: InMemoryReturns, connection: Any, expected: str
) -> None:
    """It has no way to be bound, or what it answers does not declare that it is."""
    _, service = world_over(returns)

    for unbound in (service, awaited_service(service, returns)):  # type: ignore[arg-type] # it blocks
        with pytest.raises(InvalidValue) as error:
            unbound.in_transaction(connection)
        assert error.value.code == "host_transaction_unsupported"
        assert str(error.value) == (
            f"{type(returns).__qualname__} cannot write in a transaction of the host: it needs {expected}"
        )


def test_the_shipped_wrappers_pass_the_declaration_on() -> None:
    """Faults and recordings around ledgers do not hide whose they are to commit."""
    world, service = world_over(Bindable())
    failing = inject_faults(service, Faults())
    assert not failing.returns.in_host_transaction()  # type: ignore[attr-defined] # a wrapper has it

    for bound in (
        failing.in_transaction(Declaring()),
        inject_faults(evolve(service, returns=Declaring()), Faults()),
        evolve(service, returns=RecordingReturns(Declaring(), ["order_1"])),
    ):
        bound.handle(request(1, shipping_option_id="so_return"))
        with pytest.raises(InvalidValue):
            bound.resume()
        assert nothing_was_asked(world)
