"""What `Holds`, `ChargeLookup` and `Reservations` promise."""

from abc import abstractmethod
from datetime import UTC, datetime
from typing import Protocol

import pytest
from attrs import evolve

from rma.async_ports import AsyncChargeLookup, AsyncHolds, AsyncReservations
from rma.domain.messages.advance import (
    ChargeAnswer,
    ChargeDeclined,
    ChargePending,
    ChargeRequest,
    ChargeSucceeded,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
    VariantLine,
)
from rma.domain.messages.gateways import Idempotent
from rma.domain.sale.hold import Hold
from rma.domain.values.money import Money
from rma.ports import ChargeLookup, Holds, Reservations
from rma.testing.contracts.port_contract import PortContract, keyed

CHARGE_KEY = "exc_contract-charge-1"
OTHER_CHARGE_KEY = "exc_contract-charge-2"
RELEASE_KEY = "exc_contract-release-1"
RESERVE_KEY = "exc_contract-reserve-1"
OTHER_RESERVE_KEY = "exc_contract-reserve-2"
UNRESERVE_KEY = "exc_contract-unreserve-1"


class SearchableHolds(Holds, ChargeLookup, Protocol):
    """An adapter whose gateway can be asked for a charge."""


class AsyncSearchableHolds(AsyncHolds, AsyncChargeLookup, Protocol):
    """The same, awaited."""


def _hold() -> Hold:
    return Hold("auth_contract", Money(5995, "usd"), datetime(2026, 3, 1, tzinfo=UTC))


class HoldsContract(PortContract):
    """
    Laws of an adapter of holds.

    What is said of repeated charges holds for adapters that are `Idempotent`, as those are that declare
    nothing; for others these laws are skipped.
    """

    @abstractmethod
    def make(self) -> Holds | AsyncHolds:
        """The adapter over a gateway with a hold of which nothing was taken, a new one for each law."""

    def port(self) -> Holds:
        """The adapter as one that blocks."""
        port: Holds = self.blocking(self.make())
        return port

    @abstractmethod
    def charges_made(self, key: str) -> int:
        """How many charges the gateway that was made last has really made, or begun, under this key."""

    @abstractmethod
    def is_held(self) -> bool:
        """Whether the gateway that was made last still has the hold of `hold()`."""

    def hold(self) -> Hold:
        """The hold; override it where holds have to exist."""
        return _hold()

    def request(self, key: str) -> ChargeRequest:
        """A charge that the gateway makes."""
        return ChargeRequest(key, "order_1", "exc_contract", self.hold(), Money(1199, "usd"))

    def declined_request(self, key: str) -> ChargeRequest | None:  # noqa: ARG002 # for who overrides it
        """A charge that the gateway refuses, definitely; its law is skipped unless you name one."""
        return None

    def release_request(self) -> ReleaseRequest:
        """The hold given back."""
        return ReleaseRequest(RELEASE_KEY, "order_1", "exc_contract", self.hold())

    def test_a_charge_that_is_asked_for_is_made(self) -> None:
        """Once, and the answer says that it was made or is on its way."""
        answer = self.port().charge(self.request(CHARGE_KEY))

        assert isinstance(answer, ChargeSucceeded | ChargePending)
        assert self.charges_made(CHARGE_KEY) == 1

    def test_a_repeated_key_makes_no_second_charge_and_gives_the_first_answer(self) -> None:
        """However often it is repeated."""
        holds = self.make_keyed()

        answers = [holds.charge(self.request(CHARGE_KEY)) for _ in range(3)]

        assert answers[1:] == answers[:1] * 2
        assert self.charges_made(CHARGE_KEY) == 1

    def test_another_charge_under_the_same_key_is_not_made(self) -> None:
        """It is refused, or answered as the first was."""
        holds = self.make_keyed()
        first = holds.charge(self.request(CHARGE_KEY))

        other = evolve(self.request(CHARGE_KEY), amount=Money(1198, "usd"))

        assert _charged(holds, other) in (None, first)
        assert self.charges_made(CHARGE_KEY) == 1

    def test_a_charge_that_is_sent_twice_at_once_is_made_once(self) -> None:
        """One of the two may be asked to try again; then it gets the first answer."""
        holds = self.make_keyed()
        request = self.request(CHARGE_KEY)

        answers = self.at_once([lambda: holds.charge(request)] * 4)

        answer = holds.charge(request)
        assert all(each == answer for each in answers if not isinstance(each, Exception))
        assert self.charges_made(CHARGE_KEY) == 1

    def test_a_refused_charge_takes_nothing_and_is_repeated(self) -> None:
        """It is a value with a code, and final."""
        holds = self.port()
        request = self.declined_request(CHARGE_KEY)
        if request is None:
            pytest.skip("no charge is named that the gateway refuses")

        answer = holds.charge(request)

        assert isinstance(answer, ChargeDeclined)
        assert answer.code
        assert self.charges_made(CHARGE_KEY) == 0
        if isinstance(getattr(holds, "gateway", Idempotent()), Idempotent):
            assert holds.charge(request) == answer

    def test_a_hold_that_is_released_is_gone(self) -> None:
        """Once, and releasing it again changes nothing."""
        holds = self.port()

        for _ in range(2):
            holds.release(self.release_request())

        assert not self.is_held()

    def make_keyed(self) -> Holds:
        """The adapter, if it says that its gateway knows keys."""
        return keyed(self.port())


