"""Tables and documents of earlier releases are upgraded once, whole, whatever ends the upgrade."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from rma import ReturnQuery, Unavailable
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns, upgrade
from rma.adapters.sql.__main__ import main
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.adapters.sql.schema import FORMAT, WRITABLE_SINCE
from rma.adapters.sql.upgrades import UPGRADES
from rma.domain.views.query import UnreadableSubject
from rma.shell.driver import run
from rma.shell.repair import verify
from tests.databases import Databases
from tests.sql.alike import assert_alike
from tests.sql.formats import make_format_1, stored_in_format_1
from tests.sql.kinds import fill

DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}

TABLES = ("rma_format", "rma_ledgers", "rma_returns", "rma_events")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """Yields the URL of an empty database of each kind."""
    with databases.new(request.param) as made:
        yield made


@pytest.fixture
def old_url(url: str) -> str:
    """Returns the URL of a database of format 1, with the rows of the kept file."""
    make_format_1(url)
    return url


@pytest.fixture(scope="module")
def memory() -> tuple[InMemoryReturns, list[str]]:
    """Returns the ledgers that the kept file holds, made by the present code, and the ids of their orders."""
    returns = InMemoryReturns()
    return returns, fill(returns)


def contents(url: str) -> dict[str, object]:
    """Returns all rows by table, and what the database says about tables and indexes."""
    with closing(SqlReturns(url)) as store, store.engine.connect() as connection:
        rows = {
            table: sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}")))) for table in TABLES
        }
        return {**rows, "structure": _structure(connection)}


def _structure(connection: Connection) -> object:
    if connection.dialect.name == "sqlite":
        made = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"))
        return ["".join(each.replace('"', "").split()) for each in made]
    return connection.execute(
        text(
            """
            SELECT c.relname, a.attname, format_type(atttypid, atttypmod), attnotnull, collname,
                   pg_get_expr(d.adbin, d.adrelid),
                   replace(pg_get_indexdef(c.oid), current_schema() || '.', '')
            FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            LEFT JOIN pg_collation ON pg_collation.oid = attcollation
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = attnum
            WHERE relnamespace = current_schema()::regnamespace ORDER BY 1, attnum
            """
        )
    ).all()


def test_the_last_upgrade_leads_to_the_present_format() -> None:
    """Each upgrade has the number of its format, and writers are those since the last that breaks them."""
    assert [each.format for each in UPGRADES] == list(range(2, FORMAT + 1))
    assert max(each.format for each in UPGRADES if each.is_breaking) == WRITABLE_SINCE


def test_a_store_of_format_1_is_as_if_it_had_been_written_now(
    old_url: str, databases: Databases, memory: tuple[InMemoryReturns, list[str]]
) -> None:
    """
    Opening it upgrades it: ledgers, histories, pages and what is outstanding are those of the same commands
    in memory, tables and indexes those of a new database, and nothing differs from its history.
    """
    expected, order_ids = memory
    kind = "sqlite" if old_url.startswith("sqlite") else "postgresql"
    with closing(SqlReturns(old_url)) as store:
        with databases.new(kind) as new_url, closing(SqlReturns(new_url)) as new:
            fill(new)
            store.load("")
            assert contents(old_url) == contents(new_url)
        for order_id in order_ids:
            assert_alike(store.load(order_id), expected.load(order_id))
            assert_alike(store.history(order_id), expected.history(order_id))
            assert run(verify(order_id, store)) == ()
        assert list(store.order_ids("", 99)) == sorted(order_ids)
        query = ReturnQuery(limit=99, kinds=("return", "exchange", "claim"))
        assert_alike(store.find(query), expected.find(query))
        now = max(event.at for each in order_ids for event in expected.history(each))
        assert store.outstanding(now, 99, unpublished=True) == tuple(
            expected.outstanding(now, 99, unpublished=True)
        )


def test_an_upgrade_says_what_it_did(old_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints from what to what; the next finds nothing to do."""
    assert main(["verify", old_url]) == 1
    assert capsys.readouterr().out == (
        f"stopped: older format (found 1, known {FORMAT}): an administrator upgrades them: "
        "python -m rma.adapters.sql upgrade URL\n"
    )
    assert main(["upgrade", old_url]) == 0
    assert capsys.readouterr().out == f"format 1 to {FORMAT}: 13 orders, 0 left\n"
    assert main(["upgrade", old_url]) == 0
    assert capsys.readouterr().out == f"format {FORMAT}: nothing to do\n"
    assert main(["verify", old_url]) == 0


def test_a_host_may_leave_the_tables_to_its_administrators(url: str) -> None:
    """With `manage_schema=False` nothing is made or upgraded, and every use says what is missing."""
    with closing(SqlReturns(url, manage_schema=False)) as store:
        with pytest.raises(Unavailable) as error:
            store.load("order_a1")
        assert error.value.code == "tables_missing"
        assert "python -m rma.adapters.sql upgrade URL" in str(error.value)
        make_format_1(url)
        before = contents(url)
        for use in (lambda: store.load("order_a1"), lambda: store.order_ids("", 9)):
            with pytest.raises(Unavailable) as error:
                use()
            assert (error.value.code, error.value.details["found"]) == ("older_format", 1)
        assert asyncio.run(code_of_an_awaited_use(url)) == "older_format"
        assert contents(url) == before

        assert store.upgrade().before == 1
        assert store.load("order_a1").revision == 36


async def code_of_an_awaited_use(url: str) -> str:
    """Returns the code with which an awaited store refuses that must not upgrade."""
    store = AsyncSqlReturns(url, manage_schema=False)
    with pytest.raises(Unavailable) as error:
        await store.load("order_a1")
    await store.close()
    return error.value.code


