"""A database that fails is reported as by `rma.adapters.sql`, and a connection that broke is replaced."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from rma import InvalidValue, NotFound, ReturnLedger, StaleLedger, Unavailable
from rma.adapters.django import DjangoReturns
from rma.testing.contracts.storing import harness, receive, request, rivals
from rma.testing.contracts.threads import at_once
from tests.django.aliases import Aliases, in_threads, make_tables
from tests.django.shop import Shop, label_for


def test_before_the_migration_every_use_says_what_to_do(aliases: Aliases, kind: str) -> None:
    """The tables are looked for again after it, by the same process."""
    alias = aliases.new(kind)
    returns = DjangoReturns(alias)
    for use in (lambda: returns.load("order_1"), lambda: returns.commit(harness().handle(request()))):
        with pytest.raises(Unavailable) as error:
            use()
        assert error.value.code == "tables_missing"
        assert f"manage.py migrate rma --database {alias}" in str(error.value)
    with transaction.atomic(using=alias), pytest.raises(Unavailable):
        returns.load("order_1")

    make_tables(alias)

    assert returns.load("order_1") == ReturnLedger("order_1")


def test_a_file_that_is_locked_is_reported_and_nothing_is_stored(aliases: Aliases) -> None:
    """After the time-out of the connection; the next commit is stored."""
    alias = aliases.with_tables("sqlite", timeout=0)
    returns, change = DjangoReturns(alias), harness().handle(request())
    assert returns.load("order_1") == ReturnLedger("order_1")
    with closing(sqlite3.connect(str(connections[alias].settings_dict["NAME"]))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable) as error:
            returns.commit(change)
        other.rollback()

    assert error.value.code == "store_locked"
    returns.commit(change)
    assert returns.load("order_1") == change.ledger


def test_a_command_in_a_block_keeps_others_from_writing_until_its_end(aliases: Aliases) -> None:
    """On SQLite from its first read on, so that what it decided on is still so when it stores."""
    wal = "PRAGMA journal_mode=WAL"  # else readers keep others from writing, too
    alias = aliases.with_tables("sqlite", timeout=0, init_command=wal)
    shop = Shop(alias, aliases.of(aliases.url(alias), timeout=0))
    opened = shop.service.handle(label_for("order_1"))

    with transaction.atomic(using=alias):
        with pytest.raises(NotFound):
            shop.service.handle(receive("ret_9"))
        with pytest.raises(Unavailable) as error:
            shop.stored.commit(harness("order_2").handle(request("order_2")))
        assert error.value.code == "store_locked"
        assert shop.service.get(opened.id).status == "requested"
    shop.stored.commit(harness("order_2").handle(request("order_2")))


def test_a_block_that_has_read_what_another_changed_has_to_be_repeated(aliases: Aliases) -> None:
    """SQLite says so at once, nothing is stored or delivered, and the next block goes through."""
    alias = aliases.with_tables("sqlite", init_command="PRAGMA journal_mode=WAL")
    shop = Shop(alias, aliases.again(alias))
    shop.service.resume()
    with transaction.atomic(using=alias):
        assert shop.service.list() == ()
        shop.stored.commit(harness("order_2").handle(request("order_2")))
        with pytest.raises(Unavailable) as error:
            shop.service.handle(label_for("order_1"))

    assert error.value.code == "store_locked"
    assert shop.labels == []
    with transaction.atomic(using=alias):
        opened = shop.service.handle(label_for("order_1"))
    assert shop.labels == [opened.id]


def ended(aliases: Aliases, alias: str) -> None:
    """Ends the connection of this thread, as an administrator or a restart of the server does."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ((process,),) = cursor.fetchall()
    with connections[aliases.again(alias)].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [process])


def test_a_connection_that_broke_is_replaced(aliases: Aliases) -> None:
    """A read is repeated at once; a commit, of which no one knows, is reported, and the next is stored."""
    alias = aliases.with_tables("postgresql")
    returns, change = DjangoReturns(alias), harness().handle(request())
    assert returns.load("order_1") == ReturnLedger("order_1")

    ended(aliases, alias)
    assert returns.load("order_1") == ReturnLedger("order_1")
    ended(aliases, alias)
    with pytest.raises(Unavailable) as error:
        returns.commit(change)

    assert error.value.code in {"store_shut_down", "store_disconnected"}
    returns.commit(change)
    assert returns.load("order_1") == change.ledger


def test_a_block_whose_connection_broke_ends_without_anything(aliases: Aliases) -> None:
    """Nothing of it is stored or delivered, and nothing in it is repeated on another connection."""
    alias = aliases.with_tables("postgresql")
    shop = Shop(alias, aliases.again(alias))

    with pytest.raises(Unavailable), transaction.atomic(using=alias):  # noqa: PT012 # the block ends with it
        shop.service.handle(label_for("order_1"))
        ended(aliases, alias)
        shop.service.list()

    assert shop.labels == []
    connections[alias].close()
    assert shop.service.list() == ()
    shop.service.handle(label_for("order_1"))
    assert len(shop.labels) == 1


