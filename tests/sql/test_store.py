"""A SQLite file fulfills the port as memory does, and reports what it cannot do."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import (
    CancelReturn,
    Command,
    IdempotencyKeyReused,
    ReceivedItem,
    ReceiveReturn,
    RefundStatus,
    RejectedItem,
    ResolveReturn,
    Return,
    ReturnRepository,
    ReturnService,
    ReturnShipment,
    ReturnShipmentRequest,
    ReturnStatus,
    Unavailable,
)
from rma.adapters.memory import InMemoryFulfillment, InMemoryPayments, in_memory_service
from rma.adapters.sql import SqlReturns
from rma.domain.change import replay
from rma.testing.contracts import ReturnRepositoryContract
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.sql.watching import watch
from tests.world import RETURN_OPTION, later


class TestSqlReturns(ReturnRepositoryContract):
    """A file of its own for each law."""

    folders: pytest.TempPathFactory

    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.folders = tmp_path_factory

    def make(self) -> ReturnRepository:
        """Returns a store over a new file."""
        return SqlReturns(f"sqlite:///{self.folders.mktemp('store') / 'returns.db'}")

    def damage(self, returns: SqlReturns, return_id: str) -> None:
        """Breaks the document off."""
        with returns.engine.begin() as connection:
            statement = text("UPDATE rma_returns SET document = '{' WHERE return_id = :id")
            connection.execute(statement, {"id": return_id})


class TestSqlReturnsInMemory(ReturnRepositoryContract):
    """A database in memory: one connection, which threads use in turn."""

    def make(self) -> ReturnRepository:
        """Returns a store over a new database."""
        return SqlReturns("sqlite://")


def shop(returns: ReturnRepository) -> ReturnService:
    """Returns a service with five mugs, a return option, a fixed clock and ids that count."""
    return in_memory_service(
        [order_of(line(quantity=5))],
        shipping_options=[RETURN_OPTION],
        returns=returns,
        clock=lambda: START,
        ids=counting(),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Returns the path of the file."""
    return tmp_path / "returns.db"


def store(path: Path, *, busy_timeout: float = 5.0) -> SqlReturns:
    """Opens the file as a new process does."""
    return SqlReturns(f"sqlite:///{path}", busy_timeout=busy_timeout)


def life(service: ReturnService) -> Return:
    """Handles labels, parcels, refunds, a mismatch, a cancellation, keys and metadata."""
    service.handle(
        request(
            2,
            shipping_option_id="so_return",
            idempotency_key="k",
            metadata={"tags": ["a", {"b": None}], "n": 1.5, "deep": {"x": True}},
        )
    )
    service.handle(receive(1, 0, more_expected=True))
    service.handle(receive(0, 1))
    service.handle(request(2, refund_amount=700))
    service.handle(receive(1, return_id="ret_2", created_by="bob"))
    return service.handle(CancelReturn(return_id="ret_2"))


def test_a_file_that_is_opened_again_has_every_value(path: Path) -> None:
    """A reopened file has the ledger and history that memory has, with statuses of their enumeration."""
    memory = shop(in_memory_service().returns)
    life(memory)
    first = store(path)
    life(shop(first))
    first.close()

    again = shop(store(path))

    assert again.returns.load("order_1") == memory.returns.load("order_1")
    assert again.history("order_1") == memory.history("order_1")
    assert replay("order_1", again.history("order_1")) == again.returns.load("order_1")
    assert [type(each.status) for each in again.list("order_1")] == [ReturnStatus] * 2
    with pytest.raises(IdempotencyKeyReused):
        again.handle(request(1, idempotency_key="k"))


def test_a_request_commits_once_and_a_receipt_twice(path: Path) -> None:
    """A request increases the revision by 1, a receipt by 2 and a repeat by 0."""
    returns = store(path)
    service = shop(returns)

    def commits(command: Command) -> int:
        before = returns.load("order_1").revision
        service.handle(command)
        return returns.load("order_1").revision - before

    asked = request(1, idempotency_key="k")
    arrivals = evolve(receive(1), idempotency_key="r")
    assert [commits(each) for each in (asked, asked, arrivals, arrivals)] == [1, 0, 2, 0]


