"""The action that is allowed next for a refund whose outcome is unknown."""

from datetime import timedelta
from typing import cast

import pytest

from rma import Idempotent, InvalidValue, NotIdempotent, OpenEffect, RefundRequest, RestockRequest, Searchable
from rma.domain.messages.gateways import Action, Gateway, lease_of, next_step
from rma.testing.core_harness import START
from tests.rules.given import usd

REFUND = RefundRequest("ret_1-refund-1", "order_1", "ret_1", "pay_1", usd(5))
FRESH = OpenEffect(REFUND, opened_at=START)
STARTED = OpenEffect(REFUND, opened_at=START, started_at=START, due_at=START)
DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("effect", "gateway", "can_look_up", "after", "step"),
    [
        (FRESH, Idempotent(), False, DAY * 999, Action.SEND),
        (FRESH, Idempotent(DAY), False, DAY / 2, Action.SEND),
        (FRESH, Idempotent(DAY), False, DAY, Action.GIVE_UP),
        (FRESH, Idempotent(DAY), True, DAY, Action.LOOK_UP),
        (FRESH, Searchable(), True, DAY, Action.LEASE_AND_SEND),
        (STARTED, Searchable(), True, DAY, Action.LOOK_UP),
        (STARTED, Searchable(), False, DAY, Action.GIVE_UP),
        (FRESH, NotIdempotent(), False, DAY, Action.LEASE_AND_SEND),
        (STARTED, NotIdempotent(), False, DAY, Action.GIVE_UP),
    ],
)
def test_a_refund_is_sent_again_only_if_that_cannot_pay_twice(
    effect: OpenEffect, gateway: Gateway, *, can_look_up: bool, after: timedelta, step: Action
) -> None:
    """
    A refund is sent again only under a key the gateway still knows; otherwise it is looked up or given up.
    """
    assert next_step(effect, gateway, can_look_up=can_look_up, now=START + after) is step


def test_only_refunds_depend_on_the_gateway() -> None:
    """An effect that is not a refund is always sent, as its port is idempotent."""
    restock = OpenEffect(RestockRequest("ret_1-restock-1", "order_1", "ret_1", None, ()), opened_at=START)

    assert next_step(restock, NotIdempotent(), can_look_up=False, now=START) is Action.SEND


def test_leases_last_as_long_as_the_gateway_may_take() -> None:
    """A lease lasts for the search delay or the timeout of the gateway, and never for no time."""
    assert lease_of(Searchable(timedelta(minutes=7))) == timedelta(minutes=7)
    assert lease_of(NotIdempotent(timedelta(minutes=8))) == timedelta(minutes=8)
    assert lease_of(Idempotent()) > timedelta(0)


@pytest.mark.parametrize("odd", [timedelta(0), timedelta(seconds=-1), 5])
def test_durations_are_positive(odd: object) -> None:
    """A gateway with a duration that is not a positive timedelta raises InvalidValue."""
    with pytest.raises(InvalidValue):
        Idempotent(cast("timedelta", odd))
    with pytest.raises(InvalidValue):
        Searchable(cast("timedelta", odd))


def test_an_effect_is_due_unless_it_is_leased() -> None:
    """An effect is not due before the end of its lease, and is due at that instant."""
    leased = OpenEffect(REFUND, opened_at=START, due_at=START + DAY)

    assert FRESH.is_due(START)
    assert not leased.is_due(START + DAY / 2)
    assert leased.is_due(START + DAY)
