"""What survives a process: a shop of mugs and pots; and a script of what is done in it."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto

from rma import (
    CancelReturn,
    Command,
    Gateway,
    LineItem,
    Money,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    RequestedItem,
    RequestReturn,
    RetryRefund,
    ReturnRepository,
    ReturnService,
    ReturnShipment,
    ReturnShipmentRequest,
    ShippingOption,
)
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryReturns,
    InMemoryShippingOptions,
)
from rma.testing.rehearsal import START

ORDER = Order(
    id="order_1",
    currency="usd",
    items=[
        LineItem(id="mug", quantity=20, fulfilled_quantity=20, unit_price=Money(999, "usd")),
        LineItem(id="pot", quantity=5, fulfilled_quantity=5, unit_price=Money(4500, "usd")),
    ],
    payments=[
        Payment(id="gift_card", captured=Money(2500, "usd"), kind="gift_card"),
        Payment(id="card", captured=Money(39_980, "usd")),
    ],
)


class Resume(Enum):
    """What a timer does."""

    RESUME = auto()


Step = Command | Resume


def request(number: int, mugs: int, pots: int = 0, *, label: bool = True) -> RequestReturn:
    """The step of this number, whose return is named after it."""
    wanted = {"mug": mugs, "pot": pots}
    return RequestReturn(
        order_id="order_1",
        items=[RequestedItem(item_id=i, quantity=q) for i, q in wanted.items() if q],
        shipping_option_id="post" if label else None,
        idempotency_key=f"key_{number}",
    )


def receive(number: int, opened: int, mugs: int, *, damaged: int = 0, pots: int = 0) -> ReceiveReturn:
    """What arrived for the return that step `opened` requested."""
    came = [ReceivedItem(item_id="mug", quantity=mugs, damaged_quantity=damaged)]
    return ReceiveReturn(
        return_id=f"ret_{opened}",
        items=came + [ReceivedItem(item_id="pot", quantity=pots)] * bool(pots),
        idempotency_key=f"key_{number}",
    )


SCRIPT: tuple[Step, ...] = (
    request(1, 3, 1),
    receive(2, 1, 2, damaged=1, pots=1),  # restocks, and refunds to both payments
    request(3, 2),
    receive(4, 3, 1),  # one is missing: a clerk decides
    CancelReturn(return_id="ret_3", idempotency_key="key_5"),  # withdraws, and cancels the parcel
    request(6, 4, label=False),
    receive(7, 6, 4),  # the gateway declines
    RetryRefund(return_id="ret_6", idempotency_key="key_8"),
    request(9, 1),  # the carrier is away
    Resume.RESUME,
    receive(11, 9, 1),  # the gateway pends
    RecordRefundOutcome(key="ret_9/refund/1", outcome=RefundReversed(), idempotency_key="key_12"),
    RetryRefund(return_id="ret_9", idempotency_key="key_13"),
)


class Outside:
    """
    What survives a process: orders, ledgers, gateway, stock, carrier, publisher, clock.

    Its answers depend on what it is asked alone, never on how often or when.

    Args:
        returns: the ledgers; in memory unless given.
        gateway: what the payments adapter declares, and is; one that knows its keys unless given.
    """

    def __init__(self, returns: ReturnRepository | None = None, gateway: Gateway | None = None) -> None:
        self.orders = InMemoryOrders([ORDER])
        self.returns = returns or InMemoryReturns()
        self.refunds_made: Counter[str] = Counter()
        self.payments = (
            InMemoryPayments(self._refunded) if gateway is None else Forgetful(self._refunded, gateway)
        )
        self.inventory = InMemoryInventory()
        self.fulfillment = SleepyCarrier()
        self.events = InMemoryEvents()
        self.now = START
        self.step = 0
        self.attempts: dict[str, int] = {}

    def service(self) -> ReturnService:
        """A service as a process makes it when it starts."""
        return ReturnService(
            orders=self.orders,
            returns=self.returns,
            inventory=self.inventory,
            payments=self.payments,
            fulfillment=self.fulfillment,
            shipping_options=InMemoryShippingOptions(
                [ShippingOption(id="post", price=200, location_id="loc_1")]
            ),
            events=self.events,
            clock=self.tick,
            ids=lambda: str(self.step),
        )

    def tick(self) -> datetime:
        """A second later each time."""
        self.now += timedelta(seconds=1)
        return self.now

    def _refunded(self, request: RefundRequest) -> RefundOutcome:
        self.refunds_made[request.key] += 1
        match request.key:
            case "ret_6/refund/1":
                return RefundDeclined("card_closed")
            case "ret_9/refund/1":
                return RefundPending("re_pending")
            case key:
                return RefundSucceeded(f"re_{key}")


class Forgetful(InMemoryPayments):
    """A gateway that knows no keys, but can be searched for them."""

    def __init__(self, answer: Callable[[RefundRequest], RefundOutcome], gateway: Gateway) -> None:
        super().__init__(answer)
        self.gateway = gateway

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Each time anew."""
        self.refunds[request.key] = request
        self._outcomes[request.key] = self.answer(request)
        return self._outcomes[request.key]

    def find_refund(self, key: str) -> RefundOutcome | None:
        """What it answered."""
        return self._outcomes.get(key)


class SleepyCarrier(InMemoryFulfillment):
    """A carrier that does not hear the first booking of one return."""

    def __init__(self) -> None:
        super().__init__()
        self._was_woken = False

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Only when asked again."""
        if request.return_id == "ret_9" and not self._was_woken:
            self._was_woken = True
            raise ConnectionError("asleep")
        return super().book_return(request)
