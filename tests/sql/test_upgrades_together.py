"""Upgrades beside other processes: that are killed in the midst, upgrade too, or run another release."""

import os
import signal
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import Connection, text

from rma import NotFound, ReturnQuery, Unavailable
from rma.adapters.sql import SqlReturns, upgrades
from rma.adapters.sql.schema import FORMAT
from rma.adapters.sql.upgrades import UPGRADES, upgrade_tables
from rma.adapters.sql.upgrades.upgrade import Upgrade
from rma.domain.views.query import UnreadableSubject
from tests.killed.deployment import run_process, start_process
from tests.rules.given import receive, request
from tests.sql.formats import contents, do
from tests.sql.in_transaction import shop

#: Where it is killed: before anything is changed, when tables were changed, among the orders, at the end.
POINTS = [("lock_tables", 1), ("every_order", 1), ("rewrite", 7), ("update", 1)]


def upgrade_and_be_killed(url: str, name: str, calls: int) -> None:
    """Upgrades the database, and is killed when it calls this function for a given time."""
    wrapped, numbers = getattr(upgrades, name), count(1)

    def killed(*given: object, **named: object) -> object:
        if next(numbers) == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return wrapped(*given, **named)

    setattr(upgrades, name, killed)
    SqlReturns(url).load("order_a1")


def test_a_process_that_is_killed_leaves_the_old_format_whole(old_url: str) -> None:
    """Wherever it is killed, rows, tables and indexes are those of before; the next process upgrades them."""
    before = contents(old_url)
    for name, calls in POINTS:
        assert run_process(partial(upgrade_and_be_killed, old_url, name, calls)) == -signal.SIGKILL
        assert contents(old_url) == before
    with closing(SqlReturns(old_url)) as store:
        result = store.upgrade()
        assert (result.before, result.orders, result.left) == (1, 13, ())
        assert store.load("order_a1").revision == 36


def test_processes_that_upgrade_together_do_it_once(old_url: str, tmp_path: Path) -> None:
    """One of them upgrades, the others wait for it and find nothing to do."""

    def upgrade(number: int) -> None:
        with closing(SqlReturns(old_url, busy_timeout=60)) as store:
            result = store.upgrade()
            (tmp_path / str(number)).write_text(f"{result.before} {result.orders}")

    started = [start_process(partial(upgrade, number)) for number in range(4)]
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
    assert ended == [0, 0, 0, 0]
    found = sorted([(tmp_path / str(number)).read_text() for number in range(4)])
    assert found == ["1 13", *[f"{FORMAT} 0"] * 3]


def add_a_column(connection: Connection) -> None:
    """What a later release adds: a column that may be null, and an index."""
    connection.exec_driver_sql("ALTER TABLE rma_returns ADD COLUMN carrier TEXT")
    connection.exec_driver_sql("CREATE INDEX rma_returns_by_carrier ON rma_returns (carrier)")


def test_two_releases_run_side_by_side_if_the_upgrade_broke_nothing(old_url: str) -> None:
    """
    While a later release has upgraded the tables, this one goes on, also in a process that begins now. Only
    the order with a document that it does not know is refused.
    """
    later = Upgrade(FORMAT + 1, is_breaking=False, change_tables=add_a_column)
    with closing(SqlReturns(old_url)) as open_before:
        service = shop(open_before)
        known = service.handle(request(2))
        with open_before.engine.begin() as connection:
            assert upgrade_tables(connection, FORMAT, (*UPGRADES, later)).before == FORMAT
        stored_by_the_later(old_url, "order_a1")

        with closing(SqlReturns(old_url)) as begun_now:
            for each in (service, evolve(service, returns=begun_now)):
                each.handle(receive(1, return_id=known.id, more_expected=True))
                with pytest.raises(Unavailable) as error:
                    each.returns.load("order_a1")
                assert error.value.code == "unreadable_document"
                found = each.returns.find(ReturnQuery(limit=99))
                unreadable = {row.order_id for row in found if isinstance(row, UnreadableSubject)}
                assert unreadable == {"order_a1"}
                assert each.resume().still_open == ()
            assert begun_now.upgrade().orders == 0
        with open_before.engine.connect() as connection:
            formats = connection.execute(text("SELECT format, writable_since FROM rma_format")).one()
        assert formats == (FORMAT + 1, FORMAT)
        with pytest.raises(NotFound):
            open_before.load_by_return("ret_none")


def stored_by_the_later(url: str, order_id: str) -> None:
    """Adds a field to the returns of an order that this release does not know."""
    do(
        url,
        "UPDATE rma_returns SET carrier = 'post', document = replace(document, '{\"status\"',"
        f' \'{{"carrier":"post","status"\') WHERE order_id = \'{order_id}\'',
    )


def test_a_later_upgrade_that_breaks_stops_this_release(old_url: str) -> None:
    """From then on it reads and writes nothing that it does not know: `newer_format`."""
    later = Upgrade(FORMAT + 1, is_breaking=True, change_tables=add_a_column)
    with closing(SqlReturns(old_url)) as store:
        service = shop(store)
        service.handle(request(1))
        with store.engine.begin() as connection:
            upgrade_tables(connection, FORMAT, (*UPGRADES, later))
        with pytest.raises(Unavailable) as error:
            service.handle(request(1))
        assert error.value.code == "newer_format"
        assert error.value.details == {"found": FORMAT + 1, "known": FORMAT}
        with closing(SqlReturns(old_url)) as begun_now:
            for use in (lambda: begun_now.load("order_1"), begun_now.upgrade):
                with pytest.raises(Unavailable) as error:
                    use()
                assert error.value.code == "newer_format"
