"""
Measures what this library costs above the least Python that does the same. Run it by hand, with `rma`
installed:

    python benchmarks/in_memory.py

For orders of 1 to 1000 lines (each with one discount and two taxes on top), all in memory, it times
`RequestReturn` for some units of every line, and `ReceiveReturn` when exactly these units arrive. Each is
compared with its *floor*: a function written by hand that assumes a valid command, builds the same objects
with the same arithmetic, puts them into the same kind of dicts and calls the same ports once. The floor has
no handlers, rules, look-ups or errors. Before anything is timed, both must end with equal ledgers, histories
and port calls for every size. `+10 rules` is a request of 10 lines under a policy of ten rules of which the
last speaks, and its `ratio` is to the same request under none.

How to read it: compare only the *ratio* between machines. The library and the floor take turns in one
process, each of them first in every second pair, and `ratio` is the median over the pairs: the cost of
checking a command and looking things up. It varies by two or three percent from run to run. `us/line` is the
time of the library; it should fall from 1 line to 10 and then stay level. No time makes this script fail.
"""

import gc
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from statistics import median
from time import perf_counter_ns

from attrs import evolve, field, frozen

from rma import (
    Adjustment,
    Change,
    EffectOutcome,
    EffectsAttempted,
    Event,
    GoodsReceived,
    Grant,
    GrantedAmount,
    GrantedTax,
    LineItem,
    Means,
    Money,
    MoneyMoved,
    Order,
    Payment,
    Receipt,
    ReceiptItem,
    ReceivedItem,
    ReceiveReturn,
    Refund,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    RequestedItem,
    RequestReturn,
    RestockRequest,
    Return,
    ReturnItem,
    ReturnLedger,
    ReturnPolicy,
    ReturnRequested,
    ReturnRule,
    ReturnStatus,
    StockLine,
    TaxLine,
    TaxRate,
    Window,
)
from rma.adapters.memory import InMemoryInventory, InMemoryPayments, InMemoryReturns, in_memory_service
from rma.domain.events import EventHeader
from rma.domain.messages.effects import Delivery, OpenEffect
from rma.domain.messages.timing import DEFAULT_TIMING
from rma.domain.sale.pricing import PricedLine
from rma.domain.state.entitlement import Entitlement, EntitlementChange
from rma.domain.state.return_item import ItemChanges, ItemUnits
from rma.domain.values.frozenmap import FrozenMap

#: Number of pairs of samples, by number of lines of the order.
PAIRS = {1: 6000, 10: 3000, 100: 600, 1000: 120}

AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
DUE_AT = AT + DEFAULT_TIMING.grace
FRESH_ID = "1"
RETURN_ID = f"ret_{FRESH_ID}"
TERMS = ReturnPolicy().terms

Run = Callable[[], Return]


# Input of both


def order_of(lines: int) -> Order:
    """Returns an order whose lines all differ a little, delivered and paid."""
    return Order(
        id="order_1",
        currency="usd",
        items=[
            LineItem(
                id=f"item_{number}",
                quantity=3 + number % 3,
                unit_price=1999 + 7 * number,
                fulfilled_quantity=3 + number % 3,
                variant_id=f"variant_{number}",
                adjustments=[Adjustment(250 + number, code="SUMMER")],
                tax_lines=[TaxLine("7.25", code="state"), TaxLine("1.5", code="city")],
            )
            for number in range(lines)
        ],
        payments=[Payment("pay_1", captured=lines * 1_000_000)],
    )


def request_of(order: Order) -> RequestReturn:
    """Requests two units of every line: fewer than all, so that shares have to be computed."""
    return RequestReturn(
        order_id=order.id, items=[RequestedItem(item_id=line.id, quantity=2) for line in order.items]
    )


def receipt_of(order: Order) -> ReceiveReturn:
    """Receives all requested units, undamaged."""
    return ReceiveReturn(
        return_id=RETURN_ID, items=[ReceivedItem(item_id=line.id, quantity=2) for line in order.items]
    )


# The floor


@frozen
class Store:
    """The data of the in-memory adapter, and the ports, without locks and checks."""

    ledgers: dict[str, ReturnLedger] = field(factory=dict)
    history: dict[str, list[Event]] = field(factory=dict)
    order_of: dict[str, str] = field(factory=dict)
    outstanding: dict[str, None] = field(factory=dict)
    inventory: InMemoryInventory = field(factory=InMemoryInventory)
    payments: InMemoryPayments = field(factory=InMemoryPayments)


