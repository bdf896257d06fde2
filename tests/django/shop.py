"""A shop on Django, whose ports find out whether what they are asked for was committed before."""

from collections.abc import Callable
from typing import Any

from attrs import evolve, field, frozen

from rma import (
    Order,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    RequestReturn,
    ReturnShipment,
    ReturnShipmentRequest,
)
from rma.adapters.django import DjangoReturns, DjangoReturnService, django_service
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryShippingOptions,
)
from rma.testing.core_harness import START
from tests.rules.given import line, order_of, request
from tests.world import RETURN_OPTION


class Carrier(InMemoryFulfillment):
    """A carrier that looks for each request in the ledgers, as another process sees them."""

    def __init__(self, look: Callable[[str, str], None]) -> None:
        super().__init__()
        self._look = look

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Books the label, if its effect was committed."""
        self._look(request.order_id, request.key)
        return super().book_return(request)


def order(order_id: str, quantity: int = 50) -> Order:
    """Returns an order of so many mugs."""
    return evolve(order_of(line(quantity=quantity)), id=order_id)


def label_for(order_id: str, key: str | None = None) -> RequestReturn:
    """Returns a request for one mug, with a label."""
    return evolve(request(1, shipping_option_id="so_return", idempotency_key=key), order_id=order_id)


@frozen
class Shop:
    """
    A service over the ledgers in this database, with ports in memory.

    Attributes:
        using: the alias of the database.
        other: another alias of the same database.
    """

    using: str
    other: str
    orders: InMemoryOrders = field(factory=lambda: InMemoryOrders([order("order_1")]))
    early: list[str] = field(factory=list)
    events: InMemoryEvents = field(factory=InMemoryEvents)
    inventory: InMemoryInventory = field(factory=InMemoryInventory)
    carrier: Carrier = field(init=False)
    payments: InMemoryPayments = field(init=False)
    service: DjangoReturnService = field(init=False)

    def __attrs_post_init__(self) -> None:
        def set_once(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        set_once("carrier", Carrier(self._look))
        set_once("payments", InMemoryPayments(answer=self._pay))
        set_once(
            "service",
            django_service(
                self.using,
                orders=self.orders,
                inventory=self.inventory,
                payments=self.payments,
                fulfillment=self.carrier,
                shipping_options=InMemoryShippingOptions([RETURN_OPTION]),
                events=self.events,
                clock=lambda: START,
            ),
        )

    @property
    def labels(self) -> list[str]:
        """The ids of the returns that labels were booked for."""
        return sorted(key.removesuffix("-shipment-1") for key in self.carrier.shipments)

    @property
    def stored(self) -> DjangoReturns:
        """The ledgers as another process sees them."""
        return DjangoReturns(self.other)

    def _pay(self, request: RefundRequest) -> RefundOutcome:
        self._look(request.order_id, request.key)
        return RefundSucceeded("re_1")

    def _look(self, order_id: str, key: str) -> None:
        if key not in self.stored.load(order_id).open_effects:
            self.early.append(key)
