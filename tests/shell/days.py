"""A day with a port away and a timer that comes each minute."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from rma import DeliveryChanged, Event
from rma.domain.change import replay
from tests.rules.given import receive, request
from tests.shell.shop import MINUTE, Shop

#: The minutes of the day at which the port is asked: further and further apart, then once an hour.
MINUTES = [0, 1, 3, 7, 15, 31, *range(60, 24 * 60 + 1, 60)]


def receive_without_payments(shop: Shop) -> None:
    """A return is received while the gateway is away: its refund stays open."""
    shop.handle_all(request(2))
    shop.away = {"payments"}
    shop.handle_all(receive(2))


async def a_day(shop: Shop, resume: Callable[[], Awaitable[object]]) -> list[int]:
    """The minutes at which the gateway was asked, while a timer comes each minute of a day."""
    asked, before = [0], shop.calls("payments.refund")
    start = shop.clock.now
    for minute in range(1, 24 * 60 + 1):
        shop.clock.now = start + minute * MINUTE
        await resume()
        if (now := shop.calls("payments.refund")) != before:
            asked, before = [*asked, minute], now
    return asked


def delivery_changes(history: tuple[Event, ...]) -> list[tuple[int, bool]]:
    """Of each event about the delivery of an effect, the attempts, and whether it became stuck by it."""
    return [
        (event.delivery.attempts, event.is_newly_stuck)
        for event in history
        if isinstance(event, DeliveryChanged)
    ]


def assert_is_a_day_without_payments(shop: Shop, history: tuple[Event, ...], asked: list[int]) -> None:
    """The gateway was asked at these minutes; the history counts that in one event, beside the one stuck."""
    assert asked == MINUTES
    assert len(MINUTES) == 30
    assert delivery_changes(history) == [(7, True), (30, False)]
    assert replay("order_1", history) == shop.returns.load("order_1")
    (effect,) = shop.returns.load("order_1").open_effects.values()
    assert effect.delivery.due_at == shop.clock.now + timedelta(hours=1)
