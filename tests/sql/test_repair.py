"""What is stored otherwise than history rebuilds it is found, and put right in one commit."""

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import CancelReturn, InvalidValue, StaleLedger, Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.__main__ import main
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.domain.change import replay
from rma.shell.driver import arun, run
from rma.shell.repair import rebuild, verify
from rma.testing.core_harness import CoreHarness, counting
from tests.rules.given import line, order_of, receive, request
from tests.world import RETURN_OPTION

#: What a person or another program did to the rows, and where it is found.
DAMAGES: dict[str, tuple[str, set[tuple[str, str | None]]]] = {
    "a return's document is broken off": (
        "UPDATE rma_returns SET document = substr(document, 1, 20) WHERE return_id = 'ret_1'",
        {("return ret_1", "document")},
    ),
    "a return's document is another's": (
        (
            "UPDATE rma_returns SET document = (SELECT document FROM rma_returns AS other"
            " WHERE other.return_id = 'ret_2') WHERE return_id = 'ret_1'"
        ),
        {("return ret_1", name) for name in ("status", "entitlement", "received_at", "updated_at")},
    ),
    "a return's record is gone": (
        "UPDATE rma_returns SET record = NULL WHERE return_id = 'ret_1'",
        {("return ret_1", "items"), ("return ret_1", "receipts"), ("ledger", "grants")},
    ),
    "a return began with another event": (
        (
            "UPDATE rma_returns SET opened_revision = (SELECT opened_revision FROM rma_returns AS other"
            " WHERE other.return_id = 'ret_2') WHERE return_id = 'ret_1'"
        ),
        {("return ret_1", None), ("idempotency key a", None)},
    ),
    "a return began with no event": (
        "UPDATE rma_returns SET opened_revision = 9 WHERE return_id = 'ret_1'",
        {("return ret_1", "document")},
    ),
    "a status was set by hand": (
        "UPDATE rma_returns SET status = 'received' WHERE return_id = 'ret_2'",
        {("return ret_2", "column status")},
    ),
    "attention was taken away": (
        (
            "UPDATE rma_returns SET needs_attention = true,"
            " requested_at = '1999-01-01T00:00:00.000000+00:00' WHERE return_id = 'ret_2'"
        ),
        {("return ret_2", "column needs_attention"), ("return ret_2", "column requested_at")},
    ),
    "a return's id was changed": (
        "UPDATE rma_returns SET return_id = 'ret_x' WHERE return_id = 'ret_2'",
        {("return ret_2", "column return_id")},
    ),
    "a return is gone": (
        "DELETE FROM rma_returns WHERE return_id = 'ret_2'",
        {("return ret_2", None), ("idempotency key b", None)},
    ),
    "the ledger's document is empty": (
        "UPDATE rma_ledgers SET document = '{}'",
        {
            ("effect ret_1-restock-1", None),
            ("effect ret_1-refund-1", None),
            ("effect ret_2-shipment-1", None),
        },
    ),
    "the ledger's document is broken": ("UPDATE rma_ledgers SET document = '['", {("ledger", "document")}),
    "the ledger is gone": ("DELETE FROM rma_ledgers", {("ledger", None)}),
    "the revision is an older one": ("UPDATE rma_ledgers SET revision = 1", {("ledger", "revision")}),
    "it counts as published": (
        "UPDATE rma_ledgers SET published = 3, unpublished_since = NULL",
        {("ledger", "published")},
    ),
    "nothing is due": (
        "UPDATE rma_ledgers SET due_at = NULL, waiting_since = NULL",
        {("ledger", "column due_at"), ("ledger", "column waiting_since")},
    ),
}


def life_in(store: SqlReturns, order_id: str = "order_1", prefix: str = "") -> CoreHarness:
    """Stores two returns of an order, one received and one with a label; effects of both are open."""
    life = CoreHarness(
        evolve(order_of(line(quantity=9)), id=order_id), options=[RETURN_OPTION], ids=counting(prefix)
    )
    first = evolve(request(2, idempotency_key="a"), order_id=order_id)
    second = evolve(request(1, idempotency_key="b", shipping_option_id="so_return"), order_id=order_id)
    for command in (first, receive(2, return_id=f"ret_{prefix}1"), second):
        store.commit(life.handle(command))
    return life


def do(store: SqlReturns, statement: str) -> None:
    """Does something to the rows behind the library's back."""
    with store.engine.begin() as connection:
        connection.execute(text(statement))


