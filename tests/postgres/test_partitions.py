"""Tables in partitions by a hash of the order's id fulfill the shipped contract; one guard is lost."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from attrs import evolve
from sqlalchemy import Table, inspect
from sqlalchemy.exc import IntegrityError

from rma import InvalidValue, ReturnRepository, Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.partitions import partitioned_ddl
from rma.adapters.sql.schema import formats, ledgers, metadata, returns
from rma.adapters.sql.statement import Statement
from rma.adapters.sql.statements import LEDGER, LEDGER_OF_RETURN
from rma.testing.core_harness import CoreHarness, counting
from tests.databases import LONG
from tests.postgres import test_store_contract
from tests.rules.given import line, order_of, request

PARTITIONS = 2


def make_partitions(url: str) -> None:
    """Makes the tables in an empty schema."""
    with closing(SqlReturns(url)) as store, store.engine.begin() as connection:
        for statement in partitioned_ddl(PARTITIONS):
            connection.exec_driver_sql(statement)


class TestPartitionedReturns(test_store_contract.TestPostgresReturns):
    """Partitions in an empty schema for each law."""

    examples = 30 if LONG else 2

    def make(self) -> ReturnRepository:
        """Returns a store over a schema with empty partitions."""
        url = self.new_url()
        make_partitions(url)
        return self.open(url)


@pytest.fixture
def store(url: str) -> Iterator[SqlReturns]:
    """Yields a store over empty partitions."""
    make_partitions(url)
    with closing(SqlReturns(url)) as opened:
        yield opened


def harness(order_id: str, prefix: str) -> CoreHarness:
    """Returns the core with an order; ids count, behind the prefix."""
    return CoreHarness(evolve(order_of(line(quantity=9)), id=order_id), ids=counting(prefix))


def test_all_tables_and_indexes_are_there(store: SqlReturns) -> None:
    """Each table that has orders is spread, with every index; the tables of others stay as they were."""
    inspected = inspect(store.engine)
    for table in metadata.sorted_tables:
        indexes = {each["name"] for each in inspected.get_indexes(table.name)}
        assert indexes == {index.name for index in table.indexes}
        partitions = [name for name in inspected.get_table_names() if name.startswith(f"{table.name}_")]
        assert len(partitions) == (0 if table is formats else PARTITIONS)
    assert [each.unique for each in returns.indexes if each.columns.keys() == ["return_id"]] == [True]


def test_an_id_that_repeats_in_another_order_is_stored_and_then_loud(store: SqlReturns) -> None:
    """The guard that is lost: no commit notices it, but neither order is taken for the other."""
    for order_id in ("order_1", "order_2"):
        store.commit(harness(order_id, "same").handle(evolve(request(1), order_id=order_id)))

    assert store.load("order_1").returns[0].id == store.load("order_2").returns[0].id == "ret_same1"
    with pytest.raises(Unavailable) as error:
        store.load_by_return("ret_same1")
    assert error.value.code == "store_failed"


def test_an_id_that_repeats_in_its_own_order_is_refused(store: SqlReturns) -> None:
    """The guard that stays: the index has the order behind the id."""
    store.commit(harness("order_1", "").handle(request(1)))
    columns = ", ".join([each.name for each in returns.c if each.name != "position"])

    with store.engine.connect() as connection, pytest.raises(IntegrityError):
        connection.exec_driver_sql(
            f"INSERT INTO {returns.name} (position, {columns}) SELECT 1, {columns} FROM {returns.name}"
        )


def test_an_order_is_looked_for_in_its_partition_only(store: SqlReturns) -> None:
    """By its id, and once it is found by the id of a return, which all partitions are asked for."""
    store.commit(harness("order_1", "").handle(request(1)))

    by_order = plan(store, LEDGER, order_id="order_1")
    by_return = plan(store, LEDGER_OF_RETURN, return_id="ret_1")

    assert {len(scanned(by_order, table)) for table in (ledgers, returns)} == {1}
    assert len(scanned(by_return, ledgers)) == 1
    assert len(scanned(by_return, returns)) == PARTITIONS


@pytest.mark.parametrize("count", [0, -1, True, 2.5, "4"])
def test_a_number_of_partitions_that_cannot_be(count: int) -> None:
    """It is said before anything is made."""
    with pytest.raises(InvalidValue) as error:
        partitioned_ddl(count)

    assert error.value.code == "invalid_value"


def plan(store: SqlReturns, statement: Statement, **parameters: str) -> str:
    """Returns how the statement was executed, step by step."""
    with store.engine.connect() as connection:
        sql = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement.postgresql.text}"
        constants = statement.postgresql.constants
        return "\n".join(connection.exec_driver_sql(sql, {**constants, **parameters}).scalars())


def scanned(steps: str, table: Table) -> set[str]:
    """Returns the partitions of the table that were read."""
    read = [step for step in re.split(r"\n *->", steps) if "never executed" not in step]
    return set(re.findall(rf" on ({table.name}_\d+)", "\n".join(read)))
