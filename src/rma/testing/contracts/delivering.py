"""What `ReturnRepository` promises about effects that are open, and events about their delivery."""

from datetime import timedelta

import pytest

from rma.domain.change import Change, replay
from rma.domain.events import DeliveryChanged, Event
from rma.domain.messages.effects import Effect, GivenUp
from rma.domain.values.errors import StaleLedger
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import LATER, harness, in_vain, receive, request
from rma.testing.core_harness import START, CoreHarness, Result, good_end

HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)


class Delivering(ReturnRepositoryPort):
    """Laws of a store for ledgers with open effects; a part of `ReturnRepositoryContract`."""

    def test_orders_wait_since_their_oldest_open_effect_was_opened(self) -> None:
        """In this order, whether timers may try them now or not: leased, failed and stopped ones, too."""
        returns = self.port()
        lives = [_with_label(f"order_{5 - hour}", hour) for hour in range(5)]
        lives[1].lease("ret_order_4_1-shipment-1", LATER + HOUR)
        lives[2].record_outcomes(in_vain)
        lives[3].record_outcomes(_given_up)
        lives[0].handle(request("order_5", label=True))  # a younger effect changes nothing
        for life in lives:
            for change in life.changes:
                returns.commit(change)
        expected = [f"order_{5 - hour}" for hour in range(5)]
        again = self.reopened(returns)

        assert list(again.waiting(LATER, 10)) == expected
        for limit in range(1, 6):
            assert list(again.waiting(LATER, limit)) == expected[:limit]
        for hour in range(5):
            opened_at = lives[hour].changes[0].events[0].at
            assert list(again.waiting(opened_at, 10)) == expected[: hour + 1]
            assert list(again.waiting(opened_at - MOMENT, 10)) == expected[:hour]

    def test_an_order_waits_until_its_last_effect_has_its_outcome(self) -> None:
        """Then for its next oldest; an order without open effects does not wait."""
        returns, life = self.port(), _with_label("order_1", 0)
        life.handle(request())
        first = life.changes[0].events[0].at
        for change, expected in (
            (life.changes[0], ["order_1"]),
            (life.changes[1], ["order_1"]),
            (life.handle(receive("ret_order_1_2")), ["order_1"]),
            (life.record_outcomes(_only_labels), []),
        ):
            returns.commit(change)
            assert list(self.reopened(returns).waiting(first, 10)) == expected
        assert list(returns.waiting(LATER, 10)) == ["order_1"]
        returns.commit(life.record_outcomes())
        assert list(returns.waiting(LATER, 10)) == []

    def test_outstanding_orders_come_by_when_they_are_due(self) -> None:
        """What failed comes after what was not tried, however old it is; what is stopped does not come."""
        returns = self.port()
        failed, fresh, stopped = [_with_label(f"order_{hour}", hour) for hour in range(3)]
        for _ in range(5):
            failed.record_outcomes(in_vain)
        failed.now = START + 3 * HOUR
        failed.record_outcomes(in_vain)
        stopped.record_outcomes(_given_up)
        for life in (failed, fresh, stopped):
            for change in life.changes:
                returns.commit(change)
        due_at = failed.ledger.due_at
        assert due_at is not None
        again = self.reopened(returns)

        assert list(again.outstanding(LATER, 10)) == ["order_1", "order_0"]
        assert list(again.outstanding(LATER, 1)) == ["order_1"]
        assert list(again.outstanding(due_at, 10)) == ["order_1", "order_0"]
        assert list(again.outstanding(due_at - MOMENT, 10)) == ["order_1"]

    def test_superseded_events_are_removed_by_the_commit_that_supersedes_them(self) -> None:
        """A hundred failed attempts are two events: the last, and the one by which the effect was stuck."""
        returns, life = self.port(), _with_label("order_1", 0)
        returns.commit(life.changes[0])
        for attempt in range(1, 101):
            returns.commit(life.record_outcomes(in_vain))
            history = self.reopened(returns).history("order_1")
            counted = [attempts for attempts, is_newly_stuck in _deliveries(history) if not is_newly_stuck]
            assert counted in ([attempt], [])
            assert replay("order_1", history) == life.ledger

        requested, stuck, last = returns.history("order_1")

        assert (requested,) == life.changes[0].events
        assert [is_newly_stuck for _, is_newly_stuck in _deliveries((stuck, last))] == [True, False]

    def test_a_commit_that_is_refused_removes_no_event(self) -> None:
        """What it would supersede is still needed."""
        returns, life = self.port(), _with_label("order_1", 0)
        for change in (*life.changes, life.record_outcomes(in_vain)):
            returns.commit(change)
        late = harness(ledger=life.ledger, at=life.now).record_outcomes(in_vain)
        assert late.superseded
        returns.commit(life.handle(request()))
        before = returns.history("order_1")

        with pytest.raises(StaleLedger):
            returns.commit(late)

        assert self.reopened(returns).history("order_1") == before
        assert replay("order_1", before) == returns.load("order_1")

    def test_events_of_other_orders_are_not_superseded(self) -> None:
        """Revision and number name an event of one order."""
        returns, lives = self.port(), [_with_label(f"order_{number}", 0) for number in (1, 2)]
        made: list[Change] = []
        for life in lives:
            made += [*life.changes, life.record_outcomes(in_vain)]
        for change in (*made, lives[0].record_outcomes(in_vain)):
            returns.commit(change)

        again = self.reopened(returns)

        assert [len(again.history(life.order.id)) for life in lives] == [2, 2]
        assert replay("order_2", again.history("order_2")) == again.load("order_2")


def _with_label(order_id: str, hour: int) -> CoreHarness:
    """An order with an open booking, asked for in this hour."""
    life = harness(order_id, at=START + hour * HOUR)
    life.handle(request(order_id, label=True))
    return life


def _given_up(effect: Effect) -> GivenUp:
    return GivenUp(f"TimeoutError: {effect.key}")


def _deliveries(history: tuple[Event, ...]) -> list[tuple[int, bool]]:
    """Of each event about a delivery, the attempts, and whether the effect became stuck by it."""
    deliveries = [each for each in history if isinstance(each, DeliveryChanged)]
    return [(each.delivery.attempts, each.is_newly_stuck) for each in deliveries]


def _only_labels(effect: Effect) -> Result:
    return good_end(effect) if "-shipment-" in effect.key else in_vain(effect)
