"""Laws that hold besides once no effect is on its way."""

from collections.abc import Iterator

from rma.domain.messages.effects import OpenEffect, effect_key, owner_of
from rma.domain.sale.means import Means
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import in_force
from rma.testing.invariants.snapshot import Snapshot

#: By status in the ledger, the classes of outcomes that the gateway may have.
_OUTCOMES = {
    RefundStatus.PENDING: {"RefundPending"},
    RefundStatus.SUCCEEDED: {"RefundSucceeded"},
    RefundStatus.FAILED: {"RefundDeclined", "RefundReversed", "NoneType"},
    RefundStatus.REVERSED: {"RefundDeclined", "RefundReversed"},
}


def is_on_its_way(effect: OpenEffect, ledger: ReturnLedger) -> bool:
    """True unless its gateway must end this effect, or a person must decide about the one that goes first."""
    is_pending, first = effect.delivery.pending_since is not None, effect
    while key := ledger.waits_for(first):
        first = ledger.open_effects[key]
    return not is_pending and not first.delivery.is_stopped


def nothing_is_open(snapshot: Snapshot) -> Iterator[str]:
    """Every effect has its outcome, every event is published; what needs attention is known to do so."""
    for key, effect in snapshot.ledger.open_effects.items():
        if is_on_its_way(effect, snapshot.ledger):
            yield f"{key}, after {effect.delivery.attempts} attempts: {effect.delivery.last_error}"
    if snapshot.ledger.published < snapshot.ledger.revision:
        yield f"published up to {snapshot.ledger.published} of {snapshot.ledger.revision}"


def refunds_stand_as_the_gateway_says(snapshot: Snapshot) -> Iterator[str]:
    """All but those that need attention, whose outcome is unknown."""
    for refund in snapshot.ledger.refunds:
        if refund.key in snapshot.recorded_payouts:
            continue  # no gateway knows of it
        if refund.status is RefundStatus.NEEDS_ATTENTION or snapshot.gateway_model.is_unknown(refund.key):
            continue
        outcome = snapshot.gateway_model.outcome_of(refund.key)
        if type(outcome).__name__ not in _OUTCOMES[refund.status]:
            yield f"{refund.key}: {refund.status} in the ledger, {outcome} at the gateway"


def what_is_in_force_left_the_payments(snapshot: Snapshot) -> Iterator[str]:
    """No more and no less, unless a refund needs attention."""
    for payment in snapshot.order.payments:
        ours = [each for each in snapshot.ledger.refunds if each.payment_id == payment.id]
        if any(
            each.status is RefundStatus.NEEDS_ATTENTION or snapshot.gateway_model.is_unknown(each.key)
            for each in ours
        ):
            continue
        given_back = snapshot.gateway_model.given_back(snapshot.order.id, payment.id)
        if in_force(ours) != given_back:
            yield f"{payment.id}: {in_force(ours)} in force, {given_back} given back"


def what_is_in_force_was_given_otherwise(snapshot: Snapshot) -> Iterator[str]:
    """Of store credit and payouts, no more and no less, unless one needs attention."""
    ours = [
        each
        for each in snapshot.ledger.refunds
        if each.means is not Means.PAYMENT and each.key not in snapshot.recorded_payouts
    ]
    if any(
        each.status is RefundStatus.NEEDS_ATTENTION or snapshot.gateway_model.is_unknown(each.key)
        for each in ours
    ):
        return
    given = snapshot.gateway_model.given_otherwise(snapshot.order.id)
    if in_force(ours) != given:
        yield f"{in_force(ours)} in force as store credit or payouts, {given} given"


def labels_are_booked_for_returns_that_go_on(snapshot: Snapshot) -> Iterator[str]:
    """Each has the one that its goods can travel with, and every other that it had is canceled."""
    canceled = {each.shipment_key for each in snapshot.cancellations.values()}
    for each in snapshot.ledger.returns:
        if each.stuck_effects:
            continue
        number = each.label_number
        key = None if number is None else effect_key(each.id, "shipment", number)
        if key is not None and key not in snapshot.shipments:
            yield f"{each.id}: nothing is booked under {key}"
        for booked in snapshot.shipments:
            if owner_of(booked) != each.id:
                continue
            is_used = booked == key and (each.canceled_at is None or each.sending is not None)
            if (booked in canceled) == is_used:
                what = f"label {booked} is {'' if booked in canceled else 'not '}canceled"
                yield f"{each.id}: {each.status}, but its {what}"
