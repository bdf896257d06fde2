"""What a law looks at."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import field, frozen

from rma.domain.events import ClaimPayoutRecorded, Event, PayoutRecorded
from rma.domain.messages.advance import ChargeAnswer, OutOfStock, ReleaseRequest
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    Effect,
    ReplacementRequest,
    ReplacementShipment,
    ReturnShipment,
)
from rma.domain.react import react
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.refunds import Refund
from rma.domain.state.returns import Return
from rma.domain.views.returnable import ReturnableItem
from rma.testing.gateway_model import GatewayModel


@frozen(kw_only=True)
class Snapshot:
    """
    One order with everything around it.

    Attributes:
        order, ledger, history, returnable, order_version: as a service over the host's ports returns them.
        most_fulfilled: by id of every line that the order ever had, the most units of it that the customer
            had without us: fulfilled, less returned elsewhere.
        stored_ledger, stored_events: what the store accepted.
        archived: the events that it removed since the order was over.
        stale: revisions that changes expected and that were not there, though the store took them.
        published: what the publisher took, in the order in which it first did.
        gateway_model: how the gateway sees the refunds.
        shipments, replacements, cancellations: what the carrier answered, the new goods it was given, and
            what it canceled, by key.
        charges, releases: what the gateway of holds answered, and which it gave back, by key.
        stock: units in stock because of this order's returns, by item id; None while something is on its
            way.
    """

    order: Order
    ledger: ReturnLedger
    history: tuple[Event, ...]
    returnable: tuple[ReturnableItem, ...]
    order_version: int
    most_fulfilled: Mapping[str, int]
    stored_ledger: ReturnLedger
    stored_events: tuple[Event, ...]
    stale: tuple[int, ...]
    published: Mapping[str, Event]
    gateway_model: GatewayModel
    shipments: Mapping[str, list[ReturnShipment | ReplacementShipment | OutOfStock]]
    replacements: Mapping[str, ReplacementRequest]
    cancellations: Mapping[str, CancelShipmentRequest]
    charges: Mapping[str, list[ChargeAnswer]] = field(factory=dict)
    releases: Mapping[str, ReleaseRequest] = field(factory=dict)
    stock: Mapping[str, int] | None = None
    archived: tuple[Event, ...] = ()

    @property
    def whole_history(self) -> tuple[Event, ...]:
        """The history with what was removed from it since the order was over."""
        events = (*self.archived, *self.history)
        return tuple(sorted(events, key=lambda event: (event.revision, event.number)))

    @property
    def requested(self) -> tuple[Effect, ...]:
        """All effects that ports were to be asked for, in the order of their events."""
        return tuple([effect for event in self.whole_history for effect in react(event)])

    @property
    def recorded_payouts(self) -> frozenset[str]:
        """The keys of what persons paid, which no port was asked for."""
        recorded = PayoutRecorded | ClaimPayoutRecorded
        events = [each for each in self.whole_history if isinstance(each, recorded)]
        return frozenset([refund.key for event in events for refund in event.refunds])

    @property
    def payees(self) -> "tuple[Return | Claim, ...]":
        """What money is refunded for."""
        return (*self.ledger.returns, *self.ledger.claims)


Invariant = Callable[[Snapshot], Iterator[str]]


def broken(laws: Iterable[Invariant], snapshot: Snapshot) -> list[str]:
    """What is wrong, each with the name of its law."""
    return [f"{law.__name__}: {what}" for law in laws for what in law(snapshot)]


def is_surprising(refund: Refund) -> bool:
    """True if the gateway contradicted itself, or moved another amount: no rule can mend that."""
    return refund.is_contradicted or refund.moved is not None
