"""Walks through many lives of orders, on every store: 300 actions, and 100,000 in the longer searches."""

from contextlib import closing

import pytest
from attrs import evolve

from rma import Gateway, Idempotent, NotIdempotent, ReturnRepository, Searchable
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import counting
from rma.testing.simulation import simulate
from rma.testing.world import World
from tests.databases import LONG, Databases
from tests.testing.test_world import HOUR, ORDER, OTHER

#: How many lives, each of so many actions.
LIVES, ACTIONS = (2000 if LONG else 6), 50
GATEWAYS: list[Gateway] = [Idempotent(), Idempotent(2 * HOUR), Searchable(HOUR), NotIdempotent(HOUR)]


def walk(returns: ReturnRepository) -> None:
    """Lives of two orders each, by gateways of every class; all laws hold after each action, and at rest."""
    for seed in range(LIVES):
        orders = [evolve(each, id=f"{each.id}_{seed}") for each in (ORDER, OTHER)]
        world = World(
            orders, seed, returns=returns, gateway=GATEWAYS[seed % len(GATEWAYS)], ids=counting(f"{seed}_")
        )
        simulate(world, ACTIONS)
        world.quiesce()


def test_a_walk_in_memory_keeps_every_law() -> None:
    """Units, money and once-ness, whatever fails."""
    walk(InMemoryReturns())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_walk_in_a_database_keeps_every_law(databases: Databases, kind: str) -> None:
    """The same over a file, and over a server."""
    with databases.new(kind) as url, closing(SqlReturns(url)) as store:
        walk(store)
