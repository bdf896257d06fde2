"""Runs races, and compares their results."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import permutations
from typing import NamedTuple

from attrs import evolve, frozen

from rma import Claim, Exchange, Gateway, RecordRefundOutcome, Rejected, Return
from rma.adapters.memory import InMemoryEvents
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Away, Crashed, Faults
from tests.races.scenarios import Scenario
from tests.races.schedules import Choose, Run, race
from tests.testing.crashes import Design, End, as_shipped, resume_until_quiet
from tests.testing.environment import Action, Archive, Environment, Redact, Resume
from tests.testing.stores import Memory, Store

#: The points at which racers crash, by the number of the racer.
Crashes = Mapping[int, int]


class Result(NamedTuple):
    """
    The result of a race.

    Attributes:
        answers: the id that each racer was answered with, or why its command was refused; None for a
            timer and for an archive. Nothing where racers can die.
        end: everything that counts afterwards.
    """

    answers: tuple[object, ...]
    end: End


@frozen
class Arena:
    """
    A scenario, the same at each start.

    Args:
        make: a store with nothing in it.
        publishes: whether there is a publisher.
        has_crashes: whether racers can crash. If so, their commands are repeated after the race, and
            a timer runs, before the end is compared.
    """

    scenario: Scenario
    gateway: Gateway | None = None
    make: Callable[[], Store] = Memory
    design: Design = as_shipped
    publishes: bool = False
    has_crashes: bool = False

    def surprises(self, races: Iterable[tuple[Choose, Crashes]]) -> Iterator[Result]:
        """Yields results that differ from those of all orders in which racers run one after the other."""
        orders = permutations(range(len(self.scenario.racers)))
        serial = [self.run(in_order(order), is_serial=True) for order in orders]
        results = (self.run(choose, crashes) for choose, crashes in races)
        return (result for result in results if result not in serial)

    def run(self, choose: Choose, crashes: Crashes | None = None, *, is_serial: bool = False) -> Result:
        """Runs one race; if it is serial, a notification of the gateway may arrive before its request."""
        environment, racers = (
            Environment(self.make(), self.gateway, self.scenario.order),
            self.scenario.racers,
        )
        away = Faults(when=lambda call: Away() if call.method in self.scenario.was_away else None)
        for step in self.scenario.before:
            environment.do(
                inject_faults(evolve(environment.service(), events=self._publisher(environment)), away), step
            )
        environment.now += self.scenario.later
        outcomes = race(
            [self._racer(environment, number) for number in range(len(racers))],
            choose,
            is_ready=lambda number: is_serial or _can_arrive(environment, racers[number]),
            crash_at=crashes,
        )
        if self.has_crashes:
            self._recover(environment, outcomes)
            return Result((), End.of(environment))
        return Result(tuple([_answer(outcome) for outcome in outcomes]), End.of(environment))

    def _racer(self, environment: Environment, number: int) -> Run:
        """Returns the run of one racer: a process of its own, with the same clock as the others."""
        now, step = environment.now, self.scenario.racers[number]

        def run(faults: Faults) -> object:
            service = evolve(
                environment.service(),
                events=self._publisher(environment),
                clock=lambda: now,
                ids=lambda: f"of_racer_{number}",
            )
            process = self.design(inject_faults(service, faults), environment)
            if isinstance(step, Archive):
                with suppress(Rejected):  # whether it is refused depends on what was published by then
                    process.archive("order_1")
                return None
            if isinstance(step, Redact):
                process.redact("order_1", ["notes", "images", "metadata", "actors"])
                return None
            return process.resume() if isinstance(step, Resume) else process.handle(step)

        return run

    def _recover(self, environment: Environment, outcomes: list[object]) -> None:
        for number, outcome in enumerate(outcomes):
            if isinstance(outcome, Crashed) and _can_arrive(environment, self.scenario.racers[number]):
                with suppress(Rejected):
                    self._racer(environment, number)(Faults())
        resume_until_quiet(environment, Faults(), self.design)

    def _publisher(self, environment: Environment) -> InMemoryEvents | None:
        return environment.events if self.publishes else None


def _can_arrive(environment: Environment, step: Action) -> bool:
    """A gateway sends no notification about a refund before it received its request."""
    return not isinstance(step, RecordRefundOutcome) or step.key in environment.refunds_made


def in_order(order: tuple[int, ...]) -> Choose:
    """Runs racers one after the other."""
    return lambda waiting: next(number for number in order if number in waiting)


def _answer(outcome: object) -> object:
    match outcome:
        case Return(id=its_id) | Exchange(id=its_id) | Claim(id=its_id):
            return its_id
        case Rejected(violations=violations):
            return type(outcome), violations
        case BaseException():
            return outcome
        case _:
            return None
