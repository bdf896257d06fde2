"""What survives a process: a shop of mugs and pots; and a script of what is done in it."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from rma import (
    ApprovedItem,
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    ClaimItem,
    Command,
    CorrectedItem,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    ForeignDecision,
    ForeignItem,
    Gateway,
    Grade,
    InspectedItem,
    InspectReturn,
    LineItem,
    MissingItem,
    Money,
    NewItem,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordExchangePayment,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    RejectedItem,
    RenewShipment,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRepository,
    ReturnRule,
    ReturnService,
    ReturnShipment,
    ReturnShipmentRequest,
    ShippingOption,
    UpdateReturn,
)
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryShippingOptions,
)
from rma.testing.core_harness import START
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Faults
from tests.testing.stores import Memory, Store

ORDER = Order(
    id="order_1",
    currency="usd",
    items=[
        LineItem(id="mug", quantity=23, fulfilled_quantity=23, unit_price=Money(999, "usd")),
        LineItem(id="pot", quantity=5, fulfilled_quantity=5, unit_price=Money(4500, "usd")),
    ],
    payments=[
        Payment(id="gift_card", captured=Money(2500, "usd"), kind="gift_card"),
        Payment(id="card", captured=Money(42_977, "usd")),
    ],
)


class Resume(Enum):
    """What a timer does."""

    RESUME = auto()


class Archive(Enum):
    """What a host does with an order that is over."""

    ARCHIVE = auto()


Action = Command | Resume | Archive


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
    arrivals = [ReceivedItem(item_id="mug", quantity=mugs, damaged_quantity=damaged)]
    return ReceiveReturn(
        return_id=f"ret_{opened}",
        items=arrivals + [ReceivedItem(item_id="pot", quantity=pots)] * bool(pots),
        idempotency_key=f"key_{number}",
    )


def correct(number: int, opened: int, mugs: int, *, damaged: int = 0) -> CorrectReceipt:
    """What should have been said of the mugs of the return that step `opened` opened."""
    return CorrectReceipt(
        return_id=f"ret_{opened}",
        items=[CorrectedItem(item_id="mug", quantity=mugs, damaged_quantity=damaged)],
        reason="counted again",
        idempotency_key=f"key_{number}",
    )


def inspect(number: int, *items: InspectedItem) -> InspectReturn:
    """What a clerk says of what arrived for the return of step 60."""
    return InspectReturn(return_id="ret_60", items=items, idempotency_key=f"key_{number}")


def exchange(number: int, mugs: int, price: int) -> RequestExchange:
    """Mugs for a cup at this price."""
    return RequestExchange(
        order_id="order_1",
        items=[RequestedItem(item_id="mug", quantity=mugs)],
        new_items=[NewItem(variant_id="v_cup", quantity=1, unit_price=price)],
        shipping_option_id="post",
        idempotency_key=f"key_{number}",
    )


def claim(number: int, kind: str, **more: Any) -> RequestClaim:
    """A mug arrived broken, and is paid for or replaced."""
    new_items = [NewItem(variant_id="v_mug", quantity=1, unit_price=999)]
    return RequestClaim(
        order_id="order_1",
        type=kind,
        items=[ClaimItem(item_id="mug", quantity=1, reason="production_failure")],
        new_items=new_items if kind == "replace" else [],
        idempotency_key=f"key_{number}",
        **more,
    )


#: What is done, a chapter a story. A test compares it with the registry of commands.
CHAPTERS: tuple[tuple[Action, ...], ...] = (
    (
        request(1, 3, 1),
        receive(2, 1, 2, damaged=1, pots=1),  # restocks, and refunds to both payments
    ),
    (
        request(3, 2),
        receive(4, 3, 1),  # one is missing: a clerk decides
        CancelReturn(return_id="ret_3", idempotency_key="key_5"),  # withdraws, and cancels the parcel
    ),
    (
        request(6, 4, label=False),
        receive(7, 6, 4),  # the gateway declines
        RetryRefund(return_id="ret_6", idempotency_key="key_8"),
    ),
    (
        request(9, 1),  # the carrier is away
        Resume.RESUME,
        receive(11, 9, 1),  # the gateway pends
        RecordRefundOutcome(key="ret_9-refund-1", outcome=RefundReversed(), idempotency_key="key_12"),
        RetryRefund(return_id="ret_9", idempotency_key="key_13"),
    ),
    (
        request(14, 2),
        receive(15, 14, 1),  # one is missing, and the other is not what was sold: it goes back
        ResolveReturn(
            return_id="ret_14",
            rejected=[RejectedItem(item_id="mug", quantity=1)],
            idempotency_key="key_16",
        ),
    ),
    (exchange(17, mugs=2, price=500), receive(18, 17, 2)),  # the shop owes the rest
    (
        exchange(19, mugs=1, price=2000),
        receive(20, 19, 1),
        RecordExchangePayment(exchange_id="exc_19", amount=1201, reference="ch_1", idempotency_key="key_21"),
    ),
    (exchange(22, mugs=1, price=500), CancelExchange(exchange_id="exc_22", idempotency_key="key_23")),
    (claim(24, "refund"),),
    (claim(25, "replace", return_items=True), receive(26, 25, 1)),  # the broken one comes back
    (
        claim(27, "refund", refund_amount=0, shipping_option_id="post"),
        CancelClaim(claim_id="claim_27", idempotency_key="key_28"),
    ),
    (
        claim(29, "refund"),
        RecordRefundOutcome(key="claim_29-refund-1", outcome=RefundReversed(), idempotency_key="key_30"),
        ResolveClaim(claim_id="claim_29", refund_amount=0, idempotency_key="key_31"),
    ),
    (
        request(32, 3),  # waits for approval
        ApproveReturn(
            return_id="ret_32", items=[ApprovedItem(item_id="mug", quantity=2)], idempotency_key="key_33"
        ),
        UpdateReturn(  # another way back: the label is canceled
            return_id="ret_32",
            items=[RequestedItem(item_id="mug", quantity=1)],
            shipping_option_id="post",
            location_id="loc_2",
            idempotency_key="key_34",
        ),
        RecordSending(return_id="ret_32", idempotency_key="key_35"),
        receive(36, 32, 1),
    ),
    (request(37, 1), DeclineReturn(return_id="ret_37", reason="worn", idempotency_key="key_38")),
    (
        request(39, 1),
        RenewShipment(return_id="ret_39", idempotency_key="key_40"),
        CancelReturn(return_id="ret_39", idempotency_key="key_41"),
    ),
    (request(42, 1), ExpireReturn(return_id="ret_42", idempotency_key="key_43")),  # or the timer was faster
    (
        request(44, 1, 1),  # waits for approval; then the mug is kept and paid, and the pot comes back
        ApproveReturn(return_id="ret_44", idempotency_key="key_45"),
        ReceiveReturn(
            return_id="ret_44", items=[ReceivedItem(item_id="pot", quantity=1)], idempotency_key="key_46"
        ),
        request(47, 1),  # kept, and paid at once
    ),
    (
        request(48, 1, label=False),
        receive(49, 48, 1),
        correct(50, 48, 0),  # it never arrived: withdrawn, and paid too much
        receive(51, 48, 1),  # it comes all the same, after the return was closed
        ResolveReturn(
            return_id="ret_48",
            rejected=[RejectedItem(item_id="mug", quantity=1)],
            idempotency_key="key_52",
        ),
        ResolveReturn(  # the customer keeps what was paid too much
            return_id="ret_48",
            refund_amount=1000,
            refund_note="counted wrong",
            idempotency_key="key_70",
        ),
    ),
    (
        ReceiveUnannounced(
            order_id="order_1",
            items=[ReceivedItem(item_id="mug", quantity=1)],
            foreign=[ForeignItem(description="a sock")],
            idempotency_key="key_53",
        ),
        ResolveReturn(
            return_id="ret_53",
            foreign=[ForeignDecision(number=1, send_back=True)],
            idempotency_key="key_54",
        ),
        correct(55, 53, 1, damaged=1),  # one more, and damaged: a person decides
        ResolveReturn(return_id="ret_53", idempotency_key="key_59"),
    ),
    (
        request(56, 1, label=False),
        ResolveReturn(
            return_id="ret_56",
            missing=[MissingItem(item_id="mug", quantity=1, pay=True)],
            idempotency_key="key_57",
        ),
        receive(58, 56, 1),  # it turns up
    ),
    (
        request(60, 3, 1),
        receive(61, 60, 3, pots=1),
        inspect(
            62,
            InspectedItem(item_id="mug", quantity=1, grade="A"),
            InspectedItem(item_id="mug", quantity=1, grade="B"),
            InspectedItem(item_id="pot", quantity=1, grade="A", location_id="loc_2"),
        ),
        inspect(63, InspectedItem(item_id="mug", quantity=1, grade="B", disposition="send_back")),
        inspect(64, InspectedItem(item_id="pot", quantity=1, grade="B", previous_grade="A")),
    ),
)
#: Steps whose returns wait for approval, those whose returns expire at once, those in which mugs are kept.
REVIEWED, SHORT, KEPT = {"32", "37", "44"}, {"42"}, {"44", "47"}
#: The step whose goods are inspected when they arrive, and by which scale.
INSPECTED = {"60"}
GRADES = (Grade("A", 100, "restock"), Grade("B", 80, "refurbish"))
#: Mugs that are returned stay with the customer.
RULES = (ReturnRule(name="keep", worth_at_most=1000, goods="kept"), ReturnRule(name="rest"))
SCRIPT = tuple([step for chapter in CHAPTERS for step in chapter])
#: The same, and whenever a story is over, its history is archived.
ARCHIVED = tuple([step for chapter in CHAPTERS for step in (*chapter, Archive.ARCHIVE)])


class Environment:
    """
    What survives a process: orders, ledgers, gateway, stock, carrier, publisher, clock.

    Its answers depend on what it is asked alone, never on how often or when.

    Args:
        store: where the ledgers are; in memory unless given.
        gateway: what the payments adapter declares, and is; one that knows its keys unless given.
        order: the only one; of its id.
    """

    def __init__(
        self, store: Store | None = None, gateway: Gateway | None = None, order: Order = ORDER
    ) -> None:
        self.orders = InMemoryOrders([order])
        self.store = store or Memory()
        self.refunds_made: Counter[str] = Counter()
        self.payments = (
            InMemoryPayments(self._refunded) if gateway is None else Forgetful(self._refunded, gateway)
        )
        self.inventory = InMemoryInventory()
        self.fulfillment = SleepyCarrier()
        self.events = InMemoryEvents()
        self.now = START
        self.fresh_id = ""
        self.attempts: dict[str, int] = {}

    def process(self, faults: Faults) -> ReturnService:
        """A service as a process makes it when it starts; the plan decides what fails in it."""
        return inject_faults(self.service(self.store.process(faults)), faults)

    def service(self, returns: ReturnRepository | None = None) -> ReturnService:
        """A service in which nothing fails, over these ledgers; as seen from environment unless given."""
        return ReturnService(
            orders=self.orders,
            returns=returns or self.returns,
            inventory=self.inventory,
            payments=self.payments,
            fulfillment=self.fulfillment,
            shipping_options=InMemoryShippingOptions(
                [ShippingOption(id="post", price=200, location_id="loc_1")]
            ),
            policies=self._policy,
            events=self.events,
            clock=self.tick,
            ids=lambda: self.fresh_id,
            pause=lambda _: None,
        )

    @property
    def returns(self) -> ReturnRepository:
        """The ledgers, as seen from environment every process."""
        return self.store.returns

    def do(self, service: ReturnService, step: Action) -> None:
        """The step, in this process; what it requests is named after it."""
        if isinstance(step, Resume):
            service.resume()
        elif isinstance(step, Archive):
            service.archive("order_1")
        else:
            self.fresh_id = str(step.idempotency_key).removeprefix("key_")
            service.handle(step)

    def tick(self) -> datetime:
        """A second later each time."""
        self.now += timedelta(seconds=1)
        return self.now

    def _policy(self, _: Order) -> ReturnPolicy:
        days = 0 if self.fresh_id in SHORT else None
        rules = RULES if self.fresh_id in KEPT else ()
        inspects = self.fresh_id in INSPECTED
        return ReturnPolicy(
            review=self.fresh_id in REVIEWED,
            return_within_days=days,
            rules=rules,
            inspect=inspects,
            grades=GRADES if inspects else (),
        )

    def _refunded(self, request: RefundRequest) -> RefundOutcome:
        self.refunds_made[request.key] += 1
        match request.key:
            case "ret_6-refund-1":
                return RefundDeclined("card_closed")
            case "ret_9-refund-1":
                return RefundPending("re_pending")
            case key:
                return RefundSucceeded(f"re_{key}")


class Forgetful(InMemoryPayments):
    """A gateway that ignores keys, but can be searched for them."""

    def __init__(self, answer: Callable[[RefundRequest], RefundOutcome], gateway: Gateway) -> None:
        super().__init__(answer)
        self.gateway = gateway

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """A new refund each time."""
        self.refunds[request.key] = request
        self._outcomes[request.key] = self.answer(request)
        return self._outcomes[request.key]

    def find_refund(self, key: str) -> RefundOutcome | None:
        """What it answered."""
        return self._outcomes.get(key)


class SleepyCarrier(InMemoryFulfillment):
    """A carrier that cannot be reached for the first booking of one return."""

    def __init__(self) -> None:
        super().__init__()
        self._was_woken = False

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Only when asked again."""
        if request.return_id == "ret_9" and not self._was_woken:
            self._was_woken = True
            raise ConnectionError("asleep")
        return super().book_return(request)
