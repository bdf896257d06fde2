"""A back office looks through returns of all orders."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve

from rma import InvalidValue, NotFound, RefundDeclined, RetryRefund, ReturnService, ReturnStatus
from rma.adapters.memory import InMemoryPayments, in_memory_service
from rma.testing.core_harness import START, counting
from tests.rules.given import line, order_of, receive, request

DAY = timedelta(days=1)


@pytest.fixture
def service() -> ReturnService:
    """Three returns of each of two orders, one a day; ret_1 was received, half of ret_2 came."""
    today = iter([START + DAY * n for n in range(100)])
    orders = [evolve(order_of(line(quantity=9)), id=f"order_{n}") for n in (1, 2)]
    service = in_memory_service(orders, ids=counting(), clock=lambda: START)
    for _ in range(3):
        for order in orders:
            evolve(service, clock=lambda: next(today)).handle(evolve(request(2), order_id=order.id))
    service.handle(receive(2, return_id="ret_1"))
    service.handle(receive(1, return_id="ret_2"))
    return service


def ids(service: ReturnService, **query: object) -> list[str]:
    """Of the returns on the page."""
    return [each.id for each in service.list(**query)]  # type: ignore[arg-type] # by name


def test_work_is_found_by_status_oldest_first(service: ReturnService) -> None:
    """As it stands now; its spelling will do."""
    assert ids(service) == ["ret_1", "ret_2", "ret_3", "ret_4", "ret_5", "ret_6"]
    assert ids(service, status=ReturnStatus.REQUIRES_ACTION) == ["ret_2"]
    assert ids(service, status="received") == ["ret_1"]
    assert ids(service, status="canceled") == []


def test_what_needs_a_person_is_found_whatever_its_status(service: ReturnService) -> None:
    """A mismatch, and a refund that the gateway declined."""
    declining = InMemoryPayments(answer=lambda _: RefundDeclined("card_closed"))
    evolve(service, payments=declining).handle(receive(2, return_id="ret_4"))

    assert ids(service, needs_attention=True) == ["ret_2", "ret_4"]
    service.handle(RetryRefund(return_id="ret_4"))
    assert ids(service, needs_attention=True) == ["ret_2"]


def test_old_work_is_found_by_age(service: ReturnService) -> None:
    """What has been waiting for days."""
    assert ids(service, status="requested", requested_before=START + 4 * DAY) == ["ret_3", "ret_4"]
    assert ids(service, requested_since=START + 4 * DAY) == ["ret_5", "ret_6"]


def test_an_order_s_returns_are_all_shown(service: ReturnService) -> None:
    """None of an order that nobody knows; the newest first, if that is wanted."""
    assert ids(service, order_id="order_1") == ["ret_1", "ret_3", "ret_5"]
    assert ids(service, order_id="order_1", newest_first=True) == ["ret_5", "ret_3", "ret_1"]
    assert ids(service, order_id="order_9") == []


def test_pages_follow_each_other(service: ReturnService) -> None:
    """By the id of the last return, also of one order."""
    assert ids(service, limit=4) == ["ret_1", "ret_2", "ret_3", "ret_4"]
    assert ids(service, limit=4, after="ret_4") == ["ret_5", "ret_6"]
    assert ids(service, limit=2, after="ret_4", newest_first=True) == ["ret_3", "ret_2"]
    assert ids(service, order_id="order_1", limit=1, after="ret_1") == ["ret_3"]


def test_a_page_of_everything_has_a_limit_and_an_order_s_has_none() -> None:
    """So that nobody loads a million returns by accident."""
    orders = [evolve(order_of(line(quantity=150)), id=f"order_{n}") for n in (1, 2)]
    service = in_memory_service(orders, ids=counting(), clock=lambda: START)
    for _ in range(110):
        service.handle(evolve(request(1), order_id="order_1"))

    assert len(service.list("order_1")) == 110
    assert len(service.list()) == 100
    assert len(service.list(after=service.list()[-1].id)) == 10


@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"limit": 0},
        {"limit": True},
        {"limit": 2.0},
        {"requested_before": datetime(2026, 1, 1)},  # noqa: DTZ001 # that is what is wrong
        {"requested_since": "2026-01-01"},
        {"after": 7},
        {"order_id": 7},
        {"newest_first": "no"},
        {"needs_attention": 1},
    ],
)
def test_a_query_that_can_not_be_is_refused(service: ReturnService, query: dict[str, object]) -> None:
    """By the value, before the store is asked."""
    with pytest.raises(InvalidValue):
        ids(service, **query)


def test_a_page_behind_an_unknown_return_is_not_found(service: ReturnService) -> None:
    """Not empty."""
    with pytest.raises(NotFound):
        service.list(after="ret_9")
