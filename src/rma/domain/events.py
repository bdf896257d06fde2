"""
What happened: one event for what a command did, carrying all that its effects and its replay need.

An event that opens a return, exchange or claim carries all of it, with the prices of its lines; a later one
only what it changed. Where a rule decided an amount, a status or the units of an item, the event carries the
result, so that replaying history needs no rules and survives their change.
"""

from datetime import datetime

from attrs import field, frozen

from rma.domain.messages.advance import (
    ChargeRequest,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
)
from rma.domain.messages.commands import Command
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    Delivery,
    ReplacementRequest,
    ReplacementShipment,
    ReturnShipment,
    ReturnShipmentRequest,
    WithdrawRequest,
)
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.hold import Hold
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import Order
from rma.domain.sale.pricing import AmountPart
from rma.domain.sale.rules import Outcome, RuleTerms
from rma.domain.state.at_the_dock import Correction
from rma.domain.state.claims import Claim, ClaimedItem, ClaimType
from rma.domain.state.entitlement import EntitlementChange
from rma.domain.state.exchanges import Exchange, ExchangePayment, HoldCharge, WriteOff
from rma.domain.state.grants import Grant
from rma.domain.state.inspection import Inspection
from rma.domain.state.ledger import ReturnLedger, Subject, subject_ids
from rma.domain.state.lifecycle import ClaimStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.movements import MoneyMoved
from rma.domain.state.refunds import Refund
from rma.domain.state.return_item import ItemChanges, ItemRevision
from rma.domain.state.returns import Decision, Receipt, Resolution, Return, Sending
from rma.domain.values.money import Money
from rma.domain.values.personal import PersonalField, hidden


@frozen(kw_only=True)
class EventHeader:
    """
    What every event says besides what happened.

    Attributes:
        at: when, aware.
        subject_id: the return, exchange or claim that the event changed; None if it is about none.
        return_id, exchange_id, claim_id: the subject, and what belongs to it.
        by: who, in the host's words; None for gateways, carriers and timers.
        no_notification: True where the customer is not to be notified.
        command: the command that caused it, if it had an idempotency key; `ReturnLedger.answered` keeps it.
        order_version: of the host's order, if it is a later one than the ledger saw before.
        effects_due_at: when timers may try the effects that the event asks for; None for at once.
        revision, number: the commit it belongs to and its index there, from 1; set when it is recorded.
        invoice_ids: of the host's order, if they are others than the ledger saw last.
        grants: what it granted, took back, or sold; set when it is recorded.
        moved: the money that it says moved; set when it is recorded.
        redacted: groups of fields of which something was taken from the command.
    """

    order_id: str
    at: datetime
    subject_id: str | None = None
    return_id: str | None = None
    exchange_id: str | None = None
    claim_id: str | None = None
    by: str | None = field(default=None, repr=hidden)
    no_notification: bool = False
    command: Command | None = None
    order_version: int | None = None
    effects_due_at: datetime | None = None
    revision: int = 0
    number: int = 0
    invoice_ids: tuple[str, ...] | None = None
    grants: tuple[Grant, ...] = ()
    moved: tuple[MoneyMoved, ...] = ()
    redacted: tuple[PersonalField, ...] = ()


def header_for(
    subject: Subject,
    ledger: ReturnLedger,
    at: datetime,
    *,
    by: str | None = None,
    command: Command | None = None,
    order: Order | None = None,
) -> EventHeader:
    """The header of an event about this return, exchange or claim, as the first of the next commit."""
    return_id, exchange_id, claim_id = subject_ids(subject)
    return EventHeader(
        order_id=subject.order_id,
        at=at,
        subject_id=subject.id,
        return_id=return_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        by=by,
        no_notification=subject.no_notification,
        command=command if command is not None and command.idempotency_key is not None else None,
        order_version=order.version if order and order.version > ledger.order_version else None,
        revision=ledger.revision + 1,
        number=1,
        invoice_ids=order.invoices if order and order.invoices != ledger.invoice_ids else None,
    )


