"""A pair of shoes, and everything that an exchange whose new goods are sent first can come to."""

from collections.abc import Hashable
from typing import assert_never

from rma import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    ChargeDeclined,
    ChargeRequest,
    ChargeSucceeded,
    Command,
    CorrectReceipt,
    DeclineReturn,
    Exchange,
    ExchangeStatus,
    ExpireReturn,
    Grade,
    InspectReturn,
    LineItem,
    Order,
    OutOfStock,
    Payment,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundRequest,
    RenewShipment,
    ReplacementRequest,
    ReplacementShipment,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ReserveRequest,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    ReturnLedger,
    ReturnPolicy,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.messages.effects import Done, Effect, GivenUp
from rma.domain.sale.hold import Hold
from rma.domain.state.returns import Return
from rma.testing.core_harness import Result
from tests.explored.engine import LATER, Shop, Snapshot, shape_of_return

#: Shoes for 10.00, paid.
SHOES = Order(
    id="order_1",
    currency="usd",
    items=[LineItem(id="shoes", quantity=1, fulfilled_quantity=1, unit_price=1000)],
    payments=[Payment(id="pay_1", captured=1000)],
)
GRADES = (Grade("A", 100, "restock"), Grade("D", 0, "recycle"))
#: They are graded; or a person has to approve first.
POLICIES = (
    ReturnPolicy(return_within_days=1, inspect=True, grades=GRADES),
    ReturnPolicy(return_within_days=1, review=True),
)
#: What the new goods cost: as much, or more, which is to be paid first.
PRICES = {1000, 2500}

ANSWERED_AT_ONCE = (ReserveRequest, ReplacementRequest)
MOST_CHARGES = 2
MOST_RECEIPTS = 1


def is_within_bounds(  # noqa: C901 # a row for each command
    ledger: ReturnLedger, command: Command
) -> bool:
    """
    False for what would only make the number of states grow, and for what other shops try.

    What is asked of stock and carrier is answered before the next command; money may take longer.
    """
    if any(isinstance(each.request, ANSWERED_AT_ONCE) for each in ledger.open_effects.values()):
        return False
    is_canceled = any(each.status is ExchangeStatus.CANCELED for each in ledger.exchanges)
    if is_canceled:  # its return goes on as any other, or does not
        return isinstance(command, DeclineReturn)
    match command:
        case RequestExchange():
            return _is_covered(command.hold) and _price(command) in PRICES
        case UpdateExchange():
            exchange = ledger.find_exchange(command.exchange_id)
            is_first = exchange is not None and not exchange.is_revised and not exchange.difference_due.amount
            # As much as before on the same hold, or more on another.
            price = 1000 if command.hold is None else 2500
            return is_first and _price(command) == price and (not command.hold or _is_covered(command.hold))
        case RecordExchangePayment():
            exchange = ledger.find_exchange(command.exchange_id)
            return exchange is not None and command.amount == exchange.owed
        case SettleAdvance(write_off=amount, exchange_id=exchange_id) if amount is not None:
            exchange = ledger.find_exchange(exchange_id)
            return exchange is not None and amount == exchange.owed.amount
        case SettleAdvance() | ExpireReturn():
            return all(len(each.hold_charges) < MOST_CHARGES for each in ledger.exchanges)
        case ApproveReturn() | DeclineReturn() | CancelReturn() | CancelExchange() | RecordChargeOutcome():
            return True
        case RecordSending():
            return ledger.get(command.return_id).terms.inspect
        case ReceiveReturn():
            target, units = ledger.get(command.return_id), sum(each.quantity for each in command.items)
            damaged = sum(each.damaged_quantity for each in command.items)
            is_few = len(target.receipts) < MOST_RECEIPTS and command.refund_amount is None
            is_plain = not (command.allow_mismatch or command.more_expected)
            return is_few and is_plain and (units, damaged) == (1, 0)
        case InspectReturn():
            return not ledger.get(command.return_id).inspections
        case ResolveReturn():
            return not (command.missing or command.refund_amount)
        case (
            RequestReturn()
            | RequestClaim()
            | ReceiveUnannounced()
            | UpdateReturn()
            | RenewShipment()
            | CorrectReceipt()
            | RetryRefund()
            | RecordPayout()
            | RecordRefundOutcome()
            | ResolveClaim()
            | CancelClaim()
        ):
            return False
        case _:
            assert_never(command)


def _is_covered(hold: Hold | None) -> bool:
    return hold is not None and hold.amount.amount > 1 and hold.until > LATER


def _price(command: RequestExchange | UpdateExchange) -> int:
    return sum(each.unit_price.amount for each in command.new_items)


def shape(snapshot: Snapshot) -> Hashable:
    """Whatever could matter to what is decided next."""
    ledger = snapshot.ledger
    return (
        tuple([_shape_of_advance(each) for each in ledger.returns]),
        tuple([shape_of_exchange(each) for each in ledger.exchanges]),
        tuple([(each.status, each.key in ledger.open_effects) for each in ledger.refunds]),
        tuple([key for key, each in ledger.open_effects.items() if results(each.request)]),
    )


def _shape_of_advance(each: Return) -> Hashable:
    return shape_of_return(each), each.sending is not None, each.awaits_new_goods


def shape_of_exchange(each: Exchange) -> Hashable:
    """What matters of an exchange whose new goods may be sent first."""
    return (
        each.status,
        each.difference_due,
        each.paid,
        each.sent_first,
        each.out_of_stock is not None,
        each.reservation is not None,
        each.is_revised,
        len(each.replaced_holds),
        each.hold_released_at is not None,
        tuple([charge.status for charge in each.hold_charges]),
        each.written_off,
    )


def results(effect: Effect) -> tuple[Result, ...]:
    """
    Of what a shop does not have, or a gateway refuses.

    That a refund succeeded, or a hold was released, changes nothing.
    """
    match effect:
        case RefundRequest():
            return (RefundDeclined("no"),)
        case ChargeRequest():
            return (ChargeSucceeded(), ChargeDeclined("no"), GivenUp("away"))
        case ReplacementRequest():
            return (ReplacementShipment({}), OutOfStock())
        case ReserveRequest():
            return (Done(), OutOfStock())
        case _:
            return ()


#: What leads on, and what is tried besides: of the money of those that end without goods.
GOES_ON = (
    ApproveReturn,
    DeclineReturn,
    CancelReturn,
    ExpireReturn,
    RecordSending,
    ReceiveReturn,
    InspectReturn,
    ResolveReturn,
    RecordExchangePayment,
    UpdateExchange,
    SettleAdvance,
    RecordChargeOutcome,
    CancelExchange,
)
TRIED = (
    RecordExchangePayment,
    UpdateExchange,
    SettleAdvance,
    RecordChargeOutcome,
    CancelExchange,
    ApproveReturn,
    DeclineReturn,
    CancelReturn,
    ExpireReturn,
    RetryRefund,
    RecordPayout,
    RecordRefundOutcome,
)

ADVANCE = Shop(
    first=Snapshot(SHOES, ReturnLedger("order_1")),
    edited=SHOES,
    policies=POLICIES,
    by_policy=(RequestExchange,),
    requests=[RequestExchange],
    goes_on=GOES_ON,
    tried=TRIED,
    is_within_bounds=is_within_bounds,
    shape=shape,
    results=results,
    reserves=True,
)
