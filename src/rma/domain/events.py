"""
What happened: one event for what a command did, carrying all that its effects and its replay need.

Where a rule decided how something stands afterwards, the event says how it stands, so that replaying
history needs no rules and survives their change.
"""

from datetime import datetime

from attrs import frozen

from rma.domain.commands import Command
from rma.domain.effects import CancelShipmentRequest, ReturnShipment, ReturnShipmentRequest, WithdrawRequest
from rma.domain.items import ReturnItem
from rma.domain.money import Money
from rma.domain.refunds import Refund
from rma.domain.returns import Receipt, Return, ReturnStatus


@frozen(kw_only=True)
class Happening:
    """
    What every event says.

    Attributes:
        at: when, aware.
        by: who, in the host's words.
        no_notification: True where the customer is not to be told.
        revision, number: the commit it belongs to and its place there, from 1; set when it is recorded.
    """

    order_id: str
    at: datetime
    by: str | None = None
    no_notification: bool = False
    revision: int = 0
    number: int = 0

    @property
    def event_id(self) -> str:
        """`{order_id}/{revision}/{number}`: the same however often the event is published."""
        return f"{self.order_id}/{self.revision}/{self.number}"


@frozen(kw_only=True)
class OfReturn(Happening):
    """An event of one return."""

    return_id: str


@frozen(kw_only=True)
class ByCommand(OfReturn):
    """An event that a command caused; `command` is remembered if it had an idempotency key."""

    command: Command | None = None


@frozen(kw_only=True)
class ReturnRequested(ByCommand):
    """A return was opened; `opened` is the return as it began."""

    opened: Return
    shipment_request: ReturnShipmentRequest | None = None


@frozen(kw_only=True)
class GoodsReceived(ByCommand):
    """
    A parcel arrived, or what arrived was accepted.

    Attributes:
        receipt: what came, and what went into stock for it.
        items: the return's items afterwards.
        refunds: what is paid because of it.
        granted, named_amount, is_blocked, refund_amount: the return's money afterwards.
    """

    receipt: Receipt
    items: tuple[ReturnItem, ...]
    refund_amount: Money
    granted: int
    named_amount: int | None
    is_blocked: bool
    location_id: str | None
    refunds: tuple[Refund, ...] = ()

    @property
    def status(self) -> ReturnStatus:
        """What the return became."""
        return self.receipt.status


@frozen(kw_only=True)
class RefundBlocked(OfReturn):
    """More is due than the payments have left; nothing was paid, and somebody must look."""

    amount: Money
    refundable: Money


@frozen(kw_only=True)
class RefundRetried(ByCommand):
    """
    What was due and not paid is paid after all, or a part of it.

    Attributes:
        granted, is_blocked, refund_amount: the return's money afterwards.
    """

    refunds: tuple[Refund, ...]
    refund_amount: Money
    granted: int
    is_blocked: bool


@frozen(kw_only=True)
class ReturnCanceled(ByCommand):
    """A return was called off; what had come for it goes back."""

    cancel_request: CancelShipmentRequest | None = None
    withdraw_requests: tuple[WithdrawRequest, ...] = ()


@frozen(kw_only=True)
class Settlement:
    """
    How one effect of a return stands after it was tried.

    Attributes:
        is_open: True if it could not be told whether the port acted; `error` says what it said.
        refund: as it stands now, if the effect was one.
        shipment: what the carrier answered, if the effect was a booking.
    """

    key: str
    is_open: bool = False
    error: str | None = None
    refund: Refund | None = None
    shipment: ReturnShipment | None = None


@frozen(kw_only=True)
class EffectsSettled(OfReturn):
    """Ports answered about effects of a return, or failed to."""

    settlements: tuple[Settlement, ...]


@frozen(kw_only=True)
class EffectsLeased(OfReturn):
    """These effects are being sent by one process; the others leave them alone until then."""

    keys: tuple[str, ...]
    until: datetime


@frozen(kw_only=True)
class RefundOutcomeRecorded(ByCommand):
    """A gateway, or a person, told how a refund stands; `refund` is as it stands now."""

    refund: Refund
    notice_id: str | None = None


@frozen(kw_only=True)
class EventsPublished(Happening):
    """The publisher took every event up to and with revision `through`. Not itself published."""

    through: int


Event = (
    ReturnRequested
    | GoodsReceived
    | RefundBlocked
    | RefundRetried
    | ReturnCanceled
    | RefundOutcomeRecorded
    | EffectsLeased
    | EffectsSettled
    | EventsPublished
)
