"""Laws of exchanges whose new goods are sent first: their holds, and what is charged to them."""

from collections import Counter
from collections.abc import Iterator

from rma.domain.events import (
    AdvanceCharged,
    AdvanceWrittenOff,
    ChargeOutcomeRecorded,
    EffectsAttempted,
    Event,
)
from rma.domain.messages.advance import ChargeDeclined, ChargeRequest, ChargeSucceeded, ReleaseRequest
from rma.domain.messages.effects import ReplacementRequest, owner_of
from rma.domain.react import react
from rma.domain.state.exchanges import HoldCharge
from rma.domain.state.lifecycle import ChargeStatus, ExchangeStatus, ReturnStatus
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
        is_late = target.expired_at is not None and target.received_at is not None
        is_late = is_late or any(receipt.at > charged[0].requested_at for receipt in target.receipts)
        if taken > owed and not is_late and not (each.is_revised or target.corrections):
            yield f"{each.id}: {taken} charged, {owed} owed"


def an_exchange_owes_what_its_goods_say(snapshot: Snapshot) -> Iterator[str]:
    """
    Once its goods are here, the difference is the new goods less what arrived, however late, or corrected.

    So nothing is owed or charged without a unit that is not here or is worth less.
    """
    for each in snapshot.ledger.exchanges:
        target = snapshot.ledger.get(each.return_id)
        if target.status is not ReturnStatus.RECEIVED or each.status is ExchangeStatus.CANCELED:
            continue
        arrived = target.value_arrived(target.items, target.named_for(target.items, target.charges_back))
        difference = each.paid.amount - arrived.total + arrived.owed
        if each.difference_due.amount != difference:
            yield f"{each.id}: a difference of {each.difference_due}, the goods say {difference}"


def what_was_paid_beyond_the_difference_is_due(snapshot: Snapshot) -> Iterator[str]:
    """What a customer paid for an exchange, charges among it, and does not owe, its return gives back."""
    for each in snapshot.ledger.exchanges:
        target = snapshot.ledger.get(each.return_id)
        is_over = target.status in (ReturnStatus.RECEIVED, ReturnStatus.EXPIRED)
        surplus = each.paid.amount - each.difference_due.amount
        is_named = target.entitlement.agreed_refund is not None
        if not is_over or each.status is ExchangeStatus.CANCELED or is_named:
            continue
        # The host may round its totals in other ways: as much as a minor unit a line is not given back.
        if target.entitlement.entitled.amount < surplus - len(snapshot.most_fulfilled):
            entitled = target.entitlement.entitled
            yield f"{each.id}: {surplus} more was paid than is owed, {entitled} is given back"
        if each.owed.amount and not each.needs_attention:
            yield f"{each.id}: {each.owed} is owed, and no one is asked for it"


def a_hold_ends_with_its_exchange(snapshot: Snapshot) -> Iterator[str]:
    """It is charged or released by then."""
    for each in snapshot.ledger.exchanges:
        is_over = not each.is_open and not each.owed.amount
        if each.hold is not None and is_over and not each.is_hold_closed:
            yield f"{each.id}: {each.status}, and its hold is neither charged nor released"


def new_goods_go_first_only_in_time(snapshot: Snapshot) -> Iterator[str]:
    """While the hold lasts, and the others can still be sent."""
    for event in snapshot.whole_history:
        if not any(isinstance(effect, ReplacementRequest) for effect in react(event)):
            continue
        exchange = snapshot.ledger.find_exchange(event.subject_id)
        if exchange is None or exchange.hold is None or not exchange.is_advance:
            continue
        target = snapshot.ledger.get(exchange.return_id)
        is_here = target.received_at is not None and target.received_at <= event.at
        if not is_here and target.return_by is not None and event.at > target.return_by:
            yield f"{exchange.id}: new goods left at {event.at}, the last day was {target.return_by}"


def a_replaced_hold_is_released_and_never_charged(snapshot: Snapshot) -> Iterator[str]:
    """Each once, with the hold that took its place; the one in force is released when all is over."""
    asked = snapshot.requested
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
    asked = snapshot.requested
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
            if is_taken and charge.status is ChargeStatus.FAILED and not charge.is_contradicted:
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


def what_is_written_off_was_owed(snapshot: Snapshot) -> Iterator[str]:
    """
    Not while a charge may have taken it, with a reason, and at most what was owed then.

    Nothing is paid by it: what was paid and what is written off come to the difference at most.
    """
    unknown: set[str] = set()
    for event in snapshot.whole_history:
        if isinstance(event, AdvanceWrittenOff):
            off = event.write_off
            if not 0 < off.amount.amount <= off.owed.amount or not off.note:
                yield f"{event.subject_id}: {off.amount} of {off.owed} is written off: {off.note}"
            if any(owner_of(key) == event.subject_id for key in unknown):
                yield f"{event.subject_id}: {off.amount} is written off, and {unknown} may be taken"
        for charge in _charges_of(event):
            unknown = unknown | {charge.key} if charge.is_pending else unknown - {charge.key}
    for each in snapshot.ledger.exchanges:
        left = each.difference_due.amount - each.paid.amount - each.written_off.amount
        if each.written_off.amount and left < 0:
            yield f"{each.id}: {each.written_off} is written off, {-left} too much"
        if each.write_offs and not each.written_off.amount and left > 0:
            yield f"{each.id}: {left} is not paid, and nothing of it written off"


def _charges_of(event: Event) -> tuple[HoldCharge, ...]:
    match event:
        case AdvanceCharged(charge=charge) | ChargeOutcomeRecorded(charge=charge):
            return (charge,)
        case EffectsAttempted(outcomes=outcomes):
            return tuple([each.charge for each in outcomes if each.charge])
        case _:
            return ()