@frozen(kw_only=True)
class DomainEvent:
    """Something that happened: see `EventHeader` for what all events say."""

    header: EventHeader

    @property
    def event_id(self) -> str:
        """`{order_id}/{revision}/{number}`: the same however often the event is published."""
        return f"{self.header.order_id}/{self.header.revision}/{self.header.number}"

    @property
    def order_id(self) -> str:
        """The order."""
        return self.header.order_id

    @property
    def at(self) -> datetime:
        """When it happened, aware."""
        return self.header.at

    @property
    def by(self) -> str | None:
        """Who did it, in the host's words."""
        return self.header.by

    @property
    def no_notification(self) -> bool:
        """True where the customer is not to be notified."""
        return self.header.no_notification

    @property
    def subject_id(self) -> str | None:
        """The return, exchange or claim that was changed."""
        return self.header.subject_id

    @property
    def return_id(self) -> str | None:
        """The return that was changed, or that belongs to what was changed."""
        return self.header.return_id

    @property
    def exchange_id(self) -> str | None:
        """The exchange that was changed, or that belongs to what was changed."""
        return self.header.exchange_id

    @property
    def claim_id(self) -> str | None:
        """The claim that was changed, or that belongs to what was changed."""
        return self.header.claim_id

    @property
    def command(self) -> Command | None:
        """The command that caused it, if it had an idempotency key."""
        return self.header.command

    @property
    def revision(self) -> int:
        """The commit it belongs to."""
        return self.header.revision

    @property
    def number(self) -> int:
        """Its index in the commit, from 1."""
        return self.header.number


@frozen(kw_only=True)
class CommandEvent(DomainEvent):
    """An event that a command caused."""


@frozen(kw_only=True)
class ReturnEvent(CommandEvent):
    """An event of one return."""


@frozen(kw_only=True)
class ExchangeEvent(CommandEvent):
    """An event of one exchange."""


@frozen(kw_only=True)
class ClaimEvent(CommandEvent):
    """An event of one claim."""


@frozen(kw_only=True)
class EntitlementEvent(ReturnEvent):
    """An event that changed what the customer of a return is entitled to."""

    entitlement: EntitlementChange

    @property
    def refunds(self) -> tuple[Refund, ...]:
        """The refunds that this event made."""
        return self.entitlement.refunds


@frozen(kw_only=True)
class ClaimEntitlementEvent(ClaimEvent):
    """
    An event that changed what the customer of a claim is entitled to.

    Attributes:
        status: what the claim became.
    """

    status: ClaimStatus
    entitlement: EntitlementChange

    @property
    def refunds(self) -> tuple[Refund, ...]:
        """The refunds that this event made."""
        return self.entitlement.refunds


@frozen(kw_only=True)
class ReturnRequested(ReturnEvent):
    """A return was opened; `opened` is the return as it began."""

    opened: Return
    shipment_request: ReturnShipmentRequest | None = None


@frozen(kw_only=True)
class ReturnApproved(ReturnEvent):
    """
    A person approved a return, all of it or fewer units: it is requested.

    Attributes:
        items: all of its items; empty where everything was approved, and its quote is as it was.
        quoted_refund: for what was approved.
        requested_refund: what the request named instead, for what was approved.
        quoted_charges: what the quote gives back of the order's charges.
        return_by: after this moment it expires.
        is_kept: the customer keeps all that was approved: nothing travels.
    """

    decision: Decision
    quoted_refund: Money
    items: tuple[ItemRevision, ...] = ()
    requested_refund: Money | None = None
    quoted_charges: tuple[RefundedCharge, ...] = ()
    return_by: datetime | None = None
    is_kept: bool = False
    shipment_request: ReturnShipmentRequest | None = None


@frozen(kw_only=True)
class ReturnDeclined(ReturnEvent):
    """A person declined a return that waited for approval; `decision` says why."""

    decision: Decision


