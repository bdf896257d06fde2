"""A shop whose clock, ports and store a test controls, and which counts what they are asked."""

from collections.abc import Iterable
from datetime import timedelta

from attrs import evolve

from rma import (
    CancelReturn,
    ClaimItem,
    Command,
    Event,
    EventPublisher,
    LineItem,
    NewItem,
    Order,
    Payment,
    Refund,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    ReturnLedger,
    ReturnRepository,
    Timing,
)
from rma.adapters.memory import InMemoryOrders, InMemoryReturns, in_memory_service
from rma.domain.change import replay
from rma.observing import Signal
from rma.testing.core_harness import counting
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Away, Call, Fault, Faults
from tests.rules.given import line, order_of, receive, request, usd
from tests.shell.adapters import Carrier, Clock, Payments, Port, Stock
from tests.world import OUTBOUND_OPTION, REASONS, RETURN_OPTION

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Signals(list[Signal]):
    """An observer that keeps every signal."""

    def observe(self, signal: Signal) -> None:
        """Keeps the signal."""
        self.append(signal)


class Shop:
    """
    A service over these ports.

    Attributes:
        service: what a test calls; its calls are counted.
        timer: another process over the same store and ports.
        away: ports (`payments`) or methods (`returns.load`) that cannot be reached, of both processes.
    """

    def __init__(
        self,
        orders: Iterable[Order] = (),
        *,
        returns: ReturnRepository | None = None,
        payments: Payments | None = None,
        carrier: Carrier | None = None,
        events: EventPublisher | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.clock = Clock()
        self.payments = payments or Payments()
        self.stock = Stock()
        self.carrier = carrier or Carrier()
        self.returns = InMemoryReturns() if returns is None else returns
        self.orders = InMemoryOrders(orders or [order_of(line(quantity=5))])
        self.signals = Signals()
        self.away: set[str] = set()
        self.faults = Faults(when=self._fails)
        service = in_memory_service(
            self.orders,
            REASONS,
            [RETURN_OPTION, OUTBOUND_OPTION],
            returns=self.returns,
            payments=self.payments,
            inventory=self.stock,
            fulfillment=self.carrier,
            events=events,
            clock=self.clock,
            ids=counting(),
            timing=timing or Timing(),
            observer=self.signals,
        )
        self.service = inject_faults(service, self.faults)
        self.timer = inject_faults(service, Faults(when=self._fails))

    def pass_time(self, by: timedelta) -> None:
        """Moves the clock on."""
        self.clock.now += by

    def calls(self, method: str) -> int:
        """How often the service called this method of a port."""
        return len([call for call in self.faults.calls if call.method == method])

    def handle_all(self, *commands: Command) -> None:
        """Handles these commands."""
        for command in commands:
            self.service.handle(command)

    @property
    def ledger(self) -> ReturnLedger:
        """The ledger, which the history alone rebuilds."""
        ledger = self.returns.load("order_1")
        assert replay("order_1", self.history) == ledger
        return ledger

    @property
    def history(self) -> tuple[Event, ...]:
        """What happened."""
        return tuple(self.returns.history("order_1"))

    @property
    def refund(self) -> Refund:
        """The only refund."""
        (refund,) = self.ledger.refunds
        return refund

    def change_payment(self, refunded: int, payment_id: str = "pay_1") -> None:
        """So much of the payment was charged back, or refunded without the library, in minor units."""
        order = self.orders.get("order_1")
        payments = [
            evolve(each, refunded=usd(refunded)) if each.id == payment_id else each for each in order.payments
        ]
        self.orders.put(evolve(order, payments=payments))

    def _fails(self, call: Call) -> Fault | None:
        return Away() if self.away & {call.method, call.method.split(".")[0]} else None


def many_orders(count: int) -> list[Order]:
    """So many orders of five mugs."""
    return [evolve(order_of(line(quantity=5)), id=f"order_{number:04}") for number in range(count)]


def two_payments(*lines: LineItem) -> Order:
    """An order of five mugs at 10.00, paid with 10.00 and then 90.00."""
    payments = [Payment(id="pay_1", captured=usd(1000)), Payment(id="pay_2", captured=usd(9000))]
    return order_of(*(lines or (line(quantity=5),)), payments=payments)


MUGS = [RequestedItem(item_id="mug", quantity=2)]
CUP = NewItem(variant_id="v_cup", quantity=1, unit_price=usd(1500))
LABEL = request(1, shipping_option_id="so_return")
REPLACE = RequestClaim(
    order_id="order_1",
    type="replace",
    items=[ClaimItem(item_id="mug", quantity=2, reason="production_failure")],
    new_items=[CUP],
)

#: By kind of effect: the key of the first, what happens before, and the command that asks for it.
KINDS: dict[str, tuple[str, tuple[Command, ...], Command]] = {
    "shipment": ("ret_1-shipment-1", (), LABEL),
    "cancel": ("ret_1-cancel_shipment-1", (LABEL,), CancelReturn(return_id="ret_1")),
    "restock": ("ret_1-restock-1", (request(2),), receive(2)),
    "withdraw": ("ret_1-withdraw-1", (request(2), receive(1)), CancelReturn(return_id="ret_1")),
    "refund": ("ret_1-refund-1", (request(2),), receive(2)),
    "exchange": (
        "exc_1-replacement-1",
        (RequestExchange(order_id="order_1", items=MUGS, new_items=[CUP]),),
        receive(2),
    ),
    "claim": ("claim_1-replacement-1", (), REPLACE),
}
#: By kind of effect, the method of the port that is asked for it.
METHODS = {
    "shipment": "fulfillment.book_return",
    "cancel": "fulfillment.cancel_return",
    "restock": "inventory.restock",
    "withdraw": "inventory.withdraw",
    "refund": "payments.refund",
    "exchange": "fulfillment.ship_replacement",
    "claim": "fulfillment.ship_replacement",
}


def port_of(shop: Shop, kind: str) -> Port:
    """The port that is asked for this kind of effect."""
    ports: dict[str, Port] = {
        "fulfillment": shop.carrier,
        "inventory": shop.stock,
        "payments": shop.payments,
    }
    return ports[METHODS[kind].split(".")[0]]
