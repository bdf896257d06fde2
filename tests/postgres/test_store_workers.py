"""Workers that resume share what is outstanding, do not wait for each other, and take over after one ends."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import RefundOutcome, RefundRequest, RefundSucceeded, ResumeResult, ReturnService
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.statements import DUE
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import line, order_of, receive, request

T = TypeVar("T")
LEASE = timedelta(seconds=60)
#: When all that is stored is due.
LATER = START + timedelta(days=300)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def store(url: str) -> Iterator[SqlReturns]:
    """Yields a store with the default lease."""
    with closing(SqlReturns(url)) as opened:
        yield opened


class Elsewhere:
    """Another worker: one thread that runs every function it is given."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def __call__(self, run: Callable[[], T]) -> T:
        """Returns the result of the function in that thread."""
        return self._threads.submit(run).result()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Yields another worker."""
    with ThreadPoolExecutor(1) as threads:
        yield Elsewhere(threads)


def life(number: int) -> CoreHarness:
    """Returns the core with an order that waits for a refund, the longer the lower its number."""
    order = evolve(order_of(line(quantity=2)), id=f"order_{number:03}")
    harness = CoreHarness(order, ids=counting(f"{number}_"), at=START + number * timedelta(hours=1))
    harness.handle(evolve(request(1), order_id=order.id))
    harness.handle(receive(1, return_id=f"ret_{number}_1"))
    return harness


def stored(store: SqlReturns, count: int) -> list[CoreHarness]:
    """Stores this many orders that wait for a refund, and returns them."""
    lives = [life(number) for number in range(count)]
    for each in lives:
        for change in each.changes:
            store.commit(change)
    return lives


def test_a_leased_order_is_not_named_to_another_worker(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """A leased order is named to its worker only, until the microsecond its lease ends."""
    ids = tuple([each.order.id for each in stored(store, 4)])

    assert store.outstanding(LATER, 3) == ids[:3]
    assert elsewhere(lambda: store.outstanding(LATER, 3)) == ids[3:]
    assert store.outstanding(LATER + LEASE - MICROSECOND, 9) == ids[:3]
    assert elsewhere(lambda: store.outstanding(LATER + LEASE - MICROSECOND, 9)) == ids[3:]
    assert elsewhere(lambda: store.outstanding(LATER + LEASE, 9)) == ids
    assert store.outstanding(LATER + LEASE, 9) == ()


def test_a_worker_whose_clock_is_a_day_ahead_does_not_hold_an_order_for_a_day(
    store: SqlReturns, elsewhere: Elsewhere
) -> None:
    """Its lease ends when a lease that begins now by the clock of the database does."""
    stored(store, 1)
    now = datetime.now(UTC)

    assert store.outstanding(now + timedelta(days=1), 9) == ("order_000",)

    assert elsewhere(lambda: store.outstanding(now, 9)) == ()
    in_time = datetime.now(UTC) + LEASE + timedelta(minutes=1)
    assert elsewhere(lambda: store.outstanding(in_time, 9)) == ("order_000",)


def test_a_commit_ends_the_lease(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """An order that is still outstanding after a commit is named to other workers."""
    (waiting,) = stored(store, 1)
    assert store.outstanding(LATER, 9) == ("order_000",)
    before = store.load("order_000")
    assert elsewhere(lambda: store.outstanding(LATER, 9)) == ()

    store.commit(waiting.handle(evolve(request(1), order_id="order_000")))

    assert store.load("order_000").revision == before.revision + 1
    assert elsewhere(lambda: store.outstanding(LATER, 9)) == ("order_000",)


def test_unpublished_orders_are_leased_too(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """Orders with unpublished events follow those that wait, and are leased in the same way."""
    first = stored(store, 2)[0]
    store.commit(first.record_outcomes())

    assert store.outstanding(LATER, 1, unpublished=True) == ("order_001",)
    assert elsewhere(lambda: store.outstanding(LATER, 9, unpublished=True)) == ("order_000",)
    assert store.outstanding(LATER, 9, unpublished=True) == ("order_001",)
    store.commit(first.publish())
    assert elsewhere(lambda: store.outstanding(LATER, 9, unpublished=True)) == ()


def test_without_a_lease_every_worker_is_named_every_order(url: str, elsewhere: Elsewhere) -> None:
    """With `worker_lease=0`, all outstanding orders are named to every worker and nothing is written."""
    with closing(SqlReturns(url, worker_lease=0)) as store:
        stored(store, 2)
        for _ in range(2):
            assert store.outstanding(LATER, 9) == ("order_000", "order_001")
            assert elsewhere(lambda: store.outstanding(LATER, 9)) == ("order_000", "order_001")
        with store.engine.connect() as connection:
            assert connection.scalar(text("SELECT max(leased_until) FROM rma_ledgers")) is None


def test_an_order_that_is_being_written_is_skipped(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """A worker does not wait for a transaction of the host; it skips the order until that ends."""
    waiting, _ = stored(store, 2)
    with store.engine.begin() as connection:
        store.in_transaction(connection).commit(waiting.record_outcomes())

        assert elsewhere(lambda: store.outstanding(LATER, 9)) == ("order_001",)
        connection.rollback()

    assert elsewhere(lambda: store.outstanding(LATER, 9)) == ("order_000", "order_001")


class CountingGateway:
    """A gateway that pays and counts its calls by key, from all workers."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Counts the call and returns a success."""
        self.asked[request.key] += 1
        return RefundSucceeded(f"re_{request.key}")


