"""
Simulates the returns of a shop, for figures of its reports (`report_figures.py`).

The service, its rules and its events are the real ones, in memory; what customers, clerks, carriers and the
gateway do is drawn by a random number generator with a fixed seed, with the chances that are written below.
They are invented: the figures show what the reports say, not how shops are. Orders are lived through one
after the other, each with times of its own between `START` and `TODAY`; what would happen later does not, so
that some returns are open. Each event goes through JSON as it would through an outbox, one in twenty twice,
and in any order.
"""

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, evolve, field

from rma import (
    Adjustment,
    ApproveReturn,
    CancelReturn,
    Charge,
    ClaimItem,
    ClaimRequested,
    CorrectedItem,
    CorrectReceipt,
    DeclineReturn,
    Event,
    ExpireReturn,
    Fee,
    Grade,
    InspectedItem,
    InspectReturn,
    LineItem,
    MissingItem,
    Money,
    NewItem,
    Order,
    Payment,
    PriceReduced,
    ReceivedItem,
    ReceiveReturn,
    RecordExchangePayment,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    Rejected,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    RetryRefund,
    Return,
    ReturnPolicy,
    ReturnReason,
    ReturnRequested,
    ReturnRule,
    ReturnService,
    ShippingOption,
    TaxLine,
    Window,
    codec,
)
from rma.adapters.memory import InMemoryCredits, InMemoryInventory, in_memory_service

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples"))

import reports  # noqa: E402 # it is an example

RETURNS = 100_000
SEED = 20261130
START = datetime(2026, 1, 1, tzinfo=UTC)
TODAY = datetime(2026, 7, 1, tzinfo=UTC)

#: Orders that are lived through before their rows are written and their events thrown away.
BATCH = 500

#: Item, price in euros, chance that a unit of it comes back, chances of the `REASONS` in their order.
ITEMS = (
    ("dress", 79.90, 0.42, (50, 30, 8, 7, 5)),
    ("jeans", 89.95, 0.35, (60, 25, 5, 4, 6)),
    ("shoes", 119.00, 0.31, (55, 27, 7, 5, 6)),
    ("coat", 199.00, 0.24, (45, 35, 7, 8, 5)),
    ("shirt", 29.99, 0.18, (48, 30, 8, 6, 8)),
    ("lamp", 64.50, 0.09, (0, 45, 25, 20, 10)),
    ("headset", 149.00, 0.12, (0, 38, 40, 12, 10)),
    ("kettle", 39.00, 0.08, (0, 30, 45, 15, 10)),
    ("mug", 9.99, 0.03, (0, 20, 10, 60, 10)),
    ("socks", 7.49, 0.02, (20, 40, 20, 10, 10)),
)  # fmt: skip
REASONS = (
    ReturnReason(id="fit", value="fit", label="Does not fit", fault="customer"),
    ReturnReason(id="mind", value="mind", label="Changed my mind", fault="customer"),
    ReturnReason(id="defective", value="defective", label="Defective", fault="merchant"),
    ReturnReason(id="transit", value="transit", label="Broken on the way", fault="carrier"),
    ReturnReason(id="wrong", value="wrong", label="Not what was ordered", fault="merchant"),
)
#: By currency: chance, what a euro is there, minor units of one.
CURRENCIES = {"eur": (70, 1, 100), "usd": (20, 1.1, 100), "jpy": (10, 160, 1)}

GRADES = (
    Grade("A", 100, "restock"),
    Grade("B", 80, "refurbish"),
    Grade("C", 50, "outlet"),
    Grade("D", 0, "recycle"),
)


def policy_of(order: Order) -> ReturnPolicy:
    """Our faults cost customers nothing; other returns keep a fee, and goods above 150 euros are approved."""
    fee = Fee("handling", amount=price(2.50, order.currency))
    ours = {"window": Window(730), "way_back": "merchant", "charges_back": "all_back"}
    return ReturnPolicy(
        name="simulated",
        inspect=True,
        grades=GRADES,
        return_within_days=30,
        rules=[
            ReturnRule(name="our fault", when={"fault:merchant"}, **ours),  # type: ignore[arg-type] # as strings
            ReturnRule(name="carrier", when={"fault:carrier"}, **ours),  # type: ignore[arg-type] # as strings
            ReturnRule(name="dear", when={"dear"}, window=Window(30), fees=[fee], review=True),
            ReturnRule(name="other", window=Window(30), fees=[fee]),
        ],
    )


