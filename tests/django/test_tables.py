"""Migrations and models of Django against the tables of `rma.adapters.sql`."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, frozen
from django.apps import apps
from django.core.management import call_command
from django.db import NotSupportedError, connections
from django.db.migrations.exceptions import IrreversibleError
from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Value
from django.db.models.functions import Coalesce, TruncDay
from django.test import override_settings
from django.utils import timezone
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from rma import InvalidValue, ReturnLedger, Unavailable
from rma.adapters.django import DjangoReturns
from rma.adapters.django.fields import Timestamp
from rma.adapters.django.models import StoredEvent, StoredLedger, StoredReturn
from rma.adapters.django.operations import MakeTables
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.schema import FORMAT, formats, metadata
from rma.testing.contracts.storing import harness, receive, request
from rma.testing.core_harness import START
from tests.django.aliases import Aliases, rma_setting
from tests.django.shop import Shop, label_for, order

MODELS: dict[str, Any] = {
    "rma_events": StoredEvent,
    "rma_ledgers": StoredLedger,
    "rma_returns": StoredReturn,
}

_ON_SQLITE = (
    "SELECT name, type, wr, strict FROM pragma_table_list WHERE name LIKE 'rma%'",
    "SELECT m.name, c.* FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c WHERE m.name LIKE 'rma%'",
    """
    SELECT m.name, i.name, i."unique", i.origin, i.partial, c.seqno, c.name, c.desc, c.coll, c.key
    FROM sqlite_master AS m, pragma_index_list(m.name) AS i, pragma_index_xinfo(i.name) AS c
    WHERE m.name LIKE 'rma%'
    """,
    """
    SELECT name, substr(sql, instr(sql, 'WHERE ')) FROM sqlite_master
    WHERE name LIKE 'rma%' AND type = 'index' AND sql LIKE '%WHERE %'
    """,
    "SELECT * FROM rma_format",
)
_ON_POSTGRESQL = (
    """
    SELECT table_name, ordinal_position, column_name, data_type, collation_name, is_nullable, column_default,
           is_identity, character_maximum_length
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name LIKE 'rma%'
    """,
    """
    SELECT tablename, indexname, replace(indexdef, current_schema() || '.', '')
    FROM pg_indexes WHERE schemaname = current_schema() AND tablename LIKE 'rma%'
    """,
    """
    SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
        AND conrelid::regclass::text LIKE 'rma%'
    """,
    "SELECT * FROM rma_format",
)


def described(alias: str) -> list[list[Any]]:
    """Returns names, columns, types, indexes and constraints of the tables, as the database has them."""
    connection = connections[alias]
    found = []
    with connection.cursor() as cursor:
        for each in _ON_SQLITE if connection.vendor == "sqlite" else _ON_POSTGRESQL:
            cursor.execute(each)
            found.append(sorted([[str(value) for value in row] for row in cursor.fetchall()]))
    return found


def names(alias: str) -> list[str]:
    """Returns the tables of rma."""
    return sorted(each for each in connections[alias].introspection.table_names() if each.startswith("rma_"))


def migrate(alias: str, *target: str) -> None:
    """Runs the migrations of rma."""
    call_command("migrate", "rma", *target, database=alias, verbosity=0)


@pytest.fixture
def empty(aliases: Aliases, kind: str) -> str:
    """Returns the alias of an empty database of each kind."""
    return aliases.new(kind)


def test_the_migrations_make_the_tables_of_the_schema(aliases: Aliases, empty: str, kind: str) -> None:
    """The same names, columns, types, collations, indexes and constraints, and the same format."""
    migrate(empty)
    other = aliases.new(kind)
    with closing(SqlReturns(aliases.url(other))) as store:
        store.upgrade()

    assert described(empty) == described(other)
    assert names(empty) == sorted(metadata.tables)


def test_models_and_migrations_say_the_same() -> None:
    """`makemigrations --check` finds nothing to do."""
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_table_but_that_of_the_format_has_a_model() -> None:
    """Django empties the tables of models between some tests of a host, and the format has to stay."""
    found = {each._meta.db_table for each in apps.get_app_config("rma").get_models()}

    assert found == set(MODELS) == set(metadata.tables) - {formats.name}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_columns_keys_and_indexes_of_its_table(
    aliases: Aliases, empty: str, kind: str, name: str
) -> None:
    """In order, with types, collations and whether they may be null; its key is one of the table."""
    model, table, connection = MODELS[name], metadata.tables[name], connections[empty]

    assert list(_columns_of_model(model, connection)) == list(_columns_of_table(table, kind))
    key = model._meta.pk
    unique = [each.columns.keys() for each in table.indexes if each.unique]
    assert list(getattr(key, "field_names", (key.name,))) in [table.primary_key.columns.keys(), *unique]
    declared = {each.name: list(each.fields) for each in model._meta.indexes}
    assert declared == {each.name: each.columns.keys() for each in table.indexes if not each.unique}


def _columns_of_model(model: Any, connection: Any) -> Iterator[tuple[Any, ...]]:
    for each in model._meta.local_concrete_fields:
        parameters = each.db_parameters(connection)
        kind = {"bool": "boolean"}.get(parameters["type"], parameters["type"])
        yield each.column, kind, parameters.get("collation"), each.null


def _columns_of_table(table: Table, kind: str) -> Iterator[tuple[Any, ...]]:
    dialect = postgresql.dialect() if kind == "postgresql" else sqlite.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's
    for each in table.columns:
        words, _, collation = each.type.compile(dialect).lower().partition(" collate ")
        yield each.name, words, collation.strip('"').upper() or None, each.nullable


def test_tables_with_ledgers_of_the_other_adapter_are_taken_over(
    aliases: Aliases, empty: str, kind: str
) -> None:
    """`migrate` changes nothing in them, and both read the same ledgers afterwards."""
    with closing(SqlReturns(aliases.url(empty))) as store:
        life = harness()
        for command in (request(label=True), receive("ret_order_1_1")):
            store.commit(life.handle(command))
        before = described(empty)

        migrate(empty)

        assert described(empty) == before
        returns = DjangoReturns(empty)
        assert returns.load("order_1") == life.ledger
        assert returns.history("order_1") == store.history("order_1")
        returns.commit(life.handle(request()))
        assert store.load("order_1") == life.ledger


def test_migrations_go_forwards_again_over_ledgers(aliases: Aliases, empty: str) -> None:
    """As for a project whose record of migrations was lost."""
    migrate(empty)
    shop = Shop(empty, aliases.again(empty))
    opened = shop.service.handle(label_for("order_1"))
    with connections[empty].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")

    migrate(empty)

    assert shop.service.get(opened.id).shipping_data


def test_tables_of_a_later_release_are_not_touched(aliases: Aliases, alias: str) -> None:
    """Neither by `migrate` nor by a command; a later format that this release may write is fine."""
    shop = Shop(alias, aliases.again(alias))
    with connections[alias].cursor() as cursor:
        cursor.execute("UPDATE rma_format SET format = 99")
    migrate(alias)
    shop.service.handle(label_for("order_1"))
    with connections[alias].cursor() as cursor:
        cursor.execute("UPDATE rma_format SET writable_since = 99")

    for use in (lambda: shop.service.handle(label_for("order_1")), lambda: DjangoReturns(alias).load("o")):
        with pytest.raises(Unavailable) as error:
            use()
        assert error.value.code == "newer_format"
    with connections[alias].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")
    with pytest.raises(Unavailable) as error:
        migrate(alias)
    assert error.value.code == "newer_format"


def test_backwards_tables_go_unless_there_are_ledgers_in_them(aliases: Aliases, empty: str) -> None:
    """What moved money is not dropped by a command that is so short."""
    migrate(empty)
    migrate(empty, "zero")
    assert names(empty) == []
    migrate(empty)
    Shop(empty, empty).service.handle(label_for("order_1"))

    with pytest.raises(IrreversibleError):
        migrate(empty, "zero")

    assert names(empty) == sorted(metadata.tables)


def test_sqlmigrate_prints_every_statement_whatever_is_there(empty: str) -> None:
    """What an administrator runs elsewhere; backwards too, but not over ledgers."""

    def printed(*options: str) -> str:
        output = StringIO()
        call_command("sqlmigrate", "rma", "0001", *options, database=empty, stdout=output, no_color=True)
        return output.getvalue()

    forwards, backwards = printed(), printed("--backwards")
    assert forwards.count("CREATE TABLE") == backwards.count("DROP TABLE") == len(metadata.tables)
    assert "INSERT INTO rma_format" in forwards
    assert names(empty) == []
    migrate(empty)
    assert (printed(), printed("--backwards")) == (forwards, backwards)
    Shop(empty, empty).service.handle(label_for("order_1"))
    with pytest.raises(IrreversibleError):
        printed("--backwards")
    assert printed() == forwards


def test_without_migrations_django_makes_tables_that_work(aliases: Aliases, empty: str) -> None:
    """As test runners do that switch them off; the format is there as well."""
    with override_settings(MIGRATION_MODULES={"rma": None}):
        call_command("migrate", database=empty, run_syncdb=True, verbosity=0)
        call_command("migrate", database=empty, run_syncdb=True, verbosity=0)
    shop = Shop(empty, aliases.again(empty))

    opened = shop.service.handle(label_for("order_1"))

    assert names(empty) == sorted(metadata.tables)
    assert shop.stored.load("order_1").get(opened.id).shipping_data
    with connections[empty].cursor() as cursor:
        cursor.execute("SELECT format FROM rma_format")
        assert cursor.fetchall() == [(FORMAT,)]


def test_a_database_that_is_emptied_between_tests_stays_usable(aliases: Aliases, empty: str) -> None:
    """`flush` empties the tables of models, as a TransactionTestCase of Django does."""
    migrate(empty)
    shop = Shop(empty, aliases.again(empty))
    shop.service.handle(label_for("order_1"))

    call_command("flush", database=empty, interactive=False, verbosity=0)

    assert DjangoReturns(empty).load("order_1") == ReturnLedger("order_1")
    shop.service.handle(label_for("order_1"))


class Elsewhere:
    """A router that keeps rma out of every database."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool | None:
        """Says so."""
        return False if app_label == "rma" else None


