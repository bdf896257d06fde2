"""`resume` comes to every order once, and what it reads grows with their number alone."""

from collections.abc import Iterable
from datetime import datetime

import pytest
from attrs import evolve

from rma import CancelReturn, Event, ReturnLedger, Unavailable
from rma.adapters.memory import InMemoryReturns
from rma.observing import StoringFailed
from rma.ports import EventPublisher
from tests.shell.shop import HOUR, LABEL, MINUTE, Shop, many_orders

COUNT = 2000


class Counting(InMemoryReturns):
    """
    A store that keeps what it is asked for.

    Attributes:
        limits: of each question for outstanding orders, how many were asked for at most.
        unpublished: whether those with unpublished events were asked for, too.
        unreadable: orders whose ledgers cannot be loaded.
    """

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[int] = []
        self.unpublished: list[bool] = []
        self.unreadable: set[str] = set()

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Keeps the limit."""
        self.limits.append(limit)
        self.unpublished.append(unpublished)
        return super().outstanding(now, limit, unpublished=unpublished)

    def load(self, order_id: str) -> ReturnLedger:
        """Raises for some."""
        if order_id in self.unreadable:
            raise Unavailable("document_damaged")
        return super().load(order_id)


class Publisher:
    """
    A publisher that keeps the ids of what it is given.

    Attributes:
        refuses: orders of which it takes nothing; None if it takes nothing of any.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuses: set[str] | None = set()

    def publish(self, event_id: str, event: Event) -> None:
        """Keeps the id, and raises if it is to."""
        self.asked.append(event_id)
        if self.refuses is None or event.order_id in self.refuses:
            raise ConnectionError("away")


def shop_with_open_labels(
    returns: Counting, events: EventPublisher | None = None, count: int = COUNT
) -> tuple[Shop, list[str]]:
    """A shop with so many orders, each with an open booking that is due; and their ids."""
    orders = many_orders(count)
    shop = Shop(orders, returns=returns, events=events)
    for order in orders:
        shop.service.handle(evolve(LABEL, order_id=order.id), deliver=False)
    shop.faults.calls.clear()
    return shop, [order.id for order in orders]


def loaded(shop: Shop) -> list[str]:
    """The orders whose ledgers were loaded, in order."""
    return [call.subject for call in shop.faults.calls if call.method == "returns.load"]


@pytest.mark.parametrize("is_away", [False, True])
def test_each_order_is_loaded_once_whether_ports_answer_or_not(is_away: bool) -> None:
    """2,000 orders are 21 questions of 100 each; what failed is due later and does not come again."""
    returns = Counting()
    shop, ids = shop_with_open_labels(returns)
    shop.away = {"fulfillment"} if is_away else set()

    resumed = shop.service.resume()

    assert resumed.orders == tuple(ids)
    assert resumed.still_open == (tuple(ids) if is_away else ())
    assert loaded(shop) == ids
    assert returns.limits == [100] * 21
    assert shop.calls("fulfillment.book_return") == COUNT


def test_a_timer_that_finds_nothing_due_asks_once() -> None:
    """However many orders wait for their next attempt."""
    returns = Counting()
    shop, _ = shop_with_open_labels(returns)
    shop.away = {"fulfillment"}
    shop.service.resume()
    returns.limits.clear()
    shop.faults.calls.clear()

    resumed = shop.service.resume()

    assert (resumed.orders, returns.limits, loaded(shop)) == ((), [100], [])


def test_unreadable_ledgers_hold_up_no_other() -> None:
    """150 of 2,000 cannot be read and stay in front: each batch reaches beyond them."""
    returns = Counting()
    shop, ids = shop_with_open_labels(returns)
    returns.unreadable = set(ids[:150])

    resumed = shop.service.resume()

    assert (resumed.orders, resumed.still_open) == (tuple(ids), tuple(ids[:150]))
    assert sorted(loaded(shop)) == ids
    assert len(returns.limits) <= 22
    assert sum(returns.limits) <= COUNT + 22 * (100 + 150)
    assert shop.calls("fulfillment.book_return") == COUNT - 150
    failed = [each for each in shop.signals if isinstance(each, StoringFailed)]
    assert [each.order_id for each in failed] == ids[:150]


def test_a_poisoned_order_is_one_more_in_each_question() -> None:
    """One ledger that never can be read is tried once each time, and costs nothing else."""
    returns = Counting()
    shop, ids = shop_with_open_labels(returns)
    returns.unreadable = {ids[0]}

    for _ in range(2):
        returns.limits.clear()
        resumed = shop.service.resume()
        assert resumed.still_open == (ids[0],)
        assert set(returns.limits) <= {100, 101}

    assert loaded(shop) == [*ids, ids[0]]
    assert returns.limits == [100, 101]


def test_an_effect_that_waits_for_another_is_not_asked_for() -> None:
    """Orders whose predecessors fail are due when those are: a timer in between reads nothing."""
    returns = Counting()
    shop, ids = shop_with_open_labels(returns, count=150)
    shop.away = {"fulfillment"}
    for number in range(1, 151):
        shop.service.handle(CancelReturn(return_id=f"ret_{number}"), deliver=False)
    shop.service.resume()
    shop.faults.calls.clear()
    returns.limits.clear()

    idle = shop.service.resume()
    shop.away.clear()
    shop.pass_time(MINUTE)
    done = shop.service.resume()

    assert idle.orders == ()
    assert (done.orders, done.still_open) == (tuple(ids), ())
    assert returns.limits == [100] + [100] * 3
    assert len(shop.carrier.done) == 2 * 150


def test_a_publisher_that_takes_nothing_is_left_alone() -> None:
    """After 1,000 orders in a row; effects that are due are delivered all the same, and events later."""
    returns, events = Counting(), Publisher()
    shop, ids = shop_with_open_labels(returns, events)
    events.refuses = None

    resumed = shop.service.resume()

    assert resumed.orders == tuple(ids)
    assert shop.calls("fulfillment.book_return") == COUNT
    assert returns.unpublished[0] is True
    assert returns.unpublished[-1] is False
    events.refuses = set()
    assert shop.service.resume().still_open == ()
    assert len(set(events.asked)) == 2 * COUNT


def test_behind_a_dead_publisher_what_is_only_unpublished_waits_for_the_next_timer() -> None:
    """Of 2,000 orders without open effects 1,000 are tried: one call to the publisher each."""
    returns, events = Counting(), Publisher()
    shop, _ = shop_with_open_labels(returns, events)
    events.refuses = None
    shop.service.resume()
    events.asked.clear()
    returns.limits.clear()
    shop.pass_time(HOUR)

    resumed = shop.service.resume()

    assert len(resumed.orders) == len(events.asked) == 1000
    assert resumed.still_open == resumed.orders
    assert sum(returns.limits) <= 11 * (100 + 1000)


def test_a_publisher_that_refuses_some_orders_is_asked_for_all_others() -> None:
    """1,500 of 2,000 are refused, never 1,000 in a row: the others are published."""
    returns, events = Counting(), Publisher()
    shop, ids = shop_with_open_labels(returns, events)
    events.refuses = {order_id for number, order_id in enumerate(ids) if number % 4}

    resumed = shop.service.resume()

    assert resumed.orders == tuple(ids)
    assert len(resumed.still_open) == 1500