def rows(store: SqlReturns) -> list[object]:
    """Returns all rows of all tables but the documents, in order."""
    tables = {
        "rma_ledgers": "order_id, revision, published, waiting_since, due_at, unpublished_since, leased_by",
        "rma_returns": "order_id, kind, position, return_id, status, needs_attention, requested_at",
        "rma_events": "order_id, revision, number, document",
    }
    with store.engine.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(text(f"SELECT {names} FROM {table} ORDER BY 1, 2, 3"))]
            for table, names in tables.items()
        ]


def test_an_order_may_be_noted_as_unpublished_only_if_it_is(url: str) -> None:
    """One that is behind need not be noted, as its host may have no publisher."""
    with closing(SqlReturns(url)) as store:
        life = life_in(store)
        do(store, "UPDATE rma_ledgers SET unpublished_since = NULL")
        assert run(verify("order_1", store)) == ()
        store.commit(life.publish())
        do(store, "UPDATE rma_ledgers SET unpublished_since = '2026-01-01T00:00:00.000000+00:00'")

        assert [each.field for each in run(rebuild("order_1", store))] == ["column unpublished_since"]

        assert run(verify("order_1", store)) == ()


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_damaged_is_found_and_put_right(url: str, damage: str) -> None:
    """Every difference is named, the rebuilt ledger is the one that was stored, and events are untouched."""
    statement, expected = DAMAGES[damage]
    with closing(SqlReturns(url)) as store:
        life, other = life_in(store), life_in(store, "order_2", "o")
        before = rows(store)
        assert run(verify("order_1", store)) == run(rebuild("order_1", store)) == ()
        do(store, statement + (" AND" if "WHERE" in statement else " WHERE") + " order_id = 'order_1'")

        found = run(verify("order_1", store))
        assert {(each.where, each.field) for each in found} >= expected
        if not any(field is None for _, field in expected):
            assert {(each.where, each.field) for each in found} == expected
        assert all(str(each).startswith("order order_1, ") for each in found)
        assert run(rebuild("order_1", store)) == found

        assert run(verify("order_1", store)) == ()
        assert store.load("order_1") == life.ledger
        assert store.load_by_return("ret_2") == life.ledger
        assert rows(store) == before
        assert store.load("order_2") == other.ledger
        store.commit(life.handle(request(1)))  # and life goes on


def test_a_history_with_less_than_what_is_stored_rebuilds_nothing(url: str) -> None:
    """
    Where events are lost, a rebuild would forget a later revision or a return: `history_incomplete`, and
    nothing is stored.
    """
    with closing(SqlReturns(url)) as store:
        life = life_in(store)
        store.commit(life.handle(CancelReturn(return_id="ret_2")))
        do(store, "DELETE FROM rma_events WHERE revision = 4")
        before = rows(store)
        with pytest.raises(InvalidValue) as error:
            run(rebuild("order_1", store))
        assert error.value.code == "history_incomplete"
        assert "ledger: revision is 4 and should be 3" in str(error.value)
        assert rows(store) == before
        assert store.load("order_1") == life.ledger

        do(store, "DELETE FROM rma_events WHERE revision = 3")
        do(store, "UPDATE rma_ledgers SET revision = 2")
        before = rows(store)
        with pytest.raises(InvalidValue) as error:  # the return is there, and history does not know it
            run(rebuild("order_1", store))
        assert "return ret_2: is stored without history" in str(error.value)
        assert rows(store) == before

        do(store, "DELETE FROM rma_events")
        with pytest.raises(InvalidValue):
            run(rebuild("order_1", store))
        assert run(verify("order_9", store)) == run(rebuild("order_9", store)) == ()


def test_a_refund_that_history_does_not_know_is_not_forgotten(url: str) -> None:
    """The events of a receipt are lost in the midst of the history: its refund may have been paid."""
    with closing(SqlReturns(url)) as store:
        life_in(store)
        do(store, "DELETE FROM rma_events WHERE revision = 2")
        with pytest.raises(InvalidValue) as error:
            run(rebuild("order_1", store))
        assert error.value.code == "history_incomplete"
        assert "return ret_1: entitlement" in str(error.value)


def test_an_event_that_cannot_be_read_is_reported(url: str) -> None:
    """Nothing is rebuilt without it: `unreadable_document`."""
    with closing(SqlReturns(url)) as store:
        life_in(store)
        do(store, "UPDATE rma_events SET document = '{' WHERE revision = 2")
        for act in (verify, rebuild):
            with pytest.raises(Unavailable) as error:
                run(act("order_1", store))
            assert error.value.code == "unreadable_document"


