"""Outstanding orders are named in the order of their waiting, in memory and in a database."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from rma import CancelReturn, ReturnRepository
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import line, order_of, receive, request
from tests.sql.watching import watch
from tests.world import RETURN_OPTION, World

HOUR = timedelta(hours=1)
LATER = START + 99 * HOUR


@pytest.fixture(params=["database", "memory"])
def store(request: pytest.FixtureRequest, file: Path) -> ReturnRepository:
    """Returns a store in memory or in a database."""
    return InMemoryReturns() if request.param == "memory" else SqlReturns(f"sqlite:///{file}")


def life(number: int, hour: int) -> CoreHarness:
    """Returns the core with an order whose history begins at this hour."""
    order = evolve(order_of(), id=f"order_{number}")
    return CoreHarness(order, options=[RETURN_OPTION], ids=counting(f"{number}_"), at=START + hour * HOUR)


def open_return(harness: CoreHarness, *, label: bool) -> CoreHarness:
    """Requests a return, with an open booking if it has a label."""
    command = request(1, shipping_option_id="so_return" if label else None)
    harness.handle(evolve(command, order_id=harness.order.id))
    return harness


def store_all(store: ReturnRepository, *lives: CoreHarness) -> None:
    """Commits every change of these orders."""
    for each in lives:
        for change in each.changes:
            store.commit(change)


def test_orders_are_named_by_when_they_are_due(store: ReturnRepository) -> None:
    """Orders are named by the time at which their first effect is due, and then by id."""
    lives = [open_return(life(number, hour), label=True) for number, hour in ((1, 5), (2, 3), (4, 4), (3, 4))]
    store_all(store, *lives)

    found = store.outstanding(LATER, 9)

    assert found == ("order_2", "order_3", "order_4", "order_1")
    assert [store.outstanding(LATER, limit) for limit in (1, 2)] == [found[:1], found[:2]]


def test_unpublished_orders_come_after_those_that_wait_and_are_named_once(store: ReturnRepository) -> None:
    """Orders with unpublished events follow those with open effects, each once, within the limit."""
    lives = [
        open_return(life(number, hour), label=label)
        for number, hour, label in ((1, 1, False), (2, 4, True), (3, 3, True), (4, 0, False))
    ]
    store_all(store, *lives)

    found = store.outstanding(LATER, 9, unpublished=True)

    assert found == ("order_3", "order_2", "order_4", "order_1")
    for limit in range(1, 5):
        assert store.outstanding(LATER, limit, unpublished=True) == found[:limit]


def test_an_order_is_behind_since_its_first_unpublished_event(store: ReturnRepository) -> None:
    """
    Later commits do not change the place of an order with unpublished events; publishing all removes it.
    """
    early, late = open_return(life(1, 0), label=False), open_return(life(2, 1), label=False)
    store_all(store, early, late)
    early.now = START + 2 * HOUR
    store.commit(early.handle(evolve(request(1), order_id="order_1")))
    assert store.outstanding(LATER, 9, unpublished=True) == ("order_1", "order_2")

    store.commit(early.publish())
    assert store.outstanding(LATER, 9, unpublished=True) == ("order_2",)


def test_a_lease_hides_an_order_until_it_is_over(store: ReturnRepository) -> None:
    """A leased order is not named before the microsecond its lease ends, except for unpublished events."""
    leased = open_return(life(1, 0), label=True)
    until = START + 5 * HOUR + timedelta(microseconds=1)
    leased.lease("ret_1_1-shipment-1", until)
    store_all(store, leased)

    assert store.outstanding(until - timedelta(microseconds=1), 9) == ()
    assert store.outstanding(until - timedelta(microseconds=1), 9, unpublished=True) == ("order_1",)
    assert store.outstanding(until, 9) == ("order_1",)


def test_an_order_is_not_noted_as_unpublished_without_a_publisher(store: ReturnRepository) -> None:
    """Only a service with a publisher notes an order; it publishes everything that is behind."""
    world = World(order_of(line(quantity=9)))
    service = evolve(world.service, returns=store)
    silent = evolve(service, events=None)
    silent.handle(request(1, shipping_option_id="so_return"))
    silent.handle(receive(1))
    assert store.outstanding(LATER, 9, unpublished=True) == ()
    assert store.load("order_1").published == 0

    opened = service.handle(request(1))

    assert [each.event_id for each in service.history("order_1")][:-1] == list(world.events.published)
    assert store.load("order_1").published == store.load("order_1").revision
    silent.handle(CancelReturn(return_id=opened.id))
    assert store.outstanding(LATER, 9, unpublished=True) == ()
    assert store.note_unpublished(LATER) == 1  # type: ignore[attr-defined] # of both stores
    assert service.resume().orders == ("order_1",)
    assert store.outstanding(LATER, 9, unpublished=True) == ()
    assert store.load("order_1").published == store.load("order_1").revision


def test_orders_are_noted_as_unpublished_in_batches(file: Path) -> None:
    """Each batch is one transaction; an order that is not behind, or noted before, is not written."""
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        for number in range(7):
            (change,) = open_return(life(number, number), label=False).changes
            store.commit(evolve(change, awaits_publication=number == 3))
        asked = watch(store.engine)

        assert store.note_unpublished(LATER, batch=2) == 6

        assert asked.verbs.count("UPDATE") == asked.verbs.count("COMMIT") == 3
        found = list(store.outstanding(LATER, 9, unpublished=True))
        assert found == ["order_3", *[f"order_{number}" for number in range(7) if number != 3]]
