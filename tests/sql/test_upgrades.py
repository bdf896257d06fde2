"""Tables and documents of earlier releases are upgraded once, whole, whatever ends the upgrade."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, make_url

from rma import ReturnQuery, Unavailable
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns, upgrade
from rma.adapters.sql.__main__ import main
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.adapters.sql.schema import FORMAT, WRITABLE_SINCE
from rma.adapters.sql.upgrades import UPGRADES
from rma.shell.driver import run
from rma.shell.repair import verify
from tests.databases import Databases
from tests.sql.alike import assert_alike
from tests.sql.before_grants import recording_no_grants
from tests.sql.formats import DRIVERS, TABLES, contents, make_format_1, order_ids
from tests.sql.kinds import fill


def test_the_last_upgrade_leads_to_the_present_format() -> None:
    """Each upgrade has the number of its format, and writers are those since the last that breaks them."""
    assert [each.format for each in UPGRADES] == list(range(2, FORMAT + 1))
    assert max(each.format for each in UPGRADES if each.is_breaking) == WRITABLE_SINCE


def test_a_store_of_format_1_is_as_if_it_had_been_written_now(
    old_url: str, databases: Databases, expected: InMemoryReturns
) -> None:
    """
    Opening it upgrades it: ledgers, histories, pages and what is outstanding are those of the same commands
    in memory, tables and indexes those of a new database, and nothing differs from its history.
    """
    kind = "sqlite" if old_url.startswith("sqlite") else "postgresql"
    with closing(SqlReturns(old_url)) as store:
        with databases.new(kind) as new_url, closing(SqlReturns(new_url)) as new:
            with recording_no_grants():
                fill(new)
            store.load("")
            assert contents(old_url) == contents(new_url)
        for order_id in order_ids():
            assert_alike(store.load(order_id), expected.load(order_id))
            assert_alike(store.history(order_id), expected.history(order_id))
            assert run(verify(order_id, store)) == ()
        assert list(store.order_ids("", 99)) == order_ids()
        query = ReturnQuery(limit=99, kinds=("return", "exchange", "claim"))
        assert_alike(store.find(query), expected.find(query))
        now = max(event.at for each in order_ids() for event in expected.history(each))
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


def test_views_of_the_host_survive_on_sqlite(file: Path) -> None:
    """A table that is made again has its name all the time, as far as views are concerned."""
    url = f"sqlite:///{file}"
    make_format_1(url)
    with closing(sqlite3.connect(file)) as database:
        for table in TABLES:
            database.execute(f"CREATE VIEW our_{table} AS SELECT * FROM {table}")
    with closing(SqlReturns(url)) as store:
        store.load("order_a1")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT format FROM our_rma_format").fetchall() == [(FORMAT,)]
        assert len(database.execute("SELECT * FROM our_rma_ledgers").fetchall()) == 13


def test_foreign_keys_of_the_host_are_not_followed_on_sqlite(file: Path) -> None:
    """
    Where SQLite would empty the host's table with ours, nothing is upgraded; the command, which opens the
    file without foreign keys, upgrades it and leaves the host's rows.
    """
    make_format_1(f"sqlite:///{file}")
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for table, column in (("rma_format", "format"), ("rma_returns", "return_id")):
            database.execute(f"CREATE TABLE our_{table} (id REFERENCES {table} ({column}) ON DELETE CASCADE)")
            database.execute(f"INSERT INTO our_{table} SELECT {column} FROM {table}")
    engine = create_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    with closing(SqlReturns(engine)) as store, pytest.raises(Unavailable) as error:
        store.load("order_a1")
    assert error.value.code == "store_failed"
    assert "foreign keys of our_rma_" in str(error.value)
    assert main(["upgrade", f"sqlite:///{file}"]) == 0
    with closing(sqlite3.connect(file)) as database:
        assert len(database.execute("SELECT * FROM our_rma_returns").fetchall()) == 27
