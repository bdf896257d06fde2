"""
Every status there is, and what may be done in it: the one table that all commands ask.

A row is a status, a column a command: None where the command is allowed, else the code of the refusal.
A status without a row, or a row without a column, does not type-check. What depends on more than the status
(on amounts, on what arrived) is decided beside the command, after this table allowed it.

`docs/states.md` is drawn by exploring; a test compares what it finds with this table.
"""

from enum import Enum, StrEnum, auto
from typing import assert_never

from attrs import evolve, frozen

from rma.domain.messages.advance import ChargeDeclined, ChargeOutcome, ChargePending, ChargeSucceeded
from rma.domain.messages.commands import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    CorrectReceipt,
    DeclineReturn,
    ExistingExchangeCommand,
    ExistingReturnCommand,
    ExpireReturn,
    InspectReturn,
    ReceiveReturn,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RefundCommand,
    RenewShipment,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.messages.effects import (
    GivenUp,
    NoRoom,
    Overdue,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
)


class ReturnStatus(StrEnum):
    """
    The status of a return.

    `pending_approval`: a person decides whether it may be sent; no label is booked. `requested`: nothing
    arrived yet. `partially_received`: more parcels are expected. `requires_action`: what arrived is not what
    was requested, or was not expected, and a clerk decides. `in_inspection`: nothing more is expected, and
    some of what arrived is yet to be graded. `received`: closed; nothing more is expected.
    `declined`: it was not approved. `expired`: nothing was sent or received in time.
    """

    PENDING_APPROVAL = "pending_approval"
    REQUESTED = "requested"
    PARTIALLY_RECEIVED = "partially_received"
    REQUIRES_ACTION = "requires_action"
    IN_INSPECTION = "in_inspection"
    RECEIVED = "received"
    CANCELED = "canceled"
    DECLINED = "declined"
    EXPIRED = "expired"


class ExchangeStatus(StrEnum):
    """
    The status of an exchange.

    `requested`: the goods are expected. `awaiting_payment`: they were received, or the new goods are to be
    sent before that, and the customer owes the difference. `requires_action`: what was received is worth less
    than requested, so that the customer owes an amount that was never quoted; or the new goods cannot be had;
    or a charge was declined. `completed`: the new goods were ordered to be sent, and those that were sent
    before the others arrived are paid for.
    """

    REQUESTED = "requested"
    AWAITING_PAYMENT = "awaiting_payment"
    REQUIRES_ACTION = "requires_action"
    COMPLETED = "completed"
    CANCELED = "canceled"


class ClaimStatus(StrEnum):
    """
    The status of a claim.

    `requested`: it was compensated, and its goods are expected back. `completed`: nothing more is expected.
    `requires_action`: its refund exceeds what the payments have left, and nothing was paid; or its new goods
    cannot be had.
    """

    REQUESTED = "requested"
    COMPLETED = "completed"
    REQUIRES_ACTION = "requires_action"
    CANCELED = "canceled"


