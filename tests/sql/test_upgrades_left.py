"""One order that cannot be upgraded stops no other, and can be upgraded later."""

import logging
from contextlib import closing

import pytest
from sqlalchemy import text

from rma import ReturnQuery, Unavailable
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.__main__ import main
from rma.adapters.sql.schema import FORMAT
from rma.domain.views.query import UnreadableSubject
from rma.shell.driver import run
from rma.shell.repair import verify
from tests.sql.alike import assert_alike
from tests.sql.formats import do, order_ids, stored_in_format_1

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
    "the last event is lost": ("DELETE FROM rma_events WHERE {} AND revision > 35", True),
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
    expected: InMemoryReturns,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    An order whose history cannot be read, or knows less than what is stored, is left as it is and stays
    unreadable; what only its rows had wrong is written from its history. All others are upgraded.
    """
    statement, is_left = CORRUPTED[damage]
    logging.getLogger("rma").disabled = False  # it is off in these tests, and afterwards
    caplog.set_level(logging.WARNING)
    do(old_url, statement.format("order_id = 'order_a1'"))
    with closing(SqlReturns(old_url)) as store:
        for order_id in order_ids():
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
    old_url: str, expected: InMemoryReturns, capsys: pytest.CaptureFixture[str]
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
        assert_alike(store.load("order_a1"), expected.load("order_a1"))
        assert_alike(store.history("order_a1"), expected.history("order_a1"))
