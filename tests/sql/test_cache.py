"""What is kept in memory is never out of date, never too much, and the same as what the database holds."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from attrs import evolve, frozen

from rma import RequestedItem, RequestReturn, ReturnLedger
from rma.adapters.sql import SqlReturns, codec, rows
from rma.adapters.sql.cache import Cache
from rma.adapters.sql.codec import LONG, decoded, encoded
from rma.adapters.sql.rows import MAX_CACHED_DOCUMENTS
from rma.testing.core_harness import CoreHarness
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.sql.kinds import lived, worlds


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    """Nothing is known at first."""
    rows.STORED.clear()
    codec.CACHE.clear()
    yield
    rows.STORED.clear()
    codec.CACHE.clear()


def afresh(store: SqlReturns) -> ReturnLedger:
    """The ledger as a process reads it that knows nothing."""
    rows.STORED.clear()
    return store.load("order_1")


def changed(file: Path, before: str, after: str) -> None:
    """Somebody else writes something else into the documents of returns, without a new revision."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("UPDATE rma_returns SET document = replace(document, ?, ?)", (before, after))
        other.commit()


@pytest.mark.parametrize("life", worlds())
def test_what_is_kept_is_what_the_documents_hold(life: str, store: SqlReturns) -> None:
    """To the class of the last field, after whatever happened."""
    run, world = worlds()[life]
    lived(run, world, store)

    kept = store.load("order_1")

    assert_alike(kept, afresh(store))


def test_what_was_written_or_read_is_not_read_again(store: SqlReturns) -> None:
    """The same document is the same value, as long as it is kept."""
    change = CoreHarness(order_of(line(quantity=9))).handle(request(1))
    store.commit(change)

    assert store.load("order_1").returns[0] is change.ledger.returns[0]
    once = afresh(store).returns[0]
    assert once is not change.ledger.returns[0]
    assert store.load("order_1").returns[0] is once


def test_what_another_process_writes_is_read(file: Path, store: SqlReturns) -> None:
    """Whatever it is, and however it comes there."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1, created_by="ann")))
    store.commit(life.handle(request(1)))
    assert store.load("order_1").returns[0].created_by == "ann"

    changed(file, '"ann"', '"bob"')

    first, second = store.load("order_1").returns
    assert (first.created_by, second) == ("bob", life.ledger.returns[1])


def test_what_was_not_committed_is_not_read(store: SqlReturns) -> None:
    """Neither what failed nor what the host undid."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1)))
    before, change = life.ledger, life.handle(receive(1))

    with store.engine.connect() as connection, connection.begin() as transaction:
        store.in_transaction(connection).commit(change)
        assert_alike(store.in_transaction(connection).load("order_1"), change.ledger)
        transaction.rollback()

    assert_alike(store.load("order_1"), before)


def test_only_the_last_ones_are_kept_within_the_limit() -> None:
    """Those that were used last; by their weight."""
    kept: Cache[str, str] = Cache(10)
    for name, weight in (("a", 4), ("b", 4), ("a", 5)):
        kept.put(name, name.upper(), weight)
    assert (kept.get("b"), kept.get("a")) == ("B", "A")

    assert kept.get("b") == "B"
    kept.put("c", "C", 3)

    assert [kept.get(name) for name in "abc"] == [None, "B", "C"]
    kept.put("large", "L", 11)
    assert [kept.get(name) for name in ("b", "c", "large")] == [None, None, "L"]
    kept.put("d", "D", 1)
    assert [kept.get(name) for name in ("large", "d")] == [None, "D"]
    kept.clear()
    assert kept.get("d") is None


def test_documents_that_are_kept_are_limited(store: SqlReturns) -> None:
    """An order that was not asked for in a while is read anew."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1)))
    known = store.load("order_1").returns[0]

    rows.STORED.put(("return", "of others"), rows.ReturnDocument(known), MAX_CACHED_DOCUMENTS)

    assert store.load("order_1").returns[0] is not known


def test_threads_keep_and_find_at_once() -> None:
    """Everybody finds the value of the key, or nothing; the limit holds."""
    kept: Cache[int, str] = Cache(50)

    def use(seed: int) -> bool:
        random = Random(seed)
        found = []
        for _ in range(5000):
            key = random.randrange(30)
            found.append((key, kept.get(key)))
            kept.put(key, str(key), random.randrange(1, 9))
        return all(value in (None, str(key)) for key, value in found)

    with ThreadPoolExecutor(4) as remainder:
        assert all(remainder.map(use, range(4)))
    kept.put(99, "99", 50)
    assert [kept.get(key) for key in range(30)] == [None] * 30


@frozen
class Both:
    """Two documents in one."""

    left: tuple[RequestedItem, ...]
    right: tuple[RequestedItem, ...]


def items(count: int, note: str = "n") -> tuple[RequestedItem, ...]:
    """So many."""
    return tuple([RequestedItem(item_id=f"i{number}", quantity=1, note=note) for number in range(count)])


@pytest.mark.parametrize("count", [0, 1, LONG - 1, LONG, LONG + 1, 50])
def test_a_long_tuple_is_written_as_a_short_one_is(count: int) -> None:
    """Once, wherever it stands, and whatever its texts look like."""
    these, others = items(count, 'quo"te'), items(count)
    for value in (Both(these, these), Both(these, others), Both(others, these)):
        document = encoded(value, Both)

        assert document == json.dumps(json.loads(document), separators=(",", ":"))
        assert_alike(decoded(document, Both), value)


def test_equal_tuples_that_are_not_the_same_are_not_mixed_up() -> None:
    """True equals 1, and is written as it is; what is gone makes room for what comes."""
    for quantity in (1, True, 1):
        for note in range(50):
            these = tuple([RequestedItem(item_id="i", quantity=quantity, note=f"{note}")] * LONG)
            document = encoded(RequestReturn(order_id="o", items=these), RequestReturn)
            first = json.loads(document)["items"][0]
            assert (repr(first["quantity"]), first["note"]) == (repr(quantity), f"{note}")


def test_the_documents_of_a_commit_share_what_is_long(store: SqlReturns) -> None:
    """And are read as they were written, by whoever knows nothing."""
    lines = [line(f"i{number}", quantity=3) for number in range(LONG + 1)]
    life = CoreHarness(order_of(*lines))
    asked = [RequestedItem(item_id=each.id, quantity=2) for each in lines]
    store.commit(life.handle(RequestReturn(order_id="order_1", items=asked, idempotency_key="k")))
    arrivals = [evolve(receive(1).items[0], item_id=each.id) for each in lines]

    store.commit(life.handle(evolve(receive(1), items=arrivals, idempotency_key="r")))

    assert_alike(afresh(store), life.ledger)
    happened = tuple([event for change in life.changes for event in change.events])
    assert_alike(store.history("order_1"), happened)
