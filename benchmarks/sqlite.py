"""
Measures what this library costs above the SQL it runs, on a SQLite file with WAL and `synchronous=FULL`.

    python benchmarks/sqlite.py [directory of the disk to measure [returns of other orders]]

It times `RequestReturn`, `ReceiveReturn` when exactly the requested units arrive, and the same
`ReceiveReturn` again. Each is compared with its *floor*: the same statements with the same parameters, BEGIN
and COMMIT included, recorded from an earlier run and executed on another file by a bare `sqlite3` cursor. The
floor has no rules, JSON or SQLAlchemy. Both files must end with the same rows before anything is printed.

How to read it: the library and the floor take turns in one process, each of them first in every second pair,
and `ratio` is the median over the pairs. The ratio depends on the disk, because the floor mostly waits for
one sync a commit. Therefore the table also has the microseconds that the library adds, which do not depend
on the disk, and the ratio for a disk that needs a millisecond for a sync. No time makes this script fail.
"""

import gc
import os
import platform
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from attrs import evolve, field, frozen
from in_memory import AT, order_of
from sqlalchemy import event

from rma import Order, ReceivedItem, ReceiveReturn, RequestedItem, RequestReturn, ReturnService
from rma.adapters.memory import InMemoryInventory, InMemoryOrders, InMemoryPayments
from rma.adapters.sql import SqlReturns, cache

#: Number of pairs of samples, and of earlier pairs that warm up.
PAIRS, WARM_UP = 400, 40

#: Number of returns of other orders in the large database, by default.
MANY = 10_000

#: Number of commits of each operation.
COMMITS = {"RequestReturn": 1, "ReceiveReturn": 2, "the same again": 0}

#: Stands for the id of any order in a template.
ANY = "-any-"

TABLES = ("rma_ledgers", "rma_returns", "rma_events")

#: A statement, its parameters, and whether it runs once for each of them.
Statement = tuple[str, object, bool]
Row = tuple[object, ...]


@frozen
class Scenario:
    """
    A kind of order and database to time.

    Attributes:
        lines: number of lines of each order.
        stored: number of returns of other orders in the database.
        earlier: number of returns of the same order that were received before.
        is_known: False to clear the cache before each operation, as if another process ran it.
    """

    name: str
    lines: int = 1
    stored: int = 0
    earlier: int = 0
    is_known: bool = True


def scenarios(many: int) -> tuple[Scenario, ...]:
    """Returns the scenarios, in the order in which they are timed."""
    return (
        Scenario("1 line"),
        Scenario("10 lines", lines=10),
        Scenario("100 lines", lines=100),
        Scenario(f"{many} stored", stored=many),
        Scenario("20 earlier", earlier=20),
        Scenario("1 line, not known", is_known=False),
        Scenario("10 lines, not known", lines=10, is_known=False),
        Scenario("20 earlier, not known", earlier=20, is_known=False),
    )


def scattered(number: int) -> str:
    """Returns an id that does not sort next to that of the next number, like random ids."""
    return f"{random.Random(number).getrandbits(64):016x}"


# Input of both


def order_with(order_id: str, scenario: Scenario) -> Order:
    """Returns an order with enough units for all its returns."""
    order = order_of(scenario.lines)
    units = 2 * (scenario.earlier + 2)
    items = [evolve(line, quantity=units, fulfilled_quantity=units) for line in order.items]
    return evolve(order, id=order_id, items=items)


def request_of(order: Order) -> RequestReturn:
    """Requests two units of every line."""
    items = [RequestedItem(item_id=line.id, quantity=2) for line in order.items]
    return RequestReturn(order_id=order.id, items=items, idempotency_key="request")


def receipt_of(order: Order, return_id: str) -> ReceiveReturn:
    """Receives all requested units, undamaged."""
    items = [ReceivedItem(item_id=line.id, quantity=2) for line in order.items]
    return ReceiveReturn(return_id=return_id, items=items, idempotency_key="receive")


# The library


