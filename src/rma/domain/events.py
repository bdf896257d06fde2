"""
What happened: one event for what a command did, carrying all that its effects and its replay need.

Where a rule decided how something stands afterwards, the event says how it stands, so that replaying
history needs no rules and survives their change.
"""

from datetime import datetime

from attrs import frozen

from rma.domain.messages.commands import Command
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    ReplacementRequest,
    ReplacementShipment,
    ReturnShipment,
    ReturnShipmentRequest,
    WithdrawRequest,
)
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange, ExchangePayment
from rma.domain.state.refunds import Refund
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Receipt, Resolution, Return, ReturnStatus
from rma.domain.values.money import Money


@frozen(kw_only=True)
class DomainEvent:
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
class SubjectEvent(DomainEvent):
    """
    An event of a return, an exchange or a claim.

    Attributes:
        return_id, exchange_id, claim_id: whom it is about, and what belongs together with that.
    """

    return_id: str | None = None
    exchange_id: str | None = None
    claim_id: str | None = None

    @property
    def subject_id(self) -> str:
        """The return, or else the exchange or claim, that is changed by it."""
        return self.return_id or self.exchange_id or self.claim_id or ""


@frozen(kw_only=True)
class CommandEvent(SubjectEvent):
    """An event that a command caused; `command` is remembered if it had an idempotency key."""

    command: Command | None = None


@frozen(kw_only=True)
class ReturnEvent(CommandEvent):
    """An event of one return."""

    return_id: str


@frozen(kw_only=True)
class ExchangeEvent(CommandEvent):
    """An event of one exchange; `exchange` is as it stands afterwards."""

    exchange: Exchange

    @property
    def subject_id(self) -> str:
        """The exchange."""
        return self.exchange.id


@frozen(kw_only=True)
class ClaimEvent(CommandEvent):
    """An event of one claim; `claim` is as it stands afterwards."""

    claim: Claim

    @property
    def subject_id(self) -> str:
        """The claim."""
        return self.claim.id


@frozen(kw_only=True)
class ReturnRequested(ReturnEvent):
    """A return was opened; `opened` is the return as it began."""

    opened: Return
    shipment_request: ReturnShipmentRequest | None = None


@frozen(kw_only=True)
class GoodsReceived(ReturnEvent):
    """
    A parcel arrived, or what arrived was accepted.

    Attributes:
        receipt: what came, and what went into stock for it.
        items: the return's items afterwards.
        refunds: what is paid because of it.
        entitled_amount, agreed_refund, is_refund_blocked, refund_amount: the return's money afterwards.
    """

    receipt: Receipt
    items: tuple[ReturnItem, ...]
    refund_amount: Money
    entitled_amount: int
    agreed_refund: int | None
    is_refund_blocked: bool
    location_id: str | None
    refunds: tuple[Refund, ...] = ()

    @property
    def status(self) -> ReturnStatus:
        """What the return became."""
        return self.receipt.status


@frozen(kw_only=True)
class ReturnResolved(ReturnEvent):
    """
    A clerk closed a return: it is received.

    Attributes:
        resolution: what of what came was rejected.
        items: the return's items afterwards.
        refunds: what is paid because of it.
        withdraw_requests: what goes back to the customer, out of stock.
        entitled_amount, agreed_refund, is_refund_blocked, refund_amount: the return's money afterwards.
    """

    resolution: Resolution
    items: tuple[ReturnItem, ...]
    refund_amount: Money
    entitled_amount: int
    agreed_refund: int | None
    is_refund_blocked: bool
    refunds: tuple[Refund, ...] = ()
    withdraw_requests: tuple[WithdrawRequest, ...] = ()


@frozen(kw_only=True)
class RefundBlocked(SubjectEvent):
    """More is due than the payments have left; nothing was paid, and somebody must look."""

    amount: Money
    refundable: Money


@frozen(kw_only=True)
class RefundRetried(ReturnEvent):
    """
    What was due and not paid is paid after all, or a part of it.

    Attributes:
        entitled_amount, is_refund_blocked, refund_amount: the return's money afterwards.
    """

    refunds: tuple[Refund, ...]
    refund_amount: Money
    entitled_amount: int
    is_refund_blocked: bool


@frozen(kw_only=True)
class ReturnCanceled(ReturnEvent):
    """A return was called off; what had come for it goes back."""

    cancel_request: CancelShipmentRequest | None = None
    withdraw_requests: tuple[WithdrawRequest, ...] = ()


@frozen(kw_only=True)
class EffectOutcome:
    """
    How one effect stands after it was tried.

    Attributes:
        is_open: True if it could not be told whether the port acted; `error` says what it said.
        refund: as it stands now, if the effect was one.
        shipment: what the carrier answered, if the effect was a booking.
        replacement: what the carrier answered, if new goods were sent.
    """

    key: str
    is_open: bool = False
    error: str | None = None
    refund: Refund | None = None
    shipment: ReturnShipment | None = None
    replacement: ReplacementShipment | None = None


@frozen(kw_only=True)
class EffectsAttempted(SubjectEvent):
    """Ports answered about effects of a return, exchange or claim, or failed to."""

    outcomes: tuple[EffectOutcome, ...]


@frozen(kw_only=True)
class EffectsLeased(SubjectEvent):
    """These effects are being sent by one process; the others leave them alone until then."""

    keys: tuple[str, ...]
    until: datetime


@frozen(kw_only=True)
class RefundOutcomeRecorded(CommandEvent):
    """A gateway, or a person, told how a refund stands; `refund` is as it stands now."""

    refund: Refund
    notification_id: str | None = None


@frozen(kw_only=True)
class EventsPublished(DomainEvent):
    """The publisher took every event up to and with revision `through`. Not itself published."""

    through: int


@frozen(kw_only=True)
class ExchangeRequested(ExchangeEvent):
    """New goods were asked for against a return, which was opened with it."""


@frozen(kw_only=True)
class ExchangeReceived(ExchangeEvent):
    """An exchange's return was received (the seeds' `registerReceived`): what is due now is known."""

    replacement: ReplacementRequest | None = None


@frozen(kw_only=True)
class ExchangePaid(ExchangeEvent):
    """The customer paid for an exchange."""

    payment: ExchangePayment
    replacement: ReplacementRequest | None = None


@frozen(kw_only=True)
class ExchangeCanceled(ExchangeEvent):
    """An exchange was called off: its return with it, or what came is refunded as any return is."""


@frozen(kw_only=True)
class ClaimRequested(ClaimEvent):
    """Units are made good: `refunds` are paid, or new goods are sent."""

    refunds: tuple[Refund, ...] = ()
    replacement: ReplacementRequest | None = None


@frozen(kw_only=True)
class ClaimCompleted(ClaimEvent):
    """Nothing is to come for a claim any more: its goods are back, or will not come."""


@frozen(kw_only=True)
class ClaimRefundRetried(ClaimEvent):
    """What was due for a claim and not paid is paid after all, or a part of it."""

    refunds: tuple[Refund, ...]


@frozen(kw_only=True)
class ClaimCanceled(ClaimEvent):
    """A claim was called off, and its return with it."""


Event = (
    ReturnRequested
    | GoodsReceived
    | ReturnResolved
    | RefundBlocked
    | RefundRetried
    | ReturnCanceled
    | RefundOutcomeRecorded
    | EffectsLeased
    | EffectsAttempted
    | EventsPublished
    | ExchangeRequested
    | ExchangeReceived
    | ExchangePaid
    | ExchangeCanceled
    | ClaimRequested
    | ClaimCompleted
    | ClaimRefundRetried
    | ClaimCanceled
)