def test_a_router_decides_where_there_are_tables(empty: str) -> None:
    """`migrate` makes none where it does not allow the app."""
    with override_settings(DATABASE_ROUTERS=[Elsewhere()]):
        migrate(empty)
        migrate(empty, "zero")

    assert names(empty) == []


@frozen
class OtherDatabase:
    """What the operation of a migration looks at, of a database that cannot hold ledgers."""

    vendor: str = "mysql"
    display_name: str = "MySQL"
    alias: str = "default"

    @property
    def connection(self) -> "OtherDatabase":
        """Returns itself, as a schema editor has a connection."""
        return self


def test_a_database_that_cannot_hold_ledgers_is_left_alone() -> None:
    """`migrate` fails where the ledgers are to be, and makes nothing in others that are migrated too."""
    operation = MakeTables()

    with rma_setting(DATABASE="another"):
        operation.database_forwards("rma", OtherDatabase(), None, None)
        operation.database_backwards("rma", OtherDatabase(), None, None)
    with rma_setting(DATABASE="default"), pytest.raises(InvalidValue) as error:
        operation.database_forwards("rma", OtherDatabase(), None, None)

    assert error.value.details["value"] == "MySQL"


def test_models_are_for_reading(aliases: Aliases, alias: str) -> None:
    """By their columns, with datetimes; who would change one is refused."""
    shop = Shop(alias, aliases.again(alias))
    opened = shop.service.handle(label_for("order_1"))

    returns = StoredReturn.objects.using(alias)
    (found,) = returns.filter(status="requested", requested_at=START, needs_attention=False)
    assert (str(found), found.order_id, found.kind, found.position) == (opened.id, "order_1", "return", 0)
    assert found.requested_at == START
    assert returns.filter(requested_at__gt=START).count() == 0
    assert str(StoredLedger.objects.using(alias).get(order_id="order_1")) == "order_1"
    assert str(StoredEvent.objects.using(alias).order_by("revision").first()) == "order_1 1/1"

    def change(query: Any) -> Iterator[Any]:
        yield lambda: query.update(status="received")
        yield query.delete
        yield lambda: query.bulk_create([found])
        yield lambda: query.bulk_update([found], ["status"])
        yield lambda: query.create(order_id="order_1")
        yield found.save
        yield found.delete

    for each in change(returns):
        with pytest.raises(NotSupportedError):
            each()
    assert shop.service.get(opened.id).status == "requested"


