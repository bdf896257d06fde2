"""What `Credits`, `Payouts` and their look-ups promise."""

from abc import abstractmethod
from typing import Protocol

from rma.async_ports import AsyncCreditLookup, AsyncCredits, AsyncPayoutLookup, AsyncPayouts
from rma.domain.messages.effects import CreditRequest, PayoutRequest
from rma.domain.values.money import Money
from rma.ports import Credits, Payouts
from rma.testing.contracts.money import KEY, Find, MoneyContract, MoneyLookupContract, Send
from rma.testing.fault_injection import SearchableCredits, SearchablePayouts


class AsyncSearchableCredits(AsyncCredits, AsyncCreditLookup, Protocol):
    """An awaited adapter for store credit that can be asked."""


class AsyncSearchablePayouts(AsyncPayouts, AsyncPayoutLookup, Protocol):
    """An awaited adapter for payouts that can be asked."""


class CreditsContract(MoneyContract):
    """Laws of an adapter for store credit; those of `PaymentsContract`, and that the bonus is given."""

    @abstractmethod
    def make(self) -> Credits | AsyncCredits:
        """The adapter over balances of 0, a new one for each law."""

    @abstractmethod
    def balance(self, customer_id: str) -> int:
        """The credit of this customer, or payee, at the adapter that was made last: minor units."""

    def port(self) -> Credits:
        """The adapter as one that blocks."""
        port: Credits = self.blocking(self.make())
        return port

    def request(self, key: str) -> CreditRequest:
        """Credit that is given; override it where customers have to exist."""
        return CreditRequest(
            key, "order_1", "ret_contract", "cus_1", None, Money(500, "usd"), Money(50, "usd")
        )

    def sender(self, port: Credits) -> Send[CreditRequest]:
        """By `give`."""
        return port.give

    def test_credit_is_given_with_its_bonus(self) -> None:
        """To the payee, or else to the customer, once."""
        port = self.make_keyed()
        request = self.request(KEY)
        has_it = request.customer_id if request.payee is None else request.payee
        assert has_it is not None, "someone gets it"
        before = self.balance(has_it)

        for _ in range(2):
            self.sender(port)(request)

        assert self.balance(has_it) - before == request.total.amount


class CreditLookupContract(MoneyLookupContract):
    """Laws of an adapter for store credit that can be asked."""

    @abstractmethod
    def make(self) -> SearchableCredits | AsyncSearchableCredits:
        """The adapter, a new one for each law."""

    def port(self) -> SearchableCredits:
        """The adapter as one that blocks."""
        port: SearchableCredits = self.blocking(self.make())
        return port

    def request(self, key: str) -> CreditRequest:
        """Credit that is given; override it where customers have to exist."""
        return CreditRequest(key, "order_1", "ret_contract", "cus_1", None, Money(500, "usd"))

    def sender(self, port: SearchableCredits) -> Send[CreditRequest]:
        """By `give`."""
        return port.give

    def finder(self, port: SearchableCredits) -> Find[CreditRequest]:
        """By `find_credit`."""
        return port.find_credit


class PayoutsContract(MoneyContract):
    """Laws of an adapter for payouts: those of `PaymentsContract`."""

    @abstractmethod
    def make(self) -> Payouts | AsyncPayouts:
        """The adapter over a bank that has paid nothing yet, a new one for each law."""

    def port(self) -> Payouts:
        """The adapter as one that blocks."""
        port: Payouts = self.blocking(self.make())
        return port

    def request(self, key: str) -> PayoutRequest:
        """A payout that is made; override it where orders have to exist."""
        return PayoutRequest(key, "order_1", "ret_contract", Money(500, "usd"))

    def sender(self, port: Payouts) -> Send[PayoutRequest]:
        """By `pay`."""
        return port.pay


class PayoutLookupContract(MoneyLookupContract):
    """Laws of an adapter for payouts that can be asked."""

    @abstractmethod
    def make(self) -> SearchablePayouts | AsyncSearchablePayouts:
        """The adapter over a bank that has paid nothing yet, a new one for each law."""

    def port(self) -> SearchablePayouts:
        """The adapter as one that blocks."""
        port: SearchablePayouts = self.blocking(self.make())
        return port

    def request(self, key: str) -> PayoutRequest:
        """A payout that is made; override it where orders have to exist."""
        return PayoutRequest(key, "order_1", "ret_contract", Money(500, "usd"))

    def sender(self, port: SearchablePayouts) -> Send[PayoutRequest]:
        """By `pay`."""
        return port.pay

    def finder(self, port: SearchablePayouts) -> Find[PayoutRequest]:
        """By `find_payout`."""
        return port.find_payout