@frozen(kw_only=True)
class ReturnUpdated(ReturnEvent):
    """
    What a return was requested for was replaced.

    Attributes:
        status: what it is now: units that were added may have to be approved.
        items: all of them, as they are now.
        quoted_refund, quoted_charges, requested_refund, refund_note: for these items.
        rules, other_rules: those of the merchant's rules that spoke for an item, and those that may;
            `Terms.rules` and `Terms.other_rules` of the return from now on.
        overrule: why a person took lines that no rule takes.
        shipping_method, provider_id, location_id: how and where they travel.
        shipment_number: of their booking, or of the next one while nothing is booked.
        return_by: after this moment it expires.
        outcome, payee: what the customer chose.
        cancel_request: the booking before, if its way is not theirs any more.
        shipment_request: the booking of their way, if it is another one and may be booked now.
    """

    status: ReturnStatus
    items: tuple[ItemRevision, ...]
    quoted_refund: Money
    quoted_charges: tuple[RefundedCharge, ...] = ()
    requested_refund: Money | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    rules: tuple[RuleTerms, ...] = ()
    other_rules: tuple[RuleTerms, ...] = ()
    overrule: str | None = field(default=None, repr=hidden)
    shipping_method: ShippingMethod | None = None
    provider_id: str | None = None
    location_id: str | None = None
    shipment_number: int = 1
    is_unbooked: bool = False
    return_by: datetime | None = None
    cancel_request: CancelShipmentRequest | None = None
    shipment_request: ReturnShipmentRequest | None = None
    outcome: Outcome = Outcome.REFUND
    payee: str | None = None


@frozen(kw_only=True)
class ReturnSent(ReturnEvent):
    """The customer sent the goods of a return; it expires no more. `refund_due_by`: until when it is due."""

    sending: Sending
    refund_due_by: datetime | None = None


@frozen(kw_only=True)
class ReturnExpired(ReturnEvent):
    """Nothing was sent or received for a return in time; its booking, if it had one, is canceled."""

    return_by: datetime
    cancel_request: CancelShipmentRequest | None = None


@frozen(kw_only=True)
class ReturnOverdue(DomainEvent):
    """
    The last day for goods of an exchange is over, and it does not end by itself: a person decides.

    New goods were sent first for them, or the customer paid for the exchange.
    """

    return_by: datetime


@frozen(kw_only=True)
class EffectOutcome:
    """
    The outcome of an effect.

    Attributes:
        refund: afterwards, if the effect was one.
        delivery: how far it is now, if the outcome is not final: the gateway called the refund pending.
        shipment: what the carrier answered, if the effect was a booking.
        replacement: what the carrier answered, if new goods were sent.
        charge: afterwards, if the effect was one.
        out_of_stock: if new goods cannot be sent, or reserved.
    """

    key: str
    refund: Refund | None = None
    delivery: Delivery | None = None
    shipment: ReturnShipment | None = None
    replacement: ReplacementShipment | None = None
    charge: HoldCharge | None = None
    out_of_stock: OutOfStock | None = None


@frozen(kw_only=True)
class ShipmentRenewed(ReturnEvent):
    """
    The way back of a return is booked again.

    Attributes:
        shipment_request: the booking that the goods travel with from now on.
        cancel_request: the booking before; None where the carrier never made it.
        ended: the booking before, where a person said what became of it.
    """

    shipment_request: ReturnShipmentRequest
    cancel_request: CancelShipmentRequest | None = None
    ended: EffectOutcome | None = None


@frozen(kw_only=True)
class GoodsReceived(EntitlementEvent):
    """
    A parcel was received, or what was received was accepted.

    Attributes:
        receipt: what was received, and what was restocked for it.
        items: what that changed in the return's items.
        charges_back: what the return gives back of the order's charges, all in all.
        refund_due_by: until when the return is due, as it is known now.
    """

    receipt: Receipt
    items: ItemChanges
    charges_back: tuple[RefundedCharge, ...] = ()
    refund_due_by: datetime | None = None

    @property
    def status(self) -> ReturnStatus:
        """What the return became."""
        return self.receipt.status


@frozen(kw_only=True)
class GoodsInspected(EntitlementEvent):
    """
    Some of what arrived for a return was graded, or graded again.

    Attributes:
        inspection: what was said, and where the units go.
        items: what that changed in the return's items.
        charges_back: what the return gives back of the order's charges, all in all.
    """

    inspection: Inspection
    items: ItemChanges
    charges_back: tuple[RefundedCharge, ...] = ()

    @property
    def status(self) -> ReturnStatus:
        """What the return became."""
        return self.inspection.status


