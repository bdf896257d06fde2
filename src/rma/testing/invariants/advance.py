"""Laws of exchanges whose new goods are sent first: their holds, and what is charged to them."""

from collections import Counter
from collections.abc import Iterator

from rma.domain.messages.advance import ChargeDeclined, ChargeRequest, ChargeSucceeded, ReleaseRequest
from rma.domain.react import react
from rma.domain.state.lifecycle import ChargeStatus, ReturnStatus
from rma.testing.invariants.snapshot import Snapshot


def a_hold_is_charged_or_released(snapshot: Snapshot) -> Iterator[str]:
    """Never both, and never more than it is of; what was refused took nothing."""
    for each in snapshot.ledger.exchanges:
        charged = [charge for charge in each.hold_charges if charge.is_in_force]
        if charged and each.hold_released_at is not None and each.hold_released_at <= charged[0].requested_at:
            yield f"{each.id}: its hold was released, and {charged[0].amount} charged afterwards"
        if each.hold is None:
            if each.hold_charges or each.hold_released_at is not None:
                yield f"{each.id}: there is no hold that was charged or released"
            continue
        taken = [charge for charge in charged if not _is_surprising(snapshot, charge.key)]
        if sum(charge.amount.amount for charge in taken) > each.hold.amount.amount:
            yield f"{each.id}: more was charged than {each.hold.amount}"


def nothing_is_charged_without_a_shortfall(snapshot: Snapshot) -> Iterator[str]:
    """What is charged is owed for new goods that were sent, for goods that are not back or worth less."""
    for each in snapshot.ledger.exchanges:
        target = snapshot.ledger.get(each.return_id)
        charged = [charge for charge in each.hold_charges if charge.is_in_force]
        if not charged:
            continue
        if target.status is ReturnStatus.REQUESTED:
            yield f"{each.id}: charged while its goods are expected"
        others = sum(paid.amount.amount for paid in each.payments if paid.charge_key is None)
        owed = each.difference_due.amount - others
        taken = sum(c.amount.amount for c in charged if not _is_surprising(snapshot, c.key))
        if taken > owed and not (each.is_revised or target.corrections):
            yield f"{each.id}: {taken} charged, {owed} owed"


def a_replaced_hold_is_released_and_never_charged(snapshot: Snapshot) -> Iterator[str]:
    """Each once, with the hold that took its place; the one in force is released when all is over."""
    asked = [effect for event in snapshot.whole_history for effect in react(event)]
    released = Counter(effect.hold for effect in asked if isinstance(effect, ReleaseRequest))
    charged = {effect.hold for effect in asked if isinstance(effect, ChargeRequest)}
    for each in snapshot.ledger.exchanges:
        for hold in each.replaced_holds:
            if released[hold] != 1 or hold in charged:
                yield f"{each.id}: {hold.reference} was replaced, and released {released[hold]} times"
        if each.hold is not None and released[each.hold] != (each.hold_released_at is not None):
            yield f"{each.id}: {each.hold.reference} was released {released[each.hold]} times"
        references = each.hold_references
        if len(set(references)) != len(references):
            yield f"{each.id}: holds {references}"


def each_charge_is_made_once(snapshot: Snapshot) -> Iterator[str]:
    """Under one key a gateway acts once, and is asked for what the ledger has."""
    known = {charge.key for each in snapshot.ledger.exchanges for charge in each.hold_charges}
    for key, answers in snapshot.charges.items():
        if any(answer != answers[0] for answer in answers):
            yield f"{key}: {answers}"
    asked = [effect for event in snapshot.whole_history for effect in react(event)]
    charges = [effect.key for effect in asked if isinstance(effect, ChargeRequest)]
    if len(set(charges)) != len(charges) or not set(charges) <= known:
        yield f"charges {charges} were asked for, {known} are known"


def charges_stand_as_the_gateway_says(snapshot: Snapshot) -> Iterator[str]:
    """Once nothing is on its way, and unless a person reported something else."""
    for each in snapshot.ledger.exchanges:
        for charge in each.hold_charges:
            answers = snapshot.charges.get(charge.key, ())
            is_taken = any(isinstance(answer, ChargeSucceeded) for answer in answers)
            is_refused = any(isinstance(answer, ChargeDeclined) for answer in answers)
            if is_taken and charge.status is ChargeStatus.FAILED:
                yield f"{charge.key}: taken, and failed in the ledger"
            if is_refused and charge.status is ChargeStatus.PENDING:
                yield f"{charge.key}: refused, and pending in the ledger"
        given_back = {request.hold for request in snapshot.releases.values()}
        over = [each.hold] if each.hold is not None and each.hold_released_at is not None else []
        for hold in (*each.replaced_holds, *over):
            if hold not in given_back:
                yield f"{each.id}: its hold {hold.reference} was not released"


def no_exchange_payment_gives_back_more_than_was_paid(snapshot: Snapshot) -> Iterator[str]:
    """What a customer paid for an exchange, charges among it, is given back once at most."""
    of_order = {payment.id for payment in snapshot.order.payments}
    for each in snapshot.ledger.exchanges:
        for paid in each.payments:
            refunds = [refund for refund in snapshot.ledger.refunds if refund.payment_id == paid.reference]
            expected = sum(refund.amount_in_force for refund in refunds if refund.moved is None)
            surprising = any(refund.is_contradicted for refund in refunds)
            if paid.reference not in of_order and expected > paid.amount.amount and not surprising:
                yield f"{each.id}: {expected} given back of {paid.amount} ({paid.reference})"


def _is_surprising(snapshot: Snapshot, key: str) -> bool:
    """True if the gateway said that it took what it had refused: no rule can mend that."""
    return any(isinstance(answer, ChargeDeclined) for answer in snapshot.charges.get(key, ()))
