"""A small order, and everything that its returns, exchanges and claims can come to, but new goods first."""

from collections.abc import Hashable, Iterable
from typing import assert_never

from attrs import evolve as with_

from rma import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    LineItem,
    Order,
    Payment,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundSucceeded,
    RenewShipment,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnStatus,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.messages.advance import OutOfStock
from rma.domain.messages.effects import Effect, RefundRequest, ReplacementRequest
from rma.testing.core_harness import Result
from tests.explored.engine import Shop, Snapshot, shape_of_claim, shape_of_return

#: Two mugs at 10.00. At first hardly anything is captured, so that what is due can be too much.
RICH = Order(
    id="order_1",
    currency="usd",
    items=[LineItem(id="mug", quantity=2, fulfilled_quantity=2, unit_price=1000)],
    payments=[Payment(id="pay_1", captured=9000)],
)
POOR = with_(RICH, payments=[Payment(id="pay_1", captured=500)])

#: What is waited for: a parcel, but not for ever; before that, a person's approval; then, an inspection.
POLICIES = (
    ReturnPolicy(return_within_days=1),
    ReturnPolicy(return_within_days=1, review=True),
    ReturnPolicy(inspect=True),
)

#: How many parcels arrive, and how often money is asked for, at most.
MOST_RECEIPTS = 2
MOST_REFUNDS = 2
MOST_CORRECTIONS = 1
MOST_PAYMENTS = 1
MOST_INSPECTIONS = 2
#: Sellable and damaged units of a parcel.
PARCELS = {(0, 0), (1, 0), (0, 1), (2, 0)}
LATE_PARCELS = {(1, 0)}
#: What a correction says of them.
CORRECTED = {(0, 0), (1, 0), (2, 0)}


def is_within_bounds(  # noqa: C901 # a row for each command
    ledger: ReturnLedger, command: Command
) -> bool:
    """False for what would only make the number of states grow: more subjects, parcels, refunds, amounts."""
    match command:
        case RequestReturn():
            return command.refund_amount is None
        case (
            ApproveReturn()
            | DeclineReturn()
            | UpdateReturn()
            | RecordSending()
            | ExpireReturn()
            | RenewShipment()
        ):
            return not ledger.get(command.return_id).receipts
        case RecordRefundOutcome():
            return not any(each.inspections for each in ledger.returns)
        case CancelExchange():
            return not command.keep_return or not any(each.receipts for each in ledger.returns)
        case UpdateExchange() | SettleAdvance() | RecordChargeOutcome():
            return False  # it is tried, and leads to nothing that was not here before
        case RequestExchange() | CancelReturn() | CancelClaim():
            return True
        case RequestClaim():
            return not command.refund_amount and all(each.amount in (None, 1) for each in command.items)
        case ReceiveReturn():
            target, units = ledger.get(command.return_id), sum(each.quantity for each in command.items)
            damaged = sum(each.damaged_quantity for each in command.items)
            is_few = len(target.receipts) < MOST_RECEIPTS and len(target.refunds) < MOST_REFUNDS
            is_over = target.status in (ReturnStatus.RECEIVED, ReturnStatus.CANCELED)
            # What an exchange leaves, once it was declined or expired, goes on as any other late return.
            is_left = target.is_released and target.exchange_id is not None
            is_late = is_over or is_left or target.corrections
            if is_late and not (_is_alone(target) and len(target.items) == 1):
                return False
            if target.terms.inspect and target.inspections:
                return False
            if target.exchange_id is not None and target.receipts:
                return is_few and (units, damaged) == (1, 0) and command.refund_amount is None
            parcels = (
                LATE_PARCELS if is_late or not any(item.is_requested for item in target.items) else PARCELS
            )
            return is_few and (units, damaged) in parcels and command.refund_amount is None
        case ReceiveUnannounced():
            units = sum(each.quantity for each in command.items)
            return units + len(command.foreign) == 1
        case CorrectReceipt():
            target = ledger.get(command.return_id)
            units = sum(each.quantity for each in command.items)
            damaged = sum(each.damaged_quantity for each in command.items)
            is_few = len(target.corrections) < MOST_CORRECTIONS and len(target.receipts) < MOST_RECEIPTS
            is_plain = len(target.items) == 1 and not target.items[0].damaged_quantity
            is_few = is_few and is_plain and len(target.refunds) < MOST_REFUNDS
            # Of what waits, or was graded, one is tried: others are tried elsewhere.
            is_first = not target.corrections and len(target.inspections) <= 1 and not target.exchange_id
            is_few = is_few and (is_first or not target.terms.inspect)
            is_few = is_few and len(target.receipts) == 1
            return is_few and _is_alone(target) and (units, damaged) in CORRECTED
        case InspectReturn():
            target = ledger.get(command.return_id)
            is_few = len(target.inspections) < MOST_INSPECTIONS and not target.refunds
            is_few = is_few or (len(target.receipts) == 1 and len(target.refunds) < MOST_REFUNDS)
            is_few = is_few and len(target.inspections) < MOST_INSPECTIONS
            (item,) = command.items if len(command.items) == 1 else (None,)
            grade = "sellable" if item and item.previous_grade is None else "damaged"
            is_plain = item is not None and item.disposition is None and item.grade == grade
            return (
                is_few and is_plain and not (target.refunds and target.status is ReturnStatus.IN_INSPECTION)
            )
        case ResolveReturn():
            is_few = len(ledger.get(command.return_id).refunds) < MOST_REFUNDS
            rejected = sum(each.quantity + each.damaged_quantity for each in command.rejected)
            missing = sum(each.quantity for each in command.missing)
            return is_few and rejected + missing <= 1 and not command.refund_amount
        case ResolveClaim():
            claim = ledger.find_claim(command.claim_id)
            if claim is None or claim.is_revised:
                return False
            if claim.lacks_new_goods:
                return command.refund_amount is None and not command.refund_note
            return command.refund_amount == claim.refunded.amount
        case RetryRefund() | RecordPayout():
            subject = ledger.find_claim(command.claim_id or "") or ledger.get(command.return_id or "")
            is_whole = command.amount in (None, subject.amount_due)
            return len(subject.refunds) < MOST_REFUNDS and is_whole
        case RecordExchangePayment():
            exchange = ledger.find_exchange(command.exchange_id)
            return exchange is None or len(exchange.payments) < MOST_PAYMENTS
        case _:
            assert_never(command)


def _is_alone(target: Return) -> bool:
    return target.exchange_id is None and target.claim_id is None


def shape(snapshot: Snapshot) -> Hashable:
    """Whatever could matter to what is decided next."""
    ledger = snapshot.ledger
    return (
        snapshot.order is RICH,
        tuple([shape_of_return(each) for each in ledger.returns]),
        tuple([(each.status, each.difference_due, each.paid) for each in ledger.exchanges]),
        tuple([shape_of_claim(each) for each in ledger.claims]),
        tuple([(each.status, each.key in ledger.open_effects) for each in ledger.refunds]),
    )


def results(effect: Effect) -> Iterable[Result]:
    """Of refunds, and of new goods of claims that cannot be had: others do not matter here."""
    match effect:
        case RefundRequest():
            return (RefundSucceeded(), RefundDeclined("no"))
        case ReplacementRequest(claim_id=str()):
            return (OutOfStock(),)
        case _:
            return ()


RETURNS = Shop(
    first=Snapshot(POOR, ReturnLedger("order_1")),
    edited=RICH,
    policies=POLICIES,
    is_within_bounds=is_within_bounds,
    shape=shape,
    results=results,
)
