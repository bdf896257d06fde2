"""What has no final outcome yet is listed for the person on call, oldest first."""

import asyncio
from datetime import timedelta
from typing import cast

import pytest
from attrs import evolve

from rma import CancelReturn, InvalidValue, NotIdempotent, RefundPending, RefundRequest
from rma.adapters.memory import InMemoryReturns
from rma.domain.views.outstanding import OutstandingEffect
from rma.testing.core_harness import START
from tests.aio.hosts import awaited_service
from tests.rules.given import receive, request, usd
from tests.shell.adapters import Carrier, Payments, SearchedPayments
from tests.shell.shop import DAY, HOUR, LABEL, MINUTE, Shop, many_orders


def keys(found: tuple[OutstandingEffect, ...]) -> list[str]:
    """The keys of these effects."""
    return [each.key for each in found]


def test_an_effect_is_listed_with_all_that_is_known_of_it() -> None:
    """Since when it is open, how often it was tried in vain, what its port said last, and when it is next."""
    shop = Shop()
    shop.handle_all(request(2))
    shop.away = {"payments"}
    shop.handle_all(receive(2))
    shop.pass_time(MINUTE)
    shop.service.resume()

    (effect,) = shop.service.outstanding()

    assert effect.request == RefundRequest(
        "ret_1-refund-1", "order_1", "ret_1", "pay_1", usd(2000), kind="card"
    )
    assert (effect.key, effect.order_id, effect.subject_id) == ("ret_1-refund-1", "order_1", "ret_1")
    assert (effect.since, effect.attempts) == (START, 2)
    assert effect.last_error is not None
    assert effect.last_error.startswith("ConnectionError: ")
    assert effect.last_error.endswith("payments.refund ret_1-refund-1: away")
    assert effect.next_attempt == START + 3 * MINUTE
    assert effect.waits_for is None
    assert (effect.is_pending, effect.is_stuck, effect.is_stopped) == (False, False, False)


def test_nothing_is_outstanding_where_all_ports_answered() -> None:
    """Nor where nothing happened."""
    shop = Shop()
    empty = shop.service.outstanding()
    shop.handle_all(LABEL, receive(1))

    assert (empty, shop.service.outstanding()) == ((), ())


def test_an_effect_that_waits_for_another_has_no_next_attempt() -> None:
    """It is tried as soon as that one has its outcome; the order is not due for it."""
    shop = Shop()
    shop.handle_all(request(2))
    shop.away = {"inventory"}
    shop.handle_all(receive(1), CancelReturn(return_id="ret_1"))
    shop.pass_time(30 * timedelta(seconds=1))

    restock, withdraw = shop.service.outstanding()

    assert (restock.waits_for, restock.next_attempt) == (None, shop.ledger.due_at)
    assert (withdraw.waits_for, withdraw.next_attempt) == (restock.key, None)
    assert shop.service.resume().orders == ()


def test_a_pending_refund_is_next_when_it_is_looked_up_or_overdue() -> None:
    """After six hours where its gateway can be searched, else after ten days."""
    for payments, wait in ((SearchedPayments(), 6 * HOUR), (Payments(), 10 * DAY)):
        payments.answer = RefundPending("re_1")
        shop = Shop(payments=payments)
        shop.handle_all(request(2), receive(2))

        (effect,) = shop.service.outstanding()

        assert (effect.is_pending, effect.next_attempt) == (True, START + wait)


def test_an_effect_that_is_stopped_has_no_next_attempt() -> None:
    """It waits for a person, and says so."""
    shop = Shop(carrier=Carrier(NotIdempotent()))
    shop.away = {"fulfillment"}
    shop.handle_all(LABEL)

    (effect,) = shop.service.outstanding()

    assert effect.next_attempt is None
    assert effect.is_stopped
    assert effect.is_stuck


def test_they_come_in_the_order_in_which_they_were_asked_for() -> None:
    """Also where orders alternate; a limit cuts off the latest, an age what is younger."""
    first, second, *_ = many_orders(2)
    shop = Shop([first, second])
    shop.away = {"fulfillment"}
    for order in (first, second, first, second, first):
        shop.service.handle(evolve(LABEL, order_id=order.id))
        shop.pass_time(HOUR)
    expected = [f"ret_{number}-shipment-1" for number in range(1, 6)]

    assert keys(shop.service.outstanding()) == expected
    for limit in range(1, 7):
        assert keys(shop.service.outstanding(limit=limit)) == expected[:limit]
    for hours in range(7):
        assert keys(shop.service.outstanding(hours * HOUR)) == expected[: max(0, 6 - max(hours, 1))]
    assert keys(shop.service.outstanding(timedelta(0))) == expected


def test_no_more_ledgers_are_loaded_than_are_needed() -> None:
    """Those of which something is shown, and one more, which has nothing that is older."""
    shop = Shop(many_orders(10))
    shop.away = {"fulfillment"}
    for number in (0, 0, 0, *range(1, 10)):
        shop.service.handle(evolve(LABEL, order_id=f"order_{number:04}"))
        shop.pass_time(MINUTE)
    before = shop.calls("returns.load")

    assert len(shop.service.outstanding(limit=3)) == 3

    assert shop.calls("returns.load") - before == 2


@pytest.mark.parametrize("odd", [timedelta(seconds=-1), 5, "1 h"])
def test_an_age_that_is_none_is_refused(odd: object) -> None:
    """The message says what would be right."""
    with pytest.raises(InvalidValue, match=r"outstanding\.older_than must be a timedelta of at least 0"):
        Shop().service.outstanding(cast("timedelta", odd))


@pytest.mark.parametrize("odd", [0, -1, True, 1.0, "9", None])
def test_a_limit_that_is_none_is_refused(odd: object) -> None:
    """The message says what would be right."""
    with pytest.raises(InvalidValue, match=r"outstanding\.limit must be an integer of at least 1"):
        Shop().service.outstanding(limit=cast("int", odd))


def test_an_awaited_service_lists_the_same() -> None:
    """With the same arguments, and the same refusals."""
    shop = Shop(many_orders(3), returns=InMemoryReturns())
    shop.away = {"fulfillment"}
    for number in (2, 0, 1):
        shop.service.handle(evolve(LABEL, order_id=f"order_{number:04}"))
        shop.pass_time(HOUR)
    awaited = awaited_service(shop.service)

    assert asyncio.run(awaited.outstanding()) == shop.service.outstanding()
    assert asyncio.run(awaited.outstanding(2 * HOUR, limit=1)) == shop.service.outstanding(2 * HOUR, limit=1)
    with pytest.raises(InvalidValue):
        asyncio.run(awaited.outstanding(-HOUR))
