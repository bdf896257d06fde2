"""Runs races, and compares what counts when they are over."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
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
from tests.testing.environment import Action, Environment, Resume
from tests.testing.stores import Memory, Store

#: At which points racers die, by their numbers.
Deaths = Mapping[int, int]


class Result(NamedTuple):
    """
    The result of a race.

    Attributes:
        answers: the id that each racer was answered with, or why its command was refused; None for a
            timer. Nothing where racers can die.
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
        has_deaths: whether racers can die. If so, the commands of the dead are repeated after the race, and
            a timer runs, before the end is compared.
    """

    scenario: Scenario
    gateway: Gateway | None = None
    make: Callable[[], Store] = Memory
    design: Design = as_shipped
    publishes: bool = False
    has_deaths: bool = False

    def surprises(self, races: Iterable[tuple[Choose, Deaths]]) -> Iterator[Result]:
        """Results of races that differ from those of every order in which racers run one after the other."""
        orders = permutations(range(len(self.scenario.racers)))
        in_peace = [self.raced(_in_this(order), in_peace=True) for order in orders]
        results = (self.raced(choose, deaths) for choose, deaths in races)
        return (result for result in results if result not in in_peace)

    def raced(self, choose: Choose, deaths: Deaths | None = None, *, in_peace: bool = False) -> Result:
        """Its result; in peace, the gateway's notification may arrive before its request."""
        environment, racers = (
            Environment(self.make(), self.gateway, self.scenario.order),
            self.scenario.racers,
        )
        away = Faults(when=lambda call: Away() if call.method in self.scenario.was_away else None)
        for step in self.scenario.before:
            environment.do(
                inject_faults(evolve(environment.service(), events=self._publisher(environment)), away), step
            )
        environment.now += timedelta(hours=1)
        outcomes = race(
            [self._run(environment, number) for number in range(len(racers))],
            choose,
            is_ready=lambda number: in_peace or _can_come(environment, racers[number]),
            crash_at=deaths,
        )
        if self.has_deaths:
            self._recover(environment, outcomes)
            return Result((), End.of(environment))
        return Result(tuple([_answer(outcome) for outcome in outcomes]), End.of(environment))

    def _run(self, environment: Environment, number: int) -> Run:
        """In a process of its own, at a moment that is the same for all."""
        now, step = environment.now, self.scenario.racers[number]

        def run(faults: Faults) -> object:
            service = evolve(
                environment.service(),
                events=self._publisher(environment),
                clock=lambda: now,
                ids=lambda: f"of_racer_{number}",
            )
            process = self.design(inject_faults(service, faults), environment)
            return process.resume() if isinstance(step, Resume) else process.handle(step)

        return run

    def _recover(self, environment: Environment, outcomes: list[object]) -> None:
        for number, outcome in enumerate(outcomes):
            if isinstance(outcome, Crashed) and _can_come(environment, self.scenario.racers[number]):
                with suppress(Rejected):
                    self._run(environment, number)(Faults())
        resume_until_quiet(environment, Faults(), self.design)

    def _publisher(self, environment: Environment) -> InMemoryEvents | None:
        return environment.events if self.publishes else None


def _can_come(environment: Environment, step: Action) -> bool:
    """A gateway sends no notification about a refund before it received its request."""
    return not isinstance(step, RecordRefundOutcome) or step.key in environment.refunds_made


def _in_this(order: tuple[int, ...]) -> Choose:
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
