"""What `Payments` and `RefundLookup` promise."""

from abc import abstractmethod
from typing import Protocol

from rma.async_ports import AsyncPayments, AsyncRefundLookup
from rma.domain.messages.effects import RefundRequest
from rma.domain.values.money import Money
from rma.ports import Payments
from rma.testing.contracts.money import Find, MoneyContract, MoneyLookupContract, Send
from rma.testing.fault_injection import SearchablePayments


class AsyncSearchablePayments(AsyncPayments, AsyncRefundLookup, Protocol):
    """An awaited payments adapter whose gateway can be asked for a refund."""


class PaymentsContract(MoneyContract):
    """
    Laws of a payments adapter.

    What is said of repeated keys holds for adapters that are `Idempotent`, as those are that declare nothing;
    for others these laws are skipped. An adapter for several gateways is held to them once for each, by a
    `request` of its provider.
    """

    @abstractmethod
    def make(self) -> Payments | AsyncPayments:
        """The adapter over a gateway that has made no refund yet, a new one for each law."""

    def port(self) -> Payments:
        """The adapter as one that blocks."""
        port: Payments = self.blocking(self.make())
        return port

    def request(self, key: str) -> RefundRequest:
        """A refund that the gateway makes; override it where payments have to exist."""
        return RefundRequest(key, "order_1", "ret_contract", "pay_1", Money(500, "usd"))

    def sender(self, port: Payments) -> Send[RefundRequest]:
        """By `refund`."""
        return port.refund


class RefundLookupContract(MoneyLookupContract):
    """Laws of a payments adapter whose gateway can be asked for a refund."""

    @abstractmethod
    def make(self) -> SearchablePayments | AsyncSearchablePayments:
        """The adapter over a gateway that has made no refund yet, a new one for each law."""

    def port(self) -> SearchablePayments:
        """The adapter as one that blocks."""
        port: SearchablePayments = self.blocking(self.make())
        return port

    def request(self, key: str) -> RefundRequest:
        """A refund that the gateway makes; override it where payments have to exist."""
        return RefundRequest(key, "order_1", "ret_contract", "pay_1", Money(500, "usd"))

    def sender(self, port: SearchablePayments) -> Send[RefundRequest]:
        """By `refund`."""
        return port.refund

    def finder(self, port: SearchablePayments) -> Find[RefundRequest]:
        """By `find_refund`."""
        return port.find_refund
