"""
Who runs the steps: a `Host` has every port, and each may answer at once or be awaited.

`ReturnService` is the host whose ports block. An asynchronous application writes its own: a class with
these attributes, whose `handle` is `await arun(handled(command, self))`. A port's promise is the one of its
Protocol in `rma.ports`, however it answers.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Protocol

from rma.domain.change import Change
from rma.domain.events import Event
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    RefundOutcome,
    RefundRequest,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    WithdrawRequest,
)
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.ports import (
    Clock,
    EventPublisher,
    Fulfillment,
    IdFactory,
    Inventory,
    OrderRepository,
    Payments,
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
    """`ReturnRepository`, awaited; as far as steps ask it."""

    def load(self, order_id: str) -> Awaitable[ReturnLedger]: ...

    def load_by_return(self, return_id: str) -> Awaitable[ReturnLedger]: ...

    def commit(self, change: Change) -> Awaitable[None]: ...

    def outstanding(
        self, now: datetime, limit: int, *, unpublished: bool = False
    ) -> Awaitable[Iterable[str]]: ...

    def history(self, order_id: str) -> Awaitable[tuple[Event, ...]]: ...


class AsyncPayments(Protocol):
    """`Payments`, awaited; `find_refund` too, where there is one."""

    def refund(self, request: RefundRequest) -> Awaitable[RefundOutcome]: ...


class AsyncInventory(Protocol):
    """`Inventory`, awaited."""

    def restock(self, request: RestockRequest) -> Awaitable[None]: ...

    def withdraw(self, request: WithdrawRequest) -> Awaitable[None]: ...


class AsyncFulfillment(Protocol):
    """`Fulfillment`, awaited."""

    def book_return(self, request: ReturnShipmentRequest) -> Awaitable[ReturnShipment]: ...

    def cancel_return(self, request: CancelShipmentRequest) -> Awaitable[None]: ...

    def ship_replacement(self, request: ReplacementRequest) -> Awaitable[ReplacementShipment]: ...


class AsyncEventPublisher(Protocol):
    """`EventPublisher`, awaited."""

    def publish(self, event_id: str, event: Event) -> Awaitable[None]: ...


class Host(Protocol):
    """Every port, as attributes; what they are, `ReturnService` says."""

    @property
    def orders(self) -> OrderRepository | AsyncOrderRepository: ...

    @property
    def returns(self) -> ReturnRepository | AsyncReturnRepository: ...

    @property
    def inventory(self) -> Inventory | AsyncInventory: ...

    @property
    def payments(self) -> Payments | AsyncPayments: ...

    @property
    def fulfillment(self) -> Fulfillment | AsyncFulfillment | None: ...

    @property
    def shipping_options(self) -> ShippingOptionRepository | AsyncShippingOptionRepository: ...

    @property
    def return_reasons(self) -> ReturnReasonRepository | AsyncReturnReasonRepository: ...

    @property
    def policies(self) -> Callable[[Order], ReturnPolicy | Awaitable[ReturnPolicy]]: ...

    @property
    def events(self) -> EventPublisher | AsyncEventPublisher | None: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def ids(self) -> IdFactory: ...
