"""The store in a database and the store in memory give the same results."""

from contextlib import closing

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    Command,
    Gateway,
    Idempotent,
    NotIdempotent,
    Rejected,
    ReturnPolicy,
    ReturnRepository,
    Searchable,
)
from rma.adapters.sql import SqlReturns
from rma.testing.faults import AnswerLost, Away, Declines, Fault, Pends, RefundFault
from rma.testing.strategies import command_sequences, orders, policies
from tests.sql.alike import assert_alike
from tests.world import RETURN_OPTION, World

FAULTS: tuple[Fault, ...] = (Away(), AnswerLost())
ENDS: tuple[RefundFault | None, ...] = (None, Declines(), Pends())
GATEWAYS: tuple[Gateway, ...] = (Idempotent(), Searchable(), NotIdempotent())


def answer(world: World, returns: ReturnRepository, command: Command | None) -> object:
    """Returns what a service over these ledgers answers to the command, or to `resume` if there is none."""
    service = evolve(world.service, returns=returns)
    try:
        return service.resume() if command is None else service.handle(command)
    except Rejected as error:
        return type(error), error.violations


@given(data=st.data(), policy=policies(), gateway=st.sampled_from(GATEWAYS))
def test_the_same_commands_have_the_same_results(
    data: st.DataObject, policy: ReturnPolicy, gateway: Gateway
) -> None:
    """
    Answers, refusals, ledgers, histories and port calls are the same, while ports fail before and after
    acting.
    """
    order = data.draw(orders())
    commands = data.draw(command_sequences(order, option=RETURN_OPTION))
    memory, database = World(order, policy, gateway), World(order, policy, gateway)
    with closing(SqlReturns("sqlite://")) as store:
        for command in (*commands, None):
            away = data.draw(st.sampled_from(["", "", "payments", "inventory", "fulfillment"]))
            refunds = data.draw(st.sampled_from(ENDS))
            fault = data.draw(st.sampled_from(FAULTS))
            for world in (memory, database):
                world.faults.calm()
                world.faults.refunds.extend([refunds] * 3)
                if away:
                    world.faults.breaks(away, fault)

            assert_alike(answer(memory, memory.returns, command), answer(database, store, command))

            ledger = store.load(order.id)
            assert_alike(ledger, memory.ledger)
            assert list(ledger.open_effects) == list(memory.ledger.open_effects)
            assert database.asked == memory.asked
            for unpublished in (False, True):
                assert store.outstanding(memory.now, 9, unpublished=unpublished) == tuple(
                    memory.returns.outstanding(memory.now, 9, unpublished=unpublished)
                )
        assert_alike(store.history(order.id), memory.returns.history(order.id))
        for each in memory.all_returns:
            assert_alike(store.load_by_return(each.id), memory.ledger)
