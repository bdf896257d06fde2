"""
What this library costs above the SQL that it runs, on a SQLite file with WAL and `synchronous=FULL`.

    python benchmarks/sqlite.py [directory of the disk to measure [returns stored besides]]

It times `RequestReturn`, `ReceiveReturn` when exactly that arrives, and the same `ReceiveReturn` again.
Beside each runs its *floor*: the very same statements with the very same parameters, BEGIN and COMMIT
included, recorded from an earlier run of ours and executed on another file by a bare `sqlite3` cursor. The
floor knows every statement beforehand: no rules, no JSON, no SQLAlchemy. Both files must end with the same
rows before anything is printed.

How to read it: ours and the floor take turns in one process, each going first in every second pair, and
`ratio` is the median over the pairs. A ratio depends on the disk: what is in the floor is mostly the wait
for it, once a commit. So the table also says what ours adds in microseconds, which does not depend on the
disk, and what the ratio would be with that on a disk that needs a millisecond for a sync. Nothing here
fails because of a time.
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

#: How many pairs of samples are taken, and how many more come first to warm up.
PAIRS, WARM_UP = 400, 40

#: How many returns of other orders the large database holds, unless given.
MANY = 10_000

#: Commits of each operation.
COMMITS = {"RequestReturn": 1, "ReceiveReturn": 2, "the same again": 0}

TABLES = ("rma_ledgers", "rma_returns", "rma_events")

#: A statement, its parameters, and whether these are many.
Statement = tuple[str, object, bool]
Row = tuple[object, ...]


@frozen
class Scenario:
    """
    What is timed.

    Attributes:
        lines: of each order.
        stored: returns of other orders in the database.
        earlier: returns of the same order, received before.
        is_known: False if another process does each operation, so that nothing of the order is in memory.
    """

    name: str
    lines: int = 1
    stored: int = 0
    earlier: int = 0
    is_known: bool = True


def scenarios(many: int) -> tuple[Scenario, ...]:
    """One after the other."""
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
    """An id that is nowhere near that of the next number, as ids in the wild are."""
    return f"{random.Random(number).getrandbits(64):016x}"


# What both are given


def order_with(order_id: str, scenario: Scenario) -> Order:
    """An order with enough units for every return of it."""
    order = order_of(scenario.lines)
    units = 2 * (scenario.earlier + 2)
    items = [evolve(line, quantity=units, fulfilled_quantity=units) for line in order.items]
    return evolve(order, id=order_id, items=items)


def request_of(order: Order) -> RequestReturn:
    """Two units of every line."""
    items = [RequestedItem(item_id=line.id, quantity=2) for line in order.items]
    return RequestReturn(order_id=order.id, items=items, idempotency_key="request")


def receipt_of(order: Order, return_id: str) -> ReceiveReturn:
    """Everything arrives, and can be sold again."""
    items = [ReceivedItem(item_id=line.id, quantity=2) for line in order.items]
    return ReceiveReturn(return_id=return_id, items=items, idempotency_key="receive")


# Ours


@frozen
class Ours:
    """A service over a database file, and the orders that are timed one after the other."""

    returns: SqlReturns
    service: ReturnService
    orders: tuple[Order, ...]

    def operations(self, number: int) -> tuple[tuple[str, Callable[[], object]], ...]:
        """What is timed, on one order."""
        order = self.orders[number]
        receipt = receipt_of(order, f"ret_{scattered(-number - 1)}")
        return (
            ("RequestReturn", lambda: self.service.handle(request_of(order))),
            ("ReceiveReturn", lambda: self.service.handle(receipt)),
            ("the same again", lambda: self.service.handle(receipt)),
        )


def ours_in(file: Path, scenario: Scenario, orders: tuple[Order, ...]) -> Ours:
    """Ours over a new file, with everything in it that the scenario wants to be there."""
    returns = SqlReturns(f"sqlite:///{file}")
    returns.load("")  # makes the tables
    with closing(sqlite3.connect(file)) as connection:
        for table, row in stored_before(scenario, orders):
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ids = (scattered(-number) for number in count(1))
    return Ours(returns, service_over(returns, orders, ids), orders)


def service_over(returns: SqlReturns, orders: Iterable[Order], ids: Iterator[str]) -> ReturnService:
    """A service whose other ports cost next to nothing."""
    return ReturnService(
        orders=InMemoryOrders(orders),
        returns=returns,
        inventory=InMemoryInventory(),
        payments=InMemoryPayments(),
        clock=lambda: AT,
        ids=lambda: next(ids),
    )


def stored_before(scenario: Scenario, orders: tuple[Order, ...]) -> Iterator[tuple[str, Row]]:
    """Table by table, the rows of other orders' returns, and of the earlier returns of these orders."""
    others = (scattered(number) for number in range(len(orders), len(orders) + scenario.stored))
    for returned, order_ids in ((1, others), (scenario.earlier, [order.id for order in orders])):
        rows = template(scenario, returned)
        for order_id in order_ids:
            for table, row in rows:
                renamed = [each.replace("@", order_id) if isinstance(each, str) else each for each in row]
                yield table, tuple(renamed)


