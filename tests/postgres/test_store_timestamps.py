"""Timestamps are the database's own type, and mean the same whatever a session's settings are."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

from attrs import evolve
from sqlalchemy import text

from rma import ReturnQuery
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, CoreHarness
from tests.postgres.test_store_failures import with_options
from tests.rules.given import line, order_of, request


def test_settings_of_a_session_do_not_change_what_is_found(url: str) -> None:
    """Pages, what is outstanding and comparisons are the same in another time zone, written as in Germany."""
    abroad = with_options(url, "-cTimeZone=Asia/Tokyo -cDateStyle=German,DMY")
    with closing(SqlReturns(url, worker_lease=0)) as home, closing(SqlReturns(abroad)) as store:
        life = CoreHarness(order_of(line(quantity=9)))
        for _ in range(3):
            store.commit(life.handle(request(1, shipping_option_id=None)))
        query = ReturnQuery(limit=2)
        first = store.find(query)
        assert first == home.find(query) == life.ledger.returns[:2]
        after = evolve(query, after=first[-1].id)
        assert store.find(after) == home.find(after) == life.ledger.returns[2:]
        assert store.find(evolve(query, requested_before=life.ledger.returns[1].requested_at)) == first[:1]
        assert store.compare(life.ledger) == home.compare(life.ledger) == ()
        now = START + timedelta(days=1)
        assert store.outstanding(now, 9, unpublished=True) == ("order_1",)
        for year, expected in ((1, first), (9999, ())):
            edge = evolve(query, requested_since=datetime(year, 1, 1, tzinfo=UTC))
            assert store.find(edge) == expected


def test_a_report_reads_them_as_they_are(url: str) -> None:
    """The columns are `timestamptz`, so that a report needs no cast to count by day."""
    with closing(SqlReturns(url)) as store:
        life = CoreHarness(order_of(line(quantity=9)))
        store.commit(life.handle(request(1)))
        with store.engine.connect() as connection:
            found = connection.execute(
                text("SELECT date_trunc('day', requested_at, 'UTC'), count(*) FROM rma_returns GROUP BY 1")
            ).all()
    assert found == [(START.replace(hour=0, minute=0, second=0), 1)]
