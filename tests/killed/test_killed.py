"""Tests that kill a process, by `os._exit`, before and after every call and commit; another one continues."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from attrs import Attribute, asdict, frozen

from rma import (
    Gateway,
    Idempotent,
    NotIdempotent,
    OrderState,
    Rejected,
    ReturnLedger,
)
from rma.adapters.sql import SqlReturns
from rma.domain.events import CommandEvent
from rma.domain.react import react
from rma.testing.faults import Call, Faults
from tests.databases import LONG, Databases
from tests.killed.deployment import KILLED, Clock, Deployment, Killing, run_process
from tests.killed.gateways import GatewayModel
from tests.killed.holds import check_holds
from tests.killed.scripts import SCRIPTS, Script

#: Kinds of database.
KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

IDEMPOTENT = Idempotent()

#: Makes a deployment in which nothing has happened.
NewDeployment = Callable[..., AbstractContextManager[Deployment]]


def run_commands(
    deployment: Deployment, script: Script, faults: Faults | None = None, *, may_be_refused: bool = False
) -> None:
    """
    Sends every command, like a client that received no answer before, and archives the history.

    If `may_be_refused`, commands are refused where an outcome before them is unknown.
    """
    clock = Clock()
    refusal: tuple[type[Rejected], ...] = (Rejected,) if may_be_refused else ()
    with deployment.process(faults, clock=clock) as service:
        for day, command in script.steps:
            clock.move_to(day)
            with suppress(*refusal):
                service.handle(command)
        with suppress(*refusal):
            service.archive("order_1")


def run_in_transactions(deployment: Deployment, script: Script, faults: Faults | None = None) -> None:
    """Sends every command in a transaction of the client, which it then commits, and resumes."""
    faults, clock = faults or Faults(), Clock()
    with (
        deployment.process(faults, clock=clock) as service,
        closing(SqlReturns(deployment.url)) as store,
    ):
        service.resume()  # makes the tables
        for day, command in script.steps:
            clock.move_to(day)
            with store.engine.begin() as connection:
                done = service.in_transaction(connection).handle(command)
                faults.call("host.commit", "", lambda: None)
            service.resume(done.id)


def resume(deployment: Deployment, script: Script) -> None:
    """Resumes, as a timer does an hour after the last command that was stored; no effect is open then."""
    clock = Clock()
    with deployment.process(clock=clock) as service:
        answered = service.returns.load("order_1").answered
        clock.move_to(
            max([day for day, command in script.steps if command.idempotency_key in answered], default=0)
        )
        clock.now += timedelta(hours=1)
        service.resume()
        assert not service.returns.load("order_1").open_effects


def _lasts(attribute: "Attribute[Any]", _: object) -> bool:
    return attribute.name not in {"at", "requested_at", "settled_at", "updated_at"}


def _at_no_time(them: Iterable[Any]) -> tuple[object, ...]:
    """
    Returns, exchanges or claims without the times at which effects ended: a timer may have come by later.
    """
    return tuple([asdict(each, filter=_lasts) for each in them])


@frozen
class Result:
    """Everything that a customer, a clerk or a gateway can see; attempts and when they ended may differ."""

    returns: tuple[object, ...]
    exchanges: tuple[object, ...]
    claims: tuple[object, ...]
    state: OrderState
    open_effects: tuple[str, ...]
    done: dict[str, str]


@frozen
class Undisturbed:
    """What happens without a kill: the result, the events that an archive leaves, and all calls."""

    result: Result
    history: list[type]
    calls: list[Call]


def read_result(deployment: Deployment) -> Result:
    """Reads the result in a new process."""
    with deployment.process() as service:
        ledger = service.returns.load("order_1")
        state = service.order_state("order_1")
    return Result(
        returns=_at_no_time(ledger.returns),
        exchanges=_at_no_time(ledger.exchanges),
        claims=_at_no_time(ledger.claims),
        state=state,
        open_effects=tuple(ledger.open_effects),
        done=GatewayModel(deployment.gateway_model).done(),
    )


def read_history(deployment: Deployment) -> list[type]:
    """Reads the kinds of events in a new process."""
    with deployment.process() as service:
        return [type(event) for event in service.history("order_1")]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of database."""
    return str(request.param)


@pytest.fixture(scope="module", params=SCRIPTS.values(), ids=list(SCRIPTS))
def script(request: pytest.FixtureRequest) -> Script:
    """What is done in the deployment."""
    found: Script = request.param
    return found


