"""
The history of an order in words: who did what, when, and what each amount is made of.

Told from events alone; the ledger is rebuilt beside them, so that an amount can be explained as it was
explained then.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import assert_never

from attrs import field, frozen

from rma.domain.events import (
    ClaimCanceled,
    ClaimCompleted,
    ClaimRefundRetried,
    ClaimRequested,
    EffectOutcome,
    EffectsAttempted,
    EffectsLeased,
    Event,
    EventsPublished,
    ExchangeCanceled,
    ExchangePaid,
    ExchangeReceived,
    ExchangeRequested,
    GoodsReceived,
    RefundBlocked,
    RefundOutcomeRecorded,
    RefundRetried,
    ReturnCanceled,
    ReturnRequested,
    ReturnResolved,
)
from rma.domain.evolve import evolve
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.refunds import Refund
from rma.domain.state.returns import Return, ReturnStatus
from rma.domain.values.money import Money


@frozen(kw_only=True)
class TimelineEntry:
    """
    One thing that happened.

    Attributes:
        by: who did it, in the host's words; None for gateways, carriers and timers.
        what: in words, without amounts that `because` explains.
        details: further lines: goods, stock, money.
        amount: what it came to, if it came to something.
        because: the named parts of the amount, which add up to it exactly.
        no_notification: True where the customer is not to be told.
    """

    event_id: str
    at: datetime
    what: str
    by: str | None = None
    details: tuple[str, ...] = ()
    amount: Money | None = None
    because: tuple[AmountPart, ...] = ()
    no_notification: bool = False

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The entry as text, parts below what they add up to."""
        by = f" ({self.by})" if self.by else ""
        yield f"{self.at:%Y-%m-%d %H:%M}  {self.what}{by}"
        yield from (f"    {detail}" for detail in self.details)
        if self.amount is not None:
            yield f"    {self.amount}"
            yield from _tree(self.because, depth=2)


def _tree(parts: Iterable[AmountPart], depth: int) -> Iterator[str]:
    for part in parts:
        yield f"{'    ' * depth}{part.amount}  {part.name}"
        if len(part.parts) > 1:
            yield from _tree(part.parts, depth + 1)


def timeline(order_id: str, events: Iterable[Event]) -> tuple[TimelineEntry, ...]:
    """What happened to the returns, exchanges and claims of an order, oldest first; not how it was sent."""
    ledger = ReturnLedger(order_id)
    entries = []
    for event in events:
        ledger = evolve(ledger, event)
        render = _told(event, ledger)
        if render.what:
            entries.append(
                TimelineEntry(
                    event_id=event.event_id,
                    at=event.at,
                    by=event.by,
                    no_notification=event.no_notification,
                    what=render.what,
                    details=tuple(render.details),
                    amount=render.amount,
                    because=render.because,
                )
            )
    return tuple(entries)


@frozen
class _Told:
    what: str
    details: list[str] = field(factory=list)
    amount: Money | None = None
    because: tuple[AmountPart, ...] = ()


