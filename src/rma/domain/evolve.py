"""
The ledger after an event. It knows no rules, and refuses nothing but a change of an item that is not there.

`change` opens the effects that an event asks for; here they are only closed.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TypeVar, assert_never

from attrs import evolve as with_

from rma.domain import events
from rma.domain.events import EffectOutcome, Event, EventHeader
from rma.domain.evolve_exchanges import (
    await_new_goods,
    charged,
    exchange_after,
    quoted,
    return_of_exchange,
    without_new_goods,
)
from rma.domain.messages.command_items import ForeignDecision
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    Delivery,
    Effect,
    OpenEffect,
    ReplacementRequest,
    ReplacementShipment,
    ReturnShipment,
    WithdrawRequest,
)
from rma.domain.redaction import redacted_ledger
from rma.domain.state.at_the_dock import StockWithdrawal, decisions_after
from rma.domain.state.claims import Claim
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.exchanges import Exchange
from rma.domain.state.grants import Grant
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, Subject
from rma.domain.state.lifecycle import ClaimStatus, ReturnStatus
from rma.domain.state.refunds import Refund
from rma.domain.state.return_item import ItemRevision, ReturnItem, items_after, revise_items
from rma.domain.state.returns import Return
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money, zero
from rma.domain.values.personal import PersonalField

S = TypeVar("S", bound=Subject)

#: Events that carry the outcomes of effects of a return, exchange or claim.
OutcomeEvent = events.EffectsAttempted | events.RefundOutcomeRecorded | events.ChargeOutcomeRecorded


def evolve(ledger: ReturnLedger, event: Event) -> ReturnLedger:
    """The ledger after the event, its revision that of the commit that recorded it."""
    folding = Folding(ledger)
    folding.add(event)
    return folding.ledger()


class Folding:
    """
    A ledger while events are added to it: one ledger is built at the end, however many events there are.

    Args:
        ledger: before the first of these events.
    """

    def __init__(self, ledger: ReturnLedger) -> None:
        self._order_id = ledger.order_id
        self._revision = ledger.revision
        self._published = ledger.published
        self._order_version = ledger.order_version
        self._archived = ledger.archived
        self._grants = ledger.grants
        self._invoice_ids = ledger.invoice_ids
        self._returns = {each.id: each for each in ledger.returns}
        self._exchanges = {each.id: each for each in ledger.exchanges}
        self._claims = {each.id: each for each in ledger.claims}
        self._effects: dict[str, OpenEffect] = ledger.open_effects
        self._answered: dict[str, IdempotencyRecord] = ledger.answered

    def ledger(self) -> ReturnLedger:
        """The ledger after the events so far."""
        return ReturnLedger(
            order_id=self._order_id,
            revision=self._revision,
            returns=tuple(self._returns.values()),
            open_effects=_frozen(self._effects),
            answered=_frozen(self._answered),
            published=self._published,
            exchanges=tuple(self._exchanges.values()),
            claims=tuple(self._claims.values()),
            order_version=self._order_version,
            archived=self._archived,
            grants=self._grants,
            invoice_ids=self._invoice_ids,
        )

    @property
    def invoice_ids(self) -> tuple[str, ...]:
        """Of the host's order, after the events so far."""
        return self._invoice_ids

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Those of the events so far, and of those before."""
        return self._grants

    def subjects(self, header: EventHeader) -> tuple[Subject | None, ...]:
        """The return, exchange and claim that the event of this header is about, after the events so far."""
        return (
            self._returns.get(header.return_id or ""),
            self._exchanges.get(header.exchange_id or ""),
            self._claims.get(header.claim_id or ""),
        )

    def grant(self, grants: tuple[Grant, ...]) -> None:
        """Adds what the event that was added last granted."""
        if grants:
            self._grants = (*self._grants, *grants)

    def open(self, effects: Iterable[Effect], at: datetime, due_at: datetime | None = None) -> None:
        """Opens these effects, after those that are open; timers try them from `due_at` on."""
        delivery = Delivery(due_at=due_at) if due_at else Delivery()
        for effect in effects:
            self._effects = _mutable(self._effects)
            self._effects[effect.key] = OpenEffect(effect, opened_at=at, delivery=delivery)

    def add(self, event: Event) -> None:  # noqa: C901, PLR0912 # a row for each kind of event
        """Adds what the event changed."""
        header = event.header
        match event:
            case events.ReturnRequested(opened=opened):
                self._returns[opened.id] = opened
            case events.ExchangeRequested(opened=new):
                self._exchanges[new.id] = new
            case events.ClaimRequested(opened=made) | events.PriceReduced(opened=made):
                self._claims[made.id] = made
            case (
                events.ReturnApproved()
                | events.ReturnDeclined()
                | events.ReturnUpdated()
                | events.ReturnSent()
                | events.ReturnExpired()
                | events.ReturnOverdue()
                | events.ShipmentRenewed()
            ):
                if target := self._returns.get(header.subject_id or ""):
                    self._returns[target.id] = _return_before_goods(target, event)
                if isinstance(event, events.ShipmentRenewed) and event.ended:
                    self._effects = _mutable(self._effects)
                    _close(self._effects, event.ended)
            case (
                events.GoodsReceived()
                | events.GoodsInspected()
                | events.ReceiptCorrected()
                | events.ReturnResolved()
                | events.PaidAhead()
                | events.RefundRetried()
                | events.PayoutRecorded()
                | events.ExchangePaymentRefunded()
                | events.ReturnCanceled()
            ):
                if target := self._returns.get(header.subject_id or ""):
                    self._returns[target.id] = _return_after(target, event)
            case (
                events.AdvanceShipped()
                | events.ExchangeReceived()
                | events.ExchangePaid()
                | events.ExchangeUpdated()
                | events.AdvanceCharged()
                | events.HoldReleased()
                | events.AdvanceWrittenOff()
                | events.ExchangeCanceled()
            ):
                if exchange := self._exchanges.get(header.subject_id or ""):
                    exchange = exchange_after(exchange, event)
                    self._exchanges[exchange.id] = exchange
                    if target := self._returns.get(exchange.return_id):
                        target = return_of_exchange(target, event)
                        self._returns[target.id] = await_new_goods(target, exchange)
            case (
                events.ClaimCompleted()
                | events.ClaimRefundRetried()
                | events.ClaimPayoutRecorded()
                | events.ClaimResolved()
                | events.ClaimCanceled()
            ):
                if claim := self._claims.get(header.subject_id or ""):
                    self._claims[claim.id] = _claim_after(claim, event)
            case events.EffectsAttempted() | events.RefundOutcomeRecorded() | events.ChargeOutcomeRecorded():
                self._add_outcomes(event)
            case events.KnownOutcomeReported(refund=refund):
                if refund is not None:
                    self._add_notice(header.subject_id or "", refund)
            case events.DeliveryChanged():
                self._add_delivery(event)
            case events.EventsPublished(through=through):
                # Its own revision has nothing to publish: if nothing was committed between, all is published.
                # The ledger does not tell: in a replay, events that were superseded are not there.
                is_all = through >= event.revision - 1
                self._published = max(event.revision, through) if is_all else through
            case events.HistoryArchived():
                self._archived = event.revision
                # What was published, and how effects ended, was said by events that are not there any more.
                self._published = max(event.revision, self._published)
                self._effects = {}
            case events.OrderRedacted(fields=groups):
                self._redact(groups)
            case events.RefundBlocked():
                pass  # it explains the event beside it
            case _:
                assert_never(event)
        self._add_header(header)

    def _add_header(self, header: EventHeader) -> None:
        self._revision = header.revision or self._revision
        self._order_version = header.order_version or self._order_version
        if header.invoice_ids is not None:
            self._invoice_ids = header.invoice_ids
        self.grant(header.grants)
        self._remember(header)

    def _remember(self, header: events.EventHeader) -> None:
        command, subject_id = header.command, header.subject_id
        if command is not None and command.idempotency_key is not None and subject_id is not None:
            self._answered = _mutable(self._answered)
            self._answered[command.idempotency_key] = IdempotencyRecord(command, subject_id, header.redacted)

    def _redact(self, groups: Collection[PersonalField]) -> None:
        """Nothing, where all events before it are redacted; a part of them may be kept elsewhere."""
        ledger = redacted_ledger(self.ledger(), groups)
        self._returns = {each.id: each for each in ledger.returns}
        self._exchanges = {each.id: each for each in ledger.exchanges}
        self._claims = {each.id: each for each in ledger.claims}
        self._effects, self._answered = ledger.open_effects, ledger.answered

    def _add_outcomes(self, event: OutcomeEvent) -> None:
        subject_id = event.header.subject_id or ""
        if target := self._returns.get(subject_id):
            self._returns[subject_id] = with_(
                target,
                entitlement=_with_outcomes(target.entitlement, event),
                shipment=_booked(target, event),
                stuck_effects=_still_stuck(target, event),
                updated_at=event.at,
            )
        elif exchange := self._exchanges.get(subject_id):
            after = with_(
                exchange,
                shipment=_sent(exchange.shipment, event),
                stuck_effects=_still_stuck(exchange, event),
                updated_at=event.at,
            )
            self._add_to_exchange(after, event)
        elif claim := self._claims.get(subject_id):
            self._claims[subject_id] = with_(
                _without_new_goods(claim, event),
                entitlement=_with_outcomes(claim.entitlement, event),
                shipment=_sent(claim.shipment, event),
                stuck_effects=_still_stuck(claim, event),
                updated_at=event.at,
            )
        self._effects = _mutable(self._effects)
        for outcome in _outcomes(event):
            _close(self._effects, outcome)

    def _add_notice(self, subject_id: str, refund: Refund) -> None:
        """The refund with the id of a notice that said nothing new: nothing that a person sees changed."""
        known = {refund.key: refund}
        if target := self._returns.get(subject_id):
            self._returns[subject_id] = with_(target, entitlement=target.entitlement.with_outcomes(known))
        elif claim := self._claims.get(subject_id):
            self._claims[subject_id] = with_(claim, entitlement=claim.entitlement.with_outcomes(known))

    def _add_to_exchange(self, exchange: Exchange, event: OutcomeEvent) -> None:
        """The exchange, and its return, with the charges and the new goods that the event tells of."""
        target = self._returns.get(exchange.return_id)
        for outcome in _outcomes(event):
            if outcome.out_of_stock is not None:
                exchange = without_new_goods(exchange, outcome.key, outcome.out_of_stock)
                self._effects = _mutable(self._effects)
                for key in [key for key, each in self._effects.items() if each.waits_for == outcome.key]:
                    if isinstance(self._effects[key].request, ReplacementRequest):
                        del self._effects[key]  # what cannot be reserved is not sent
            elif outcome.charge is not None:
                exchange, target = charged(exchange, target, outcome.charge, event.at)
        self._exchanges[exchange.id] = exchange
        self._returns |= {} if target is None else {target.id: await_new_goods(target, exchange)}

    def _add_delivery(self, event: events.DeliveryChanged) -> None:
        subject_id = event.header.subject_id or ""
        if target := self._returns.get(subject_id):
            self._returns[subject_id] = _with_delivery(target, event)
        elif exchange := self._exchanges.get(subject_id):
            self._exchanges[subject_id] = _with_delivery(exchange, event)
        elif claim := self._claims.get(subject_id):
            self._claims[subject_id] = _with_delivery(claim, event)
        if effect := self._effects.get(event.key):
            # An event by which the effect became stuck stays: it is published.
            place = None if event.is_newly_stuck else (event.header.revision, event.header.number)
            self._effects = _mutable(self._effects)
            self._effects[event.key] = with_(effect, delivery=event.delivery, recorded_in=place)


K = TypeVar("K")
V = TypeVar("V")


def _mutable(mapping: dict[K, V]) -> dict[K, V]:
    """The mapping, or a copy of it if it is frozen."""
    return dict(mapping) if isinstance(mapping, FrozenMap) else mapping


def _frozen(mapping: dict[K, V]) -> FrozenMap[K, V]:
    return mapping if isinstance(mapping, FrozenMap) else FrozenMap(mapping)


BeforeGoods = (
    events.ReturnApproved
    | events.ReturnDeclined
    | events.ReturnUpdated
    | events.ReturnSent
    | events.ReturnExpired
    | events.ReturnOverdue
    | events.ShipmentRenewed
)


def _return_before_goods(  # noqa: PLR0911 # a row for each kind of event
    before: Return, event: BeforeGoods
) -> Return:
    """The return after what can happen to it before its goods arrive."""
    match event:
        case events.ReturnApproved():
            return with_(
                _revised(before, event.items) if event.items else before,
                status=ReturnStatus.REQUESTED,
                needs_approval=False,
                decision=event.decision,
                quoted_refund=event.quoted_refund,
                entitlement=with_(before.entitlement, requested_refund=event.requested_refund),
                quoted_charges=event.quoted_charges,
                return_by=event.return_by,
                shipping_method=None if event.is_kept else before.shipping_method,
                is_unbooked=False,
                updated_at=event.at,
            )
        case events.ReturnDeclined(decision=decision):
            return with_(before, status=ReturnStatus.DECLINED, decision=decision, updated_at=event.at)
        case events.ReturnUpdated():
            is_same_label = event.cancel_request is None and event.shipment_request is None
            before = before.without_promise()  # what was promised and not paid is promised again
            return with_(
                _revised(before, event.items),
                status=event.status,
                needs_approval=event.status is ReturnStatus.PENDING_APPROVAL,
                # What is to be approved now was not decided.
                decision=before.decision if event.status is ReturnStatus.REQUESTED else None,
                return_by=event.return_by,
                quoted_refund=event.quoted_refund,
                entitlement=with_(
                    before.entitlement,
                    requested_refund=event.requested_refund,
                    refund_note=event.refund_note,
                ),
                quoted_charges=event.quoted_charges,
                terms=with_(before.terms, rules=event.rules, other_rules=event.other_rules),
                overrule=event.overrule,
                outcome=event.outcome,
                payee=event.payee,
                shipping_method=event.shipping_method,
                provider_id=event.provider_id,
                location_id=event.location_id,
                shipment=before.shipment if is_same_label else None,
                shipment_number=event.shipment_number,
                is_unbooked=event.is_unbooked,
                updated_at=event.at,
            )
        case events.ReturnSent(sending=sending, refund_due_by=due_by):
            return with_(before, sending=sending, refund_due_by=due_by, updated_at=event.at)
        case events.ReturnExpired(cancel_request=cancel):
            return with_(
                _unbooked(before) if cancel else before,
                status=ReturnStatus.EXPIRED,
                entitlement=_for_no_goods(before),
                charges_back=(),
                expired_at=event.at,
                updated_at=event.at,
            )
        case events.ReturnOverdue():
            return with_(before, overdue_at=event.at, updated_at=event.at)
        case events.ShipmentRenewed(ended=ended):
            stuck = [key for key in before.stuck_effects if ended is None or key != ended.key]
            return with_(
                before,
                shipment=None,
                shipment_number=before.shipment_number + 1,
                stuck_effects=tuple(stuck),
                updated_at=event.at,
            )
        case _:
            assert_never(event)


def _for_no_goods(before: Return) -> Entitlement:
    """Its account if no goods come: it has what was given back of an exchange, and no more."""
    paid = sum([part.amount.amount for part in before.charges if part.amount.amount > 0])
    entitled = min(before.entitlement.entitled.amount, paid)
    return before.entitlement.reduced_to(Money(entitled, before.currency))


def _unbooked(before: Return) -> Return:
    """The return once its booking is canceled."""
    return with_(before, shipment=None, shipment_number=before.shipment_number + 1, is_unbooked=True)


def _revised(before: Return, revision: tuple[ItemRevision, ...]) -> Return:
    items = revise_items(before.items, revision, is_first=not before.is_revised)
    return with_(before, items=items, is_revised=True)


def _return_after(  # noqa: PLR0911 # a row for each kind of event
    before: Return,
    event: events.GoodsReceived
    | events.GoodsInspected
    | events.ReceiptCorrected
    | events.ReturnResolved
    | events.PaidAhead
    | events.RefundRetried
    | events.PayoutRecorded
    | events.ExchangePaymentRefunded
    | events.ReturnCanceled,
) -> Return:
    match event:
        case events.GoodsReceived(receipt=receipt):
            is_over = receipt.status is ReturnStatus.RECEIVED
            return with_(
                before.by_itself() if is_over else before,
                status=receipt.status,
                items=items_after(before.items, event.items),
                receipts=(*before.receipts, receipt),
                entitlement=before.entitlement.after(event.entitlement),
                refund_due_by=event.refund_due_by,
                location_id=receipt.location_id,
                received_at=before.received_at or (event.at if is_over else None),
                updated_at=event.at,
                charges_back=event.charges_back,
            )
        case events.GoodsInspected(inspection=inspection):
            is_received = inspection.status is ReturnStatus.RECEIVED
            return with_(
                before,
                status=inspection.status,
                items=items_after(before.items, event.items),
                inspections=(*before.inspections, inspection),
                entitlement=before.entitlement.after(event.entitlement),
                received_at=(before.received_at or event.at) if is_received else before.received_at,
                updated_at=event.at,
                charges_back=event.charges_back,
            )
        case events.ReceiptCorrected(correction=correction):
            is_over = correction.status is ReturnStatus.RECEIVED
            return with_(
                before.by_itself() if is_over else before,
                status=correction.status,
                items=items_after(before.items, event.items),
                corrections=(*before.corrections, correction),
                withdrawals=_withdrawn(before, event.withdraw_requests),
                entitlement=before.entitlement.after(event.entitlement),
                received_at=before.received_at or (event.at if is_over else None),
                updated_at=event.at,
                charges_back=event.charges_back,
            )
        case events.ReturnResolved(cancel_request=cancel, resolution=resolution):
            is_received = event.status is ReturnStatus.RECEIVED
            resolved = _resolved(before, event)
            return with_(
                _unbooked(resolved) if cancel else resolved,
                status=event.status,
                items=items_after(before.items, event.items),
                resolution=resolution,
                withdrawals=_withdrawn(before, event.withdraw_requests),
                foreign_decisions=decisions_after(before.foreign_decisions, resolution.foreign),
                entitlement=before.entitlement.after(event.entitlement),
                received_at=(before.received_at or event.at) if is_received else before.received_at,
                updated_at=event.at,
                charges_back=event.charges_back,
            )
        case events.PaidAhead(entitlement=change, charges_back=charges_back):
            return with_(
                before,
                entitlement=before.entitlement.after(change),
                charges_back=charges_back,
                paid_ahead=change.entitled,
                updated_at=event.at,
            )
        case events.RefundRetried() | events.PayoutRecorded() | events.ExchangePaymentRefunded():
            return with_(before, entitlement=before.entitlement.after(event.entitlement), updated_at=event.at)
        case events.ReturnCanceled():
            sent_back = [
                ForeignDecision(number=each.number, send_back=True) for each in before.undecided_foreign
            ]
            return with_(
                before.without_promise(),
                withdrawals=_withdrawn(before, event.withdraw_requests),
                foreign_decisions=decisions_after(before.foreign_decisions, sent_back),
                status=ReturnStatus.CANCELED,
                items=tuple([_nothing_arrived(item) for item in before.items]),
                canceled_at=event.at,
                updated_at=event.at,
            )
        case _:
            assert_never(event)


def _resolved(before: Return, event: events.ReturnResolved) -> Return:
    """The return by itself; while it is not received, it is quoted what its goods alone are worth."""
    alone = before.by_itself()
    if event.status is ReturnStatus.RECEIVED or alone.received_at or alone.charges == before.charges:
        return alone
    return quoted(alone)


def _withdrawn(before: Return, requests: tuple[WithdrawRequest, ...]) -> tuple[StockWithdrawal, ...]:
    return (*before.withdrawals, *[StockWithdrawal(each.restock_key, each.lines) for each in requests])


def _nothing_arrived(item: ReturnItem) -> ReturnItem:
    if not item.arrived_quantity:
        return item
    # What was not requested took its share when it arrived, and takes another one if it arrives again.
    allocated = item.allocated if item.is_requested else item.line.nothing
    return with_(item, received_quantity=0, damaged_quantity=0, waiting_quantity=0, allocated=allocated)


def _claim_after(
    before: Claim,
    event: events.ClaimCompleted
    | events.ClaimRefundRetried
    | events.ClaimPayoutRecorded
    | events.ClaimResolved
    | events.ClaimCanceled,
) -> Claim:
    at, entitlement = event.at, before.entitlement
    match event:
        case events.ClaimCompleted():
            return with_(before, status=ClaimStatus.COMPLETED, updated_at=at)
        case events.ClaimRefundRetried() | events.ClaimPayoutRecorded() | events.ClaimResolved():
            account = entitlement.after(event.entitlement)
            after = with_(before, status=event.status, entitlement=account, updated_at=at)
            if isinstance(event, events.ClaimResolved):
                return _compensated_otherwise(after, event)
            if not event.reduced:
                return after
            return with_(after, items=(*before.items, *event.reduced), is_revised=True)
        case events.ClaimCanceled():
            account = entitlement.reduced_to(zero(before.currency))
            return with_(
                before, status=ClaimStatus.CANCELED, entitlement=account, canceled_at=at, updated_at=at
            )
        case _:
            assert_never(event)


def _compensated_otherwise(before: Claim, event: events.ClaimResolved) -> Claim:
    """The claim with what the event gives instead of new goods, if it does."""
    if event.replacement is not None:
        return with_(before, new_items=event.replacement.new_items, out_of_stock=None, is_revised=True)
    return (
        before if event.becomes is None else with_(before, type=event.becomes, new_items=(), is_revised=True)
    )


def _without_new_goods(before: Claim, event: OutcomeEvent) -> Claim:
    """The claim, whose new goods cannot be had if the event says so."""
    refused = next((each.out_of_stock for each in _outcomes(event) if each.out_of_stock), None)
    if refused is None:
        return before
    return with_(
        before,
        status=ClaimStatus.REQUIRES_ACTION,
        out_of_stock=refused,
        declined_replacements=before.declined_replacements + 1,
    )


def _outcomes(event: OutcomeEvent) -> tuple[EffectOutcome, ...]:
    if isinstance(event, events.EffectsAttempted):
        return event.outcomes
    if isinstance(event, events.ChargeOutcomeRecorded):
        return (EffectOutcome(key=event.charge.key, charge=event.charge, delivery=event.delivery),)
    return (EffectOutcome(key=event.refund.key, refund=event.refund, delivery=event.delivery),)


def _with_outcomes(entitlement: Entitlement, event: OutcomeEvent) -> Entitlement:
    """The account with what the event says of its refunds."""
    known = {outcome.refund.key: outcome.refund for outcome in _outcomes(event) if outcome.refund}
    return entitlement.with_outcomes(known) if known else entitlement


def _with_delivery(each: S, event: events.DeliveryChanged) -> S:
    """The subject with this effect among those that are stuck, or not."""
    is_stuck = event.delivery.is_stuck
    if is_stuck == (event.key in each.stuck_effects):
        return each
    others = [key for key in each.stuck_effects if key != event.key]
    # In the order of their keys: which was stuck first may be known from an event that was superseded.
    return with_(each, stuck_effects=tuple(sorted([*others, event.key] if is_stuck else others)))


def _still_stuck(each: Subject, event: OutcomeEvent) -> tuple[str, ...]:
    """The keys of its stuck effects without those whose outcome the event has."""
    if not each.stuck_effects:
        return ()
    known = {outcome.key for outcome in _outcomes(event)}
    return tuple([key for key in each.stuck_effects if key not in known])


def _booked(before: Return, event: OutcomeEvent) -> ReturnShipment | None:
    """What the carrier answered about the way back, if the event says so, and it is still that way."""
    number = f"{before.label_number}"
    answers = [
        each.shipment
        for each in _outcomes(event)
        if each.shipment and each.key.endswith((f"-{number}", f"/{number}"))
    ]
    return answers[-1] if answers else before.shipment


def _sent(before: ReplacementShipment | None, event: OutcomeEvent) -> ReplacementShipment | None:
    """What the carrier answered about new goods, if the event says so."""
    return next((each.replacement for each in _outcomes(event) if each.replacement), before)


def _close(effects: dict[str, OpenEffect], outcome: EffectOutcome) -> None:
    """Removes the effect, unless its gateway will say more."""
    key = outcome.key
    if outcome.delivery is not None:
        if tried := effects.get(key):
            effects[key] = with_(tried, delivery=outcome.delivery)
        return
    effects.pop(key, None)
    if outcome.shipment:
        _add_booking(effects, key, outcome.shipment)


def _add_booking(effects: dict[str, OpenEffect], shipment_key: str, shipment: ReturnShipment) -> None:
    # A cancellation waits for the answer to its booking, so it was not sent with another payload.
    for key, waiting in effects.items():
        request = waiting.request
        if isinstance(request, CancelShipmentRequest) and request.shipment_key == shipment_key:
            effects[key] = with_(waiting, request=with_(request, shipment=shipment))
            return
