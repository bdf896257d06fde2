"""The contracts of payments catch gateways that are wrong."""

import threading
from collections import Counter

import pytest
from attrs import evolve

from rma import (
    Money,
    NotIdempotent,
    Payments,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
)
from rma.testing.contracts import (
    PaymentsContract,
    RefundLookupContract,
)
from tests.testing.breaking import breaks, laws_of


class WrongPayments:
    """A gateway that would be right but for one thing; it closed the card that is asked for 6.66."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.answers: dict[str, RefundOutcome] = {}

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """The first answer to this key."""
        if request.key not in self.answers:
            self.answers[request.key] = self.pay(request)
        return self.answers[request.key]

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Money moves, unless the card is closed."""
        if request.amount.amount == 666:
            return RefundDeclined("card_closed")
        self.made[request.key] += 1
        return RefundSucceeded(f"re_{sum(self.made.values())}")

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Its answer."""
        return self.answers.get(request.key)


class PaysTwice(WrongPayments):
    """Knows no keys, and does not say so."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Pays."""
        return self.pay(request)


class PaysNothing(WrongPayments):
    """Says yes, and does nothing."""

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Nothing."""
        return RefundSucceeded("re_0")


class SaysSomethingElse(WrongPayments):
    """Pays once, and answers a repeat with an error of the gateway's."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """A refusal the second time."""
        if request.key in self.answers:
            return RefundDeclined("duplicate")
        return super().refund(request)


class ComparesRequests(WrongPayments):
    """The same request is the same refund, and another request under its key is another."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """By key and amount."""
        key = f"{request.key} {request.amount}"
        if key not in self.answers:
            self.answers[key] = self.pay(request)
        return self.answers[key]


class OverwritesRequests(WrongPayments):
    """Another request under a key is not done, but takes its place."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Says that it was done."""
        first = super().refund(request)
        self.answers[request.key] = RefundSucceeded(f"re_{request.amount}")
        return first


class IgnoresKeys(WrongPayments):
    """An equal amount of the same payment is the same refund, as some gateways guess."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """By payment and amount."""
        return super().refund(evolve(request, key=f"{request.payment_id} {request.amount}"))


class LooksThenPays(WrongPayments):
    """Two callers at once both find the key unused."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """All look before one of them pays."""
        if request.key not in self.answers:
            self._looked.wait(timeout=5)
            self.answers[request.key] = self.pay(request)
        return self.answers[request.key]


class TriesRefusedOnesAgain(WrongPayments):
    """A refusal is not kept: the same key may pay tomorrow."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """The card was opened meanwhile."""
        if isinstance(self.answers.get(request.key), RefundDeclined):
            return self.pay(evolve(request, amount=Money(1, "usd")))
        return super().refund(request)


class RefusesAndPays(WrongPayments):
    """Calls a time-out a refusal: the money left."""

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Both."""
        super().pay(evolve(request, amount=Money(1, "usd")))
        return RefundDeclined("timeout") if request.amount.amount == 666 else RefundSucceeded("re_1")


class RaisesRefusals(WrongPayments):
    """A refusal is a value, not an error."""

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Raises."""
        answer = super().pay(request)
        if isinstance(answer, RefundDeclined):
            raise ConnectionRefusedError(answer.code)
        return answer


class FindsEverything(WrongPayments):
    """A search that does not look at the key."""

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Any."""
        return next(iter(self.answers.values()), None)


class PaysWhenAsked(WrongPayments):
    """Looking makes the refund."""

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Pays."""
        self.made[request.key] += 1
        return self.answers.get(request.key)


class FindsNothing(WrongPayments):
    """A search in the wrong account."""

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Never."""
        return None


class FindsUnderAnotherName(WrongPayments):
    """The reference of a search is not the reference of the answer."""

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """By its key."""
        return RefundSucceeded(request.key) if request.key in self.answers else None


def held_payments(adapter: type[WrongPayments]) -> type[PaymentsContract]:
    """The contract, with this adapter held against it."""

    class Held(PaymentsContract):
        def make(self) -> Payments:
            self.payments = adapter()
            return self.payments

        def refunds_made(self, key: str) -> int:
            return self.payments.made[key]

        def declined_request(self, key: str) -> RefundRequest:
            return evolve(self.request(key), amount=Money(666, "usd"))

    return Held


def held_lookup(adapter: type[WrongPayments]) -> type[RefundLookupContract]:
    """The contract of look-ups, with this adapter held against it."""

    class Held(RefundLookupContract):
        def make(self) -> WrongPayments:
            self.payments = adapter()
            return self.payments

        def refunds_made(self, key: str) -> int:
            return self.payments.made[key]

    return Held


PAYMENTS = [
    (PaysNothing, "a_refund_that_is_asked_for_is_made"),
    (PaysTwice, "a_repeated_key_makes_no_second_refund_and_gives_the_first_answer"),
    (SaysSomethingElse, "a_repeated_key_makes_no_second_refund_and_gives_the_first_answer"),
    (ComparesRequests, "another_request_under_the_same_key_is_not_done"),
    (OverwritesRequests, "another_request_under_the_same_key_is_not_done"),
    (IgnoresKeys, "two_keys_are_two_refunds"),
    (LooksThenPays, "a_key_that_is_sent_twice_at_once_makes_one_refund"),
    (TriesRefusedOnesAgain, "a_refusal_moves_no_money_and_is_repeated"),
    (RefusesAndPays, "a_refusal_moves_no_money_and_is_repeated"),
    (RaisesRefusals, "a_refusal_moves_no_money_and_is_repeated"),
]
LOOKUPS = [
    (FindsEverything, "a_refund_that_was_not_made_is_not_found"),
    (PaysWhenAsked, "a_refund_that_was_not_made_is_not_found"),
    (FindsNothing, "a_refund_that_was_made_is_found"),
    (FindsUnderAnotherName, "a_refund_that_was_made_is_found"),
]


@pytest.mark.parametrize(("wrong", "law"), PAYMENTS)
def test_a_wrong_gateway_breaks_the_law_that_is_about_it(wrong: type[WrongPayments], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_payments(wrong), law)
    assert law.endswith("once_makes_one_refund") or not breaks(held_payments(WrongPayments), law)


def test_a_gateway_that_knows_no_keys_and_says_so_keeps_every_law() -> None:
    """What is promised about repeats is not asked of it."""

    class SaysSo(PaysTwice):
        gateway = NotIdempotent()

    assert not [law for law in laws_of(PaymentsContract) if breaks(held_payments(SaysSo), law)]


@pytest.mark.parametrize(("wrong", "law"), LOOKUPS)
def test_a_wrong_lookup_breaks_the_law_that_is_about_it(wrong: type[WrongPayments], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_lookup(wrong), law)
    assert not breaks(held_lookup(WrongPayments), law)


def test_every_law_of_payments_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in PAYMENTS} == laws_of(PaymentsContract)
    assert {law for _, law in LOOKUPS} == laws_of(RefundLookupContract)
