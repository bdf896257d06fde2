"""Every failure of the database is reported with its cause, and nothing has changed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import event

from rma import InvalidValue, NotFound, ReturnLedger, Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.schema import FORMAT
from rma.adapters.sql.writer import write_for
from rma.testing.core_harness import CoreHarness, counting
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike


def harness() -> CoreHarness:
    """Returns the core with an order of mugs, without ports."""
    return CoreHarness(order_of(line(quantity=9)))


def failure(run: Callable[[], object]) -> Unavailable:
    """Returns the Unavailable that is raised, and asserts that it has a cause."""
    with pytest.raises(Unavailable) as error:
        run()
    assert error.value.__cause__ is not None
    return error.value


def changed(file: Path, statement: str) -> None:
    """Changes the database, as another process might."""
    with closing(sqlite3.connect(file)) as other:
        other.execute(statement)
        other.commit()


def test_a_database_that_is_locked_can_be_read_but_not_written(file: Path, store: SqlReturns) -> None:
    """
    While another connection writes, reads succeed and commits raise `store_locked`; afterwards the change
    is stored.
    """
    life = harness()
    store.commit(life.handle(request(1)))
    before, change = life.ledger, life.handle(request(1))
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        error = failure(lambda: store.commit(change))

        assert (error.code, error.details) == ("store_locked", {"error": "database is locked"})
        assert_alike(store.load("order_1"), before)
    store.commit(change)
    assert_alike(store.load("order_1"), life.ledger)


def test_a_disk_that_is_full_stores_nothing(store: SqlReturns) -> None:
    """A full disk raises `store_full`, what is stored can be read, and a smaller change can be committed."""
    life = harness()
    event.listen(
        store.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 20")
    )
    store.commit(life.handle(request(1)))
    before = life.ledger
    large = request(1, metadata={"picture": "x" * 60_000})

    error = failure(
        lambda: store.commit(CoreHarness(life.order, ledger=before, ids=counting("l")).handle(large))
    )

    assert error.code == "store_full"
    assert_alike(store.load("order_1"), before)
    store.commit(life.handle(request(1)))
    assert_alike(store.load("order_1"), life.ledger)


def test_a_file_that_may_only_be_read_is_read(file: Path, store: SqlReturns) -> None:
    """A file opened read-only is read, and a commit raises `store_read_only`."""
    life = harness()
    store.commit(life.handle(request(1)))
    with closing(SqlReturns(f"sqlite:///file:{file}?mode=ro&uri=true")) as reader:
        assert_alike(reader.load("order_1"), life.ledger)

        assert failure(lambda: reader.commit(life.handle(request(1)))).code == "store_read_only"

    assert store.load("order_1").revision == 1


def test_broken_pages_are_reported(file: Path, store: SqlReturns) -> None:
    """Reading or writing a file with broken pages raises `store_corrupt`."""
    life = harness()
    store.commit(life.handle(request(1)))
    store.close()
    pages = bytearray(file.read_bytes())
    pages[4096:] = b"\x07" * (len(pages) - 4096)
    file.write_bytes(pages)

    for use in (
        lambda: store.load("order_1"),
        lambda: store.history("order_1"),
        lambda: store.commit(life.handle(request(1))),
    ):
        assert failure(use).code == "store_corrupt"


@pytest.mark.parametrize(
    ("table", "document"),
    [
        ("rma_ledgers", "{"),
        ("rma_ledgers", '{"surprise": 1}'),
        ("rma_ledgers", '{"open_effects": [{"request": {"_type": "TeleportRequest"}}]}'),
        ("rma_returns", "{}"),
        ("rma_returns", "[]"),
        ("rma_returns", "null"),
    ],
)
def test_an_unreadable_document_is_reported_with_its_order(
    file: Path, store: SqlReturns, table: str, document: str
) -> None:
    """
    A document that is not valid or has an unknown field raises `unreadable_document`, and the history is
    read.
    """
    life = harness()
    store.commit(life.handle(request(1)))
    changed(file, f"UPDATE {table} SET document = '{document}'")  # ours

    for error in (
        failure(lambda: store.load("order_1")),
        failure(lambda: store.load_by_return("ret_1")),
    ):
        assert (error.code, error.details["order_id"]) == ("unreadable_document", "order_1")
    assert len(store.history("order_1")) == 1


def test_an_unreadable_event_is_reported(file: Path, store: SqlReturns) -> None:
    """A history with an unknown event raises `unreadable_document`, and the ledger is read."""
    life = harness()
    store.commit(life.handle(request(1)))
    store.commit(life.handle(receive(1)))
    changed(file, 'UPDATE rma_events SET document = \'{"_type": "Happened"}\' WHERE revision = 2')

    assert failure(lambda: store.history("order_1")).code == "unreadable_document"
    assert_alike(store.load("order_1"), life.ledger)


@pytest.mark.parametrize("document", ["{", "{}", '{"_type": "EventsPublished", "header": {}, "through": 1}'])
def test_a_return_whose_first_event_cannot_be_read_is_reported(
    document: str, file: Path, store: SqlReturns
) -> None:
    """The event has the prices of its lines: without it there is no return; other orders go on."""
    order = evolve(order_of(line(quantity=9)), id="order_2")
    life, other = harness(), CoreHarness(order, ids=counting("other_"))
    store.commit(life.handle(request(1)))
    store.commit(other.handle(evolve(request(1), order_id="order_2")))
    changed(file, f"UPDATE rma_events SET document = '{document}' WHERE order_id = 'order_1'")

    assert failure(lambda: store.load("order_1")).code == "unreadable_document"
    assert_alike(store.load("order_2"), other.ledger)


def test_a_database_of_a_later_version_is_left_alone(file: Path, store: SqlReturns) -> None:
    """Every use of a database with a newer format raises `newer_format` and changes nothing."""
    life = harness()
    store.commit(life.handle(request(1)))
    changed(file, "UPDATE rma_format SET format = 999, writable_since = 998")

    with closing(SqlReturns(f"sqlite:///{file}")) as later:
        for use in (
            lambda: later.load("order_1"),
            lambda: later.outstanding(life.now, 9),
            lambda: later.commit(life.handle(request(1))),
        ):
            with pytest.raises(Unavailable) as error:
                use()
            assert (error.value.code, error.value.details) == (
                "newer_format",
                {"found": 998, "known": FORMAT},
            )

    assert store.load("order_1").revision == 1


@pytest.mark.parametrize("unspeakable", ["\ud800", "order_\udfff"])
def test_an_id_with_half_a_surrogate_pair_is_not_found(store: SqlReturns, unspeakable: str) -> None:
    """Reading by an id that the database cannot hold finds nothing."""
    assert store.load(unspeakable) == ReturnLedger(unspeakable)
    assert store.history(unspeakable) == ()
    with pytest.raises(NotFound):
        store.load_by_return(unspeakable)


def test_strings_of_any_characters_are_stored(store: SqlReturns) -> None:
    """Quotes and zero bytes are stored in ids, and also halves of surrogate pairs in documents."""
    wild = "'; DROP TABLE rma_returns; --\"\\\n\x00 ñ🥜"
    order = evolve(order_of(line(wild)), id=wild)
    life = CoreHarness(order, ids=lambda: wild)
    asked = evolve(request(1, wild, metadata={wild: [wild]}, created_by=wild), order_id=wild)

    store.commit(life.handle(asked))

    assert_alike(store.load(wild), life.ledger)
    assert_alike(store.load_by_return(f"ret_{wild}"), life.ledger)


def test_other_databases_are_refused_when_the_store_is_built() -> None:
    """A dialect other than sqlite and postgresql raises InvalidValue."""
    with pytest.raises(InvalidValue) as error:
        write_for("oracle")

    assert error.value.details["expected"] == "sqlite or postgresql"


def test_an_error_of_the_database_does_not_show_what_customers_wrote(tmp_path: Path) -> None:
    """The statement is named without its parameters; a host's own engine is the host's to set."""
    with closing(SqlReturns(f"sqlite:///{tmp_path / 'returns.db'}")) as store:
        assert store.engine.hide_parameters
