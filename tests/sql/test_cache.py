"""The cache of documents is never out of date, is limited, and equals what the database holds."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve, frozen

from rma import Money, RequestedItem, RequestReturn, ReturnLedger
from rma.adapters.sql import SqlReturns, cache
from rma.adapters.sql.cache import (
    MAX_DOCUMENT_CHARACTERS,
    MAX_TUPLE_CHARACTERS,
    decode_document,
    encode_long_tuple,
    remember_document,
)
from rma.adapters.sql.codec import LONG, decode, encode
from rma.testing.core_harness import CoreHarness
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.sql.kinds import run, worlds


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    """Empties the caches before and after each test."""
    cache.clear()
    yield
    cache.clear()


def loaded_without_cache(store: SqlReturns) -> ReturnLedger:
    """Returns the ledger as a process with an empty cache loads it."""
    cache.clear()
    return store.load("order_1")


def changed(file: Path, before: str, after: str) -> None:
    """Replaces a string in the documents of returns, as another process might, without a new revision."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("UPDATE rma_returns SET document = replace(document, ?, ?)", (before, after))
        other.commit()


@pytest.mark.parametrize("name", worlds())
def test_the_cached_ledger_equals_the_documents(name: str, store: SqlReturns) -> None:
    """After any history the cached ledger equals the decoded documents, to the class of every field."""
    script, world = worlds()[name]
    run(script, world, store)

    cached = store.load("order_1")

    assert_alike(cached, loaded_without_cache(store))


def test_a_cached_document_is_decoded_once(store: SqlReturns) -> None:
    """A return that was written or read is the same object when it is loaded again."""
    change = CoreHarness(order_of(line(quantity=9))).handle(request(1))
    store.commit(change)

    assert store.load("order_1").returns[0] is change.ledger.returns[0]
    decoded_once = loaded_without_cache(store).returns[0]
    assert decoded_once is not change.ledger.returns[0]
    assert store.load("order_1").returns[0] is decoded_once


def test_what_another_process_writes_is_read(file: Path, store: SqlReturns) -> None:
    """A document that another process changed is decoded, whatever its revision."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1, created_by="ann")))
    store.commit(life.handle(request(1)))
    assert store.load("order_1").returns[0].created_by == "ann"

    changed(file, '"ann"', '"bob"')

    first, second = store.load("order_1").returns
    assert (first.created_by, second) == ("bob", life.ledger.returns[1])


def test_what_was_not_committed_is_not_read(store: SqlReturns) -> None:
    """A change that the host rolled back is not loaded from the cache."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1)))
    before, change = life.ledger, life.handle(receive(1))

    with store.engine.connect() as connection, connection.begin() as transaction:
        store.in_transaction(connection).commit(change)
        assert_alike(store.in_transaction(connection).load("order_1"), change.ledger)
        transaction.rollback()

    assert_alike(store.load("order_1"), before)


def test_cached_documents_are_limited(store: SqlReturns) -> None:
    """A document that was dropped for others is decoded again."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1)))
    known = store.load("order_1").returns[0]

    remember_document("x" * MAX_DOCUMENT_CHARACTERS, str, "another order's")

    assert store.load("order_1").returns[0] is not known


def test_a_document_larger_than_the_cache_is_not_cached() -> None:
    """A document larger than the cache is decoded each time, and the others stay cached."""
    known, large = decode_document('{"amount":1,"currency":"usd"}', Money), "x" * MAX_DOCUMENT_CHARACTERS
    remember_document(f'"{large}"', str, "not decoded")

    assert decode_document(f'"{large}"', str) == large
    assert decode_document('{"amount":1,"currency":"usd"}', Money) is known


def test_a_tuple_larger_than_the_cache_is_encoded_each_time() -> None:
    """A tuple larger than the cache is encoded to the same document as without the cache."""
    these = items(LONG, "n" * (MAX_TUPLE_CHARACTERS // LONG))
    value = RequestReturn(order_id="o", items=these)

    assert encode(value, RequestReturn, encode_long_tuple) == encode(value, RequestReturn)


def test_threads_decode_and_remember_at_once() -> None:
    """Every thread gets the value of its document, while others drop it from the cache."""
    values = [str(digit) * (MAX_DOCUMENT_CHARACTERS // 4) for digit in range(8)]
    documents = [f'"{value}"' for value in values]

    def use(first: int) -> bool:
        found = []
        for turn in range(24):
            index = (first + turn * (2 * first + 1)) % len(values)
            found.append(decode_document(documents[index], str) == values[index])
            remember_document(documents[index - 1], str, values[index - 1])
        return all(found)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(use, range(4)))


@frozen
class Both:
    """A class with two long tuples."""

    left: tuple[RequestedItem, ...]
    right: tuple[RequestedItem, ...]


def items(count: int, note: str = "n") -> tuple[RequestedItem, ...]:
    """Returns this many items."""
    return tuple([RequestedItem(item_id=f"i{number}", quantity=1, note=note) for number in range(count)])


@pytest.mark.parametrize("count", [0, 1, LONG - 1, LONG, LONG + 1, 50])
def test_a_long_tuple_is_written_as_a_short_one_is(count: int) -> None:
    """A document with long tuples is the same JSON as without the cache, and decodes to the same value."""
    these, others = items(count, 'quo"te'), items(count)
    for value in (Both(these, these), Both(these, others), Both(others, these)):
        document = encode(value, Both, encode_long_tuple)

        assert document == json.dumps(json.loads(document), separators=(",", ":"))
        assert_alike(decode(document, Both), value)


def test_equal_tuples_of_other_classes_are_not_mixed_up() -> None:
    """A long tuple with True is written as true, and one with 1 as 1, also after the first was dropped."""
    for quantity in (1, True, 1):
        for note in range(50):
            these = tuple([RequestedItem(item_id="i", quantity=quantity, note=f"{note}")] * LONG)
            document = encode(RequestReturn(order_id="o", items=these), RequestReturn, encode_long_tuple)
            first = json.loads(document)["items"][0]
            assert (repr(first["quantity"]), first["note"]) == (repr(quantity), f"{note}")


def test_the_documents_of_a_commit_share_what_is_long(store: SqlReturns) -> None:
    """The documents of a commit with long tuples decode to the ledger and the events without the cache."""
    lines = [line(f"i{number}", quantity=3) for number in range(LONG + 1)]
    life = CoreHarness(order_of(*lines))
    asked = [RequestedItem(item_id=each.id, quantity=2) for each in lines]
    store.commit(life.handle(RequestReturn(order_id="order_1", items=asked, idempotency_key="k")))
    arrivals = [evolve(receive(1).items[0], item_id=each.id) for each in lines]

    store.commit(life.handle(evolve(receive(1), items=arrivals, idempotency_key="r")))

    assert_alike(loaded_without_cache(store), life.ledger)
    happened = tuple([event for change in life.changes for event in change.events])
    assert_alike(store.history("order_1"), happened)
