"""The action that is allowed next for a refund whose outcome is unknown."""

from datetime import timedelta
from typing import cast

import pytest
from attrs import evolve
from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    Delivery,
    Idempotent,
    InvalidValue,
    NotIdempotent,
    OpenEffect,
    RefundRequest,
    Searchable,
    Timing,
)
from rma.domain.messages.gateways import Action, Gateway, lease_of, margin_of, next_step
from rma.testing.core_harness import START
from tests.rules.given import usd

REFUND = RefundRequest("ret_1-refund-1", "order_1", "ret_1", "pay_1", usd(5))
FRESH = OpenEffect(REFUND, opened_at=START)
STARTED = OpenEffect(REFUND, opened_at=START, delivery=Delivery(started_at=START, due_at=START))
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


def test_leases_last_as_long_as_the_gateway_may_take() -> None:
    """And longer by a tenth, at least a minute: clocks differ."""
    assert lease_of(Searchable(timedelta(minutes=7))) == timedelta(minutes=8)
    assert lease_of(NotIdempotent(timedelta(minutes=80))) == timedelta(minutes=88)
    assert lease_of(Idempotent()) > timedelta(0)


@for_all(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=99)))
def test_the_margin_for_clocks_is_a_tenth_or_a_minute_and_never_all(duration: timedelta) -> None:
    """A key is used for at least half of its lifetime."""
    margin = margin_of(duration)

    assert timedelta(0) <= margin <= duration / 2
    assert margin >= min(duration / 10, duration / 2)
    assert duration < timedelta(minutes=2) or margin >= timedelta(minutes=1)


def test_the_lifetime_of_a_key_begins_once_something_may_have_been_sent() -> None:
    """While each attempt is known to have sent nothing; then each begins with a lease."""
    unsent = OpenEffect(REFUND, opened_at=START, delivery=Delivery(unsent_until=START + DAY * 9))

    for gateway, after, step in (
        (Idempotent(DAY), DAY * 9, Action.LEASE_AND_SEND),
        (Idempotent(DAY), DAY * 10, Action.GIVE_UP),
        (Idempotent(), DAY * 99, Action.SEND),
    ):
        assert next_step(unsent, gateway, can_look_up=False, now=START + after) is step


@pytest.mark.parametrize("odd", [timedelta(0), timedelta(seconds=-1), 5])
def test_durations_are_positive(odd: object) -> None:
    """A gateway with a duration that is not a positive timedelta raises InvalidValue."""
    with pytest.raises(InvalidValue):
        Idempotent(cast("timedelta", odd))
    with pytest.raises(InvalidValue):
        Searchable(cast("timedelta", odd))


def test_an_effect_is_due_unless_it_is_leased() -> None:
    """It is neither due for a timer nor free for others before the end of its lease; then it is both."""
    lease = Delivery(started_at=START, leased_until=START + DAY, due_at=START + DAY)
    leased = OpenEffect(REFUND, opened_at=START, delivery=lease)

    assert FRESH.is_due(START)
    assert FRESH.is_free(START)
    assert not leased.is_due(START + DAY / 2)
    assert not leased.is_free(START + DAY / 2)
    assert leased.is_due(START + DAY)
    assert leased.is_free(START + DAY)


def test_what_its_own_command_sends_is_left_alone_by_timers_only() -> None:
    """A client that repeats the command, or a person, may have it sent: its key makes that harmless."""
    graced = OpenEffect(REFUND, opened_at=START, delivery=Delivery(due_at=START + DAY))

    assert not graced.is_due(START + DAY / 2)
    assert graced.is_free(START)


@pytest.mark.parametrize(
    "delivery", [Delivery(pending_since=START, due_at=START), Delivery(is_stopped=True, is_stuck=True)]
)
def test_what_is_pending_or_stopped_is_not_free(delivery: Delivery) -> None:
    """A gateway that took a refund reports it; what is stopped waits for a person."""
    effect = OpenEffect(REFUND, opened_at=START, delivery=delivery)

    assert not effect.is_free(START + DAY)
    assert effect.is_due(START + DAY) is not delivery.is_stopped


PENDING = OpenEffect(REFUND, opened_at=START, delivery=Delivery(pending_since=START))


@pytest.mark.parametrize("gateway", [Idempotent(), Idempotent(DAY / 24), Searchable(), NotIdempotent()])
def test_a_pending_refund_is_never_sent_again(gateway: Gateway) -> None:
    """It is looked up where it can be; else its gateway will report it."""
    assert next_step(PENDING, gateway, can_look_up=True, now=START + DAY) is Action.LOOK_UP
    assert next_step(PENDING, gateway, can_look_up=False, now=START + DAY) is Action.WAIT


def test_failures_are_further_and_further_apart_up_to_a_cap() -> None:
    """1, 2, 4, … minutes, at most an hour; and the moment at which it becomes stuck is not slept through."""
    timing, at, effect = Timing(stuck_after=timedelta(days=9)), START, FRESH
    waits = []
    for _ in range(9):
        effect = evolve(effect, delivery=timing.after_failure(effect, "away", at))
        assert effect.delivery.due_at is not None
        waits.append((effect.delivery.due_at - at) // timedelta(minutes=1))
        at = effect.delivery.due_at

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert not effect.delivery.is_stuck


@for_all(minutes=st.lists(st.integers(0, 500), min_size=1, max_size=40))
def test_an_effect_is_stuck_from_its_first_failure_after_the_bound_on(minutes: list[int]) -> None:
    """And is tried at the bound itself, so that it is known in time."""
    timing, at, effect = Timing(), START, FRESH
    for each in minutes:
        at += timedelta(minutes=each)
        effect = evolve(effect, delivery=timing.after_failure(effect, "away", at))
        delivery = effect.delivery

        assert delivery.is_stuck == (at >= START + timing.stuck_after)
        assert delivery.due_at is not None
        assert at < delivery.due_at <= at + timing.longest_retry
        assert delivery.is_stuck or delivery.due_at <= START + timing.stuck_after


def test_a_duration_of_nothing_is_refused() -> None:
    """A timer without a pause would ask a gateway that is away again and again."""
    with pytest.raises(InvalidValue, match=r"Timing\.first_retry must be a timedelta above 0"):
        Timing(first_retry=timedelta(0))
