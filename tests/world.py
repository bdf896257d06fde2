"""A host in a box: one order, a service over memory, ports that can be told to fail, a clock that ticks."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from rma import (
    CancelShipmentRequest,
    Gateway,
    Keyed,
    Money,
    Order,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    RestockRequest,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnReason,
    ReturnShipment,
    ReturnShipmentRequest,
    ShippingOption,
    Unkeyed,
    WithdrawRequest,
)
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryReturns,
    in_memory_service,
)
from rma.testing.rehearsal import START, counting

RETURN_OPTION = ShippingOption(id="so_return", price=Money(200, "usd"), name="Parcel", location_id="loc_1")
OUTBOUND_OPTION = ShippingOption(id="so_out", price=Money(500, "usd"), is_return=False)
REASONS = (
    ReturnReason(id="rr_size", value="size", label="Wrong size"),
    ReturnReason(id="rr_big", value="too_big", label="Too big", parent_id="rr_size"),
    ReturnReason(id="rr_damaged", value="damaged", label="Damaged goods"),
    ReturnReason(id="rr_old", value="old", label="Not asked any more", retired=True),
)


class Flaky:
    """A port that can be away: before it acts, or after it acted but before its answer arrives."""

    def __init__(self) -> None:
        self.fails_before = False
        self.fails_after = False

    def before(self) -> None:
        """Raise if the port is to fail without having acted."""
        if self.fails_before:
            raise ConnectionError("away")

    def after(self) -> None:
        """Raise if the answer is to be lost."""
        if self.fails_after:
            raise TimeoutError("answer lost")


class FlakyPayments(InMemoryPayments, Flaky):
    """
    A gateway that may succeed, decline, answer later, fail, or lose its answer, and of any class.

    What it really did is in `executions`; how each refund stands by its own books, in `books`.
    """

    def __init__(self, gateway: Gateway | None = None, clock: Callable[[], datetime] | None = None) -> None:
        InMemoryPayments.__init__(self)
        Flaky.__init__(self)
        self.gateway: Gateway = gateway or Keyed()
        self.mood = "succeed"
        self.books: dict[str, RefundOutcome | RefundReversed] = {}
        self.executions: Counter[str] = Counter()
        self._clock = clock or (lambda: START)
        self._known_since: dict[str, datetime] = {}

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """As the mood is; a key that is known gives the first answer."""
        self.before()
        assert self.refunds.setdefault(request.key, request) == request
        if not self._remembers(request.key):
            self.executions[request.key] += 1
            self._known_since[request.key] = self._clock()
            self._outcomes[request.key] = self.books[request.key] = self._reply(request)
        outcome = self._outcomes[request.key]
        self.after()
        return outcome

    def _remembers(self, key: str) -> bool:
        if key not in self._known_since or not isinstance(self.gateway, Keyed):
            return False
        window = self.gateway.window
        return window is None or self._clock() < self._known_since[key] + window

    def _reply(self, request: RefundRequest) -> RefundOutcome:
        match self.mood:
            case "decline":
                return RefundDeclined("card_closed", "the card is closed")
            case "pend":
                return RefundPending(f"re_{request.key}")
            case _:
                return RefundSucceeded(f"re_{request.key}")

    def given_back(self, payment_id: str) -> int:
        """What left this payment, or may have, by the gateway's own books: minor units."""
        return sum(
            request.amount.amount * self.executions[key]
            for key, request in self.refunds.items()
            if request.payment_id == payment_id
            and isinstance(self.books.get(key), RefundSucceeded | RefundPending)
        )


class SearchablePayments(FlakyPayments):
    """A gateway that can be asked what became of a key."""

    def find_refund(self, key: str) -> RefundOutcome | None:
        """What its books say."""
        self.before()
        found = self.books.get(key)
        return RefundDeclined(found.code) if isinstance(found, RefundReversed) else found


class FlakyInventory(InMemoryInventory, Flaky):
    """Stock that can be away."""

    def __init__(self) -> None:
        InMemoryInventory.__init__(self)
        Flaky.__init__(self)

    def restock(self, request: RestockRequest) -> None:
        """Unless away."""
        self.before()
        super().restock(request)
        self.after()

    def withdraw(self, request: WithdrawRequest) -> None:
        """Unless away."""
        self.before()
        super().withdraw(request)
        self.after()


class FlakyFulfillment(InMemoryFulfillment, Flaky):
    """A carrier that can be away."""

    def __init__(self) -> None:
        InMemoryFulfillment.__init__(self)
        Flaky.__init__(self)

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Unless away."""
        self.before()
        shipment = super().book_return(request)
        self.after()
        return shipment

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Unless away."""
        self.before()
        super().cancel_return(request)
        self.after()


class World:
    """Everything around one order, deterministic: ids count, the clock ticks a second with every look."""

    def __init__(
        self, order: Order, policy: ReturnPolicy | None = None, gateway: Gateway | None = None
    ) -> None:
        self.order_id = order.id
        self.orders = InMemoryOrders([order])
        self.returns = InMemoryReturns()
        kind = FlakyPayments if gateway is None or isinstance(gateway, Unkeyed) else SearchablePayments
        self.payments: FlakyPayments = kind(gateway, lambda: self.now)
        self.inventory = FlakyInventory()
        self.fulfillment = FlakyFulfillment()
        self.events = InMemoryEvents()
        self.policy = policy or ReturnPolicy()
        self.now = START
        self.service = in_memory_service(
            reasons=REASONS,
            shipping_options=[RETURN_OPTION, OUTBOUND_OPTION],
            returns=self.returns,
            payments=self.payments,
            inventory=self.inventory,
            fulfillment=self.fulfillment,
            events=self.events,
            policies=lambda _: self.policy,
            clock=self.tick,
            ids=counting(),
            orders=self.orders,
        )

    def tick(self) -> datetime:
        """A second later each time."""
        self.now += timedelta(seconds=1)
        return self.now

    @property
    def order(self) -> Order:
        """The order as it stands."""
        return self.orders.get(self.order_id)

    @property
    def ledger(self) -> ReturnLedger:
        """The ledger as committed."""
        return self.returns.load(self.order_id)

    @property
    def all_returns(self) -> tuple[Return, ...]:
        """Every return of the order."""
        return self.ledger.returns

    def repair(self) -> None:
        """No port fails any more, and the gateway says yes."""
        for port in (self.payments, self.inventory, self.fulfillment):
            port.fails_before = port.fails_after = False
        self.payments.mood = "succeed"

    def refunded(self) -> int:
        """What left the order's payments, or may have: minor units."""
        return sum(self.payments.given_back(payment.id) for payment in self.order.payments)
