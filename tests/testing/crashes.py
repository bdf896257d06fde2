"""
Every moment at which a process can die, and whether what comes after makes it good.

`Outside` is what survives a process, `SCRIPT` what is done, `live` does it with a plan of failures and
recovers as it is told, `differences` does so for one plan and says what came out otherwise than without it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import product
from random import Random

from attrs import fields, frozen

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
    RefundBlocked,
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
    Unavailable,
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
from rma.domain.events import ByCommand
from rma.testing.faults import AnswerLost, Away, Crashed, Fault, Faults, Twice
from rma.testing.faulty import faulty
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


@frozen
class End:
    """How everything stands, but for what may differ: moments, revisions, attempts and what was said."""

    returns: tuple[object, ...]
    refunds: tuple[object, ...]
    order: object
    open_effects: tuple[str, ...]
    moved: tuple[object, ...]
    stock: dict[tuple[str | None, str], int]
    told: tuple[str, ...]

    @classmethod
    def of(cls, outside: Outside) -> "End":
        """As seen from outside every process."""
        service = outside.service()
        returns = service.list(ORDER.id)
        return cls(
            returns=tuple(
                [(each.id, each.status, each.items, each.refund_amount, each.shipment) for each in returns]
            ),
            refunds=tuple(
                [(r.key, r.payment_id, r.amount, r.status) for each in returns for r in each.refunds]
            ),
            order=service.order_state(ORDER.id),
            open_effects=tuple(outside.returns.load(ORDER.id).open_effects),
            moved=(
                outside.refunds_made,
                outside.payments.refunds,
                outside.inventory.restocks,
                outside.inventory.withdrawals,
                outside.fulfillment.shipments,
                outside.fulfillment.cancellations,
            ),
            stock={place: units for place, units in outside.inventory.on_hand.items() if units},
            told=tuple(
                [
                    f"{type(event).__name__} {event.return_id}"
                    for event in outside.events.published.values()
                    if isinstance(event, ByCommand | RefundBlocked)
                ]
            ),
        )

    def differs(self, other: "End") -> list[str]:
        """The names of what is not the same."""
        names = [each.name for each in fields(End)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


#: What can happen to a call without a crash.
KINDS = (Away(), AnswerLost(), Twice())


class Recovery(Enum):
    """What happens after a crash."""

    #: The caller, who got no answer, repeats the command; no timer runs.
    REPEAT = auto()
    #: Only the timer runs. The caller repeats the command if it left no trace.
    RESUME = auto()


#: How a process is built over its ports; the wrong ways are in `designs`.
Design = Callable[[ReturnService, Outside], ReturnService]


def as_shipped(service: ReturnService, outside: Outside) -> ReturnService:
    """The library as it is."""
    return service


def live(
    outside: Outside,
    faults: Faults,
    *,
    recovery: Recovery = Recovery.REPEAT,
    design: Design = as_shipped,
    script: tuple[Step, ...] = SCRIPT,
    has_timer: bool = False,
    look: Callable[[int], None] = lambda done: None,
) -> None:
    """
    The script, step by step, in as many processes as it takes.

    With a timer, everything outstanding is resumed after each step too, as a host does every few minutes.
    `look` is called with the number of steps done, after each recovery by resuming.
    """
    done = 0
    while done < len(script):
        service = design(faulty(outside.service(), faults), outside)
        try:
            while done < len(script):
                outside.step = done + 1
                _do(service, script[done])
                done += 1
                if has_timer:
                    resume_until_quiet(outside, faults, design)
        except (Crashed, Unavailable):
            if recovery is Recovery.RESUME or has_timer:
                resume_until_quiet(outside, faults, design)
                done += _has_happened(outside, script[done]) if done < len(script) else 0
                look(done)


def resume_until_quiet(outside: Outside, faults: Faults, design: Design = as_shipped) -> None:
    """The timer, again and again, over crashes of its own, until nothing is open."""
    for _ in range(10):
        outside.now += timedelta(hours=1)
        service = design(faulty(outside.service(), faults), outside)
        try:
            if not service.resume().still_open:
                return
        except (Crashed, Unavailable):
            continue


def _do(service: ReturnService, step: Step) -> None:
    if isinstance(step, Resume):
        service.resume()
    else:
        service.handle(step)


def _has_happened(outside: Outside, step: Step) -> bool:
    return isinstance(step, Resume) or step.idempotency_key in outside.returns.load(ORDER.id).answered


class Survey:
    """
    A script and how it ends if nothing fails, after each of its steps.

    Args:
        make: the outside for a run, anew each time.
    """

    def __init__(
        self,
        make: Callable[[], Outside] = Outside,
        design: Design = as_shipped,
        script: tuple[Step, ...] = SCRIPT,
    ) -> None:
        self.make = make
        self.design = design
        self.script = script
        self.ends = [self._calm(steps) for steps in range(len(script) + 1)]
        calm = Faults()
        live(make(), calm, design=design, script=script)
        self.calls = calm.calls
        self.points = calm.points

    def _calm(self, steps: int) -> End:
        outside, faults = self.make(), Faults()
        live(outside, faults, script=self.script[:steps])
        resume_until_quiet(outside, faults)
        return End.of(outside)

    def differences(self, faults: Faults, recovery: Recovery, *, has_timer: bool = False) -> list[str]:
        """What came out otherwise than if nothing had failed, at the end or after a recovery."""
        outside = self.make()
        found: list[str] = []

        def look(done: int) -> None:
            differs = End.of(outside).differs(self.ends[done])
            found.extend([f"after {done} steps: {name}" for name in differs])

        try:
            live(
                outside,
                faults,
                recovery=recovery,
                design=self.design,
                script=self.script,
                has_timer=has_timer,
                look=look,
            )
        except Exception as error:
            return [f"a command was refused: {error}"]
        return found + [f"at the end: {name}" for name in End.of(outside).differs(self.ends[-1])]

    def crashes(self, recoveries: Iterable[Recovery] = Recovery) -> Iterator[tuple[str, list[str]]]:
        """One crash at every point, recovered from in these ways: where, and what differs then."""
        for point, recovery in product(range(1, self.points + 1), recoveries):
            faults = Faults(crash_at=[point])
            found = self.differences(faults, recovery)
            yield f"{faults.where(point)}, {recovery.name}", found

    def failures(self, kinds: Iterable[Fault] = KINDS) -> Iterator[tuple[str, list[str]]]:
        """One failure of each of these kinds at every call, with a timer running."""
        for call, kind in product(self.calls, kinds):
            found = self.differences(Faults(at={call.number: kind}), Recovery.RESUME, has_timer=True)
            yield f"{kind} at {call}", found

    def pairs(self, recovery: Recovery, count: int | None = None) -> Iterator[tuple[str, list[str]]]:
        """Two crashes, at every point and every point of what follows it; or so many of them, drawn."""
        dice = Random(count)
        drawn = (
            range(1, self.points + 1) if count is None else dice.choices(range(1, self.points + 1), k=count)
        )
        for first in drawn:
            faults = Faults(crash_at=[first])
            self.differences(faults, recovery)
            later = range(first + 1, faults.points + 1)
            for second in later if count is None else [dice.choice(later)]:
                faults = Faults(crash_at=[first, second])
                found = self.differences(faults, recovery)
                yield f"{faults.where(first)}, {faults.where(second)}, {recovery.name}", found


def what_differs(survey: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Where something came out otherwise, and what."""
    return {where: found for where, found in survey if found}