class ChargeStatus(StrEnum):
    """The status of a charge; an unknown outcome is *pending*, as of a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"


class RefundStatus(StrEnum):
    """
    The status of a refund.

    An unknown outcome is *pending*: it may have moved money, so it counts until the opposite is known.
    """

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"
    NEEDS_ATTENTION = "needs_attention"


class Reservation(Enum):
    """Which units of its lines a return reserves, so that no other return or claim can have them."""

    #: What was requested, and what arrived besides.
    REQUESTED = auto()
    #: What arrived.
    ARRIVED = auto()
    NOTHING = auto()


@frozen(kw_only=True)
class ReturnRules:
    """A row of the table: what a status of a return means, and what each command is refused with."""

    is_open: bool
    reserves: Reservation
    approve: str | None
    decline: str | None
    update: str | None
    record_sending: str | None
    expire: str | None
    renew_shipment: str | None
    receive: None  # what arrived, arrived: no status refuses it
    correct_receipt: str | None
    inspect: str | None
    resolve: str | None
    cancel: str | None
    retry_refund: str | None
    record_payout: str | None
    record_refund_outcome: str | None
    settle_advance: str | None


def return_rules(status: ReturnStatus) -> ReturnRules:  # noqa: PLR0911 # a row for each status
    """The row of this status."""
    match status:
        case ReturnStatus.PENDING_APPROVAL:
            return _RETURN_PENDING_APPROVAL
        case ReturnStatus.REQUESTED:
            return _RETURN_REQUESTED
        case ReturnStatus.PARTIALLY_RECEIVED:
            return _RETURN_PARTIALLY_RECEIVED
        case ReturnStatus.REQUIRES_ACTION:
            return _RETURN_REQUIRES_ACTION
        case ReturnStatus.IN_INSPECTION:
            return _RETURN_IN_INSPECTION
        case ReturnStatus.RECEIVED:
            return _RETURN_RECEIVED
        case ReturnStatus.CANCELED:
            return _RETURN_CANCELED
        case ReturnStatus.DECLINED:
            return _RETURN_DECLINED
        case ReturnStatus.EXPIRED:
            return _RETURN_EXPIRED
        case _:
            assert_never(status)


_RETURN_PENDING_APPROVAL = ReturnRules(
    is_open=True,
    reserves=Reservation.REQUESTED,
    approve=None,
    decline=None,
    update=None,
    record_sending="return_not_approved",
    expire="return_not_approved",
    renew_shipment="return_not_approved",
    receive=None,  # who sends without approval is not turned away at the dock
    correct_receipt="nothing_to_correct",
    inspect="nothing_to_inspect",
    resolve="nothing_to_resolve",
    cancel=None,
    retry_refund=None,  # of what was paid for an exchange that was canceled
    record_payout=None,
    record_refund_outcome=None,
    settle_advance="advance_not_sent",
)
_RETURN_REQUESTED = ReturnRules(
    is_open=True,
    reserves=Reservation.REQUESTED,
    approve="return_not_pending",
    decline="return_not_pending",
    update=None,
    record_sending=None,
    expire=None,  # only after its date
    renew_shipment=None,
    receive=None,
    correct_receipt="nothing_to_correct",
    inspect="nothing_to_inspect",
    resolve=None,  # only to say what became of units that will not arrive
    cancel=None,
    retry_refund=None,
    record_payout=None,
    record_refund_outcome=None,
    settle_advance=None,  # only after its date
)
_RETURN_PARTIALLY_RECEIVED = ReturnRules(
    is_open=True,
    reserves=Reservation.REQUESTED,
    approve="return_not_pending",
    decline="return_not_pending",
    update="return_already_received",
    record_sending=None,  # this and the next two only before the first parcel: beside goods that are kept
    expire=None,
    renew_shipment=None,
    receive=None,
    correct_receipt=None,
    inspect=None,
    resolve=None,
    cancel="return_not_cancelable",
    retry_refund=None,
    record_payout=None,
    record_refund_outcome=None,
    settle_advance=None,  # the same
)
_RETURN_REQUIRES_ACTION = ReturnRules(
    is_open=True,
    reserves=Reservation.REQUESTED,
    approve="return_not_pending",
    decline="return_not_pending",
    update="return_already_received",
    record_sending="return_already_received",
    expire="return_already_received",
    renew_shipment="return_already_received",
    receive=None,
    correct_receipt=None,
    inspect=None,
    resolve=None,
    cancel=None,  # unless goods of it were paid for, or went back, before
    retry_refund=None,
    record_payout=None,
    record_refund_outcome=None,
    settle_advance="advance_undecided",
)
_RETURN_IN_INSPECTION = ReturnRules(
    is_open=True,
    reserves=Reservation.REQUESTED,
    approve="return_not_pending",
    decline="return_not_pending",
    update="return_already_received",
    record_sending="return_already_received",
    expire="return_already_received",
    renew_shipment="return_already_received",
    receive=None,  # a parcel that no one waited for any more
    correct_receipt=None,
    inspect=None,
    resolve="return_in_inspection",
    cancel="return_in_inspection",
    retry_refund=None,
    record_payout=None,
    record_refund_outcome=None,
    settle_advance="advance_undecided",
)
_RETURN_RECEIVED = ReturnRules(
    is_open=False,
    reserves=Reservation.ARRIVED,
    approve="return_not_pending",
    decline="return_not_pending",
    update="return_already_received",
    record_sending="return_already_received",
    expire="return_already_received",
    renew_shipment="return_already_received",
    receive=None,  # a parcel that comes all the same: a person decides about it
    correct_receipt=None,
    inspect=None,  # only what was graded before
    resolve=None,  # only to set an amount that is due and cannot be paid
    cancel="return_already_received",
    retry_refund=None,
    record_payout=None,
    record_refund_outcome=None,
    settle_advance=None,  # only to charge again what was declined
)
_RETURN_CANCELED = ReturnRules(
    is_open=False,
    reserves=Reservation.NOTHING,
    approve="return_not_pending",
    decline="return_not_pending",
    update="return_canceled",
    record_sending="return_canceled",
    expire="return_canceled",
    renew_shipment="return_canceled",
    receive=None,  # a parcel that comes all the same: a person decides about it
    correct_receipt=None,
    inspect="return_canceled",
    resolve="return_canceled",
    cancel=None,  # canceling twice is the same as once
    retry_refund=None,
    record_payout=None,
    record_refund_outcome=None,
    settle_advance="return_canceled",
)
_RETURN_DECLINED = ReturnRules(
    is_open=False,
    reserves=Reservation.NOTHING,
    approve="return_not_pending",
    decline="return_not_pending",
    update="return_declined",
    record_sending="return_declined",
    expire="return_declined",
    renew_shipment="return_declined",
    receive=None,  # a parcel that comes all the same: a person decides about it
    correct_receipt="nothing_to_correct",
    inspect="nothing_to_inspect",
    resolve="nothing_to_resolve",
    cancel="return_declined",
    retry_refund=None,  # of what was paid for an exchange that was canceled
    record_payout=None,
    record_refund_outcome=None,
    settle_advance="return_declined",
)
_RETURN_EXPIRED = ReturnRules(
    is_open=False,
    reserves=Reservation.NOTHING,
    approve="return_not_pending",
    decline="return_not_pending",
    update="return_expired",
    record_sending=None,  # only what was sent in time
    expire=None,  # expiring twice is the same as once
    renew_shipment="return_expired",
    receive=None,  # a parcel that comes all the same: a person decides about it
    correct_receipt="nothing_to_correct",
    inspect="nothing_to_inspect",
    resolve=None,  # only to say what the customer keeps who was paid and sent nothing
    cancel="return_expired",
    retry_refund=None,  # of what was paid for its exchange beyond what is owed
    record_payout=None,
    record_refund_outcome=None,
    settle_advance=None,  # only to charge again what was declined
)


def return_refusal(  # noqa: C901, PLR0911, PLR0912 # a row for each command
    status: ReturnStatus, command: ExistingReturnCommand | RefundCommand
) -> str | None:
    """The code with which a return of this status refuses the command; None if the status allows it."""
    rules = return_rules(status)
    match command:
        case ApproveReturn():
            return rules.approve
        case DeclineReturn():
            return rules.decline
        case UpdateReturn():
            return rules.update
        case RecordSending():
            return rules.record_sending
        case ExpireReturn():
            return rules.expire
        case RenewShipment():
            return rules.renew_shipment
        case ReceiveReturn():
            return rules.receive
        case InspectReturn():
            return rules.inspect
        case CorrectReceipt():
            return rules.correct_receipt
        case ResolveReturn():
            return rules.resolve
        case CancelReturn():
            return rules.cancel
        case RetryRefund():
            return rules.retry_refund
        case RecordPayout():
            return rules.record_payout
        case RecordRefundOutcome():
            return rules.record_refund_outcome
        case _:
            assert_never(command)


def advance_refusal(status: ReturnStatus) -> str | None:
    """The code with which a return of this status refuses `SettleAdvance`; None if the status allows it."""
    return return_rules(status).settle_advance


@frozen(kw_only=True)
class ExchangeRules:
    """A row of the table: what a status of an exchange means, and what each command is refused with."""

    is_open: bool
    record_payment: str | None
    update: str | None
    settle_advance: str | None
    record_charge_outcome: str | None
    cancel: str | None


def exchange_rules(status: ExchangeStatus) -> ExchangeRules:
    """The row of this status."""
    match status:
        case ExchangeStatus.REQUESTED | ExchangeStatus.AWAITING_PAYMENT | ExchangeStatus.REQUIRES_ACTION:
            return _EXCHANGE_OPEN
        case ExchangeStatus.COMPLETED:
            return _EXCHANGE_COMPLETED
        case ExchangeStatus.CANCELED:
            return _EXCHANGE_CANCELED
        case _:
            assert_never(status)


_EXCHANGE_OPEN = ExchangeRules(
    is_open=True,
    record_payment=None,
    update=None,  # only while no new goods were sent
    settle_advance=None,  # only where new goods were sent first
    record_charge_outcome=None,
    cancel=None,  # only while no new goods were sent
)
_EXCHANGE_COMPLETED = ExchangeRules(
    is_open=False,
    record_payment=None,  # only where a corrected receipt left something owed
    update="exchange_completed",
    settle_advance="exchange_completed",
    record_charge_outcome=None,
    cancel="exchange_completed",
)
_EXCHANGE_CANCELED = ExchangeRules(
    is_open=False,
    record_payment="exchange_canceled",
    update="exchange_canceled",
    settle_advance="exchange_canceled",
    record_charge_outcome=None,
    cancel=None,
)


def exchange_refusal(status: ExchangeStatus, command: ExistingExchangeCommand) -> str | None:
    """The code with which an exchange of this status refuses the command; None if the status allows it."""
    rules = exchange_rules(status)
    match command:
        case RecordExchangePayment():
            return rules.record_payment
        case UpdateExchange():
            return rules.update
        case SettleAdvance():
            return rules.settle_advance
        case RecordChargeOutcome():
            return rules.record_charge_outcome
        case CancelExchange():
            return rules.cancel
        case _:
            assert_never(command)


@frozen(kw_only=True)
class ChargeRules:
    """A row of the table of charges, as `RefundRules`: None where an outcome changes nothing."""

    is_in_force: bool
    succeeded: ChargeStatus | None
    pending: ChargeStatus | None
    declined: ChargeStatus | None
    given_up: ChargeStatus | None


def charge_rules(status: ChargeStatus) -> ChargeRules:
    """The row of this status."""
    match status:
        case ChargeStatus.PENDING:
            return _CHARGE_PENDING
        case ChargeStatus.NEEDS_ATTENTION:
            return _CHARGE_NEEDS_ATTENTION
        case ChargeStatus.SUCCEEDED:
            return _CHARGE_SUCCEEDED
        case ChargeStatus.FAILED:
            return _CHARGE_FAILED
        case _:
            assert_never(status)


_CHARGE_PENDING = ChargeRules(
    is_in_force=True,
    succeeded=ChargeStatus.SUCCEEDED,
    pending=ChargeStatus.PENDING,
    declined=ChargeStatus.FAILED,
    given_up=ChargeStatus.NEEDS_ATTENTION,
)
_CHARGE_NEEDS_ATTENTION = evolve(_CHARGE_PENDING, pending=ChargeStatus.NEEDS_ATTENTION, given_up=None)
#: A charge that succeeded may still fail days later.
_CHARGE_SUCCEEDED = ChargeRules(
    is_in_force=True, succeeded=None, pending=None, declined=ChargeStatus.FAILED, given_up=None
)
#: A success that is reported afterwards moved the money all the same: it counts as paid.
_CHARGE_FAILED = evolve(_CHARGE_SUCCEEDED, is_in_force=False, succeeded=ChargeStatus.SUCCEEDED, declined=None)


def charge_status_after(
    status: ChargeStatus, outcome: ChargeOutcome | GivenUp | Overdue
) -> ChargeStatus | None:
    """The status that the outcome leads to; None if it changes nothing."""
    rules = charge_rules(status)
    match outcome:
        case ChargeSucceeded():
            return rules.succeeded
        case ChargePending():
            return rules.pending
        case ChargeDeclined():
            return rules.declined
        case GivenUp() | Overdue():
            return rules.given_up
        case _:
            assert_never(outcome)


@frozen(kw_only=True)
class ClaimRules:
    """A row of the table: what a status of a claim means, and what each command is refused with."""

    is_open: bool
    reserves: bool
    resolve: str | None
    cancel: str | None
    retry_refund: str | None
    record_payout: str | None
    record_refund_outcome: str | None


def claim_rules(status: ClaimStatus) -> ClaimRules:
    """The row of this status."""
    match status:
        case ClaimStatus.REQUESTED | ClaimStatus.REQUIRES_ACTION:
            return _CLAIM_OPEN
        case ClaimStatus.COMPLETED:
            return _CLAIM_COMPLETED
        case ClaimStatus.CANCELED:
            return _CLAIM_CANCELED
        case _:
            assert_never(status)


_CLAIM_OPEN = ClaimRules(
    is_open=True,
    reserves=True,
    resolve=None,  # only to set an amount that is due and cannot be paid, or where new goods cannot be had
    cancel=None,  # only while nothing was paid, sent or received
    retry_refund=None,
    record_payout=None,
    record_refund_outcome=None,
)
_CLAIM_COMPLETED = evolve(_CLAIM_OPEN, is_open=False)
_CLAIM_CANCELED = ClaimRules(
    is_open=False,
    reserves=False,
    resolve="nothing_due",
    cancel=None,
    retry_refund="nothing_due",
    record_payout="nothing_due",
    record_refund_outcome=None,
)


def claim_refusal(status: ClaimStatus, command: ResolveClaim | CancelClaim | RefundCommand) -> str | None:
    """The code with which a claim of this status refuses the command; None if the status allows it."""
    rules = claim_rules(status)
    match command:
        case ResolveClaim():
            return rules.resolve
        case CancelClaim():
            return rules.cancel
        case RetryRefund():
            return rules.retry_refund
        case RecordPayout():
            return rules.record_payout
        case RecordRefundOutcome():
            return rules.record_refund_outcome
        case _:
            assert_never(command)


@frozen(kw_only=True)
class RefundRules:
    """
    A row of the table: whether the money counts, and the status that each outcome leads to.

    None where the outcome changes nothing: notifications arrive in any order, so that a status is left only
    for a later one.
    """

    is_in_force: bool
    succeeded: RefundStatus | None
    pending: RefundStatus | None
    declined: RefundStatus | None
    reversed: RefundStatus | None
    given_up: RefundStatus | None


def refund_rules(status: RefundStatus) -> RefundRules:
    """The row of this status."""
    match status:
        case RefundStatus.PENDING:
            return _REFUND_PENDING
        case RefundStatus.NEEDS_ATTENTION:
            return _REFUND_NEEDS_ATTENTION
        case RefundStatus.SUCCEEDED:
            return _REFUND_SUCCEEDED
        case RefundStatus.FAILED:
            return _REFUND_FAILED
        case RefundStatus.REVERSED:
            return _REFUND_REVERSED
        case _:
            assert_never(status)


_REFUND_PENDING = RefundRules(
    is_in_force=True,
    succeeded=RefundStatus.SUCCEEDED,
    pending=RefundStatus.PENDING,
    declined=RefundStatus.FAILED,
    reversed=RefundStatus.REVERSED,
    given_up=RefundStatus.NEEDS_ATTENTION,
)
_REFUND_NEEDS_ATTENTION = RefundRules(
    is_in_force=True,
    succeeded=RefundStatus.SUCCEEDED,
    pending=RefundStatus.NEEDS_ATTENTION,
    declined=RefundStatus.FAILED,
    reversed=RefundStatus.REVERSED,
    given_up=None,
)
#: A refund that succeeded may still fail or be reversed days later.
_REFUND_SUCCEEDED = RefundRules(
    is_in_force=True,
    succeeded=None,
    pending=None,
    declined=RefundStatus.FAILED,
    reversed=RefundStatus.REVERSED,
    given_up=None,
)
#: A success that is reported afterwards contradicts it, unless it is a notice that was delivered before.
_REFUND_FAILED = RefundRules(
    is_in_force=False,
    succeeded=RefundStatus.NEEDS_ATTENTION,
    pending=None,
    declined=None,
    reversed=None,
    given_up=None,
)
#: A refund that was reversed had succeeded: notices in any order say the same.
_REFUND_REVERSED = RefundRules(
    is_in_force=False, succeeded=None, pending=None, declined=None, reversed=None, given_up=None
)


def refund_status_after(
    status: RefundStatus, outcome: RefundOutcome | RefundReversed | GivenUp | NoRoom | Overdue
) -> RefundStatus | None:
    """The status that the outcome leads to; None if it changes nothing."""
    rules = refund_rules(status)
    match outcome:
        case RefundSucceeded():
            return rules.succeeded
        case RefundPending():
            return rules.pending
        case RefundDeclined():
            return rules.declined
        case RefundReversed():
            return rules.reversed
        case GivenUp() | NoRoom() | Overdue():
            return rules.given_up
        case _:
            assert_never(outcome)
