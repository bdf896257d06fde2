"""Tests that kill a process, by `os._exit`, before and after every call and commit; another one continues."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta

import pytest
from attrs import evolve, frozen

from rma import (
    CancelReturn,
    Command,
    HistoryArchived,
    OrderState,
    ReceivedItem,
    ReceiveReturn,
    RenewShipment,
    RequestedItem,
    RequestReturn,
    Return,
    ReturnRequested,
    ReturnStatus,
)
from rma.adapters.sql import SqlReturns
from rma.domain.events import CommandEvent
from rma.domain.react import react
from rma.testing.core_harness import START
from rma.testing.faults import Faults
from tests.databases import LONG, Databases
from tests.killed.deployment import KILLED, Deployment, Killing, run_process
from tests.killed.gateways import GatewayModel
from tests.rules.given import line, order_of

#: Kinds of database.
KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

#: Makes a deployment in which nothing has happened.
NewDeployment = Callable[[], AbstractContextManager[Deployment]]


def commands() -> list[Command]:
    """Returns the commands: one return in two parcels, and one with a new label that is canceled later."""
    mug = RequestedItem(item_id="mug", quantity=2)

    def receipt(return_id: str, key: str, **more: bool) -> ReceiveReturn:
        items = [ReceivedItem(item_id="mug", quantity=1)]
        return ReceiveReturn(return_id=return_id, items=items, idempotency_key=key, **more)  # type: ignore[arg-type] # flags by name

    return [
        RequestReturn(
            order_id="order_1", items=[mug], shipping_option_id="so_return", idempotency_key="first"
        ),
        receipt("ret_1", "parcel 1", more_expected=True),
        receipt("ret_1", "parcel 2"),
        RequestReturn(
            order_id="order_1", items=[mug], shipping_option_id="so_return", idempotency_key="second"
        ),
        RenewShipment(return_id="ret_2", idempotency_key="renew"),
        receipt("ret_2", "parcel 3"),
        CancelReturn(return_id="ret_2", idempotency_key="cancel"),
    ]


def run_commands(deployment: Deployment, faults: Faults | None = None) -> None:
    """Sends every command, like a client that received no answer before, and archives the history."""
    with deployment.process(faults) as service:
        for command in commands():
            service.handle(command)
        service.archive("order_1")


def run_in_transactions(deployment: Deployment, faults: Faults | None = None) -> None:
    """Sends every command in a transaction of the client, which it then commits, and resumes."""
    faults = faults or Faults()
    with deployment.process(faults) as service, closing(SqlReturns(deployment.url)) as store:
        service.resume()  # makes the tables
        for command in commands():
            with store.engine.begin() as connection:
                done = service.in_transaction(connection).handle(command)
                faults.call("host.commit", "", lambda: None)
            service.resume(done.id)


def resume(deployment: Deployment) -> None:
    """Resumes, as a timer does when all is due; no effect is open afterwards."""
    with deployment.process(at=START + timedelta(hours=1)) as service:
        service.resume()
        assert not service.returns.load("order_1").open_effects


def _at_no_time(each: Return) -> Return:
    """The return without the times at which its effects ended: a timer may have come by later."""
    refunds = [evolve(refund, settled_at=None) for refund in each.refunds]
    entitlement = evolve(each.entitlement, refunds=tuple(refunds))
    return evolve(each, entitlement=entitlement, updated_at=START)


@frozen
class Result:
    """Everything that a customer, a clerk or a gateway can see; attempts and when they ended may differ."""

    returns: tuple[Return, ...]
    state: OrderState
    open_effects: tuple[str, ...]
    done: dict[str, str]


def read_result(deployment: Deployment) -> Result:
    """Reads the result in a new process."""
    with deployment.process() as service:
        ledger = service.returns.load("order_1")
        state = service.order_state("order_1")
    returns = tuple([_at_no_time(each) for each in ledger.returns])
    return Result(returns, state, tuple(ledger.open_effects), GatewayModel(deployment.gateway_model).done())


@pytest.fixture(scope="module", params=KINDS)
def new_deployment(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> NewDeployment:
    """Makes a new deployment."""

    @contextmanager
    def new() -> Iterator[Deployment]:
        with databases.new(request.param) as url:
            yield Deployment(
                url, tmp_path_factory.mktemp("gateway") / "gateway.db", order_of(line(quantity=5))
            )

    return new


@pytest.fixture(scope="module")
def undisturbed(new_deployment: NewDeployment) -> tuple[Result, int]:
    """The result without a kill, and the number of points at which a process can be killed."""
    faults = Faults()
    with new_deployment() as deployment:
        run_commands(deployment, faults)
        return read_result(deployment), faults.points


def test_the_commands_have_every_kind_of_effect(undisturbed: tuple[Result, int]) -> None:
    """They book and cancel labels, restock, withdraw and refund, and pass dozens of points."""
    expected, points = undisturbed

    assert [each.status for each in expected.returns] == [ReturnStatus.RECEIVED, ReturnStatus.CANCELED]
    assert expected.open_effects == ()
    kinds = {key.rsplit("-", 2)[1] for key in expected.done}
    assert kinds == {"shipment", "cancel_shipment", "restock", "withdraw", "refund"}
    assert points > 60


@pytest.mark.parametrize("resumed_first", [False, True])
def test_wherever_a_process_is_killed_everything_happens_once(
    new_deployment: NewDeployment, undisturbed: tuple[Result, int], *, resumed_first: bool
) -> None:
    """
    The repeated commands, with or without a `resume` before them, end with the result without a kill, and
    the history is archived.

    The point after a call equals the point before the next one, so the test command resumes first at every
    other point only.
    """
    expected, points = undisturbed

    for point in range(1, points + 1) if LONG else range(1 + resumed_first, points + 1, 2):
        with new_deployment() as deployment:
            assert run_process(lambda: run_commands(deployment, Killing(point))) == KILLED  # noqa: B023 # called at once
            if resumed_first:
                assert run_process(lambda: resume(deployment)) == 0  # called at once
            assert run_process(lambda: run_commands(deployment)) == 0  # called at once

            assert read_result(deployment) == expected, f"killed at point {point}"
            with deployment.process() as service:
                kinds = [type(event) for event in service.history("order_1")]
            assert kinds == [ReturnRequested, ReturnRequested, HistoryArchived], f"killed at point {point}"


def test_wherever_a_process_is_killed_nothing_moves_before_the_commit_of_the_host(
    new_deployment: NewDeployment, undisturbed: tuple[Result, int]
) -> None:
    """
    Ports were asked only for what the ledger has, and the repeated commands end as without a kill.

    A process that dies between a decision and the host's commit leaves the commands before it.
    """
    expected, _ = undisturbed
    faults = Faults()
    with new_deployment() as deployment:
        run_in_transactions(deployment, faults)
        assert read_result(deployment) == expected
    before_commits = [2 * each.number - 1 for each in faults.calls if each.method == "host.commit"]
    assert len(before_commits) == len(commands())

    for point in range(1, faults.points + 1) if LONG else {*range(1, faults.points + 1, 4), *before_commits}:
        with new_deployment() as deployment:
            assert run_process(lambda: run_in_transactions(deployment, Killing(point))) == KILLED  # noqa: B023 # called at once
            with deployment.process() as service:
                events = service.history("order_1")
            asked_for = {effect.key for event in events for effect in react(event)}
            assert set(GatewayModel(deployment.gateway_model).done()) <= asked_for, f"killed at point {point}"
            if point in before_commits:
                stored = [event for event in events if isinstance(event, CommandEvent)]
                assert len(stored) == before_commits.index(point)
            assert run_process(lambda: run_in_transactions(deployment)) == 0  # called at once

            assert read_result(deployment) == expected, f"killed at point {point}"
