"""Lists of returns are read by index, and an unreadable return is reported with its order."""

from itertools import product

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import ReturnQuery, ReturnStatus, Unavailable
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import order_of, request
from tests.sql.watching import watch


def fill(store: SqlReturns) -> None:
    """Stores a return of each of three orders."""
    for number in range(3):
        order = evolve(order_of(), id=f"order_{number}")
        life = CoreHarness(order, ids=counting(f"{number}_"))
        store.commit(life.handle(evolve(request(1), order_id=order.id)))


def test_every_page_is_read_by_an_index(store: SqlReturns) -> None:
    """The plan of every query uses an index."""
    fill(store)
    statuses, timestamps = (None, ReturnStatus.REQUESTED), (None, START)
    for status, attention, since, after, newest_first in product(
        statuses, (False, True), timestamps, (None, "ret_1_1"), (False, True)
    ):
        asked = watch(store.engine)
        query = ReturnQuery(
            status=status,
            needs_attention=attention,
            requested_since=since,
            after=after,
            limit=5,
            newest_first=newest_first,
        )
        store.find(query)
        assert asked.slow_steps(store.engine) == [], query


def test_an_unreadable_return_is_reported_with_its_order(store: SqlReturns) -> None:
    """A page with an unreadable return raises `unreadable_document`, and a page without it is returned."""
    fill(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE rma_returns SET document = '{' WHERE return_id = 'ret_1_1'"))

    with pytest.raises(Unavailable) as error:
        store.find(ReturnQuery())

    assert error.value.code == "unreadable_document"
    assert error.value.details["order_id"] == "order_1"
    assert [each.id for each in store.find(ReturnQuery(after="ret_1_1"))] == ["ret_2_1"]


def test_an_order_id_that_no_database_can_hold_finds_nothing(store: SqlReturns) -> None:
    """A query for an order id with half a surrogate pair is empty."""
    fill(store)

    assert store.find(ReturnQuery(order_id="\ud800")) == ()
