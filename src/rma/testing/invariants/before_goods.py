"""Laws of what happens before goods are received: approval, expiry, labels and dates."""

from collections import Counter
from collections.abc import Iterator

from rma.domain.events import ReturnRequested, ReturnUpdated
from rma.domain.messages.effects import ReturnShipmentRequest
from rma.domain.react import react
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.testing.invariants.snapshot import Snapshot, is_surprising


def no_label_is_booked_before_approval(snapshot: Snapshot) -> Iterator[str]:
    """And none under a key that was used before."""
    keys: set[str] = set()
    for event in snapshot.history:
        is_waiting = (isinstance(event, ReturnRequested) and event.opened.needs_approval) or (
            isinstance(event, ReturnUpdated) and event.status is ReturnStatus.PENDING_APPROVAL
        )
        for effect in react(event):
            if isinstance(effect, ReturnShipmentRequest):
                if is_waiting:
                    yield f"{effect.key} is booked for a return that waits for approval"
                if effect.key in keys:
                    yield f"{effect.key} is booked twice"
                keys.add(effect.key)


def what_was_not_agreed_to_moves_nothing(snapshot: Snapshot) -> Iterator[str]:
    """What is declined or expired reserves nothing; what no one agreed to is not paid."""
    for each in snapshot.ledger.returns:
        if each.status in (ReturnStatus.DECLINED, ReturnStatus.EXPIRED):
            if any(quantity for _, quantity in each.reserved_quantities()):
                yield f"{each.id} is {each.status}, and reserves units"
            if each.receipts:
                yield f"{each.id} is {each.status}, and its goods are here"
        is_agreed = each.status in (ReturnStatus.RECEIVED, ReturnStatus.PARTIALLY_RECEIVED)
        was_agreed = is_agreed or each.was_closed
        is_paid = each.refunded.amount and not (each.is_paid_ahead or was_given_back(snapshot, each))
        if (each.needs_approval or each.is_released) and is_paid and not was_agreed:
            yield f"{each.id} is {each.status}, and {each.refunded} was paid"
        if each.needs_approval and each.basis is ReturnBasis.WITHDRAWAL:
            yield f"{each.id} is a withdrawal, and waits for approval"


def was_given_back(snapshot: Snapshot, each: Return) -> bool:
    """
    True if no more was paid than what the customer had paid for its exchange, which was canceled.

    Steps of a gateway can make it more, which is carried.
    """
    exchange = snapshot.ledger.find_exchange(each.exchange_id)
    return exchange is not None and each.entitlement.covered <= exchange.paid.amount


def nothing_that_was_sent_or_received_expires(snapshot: Snapshot) -> Iterator[str]:
    """And nothing expires early."""
    for each in snapshot.ledger.returns:
        if each.expired_at is None:
            continue
        if each.sending is not None or any(receipt.at <= each.expired_at for receipt in each.receipts):
            yield f"{each.id} expired, though its goods were sent or received"
        if each.return_by is None or each.expired_at <= each.return_by:
            yield f"{each.id} expired at {each.expired_at}, before {each.return_by}"


def what_is_due_is_not_paid(snapshot: Snapshot) -> Iterator[str]:
    """A date until when a return is to be paid is shown as long as money is missing, and no longer."""
    for each in snapshot.ledger.returns:
        is_paid = each.refunded >= each.refund_amount and not each.amount_due.amount
        if each.payable_by is not None and is_paid:
            yield f"{each.id} is to be paid until {each.payable_by}, and was"
        if each.payable_by is None and each.refund_due_by is not None and each.amount_due.amount:
            yield f"{each.id}: {each.amount_due} is due, without the date {each.refund_due_by}"


def no_unit_is_paid_for_ahead_twice(snapshot: Snapshot) -> Iterator[str]:
    """Goods that were paid for before they arrived, and never did, are no more than the customer had."""
    lacking = Counter[str]()
    for each in snapshot.ledger.returns:
        if each.lacks_goods_paid_for and not any(map(is_surprising, each.refunds)):
            for item in each.items:
                lacking[item.item_id] += item.missing_quantity
    for item_id, quantity in lacking.items():
        if quantity > (most := snapshot.most_fulfilled.get(item_id, 0)):
            yield f"{item_id}: {quantity} units were paid for ahead and never arrived, {most} were sent"
