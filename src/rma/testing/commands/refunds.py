"""Makers of commands about refunds."""

from rma.domain.messages.commands import RecordRefundOutcome, RetryRefund
from rma.domain.state.claims import Claim
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.testing.commands.choices import choose_target
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def retry_refund(chooser: Chooser, situation: Situation) -> RetryRefund | None:
    """All that is due for a return or a claim, or one minor unit of it."""
    payees: list[Return | Claim] = [*situation.ledger.returns, *situation.ledger.claims]
    target = choose_target(chooser, [each for each in payees if each.amount_due.amount], payees)
    if target is None:
        return None
    amount = chooser.choose([None, None, Money(1, situation.order.currency)])
    if isinstance(target, Claim):
        return RetryRefund(claim_id=target.id, amount=amount)
    return RetryRefund(return_id=target.id, amount=amount)


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
