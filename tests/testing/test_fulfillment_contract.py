"""The contract of carriers catches adapters that are wrong."""

import threading
from collections import Counter

import pytest
from attrs import evolve

from rma import (
    CancelShipmentRequest,
    Fulfillment,
    Gateway,
    Idempotent,
    NotIdempotent,
    ReturnShipment,
    ReturnShipmentRequest,
    Searchable,
)
from rma.adapters.memory import InMemoryFulfillment
from rma.domain.messages.effects import StockLine
from rma.testing.contracts import FulfillmentContract, ShipmentLookupContract
from rma.testing.fault_injection import SearchableFulfillment
from tests.testing.breaking import breaks, laws_of


class WrongCarrier(InMemoryFulfillment):
    """A carrier that would be right but for one thing."""

    gateway: Gateway = Idempotent()

    def __init__(self) -> None:
        super().__init__()
        self.made: Counter[str] = Counter()
        self.labels: dict[str, ReturnShipment] = {}
        self.canceled: set[str] = set()

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """The first answer to this key."""
        if request.key not in self.labels:
            self.labels[request.key] = self.book(request)
        return self.labels[request.key]

    def book(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A label."""
        self.made[request.key] += 1
        return ReturnShipment({"label": sum(self.made.values())})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Once or more often."""
        self.canceled.add(request.shipment_key)


class BooksNothing(WrongCarrier):
    """A label for a parcel that is never fetched."""

    def book(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Only says so."""
        return ReturnShipment({"label": 0})


class BooksTwice(WrongCarrier):
    """Knows no keys."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A label each time."""
        return self.book(request)


class AnswersRepeatsWithoutTheLabel(WrongCarrier):
    """Whose first answer was lost has no label."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """The second time: nothing."""
        return ReturnShipment() if request.key in self.labels else super().book_return(request)


class BooksOnceForAReturn(WrongCarrier):
    """Two shipments of one return are one."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """By the return."""
        return super().book_return(evolve(request, key=request.return_id))


class ComparesShipments(WrongCarrier):
    """Another request under a key is another shipment."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """By its lines."""
        if request.lines != (StockLine("mug", "v_mug", 2),):
            return self.book(request)
        return super().book_return(request)


class CancelsNothing(WrongCarrier):
    """Says yes, and does nothing."""

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Nothing."""


class CancelsEverything(WrongCarrier):
    """Every shipment of the return is gone."""

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """All."""
        self.canceled.update(self.labels)


class RaisesForWhatIsGone(WrongCarrier):
    """It refuses to cancel what is canceled already."""

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Raises the second time."""
        if request.shipment_key in self.canceled:
            raise LookupError(request.shipment_key)
        super().cancel_return(request)


class BooksWhatIsCanceledAgain(WrongCarrier):
    """A repeat after a cancellation books the parcel again."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """As if it were new."""
        if request.key in self.canceled:
            self.canceled.remove(request.key)
        return super().book_return(request)


class LooksThenBooks(WrongCarrier):
    """Two callers at once both find the key unused."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)

    def book(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """All look before one of them books."""
        self._looked.wait(timeout=5)
        return super().book(request)


def held_carrier(adapter: type[WrongCarrier]) -> type[FulfillmentContract]:
    """The contract, with this adapter held against it."""

    class Held(FulfillmentContract):
        def make(self) -> Fulfillment:
            self.carrier = adapter()
            return self.carrier

        def bookings_made(self, key: str) -> int:
            return self.carrier.made[key]

        def is_canceled(self, key: str) -> bool:
            return key in self.carrier.canceled

    return Held


CARRIERS = [
    (BooksNothing, "a_shipment_that_is_asked_for_is_booked"),
    (BooksTwice, "a_repeated_key_books_nothing_and_gives_the_first_answer"),
    (AnswersRepeatsWithoutTheLabel, "a_repeated_key_books_nothing_and_gives_the_first_answer"),
    (BooksOnceForAReturn, "two_keys_are_two_shipments"),
    (ComparesShipments, "another_request_under_the_same_key_is_not_booked"),
    (CancelsNothing, "a_canceled_shipment_is_canceled"),
    (CancelsEverything, "a_canceled_shipment_is_canceled"),
    (RaisesForWhatIsGone, "a_repeated_cancellation_is_harmless"),
    (BooksWhatIsCanceledAgain, "a_repeated_booking_does_not_undo_a_cancellation"),
    (LooksThenBooks, "a_key_that_is_sent_twice_at_once_books_one_shipment"),
]


@pytest.mark.parametrize(("wrong", "law"), CARRIERS)
def test_a_wrong_carrier_breaks_the_law_that_is_about_it(wrong: type[WrongCarrier], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_carrier(wrong), law)
    assert law.endswith("books_one_shipment") or not breaks(held_carrier(WrongCarrier), law)


@pytest.mark.parametrize("declared", [Searchable(), NotIdempotent()])
def test_a_carrier_that_says_that_it_knows_no_keys_is_not_held_to_them(declared: Gateway) -> None:
    """Its other laws hold all the same."""

    class KnowsNoKeys(BooksTwice):
        gateway = declared

    class CancelsNone(KnowsNoKeys, CancelsNothing):
        pass

    held = held_carrier(KnowsNoKeys)
    assert not [law for law in laws_of(FulfillmentContract) if breaks(held, law)]
    assert breaks(held_carrier(CancelsNone), "a_canceled_shipment_is_canceled")


class SearchableCarrier(WrongCarrier):
    """It knows no keys, and finds what was booked by the reference that it was given."""

    gateway = Searchable()

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A label each time, under this reference."""
        self.labels[request.key] = self.book(request)
        return self.labels[request.key]

    def find_shipment(self, key: str) -> ReturnShipment | None:
        """By its reference."""
        return self.labels.get(key)


class FindsAnything(SearchableCarrier):
    """Answers with what it booked last."""

    def find_shipment(self, key: str) -> ReturnShipment | None:
        """Whatever was asked for."""
        return next(iter(self.labels.values()), None)


class BooksByLooking(SearchableCarrier):
    """Looking books what is not there."""

    def find_shipment(self, key: str) -> ReturnShipment | None:
        """A label in any case, and says that there is none."""
        if key not in self.labels:
            self.made[key] += 1
        return self.labels.get(key)


class FindsWithoutTheLabel(SearchableCarrier):
    """Knows that there is something, not what."""

    def find_shipment(self, key: str) -> ReturnShipment | None:
        """Nothing of the label."""
        return ReturnShipment() if key in self.labels else None


def held_lookup(adapter: type[SearchableCarrier]) -> type[ShipmentLookupContract]:
    """The contract, with this adapter held against it."""

    class Held(ShipmentLookupContract):
        def make(self) -> SearchableFulfillment:
            self.carrier = adapter()
            return self.carrier

        def bookings_made(self, key: str) -> int:
            return self.carrier.made[key]

    return Held


LOOKUPS = [
    (FindsAnything, "a_shipment_that_was_not_booked_is_not_found"),
    (BooksByLooking, "a_shipment_that_was_not_booked_is_not_found"),
    (FindsWithoutTheLabel, "a_shipment_that_was_booked_is_found"),
]


@pytest.mark.parametrize(("wrong", "law"), LOOKUPS)
def test_a_wrong_lookup_breaks_the_law_that_is_about_it(wrong: type[SearchableCarrier], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_lookup(wrong), law)
    assert not breaks(held_lookup(SearchableCarrier), law)


def test_every_law_of_carriers_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in CARRIERS} == laws_of(FulfillmentContract)
    assert {law for _, law in LOOKUPS} == laws_of(ShipmentLookupContract)
