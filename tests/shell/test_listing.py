"""Lists of returns over all orders, as a back office uses them."""

from datetime import datetime, timedelta
from typing import assert_type

import pytest
from attrs import evolve

from rma import (
    Claim,
    ClaimItem,
    Exchange,
    InvalidValue,
    Money,
    NewItem,
    NotFound,
    RefundDeclined,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RetryRefund,
    Return,
    ReturnService,
    ReturnStatus,
    SubjectKind,
)
from rma.adapters.memory import InMemoryPayments, in_memory_service
from rma.testing.core_harness import START, counting
from tests.rules.given import line, order_of, receive, request

DAY = timedelta(days=1)


@pytest.fixture
def service() -> ReturnService:
    """Returns a service with three returns of each of two orders; ret_1 is received, ret_2 is short."""
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
    """Returns the ids of the returns on the page."""
    return [each.id for each in service.list(**query)]  # type: ignore[call-overload] # by name


def test_work_is_found_by_status_oldest_first(service: ReturnService) -> None:
    """Returns are listed by their present status, given as a member or as its string, oldest first."""
    assert ids(service) == ["ret_1", "ret_2", "ret_3", "ret_4", "ret_5", "ret_6"]
    assert ids(service, status=ReturnStatus.REQUIRES_ACTION) == ["ret_2"]
    assert ids(service, status="received") == ["ret_1"]
    assert ids(service, status="canceled") == []


def test_returns_that_need_attention_are_found(service: ReturnService) -> None:
    """A mismatch and a declined refund need attention; a retried refund does not."""
    declining = InMemoryPayments(answer=lambda _: RefundDeclined("card_closed"))
    evolve(service, payments=declining).handle(receive(2, return_id="ret_4"))

    assert ids(service, needs_attention=True) == ["ret_2", "ret_4"]
    service.handle(RetryRefund(return_id="ret_4"))
    assert ids(service, needs_attention=True) == ["ret_2"]


def test_old_work_is_found_by_age(service: ReturnService) -> None:
    """Returns are found by the time of their request."""
    assert ids(service, status="requested", requested_before=START + 4 * DAY) == ["ret_3", "ret_4"]
    assert ids(service, requested_since=START + 4 * DAY) == ["ret_5", "ret_6"]


def test_an_order_s_returns_are_all_shown(service: ReturnService) -> None:
    """All returns of an order are listed, in either direction; an unknown order has none."""
    assert ids(service, order_id="order_1") == ["ret_1", "ret_3", "ret_5"]
    assert ids(service, order_id="order_1", newest_first=True) == ["ret_5", "ret_3", "ret_1"]
    assert ids(service, order_id="order_9") == []


def test_pages_follow_each_other(service: ReturnService) -> None:
    """A page begins after the return that `after` names, also in reverse and for one order."""
    assert ids(service, limit=4) == ["ret_1", "ret_2", "ret_3", "ret_4"]
    assert ids(service, limit=4, after="ret_4") == ["ret_5", "ret_6"]
    assert ids(service, limit=2, after="ret_4", newest_first=True) == ["ret_3", "ret_2"]
    assert ids(service, order_id="order_1", limit=1, after="ret_1") == ["ret_3"]


def test_a_page_of_everything_has_a_limit_and_an_order_s_has_none() -> None:
    """A list over all orders has at most 100 returns by default, and a list of one order has no limit."""
    orders = [evolve(order_of(line(quantity=150)), id=f"order_{n}") for n in (1, 2)]
    service = in_memory_service(orders, ids=counting(), clock=lambda: START)
    for _ in range(110):
        service.handle(evolve(request(1), order_id="order_1"))

    assert len(service.list("order_1")) == 110
    assert len(service.list()) == 100
    assert len(service.list(after=service.list()[-1].id)) == 10


def test_what_needs_attention_is_of_every_kind() -> None:
    """A blocked claim and an exchange whose customer owes are found without their returns, and counted."""
    orders = [evolve(order_of(line(quantity=9)), id=f"order_{n}") for n in (1, 2)]
    service = in_memory_service(orders, ids=counting(), clock=lambda: START)
    new_items = [NewItem(variant_id="mug", quantity=1, unit_price=Money(9000, "usd"))]
    items = [RequestedItem(item_id="mug", quantity=1)]
    exchange = service.handle(RequestExchange(order_id="order_1", items=items, new_items=new_items))
    assert service.list(needs_attention=True) == ()
    service.handle(receive(1, return_id=exchange.return_id))
    mugs = ClaimItem(item_id="mug", quantity=1, reason="other")
    generous = RequestClaim(
        order_id="order_2",
        type="refund",
        items=[mugs],
        refund_amount=8000,
        refund_note="spoiled",
    )
    service.handle(generous)
    claim = service.handle(
        evolve(generous, items=[evolve(mugs, quantity=8)], refund_amount=None, refund_note=None)
    )
    assert (claim.status, exchange.status) == ("requires_action", "requested")

    found = service.list(needs_attention=True)
    assert [each.id for each in found] == [exchange.id, exchange.return_id, claim.id]
    assert service.count(needs_attention=True) == 3
    assert service.list(needs_attention=True, status="requires_action") == (claim,)
    assert service.list(needs_attention=True, kinds=["return"]) == service.list(status="received")
    assert [each.id for each in service.list()] == [exchange.return_id]
    assert (service.count(), service.count(kinds=SubjectKind), service.count("order_2")) == (1, 4, 0)
    assert service.list("order_2", kinds=["claim"]) == service.claims("order_2")
    assert service.list(status="awaiting_payment", kinds=["exchange"]) == service.exchanges("order_1")


def test_a_type_checker_knows_what_a_list_has(service: ReturnService) -> None:
    """A list of returns has returns; one of several kinds has any of them."""
    assert_type(service.list(), tuple[Return, ...])
    assert_type(service.list("order_1", status="received", needs_attention=False), tuple[Return, ...])
    assert_type(service.list(needs_attention=True), tuple[Return | Exchange | Claim, ...])
    assert_type(service.list(kinds=["claim"]), tuple[Return | Exchange | Claim, ...])


def test_a_page_may_begin_at_an_offset(service: ReturnService) -> None:
    """An offset skips returns, after those that `after` skips."""
    assert ids(service, offset=4) == ["ret_5", "ret_6"]
    assert ids(service, offset=1, limit=2, newest_first=True) == ["ret_5", "ret_4"]
    assert ids(service, after="ret_2", offset=1, limit=1) == ["ret_4"]
    assert ids(service, order_id="order_1", offset=2) == ["ret_5"]
    assert service.count(status="requested") == 4


@pytest.mark.parametrize(
    "query",
    [
        {"kinds": ["refund"]},
        {"kinds": "return"},
        {"kinds": []},
        {"kinds": 7},
        {"status": "awaiting_payment"},
        {"status": "received", "kinds": ["claim"]},
        {"offset": -1},
        {"offset": True},
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
def test_an_invalid_query_is_refused(service: ReturnService, query: dict[str, object]) -> None:
    """An invalid query raises InvalidValue before the store is called."""
    with pytest.raises(InvalidValue):
        ids(service, **query)


def test_a_page_behind_an_unknown_return_is_not_found(service: ReturnService) -> None:
    """A page after an unknown return raises NotFound instead of being empty."""
    with pytest.raises(NotFound):
        service.list(after="ret_9")
