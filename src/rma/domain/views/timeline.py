"""
The history of an order in words: who did what, when, and what each amount is made of.

Built from events alone; the ledger is rebuilt beside them, so that each amount has the breakdown that it
had then.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import assert_never

from attrs import field, frozen

from rma.domain import events
from rma.domain.events import EffectOutcome, Event
from rma.domain.evolve import evolve
from rma.domain.messages.effects import DisposeRequest, RestockRequest, SendBackRequest, WithdrawRequest
from rma.domain.sale.means import Means
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.claims import ClaimedItem
from rma.domain.state.inspection import InspectionRequest
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.refunds import Refund
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden
from rma.domain.views.advance_words import describe_advance, describe_charge


@frozen(kw_only=True)
class TimelineEntry:
    """
    One event in words.

    Attributes:
        by: who did it, in the host's words; None for gateways, carriers and timers.
        summary: in words, without the amounts that `breakdown` explains.
        details: further lines: goods, stock, money.
        amount: the amount that the event set, if it set one.
        breakdown: the named parts of the amount, which add up to it exactly.
        no_notification: True where the customer is not to be notified.
    """

    event_id: str
    at: datetime
    summary: str
    by: str | None = field(default=None, repr=hidden)
    details: tuple[str, ...] = field(default=(), repr=hidden)
    amount: Money | None = None
    breakdown: tuple[AmountPart, ...] = ()
    no_notification: bool = False

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The lines of the entry, each amount above the parts that add up to it."""
        by = f" ({self.by})" if self.by else ""
        yield f"{self.at:%Y-%m-%d %H:%M}  {self.summary}{by}"
        yield from (f"    {detail}" for detail in self.details)
        if self.amount is not None:
            yield f"    {self.amount}"
            yield from _tree(self.breakdown, depth=2)


def _tree(parts: Iterable[AmountPart], depth: int) -> Iterator[str]:
    for part in parts:
        yield f"{'    ' * depth}{part.amount}  {part.name}"
        if len(part.parts) > 1:
            yield from _tree(part.parts, depth + 1)


def timeline(order_id: str, history: Iterable[Event]) -> tuple[TimelineEntry, ...]:
    """What happened to the returns, exchanges and claims of an order, oldest first; not how it was sent."""
    ledger = ReturnLedger(order_id)
    entries = []
    for event in history:
        ledger = evolve(ledger, event)
        summary = _summarize(event, ledger)
        if summary.text:
            entries.append(
                TimelineEntry(
                    event_id=event.event_id,
                    at=event.at,
                    by=event.by,
                    no_notification=event.no_notification,
                    summary=summary.text,
                    details=tuple(summary.details),
                    amount=summary.amount,
                    breakdown=summary.breakdown,
                )
            )
    return tuple(entries)


@frozen
class _Summary:
    text: str
    details: list[str] = field(factory=list)
    amount: Money | None = None
    breakdown: tuple[AmountPart, ...] = ()


