"""What commands about an amount that is due have in common: whose it is, and what a person may name."""

from datetime import datetime

from rma.domain.decide.checks import check_amount, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.entitlement import refund_refusal
from rma.domain.decide.refunds.split import can_be_credited
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.messages.commands import RecordPayout, RetryRefund
from rma.domain.sale.means import Means
from rma.domain.sale.order import Order
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.claims import Claim
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus
from rma.domain.state.plan import Plan, Source
from rma.domain.state.returns import Return
from rma.domain.values.money import Money


def find_payee(
    wrong: Violations, command: RetryRefund | RecordPayout, ledger: ReturnLedger
) -> Return | Claim | None:
    """The return or claim that the command names."""
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


def check_due(wrong: Violations, command: RetryRefund | RecordPayout, target: Return | Claim | None) -> int:
    """What is due, minor units; its status allows the command, and it is more than nothing."""
    if target is None:
        return 0
    due = target.amount_due.amount
    if refusal := refund_refusal(target, command) or (None if due else "nothing_due"):
        wrong.add(refusal, return_id=target.id)
    return due


def check_named_amount(
    wrong: Violations,
    amount: Money | int,
    order: Order | None,
    *,
    due: int,
    refundable: int | None,
    code: str = "invalid_refund_amount",
) -> int:
    """The amount that a person names, of at least 1, at most what is due and, if given, refundable."""
    currency = order.currency if order else None
    named = check_amount(wrong, amount, currency, code, field="amount", minimum=1)
    if named is None or order is None or not due:
        return 0
    if named.amount > due:
        wrong.add("refund_exceeds_due", amount=named.amount, due=due, currency=currency)
    if refundable is not None and named.amount > refundable:
        wrong.add("refund_exceeds_refundable", amount=named.amount, refundable=refundable, currency=currency)
    return named.amount


def status_paid(claim: Claim, ledger: ReturnLedger) -> ClaimStatus:
    """The status of a claim once it is paid: whether its goods are still expected, or new ones missing."""
    if claim.status is not ClaimStatus.REQUIRES_ACTION or claim.lacks_new_goods:
        return claim.status
    target = ledger.find(claim.return_id) if claim.return_id else None
    return ClaimStatus.REQUESTED if target and target.is_open else ClaimStatus.COMPLETED


def check_means(wrong: Violations, means: object) -> Means | None:
    """The means that a person names, if one does."""
    if means is None:
        return None
    if means not in list(Means):
        wrong.add("invalid_means", means=error_value(means), expected=", ".join(Means))
        return None
    return Means(str(means))


def check_payment(
    wrong: Violations,
    payment_id: str | None,
    means: Means | None,
    sources: tuple[Source, ...],
    order: Order | None,
    at: datetime,
) -> Source | None:
    """The payment that a person names, if it is one of the order; of a refund it takes refunds still."""
    if payment_id is None or order is None:
        return None
    source = next((each for each in sources if each.payment_id == payment_id), None)
    if source is None:
        wrong.add("means_not_of_order", payment_id=error_id(payment_id), order_id=order.id)
    elif means in (None, Means.PAYMENT) and source.refundable_until and source.is_expired(at):
        until = source.refundable_until.isoformat()
        wrong.add("means_expired", payment_id=source.payment_id, until=until)
    return source


def check_plan(wrong: Violations, facts: Facts, target: Return | Claim, plan: Plan, due: int) -> None:
    """The host has the ports that a plan needs, and who gets store credit is known and asked for it."""
    if plan.closed:
        report_closed(wrong, target, plan, due)
    for means in dict.fromkeys([each.means for each in plan.refunds]):
        check_other_means(wrong, facts, target, means)


def report_closed(wrong: Violations, target: Return | Claim, plan: Plan, amount: int) -> None:
    """The amount (minor units) of which the plan leaves a part to a person exceeds what takes refunds."""
    left = amount - plan.closed
    wrong.add("refund_exceeds_means", amount=amount, left=left, currency=target.currency)


def check_other_means(
    wrong: Violations, facts: Facts, target: Return | Claim | None, means: Means | None
) -> None:
    """Store credit and payouts need a port; store credit needs one who gets it, and who agreed to it."""
    if means is Means.PAYOUT and not facts.pays_out:
        wrong.add("payout_unsupported")
    if means is not Means.STORE_CREDIT:
        return
    if not facts.gives_credit:
        wrong.add("store_credit_unsupported")
    if target is None:
        return
    if not can_be_credited(target):
        wrong.add("credit_without_customer", order_id=target.order_id, hint="choose another means")
    if not isinstance(target, Return):
        return
    if target.basis is ReturnBasis.WITHDRAWAL and target.outcome is not Outcome.STORE_CREDIT:
        wrong.add("credit_not_agreed", return_id=target.id)