def test_an_awaited_store_upgrades_too(old_url: str) -> None:
    """Its first use does, as that of any store."""

    async def simulate() -> int:
        store = AsyncSqlReturns(old_url)
        ledger = await store.load("order_a1")
        await store.close()
        return ledger.revision

    assert asyncio.run(simulate()) == 36


def test_nothing_is_upgraded_in_a_transaction_of_the_host(old_url: str) -> None:
    """It would lock all tables until the host commits: `older_format`, until the store was used outside."""
    before = contents(old_url)
    with closing(SqlReturns(old_url)) as store:
        with store.engine.connect() as connection, pytest.raises(Unavailable) as error:
            store.in_transaction(connection).load("order_a1")
        assert error.value.code == "older_format"
        assert contents(old_url) == before
        store.load("order_a1")
        with store.engine.connect() as connection:
            assert store.in_transaction(connection).load("order_a1").revision == 36


def test_a_migration_of_the_host_upgrades_in_its_transaction(old_url: str) -> None:
    """`upgrade(connection)` commits nothing: it is undone with the migration, and done with the next."""
    before = contents(old_url)
    engine = create_engine(make_url(old_url).set(drivername=DRIVERS[old_url.partition(":")[0]]))
    with engine.connect() as connection:
        assert upgrade(connection).before == 1
        connection.rollback()
    assert contents(old_url) == before
    with engine.begin() as connection:
        assert upgrade(connection).before == 1
    engine.dispose()
    with closing(SqlReturns(old_url, manage_schema=False)) as store:
        assert store.load("order_a1").revision == 36


#: What is wrong with order_a1 in format 1, and whether the upgrade leaves it.
CORRUPTED = {
    "an event is broken off": (
        "UPDATE rma_events SET document = substr(document, 1, 20) WHERE {} AND revision = 3",
        True,
    ),
    "an event is of no known kind": (
        'UPDATE rma_events SET document = \'{{"_type":"Lost"}}\' WHERE {} AND revision = 3',
        True,
    ),
    "the last events are lost": ("DELETE FROM rma_events WHERE {} AND revision > 30", True),
    "refunds are lost": ("DELETE FROM rma_events WHERE {} AND revision BETWEEN 4 AND 23", True),
    "all events are lost": ("DELETE FROM rma_events WHERE {}", True),
    "a return is broken": ("UPDATE rma_returns SET document = '[' WHERE {}", False),
    "the ledger is broken": ("UPDATE rma_ledgers SET document = '', due_at = 'soon' WHERE {}", False),
    "a time is broken": ("UPDATE rma_returns SET requested_at = '2026-01-01' WHERE {}", False),
    "the ledger is gone": ("DELETE FROM rma_ledgers WHERE {}", False),
}


@pytest.mark.parametrize("damage", CORRUPTED)
def test_a_corrupted_document_stops_no_other_order(
    old_url: str,
    damage: str,
    memory: tuple[InMemoryReturns, list[str]],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    An order whose history cannot be read, or knows less than what is stored, is left as it is and stays
    unreadable; what only its rows had wrong is written from its history. All others are upgraded.
    """
    expected, order_ids = memory
    statement, is_left = CORRUPTED[damage]
    logging.getLogger("rma").disabled = False  # it is off in these tests, and afterwards
    caplog.set_level(logging.WARNING)
    do(old_url, statement.format("order_id = 'order_a1'"))
    with closing(SqlReturns(old_url)) as store:
        for order_id in order_ids:
            if order_id != "order_a1" or not is_left:
                assert_alike(store.load(order_id), expected.load(order_id))
                assert run(verify(order_id, store)) == ()
        if not is_left:
            assert caplog.records == []
            return
        for use in (store.load, store.history):
            if use is store.load or damage != "all events are lost":
                with pytest.raises(Unavailable) as error:
                    use("order_a1")
                assert error.value.code == "unreadable_document"
        assert [each.getMessage()[:45] for each in caplog.records] == [
            "order order_a1 could not be upgraded from form"[:45]
        ]
        every = ReturnQuery(limit=99, kinds=("return", "exchange", "claim"))
        found = [each.order_id for each in store.find(every) if isinstance(each, UnreadableSubject)]
        assert found == ["order_a1"] * 3
    assert main(["upgrade", old_url]) == 1
    assert capsys.readouterr().out.endswith(f"format {FORMAT}: 1 orders that were left, 1 still are\n")


def test_an_order_that_was_left_is_upgraded_when_it_was_put_right(
    old_url: str, memory: tuple[InMemoryReturns, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """A document of format 1, put back from a backup, is enough: the others of the order are kept with it."""
    do(old_url, "UPDATE rma_events SET document = '{' WHERE order_id = 'order_a1' AND revision = 3")
    assert main(["upgrade", old_url]) == 1
    with closing(SqlReturns(old_url)) as store:
        kept = [row for row in stored_in_format_1()["rma_events"] if row["order_id"] == "order_a1"]
        with store.engine.begin() as connection:
            for row in kept:
                if row["revision"] == 3:
                    connection.execute(
                        text("""
                        UPDATE rma_events SET document = :document
                        WHERE order_id = :order_id AND revision = :revision AND number = :number
                    """),
                        row,
                    )
        capsys.readouterr()
        assert main(["upgrade", old_url]) == 0
        assert capsys.readouterr().out == f"format {FORMAT}: 1 orders that were left, 0 still are\n"
        assert_alike(store.load("order_a1"), memory[0].load("order_a1"))
        assert_alike(store.history("order_a1"), memory[0].history("order_a1"))


def do(url: str, statement: str) -> None:
    """Does something to the rows behind the library's back."""
    with closing(SqlReturns(url)) as store, store.engine.begin() as connection:
        connection.exec_driver_sql(statement.replace("%", "%%") if "postgresql" in url else statement)