def _summarize(event: Event, ledger: ReturnLedger) -> _Summary:  # noqa: C901, PLR0911, PLR0912, PLR0915 # a row for each kind of event
    match event:
        case events.ReturnRequested(opened=opened):
            goods = [f"{item.quantity} x {item.item_id}" for item in opened.items]
            waits = ", waits for approval" * opened.needs_approval
            return _Summary(f"{opened.id} requested{waits}", goods, opened.refund_amount, opened.breakdown)
        case events.ReturnApproved(decision=decision):
            return _revised("approved", decision.note, ledger.get(event.subject_id))
        case events.ReturnDeclined(decision=decision):
            why = [decision.note] if decision.note else []
            return _Summary(f"{event.return_id} declined: {decision.reason}", why)
        case events.ReturnUpdated():
            return _revised("updated", None, ledger.get(event.subject_id))
        case events.ReturnSent(sending=sending):
            known = [each for each in (sending.tracking_number, sending.proof) if each]
            return _Summary(f"{event.return_id}: sent by the customer on {sending.at:%Y-%m-%d}", known)
        case events.ReturnExpired():
            until = f"{event.return_by:%Y-%m-%d %H:%M}"
            return _Summary(f"{event.return_id} expired: nothing was sent by {until}")
        case events.ReturnOverdue():
            until = f"{event.return_by:%Y-%m-%d %H:%M}"
            return _Summary(f"{event.return_id} overdue: its goods were to be sent by {until}")
        case events.ShipmentRenewed():
            return _Summary(f"{event.return_id}: way back booked again")
        case events.GoodsReceived():
            return _received(event, ledger.get(event.subject_id))
        case events.GoodsInspected():
            return _inspected(event, ledger.get(event.subject_id))
        case events.ReceiptCorrected():
            return _corrected(event, ledger.get(event.subject_id))
        case events.ReturnResolved():
            return _resolved(event, ledger.get(event.subject_id))
        case events.PaidAhead():
            return _Summary(f"{event.return_id}: paid before its goods arrive", _money(event.refunds))
        case events.RefundBlocked():
            detail = f"{event.amount} is due, only {event.refundable} can be paid: nothing was"
            if event.refundable >= event.amount:
                detail = (
                    f"{event.amount} is due, and payments do not take all of it any more: nothing was paid"
                )
            return _Summary(f"{event.subject_id}: refund blocked", [detail])
        case events.RefundRetried():
            return _Summary(f"{event.subject_id}: refund retried", _money(event.refunds))
        case events.ClaimRefundRetried():
            details = _reduced(event.reduced) + _money(event.refunds)
            return _Summary(f"{event.subject_id}: refund retried", details)
        case events.PayoutRecorded() | events.ClaimPayoutRecorded():
            details = _reduced(event.reduced) if isinstance(event, events.ClaimPayoutRecorded) else []
            details += [
                *_money(event.refunds),
                *[f"reference {refund.reference}" for refund in event.refunds],
            ]
            return _Summary(f"{event.subject_id}: payout recorded", details)
        case events.ReturnCanceled():
            back = [
                f"{line.quantity} x {line.item_id} goes back from {withdrawn.location_id or 'stock'}"
                for withdrawn in event.withdraw_requests
                for line in withdrawn.lines
            ]
            return _Summary(f"{event.return_id} canceled", back)
        case events.ExchangeRequested(opened=exchange):
            sent = [f"{item.quantity} x {item.variant_id} to be sent" for item in exchange.new_items]
            return _Summary(
                f"{exchange.id} requested for {exchange.return_id}", sent, exchange.difference_due
            )
        case events.ExchangeReceived() | events.ExchangePaid():
            return _exchanged(event, ledger)
        case (
            events.AdvanceShipped()
            | events.ExchangeUpdated()
            | events.AdvanceCharged()
            | events.AdvanceWrittenOff()
            | events.HoldReleased()
            | events.ChargeOutcomeRecorded()
        ):
            return _Summary(*describe_advance(event))
        case events.ExchangePaymentRefunded():
            return _Summary(f"{event.exchange_id}: payment given back", _money(event.refunds))
        case events.ExchangeCanceled() | events.ClaimCanceled():
            return _Summary(f"{event.subject_id} canceled")
        case events.ClaimRequested(opened=claim):
            goods = [f"{item.quantity} x {item.item_id}: {_words(item.reason)}" for item in claim.items]
            goods += [f"{item.quantity} x {item.variant_id} to be sent" for item in claim.new_items]
            summary = _Summary(f"{claim.id} made: {claim.type}", goods + _money(event.refunds))
            return (
                summary
                if claim.new_items
                else _Summary(summary.text, summary.details, claim.refund_amount, claim.breakdown)
            )
        case events.PriceReduced(opened=claim):
            details = _reduced(claim.items) + _money(event.refunds)
            return _Summary(f"{claim.id} made: {claim.type}", details, claim.refund_amount, claim.breakdown)
        case events.ClaimCompleted():
            return _Summary(f"{event.subject_id}: goods received, completed")
        case events.ClaimResolved():
            resolved = ledger.find_claim(event.subject_id)
            amount, parts = (resolved.refund_amount, resolved.breakdown) if resolved else (None, ())
            if event.replacement:
                goods = [
                    f"{each.quantity} x {each.variant_id} to be sent" for each in event.replacement.new_items
                ]
                return _Summary(f"{event.subject_id} resolved: other new goods", goods)
            instead = ": money instead of new goods" if event.becomes else ""
            return _Summary(f"{event.subject_id} resolved{instead}", _money(event.refunds), amount, parts)
        case events.RefundOutcomeRecorded(refund=refund):
            return _Summary(f"reported: {_outcome(refund)}")
        case events.KnownOutcomeReported(key=key):
            return _Summary(f"reported: nothing new about {key}")
        case events.EffectsAttempted(outcomes=outcomes):
            return _Summary(f"{event.subject_id}: answered", [_recorded(each) for each in outcomes])
        case events.DeliveryChanged(key=key, delivery=delivery):
            if not delivery.last_error:
                return _Summary("")
            times = "once" if delivery.attempts == 1 else f"{delivery.attempts} times"
            end = "; it needs attention" if delivery.is_stuck else ""
            return _Summary(f"{key}: tried {times} in vain{end}", [delivery.last_error])
        case events.EventsPublished():
            return _Summary("")
        case events.HistoryArchived(removed=removed):
            return _Summary(f"history archived: {removed} events removed")
        case events.OrderRedacted(fields=groups):
            return _Summary(f"redacted: {', '.join(groups)}")
        case _:
            assert_never(event)


