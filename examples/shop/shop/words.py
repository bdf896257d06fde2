"""
What customers read: amounts, statuses, parts of amounts, and what was refused, by its code.

Nothing here has a message of the library in it: those are for programmers, in English.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from rma import (
    AmountPart,
    Exchange,
    ExchangeStatus,
    Money,
    RefundStatus,
    Rejected,
    Return,
    ReturnStatus,
    Violation,
)
from shop.models import ChargeAttempt
from shop.policy import REASONS

_Lazy = str | Promise

#: By code; the names in braces are the violation's numbers, as words.
REFUSALS: Mapping[str, _Lazy] = {
    "exchange_canceled": gettext_lazy("This exchange was canceled."),
    "exchange_completed": gettext_lazy("This exchange is completed: nothing is to be paid."),
    "exchange_paid": gettext_lazy("This exchange was paid for: cancel the exchange instead."),
    "idempotency_key_reused": gettext_lazy(
        "This form was sent before, with something else in it. "
        "To return something else, open the order again."
    ),
    "invalid_quantity": gettext_lazy("Give a number of at least {minimum}."),
    "item_not_found": gettext_lazy("This is not in your order."),
    "item_not_returnable": gettext_lazy("This cannot be returned."),
    "new_goods_sent": gettext_lazy("The new goods are on their way already."),
    "no_items": gettext_lazy("Choose at least one thing."),
    "no_new_items": gettext_lazy("Choose what you would like instead."),
    "no_rule_applies": gettext_lazy("For this reason it cannot be returned."),
    "order_canceled": gettext_lazy("This order was canceled."),
    "outcome_not_offered": gettext_lazy("What you chose is not possible for this; possible are: {offered}."),
    "quantity_exceeds_returnable": gettext_lazy("You chose {quantity}, but can return {returnable}."),
    "return_already_received": gettext_lazy("This return has arrived already."),
    "return_canceled": gettext_lazy("This return was canceled."),
    "return_declined": gettext_lazy("This return was declined."),
    "return_expired": gettext_lazy("This return has expired."),
    "return_in_inspection": gettext_lazy("The goods are here, and are being looked at."),
    "return_not_cancelable": gettext_lazy("This return cannot be canceled any more."),
    "return_of_exchange": gettext_lazy("This return belongs to an exchange: cancel the exchange instead."),
    "return_reason_not_found": gettext_lazy("Choose one of the reasons."),
    "return_window_closed": gettext_lazy("This could be returned until {until}."),
    "text_too_long": gettext_lazy("The text has {length} characters; at most {maximum} are possible."),
}

_NOTHING_LEFT = gettext_lazy("None of it is left to return.")

#: Why nothing of a line can be returned, whatever the reason; the first code that applies says it.
NOT_RETURNABLE: Mapping[str, _Lazy] = {
    "order_canceled": REFUSALS["order_canceled"],
    "not_fulfilled": gettext_lazy("It was not delivered yet."),
    "in_open_return": gettext_lazy("You are returning it already."),
    "already_returned": gettext_lazy("It was returned already."),
}

RETURN_STATUS: Mapping[str, _Lazy] = {
    "pending_approval": gettext_lazy("Waits for our approval"),
    "requested": gettext_lazy("We expect your parcel"),
    "requires_action": gettext_lazy("We are looking into it"),
    "partially_received": gettext_lazy("A part of it has arrived"),
    "in_inspection": gettext_lazy("Arrived, being looked at"),
    "received": gettext_lazy("Completed"),
    "canceled": gettext_lazy("Canceled"),
    "declined": gettext_lazy("Declined"),
    "expired": gettext_lazy("Expired"),
}

EXCHANGE_STATUS: Mapping[str, _Lazy] = {
    "requested": gettext_lazy("We expect your parcel"),
    "awaiting_payment": gettext_lazy("Waits for your payment"),
    "requires_action": gettext_lazy("We are looking into it"),
    "completed": gettext_lazy("Your new goods are on their way"),
    "canceled": gettext_lazy("Canceled"),
}

OUTCOMES: Mapping[str, _Lazy] = {
    "refund": gettext_lazy("Money back"),
    "store_credit": gettext_lazy("Store credit"),
    "exchange": gettext_lazy("Exchange"),
}

#: By state of a charge, what its customer reads after a click; there is nothing to say of one that worked.
CHARGES: Mapping[str, _Lazy] = {
    ChargeAttempt.State.OPEN: gettext_lazy(
        "We do not know yet whether your payment of {amount} worked; we ask your bank again. "
        "It is taken only once."
    ),
    ChargeAttempt.State.DECLINED: gettext_lazy("The payment did not work. Please try again later."),
    ChargeAttempt.State.REFUSED: gettext_lazy(
        "Your payment of {amount} came too late: it is given back to you."
    ),
    ChargeAttempt.State.REFUNDED: gettext_lazy(
        "Your payment of {amount} came too late: it is given back to you."
    ),
    ChargeAttempt.State.STUCK: gettext_lazy("We are looking into your payment of {amount}."),
}

_PARTS: Mapping[str, _Lazy] = {
    "return_shipping": gettext_lazy("Way back"),
    "already_paid": gettext_lazy("Paid before"),
    "undecided": gettext_lazy("Not decided yet"),
    "difference_due": gettext_lazy("You pay the difference"),
    "price": gettext_lazy("Price"),
    "bonus:thanks": gettext_lazy("Our thanks"),
    "rounding": gettext_lazy("Rounding"),
    "charge:delivery": gettext_lazy("Delivery"),
    "fee:handling": gettext_lazy("Handling fee"),
    "tax:vat": gettext_lazy("VAT"),
    "discount:voucher": gettext_lazy("Voucher"),
}

_LABELS = {reason.id: reason.label for reason in REASONS}


def amount_text(amount: Money) -> str:
    """Returns an amount as it is written in the reader's language."""
    return f"{formats.number_format(amount.major, force_grouping=True)} {amount.currency.upper()}"


