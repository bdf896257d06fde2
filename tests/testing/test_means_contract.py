"""The contracts of store credit and payouts break for adapters that are wrong in one thing each."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from rma import CreditRequest, PayoutRequest, RefundDeclined, RefundOutcome, RefundSucceeded
from rma.testing.contracts import CreditLookupContract, CreditsContract, PayoutLookupContract, PayoutsContract
from rma.testing.contracts.port_contract import PortContract
from tests.testing.breaking import breaks, laws_of


class RightPort:
    """Store credit and payouts, each once for its key."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.balances: Counter[str] = Counter()
        self.answers: dict[str, RefundOutcome] = {}
        self.guard = threading.RLock()

    def give(self, request: CreditRequest) -> RefundOutcome:
        """Once for the key."""
        with self.guard:
            if request.key not in self.answers:
                self.credit(request)
            return self.pay_once(request.key)

    def credit(self, request: CreditRequest) -> None:
        """With the bonus, to the payee or else to the customer."""
        self.balances[request.payee or request.customer_id or ""] += request.total.amount

    def pay(self, request: PayoutRequest) -> RefundOutcome:
        """Once for the key."""
        return self.pay_once(request.key)

    def pay_once(self, key: str) -> RefundOutcome:
        """The first answer."""
        with self.guard:
            if key not in self.answers:
                self.made[key] += 1
                self.answers[key] = RefundSucceeded(f"re_{key}")
            return self.answers[key]

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """What it answered."""
        return self.answers.get(request.key)

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """What it answered."""
        return self.answers.get(request.key)


class ForgetsBonuses(RightPort):
    """Gives the amount alone."""

    def credit(self, request: CreditRequest) -> None:
        """Without what is given on top."""
        self.balances[request.payee or request.customer_id or ""] += request.amount.amount


class PaysTwice(RightPort):
    """Knows no keys, and does not say so."""

    def pay_once(self, key: str) -> RefundOutcome:
        """Again."""
        self.made[key] += 1
        return RefundSucceeded(f"re_{self.made[key]}")


class Declines(RightPort):
    """Does nothing."""

    def pay_once(self, key: str) -> RefundOutcome:
        """No."""
        return RefundDeclined("no")


class FindsNothing(RightPort):
    """Cannot search."""

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """Never."""
        return None

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """Never."""
        return None


def held_credits(adapter: type[RightPort]) -> type[CreditsContract]:
    """The contract, with this adapter held against it."""

    class Held(CreditsContract):
        def make(self) -> RightPort:
            self.adapter = adapter()
            return self.adapter

        def refunds_made(self, key: str) -> int:
            return self.adapter.made[key]

        def balance(self, customer_id: str) -> int:
            return self.adapter.balances[customer_id]

    return Held


def held_payouts(adapter: type[RightPort]) -> type[PayoutsContract]:
    """The contract, with this adapter held against it."""

    class Held(PayoutsContract):
        def make(self) -> RightPort:
            self.adapter = adapter()
            return self.adapter

        def refunds_made(self, key: str) -> int:
            return self.adapter.made[key]

    return Held


def held_credit_lookup(adapter: type[RightPort]) -> type[CreditLookupContract]:
    """The contract, with this adapter held against it."""

    class Held(CreditLookupContract):
        def make(self) -> RightPort:
            self.adapter = adapter()
            return self.adapter

        def refunds_made(self, key: str) -> int:
            return self.adapter.made[key]

    return Held


def held_payout_lookup(adapter: type[RightPort]) -> type[PayoutLookupContract]:
    """The contract, with this adapter held against it."""

    class Held(PayoutLookupContract):
        def make(self) -> RightPort:
            self.adapter = adapter()
            return self.adapter

        def refunds_made(self, key: str) -> int:
            return self.adapter.made[key]

    return Held


TWICE = "a_repeated_key_makes_no_second_refund_and_gives_the_first_answer"
MADE = "a_refund_that_is_asked_for_is_made"


@pytest.mark.parametrize("held", [held_credits, held_payouts, held_credit_lookup, held_payout_lookup])
def test_an_adapter_that_is_right_keeps_every_law(
    held: Callable[[type[RightPort]], type[PortContract]],
) -> None:
    """The laws are not too strict."""
    contract = held(RightPort)
    assert [law for law in laws_of(contract) if breaks(contract, law)] == []


@pytest.mark.parametrize(
    ("contract", "law"),
    [
        (held_credits(ForgetsBonuses), "credit_is_given_with_its_bonus"),
        (held_credits(PaysTwice), TWICE),
        (held_payouts(PaysTwice), TWICE),
        (held_credits(Declines), MADE),
        (held_payouts(Declines), MADE),
        (held_credit_lookup(FindsNothing), "a_refund_that_was_made_is_found"),
        (held_payout_lookup(FindsNothing), "a_refund_that_was_made_is_found"),
    ],
)
def test_an_adapter_that_is_wrong_breaks_a_law(contract: type[PortContract], law: str) -> None:
    """The law of what it is wrong in."""
    assert breaks(contract, law)
