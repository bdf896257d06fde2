"""Tables of an older format are brought forward by `manage.py migrate`."""

import logging
from contextlib import closing

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.state import ProjectState
from sqlalchemy import Connection

from rma import Unavailable
from rma.adapters.django import DjangoReturns, upgrading
from rma.adapters.django.operations import MakeTables, UpgradeTables
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.preparing import upgrade
from rma.adapters.sql.schema import FORMAT
from rma.adapters.sql.upgrades import UPGRADES, upgrade_tables
from rma.adapters.sql.upgrades.upgrade import Upgrade
from tests.django.aliases import Aliases
from tests.django.shop import Shop, label_for
from tests.django.test_tables import described
from tests.sql.formats import contents, make_format_1, order_ids
from tests.sql.test_upgrades_together import add_a_column


@pytest.fixture
def old(aliases: Aliases, kind: str) -> str:
    """Returns the alias of a database of format 1, of each kind, with the orders of the golden file."""
    alias = aliases.new(kind)
    make_format_1(aliases.url(alias))
    return alias


def migrate(alias: str) -> None:
    """Runs the migrations of rma."""
    call_command("migrate", "rma", database=alias, verbosity=0)


def stored_in(alias: str, url: str) -> object:
    """Returns all rows, and what the database says about tables and indexes of rma."""
    return described(alias), {**contents(url), "structure": None}


def found_in(alias: str) -> list[tuple[int, int]]:
    """Returns the format of the tables, and since which they can be written."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT format, writable_since FROM rma_format")
        return list(cursor.fetchall())


def upgrade_in(alias: str, operation: UpgradeTables) -> None:
    """Does what a migration with this operation does."""
    with connections[alias].schema_editor() as editor:
        operation.database_forwards("rma", editor, None, None)


def test_every_format_has_a_migration() -> None:
    """
    A change that raises `rma.adapters.sql.schema.FORMAT` adds a migration of Django, and this fails until it
    is there: every use would otherwise be `older_format`, and `manage.py migrate` would not help.

    What to do, besides the module in `rma.adapters.sql.upgrades` that the number needs:

    1. Change the models (`rma.adapters.django.models`) as `rma.adapters.sql.schema` was changed.
    2. Let `manage.py makemigrations rma` write the next migration. Put its operations into the
       `state_operations` of a `SeparateDatabaseAndState`, and `UpgradeTables(FORMAT)` into its
       `database_operations`: that runs the shared upgrade, and converts documents.
    3. Leave `0001_initial` and `format_2` as they are: a new project makes the tables of format 2, and its
       next migration upgrades them, with nothing in them.
    """
    loader = MigrationLoader(None)
    led_to = [
        operation.format
        for name, migration in sorted(loader.disk_migrations.items())
        if name[0] == "rma"
        for separate in migration.operations
        for operation in getattr(separate, "database_operations", ())
        if isinstance(operation, MakeTables | UpgradeTables)
    ]

    assert led_to == list(range(2, FORMAT + 1))
    assert led_to == [each.format for each in UPGRADES]


def test_migrate_brings_tables_of_format_1_forward(aliases: Aliases, old: str, kind: str) -> None:
    """Tables and rows are afterwards as after the upgrade of the other adapter, and commands go on."""
    other = aliases.new(kind)
    make_format_1(aliases.url(other))
    with closing(SqlReturns(aliases.url(other))) as store:
        assert store.upgrade().before == 1
    with pytest.raises(Unavailable) as error:
        DjangoReturns(old).order_ids("", 99)
    assert error.value.code == "older_format"
    assert f"manage.py migrate rma --database {old}" in str(error.value)

    migrate(old)

    assert stored_in(old, aliases.url(old)) == stored_in(other, aliases.url(other))
    returns = DjangoReturns(old)
    assert list(returns.order_ids("", 99)) == order_ids()
    with closing(SqlReturns(aliases.url(other))) as store:
        for each in order_ids():
            assert returns.load(each) == store.load(each)
            assert returns.history(each) == store.history(each)
    shop = Shop(old, aliases.again(old))
    assert shop.service.handle(label_for("order_1")).id in shop.labels


def test_a_migration_that_fails_leaves_the_old_format(
    aliases: Aliases, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the transaction of the migration; the next one begins again."""
    before = stored_in(old, aliases.url(old))

    def fail(connection: Connection) -> None:
        assert upgrade(connection).orders == len(order_ids())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upgrading, "upgrade", fail)
        with pytest.raises(KeyboardInterrupt):
            migrate(old)
    assert stored_in(old, aliases.url(old)) == before

    migrate(old)
    assert len(list(DjangoReturns(old).order_ids("", 99))) == len(order_ids())