#: A quarter of a second before midnight in UTC, so that its date differs by zone; and an hour later.
LATE = datetime(2026, 11, 30, 23, 59, 59, 750_000, UTC)
NEXT = datetime(2026, 12, 1, 0, 59, 59, tzinfo=UTC)


@pytest.fixture
def rows(aliases: Aliases, alias: str) -> Any:
    """Returns the returns of two orders, requested at these moments."""
    shop = Shop(alias, alias)
    for at, order_id in ((LATE, "order_1"), (NEXT, "order_2")):
        shop.orders.put(order(order_id))
        evolve(shop.service, clock=iter([at] * 100).__next__).handle(label_for(order_id))
    return StoredReturn.objects.using(alias)


def test_functions_of_django_take_timestamps(rows: Any) -> None:
    """Dates, truncations, parts and differences are those of the moments, in the zone that is current."""
    assert [each.requested_at for each in rows.order_by("requested_at")] == [LATE, NEXT]
    assert rows.filter(requested_at__date=LATE.date()).count() == 1
    assert list(rows.dates("requested_at", "day")) == [LATE.date(), NEXT.date()]
    assert list(rows.datetimes("requested_at", "second")) == [LATE.replace(microsecond=0), NEXT]
    assert [rows.filter(requested_at__year=each).count() for each in (2025, 2026)] == [0, 2]
    assert rows.filter(requested_at__month=12, requested_at__hour=0).get().requested_at == NEXT
    days = rows.annotate(day=TruncDay("requested_at")).values("day").annotate(count=Count("pk"))
    assert {each["day"].date(): each["count"] for each in days} == {LATE.date(): 1, NEXT.date(): 1}
    assert rows.aggregate(last=Max("requested_at"))["last"] == NEXT
    waited = ExpressionWrapper(Value(NEXT) - F("requested_at"), DurationField())
    assert sorted(rows.annotate(waited=waited).values_list("waited", flat=True)) == [
        timedelta(0),
        NEXT - LATE,
    ]
    with timezone.override("Asia/Tokyo"):
        assert list(rows.dates("requested_at", "day")) == [NEXT.date()]