@pytest.fixture(scope="module")
def new_deployment(
    script: Script, kind: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> NewDeployment:
    """Makes a new deployment for the script, with a gateway of this class."""

    @contextmanager
    def new(gateway: Gateway = IDEMPOTENT) -> Iterator[Deployment]:
        with databases.new(kind) as url:
            file = tmp_path_factory.mktemp("gateway") / "gateway.db"
            yield Deployment(url, file, script.order, gateway, script.policy)

    return new


@pytest.fixture(scope="module")
def undisturbed(script: Script, new_deployment: NewDeployment) -> Undisturbed:
    """What happens without a kill."""
    faults = Faults()
    with new_deployment() as deployment:
        run_commands(deployment, script, faults)
        return Undisturbed(read_result(deployment), read_history(deployment), faults.calls)


def choose_points(calls: Sequence[Call], methods: Collection[str], sample: int) -> list[int]:
    """
    Returns the points around the first two calls of each method, and a sample of all others.

    All points in the longer checks. A moment between two calls is two points, an even and an odd one.
    """
    points = range(1, 2 * len(calls) + 1)
    seen: Counter[str] = Counter()
    chosen = set(points if LONG else points[::sample])
    for call in calls:
        seen[call.method] += 1
        if call.method in methods and seen[call.method] <= 2:
            chosen |= set(range(2 * call.number - 2, 2 * call.number + 2)) & set(points)
    return sorted(chosen)


def test_the_commands_have_every_kind_of_effect(script: Script, undisturbed: Undisturbed) -> None:
    """Ports do what each script says, nothing is left to do, and there are dozens of points."""
    assert undisturbed.result.done == script.done
    assert undisturbed.result.open_effects == ()
    assert script.methods <= {call.method for call in undisturbed.calls}
    assert len(undisturbed.calls) > 15


@pytest.mark.parametrize("resumed_first", [False, True])
def test_wherever_a_process_is_killed_everything_happens_once(
    script: Script, new_deployment: NewDeployment, undisturbed: Undisturbed, *, resumed_first: bool
) -> None:
    """
    The repeated commands, with or without a `resume` before them, end with the result without a kill, and
    the history is archived.

    The point after a call equals the point before the next one, so the test command resumes first at even
    points only.
    """
    for point in choose_points(undisturbed.calls, script.methods, script.sample):
        if point % 2 == resumed_first and not LONG:
            continue
        with new_deployment() as deployment:
            assert run_process(lambda: run_commands(deployment, script, Killing(point))) == KILLED  # noqa: B023 # called at once
            if resumed_first:
                assert run_process(lambda: resume(deployment, script)) == 0  # called at once
            assert run_process(lambda: run_commands(deployment, script)) == 0  # called at once

            assert read_result(deployment) == undisturbed.result, f"killed at point {point}"
            assert read_history(deployment) == undisturbed.history, f"killed at point {point}"


def test_wherever_a_process_is_killed_nothing_moves_before_the_commit_of_the_host(
    script: Script, new_deployment: NewDeployment, undisturbed: Undisturbed
) -> None:
    """
    Ports were asked only for what the ledger has, and the repeated commands end as without a kill.

    A process that dies between a decision and the host's commit leaves the commands before it.
    """
    faults = Faults()
    with new_deployment() as deployment:
        run_in_transactions(deployment, script, faults)
        assert read_result(deployment) == undisturbed.result
    before_commits = [2 * each.number - 1 for each in faults.calls if each.method == "host.commit"]
    assert len(before_commits) == len(script.steps)

    for point in {*choose_points(faults.calls, (), 4 * script.sample), *before_commits}:
        with new_deployment() as deployment:
            assert run_process(lambda: run_in_transactions(deployment, script, Killing(point))) == KILLED  # noqa: B023 # called at once
            with deployment.process() as service:
                events = service.history("order_1")
            asked_for = {effect.key for event in events for effect in react(event)}
            assert set(GatewayModel(deployment.gateway_model).done()) <= asked_for, f"killed at point {point}"
            if point in before_commits:
                stored = [event for event in events if isinstance(event, CommandEvent)]
                answered = [event for event in stored if event.header.command is not None]
                assert len(answered) == before_commits.index(point)
            assert run_process(lambda: run_in_transactions(deployment, script)) == 0  # called at once

            assert read_result(deployment) == undisturbed.result, f"killed at point {point}"


#: Methods that move money, and what they move.
MONEY = {
    "payments.refund": "payment",
    "credits.give": "store_credit",
    "payouts.pay": "payout",
    "holds.charge": "charge",
}


def unknown_outcomes(ledger: ReturnLedger) -> set[str]:
    """Returns what was given or charged with an unknown outcome, and asserts that all others are known."""
    outcomes = [(str(refund.means), str(refund.status)) for refund in ledger.refunds]
    outcomes += [("charge", str(each.status)) for of in ledger.exchanges for each in of.hold_charges]
    assert {status for _, status in outcomes} <= {"succeeded", "failed", "needs_attention"}
    return {means for means, status in outcomes if status == "needs_attention"}


@pytest.mark.parametrize("resumed_first", [False, True])
def test_wherever_a_process_is_killed_no_money_moves_twice_at_a_gateway_that_knows_no_keys(
    script: Script, new_deployment: NewDeployment, undisturbed: Undisturbed, *, resumed_first: bool
) -> None:
    """
    What the process that died may have asked for is left to a person, who has to look before all is done.

    A hold is charged or released, never both, and not charged for goods that were back in time.
    """
    faults = Faults()
    with new_deployment(NotIdempotent()) as deployment:
        run_commands(deployment, script, faults)
        assert read_result(deployment) == undisturbed.result
    unknown = set[str]()

    methods = script.methods & MONEY.keys()

    for point in choose_points(faults.calls, methods, 40):
        if point % 2 == resumed_first and not LONG:
            continue
        with new_deployment(NotIdempotent()) as deployment:
            assert run_process(lambda: run_commands(deployment, script, Killing(point))) == KILLED  # noqa: B023 # called at once
            if resumed_first:
                assert run_process(lambda: resume(deployment, script)) == 0  # called at once
            assert (
                run_process(lambda: run_commands(deployment, script, may_be_refused=True)) == 0
            )  # called at once
            assert run_process(lambda: resume(deployment, script)) == 0  # called at once

            times = GatewayModel(deployment.gateway_model).times()
            moved = {
                key: count for key, count in times.items() if key.rsplit("-", 2)[1] in ("refund", "charge")
            }
            assert set(moved.values()) <= {1}, f"killed at point {point}"
            assert moved.keys() <= undisturbed.result.done.keys(), f"killed at point {point}"
            with deployment.process() as service:
                ledger = service.returns.load("order_1")
            check_holds(ledger, times)
            unknown |= unknown_outcomes(ledger)

    assert unknown >= {MONEY[method] for method in methods}
