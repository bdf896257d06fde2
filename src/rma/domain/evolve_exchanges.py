"""Exchanges and their returns after an event; `rma.domain.evolve` is the rest of the ledger."""

from datetime import datetime
from typing import assert_never

from attrs import evolve as with_

from rma.domain import events
from rma.domain.messages.advance import OutOfStock
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.exchanges import Exchange, ExchangePayment, HoldCharge
from rma.domain.state.lifecycle import ChargeStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.money import Money

#: Goods of an exchange that arrive, or arrived, although it was canceled.
_ALONE_WITHOUT_EXCHANGE = (
    ReturnStatus.RECEIVED,
    ReturnStatus.DECLINED,
    ReturnStatus.EXPIRED,
    ReturnStatus.PARTIALLY_RECEIVED,  # some are kept and paid for, and the others do not come
)

#: Events that change an exchange, and its return with it.
ExchangeChange = (
    events.AdvanceShipped
    | events.ExchangeReceived
    | events.ExchangePaid
    | events.ExchangeUpdated
    | events.AdvanceCharged
    | events.HoldReleased
    | events.AdvanceWrittenOff
    | events.ExchangeCanceled
)


def exchange_after(before: Exchange, event: ExchangeChange) -> Exchange:
    """The exchange with what the event changed."""
    at = event.at
    match event:
        case events.AdvanceShipped():
            return with_(before, sent_first=True, updated_at=at)
        case events.ExchangeReceived(status=status, difference_due=difference_due):
            after = with_(before, status=status, difference_due=difference_due, updated_at=at)
        case events.ExchangePaid(status=status, payment=payment):
            after = with_(before, status=status, payments=(*before.payments, payment), updated_at=at)
        case events.ExchangeUpdated(status=status):
            after = _updated(before, event)
        case events.AdvanceCharged(status=status, difference_due=difference_due, charge=charge):
            after = with_(
                before,
                status=status,
                difference_due=difference_due,
                hold_charges=(*before.hold_charges, charge),
                updated_at=at,
            )
        case events.HoldReleased(status=status, difference_due=difference_due):
            after = with_(
                before, status=status, difference_due=difference_due, hold_released_at=at, updated_at=at
            )
        case events.AdvanceWrittenOff(status=status, write_off=write_off):
            after = with_(before, status=status, write_offs=(*before.write_offs, write_off), updated_at=at)
        case events.ExchangeCanceled():
            return with_(before, status=ExchangeStatus.CANCELED, canceled_at=at, updated_at=at)
        case _:
            assert_never(event)
    if before.is_advance and getattr(event, "replacement", None) is not None:
        after = with_(after, sent_first=True)
    is_completed = status is ExchangeStatus.COMPLETED and before.status is not status
    return with_(after, completed_at=at) if is_completed else after


def _updated(before: Exchange, event: events.ExchangeUpdated) -> Exchange:
    reserve = event.reserve_request
    if event.hold is not None and before.hold is not None:
        holds = (*before.replaced_holds, before.hold)
        before = with_(before, hold=event.hold, replaced_holds=holds)
    return with_(
        before,
        status=event.status,
        new_items=event.new_items,
        outbound_shipping=event.outbound_shipping,
        difference_due=event.difference_due,
        sent_first=False,
        out_of_stock=None,
        reservation=reserve.key if reserve else None,
        reservations=before.reservations + (reserve is not None),
        is_revised=True,
        updated_at=event.at,
    )


def return_of_exchange(each: Return, event: ExchangeChange) -> Return:
    """The return with what its exchange changes in it."""
    match event:
        case events.ExchangePaid(payment=payment):
            paid = _paid(each, payment, event.at)
            return quoted(paid) if each.received_at is None else paid
        case events.ExchangeUpdated(charges=charges, quoted_refund=refund):
            return with_(each, charges=charges, quoted_refund=refund, updated_at=event.at)
        case events.ExchangeCanceled(keeps_return=keeps_return) if (
            keeps_return or each.status in _ALONE_WITHOUT_EXCHANGE
        ):
            return _alone(each)
        case _:
            return each


def await_new_goods(target: Return, exchange: Exchange) -> Return:
    """The return of an exchange, which says whether new goods that go first were sent."""
    awaits = target.is_advance and not exchange.sent_first
    return target if awaits == target.awaits_new_goods else with_(target, awaits_new_goods=awaits)


def _paid(each: Return, payment: ExchangePayment, at: datetime) -> Return:
    paid = AmountPart(f"payment:{payment.reference}", payment.amount)
    return with_(each, charges=(*each.charges, paid), updated_at=at)