def test_a_ledger_whose_history_went_on_is_not_stored(url: str) -> None:
    """`replace` refuses it as stale, as it would forget what was committed meanwhile."""
    with closing(SqlReturns(url)) as store:
        life = life_in(store)
        old = life.ledger
        store.commit(life.handle(request(1)))
        before = rows(store)
        with pytest.raises(StaleLedger) as error:
            store.replace(old, None)
        assert error.value.details == {"order_id": "order_1", "expected": 3, "found": 4}
        assert rows(store) == before


def test_a_later_format_is_not_written_by_a_rebuild(url: str) -> None:
    """A process that was open before the tables changed raises `newer_format`."""
    with closing(SqlReturns(url)) as store:
        life_in(store)
        do(store, "UPDATE rma_returns SET status = 'canceled'")
        do(store, "UPDATE rma_format SET writable_since = 999")
        before = rows(store)
        with pytest.raises(Unavailable) as error:
            run(rebuild("order_1", store))
        assert (error.value.code, rows(store)) == ("newer_format", before)


def test_an_awaited_store_is_verified_and_rebuilt_too(url: str) -> None:
    """With the same differences."""
    with closing(SqlReturns(url)) as store:
        life = life_in(store)
        before = rows(store)
        do(store, "UPDATE rma_ledgers SET revision = 1, due_at = NULL")
        do(store, "UPDATE rma_returns SET document = '{' WHERE return_id = 'ret_1'")
        expected = run(verify("order_1", store))

        async def simulate() -> None:
            awaited = AsyncSqlReturns(url)
            assert await arun(verify("order_1", awaited)) == expected
            assert await arun(rebuild("order_1", awaited)) == expected
            await awaited.close()

        asyncio.run(simulate())
        assert len(expected) == 3
        assert rows(store) == before
        assert replay("order_1", store.history("order_1")) == store.load("order_1") == life.ledger


def test_a_rebuild_is_part_of_the_hosts_transaction(url: str) -> None:
    """It is undone with it."""
    with closing(SqlReturns(url)) as store:
        life_in(store)
        do(store, "UPDATE rma_returns SET status = 'canceled'")
        before = rows(store)
        with store.engine.connect() as connection:
            bound = store.in_transaction(connection)
            assert run(rebuild("order_1", bound))
            assert run(verify("order_1", bound)) == ()
            connection.rollback()
        assert rows(store) == before


def test_the_command_line_does_all_orders_or_some(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints what differs, and says with its status whether anything is left to do."""
    with closing(SqlReturns(url)) as store:
        life_in(store)
        life_in(store, "order_2", "o")
        assert main(["verify", url]) == 0
        assert capsys.readouterr().out == "2 orders, 0 differ, 0 to look at, 0 archived\n"

        do(store, "UPDATE rma_returns SET status = 'canceled' WHERE return_id = 'ret_1'")
        do(store, "UPDATE rma_events SET document = '{' WHERE order_id = 'order_2'")
        assert main(["verify", url, "order_1"]) == 1
        assert capsys.readouterr().out == (
            "order order_1, return ret_1: column status is 'canceled' and should be 'received'\n"
            "1 orders, 1 differ, 1 to look at, 0 archived\n"
        )
        assert main(["rebuild", url]) == 1
        printed = capsys.readouterr().out
        assert "order order_2: unreadable document" in printed
        assert printed.endswith("2 orders, 1 rebuilt, 1 to look at, 0 archived\n")
        assert main(["rebuild", url, "order_1"]) == 0


def test_the_command_line_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, a database without ledgers and a URL that is none are reported."""
    for url, words in (
        (f"sqlite:///{tmp_path / 'none.db'}", "there is no file"),
        ("sqlite://", "there is no file"),
        ("shop.db", "Could not parse"),
        ("oracle://db/shop", "oracle"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["verify", url])
        assert end.value.code == 2
        assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    (tmp_path / "empty.db").touch()
    assert main(["verify", f"sqlite:///{tmp_path / 'empty.db'}"]) == 1
    assert "tables missing" in capsys.readouterr().out
    (tmp_path / "text.db").write_text("not a database " * 100)
    assert main(["verify", f"sqlite:///{tmp_path / 'text.db'}"]) == 1
    assert "store corrupt" in capsys.readouterr().out


def test_the_command_line_is_a_module(tmp_path: Path) -> None:
    """`python -m rma.adapters.sql`."""
    file = tmp_path / "returns.db"
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        life_in(store)
    command = [sys.executable, "-m", "rma.adapters.sql", "verify", f"sqlite:///{file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1 orders, 0 differ, 0 to look at, 0 archived\n"), (
        done.stderr
    )
