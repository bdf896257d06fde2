"""Laws of goods: returned units, stock and new goods."""

from collections import Counter
from collections.abc import Iterator

from rma.domain.messages.advance import OutOfStock
from rma.domain.messages.effects import owner_of
from rma.domain.sale.order import OrderStatus
from rma.domain.state.claims import Claim, ClaimType
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus
from rma.domain.state.returns import Return
from rma.testing.invariants.snapshot import Snapshot

#: Why a line cannot be returned at all, however many units are left.
_REFUSALS = {
    "order_canceled",
    "item_not_returnable",
    "return_window_closed",
    "no_rule_applies",
    "outcome_not_offered",
    "worth_exceeds_rule",
}


def units_are_conserved(snapshot: Snapshot) -> Iterator[str]:
    """Each fulfilled unit is with the customer, expected, back, lost, kept or claimed, and counted once."""
    quantities = {each.item_id: each for each in snapshot.returnable}
    for line in snapshot.order.items:
        expected = arrived = 0
        for each in snapshot.ledger.returns:
            for item in each.items:
                counts = (item.received_quantity, item.damaged_quantity, item.missing_quantity)
                if min(*counts, item.kept_quantity, item.still_lost_quantity) < 0:
                    yield f"{each.id} counts units of {item.item_id} below 0"
                is_claimed = each.claim_id is not None and item.is_requested
                if item.item_id == line.id and not is_claimed:
                    arrived += item.gone_quantity
                    if each.is_open and not each.is_released:  # what went back stays reserved
                        expected += item.missing_quantity + item.graded_back_quantity * item.is_requested
        claimed = _claimed(snapshot.ledger, line.id)
        left = line.fulfilled_quantity - line.returned_quantity - expected - arrived - claimed
        most = snapshot.most_fulfilled[line.id]  # a host may edit units away that are reserved
        if expected + arrived + claimed > most:
            yield (
                f"{line.id}: {line.returned_quantity} back before, {expected} expected, {arrived} arrived "
                f"and {claimed} claimed, of at most {most} at the customer"
            )
        found = quantities[line.id]
        if ("order_canceled" in found.reasons) != (snapshot.order.status is OrderStatus.CANCELED):
            yield f"{line.id}: {found.reasons} on an order that is {snapshot.order.status}"
        unsent = sum(
            item.quantity
            for claim in snapshot.ledger.claims
            for item in claim.compensated
            if item.item_id == line.id and not item.is_sent
        )  # those that were paid back are not the customer's, even if the host sent them after all
        left -= max(0, line.fulfilled_quantity + unsent - line.quantity)
        returnable = 0 if _REFUSALS & set(found.reasons) else max(0, left)
        if found.quantity != returnable:
            yield f"{line.id}: {found.quantity} returnable, not {returnable}"


def stock_holds_what_is_sellable(snapshot: Snapshot) -> Iterator[str]:
    """Once every effect is delivered: what arrived undamaged or was graded so, unless it went back."""
    if snapshot.stock is None or snapshot.ledger.open_effects:
        return
    sellable = Counter[str]()
    for each in snapshot.ledger.returns:
        sellable += _sellable(each)
    for item_id, units in snapshot.stock.items():
        if units != sellable[item_id]:
            yield f"{item_id}: {units} in stock, {sellable[item_id]} arrived sellable"


def receipts_say_what_is_here(snapshot: Snapshot) -> Iterator[str]:
    """As they were corrected, less what went back to the customer."""
    for each in snapshot.ledger.returns:
        booked, here, back = each.booked_quantities(), Counter[str](), Counter[str]()
        for item in each.items:
            here[item.item_id] += item.arrived_quantity
            back[item.item_id] += item.returned_to_customer_quantity
            good = item.received_quantity - item.rejected_quantity
            bad = item.damaged_quantity - item.rejected_damaged_quantity
            if good < 0 or bad < 0:
                yield f"{each.id}: more units of {item.item_id} are rejected than are here"
        for item_id in {*booked, *here}:
            gone = sum(booked.get(item_id, (0, 0))) - here[item_id] - back[item_id]
            if gone < 0 or (gone and each.canceled_at is None):
                yield f"{each.id}: of {item_id} {booked.get(item_id)} booked, {here[item_id]} are here"


def restocks_say_what_is_sellable(snapshot: Snapshot) -> Iterator[str]:
    """What was put in and not taken out again is, for each return, what is here of it and can be sold."""
    for each in snapshot.ledger.returns:
        stocked, sellable = Counter[str](), _sellable(each)
        for restock in each.in_stock:
            for line in restock.lines:
                stocked[line.item_id] += line.quantity
                if line.quantity < 0:
                    yield f"{restock.key}: more was taken out than was put in"
        if +stocked != sellable:
            yield f"{each.id}: {dict(+stocked)} in stock, {dict(sellable)} sellable"


def _sellable(target: Return) -> Counter[str]:
    """By line: what is here of the return and can be sold, as its receipts or inspections say."""
    sellable = Counter[str]()
    for item in target.items:
        if not item.is_inspected:
            sellable[item.item_id] += item.received_quantity
        for graded in item.graded:
            if graded.is_restocked and not graded.is_returned:
                sellable[item.item_id] += graded.quantity
    return +sellable


def a_carrier_books_once(snapshot: Snapshot) -> Iterator[str]:
    """A key that is repeated gives the first answer."""
    for key, answers in snapshot.shipments.items():
        if any(answer != answers[0] for answer in answers):
            yield f"{key}: {answers}"


def new_goods_are_sent_once(snapshot: Snapshot) -> Iterator[str]:
    """For exchanges that are completed or sent first, and claims that replace, and no others."""
    sent = Counter(
        owner_of(key)
        for key, each in snapshot.replacements.items()
        if each.order_id == snapshot.order.id and not _is_refused(snapshot, key)
    )
    for owner_id, times in sent.items():
        owner = snapshot.ledger.find_exchange(owner_id) or snapshot.ledger.find_claim(owner_id)
        is_right = (
            owner.type is ClaimType.REPLACE
            if isinstance(owner, Claim)
            else owner is not None and owner.is_sent
        )
        if times > 1 or not is_right:
            yield f"{owner_id}: new goods sent {times} times, it is {owner.status if owner else 'unknown'}"


def _is_refused(snapshot: Snapshot, key: str) -> bool:
    """True if the carrier said under this key that there are none."""
    return any(isinstance(answer, OutOfStock) for answer in snapshot.shipments.get(key, ()))


def _claimed(ledger: ReturnLedger, item_id: str) -> int:
    return sum(
        item.quantity
        for claim in ledger.claims
        if claim.status is not ClaimStatus.CANCELED
        for item in claim.items
        if item.item_id == item_id and item.is_sent and not item.is_reduced
    )