def _alone(each: Return) -> Return:
    """The return without its exchange; while nothing arrived, it is quoted what its goods alone are worth."""
    alone = each.without_exchange()
    if each.status is ReturnStatus.RECEIVED:
        return alone
    return quoted(alone)


def quoted(alone: Return) -> Return:
    """The return with the quote of its goods alone."""
    return with_(alone, quoted_refund=Money(alone.valuation_if_as_requested.total, alone.currency))


def without_new_goods(before: Exchange, key: str, answer: OutOfStock) -> Exchange:
    """The exchange whose new goods cannot be reserved, or sent, under this key."""
    is_reservation = key == before.reservation
    if not is_reservation and not key.startswith(f"{before.id}-replacement-"):
        return before  # what was reserved before is not needed any more
    after = with_(
        before,
        out_of_stock=answer,
        sent_first=False,
        write_offs=(),  # nothing was sent, so nothing is owed for it
        declined_replacements=before.declined_replacements + (before.is_sent or not is_reservation),
        reservation=None if is_reservation else before.reservation,
    )
    is_canceled = before.status is ExchangeStatus.CANCELED
    return after if is_canceled else with_(after, status=ExchangeStatus.REQUIRES_ACTION)


def charged(
    before: Exchange, target: Return | None, charge: HoldCharge, at: datetime
) -> tuple[Exchange, Return | None]:
    """
    The exchange, and its return, once this is known of a charge to its hold.

    What was taken counts as paid; what is more than is owed by now, as the goods are here or it was paid
    otherwise, is due to the customer. What was declined is owed, also if it was taken before.
    """
    taken = [each for each in before.payments if each.charge_key == charge.key]
    charges = tuple([charge if each.key == charge.key else each for each in before.hold_charges])
    after = with_(before, hold_charges=charges)
    if charge.status is ChargeStatus.SUCCEEDED:
        assert before.hold is not None, "only a hold is charged"
        payment = ExchangePayment(
            _reference(before, charge),
            charge.amount,
            at,
            charge_key=charge.key,
            kind=before.hold.kind,
            provider_id=before.hold.provider_id,
        )
        after = with_(after, payments=(*before.payments, payment))
        target = _entitled_again(_paid(target, payment, at), after) if target else None
    elif charge.status is ChargeStatus.FAILED and taken:
        after = with_(after, payments=tuple([each for each in before.payments if each not in taken]))
        target = _not_paid(target, taken, at) if target else None
    is_owed = before.status is ExchangeStatus.COMPLETED and after.owed.amount > 0
    is_paid = before.status is ExchangeStatus.REQUIRES_ACTION and after.sent_first and not after.owed.amount
    if is_owed:
        after = with_(after, status=ExchangeStatus.REQUIRES_ACTION)
    elif is_paid and not any(each.is_pending for each in charges):
        after = with_(after, status=ExchangeStatus.COMPLETED)
    return after, target


def _reference(exchange: Exchange, charge: HoldCharge) -> str:
    """What the payments port knows the charge by: never what it knows another payment by."""
    assert exchange.hold is not None, "only a hold is charged"
    reference = charge.reference or exchange.hold.reference
    taken = {payment.reference for payment in exchange.payments}
    return charge.key if reference in taken else reference


def _not_paid(target: Return, payments: list[ExchangePayment], at: datetime) -> Return:
    """The return without what turned out not to be paid for its exchange."""
    parts = [AmountPart(f"payment:{payment.reference}", payment.amount) for payment in payments]
    charges = tuple([part for part in target.charges if part not in parts])
    less = sum([payment.amount.amount for payment in payments])
    entitled = Money(max(0, target.entitlement.entitled.amount - less), target.currency)
    account = with_(target.entitlement, entitled=entitled)
    after = with_(target, charges=charges, entitlement=account, updated_at=at)
    return quoted(after) if target.received_at is None else after


def _entitled_again(target: Return, exchange: Exchange) -> Return:
    """
    The return with what is due now that more was paid for new goods, or is if its own come.

    Due is what its goods are worth; or, while they are not here, what was paid beyond what is owed.
    """
    account = target.entitlement
    due = exchange.paid.amount - exchange.difference_due.amount
    if target.status is ReturnStatus.RECEIVED:
        due = target.value_arrived(target.items, account.agreed_refund, target.charges_back).total
    entitled = Money(max(account.entitled.amount, due), target.currency)
    after = with_(target, entitlement=with_(account, entitled=entitled))
    return quoted(after) if target.received_at is None else after