@frozen(kw_only=True)
class ReceiptCorrected(EntitlementEvent):
    """
    What the receipts of a return said was corrected.

    Attributes:
        correction: the difference, and what was restocked for it.
        items: what that changed in the return's items.
        withdraw_requests: what is not there after all, out of stock.
        charges_back: what the return gives back of the order's charges, all in all.
    """

    correction: Correction
    items: ItemChanges
    withdraw_requests: tuple[WithdrawRequest, ...] = ()
    charges_back: tuple[RefundedCharge, ...] = ()

    @property
    def status(self) -> ReturnStatus:
        """What the return became."""
        return self.correction.status


@frozen(kw_only=True)
class ReturnResolved(EntitlementEvent):
    """
    A return was closed: a clerk did, or its exchange was canceled, or it expired.

    Attributes:
        status: `received`, or `in_inspection` if some of what arrived is yet to be graded.
        resolution: which received units were rejected, which are lost, and what becomes of foreign goods.
        items: what that changed in the return's items.
        withdraw_requests: what goes back to the customer, out of stock.
        charges_back: what the return gives back of the order's charges, all in all.
        cancel_request: its booking, if nothing travels with it any more.
    """

    resolution: Resolution
    items: ItemChanges = ItemChanges()
    withdraw_requests: tuple[WithdrawRequest, ...] = ()
    charges_back: tuple[RefundedCharge, ...] = ()
    status: ReturnStatus = ReturnStatus.RECEIVED
    cancel_request: CancelShipmentRequest | None = None


@frozen(kw_only=True)
class PaidAhead(EntitlementEvent):
    """
    A return was paid before its goods arrived, on being requested, approved or sent, as its terms say.

    Attributes:
        charges_back: what it gives back of the order's charges, as it was quoted.
    """

    charges_back: tuple[RefundedCharge, ...] = ()


@frozen(kw_only=True)
class RefundBlocked(DomainEvent):
    """
    More is due than the payments have left, or than those have that still take refunds.

    Nothing was paid, and a person must look.

    Attributes:
        refundable: what all payments have left.
    """

    amount: Money
    refundable: Money


@frozen(kw_only=True)
class RefundRetried(EntitlementEvent):
    """
    An amount that was due and not paid is paid after all, or a part of it.

    A person asked for it; or its payment did not take it, and the terms give something else instead.
    """


@frozen(kw_only=True)
class PayoutRecorded(EntitlementEvent):
    """A person paid what was due by other ways, or a part of it."""


@frozen(kw_only=True)
class ReturnCanceled(ReturnEvent):
    """A return was canceled; what had arrived for it goes back."""

    cancel_request: CancelShipmentRequest | None = None
    withdraw_requests: tuple[WithdrawRequest, ...] = ()


@frozen(kw_only=True)
class EffectsAttempted(DomainEvent):
    """Ports answered about effects of a return, exchange or claim."""

    outcomes: tuple[EffectOutcome, ...]


@frozen(kw_only=True)
class DeliveryChanged(DomainEvent):
    """
    An effect is being sent by one process, an attempt failed, or its gateway will report the outcome later.

    It says all that is known of the delivery, and takes the place of the one before it of the same effect: an
    effect that fails a hundred times is one event that counts. Not itself published, unless the effect needs
    attention from now on.

    Attributes:
        is_newly_stuck: it needs attention, and did not before.
    """

    key: str
    delivery: Delivery
    is_newly_stuck: bool = False


@frozen(kw_only=True)
class RefundOutcomeRecorded(CommandEvent):
    """
    A gateway, or a person, reported the outcome of a refund.

    Attributes:
        refund: afterwards.
        delivery: how far it is now, if it is open and its gateway called it pending.
    """

    refund: Refund
    delivery: Delivery | None = None
    notification_id: str | None = None


@frozen(kw_only=True)
class KnownOutcomeReported(CommandEvent):
    """
    A gateway, or a person, reported an outcome of a refund or charge that says nothing new.

    It is kept so that the same notification or command says nothing new later, either. Not itself published.

    Attributes:
        key: of the refund or charge.
        refund: as it was, with the id of the notification; None of a charge.
    """

    key: str
    refund: Refund | None = None


@frozen(kw_only=True)
class EventsPublished(DomainEvent):
    """The publisher took every event up to and with revision `through`. Not itself published."""

    through: int


