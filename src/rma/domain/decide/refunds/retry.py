"""RetryRefund: what is due and not paid is asked for again, under new keys."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.checks import check_amount, check_order, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.entitlement import refund_refusal
from rma.domain.decide.refunds.split import limit_to_refundable, refunds_for
from rma.domain.decide.violations import Violations, error_id
from rma.domain.events import ClaimRefundRetried, RefundRetried, header_for
from rma.domain.messages.commands import RetryRefund
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus
from rma.domain.state.returns import Return
from rma.domain.values.money import Money


def retry_refund(
    facts: Facts, ledger: ReturnLedger, command: RetryRefund
) -> tuple[RefundRetried] | tuple[ClaimRefundRetried]:
    """
    What is due paid after all, or the part of it that was named.

    An amount is due only once an earlier refund is known to have moved no money, so the new keys cannot
    pay twice.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    target = _find_target(wrong, command, ledger)
    due = target.amount_due.amount if target else 0
    if target and (refusal := refund_refusal(target, command) or (None if due else "nothing_due")):
        wrong.add(refusal, return_id=target.id)
    check_order(wrong, order, ledger, target)
    amount, rounding = _check_amount(wrong, command, order, ledger, due)
    check_strings(wrong, command)
    if target is None:
        return wrong.require(None)
    order = wrong.require(order)
    account = _paid(target, order, ledger, amount, rounding, facts.at)
    header = header_for(target, ledger, facts.at, by=command.created_by, command=command, order=order)
    change = account.change_since(target.entitlement)
    if isinstance(target, Return):
        return (RefundRetried(header=header, entitlement=change),)
    status = target.status if account.is_refund_blocked else status_paid(target, ledger)
    return (ClaimRefundRetried(header=header, status=status, entitlement=change),)


def _paid(
    target: Return | Claim, order: Order, ledger: ReturnLedger, amount: int, rounding: int, at: datetime
) -> Entitlement:
    before = target.entitlement
    return evolve(
        before,
        entitled=before.entitled - Money(rounding, order.currency),
        is_refund_blocked=before.is_refund_blocked and amount + rounding < before.due.amount,
        refunds=before.refunds + refunds_for(amount, order, ledger, target, at),
    )


def _find_target(wrong: Violations, command: RetryRefund, ledger: ReturnLedger) -> Return | Claim | None:
    if command.claim_id is not None and command.return_id is not None:
        wrong.add(
            "return_and_claim",
            return_id=error_id(command.return_id),
            claim_id=error_id(command.claim_id),
        )
        return None
    if command.claim_id is not None:
        claim = ledger.find_claim(command.claim_id)
        if claim is None:
            report_unknown(wrong, "claim_not_found", "claim_id", command.claim_id)
        return claim
    if command.return_id is None:
        wrong.add("return_not_found", return_id="None", hint="give a return_id or a claim_id")
        return None
    target = ledger.find(command.return_id)
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    return target


def status_paid(claim: Claim, ledger: ReturnLedger) -> ClaimStatus:
    """The status of a claim once it is paid: whether its goods are still expected."""
    if claim.status is not ClaimStatus.REQUIRES_ACTION:
        return claim.status
    target = ledger.find(claim.return_id) if claim.return_id else None
    return ClaimStatus.REQUESTED if target and target.is_open else ClaimStatus.COMPLETED


def _check_amount(
    wrong: Violations, command: RetryRefund, order: Order | None, ledger: ReturnLedger, due: int
) -> tuple[int, int]:
    """What to pay, and how much of what is due the host's rounding makes unpayable: minor units."""
    refundable = ledger.refundable(order).amount if order else 0
    if command.amount is None:
        pay, rounding = limit_to_refundable(due, refundable, order)
        if pay is None and order:
            wrong.add("refund_exceeds_refundable", amount=due, refundable=refundable, currency=order.currency)
        return pay or 0, rounding
    currency = order.currency if order else None
    named = check_amount(wrong, command.amount, currency, "invalid_refund_amount", field="amount", minimum=1)
    if named is None or order is None or not due:
        return 0, 0
    amount = named.amount
    if amount > due:
        wrong.add("refund_exceeds_due", amount=amount, due=due, currency=currency)
    if amount > refundable:
        wrong.add("refund_exceeds_refundable", amount=amount, refundable=refundable, currency=currency)
    return amount, 0
