"""Lists of returns are read by index, and an unreadable return is reported with its order."""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations, product

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import ReturnQuery, SubjectKind, Unavailable, UnreadableSubject
from rma.adapters.sql import SqlReturns
from rma.domain.views.query import STATUSES
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import order_of, request
from tests.sql.watching import Asked, is_slow, watch


def fill(store: SqlReturns) -> None:
    """Stores a return of each of three orders."""
    for number in range(3):
        order = evolve(order_of(), id=f"order_{number}")
        life = CoreHarness(order, ids=counting(f"{number}_"))
        store.commit(life.handle(evolve(request(1), order_id=order.id)))


def indexes_of(query: ReturnQuery) -> set[str]:
    """Returns the indexes that are read for a query."""
    found = {"sqlite_autoindex_rma_returns_1", "sqlite_autoindex_rma_events_1"}  # the primary keys
    if query.orders is None:
        found.add("rma_returns_listed")
    return found | ({"rma_returns_by_id"} if query.after else set())


KINDS = [tuple(kinds) for size in (1, 2, 3) for kinds in combinations(SubjectKind, size)]


def filters() -> Iterator[tuple[tuple[SubjectKind, ...], str | None, bool]]:
    """Yields kinds, status and need of attention: all that can be asked for together."""
    for kinds, needs_attention in product(KINDS, (False, True)):
        for status in (None, *dict.fromkeys(each.value for kind in kinds for each in STATUSES[kind])):
            yield kinds, status, needs_attention


def steps_of(query: ReturnQuery, store: SqlReturns, asked: Asked) -> list[str]:
    """Returns the steps of the plans for a page, after it was checked which indexes they read."""
    asked.forget()
    store.find(query)
    steps = asked.plan(store.engine)
    assert not [step for step in steps if is_slow(step)], query
    used = [step.partition("INDEX ")[2].split() for step in steps if "INDEX " in step]
    assert {name for name, *_ in used} == indexes_of(query), query
    return steps


#: From when, behind which, whether the newest are first, how many are skipped: each of them with all filters.
PAGES: tuple[tuple[datetime | None, str | None, bool, int], ...] = (
    (None, None, False, 0),
    (None, "ret_1_1", False, 2),
    (START, None, True, 2),
    (None, "ret_1_1", True, 0),
)


def test_every_page_of_all_orders_is_read_by_index_and_without_sorting(store: SqlReturns) -> None:
    """A page reads keys in ranges of one index, whatever its filters, and the documents of these keys."""
    fill(store)
    asked = watch(store.engine)
    for (kinds, status, attention), (since, after, newest_first, offset) in product(filters(), PAGES):
        query = ReturnQuery(
            kinds=kinds,
            status=status,
            needs_attention=attention,
            requested_since=since,
            after=after,
            offset=offset,
            limit=5,
            newest_first=newest_first,
        )
        bound = "requested_at>?" if since else "(requested_at,order_id,position)" if after else ""
        ranges = [each for each in steps_of(query, store, asked) if "rma_returns_listed" in each]
        by = " AND ".join(filter(None, ["kind=? AND status=? AND needs_attention=?", bound]))
        assert ranges, query
        assert all(f"({by}" in each for each in ranges), query
        assert all("COVERING" in each for each in ranges), query


def test_a_page_of_one_order_is_read_by_its_key(store: SqlReturns) -> None:
    """A database that knows nothing of the data would prefer to read all returns of the status."""
    fill(store)
    asked = watch(store.engine)
    for (kinds, status, attention), since, after in product(filters(), (None, START), (None, "ret_1_1")):
        query = ReturnQuery(
            kinds=kinds,
            order_id="order_1",
            status=status,
            needs_attention=attention,
            requested_since=since,
            after=after,
        )
        steps_of(query, store, asked)


def test_a_count_reads_a_covering_index(store: SqlReturns) -> None:
    """No document is read to count; all returns are counted as all rows less those of other kinds."""
    fill(store)
    asked = watch(store.engine)
    for (kinds, status, attention), since, before in product(filters(), (None, START), (None, START)):
        store.count(
            ReturnQuery(
                kinds=kinds,
                status=status,
                needs_attention=attention,
                requested_since=since,
                requested_before=before,
            )
        )
    for step in asked.plan(store.engine):
        assert "rma_" not in step or "COVERING INDEX" in step, step
    asked.forget()

    assert store.count(ReturnQuery()) == 3
    assert [step for step in asked.plan(store.engine) if "rma_" in step] == [
        "SCAN rma_returns USING COVERING INDEX rma_returns_by_id",
        *["SEARCH rma_returns USING COVERING INDEX rma_returns_listed (kind=?)"] * 2,
    ]
    asked.forget()

    assert store.count(ReturnQuery(kinds=["exchange"])) == 0
    assert [step for step in asked.plan(store.engine) if "rma_" in step] == [
        "SEARCH rma_returns USING COVERING INDEX rma_returns_listed (kind=?)"
    ]


def test_an_unreadable_return_is_reported_with_its_order(store: SqlReturns) -> None:
    """`unreadable_document` names the order; a page has its id, and the error of its document."""
    fill(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE rma_returns SET document = '{' WHERE return_id = 'ret_1_1'"))

    with pytest.raises(Unavailable) as error:
        store.find(ReturnQuery(order_id="order_1"))
    unreadable = next(each for each in store.find(ReturnQuery()) if isinstance(each, UnreadableSubject))

    assert error.value.code == "unreadable_document"
    assert error.value.details["order_id"] == "order_1"
    assert (unreadable.id, unreadable.order_id, unreadable.kind) == ("ret_1_1", "order_1", "return")
    assert "JSONDecodeError" in unreadable.error
    assert [each.id for each in store.find(ReturnQuery(after="ret_1_1"))] == ["ret_2_1"]


def test_an_order_id_that_no_database_can_hold_finds_nothing(store: SqlReturns) -> None:
    """A query for an order id with half a surrogate pair is empty."""
    fill(store)

    assert store.find(ReturnQuery(order_id="\ud800")) == ()
