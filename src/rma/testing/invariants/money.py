"""Laws of money: entitlements, refunds and their breakdowns."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import assert_never

from rma.domain.messages.effects import (
    CreditRequest,
    MoneyRequest,
    PayoutRequest,
    RefundDeclined,
    RefundRequest,
)
from rma.domain.sale.charges import refundable_part
from rma.domain.sale.means import Means
from rma.domain.state.claims import Claim
from rma.domain.state.lifecycle import ClaimStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.lots import ReducedBy
from rma.domain.state.refunds import Refund, in_force
from rma.domain.state.returns import Return
from rma.testing.invariants.snapshot import Snapshot, is_surprising


def no_payment_gives_back_more_than_it_captured(snapshot: Snapshot) -> Iterator[str]:
    """As the gateway saw it, and as the ledger counts it, unless the gateway's notices surprise it."""
    for payment in snapshot.order.payments:
        given_back = snapshot.gateway_model.given_back(snapshot.order.id, payment.id)
        refunds = [each for each in snapshot.ledger.refunds if each.payment_id == payment.id]
        ours = in_force(refunds)
        expected = ours - in_force([each for each in refunds if is_surprising(each)])
        if given_back > ours or expected > payment.captured.amount:
            yield (
                f"{payment.id}: {given_back} given back, {ours} in force by the ledger, "
                f"{payment.captured.amount} captured"
            )


def no_refund_leaves_a_payment_without_room(snapshot: Snapshot) -> Iterator[str]:
    """One that leaves later than with its command is held against its payment as it is then."""
    for key in snapshot.gateway_model.without_room:
        if snapshot.gateway_model.requests[key].order_id == snapshot.order.id:
            yield f"{key}: asked for when its payment had less left"


def no_refund_is_made_twice(snapshot: Snapshot) -> Iterator[str]:
    """Under one key a gateway acts once, whatever its class."""
    for refund in snapshot.ledger.refunds:
        if (times := snapshot.gateway_model.refunds_made(refund.key)) > 1:
            yield f"{refund.key}: made {times} times"


def no_refusal_moves_money(snapshot: Snapshot) -> Iterator[str]:
    """Who takes a time-out for a refusal pays again under the next key."""
    for refund in snapshot.ledger.refunds:
        answers = snapshot.gateway_model.answers.get(refund.key, ())
        if any(isinstance(each, RefundDeclined) for each in answers) and snapshot.gateway_model.refunds_made(
            refund.key
        ):
            yield f"{refund.key}: refused, and made"


def no_refund_is_made_unknown_to_the_ledger(snapshot: Snapshot) -> Iterator[str]:
    """Whatever a gateway was asked for is in the ledger, with its means and amount."""
    refunds = {refund.key: refund for refund in snapshot.ledger.refunds}
    for key, request in snapshot.gateway_model.requests.items():
        if request.order_id != snapshot.order.id:
            continue
        refund = refunds.get(key)
        if refund is None or not _is_asked_for(refund, request):
            yield f"{key}: {request} asked for, {refund} recorded"


def _is_asked_for(refund: Refund, request: MoneyRequest) -> bool:
    """True if this is the request for the refund."""
    is_same = refund.amount == request.amount
    match request:
        case RefundRequest():
            asked = (request.payment_id, request.kind, request.provider_id)
            return is_same and asked == (refund.payment_id, refund.kind, refund.provider_id)
        case CreditRequest():
            given = (refund.bonus, refund.payee, refund.customer_id)
            is_same = is_same and given == (request.bonus, request.payee, request.customer_id)
            return is_same and refund.means is Means.STORE_CREDIT
        case PayoutRequest():
            return is_same and refund.means is Means.PAYOUT
        case _:
            assert_never(request)


def each_return_is_paid_its_entitlement_and_no_more(snapshot: Snapshot) -> Iterator[str]:
    """And each claim: what is due is what was granted less what is in force."""
    for each in snapshot.payees:
        entitled, paid, covered = each.entitlement.entitled, each.refunded, each.entitlement.covered
        expected = covered - in_force([refund for refund in each.refunds if is_surprising(refund)])
        is_corrected = isinstance(each, Return) and (bool(each.corrections) or each.is_paid_ahead)
        if expected < min(0, each.entitlement.carried) or (
            expected > max(entitled.amount, 0) and not is_corrected
        ):
            yield f"{each.id}: {paid} in force, {entitled} entitled"
        if each.amount_due.amount != max(0, entitled.amount - covered):
            yield f"{each.id}: {each.amount_due} due of {entitled}, {paid} in force"
        if each.status is ReturnStatus.RECEIVED and each.refund_amount != entitled:
            yield f"{each.id}: received, shows {each.refund_amount}, {entitled} entitled"
        most = _paid_for_exchange(each) if isinstance(each, Return) else 0
        if each.status is ReturnStatus.CANCELED and entitled.amount > most:
            yield f"{each.id}: canceled, {entitled} entitled"


def _paid_for_exchange(target: Return) -> int:
    """What the customer paid for its exchange: that is given back, if it is canceled."""
    return sum(part.amount.amount for part in target.charges if part.amount.amount > 0)


def every_amount_is_explained(snapshot: Snapshot) -> Iterator[str]:
    """Parts add up to their parent, and no refund is negative."""
    for each in snapshot.payees:
        if each.refund_amount.amount < 0:
            yield f"{each.id}: a refund of {each.refund_amount}"
        if sum(part.amount.amount for part in each.breakdown) != each.refund_amount.amount:
            yield f"{each.id}: {each.refund_amount} is not the sum of {each.breakdown}"
        for part in each.breakdown:
            if part.parts and sum(each.amount.amount for each in part.parts) != part.amount.amount:
                yield f"{each.id}: {part.name}, {part.amount}, is not the sum of {part.parts}"


