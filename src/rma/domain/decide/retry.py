"""RetryRefund: what is due and not paid is asked for again, under new keys."""

from rma.domain.commands import RetryRefund
from rma.domain.decide.judging import Violations, plain
from rma.domain.decide.paying import payable, refunds_for
from rma.domain.events import RefundRetried
from rma.domain.facts import Facts
from rma.domain.ledger import ReturnLedger
from rma.domain.money import Money
from rma.domain.order import Order
from rma.domain.returns import ReturnStatus


def retry_refund(facts: Facts, ledger: ReturnLedger, command: RetryRefund) -> tuple[RefundRetried]:
    """
    What is due paid after all, or the part of it that was named.

    Money counts as due only once an earlier refund is known to have moved none, so the new keys can not
    pay twice.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    target = ledger.find(command.return_id)
    due = target.amount_due.amount if target else 0
    if target is None:
        wrong.add("return_not_found", return_id=plain(command.return_id))
    elif not due:
        wrong.add("nothing_due", return_id=target.id)
    wrong.check_order(order, ledger, target)
    amount, rounding = _asked(wrong, command, order, ledger, due)
    wrong.check_texts(command)
    target, order = wrong.none_about(target), wrong.none_about(order)
    granted = target.granted - rounding
    received = target.status is ReturnStatus.RECEIVED
    event = RefundRetried(
        order_id=order.id,
        return_id=target.id,
        at=facts.at,
        by=command.created_by,
        no_notification=target.no_notification,
        command=command if command.idempotency_key else None,
        refunds=refunds_for(amount, order, ledger, target, facts.at),
        refund_amount=Money(granted, order.currency) if received else target.refund_amount,
        granted=granted,
        is_blocked=target.is_blocked and amount + rounding < due,
    )
    return (event,)


def _asked(
    wrong: Violations, command: RetryRefund, order: Order | None, ledger: ReturnLedger, due: int
) -> tuple[int, int]:
    """What to pay, and how much of what is due the host's rounding makes unpayable."""
    refundable = ledger.refundable(order) if order else 0
    if command.amount is None:
        pay, rounding = payable(due, refundable, order)
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