@frozen
class Library:
    """A service with a database, and the orders that are timed one after the other."""

    returns: SqlReturns
    service: ReturnService
    orders: tuple[Order, ...]

    def operations(self, number: int) -> tuple[tuple[str, Callable[[], object]], ...]:
        """Returns the operations on one order, by name."""
        order = self.orders[number]
        receipt = receipt_of(order, f"ret_{scattered(-number - 1)}")
        return (
            ("RequestReturn", lambda: self.service.handle(request_of(order))),
            ("ReceiveReturn", lambda: self.service.handle(receipt)),
            ("the same again", lambda: self.service.handle(receipt)),
        )


def library_in(file: Path, scenario: Scenario, orders: tuple[Order, ...]) -> Library:
    """Returns the library with a new file that contains the rows of the scenario."""
    returns = SqlReturns(f"sqlite:///{file}")
    returns.load("")  # creates the tables
    with closing(sqlite3.connect(file)) as connection:
        for table, row in stored_before(scenario, orders):
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ids = (scattered(-number) for number in count(1))
    return Library(returns, service_over(returns, orders, ids), orders)


def service_over(returns: SqlReturns, orders: Iterable[Order], ids: Iterator[str]) -> ReturnService:
    """Returns a service whose other ports are in memory."""
    return ReturnService(
        orders=InMemoryOrders(orders),
        returns=returns,
        inventory=InMemoryInventory(),
        payments=InMemoryPayments(),
        clock=lambda: AT,
        ids=lambda: next(ids),
    )


def stored_before(scenario: Scenario, orders: tuple[Order, ...]) -> Iterator[tuple[str, Row]]:
    """Yields the table and row of returns of other orders, and of earlier returns of these orders."""
    others = (scattered(number) for number in range(len(orders), len(orders) + scenario.stored))
    for returned, order_ids in ((1, others), (scenario.earlier, [order.id for order in orders])):
        rows = template(scenario, returned)
        for order_id in order_ids:
            for table, row in rows:
                renamed = [each.replace(ANY, order_id) if isinstance(each, str) else each for each in row]
                yield table, tuple(renamed)


def template(scenario: Scenario, returned: int) -> list[tuple[str, Row]]:
    """Returns the table and row of the order `ANY` that has received returns `ret_ANY_{n}`."""
    order = order_with(ANY, scenario)
    returns = SqlReturns("sqlite://")
    returns.load("")
    service = service_over(returns, [order], (f"{ANY}_{number}" for number in count()))
    for _ in range(returned):
        opened = service.handle(evolve(request_of(order), idempotency_key=None))
        service.handle(evolve(receipt_of(order, opened.id), idempotency_key=None))
    with returns.engine.connect() as connection:
        rows = [
            (table, tuple(row))
            for table in TABLES
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]
    returns.close()
    return rows


# The floor


def record_statements(library: Library) -> list[list[list[Statement]]]:
    """Runs every operation, and returns the statements by order and operation."""
    statements: list[Statement] = []

    class Cursor(sqlite3.Cursor):
        """Records statements."""

        def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
            statements.append((sql, parameters, False))
            return super().execute(sql, parameters)

        def executemany(self, sql: str, rows: Any) -> "Cursor":
            statements.append((sql, rows, True))
            return super().executemany(sql, rows)

    class Connection(sqlite3.Connection):
        """Records commits; its cursors record statements."""

        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            if self.in_transaction:
                statements.append(("COMMIT", (), False))
            super().commit()

    def connect(*arguments: Any) -> None:
        arguments[-1]["factory"] = Connection

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