@frozen(kw_only=True)
class HistoryArchived(DomainEvent):
    """
    The order was over, and what happened before was removed from its history, but for what opened something.

    The ledger stays as it is. Not itself published.

    Attributes:
        removed: how many events.
    """

    removed: int


@frozen(kw_only=True)
class OrderRedacted(DomainEvent):
    """
    Data about persons were taken from everything that is stored of the order, earlier events among it.

    A receiver that keeps published events takes them from there.

    Attributes:
        fields: the groups of fields that they were in.
    """

    fields: tuple[PersonalField, ...]


@frozen(kw_only=True)
class ExchangeRequested(ExchangeEvent):
    """
    New goods were asked for against a return, which was opened with it; `opened` is how it began.

    Attributes:
        reserve_request: that they are kept, where the host reserves goods.
    """

    opened: Exchange
    reserve_request: ReserveRequest | None = None


@frozen(kw_only=True)
class AdvanceShipped(ExchangeEvent):
    """New goods are sent before the others are back."""

    replacement: ReplacementRequest


@frozen(kw_only=True)
class ExchangeReceived(ExchangeEvent):
    """
    An exchange's return was received (Medusa v1: `registerReceived`).

    Attributes:
        status: what the exchange became.
        difference_due: as it is known now.
        replacement: the new goods, if they are sent now.
    """

    status: ExchangeStatus
    difference_due: Money
    replacement: ReplacementRequest | None = None


@frozen(kw_only=True)
class ExchangePaid(ExchangeEvent):
    """
    The customer paid for an exchange.

    Attributes:
        status: what the exchange became.
        replacement: the new goods, if they are sent now.
    """

    status: ExchangeStatus
    payment: ExchangePayment
    replacement: ReplacementRequest | None = None


@frozen(kw_only=True)
class ExchangeUpdated(ExchangeEvent):
    """
    The new goods of an exchange were replaced by others.

    Attributes:
        status: what the exchange became.
        new_items, outbound_shipping: what is sent, and how.
        difference_due: with them.
        charges: what is set against the goods of its return now.
        quoted_refund: of its return now.
        reserve_request, release_reservation: that they are kept, and those before are not.
        replacement: the new goods, if they are sent now.
        hold: what took the place of the hold before, if one did.
        release_request: that the hold before is given back.
    """

    status: ExchangeStatus
    new_items: tuple[NewItem, ...]
    difference_due: Money
    charges: tuple[AmountPart, ...]
    quoted_refund: Money
    outbound_shipping: ShippingMethod | None = None
    reserve_request: ReserveRequest | None = None
    release_reservation: ReleaseReservationRequest | None = None
    replacement: ReplacementRequest | None = None
    hold: Hold | None = None
    release_request: ReleaseRequest | None = None


@frozen(kw_only=True)
class AdvanceCharged(ExchangeEvent):
    """
    What did not come back for new goods that were sent first, or is worth less, is charged to the hold.

    Attributes:
        status: what the exchange became.
        difference_due: as it is known now.
        charge: as it begins.
        charge_request: that it is taken.
    """

    status: ExchangeStatus
    difference_due: Money
    charge: HoldCharge
    charge_request: ChargeRequest


@frozen(kw_only=True)
class HoldReleased(ExchangeEvent):
    """
    The hold of an exchange is given back: everything is back, or no new goods were sent.

    Attributes:
        status: what the exchange became.
        difference_due: as it is known now.
        release_request: that it is given back.
    """

    status: ExchangeStatus
    difference_due: Money
    release_request: ReleaseRequest


@frozen(kw_only=True)
class AdvanceWrittenOff(ExchangeEvent):
    """
    A clerk does not wait any longer for what a customer owes for new goods that were sent first.

    Attributes:
        status: what the exchange became.
        write_off: what was owed, and what of it is written off, by whom, and why.
    """

    status: ExchangeStatus
    write_off: WriteOff


@frozen(kw_only=True)
class ChargeOutcomeRecorded(ExchangeEvent):
    """
    A gateway, or a person, reported the outcome of a charge.

    Attributes:
        charge: afterwards.
        delivery: how far it is now, if it is open and its gateway called it pending.
    """

    charge: HoldCharge
    delivery: Delivery | None = None


