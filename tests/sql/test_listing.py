"""Returns are found by index, however many there are; and one that can not be read is told by its order."""

from itertools import product

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import ReturnQuery, ReturnStatus, Unavailable
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import order_of, request
from tests.sql.watching import watch


def filled(store: SqlReturns) -> None:
    """With a return of each of three orders."""
    for number in range(3):
        order = evolve(order_of(), id=f"order_{number}")
        life = CoreHarness(order, ids=counting(f"{number}_"))
        store.commit(life.handle(evolve(request(1), order_id=order.id)))


def test_no_page_is_sorted_or_searched_for(store: SqlReturns) -> None:
    """Every query reads an index in its order, and no table from end to end."""
    filled(store)
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


def test_a_return_that_can_not_be_read_is_told_by_its_order(store: SqlReturns) -> None:
    """Pages without it are shown all the same."""
    filled(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE rma_returns SET document = '{' WHERE return_id = 'ret_1_1'"))

    with pytest.raises(Unavailable) as error:
        store.find(ReturnQuery())

    assert error.value.code == "unreadable_document"
    assert error.value.details["order_id"] == "order_1"
    assert [each.id for each in store.find(ReturnQuery(after="ret_1_1"))] == ["ret_2_1"]


def test_texts_that_no_database_holds_find_nothing(store: SqlReturns) -> None:
    """Half of a surrogate pair."""
    filled(store)

    assert store.find(ReturnQuery(order_id="\ud800")) == ()
