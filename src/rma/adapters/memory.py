"""
Implements the ports in memory, for tests and for a first look. Everything is lost with the process.

These adapters keep every promise of the ports. Repositories refuse stale commits and store all of a change
or nothing; ports with effects keep the first answer for a key and refuse another request with that key.
Each adapter keeps the requests it received, by key, for assertions. All are thread-safe.
"""

import threading
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain, islice

from rma.adapters.memory_advance import InMemoryHolds, InMemoryReservations
from rma.adapters.memory_keys import KeyReusedError, is_new
from rma.domain.change import Change
from rma.domain.decide.facts import HostRule
from rma.domain.events import Event
from rma.domain.messages.advance import OutOfStock
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    CreditRequest,
    DisposeRequest,
    PayoutRequest,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    SendBackRequest,
    WithdrawRequest,
)
from rma.domain.messages.timing import DEFAULT_TIMING, Timing
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger, Subject, SubjectKind
from rma.domain.values.errors import InvalidValue, NotFound, stale_ledger
from rma.domain.views.query import ReturnQuery, SortKey, sort_key
from rma.observing import LoggingObserver, Observer
from rma.ports import (
    Clock,
    Credits,
    EventPublisher,
    Fulfillment,
    Holds,
    IdFactory,
    Inventory,
    OrderRepository,
    Pause,
    Payments,
    Payouts,
    PolicyProvider,
    ReturnReasonRepository,
    ReturnRepository,
    ShippingOptionRepository,
)
from rma.service import ReturnService
from rma.shell.construction import pause, utc_now

__all__ = [
    "InMemoryCredits",
    "InMemoryEvents",
    "InMemoryFulfillment",
    "InMemoryHolds",
    "InMemoryInventory",
    "InMemoryOrders",
    "InMemoryPayments",
    "InMemoryPayouts",
    "InMemoryReservingInventory",
    "InMemoryReturnReasons",
    "InMemoryReturns",
    "InMemoryShippingOptions",
    "KeyReusedError",
    "in_memory_service",
]


class InMemoryOrders:
    """Orders of the host; call `put` again to change one."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._orders = {order.id: order for order in orders}

    def get(self, order_id: str) -> Order:
        """Returns the order as it was last put."""
        try:
            return self._orders[order_id]
        except KeyError:
            raise NotFound("order_not_found", {"order_id": order_id}) from None

    def put(self, order: Order) -> None:
        """Adds the order, or replaces the one with its id."""
        self._orders[order.id] = order


class InMemoryShippingOptions:
    """Shipping options of the host."""

    def __init__(self, options: Iterable[ShippingOption] = ()) -> None:
        self._options = {option.id: option for option in options}

    def get(self, option_id: str) -> ShippingOption:
        """Returns the option with this id."""
        try:
            return self._options[option_id]
        except KeyError:
            raise NotFound("shipping_option_not_found", {"shipping_option_id": option_id}) from None


class InMemoryReturnReasons:
    """The host's catalogue of reasons."""

    def __init__(self, reasons: Iterable[ReturnReason] = ()) -> None:
        self._reasons = tuple(reasons)

    def list(self) -> tuple[ReturnReason, ...]:
        """Returns all reasons, retired ones too."""
        return self._reasons


