"""A service over a database, in one call."""

from typing import Required, TypedDict, Unpack

from sqlalchemy import URL, Engine

from rma.adapters.sql.returns import SqlReturns
from rma.domain.decide.facts import HostRule
from rma.domain.messages.timing import Timing
from rma.domain.sale.policy import ReturnPolicy
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
    Pause,
    Payments,
    Payouts,
    PolicyProvider,
    ReturnReasonRepository,
    ShippingOptionRepository,
)
from rma.service import ReturnService


class Ports(TypedDict, total=False):
    """The keywords of `ReturnService`, but for `returns`; what is left out is as there."""

    orders: Required[OrderRepository]
    inventory: Required[Inventory]
    payments: Required[Payments]
    credits: Credits | None
    payouts: Payouts | None
    fulfillment: Fulfillment | None
    shipping_options: ShippingOptionRepository
    return_reasons: ReturnReasonRepository
    policies: PolicyProvider | ReturnPolicy
    events: EventPublisher | None
    clock: Clock
    ids: IdFactory | None
    timing: Timing
    observer: Observer
    pause: Pause
    host_rules: tuple[HostRule, ...]
    holds: Holds | None


def sql_service(engine_or_url: Engine | URL | str, **ports: Unpack[Ports]) -> ReturnService:
    """
    A service whose ledgers are in this database: see `SqlReturns`, and `ReturnService` for the rest.

    `in_transaction(connection)` of the service makes its commands part of what a host writes there.

    >>> from sqlalchemy import create_engine
    >>> from rma import LineItem, Order, RequestedItem, RequestReturn
    >>> from rma.adapters.memory import InMemoryInventory, InMemoryOrders, InMemoryPayments
    >>> from rma.adapters.sql import sql_service
    >>> mug = LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=8000)
    >>> orders = InMemoryOrders([Order(id="order_1", currency="usd", items=[mug])])
    >>> engine = create_engine("sqlite://")
    >>> service = sql_service(
    ...     engine, orders=orders, inventory=InMemoryInventory(), payments=InMemoryPayments()
    ... )
    >>> items = [RequestedItem(item_id="mug", quantity=1)]
    >>> with engine.begin() as connection:  # and what else the host writes
    ...     opened = service.in_transaction(connection).handle(
    ...         RequestReturn(order_id="order_1", items=items)
    ...     )
    >>> service.resume(opened.id).still_open
    ()
    """
    return ReturnService(returns=SqlReturns(engine_or_url), **ports)
