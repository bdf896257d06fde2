"""The cache of documents is never out of date, is limited, and equals what the database holds."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve, frozen
from cachetools import LRUCache

from rma import RequestedItem, RequestReturn, Return, ReturnLedger
from rma.adapters.sql import SqlReturns, cache
from rma.adapters.sql.cache import Documents, restored
from rma.adapters.sql.documents import encode_event
from rma.adapters.sql.encoded import MAX_CHARACTERS, encode_long_tuple
from rma.codec.conversion import LONG, decode, encode
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
    """Replaces a string in all documents, as another process might, without a new revision."""
    with closing(sqlite3.connect(file)) as other:
        for table in ("rma_returns", "rma_events"):
            other.execute(f"UPDATE {table} SET document = replace(document, ?, ?)", (before, after))
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


def documents_of(note: str) -> Documents:
    """Returns the documents of a return whose only item has this note."""
    life = CoreHarness(order_of(line(quantity=9)))
    asked = RequestedItem(item_id="mug", quantity=1, note="n")
    (event,) = life.handle(RequestReturn(order_id="order_1", items=[asked])).events
    return 1, 1, None, None, encode_event(event).replace('"note":"n"', f'"note":"{note}"')


def note_in(documents: Documents) -> str | None:
    """Returns the note of the return that these documents restore."""
    state = restored("order_1", "return", documents).state
    assert isinstance(state, Return)
    return state.items[0].note


def test_cached_documents_are_limited(store: SqlReturns) -> None:
    """A document that was dropped for others is decoded again."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1)))
    store.commit(life.handle(receive(1)))
    known = store.load("order_1").returns[0]
    other = documents_of("")

    restored("order_1", "return", documents_of("x" * (cache.MAX_CHARACTERS - len(other[4] or ""))))

    assert store.load("order_1").returns[0] is not known


def test_a_document_larger_than_the_cache_is_not_cached() -> None:
    """A document larger than the cache is decoded each time, and the others stay cached."""
    small, large = documents_of("small"), documents_of("x" * cache.MAX_CHARACTERS)
    known = restored("order_1", "return", small)

    assert note_in(large) == "x" * cache.MAX_CHARACTERS
    assert restored("order_1", "return", small) is known


def test_documents_of_another_place_are_another_return() -> None:
    """The same document in another order restores what belongs to that order."""
    documents = documents_of("n")
    _, _, *others = documents
    first, second = (restored(each, "return", documents) for each in ("order_1", "order_2"))
    third = restored("order_1", "return", (2, 3, *others))  # type: ignore[arg-type] # as above

    assert first == third
    assert first is not second


def test_a_tuple_larger_than_the_cache_is_encoded_each_time() -> None:
    """A tuple larger than the cache is encoded to the same document as without the cache."""
    these = items(LONG, "n" * (MAX_CHARACTERS // LONG))
    value = RequestReturn(order_id="o", items=these)

    assert encode(value, RequestReturn, encode_long_tuple) == encode(value, RequestReturn)


def test_threads_restore_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every thread gets the value of its documents, while others drop it from the cache."""
    documents = [documents_of(str(digit) * 1000) for digit in range(8)]
    monkeypatch.setattr(cache, "_RESTORED", LRUCache(6000, getsizeof=lambda entry: entry[0]))
    monkeypatch.setattr(cache, "_OPENINGS", LRUCache(6000, getsizeof=lambda entry: entry[0]))

    def use(first: int) -> bool:
        indices = [(first + turn * (2 * first + 1)) % len(documents) for turn in range(100)]
        return all(note_in(documents[index]) == str(index) * 1000 for index in indices)

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
