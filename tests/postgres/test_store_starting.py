"""Processes that start at the same time on an empty database."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import text

from rma import ReturnLedger, Unavailable
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.schema import FORMAT
from rma.testing.contracts.threads import at_once

TOGETHER = 6


@pytest.fixture
def stores(url: str) -> Iterator[list[SqlReturns]]:
    """Yields as many stores as processes start."""
    opened = [SqlReturns(url) for _ in range(TOGETHER)]
    yield opened
    for each in opened:
        each.close()


def test_the_tables_are_made_by_one_of_them(stores: list[SqlReturns]) -> None:
    """One of the processes makes the tables, and the others wait for it and read them."""
    found = at_once([partial(each.load, "order_1") for each in stores])

    assert found == [ReturnLedger("order_1")] * TOGETHER
    with stores[0].engine.connect() as connection:
        assert connection.scalars(text("SELECT format FROM rma_format")).all() == [FORMAT]


def test_tables_of_a_later_version_are_left_alone(url: str, stores: list[SqlReturns]) -> None:
    """A store raises `newer_format` for tables of a newer format."""
    stores[0].load("order_1")
    with stores[0].engine.begin() as connection:
        connection.execute(text("UPDATE rma_format SET format = 999, writable_since = 999"))

    with closing(SqlReturns(url)) as store, pytest.raises(Unavailable) as error:
        store.load("order_1")
    assert error.value.code == "newer_format"
