"""The form by which customers ask for a return or an exchange, and its quote."""

from collections.abc import Iterable
from typing import Any

from attrs import frozen
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rma import (
    AmountPart,
    ExchangeQuote,
    IdempotencyKeyReused,
    Money,
    Outcome,
    Quote,
    Rejected,
    ReturnOption,
)
from shop.asking import command_of
from shop.credit import bonus_of
from shop.forms import LineForm, ReturnForm, new_key
from shop.models import Order, Product, SentForm
from shop.orders import CURRENCY
from shop.policy import POLICY, REASONS
from shop.returns import get_service
from shop.titles import titles_of
from shop.views.customer import customer_of, orders_of
from shop.words import (
    OUTCOMES,
    amount_text,
    day_text,
    refusal_text,
    refusals,
)

_NOT_EXCHANGEABLE = gettext_lazy("There is nothing that it could be exchanged for.")

#: By rule, the percentage on top of store credit.
_BONUSES = {rule.name: rule.bonus.percent for rule in POLICY.rules if rule.bonus and rule.bonus.percent}


@frozen
class Choice:
    """What the rules allow for a line that was chosen: an outcome, and at whose cost, or why not."""

    label: str
    is_chosen: bool
    details: tuple[str, ...]
    is_offered: bool = False


@frozen
class Choices:
    """The choices of a line."""

    title: str
    choices: tuple[Choice, ...]


@frozen
class Shown:
    """
    What the form was answered with.

    Attributes:
        amount: what the customer gets; of an exchange, what is to be paid or given back.
        breakdown: its parts.
        refused: why it is not possible.
        choices: by line, what the rules allow.
    """

    is_exchange: bool = False
    amount: Money | None = None
    breakdown: tuple[AmountPart, ...] = ()
    bonus: Money | None = None
    refused: tuple[str, ...] = ()
    choices: tuple[Choices, ...] = ()


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, number: str) -> HttpResponse:
    """Shows the form of a return with its quote, and makes the return that it asks for."""
    order = get_object_or_404(orders_of(request.user), pk=number)
    data = request.POST if request.method == "POST" else None
    lines = _line_forms(order, data)
    whole = ReturnForm(data, initial={"key": new_key()})
    shown, status = Shown(), 200
    if data is not None:
        is_valid = _are_valid(lines, whole)
        if is_valid and data.get("action") == "request":
            answer = _request(request, order, lines, whole)
            if isinstance(answer, HttpResponse):
                return answer
            shown, status = answer
        elif is_valid:
            shown = _quote(order, lines, whole, customer_of(request))
        elif data.get("action") == "request":
            status = 400
    context = {"order": order, "lines": lines, "whole": whole, "shown": shown, "titles": titles_of(order)}
    if request.headers.get("X-Fragment") == "quote":
        missing = {"missing": _missing(lines, whole)}
        return render(request, "shop/quote.html", context | missing, status=status)
    return render(request, "shop/ask.html", context, status=status)


def _line_forms(order: Order, data: Any) -> list[LineForm]:
    service = get_service()
    returnable = {each.item_id: each for each in service.returnable_items(order.number)}
    most = {item_id: each.quantity for item_id, each in returnable.items()}
    for reason in REASONS if not all(most.values()) else ():
        for each in service.returnable_items(order.number, reason_id=reason.id):
            most[each.item_id] = max(most[each.item_id], each.quantity)
    products: dict[str, list[Product]] = {}
    for product in Product.objects.filter(family__in=[line.product.family for line in order.lines.all()]):
        products.setdefault(product.family, []).append(product)
    return [
        LineForm(
            data,
            line=line,
            returnable=returnable[line.item_id],
            most=most[line.item_id],
            products=[each for each in products[line.product.family] if each.sku != line.product.sku],
        )
        for line in order.lines.all()
    ]


def _are_valid(lines: list[LineForm], whole: ReturnForm) -> bool:
    """Validates all forms, so that each shows what is wrong with it."""
    are_valid = not [form for form in (*lines, whole) if not form.is_valid()]
    if are_valid and whole.cleaned_data["outcome"] == "exchange":
        for line in lines:
            if not line.cleaned_data["quantity"] or line.cleaned_data.get("instead"):
                continue
            if line.is_exchangeable:
                line.add_error("instead", _("Choose what you would like instead."))
            else:
                line.add_error("quantity", _NOT_EXCHANGEABLE)
            are_valid = False
    return are_valid


