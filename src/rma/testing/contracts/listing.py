"""What `ReturnRepository` promises to a back office that looks through all returns."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from attrs import evolve

from rma.domain.messages.commands import CancelReturn
from rma.domain.messages.effects import Effect, RefundDeclined, RefundRequest
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.errors import NotFound
from rma.domain.views.query import ReturnQuery
from rma.ports import ReturnRepository
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import harness, receive, request
from rma.testing.core_harness import START, CoreHarness, Result, good_end

A_MINUTE = timedelta(minutes=1)

#: Of what is listed, what needs a person: a refund was declined; more arrived than was requested.
ATTENTION = {"ret_order_1_3", "ret_order_10_4"}


class Listing(ReturnRepositoryPort):
    """Laws of a store for ledgers whose returns are looked through; a part of `ReturnRepositoryContract`."""

    def test_returns_are_listed_by_order_status_and_age(self) -> None:
        """As they stand now, oldest request first, or newest; and by all of these together."""
        returns = self.port()
        known = _by_age(_filled(returns))
        again = self.reopened(returns)

        orders = (None, "order_1", "Order_2", "nobody's")
        timestamps = (None, START + A_MINUTE, START + 3 * A_MINUTE)
        for order_id, status, attention, since, before, newest_first in product(
            orders, (None, *ReturnStatus), (False, True), timestamps, timestamps, (False, True)
        ):
            query = ReturnQuery(
                order_id=order_id,
                status=status,
                needs_attention=attention,
                requested_since=since,
                requested_before=before,
                newest_first=newest_first,
            )
            expected = [
                each
                for each in known
                if (order_id is None or each.order_id == order_id)
                and (status is None or each.status is status)
                and (not attention or each.id in ATTENTION)
                and (since is None or each.requested_at >= since)
                and (before is None or each.requested_at < before)
            ]
            assert list(again.find(query)) == (expected[::-1] if newest_first else expected)

    def test_pages_show_every_return_once(self) -> None:
        """Whatever their size, forwards and backwards, of one order and of all."""
        returns = self.port()
        _filled(returns)

        for limit, newest_first, order_id in product(range(1, 6), (False, True), (None, "order_1")):
            query = ReturnQuery(order_id=order_id, limit=limit, newest_first=newest_first)
            pages = list(_pages(returns, query))
            assert [each for page in pages for each in page] == list(returns.find(evolve(query, limit=None)))
            assert all(len(page) == limit for page in pages[:-2])

    def test_a_page_goes_on_where_the_one_before_ended(self) -> None:
        """Although its last return is another status by now, and others were requested meanwhile."""
        returns = self.port()
        lives = _filled(returns)
        query = ReturnQuery(status=ReturnStatus.REQUESTED)
        before = returns.find(query)
        here = before[4]
        life = next(life for life in lives if life.order.id == here.order_id)
        returns.commit(life.handle(CancelReturn(return_id=here.id)))
        returns.commit(life.handle(request(life.order.id)))
        newest = life.ledger.returns[-1]

        assert returns.find(evolve(query, after=here.id)) == (*before[5:], newest)
        assert returns.find(evolve(query, after=newest.id)) == ()
        assert returns.find(evolve(query, after=here.id, newest_first=True)) == before[3::-1]

    def test_behind_an_unknown_return_there_is_no_page(self) -> None:
        """It is not found; nor is the list clipped or begun again."""
        returns = self.port()
        _filled(returns)

        for order_id in (None, "order_1"):
            with pytest.raises(NotFound) as error:
                returns.find(ReturnQuery(order_id=order_id, after="ret_9"))
            assert error.value.code == "return_not_found"
            assert error.value.details == {"return_id": "ret_9"}


def _filled(returns: ReturnRepository) -> list[CoreHarness]:
    """Orders whose returns were requested at the same moments, and stand differently since."""
    lives = [harness(order_id) for order_id in ("order_1", "Order_2", "order_10")]
    for life in lives:
        for _ in range(4):
            returns.commit(life.handle(request(life.order.id)))
    returns.commit(lives[0].handle(receive("ret_order_1_2")))
    returns.commit(lives[0].record_outcomes())
    returns.commit(lives[0].handle(receive("ret_order_1_3")))
    returns.commit(lives[0].record_outcomes(_declined))
    returns.commit(lives[1].handle(CancelReturn(return_id="ret_Order_2_1")))
    returns.commit(lives[2].handle(receive("ret_order_10_4", arrivals=2)))
    return lives


def _declined(effect: Effect) -> Result:
    return RefundDeclined("card_closed") if isinstance(effect, RefundRequest) else good_end(effect)


def _by_age(lives: list[CoreHarness]) -> list[Return]:
    known = [each for life in lives for each in life.ledger.returns]
    return sorted(known, key=lambda each: (each.requested_at, each.order_id, each.display_id))


def _pages(returns: ReturnRepository, query: ReturnQuery) -> Iterator[tuple[Return, ...]]:
    """Page by page, up to the first that is empty."""
    page = returns.find(query)
    while page:
        yield page
        page = returns.find(evolve(query, after=page[-1].id))
    yield page
