"""A history of which one event is lost rebuilds a ledger, or says that a part of it is lost."""

from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from rma import Command, Event, InvalidValue, Rejected, ReturnLedger, ReturnPolicy, ShippingOption, replay
from rma.domain.events import DeliveryChanged, EventsPublished, Opening
from rma.testing.command_strategies import next_command
from rma.testing.core_harness import CoreHarness, counting
from rma.testing.strategies import everything_fulfilled, orders, policies


def history_of(data: st.DataObject, policy: ReturnPolicy) -> tuple[Event, ...]:
    """What happened to an order, whose effects were answered, are being sent, or are open still."""
    option = ShippingOption(id="post", price=200, location_id="loc_1")
    order = everything_fulfilled(data.draw(orders()))
    life = CoreHarness(order, policy=policy, options=[option], ids=counting(""))
    sent: list[Command] = []
    history: list[Event] = []
    for number in range(data.draw(st.integers(2, 8))):
        sent.append(next_command(data.draw, life, sent, f"key_{number}"))
        with suppress(Rejected):
            history += life.handle(sent[-1]).events
        then = data.draw(st.sampled_from(["answer", "send", "publish", "nothing"]))
        if then == "answer":
            history += life.record_outcomes().events
        elif then == "send" and life.ledger.open_effects:
            history += life.lease(next(iter(life.ledger.open_effects)), life.tick()).events
        elif then == "publish":
            history += life.publish().events
    assert replay(order.id, history) == life.ledger
    return tuple(history)


def rebuilt_without(history: Sequence[Event], index: int) -> ReturnLedger | None:
    """The ledger of this history without one event; None if it says that a part of it is lost."""
    kept = [*history[:index], *history[index + 1 :]]
    try:
        return replay(history[0].order_id, kept)
    except InvalidValue as error:
        if error.code != "history_incomplete":
            raise
        return None


@settings(max_examples=150)
@given(data=st.data(), policy=policies())
def test_an_event_that_is_lost_raises_nothing_but_that_it_is(
    data: st.DataObject, policy: ReturnPolicy
) -> None:
    """
    Wherever it is in the history. It is always noticed where what it opened is changed later, and never where
    it is the last one, or about a delivery or a publication, which a receiver does not get.
    """
    history = history_of(data, policy)
    for index, lost in enumerate(history):
        rebuilt = rebuilt_without(history, index)
        if isinstance(lost, Opening) and any(
            each.header.subject_id == lost.opened.id for each in history[index + 1 :]
        ):
            assert rebuilt is None
        if isinstance(lost, DeliveryChanged | EventsPublished) or index == len(history) - 1:
            assert rebuilt is not None
