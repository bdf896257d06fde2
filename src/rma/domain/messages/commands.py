"""
What can be asked. A command keeps what it is given and never raises; `decide` judges it.

Two commands are the same request when they are equal: an idempotency key stands for one of them.
"""

from datetime import datetime
from typing import Never, get_args

from attrs import field, frozen

from rma.domain.messages.advance import ChargeOutcome
from rma.domain.messages.command_items import (
    ApprovedItem,
    ClaimedCharge,
    ClaimItem,
    CorrectedForeign,
    CorrectedItem,
    ForeignDecision,
    ForeignItem,
    InspectedItem,
    MissingItem,
    ReceivedItem,
    RejectedItem,
    RequestedItem,
    approved_items,
    claim_items,
    claimed_charges,
    corrected_foreign,
    corrected_items,
    foreign_decisions,
    foreign_items,
    inspected_items,
    missing_items,
    new_items,
    received_items,
    rejected_items,
    requested_items,
)
from rma.domain.messages.effects import RefundOutcome, RefundReversed, owner_of
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.hold import Hold, Ship
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.values.display import name_kind
from rma.domain.values.errors import InvalidValue
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden
from rma.domain.values.validators import as_map, as_utc


@frozen(kw_only=True)
class RequestReturn:
    """
    Let the customer send items back.

    Args:
        shipping_option_id: how they travel; the shipment is booked by itself.
        shipping_price: instead of the option's price.
        refund_amount: instead of the computed one; final, nothing is deducted from it.
        refund_note: why `refund_amount` is above the value of the units; needed only then.
        location_id: where the goods go; else the shipping option's location.
        no_notification: else as the order says.
        basis: by which right: the merchant's `"policy"`, or the law's `"withdrawal"`.
        declared_at: when the customer declared the withdrawal, aware; now unless given.
        idempotency_key: repeat the request under the same key and it is done once.
        created_by: who asks, in the host's words.
        outcome: what the customer chose: `"refund"` or `"store_credit"`; new goods are a `RequestExchange`.
        payee: who is to have the store credit, if it is not the customer of the order: a person to whom the
            goods were given, say. The customer is then not notified, unless `no_notification` says False.
        overrule: why a person takes lines all the same that no rule takes, or a rule of the host refuses:
            they are free of fees. It never lifts quantities or amounts.
    """

    order_id: str
    items: tuple[RequestedItem, ...] = field(converter=requested_items)
    shipping_option_id: str | None = None
    shipping_price: Money | int | None = None
    refund_amount: Money | int | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    location_id: str | None = None
    no_notification: bool | None = None
    basis: str = ReturnBasis.POLICY.value
    declared_at: datetime | None = field(default=None, converter=as_utc)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, repr=hidden)
    outcome: str = Outcome.REFUND.value
    overrule: str | None = field(default=None, repr=hidden)
    payee: str | None = None


