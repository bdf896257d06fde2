"""RecordPayout: a person paid what is due by other ways, and it counts as paid."""

from attrs import evolve

from rma.domain.decide.checks import check_order, check_string, check_strings
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.due import check_due, check_named_amount, find_payee, status_paid
from rma.domain.decide.refunds.goodwill import reduce_lines
from rma.domain.decide.refunds.split import refunds_of
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import ClaimPayoutRecorded, PayoutRecorded, header_for
from rma.domain.messages.commands import RecordPayout
from rma.domain.sale.means import Means
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim, ClaimedItem
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.plan import plan_other, sources_in_order
from rma.domain.state.refunds import Refund
from rma.domain.state.returns import Return


def record_payout(
    facts: Facts, ledger: ReturnLedger, command: RecordPayout
) -> tuple[()] | tuple[PayoutRecorded] | tuple[ClaimPayoutRecorded]:
    """
    What a person paid counted as paid; nothing if it is known.

    What is on its way, or whose outcome is unknown, is not due: no earlier key may have moved the same money.
    With what is due, what steps of gateways left to the next refund may be paid; what they paid ahead is
    taken along.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    payee = find_payee(wrong, command, ledger)
    reference: object = command.reference
    if not isinstance(reference, str) or not reference:
        wrong.add("invalid_reference", reference=error_value(reference))
    else:
        check_string(wrong, "reference", reference)
    check_order(wrong, order, ledger, payee)
    check_strings(wrong, command)
    known = _find(ledger, command)
    if payee and known in payee.refunds and _is_amount(command, known):
        wrong.require(payee)
        return ()
    due, carried = 0, ledger.carried
    if known is not None:
        wrong.add("payout_reference_reused", reference=command.reference, amount=known.amount.amount)
    else:
        due = check_due(wrong, command, payee)
    amount = check_named_amount(
        wrong,
        command.amount,
        order,
        due=due + max(0, carried) if due else 0,
        refundable=ledger.refundable(order).amount if order else 0,
        code="invalid_payout_amount",
    )
    reduced = reduce_lines(wrong, order, ledger, payee)
    if payee is None:
        return wrong.require(None)
    return _recorded(facts, ledger, command, payee, wrong.require(order), amount, reduced)


def _recorded(
    facts: Facts,
    ledger: ReturnLedger,
    command: RecordPayout,
    target: Return | Claim,
    order: Order,
    amount: int,
    reduced: tuple[ClaimedItem, ...],
) -> tuple[PayoutRecorded] | tuple[ClaimPayoutRecorded]:
    before, at = target.entitlement, facts.at
    sources = sources_in_order(ledger.sources(order), target.refund_terms)
    covered = _covered(ledger, order, before.due.amount, amount)
    planned = evolve(plan_other(amount, sources, Means.PAYOUT, order.currency), carried=covered - amount)
    (opened,) = refunds_of([planned], target, at)
    paid = evolve(opened, status=RefundStatus.SUCCEEDED, reference=command.reference, settled_at=at)
    account = evolve(
        before,
        is_refund_blocked=before.is_refund_blocked and covered < before.due.amount,
        refunds=(*before.refunds, paid),
        carried=before.carried + planned.carried,
    )
    header = header_for(target, ledger, at, by=command.created_by, command=command, order=order)
    change = account.change_since(before)
    if isinstance(target, Return):
        return (PayoutRecorded(header=header, entitlement=change),)
    status = target.status if account.is_refund_blocked else status_paid(target, ledger)
    return (ClaimPayoutRecorded(header=header, status=status, entitlement=change, reduced=reduced),)


def _covered(ledger: ReturnLedger, order: Order, due: int, amount: int) -> int:
    """What of an amount that is due is not due any more once so much is paid: all in minor units."""
    carried = ledger.carried
    covered = min(due, amount - min(0, carried))
    left = ledger.refundable(order).amount - amount
    if carried + covered - amount >= left:  # no later refund can take along what steps left
        covered -= min(left, covered)
    return covered


def _find(ledger: ReturnLedger, command: RecordPayout) -> Refund | None:
    """The payout of this reference that is in force, of any return or claim."""
    return next(
        (
            each
            for each in ledger.refunds
            if each.means is Means.PAYOUT and each.is_in_force and each.reference == command.reference
        ),
        None,
    )


def _is_amount(command: RecordPayout, known: Refund | None) -> bool:
    given: object = command.amount
    return known is not None and given in (known.amount, known.amount.amount)