def _missing(lines: list[LineForm], whole: ReturnForm) -> list[str]:
    """Returns what is wrong with the forms; a fragment has no fields beside which to say it."""
    of_lines = [(form.line.product.title + ":", form.errors[name]) for form in lines for name in form.errors]
    of_whole = [(whole.fields[name].label or "", whole.errors[name]) for name in whole.errors]
    return [f"{about} {' '.join(map(str, errors))}".strip() for about, errors in of_lines + of_whole]


def _request(
    request: HttpRequest, order: Order, lines: list[LineForm], whole: ReturnForm
) -> HttpResponse | tuple[Shown, int]:
    """
    Makes the return, and notes the form that it was asked for with, in one transaction.

    The label is booked after it. A form that is sent again is answered with the return that it made.
    """
    command = command_of(order, lines, whole, customer_of(request))
    key = whole.cleaned_data["key"]
    try:
        with transaction.atomic():
            made = get_service().handle(command)
            SentForm.objects.get_or_create(order=order, key=key, defaults={"subject_id": made.id})
    except IdempotencyKeyReused as error:
        sent = SentForm.objects.filter(order=order, key=key).first()
        refused = tuple(refusals(error, {}))
        if sent is None:
            return Shown(refused=refused), 409
        messages.warning(request, " ".join(refused))
        return redirect("return", _return_id(sent.subject_id))
    except Rejected as error:
        shown = _quote(order, lines, whole, customer_of(request))
        return shown if shown.refused else _refused(error, order, lines, whole), error.http_status_hint
    return redirect("return", _return_id(made.id))


def _return_id(subject_id: str) -> str:
    service = get_service()
    return service.get_exchange(subject_id).return_id if subject_id.startswith("exc_") else subject_id


def _quote(order: Order, lines: list[LineForm], whole: ReturnForm, by: str) -> Shown:
    command = command_of(order, lines, whole, by)
    service = get_service()
    choices = _choices(order, lines, whole.cleaned_data["outcome"])
    quote: Quote | ExchangeQuote
    try:
        quote = service.quote(command)
    except Rejected as error:
        return Shown(refused=tuple(refusals(error, titles_of(order))), choices=choices)
    if isinstance(quote, ExchangeQuote):
        return Shown(
            is_exchange=True, amount=quote.difference_due, breakdown=quote.breakdown, choices=choices
        )
    return Shown(
        amount=quote.refund_amount, breakdown=quote.breakdown, bonus=bonus_of(quote.plan), choices=choices
    )


def _refused(error: Rejected, order: Order, lines: list[LineForm], whole: ReturnForm) -> Shown:
    choices = _choices(order, lines, whole.cleaned_data["outcome"])
    return Shown(refused=tuple(refusals(error, titles_of(order))), choices=choices)


def _choices(order: Order, lines: Iterable[LineForm], outcome: str) -> tuple[Choices, ...]:
    """Returns what the rules say about each line that was chosen, for its reason."""
    service, found = get_service(), []
    by_reason: dict[str, dict[str, tuple[ReturnOption, ...]]] = {}
    for form in lines:
        if not form.cleaned_data["quantity"]:
            continue
        reason_id = form.cleaned_data["reason"]
        if reason_id not in by_reason:
            items = service.returnable_items(order.number, reason_id=reason_id)
            by_reason[reason_id] = {each.item_id: each.options for each in items}
        options = by_reason[reason_id][form.line.item_id]
        choices = tuple([_choice(option, outcome, form) for option in options])
        found.append(Choices(form.line.product.title, choices))
    return tuple(found)


def _choice(option: ReturnOption, outcome: str, form: LineForm) -> Choice:
    label, is_chosen = str(OUTCOMES[option.outcome]), option.outcome == outcome
    if not option.is_offered:
        return Choice(label, is_chosen, details=tuple([refusal_text(each) for each in option.violations]))
    if option.outcome is Outcome.EXCHANGE and not form.is_exchangeable:
        return Choice(label, is_chosen, details=(str(_NOT_EXCHANGEABLE),))
    details = [_("until %(day)s") % {"day": day_text(option.until)}] if option.until else []
    details.append(_("we pay the way back") if option.way_back == "merchant" else _("you pay the way back"))
    if option.fees:
        fee = -sum([each.amount.amount for each in option.fees])
        details.append(_("less a fee, %(amount)s for one") % {"amount": amount_text(Money(fee, CURRENCY))})
    if option.outcome is Outcome.STORE_CREDIT and option.rule in _BONUSES:
        details.append(_("%(percent)s %% on top") % {"percent": f"{_BONUSES[option.rule]:f}"})
    if option.needs_review:
        details.append(_("we look at it first"))
    return Choice(label, is_chosen, tuple(details), is_offered=True)
