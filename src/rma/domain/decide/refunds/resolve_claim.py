"""ResolveClaim: a clerk sets what is due for a claim that cannot be paid, so that nothing more is due."""

from rma.domain.decide.checks import (
    check_amount,
    check_order,
    check_refund_value,
    check_strings,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.due import status_paid
from rma.domain.decide.refunds.entitlement import pay_what_is_due
from rma.domain.decide.violations import Violations
from rma.domain.events import ClaimResolved, header_for
from rma.domain.messages.commands import ResolveClaim
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import claim_refusal


def resolve_claim(facts: Facts, ledger: ReturnLedger, command: ResolveClaim) -> tuple[ClaimResolved]:
    """
    The amount of the claim set to the one that is named, and what is due of it paid.

    A payment is never asked back: if the amount is below what was paid, it is what was paid.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    claim = ledger.find_claim(command.claim_id)
    if claim is None:
        report_unknown(wrong, "claim_not_found", "claim_id", command.claim_id)
    elif refusal := claim_refusal(claim.status, command) or (
        None if claim.amount_due.amount else "nothing_due"
    ):
        wrong.add(refusal, return_id=claim.id)
    check_order(wrong, order, ledger, claim)
    currency = order.currency if order else None
    agreed = check_amount(
        wrong, command.refund_amount, currency, "invalid_refund_amount", field="refund_amount"
    )
    refundable = ledger.refundable(order).amount if order else 0
    most = refundable + (claim.refunded.amount if claim else 0)
    is_extra = claim is not None and claim.gives_extra
    if agreed and claim and order and agreed.amount > most and not is_extra:
        wrong.add("refund_exceeds_refundable", amount=agreed.amount, refundable=most, currency=currency)
    if claim and not is_extra:
        check_refund_value(wrong, agreed, command.refund_note, claim.value, claim.charges_back)
    check_strings(wrong, command, "refund_note")
    claim, order, agreed = wrong.require(claim), wrong.require(order), wrong.require(agreed)
    account = pay_what_is_due(
        order,
        ledger,
        claim,
        max(agreed.amount, claim.entitlement.covered),
        agreed=agreed,
        refund_note=command.refund_note,
        refundable=refundable,
        at=facts.at,
    )
    event = ClaimResolved(
        header=header_for(claim, ledger, facts.at, by=command.created_by, command=command, order=order),
        status=status_paid(claim, ledger),
        entitlement=account.change_since(claim.entitlement),
    )
    return (event,)
