"""What survives a process: a shop of mugs and pots; and a script of what is done in it."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from attrs import evolve

from rma import (
    ApprovedItem,
    ApproveReturn,
    Bonus,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    ChargeOutcome,
    ChargePending,
    ChargeRequest,
    ChargeSucceeded,
    ClaimItem,
    Command,
    CorrectedItem,
    CorrectReceipt,
    CreditRequest,
    DeclineReturn,
    ExpireReturn,
    ForeignDecision,
    ForeignItem,
    Gateway,
    Grade,
    Hold,
    InspectedItem,
    InspectReturn,
    LineItem,
    MissingItem,
    Money,
    NewItem,
    Order,
    Payment,
    PayoutRequest,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
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
    SettleAdvance,
    ShippingOption,
    UpdateExchange,
    UpdateReturn,
)
from rma.adapters.memory import (
    InMemoryCredits,
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryHolds,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryPayouts,
    InMemoryReservingInventory,
    InMemoryShippingOptions,
)
from rma.domain.messages.effects import MoneyRequest
from rma.testing.core_harness import START
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Faults
from tests.testing.stores import Memory, Store

ORDER = Order(
    id="order_1",
    currency="usd",
    items=[
        LineItem(id="mug", quantity=27, fulfilled_quantity=27, unit_price=Money(999, "usd")),
        LineItem(id="pot", quantity=5, fulfilled_quantity=5, unit_price=Money(4500, "usd")),
        LineItem(id="cap", quantity=5, fulfilled_quantity=5, unit_price=Money(1000, "usd")),
    ],
    payments=[
        Payment(id="gift_card", captured=Money(2500, "usd"), kind="gift_card"),
        Payment(id="card", captured=Money(51_973, "usd"), provider_id="stripe"),
    ],
    customer_id="cus_1",
)


class Resume(Enum):
    """What a timer does."""

    RESUME = auto()


class Archive(Enum):
    """What a host does with an order that is over."""

    ARCHIVE = auto()


class Redact(Enum):
    """What a host does with an order whose customer asks for it."""

    REDACT = auto()


Action = Command | Resume | Archive | Redact


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


def caps(number: int, units: int, **more: Any) -> tuple[RequestReturn, ReceiveReturn]:
    """A request for caps, and their parcel."""
    items = [RequestedItem(item_id="cap", quantity=units)]
    return (
        RequestReturn(order_id="order_1", items=items, idempotency_key=f"key_{number}", **more),
        ReceiveReturn(
            return_id=f"ret_{number}",
            items=[ReceivedItem(item_id="cap", quantity=units)],
            idempotency_key=f"key_{number + 1}",
        ),
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


def first(number: int, variant: str = "v_cup") -> RequestExchange:
    """A mug for something else at its price, that is sent before the mug is back."""
    return RequestExchange(
        order_id="order_1",
        items=[RequestedItem(item_id="mug", quantity=1)],
        new_items=[NewItem(variant_id=variant, quantity=1, unit_price=999)],
        ship="first",
        hold=Hold(f"auth_{number}", Money(999, "usd"), START + timedelta(days=60)),
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


def reduce(number: int, amount: int, **more: Any) -> RequestClaim:
    """A pot is scratched: it stays, at a lower price."""
    scratched = ClaimItem(item_id="pot", quantity=1, reason="other", amount=amount, **more)
    return RequestClaim(order_id="order_1", type="reduce", items=[scratched], idempotency_key=f"key_{number}")


def goodwill(number: int, amount: int) -> RequestClaim:
    """An amount without units."""
    return RequestClaim(
        order_id="order_1", type="goodwill", refund_amount=amount, idempotency_key=f"key_{number}"
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
            idempotency_key="key_110",
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
    caps(65, 2, outcome="store_credit"),  # with a bonus
    caps(67, 1),  # the card is closed: it is paid out in the same commit
    (
        *caps(69, 1),  # the gateway declines, and a person pays
        RecordPayout(return_id="ret_69", amount=600, reference="bank_1", idempotency_key="key_71"),
        RetryRefund(return_id="ret_69", means="store_credit", idempotency_key="key_72"),
    ),
    (
        first(85),
        RecordSending(return_id="ret_85", idempotency_key="key_86"),
        SettleAdvance(exchange_id="exc_85", idempotency_key="key_87"),  # a day later; the gateway pends
        RecordChargeOutcome(
            key="exc_85-charge-1", outcome=ChargeSucceeded("ch_85"), idempotency_key="key_88"
        ),
        receive(89, 85, 1),  # it comes all the same, and what was charged is given back
        ResolveReturn(return_id="ret_85", idempotency_key="key_90"),
    ),
    (first(91), receive(92, 91, 1)),  # the hold is released
    (
        first(93, "v_gone"),  # it cannot be reserved
        UpdateExchange(
            exchange_id="exc_93",
            new_items=[NewItem(variant_id="v_rare", quantity=1, unit_price=999)],  # nor can this be sent
            hold=Hold(
                "auth_94", Money(999, "usd"), START + timedelta(days=60)
            ),  # the hold before is released
            idempotency_key="key_94",
        ),
        CancelExchange(exchange_id="exc_93", keep_return=True, idempotency_key="key_95"),
        receive(96, 93, 1),
    ),
    (
        exchange(97, mugs=1, price=1999),
        RecordExchangePayment(exchange_id="exc_97", amount=500, reference="ch_97", idempotency_key="key_98"),
        CancelExchange(exchange_id="exc_97", idempotency_key="key_99"),  # what was paid is given back
    ),
    (
        request(100, 1, label=False),
        RecordSending(return_id="ret_100", idempotency_key="key_101"),  # and paid
        receive(102, 100, 0, damaged=1),
    ),
    (
        reduce(105, 500),
        RequestReturn(
            order_id="order_1",
            items=[RequestedItem(item_id="pot", quantity=1, claim_id="claim_105")],
            idempotency_key="key_106",
        ),
        ReceiveReturn(
            return_id="ret_106", items=[ReceivedItem(item_id="pot", quantity=1)], idempotency_key="key_107"
        ),
        goodwill(108, 250),
    ),
)
#: Steps whose returns wait for approval, those whose returns expire at once, those in which mugs are kept.
REVIEWED, SHORT, KEPT = {"32", "37", "44"}, {"42"}, {"44", "47"}
#: The step whose customer takes credit, and that whose refund is paid out if its payment is closed.
CREDITED, PAID_OUT = {"65"}, {"67"}
#: Steps whose goods have a last day, as new ones are sent first; the step that is paid on sending.
ADVANCE, AHEAD = {"85", "91", "93"}, {"100"}
#: The step whose goods are inspected when they arrive, and by which scale.
INSPECTED = {"60"}
GRADES = (Grade("A", 100, "restock"), Grade("B", 80, "refurbish"))
#: Mugs that are returned stay with the customer.
RULES = (ReturnRule(name="keep", worth_at_most=1000, goods="kept"), ReturnRule(name="rest"))
CREDIT = (ReturnRule(name="credit", outcomes=["store_credit"], bonus=Bonus("thanks", percent=10)),)
SCRIPT = tuple([step for chapter in CHAPTERS for step in chapter])
#: The same, and whenever a story is over, its history is archived.
ARCHIVED = tuple([step for chapter in CHAPTERS for step in (*chapter, Archive.ARCHIVE)])


def redacted(chapter: Iterable[Action]) -> tuple[Action, ...]:
    """The story, with a person who does all of it, and is forgotten at its end."""
    steps = [
        step if isinstance(step, Enum) else evolve(step, created_by="jane@shop.example") for step in chapter
    ]
    return (*steps, Redact.REDACT)


#: The same, and after each story the person in it is forgotten.
REDACTED = tuple([step for chapter in CHAPTERS for step in redacted(chapter)])


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
        self.credits = (
            InMemoryCredits(self._given) if gateway is None else ForgetfulCredits(self._given, gateway)
        )
        self.payouts = (
            InMemoryPayouts(self._given) if gateway is None else ForgetfulPayouts(self._given, gateway)
        )
        self.inventory = InMemoryReservingInventory({"v_gone": 0})
        self.fulfillment = SleepyCarrier()
        self.holds = (
            InMemoryHolds(self._charged) if gateway is None else ForgetfulHolds(self._charged, gateway)
        )
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
            credits=self.credits,
            payouts=self.payouts,
            fulfillment=self.fulfillment,
            shipping_options=InMemoryShippingOptions(
                [ShippingOption(id="post", price=200, location_id="loc_1")]
            ),
            policies=self._policy,
            events=self.events,
            clock=self.tick,
            ids=lambda: self.fresh_id,
            pause=lambda _: None,
            holds=self.holds,
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
        elif isinstance(step, Redact):
            service.redact("order_1", ["notes", "images", "metadata", "actors"])
        else:
            self.fresh_id = str(step.idempotency_key).removeprefix("key_")
            if isinstance(step, SettleAdvance):
                self.now += timedelta(days=2)  # the last day is over
            service.handle(step)

    def tick(self) -> datetime:
        """A second later each time."""
        self.now += timedelta(seconds=1)
        return self.now

    def _policy(self, _: Order) -> ReturnPolicy:
        days = 0 if self.fresh_id in SHORT else 1 if self.fresh_id in ADVANCE else None
        rules = RULES if self.fresh_id in KEPT else CREDIT if self.fresh_id in CREDITED else ()
        inspects = self.fresh_id in INSPECTED
        return ReturnPolicy(
            review=self.fresh_id in REVIEWED,
            return_within_days=days,
            rules=rules,
            inspect=inspects,
            grades=GRADES if inspects else (),
            when_closed="payout" if self.fresh_id in PAID_OUT else "ask",
            pay_on="sending" if self.fresh_id in AHEAD else None,
        )

    def _given(self, request: MoneyRequest) -> RefundOutcome:
        self.refunds_made[request.key] += 1
        return RefundSucceeded(f"re_{request.key}")

    def _refunded(self, request: RefundRequest) -> RefundOutcome:
        self.refunds_made[request.key] += 1
        match request.key:
            case "ret_6-refund-1" | "ret_67-refund-1" | "ret_69-refund-1":
                return RefundDeclined("card_closed")
            case "ret_9-refund-1":
                return RefundPending("re_pending")
            case key:
                return RefundSucceeded(f"re_{key}")

    def _charged(self, request: ChargeRequest) -> ChargeOutcome:
        self.refunds_made[request.key] += 1
        return ChargePending("ch_85") if request.key == "exc_85-charge-1" else ChargeSucceeded(request.key)


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

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """What it answered."""
        return self._outcomes.get(request.key)


class ForgetfulCredits(InMemoryCredits):
    """The same for store credit: it is given again each time."""

    def __init__(self, answer: Callable[[MoneyRequest], RefundOutcome], gateway: Gateway) -> None:
        super().__init__(answer)
        self.gateway = gateway

    def give(self, request: CreditRequest) -> RefundOutcome:
        """New credit each time."""
        self.given.pop(request.key, None)
        return super().give(request)

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """What it answered."""
        return self._outcomes.get(request.key)


class ForgetfulPayouts(InMemoryPayouts):
    """The same for payouts."""

    def __init__(self, answer: Callable[[MoneyRequest], RefundOutcome], gateway: Gateway) -> None:
        super().__init__(answer)
        self.gateway = gateway

    def pay(self, request: PayoutRequest) -> RefundOutcome:
        """A new payout each time."""
        self.paid.pop(request.key, None)
        return super().pay(request)

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """What it answered."""
        return self._outcomes.get(request.key)


class ForgetfulHolds(InMemoryHolds):
    """The same for charges; a hold is released once, however often that is asked for."""

    def __init__(self, answer: Callable[[ChargeRequest], ChargeOutcome], gateway: Gateway) -> None:
        super().__init__(answer)
        self.gateway = gateway

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """A new charge each time."""
        self.charges.pop(request.key, None)
        return super().charge(request)

    def find_charge(self, key: str) -> ChargeOutcome | None:
        """What it answered."""
        return self._outcomes.get(key)


class SleepyCarrier(InMemoryFulfillment):
    """A carrier that cannot be reached for the first booking of one return."""

    def __init__(self) -> None:
        super().__init__(out_of_stock=["v_rare"])
        self._was_woken = False

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Only when asked again."""
        if request.return_id == "ret_9" and not self._was_woken:
            self._was_woken = True
            raise ConnectionError("asleep")
        return super().book_return(request)
