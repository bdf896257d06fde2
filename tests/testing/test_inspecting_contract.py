"""The contracts of disposals and of sending back hold what is shipped, and catch what is wrong."""

from collections import Counter

import pytest

from rma import DisposeRequest, Searchable, SendBackRequest
from rma.adapters.memory import InMemoryFulfillment, InMemoryInventory
from rma.testing.contracts.inspecting import DisposalContract, SendingBackContract
from tests.testing.breaking import breaks, laws_of


class TestDisposals(DisposalContract):
    """The adapter in memory."""

    def make(self) -> InMemoryInventory:
        """A new one."""
        self.inventory = InMemoryInventory()
        return self.inventory

    def disposed(self, item_id: str, disposition: str) -> int:
        """What was asked for."""
        return sum(
            line.quantity
            for request in self.inventory.disposals.values()
            if request.disposition == disposition
            for line in request.lines
            if line.item_id == item_id
        )


class TestSendingBack(SendingBackContract):
    """The carrier in memory."""

    def make(self) -> InMemoryFulfillment:
        """A new one."""
        self.carrier = InMemoryFulfillment()
        return self.carrier

    def parcels(self, key: str) -> int:
        """What was sent."""
        return int(key in self.carrier.sent_back)


class MovesEveryTime:
    """Looks for no key."""

    def __init__(self) -> None:
        self.moved: Counter[str] = Counter()

    def dispose(self, request: DisposeRequest) -> None:
        """Every time."""
        self.moved.update({line.item_id: line.quantity for line in request.lines})

    def send_back(self, request: SendBackRequest) -> None:
        """Every time."""
        self.moved[request.key] += 1


class KnowsOneKey(MovesEveryTime):
    """Acts once, whatever is asked for."""

    def dispose(self, request: DisposeRequest) -> None:
        """The first time."""
        if not self.moved:
            super().dispose(request)

    def send_back(self, request: SendBackRequest) -> None:
        """The first time."""
        if not self.moved:
            super().send_back(request)


class TakesTheFirstLine(MovesEveryTime):
    """Leaves out lines, and parcels."""

    def dispose(self, request: DisposeRequest) -> None:
        """One of the lines."""
        self.moved[request.lines[0].item_id] = request.lines[0].quantity

    def send_back(self, request: SendBackRequest) -> None:
        """Nothing."""


FAULTS: list[tuple[type[MovesEveryTime], str]] = [
    (MovesEveryTime, "a_repeated_disposal_moves_nothing"),
    (MovesEveryTime, "a_disposal_that_is_asked_for_twice_at_once_is_made_once"),
    (KnowsOneKey, "two_keys_are_two_disposals"),
    (TakesTheFirstLine, "units_go_where_the_disposition_says"),
    (MovesEveryTime, "a_repeated_key_sends_nothing"),
    (MovesEveryTime, "a_parcel_that_is_asked_for_twice_at_once_is_sent_once"),
    (KnowsOneKey, "two_keys_are_two_parcels"),
    (TakesTheFirstLine, "units_are_sent_to_the_customer"),
]


def held(wrong: type[MovesEveryTime], law: str) -> type[DisposalContract] | type[SendingBackContract]:
    """Returns the contract that has this law, with this port held against it."""

    class Disposes(DisposalContract):
        def make(self) -> MovesEveryTime:
            self.made = wrong()
            return self.made

        def disposed(self, item_id: str, disposition: str) -> int:
            return self.made.moved[item_id]

    class SendsBack(SendingBackContract):
        def make(self) -> MovesEveryTime:
            self.made = wrong()
            return self.made

        def parcels(self, key: str) -> int:
            return self.made.moved[key]

    return Disposes if law in laws_of(DisposalContract) else SendsBack


@pytest.mark.parametrize(("wrong", "law"), FAULTS)
def test_a_wrong_port_breaks_the_law_that_is_about_it(wrong: type[MovesEveryTime], law: str) -> None:
    """Each law catches one of these."""
    assert breaks(held(wrong, law), law)


def test_a_carrier_that_says_that_it_knows_no_keys_is_not_held_to_them() -> None:
    """Its other laws hold all the same."""

    class KnowsNoKeys(MovesEveryTime):
        gateway = Searchable()

    laws = laws_of(SendingBackContract)
    assert not [law for law in laws if breaks(held(KnowsNoKeys, law), law)]


def test_every_law_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in FAULTS} == laws_of(DisposalContract) | laws_of(SendingBackContract)
