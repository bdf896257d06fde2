"""
Ports that record what really passed them, behind the faults that are injected before them.

Nothing is changed, except what a gateway answers about a refund that its faults left pending.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import cast

from attrs import Factory, frozen

from rma.adapters.memory import InMemoryInventory, InMemoryOrders
from rma.domain.change import Change
from rma.domain.events import Event, HistoryArchived
from rma.domain.messages.advance import OutOfStock, ReleaseReservationRequest, ReserveRequest
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    CreditRequest,
    DisposeRequest,
    PayoutRequest,
    RefundAnswer,
    RefundOutcome,
    RefundRequest,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    SendBackRequest,
    WithdrawRequest,
)
from rma.domain.messages.gateways import Gateway, Idempotent
from rma.domain.sale.order import Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.views.query import FoundSubject, ReturnQuery
from rma.ports import (
    CreditLookup,
    Credits,
    Disposal,
    EventPublisher,
    Fulfillment,
    Inventory,
    OrderRepository,
    Payments,
    PayoutLookup,
    Payouts,
    RefundLookup,
    Reservations,
    ReturnRepository,
    SendingBack,
    ShipmentLookup,
)
from rma.shell.host_transaction import declared_by
from rma.shell.redact import redacts
from rma.testing.fault_injection import SearchablePayments, disposes, is_searchable, reserves, sends_back
from rma.testing.gateway_model import GatewayModel


class RememberedOrders(InMemoryOrders):
    """Orders that are edited, and the most that was ever said of each line."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        super().__init__()
        self._most: dict[str, dict[str, int]] = {}
        for order in orders:
            self.put(order)

    def put(self, order: Order) -> None:
        """Adds the order, or replaces the one with its id."""
        super().put(order)
        most = self._most.setdefault(order.id, {})
        for item in order.items:
            units = item.fulfilled_quantity - item.returned_quantity
            most[item.id] = max(units, most.get(item.id, 0))

    def most_fulfilled(self, order_id: str) -> dict[str, int]:
        """By id of every line that the order ever had: the most units that the customer had without us."""
        return dict(self._most[order_id])


