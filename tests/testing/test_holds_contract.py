"""The contracts of holds and of reservations hold what is shipped, and catch what is wrong."""

from collections import Counter
from typing import Any

import pytest

from rma import (
    ChargeDeclined,
    ChargeOutcome,
    ChargeRequest,
    ChargeSucceeded,
    Idempotent,
    NotIdempotent,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
    Searchable,
)
from rma.adapters.memory import InMemoryHolds, InMemoryReservingInventory
from rma.testing.contracts.holds import ChargeLookupContract, HoldsContract, ReservationsContract
from rma.testing.gateways import SearchableSimulatedHolds, SimulatedHolds
from tests.testing.breaking import breaks, laws_of


class TestHolds(HoldsContract):
    """The adapter in memory."""

    def make(self) -> InMemoryHolds:
        """A new one."""
        self.holds = InMemoryHolds(_refuses_large)
        return self.holds

    def charges_made(self, key: str) -> int:
        """What was answered with a success."""
        asked = self.holds.charges.get(key)
        return int(asked is not None and isinstance(self.holds.charge(asked), ChargeSucceeded))

    def is_held(self) -> bool:
        """Until it is released."""
        return not self.holds.releases

    def declined_request(self, key: str) -> ChargeRequest:
        """More than the gateway takes."""
        request = self.request(key)
        return ChargeRequest(key, request.order_id, request.exchange_id, request.hold, request.hold.amount)


def _refuses_large(request: ChargeRequest) -> ChargeOutcome:
    if request.amount.amount > 5000:
        return ChargeDeclined("too_much")
    return ChargeSucceeded(f"ch_{request.key}")


class TestSimulatedHolds(TestHolds):
    """A gateway that knows no keys."""

    def make(self) -> InMemoryHolds:
        """A new one."""
        self.holds = SimulatedHolds(NotIdempotent())
        self.holds.answer = _refuses_large
        return self.holds


class TestChargeLookup(ChargeLookupContract):
    """A gateway that can be asked."""

    def make(self) -> SearchableSimulatedHolds:
        """A new one."""
        self.holds = SearchableSimulatedHolds(Searchable())
        return self.holds

    def charges_made(self, key: str) -> int:
        """What it made."""
        return self.holds.executions[key]


class TestReservations(ReservationsContract):
    """The inventory in memory."""

    def make(self) -> InMemoryReservingInventory:
        """A new one."""
        self.stock = InMemoryReservingInventory({"v_contract": 9})
        return self.stock

    def reserved(self) -> int:
        """What is kept."""
        return self.stock.reserved["v_contract"]


class ActsEveryTime:
    """Looks for no key."""

    def __init__(self) -> None:
        self.acted: Counter[str] = Counter()
        self.kept = 0
        self.is_held = True

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Every time."""
        self.acted[request.key] += 1
        return ChargeSucceeded(f"ch_{sum(self.acted.values())}")

    def find_charge(self, key: str) -> ChargeOutcome | None:
        """What was made, under another name."""
        return ChargeSucceeded("another") if self.acted[key] else None

    def release(self, request: ReleaseRequest) -> None:
        """Nothing."""

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        """Every time, as much as there is."""
        self.kept += min(request.lines[0].quantity, 9)
        return None

    def release_reservation(self, request: ReleaseReservationRequest) -> None:
        """Nothing."""


class Declines(ActsEveryTime):
    """Takes the money, and says that it did not."""

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Under no code."""
        self.acted[request.key] += 1
        return ChargeDeclined("")

    def find_charge(self, key: str) -> ChargeOutcome | None:
        """Whatever is looked for."""
        return ChargeSucceeded(key)

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        """Once, for the first."""
        self.kept = self.kept or request.lines[0].quantity
        return OutOfStock()


FAULTS: list[tuple[type[ActsEveryTime], str]] = [
    (ActsEveryTime, "a_repeated_key_makes_no_second_charge_and_gives_the_first_answer"),
    (ActsEveryTime, "another_charge_under_the_same_key_is_not_made"),
    (ActsEveryTime, "a_charge_that_is_sent_twice_at_once_is_made_once"),
    (ActsEveryTime, "a_hold_that_is_released_is_gone"),
    (ActsEveryTime, "a_charge_that_was_made_is_found"),
    (ActsEveryTime, "a_repeated_reservation_keeps_no_more"),
    (ActsEveryTime, "a_reservation_that_is_sent_twice_at_once_is_made_once"),
    (ActsEveryTime, "what_is_out_of_stock_is_not_kept_in_part"),
    (ActsEveryTime, "a_released_reservation_keeps_nothing"),
    (Declines, "a_charge_that_is_asked_for_is_made"),
    (Declines, "a_refused_charge_takes_nothing_and_is_repeated"),
    (Declines, "a_charge_that_was_not_made_is_not_found"),
    (Declines, "units_are_kept"),
    (Declines, "two_keys_are_two_reservations"),
]


def held(wrong: type[ActsEveryTime], law: str) -> type[Any]:
    """Returns the contract that has this law, with this port held against it."""

    class Charges(HoldsContract):
        def make(self) -> ActsEveryTime:
            self.made = wrong()
            return self.made

        def charges_made(self, key: str) -> int:
            return self.made.acted[key]

        def is_held(self) -> bool:
            return self.made.is_held

        def declined_request(self, key: str) -> ChargeRequest:
            return self.request(key)

    class Finds(ChargeLookupContract):
        def make(self) -> ActsEveryTime:
            self.made = wrong()
            return self.made

        def charges_made(self, key: str) -> int:
            return self.made.acted[key]

    class Reserves(ReservationsContract):
        def make(self) -> ActsEveryTime:
            self.made = wrong()
            return self.made

        def reserved(self) -> int:
            return self.made.kept

    kinds: list[type[Any]] = [Charges, Finds, Reserves]
    return next(kind for kind in kinds if law in laws_of(kind))


@pytest.mark.parametrize(("wrong", "law"), FAULTS)
def test_a_wrong_port_breaks_the_law_that_is_about_it(wrong: type[ActsEveryTime], law: str) -> None:
    """Each law catches one of these."""
    assert breaks(held(wrong, law), law)


def test_every_law_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    laws = laws_of(HoldsContract) | laws_of(ChargeLookupContract) | laws_of(ReservationsContract)
    assert {law for _, law in FAULTS} == laws


def test_a_gateway_that_knows_keys_acts_once() -> None:
    """As it declares."""
    contract = TestHolds()
    holds = SimulatedHolds(Idempotent())
    for _ in range(2):
        holds.charge(contract.request("exc_1-charge-1"))
    assert holds.executions == {"exc_1-charge-1": 1}
