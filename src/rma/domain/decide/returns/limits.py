"""How many units of a line can arrive for a return: what it expects of it, and what nothing reserves."""

from collections.abc import Iterable

from rma.domain.decide.returns.parcel import Limit
from rma.domain.decide.returns.receipt_items import Arrivals, Room, expected_room, lost_room
from rma.domain.sale.order import LineItem, Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus
from rma.domain.state.remainder import Remainder, sent_of
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return


def room_of(ledger: ReturnLedger, target: Return) -> Room:
    """
    How many further units each requested item of the return can take.

    Once its units were free, only those that are lost and paid for; a claim keeps its units reserved.
    """
    claim = ledger.find_claim(target.claim_id)
    if claim is not None and claim.status is not ClaimStatus.CANCELED:
        return expected_room
    return lost_room if target.is_released else expected_room


def expected_units(items: Iterable[ReturnItem], room: Room) -> dict[str, int]:
    """By line of the return, how many further units its requested items can take."""
    expected: dict[str, int] = {}
    for item in items:
        expected[item.item_id] = expected.get(item.item_id, 0) + room(item)
    return expected


def limits_of(
    ledger: ReturnLedger, lines: dict[str, LineItem], expected: dict[str, int], item_ids: Iterable[str]
) -> dict[str, Limit]:
    """The limits of those of these lines that are on the order or in the return."""
    reserved, unsent = ledger.reserved_quantities(), ledger.unsent_quantities()
    limits: dict[str, Limit] = {}
    for item_id in item_ids:
        line = lines.get(item_id)
        if line is None and item_id not in expected:
            continue
        sent = sent_of(line, unsent.get(item_id, 0)) if line else 0
        receivable = expected.get(item_id, 0) + sent - reserved.get(item_id, 0)
        limits[item_id] = Limit(expected.get(item_id, 0), max(0, receivable))
    return limits


def remainders_for(
    ledger: ReturnLedger, order: Order, arrivals: Arrivals, expected: dict[str, int]
) -> dict[str, Remainder]:
    """What remains of the lines of which more arrived than the return expected."""
    unexpected = [
        item_id for item_id, (good, bad) in arrivals.items() if good + bad > expected.get(item_id, 0)
    ]
    return ledger.remainders(order, unexpected) if unexpected else {}
