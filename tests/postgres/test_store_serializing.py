"""
A statement that cannot be serialized is repeated, as databases that are stricter or spread wide expect.

The server raises the error itself, as often as a test says: from a function in a view, or from a trigger.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from rma import ReturnLedger, StaleLedger, Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.adapters.sql.repetition import TRIES
from rma.adapters.sql.schema import events, ledgers
from rma.testing.core_harness import CoreHarness
from tests.rules.given import line, order_of, receive, request
from tests.sql.in_transaction import shop


@pytest.fixture
def store(url: str) -> Iterator[SqlReturns]:
    """Yields a store over an empty schema."""
    with closing(SqlReturns(url)) as opened:
        yield opened


def let_fail(store: SqlReturns, times: int) -> None:
    """Makes a function that raises 40001 so often; what a sequence counted is not rolled back."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SEQUENCE failures")
        for returned, value in (("boolean", "true"), ("trigger", "new")):
            connection.exec_driver_sql(
                f"CREATE FUNCTION fail_for_{returned}() RETURNS {returned} LANGUAGE plpgsql VOLATILE AS $$"
                f" BEGIN IF nextval('failures') <= {times} THEN"
                "   RAISE EXCEPTION 'restart transaction' USING ERRCODE = '40001';"
                f" END IF; RETURN {value}; END $$"
            )


def let_reads_fail(store: SqlReturns, times: int) -> None:
    """Has so many reads of events fail."""
    let_fail(store, times)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {events.name} RENAME TO stored_events")
        connection.exec_driver_sql(
            f"CREATE VIEW {events.name} AS SELECT * FROM stored_events WHERE fail_for_boolean()"
        )


def let_writes_fail(store: SqlReturns, times: int) -> None:
    """Has so many writes of ledgers fail."""
    let_fail(store, times)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER fails BEFORE INSERT OR UPDATE ON {ledgers.name}"
            " FOR EACH ROW EXECUTE FUNCTION fail_for_trigger()"
        )


def with_a_return(store: SqlReturns) -> CoreHarness:
    """Returns the core after a return was received, and that is stored; its restock and refund are open."""
    life = CoreHarness(order_of(line(quantity=9)))
    store.commit(life.handle(request(1)))
    store.commit(life.handle(receive(1)))
    return life


def test_a_read_is_repeated(store: SqlReturns) -> None:
    """As long as it fails less often than it is tried."""
    life = with_a_return(store)
    let_reads_fail(store, TRIES - 1)

    assert len(store.history(life.order.id)) == 2


def test_an_awaited_read_is_repeated(url: str, store: SqlReturns) -> None:
    """The same for a store that is awaited."""
    life = with_a_return(store)
    let_reads_fail(store, TRIES - 1)

    async def read() -> int:
        awaited = AsyncSqlReturns(url)
        try:
            return len(await awaited.history(life.order.id))
        finally:
            await awaited.close()

    assert asyncio.run(read()) == 2


def test_a_read_that_always_fails_says_so(store: SqlReturns) -> None:
    """After so many tries."""
    life = with_a_return(store)
    let_reads_fail(store, TRIES)

    with pytest.raises(Unavailable) as error:
        store.history(life.order.id)

    assert error.value.code == "store_not_serializable"
    assert error.value.__cause__ is not None


def test_a_lease_is_repeated(store: SqlReturns) -> None:
    """A worker gets the order, although its lease could not be written at first."""
    life = with_a_return(store)
    let_writes_fail(store, TRIES - 1)

    assert store.outstanding(life.now, 10) == (life.order.id,)


def test_a_commit_that_cannot_be_serialized_is_decided_again(store: SqlReturns) -> None:
    """It is late as any other, whatever revision is stored: the command is decided again and done once."""
    change = CoreHarness(order_of(line(quantity=9))).handle(request(1))
    store.load("order_1")
    let_writes_fail(store, 3)

    with pytest.raises(StaleLedger) as error:
        store.commit(change)
    assert (error.value.details["expected"], error.value.details["found"]) == (0, 0)
    assert store.load("order_1") == ReturnLedger("order_1")
    shop(store).handle(request(1))
    assert [each.id for each in store.load("order_1").returns] == ["ret_1"]


def test_within_a_transaction_of_the_host_nothing_is_repeated(store: SqlReturns) -> None:
    """The host begins again: its transaction cannot go on."""
    life = with_a_return(store)
    let_reads_fail(store, 1)

    with store.engine.connect() as connection:
        bound = store.in_transaction(connection)
        with pytest.raises(Unavailable) as error:
            bound.history(life.order.id)

    assert error.value.code == "store_not_serializable"
    assert len(store.history(life.order.id)) == 2
