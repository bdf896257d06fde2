"""The contract of those who send new goods catches carriers that are wrong."""

import threading
from collections import Counter

import pytest

from rma import Fulfillment, NotIdempotent, ReplacementRequest, ReplacementShipment
from rma.adapters.memory import InMemoryFulfillment
from rma.testing.contracts import ReplacementsContract
from tests.testing.breaking import breaks, laws_of


class WrongSender(InMemoryFulfillment):
    """A carrier without a fault, for others to have one each."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[str] = Counter()
        self.answers: dict[str, tuple[ReplacementRequest, ReplacementShipment]] = {}
        self.guard = threading.Lock()

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Once for the key."""
        with self.guard:
            if request.key not in self.answers:
                self.answers[request.key] = (request, self.send(request))
            return self.answers[request.key][1]

    def send(self, request: ReplacementRequest) -> ReplacementShipment:
        """For good."""
        self.sent[request.key] += 1
        return ReplacementShipment({"parcel": sum(self.sent.values())})


class SendsNothing(WrongSender):
    """Only says so."""

    def send(self, request: ReplacementRequest) -> ReplacementShipment:
        """Nothing."""
        return ReplacementShipment()


class SendsTwice(WrongSender):
    """Knows no keys."""

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Sends again each time."""
        return self.send(request)


class SendsOnceForAnOrder(WrongSender):
    """Takes the order for the key."""

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """The first for all."""
        if self.answers:
            return next(iter(self.answers.values()))[1]
        return super().ship_replacement(request)


class ComparesRequests(WrongSender):
    """Takes what is sent for a part of the key."""

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Sends again if anything differs."""
        known = self.answers.get(request.key)
        if known and known[0] != request:
            return self.send(request)
        return super().ship_replacement(request)


class LooksThenSends(WrongSender):
    """Two callers at once both find the key unused."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """All look before one of them sends."""
        if request.key not in self.answers:
            self._looked.wait(timeout=5)
            self.answers[request.key] = (request, self.send(request))
        return self.answers[request.key][1]


def contract_for(adapter: type[WrongSender]) -> type[ReplacementsContract]:
    """The contract, with this adapter held against it."""

    class Held(ReplacementsContract):
        def make(self) -> Fulfillment:
            self.carrier = adapter()
            return self.carrier

        def replacements_sent(self, key: str) -> int:
            return self.carrier.sent[key]

    return Held


SENDERS = [
    (SendsNothing, "a_replacement_that_is_asked_for_is_sent"),
    (SendsTwice, "a_repeated_key_sends_nothing_and_gives_the_first_answer"),
    (SendsOnceForAnOrder, "two_keys_are_two_replacements"),
    (ComparesRequests, "another_request_under_the_same_key_is_not_sent"),
    (LooksThenSends, "a_key_that_is_sent_twice_at_once_is_one_replacement"),
]


@pytest.mark.parametrize(("wrong", "law"), SENDERS)
def test_a_wrong_sender_breaks_the_law_that_is_about_it(wrong: type[WrongSender], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(contract_for(wrong), law)
    assert not breaks(contract_for(WrongSender), law)


def test_a_sender_that_says_that_it_knows_no_keys_is_not_held_to_them() -> None:
    """Its other laws hold all the same."""

    class KnowsNoKeys(SendsTwice):
        gateway = NotIdempotent()

    class Forgets(KnowsNoKeys, SendsNothing):
        pass

    assert not [law for law in laws_of(ReplacementsContract) if breaks(contract_for(KnowsNoKeys), law)]
    assert breaks(contract_for(Forgets), "a_replacement_that_is_asked_for_is_sent")


def test_every_law_of_senders_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in SENDERS} == laws_of(ReplacementsContract)


class TestInMemoryFulfillment(ReplacementsContract):
    def make(self) -> Fulfillment:
        """The one in memory."""
        self.carrier = InMemoryFulfillment()
        return self.carrier

    def replacements_sent(self, key: str) -> int:
        """As it wrote down."""
        return int(key in self.carrier.replacements)
