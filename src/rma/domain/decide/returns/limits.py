"""How many units of a line can arrive for a return: what it expects of it, and what nothing reserves."""

from collections.abc import Iterable, Mapping

from rma.domain.decide.returns.parcel import Limit
from rma.domain.decide.returns.receipt_items import Arrivals, Room, expected_room, lost_room
from rma.domain.sale.order import LineItem, Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus
from rma.domain.state.remainder import Remainder
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
    reserved = ledger.reserved_quantities()
    limits: dict[str, Limit] = {}
    for item_id in item_ids:
        line = lines.get(item_id)
        if line is None and item_id not in expected:
            continue
        fulfilled = line.fulfilled_quantity - line.returned_quantity if line else 0
        receivable = expected.get(item_id, 0) + fulfilled - reserved.get(item_id, 0)
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


def serials_here(ledger: ReturnLedger, item_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """
    By line, the serials of units that arrived for any return of the order and are here.

    No one says which units go back to the customer, or were never there: once a return has fewer units of a
    line than its receipts say, any of its serials can be of those that left.
    """
    here: dict[str, frozenset[str]] = {}
    for item_id in item_ids:
        found = [each for target in ledger.returns for each in _serials_of(target, item_id)]
        if found:
            here[item_id] = frozenset(found)
    return here


def _serials_of(target: Return, item_id: str) -> tuple[str, ...]:
    """Those of the units of this line that arrived since the return was canceled, if all of them are here."""
    since = target.canceled_at
    receipts = [each for each in target.receipts if since is None or each.at > since]
    booked = [item for receipt in receipts for item in receipt.items if item.item_id == item_id]
    serials = tuple([serial for item in booked for serial in item.serials])
    if not serials:
        return ()
    here = sum([item.arrived_quantity for item in target.items if item.item_id == item_id])
    return serials if here >= sum([item.quantity + item.damaged_quantity for item in booked]) else ()