def request_on_the_floor(store: Store, order: Order, command: RequestReturn) -> Return:
    """Does the least that `RequestReturn` needs."""
    currency = order.currency
    total = 0
    items = []
    for line, item in zip(order.items, command.items, strict=True):
        net = line.unit_price.amount * line.quantity
        for adjustment in line.adjustments:
            net -= adjustment.amount.amount
        running_sums = [net]
        paid = net
        for tax in line.tax_lines:
            numerator, denominator = tax.percent.as_integer_ratio()
            paid += (2 * net * numerator + 100 * denominator) // (200 * denominator)
            running_sums.append(paid)
        for adjustment in line.adjustments:
            net += adjustment.amount.amount
            running_sums.append(net)
        priced = PricedLine(
            item_id=line.id,
            variant_id=line.variant_id,
            currency=currency,
            quantity=line.quantity,
            running_sums=tuple(running_sums),
            taxes=tuple([tax.code or "" for tax in line.tax_lines]),
            discounts=tuple([adjustment.code or "" for adjustment in line.adjustments]),
            is_tax_inclusive=False,
            rates=tuple([TaxRate(tax.rate, tax.category) for tax in line.tax_lines]),
        )
        twice, double = 2 * item.quantity, 2 * line.quantity
        allocated = tuple([(twice * amount + line.quantity) // double for amount in running_sums])
        total += allocated[len(line.tax_lines)]
        items.append(
            ReturnItem(
                item_id=line.id,
                quantity=item.quantity,
                line=priced,
                allocated=allocated,
                reason_id=item.reason_id,
                note=item.note,
                metadata=item.metadata,
            )
        )
    opened = Return(
        id=RETURN_ID,
        order_id=order.id,
        display_id=1,
        order_version=order.version + 1,
        status=ReturnStatus.REQUESTED,
        items=tuple(items),
        quoted_refund=Money(total, currency),
        entitlement=Entitlement(Money(0, currency)),
        terms=TERMS,
        requested_at=AT,
        updated_at=AT,
        location_id=command.location_id,
        no_notification=order.no_notification,
        created_by=command.created_by,
        metadata=command.metadata,
    )
    event = ReturnRequested(
        header=_header(order, 1, command.created_by),
        opened=opened,
    )
    store.ledgers[order.id] = ReturnLedger(order.id, revision=1, returns=(opened,))
    store.history[order.id] = [event]
    store.order_of[RETURN_ID] = order.id
    return opened


def receive_on_the_floor(store: Store, order: Order, command: ReceiveReturn) -> Return:
    """Does the least that `ReceiveReturn` needs: the receipt, both ports, and their answers."""
    (opened,) = store.ledgers[order.id].returns
    due = 0
    items, units, arrivals, stock, credited = [], [], [], [], []
    for index, (item, arrived) in enumerate(zip(opened.items, command.items, strict=True)):
        items.append(
            ReturnItem(
                item_id=item.item_id,
                quantity=item.quantity,
                line=item.line,
                allocated=item.allocated,
                received_quantity=arrived.quantity,
                damaged_quantity=arrived.damaged_quantity,
                reason_id=item.reason_id,
                note=item.note,
                metadata=item.metadata,
            )
        )
        units.append(ItemUnits(index, arrived.quantity, arrived.damaged_quantity))
        arrivals.append(
            ReceiptItem(item.item_id, arrived.quantity, arrived.damaged_quantity, item.line.variant_id)
        )
        stock.append(StockLine(item.item_id, item.line.variant_id, arrived.quantity))
        due += item.allocated[len(item.line.taxes)]
        taxes, taxed = [], item.allocated[0]
        for label, rate, paid_until in zip(
            item.line.taxes, item.line.rates, item.allocated[1:], strict=False
        ):
            taxes.append(GrantedTax(label, paid_until - taxed, rate.rate, rate.category))
            taxed = paid_until
        name = f"item:{item.item_id}"
        credited.append(GrantedAmount(name, item.allocated[0], tuple(taxes), item.quantity))
    restock = RestockRequest(
        key=f"{RETURN_ID}-restock-1",
        order_id=order.id,
        return_id=RETURN_ID,
        location_id=opened.location_id,
        lines=tuple(stock),
    )
    receipt = Receipt(
        number=1,
        at=AT,
        by=command.created_by,
        items=tuple(arrivals),
        location_id=opened.location_id,
        status=ReturnStatus.RECEIVED,
        restock_key=restock.key,
    )
    amount = Money(due, order.currency)
    key, payment_id, kind = f"{RETURN_ID}-refund-1", order.payments[0].id, order.payments[0].kind
    pending = Refund(
        key=key, payment_id=payment_id, amount=amount, status=RefundStatus.PENDING, requested_at=AT, kind=kind
    )
    refund_request = RefundRequest(
        key=key, order_id=order.id, return_id=RETURN_ID, payment_id=payment_id, amount=amount, kind=kind
    )
    grants = (
        Grant(
            number=1, subject_id=RETURN_ID, at=AT, currency=order.currency, amounts=tuple(credited), note=1
        ),
    )
    received = GoodsReceived(
        header=_header(order, 2, command.created_by, effects_due_at=DUE_AT, grants=grants),
        receipt=receipt,
        items=ItemChanges(tuple(units)),
        entitlement=EntitlementChange(amount, refunds=(pending,)),
    )
    delivery = Delivery(due_at=DUE_AT)
    effects = FrozenMap(
        {
            restock.key: OpenEffect(restock, AT, delivery),
            key: OpenEffect(refund_request, AT, delivery),
        }
    )
    unpaid = _received(opened, received, tuple(items), pending)
    store.ledgers[order.id] = ReturnLedger(
        order.id, revision=2, returns=(unpaid,), open_effects=effects, grants=grants
    )
    store.history[order.id].append(received)
    store.outstanding[order.id] = None

    store.inventory.restock(restock)
    answer = store.payments.refund(refund_request)
    assert isinstance(answer, RefundSucceeded)

    paid = Refund(
        key=key,
        payment_id=payment_id,
        amount=amount,
        status=RefundStatus.SUCCEEDED,
        requested_at=AT,
        reference=answer.reference,
        settled_at=AT,
        kind=kind,
    )
    moved = MoneyMoved(key, amount.amount, order.currency, Means.PAYMENT, kind)
    attempted = EffectsAttempted(
        header=_header(order, 3, moved=(moved,)),
        outcomes=(EffectOutcome(key=restock.key), EffectOutcome(key=key, refund=paid)),
    )
    after = _received(opened, received, unpaid.items, paid)
    store.ledgers[order.id] = ReturnLedger(order.id, revision=3, returns=(after,), grants=grants)
    store.history[order.id].append(attempted)
    del store.outstanding[order.id]
    return after


def _header(
    order: Order,
    revision: int,
    by: str | None = None,
    *,
    effects_due_at: datetime | None = None,
    grants: tuple[Grant, ...] = (),
    moved: tuple[MoneyMoved, ...] = (),
) -> EventHeader:
    return EventHeader(
        order_id=order.id,
        at=AT,
        subject_id=RETURN_ID,
        return_id=RETURN_ID,
        by=by,
        no_notification=order.no_notification,
        effects_due_at=effects_due_at,
        revision=revision,
        number=1,
        grants=grants,
        moved=moved,
    )


def _received(opened: Return, event: GoodsReceived, items: tuple[ReturnItem, ...], refund: Refund) -> Return:
    return Return(
        id=RETURN_ID,
        order_id=opened.order_id,
        display_id=opened.display_id,
        order_version=opened.order_version,
        status=ReturnStatus.RECEIVED,
        items=items,
        quoted_refund=opened.quoted_refund,
        entitlement=Entitlement(event.entitlement.entitled, refunds=(refund,)),
        terms=opened.terms,
        requested_at=opened.requested_at,
        updated_at=AT,
        location_id=opened.location_id,
        no_notification=opened.no_notification,
        created_by=opened.created_by,
        receipts=(event.receipt,),
        received_at=AT,
        metadata=opened.metadata,
    )


# The library and the floor side by side


@frozen
class Pair:
    """The library and its floor with the same data, prepared for one sample."""

    returns: InMemoryReturns
    inventory: InMemoryInventory
    payments: InMemoryPayments
    store: Store
    run_library: Run
    run_floor: Run


Prepare = Callable[[], Pair]


def request_pair(order: Order) -> Prepare:
    """Makes pairs that run `RequestReturn`."""
    command = request_of(order)

    def prepare() -> Pair:
        store = Store()
        floor = partial(request_on_the_floor, store, order, command)
        return _pair(order, command, store, floor)

    return prepare


def receive_pair(order: Order) -> Prepare:
    """Makes pairs that run `ReceiveReturn` on a return that is requested already."""
    command = receipt_of(order)
    requested = request_pair(order)()
    requested.run_library()
    ledger, history = requested.returns.load(order.id), requested.returns.history(order.id)

    def prepare() -> Pair:
        store = Store({order.id: ledger}, {order.id: list(history)}, {RETURN_ID: order.id})
        pair = _pair(order, command, store, partial(receive_on_the_floor, store, order, command))
        pair.returns.commit(Change(order.id, 0, ledger, history))
        return pair

    return prepare


def _pair(order: Order, command: RequestReturn | ReceiveReturn, store: Store, run_floor: Run) -> Pair:
    returns, inventory, payments = InMemoryReturns(), InMemoryInventory(), InMemoryPayments()
    service = in_memory_service(
        [order],
        returns=returns,
        inventory=inventory,
        payments=payments,
        clock=lambda: AT,
        ids=lambda: FRESH_ID,
    )
    return Pair(returns, inventory, payments, store, partial(service.handle, command), run_floor)


def check(pair: Pair, order: Order) -> None:
    """Checks that the library and the floor end with equal data."""
    assert pair.run_library() == pair.run_floor()
    store = pair.store
    assert pair.returns.load(order.id) == store.ledgers[order.id]
    assert pair.returns.history(order.id) == tuple(store.history[order.id])
    assert pair.returns.load_by_return(RETURN_ID).order_id == store.order_of[RETURN_ID]
    assert tuple(pair.returns.outstanding(AT, 10)) == tuple(store.outstanding)
    assert pair.inventory.restocks == store.inventory.restocks
    assert pair.inventory.on_hand == store.inventory.on_hand
    assert pair.payments.refunds == store.payments.refunds


@frozen
class Timing:
    """Medians over all pairs: microseconds of each side, and their ratio in one pair."""

    library: float
    floor: float
    ratio: float


def measure(prepare: Prepare, pairs: int) -> Timing:
    """Times the library and the floor in turns; the caller must disable the garbage collector."""
    library, floor = [], []
    for turn in range(pairs + pairs // 10):
        pair = prepare()
        if turn % 2:  # the first of a pair finds the caches cold
            library.append(_nanoseconds(pair.run_library))
            floor.append(_nanoseconds(pair.run_floor))
        else:
            floor.append(_nanoseconds(pair.run_floor))
            library.append(_nanoseconds(pair.run_library))
    library, floor = library[-pairs:], floor[-pairs:]  # the first pairs warm up
    return Timing(
        median(library) / 1000,
        median(floor) / 1000,
        median([mine / least for mine, least in zip(library, floor, strict=True)]),
    )


def measure_rules(pairs: int) -> Timing:
    """Medians over pairs of a request under ten rules and one under none, in turns."""
    order = evolve(order_of(10), tags=["shop"])
    command = request_of(order)
    last = ReturnRule(name="shop", when={"shop"}, window=Window(30))
    others = [ReturnRule(name=f"tag {number}", when={f"tag_{number}"}) for number in range(9)]
    policies = (ReturnPolicy(rules=[*others, last]), ReturnPolicy())
    taken: tuple[list[int], list[int]] = ([], [])
    for index in range(pairs + pairs // 10):
        for which in (0, 1) if index % 2 else (1, 0):
            service = in_memory_service(
                [order], policies=policies[which], clock=lambda: AT, ids=lambda: FRESH_ID
            )
            taken[which].append(_nanoseconds(partial(service.handle, command)))
    rules, none = taken[0][-pairs:], taken[1][-pairs:]
    ratio = median([mine / least for mine, least in zip(rules, none, strict=True)])
    return Timing(median(rules) / 1000, median(none) / 1000, ratio)


def _nanoseconds(run: Run) -> int:
    start = perf_counter_ns()
    kept = run()
    end = perf_counter_ns()
    del kept  # deleted here, because freeing it is not part of the work
    return end - start


def main() -> None:
    """Prints the table."""
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}")
    print(f"{'operation':<14} {'lines':>5} {'ours us':>10} {'floor us':>10} {'ratio':>6} {'us/line':>8}")
    gc.collect()
    gc.disable()
    for name, pair_of in (("RequestReturn", request_pair), ("ReceiveReturn", receive_pair)):
        for lines, pairs in PAIRS.items():
            order = order_of(lines)
            prepare = pair_of(order)
            check(prepare(), order)
            gc.collect()
            timing = measure(prepare, pairs)
            print(
                f"{name:<14} {lines:>5} {timing.library:>10.1f} {timing.floor:>10.1f} {timing.ratio:>6.2f}"
                f" {timing.library / lines:>8.2f}"
            )
    timing = measure_rules(PAIRS[10])
    print(f"{'+10 rules':<14} {10:>5} {timing.library:>10.1f} {timing.floor:>10.1f} {timing.ratio:>6.2f}")


if __name__ == "__main__":
    main()
