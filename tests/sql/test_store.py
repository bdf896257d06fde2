"""A SQLite file keeps what the port promises, as memory does, and says so when it can not."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    Command,
    IdempotencyKeyReused,
    RefundStatus,
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
from rma.testing.core_harness import START, counting
from tests.rules.given import line, order_of, receive, request
from tests.world import RETURN_OPTION

GOLDEN = Path(__file__).parent / "golden"


class TestSqlReturns(ReturnRepositoryContract):
    """On a file of its own for each law."""

    places: pytest.TempPathFactory

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.places = tmp_path_factory

    def make(self) -> ReturnRepository:
        """Over a new file."""
        return SqlReturns(f"sqlite:///{self.places.mktemp('store') / 'returns.db'}")


class TestSqlReturnsInMemory(ReturnRepositoryContract):
    """Without a file: one connection, for which threads take turns."""

    def make(self) -> ReturnRepository:
        """Over a new database."""
        return SqlReturns("sqlite://")


def shop(returns: ReturnRepository) -> ReturnService:
    """Five mugs, a return option, a clock that stands still and ids that count."""
    return in_memory_service(
        [order_of(line(quantity=5))],
        shipping_options=[RETURN_OPTION],
        returns=returns,
        clock=lambda: START,
        ids=counting(),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "returns.db"


def store(path: Path, *, busy_timeout: float = 5.0) -> SqlReturns:
    """The file, opened as a new process would."""
    return SqlReturns(f"sqlite:///{path}", busy_timeout=busy_timeout)


def life(service: ReturnService) -> Return:
    """Labels, parcels, refunds, a mismatch, a cancellation, keys and metadata."""
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


def test_a_file_that_is_opened_again_has_it_all(path: Path) -> None:
    """Equal to what memory has, with the same history; statuses are statuses, not texts like them."""
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


def test_commits_are_as_few_as_can_be(path: Path) -> None:
    """Request 1, receipt 2, repeat 0."""
    returns = store(path)
    service = shop(returns)

    def commits(command: Command) -> int:
        before = returns.load("order_1").revision
        service.handle(command)
        return returns.load("order_1").revision - before

    asked = request(1, idempotency_key="k")
    arrivals = evolve(receive(1), idempotency_key="r")
    assert [commits(each) for each in (asked, asked, arrivals, arrivals)] == [1, 0, 2, 0]


def test_only_returns_that_changed_are_written(path: Path) -> None:
    """An order with a long past costs no more."""
    service = shop(store(path))
    for _ in range(4):
        service.handle(request(1))
    with closing(sqlite3.connect(path)) as other:
        before = other.execute("SELECT document FROM rma_returns ORDER BY position").fetchall()
        other.execute(
            "UPDATE rma_returns SET document = replace(document, 'ret_1', 'ret_x') WHERE position = 0"
        )
        other.commit()

        service.handle(receive(1, return_id="ret_3"))

        after = other.execute("SELECT document FROM rma_returns ORDER BY position").fetchall()
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, False, True]


def test_a_file_is_durable_and_shared(path: Path) -> None:
    """WAL, and every commit on the disk before it returns."""
    returns = store(path)
    returns.load("order_1")

    with returns._database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def unavailable(code: str, do: Callable[[], object]) -> None:
    """It says so, with the cause."""
    with pytest.raises(Unavailable) as error:
        do()
    assert error.value.code == code
    assert error.value.__cause__ is not None or code == "newer_format"


def test_a_file_that_is_none_or_not_there_is_unavailable(path: Path, tmp_path: Path) -> None:
    """And is left as it is."""
    path.write_bytes(b"no database at all, and longer than a header of one would be" * 9)

    unavailable("store_corrupt", lambda: store(path).load("order_1"))
    unavailable("store_not_opened", lambda: store(tmp_path / "nowhere" / "returns.db").load("order_1"))
    assert path.read_bytes().startswith(b"no database")


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.json")), ids=lambda file: str(file.stem))
def test_what_an_earlier_version_stored_is_still_understood(golden: Path, path: Path) -> None:
    """Documents are kept as they were written; each later version must load them, and go on."""
    tables: dict[str, list[dict[str, object]]] = json.loads(golden.read_text())
    store(path).load("order_1")
    with closing(sqlite3.connect(path)) as other:
        for table, rows in tables.items():
            for row in rows:
                marks = ", ".join("?" * len(row))
                other.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
                )  # ours
        other.commit()
    service = shop(store(path))

    ledger = service.returns.load("order_1")

    assert replay("order_1", service.history("order_1")) == ledger
    assert [each.status.value for each in ledger.returns] == ["received", "canceled"]
    assert [refund.amount.amount for refund in ledger.refunds] == [800, 1000]
    assert ledger.returns[0].metadata == {"tags": ["a", {"b": None}], "n": 1.5, "deep": {"x": True}}
    opened = evolve(service, ids=lambda: "next").handle(request(1))
    assert (opened.display_id, opened.order_version) == (3, 8)


def test_an_answer_that_can_not_be_stored_does_not_hold_up_the_others(path: Path) -> None:
    """The refund beside it is recorded; the carrier is asked again, and what was wrong is said."""

    class OddCarrier(InMemoryFulfillment):
        """Answers with something that no document can hold."""

        def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
            """A moment, as it is."""
            return ReturnShipment({"booked_at": START})

    payments = InMemoryPayments()
    service = evolve(shop(store(path)), fulfillment=OddCarrier(), payments=payments)
    service.handle(request(2, shipping_option_id="so_return"))
    service.handle(receive(2))

    resumed = service.resume()

    ledger = service.returns.load("order_1")
    (shipment,) = ledger.open_effects.values()
    assert resumed.still_open == ("order_1",)
    assert [refund.status for refund in ledger.refunds] == [RefundStatus.SUCCEEDED]
    assert shipment.request.key == "ret_1/shipment/1"
    assert "what JSON can carry" in (shipment.last_error or "")
    assert evolve(service, fulfillment=InMemoryFulfillment()).resume().still_open == ()