def template(scenario: Scenario, returned: int) -> list[tuple[str, Row]]:
    """Table by table, the rows of an order `@`, of which so many returns `ret_@_{n}` were received."""
    order = order_with("@", scenario)
    returns = SqlReturns("sqlite://")
    returns.load("")
    service = service_over(returns, [order], (f"@_{number}" for number in count()))
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


def recorded(ours: Ours) -> list[list[list[Statement]]]:
    """By order and operation, the statements that ours runs."""
    statements: list[Statement] = []

    class Cursor(sqlite3.Cursor):
        """Remembers."""

        def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
            statements.append((sql, parameters, False))
            return super().execute(sql, parameters)

        def executemany(self, sql: str, rows: Any) -> "Cursor":
            statements.append((sql, rows, True))
            return super().executemany(sql, rows)

    class Connection(sqlite3.Connection):
        """Its cursors remember, and it when it commits."""

        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            if self.in_transaction:
                statements.append(("COMMIT", (), False))
            super().commit()

    def connect(*arguments: Any) -> None:
        arguments[-1]["factory"] = Connection

    event.listen(ours.returns.engine, "do_connect", connect)
    ours.returns.close()
    ours.returns.load("")
    statements.clear()
    found = []
    for number in range(len(ours.orders)):
        of_order = []
        for _, run in ours.operations(number):
            run()
            of_order.append(statements.copy())
            statements.clear()
        found.append(of_order)
    return found


def floor_in(file: Path) -> sqlite3.Connection:
    """A bare connection, as durable as ours."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def run_floor(cursor: sqlite3.Cursor, statements: list[Statement]) -> object:
    """The statements, one after the other, and what they find."""
    found = None
    for sql, parameters, is_many in statements:
        if is_many:
            cursor.executemany(sql, parameters)  # type: ignore[arg-type] # as recorded
        else:
            found = cursor.execute(sql, parameters).fetchall()  # type: ignore[arg-type] # as recorded
    return found


# Ours and the floor side by side


@frozen
class Timing:
    """Microseconds of each side, pair by pair."""

    ours: list[float] = field(factory=list)
    floor: list[float] = field(factory=list)

    @property
    def added(self) -> float:
        """What ours costs above its floor: microseconds."""
        return median([mine - least for mine, least in zip(self.ours, self.floor, strict=True)])

    @property
    def ratio(self) -> float:
        """Ours over the floor of the same pair."""
        return median([mine / least for mine, least in zip(self.ours, self.floor, strict=True)])


def measured(scenario: Scenario, directory: Path) -> dict[str, Timing]:
    """Each operation of the scenario."""
    orders = tuple([order_with(scattered(number), scenario) for number in range(PAIRS + WARM_UP)])
    recording, ours = [ours_in(directory / name, scenario, orders) for name in ("recorded.db", "ours.db")]
    ours_in(directory / "floor.db", scenario, orders).returns.close()
    recordings = recorded(recording)
    timings = {name: Timing() for name in COMMITS}
    with closing(floor_in(directory / "floor.db")) as connection:
        cursor = connection.cursor()
        for number, statements in enumerate(recordings):
            if scenario.is_known:  # both have read it before
                ours.returns.load(orders[number].id)
                run_floor(cursor, statements[0][:1])
            gc.collect(0)
            for (name, run), floor in zip(ours.operations(number), statements, strict=True):
                if not scenario.is_known:
                    cache.clear()
                if number % 2:  # who goes first finds the caches cold
                    mine = _microseconds(run)
                    least = _microseconds(lambda: run_floor(cursor, floor))  # noqa: B023 # called at once
                else:
                    least = _microseconds(lambda: run_floor(cursor, floor))  # noqa: B023 # called at once
                    mine = _microseconds(run)
                if number >= WARM_UP:
                    timings[name].ours.append(mine)
                    timings[name].floor.append(least)
    recording.returns.close()
    ours.returns.close()
    for row, same in zip(rows_in(directory / "ours.db"), rows_in(directory / "floor.db"), strict=True):
        assert row == same
    return timings


def rows_in(file: Path) -> Iterator[Row]:
    """All rows, table by table."""
    with closing(sqlite3.connect(file)) as connection:
        for table in TABLES:
            yield from connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")


def sync_time(directory: Path) -> float:
    """How long this disk needs until four kilobytes are on it: microseconds."""
    taken = []
    with (directory / "sync").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            taken.append(_microseconds(lambda: os.fsync(file.fileno())))
    return median(taken)


def _microseconds(run: Callable[[], object]) -> float:
    start = perf_counter_ns()
    kept = run()
    end = perf_counter_ns()
    del kept  # only now: taking it apart is not part of the work
    return (end - start) / 1000


def main() -> None:
    """Print the table."""
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
            timings = measured(scenario, Path(directory))
        gc.collect()
        for name, timing in timings.items():
            slower = COMMITS[name] * (1000 - sync)
            floor = median(timing.floor) + slower
            print(
                f"{name:<15} {scenario.name:<32} {median(timing.ours):>9.0f} {median(timing.floor):>9.0f}"
                f" {timing.added:>9.0f} {timing.ratio:>6.2f} {(floor + timing.added) / floor:>8.2f}"
            )


if __name__ == "__main__":
    main()
