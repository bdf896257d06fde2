"""What `EventPublisher` promises."""

from abc import abstractmethod
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings

from rma.async_ports import AsyncEventPublisher
from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import RequestReturn
from rma.domain.sale.order import LineItem, Order
from rma.ports import EventPublisher
from rma.shell.deliver import is_news
from rma.testing.contracts.port_contract import PortContract
from rma.testing.core_harness import CoreHarness, Flow
from rma.testing.strategies import flows


class EventPublisherContract(PortContract):
    """
    Laws of an adapter that hands events on.

    Attributes:
        examples: how many lives of an order are published by the law that publishes whole lives.
    """

    examples: int = 20

    @abstractmethod
    def make(self) -> EventPublisher | AsyncEventPublisher:
        """The adapter over a channel that has handed on nothing yet, a new one each time."""

    def port(self) -> EventPublisher:
        """The adapter as one that blocks."""
        port: EventPublisher = self.blocking(self.make())
        return port

    @abstractmethod
    def handed_on(self) -> Sequence[str]:
        """The ids of the events that arrived behind the publisher made last, in order, repeats included."""

    def test_every_event_is_handed_on_under_its_id_and_in_order(self) -> None:
        """Whatever kind of event it is."""

        @settings(max_examples=self.examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(flow=flows())
        def law(flow: Flow) -> None:
            publisher = self.port()
            events = [event for change in flow for event in change.events if is_news(event)]

            for event in events:
                publisher.publish(event.event_id, event)

            assert _without_repeats(self.handed_on()) == [event.event_id for event in events]

        law()

    def test_an_event_that_comes_again_keeps_its_id(self) -> None:
        """So that a receiver knows the repeat; it may be handed on again, or not."""
        publisher = self.port()
        mug = LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=1000)
        order = Order(id="order_1", currency="usd", items=[mug])
        items = [RequestedItem(item_id="mug", quantity=1)]
        (event,) = CoreHarness(order).handle(RequestReturn(order_id="order_1", items=items)).events

        for _ in range(2):
            publisher.publish(event.event_id, event)

        assert set(self.handed_on()) == {event.event_id}


def _without_repeats(ids: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ids))