def _revised(what: str, note: str | None, after: Return) -> _Summary:
    goods = [f"{item.quantity} x {item.item_id}" for item in after.items]
    waits = ", waits for approval" * after.needs_approval
    return _Summary(
        f"{after.id} {what}{waits}",
        goods + ([note] if note else []),
        after.refund_amount,
        after.breakdown,
    )


def _received(event: events.GoodsReceived, after: Return) -> _Summary:
    receipt = event.receipt
    arrivals = [
        f"{item.quantity} x {item.item_id}"
        + (f", {item.damaged_quantity} damaged" * bool(item.damaged_quantity))
        for item in receipt.items
    ]
    stock = [
        f"stock: +{line.quantity} {line.item_id} at {receipt.location_id or 'no location'}"
        for line in receipt.restocked
    ]
    stock += [
        f"{each.waiting_quantity} x {after.items[each.index].item_id} to be graded"
        for each in event.items.units
        if each.waiting_quantity
    ]
    foreign = [
        f"{each.quantity} x {each.description}, not of the order"
        + (f"; {each.expected_by} waits for such units" if each.expected_by else "")
        for each in receipt.foreign
    ]
    kept = [
        f"{units.kept_quantity} x {after.items[units.index].item_id} kept by the customer"
        for units in event.items.units
        if units.kept_quantity and not receipt.items
    ]
    goods = "nothing to send back" if kept else f"parcel {receipt.number}"
    what = f"{after.id}: {goods}, {_words(event.status)}"
    if not (kept or arrivals or foreign) and not (event.items.units or event.items.unrequested):
        arrivals = ["nothing in it"] if event.status is ReturnStatus.REQUIRES_ACTION else []
    details = kept + arrivals + foreign + stock + _money(event.refunds)
    if event.status in (ReturnStatus.REQUIRES_ACTION, ReturnStatus.IN_INSPECTION):
        return _Summary(what, details)
    if event.status is ReturnStatus.RECEIVED:
        return _Summary(what, details, after.refund_amount, after.breakdown)
    so_far = after.value_arrived(after.items, None, after.charges_back)
    parts = so_far.breakdown(after.currency, after.shipping_method)
    return _Summary(what, details, Money(so_far.total, after.currency), parts)


def _inspected(event: events.GoodsInspected, after: Return) -> _Summary:
    inspection = event.inspection
    graded = [
        f"{item.quantity} x {item.item_id} graded {item.grade}"
        + (f" instead of {item.previous_grade}" if item.previous_grade else "")
        + (f": {item.note}" if item.note else "")
        for item in inspection.items
    ]
    moved = [
        f"{_where(request)}{line.quantity} {line.item_id} at {request.location_id or 'no location'}"
        for request in inspection.requests
        for line in request.lines
    ]
    what = f"{after.id}: inspection {inspection.number}, {_words(event.status)}"
    details = graded + moved + _money(event.refunds)
    if event.status is not ReturnStatus.RECEIVED:
        return _Summary(what, details)
    return _Summary(what, details, after.refund_amount, after.breakdown)


def _where(request: InspectionRequest) -> str:
    match request:
        case RestockRequest():
            return "stock: +"
        case WithdrawRequest():
            return "stock: -"
        case DisposeRequest(disposition=disposition):
            return f"to {disposition}: "
        case SendBackRequest():
            return "back to the customer: "
        case _:
            assert_never(request)


def _exchanged(event: events.ExchangeReceived | events.ExchangePaid, ledger: ReturnLedger) -> _Summary:
    paid = event.payment if isinstance(event, events.ExchangePaid) else None
    what = f"{paid.amount} paid ({paid.reference})" if paid else "goods received"
    exchange = ledger.find_exchange(event.subject_id)
    owed = [f"{exchange.owed} owed"] if exchange and exchange.owed.amount else []
    return _Summary(f"{event.subject_id}: {what}, {_words(event.status)}", owed)


