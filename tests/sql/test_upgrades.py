"""Tables and documents of earlier releases are upgraded once, whole, whatever ends the upgrade."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import Connection, make_url, text

from rma import ReturnQuery, Unavailable
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns, upgrade
from rma.adapters.sql.preparing import find_format
from rma.adapters.sql.schema import FORMAT, WRITABLE_SINCE
from rma.adapters.sql.upgrades import UPGRADES
from rma.domain.change import replay
from rma.domain.views.query import UnreadableSubject
from rma.shell.driver import run
from rma.shell.repair import verify
from rma.testing.contracts.threads import at_once
from tests.databases import Databases
from tests.sql.alike import assert_alike
from tests.sql.formats import make_format_1, stored_in_format_1
from tests.sql.kinds import fill

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


def _schema(url: str) -> str:
    """Returns the name of the schema, with which PostgreSQL writes the names of tables."""
    return str(make_url(url).query.get("options", "")).partition("=")[2] or "no schema"


def _structure(connection: Connection) -> object:
    if connection.dialect.name == "sqlite":
        made = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"))
        return ["".join(each.replace('"', "").split()) for each in made]
    return connection.execute(
        text(
            """
            SELECT c.relname, a.attname, format_type(atttypid, atttypmod), attnotnull, collname,
                   pg_get_expr(d.adbin, d.adrelid), pg_get_indexdef(c.oid)
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
    assert WRITABLE_SINCE == max(each.format for each in UPGRADES if each.is_breaking)


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
            found, wanted = contents(old_url), contents(new_url)
            assert str(found).replace(_schema(old_url), "_") == str(wanted).replace(_schema(new_url), "_")
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
    """It returns the format before, and how many orders were written; the next finds nothing to do."""
    with closing(SqlReturns(old_url)) as store:
        result = store.upgrade()
        assert (result.before, result.orders, result.left) == (1, 13, ())
        again = store.upgrade()
        assert (again.before, again.orders, again.left) == (FORMAT, 0, ())
