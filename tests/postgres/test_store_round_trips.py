"""The round trips of each command to the server, counted in a trace of the protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from rma import ReturnService
from rma.adapters.sql import SqlReturns
from tests.rules.given import receive, request
from tests.sql.in_transaction import shop


class RoundTrips:
    """Counts the times the server reported that it is ready for the next query."""

    def __init__(self, engine: Engine, file: Path) -> None:
        self._file = file.open("w+")
        self._seen = 0
        event.listen(engine, "connect", self._trace)

    def _trace(self, connection: object, _: object) -> None:
        connection.pgconn.trace(self._file.fileno())  # type: ignore[attr-defined] # psycopg's

    def count(self) -> int:
        """Returns the number since the last call."""
        trace = Path(self._file.name).read_text()
        seen = trace.count("\tReadyForQuery\t")
        count, self._seen = seen - self._seen, seen
        return count

    def close(self) -> None:
        """Closes the trace."""
        self._file.close()


@pytest.fixture
def store(url: str) -> Iterator[SqlReturns]:
    """Yields a store over an empty schema."""
    opened = SqlReturns(url)
    yield opened
    opened.close()


@pytest.fixture
def round_trips(store: SqlReturns, tmp_path: Path) -> Iterator[RoundTrips]:
    """Yields the counter of the connections of the store."""
    counted = RoundTrips(store.engine, tmp_path / "trace")
    yield counted
    counted.close()


def round_trips_of(service: ReturnService, number: int, round_trips: RoundTrips) -> dict[str, int]:
    """Returns the round trips of each command of this return."""
    asked = request(1, idempotency_key=f"a{number}")
    arrivals = receive(1, return_id=f"ret_{number}", idempotency_key=f"b{number}")
    counted = {}
    round_trips.count()
    for name, command in (
        ("request", asked),
        ("request again", asked),
        ("receipt", arrivals),
        ("receipt again", arrivals),
    ):
        service.handle(command)
        counted[name] = round_trips.count()
    return counted


def test_a_request_takes_two_a_receipt_three_and_a_repeat_one(
    store: SqlReturns, round_trips: RoundTrips
) -> None:
    """A command takes one round trip to read and one for each commit, for the first return and later ones."""
    service = shop(store)
    store.load("order_1")  # connects and makes the tables

    for number in (1, 3):
        assert round_trips_of(service, number, round_trips) == {
            "request": 2,
            "request again": 1,
            "receipt": 3,
            "receipt again": 1,
        }
