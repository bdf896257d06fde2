"""What may be done next about a refund whose outcome is not known."""

from datetime import timedelta
from typing import cast

import pytest

from rma import InvalidValue, Keyed, LookedUp, OpenEffect, RefundRequest, RestockRequest, Unkeyed
from rma.domain.messages.gateways import Gateway, Step, lease_of, next_step
from rma.testing.core_harness import START
from tests.rules.given import usd

REFUND = RefundRequest("ret_1/refund/1", "order_1", "ret_1", "pay_1", usd(5))
FRESH = OpenEffect(REFUND, opened_at=START)
STARTED = OpenEffect(REFUND, opened_at=START, started_at=START, due_at=START)
DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("effect", "gateway", "can_look_up", "after", "step"),
    [
        (FRESH, Keyed(), False, DAY * 999, Step.SEND),
        (FRESH, Keyed(DAY), False, DAY / 2, Step.SEND),
        (FRESH, Keyed(DAY), False, DAY, Step.GIVE_UP),
        (FRESH, Keyed(DAY), True, DAY, Step.LOOK_UP),
        (FRESH, LookedUp(), True, DAY, Step.LEASE_AND_SEND),
        (STARTED, LookedUp(), True, DAY, Step.LOOK_UP),
        (STARTED, LookedUp(), False, DAY, Step.GIVE_UP),
        (FRESH, Unkeyed(), False, DAY, Step.LEASE_AND_SEND),
        (STARTED, Unkeyed(), False, DAY, Step.GIVE_UP),
    ],
)
def test_nothing_is_guessed(
    effect: OpenEffect, gateway: Gateway, *, can_look_up: bool, after: timedelta, step: Step
) -> None:
    """A second send needs a key that is remembered, or a look-up that found nothing."""
    assert next_step(effect, gateway, can_look_up=can_look_up, now=START + after) is step


def test_only_refunds_depend_on_the_gateway() -> None:
    """Stock and parcels are keyed."""
    restock = OpenEffect(RestockRequest("ret_1/restock/1", "order_1", "ret_1", None, ()), opened_at=START)

    assert next_step(restock, Unkeyed(), can_look_up=False, now=START) is Step.SEND


def test_leases_last_as_long_as_the_gateway_may_take() -> None:
    """A look-up that comes earlier might find nothing yet."""
    assert lease_of(LookedUp(timedelta(minutes=7))) == timedelta(minutes=7)
    assert lease_of(Unkeyed(timedelta(minutes=8))) == timedelta(minutes=8)
    assert lease_of(Keyed()) > timedelta(0)


@pytest.mark.parametrize("odd", [timedelta(0), timedelta(seconds=-1), 5])
def test_durations_are_above_nothing(odd: object) -> None:
    """A window of nothing is no window."""
    with pytest.raises(InvalidValue):
        Keyed(cast("timedelta", odd))
    with pytest.raises(InvalidValue):
        LookedUp(cast("timedelta", odd))


def test_an_effect_is_due_unless_somebody_is_at_it() -> None:
    """To the moment."""
    leased = OpenEffect(REFUND, opened_at=START, due_at=START + DAY)

    assert FRESH.is_due(START)
    assert not leased.is_due(START + DAY / 2)
    assert leased.is_due(START + DAY)