@frozen(kw_only=True)
class ExchangeCanceled(ExchangeEvent):
    """
    An exchange was canceled: its return with it, or what is received is refunded as any return is.

    Attributes:
        keeps_return: its return stays, though its goods are not here.
        release_reservation: that its new goods are not kept any more.
    """

    keeps_return: bool = False
    release_reservation: ReleaseReservationRequest | None = None


@frozen(kw_only=True)
class ExchangePaymentRefunded(EntitlementEvent):
    """What the customer paid for an exchange that was canceled is given back."""


@frozen(kw_only=True)
class ClaimRequested(ClaimEvent):
    """Units are compensated: they are refunded, or new goods are sent; `opened` is how the claim began."""

    opened: Claim
    replacement: ReplacementRequest | None = None

    @property
    def refunds(self) -> tuple[Refund, ...]:
        """The refunds that this event made."""
        return self.opened.refunds


@frozen(kw_only=True)
class PriceReduced(ClaimEvent):
    """
    A part of the price of units was given back, and the units stay with the customer.

    By a price reduction, or by goodwill, which reduces what all units are worth. `opened` is how the claim
    began.
    """

    opened: Claim

    @property
    def refunds(self) -> tuple[Refund, ...]:
        """The refunds that this event made."""
        return self.opened.refunds


@frozen(kw_only=True)
class ClaimCompleted(ClaimEvent):
    """Nothing more is expected for a claim: its goods are back, or will not arrive."""


@frozen(kw_only=True)
class ClaimRefundRetried(ClaimEntitlementEvent):
    """
    What was due for a claim and not paid is paid after all, or a part of it.

    Attributes:
        reduced: what goodwill takes of the lines from now on, as it is not given as extra store credit.
    """

    reduced: tuple[ClaimedItem, ...] = ()


@frozen(kw_only=True)
class ClaimPayoutRecorded(ClaimEntitlementEvent):
    """
    A person paid what was due for a claim by other ways, or a part of it.

    Attributes:
        reduced: as in `ClaimRefundRetried`.
    """

    reduced: tuple[ClaimedItem, ...] = ()


@frozen(kw_only=True)
class ClaimResolved(ClaimEntitlementEvent):
    """
    What is due for a claim was set by a clerk; what could not be paid of it is written off.

    Or new goods of it cannot be had, and others are sent, or money is given, instead.

    Attributes:
        becomes: the type that the claim is of from now on; None if that stays as it was.
        replacement: the new goods that are sent instead.
    """

    becomes: ClaimType | None = None
    replacement: ReplacementRequest | None = None


@frozen(kw_only=True)
class ClaimCanceled(ClaimEvent):
    """A claim was canceled, and its return with it: its customer is entitled to nothing."""


#: Events that open a return, exchange or claim; `opened` is how it began, with the prices of its lines.
Opening = ReturnRequested | ExchangeRequested | ClaimRequested | PriceReduced

Event = (
    ReturnRequested
    | ReturnApproved
    | ReturnDeclined
    | ReturnUpdated
    | ReturnSent
    | ReturnExpired
    | ReturnOverdue
    | ShipmentRenewed
    | GoodsReceived
    | GoodsInspected
    | ReceiptCorrected
    | ReturnResolved
    | PaidAhead
    | RefundBlocked
    | RefundRetried
    | PayoutRecorded
    | ReturnCanceled
    | RefundOutcomeRecorded
    | KnownOutcomeReported
    | DeliveryChanged
    | EffectsAttempted
    | EventsPublished
    | HistoryArchived
    | OrderRedacted
    | ExchangeRequested
    | AdvanceShipped
    | ExchangeReceived
    | ExchangePaid
    | ExchangeUpdated
    | AdvanceCharged
    | HoldReleased
    | AdvanceWrittenOff
    | ChargeOutcomeRecorded
    | ExchangeCanceled
    | ExchangePaymentRefunded
    | ClaimRequested
    | PriceReduced
    | ClaimCompleted
    | ClaimRefundRetried
    | ClaimPayoutRecorded
    | ClaimResolved
    | ClaimCanceled
)