def floor_in(file: Path) -> sqlite3.Connection:
    """Returns a bare connection with the same durability."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def run_floor(cursor: sqlite3.Cursor, statements: list[Statement]) -> object:
    """Runs the statements, and returns the rows of the last one."""
    found = None
    for sql, parameters, is_many in statements:
        if is_many:
            cursor.executemany(sql, parameters)  # type: ignore[arg-type] # as recorded
        else:
            found = cursor.execute(sql, parameters).fetchall()  # type: ignore[arg-type] # as recorded
    return found


# The library and the floor side by side


@frozen
class Timing:
    """Microseconds of each side, pair by pair."""

    library: list[float] = field(factory=list)
    floor: list[float] = field(factory=list)

    @property
    def added(self) -> float:
        """Microseconds that the library adds to the floor."""
        return median([mine - least for mine, least in zip(self.library, self.floor, strict=True)])

    @property
    def ratio(self) -> float:
        """The library divided by the floor, in one pair."""
        return median([mine / least for mine, least in zip(self.library, self.floor, strict=True)])


def measure(scenario: Scenario, directory: Path) -> dict[str, Timing]:
    """Times each operation of the scenario."""
    orders = tuple([order_with(scattered(number), scenario) for number in range(PAIRS + WARM_UP)])
    recording, library = [
        library_in(directory / name, scenario, orders) for name in ("recorded.db", "library.db")
    ]
    library_in(directory / "floor.db", scenario, orders).returns.close()
    recordings = record_statements(recording)
    timings = {name: Timing() for name in COMMITS}
    with closing(floor_in(directory / "floor.db")) as connection:
        cursor = connection.cursor()
        for number, statements in enumerate(recordings):
            if scenario.is_known:  # both have read the order before
                library.returns.load(orders[number].id)
                run_floor(cursor, statements[0][:1])
            gc.collect(0)
            for (name, run), floor in zip(library.operations(number), statements, strict=True):
                if not scenario.is_known:
                    cache.clear()
                if number % 2:  # the first of a pair finds the caches cold
                    mine = _microseconds(run)
                    least = _microseconds(lambda: run_floor(cursor, floor))  # noqa: B023 # called at once
                else:
                    least = _microseconds(lambda: run_floor(cursor, floor))  # noqa: B023 # called at once
                    mine = _microseconds(run)
                if number >= WARM_UP:
                    timings[name].library.append(mine)
                    timings[name].floor.append(least)
    recording.returns.close()
    library.returns.close()
    for row, same in zip(rows_in(directory / "library.db"), rows_in(directory / "floor.db"), strict=True):
        assert row == same
    return timings


def rows_in(file: Path) -> Iterator[Row]:
    """Yields all rows, table by table."""
    with closing(sqlite3.connect(file)) as connection:
        for table in TABLES:
            yield from connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")


def sync_time(directory: Path) -> float:
    """Returns the microseconds that this disk needs to store four kilobytes."""
    times = []
    with (directory / "sync").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            times.append(_microseconds(lambda: os.fsync(file.fileno())))
    return median(times)


def _microseconds(run: Callable[[], object]) -> float:
    start = perf_counter_ns()
    kept = run()
    end = perf_counter_ns()
    del kept  # deleted here, because freeing it is not part of the work
    return (end - start) / 1000


def main() -> None:
    """Prints the table."""
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    many = int(sys.argv[2]) if len(sys.argv) > 2 else MANY
    with tempfile.TemporaryDirectory(dir=parent) as found:
        sync = sync_time(Path(found))
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}")
    print(f"SQLite {sqlite3.sqlite_version}; a sync takes {sync:.0f} us")
    print(
        f"{'operation':<15} {'scenario':<32} {'ours us':>9} {'floor us':>9} {'added us':>9} {'ratio':>6}"
        f" {'at 1 ms':>8}"
    )
    gc.collect()
    gc.disable()
    for scenario in scenarios(many):
        with tempfile.TemporaryDirectory(dir=parent) as directory:
            timings = measure(scenario, Path(directory))
        gc.collect()
        for name, timing in timings.items():
            slower = COMMITS[name] * (1000 - sync)
            floor = median(timing.floor) + slower
            print(
                f"{name:<15} {scenario.name:<32} {median(timing.library):>9.0f} {median(timing.floor):>9.0f}"
                f" {timing.added:>9.0f} {timing.ratio:>6.2f} {(floor + timing.added) / floor:>8.2f}"
            )


if __name__ == "__main__":
    main()