class ChargeLookupContract(PortContract):
    """Laws of an adapter of holds whose gateway can be asked for a charge by its key."""

    @abstractmethod
    def make(self) -> SearchableHolds | AsyncSearchableHolds:
        """The adapter over a gateway with a hold of which nothing was taken, a new one for each law."""

    def port(self) -> SearchableHolds:
        """The adapter as one that blocks."""
        port: SearchableHolds = self.blocking(self.make())
        return port

    @abstractmethod
    def charges_made(self, key: str) -> int:
        """How many charges the gateway that was made last has really made, or begun, under this key."""

    def pass_delay(self) -> None:  # most need none
        """Let `Searchable.search_delay` pass, after which a look-up tells the truth."""

    def request(self, key: str) -> ChargeRequest:
        """A charge that the gateway makes; override it where holds have to exist."""
        return ChargeRequest(key, "order_1", "exc_contract", _hold(), Money(1199, "usd"))

    def test_a_charge_that_was_not_made_is_not_found(self) -> None:
        """And looking for it makes none."""
        holds = self.port()
        holds.charge(self.request(OTHER_CHARGE_KEY))
        self.pass_delay()

        assert holds.find_charge(CHARGE_KEY) is None
        assert self.charges_made(CHARGE_KEY) == 0

    def test_a_charge_that_was_made_is_found(self) -> None:
        """Under the reference of its answer, however often it is looked for."""
        holds = self.port()
        answer = holds.charge(self.request(CHARGE_KEY))
        assert isinstance(answer, ChargeSucceeded | ChargePending)
        self.pass_delay()

        for _ in range(2):
            found = holds.find_charge(CHARGE_KEY)
            assert isinstance(found, ChargeSucceeded | ChargePending)
            assert found.reference == answer.reference
        assert self.charges_made(CHARGE_KEY) == 1


class ReservationsContract(PortContract):
    """Laws of an inventory that keeps new goods until they are sent."""

    @abstractmethod
    def make(self) -> Reservations | AsyncReservations:
        """The adapter over a stock with at least 4 units of `variant()`, a new one for each law."""

    def port(self) -> Reservations:
        """The adapter as one that blocks."""
        port: Reservations = self.blocking(self.make())
        return port

    @abstractmethod
    def reserved(self) -> int:
        """How many units of `variant()` are kept now."""

    def variant(self) -> str:
        """What is reserved; override it where variants have to exist."""
        return "v_contract"

    def request(self, key: str, quantity: int = 2) -> ReserveRequest:
        """So many units."""
        return ReserveRequest(key, "order_1", "exc_contract", (VariantLine(self.variant(), quantity),))

    def release_request(self) -> ReleaseReservationRequest:
        """What `RESERVE_KEY` kept."""
        lines = (VariantLine(self.variant(), 2),)
        return ReleaseReservationRequest(UNRESERVE_KEY, "order_1", "exc_contract", RESERVE_KEY, lines)

    def test_units_are_kept(self) -> None:
        """As many as were asked for."""
        assert self.port().reserve(self.request(RESERVE_KEY)) is None
        assert self.reserved() == 2

    def test_a_repeated_reservation_keeps_no_more(self) -> None:
        """However often it is repeated."""
        stock = self.port()

        answers = [stock.reserve(self.request(RESERVE_KEY)) for _ in range(3)]

        assert answers == [None] * 3
        assert self.reserved() == 2

    def test_two_keys_are_two_reservations(self) -> None:
        """Even where everything else is equal."""
        stock = self.port()

        stock.reserve(self.request(RESERVE_KEY))
        stock.reserve(self.request(OTHER_RESERVE_KEY))

        assert self.reserved() == 4

    def test_a_reservation_that_is_sent_twice_at_once_is_made_once(self) -> None:
        """Two processes may ask for it."""
        stock = self.port()
        self.at_once([lambda: stock.reserve(self.request(RESERVE_KEY))] * 4)
        stock.reserve(self.request(RESERVE_KEY))

        assert self.reserved() == 2

    def test_what_is_out_of_stock_is_not_kept_in_part(self) -> None:
        """It says so, and goes on saying so."""
        stock = self.port()
        request = self.request(RESERVE_KEY, 10**6)

        assert [type(stock.reserve(request)) for _ in range(2)] == [OutOfStock] * 2
        assert self.reserved() == 0

    def test_a_released_reservation_keeps_nothing(self) -> None:
        """Releasing it again changes nothing."""
        stock = self.port()
        stock.reserve(self.request(RESERVE_KEY))

        for _ in range(2):
            stock.release_reservation(self.release_request())

        assert self.reserved() == 0


def _charged(holds: Holds, request: ChargeRequest) -> ChargeAnswer | None:
    try:
        return holds.charge(request)
    except Exception:
        return None