def service(
    store: SqlReturns, payments: CountingGateway, lives: list[CoreHarness], now: datetime = LATER
) -> ReturnService:
    """Returns a service over these orders."""
    return in_memory_service(
        [each.order for each in lives], payments=payments, returns=store, clock=lambda: now
    )


def test_workers_at_once_send_each_refund_once(url: str) -> None:
    """Three workers with stores of their own resume 240 orders, and each refund is sent once."""
    payments, count, workers = CountingGateway(), 240, 3
    with closing(SqlReturns(url)) as store:
        lives = stored(store, count)
    together = Barrier(workers)

    def work() -> ResumeResult:
        with closing(SqlReturns(url)) as own:
            together.wait()
            return service(own, payments, lives).resume()

    with ThreadPoolExecutor(workers) as threads:
        done = [each.result() for each in [threads.submit(work) for _ in range(workers)]]

    orders = [order_id for each in done for order_id in each.orders]
    assert sorted(orders) == [each.order.id for each in lives]
    assert set(payments.asked.values()) == {1}
    assert len(payments.asked) == count
    assert [each.still_open for each in done] == [()] * workers


def test_one_worker_reaches_every_order(store: SqlReturns) -> None:
    """One `resume` reaches 250 orders, although the first 120 ledgers cannot be read."""
    lives = stored(store, 250)
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE rma_ledgers SET document = '{' WHERE order_id < 'order_120'"),
        )

    resumed = service(store, CountingGateway(), lives).resume()

    assert len(resumed.orders) == 250
    assert resumed.still_open == tuple([f"order_{number:03}" for number in range(120)])


def test_a_resume_after_a_port_failed_does_not_wait_for_the_lease(
    store: SqlReturns, elsewhere: Elsewhere
) -> None:
    """Another worker can resume as soon as the failed attempts are due, as they were committed."""

    class Away(CountingGateway):
        def refund(self, request: RefundRequest) -> RefundOutcome:
            raise TimeoutError

    lives = stored(store, 2)

    assert len(service(store, Away(), lives).resume().still_open) == 2
    in_time = LATER + timedelta(hours=1)  # when the attempts that failed are due again
    found = elsewhere(lambda: service(store, CountingGateway(), lives, in_time).resume())
    assert (len(found.orders), found.still_open) == (2, ())
    assert store.outstanding(LATER, 9) == ()


def test_leasing_uses_the_index_of_waiting_orders(store: SqlReturns) -> None:
    """The statement that leases reads the waiting orders by their index."""
    stored(store, 3)
    parameters = {
        "now": "2027-01-01T00:00:00+00:00",
        "until": "2028-01-01T00:00:00+00:00",
        "worker": "me",
        "limit": 9,
        "seconds": 60.0,
    }
    with store.engine.connect() as connection:
        for way in ("seqscan", "bitmapscan", "sort"):  # whether the index can serve, not whether it pays
            connection.execute(text(f"SET enable_{way} = off"))
        leased = DUE.leased.postgresql
        plan = [
            str(row[0])
            for row in connection.exec_driver_sql(
                f"EXPLAIN {leased.text}", {**leased.constants, **parameters}
            )
        ]
    assert any("rma_ledgers_due" in step for step in plan), plan
