"""
Takes what a customer owes for an exchange.

A process may die, and an answer may be lost, between the gateway and the ledger. The attempt is therefore a
row of its own, written first, with which the next click or the timer goes on. What the ledger refuses,
since the exchange was canceled or less is owed by now, is given back.
"""

from django.db import transaction
from django.utils import timezone

from rma import Money, RecordExchangePayment, RefundDeclined, RefundRequest, RefundSucceeded, Rejected
from shop.models import ChargeAttempt, Order
from shop.orders import CURRENCY
from shop.payments import KEY_LIFETIME, OutcomeUnknown, PaymentDeclined, charge, give_back
from shop.returns import get_service

_State = ChargeAttempt.State


def pay_difference(order_id: str, exchange_id: str, by: str) -> ChargeAttempt | None:
    """Goes on with the attempt that has not ended, or takes what is owed; None if there is neither."""
    attempt = _attempt(order_id, exchange_id, by)
    return None if attempt is None else go_on(attempt)


def go_on(attempt: ChargeAttempt) -> ChargeAttempt:
    """Brings an attempt as far as it can go now, and returns it. Done twice, or at once, it is done once."""
    if attempt.state == _State.OPEN:
        attempt = _take(attempt)
    if attempt.state == _State.REFUSED:
        attempt = _give_back(attempt)
    return attempt


def _attempt(order_id: str, exchange_id: str, by: str) -> ChargeAttempt | None:
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order_id)  # two clicks begin one attempt
        earlier = ChargeAttempt.objects.filter(exchange_id=exchange_id)
        found = earlier.exclude(state__in=ChargeAttempt.ENDED).first()
        if found is not None:
            return found
        exchange = get_service().get_exchange(exchange_id)
        if not (exchange.is_open and exchange.owed.amount):
            return None
        return ChargeAttempt.objects.create(
            key=f"{exchange_id}-difference-{earlier.count() + 1}",
            order_id=order_id,
            exchange_id=exchange_id,
            amount=exchange.owed.amount,
            by=by,
        )


def _take(attempt: ChargeAttempt) -> ChargeAttempt:
    if timezone.now() - attempt.at >= KEY_LIFETIME:
        return _ended(attempt, _State.STUCK)  # sent again, it could be taken twice
    try:
        reference = charge(attempt.key, Money(attempt.amount, CURRENCY))
    except PaymentDeclined:
        return _ended(attempt, _State.DECLINED)
    except OutcomeUnknown:
        return attempt
    with transaction.atomic():
        attempt = ChargeAttempt.objects.select_for_update().get(pk=attempt.pk)
        if attempt.state != _State.OPEN:  # another request was faster, and may be giving it back
            return attempt
        payment = RecordExchangePayment(
            exchange_id=attempt.exchange_id,
            amount=Money(attempt.amount, CURRENCY),
            reference=reference,
            created_by=attempt.by,
        )
        try:
            get_service().handle(payment)
            attempt.state = _State.RECORDED
        except Rejected:
            attempt.state = _State.REFUSED
        attempt.reference = reference
        attempt.save()
    return attempt


def _give_back(attempt: ChargeAttempt) -> ChargeAttempt:
    request = RefundRequest(
        key=f"{attempt.key}-back",
        order_id=attempt.order_id,
        return_id=get_service().get_exchange(attempt.exchange_id).return_id,
        payment_id=attempt.reference,
        amount=Money(attempt.amount, CURRENCY),
    )
    try:
        answer = give_back(request)
    except OutcomeUnknown:
        return attempt
    match answer:
        case RefundSucceeded():
            return _ended(attempt, _State.REFUNDED)
        case RefundDeclined():
            return _ended(attempt, _State.STUCK)
        case _:  # on its way, or not sent: the timer asks again
            return attempt


def _ended(attempt: ChargeAttempt, state: ChargeAttempt.State) -> ChargeAttempt:
    """Writes how it ended, unless that is known already."""
    ChargeAttempt.objects.filter(pk=attempt.pk, state=attempt.state).update(state=state)
    attempt.refresh_from_db()
    return attempt
