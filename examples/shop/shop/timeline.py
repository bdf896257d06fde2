"""What happened to a return, in the words of customers: nothing of keys, gateways or attempts."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from attrs import frozen
from django.utils.translation import gettext as _

from rma import (
    EffectOutcome,
    EffectsAttempted,
    Event,
    ExchangeCanceled,
    ExchangePaid,
    ExchangeRequested,
    GoodsInspected,
    GoodsReceived,
    Means,
    Refund,
    RefundOutcomeRecorded,
    RefundStatus,
    ReturnApproved,
    ReturnCanceled,
    ReturnDeclined,
    ReturnExpired,
    ReturnRequested,
    ReturnResolved,
    ReturnSent,
    SendBackRequest,
)
from shop.words import amount_text, count_text, day_text


@frozen
class News:
    """One thing that happened, with further lines about it."""

    at: datetime
    text: str
    details: tuple[str, ...] = ()


def news_about(history: Iterable[Event], subject_ids: set[str], titles: Mapping[str, str]) -> list[News]:
    """Returns what happened to a return and its exchange, oldest first."""
    found = [news_of(event, titles) for event in history if event.subject_id in subject_ids]
    return [news for news in found if news is not None]


def news_of(event: Event, titles: Mapping[str, str]) -> News | None:
    """Returns what an event is to customers; None if it is nothing."""
    text, details = _words(event, titles)
    return News(event.at, text, tuple(details)) if text else None


def _words(event: Event, titles: Mapping[str, str]) -> tuple[str, list[str]]:  # noqa: C901, PLR0911, PLR0912 # a row for each kind
    match event:
        case ReturnRequested(opened=opened):
            goods = [count_text(item.quantity, titles.get(item.item_id, "")) for item in opened.items]
            if opened.needs_approval:
                return _("You asked for a return. We look at it before we print the label."), goods
            return _("You asked for a return."), goods
        case ReturnApproved(decision=decision):
            return _("We approved your return."), [decision.note] if decision.note else []
        case ReturnDeclined(decision=decision):
            return _("We declined your return."), [decision.note] if decision.note else []
        case ReturnSent(sending=sending):
            return _("You sent your parcel on %(day)s.") % {"day": day_text(sending.at)}, []
        case ReturnExpired():
            return _("Nothing was sent in time: your return has expired."), []
        case ReturnCanceled():
            return _("Your return was canceled."), []
        case ExchangeCanceled():
            return _("Your exchange was canceled."), []
        case GoodsReceived(receipt=receipt):
            goods = [
                count_text(item.quantity + item.damaged_quantity, titles.get(item.item_id, ""))
                for item in receipt.items
            ]
            return _("Your parcel has arrived.") if goods else _("We accepted what arrived."), goods
        case GoodsInspected(inspection=inspection):
            graded = [
                _("%(things)s: condition %(grade)s")
                % {"things": count_text(item.quantity, titles.get(item.item_id, "")), "grade": item.grade}
                for item in inspection.items
            ]
            return _("We looked at your goods."), graded + _going_back(inspection.requests, titles)
        case ReturnResolved():
            return _("We decided about what arrived."), []
        case ExchangeRequested(opened=exchange):
            wanted = [
                count_text(item.quantity, titles.get(item.variant_id, item.title))
                for item in exchange.new_items
            ]
            return _("You will get instead:"), wanted
        case ExchangePaid(payment=payment):
            return _("You paid %(amount)s.") % {"amount": amount_text(payment.amount)}, []
        case EffectsAttempted(outcomes=outcomes):
            found = [text for each in outcomes for text in _outcome(each)]
            return (found[0], found[1:]) if found else ("", [])
        case RefundOutcomeRecorded(refund=refund):
            return _refund(refund), []
        case _:
            return "", []


def _going_back(requests: Iterable[object], titles: Mapping[str, str]) -> list[str]:
    return [
        _("%(things)s goes back to you.")
        % {"things": count_text(line.quantity, titles.get(line.item_id, ""))}
        for request in requests
        if isinstance(request, SendBackRequest)
        for line in request.lines
    ]


def _outcome(outcome: EffectOutcome) -> Iterator[str]:
    if outcome.shipment is not None:
        number = outcome.shipment.tracking_number
        yield _("Your label is ready: parcel %(number)s.") % {"number": number}
    elif outcome.replacement is not None:
        number = outcome.replacement.tracking_number
        yield _("Your new goods are on their way: parcel %(number)s.") % {"number": number}
    elif outcome.refund is not None:
        yield _refund(outcome.refund)


def _refund(refund: Refund) -> str:
    amount = amount_text(refund.amount)
    match refund.status:
        case RefundStatus.SUCCEEDED if refund.means is Means.STORE_CREDIT:
            total = refund.amount if refund.bonus is None else refund.amount + refund.bonus
            return _("You have %(amount)s more store credit.") % {"amount": amount_text(total)}
        case RefundStatus.SUCCEEDED:
            return _("We paid back %(amount)s.") % {"amount": amount}
        case RefundStatus.FAILED | RefundStatus.REVERSED:
            return _("Your bank did not take %(amount)s; we will find another way.") % {"amount": amount}
        case _:
            return _("%(amount)s are on their way to you.") % {"amount": amount}
