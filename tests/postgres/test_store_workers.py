"""Workers that resume share what is outstanding; nobody waits for them, none of it stays with the dead."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import RefundOutcome, RefundRequest, RefundSucceeded, ResumeResult, ReturnService
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.statements import WAITING
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import line, order_of, receive, request

T = TypeVar("T")
HOLD = timedelta(seconds=60)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def store(url: str) -> Iterator[SqlReturns]:
    """As it is unless told."""
    with closing(SqlReturns(url)) as opened:
        yield opened


class Elsewhere:
    """Another worker, always the same: a thread."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def __call__(self, run: Callable[[], T]) -> T:
        """What this comes to there."""
        return self._threads.submit(run).result()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """As long as the test goes on."""
    with ThreadPoolExecutor(1) as threads:
        yield Elsewhere(threads)


def life(number: int) -> CoreHarness:
    """An order that waits for a refund, the longer the lower its number."""
    order = evolve(order_of(line(quantity=2)), id=f"order_{number:03}")
    harness = CoreHarness(order, ids=counting(f"{number}_"), at=START + number * timedelta(hours=1))
    harness.handle(evolve(request(1), order_id=order.id))
    harness.handle(receive(1, return_id=f"ret_{number}_1"))
    return harness


def stored(store: SqlReturns, count: int) -> list[CoreHarness]:
    """So many orders that wait."""
    lives = [life(number) for number in range(count)]
    for each in lives:
        for change in each.changes:
            store.commit(change)
    return lives


def test_what_one_worker_has_is_not_named_to_another(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """To itself it is. When the time is over, to the microsecond, whoever asks first has it."""
    ids = tuple([each.order.id for each in stored(store, 4)])

    assert store.outstanding(START, 3) == ids[:3]
    assert elsewhere(lambda: store.outstanding(START, 3)) == ids[3:]
    assert store.outstanding(START + HOLD - MOMENT, 9) == ids[:3]
    assert elsewhere(lambda: store.outstanding(START + HOLD - MOMENT, 9)) == ids[3:]
    assert elsewhere(lambda: store.outstanding(START + HOLD, 9)) == ids
    assert store.outstanding(START + HOLD, 9) == ()


def test_a_commit_lets_go(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """What is outstanding after it is anybody's."""
    (waiting,) = stored(store, 1)
    assert store.outstanding(START, 9) == ("order_000",)
    before = store.load("order_000")
    assert elsewhere(lambda: store.outstanding(START, 9)) == ()

    store.commit(waiting.handle(evolve(request(1), order_id="order_000")))

    assert store.load("order_000").revision == before.revision + 1
    assert elsewhere(lambda: store.outstanding(START, 9)) == ("order_000",)


def test_unpublished_orders_are_shared_too(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """Behind those that wait, as ever."""
    first = stored(store, 2)[0]
    store.commit(first.record_outcomes())

    assert store.outstanding(START, 1, unpublished=True) == ("order_001",)
    assert elsewhere(lambda: store.outstanding(START, 9, unpublished=True)) == ("order_000",)
    assert store.outstanding(START, 9, unpublished=True) == ("order_001",)
    store.commit(first.publish())
    assert elsewhere(lambda: store.outstanding(START, 9, unpublished=True)) == ()


def test_without_holding_everybody_is_named_everything(url: str, elsewhere: Elsewhere) -> None:
    """And nothing is written."""
    with closing(SqlReturns(url, worker_lease=0)) as store:
        stored(store, 2)
        for _ in range(2):
            assert store.outstanding(START, 9) == ("order_000", "order_001")
            assert elsewhere(lambda: store.outstanding(START, 9)) == ("order_000", "order_001")
        with store.engine.connect() as connection:
            assert connection.scalar(text("SELECT max(leased_until) FROM rma_ledgers")) is None


def test_who_is_written_at_this_moment_is_passed_over(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """The worker does not wait for a host's transaction, however long that takes."""
    waiting, _ = stored(store, 2)
    with store.engine.begin() as connection:
        store.in_transaction(connection).commit(waiting.record_outcomes())

        assert elsewhere(lambda: store.outstanding(START, 9)) == ("order_001",)
        connection.rollback()

    assert elsewhere(lambda: store.outstanding(START, 9)) == ("order_000", "order_001")


class Slow:
    """Pays; notes what it was asked, by whom ever."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """At once."""
        self.asked[request.key] += 1
        return RefundSucceeded(f"re_{request.key}")


def service(store: SqlReturns, payments: Slow, lives: list[CoreHarness]) -> ReturnService:
    """Over these orders."""
    return in_memory_service(
        [each.order for each in lives], payments=payments, returns=store, clock=lambda: START
    )


def test_workers_at_once_send_each_refund_once(url: str) -> None:
    """Each of them is a process of its own here, as far as the database can tell."""
    payments, count, workers = Slow(), 240, 3
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


def test_one_worker_comes_to_everybody(store: SqlReturns) -> None:
    """Past those whose ledgers can not be read, though they stay in front."""
    lives = stored(store, 250)
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE rma_ledgers SET document = '{' WHERE order_id < 'order_120'"),
        )

    resumed = service(store, Slow(), lives).resume()

    assert len(resumed.orders) == 250
    assert resumed.still_open == tuple([f"order_{number:03}" for number in range(120)])


def test_a_resume_after_a_port_was_away_needs_not_wait(store: SqlReturns, elsewhere: Elsewhere) -> None:
    """Whoever runs it: that nobody answered was committed."""

    class Away(Slow):
        def refund(self, request: RefundRequest) -> RefundOutcome:
            raise TimeoutError

    lives = stored(store, 2)

    assert len(service(store, Away(), lives).resume().still_open) == 2
    assert elsewhere(lambda: service(store, Slow(), lives).resume()).still_open == ()
    assert store.outstanding(START, 9) == ()


def test_the_index_still_finds_them(store: SqlReturns) -> None:
    """Of many orders only those that wait are looked at, in the order in which they are wanted."""
    stored(store, 3)
    parameters = {"now": "2027", "until": "2028", "worker": "me", "limit": 9}
    with store.engine.connect() as connection:
        for way in ("seqscan", "bitmapscan", "sort"):  # whether the index can serve, not whether it pays
            connection.execute(text(f"SET enable_{way} = off"))
        compiled = WAITING.leased.compile(connection)
        plan = [
            str(row[0])
            for row in connection.exec_driver_sql(
                f"EXPLAIN {compiled}", compiled.construct_params(parameters)
            )
        ]
    assert any("rma_ledgers_waiting" in step for step in plan), plan
