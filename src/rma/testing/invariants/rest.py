"""What holds besides once nothing is on its way any more."""

from collections.abc import Iterator

from rma.domain.state.refunds import RefundStatus, in_force
from rma.domain.state.returns import ReturnStatus
from rma.testing.invariants.scene import Scene

#: How a refund is spelled in the gateway's books that stands like this in the ledger.
_STANDING = {
    RefundStatus.PENDING: {"RefundPending"},
    RefundStatus.SUCCEEDED: {"RefundSucceeded"},
    RefundStatus.FAILED: {"RefundDeclined", "RefundReversed", "NoneType"},
    RefundStatus.REVERSED: {"RefundDeclined", "RefundReversed"},
}


def nothing_is_open(scene: Scene) -> Iterator[str]:
    """Every effect has its outcome, every event is published; what needs attention is known to do so."""
    for key, effect in scene.ledger.open_effects.items():
        yield f"{key}, after {effect.attempts} attempts: {effect.last_error}"
    if scene.ledger.published < scene.ledger.revision:
        yield f"published up to {scene.ledger.published} of {scene.ledger.revision}"


def refunds_stand_as_the_gateway_says(scene: Scene) -> Iterator[str]:
    """All but those that need attention, of which nobody can tell."""
    for refund in scene.ledger.refunds:
        if refund.status is RefundStatus.NEEDS_ATTENTION or scene.books.is_unknown(refund.key):
            continue
        stands = scene.books.stands(refund.key)
        if type(stands).__name__ not in _STANDING[refund.status]:
            yield f"{refund.key}: {refund.status} in the ledger, {stands} at the gateway"


def what_is_in_force_left_the_payments(scene: Scene) -> Iterator[str]:
    """No more and no less, unless a refund needs attention."""
    for payment in scene.order.payments:
        ours = [each for each in scene.ledger.refunds if each.payment_id == payment.id]
        if any(
            each.status is RefundStatus.NEEDS_ATTENTION or scene.books.is_unknown(each.key) for each in ours
        ):
            continue
        given_back = scene.books.given_back(scene.order.id, payment.id)
        if in_force(ours) != given_back:
            yield f"{payment.id}: {in_force(ours)} in force, {given_back} given back"


def labels_are_booked_for_returns_that_go_on(scene: Scene) -> Iterator[str]:
    """Each that asked for one has it, and those that were canceled have theirs canceled."""
    canceled = {each.shipment_key for each in scene.cancellations.values()}
    for each in scene.ledger.returns:
        if each.shipping_method is None:
            continue
        key = f"{each.id}/shipment/1"
        if key not in scene.shipments:
            yield f"{each.id}: nothing is booked"
        if (key in canceled) != (each.status is ReturnStatus.CANCELED):
            yield f"{each.id}: {each.status}, but its label is {'' if key in canceled else 'not '}canceled"
