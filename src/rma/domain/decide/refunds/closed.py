"""A refund that its payment does not take: other means give the amount in the same commit, or it is due."""

from collections.abc import Iterable
from datetime import datetime

from attrs import evolve

from rma.domain.decide.refunds.split import bonus_chosen, means_instead, refunds_of
from rma.domain.events import ClaimRefundRetried, RefundRetried, header_for
from rma.domain.messages.effects import RefundDeclined
from rma.domain.sale.means import Means
from rma.domain.state.claims import Claim
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.plan import PlannedRefund
from rma.domain.state.refunds import PaymentShare, Refund
from rma.domain.state.returns import Return
from rma.domain.values.money import Money


def pay_instead(
    ledger: ReturnLedger,
    target: Return | Claim,
    ended: Iterable[tuple[Refund, object]],
    at: datetime,
) -> tuple[()] | tuple[RefundRetried | ClaimRefundRetried]:
    """
    What the terms give instead of refunds that have just ended, each with the outcome it ended with.

    Under the next keys: the old ones are known to have moved nothing. Nothing where a person is to decide,
    where the gateway says that a later refund may succeed, or of what is not due.
    """
    means = means_instead(target)
    if means is None:
        return ()
    known = {refund.key: refund for refund, _ in ended}
    before = {refund.key: refund for refund in target.refunds}
    account = target.entitlement.with_outcomes(known)
    of_others = ledger.carried - target.entitlement.carried
    changed = account
    for refund, outcome in ended:
        if is_closed(before.get(refund.key), refund, outcome):
            changed = _given(evolve(target, entitlement=changed), of_others, refund, means, at)
    if changed == account:
        return ()
    header = header_for(target, ledger, at)
    change = changed.change_since(account)
    if isinstance(target, Return):
        return (RefundRetried(header=header, entitlement=change),)
    return (ClaimRefundRetried(header=header, status=target.status, entitlement=change),)


def is_closed(before: Refund | None, after: Refund, outcome: object) -> bool:
    """True if a refund of a payment ended just now without having moved money, for good."""
    if after.means is not Means.PAYMENT or after.is_in_force or before is None or not before.is_in_force:
        return False
    return not (isinstance(outcome, RefundDeclined) and outcome.is_temporary)


def _given(target: Return | Claim, of_others: int, refund: Refund, means: Means, at: datetime) -> Entitlement:
    """
    The account once this amount is given instead of the refund, with what steps left before.

    Other returns and claims of the order carry so much `of_others`, minor units. At most what the payment
    was asked for is taken along: its share of the other payments is not known here.
    """
    account = target.entitlement
    value = refund.amount.amount + refund.carried
    due = min(value, account.due.amount)
    if value and not due:
        return account
    assert refund.payment_id is not None, "it is the refund of a payment"
    exact = min(due + of_others + account.carried, max(due, refund.amount.amount))
    amount = Money(max(0, exact), refund.amount.currency)
    share = PaymentShare(refund.payment_id, min(amount, refund.amount))
    carried = due - amount.amount
    bonus = Money(bonus_chosen(due, target, means), amount.currency)
    planned = PlannedRefund(
        means, None, amount, bonus=bonus if bonus.amount else None, against=(share,), carried=carried
    )
    made = refunds_of((planned,) if amount.amount else (), target, at, retry_of=refund.key)
    return evolve(account, refunds=account.refunds + made, carried=account.carried + carried)
