"""ResolveClaim: a clerk sets what is due for a claim, or what is given instead of new goods."""

from attrs import evolve

from rma.domain.decide.checks import (
    check_amount,
    check_order,
    check_refund_value,
    check_strings,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.due import status_paid
from rma.domain.decide.refunds.entitlement import pay_what_is_due, report_blocked
from rma.domain.decide.replacements import check_new_items, replacement_of
from rma.domain.decide.violations import Violations
from rma.domain.events import ClaimResolved, RefundBlocked, header_for
from rma.domain.messages.commands import ResolveClaim
from rma.domain.state.claims import Claim, ClaimType
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus, claim_refusal
from rma.domain.values.money import Money


def resolve_claim(
    facts: Facts, ledger: ReturnLedger, command: ResolveClaim
) -> tuple[ClaimResolved, *tuple[RefundBlocked, ...]]:
    """
    The amount of the claim set to the one that is named, and what is due of it paid.

    A payment is never asked back: if the amount is below what was paid, it is what was paid. Of a claim whose
    new goods are known not to have been sent, other goods or money instead of them.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    claim = ledger.find_claim(command.claim_id)
    if claim is None:
        report_unknown(wrong, "claim_not_found", "claim_id", command.claim_id)
    elif refusal := claim_refusal(claim.status, command) or _refusal(claim, command):
        wrong.add(refusal, return_id=claim.id, claim_id=claim.id)
    check_order(wrong, facts.order, ledger, claim)
    check_strings(wrong, command, "refund_note")
    if command.new_items:
        return (_send_instead(wrong, facts, ledger, command, claim),)
    return _set_amount(wrong, facts, ledger, command, claim)


def _refusal(claim: Claim, command: ResolveClaim) -> str | None:
    """Why nothing is to be said about it, besides what its status refuses."""
    if claim.lacks_new_goods:
        return None
    if claim.type is ClaimType.REPLACE and (command.new_items or not claim.amount_due.amount):
        return "replacement_sent"
    if command.new_items:
        return "new_items_of_refund"
    return None if claim.amount_due.amount else "nothing_due"


def _send_instead(
    wrong: Violations, facts: Facts, ledger: ReturnLedger, command: ResolveClaim, claim: Claim | None
) -> ClaimResolved:
    """The event that other new goods are sent; what is due in money stays due."""
    order = facts.order
    if command.refund_amount is not None:
        wrong.add("new_items_and_refund_amount")
    currency = order.currency if order else None
    new_items = check_new_items(wrong, command.new_items, currency, books_shipments=facts.books_shipments)
    claim, order = wrong.require(claim), wrong.require(order)
    return ClaimResolved(
        header=header_for(claim, ledger, facts.at, by=command.created_by, command=command, order=order),
        status=_status(claim, ledger, is_refund_blocked=claim.entitlement.is_refund_blocked),
        entitlement=claim.entitlement.change_since(claim.entitlement),
        replacement=replacement_of(evolve(claim, new_items=new_items)),
    )


def _set_amount(
    wrong: Violations, facts: Facts, ledger: ReturnLedger, command: ResolveClaim, claim: Claim | None
) -> tuple[ClaimResolved, *tuple[RefundBlocked, ...]]:
    """The event that this amount is due for the claim, in place of new goods that it lacks."""
    order = facts.order
    is_instead = claim is not None and claim.lacks_new_goods
    agreed: Money | None = None
    if command.refund_amount is not None or not is_instead:
        agreed = check_amount(
            wrong,
            command.refund_amount,
            order.currency if order else None,
            "invalid_refund_amount",
            field="refund_amount",
        )
    refundable = ledger.refundable(order).amount if order else 0
    if agreed and claim and not claim.gives_extra:
        most = refundable + claim.refunded.amount
        if order and agreed.amount > most:
            wrong.add(
                "refund_exceeds_refundable", amount=agreed.amount, refundable=most, currency=order.currency
            )
        check_refund_value(wrong, agreed, command.refund_note, claim.value, claim.charges_back)
    claim, order = wrong.require(claim), wrong.require(order)
    if agreed is not None:
        amount, note = agreed.amount, command.refund_note
    else:
        value = claim.value + claim.of_charges
        amount, note = max(value, claim.refund_amount.amount), claim.entitlement.refund_note
        agreed = Money(amount, order.currency) if claim.is_named else None
    account = pay_what_is_due(
        order,
        ledger,
        claim,
        max(amount, claim.entitlement.covered),
        agreed=agreed,
        refund_note=note,
        refundable=refundable,
        at=facts.at,
    )
    event = ClaimResolved(
        header=header_for(claim, ledger, facts.at, by=command.created_by, command=command, order=order),
        status=_status(claim, ledger, is_refund_blocked=account.is_refund_blocked),
        entitlement=account.change_since(claim.entitlement),
        becomes=ClaimType.REFUND if is_instead else None,
    )
    return (event, *report_blocked(account, claim, ledger, refundable, facts.at, command.created_by))


def _status(claim: Claim, ledger: ReturnLedger, *, is_refund_blocked: bool) -> ClaimStatus:
    """The status once new goods that it lacks are not missing any more."""
    if is_refund_blocked:
        return ClaimStatus.REQUIRES_ACTION
    return status_paid(evolve(claim, out_of_stock=None), ledger)
