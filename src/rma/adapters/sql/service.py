"""A service over a database, in one call."""

from typing import Required, TypedDict, Unpack

from sqlalchemy import URL, Engine

from rma.adapters.sql.returns import SqlReturns
from rma.domain.sale.policy import ReturnPolicy
from rma.ports import (
    Clock,
    EventPublisher,
    Fulfillment,
    IdFactory,
    Inventory,
    OrderRepository,
    Payments,
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
    fulfillment: Fulfillment | None
    shipping_options: ShippingOptionRepository
    return_reasons: ReturnReasonRepository
    policies: PolicyProvider | ReturnPolicy
    events: EventPublisher | None
    clock: Clock
    ids: IdFactory | None


def sql_service(engine_or_url: Engine | URL | str, **ports: Unpack[Ports]) -> ReturnService:
    """A service whose ledgers are in this database: see `SqlReturns`, and `ReturnService` for the rest."""
    return ReturnService(returns=SqlReturns(engine_or_url), **ports)
