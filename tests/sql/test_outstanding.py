"""What waits is named in the order of its waiting, as long as it waits; in memory and in a database."""

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from rma import ReturnRepository
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import order_of, request
from tests.world import RETURN_OPTION

HOUR = timedelta(hours=1)


@pytest.fixture(params=["database", "memory"])
def store(request: pytest.FixtureRequest, file: Path) -> ReturnRepository:
    """Each of them."""
    return InMemoryReturns() if request.param == "memory" else SqlReturns(f"sqlite:///{file}")


def life(number: int, hour: int) -> CoreHarness:
    """An order whose life begins at this hour."""
    order = evolve(order_of(), id=f"order_{number}")
    return CoreHarness(order, options=[RETURN_OPTION], ids=counting(f"{number}_"), at=START + hour * HOUR)


def opened(harness: CoreHarness, *, label: bool) -> CoreHarness:
    """With a return; with a label to book, something is outstanding."""
    command = request(1, shipping_option_id="so_return" if label else None)
    harness.handle(evolve(command, order_id=harness.order.id))
    return harness


def stored(store: ReturnRepository, *lives: CoreHarness) -> None:
    """Everything they committed so far."""
    for each in lives:
        for change in each.changes:
            store.commit(change)


def test_since_when_is_what_counts_not_who_came_first(store: ReturnRepository) -> None:
    """Orders are named by when their oldest open effect was opened; of the same moment, by id."""
    lives = [opened(life(number, hour), label=True) for number, hour in ((1, 5), (2, 3), (4, 4), (3, 4))]
    stored(store, *lives)

    found = store.outstanding(START, 9)

    assert found == ("order_2", "order_3", "order_4", "order_1")
    assert [store.outstanding(START, limit) for limit in (1, 2)] == [found[:1], found[:2]]


def test_unpublished_orders_come_after_those_that_wait_and_are_named_once(store: ReturnRepository) -> None:
    """In the order in which they fell behind; the limit holds for both together."""
    lives = [
        opened(life(number, hour), label=label)
        for number, hour, label in ((1, 1, False), (2, 4, True), (3, 3, True), (4, 0, False))
    ]
    stored(store, *lives)

    found = store.outstanding(START, 9, unpublished=True)

    assert found == ("order_3", "order_2", "order_4", "order_1")
    for limit in range(1, 5):
        assert store.outstanding(START, limit, unpublished=True) == found[:limit]


def test_an_order_is_behind_since_its_first_unpublished_event(store: ReturnRepository) -> None:
    """Further commits do not put it off; publishing everything takes it away."""
    early, late = opened(life(1, 0), label=False), opened(life(2, 1), label=False)
    stored(store, early, late)
    early.now = START + 2 * HOUR
    store.commit(early.handle(evolve(request(1), order_id="order_1")))
    assert store.outstanding(START, 9, unpublished=True) == ("order_1", "order_2")

    store.commit(early.publish())
    assert store.outstanding(START, 9, unpublished=True) == ("order_2",)


def test_a_lease_hides_an_order_until_it_is_over(store: ReturnRepository) -> None:
    """To the microsecond, in any time zone; unpublished events are named all the same."""
    leased = opened(life(1, 0), label=True)
    until = START + 5 * HOUR + timedelta(microseconds=1)
    leased.lease(["ret_1_1/shipment/1"], until)
    stored(store, leased)

    assert store.outstanding(until - timedelta(microseconds=1), 9) == ()
    assert store.outstanding(until - timedelta(microseconds=1), 9, unpublished=True) == ("order_1",)
    assert store.outstanding(until, 9) == ("order_1",)
