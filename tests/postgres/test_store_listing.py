"""Lists of many returns are read by index: PostgreSQL, knowing its data, merges ranges and sorts nothing."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, text

from rma import ReturnQuery, SubjectKind
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.listing import number_of, page
from rma.adapters.sql.statement import Statement
from rma.testing.core_harness import START
from tests.sql.test_listing import PAGES, filters

#: A return a minute for two weeks: most are received, some need attention, some are exchanges or claims.
_FILL = """
INSERT INTO rma_returns
SELECT 'order_' || md5(n::text), kind, 0, 'id_' || n,
       CASE WHEN mod(n, 10) = 0 THEN 'requested' WHEN mod(n, 31) = 0 THEN 'canceled'
            WHEN mod(n, 97) = 0 THEN 'requires_action'
            WHEN kind = 'return' THEN 'received' ELSE 'completed' END,
       mod(n, 97) = 0,
       timestamptz '2026-01-01 00:00+00' + n * interval '1 min',
       repeat('x', 1000), n, 1, NULL
FROM (SELECT n, CASE mod(n, 50) WHEN 1 THEN 'exchange' WHEN 2 THEN 'claim' ELSE 'return' END AS kind
      FROM generate_series(1, 20000) AS n) AS numbered
"""

#: The events that opened them.
_EVENTS = "INSERT INTO rma_events SELECT order_id, opened_revision, 1, document FROM rma_returns"

#: A return in the middle.
_LAST = ("2026-01-07T22:40:00.000000+00:00", "order_5", 0, "return")


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    """Yields a connection to a database with many returns, about which statistics were gathered."""
    with closing(SqlReturns(url)) as store:
        store.load("order_1")
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(_FILL)
            connection.exec_driver_sql(_EVENTS)
            connection.execute(text("VACUUM ANALYZE rma_returns, rma_events"))
            yield connection


def nodes(
    connection: Connection, statement: Statement, parameters: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Returns the nodes of the plan."""
    sql = statement.postgresql
    plan = connection.exec_driver_sql(
        f"EXPLAIN (FORMAT JSON) {sql.text}", {**sql.constants, **parameters}
    ).scalar_one()

    def below(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield node
        for each in node.get("Plans", ()):
            yield from below(each)

    return list(below(plan[0]["Plan"]))


def test_every_page_is_a_merge_of_ranges_of_an_index(connection: Connection) -> None:
    """
    No table is scanned, and nothing is sorted but the page, where kinds are mixed; only the index is read to
    find the keys, and documents by primary key.
    """
    for (kinds, status, attention), (since, after, newest_first, offset) in product(filters(), PAGES):
        query = ReturnQuery(
            kinds=kinds,
            status=status,
            needs_attention=attention,
            requested_since=since,
            offset=offset,
            limit=50,
            newest_first=newest_first,
        )
        last = _LAST if after else None
        found = nodes(connection, *page(query, last))
        scans = {each["Node Type"] for each in found if "Scan" in each["Node Type"]} - {"Subquery Scan"}
        assert scans == {"Index Only Scan", "Index Scan"}, query
        for each in found:
            if "Sort" in each["Node Type"]:  # of the rows of the page
                assert len(kinds) > 1, query
                assert each["Plan Rows"] <= 50 + 4, query
            if "Index Name" in each:
                is_loaded = each["Node Type"] == "Index Scan"
                names = {"rma_returns_pkey", "rma_events_pkey"} if is_loaded else {"rma_returns_listed"}
                assert each["Index Name"] in names, query


def test_every_count_reads_only_an_index(connection: Connection) -> None:
    """Of all returns, it reads an index of all rows."""
    for (kinds, status, attention), since in product(filters(), (None, START)):
        query = ReturnQuery(kinds=kinds, status=status, needs_attention=attention, requested_since=since)
        found = nodes(connection, *number_of(query))
        scans = {each["Node Type"] for each in found if "Scan" in each["Node Type"]}
        assert scans == {"Index Only Scan"}, query
    assert (
        connection.exec_driver_sql(
            number_of(ReturnQuery(kinds=list(SubjectKind)))[0].postgresql.text
        ).scalar()
        == 20000
    )
