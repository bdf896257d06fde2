"""What it means for an exchange or a claim that its return was received."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.holds import close_hold, difference_of, release_hold
from rma.domain.decide.replacements import replacement_of
from rma.domain.events import ClaimCompleted, Event, ExchangeReceived, header_for
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return


def complete_linked(
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    status: ReturnStatus,
    at: datetime,
    by: str | None,
) -> tuple[Event, ...]:
    """
    The events of the exchange or claim of this return, if it has one and was received just now.

    An exchange that is completed, as its goods are late or were counted again, only has another difference.
    """
    if status is not ReturnStatus.RECEIVED:
        return ()
    exchange = ledger.find_exchange(target.exchange_id)
    if exchange and exchange.status is ExchangeStatus.COMPLETED:
        return _count_again(exchange, ledger, target, items, at, by)
    if target.status is ReturnStatus.RECEIVED:
        return ()
    if exchange and exchange.is_open:
        return complete_exchange(exchange, ledger, target, items, at, by)
    return complete_claim(ledger, target, at, by)


def _count_again(
    exchange: Exchange,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    at: datetime,
    by: str | None,
) -> tuple[ExchangeReceived] | tuple[()]:
    """The difference of an exchange whose new goods were sent, as it is known now: nothing is charged."""
    due = difference_of(exchange, target, items)
    if due == exchange.difference_due:
        return ()
    header = header_for(exchange, ledger, at, by=by)
    return (ExchangeReceived(header=header, status=exchange.status, difference_due=due),)


def change_linked(
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    status: ReturnStatus,
    at: datetime,
    by: str | None,
) -> tuple[Event, ...]:
    """As `complete_linked`; and of an exchange that is yet to be paid for, what the difference is now."""
    exchange = ledger.find_exchange(target.exchange_id)
    is_still_received = status is target.status is ReturnStatus.RECEIVED
    if is_still_received and exchange is not None and exchange.is_open:
        events = complete_exchange(exchange, ledger, target, items, at, by)
        return () if _says_nothing_new(exchange, events) else events
    return complete_linked(ledger, target, items, status, at, by)


def _says_nothing_new(exchange: Exchange, events: tuple[Event, ...]) -> bool:
    known = exchange.status, exchange.difference_due
    match events:
        case (ExchangeReceived(status=status, difference_due=due),):
            return (status, due) == known
        case _:
            return False


def complete_claim(
    ledger: ReturnLedger, target: Return, at: datetime, by: str | None
) -> tuple[()] | tuple[ClaimCompleted]:
    """The event of the claim that waited for this return, if one did."""
    claim = ledger.find_claim(target.claim_id)
    if claim is None or claim.status is not ClaimStatus.REQUESTED:
        return ()
    return (ClaimCompleted(header=header_for(claim, ledger, at, by=by)),)


def complete_exchange(
    exchange: Exchange,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    at: datetime,
    by: str | None,
) -> tuple[Event, ...]:
    """
    The events that the goods of the exchange are here: it is completed, or a difference is owed.

    Where the new goods were sent first, the hold is charged with what is owed, or released.
    """
    difference_due = difference_of(exchange, target, items)
    received = evolve(exchange, difference_due=difference_due)
    if exchange.sent_first and (events := close_hold(received, ledger, at, by)):
        return events
    if exchange.out_of_stock is not None:
        status = ExchangeStatus.REQUIRES_ACTION
    elif not received.owed.amount:
        status = ExchangeStatus.COMPLETED
    elif exchange.owed.amount:
        status = ExchangeStatus.AWAITING_PAYMENT
    else:  # it was never quoted to the customer
        status = ExchangeStatus.REQUIRES_ACTION
    is_done = status is ExchangeStatus.COMPLETED
    event = ExchangeReceived(
        header=header_for(exchange, ledger, at, by=by),
        status=status,
        difference_due=difference_due,
        replacement=replacement_of(exchange) if is_done and not exchange.sent_first else None,
    )
    return (event, *release_hold(evolve(received, status=status), ledger, at, by))