def _told(event: Event, ledger: ReturnLedger) -> _Told:  # noqa: C901, PLR0911, PLR0912 # a row for each kind of event
    match event:
        case ReturnRequested(opened=opened):
            goods = [f"{item.quantity} x {item.item_id}" for item in opened.items]
            return _Told(f"{opened.id} requested", goods, opened.refund_amount, opened.breakdown)
        case GoodsReceived():
            return _received(event, ledger.get(event.return_id))
        case ReturnResolved():
            return _resolved(event, ledger.get(event.return_id))
        case RefundBlocked():
            detail = f"{event.amount} is due, only {event.refundable} can be paid: nothing was"
            return _Told(f"{event.subject_id}: refund blocked", [detail])
        case RefundRetried():
            return _Told(f"{event.return_id}: refund retried", _money(event.refunds))
        case ReturnCanceled():
            back = [
                f"{line.quantity} x {line.item_id} goes back from {withdrawn.location_id or 'stock'}"
                for withdrawn in event.withdraw_requests
                for line in withdrawn.lines
            ]
            return _Told(f"{event.return_id} canceled", back)
        case ExchangeRequested(exchange=exchange):
            sent = [f"{item.quantity} x {item.variant_id} to be sent" for item in exchange.new_items]
            return _Told(f"{exchange.id} requested for {exchange.return_id}", sent, exchange.difference_due)
        case ExchangeReceived(exchange=exchange) | ExchangePaid(exchange=exchange):
            paid = event.payment if isinstance(event, ExchangePaid) else None
            what = f"{paid.amount} paid ({paid.reference})" if paid else "goods received"
            owed = [f"{exchange.owed} owed"] if exchange.owed.amount else []
            return _Told(f"{exchange.id}: {what}, {_words(exchange.status)}", owed)
        case ExchangeCanceled(exchange=exchange):
            return _Told(f"{exchange.id} canceled")
        case ClaimRequested(claim=claim):
            goods = [f"{item.quantity} x {item.item_id}: {_words(item.reason)}" for item in claim.items]
            goods += [f"{item.quantity} x {item.variant_id} to be sent" for item in claim.new_items]
            render = _Told(f"{claim.id} made: {claim.type}", goods + _money(event.refunds))
            return (
                render
                if claim.new_items
                else _Told(render.what, render.details, claim.refund_amount, claim.breakdown)
            )
        case ClaimCompleted(claim=claim):
            return _Told(f"{claim.id}: goods received, {_words(claim.status)}")
        case ClaimRefundRetried(claim=claim):
            return _Told(f"{claim.id}: refund retried", _money(event.refunds))
        case ClaimCanceled(claim=claim):
            return _Told(f"{claim.id} canceled")
        case RefundOutcomeRecorded(refund=refund):
            return _Told(f"told of {_outcome(refund)}")
        case EffectsAttempted(outcomes=outcomes):
            known = [_recorded(each) for each in outcomes if not each.is_open]
            return _Told(f"{event.subject_id}: answered" if known else "", known)
        case EffectsLeased() | EventsPublished():
            return _Told("")
        case _:
            assert_never(event)


def _received(event: GoodsReceived, after: Return) -> _Told:
    receipt = event.receipt
    arrivals = [
        f"{item.quantity} x {item.item_id}"
        + (f", {item.damaged_quantity} damaged" * bool(item.damaged_quantity))
        for item in receipt.items
    ]
    stock = [
        f"stock: +{line.quantity} {line.item_id} at {receipt.location_id or 'no location'}"
        for line in (receipt.restock.lines if receipt.restock else ())
    ]
    what = f"{after.id}: parcel {receipt.number}, {_words(event.status)}"
    details = arrivals + stock + _money(event.refunds)
    if event.status is ReturnStatus.REQUIRES_ACTION:
        return _Told(what, details)
    if event.status is ReturnStatus.RECEIVED:
        return _Told(what, details, after.refund_amount, after.breakdown)
    so_far = after.value_arrived(event.items, None)
    return _Told(what, details, Money(so_far.total, after.currency), so_far.breakdown(after.currency))


def _resolved(event: ReturnResolved, after: Return) -> _Told:
    rejected = [
        f"{item.quantity + item.damaged_quantity} x {item.item_id} rejected"
        + (f": {item.reason}" if item.reason else "")
        + (", sent back" if item.send_back else ", kept")
        for item in event.resolution.rejected
    ]
    details = rejected + _money(event.refunds)
    return _Told(f"{after.id} resolved", details, after.refund_amount, after.breakdown)


def _money(refunds: Iterable[Refund]) -> list[str]:
    return [f"money: {refund.amount} back to {refund.payment_id}" for refund in refunds]


def _outcome(refund: Refund) -> str:
    why = f" ({refund.failure})" if refund.failure else ""
    return f"{refund.key}: {refund.amount} {_words(refund.status)}{why}"


def _recorded(outcome: EffectOutcome) -> str:
    if outcome.refund:
        return _outcome(outcome.refund)
    sent = outcome.shipment or outcome.replacement
    tracking = f" {sent.tracking_number}" if sent and sent.tracking_number else ""
    return f"{outcome.key}{tracking}"


def _words(code: str) -> str:
    return code.replace("_", " ")