def price(euros: float, currency: str) -> Money:
    """An amount in a currency, rounded to its minor units."""
    _, rate, minor = CURRENCIES[currency]
    return Money(round(euros * rate * minor), currency)


class Later(Exception):
    """What is next would happen after `TODAY`."""


@define
class Gateway:
    """A gateway whose answers are drawn; it keeps what it moved, apart from the library."""

    random: Random
    moved: dict[str, Money] = field(factory=dict)
    pending: set[str] = field(factory=set)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Declines 3 in 100, and reports the outcome of 5 later."""
        chance = self.random.random()
        if chance < 0.03:
            return RefundDeclined("card_closed")
        if chance < 0.08:
            self.pending.add(request.key)
            return RefundPending(f"re_{request.key}")
        self.moved[request.key] = request.amount
        return RefundSucceeded(f"re_{request.key}")


@define
class Shop:
    """
    A shop that lives through one order after the other.

    Attributes:
        sold: units that were sold, by item.
        published: events since they were last taken.
        requested: how many returns, exchanges and claims were asked for.
        refused: why commands were refused: the chances made up what cannot be.
    """

    seed: int = SEED
    random: Random = field(init=False)
    now: datetime = START
    gateway: Gateway = field(init=False)
    stock: InMemoryInventory = field(init=False, factory=InMemoryInventory)
    credits: InMemoryCredits = field(init=False, factory=InMemoryCredits)
    orders: dict[str, Order] = field(init=False, factory=dict)
    sold: Counter[str] = field(init=False, factory=Counter)
    published: list[str] = field(init=False, factory=list)
    requested: int = field(init=False, default=0)
    refused: list[str] = field(init=False, factory=list)
    service: ReturnService = field(init=False)
    _numbers: Iterator[int] = field(init=False, factory=count)

    def __attrs_post_init__(self) -> None:
        self.random = Random(self.seed)
        self.gateway = Gateway(self.random)
        self.begin_batch()

    def begin_batch(self) -> None:
        """Forgets orders, ledgers and stock, so that memory does not grow with the number of returns."""
        self.orders.clear()
        self.stock = InMemoryInventory()
        self.credits = InMemoryCredits()
        self.gateway.moved.clear()
        self.service = in_memory_service(
            self,
            REASONS,
            [ShippingOption(id=f"post_{each}", price=price(4.90, each)) for each in CURRENCIES],
            policies=policy_of,
            payments=self.gateway,
            inventory=self.stock,
            credits=self.credits,
            events=self,
            clock=lambda: self.now,
            ids=lambda: str(next(self._numbers)),
            observer=self,
        )

    def get(self, order_id: str) -> Order:
        """The order: a port of the service."""
        return self.orders[order_id]

    def publish(self, event_id: str, event: Event) -> None:
        """Keeps the event as a document: a port of the service. One in twenty is published twice."""
        match event:
            case ReturnRequested(opened=opened):
                self.requested += opened.claim_id is None
            case ClaimRequested() | PriceReduced():
                self.requested += 1
            case _:
                pass
        document = codec.encode(codec.PublishedEvent(event_id, event))
        self.published += [document] * (2 if self.random.random() < 0.05 else 1)

    def observe(self, signal: object) -> None:
        """Ignores signals: a port of the service."""

    def moved(self) -> Counter[str]:
        """What the gateway and the store credit of this batch really moved, by currency, minor units."""
        amounts = [*self.gateway.moved.values(), *[each.total for each in self.credits.given.values()]]
        moved: Counter[str] = Counter()
        for amount in amounts:
            moved[amount.currency] += amount.amount
        return moved

    def take_published(self) -> list[str]:
        """The documents since the last call, in any order."""
        documents, self.published = self.published, []
        self.random.shuffle(documents)
        return documents

    # An order

    def live(self) -> None:
        """Sells one order, and lives through what comes back of it until today."""
        self.now = START + (TODAY - START) * self.random.random()
        order, wanted = self.sell()
        if not wanted:
            return
        self.orders[order.id] = order
        try:
            match self.random.choices(("return", "exchange", "claim"), (88, 7, 5))[0]:
                case "return":
                    self.return_goods(order, wanted)
                case "exchange":
                    self.exchange_goods(order, wanted)
                case _:
                    self.claim_goods(order, wanted)
        except Later:
            pass
        except Rejected as error:  # the rest of the order is not lived through
            self.refused.append(str(error))

    def sell(self) -> tuple[Order, list[RequestedItem]]:
        """An order that was delivered now, and what its customer wants to return of it."""
        chance = self.random
        currency = chance.choices(list(CURRENCIES), [each[0] for each in CURRENCIES.values()])[0]
        delivery = price(3.95, currency)
        lines, wanted, paid = [], [], delivery.amount
        for name, euros, rate, reasons in chance.sample(ITEMS, chance.choices((1, 2, 3), (60, 30, 10))[0]):
            quantity = chance.choices((1, 2, 3), (75, 18, 7))[0]
            unit = price(euros, currency)
            off = unit.amount * quantity * chance.choice((0, 0, 0, 7, 15)) // 100
            line = LineItem(
                id=name,
                title=name,
                quantity=quantity,
                fulfilled_quantity=quantity,
                unit_price=unit,
                adjustments=[Adjustment(Money(off, currency))] if off else [],
                tax_lines=[TaxLine(19, name="vat")],
                is_tax_inclusive=True,
                delivered_at=self.now,
                tags=["dear"] if euros > 150 else [],
            )
            lines.append(line)
            paid += unit.amount * quantity - off
            self.sold[name] += quantity
            if back := sum([chance.random() < rate for _ in range(quantity)]):
                reason = chance.choices(REASONS, reasons)[0]
                wanted.append(RequestedItem(item_id=name, quantity=back, reason_id=reason.id))
        gift = paid // 3 if chance.random() < 0.1 else 0
        payments = [Payment(id="card", captured=Money(paid - gift, currency))]
        if gift:
            payments.append(Payment(id="gift", captured=Money(gift, currency), kind="gift_card"))
        order = Order(
            id=f"order_{next(self._numbers)}",
            currency=currency,
            items=lines,
            charges=[Charge("delivery", "shipping", delivery)],
            payments=payments,
            customer_id=f"customer_{next(self._numbers)}",
            created_at=self.now,
        )
        return order, wanted

    def wait(self, least: float, most: float) -> None:
        """
        Lets so many days go by.

        Raises:
            Later: today is over before that.
        """
        self.now += timedelta(days=self.random.uniform(least, most))
        if self.now > TODAY:
            raise Later

    def happens(self, percent: float) -> bool:
        """True in so many of a hundred cases."""
        return self.random.random() * 100 < percent

    def return_goods(self, order: Order, wanted: list[RequestedItem]) -> None:
        """A customer wants money back."""
        self.wait(1, 12)
        post = f"post_{order.currency}"
        request = RequestReturn(order_id=order.id, items=wanted, shipping_option_id=post)
        if self.happens(1):  # a clerk agreed on an amount
            quote = self.service.quote(request).refund_amount
            request = evolve(request, refund_amount=Money(quote.amount * 9 // 10, order.currency))
        ret = self.service.handle(request)
        if ret.needs_approval:
            self.wait(0.2, 3)
            if self.happens(12):
                self.service.handle(DeclineReturn(return_id=ret.id, reason="worn"))
                return
            self.service.handle(ApproveReturn(return_id=ret.id))
        if self.happens(3):
            self.wait(0.1, 4)
            self.service.handle(CancelReturn(return_id=ret.id))
            return
        if self.happens(6):
            self.wait(31, 32)
            self.service.handle(ExpireReturn(return_id=ret.id))
            return
        self.bring_back(ret)
        self.pay(ret.id)

    def bring_back(self, ret: Return) -> None:
        """The goods are sent, received, inspected and counted again."""
        is_plain = ret.exchange_id is None and ret.claim_id is None
        self.wait(0.5, 7)
        self.service.handle(RecordSending(return_id=ret.id))
        if self.happens(0.7) and is_plain:  # never seen again
            self.wait(20, 25)
            lost = [MissingItem(item_id=each.item_id, quantity=each.quantity, pay=True) for each in ret.items]
            self.service.handle(ResolveReturn(return_id=ret.id, missing=lost))
            return
        self.wait(1, 6)
        units = {each.item_id: each.quantity for each in ret.items}
        match self.random.choices(("all", "fewer", "two parcels", "more"), (90, 4, 4, 2))[0]:
            case "fewer" if sum(units.values()) > 1:
                self.receive(ret, without_one(units), allow_mismatch=True)
            case "two parcels" if sum(units.values()) > 1:
                first = without_one(units)
                self.receive(ret, first, more_expected=True)
                self.inspect(ret.id)
                self.wait(1, 9)
                rest = {each: number - first.get(each, 0) for each, number in units.items()}
                self.receive(ret, {each: number for each, number in rest.items() if number})
            case "more" if is_plain and (left := self.left(ret)):
                self.receive(ret, {**units, left: units.get(left, 0) + 1})
                self.wait(0.2, 5)
                self.service.handle(ResolveReturn(return_id=ret.id))
            case _:
                self.receive(ret, units)
        self.inspect(ret.id)
        if self.happens(1.5) and is_plain:
            self.correct(ret.id)

    def left(self, ret: Return) -> str | None:
        """A line of which the customer has more than is in the return."""
        free = self.service.returnable_items(ret.order_id)
        known = {each.item_id for each in ret.items}
        return next((each.item_id for each in free if each.quantity and each.item_id in known), None)

    def receive(self, ret: Return, units: dict[str, int], **more: Any) -> None:
        """A parcel with these units arrives."""
        items = [ReceivedItem(item_id=each, quantity=number) for each, number in units.items()]
        self.service.handle(ReceiveReturn(return_id=ret.id, items=items, location_id="berlin", **more))

    def inspect(self, return_id: str) -> None:
        """What waits is graded, each unit by itself."""
        waiting = [each for each in self.service.get(return_id).items if each.waiting_quantity]
        if not waiting:
            return
        self.wait(0.1, 2)
        graded = [
            InspectedItem(item_id=item.item_id, quantity=1, grade=self.grade(item.reason_id))
            for item in waiting
            for _ in range(item.waiting_quantity)
        ]
        self.service.handle(InspectReturn(return_id=return_id, items=graded))

    def grade(self, reason: str | None) -> str:
        """A grade, by why it was returned."""
        chances = (5, 15, 30, 50) if reason in ("defective", "transit") else (80, 13, 5, 2)
        return self.random.choices("ABCD", chances)[0]

    def correct(self, return_id: str) -> None:
        """One unit of the first line was counted, graded and paid for, and was not there."""
        ret = self.service.get(return_id)
        item = ret.items[0]
        if not item.received_quantity:
            return
        self.wait(0.5, 3)
        booked, damaged = ret.booked_quantities()[item.item_id]
        counted = CorrectedItem(item_id=item.item_id, quantity=booked - 1, damaged_quantity=damaged)
        if len(item.graded) > 1:
            counted = evolve(counted, grade=item.graded[-1].grade)
        self.service.handle(CorrectReceipt(return_id=ret.id, items=[counted], reason="counted twice"))

    def pay(self, subject_id: str) -> None:
        """The gateway reports outcomes; a clerk looks after what failed."""
        for round_ in range(3):
            self.report(subject_id)
            is_claim = subject_id.startswith("claim_")
            known = self.service.get_claim(subject_id) if is_claim else self.service.get(subject_id)
            if not known.amount_due.amount:
                return
            self.wait(1, 12)
            chance = self.random.random()
            if chance < 0.6 or (round_ == 0 and chance < 0.8):
                means = "store_credit" if self.happens(30) else None
                of_claim = RetryRefund(claim_id=subject_id, means=means)
                of_return = RetryRefund(return_id=subject_id, means=means)
                self.service.handle(of_claim if is_claim else of_return)
            elif chance < 0.9 and not is_claim and known.status == "received":
                self.service.handle(ResolveReturn(return_id=subject_id, refund_amount=known.refunded))

    def report(self, subject_id: str) -> None:
        """Notifications of the gateway arrive: of pending refunds, and of some that banks reversed."""
        is_claim = subject_id.startswith("claim_")
        known = self.service.get_claim(subject_id) if is_claim else self.service.get(subject_id)
        for refund in known.refunds:
            outcome: RefundOutcome | RefundReversed | None = None
            if refund.key in self.gateway.pending:
                self.wait(1, 4)
                self.gateway.pending.discard(refund.key)
                outcome = RefundSucceeded() if self.happens(85) else RefundDeclined("account_closed")
                if isinstance(outcome, RefundSucceeded):
                    self.gateway.moved[refund.key] = refund.amount
            elif refund.key in self.gateway.moved and self.happens(1):
                self.wait(2, 20)
                outcome = RefundReversed("returned_by_bank")
                del self.gateway.moved[refund.key]
            if outcome is not None:
                self.service.handle(RecordRefundOutcome(key=refund.key, outcome=outcome))

    def exchange_goods(self, order: Order, wanted: list[RequestedItem]) -> None:
        """A customer wants other goods."""
        self.wait(1, 12)
        line = next(each for each in order.items if each.id == wanted[0].item_id)
        factor = self.random.choice((0.8, 1, 1, 1.25))
        other = NewItem(
            variant_id=f"{line.id}_other",
            quantity=wanted[0].quantity,
            unit_price=Money(round(line.unit_price.amount * factor), order.currency),
            is_tax_inclusive=True,
            tax_lines=[TaxLine(19, name="vat")],
        )
        exchange = self.service.handle(
            RequestExchange(order_id=order.id, items=wanted[:1], new_items=[other])
        )
        ret = self.service.get(exchange.return_id)
        if ret.needs_approval:
            self.wait(0.2, 3)
            self.service.handle(ApproveReturn(return_id=ret.id))
        self.bring_back(ret)
        self.wait(0.1, 3)
        owed = self.service.get_exchange(exchange.id).owed
        if owed.amount and self.happens(85):
            reference = f"ch_{exchange.id}"
            self.service.handle(
                RecordExchangePayment(exchange_id=exchange.id, amount=owed, reference=reference)
            )
        self.pay(ret.id)

    def claim_goods(self, order: Order, wanted: list[RequestedItem]) -> None:
        """Units were missing, wrong or broken, or are kept at a lower price."""
        self.wait(0.5, 9)
        line = next(each for each in order.items if each.id == wanted[0].item_id)
        if self.happens(30):
            part = Money(line.unit_price.amount // 5, order.currency)
            item = ClaimItem(item_id=line.id, quantity=1, reason="other", amount=part)
            claim = self.service.handle(RequestClaim(order_id=order.id, type="reduce", items=[item]))
        else:
            reason = self.random.choice(("missing_item", "wrong_item", "production_failure"))
            item = ClaimItem(item_id=line.id, quantity=wanted[0].quantity, reason=reason)
            is_back = reason == "wrong_item"
            request = RequestClaim(order_id=order.id, type="refund", items=[item], return_items=is_back)
            claim = self.service.handle(request)
        self.pay(claim.id)
        if claim.return_id is not None:
            self.bring_back(self.service.get(claim.return_id))


def without_one(units: dict[str, int]) -> dict[str, int]:
    """The same units but one."""
    last = list(units)[-1]
    return {each: number - (each == last) for each, number in units.items() if number - (each == last)}


def simulate(shop: Shop, database: sqlite3.Connection, returns: int) -> Iterator[set[str]]:
    """Lives through orders until so many returns were requested; yields the orders of each batch."""
    while shop.requested < returns:
        shop.begin_batch()
        wanted = min(returns, shop.requested + BATCH)
        while shop.requested < wanted:
            shop.live()
        orders = {reports.store(database, document) for document in shop.take_published()}
        reports.refresh(database, orders)
        yield orders
