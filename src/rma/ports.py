"""
What the library needs from its host: Protocols only, so that no host class has to inherit from ours.

For every port: requests carry a `key`. A key that is repeated must have no second effect and give the
first answer. Outcomes that a gateway reports are values; an exception means that it is unknown whether it
acted, and the same key is sent again later.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from rma.domain.change import Change
from rma.domain.events import Event
from rma.domain.messages.advance import (
    ChargeAnswer,
    ChargeOutcome,
    ChargeRequest,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
)
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
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.domain.views.differences import Difference
from rma.domain.views.query import FoundSubject, ReturnQuery


class OrderRepository(Protocol):
    """The host's orders, read only."""

    def get(self, order_id: str) -> Order:
        """
        The order as it is now.

        Raises:
            NotFound: `NotFound("order_not_found", {"order_id": order_id})`.
            Unavailable: it cannot be read now; the command changes nothing.
        """
        ...


class ShippingOptionRepository(Protocol):
    """The ways of sending goods that the host offers."""

    def get(self, option_id: str) -> ShippingOption:
        """
        The option, for returns or not; which it is, the library judges.

        Raises:
            NotFound: `NotFound("shipping_option_not_found", {"shipping_option_id": option_id})`.
            Unavailable: it cannot be read now.
        """
        ...


class ReturnReasonRepository(Protocol):
    """The catalogue of return reasons: small, a tree by `parent_id`."""

    def list(self) -> tuple[ReturnReason, ...]:
        """
        All reasons, categories and retired ones too.

        Raises:
            Unavailable: it cannot be read now.
        """
        ...


class ReturnRepository(Protocol):
    """The ledgers, one an order, and their history."""

    def load(self, order_id: str) -> ReturnLedger:
        """
        The ledger as last committed; an empty one at revision 0 for an order without returns.

        Raises:
            Unavailable: it cannot be read now.
        """
        ...

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """
        The ledger that holds this return, or the exchange or claim of this id.

        Raises:
            NotFound: `NotFound("return_not_found", {"return_id": return_id})`.
            Unavailable: it cannot be read now.
        """
        ...

    def commit(self, change: Change) -> None:
        """
        Store ledger, events and effects of the change, all or nothing; nothing if it has no events.

        Raises:
            StaleLedger: the stored revision is not `change.expected_revision`; nothing was stored.
            Unavailable: the store failed; nothing was stored, unless the answer to the commit was lost on
                its way. A command that is then repeated under its idempotency key is done once all the
                same; one without a key is done again.
        """
        ...

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """
        Ids of at most `limit` orders with open effects that are due, those that were due first in front.

        Args:
            now: aware.
            limit: at least 1.
            unpublished: also orders with events that no publisher took yet, from the first change that
                awaited it (`Change.awaits_publication`) until all are published.
        """
        ...

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """
        Ids of at most `limit` orders with an effect that was opened by then and is open, the oldest first.

        Args:
            before: aware.
            limit: at least 1.
        """
        ...

    def find(self, query: ReturnQuery) -> tuple[FoundSubject, ...]:
        """
        The returns, exchanges and claims that the query asks for, by `rma.domain.views.query.sort_key`.

        One that cannot be read is an `UnreadableSubject` in its place, or behind the others if `order_ids`
        were given, so that it does not hide them.

        Raises:
            NotFound: `NotFound("return_not_found", {"return_id": query.after})`: there is no such place.
            Unavailable: it cannot be read now; of an `order_id`, something cannot be read.
        """
        ...

    def count(self, query: ReturnQuery) -> int:
        """
        How many `query.accepts`: all of them, whatever its `after`, `offset` and `limit`.

        Raises:
            Unavailable: it cannot be read now.
        """
        ...

    def history(self, order_id: str) -> tuple[Event, ...]:
        """Everything that happened to this order's returns, oldest first."""
        ...


class BoundReturns(ReturnRepository, Protocol):
    """
    A `ReturnRepository` that writes in a transaction of the host, and says so.

    Over such a repository `handle` decides and stores only, and `resume` refuses: no port acts for a change
    that the host can still roll back. What was committed is delivered by a service over the same store
    outside of the transaction. A repository that wraps another passes the declaration on.
    """

    def in_host_transaction(self) -> bool:
        """
        True as long as the host has yet to commit what `commit` stored; a repository without this method
        commits by itself.

        Asked after each commit; answers at once, without asking the store, and raises nothing.
        """
        ...


