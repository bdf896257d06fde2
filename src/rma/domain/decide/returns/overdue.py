"""Goods of an exchange that are late, though their return does not expire: a person decides."""

from datetime import datetime

from rma.domain.events import ReturnOverdue, header_for
from rma.domain.state.ledger import ReturnLedger


def record_overdue(ledger: ReturnLedger, return_id: str, at: datetime) -> tuple[()] | tuple[ReturnOverdue]:
    """The event that the last day of the return is over; none if it is not, is known, or ends it."""
    target = ledger.find(return_id)
    until = target.last_day if target else None
    if target is None or until is None or until >= at:
        return ()
    return (ReturnOverdue(header=header_for(target, ledger, at), return_by=until),)