def more_than_the_value_has_a_note(snapshot: Snapshot) -> Iterator[str]:
    """
    No amount but extra credit is named above the value of the units it pays for, unless a note says why.

    An amount is final: units that are graded afterwards count as if they were whole; nothing is said of units
    that wait to be graded.
    """
    for each in snapshot.payees:
        if isinstance(each, Return) and each.awaits_inspection:
            continue
        names = ("custom_amount", "grade:", "deduction:")
        parts = [part for part in each.breakdown if part.name.startswith(names)]
        named = sum(part.amount.amount for part in parts)
        is_extra = isinstance(each, Claim) and each.is_extra_goodwill
        if named > 0 and not is_extra and not each.entitlement.refund_note:
            yield f"{each.id}: {named} above the value of its units, without a note"


def exchange_differences_are_paid_once(snapshot: Snapshot) -> Iterator[str]:
    """What the customer paid, less what is granted in return, is the difference, give or take rounding."""
    for each in snapshot.ledger.exchanges:
        target = snapshot.ledger.get(each.return_id)
        is_named = target.entitlement.agreed_refund is not None
        # What arrives after the goods were received is paid besides, once a person takes it.
        is_late = any(receipt.at > (target.received_at or receipt.at) for receipt in target.receipts)
        if each.status is not ExchangeStatus.COMPLETED or is_named or target.corrections or is_late:
            continue
        if each.hold_charges or target.expired_at is not None:  # goods are late, or did not come: other laws
            continue
        rounding = each.paid.amount - target.refund_amount.amount - each.difference_due.amount
        if not 0 <= rounding <= len(snapshot.most_fulfilled):
            yield f"{each.id}: {each.paid} paid, {target.refund_amount} entitled, {each.difference_due} due"


def charges_are_given_back_once(snapshot: Snapshot) -> Iterator[str]:
    """All returns and claims together give back at most what each charge was, and never what it was not."""
    for charge in snapshot.order.all_charges:
        most = refundable_part(charge).amount
        back = [
            each.amount
            for charges_back in [
                *[each.charges_back for each in snapshot.ledger.returns],
                *[each.charges_back for each in _in_force(snapshot.ledger.claims)],
            ]
            for each in charges_back
            if each.id == charge.id
        ]
        if not min(0, most) <= sum(back) <= max(0, most) or any(
            (each < 0) != (most < 0) for each in back if each
        ):
            yield f"{charge.id}: {back} given back, of {most}"


def fees_are_at_most_the_goods(snapshot: Snapshot) -> Iterator[str]:
    """No return keeps more in fees than its goods are worth, unless new goods are set against them."""
    for each in snapshot.ledger.returns:
        goods = sum(part.amount.amount for part in each.breakdown if part.name.startswith("item:"))
        fees = sum(part.amount.amount for part in each.breakdown if part.name.startswith("fee:"))
        if not each.is_exchanged and not 0 <= -fees <= goods:
            yield f"{each.id}: fees of {fees} on goods of {goods}"


def pools_are_what_returns_left(snapshot: Snapshot) -> Iterator[str]:
    """Held shares and what remains are what was paid; nothing in them is negative."""
    for remainder in snapshot.ledger.remainders(
        snapshot.order, [item.id for item in snapshot.order.items]
    ).values():
        if remainder.quantity < 0 or (any(remainder.running_sums) and not remainder.quantity):
            yield f"{remainder.line.item_id}: {remainder.quantity} units left, worth {remainder.running_sums}"
        for lot in remainder.all_lots:
            for part in remainder.line.part(lot.running_sums).parts:
                sign = -1 if part.name.startswith("discount:") else 1
                if sign * part.amount.amount < 0:
                    yield f"{remainder.line.item_id}: {part.amount} remain of {part.name}"


def units_are_reduced_by_what_they_were_worth(snapshot: Snapshot) -> Iterator[str]:
    """A price reduction takes and leaves no part below 0, and its lots have no more units than it reduced."""
    reductions = [each for of_line in snapshot.ledger.reductions().values() for each in of_line]
    taken = Counter[ReducedBy | None]()
    for of_line in snapshot.ledger.reserved().values():
        for units in of_line:
            taken[units.reduced_by] += units.quantity
    for each in reductions:
        taken[each.source] += each.quantity
    for each in reductions:
        for running_sums in (each.taken, each.left):
            if not each.line.are_valid(running_sums):
                yield f"{each.reduced_by}: {running_sums} of {each.line.item_id}"
        if taken[each.reduced_by] > each.quantity:
            yield f"{each.reduced_by}: {taken[each.reduced_by]} units of {each.quantity} taken"


def a_claim_that_reduces_is_worth_what_it_takes(snapshot: Snapshot) -> Iterator[str]:
    """It pays what its units lost, with the charges, give or take rounding, unless a person says why not."""
    for claim in snapshot.ledger.claims:
        entitlement = claim.entitlement
        is_named = entitlement.refund_note is not None or entitlement.agreed_refund is not None
        value = claim.value + sum(each.amount for each in claim.charges_back)
        rounding = value - claim.refund_amount.amount
        if claim.reductions and not is_named and not 0 <= rounding <= len(snapshot.most_fulfilled):
            yield f"{claim.id}: {claim.refund_amount} for units that lost {claim.value}"


def _in_force(claims: Iterable[Claim]) -> list[Claim]:
    return [each for each in claims if each.status is not ClaimStatus.CANCELED]
