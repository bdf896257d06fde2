"""A mug, and every means by which it is given back: its payment, store credit, a payout, or a person."""

from collections.abc import Hashable, Iterable, Iterator
from typing import assert_never

from attrs import evolve

from rma import (
    ApproveReturn,
    Bonus,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Claim,
    Command,
    CorrectReceipt,
    CreditRequest,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    LineItem,
    Means,
    Order,
    Payment,
    PayoutRequest,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundRequest,
    RefundReversed,
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
    ReturnRule,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.messages.effects import Effect, GivenUp
from rma.domain.sale.means import WhenClosed
from rma.testing.core_harness import Result
from tests.explored.engine import Shop, Snapshot, shape_of_claim, shape_of_return

#: A mug for 10.00, paid by someone who is known.
MUG = Order(
    id="order_1",
    currency="usd",
    items=[LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=1000)],
    payments=[Payment(id="pay_1", captured=1000)],
    customer_id="cus_1",
)
CREDIT = ReturnRule(name="all", outcomes=["refund", "store_credit"], bonus=Bonus("thanks", percent=10))
#: What is given where a payment is closed: nothing before a person was asked, credit, or a payout.
POLICIES = tuple([ReturnPolicy(rules=[CREDIT], when_closed=each) for each in WhenClosed])

MOST_REFUNDS = 3


def is_within_bounds(ledger: ReturnLedger, command: Command) -> bool:
    """False for what would only make the number of states grow, and for what other shops try."""
    match command:
        case RequestReturn():
            return command.refund_amount is None
        case RequestClaim():
            return command.type == "refund" and command.refund_amount is None and not command.return_items
        case ReceiveReturn():
            units = [(each.quantity, each.damaged_quantity) for each in command.items]
            is_plain = not (command.allow_mismatch or command.more_expected or command.refund_amount)
            return is_plain and units == [(1, 0)] and not ledger.get(command.return_id).receipts
        case RetryRefund() | RecordPayout():
            payee = ledger.find_claim(command.claim_id or "") or ledger.get(command.return_id or "")
            return command.amount in (None, payee.amount_due) and len(payee.refunds) < MOST_REFUNDS
        case RecordRefundOutcome():
            is_final = isinstance(command.outcome, RefundDeclined | RefundReversed)
            return is_final and len(list(ledger.refunds)) < MOST_REFUNDS
        case (
            ApproveReturn()
            | DeclineReturn()
            | UpdateReturn()
            | RecordSending()
            | ExpireReturn()
            | RenewShipment()
            | ReceiveUnannounced()
            | CorrectReceipt()
            | InspectReturn()
            | ResolveReturn()
            | CancelReturn()
            | RequestExchange()
            | RecordExchangePayment()
            | UpdateExchange()
            | SettleAdvance()
            | RecordChargeOutcome()
            | CancelExchange()
            | ResolveClaim()
            | CancelClaim()
        ):
            return False
        case _:
            assert_never(command)


def by_other_means(snapshot: Snapshot) -> Iterator[Command]:
    """What makers leave to chance: store credit is chosen, and a person names the means of a retry."""
    ledger = snapshot.ledger
    if not ledger.returns and not ledger.claims:
        for kind in MEANS.requests:
            for command in MEANS.commands_in(snapshot, [kind]):
                if isinstance(command, RequestReturn | RequestClaim):
                    yield evolve(command, outcome="store_credit")
        return
    payees: list[Return | Claim] = [*ledger.returns, *ledger.claims]
    for payee in payees:
        if payee.amount_due.amount:
            is_claim = isinstance(payee, Claim)
            for means in Means:
                yield RetryRefund(
                    return_id=None if is_claim else payee.id,
                    claim_id=payee.id if is_claim else None,
                    means=means.value,
                )


def shape(snapshot: Snapshot) -> Hashable:
    """Whatever could matter to what is decided next."""
    ledger = snapshot.ledger
    return (
        tuple([(shape_of_return(each), each.outcome, each.terms.when_closed) for each in ledger.returns]),
        tuple([(shape_of_claim(each), each.refund_terms.when_closed) for each in ledger.claims]),
        tuple([(each.status, each.means, each.key in ledger.open_effects) for each in ledger.refunds]),
    )


def results(effect: Effect) -> Iterable[Result]:
    """Whatever its means: it is given, refused, or no one knows."""
    is_money = isinstance(effect, RefundRequest | CreditRequest | PayoutRequest)
    return (RefundSucceeded("re"), RefundDeclined("no"), GivenUp("away")) if is_money else ()


MEANS = Shop(
    first=Snapshot(MUG, ReturnLedger("order_1")),
    edited=MUG,
    policies=POLICIES,
    by_policy=(RequestReturn, RequestClaim),
    requests=[RequestReturn, RequestClaim],
    goes_on=[ReceiveReturn, RetryRefund, RecordPayout, RecordRefundOutcome],
    is_within_bounds=is_within_bounds,
    shape=shape,
    results=results,
    also=by_other_means,
)
