"""Laws of means: money, store credit and payouts together, and each payment by itself."""

from collections.abc import Iterator

from rma.domain.sale.means import Means
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.claims import Claim
from rma.domain.state.refunds import in_force
from rma.testing.invariants.snapshot import Snapshot, is_surprising


def no_more_is_given_back_than_was_paid(snapshot: Snapshot) -> Iterator[str]:
    """Money, credit that is not extra, and payouts, pending ones included; what persons paid, too."""
    refunds = [each for each in snapshot.ledger.refunds if not each.is_extra]
    ours = in_force([each for each in refunds if not is_surprising(each)])
    known = {payment.id for payment in snapshot.order.payments}
    paid = sum([payment.captured.amount for payment in snapshot.order.payments])
    paid += sum(
        [
            payment.amount.amount
            for exchange in snapshot.ledger.exchanges
            for payment in exchange.payments
            if payment.reference not in known
        ]
    )
    if ours > paid:
        yield f"{ours} given back, {paid} paid"


def each_payment_gives_back_its_own(snapshot: Snapshot) -> Iterator[str]:
    """With what was given instead of it."""
    refunds = [each for each in snapshot.ledger.refunds if each.is_in_force and not is_surprising(each)]
    for payment in snapshot.order.payments:
        own = in_force([each for each in refunds if each.payment_id == payment.id])
        shares = [share for each in refunds for share in each.against if share.payment_id == payment.id]
        instead = sum([share.amount.amount for share in shares])
        if own + instead > payment.captured.amount:
            yield f"{payment.id}: {own} and {instead} instead of it, {payment.captured} captured"


def nothing_is_given_twice(snapshot: Snapshot) -> Iterator[str]:
    """What replaces a refund is made once that is known to have moved nothing."""
    refunds = {each.key: each for each in snapshot.ledger.refunds}
    for each in snapshot.ledger.refunds:
        before = refunds.get(each.retry_of or "")
        if each.is_in_force and before and before.is_in_force and not before.is_contradicted:
            yield f"{each.key} and {before.key}, which it replaces, are both in force"


def a_withdrawal_is_credited_by_request(snapshot: Snapshot) -> Iterator[str]:
    """Under the law the customer has a right to money."""
    for each in snapshot.ledger.returns:
        if each.basis is not ReturnBasis.WITHDRAWAL or each.outcome is Outcome.STORE_CREDIT:
            continue
        if any(refund.means is Means.STORE_CREDIT for refund in each.refunds):
            yield f"{each.id}: store credit that was not asked for"


def a_bonus_comes_with_credit(snapshot: Snapshot) -> Iterator[str]:
    """And only where the customer chose it; money and payouts have none."""
    for each in snapshot.payees:
        chosen = getattr(each, "outcome", Outcome.REFUND) is Outcome.STORE_CREDIT
        for refund in each.refunds:
            if refund.bonus is not None and not (refund.means is Means.STORE_CREDIT and chosen):
                yield f"{refund.key}: a bonus of {refund.bonus} with {refund.means}"


def only_goodwill_gives_extra_credit(snapshot: Snapshot) -> Iterator[str]:
    """It counts against no payment, so only who chose it has it."""
    for each in snapshot.payees:
        gives_extra = isinstance(each, Claim) and each.is_extra_goodwill
        for refund in each.refunds:
            is_credit = refund.means is Means.STORE_CREDIT
            if refund.is_extra and not (gives_extra and is_credit and not refund.against):
                yield f"{refund.key}: extra, as {refund.means} against {refund.against}"


def refunds_are_multiples_of_their_steps(snapshot: Snapshot) -> Iterator[str]:
    """Of a gateway that moves multiples of a step, as long as all that was paid there is one."""
    for payment in snapshot.order.payments:
        step = payment.refund_step
        if payment.captured.amount % step or payment.refunded.amount % step:
            continue
        for each in snapshot.ledger.refunds:
            if each.payment_id == payment.id and each.amount.amount % step:
                yield f"{each.key}: {each.amount} in steps of {step}"
