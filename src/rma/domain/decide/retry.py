"""RetryRefund: what is due and not paid is asked for again, under new keys."""

from rma.domain.commands import RetryRefund
from rma.domain.decide.judging import Violations, plain
from rma.domain.decide.paying import refunds_for
from rma.domain.events import RefundRetried
from rma.domain.facts import Facts
from rma.domain.ledger import ReturnLedger


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
    if order is None:
        wrong.add("order_not_found", order_id=ledger.order_id)
    amount: int | None = due
    if command.amount is not None:
        currency = order.currency if order else None
        amount = wrong.check_amount(command.amount, currency, "invalid_refund_amount", minimum=1)
    if amount is not None and due:
        if amount > due:
            wrong.add("refund_exceeds_due", amount=amount, due=due)
        if order and amount > (refundable := ledger.refundable(order)):
            wrong.add("refund_exceeds_refundable", amount=amount, refundable=refundable)
    wrong.check_key(command)
    target, order = wrong.none_about(target), wrong.none_about(order)
    amount = wrong.none_about(amount)
    event = RefundRetried(
        order_id=order.id,
        return_id=target.id,
        at=facts.at,
        by=command.created_by,
        no_notification=target.no_notification,
        command=command if command.idempotency_key else None,
        refunds=refunds_for(amount, order, ledger, target, facts.at),
        is_blocked=target.is_blocked and amount < due,
    )
    return (event,)
