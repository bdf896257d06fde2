"""Tables that administrators or the host's own migrations make are those that the store makes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError

from rma import Unavailable
from rma.adapters.sql import SqlReturns, metadata
from rma.adapters.sql.__main__ import main
from rma.adapters.sql.schema import FORMAT
from tests.databases import Databases
from tests.rules.given import receive, request
from tests.sql.formats import DRIVERS, contents, make_format_1
from tests.sql.in_transaction import shop

#: Whatever makes, changes or drops a table or an index.
ABOUT_TABLES = {
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_ALTER_TABLE,
    sqlite3.SQLITE_DROP_TABLE,
    sqlite3.SQLITE_DROP_INDEX,
}


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Yields an engine of the host, with the driver's own transactions."""
    opened = create_engine(make_url(url).set(drivername=DRIVERS[url.partition(":")[0]]))
    yield opened
    opened.dispose()


def differences(engine: Engine, tables: MetaData) -> object:
    """Returns what Alembic would change so that the database has these tables and no others."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return compare_metadata(context, tables)


def use(url: str) -> None:
    """Requests, receives, resumes and lists, with a store that makes nothing."""
    with closing(SqlReturns(url, manage_schema=False)) as store:
        service = shop(store)
        opened = service.handle(request(2, shipping_option_id="so_return"))
        service.handle(receive(2, return_id=opened.id))
        assert service.resume().still_open == ()
        assert [each.id for each in service.list()] == [opened.id]
        assert service.verify("order_1") == ()


def print_ddl(url: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Returns the statements that the command prints for this database."""
    assert main(["ddl", url.partition(":")[0]]) == 0
    return [each for each in capsys.readouterr().out.split(";\n") if each.strip()]


def test_printed_statements_make_the_tables_that_the_store_makes(
    url: str, engine: Engine, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their tables, columns, indexes and rows are the same, and a store that makes nothing works on them."""
    with engine.begin() as connection:
        for statement in print_ddl(url, capsys):
            connection.exec_driver_sql(statement)
    with databases.new(url.partition(":")[0]) as other:
        with closing(SqlReturns(other)) as store:
            store.load("")
        assert contents(url) == contents(other)
    use(url)


def test_alembic_proposes_nothing(url: str, engine: Engine) -> None:
    """Neither for tables that the store made nor for those that it upgraded, with all comparisons on."""
    with closing(SqlReturns(url)) as store:
        store.load("")
    assert differences(engine, metadata) == []


def test_alembic_proposes_nothing_after_an_upgrade(url: str, engine: Engine) -> None:
    """The same tables are there as if they were made now."""
    make_format_1(url)
    assert differences(engine, metadata) != []
    with closing(SqlReturns(url)) as store:
        store.load("")
    assert differences(engine, metadata) == []


ENV = """
from alembic import context
from rma.adapters.sql import metadata
from sqlalchemy import Column, Integer, MetaData, Table

ours = MetaData()
Table("tickets", ours, Column("id", Integer, primary_key=True))
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=[ours, metadata])
with context.begin_transaction():
    context.run_migrations()
"""

MIGRATION = """
import sqlalchemy as sa
from alembic import op
from rma.adapters.sql import upgrade as upgrade_returns

revision = "1"
down_revision = None

def upgrade():
    op.create_table("tickets", sa.Column("id", sa.Integer, primary_key=True))
    upgrade_returns(op.get_bind())
"""


@pytest.mark.parametrize("is_old", [False, True])
def test_a_host_makes_and_upgrades_the_tables_in_its_migrations(
    url: str, engine: Engine, tmp_path: Path, *, is_old: bool
) -> None:
    """A migration calls `upgrade`; then Alembic proposes nothing, and a store that makes nothing works."""
    if is_old:
        make_format_1(url)
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENV)
    (tmp_path / "versions" / "1_tables.py").write_text(MIGRATION)
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)
    with closing(SqlReturns(url, manage_schema=False)) as store:
        assert store.load("order_a1").revision == 36 * is_old
        shop(store).handle(request(1))


def test_a_host_may_make_the_tables_with_its_own(url: str, engine: Engine) -> None:
    """`metadata.create_all` makes them without the row of the format, which the store then adds."""
    ours = MetaData()
    Table("tickets", ours, Column("id", Integer, primary_key=True))
    for each in metadata.tables.values():
        each.to_metadata(ours)
    ours.create_all(engine)
    assert differences(engine, ours) == []
    with closing(SqlReturns(url)) as store:
        store.load("")
        with store.engine.connect() as connection:
            assert connection.scalars(text("SELECT format FROM rma_format")).all() == [FORMAT]
    use(url)


def test_a_service_works_on_sqlite_without_changing_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A connection that refuses every statement about tables does everything that a service does."""
    url = f"sqlite:///{tmp_path / 'returns.db'}"
    with closing(sqlite3.connect(tmp_path / "returns.db")) as database:
        database.executescript(";".join(print_ddl(url, capsys)))
    refused: list[int] = []

    def allow_rows_only(action: int, *_: object) -> int:
        if action not in ABOUT_TABLES:
            return sqlite3.SQLITE_OK
        refused.append(action)
        return sqlite3.SQLITE_DENY

    with closing(SqlReturns(url)) as store:
        event.listen(
            store.engine, "connect", lambda connection, _: connection.set_authorizer(allow_rows_only)
        )
        service = shop(store)
        opened = service.handle(request(2))
        service.handle(receive(2, return_id=opened.id))
        assert service.rebuild("order_1") == ()
        assert refused == []
        with store.engine.connect() as connection, pytest.raises(DatabaseError):
            connection.execute(text("DROP TABLE rma_events"))


def test_a_file_of_format_1_that_may_only_be_read_is_refused(tmp_path: Path) -> None:
    """`store_read_only` says which command upgrades it, and the file is left as it is."""
    file = tmp_path / "returns.db"
    make_format_1(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    before = file.read_bytes()
    with closing(SqlReturns(f"sqlite:///file:{file}?mode=ro&uri=true")) as store:
        for act in (lambda: store.load("order_a1"), store.upgrade):
            with pytest.raises(Unavailable) as error:
                act()
            assert error.value.code == "store_read_only"
            assert "python -m rma.adapters.sql upgrade URL" in str(error.value)
    assert file.read_bytes() == before
