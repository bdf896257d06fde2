"""The status of a return once its receipts are corrected."""

from datetime import datetime

from rma.domain.state.at_the_dock import CorrectedUnits
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return


def corrected_status(
    target: Return, items: tuple[ReturnItem, ...], units: tuple[CorrectedUnits, ...], *, has_foreign: bool
) -> ReturnStatus:
    """
    As if the receipts had said so from the beginning, but that what is closed stays closed.

    Args:
        target: before it is corrected.
        items: as they are counted now.
        units: what the correction adds and takes.
        has_foreign: no one decided yet about some foreign goods.
    """
    if has_foreign or target.status is ReturnStatus.CANCELED:
        return ReturnStatus.REQUIRES_ACTION
    if _was_accepted(target):
        is_more = _unrequested(items) > _unrequested(target.items)
        return ReturnStatus.REQUIRES_ACTION if is_more else ReturnStatus.RECEIVED
    if target.needs_approval or target.is_released:
        is_undone = target.received_at is not None and _is_undone(target, target.received_at, units)
        return ReturnStatus.RECEIVED if is_undone else ReturnStatus.REQUIRES_ACTION
    if _unrequested(items):
        return ReturnStatus.REQUIRES_ACTION
    if not _are_missing(items):
        return ReturnStatus.RECEIVED
    is_open = target.status is not ReturnStatus.IN_INSPECTION
    return target.status if is_open else ReturnStatus.REQUIRES_ACTION


def _was_accepted(target: Return) -> bool:
    """True if it is closed, or waits for nothing but grades because a person accepted it as it is."""
    if target.status is not ReturnStatus.IN_INSPECTION:
        return target.status is ReturnStatus.RECEIVED
    is_mismatch = _are_missing(target.items) or _unrequested(target.items) > 0
    return is_mismatch or target.resolution is not None or target.received_at is not None


def _is_undone(target: Return, received_at: datetime, units: tuple[CorrectedUnits, ...]) -> bool:
    """True if of no line more units are here than when it was closed: there is nothing to decide again."""
    closed = [each.at for each in target.receipts if each.status is ReturnStatus.RECEIVED]
    closed += [each.at for each in target.corrections if each.status is ReturnStatus.RECEIVED]
    closed += [each.at for each in target.inspections if each.status is ReturnStatus.RECEIVED]
    closed_at = max([received_at, *closed, *([target.resolution.at] if target.resolution else [])])
    parcels = [each for each in target.receipts if _reopened(each.status, each.at, closed_at)]
    corrections = [each for each in target.corrections if _reopened(each.status, each.at, closed_at)]
    more: dict[str, int] = {}
    for item in [item for parcel in parcels for item in parcel.items]:
        more[item.item_id] = more.get(item.item_id, 0) + item.quantity + item.damaged_quantity
    for each in (*[each for correction in corrections for each in correction.items], *units):
        more[each.item_id] = more.get(each.item_id, 0) + each.quantity + each.damaged_quantity
    are_empty = [not (parcel.has_units or parcel.foreign) for parcel in parcels]
    return not any(are_empty) and all(quantity <= 0 for quantity in more.values())


def _reopened(status: ReturnStatus, at: datetime, closed_at: datetime) -> bool:
    return status is ReturnStatus.REQUIRES_ACTION and at >= closed_at


def _are_missing(items: tuple[ReturnItem, ...]) -> bool:
    return any(item.missing_quantity for item in items)


def _unrequested(items: tuple[ReturnItem, ...]) -> int:
    return sum([item.arrived_quantity for item in items if not item.is_requested])
