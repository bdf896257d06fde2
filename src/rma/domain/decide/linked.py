"""What it means for an exchange or a claim that its return was received."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.replacements import replacement_of
from rma.domain.events import ClaimCompleted, ExchangeReceived
from rma.domain.state.claims import ClaimStatus
from rma.domain.state.exchanges import Exchange, ExchangeStatus
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return, ReturnStatus
from rma.domain.values.money import Money


def complete_linked(
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    status: ReturnStatus,
    at: datetime,
    by: str | None,
) -> tuple[()] | tuple[ExchangeReceived] | tuple[ClaimCompleted]:
    """The event of the exchange or claim of this return, if it has one and was received just now."""
    if status is not ReturnStatus.RECEIVED or target.status is ReturnStatus.RECEIVED:
        return ()
    if exchange := ledger.find_exchange(target.exchange_id):
        return (_exchange_received(exchange, target, items, at, by),)
    return complete_claim(ledger, target, at, by)


def complete_claim(
    ledger: ReturnLedger, target: Return, at: datetime, by: str | None
) -> tuple[()] | tuple[ClaimCompleted]:
    """The event of the claim that waited for this return, if one did."""
    claim = ledger.find_claim(target.claim_id)
    if claim is None or claim.status is not ClaimStatus.REQUESTED:
        return ()
    event = ClaimCompleted(
        order_id=claim.order_id,
        return_id=target.id,
        claim_id=claim.id,
        at=at,
        by=by,
        no_notification=claim.no_notification,
        claim=evolve(claim, status=ClaimStatus.COMPLETED, updated_at=at),
    )
    return (event,)


def _exchange_received(
    exchange: Exchange, target: Return, items: tuple[ReturnItem, ...], at: datetime, by: str | None
) -> ExchangeReceived:
    value = target.value_arrived(items, None)
    known = evolve(
        exchange,
        difference_due=Money(exchange.paid.amount - value.total + value.owed, exchange.currency),
        updated_at=at,
    )
    if not known.owed.amount:
        status = ExchangeStatus.COMPLETED
    elif exchange.owed.amount:
        status = ExchangeStatus.AWAITING_PAYMENT
    else:  # the customer did not know of it
        status = ExchangeStatus.REQUIRES_ACTION
    is_done = status is ExchangeStatus.COMPLETED
    return ExchangeReceived(
        order_id=exchange.order_id,
        return_id=target.id,
        exchange_id=exchange.id,
        at=at,
        by=by,
        no_notification=exchange.no_notification,
        exchange=evolve(known, status=status, completed_at=at if is_done else None),
        replacement=replacement_of(exchange) if is_done else None,
    )