class BindableReturns(ReturnRepository, Protocol):
    """What a `ReturnRepository` has besides that `ReturnService.in_transaction` can bind."""

    def in_transaction(self, connection: Any) -> BoundReturns:
        """
        The same ledgers, read and written in the transaction of the host on this connection.

        Args:
            connection: what the repository calls one: a connection or session in which the host has begun.

        Raises:
            InvalidValue: the connection cannot roll back.
        """
        ...


class RepairableReturns(ReturnRepository, Protocol):
    """What a `ReturnRepository` has besides whose ledgers `ReturnService.rebuild` can put right."""

    def compare(self, ledger: ReturnLedger) -> tuple[Difference, ...]:
        """
        In what everything that is stored of this order, indexes included, differs from this ledger.

        What cannot be read differs. A repository without this method is compared by `load`.

        Raises:
            Unavailable: the store cannot answer now.
        """
        ...

    def replace(self, ledger: ReturnLedger, unpublished_since: datetime | None) -> None:
        """
        Store this ledger in the place of all that is stored of its order but the events, all or nothing.

        Args:
            ledger: what the order's history rebuilds.
            unpublished_since: when the first event was recorded that is not published; None if all are.

        Raises:
            StaleLedger: the last stored event is not of this ledger's revision; nothing was stored.
            Unavailable: the store failed; nothing was stored.
        """
        ...


class RedactableReturns(ReturnRepository, Protocol):
    """What a `ReturnRepository` has besides whose orders `ReturnService.redact` can redact."""

    def redact(self, change: Change, history: tuple[Event, ...]) -> None:
        """
        Store ledger and events of the change, with this history in the place of all events, all or nothing.

        Everything else that the repository has stored of the order is made of this ledger, too: rows of its
        returns, exchanges and claims, indexes, copies.

        Args:
            change: as of `commit`; it has one event, the last of the history.
            history: every event of the order as it is from now on, oldest first. Each is in the place, by
                revision and number, of one that is stored.

        Raises:
            StaleLedger: the stored revision is not `change.expected_revision`; nothing was stored.
            Unavailable: the store failed; nothing was stored, unless the answer to the commit was lost.
        """
        ...


class Payments(Protocol):
    """
    Gives captured money back.

    An adapter may declare what its gateway promises about repeats, as an attribute `gateway`: `Idempotent`,
    `Searchable` (then it is a `RefundLookup` too) or `NotIdempotent`. If it declares nothing: `Idempotent()`.
    One that serves several gateways declares `gateways`, a mapping from `RefundRequest.provider_id` to the
    same classes; `gateway` is then for providers that are not in it.
    """

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """
        Refund this amount of this payment, once for its key.

        Returns:
            `RefundSucceeded`, `RefundPending` (the gateway took it and will tell), or `RefundDeclined`:
            the gateway refused definitely and no money moved. `RefundNotSent`: the gateway could not be
            reached at all, so that nothing was sent. Never return one of these two for a time-out.
        """
        ...


class RefundLookup(Protocol):
    """What a payments adapter has besides, whose gateway can be asked: see `rma.domain.messages.gateways`."""

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """
        The outcome of the refund of this request, by its key; None if the gateway does not know of any.

        None means that it was never made, and it is then made: for a gateway that cannot be asked, raise.
        """
        ...


class Credits(Protocol):
    """
    Gives credit at the shop; the host keeps the balances. It declares a `gateway` as `Payments` do, for
    `Searchable` with a `CreditLookup`.
    """

    def give(self, request: CreditRequest) -> RefundAnswer:
        """
        Give `request.total` as credit to the payee, or else to the customer, once for the key.

        Returns:
            As `Payments.refund`.
        """
        ...


class CreditLookup(Protocol):
    """What an adapter of `Credits` has besides that can be asked what became of a request."""

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """As `RefundLookup.find_refund`."""
        ...


class Payouts(Protocol):
    """
    Pays customers by other ways than their payments, such as a bank transfer. It declares a `gateway` as
    `Payments` do, for `Searchable` with a `PayoutLookup`.
    """

    def pay(self, request: PayoutRequest) -> RefundAnswer:
        """
        Pay this amount, once for the key.

        Returns:
            As `Payments.refund`.
        """
        ...