@frozen(kw_only=True)
class ApproveReturn:
    """
    Approve a return that waits for it: its way back is booked now.

    Args:
        items: what is approved, lines that are not named not at all; unless given, everything.
        note: for the customer, at most 500 characters.
    """

    return_id: str
    items: tuple[ApprovedItem, ...] | None = field(default=None, converter=approved_items)
    note: str | None = field(default=None, repr=hidden)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class DeclineReturn:
    """
    Decline a return that waits for approval: its units are free again.

    Args:
        reason: why, in a code of the merchant's; it must be given.
        note: for the customer, at most 500 characters.
    """

    return_id: str
    reason: str | None = None
    note: str | None = field(default=None, repr=hidden)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class UpdateReturn:
    """
    Replace what a return was requested for, before anything was sent or received.

    What is not given is not part of the return any more, as if it was canceled and requested again; its id,
    basis, terms, notifications and metadata stay.

    Args:
        items: everything that is to be returned now.
        outcome, payee: what the customer chose, as of a request.
        shipping_option_id, shipping_price, location_id: how and where the goods are returned.
        refund_amount: instead of the computed one; final, nothing is deducted from it.
        refund_note: why `refund_amount` is above the value of the units; needed only then.
        overrule: a person's reason to take lines that no rule takes, as of a request.
    """

    return_id: str
    items: tuple[RequestedItem, ...] = field(converter=requested_items)
    shipping_option_id: str | None = None
    shipping_price: Money | int | None = None
    refund_amount: Money | int | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    location_id: str | None = None
    outcome: str = Outcome.REFUND.value
    overrule: str | None = field(default=None, repr=hidden)
    payee: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class RecordSending:
    """
    Record that the customer sent the goods: the return expires no more.

    Args:
        sent_at: when, aware; now unless given.
        tracking_number: as the carrier has it.
        proof: what shows it, in the host's words.
    """

    return_id: str
    sent_at: datetime | None = field(default=None, converter=as_utc)
    tracking_number: str | None = field(default=None, repr=hidden)
    proof: str | None = field(default=None, repr=hidden)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class ExpireReturn:
    """End a return for which nothing was sent or received in time; `resume` does it by itself."""

    return_id: str
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class RenewShipment:
    """
    Book the way back again, because the label expired or was lost; the booking before is canceled.

    Args:
        was_booked: whether the carrier made the booking before; to be given where it was stopped for a
            person, because its outcome is unknown, and only there.
    """

    return_id: str
    was_booked: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class ReceiveReturn:
    """
    A parcel arrived for a return, whatever its status and whatever is in it.

    Args:
        items: what arrived, added to what arrived before; nothing of an empty parcel. More than the
            customer can have, and ids that are not a line of the order, are foreign goods.
        foreign: goods that are of no line of the order.
        refund_amount: what is due for the whole return, instead of the computed amount.
        refund_note: why `refund_amount` is above the value of the units; needed only then.
        location_id: where they are now; else the return's location.
        allow_mismatch: accept what arrived; nothing more is expected.
        more_expected: what is missing is expected in another parcel.
    """

    return_id: str
    items: tuple[ReceivedItem, ...] = field(default=(), converter=received_items)
    refund_amount: Money | int | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    location_id: str | None = None
    allow_mismatch: bool = False
    more_expected: bool = False
    foreign: tuple[ForeignItem, ...] = field(default=(), converter=foreign_items)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class ReceiveUnannounced:
    """
    A parcel of an order arrived that no return was requested for: a return is opened, and it is booked.

    No money moves by it, and the order may be canceled: a person decides by `ResolveReturn`.

    Args:
        items: what arrived; more than the customer can have, and ids that are not a line of the order, are
            foreign goods.
        foreign: goods that are of no line of the order.
        location_id: where they are.
        no_notification: else as the order says.
    """

    order_id: str
    items: tuple[ReceivedItem, ...] = field(default=(), converter=received_items)
    foreign: tuple[ForeignItem, ...] = field(default=(), converter=foreign_items)
    location_id: str | None = None
    no_notification: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, repr=hidden)


