"""The dates of a return: until when its goods are to be sent, and until when it is to be paid."""

from datetime import datetime, timedelta

from rma.domain.sale.policy import Terms
from rma.domain.state.returns import Return, Sending


def return_by(terms: Terms, since: datetime, declared_at: datetime | None = None) -> datetime | None:
    """
    The moment after which a return expires for which nothing was sent or received; None for never.

    Args:
        terms: its own.
        since: when it was requested or approved.
        declared_at: when it was declared as a withdrawal.
    """
    if terms.withdrawal is not None:
        return terms.withdrawal.return_by(declared_at or since, since)
    days = terms.return_within_days
    return None if days is None else since + timedelta(days=days)


def refund_due_by(
    target: Return, *, sending: Sending | None, received_at: datetime | None
) -> datetime | None:
    """
    Until when the return is to be paid; None while its goods are with the customer, as far as is known.

    Args:
        target: before the event that changes the date.
        sending: that the customer sent the goods; it counts from when there is a proof of it.
        received_at: when the first of them arrived.
    """
    if target.claim_id is not None:
        return None  # its claim pays
    terms = target.terms
    if terms.withdrawal is not None and target.declared_at is not None:
        sent_at = sending.at if sending is not None and sending.proof is not None else None
        known = [at for at in (sent_at, received_at) if at is not None]
        return terms.withdrawal.refund_due_by(target.declared_at, min(known)) if known else None
    days = terms.pay_within_days
    return None if days is None or received_at is None else received_at + timedelta(days=days)