def test_only_what_changed_is_written(path: Path) -> None:
    """
    A receipt writes the document and the record of its own return only; its outcomes write no record, and
    neither writes the event that opened a return.
    """
    returns = store(path)
    service = shop(returns)
    for _ in range(4):
        service.handle(request(1))
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE rma_returns SET document = NULL, record = NULL")
        other.execute("UPDATE rma_events SET document = document || ' '")
        other.commit()

        service.handle(receive(1, return_id="ret_3"))

        rows = other.execute("SELECT document, record FROM rma_returns ORDER BY position").fetchall()
        events = other.execute("SELECT document FROM rma_events ORDER BY revision").fetchall()
    assert [document is None for document, _ in rows] == [True, True, False, True]
    assert [record is None for _, record in rows] == [True, True, False, True]
    assert [document.endswith(" ") for (document,) in events] == [True] * 4 + [False] * 2


def test_a_return_that_a_clerk_closed_is_stored_without_a_key_too(path: Path) -> None:
    """What was rejected, and how the return was closed."""
    returns = store(path)
    life = CoreHarness(order_of(line(quantity=9)))
    rejected = RejectedItem(item_id="mug", quantity=1, send_back=False)
    for command in (request(3), receive(2), ResolveReturn(return_id="ret_1", rejected=[rejected])):
        returns.commit(life.handle(command))

    assert_alike(returns.load("order_1"), life.ledger)
    assert life.ledger.returns[0].items[0].rejected_quantity == 1


def test_an_outcome_writes_no_line(path: Path) -> None:
    """What outcomes write names no line: not in the row of the return, nor in the ledger's, nor as event."""
    returns = store(path)
    life = CoreHarness(order_of(line("the-only-mug", quantity=9)))
    arrived = ReceivedItem(item_id="the-only-mug", quantity=1)
    for command in (request(1, "the-only-mug"), ReceiveReturn(return_id="ret_1", items=[arrived])):
        returns.commit(life.handle(command))
    asked = watch(returns.engine)

    returns.commit(life.record_outcomes())

    written = [parameters for _, parameters in asked.statements]
    assert "succeeded" in str(written)
    assert "the-only-mug" not in str(written)
    assert_alike(returns.load("order_1"), life.ledger)


def test_a_file_is_durable_and_shared(path: Path) -> None:
    """A file is opened with a write-ahead log, and every commit is synced before it returns."""
    returns = store(path)
    returns.load("order_1")

    with returns._database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def assert_unavailable(code: str, do: Callable[[], object]) -> None:
    """Asserts that Unavailable is raised with this code and its cause."""
    with pytest.raises(Unavailable) as error:
        do()
    assert error.value.code == code
    assert error.value.__cause__ is not None or code == "newer_format"


def test_a_file_that_is_not_a_database_is_unavailable(path: Path, tmp_path: Path) -> None:
    """A file that is not a database, or cannot be opened, raises Unavailable and is left as it is."""
    path.write_bytes(b"no database at all, and longer than a header of one would be" * 9)

    assert_unavailable("store_corrupt", lambda: store(path).load("order_1"))
    assert_unavailable("store_not_opened", lambda: store(tmp_path / "nowhere" / "returns.db").load("order_1"))
    assert path.read_bytes().startswith(b"no database")


def test_an_answer_that_cannot_be_stored_does_not_block_the_others(path: Path) -> None:
    """The refund beside it is recorded, and the booking stays open with the error until it can be stored."""

    class OddCarrier(InMemoryFulfillment):
        """A carrier whose answer no document can represent."""

        def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
            """Returns a shipment with a datetime in its data."""
            return ReturnShipment({"booked_at": START})

    payments = InMemoryPayments()
    service = evolve(shop(store(path)), fulfillment=OddCarrier(), payments=payments)
    service.handle(request(2, shipping_option_id="so_return"))
    service.handle(receive(2))

    resumed = later(service).resume()

    ledger = service.returns.load("order_1")
    (shipment,) = ledger.open_effects.values()
    assert resumed.still_open == ("order_1",)
    assert [refund.status for refund in ledger.refunds] == [RefundStatus.SUCCEEDED]
    assert shipment.request.key == "ret_1-shipment-1"
    assert "what JSON can carry" in (shipment.delivery.last_error or "")
    mended = evolve(service, fulfillment=InMemoryFulfillment())
    assert later(mended, timedelta(hours=3)).resume().still_open == ()