@frozen(kw_only=True)
class CorrectReceipt:
    """
    Correct what the receipts of a return said: more units arrived than were booked, or fewer, or others.

    Stock receives the difference, units that did not come are the customer's again, and the amount is
    computed again: more is paid, less is shown as `entitlement.overpaid`. The receipts stay on record.

    Args:
        items: what all receipts together should have said of a line; lines that are not named stay.
        reason: why, in the merchant's words; it must be given.
        foreign: how many foreign goods there were; those that are not named stay. What is said of a line is
            then said with these.
    """

    return_id: str
    items: tuple[CorrectedItem, ...] = field(default=(), converter=corrected_items)
    reason: str | None = field(default=None, repr=hidden)
    foreign: tuple[CorrectedForeign, ...] = field(default=(), converter=corrected_foreign)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class InspectReturn:
    """
    Say how units are that arrived for a return, and where they go: all of them or some, in any order.

    Its units are put into stock then, and it is paid once everything was graded. Units that were graded
    before can be graded again.

    Args:
        items: at least one.
    """

    return_id: str
    items: tuple[InspectedItem, ...] = field(converter=inspected_items)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class ResolveReturn:
    """
    Close a return: nothing more is expected, and a clerk says which received units are paid for.

    It ends `requires_action` and the rest of `partially_received`, and, with `missing`, what is requested; of
    a received return whose amount is due and cannot be paid, or of which too much was paid, it sets the
    amount.

    Args:
        rejected: units that are not paid for; all others that arrived are accepted.
        missing: units that will not arrive, and whether they are paid for; all others that did not arrive are
            the customer's again.
        foreign: what becomes of foreign goods; to be said of all for which it was not said before.
        refund_amount: what is due for the whole return, instead of the computed amount.
        refund_note: why `refund_amount` is above the value of the units; needed only then.
    """

    return_id: str
    rejected: tuple[RejectedItem, ...] = field(default=(), converter=rejected_items)
    refund_amount: Money | int | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    missing: tuple[MissingItem, ...] = field(default=(), converter=missing_items)
    foreign: tuple[ForeignDecision, ...] = field(default=(), converter=foreign_decisions)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class CancelReturn:
    """Cancel a return before anything was refunded; goods that already arrived go back to the customer."""

    return_id: str
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class RetryRefund:
    """
    Ask again for what is due and not paid: all of it, or `amount`.

    Args:
        return_id: the return that it is due for, an exchange's too; or else
        claim_id: the claim.
        means: `"payment"`, `"store_credit"` or `"payout"`; as the terms say unless given.
        payment_id: the payment that gives it back; of store credit or a payout, the payment that it is given
            instead of.
    """

    return_id: str | None = None
    amount: Money | int | None = None
    claim_id: str | None = None
    means: str | None = None
    payment_id: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class RecordPayout:
    """
    Record that a person paid what is due by other ways: a bank transfer, cash at the counter.

    It counts as paid for the return or claim, and against what was captured. What is on its way already is
    not due, so that nothing is paid twice.

    Args:
        return_id: the return that it was due for, an exchange's too; or else
        claim_id: the claim.
        amount: of at least 1, at most what is due.
        reference: what the host calls it; recorded twice, it counts once.
    """

    amount: Money | int
    reference: str
    return_id: str | None = None
    claim_id: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class RecordRefundOutcome:
    """
    Record the outcome of a refund that a gateway reported, or a person found out; in any order, repeatedly.

    Args:
        key: of the refund; or else
        return_id, reference: its return (or claim), and what the gateway calls the refund.
        outcome: `RefundSucceeded`, `RefundPending`, `RefundDeclined` (late failures too) or
            `RefundReversed`.
        notification_id: what the gateway calls the notification; kept, so that its repeat says nothing new.
    """

    outcome: RefundOutcome | RefundReversed
    key: str | None = None
    return_id: str | None = None
    reference: str | None = None
    notification_id: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)

    @property
    def target_id(self) -> str | None:
        """The return or claim that the refund is of: a refund's key begins with it."""
        if self.return_id is not None:
            return self.return_id
        key: object = self.key
        return owner_of(key) if isinstance(key, str) else None


@frozen(kw_only=True)
class RequestExchange:
    """
    Let the customer send items back for new ones.

    Args:
        items: what is returned, as for `RequestReturn`.
        new_items: what is sent once the items are received and any difference is paid.
        shipping_option_id, shipping_price, location_id: how and where the goods are returned.
        outbound_shipping: how the new items travel, and what the customer pays for that.
        ship: `"first"` sends the new items before the others are back, as soon as any difference is paid;
            `"last"` once they are here.
        hold: what secures that they come back, for `"first"`.
    """

    order_id: str
    items: tuple[RequestedItem, ...] = field(converter=requested_items)
    new_items: tuple[NewItem, ...] = field(converter=new_items)
    shipping_option_id: str | None = None
    shipping_price: Money | int | None = None
    outbound_shipping: ShippingMethod | None = None
    location_id: str | None = None
    no_notification: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, repr=hidden)
    ship: str = Ship.LAST.value
    hold: Hold | None = None


