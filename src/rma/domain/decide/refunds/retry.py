"""RetryRefund: what is due and not paid is asked for again, under new keys, and perhaps by other means."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.checks import check_order, check_strings
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.due import (
    check_due,
    check_means,
    check_named_amount,
    check_other_means,
    check_payment,
    check_plan,
    find_payee,
    report_closed,
    status_paid,
)
from rma.domain.decide.refunds.goodwill import reduce_lines
from rma.domain.decide.refunds.split import (
    gives_extra,
    limit_to_refundable,
    plan_by_person,
    plan_for,
    refunds_of,
    with_paid_ahead,
)
from rma.domain.decide.violations import Violations
from rma.domain.events import ClaimRefundRetried, RefundRetried, header_for
from rma.domain.messages.commands import RetryRefund
from rma.domain.sale.means import DEFAULT_REFUND_TERMS, Means
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.plan import Plan, Source, plan_refund, sources_in_order
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
    payee = find_payee(wrong, command, ledger)
    due = check_due(wrong, command, payee)
    check_order(wrong, order, ledger, payee)
    means = check_means(wrong, command.means)
    sources = ledger.sources(order) if order else ()
    payment = check_payment(wrong, command.payment_id, means, sources, order, facts.at)
    is_extra = _is_extra(command, payee, means)
    amount, rounding = _check_amount(wrong, command, order, ledger, due, payment, is_extra=is_extra)
    check_other_means(wrong, facts, payee, means)
    check_strings(wrong, command)
    reduced = () if is_extra else reduce_lines(wrong, order, ledger, payee)
    if (target := payee) is None:
        return wrong.require(None)
    order = wrong.require(order)
    by = None if is_extra else means
    plan = _plan(amount, order, ledger, target, by, payment, sources, facts.at)
    if means is None:
        check_plan(wrong, facts, target, plan, amount)
    elif plan.closed:
        report_closed(wrong, target, plan, amount)
    wrong.require(order)
    account = _paid(target, plan, amount, rounding, facts.at)
    header = header_for(target, ledger, facts.at, by=command.created_by, command=command, order=order)
    change = account.change_since(target.entitlement)
    if isinstance(target, Return):
        return (RefundRetried(header=header, entitlement=change),)
    status = target.status if account.is_refund_blocked else status_paid(target, ledger)
    return (ClaimRefundRetried(header=header, status=status, entitlement=change, reduced=reduced),)


def _is_extra(command: RetryRefund, target: Return | Claim | None, means: Means | None) -> bool:
    """True if it is goodwill by credit again, and no person names a payment that it counts against."""
    is_credit = means in (None, Means.STORE_CREDIT) and command.payment_id is None
    return is_credit and target is not None and gives_extra(target)


def _plan(
    amount: int,
    order: Order,
    ledger: ReturnLedger,
    target: Return | Claim,
    means: Means | None,
    payment: Source | None,
    sources: tuple[Source, ...],
    at: datetime,
) -> Plan:
    """How the amount goes back: as a person says, else by the terms."""
    if means in (Means.STORE_CREDIT, Means.PAYOUT):
        in_order = [payment] if payment else sources_in_order(sources, target.refund_terms)
        return plan_by_person(amount, ledger, target, means, in_order, order.currency)
    if payment is not None:
        return plan_refund(
            amount,
            (payment,),
            DEFAULT_REFUND_TERMS,
            order.currency,
            at,
            carried=ledger.carried,
            left_of_others=sum([each.left for each in sources if each is not payment]),
        )
    if means is None:
        return plan_for(amount, order, ledger, target, at)
    return plan_refund(amount, sources, target.refund_terms, order.currency, at, carried=ledger.carried)


def _paid(target: Return | Claim, plan: Plan, amount: int, rounding: int, at: datetime) -> Entitlement:
    before = target.entitlement
    return evolve(
        before,
        entitled=before.entitled - Money(rounding, before.entitled.currency),
        is_refund_blocked=before.is_refund_blocked and amount + rounding < before.due.amount,
        refunds=before.refunds + refunds_of(plan.refunds, target, at),
        carried=before.carried + plan.carried,
    )


def _check_amount(
    wrong: Violations,
    command: RetryRefund,
    order: Order | None,
    ledger: ReturnLedger,
    due: int,
    payment: Source | None,
    *,
    is_extra: bool,
) -> tuple[int, int]:
    """What to pay, and how much of what is due the host's rounding makes unpayable: minor units."""
    refundable: int | None = with_paid_ahead(ledger.refundable(order).amount, ledger) if order else 0
    if is_extra:
        refundable = None
    if command.amount is None:
        pay, rounding = limit_to_refundable(due, refundable, order)
        if pay is None and order:
            wrong.add("refund_exceeds_refundable", amount=due, refundable=refundable, currency=order.currency)
        amount = pay or 0
    else:
        rounding = 0
        amount = check_named_amount(wrong, command.amount, order, due=due, refundable=refundable)
    if order and payment is not None and amount > (left := with_paid_ahead(payment.left, ledger)):
        wrong.add("refund_exceeds_means", amount=amount, left=left, currency=order.currency)
    return amount, rounding
