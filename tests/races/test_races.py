"""
Commands at the same time, in every order of their calls, end as if one had run after the other.

In memory all orders of calls are tried, those that differ only in calls that commute once; in a database
some, drawn. With `RMA_TEST_PROFILE=long` all of them on SQLite too, some on PostgreSQL, and gateways that
can be searched.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from random import Random

import pytest
from attrs import evolve

from rma import Change, Gateway, NotIdempotent, Searchable, StaleLedger
from rma.adapters.memory import InMemoryReturns
from tests.databases import LONG, Databases
from tests.races.arena import Arena, Deaths
from tests.races.scenarios import CROWDS, SCENARIOS, Scenario
from tests.races.schedules import Choose, commute, drawn, schedules
from tests.testing.designs import leases_nothing
from tests.testing.stores import Database, Memory

GATEWAYS = {"keyed": None, "unkeyed": NotIdempotent()} | ({"looked up": Searchable()} if LONG else {})
KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

gateways = pytest.mark.parametrize("gateway", GATEWAYS.values(), ids=GATEWAYS)
scenarios = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
crowds = pytest.mark.parametrize("scenario", CROWDS.values(), ids=CROWDS)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database."""
    return str(request.param)


@pytest.fixture(scope="module")
def database(kind: str, databases: Databases) -> Iterator[Database]:
    """Tables to race for."""
    with databases.new(kind) as url, closing(Database(url)) as opened:
        yield opened


def all_races() -> Iterator[tuple[Choose, Deaths]]:
    """One for each order of calls."""
    return ((schedule.choose, {}) for schedule in schedules())


def some_races(count: int) -> Iterator[tuple[Choose, Deaths]]:
    """So many, drawn."""
    return ((choose, {}) for choose in drawn(count))


def some_deadly_races(count: int) -> Iterator[tuple[Choose, Deaths]]:
    """So many, drawn, in which one or both die before or after one of their first calls."""
    for number, choose in enumerate(drawn(count)):
        dice = Random(number)
        deaths = {racer: dice.randint(1, 24) for racer in dice.choice([(0,), (1,), (0, 1)])}
        yield choose, deaths


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
    """Each with a connection of its own."""
    races = all_races() if LONG and kind == "sqlite" else some_races(100 if LONG else 12)

    assert list(Arena(scenario, gateway, database.emptied).surprises(races)) == []


def test_two_timers_that_do_not_find_a_refund_make_it_once() -> None:
    """The process that finds none records that in the ledger before it sends the refund again."""
    arena = Arena(SCENARIOS["two timers after a refund without an answer"], Searchable())

    assert list(arena.surprises(all_races())) == []


@gateways
@crowds
def test_three_at_once_end_as_one_after_the_other(scenario: Scenario, gateway: Gateway | None) -> None:
    """In one of six orders."""
    assert list(Arena(scenario, gateway).surprises(some_races(1000 if LONG else 50))) == []


@scenarios
def test_events_are_published_once_and_in_order_in_every_race(scenario: Scenario) -> None:
    """Each racer publishes what it finds unpublished; a repeat under the same id is none."""
    arena = Arena(scenario, publishes=True)

    assert list(arena.surprises(some_races(500 if LONG else 20))) == []


@scenarios
def test_a_race_with_crashes_ends_as_one_after_the_other(scenario: Scenario) -> None:
    """When the commands of the dead have been repeated, and a timer has run."""
    arena = Arena(scenario, publishes=True, has_deaths=True)

    assert list(arena.surprises(some_deadly_races(1000 if LONG else 30))) == []


@scenarios
def test_no_refund_is_made_twice_in_a_race_with_crashes(scenario: Scenario) -> None:
    """Where the gateway knows no keys either; a person must look then."""
    arena = Arena(scenario, NotIdempotent(), has_deaths=True)

    for choose, deaths in some_deadly_races(500 if LONG else 20):
        made, *_ = arena.raced(choose, deaths).end.moved
        assert isinstance(made, Counter)
        assert max(made.values(), default=0) <= 1


# -- the harness itself --------------------------------------------------------------------------------


class LastWins(InMemoryReturns):
    """Forgets to compare revisions: the last commit overwrites the other."""

    def commit(self, change: Change) -> None:
        """Whatever it was made from."""
        stored = self.load(change.order_id).revision
        super().commit(evolve(change, expected_revision=stored))


class Careless(Memory):
    """A store that overwrites."""

    def __init__(self) -> None:
        self.returns = LastWins()


def test_a_store_that_overwrites_is_caught() -> None:
    """The last unit is given to both."""
    arena = Arena(SCENARIOS["two requests for the last unit"], make=Careless)

    assert any(arena.surprises(all_races()))


def test_a_design_without_leases_is_caught() -> None:
    """Where the gateway ignores keys, the second process pays again."""
    arena = Arena(SCENARIOS["the same receipt twice"], NotIdempotent(), design=leases_nothing)

    assert any(arena.surprises(all_races()))


def test_a_conflict_that_reaches_the_caller_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would be if a command that lost were not decided again."""
    monkeypatch.setattr("rma.shell.commit.ATTEMPTS", 1)
    surprises = Arena(SCENARIOS["two receipts of the same goods"]).surprises(all_races())

    assert any(isinstance(answer, StaleLedger) for result in surprises for answer in result.answers)


def test_trying_calls_that_commute_in_one_order_misses_nothing() -> None:
    """Where a race ends in several ways, those few schedules find them all."""
    arena = Arena(SCENARIOS["the same receipt twice"], NotIdempotent(), design=leases_nothing)
    every, few = (
        Counter(str(arena.raced(schedule.choose)) for schedule in schedules(what_commutes))
        for what_commutes in (lambda one, other: False, commute)
    )

    assert every.keys() == few.keys()
    assert len(every) > 1
    assert every.total() > few.total()
