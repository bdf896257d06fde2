"""
The ports of a service with a plan of failures around them: one small class a port.

What a proxy asks of its port, and what the port answers, are never changed, only stopped, lost, repeated
or, by the gateway, refused.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol, TypeGuard, TypeVar, cast

from attrs import evolve, frozen

from rma.domain.change import Change
from rma.domain.events import Event
from rma.domain.messages.advance import OutOfStock, ReleaseReservationRequest, ReserveRequest
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    CreditRequest,
    DisposeRequest,
    PayoutRequest,
    RefundAnswer,
    RefundOutcome,
    RefundRequest,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    SendBackRequest,
    WithdrawRequest,
)
from rma.domain.messages.gateways import Gateway, Idempotent
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import Unavailable
from rma.domain.views.query import FoundSubject, ReturnQuery
from rma.ports import (
    CreditLookup,
    Credits,
    Disposal,
    EventPublisher,
    Fulfillment,
    Inventory,
    OrderRepository,
    Payments,
    PayoutLookup,
    Payouts,
    RefundLookup,
    Reservations,
    ReturnReasonRepository,
    ReturnRepository,
    SendingBack,
    ShipmentLookup,
    ShippingOptionRepository,
)
from rma.service import ReturnService
from rma.shell.host_transaction import bind_returns, declared_by
from rma.shell.redact import redacts
from rma.testing.faults import Faults
from rma.testing.faulty_holds import inject_hold_faults

T = TypeVar("T")


class SearchablePayments(Payments, RefundLookup, Protocol):
    """An adapter whose gateway can be asked for a refund."""


class SearchableCredits(Credits, CreditLookup, Protocol):
    """An adapter for store credit that can be asked."""


class SearchablePayouts(Payouts, PayoutLookup, Protocol):
    """An adapter for payouts that can be asked."""


class SearchableFulfillment(Fulfillment, ShipmentLookup, Protocol):
    """An adapter whose carrier can be asked for a booking."""


def inject_faults(service: ReturnService, faults: Faults) -> ReturnService:
    """
    A new process over the ports of this service, in which the plan decides what fails.

    Clock, ids and policies are the host's own code and are left as they are.
    """
    faults.restart()
    fulfillment, events, holds = service.fulfillment, service.events, service.holds
    credit, payouts = service.credits, service.payouts
    return evolve(
        service,
        orders=FaultyOrders(service.orders, faults),
        returns=FaultyReturns(service.returns, faults),
        inventory=inject_stock_faults(service.inventory, faults),
        payments=inject_payment_faults(service.payments, faults),
        credits=None if credit is None else inject_credit_faults(credit, faults),
        payouts=None if payouts is None else inject_payout_faults(payouts, faults),
        fulfillment=None if fulfillment is None else inject_carrier_faults(fulfillment, faults),
        shipping_options=FaultyShippingOptions(service.shipping_options, faults),
        return_reasons=FaultyReturnReasons(service.return_reasons, faults),
        events=None if events is None else FaultyEvents(events, faults),
        holds=None if holds is None else inject_hold_faults(holds, faults),
    )


def inject_payment_faults(port: Payments, faults: Faults) -> Payments:
    """The proxy for this adapter: with a look-up, if it has one."""
    if _has_lookup(port):
        return FaultySearchablePayments(port, faults, port)
    return FaultyPayments(port, faults)


def inject_credit_faults(port: Credits, faults: Faults) -> Credits:
    """The proxy for this adapter: with a look-up, if it has one."""
    kind = FaultySearchableCredits if hasattr(port, "find_credit") else FaultyCredits
    return kind(port, faults)


def inject_payout_faults(port: Payouts, faults: Faults) -> Payouts:
    """The proxy for this adapter: with a look-up, if it has one."""
    kind = FaultySearchablePayouts if hasattr(port, "find_payout") else FaultyPayouts
    return kind(port, faults)


def inject_stock_faults(port: Inventory, faults: Faults) -> Inventory:
    """The proxy for this adapter: with a `dispose` and a `reserve`, if it has them."""
    if reserves(port):
        kind = FaultyReservingDisposingInventory if disposes(port) else FaultyReservingInventory
        return kind(port, faults)
    return FaultyDisposingInventory(port, faults) if disposes(port) else FaultyInventory(port, faults)


def inject_carrier_faults(port: Fulfillment, faults: Faults) -> Fulfillment:
    """The proxy for this adapter: with a look-up and a `send_back`, if it has them."""
    if is_searchable(port):
        kind = FaultySearchableSendingBack if sends_back(port) else FaultySearchableFulfillment
        return kind(port, faults, port)
    return FaultySendingBack(port, faults) if sends_back(port) else FaultyFulfillment(port, faults)


def disposes(port: object) -> bool:
    """Whether the adapter has a `dispose`."""
    return hasattr(port, "dispose")


def reserves(port: object) -> bool:
    """Whether the adapter has a `reserve`."""
    return hasattr(port, "reserve")


def sends_back(port: object) -> bool:
    """Whether the adapter has a `send_back`."""
    return hasattr(port, "send_back")


def is_searchable(port: object) -> TypeGuard[SearchableFulfillment]:
    """Whether the carrier can be asked for what was booked."""
    return hasattr(port, "find_shipment")


def _has_lookup(port: object) -> TypeGuard[SearchablePayments]:
    return hasattr(port, "find_refund")


@frozen
class FaultyPayments:
    """A gateway that may also decline, pend and fail late, as `Faults.refunds` says."""

    port: Payments
    faults: Faults

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        """What the adapter declares by provider."""
        declared: Mapping[str, Gateway] = getattr(self.port, "gateways", {})
        return declared

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """As the plan says."""
        return self.faults.call(
            "payments.refund", request.key, lambda: self.faults.refunded(request, self.port.refund)
        )


@frozen
class FaultySearchablePayments(FaultyPayments):
    """The same, of a gateway that can be asked."""

    lookup: RefundLookup

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """As the plan says."""
        return self.faults.call("payments.find_refund", request.key, lambda: self.lookup.find_refund(request))


@frozen
class FaultyCredits:
    """Store credit, which may also be declined, pend and fail late, as `Faults.refunds` says."""

    port: Credits
    faults: Faults

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def give(self, request: CreditRequest) -> RefundAnswer:
        """As the plan says."""
        return self.faults.call(
            "credits.give", request.key, lambda: self.faults.refunded(request, self.port.give)
        )


class FaultySearchableCredits(FaultyCredits):
    """The same, of an adapter that can be asked."""

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """As the plan says."""
        port = cast("CreditLookup", self.port)
        return self.faults.call("credits.find_credit", request.key, lambda: port.find_credit(request))


@frozen
class FaultyPayouts:
    """Payouts, which may also be declined, pend and fail late, as `Faults.refunds` says."""

    port: Payouts
    faults: Faults

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def pay(self, request: PayoutRequest) -> RefundAnswer:
        """As the plan says."""
        return self.faults.call(
            "payouts.pay", request.key, lambda: self.faults.refunded(request, self.port.pay)
        )


class FaultySearchablePayouts(FaultyPayouts):
    """The same, of an adapter that can be asked."""

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """As the plan says."""
        port = cast("PayoutLookup", self.port)
        return self.faults.call("payouts.find_payout", request.key, lambda: port.find_payout(request))


@frozen
class FaultyInventory:
    """Stock."""

    port: Inventory
    faults: Faults

    def restock(self, request: RestockRequest) -> None:
        """As the plan says."""
        self.faults.call("inventory.restock", request.key, lambda: self.port.restock(request))

    def withdraw(self, request: WithdrawRequest) -> None:
        """As the plan says."""
        self.faults.call("inventory.withdraw", request.key, lambda: self.port.withdraw(request))


class FaultyDisposingInventory(FaultyInventory):
    """The same, of an adapter with a `dispose`."""

    def dispose(self, request: DisposeRequest) -> None:
        """As the plan says."""
        port = cast("Disposal", self.port)
        self.faults.call("inventory.dispose", request.key, lambda: port.dispose(request))


class FaultyReservingInventory(FaultyInventory):
    """The same, of an adapter with a `reserve`."""

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        """As the plan says."""
        port = cast("Reservations", self.port)
        return self.faults.call("inventory.reserve", request.key, lambda: port.reserve(request))

    def release_reservation(self, request: ReleaseReservationRequest) -> None:
        """As the plan says."""
        port = cast("Reservations", self.port)
        self.faults.call(
            "inventory.release_reservation", request.key, lambda: port.release_reservation(request)
        )


class FaultyReservingDisposingInventory(FaultyReservingInventory, FaultyDisposingInventory):
    """The same, of an adapter with both."""


@frozen
class FaultyFulfillment:
    """Carriers."""

    port: Fulfillment
    faults: Faults

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """As the plan says."""
        return self.faults.call(
            "fulfillment.book_return", request.key, lambda: self.port.book_return(request)
        )

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """As the plan says."""
        self.faults.call("fulfillment.cancel_return", request.key, lambda: self.port.cancel_return(request))

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment | OutOfStock:
        """As the plan says."""
        return self.faults.call(
            "fulfillment.ship_replacement", request.key, lambda: self.port.ship_replacement(request)
        )


@frozen
class FaultySearchableFulfillment(FaultyFulfillment):
    """The same, of a carrier that can be asked."""

    lookup: ShipmentLookup

    def find_shipment(self, key: str) -> ReturnShipment | ReplacementShipment | None:
        """As the plan says."""
        return self.faults.call("fulfillment.find_shipment", key, lambda: self.lookup.find_shipment(key))


class FaultySendingBack(FaultyFulfillment):
    """The same, of a carrier that sends inspected goods back."""

    def send_back(self, request: SendBackRequest) -> None:
        """As the plan says."""
        port = cast("SendingBack", self.port)
        self.faults.call("fulfillment.send_back", request.key, lambda: port.send_back(request))


class FaultySearchableSendingBack(FaultySearchableFulfillment, FaultySendingBack):
    """The same, of a carrier that can be asked, too."""


@frozen
class FaultyEvents:
    """A publisher."""

    port: EventPublisher
    faults: Faults

    def publish(self, event_id: str, event: Event) -> None:
        """As the plan says."""
        self.faults.call("events.publish", event_id, lambda: self.port.publish(event_id, event))


@frozen
class FaultyReturns:
    """
    The ledgers.

    A commit whose answer is lost is stored, though it raises: what no store can help.
    """

    port: ReturnRepository
    faults: Faults

    def load(self, order_id: str) -> ReturnLedger:
        """As the plan says."""
        return _asked(self.faults, "returns.load", order_id, lambda: self.port.load(order_id))

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """As the plan says."""
        return _asked(
            self.faults, "returns.load_by_return", return_id, lambda: self.port.load_by_return(return_id)
        )

    def commit(self, change: Change) -> None:
        """As the plan says."""
        _asked(self.faults, "returns.commit", change.order_id, lambda: self.port.commit(change))

    def redact(self, change: Change, history: tuple[Event, ...]) -> None:
        """As the plan says."""
        store = redacts(self.port)
        _asked(self.faults, "returns.redact", change.order_id, lambda: store(change, history))

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """As the plan says."""
        return _asked(
            self.faults,
            "returns.outstanding",
            "",
            lambda: tuple(self.port.outstanding(now, limit, unpublished=unpublished)),
        )

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """As the plan says."""
        return _asked(self.faults, "returns.waiting", "", lambda: tuple(self.port.waiting(before, limit)))

    def find(self, query: ReturnQuery) -> tuple[FoundSubject, ...]:
        """As the plan says."""
        return _asked(self.faults, "returns.find", query.order_id or "", lambda: self.port.find(query))

    def count(self, query: ReturnQuery) -> int:
        """As the plan says."""
        return _asked(self.faults, "returns.count", query.order_id or "", lambda: self.port.count(query))

    def history(self, order_id: str) -> tuple[Event, ...]:
        """As the plan says."""
        return _asked(self.faults, "returns.history", order_id, lambda: self.port.history(order_id))

    def in_host_transaction(self) -> bool:
        """As the port declares."""
        return declared_by(self.port) is True

    def in_transaction(self, connection: object) -> "FaultyReturns":
        """As the port is bound."""
        return FaultyReturns(bind_returns(self.port, connection), self.faults)


@frozen
class FaultyOrders:
    """The host's orders."""

    port: OrderRepository
    faults: Faults

    def get(self, order_id: str) -> Order:
        """As the plan says."""
        return _asked(self.faults, "orders.get", order_id, lambda: self.port.get(order_id))


@frozen
class FaultyShippingOptions:
    """The host's shipping options."""

    port: ShippingOptionRepository
    faults: Faults

    def get(self, option_id: str) -> ShippingOption:
        """As the plan says."""
        return _asked(self.faults, "shipping_options.get", option_id, lambda: self.port.get(option_id))


@frozen
class FaultyReturnReasons:
    """The host's reasons."""

    port: ReturnReasonRepository
    faults: Faults

    def list(self) -> tuple[ReturnReason, ...]:
        """As the plan says."""
        return _asked(self.faults, "return_reasons.list", "", self.port.list)


def _asked(faults: Faults, method: str, subject: str, act: Callable[[], T]) -> T:
    return faults.call(method, subject, act, away=_unavailable, lost=_unavailable)


def _unavailable(what_happened: str) -> Exception:
    error = Unavailable("store_unavailable", {"what_happened": what_happened})
    error.__cause__ = ConnectionError(what_happened)
    return error