def test_timestamps_are_compared_with_values_and_expressions(rows: Any) -> None:
    """A moment is equal to itself only, whichever way it is given."""
    for each in (LATE, NEXT):
        assert rows.filter(requested_at=each).count() == 1
        assert rows.filter(requested_at__in=[each, LATE - timedelta(days=1)]).count() == 1
        assert (
            rows.filter(requested_at__in=rows.filter(requested_at=each).values("requested_at")).count() == 1
        )
        assert rows.filter(requested_at=Value(each, Timestamp())).count() == 1
        assert rows.annotate(same=Coalesce("return_by", "requested_at")).filter(same=each).count() == 1
    assert rows.filter(requested_at__range=(LATE, NEXT)).count() == 2
    assert rows.filter(requested_at__range=(F("requested_at"), NEXT)).count() == 2
    assert rows.filter(requested_at__lte=F("requested_at")).count() == 2
    assert rows.filter(requested_at__lt=F("requested_at") + timedelta(seconds=1)).count() == 2
    assert rows.filter(requested_at__gt=F("requested_at") + timedelta(seconds=1)).count() == 0
    assert [rows.filter(return_by__isnull=each).count() for each in (True, False)] == [2, 0]


def test_an_index_serves_where_timestamps_are_compared_with_values(aliases: Aliases) -> None:
    """On SQLite as well."""
    rows = StoredReturn.objects.using(aliases.with_tables("sqlite"))

    assert "rma_returns_expiring" in rows.filter(return_by__lt=NEXT).explain()
    assert "rma_returns_payable" in rows.filter(due_by__isnull=False).order_by().explain()


@pytest.fixture
def _zone_of_the_process() -> Iterator[None]:
    """Gives it back: Django sets it with the setting TIME_ZONE."""
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("_zone_of_the_process")
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles"])
def test_without_time_zones_datetimes_are_those_of_the_settings(
    aliases: Aliases, kind: str, zone: str
) -> None:
    """As Django has them then: naive, in TIME_ZONE; those that have a zone are compared as well."""
    shop = Shop(alias := aliases.with_tables(kind), alias)
    evolve(shop.service, clock=lambda: LATE).handle(label_for("order_1"))
    local = LATE.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    with override_settings(USE_TZ=False, TIME_ZONE=zone):
        rows = StoredReturn.objects.using(aliases.again(alias))
        assert rows.get().requested_at == local
        assert rows.filter(requested_at=local).count() == rows.filter(requested_at=LATE).count() == 1
        assert rows.filter(requested_at__lt=local).count() == 0
        assert rows.filter(requested_at__date=local.date()).count() == 1
        assert rows.filter(requested_at=Value(LATE, Timestamp())).count() == 1