def _resolved(event: events.ReturnResolved, after: Return) -> _Summary:
    rejected = [
        f"{item.quantity + item.damaged_quantity} x {item.item_id} rejected"
        + (f": {item.reason}" if item.reason else "")
        + (", returned to customer" if item.send_back else ", kept")
        for item in event.resolution.rejected
    ]
    missing = [
        f"{item.quantity} x {item.item_id} {'lost, paid for' if item.pay else 'not sent'}"
        + (f": {item.reason}" if item.reason else "")
        for item in event.resolution.missing
    ]
    goods = {each.number: each for each in after.foreign}
    foreign = [
        f"{goods[each.number].quantity} x {goods[each.number].description}, not of the order, "
        + ("returned to customer" if each.send_back else "kept")
        for each in event.resolution.foreign
        if each.number in goods
    ]
    details = rejected + missing + foreign + _money(event.refunds)
    waits = ", in inspection" * (event.status is ReturnStatus.IN_INSPECTION)
    return _Summary(f"{after.id} resolved{waits}", details, after.refund_amount, after.breakdown)


def _corrected(event: events.ReceiptCorrected, after: Return) -> _Summary:
    correction = event.correction
    units = [
        f"{count:+d} x {each.item_id}{damaged}"
        for each in correction.items
        for count, damaged in ((each.quantity, ""), (each.damaged_quantity, ", damaged"))
        if count
    ]
    stock = [
        f"stock: -{line.quantity} {line.item_id} at {withdrawn.location_id or 'no location'}"
        for withdrawn in event.withdraw_requests
        for line in withdrawn.lines
    ]
    stock += [
        f"stock: +{line.quantity} {line.item_id} at {correction.location_id or 'no location'}"
        for line in correction.restocked
    ]
    goods = {each.number: each.description for receipt in after.receipts for each in receipt.foreign}
    foreign = [f"{each.quantity} x {goods[each.number]}, not of the order" for each in correction.foreign]
    overpaid = after.entitlement.overpaid
    money = _money(event.refunds) + ([f"{overpaid} paid too much"] if overpaid.amount else [])
    details = [correction.reason, *units, *foreign, *stock, *money]
    what = f"{after.id}: receipts corrected, {_words(event.status)}"
    if event.status is ReturnStatus.REQUIRES_ACTION:
        return _Summary(what, details)
    return _Summary(what, details, after.refund_amount, after.breakdown)


def _reduced(items: Iterable[ClaimedItem]) -> list[str]:
    return [
        f"{item.quantity} x {item.item_id}: {_words(item.reason)}, less "
        f"{Money(item.line.paid(item.allocated), item.line.currency)}"
        for item in items
    ]


def _money(refunds: Iterable[Refund]) -> list[str]:
    return [f"money: {_given(refund)}" for refund in refunds]


def _given(refund: Refund) -> str:
    match refund.means:
        case Means.PAYMENT:
            return f"{refund.amount} back to {refund.payment_id}"
        case Means.STORE_CREDIT:
            bonus = f" and a bonus of {refund.bonus}" if refund.bonus else ""
            to = f" to {refund.payee}" if refund.payee else ""
            extra = "extra " if refund.is_extra else ""
            return f"{refund.amount}{bonus} as {extra}store credit{to}"
        case Means.PAYOUT:
            return f"{refund.amount} paid out"
        case _:
            assert_never(refund.means)


def _outcome(refund: Refund) -> str:
    why = f" ({refund.failure})" if refund.failure else ""
    return f"{refund.key}: {refund.amount} {_words(refund.status)}{why}"


def _recorded(outcome: EffectOutcome) -> str:
    if outcome.refund:
        return _outcome(outcome.refund)
    if outcome.charge:
        return describe_charge(outcome.charge)
    if outcome.out_of_stock:
        why = f" ({outcome.out_of_stock.message})" if outcome.out_of_stock.message else ""
        return f"{outcome.key}: out of stock{why}"
    sent = outcome.shipment or outcome.replacement
    tracking = f" {sent.tracking_number}" if sent and sent.tracking_number else ""
    return f"{outcome.key}{tracking}"


def _words(code: str) -> str:
    return code.replace("_", " ")