@frozen(kw_only=True)
class RecordExchangePayment:
    """
    Record that the host took a payment for an exchange's difference.

    Args:
        amount: of at least 1, at most what is still owed.
        reference: what the host calls this payment; recorded twice, it counts once.
        kind, provider_id: as `Payment` has them: what is given back of it is asked for with these. Without a
            kind it is of every kind that a policy does not name.
    """

    exchange_id: str
    amount: Money | int
    reference: str
    kind: str | None = None
    provider_id: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class UpdateExchange:
    """
    Replace the new items of an exchange before any are sent: they cannot be had, or others were chosen.

    Args:
        new_items: what is sent instead.
        outbound_shipping: how they travel; as before, unless given.
        hold: of an exchange whose new items are sent first, the hold that takes the place of the one before,
            which is released.
    """

    exchange_id: str
    new_items: tuple[NewItem, ...] = field(converter=new_items)
    outbound_shipping: ShippingMethod | None = None
    hold: Hold | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class SettleAdvance:
    """
    End an exchange whose new items were sent first, after the last day for the others: what did not come back
    is charged to the hold, which is released if nothing is owed.

    `resume` does it by itself for goods that were not sent. Where a charge was declined, it is tried again.
    With `write_off`, nothing is charged: a clerk does not wait any longer for what the customer owes, or for
    a part of it. Nothing was paid by that: goods that arrive later give back at most what the customer paid.

    Args:
        write_off: how much is written off, at most what is owed; only once the return is over.
        note: why; needed for it, and for nothing else.
    """

    exchange_id: str
    write_off: Money | int | None = None
    note: str | None = field(default=None, repr=hidden)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class RecordChargeOutcome:
    """
    Record the outcome of a charge that a gateway reported, or a person found out; repeatedly.

    Args:
        key: of the charge.
        outcome: `ChargeSucceeded`, `ChargePending` or `ChargeDeclined`.
    """

    key: str
    outcome: ChargeOutcome
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)

    @property
    def exchange_id(self) -> str | None:
        """The exchange that the charge is of: its key begins with it."""
        key: object = self.key
        return owner_of(key) if isinstance(key, str) else None


@frozen(kw_only=True)
class CancelExchange:
    """
    Cancel an exchange before new goods were sent; what the customer paid for it is given back.

    Args:
        keep_return: True if its goods still come back, to be refunded as those of any return; else its return
            is canceled, unless they are here.
    """

    exchange_id: str
    keep_return: bool = False
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class RequestClaim:
    """
    Compensate the customer: by a refund at once, by new goods, or by a part of the price of goods that stay.

    Args:
        type: `"refund"` or `"replace"` of units, which are then gone for good; `"reduce"` for an amount of
            each item, and `"goodwill"` for an amount without items: units stay returnable, at what is left.
            Goodwill as store credit leaves them what they are worth.
        items: none for `"goodwill"`, nor where only charges are given back, by `"refund"`.
        new_items: what is sent, for `"replace"`.
        refund_amount: instead of the value of the units, for `"refund"`; what is paid for the units that are
            not replaced, for `"replace"`; what is paid, for `"goodwill"`.
        refund_note: why `refund_amount` is above the value of the units; needed only then.
        charges: what of the order's charges is given back besides.
        shipping_option_id: how the goods are returned; the customer does not pay for it.
        return_items: True if the goods are returned, with or without a shipment that is booked here.
        outcome: how the money is given: `"refund"`, or `"store_credit"` with which the customer agrees. It
            counts against the payments as a refund does; for `"goodwill"` it is extra, and counts against
            none.
        payee: who is to have the store credit, if it is not the customer, as of a `RequestReturn`.
    """

    order_id: str
    type: str
    items: tuple[ClaimItem, ...] = field(default=(), converter=claim_items)
    new_items: tuple[NewItem, ...] = field(default=(), converter=new_items)
    refund_amount: Money | int | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    shipping_option_id: str | None = None
    return_items: bool = False
    location_id: str | None = None
    no_notification: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, repr=hidden)
    charges: tuple[ClaimedCharge, ...] = field(default=(), converter=claimed_charges)
    outcome: str = Outcome.REFUND.value
    payee: str | None = None


@frozen(kw_only=True)
class CancelClaim:
    """Cancel a claim with its return, while nothing was paid, sent or received."""

    claim_id: str
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


