"""What stays open for too long needs attention, whatever it is, until it is delivered."""

import pytest
from attrs import evolve

from rma import Timing
from rma.observing import AttentionNeeded
from tests.rules.given import receive, request
from tests.shell.shop import DAY, HOUR, KINDS, METHODS, MINUTE, Shop, many_orders


def open_while_away(shop: Shop, kind: str) -> str:
    """Handles the commands of this kind with the port of the last one away; the key of its effect."""
    key, before, last = KINDS[kind]
    shop.handle_all(*before)
    shop.away = {METHODS[kind].split(".")[0]}
    shop.handle_all(last)
    return key


def resume_each_minute(shop: Shop, minutes: int) -> None:
    """A timer comes so often."""
    for _ in range(minutes):
        shop.pass_time(MINUTE)
        shop.service.resume()


def stuck_subjects(shop: Shop) -> list[str]:
    """The ids of the subjects that need attention because of an effect."""
    listed = shop.service.list(needs_attention=True)
    return [each.id for each in listed if each.stuck_effects]


@pytest.mark.parametrize("kind", KINDS)
def test_an_effect_that_stays_open_for_an_hour_needs_attention(kind: str) -> None:
    """Its return, exchange or claim is listed with its key, and the observer has one signal."""
    shop = Shop()
    key = open_while_away(shop, kind)
    owner_id = key.split("-", maxsplit=1)[0]

    resume_each_minute(shop, 59)
    early = stuck_subjects(shop)
    resume_each_minute(shop, 1)

    owner = shop.ledger.subject(owner_id)
    assert (early, stuck_subjects(shop)) == ([], [owner_id])
    assert owner.needs_attention
    assert owner.stuck_effects == (key,)
    resume_each_minute(shop, 300)
    told = [each for each in shop.signals if isinstance(each, AttentionNeeded) and each.key == key]
    assert told == [AttentionNeeded(order_id="order_1", subject_id=owner_id, key=key, reason="effect_stuck")]


@pytest.mark.parametrize("kind", KINDS)
def test_it_needs_attention_no_more_once_it_is_delivered(kind: str) -> None:
    """By the timer's next attempt, or at once by one that a person asks for."""
    for by_id in (False, True):
        shop = Shop()
        owner_id = open_while_away(shop, kind).split("-", maxsplit=1)[0]
        resume_each_minute(shop, 60)
        assert stuck_subjects(shop) == [owner_id]
        shop.away.clear()

        if by_id:
            shop.service.resume(owner_id)
        else:
            shop.pass_time(HOUR)
            shop.service.resume()

        assert stuck_subjects(shop) == []
        assert not shop.ledger.open_effects


def test_when_an_effect_is_stuck_is_for_the_host_to_say() -> None:
    """A shop that wants to know within five minutes does."""
    shop = Shop(timing=Timing(stuck_after=5 * MINUTE))
    open_while_away(shop, "restock")

    resume_each_minute(shop, 4)
    early = stuck_subjects(shop)
    resume_each_minute(shop, 1)

    assert (early, stuck_subjects(shop)) == ([], ["ret_1"])


def test_an_effect_that_no_timer_tried_for_a_day_is_stuck_at_its_first_failure() -> None:
    """The bound counts from when it was asked for, not from its first attempt."""
    shop = Shop()
    shop.handle_all(request(2))
    shop.service.handle(receive(2), deliver=False)
    shop.away = {"payments"}

    shop.pass_time(DAY)
    shop.service.resume()

    assert shop.ledger.get("ret_1").stuck_effects == ("ret_1-refund-1",)


def test_several_stuck_effects_are_in_the_order_of_their_keys() -> None:
    """Whichever was stuck first: history without what was superseded rebuilds the same ledger."""
    shop = Shop()
    shop.handle_all(*KINDS["refund"][1])
    shop.away = {"payments", "inventory"}
    shop.handle_all(KINDS["refund"][2])

    resume_each_minute(shop, 60)

    assert shop.ledger.get("ret_1").stuck_effects == ("ret_1-refund-1", "ret_1-restock-1")


def test_everything_behind_a_dead_gateway_is_shown() -> None:
    """130 refunds of as many orders: all are listed, page by page, counted, and outstanding."""
    orders = many_orders(130)
    shop = Shop(orders)
    for order in orders:
        opened = shop.service.handle(evolve(request(2), order_id=order.id))
        shop.away = {"payments"}
        shop.service.handle(receive(2, return_id=opened.id))
        shop.away.clear()
    shop.away = {"payments"}

    resume_each_minute(shop, 60)

    first = shop.service.list(needs_attention=True)
    second = shop.service.list(needs_attention=True, after=first[-1].id)
    assert (len(first), len(second)) == (100, 30)
    assert {each.order_id for each in (*first, *second)} == {order.id for order in orders}
    assert shop.service.count(needs_attention=True) == 130
    outstanding = shop.service.outstanding(HOUR, limit=1000)
    assert [each.order_id for each in outstanding] == [order.id for order in orders]
    assert all(each.is_stuck and each.attempts == 7 for each in outstanding)
    assert len(shop.service.outstanding(HOUR)) == 100
