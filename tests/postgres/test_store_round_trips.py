"""How often a command goes over the wire and back: counted on the wire."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from rma import ReturnService
from rma.adapters.sql import SqlReturns
from tests.rules.given import receive, request
from tests.sql.in_transaction import shop


class Journeys:
    """What the server said that it is ready for the next question, since the last time that was asked."""

    def __init__(self, engine: Engine, file: Path) -> None:
        self._file = file.open("w+")
        self._seen = 0
        event.listen(engine, "connect", self._trace)

    def _trace(self, connection: object, _: object) -> None:
        connection.pgconn.trace(self._file.fileno())  # type: ignore[attr-defined] # psycopg's

    def count(self) -> int:
        """How many."""
        text = Path(self._file.name).read_text()
        seen = text.count("\tReadyForQuery\t")
        count, self._seen = seen - self._seen, seen
        return count

    def close(self) -> None:
        """No more."""
        self._file.close()


@pytest.fixture
def store(url: str) -> Iterator[SqlReturns]:
    """Over an empty schema."""
    opened = SqlReturns(url)
    yield opened
    opened.close()


@pytest.fixture
def journeys(store: SqlReturns, tmp_path: Path) -> Iterator[Journeys]:
    """Of its connections."""
    counted = Journeys(store.engine, tmp_path / "trace")
    yield counted
    counted.close()


def handled(service: ReturnService, number: int, journeys: Journeys) -> dict[str, int]:
    """How many journeys each command takes, in the life of this return."""
    asked = request(1, idempotency_key=f"a{number}")
    arrivals = receive(1, return_id=f"ret_{number}", idempotency_key=f"b{number}")
    counted = {}
    journeys.count()
    for name, command in (
        ("request", asked),
        ("request again", asked),
        ("receipt", arrivals),
        ("receipt again", arrivals),
    ):
        service.handle(command)
        counted[name] = journeys.count()
    return counted


def test_a_request_takes_two_a_receipt_three_and_a_repeat_one(store: SqlReturns, journeys: Journeys) -> None:
    """An order's first return, and its next: one read, and one statement for each commit."""
    service = shop(store)
    store.load("order_1")  # connects, and makes the tables

    for number in (1, 3):
        assert handled(service, number, journeys) == {
            "request": 2,
            "request again": 1,
            "receipt": 3,
            "receipt again": 1,
        }
