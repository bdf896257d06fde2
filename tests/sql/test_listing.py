"""Lists of returns are read by index, and an unreadable return is reported with its order."""

from itertools import combinations, product

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import ReturnQuery, SubjectKind, Unavailable, UnreadableSubject
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import order_of, request
from tests.sql.watching import is_slow, watch


def fill(store: SqlReturns) -> None:
    """Stores a return of each of three orders."""
    for number in range(3):
        order = evolve(order_of(), id=f"order_{number}")
        life = CoreHarness(order, ids=counting(f"{number}_"))
        store.commit(life.handle(evolve(request(1), order_id=order.id)))


def index_of(query: ReturnQuery) -> str:
    """Returns the index that is walked for a query."""
    if query.orders is not None:
        return "sqlite_autoindex_rma_returns_1"  # the primary key
    if query.needs_attention:
        return f"rma_returns_needing_attention{'_by_status' if query.status else ''}"
    if query.status:
        return "rma_returns_by_status"
    return "rma_returns_by_age" if SubjectKind.RETURN in query.kinds else "rma_returns_other_kinds"


KINDS = [tuple(kinds) for size in (1, 2, 3) for kinds in combinations(SubjectKind, size)]


def test_every_page_is_read_by_the_index_of_its_filters(store: SqlReturns) -> None:
    """
    A page reads one index, whatever filters are given together: that of one order its primary key, where a
    database that knows nothing of the data would prefer to read all returns of the status.
    """
    fill(store)
    asked = watch(store.engine)
    for kinds, status, attention, order_id, since, after, newest_first, offset in product(
        KINDS, (None, "requested"), (False, True), (None, "order_1"), (None, START), (None, "ret_1_1"),
        (False, True), (0, 2),
    ):  # fmt: skip
        query = ReturnQuery(
            kinds=kinds,
            order_id=order_id,
            status=status,
            needs_attention=attention,
            requested_since=since,
            after=after,
            offset=offset,
            limit=5,
            newest_first=newest_first,
        )
        asked.forget()
        store.find(query)
        steps = asked.plan(store.engine)
        assert not [step for step in steps if is_slow(step)], query
        used = [step.partition("INDEX ")[2].split()[0] for step in steps if "INDEX " in step]
        assert used[1 if after else 0] == index_of(query), query


def test_a_count_reads_a_covering_index(store: SqlReturns) -> None:
    """No document is read to count; all returns are counted as all rows less those of other kinds."""
    fill(store)
    asked = watch(store.engine)
    for kinds, status in product(KINDS, (None, "requested")):
        store.count(ReturnQuery(kinds=kinds, status=status))
        store.count(ReturnQuery(kinds=kinds, status=status, requested_since=START))
    for step in asked.plan(store.engine):
        assert "rma_" not in step or "COVERING INDEX" in step, step
    asked.forget()

    assert store.count(ReturnQuery()) == 3
    assert [step for step in asked.plan(store.engine) if "rma_" in step] == [
        "SCAN rma_returns USING COVERING INDEX rma_returns_by_id",
        *["SCAN rma_returns USING COVERING INDEX rma_returns_other_kinds"] * 2,
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