class InMemoryReturns:
    """Ledgers in a dict. They are immutable, so a commit is one assignment: none can be half stored."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ledgers: dict[str, ReturnLedger] = {}
        self._order_of: dict[str, str] = {}
        self._sort_keys: list[SortKey] = []  # of all returns, exchanges and claims, in order
        self._history: dict[str, list[Event]] = {}
        self._waiting: dict[str, datetime] = {}  # by order, when its oldest open effect was opened
        self._due: dict[str, datetime] = {}
        self._unpublished: dict[str, datetime] = {}  # by order, since when events were not published

    def load(self, order_id: str) -> ReturnLedger:
        """Returns the ledger as it was last committed, or an empty one."""
        return self._ledgers.get(order_id) or ReturnLedger(order_id)

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """Returns the ledger that contains this return, exchange or claim."""
        try:
            return self._ledgers[self._order_of[return_id]]
        except KeyError:
            raise NotFound("return_not_found", {"return_id": return_id}) from None

    def commit(self, change: Change) -> None:
        """Stores the change, or refuses it as stale."""
        if not change.events:
            return
        order_id = change.order_id
        with self._lock:
            self._require_current(change)
            ledger = change.ledger
            new = [each for each in _subjects(ledger) if self._order_of.get(each.id) != order_id]
            for each in new:
                if each.id in self._order_of:
                    raise InvalidValue("id_not_fresh", {"return_id": each.id})
            for each in new:
                self._order_of[each.id] = order_id
                insort(self._sort_keys, sort_key(each))
            self._ledgers[order_id] = change.ledger
            self._add_to_history(change)
            self._index(ledger, change.events[0].at if change.awaits_publication else None)

    def redact(self, change: Change, history: tuple[Event, ...]) -> None:
        """Stores the change with this history in the place of all events, or refuses it as stale."""
        with self._lock:
            self._require_current(change)
            self._ledgers[change.order_id] = change.ledger
            self._history[change.order_id] = list(history)
            self._index(change.ledger, change.events[0].at if change.awaits_publication else None)

    def _require_current(self, change: Change) -> None:
        stored = self.load(change.order_id).revision
        if stored != change.expected_revision:
            raise stale_ledger(change.order_id, change.expected_revision, stored)

    def replace(self, ledger: ReturnLedger, unpublished_since: datetime | None) -> None:
        """Stores a ledger that was rebuilt from its history, in the place of the one that is stored."""
        order_id = ledger.order_id
        with self._lock:
            history = self._history.get(order_id, ())
            found = history[-1].revision if history else 0
            if found != ledger.revision:
                raise stale_ledger(order_id, ledger.revision, found)
            for each in _subjects(self.load(order_id)):
                self._order_of.pop(each.id, None)
            self._sort_keys = [key for key in self._sort_keys if key[1] != order_id]
            for each in _subjects(ledger):
                self._order_of[each.id] = order_id
                insort(self._sort_keys, sort_key(each))
            self._ledgers[order_id] = ledger
            self._index(ledger, unpublished_since)

    def _add_to_history(self, change: Change) -> None:
        history = self._history.setdefault(change.order_id, [])
        if change.superseded:
            gone = set(change.superseded)
            history[:] = [each for each in history if (each.revision, each.number) not in gone]
        history.extend(change.events)

    def _index(self, ledger: ReturnLedger, since: datetime | None) -> None:
        """Notes what is outstanding, and since when: `since` then, if its events are to be published."""
        order_id = ledger.order_id
        self._waiting.pop(order_id, None)
        self._due.pop(order_id, None)
        if effects := ledger.open_effects:
            self._waiting[order_id] = min([effect.opened_at for effect in effects.values()])
        if (due_at := ledger.due_at) is not None:
            self._due[order_id] = due_at
        if ledger.published == ledger.revision:
            self._unpublished.pop(order_id, None)
        elif since is not None:
            self._unpublished.setdefault(order_id, since)

    def note_unpublished(self, now: datetime) -> int:
        """
        Notes every order with unpublished events, so that `outstanding` names it; returns how many it added.

        For a host that has a publisher from now on.
        """
        with self._lock:
            behind = [
                order_id
                for order_id, ledger in self._ledgers.items()
                if ledger.published < ledger.revision and order_id not in self._unpublished
            ]
            self._unpublished.update(dict.fromkeys(behind, now))
        return len(behind)

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Returns ids of orders with due effects or unpublished events, the first due in front."""
        with self._lock:
            due = {order_id: due_at for order_id, due_at in self._due.items() if due_at <= now}
            found = _longest_first(due) + _longest_first(self._unpublished) * unpublished
        return tuple(islice(dict.fromkeys(found), limit))

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """Returns ids of orders with an effect that was opened by then and is open, the oldest first."""
        with self._lock:
            found = {each: since for each, since in self._waiting.items() if since <= before}
            return tuple(_longest_first(found)[:limit])

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Returns a page of returns, exchanges and claims, in the order in which they were requested."""
        with self._lock:
            last = None
            if query.after is not None:
                last = sort_key(self.load_by_return(query.after).subject(query.after))
            if query.orders is not None:
                return query.page(self._of(query.orders), last)
            return query.cut(filter(query.accepts, map(self._at, self._after(query, last))))

    def count(self, query: ReturnQuery) -> int:
        """Returns how many the query asks for."""
        with self._lock:
            known = map(self._at, self._sort_keys) if query.orders is None else self._of(query.orders)
            return sum(map(query.accepts, known))

    def _of(self, order_ids: Iterable[str]) -> Iterable[Subject]:
        return chain.from_iterable(_subjects(self.load(order_id)) for order_id in order_ids)

    def _at(self, key: SortKey) -> Subject:
        _, order_id, number, kind = key
        return self._ledgers[order_id].subjects(SubjectKind(kind))[number - 1]

    def _after(self, query: ReturnQuery, last: SortKey | None) -> Iterable[SortKey]:
        start, end = 0, len(self._sort_keys)
        if last is not None:
            if query.newest_first:
                end = bisect_left(self._sort_keys, last)
            else:
                start = bisect_right(self._sort_keys, last)
        indexes = range(start, end)
        return (self._sort_keys[index] for index in (reversed(indexes) if query.newest_first else indexes))

    def history(self, order_id: str) -> tuple[Event, ...]:
        """Returns every event of the order, oldest first."""
        with self._lock:
            return tuple(self._history.get(order_id, ()))


class InMemoryPayments:
    """
    A gateway that keeps the first answer for each key.

    Args:
        answer: returns the outcome of a request with a new key, or raises, like a gateway that cannot be
            reached. By default every refund succeeds.
    """

    def __init__(self, answer: Callable[[RefundRequest], RefundOutcome] | None = None) -> None:
        self.refunds: dict[str, RefundRequest] = {}
        self.answer = answer or (lambda request: RefundSucceeded(reference=f"re_{request.key}"))
        self._outcomes: dict[str, RefundOutcome] = {}
        self._lock = threading.RLock()  # `answer` may call `refund` again

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Returns the first answer for this key."""
        with self._lock:
            if is_new(self.refunds, request.key, request):
                self._outcomes[request.key] = self.answer(request)
                self.refunds[request.key] = request
            return self._outcomes[request.key]


