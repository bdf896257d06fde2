"""What `Fulfillment` and `ShipmentLookup` promise."""

from abc import abstractmethod
from typing import Protocol

from attrs import evolve

from rma.async_ports import AsyncFulfillment, AsyncShipmentLookup
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    StockLine,
)
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.values.money import Money
from rma.ports import Fulfillment
from rma.testing.contracts.port_contract import PortContract, keyed
from rma.testing.fault_injection import SearchableFulfillment

KEY = "ret_contract-shipment-1"
OTHER_KEY = "ret_contract-shipment-2"
CANCEL_KEY = "ret_contract-cancel_shipment-1"


class AsyncSearchableFulfillment(AsyncFulfillment, AsyncShipmentLookup, Protocol):
    """An awaited adapter whose carrier can be asked for a shipment."""


def _request(key: str) -> ReturnShipmentRequest:
    return ReturnShipmentRequest(
        key=key,
        order_id="order_1",
        return_id="ret_contract",
        shipping_method=ShippingMethod("sm_1", "so_1", "Parcel", Money(200, "usd")),
        provider_id="carrier",
        location_id="loc_1",
        lines=(StockLine("mug", "v_mug", 2),),
    )


class FulfillmentContract(PortContract):
    """
    Laws of an adapter for carriers.

    What is said of repeated bookings holds for adapters that are `Idempotent`, as those are that declare
    nothing; for others these laws are skipped.
    """

    @abstractmethod
    def make(self) -> Fulfillment | AsyncFulfillment:
        """The adapter over a carrier that has booked nothing yet, a new one for each law."""

    def port(self) -> Fulfillment:
        """The adapter as one that blocks."""
        port: Fulfillment = self.blocking(self.make())
        return port

    @abstractmethod
    def bookings_made(self, key: str) -> int:
        """How many shipments the carrier that was made last has really booked under this key, ever."""

    @abstractmethod
    def is_canceled(self, key: str) -> bool:
        """Whether what was booked under this key is canceled."""

    def request(self, key: str) -> ReturnShipmentRequest:
        """A shipment that the carrier books; override it where options and locations have to exist."""
        return _request(key)

    def cancellation(self, key: str, shipment: ReturnShipment) -> CancelShipmentRequest:
        """The cancellation of the booking under `KEY`."""
        return CancelShipmentRequest(key, "order_1", "ret_contract", KEY, shipment)

    def test_a_shipment_that_is_asked_for_is_booked(self) -> None:
        """Once, and the answer says what the carrier said."""
        carrier = self.port()

        answer = carrier.book_return(self.request(KEY))

        assert isinstance(answer, ReturnShipment)
        assert self.bookings_made(KEY) == 1
        assert not self.is_canceled(KEY)

    def test_a_repeated_key_books_nothing_and_gives_the_first_answer(self) -> None:
        """The same label, however often it is asked for."""
        carrier = keyed(self.port())

        answers = [carrier.book_return(self.request(KEY)) for _ in range(3)]

        assert answers[1:] == answers[:1] * 2
        assert self.bookings_made(KEY) == 1

    def test_two_keys_are_two_shipments(self) -> None:
        """With a label each, even where everything else is equal."""
        carrier = self.port()

        first, second = (carrier.book_return(self.request(key)) for key in (KEY, OTHER_KEY))

        assert first != second
        assert [self.bookings_made(key) for key in (KEY, OTHER_KEY)] == [1, 1]

    def test_another_request_under_the_same_key_is_not_booked(self) -> None:
        """It is refused, or answered as the first was."""
        carrier = keyed(self.port())
        first = carrier.book_return(self.request(KEY))
        other = evolve(self.request(KEY), lines=(StockLine("mug", "v_mug", 1),))

        assert _answer(carrier, other) in (None, first)
        assert self.bookings_made(KEY) == 1
        assert carrier.book_return(self.request(KEY)) == first

    def test_a_canceled_shipment_is_canceled(self) -> None:
        """That one and no other."""
        carrier = self.port()
        shipment = carrier.book_return(self.request(KEY))
        carrier.book_return(self.request(OTHER_KEY))

        carrier.cancel_return(self.cancellation(CANCEL_KEY, shipment))

        assert self.is_canceled(KEY)
        assert not self.is_canceled(OTHER_KEY)

    def test_a_repeated_cancellation_is_harmless(self) -> None:
        """Whether under its own key or under another: a booking that is gone already is canceled."""
        carrier = self.port()
        shipment = carrier.book_return(self.request(KEY))

        for key in (CANCEL_KEY, CANCEL_KEY, f"{CANCEL_KEY}0"):
            carrier.cancel_return(self.cancellation(key, shipment))

        assert self.is_canceled(KEY)
        assert self.bookings_made(KEY) == 1

    def test_a_repeated_booking_does_not_undo_a_cancellation(self) -> None:
        """It gives the first answer and nothing else."""
        carrier = keyed(self.port())
        shipment = carrier.book_return(self.request(KEY))
        carrier.cancel_return(self.cancellation(CANCEL_KEY, shipment))

        again = carrier.book_return(self.request(KEY))

        assert again == shipment
        assert self.is_canceled(KEY)
        assert self.bookings_made(KEY) == 1

    def test_a_key_that_is_sent_twice_at_once_books_one_shipment(self) -> None:
        """One of the two may be asked to try again; then it gets the first answer."""
        carrier = keyed(self.port())
        request = self.request(KEY)

        answers = self.at_once([lambda: carrier.book_return(request)] * 4)

        answer = carrier.book_return(request)
        assert all(each == answer for each in answers if not isinstance(each, Exception))
        assert self.bookings_made(KEY) == 1


class ShipmentLookupContract(PortContract):
    """Laws of an adapter whose carrier can be asked for what was booked under a key."""

    @abstractmethod
    def make(self) -> SearchableFulfillment | AsyncSearchableFulfillment:
        """The adapter over a carrier that has booked nothing yet, a new one for each law."""

    def port(self) -> SearchableFulfillment:
        """The adapter as one that blocks."""
        port: SearchableFulfillment = self.blocking(self.make())
        return port

    @abstractmethod
    def bookings_made(self, key: str) -> int:
        """How many shipments the carrier that was made last has really booked under this key, ever."""

    def request(self, key: str) -> ReturnShipmentRequest:
        """A shipment that the carrier books; override it where options and locations have to exist."""
        return _request(key)

    def pass_delay(self) -> None:  # most need none
        """Let the `search_delay` pass, after which a look-up tells the truth; nothing unless you say how."""

    def test_a_shipment_that_was_not_booked_is_not_found(self) -> None:
        """And looking for it books none."""
        carrier = self.port()
        carrier.book_return(self.request(OTHER_KEY))
        self.pass_delay()

        assert carrier.find_shipment(KEY) is None
        assert self.bookings_made(KEY) == 0

    def test_a_shipment_that_was_booked_is_found(self) -> None:
        """As it was answered, with its label, however often it is looked for; nothing is booked by that."""
        carrier = self.port()
        answer = carrier.book_return(self.request(KEY))
        self.pass_delay()

        assert [carrier.find_shipment(KEY) for _ in range(2)] == [answer] * 2
        assert self.bookings_made(KEY) == 1


def _answer(carrier: Fulfillment, request: ReturnShipmentRequest) -> ReturnShipment | None:
    try:
        return carrier.book_return(request)
    except Exception:
        return None
