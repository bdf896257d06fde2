"""Laws of inspections: where units are, and what is paid for them."""

from collections import Counter
from collections.abc import Iterator

from rma.domain.events import GoodsInspected
from rma.domain.messages.effects import SendBackRequest
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.testing.invariants.before_goods import was_given_back
from rma.testing.invariants.snapshot import Snapshot


def arrived_units_wait_or_are_somewhere(snapshot: Snapshot) -> Iterator[str]:
    """What arrived for an inspected item waits or was graded; what went back by an inspection was graded."""
    for each in snapshot.ledger.returns:
        for item in each.items:
            if not item.is_inspected:
                continue
            here = item.graded_quantity - item.graded_back_quantity
            if item.waiting_quantity < 0 or item.arrived_quantity != item.waiting_quantity + here:
                yield (
                    f"{each.id}: {item.arrived_quantity} of {item.item_id} arrived and are here, "
                    f"{item.waiting_quantity} wait and {here} are graded"
                )
        if each.status is ReturnStatus.RECEIVED and each.awaits_inspection:
            yield f"{each.id} is received, and units wait"
        if each.status is ReturnStatus.IN_INSPECTION and not each.awaits_inspection:
            yield f"{each.id} is in inspection, and nothing waits"


def nothing_is_paid_before_it_is_judged(snapshot: Snapshot) -> Iterator[str]:
    """
    A return of which nothing was graded, and everything waits, is not paid, unless it was corrected.

    Nor if it was closed and paid without goods, as lost ones or by a named amount, and they arrived after.
    """
    for each in snapshot.ledger.returns:
        if each.received_at is not None and each.entitlement.agreed_refund is not None:
            continue  # an amount was named when it was closed, whatever was there
        is_all_waiting = all(
            item.waiting_quantity == item.gone_quantity and not item.graded for item in each.items
        )
        is_paid = each.refunded != each.entitlement.overpaid if each.corrections else bool(each.refunds)
        is_paid = is_paid and not (each.is_paid_ahead or was_given_back(snapshot, each))
        is_paid = is_paid and not any(item.found_quantity for item in each.items)
        is_paid = is_paid and each.received_at is None
        if each.awaits_inspection and is_all_waiting and is_paid:
            yield f"{each.id}: {each.refunded} was paid, and nothing was graded"


def stock_is_asked_for_what_was_judged_so(snapshot: Snapshot) -> Iterator[str]:
    """
    By place: what inspections put into stock, less what they and corrections took out of it, whatever their
    order; each once.
    """
    for each in snapshot.ledger.returns:
        asked, graded = _asked(each), _graded(each)
        if +asked != graded or min(asked.values(), default=0) < 0:
            yield f"{each.id}: {dict(asked)} was asked of stock, {dict(graded)} is graded to be there"
        keys = [request.key for inspection in each.inspections for request in inspection.requests]
        keys += [receipt.restock_key for receipt in each.receipts if receipt.restock_key]
        if len(set(keys)) != len(keys):
            yield f"{each.id}: keys repeat, {keys}"


def what_goes_back_is_sent_once(snapshot: Snapshot) -> Iterator[str]:
    """The units that were graded to go back to the customer, and no others."""
    for each in snapshot.ledger.returns:
        sent: Counter[str] = Counter()
        for inspection in each.inspections:
            for request in inspection.requests:
                for line in request.lines if isinstance(request, SendBackRequest) else ():
                    sent[line.item_id] += line.quantity
        back: Counter[str] = Counter()
        for item in each.items:
            back[item.item_id] += item.graded_back_quantity
        if sent != +back:
            yield f"{each.id}: {dict(sent)} went to the customer, {dict(back)} was to go"


def inspections_are_in_the_history(snapshot: Snapshot) -> Iterator[str]:
    """Each is in one event, and in the return, in order."""
    if snapshot.ledger.archived:
        return
    found: dict[str, list[int]] = {}
    for event in snapshot.history:
        if isinstance(event, GoodsInspected) and event.return_id is not None:
            found.setdefault(event.return_id, []).append(event.inspection.number)
    for each in snapshot.ledger.returns:
        numbers = [inspection.number for inspection in each.inspections]
        if numbers != found.get(each.id, []) or numbers != list(range(1, len(numbers) + 1)):
            yield f"{each.id}: inspections {numbers}, {found.get(each.id, [])} in its history"


Stock = Counter[tuple[str | None, str]]


def _asked(each: Return) -> Stock:
    stock: Stock = Counter()
    for inspection in each.inspections:
        for sign, requests in ((1, inspection.restocks), (-1, inspection.withdrawals)):
            for request in requests:
                for line in request.lines:
                    stock[request.location_id, line.item_id] += sign * line.quantity
    restocks = [restock for inspection in each.inspections for restock in inspection.restocks]
    places = {restock.key: restock.location_id for restock in restocks}
    for corrected in each.withdrawals:  # what was graded, and never arrived
        if corrected.restock_key in places:
            for line in corrected.lines:
                stock[places[corrected.restock_key], line.item_id] -= line.quantity
    return stock


def _graded(each: Return) -> Stock:
    stock: Stock = Counter()
    for item in each.items:
        for units in item.graded:
            if units.is_restocked and not units.is_returned:
                stock[units.location_id, item.item_id] += units.quantity
    return stock