class InMemoryCredits:
    """
    Store credit, given once for each key: `balances` has the total by who has it.

    Args:
        answer: as for `InMemoryPayments`; credit is given where it says that it succeeded.
    """

    def __init__(self, answer: Callable[[CreditRequest], RefundOutcome] | None = None) -> None:
        self.given: dict[str, CreditRequest] = {}
        self.balances: Counter[str | None] = Counter()
        self.answer = answer or (lambda request: RefundSucceeded(reference=f"credit_{request.key}"))
        self._outcomes: dict[str, RefundOutcome] = {}
        self._lock = threading.RLock()

    def give(self, request: CreditRequest) -> RefundOutcome:
        """Returns the first answer for this key."""
        with self._lock:
            if is_new(self.given, request.key, request):
                self._outcomes[request.key] = self.answer(request)
                self.given[request.key] = request
                if isinstance(self._outcomes[request.key], RefundSucceeded):
                    has_it = request.customer_id if request.payee is None else request.payee
                    self.balances[has_it] += request.total.amount
            return self._outcomes[request.key]


class InMemoryPayouts:
    """
    Payouts, made once for each key.

    Args:
        answer: as for `InMemoryPayments`.
    """

    def __init__(self, answer: Callable[[PayoutRequest], RefundOutcome] | None = None) -> None:
        self.paid: dict[str, PayoutRequest] = {}
        self.answer = answer or (lambda request: RefundSucceeded(reference=f"payout_{request.key}"))
        self._outcomes: dict[str, RefundOutcome] = {}
        self._lock = threading.RLock()

    def pay(self, request: PayoutRequest) -> RefundOutcome:
        """Returns the first answer for this key."""
        with self._lock:
            if is_new(self.paid, request.key, request):
                self._outcomes[request.key] = self.answer(request)
                self.paid[request.key] = request
            return self._outcomes[request.key]


class InMemoryInventory:
    """Stock. `on_hand` is restocked less withdrawn units, by location and item id."""

    def __init__(self) -> None:
        self.restocks: dict[str, RestockRequest] = {}
        self.withdrawals: dict[str, WithdrawRequest] = {}
        self.disposals: dict[str, DisposeRequest] = {}
        self.on_hand: Counter[tuple[str | None, str]] = Counter()
        self._lock = threading.Lock()

    def restock(self, request: RestockRequest) -> None:
        """Adds the units, once for each key."""
        with self._lock:
            if is_new(self.restocks, request.key, request):
                self.restocks[request.key] = request
                for line in request.lines:
                    self.on_hand[request.location_id, line.item_id] += line.quantity

    def withdraw(self, request: WithdrawRequest) -> None:
        """Removes the units, once for each key."""
        with self._lock:
            if is_new(self.withdrawals, request.key, request):
                self.withdrawals[request.key] = request
                for line in request.lines:
                    self.on_hand[request.location_id, line.item_id] -= line.quantity

    def dispose(self, request: DisposeRequest) -> None:
        """Keeps the request, once for each key; stock does not change."""
        with self._lock:
            if is_new(self.disposals, request.key, request):
                self.disposals[request.key] = request


class InMemoryReservingInventory(InMemoryReservations, InMemoryInventory):
    """
    Stock that keeps new goods for exchanges until they are sent.

    Args:
        available: how many units of each variant there are; of one that is not named, enough.
    """