@frozen
class RecordingPayments:
    """A gateway whose requests and answers are recorded."""

    port: Payments
    gateway_model: GatewayModel
    orders: OrderRepository

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        """What the adapter declares by provider."""
        declared: Mapping[str, Gateway] = getattr(self.port, "gateways", {})
        return declared

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Written down."""
        self.gateway_model.record_request(request, self.orders.get(request.order_id))
        return _written(self.port.refund(request), request.key, self.gateway_model)


@frozen
class RecordingSearchablePayments(RecordingPayments):
    """The same, of a gateway that can be asked."""

    lookup: RefundLookup

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """As the model of the gateway has it."""
        return self.gateway_model.search(request.key, self.lookup.find_refund(request))


def recording_payments(
    port: Payments, gateway_model: GatewayModel, orders: OrderRepository
) -> RecordingPayments:
    """The adapter, recorded: with a look-up, if it has one."""
    if hasattr(port, "find_refund"):
        return RecordingSearchablePayments(port, gateway_model, orders, cast("SearchablePayments", port))
    return RecordingPayments(port, gateway_model, orders)


@frozen
class RecordingCredits:
    """Store credit whose requests and answers are recorded."""

    port: Credits
    gateway_model: GatewayModel
    orders: OrderRepository

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def give(self, request: CreditRequest) -> RefundAnswer:
        """Written down."""
        self.gateway_model.record_request(request, self.orders.get(request.order_id))
        return _written(self.port.give(request), request.key, self.gateway_model)


class RecordingSearchableCredits(RecordingCredits):
    """The same, of an adapter that can be asked."""

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """As the model has it."""
        found = cast("CreditLookup", self.port).find_credit(request)
        return self.gateway_model.search(request.key, found)


@frozen
class RecordingPayouts:
    """Payouts whose requests and answers are recorded."""

    port: Payouts
    gateway_model: GatewayModel
    orders: OrderRepository

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def pay(self, request: PayoutRequest) -> RefundAnswer:
        """Written down."""
        self.gateway_model.record_request(request, self.orders.get(request.order_id))
        return _written(self.port.pay(request), request.key, self.gateway_model)


class RecordingSearchablePayouts(RecordingPayouts):
    """The same, of an adapter that can be asked."""

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """As the model has it."""
        found = cast("PayoutLookup", self.port).find_payout(request)
        return self.gateway_model.search(request.key, found)


def recording_credits(
    port: Credits, gateway_model: GatewayModel, orders: OrderRepository
) -> RecordingCredits:
    """The adapter, recorded: with a look-up, if it has one."""
    kind = RecordingSearchableCredits if hasattr(port, "find_credit") else RecordingCredits
    return kind(port, gateway_model, orders)


def recording_payouts(
    port: Payouts, gateway_model: GatewayModel, orders: OrderRepository
) -> RecordingPayouts:
    """The adapter, recorded: with a look-up, if it has one."""
    kind = RecordingSearchablePayouts if hasattr(port, "find_payout") else RecordingPayouts
    return kind(port, gateway_model, orders)


def _written(answer: object, key: str, gateway_model: GatewayModel) -> RefundAnswer:
    if isinstance(answer, RefundOutcome):  # an adapter that is not typed may answer anything
        gateway_model.answers.setdefault(key, []).append(answer)
    return cast("RefundAnswer", answer)


class RecordingInventory:
    """
    Stock, and what went in and out of it, by key.

    Args:
        on_hand: how many units of an item are really there; without it, as many as passed the port.
    """

    def __init__(self, port: Inventory, on_hand: Callable[[str], int] | None = None) -> None:
        self.port = port
        self.moved: dict[str, RestockRequest | WithdrawRequest] = {}
        self.disposed: dict[str, DisposeRequest] = {}
        self.reserved: dict[str, list[OutOfStock | None]] = {}
        self.unreserved: dict[str, ReleaseReservationRequest] = {}
        self._on_hand = on_hand
        self._had: dict[str, int] = {}

    def restock(self, request: RestockRequest) -> None:
        """Written down once it is done."""
        self._look(request)
        self.port.restock(request)
        self.moved[request.key] = request

    def withdraw(self, request: WithdrawRequest) -> None:
        """Written down once it is done."""
        self._look(request)
        self.port.withdraw(request)
        self.moved[request.key] = request

    def held_because_of(self, order: Order) -> dict[str, int]:
        """How many units of each line are in stock because it was returned, while nothing is on its way."""
        moved: Counter[tuple[bool, str]] = Counter()
        for request in self.moved.values():
            sign = 1 if isinstance(request, RestockRequest) else -1
            for line in request.lines:
                moved[request.order_id == order.id, line.item_id] += sign * line.quantity
        if self._on_hand is None:
            return {item.id: moved[True, item.id] for item in order.items}
        really = {item_id: self._on_hand(item_id) - had for item_id, had in self._had.items()}
        return {item.id: really.get(item.id, 0) - moved[False, item.id] for item in order.items}

    def _look(self, request: RestockRequest | WithdrawRequest) -> None:
        if self._on_hand is not None:
            for line in request.lines:
                if line.item_id not in self._had:
                    self._had[line.item_id] = self._on_hand(line.item_id)


class RecordingDisposingInventory(RecordingInventory):
    """The same, of an adapter with a `dispose`."""

    def dispose(self, request: DisposeRequest) -> None:
        """Written down once it is done."""
        cast("Disposal", self.port).dispose(request)
        self.disposed[request.key] = request


class RecordingReservingInventory(RecordingInventory):
    """The same, of an adapter with a `reserve`."""

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        """Written down once it is answered."""
        answer = cast("Reservations", self.port).reserve(request)
        self.reserved.setdefault(request.key, []).append(answer)
        return answer

    def release_reservation(self, request: ReleaseReservationRequest) -> None:
        """Written down once it is done."""
        cast("Reservations", self.port).release_reservation(request)
        self.unreserved[request.key] = request


class RecordingReservingDisposingInventory(RecordingReservingInventory, RecordingDisposingInventory):
    """The same, of an adapter with both."""


def recording_inventory(port: Inventory, on_hand: Callable[[str], int] | None = None) -> RecordingInventory:
    """The adapter, recorded: with a `dispose` and a `reserve`, if it has them."""
    if reserves(port):
        both = RecordingReservingDisposingInventory
        return (both if disposes(port) else RecordingReservingInventory)(port, on_hand)
    kind = RecordingDisposingInventory if disposes(port) else RecordingInventory
    return kind(port, on_hand)


@frozen
class RecordingFulfillment:
    """A carrier, what it answered under each key, the goods it was given, and what it canceled."""

    port: Fulfillment
    answers: dict[str, list[ReturnShipment | ReplacementShipment | OutOfStock]] = Factory(dict)
    replacements: dict[str, ReplacementRequest] = Factory(dict)
    cancellations: dict[str, CancelShipmentRequest] = Factory(dict)
    sent_back: dict[str, SendBackRequest] = Factory(dict)

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Written down."""
        answer = self.port.book_return(request)
        self.answers.setdefault(request.key, []).append(answer)
        return answer

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Written down once it is done."""
        self.port.cancel_return(request)
        self.cancellations[request.key] = request

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment | OutOfStock:
        """Written down."""
        answer = self.port.ship_replacement(request)
        self.answers.setdefault(request.key, []).append(answer)
        self.replacements[request.key] = request
        return answer


class RecordingSearchableFulfillment(RecordingFulfillment):
    """The same, of a carrier that can be asked."""

    def find_shipment(self, key: str) -> ReturnShipment | ReplacementShipment | None:
        """As it is; what is found is not a second booking."""
        return cast("ShipmentLookup", self.port).find_shipment(key)


class RecordingSendingBack(RecordingFulfillment):
    """The same, of a carrier that sends inspected goods back."""

    def send_back(self, request: SendBackRequest) -> None:
        """Written down once it is done."""
        cast("SendingBack", self.port).send_back(request)
        self.sent_back[request.key] = request


class RecordingSearchableSendingBack(RecordingSearchableFulfillment, RecordingSendingBack):
    """The same, of a carrier that can be asked, too."""


def recording_fulfillment(port: Fulfillment) -> RecordingFulfillment:
    """The adapter, recorded: with a look-up and a `send_back`, if it has them."""
    if sends_back(port):
        kind = RecordingSearchableSendingBack if is_searchable(port) else RecordingSendingBack
        return kind(port)
    return RecordingSearchableFulfillment(port) if is_searchable(port) else RecordingFulfillment(port)


@frozen
class RecordingEvents:
    """A publisher, and what it took, in the order in which it first did."""

    port: EventPublisher
    taken: dict[str, Event] = Factory(dict)

    def publish(self, event_id: str, event: Event) -> None:
        """Written down once it is taken."""
        self.port.publish(event_id, event)
        self.taken.setdefault(event_id, event)


class RecordingReturns:
    """
    A store, and what it said it has stored for these orders.

    Attributes:
        ledgers, events: the last one, and all of them.
        archived: the events that were removed because an order was over, oldest first.
        stale: revisions that changes expected and that were not there; the store took them all the same.
    """

    def __init__(self, port: ReturnRepository, order_ids: Iterable[str]) -> None:
        self.port = port
        self.ledgers = {order_id: port.load(order_id) for order_id in order_ids}
        self.events = {order_id: port.history(order_id) for order_id in self.ledgers}
        self.archived: dict[str, tuple[Event, ...]] = dict.fromkeys(self.ledgers, ())
        self.stale: dict[str, list[int]] = {order_id: [] for order_id in self.ledgers}

    def load(self, order_id: str) -> ReturnLedger:
        """As it is."""
        return self.port.load(order_id)

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """As it is."""
        return self.port.load_by_return(return_id)

    def commit(self, change: Change) -> None:
        """Written down once it is stored."""
        self.port.commit(change)
        if change.events:
            if change.expected_revision != self.ledgers[change.order_id].revision:
                self.stale[change.order_id].append(change.expected_revision)
            self.ledgers[change.order_id] = change.ledger
            before = self.events[change.order_id]
            gone = frozenset(change.superseded)
            kept = [each for each in before if (each.revision, each.number) not in gone]
            if any(isinstance(each, HistoryArchived) for each in change.events):
                removed = [each for each in before if (each.revision, each.number) in gone]
                self.archived[change.order_id] += tuple(removed)
            self.events[change.order_id] = (*kept, *change.events)

    def redact(self, change: Change, history: tuple[Event, ...]) -> None:
        """Written down once it is stored."""
        redacts(self.port)(change, history)
        if change.expected_revision != self.ledgers[change.order_id].revision:
            self.stale[change.order_id].append(change.expected_revision)
        self.ledgers[change.order_id] = change.ledger
        self.events[change.order_id] = history

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """As it is."""
        return self.port.outstanding(now, limit, unpublished=unpublished)

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """As it is."""
        return self.port.waiting(before, limit)

    def find(self, query: ReturnQuery) -> tuple[FoundSubject, ...]:
        """As it is."""
        return self.port.find(query)

    def count(self, query: ReturnQuery) -> int:
        """As it is."""
        return self.port.count(query)

    def history(self, order_id: str) -> tuple[Event, ...]:
        """As it is."""
        return self.port.history(order_id)

    def in_host_transaction(self) -> bool:
        """As the port declares."""
        return declared_by(self.port) is True


def counted(inventory: InMemoryInventory) -> Callable[[str], int]:
    """How many units of an item it holds, at all locations."""
    return lambda item_id: sum(
        units for (_, each_id), units in inventory.on_hand.items() if each_id == item_id
    )
