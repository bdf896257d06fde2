"""The contract of publishers catches adapters that are wrong."""

from collections.abc import Sequence

import pytest

from rma import (
    Event,
    EventPublisher,
)
from rma.testing.contracts import (
    EventPublisherContract,
)
from tests.testing.breaking import breaks, laws_of


class WrongPublisher:
    """A channel that would be right but for one thing."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def publish(self, event_id: str, event: Event) -> None:
        """Hand on."""
        self.ids.append(event_id)


class DropsKindsItDoesNotKnow(WrongPublisher):
    """A table of kinds that is out of date."""

    def publish(self, event_id: str, event: Event) -> None:
        """Requests only."""
        if type(event).__name__ == "ReturnRequested":
            super().publish(event_id, event)


class PublishesNewestFirst(WrongPublisher):
    """A stack, not a queue."""

    def publish(self, event_id: str, event: Event) -> None:
        """In front."""
        self.ids.insert(0, event_id)


class NumbersAnew(WrongPublisher):
    """Every message has an id of its own, and a repeat cannot be known."""

    def publish(self, event_id: str, event: Event) -> None:
        """Its own number."""
        super().publish(str(len(self.ids)), event)


class RefusesRepeats(WrongPublisher):
    """What came before is an error, and is then tried for ever."""

    def publish(self, event_id: str, event: Event) -> None:
        """Raises."""
        if event_id in self.ids:
            raise KeyError(event_id)
        super().publish(event_id, event)


def held_publisher(adapter: type[WrongPublisher]) -> type[EventPublisherContract]:
    """The contract, with this adapter held against it."""

    class Held(EventPublisherContract):
        def make(self) -> EventPublisher:
            self.publisher = adapter()
            return self.publisher

        def handed_on(self) -> Sequence[str]:
            return self.publisher.ids

    return Held


PUBLISHERS = [
    (DropsKindsItDoesNotKnow, "every_event_is_handed_on_under_its_id_and_in_order"),
    (PublishesNewestFirst, "every_event_is_handed_on_under_its_id_and_in_order"),
    (NumbersAnew, "an_event_that_comes_again_keeps_its_id"),
    (RefusesRepeats, "an_event_that_comes_again_keeps_its_id"),
]


@pytest.mark.parametrize(("wrong", "law"), PUBLISHERS)
def test_a_wrong_publisher_breaks_the_law_that_is_about_it(wrong: type[WrongPublisher], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_publisher(wrong), law)
    assert not breaks(held_publisher(WrongPublisher), law)


def test_every_law_of_publishers_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in PUBLISHERS} == laws_of(EventPublisherContract)