def test_an_order_that_cannot_be_converted_is_left_and_named(
    old: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are brought forward."""
    monkeypatch.setattr(logging.getLogger("rma"), "disabled", False)
    broken, *others = order_ids()
    with connections[old].cursor() as cursor:
        cursor.execute("UPDATE rma_events SET document = '{' WHERE order_id = %s", [broken])

    with caplog.at_level(logging.WARNING, "rma"):
        migrate(old)

    assert f"order {broken} could not be upgraded from format 1" in caplog.text
    returns = DjangoReturns(old)
    for each in others:
        assert returns.load(each).order_id == each
    with pytest.raises(Unavailable) as error:
        returns.history(broken)
    assert error.value.code == "unreadable_document"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a later release, with an upgrade to the next format."""
    added = Upgrade(FORMAT + 1, is_breaking=False, change_tables=add_a_column)

    def upgrade_further(connection: Connection) -> object:
        return upgrade_tables(connection, FORMAT, (*UPGRADES, added))

    monkeypatch.setattr(upgrading, "upgrade", upgrade_further)


@pytest.mark.usefixtures("later")
def test_the_migration_of_a_later_format_upgrades_once(aliases: Aliases, alias: str) -> None:
    """A second one, or one that the other adapter was faster than, finds nothing to do."""
    shop = Shop(alias, aliases.again(alias))
    opened = shop.service.handle(label_for("order_1"))
    migration = UpgradeTables(FORMAT + 1)
    assert (migration.reversible, migration.reduces_to_sql) == (False, False)
    assert migration.describe() == f"Upgrade the tables of rma to format {FORMAT + 1}"

    with connections[alias].schema_editor(collect_sql=True) as editor:
        migration.database_forwards("rma", editor, None, None)
    assert [each[:3] for each in editor.collected_sql] == ["-- "]
    assert found_in(alias) == [(FORMAT, FORMAT)]

    for _ in range(2):
        upgrade_in(alias, migration)

    assert found_in(alias) == [(FORMAT + 1, FORMAT)]
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT carrier FROM rma_returns")
        assert list(cursor.fetchall()) == [(None,)]
    assert shop.service.get(opened.id).id == opened.id
    with connections[alias].schema_editor() as editor, pytest.raises(IrreversibleError):
        SeparateDatabaseAndState([migration]).database_backwards(
            "rma", editor, ProjectState(), ProjectState()
        )


@pytest.mark.usefixtures("later")
def test_an_upgrade_is_where_the_tables_are(aliases: Aliases, kind: str) -> None:
    """Nothing is made in a database without tables."""
    empty = aliases.new(kind)

    upgrade_in(empty, UpgradeTables(FORMAT + 1))

    assert connections[empty].introspection.table_names() == []


@pytest.mark.usefixtures("later")
def test_what_the_host_wrote_before_is_kept_or_undone_with_the_upgrade(alias: str) -> None:
    """SQLAlchemy, which the shared upgrade runs on, ends no transaction of Django, and closes nothing."""
    connection = connections[alias]
    driver = None
    for is_kept in (False, True):
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            cursor.execute("CREATE TABLE of_host (a INTEGER)")
            upgrading.upgrade_older(connection)
            assert connection.in_atomic_block
            transaction.set_rollback(not is_kept, using=alias)
        driver = driver or connection.connection
        assert connection.connection is driver
        assert ("of_host" in connection.introspection.table_names()) == is_kept
    assert found_in(alias) == [(FORMAT + 1, FORMAT)]
