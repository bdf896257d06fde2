"""What `ReturnRepository` promises to a back office that looks through all returns, exchanges and claims."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, product

import pytest
from attrs import evolve

from rma.domain.messages.command_items import ClaimItem, ReceivedItem, RequestedItem
from rma.domain.messages.commands import (
    CancelReturn,
    ReceiveReturn,
    RecordSending,
    RequestClaim,
    RequestExchange,
)
from rma.domain.messages.effects import Effect, RefundDeclined, RefundRequest
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.windows import Calendar
from rma.domain.sale.withdrawal import Withdrawal
from rma.domain.state.ledger import Subject, SubjectKind
from rma.domain.state.lifecycle import ClaimStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.errors import NotFound, Unavailable
from rma.domain.values.money import Money
from rma.domain.views.query import FoundSubject, ReturnQuery, UnreadableSubject, sort_key
from rma.ports import ReturnRepository
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import harness, receive, request
from rma.testing.core_harness import START, CoreHarness, Result, good_end

A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)

#: All sets of kinds, those of one kind first.
_KINDS = [tuple(kinds) for size in (1, 2, 3) for kinds in combinations(SubjectKind, size)]
_STATUSES: dict[SubjectKind, type[ReturnStatus | ExchangeStatus | ClaimStatus]] = {
    SubjectKind.RETURN: ReturnStatus,
    SubjectKind.EXCHANGE: ExchangeStatus,
    SubjectKind.CLAIM: ClaimStatus,
}

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
            assert again.count(query) == len(expected)

    def test_a_document_that_cannot_be_read_hides_no_others(self) -> None:
        """
        It is an `UnreadableSubject` in its place, on each page, and behind it the page goes on. What is asked
        about its own order is `Unavailable`.
        """
        returns = self.port()
        known = _by_age(_filled(returns))
        index = next(number for number, each in enumerate(known) if each.order_id == "order_1")
        lost = known[index]
        self.damaged(returns, lost.id)
        again = self.reopened(returns)

        for query in (ReturnQuery(), ReturnQuery(newest_first=True), ReturnQuery(offset=1, limit=999)):
            found = list(again.find(query))
            expected: list[FoundSubject] = list(known[::-1] if query.newest_first else known[query.offset :])
            place = next(number for number, each in enumerate(expected) if each.id == lost.id)
            unreadable = found.pop(place)
            assert isinstance(unreadable, UnreadableSubject)
            assert (unreadable.id, unreadable.order_id) == (lost.id, lost.order_id)
            assert unreadable.requested_at == lost.requested_at
            assert found == expected[:place] + expected[place + 1 :]
        behind = again.find(ReturnQuery(after=lost.id, limit=1))
        assert list(behind) == known[index + 1 : index + 2]
        others = tuple(dict.fromkeys([each.order_id for each in known]))
        several = again.find(ReturnQuery(order_ids=others))
        assert {each.id for each in several} == {each.id for each in known}
        for ask in (
            lambda: again.load(lost.order_id),
            lambda: again.find(ReturnQuery(order_id=lost.order_id)),
            lambda: again.count(ReturnQuery(order_id=lost.order_id)),
        ):
            with pytest.raises(Unavailable):
                ask()

    def test_exchanges_and_claims_are_listed_as_returns_are(self) -> None:
        """Of each kind and of several; one that needs a person is found although no return of it does."""
        returns = self.port()
        known = _by_age(_filled_with_all_kinds(returns))
        again = self.reopened(returns)

        orders = (None, "order_1", "Order_2")
        statuses = (None, *ReturnStatus, ExchangeStatus.AWAITING_PAYMENT, ClaimStatus.COMPLETED)
        for kinds, order_id, status, attention, newest_first in product(
            _KINDS, orders, statuses, (False, True), (False, True)
        ):
            if status is not None and not any(status in _STATUSES[kind] for kind in kinds):
                continue
            query = ReturnQuery(
                kinds=kinds,
                order_id=order_id,
                status=status,
                needs_attention=attention,
                newest_first=newest_first,
            )
            expected = [each for each in known if query.accepts(each)]
            assert list(again.find(query)) == (expected[::-1] if newest_first else expected)
            assert again.count(query) == len(expected)
        blocked = ReturnQuery(kinds=SubjectKind, needs_attention=True, status="requires_action")
        assert [each.id for each in again.find(blocked)] == ["claim_order_1_4"]

    def test_returns_are_listed_by_their_dates(self) -> None:
        """Those that were to be sent, and those that were to be paid; page by page."""
        returns = self.port()
        known = _by_age(_filled_with_dates(returns))
        again = self.reopened(returns)
        assert len([each for each in known if isinstance(each, Return) and each.expires_at]) == 4
        assert len([each for each in known if isinstance(each, Return) and each.payable_by]) == 4

        timestamps = (None, START, START + A_DAY + 2 * A_MINUTE, START + 9 * A_DAY)
        statuses = (None, ReturnStatus.REQUESTED, ReturnStatus.REQUIRES_ACTION)
        for due, sent, status, kinds, limit, newest_first in product(
            timestamps, timestamps, statuses, (_KINDS[0], _KINDS[2], _KINDS[-1]), (1, 9), (False, True)
        ):
            if status is not None and SubjectKind.RETURN not in kinds:
                continue
            query = ReturnQuery(
                kinds=kinds,
                due_before=due,
                return_before=sent,
                status=status,
                limit=limit,
                newest_first=newest_first,
            )
            expected = [each for each in known if query.accepts(each)]
            pages = list(_pages(again, query))
            assert [each for page in pages for each in page] == (expected[::-1] if newest_first else expected)
            assert again.count(query) == len(expected)

    def test_several_orders_are_listed_together(self) -> None:
        """What is asked for of these orders, in order; of no order, nothing."""
        returns = self.port()
        _filled(returns)

        everything = returns.find(ReturnQuery())
        for order_ids in (("order_10", "order_1"), ("Order_2", "nobody's"), ()):
            query = ReturnQuery(order_ids=order_ids, limit=3)
            expected = [each for each in everything if each.order_id in order_ids]
            assert list(returns.find(query)) == expected[:3]
            assert returns.count(query) == len(expected)

    def test_an_offset_skips_what_a_page_would_begin_with(self) -> None:
        """Forwards and backwards, of one order and of all; behind the last there is nothing."""
        returns = self.port()
        _filled_with_all_kinds(returns)

        for kinds, order_id, newest_first in product(_KINDS, (None, "order_1"), (False, True)):
            query = ReturnQuery(kinds=kinds, order_id=order_id, newest_first=newest_first)
            everything = returns.find(query)
            assert returns.count(evolve(query, offset=3, limit=1)) == len(everything)
            for offset in (1, 3, len(everything), len(everything) + 1):
                assert returns.find(evolve(query, offset=offset, limit=2)) == everything[offset:][:2]
                assert returns.find(evolve(query, offset=offset)) == everything[offset:]
            if len(everything) > 3:
                after = evolve(query, after=everything[0].id, offset=1, limit=1)
                assert returns.find(after) == everything[2:3]

    def test_pages_show_every_return_once(self) -> None:
        """Whatever their size, forwards and backwards, of one order and of all."""
        returns = self.port()
        _filled(returns)

        _filled_with_all_kinds(returns, "order_11")

        for limit, newest_first, order_id, kinds in product(
            range(1, 6), (False, True), (None, "order_1"), (_KINDS[0], _KINDS[-1])
        ):
            query = ReturnQuery(kinds=kinds, order_id=order_id, limit=limit, newest_first=newest_first)
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


def _filled_with_all_kinds(returns: ReturnRepository, *more: str) -> list[CoreHarness]:
    """Orders with returns, exchanges and claims; unless more are named, one of each kind needs a person."""
    lives = [harness(order_id) for order_id in (*more, *(() if more else ("order_1", "Order_2")))]
    for life in lives:
        order_id = life.order.id
        returns.commit(life.handle(request(order_id)))
        returns.commit(life.handle(_exchange(order_id)))
        generous = evolve(_claim(order_id, 1), refund_amount=500_000, refund_note="half of all payments")
        returns.commit(life.handle(generous))
    if not more:
        returns.commit(lives[0].handle(_claim("order_1", 900)))  # worth more than is left
        returns.commit(lives[1].handle(receive("ret_Order_2_2")))  # the customer owes for the exchange
    return lives


def _filled_with_dates(returns: ReturnRepository) -> list[CoreHarness]:
    """Of each order: a return that waits, one that was sent, one that needs a clerk, one that is paid."""
    right = Withdrawal(calendar=Calendar("UTC"))
    policy = ReturnPolicy(return_within_days=1, pay_within_days=2, withdrawal=right)
    lives = [harness(order_id) for order_id in ("order_1", "Order_2")]
    for life in lives:
        order_id = life.order.id
        life.policy = policy
        for _ in range(3):
            returns.commit(life.handle(request(order_id)))
        returns.commit(life.handle(evolve(request(order_id), basis="withdrawal")))
        returns.commit(life.handle(_exchange(order_id)))
        returns.commit(life.handle(receive(f"ret_{order_id}_2")))
        wrong = [ReceivedItem(item_id="mug", quantity=9)]
        returns.commit(life.handle(ReceiveReturn(return_id=f"ret_{order_id}_3", items=wrong)))
        returns.commit(life.handle(RecordSending(return_id=f"ret_{order_id}_4", proof="receipt.jpg")))
    return lives


def _exchange(order_id: str) -> RequestExchange:
    return RequestExchange(
        order_id=order_id,
        items=[RequestedItem(item_id="mug", quantity=1)],
        new_items=[NewItem(variant_id="mug", quantity=1, unit_price=Money(1500, "usd"))],
    )


def _claim(order_id: str, quantity: int) -> RequestClaim:
    items = [ClaimItem(item_id="mug", quantity=quantity, reason="other")]
    return RequestClaim(order_id=order_id, type="refund", items=items)


def _declined(effect: Effect) -> Result:
    return RefundDeclined("card_closed") if isinstance(effect, RefundRequest) else good_end(effect)


def _by_age(lives: list[CoreHarness]) -> list[Subject]:
    known = [each for life in lives for kind in SubjectKind for each in life.ledger.subjects(kind)]
    return sorted(known, key=sort_key)


def _pages(returns: ReturnRepository, query: ReturnQuery) -> Iterator[tuple[FoundSubject, ...]]:
    """Page by page, up to the first that is empty."""
    page = returns.find(query)
    while page:
        yield page
        page = returns.find(evolve(query, after=page[-1].id))
    yield page
