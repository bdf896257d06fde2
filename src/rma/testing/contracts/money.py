"""What the ports that move money promise alike: payments, store credit and payouts."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from attrs import evolve

from rma.domain.messages.effects import (
    MoneyRequest,
    RefundAnswer,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundSucceeded,
)
from rma.domain.messages.gateways import Idempotent
from rma.domain.values.money import Money
from rma.testing.contracts.port_contract import PortContract, keyed

KEY = "ret_contract-refund-1"
OTHER_KEY = "ret_contract-refund-2"

RequestT = TypeVar("RequestT", bound=MoneyRequest)


#: Asks the port of a contract.
Send = Callable[[RequestT], RefundAnswer]
#: Looks a request up at the port of a contract.
Find = Callable[[RequestT], RefundOutcome | None]


class MoneyContract(PortContract):
    """
    Laws of an adapter that moves money.

    What is said of repeated keys holds for adapters that are `Idempotent`, as those are that declare nothing;
    for others these laws are skipped.
    """

    @abstractmethod
    def refunds_made(self, key: str) -> int:
        """How many refunds the gateway that was made last has really made, or begun, under this key."""

    @abstractmethod
    def request(self, key: str) -> Any:
        """A request that the gateway does."""

    @abstractmethod
    def sender(self, port: Any) -> Send[Any]:
        """How this port is asked."""

    @abstractmethod
    def port(self) -> Any:
        """The adapter as one that blocks."""

    def other_request(self, key: str) -> Any:
        """Another request than `request(key)`: a cent less unless you say how."""
        request = self.request(key)
        return evolve(request, amount=Money(request.amount.amount - 1, request.amount.currency))

    def declined_request(self, key: str) -> Any | None:  # noqa: ARG002 # for who overrides it
        """A request that the gateway refuses, definitely; its law is skipped unless you name one."""
        return None

    def test_a_refund_that_is_asked_for_is_made(self) -> None:
        """Once, and the answer says that it was made or is on its way."""
        send = self.sender(self.port())

        answer = send(self.request(KEY))

        assert isinstance(answer, RefundSucceeded | RefundPending)
        assert self.refunds_made(KEY) == 1

    def test_a_repeated_key_makes_no_second_refund_and_gives_the_first_answer(self) -> None:
        """However often it is repeated."""
        send = self.sender(self.make_keyed())

        answers = [send(self.request(KEY)) for _ in range(3)]

        assert answers[1:] == answers[:1] * 2
        assert self.refunds_made(KEY) == 1

    def test_another_request_under_the_same_key_is_not_done(self) -> None:
        """It is refused, or answered as the first was; the key goes on standing for the first."""
        send = self.sender(self.make_keyed())
        first = send(self.request(KEY))

        assert _answer(send, self.other_request(KEY)) in (None, first)
        assert self.refunds_made(KEY) == 1
        assert send(self.request(KEY)) == first
        assert self.refunds_made(KEY) == 1

    def test_two_keys_are_two_refunds(self) -> None:
        """Even where everything else is equal: two parcels can be worth the same."""
        send = self.sender(self.port())

        send(self.request(KEY))
        send(self.request(OTHER_KEY))

        assert [self.refunds_made(key) for key in (KEY, OTHER_KEY)] == [1, 1]

    def test_a_key_that_is_sent_twice_at_once_makes_one_refund(self) -> None:
        """One of the two may be asked to try again; then it gets the first answer."""
        send = self.sender(self.make_keyed())
        request = self.request(KEY)

        answers = self.at_once([lambda: send(request)] * 4)

        answer = send(request)
        assert all(each == answer for each in answers if not isinstance(each, Exception))
        assert self.refunds_made(KEY) == 1

    def test_a_refusal_moves_no_money_and_is_repeated(self) -> None:
        """It is a value with a code, and final: this key will never move money."""
        port = self.port()
        send, request = self.sender(port), self.declined_request(KEY)
        if request is None:
            pytest.skip("no refund is named that the gateway refuses")

        answer = send(request)

        assert isinstance(answer, RefundDeclined)
        assert answer.code
        assert self.refunds_made(KEY) == 0
        if isinstance(getattr(port, "gateway", Idempotent()), Idempotent):
            assert send(request) == answer
            assert self.refunds_made(KEY) == 0

    def make_keyed(self) -> Any:
        """The adapter, if it says that its gateway knows keys."""
        return keyed(self.port())


class MoneyLookupContract(PortContract):
    """Laws of an adapter that moves money and can be asked what became of a request."""

    @abstractmethod
    def refunds_made(self, key: str) -> int:
        """How many refunds the gateway that was made last has really made, or begun, under this key."""

    @abstractmethod
    def request(self, key: str) -> Any:
        """A request that the gateway does."""

    @abstractmethod
    def sender(self, port: Any) -> Send[Any]:
        """How this port is asked."""

    @abstractmethod
    def finder(self, port: Any) -> Find[Any]:
        """How a request is looked up there."""

    @abstractmethod
    def port(self) -> Any:
        """The adapter as one that blocks."""

    def pass_delay(self) -> None:  # most need none
        """Let the `search_delay` pass, after which a look-up tells the truth; nothing unless you say how."""

    def test_a_refund_that_was_not_made_is_not_found(self) -> None:
        """And looking for it makes none."""
        port = self.port()
        self.sender(port)(self.request(OTHER_KEY))
        self.pass_delay()

        assert self.finder(port)(self.request(KEY)) is None
        assert self.refunds_made(KEY) == 0

    def test_a_refund_that_was_made_is_found(self) -> None:
        """Under the reference of its answer, however often it is looked for; nothing is made by that."""
        port = self.port()
        answer = self.sender(port)(self.request(KEY))
        assert isinstance(answer, RefundSucceeded | RefundPending)
        self.pass_delay()

        for _ in range(2):
            found = self.finder(port)(self.request(KEY))
            assert isinstance(found, RefundSucceeded | RefundPending)
            assert found.reference == answer.reference
        assert self.refunds_made(KEY) == 1


def _answer(send: Send[Any], request: MoneyRequest) -> RefundAnswer | None:
    try:
        return send(request)
    except Exception:
        return None
