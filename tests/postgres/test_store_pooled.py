"""Behind a pooler by transaction, every answer is that of the statement that was asked."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from attrs import evolve
from sqlalchemy import Connection, create_engine, make_url, text

from rma import ReturnQuery, Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.testing.core_harness import CoreHarness
from tests.postgres.pooler import lending_pooler, pgbouncer, running_pgbouncer
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.sql.in_transaction import shop

#: PgBouncer where it is installed, and always one that lends the connections of a server as it does.
POOLERS = {"written for tests": lending_pooler} | ({"PgBouncer": running_pgbouncer} if pgbouncer() else {})


@pytest.fixture(params=POOLERS)
def pooled(request: pytest.FixtureRequest, url: str) -> Iterator[str]:
    """Yields the URL of an empty schema behind a pooler."""
    with POOLERS[request.param](url) as behind:
        yield behind


def harness() -> CoreHarness:
    """Returns the core with an order of mugs, without ports."""
    return CoreHarness(order_of(line(quantity=99)))


def answers(store: SqlReturns) -> list[object]:
    """Returns what the store answers to one of each read, in words that compare."""
    query = ReturnQuery(limit=10)
    return [
        store.load("order_1"),
        store.load_by_return("ret_1"),
        store.history("order_1"),
        store.find(query),
        store.count(query),
        tuple(store.outstanding(harness().now, 10, unpublished=True)),
    ]


def test_clients_of_a_pooler_read_what_is_stored(pooled: str, url: str) -> None:
    """Each of several processes that share two connections of the server reads the same as one without."""
    life = harness()
    with ExitStack() as opened:
        direct, *stores = [
            opened.enter_context(closing(SqlReturns(each, worker_lease=0))) for each in (url, *[pooled] * 3)
        ]
        direct.commit(life.handle(request(1)))
        direct.commit(life.handle(receive(1)))
        expected = answers(direct)
        reads: list[Callable[[SqlReturns], object]] = [
            lambda store: store.load("order_1"),
            lambda store: store.load_by_return("ret_1"),
            lambda store: store.history("order_1"),
        ]
        for turn in range(60):  # each prepares its statements in another order
            for number, store in enumerate(stores):
                reads[(turn // 10 + number) % 3](store)
        for store in stores:
            assert answers(store) == expected


def test_commands_through_a_pooler_are_done_once(pooled: str, url: str) -> None:
    """Commits and reads of several processes, in their own transactions and in the host's."""
    with ExitStack() as opened:
        stores = [opened.enter_context(closing(SqlReturns(pooled))) for _ in range(3)]
        direct = opened.enter_context(closing(SqlReturns(url)))
        service = shop(direct)
        for number in range(24):
            store = stores[number % 3]
            of_store, asked = evolve(service, returns=store), request(1, idempotency_key=str(number // 6))
            of_store.handle(asked)
            with store.engine.begin() as connection:
                of_store.in_transaction(connection).handle(asked)
        assert len(direct.load("order_1").returns) == 4


def test_awaited_clients_of_a_pooler_read_what_is_stored(pooled: str, url: str) -> None:
    """The same for stores that are awaited."""
    life = harness()
    with closing(SqlReturns(url)) as direct:
        direct.commit(life.handle(request(1)))
        direct.commit(life.handle(receive(1)))
        history = direct.history("order_1")

    async def simulate() -> None:
        stores = [AsyncSqlReturns(pooled, worker_lease=0) for _ in range(3)]
        for turn in range(60):
            for number, store in enumerate(stores):
                if (turn // 10 + number) % 2:
                    assert_alike(await store.load("order_1"), life.ledger)
                else:
                    assert await store.history("order_1") == history
        for store in stores:
            await store.close()

    asyncio.run(simulate())


def threshold(connection: Connection) -> int | None:
    """Returns after how many executions the connection prepares a statement."""
    driver = connection.connection.driver_connection
    found: int | None = driver.prepare_threshold  # type: ignore[union-attr] # psycopg's
    return found


def with_one_connection(url: str) -> SqlReturns:
    """Returns a store over an engine of the host, whose only connection is not kept between uses."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_size=1, max_overflow=0)
    return SqlReturns(engine)


def test_without_a_pooler_statements_are_prepared(url: str) -> None:
    """The process that answers is the one that the protocol named."""
    with closing(with_one_connection(url)) as store:
        store.load("order_1")
        with store.engine.connect() as connection:
            assert threshold(connection) == 5


def mix_up(connection: Connection, with_: str) -> None:
    """Puts another client's statement in the place of each that this connection has prepared."""
    for name in connection.scalars(text("SELECT name FROM pg_prepared_statements")).all():
        connection.exec_driver_sql(f"DEALLOCATE {name}")
        connection.exec_driver_sql(f"PREPARE {name} AS {with_}")


@pytest.mark.parametrize(
    "other",
    [
        "SELECT $1::text AS name WHERE false",
        "SELECT 1 AS a, $1::text AS b",
        "DELETE FROM rma_format WHERE $1::text = 'never'",
    ],
)
def test_an_answer_to_another_statement_is_not_an_empty_ledger(url: str, other: str) -> None:
    """
    Where a pooler could not be noticed, an answer with other columns raises `store_mixed_up`, even if it has
    no rows; so does the answer to a commit.
    """
    life = harness()
    with closing(with_one_connection(url)) as store:
        store.commit(life.handle(request(1)))
        with store.engine.connect() as connection:
            connection.connection.driver_connection.prepare_threshold = 0  # type: ignore[union-attr] # psycopg's
        reads: list[Callable[[], object]] = [
            lambda: store.load("order_1"),
            lambda: store.load_by_return("ret_1"),
            lambda: store.history("order_1"),
        ]
        for read in reads:
            read()
        with store.engine.connect() as connection:
            mix_up(connection.execution_options(isolation_level="AUTOCOMMIT"), other)
        for read in reads:
            with pytest.raises(Unavailable) as error:
                read()
            assert error.value.code == "store_mixed_up"
