"""What `Payments` and `RefundLookup` promise."""

from abc import abstractmethod
from typing import Protocol

import pytest
from attrs import evolve

from rma.async_ports import AsyncPayments, AsyncRefundLookup
from rma.domain.messages.effects import (
    RefundAnswer,
    RefundDeclined,
    RefundPending,
    RefundRequest,
    RefundSucceeded,
)
from rma.domain.messages.gateways import Idempotent
from rma.domain.values.money import Money
from rma.ports import Payments
from rma.testing.contracts.port_contract import PortContract
from rma.testing.fault_injection import SearchablePayments

KEY = "ret_contract-refund-1"
OTHER_KEY = "ret_contract-refund-2"


class AsyncSearchablePayments(AsyncPayments, AsyncRefundLookup, Protocol):
    """An awaited payments adapter whose gateway can be asked for a refund by its key."""


class PaymentsContract(PortContract):
    """
    Laws of a payments adapter.

    What is said of repeated keys holds for adapters that are `Idempotent`, as those are that declare nothing;
    for others these laws are skipped.
    """

    @abstractmethod
    def make(self) -> Payments | AsyncPayments:
        """The adapter over a gateway that has made no refund yet, a new one for each law."""

    def port(self) -> Payments:
        """The adapter as one that blocks."""
        port: Payments = self.blocking(self.make())
        return port

    @abstractmethod
    def refunds_made(self, key: str) -> int:
        """How many refunds the gateway that was made last has really made, or begun, under this key."""

    def request(self, key: str) -> RefundRequest:
        """A refund that the gateway makes; override it where payments have to exist."""
        return RefundRequest(key, "order_1", "ret_contract", "pay_1", Money(500, "usd"))

    def other_request(self, key: str) -> RefundRequest:
        """Another refund than `request(key)`: a cent less unless you say how."""
        request = self.request(key)
        return evolve(request, amount=Money(request.amount.amount - 1, request.amount.currency))

    def declined_request(self, key: str) -> RefundRequest | None:  # noqa: ARG002 # for who overrides it
        """A refund that the gateway refuses, definitely; its law is skipped unless you name one."""
        return None

    def test_a_refund_that_is_asked_for_is_made(self) -> None:
        """Once, and the answer says that it was made or is on its way."""
        payments = self.port()

        answer = payments.refund(self.request(KEY))

        assert isinstance(answer, RefundSucceeded | RefundPending)
        assert self.refunds_made(KEY) == 1

    def test_a_repeated_key_makes_no_second_refund_and_gives_the_first_answer(self) -> None:
        """However often it is repeated."""
        payments = self.make_keyed()

        answers = [payments.refund(self.request(KEY)) for _ in range(3)]

        assert answers[1:] == answers[:1] * 2
        assert self.refunds_made(KEY) == 1

    def test_another_request_under_the_same_key_is_not_done(self) -> None:
        """It is refused, or answered as the first was; the key goes on standing for the first."""
        payments = self.make_keyed()
        first = payments.refund(self.request(KEY))

        assert _answer(payments, self.other_request(KEY)) in (None, first)
        assert self.refunds_made(KEY) == 1
        assert payments.refund(self.request(KEY)) == first
        assert self.refunds_made(KEY) == 1

    def test_two_keys_are_two_refunds(self) -> None:
        """Even where everything else is equal: two parcels can be worth the same."""
        payments = self.port()

        payments.refund(self.request(KEY))
        payments.refund(self.request(OTHER_KEY))

        assert [self.refunds_made(key) for key in (KEY, OTHER_KEY)] == [1, 1]

    def test_a_key_that_is_sent_twice_at_once_makes_one_refund(self) -> None:
        """One of the two may be asked to try again; then it gets the first answer."""
        payments = self.make_keyed()
        request = self.request(KEY)

        answers = self.at_once([lambda: payments.refund(request)] * 4)

        answer = payments.refund(request)
        assert all(each == answer for each in answers if not isinstance(each, Exception))
        assert self.refunds_made(KEY) == 1

    def test_a_refusal_moves_no_money_and_is_repeated(self) -> None:
        """It is a value with a code, and final: this key will never move money."""
        payments = self.port()
        request = self.declined_request(KEY)
        if request is None:
            pytest.skip("no refund is named that the gateway refuses")

        answer = payments.refund(request)

        assert isinstance(answer, RefundDeclined)
        assert answer.code
        assert self.refunds_made(KEY) == 0
        if isinstance(getattr(payments, "gateway", Idempotent()), Idempotent):
            assert payments.refund(request) == answer
            assert self.refunds_made(KEY) == 0

    def make_keyed(self) -> Payments:
        """The adapter, if it says that its gateway knows keys."""
        payments = self.port()
        if not isinstance(getattr(payments, "gateway", Idempotent()), Idempotent):
            pytest.skip("the adapter declares a gateway that does not know keys")
        return payments


class RefundLookupContract(PortContract):
    """Laws of a payments adapter whose gateway can be asked for a refund by its key."""

    @abstractmethod
    def make(self) -> SearchablePayments | AsyncSearchablePayments:
        """The adapter over a gateway that has made no refund yet, a new one for each law."""

    def port(self) -> SearchablePayments:
        """The adapter as one that blocks."""
        port: SearchablePayments = self.blocking(self.make())
        return port

    @abstractmethod
    def refunds_made(self, key: str) -> int:
        """How many refunds the gateway that was made last has really made, or begun, under this key."""

    def pass_delay(self) -> None:  # most need none
        """Let `Searchable.delay` pass, after which a look-up tells the truth; nothing unless you say how."""

    def request(self, key: str) -> RefundRequest:
        """A refund that the gateway makes; override it where payments have to exist."""
        return RefundRequest(key, "order_1", "ret_contract", "pay_1", Money(500, "usd"))

    def test_a_refund_that_was_not_made_is_not_found(self) -> None:
        """And looking for it makes none."""
        payments = self.port()
        payments.refund(self.request(OTHER_KEY))
        self.pass_delay()

        assert payments.find_refund(self.request(KEY)) is None
        assert self.refunds_made(KEY) == 0

    def test_a_refund_that_was_made_is_found(self) -> None:
        """Under the reference of its answer, however often it is looked for; nothing is made by that."""
        payments = self.port()
        answer = payments.refund(self.request(KEY))
        assert isinstance(answer, RefundSucceeded | RefundPending)
        self.pass_delay()

        for _ in range(2):
            found = payments.find_refund(self.request(KEY))
            assert isinstance(found, RefundSucceeded | RefundPending)
            assert found.reference == answer.reference
        assert self.refunds_made(KEY) == 1


def _answer(payments: Payments, request: RefundRequest) -> RefundAnswer | None:
    try:
        return payments.refund(request)
    except Exception:
        return None
