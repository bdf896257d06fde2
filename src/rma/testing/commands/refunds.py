"""Makers of commands about refunds."""

from rma.domain.messages.commands import RecordPayout, RecordRefundOutcome, RetryRefund
from rma.domain.sale.means import Means
from rma.domain.state.claims import Claim
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.testing.commands.choices import choose_target
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def retry_refund(chooser: Chooser, situation: Situation) -> RetryRefund | None:
    """All that is due for a return or a claim, or one minor unit of it; seldom by other means than before."""
    payees: list[Return | Claim] = [*situation.ledger.returns, *situation.ledger.claims]
    target = choose_target(chooser, [each for each in payees if each.amount_due.amount], payees)
    if target is None:
        return None
    amount = chooser.choose([None, None, Money(1, situation.order.currency)])
    means = chooser.detail([None] * 5 + [each.value for each in Means])
    payment_id = chooser.detail([None] * 5 + [payment.id for payment in situation.order.payments])
    is_claim = isinstance(target, Claim)
    return RetryRefund(
        return_id=None if is_claim else target.id,
        claim_id=target.id if is_claim else None,
        amount=amount,
        means=means,
        payment_id=payment_id,
    )


def record_payout(chooser: Chooser, situation: Situation) -> RecordPayout | None:
    """A person paid all that is due for a return or a claim, or a part; seldom what was paid before."""
    payees: list[Return | Claim] = [*situation.ledger.returns, *situation.ledger.claims]
    target = choose_target(chooser, [each for each in payees if each.amount_due.amount], payees)
    if target is None:
        return None
    due = max(1, target.amount_due.amount)
    is_claim = isinstance(target, Claim)
    return RecordPayout(
        return_id=None if is_claim else target.id,
        claim_id=target.id if is_claim else None,
        amount=Money(chooser.detail([due, due, due // 2 or 1]), situation.order.currency),
        reference=f"bank_{target.id}_{chooser.detail([len(target.refunds), 0])}",
    )


def record_refund_outcome(chooser: Chooser, situation: Situation) -> RecordRefundOutcome | None:
    """What became known of a refund, by the gateway or by a person who looked."""
    known = [
        (refund, outcome) for refund in situation.ledger.refunds for outcome in situation.outcomes(refund)
    ]
    if not known:
        return None
    refund, outcome = chooser.choose(known)
    return RecordRefundOutcome(
        key=refund.key, outcome=outcome, notification_id=chooser.detail([None, "evt_1"])
    )
