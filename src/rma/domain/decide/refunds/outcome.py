"""RecordRefundOutcome: the outcome of a refund that a gateway reports later, or that a person found out."""

from typing import assert_never

from rma.domain.decide.checks import check_flags, check_string, check_strings, check_text
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.closed import pay_instead
from rma.domain.decide.refunds.entitlement import refund_refusal
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.events import Event, KnownOutcomeReported, RefundOutcomeRecorded, header_for
from rma.domain.messages.commands import RecordRefundOutcome
from rma.domain.messages.effects import RefundDeclined, RefundPending, RefundReversed, RefundSucceeded
from rma.domain.state.claims import Claim
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import Refund, after, with_notice
from rma.domain.state.returns import Return
from rma.domain.values.money import Money


def record_refund_outcome(
    facts: Facts, ledger: ReturnLedger, command: RecordRefundOutcome
) -> tuple[Event, ...]:
    """
    The refund with its outcome. If it was known before, or a later one is known, only that it was reported
    is recorded, so that a repeat is known; nothing if it has neither a new id nor an idempotency key.

    What its payment does not take is given by other means, where the terms say so.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target: Return | Claim | None = ledger.find(command.target_id) or ledger.find_claim(command.target_id)
    refund = _find_refund(target, command) if target else None
    if target is None:
        wrong.add("return_not_found", return_id=error_id(command.target_id))
    elif refusal := refund_refusal(target, command) or (None if refund else "refund_not_found"):
        wrong.add(refusal, key=error_id(command.key), reference=error_id(command.reference))
    outcome: object = command.outcome
    if not isinstance(outcome, RefundSucceeded | RefundPending | RefundDeclined | RefundReversed):
        wrong.add("invalid_outcome", of="refund", outcome=error_value(outcome))
    else:
        _check_answer(wrong, outcome)
        if isinstance(outcome, RefundSucceeded) and outcome.amount is not None:
            _check_moved(wrong, outcome.amount, refund)
    check_strings(wrong, command, "key", "return_id", "reference", "notification_id")
    if wrong or target is None:
        return wrong.require(None)
    refund = wrong.require(refund)
    known = after(refund, command.outcome, facts.at, by=command.created_by, notice=command.notification_id)
    effect = ledger.open_effects.get(refund.key)
    is_news = known != refund or (effect is not None and effect.delivery.pending_since is None)
    known = with_notice(known, command.outcome, command.notification_id)
    header = header_for(target, ledger, facts.at, by=command.created_by, command=command)
    if not is_news:
        is_repeat = known == refund and header.command is None
        return () if is_repeat else (KnownOutcomeReported(header=header, key=refund.key, refund=known),)
    is_pending = known.status is RefundStatus.PENDING
    event = RefundOutcomeRecorded(
        header=header,
        refund=known,
        delivery=facts.timing.while_pending(effect, facts.at) if effect and is_pending else None,
        notification_id=command.notification_id,
    )
    return (event, *pay_instead(ledger, target, [(known, command.outcome)], facts.at))


def _check_answer(
    wrong: Violations, outcome: RefundSucceeded | RefundPending | RefundDeclined | RefundReversed
) -> None:
    """What the gateway said is made of strings."""
    match outcome:
        case RefundSucceeded(reference=reference) | RefundPending(reference=reference):
            check_text(wrong, "outcome.reference", reference)
        case RefundDeclined(code=code, message=message) | RefundReversed(code=code, message=message):
            check_string(wrong, "outcome.code", code)
            check_string(wrong, "outcome.message", message)
            if isinstance(outcome, RefundDeclined):
                check_flags(wrong, is_temporary=outcome.is_temporary)
        case _:
            assert_never(outcome)


def _check_moved(wrong: Violations, moved: object, refund: Refund | None) -> None:
    """What really moved is an amount in the currency of the refund, at least 0."""
    currency = refund.amount.currency if refund else None
    if not isinstance(moved, Money) or moved.amount < 0 or currency not in (None, moved.currency):
        wrong.add("invalid_outcome", of="refund", outcome=error_value(moved))


def _find_refund(target: Return | Claim, command: RecordRefundOutcome) -> Refund | None:
    for refund in target.refunds:
        if refund.key == command.key or (
            command.key is None and refund.reference is not None and refund.reference == command.reference
        ):
            return refund
    return None
