"""RecordRefundOutcome: what a gateway tells by itself, or a person found out."""

from typing import cast

from rma.domain.decide.facts import Facts
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import RefundOutcomeRecorded
from rma.domain.messages.commands import RecordRefundOutcome
from rma.domain.messages.effects import RefundDeclined, RefundPending, RefundReversed, RefundSucceeded
from rma.domain.state.claims import Claim
from rma.domain.state.ledger import ReturnLedger, subject_ids
from rma.domain.state.refunds import Refund, after
from rma.domain.state.returns import Return


def record_refund_outcome(
    facts: Facts, ledger: ReturnLedger, command: RecordRefundOutcome
) -> tuple[()] | tuple[RefundOutcomeRecorded]:
    """
    What is known of the refund now; nothing where it was known before, or something later is.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target: Return | Claim | None = ledger.find(command.target_id) or ledger.find_claim(command.target_id)
    refund = _refund(target, command) if target else None
    if target is None:
        wrong.add("return_not_found", return_id=error_value(command.target_id))
    elif refund is None:
        wrong.add("refund_not_found", key=error_value(command.key), reference=error_value(command.reference))
    outcome: object = command.outcome
    if not isinstance(outcome, RefundSucceeded | RefundPending | RefundDeclined | RefundReversed):
        wrong.add("invalid_outcome", outcome=error_value(outcome))
    wrong.check_texts(command, "key", "return_id", "reference", "notification_id")
    payee = cast("Return | Claim", wrong.require(target))  # mypy makes one object of them
    refund = wrong.require(refund)
    known = after(refund, command.outcome, facts.at)
    if known == refund and refund.key not in ledger.open_effects:
        return ()
    return_id, exchange_id, claim_id = subject_ids(payee)
    event = RefundOutcomeRecorded(
        order_id=payee.order_id,
        return_id=return_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        at=facts.at,
        by=command.created_by,
        no_notification=payee.no_notification,
        command=command if command.idempotency_key else None,
        refund=known,
        notification_id=command.notification_id,
    )
    return (event,)


def _refund(target: Return | Claim, command: RecordRefundOutcome) -> Refund | None:
    for refund in target.refunds:
        if refund.key == command.key or (
            command.key is None and refund.reference is not None and refund.reference == command.reference
        ):
            return refund
    return None
