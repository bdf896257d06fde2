"""
Tests that concurrent commands end as if they had run one after the other.

In memory every order of their calls is tried; orders that differ only in calls that commute are tried once.
In a database, a sample is drawn. `RMA_TEST_PROFILE=long` tries every order on SQLite, a sample on
PostgreSQL, and searchable gateways.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import permutations
from random import Random

import pytest
from attrs import evolve

from rma import Change, Gateway, NotIdempotent, Searchable, StaleLedger
from rma.adapters.memory import InMemoryReturns
from tests.databases import LONG, Databases
from tests.races.arena import Arena, Crashes, in_order
from tests.races.scenarios import CROWDS, SCENARIOS, Scenario
from tests.races.schedules import Choose, commute, draw_schedules, schedules
from tests.testing.designs import leases_nothing
from tests.testing.stores import Database, Memory

GATEWAYS = {"idempotent": None, "not idempotent": NotIdempotent()} | (
    {"searchable": Searchable()} if LONG else {}
)
KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

gateways = pytest.mark.parametrize("gateway", GATEWAYS.values(), ids=GATEWAYS)
scenarios = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
crowds = pytest.mark.parametrize("scenario", CROWDS.values(), ids=CROWDS)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of database."""
    return str(request.param)


@pytest.fixture(scope="module")
def database(kind: str, databases: Databases) -> Iterator[Database]:
    """A database with empty tables."""
    with databases.new(kind) as url, closing(Database(url)) as opened:
        yield opened


def all_races() -> Iterator[tuple[Choose, Crashes]]:
    """Yields a race for each order of calls."""
    return ((schedule.choose, {}) for schedule in schedules())


def some_races(count: int) -> Iterator[tuple[Choose, Crashes]]:
    """Draws `count` races."""
    return ((choose, {}) for choose in draw_schedules(count))


def some_races_with_crashes(count: int) -> Iterator[tuple[Choose, Crashes]]:
    """Draws `count` races in which one or both crash before or after one of their first calls."""
    for number, choose in enumerate(draw_schedules(count)):
        dice = Random(number)
        crashes = {racer: dice.randint(1, 24) for racer in dice.choice([(0,), (1,), (0, 1)])}
        yield choose, crashes


@scenarios
def test_each_racer_is_accepted_in_some_order(scenario: Scenario) -> None:
    """One that is refused whatever the others do competes for nothing."""
    orders = permutations(range(len(scenario.racers)))
    answers = [Arena(scenario).run(in_order(order), is_serial=True).answers for order in orders]

    for each in zip(*answers, strict=True):
        assert any(answer is None or isinstance(answer, str) for answer in each), each


@gateways
@scenarios
def test_two_at_once_end_as_one_after_the_other(scenario: Scenario, gateway: Gateway | None) -> None:
    """Answers, refusals, money, goods and labels; no conflict is reported, nothing is left open."""
    races = some_races(150) if scenario.is_long and not LONG else all_races()

    assert list(Arena(scenario, gateway).surprises(races)) == []


@gateways
@scenarios
def test_two_at_once_in_a_database_end_as_one_after_the_other(
    kind: str, database: Database, scenario: Scenario, gateway: Gateway | None
) -> None:
    """Each process has its own connection."""
    races = all_races() if LONG and kind == "sqlite" else some_races(100 if LONG else 12)

    assert list(Arena(scenario, gateway, database.emptied).surprises(races)) == []


def test_two_timers_that_do_not_find_a_refund_make_it_once() -> None:
    """The process that finds none records that in the ledger before it sends the refund again."""
    arena = Arena(SCENARIOS["two timers after a refund without an answer"], Searchable())

    assert list(arena.surprises(all_races() if LONG else some_races(150))) == []


@gateways
@crowds
def test_three_at_once_end_as_one_after_the_other(scenario: Scenario, gateway: Gateway | None) -> None:
    """The result is that of one of the six serial orders."""
    assert list(Arena(scenario, gateway).surprises(some_races(1000 if LONG else 50))) == []


@scenarios
def test_events_are_published_once_and_in_order_in_every_race(scenario: Scenario) -> None:
    """Each racer publishes unpublished events; a repeat with the same id does not count."""
    arena = Arena(scenario, publishes=True)

    assert list(arena.surprises(some_races(500 if LONG else 20))) == []


@scenarios
def test_a_race_with_crashes_ends_as_one_after_the_other(scenario: Scenario) -> None:
    """The result is serial after the commands of crashed racers are repeated and a timer has run."""
    arena = Arena(scenario, publishes=True, has_crashes=True)

    assert list(arena.surprises(some_races_with_crashes(1000 if LONG else 30))) == []


@scenarios
def test_no_refund_is_made_twice_in_a_race_with_crashes(scenario: Scenario) -> None:
    """A refund happens at most once, even if the gateway ignores keys."""
    arena = Arena(scenario, NotIdempotent(), has_crashes=True)

    for choose, crashes in some_races_with_crashes(500 if LONG else 20):
        made, *_ = arena.run(choose, crashes).end.moved
        assert isinstance(made, Counter)
        assert max(made.values(), default=0) <= 1


# -- the harness itself --------------------------------------------------------------------------------


class LastWins(InMemoryReturns):
    """Forgets to compare revisions: the last commit overwrites the other."""

    def commit(self, change: Change) -> None:
        """Commits the change at any revision."""
        stored = self.load(change.order_id).revision
        super().commit(evolve(change, expected_revision=stored))


class Careless(Memory):
    """A store that overwrites."""

    def __init__(self) -> None:
        self.returns = LastWins()


def test_a_store_that_overwrites_is_caught() -> None:
    """Both racers get the last unit, which differs from every serial result."""
    arena = Arena(SCENARIOS["two requests for the last unit"], make=Careless)

    assert any(arena.surprises(all_races()))


def test_a_design_without_leases_is_caught() -> None:
    """Where the gateway ignores keys, the second process pays again."""
    arena = Arena(SCENARIOS["the same receipt twice"], NotIdempotent(), design=leases_nothing)

    assert any(arena.surprises(all_races()))


def test_a_conflict_that_reaches_the_caller_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a retry, a racer returns `StaleLedger`, which differs from every serial result."""
    monkeypatch.setattr("rma.shell.commit.ATTEMPTS", 1)
    surprises = Arena(SCENARIOS["two receipts of the same goods"]).surprises(all_races())

    assert any(isinstance(answer, StaleLedger) for result in surprises for answer in result.answers)


def test_trying_calls_that_commute_in_one_order_misses_nothing() -> None:
    """For a race with several results, the reduced schedules find all of them."""
    arena = Arena(SCENARIOS["the same receipt twice"], NotIdempotent(), design=leases_nothing)
    every, few = (
        Counter(str(arena.run(schedule.choose)) for schedule in schedules(what_commutes))
        for what_commutes in (lambda one, other: False, commute)
    )

    assert every.keys() == few.keys()
    assert len(every) > 1
    assert every.total() > few.total()
