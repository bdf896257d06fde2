"""RetryRefund: what is due and not paid is asked for again, under new keys."""

from typing import cast

from attrs import evolve

from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.split import limit_to_refundable, refunds_for
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import ClaimRefundRetried, RefundRetried
from rma.domain.messages.commands import RetryRefund
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim, ClaimStatus
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Return, ReturnStatus
from rma.domain.values.money import Money


def retry_refund(
    facts: Facts, ledger: ReturnLedger, command: RetryRefund
) -> tuple[RefundRetried] | tuple[ClaimRefundRetried]:
    """
    What is due paid after all, or the part of it that was named.

    Money counts as due only once an earlier refund is known to have moved none, so the new keys can not
    pay twice.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    target = _target(wrong, command, ledger)
    due = target.amount_due.amount if target else 0
    if target and not due:
        wrong.add("nothing_due", return_id=target.id)
    wrong.check_order(order, ledger, target)
    amount, rounding = _asked(wrong, command, order, ledger, due)
    wrong.check_texts(command)
    payee = cast("Return | Claim", wrong.require(target))  # mypy makes one object of them
    order = wrong.require(order)
    entitled_amount = Money(payee.entitled_amount - rounding, order.currency)
    refunds = refunds_for(amount, order, ledger, payee, facts.at)
    is_refund_blocked = payee.is_refund_blocked and amount + rounding < due
    remembered = command if command.idempotency_key else None
    if isinstance(payee, Claim):
        retried = ClaimRefundRetried(
            order_id=order.id,
            return_id=payee.return_id,
            claim_id=payee.id,
            at=facts.at,
            by=command.created_by,
            no_notification=payee.no_notification,
            command=remembered,
            claim=evolve(
                payee,
                status=payee.status if is_refund_blocked else _status_paid(payee, ledger),
                refund_amount=entitled_amount,
                entitled_amount=entitled_amount.amount,
                refunds=payee.refunds + refunds,
                is_refund_blocked=is_refund_blocked,
                updated_at=facts.at,
            ),
            refunds=refunds,
        )
        return (retried,)
    event = RefundRetried(
        order_id=order.id,
        return_id=payee.id,
        exchange_id=payee.exchange_id,
        at=facts.at,
        by=command.created_by,
        no_notification=payee.no_notification,
        command=remembered,
        refunds=refunds,
        refund_amount=entitled_amount if payee.status is ReturnStatus.RECEIVED else payee.refund_amount,
        entitled_amount=entitled_amount.amount,
        is_refund_blocked=is_refund_blocked,
    )
    return (event,)


def _target(wrong: Violations, command: RetryRefund, ledger: ReturnLedger) -> Return | Claim | None:
    if command.claim_id is not None and command.return_id is not None:
        wrong.add(
            "return_and_claim",
            return_id=error_value(command.return_id),
            claim_id=error_value(command.claim_id),
        )
        return None
    if command.claim_id is not None:
        claim = ledger.find_claim(command.claim_id)
        if claim is None:
            wrong.add("claim_not_found", claim_id=error_value(command.claim_id))
        return claim
    target = ledger.find(command.return_id) if command.return_id is not None else None
    if target is None:
        wrong.add("return_not_found", return_id=error_value(command.return_id))
    return target


def _status_paid(claim: Claim, ledger: ReturnLedger) -> ClaimStatus:
    """What a claim is once it is paid: whether its goods are still to come."""
    if claim.status is not ClaimStatus.REQUIRES_ACTION:
        return claim.status
    target = ledger.find(claim.return_id) if claim.return_id else None
    return ClaimStatus.REQUESTED if target and target.is_open else ClaimStatus.COMPLETED


def _asked(
    wrong: Violations, command: RetryRefund, order: Order | None, ledger: ReturnLedger, due: int
) -> tuple[int, int]:
    """What to pay, and how much of what is due the host's rounding makes unpayable."""
    refundable = ledger.refundable(order) if order else 0
    if command.amount is None:
        pay, rounding = limit_to_refundable(due, refundable, order)
        if pay is None and order:
            wrong.add("refund_exceeds_refundable", amount=due, refundable=refundable, currency=order.currency)
        return pay or 0, rounding
    currency = order.currency if order else None
    amount = wrong.check_amount(command.amount, currency, "invalid_refund_amount", minimum=1)
    if amount is None or order is None or not due:
        return 0, 0
    if amount > due:
        wrong.add("refund_exceeds_due", amount=amount, due=due, currency=currency)
    if amount > refundable:
        wrong.add("refund_exceeds_refundable", amount=amount, refundable=refundable, currency=currency)
    return amount, 0