class InMemoryFulfillment:
    """
    A carrier that books everything, and sends all new goods but those that are `out_of_stock`.

    Args:
        out_of_stock: the ids of variants.
    """

    def __init__(self, out_of_stock: Iterable[str] = ()) -> None:
        self.out_of_stock = set(out_of_stock)
        self._refused: dict[str, OutOfStock] = {}
        self.shipments: dict[str, ReturnShipmentRequest] = {}
        self.cancellations: dict[str, CancelShipmentRequest] = {}
        self.replacements: dict[str, ReplacementRequest] = {}
        self.sent_back: dict[str, SendBackRequest] = {}
        self._lock = threading.Lock()

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Returns a booking whose data contain the key; a repeated key gets the same booking."""
        with self._lock:
            if is_new(self.shipments, request.key, request):
                self.shipments[request.key] = request
        tracking = f"TRACK-{request.key}"
        return ReturnShipment({"shipment": request.key}, tracking, f"https://carrier.example/{tracking}")

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Cancels the booking, once for each key."""
        with self._lock:
            if is_new(self.cancellations, request.key, request):
                self.cancellations[request.key] = request

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment | OutOfStock:
        """Returns a shipment whose data contain the key; a repeated key gets the same answer."""
        with self._lock:
            if is_new(self.replacements, request.key, request):
                missing = [each for each in request.new_items if each.variant_id in self.out_of_stock]
                if missing:
                    self._refused[request.key] = OutOfStock(f"no {missing[0].variant_id}")
                self.replacements[request.key] = request
            if refused := self._refused.get(request.key):
                return refused
        tracking = f"TRACK-{request.key}"
        return ReplacementShipment({"shipment": request.key}, tracking, f"https://carrier.example/{tracking}")

    def send_back(self, request: SendBackRequest) -> None:
        """Sends the units, once for each key."""
        with self._lock:
            if is_new(self.sent_back, request.key, request):
                self.sent_back[request.key] = request


class InMemoryEvents:
    """Keeps published events by id; publishing one again changes nothing."""

    def __init__(self) -> None:
        self.published: dict[str, Event] = {}

    def publish(self, event_id: str, event: Event) -> None:
        """Keeps the event."""
        self.published.setdefault(event_id, event)


def in_memory_service(
    orders: Iterable[Order] | OrderRepository = (),
    reasons: Iterable[ReturnReason] | ReturnReasonRepository = (),
    shipping_options: Iterable[ShippingOption] | ShippingOptionRepository = (),
    *,
    returns: ReturnRepository | None = None,
    inventory: Inventory | None = None,
    payments: Payments | None = None,
    fulfillment: Fulfillment | None = None,
    policies: PolicyProvider | ReturnPolicy = ReturnPolicy(),
    events: EventPublisher | None = None,
    clock: Clock = utc_now,
    ids: IdFactory | None = None,
    timing: Timing = DEFAULT_TIMING,
    observer: Observer | None = None,
    pause: Pause = pause,
    host_rules: Iterable[HostRule] = (),
    credits: Credits | None = None,  # noqa: A002 # as the service calls it
    payouts: Payouts | None = None,
    holds: Holds | None = None,
) -> ReturnService:
    """
    Builds a complete service in memory; pass values, or your own port in place of any of them.

    >>> from rma import LineItem, Order, RequestedItem, RequestReturn
    >>> from rma.adapters.memory import in_memory_service
    >>> mug = LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=8000)
    >>> service = in_memory_service([Order(id="order_1", currency="usd", items=[mug])])
    >>> items = [RequestedItem(item_id="mug", quantity=1)]
    >>> str(service.handle(RequestReturn(order_id="order_1", items=items)).refund_amount)
    '80.00 USD'
    """
    return ReturnService(
        orders=InMemoryOrders(orders) if isinstance(orders, Iterable) else orders,
        returns=InMemoryReturns() if returns is None else returns,
        inventory=InMemoryInventory() if inventory is None else inventory,
        payments=InMemoryPayments() if payments is None else payments,
        fulfillment=InMemoryFulfillment() if fulfillment is None else fulfillment,
        shipping_options=(
            InMemoryShippingOptions(shipping_options)
            if isinstance(shipping_options, Iterable)
            else shipping_options
        ),
        return_reasons=InMemoryReturnReasons(reasons) if isinstance(reasons, Iterable) else reasons,
        policies=policies,
        events=events,
        clock=clock,
        ids=ids,
        timing=timing,
        observer=LoggingObserver() if observer is None else observer,
        host_rules=tuple(host_rules),
        pause=pause,
        credits=InMemoryCredits() if credits is None else credits,
        payouts=InMemoryPayouts() if payouts is None else payouts,
        holds=InMemoryHolds() if holds is None else holds,
    )


def _subjects(ledger: ReturnLedger) -> tuple[Subject, ...]:
    return (*ledger.returns, *ledger.exchanges, *ledger.claims)


def _longest_first(waiting: dict[str, datetime]) -> list[str]:
    return sorted(waiting, key=lambda order_id: (waiting[order_id], order_id))
