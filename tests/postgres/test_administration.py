"""The statements on the administrator's page work; each of its roles can do its part and no more."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from rma import ReturnQuery, Unavailable
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.failures import sqlstate_of
from rma.adapters.sql.schema import metadata
from rma.testing.core_harness import CoreHarness
from tests.databases import Databases
from tests.rules.given import order_of, request
from tests.sql.alike import assert_alike
from tests.sql.kinds import run, worlds

PAGE = Path(__file__).resolve().parents[2] / "docs" / "administration.md"
ROLES = ("rma_owner", "rma_app", "rma_reports")

#: Returns the URL of a role.
As = Callable[[str], URL]


#: What the page prints as SQL: first the roles.
BLOCKS = re.findall(r"```sql\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)


def recipe(schema: str) -> str:
    """Returns the statements of the page that make roles, for roles and a schema of the test's own."""
    block = BLOCKS[0]
    for role in ROLES:
        block = re.sub(rf"\b{role}\b", f"{schema}_{role}", block)
    return re.sub(r"\breturns\b", schema, block)


@pytest.fixture
def as_role(databases: Databases) -> Iterator[As]:
    """Makes the roles and the schema on the page."""
    with databases.new("postgresql") as url:
        name = f"{str(make_url(url).query['options']).partition('=')[2]}_roles"
        server = make_url(url).set(
            drivername="postgresql+psycopg", query={**make_url(url).query, "options": ""}
        )
        engine = create_engine(server, poolclass=NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(recipe(name))
        yield lambda role: server.set(username=f"{name}_{role}")
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
            for role in ROLES:
                connection.exec_driver_sql(f"DROP OWNED BY {name}_{role}; DROP ROLE {name}_{role}")


def is_denied(engine: Engine, statement: str) -> bool:
    """Returns True if the role has no right to do this, even in a transaction that may write."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError as error:
            return sqlstate_of(error.orig) == "42501"
    return False


def made_by_the_owner(as_role: As) -> None:
    """Makes the tables."""
    with closing(SqlReturns(as_role("rma_owner"))) as store:
        store.load("")


@pytest.mark.parametrize("script", worlds())
def test_the_application_does_every_command(as_role: As, script: str) -> None:
    """With its rights, all that is stored is as in memory, workers and lists included."""
    made_by_the_owner(as_role)
    run_script, world = worlds()[script]
    memory = InMemoryReturns()
    run(run_script, world, memory)
    run_script, world = worlds()[script]
    with closing(SqlReturns(as_role("rma_app"))) as store:
        run(run_script, world, store)
        service = evolve(world.service, returns=store)

        assert_alike(store.load("order_1"), memory.load("order_1"))
        assert service.list() == evolve(service, returns=memory).list()
        assert service.rebuild("order_1") == ()
        store.replace(store.load("order_1"), None)
        world.now += timedelta(days=1)
        service.resume()
        assert store.load("order_1").revision >= memory.load("order_1").revision


def test_without_tables_the_application_hears_that_it_may_not_make_them(as_role: As) -> None:
    """A clear code, from reads and commits; once the owner has made them, the same process goes on."""
    with closing(SqlReturns(as_role("rma_app"))) as store:
        for _ in range(2):
            with pytest.raises(Unavailable) as error:
                store.load("order_1")
            assert error.value.code == "store_not_permitted"
        made_by_the_owner(as_role)
        assert store.load("order_1").revision == 0


@pytest.mark.parametrize("role", ["rma_app", "rma_reports"])
def test_no_other_role_changes_tables(as_role: As, role: str) -> None:
    """Neither columns, nor indexes, nor new tables."""
    made_by_the_owner(as_role)
    engine = create_engine(as_role(role), poolclass=NullPool)
    changes = ["CREATE TABLE mine ()"]
    for table in metadata.sorted_tables:
        changes += [
            f"ALTER TABLE {table.name} ADD mine text",
            f"DROP TABLE {table.name}",
            f"TRUNCATE {table.name}",
        ]
    for change in changes:
        assert is_denied(engine, change), change


def test_reports_read_and_write_nothing(as_role: As) -> None:
    """They see every table, and the store hears that it may not commit."""
    made_by_the_owner(as_role)
    run_script, world = worlds()["everything ends"]
    with closing(SqlReturns(as_role("rma_app"))) as store:
        run(run_script, world, store)
        change = CoreHarness(evolve(order_of(), id="order_2")).handle(evolve(request(), order_id="order_2"))
        expected = store.find(ReturnQuery(limit=10))
    engine = create_engine(as_role("rma_reports"), poolclass=NullPool)
    for table in metadata.sorted_tables:
        with engine.connect() as connection:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar()
        for write in (f"DELETE FROM {table.name}", f"INSERT INTO {table.name} SELECT * FROM {table.name}"):
            assert is_denied(engine, write), write
    with closing(SqlReturns(as_role("rma_reports"), worker_lease=0)) as store:
        assert store.find(ReturnQuery(limit=10)) == expected
        with pytest.raises(Unavailable) as failure:
            store.commit(change)
        assert failure.value.code in {"store_read_only", "store_not_permitted"}


def test_the_other_statements_of_the_page_work_for_the_owner(as_role: As) -> None:
    """Settings are set, and the query of sizes knows every table that has rows."""
    made_by_the_owner(as_role)
    engine = create_engine(as_role("rma_owner"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    found = []
    with engine.connect() as connection:
        for block in BLOCKS[1:]:
            result = connection.exec_driver_sql(block.replace("%", "%%"))
            found.append([row[0] for row in result] if result.returns_rows else [])
        options = connection.exec_driver_sql(
            "SELECT unnest(reloptions) FROM pg_class WHERE oid = 'rma_ledgers'::regclass"
        ).scalars()
        settings = [str(each) for each in options]

    assert set(found[0]) == {table.name for table in metadata.sorted_tables}
    assert any(each.startswith("autovacuum") for each in settings)
