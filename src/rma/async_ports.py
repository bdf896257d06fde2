"""
The ports as Protocols whose methods are awaited, and `Host`: every port, of either kind.

What a port promises is said by its Protocol in `rma.ports`, whether it is awaited or not. `ReturnService` is
the host whose ports all block; `AsyncReturnService` is the host whose ports block or are awaited.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from rma.domain.change import Change
from rma.domain.decide.facts import HostRule
from rma.domain.events import Event
from rma.domain.messages.advance import (
    ChargeAnswer,
    ChargeOutcome,
    ChargeRequest,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
)
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
from rma.domain.messages.timing import Timing
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.domain.views.query import FoundSubject, ReturnQuery
from rma.observing import Observer
from rma.ports import (
    Clock,
    Credits,
    EventPublisher,
    Fulfillment,
    Holds,
    IdFactory,
    Inventory,
    OrderRepository,
    Payments,
    Payouts,
    ReturnReasonRepository,
    ReturnRepository,
    ShippingOptionRepository,
)


class AsyncOrderRepository(Protocol):
    """`OrderRepository`, awaited."""

    def get(self, order_id: str) -> Awaitable[Order]: ...


class AsyncShippingOptionRepository(Protocol):
    """`ShippingOptionRepository`, awaited."""

    def get(self, option_id: str) -> Awaitable[ShippingOption]: ...


class AsyncReturnReasonRepository(Protocol):
    """`ReturnReasonRepository`, awaited."""

    def list(self) -> Awaitable[tuple[ReturnReason, ...]]: ...


class AsyncReturnRepository(Protocol):
    """`ReturnRepository`, awaited."""

    def load(self, order_id: str) -> Awaitable[ReturnLedger]: ...

    def load_by_return(self, return_id: str) -> Awaitable[ReturnLedger]: ...

    def commit(self, change: Change) -> Awaitable[None]: ...

    def outstanding(
        self, now: datetime, limit: int, *, unpublished: bool = False
    ) -> Awaitable[Iterable[str]]: ...

    def waiting(self, before: datetime, limit: int) -> Awaitable[Iterable[str]]: ...

    def find(self, query: ReturnQuery) -> Awaitable[tuple[FoundSubject, ...]]: ...

    def count(self, query: ReturnQuery) -> Awaitable[int]: ...

    def history(self, order_id: str) -> Awaitable[tuple[Event, ...]]: ...


class AsyncBoundReturns(AsyncReturnRepository, Protocol):
    """`BoundReturns`, awaited; that it is bound, it answers at once."""

    def in_host_transaction(self) -> bool: ...


class AsyncBindableReturns(AsyncReturnRepository, Protocol):
    """`BindableReturns`, awaited; it is bound at once."""

    def in_transaction(self, connection: Any) -> AsyncBoundReturns: ...


class AsyncRedactableReturns(AsyncReturnRepository, Protocol):
    """`RedactableReturns`, awaited."""

    def redact(self, change: Change, history: tuple[Event, ...]) -> Awaitable[None]: ...


class AsyncPayments(Protocol):
    """`Payments`, awaited; a declared `gateway` is an attribute as ever."""

    def refund(self, request: RefundRequest) -> Awaitable[RefundAnswer]: ...


class AsyncRefundLookup(Protocol):
    """`RefundLookup`, awaited."""

    def find_refund(self, request: RefundRequest) -> Awaitable[RefundOutcome | None]: ...


class AsyncCredits(Protocol):
    """`Credits`, awaited."""

    def give(self, request: CreditRequest) -> Awaitable[RefundAnswer]: ...


class AsyncCreditLookup(Protocol):
    """`CreditLookup`, awaited."""

    def find_credit(self, request: CreditRequest) -> Awaitable[RefundOutcome | None]: ...


class AsyncPayouts(Protocol):
    """`Payouts`, awaited."""

    def pay(self, request: PayoutRequest) -> Awaitable[RefundAnswer]: ...


class AsyncPayoutLookup(Protocol):
    """`PayoutLookup`, awaited."""

    def find_payout(self, request: PayoutRequest) -> Awaitable[RefundOutcome | None]: ...


class AsyncHolds(Protocol):
    """`Holds`, awaited; a declared `gateway` is an attribute as ever."""

    def charge(self, request: ChargeRequest) -> Awaitable[ChargeAnswer]: ...

    def release(self, request: ReleaseRequest) -> Awaitable[None]: ...


class AsyncChargeLookup(Protocol):
    """`ChargeLookup`, awaited."""

    def find_charge(self, key: str) -> Awaitable[ChargeOutcome | None]: ...


class AsyncInventory(Protocol):
    """`Inventory`, awaited."""

    def restock(self, request: RestockRequest) -> Awaitable[None]: ...

    def withdraw(self, request: WithdrawRequest) -> Awaitable[None]: ...


class AsyncDisposal(Protocol):
    """`Disposal`, awaited."""

    def dispose(self, request: DisposeRequest) -> Awaitable[None]: ...


class AsyncReservations(Protocol):
    """`Reservations`, awaited."""

    def reserve(self, request: ReserveRequest) -> Awaitable[OutOfStock | None]: ...

    def release_reservation(self, request: ReleaseReservationRequest) -> Awaitable[None]: ...


class AsyncFulfillment(Protocol):
    """`Fulfillment`, awaited."""

    def book_return(self, request: ReturnShipmentRequest) -> Awaitable[ReturnShipment]: ...

    def cancel_return(self, request: CancelShipmentRequest) -> Awaitable[None]: ...

    def ship_replacement(
        self, request: ReplacementRequest
    ) -> Awaitable[ReplacementShipment | OutOfStock]: ...


class AsyncShipmentLookup(Protocol):
    """`ShipmentLookup`, awaited."""

    def find_shipment(self, key: str) -> Awaitable[ReturnShipment | ReplacementShipment | None]: ...


class AsyncSendingBack(Protocol):
    """`SendingBack`, awaited."""

    def send_back(self, request: SendBackRequest) -> Awaitable[None]: ...


class AsyncEventPublisher(Protocol):
    """`EventPublisher`, awaited."""

    def publish(self, event_id: str, event: Event) -> Awaitable[None]: ...


#: The rules for an order, awaited or not.
AsyncPolicyProvider = Callable[[Order], ReturnPolicy | Awaitable[ReturnPolicy]]
#: `Pause`, awaited or not.
AsyncPause = Callable[[float], object | Awaitable[object]]


class Host(Protocol):
    """What the shell runs on: every port of a service, as attributes; `ReturnService` says what they are."""

    @property
    def orders(self) -> OrderRepository | AsyncOrderRepository: ...

    @property
    def returns(self) -> ReturnRepository | AsyncReturnRepository: ...

    @property
    def inventory(self) -> Inventory | AsyncInventory: ...

    @property
    def payments(self) -> Payments | AsyncPayments: ...

    @property
    def credits(self) -> Credits | AsyncCredits | None: ...

    @property
    def payouts(self) -> Payouts | AsyncPayouts | None: ...

    @property
    def fulfillment(self) -> Fulfillment | AsyncFulfillment | None: ...

    @property
    def holds(self) -> Holds | AsyncHolds | None: ...

    @property
    def shipping_options(self) -> ShippingOptionRepository | AsyncShippingOptionRepository: ...

    @property
    def return_reasons(self) -> ReturnReasonRepository | AsyncReturnReasonRepository: ...

    @property
    def policies(self) -> AsyncPolicyProvider: ...

    @property
    def events(self) -> EventPublisher | AsyncEventPublisher | None: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def ids(self) -> IdFactory | None: ...

    @property
    def timing(self) -> Timing: ...

    @property
    def observer(self) -> Observer: ...

    @property
    def host_rules(self) -> tuple[HostRule, ...]: ...

    @property
    def pause(self) -> AsyncPause: ...