class PayoutLookup(Protocol):
    """What an adapter of `Payouts` has besides that can be asked what became of a request."""

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """As `RefundLookup.find_refund`."""
        ...


class Holds(Protocol):
    """
    Takes from holds, or gives them back, where new goods of an exchange are sent before the others are here.

    The host takes the hold itself, before it asks for the exchange. An adapter may declare what its gateway
    promises about repeats of a charge, as an attribute `gateway` with the classes of payments: `Searchable`
    with a `ChargeLookup`. If it declares nothing: `Idempotent()`.
    """

    def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """
        Take this much of the hold, once for the key; the rest of it is given back.

        Returns:
            `ChargeSucceeded`, `ChargePending` (the gateway took it and will tell), or `ChargeDeclined`: the
            gateway refused definitely and nothing was taken. `ChargeNotSent`: the gateway could not be
            reached at all, so that nothing was sent. Never return one of these two for a time-out.
        """
        ...

    def release(self, request: ReleaseRequest) -> None:
        """Give the hold back, once for the key; one that ended, or is gone already, is released."""
        ...


class ChargeLookup(Protocol):
    """What an adapter of holds has besides, whose gateway can be asked."""

    def find_charge(self, key: str) -> ChargeOutcome | None:
        """The outcome of the charge of this key; None if the gateway does not know of any."""
        ...


class ShipmentLookup(Protocol):
    """What a fulfillment adapter has besides, whose carrier can be asked for a booking or shipment by key."""

    def find_shipment(self, key: str) -> ReturnShipment | ReplacementShipment | None:
        """What was booked or sent under this key; None if the carrier does not know of anything."""
        ...


class Inventory(Protocol):
    """Stock of goods that can be sold."""

    def restock(self, request: RestockRequest) -> None:
        """Add these units at this location, once for the key."""
        ...

    def withdraw(self, request: WithdrawRequest) -> None:
        """
        Take these units out again, once for the key: they go back to the customer, or `is_correction`.
        """
        ...


class Disposal(Protocol):
    """What an inventory adapter has besides, whose units can go elsewhere than to stock by an inspection."""

    def dispose(self, request: DisposeRequest) -> None:
        """Bring these units where the disposition says, once for the key; they were not in stock."""
        ...


class Reservations(Protocol):
    """What an inventory adapter has besides, that keeps new goods for an exchange until they are sent."""

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        """
        Keep all of these units, once for the key; they are taken when they are sent under this key.

        Returns:
            None if they are kept; `OutOfStock` if they cannot be, and none of them is.
        """
        ...

    def release_reservation(self, request: ReleaseReservationRequest) -> None:
        """Keep these units no longer, once for the key; also if they never were, or were sent."""
        ...


class Fulfillment(Protocol):
    """
    Carriers that bring goods back, and new ones to the customer.

    An adapter may declare what its carrier promises about repeats, as an attribute `gateway` with the classes
    of payments; most carriers know no keys: `NotIdempotent`, or `Searchable` with a `ShipmentLookup`. If it
    declares nothing: `Idempotent()`.
    """

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Book the way back, once for the key; answers label, tracking and whatever the carrier says."""
        ...

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Cancel the booking of `shipment_key`, once for the key; one that is gone already is canceled."""
        ...

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment | OutOfStock:
        """
        Send new goods to the customer, once for the key; for exchanges and claims only.

        Returns:
            what the carrier answered; `OutOfStock` if there are none, definitely: nothing was sent and
            nothing will be under this key.
        """
        ...


class SendingBack(Protocol):
    """What a fulfillment adapter has besides, whose carrier can bring inspected units to the customer."""

    def send_back(self, request: SendBackRequest) -> None:
        """Send these units to the customer, once for the key."""
        ...


class EventPublisher(Protocol):
    """Tells the rest of the host what happened."""

    def publish(self, event_id: str, event: Event) -> None:
        """
        Hand the event on. Called at least once for each, in order within an order; a receiver
        knows a repeat by its id. An exception means: not taken, again later.
        """
        ...


#: The present moment, aware.
Clock = Callable[[], datetime]
#: A string that was never given before, 1 to 26 of the characters `A-Z a-z 0-9 _ -`: ids are made of it.
IdFactory = Callable[[], str]
#: The rules for an order.
PolicyProvider = Callable[[Order], ReturnPolicy]
#: Waits at most so many seconds, a part of them drawn at random: before a command that lost against another
#: tries again.
Pause = Callable[[float], object]