def day_text(at: datetime) -> str:
    """Returns a day as it is written in the reader's language."""
    return formats.date_format(timezone.localtime(at), "DATE_FORMAT")


def reason_text(reason_id: str | None) -> str:
    """Returns what the customer said why, or nothing."""
    return gettext(_LABELS[reason_id]) if reason_id in _LABELS else ""


def part_text(part: AmountPart, titles: Mapping[str, str]) -> str:  # noqa: PLR0911 # a row for each kind
    """Returns what a part of an amount is called; titles are those of lines and products, by their ids."""
    kind, _, name = part.name.partition(":")
    if part.name in _PARTS:
        return str(_PARTS[part.name])
    match kind:
        case "item":
            return titles.get(name, gettext("An item"))
        case "new_item":
            return gettext("New: %(title)s") % {"title": titles.get(name, gettext("An item"))}
        case "grade":
            return gettext("Condition %(grade)s") % {"grade": name}
        case "deduction":
            return gettext("Deducted for its condition")
        case "payment":
            return gettext("You paid")
        case _:
            return gettext("Other")


def status_text(found: Return, exchange: Exchange | None) -> str:
    """
    Returns where a return is, or its exchange once the goods are here.

    It is not completed while the shop or the customer has yet to pay.
    """
    text = RETURN_STATUS[found.status]
    if found.status is not ReturnStatus.RECEIVED:
        return str(text)
    if exchange is not None and exchange.status is not ExchangeStatus.CANCELED:
        text = EXCHANGE_STATUS[exchange.status]
    if exchange is not None and exchange.owed.amount:
        text = EXCHANGE_STATUS["awaiting_payment" if exchange.is_open else "requires_action"]
    elif found.amount_due.amount:
        due = amount_text(found.amount_due)
        text = gettext("We have yet to pay you %(amount)s") % {"amount": due}
    elif any(each.status is RefundStatus.PENDING for each in found.refunds):
        text = gettext("Your money is on its way")
    return str(text)


def not_returnable_text(reasons: Iterable[str]) -> str:
    """Returns why nothing of a line can be returned; the reasons are those of a `rma.ReturnableItem`."""
    known = set(reasons)
    found = next((text for code, text in NOT_RETURNABLE.items() if code in known), None)
    return gettext("None of it can be returned.") if found is None else str(found)


def refusal_text(violation: Violation) -> str:
    """Returns what was refused, in the words of readers; of a code that is not known here, the code."""
    if violation.code == "quantity_exceeds_returnable" and not violation.numbers.get("returnable"):
        return str(_NOTHING_LEFT)
    if violation.code not in REFUSALS:
        return gettext("This is not possible (%(code)s).") % {"code": violation.code}
    return str(REFUSALS[violation.code]).format_map(_Numbers(violation.numbers))


def refusals(error: Rejected, titles: Mapping[str, str]) -> list[str]:
    """Returns all that was refused, each once, with the line that it is about."""
    found = []
    for each in error.violations:
        title = titles.get(each.item_id or "")
        found.append(f"{title}: {refusal_text(each)}" if title else refusal_text(each))
    return list(dict.fromkeys(found))


def count_text(quantity: int, title: str) -> str:
    """Returns a number of things."""
    return f"{quantity} x {title}"


class _Numbers(dict[str, Any]):
    """The numbers of a violation as words: dates and outcomes as the reader writes them."""

    def __init__(self, numbers: Mapping[str, object]) -> None:
        super().__init__({name: _word(name, value) for name, value in numbers.items()})

    def __missing__(self, name: str) -> str:
        return ""


def _word(name: str, value: object) -> str:
    if name == "until" and isinstance(value, str):
        return day_text(datetime.fromisoformat(value))
    if name == "offered":
        names = value.split(", ") if isinstance(value, str) else value
        if isinstance(names, Iterable):
            return ", ".join(str(OUTCOMES.get(str(each), each)) for each in names)
    return str(value)