def test_a_transaction_by_hand_whose_connection_broke_is_not_continued(aliases: Aliases) -> None:
    """On another connection, what was written before would be missing, and the rest committed by itself."""
    alias = aliases.with_tables("postgresql")
    shop = Shop(alias, aliases.again(alias))
    shop.service.resume()
    transaction.set_autocommit(False, using=alias)
    shop.service.handle(label_for("order_1"))
    ended(aliases, alias)

    for use in (shop.service.list, lambda: shop.service.handle(label_for("order_1")), shop.service.list):
        with pytest.raises(Unavailable):
            use()

    connections[alias].close()
    assert shop.service.list() == ()
    assert shop.stored.load("order_1") == ReturnLedger("order_1")
    assert shop.labels == []


def test_a_server_that_is_not_there_is_reported(aliases: Aliases) -> None:
    """Also by the question whether the host has a transaction."""
    alias = aliases.with_tables("postgresql")
    connections[alias].close()
    connections[alias].settings_dict["PORT"] = "1"
    returns = DjangoReturns(alias)

    for use in (lambda: returns.load("order_1"), returns.in_host_transaction):
        with pytest.raises(Unavailable) as error:
            use()
        assert error.value.code == "store_not_opened"


@pytest.mark.parametrize("order_id", ["zero\x00byte", "half \ud800"])
def test_a_string_that_the_database_cannot_hold_is_bad_input(
    aliases: Aliases, alias: str, kind: str, order_id: str
) -> None:
    """It is found nowhere, and a block around it goes on."""
    shop = Shop(alias, aliases.again(alias))
    with transaction.atomic(using=alias):
        with pytest.raises(NotFound):
            DjangoReturns(alias).load_by_return(order_id)
        shop.service.handle(label_for("order_1"))
    if kind == "postgresql" or "\ud800" in order_id:
        with pytest.raises(InvalidValue):
            DjangoReturns(alias).commit(harness(order_id).handle(request(order_id)))

    assert len(shop.labels) == 1


def changes() -> Iterator[object]:
    """Yields commands of an order's life."""
    yield request(label=True, key="k")
    yield receive("ret_order_1_1")
    yield request(note={"é": ["100 %", "%(order_id)s", ":order_id", "%s"]})


@pytest.mark.parametrize(
    "options",
    [{}, {"server_side_binding": True}, {"isolation_level": 4}, {"prepare_threshold": 0}],
    ids=lambda options: next(iter(options), "as it is"),
)
def test_options_of_the_connection_change_nothing(aliases: Aliases, options: dict[str, object]) -> None:
    """Binding on the server, serializable transactions, prepared statements: the same ledgers, and races."""
    alias = aliases.with_tables("postgresql", **options)
    returns, life = DjangoReturns(alias), harness()
    for command in changes():
        returns.commit(life.handle(command))  # type: ignore[arg-type] # any command
    assert DjangoReturns(aliases.again(alias)).load("order_1") == life.ledger == returns.load("order_1")
    assert len(returns.history("order_1")) == 3
    assert list(returns.outstanding(life.now, 9)) == ["order_1"]

    for number in range(3):
        racing = rivals(life, 3, f"r{number}")
        ends: Sequence[object] = at_once(in_threads([partial(returns.commit, each) for each in racing]))
        (won,) = [change for change, end in zip(racing, ends, strict=True) if end is None]
        assert [type(end) for end in ends if end is not None] == [StaleLedger] * 2
        life = harness(ledger=won.ledger, at=life.now)
    assert returns.load("order_1") == life.ledger


def test_a_command_in_a_block_is_two_statements_on_postgresql(aliases: Aliases) -> None:
    """The ledger is read, and the commit is one; the tables are looked for once."""
    alias = aliases.with_tables("postgresql")
    shop = Shop(alias, aliases.again(alias))
    with transaction.atomic(using=alias):
        shop.service.handle(request())

    with CaptureQueriesContext(connections[alias]) as seen, transaction.atomic(using=alias):
        shop.service.handle(request(), deliver=False)
        assert len(seen) == 3, seen.captured_queries  # with Django's own BEGIN

    assert [each["sql"] for each in seen.captured_queries][0::3] == ["BEGIN", "COMMIT"]


def test_statements_of_django_are_seen_by_its_instruments(aliases: Aliases, alias: str) -> None:
    """A wrapper of the host around each execution sees them: its traces, its counts of queries."""
    shop = Shop(alias, aliases.again(alias))
    shop.service.resume()
    seen = []

    def note(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        seen.append(sql)
        return execute(sql, params, many, context)  # type: ignore[operator] # Django's

    with connections[alias].execute_wrapper(note):
        shop.service.list()

    assert len(seen) == 1
    assert "rma_returns" in seen[0]