@frozen(kw_only=True)
class ResolveClaim:
    """
    Set the amount of a claim that is due and cannot be paid: what was paid so far writes off the rest.

    The units stay claimed. If the amount is above what was paid, the difference is paid at once.

    Of a claim whose new goods cannot be had it says what is given instead: other new goods, or money; then
    the claim is of type `"refund"`.

    Args:
        refund_amount: what is due for the whole claim; never less than what was paid. Instead of new goods,
            what the units are worth unless it is given; else it is required.
        refund_note: why `refund_amount` is above the value of the units; needed only then.
        new_items: what is sent instead, without a `refund_amount`; or the same again.
    """

    claim_id: str
    refund_amount: Money | int | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    new_items: tuple[NewItem, ...] = field(default=(), converter=new_items)
    idempotency_key: str | None = None
    created_by: str | None = field(default=None, repr=hidden)


# By what the service answers.
ReturnCommand = (
    RequestReturn
    | ApproveReturn
    | DeclineReturn
    | UpdateReturn
    | RecordSending
    | ExpireReturn
    | RenewShipment
    | ReceiveReturn
    | InspectReturn
    | ReceiveUnannounced
    | CorrectReceipt
    | ResolveReturn
    | CancelReturn
)
ExchangeCommand = (
    RequestExchange
    | RecordExchangePayment
    | UpdateExchange
    | SettleAdvance
    | RecordChargeOutcome
    | CancelExchange
)
ClaimCommand = RequestClaim | ResolveClaim | CancelClaim
#: A return's, or a claim's.
RefundCommand = RetryRefund | RecordRefundOutcome | RecordPayout

Command = ReturnCommand | ExchangeCommand | ClaimCommand | RefundCommand

#: About a return that is there.
ExistingReturnCommand = (
    ApproveReturn
    | DeclineReturn
    | UpdateReturn
    | RecordSending
    | ExpireReturn
    | RenewShipment
    | ReceiveReturn
    | InspectReturn
    | CorrectReceipt
    | ResolveReturn
    | CancelReturn
)

#: About an exchange that is there.
ExistingExchangeCommand = (
    RecordExchangePayment | UpdateExchange | SettleAdvance | RecordChargeOutcome | CancelExchange
)

#: What asks for something new, of an order.
Request = RequestReturn | RequestExchange | RequestClaim
#: What opens something new, of an order.
OpeningCommand = Request | ReceiveUnannounced


def subject_of(
    command: ExistingReturnCommand | RefundCommand | ExistingExchangeCommand | CancelClaim | ResolveClaim,
) -> str | None:
    """The id of the return, exchange or claim that the command is about; None if it names none."""
    match command:
        case RecordRefundOutcome():
            return command.target_id
        case (
            RecordExchangePayment()
            | UpdateExchange()
            | SettleAdvance()
            | RecordChargeOutcome()
            | CancelExchange()
        ):
            return command.exchange_id
        case CancelClaim() | ResolveClaim():
            return command.claim_id
        case RetryRefund() | RecordPayout():
            return command.claim_id if command.return_id is None else command.return_id
        case (
            ApproveReturn()
            | DeclineReturn()
            | UpdateReturn()
            | RecordSending()
            | ExpireReturn()
            | RenewShipment()
            | ReceiveReturn()
            | InspectReturn()
            | CorrectReceipt()
            | ResolveReturn()
            | CancelReturn()
        ):
            return command.return_id
        case _:
            raise not_a_command(command)


def not_a_command(command: Never) -> InvalidValue:
    """The error for what is not a command, where a type checker saw that every command was handled before."""
    return _other_than(get_args(Command), command)


def check_quotable(command: object) -> None:
    """
    A quote is for a return or an exchange that could be requested.

    Raises:
        InvalidValue: it is something else.
    """
    if not isinstance(command, RequestReturn | RequestExchange):
        raise _other_than((RequestReturn, RequestExchange), command)


def _other_than(kinds: tuple[type, ...], command: object) -> InvalidValue:
    names = ", ".join([kind.__name__ for kind in kinds])
    details = {"field": "command", "value": name_kind(command), "expected": f"one of {names}"}
    return InvalidValue("invalid_value", details)
