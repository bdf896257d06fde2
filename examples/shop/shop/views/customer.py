"""What customers see: their orders, and what becomes of their returns. Those of others are not found."""

from collections.abc import Iterable
from typing import Any

from attrs import frozen
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rma import (
    AmountPart,
    CancelExchange,
    CancelReturn,
    ExchangeQuote,
    IdempotencyKeyReused,
    Money,
    NotFound,
    Quote,
    RecordSending,
    Rejected,
    Return,
    ReturnOption,
)
from shop.asking import command_of
from shop.charging import pay_difference
from shop.credit import balance
from shop.forms import LineForm, ReturnForm, is_web_link, new_key
from shop.models import Order, Product, SentForm
from shop.orders import CURRENCY
from shop.returns import get_service
from shop.slip import svg_code
from shop.timeline import news_about
from shop.titles import titles_of
from shop.words import (
    CHARGES,
    EXCHANGE_STATUS,
    OUTCOMES,
    RETURN_STATUS,
    amount_text,
    day_text,
    reason_text,
    refusal_text,
    refusals,
)

#: Statuses in which the customer sends a parcel.
_SENDS = ("requested", "partially_received")


def customer_of(request: HttpRequest) -> str:
    """Returns who asks, as returns keep it."""
    return f"customer {request.user.get_username()}"


def orders_of(user: AbstractBaseUser | AnonymousUser) -> Any:
    """Returns the customer's own orders."""
    return Order.objects.filter(customer_id=user.pk).prefetch_related("lines__product", "payments")


@login_required
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """Shows the customer's orders, their returns, and their store credit."""
    service = get_service()
    assert request.user.pk is not None
    shown = [
        {
            "order": order,
            "returns": [
                {"id": each.id, "number": each.display_id, "status": RETURN_STATUS[each.status]}
                for each in service.list(order.number)
            ],
        }
        for order in orders_of(request.user)
    ]
    return render(request, "shop/orders.html", {"orders": shown, "credit": balance(request.user.pk)})


# Asking for a return


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
@require_http_methods(["GET", "POST"])
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
        return render(request, "shop/quote.html", context, status=status)
    return render(request, "shop/ask.html", context, status=status)


def _line_forms(order: Order, data: Any) -> list[LineForm]:
    returnable = {each.item_id: each for each in get_service().returnable_items(order.number)}
    products: dict[str, list[Product]] = {}
    for product in Product.objects.filter(family__in=[line.product.family for line in order.lines.all()]):
        products.setdefault(product.family, []).append(product)
    return [
        LineForm(
            data,
            line=line,
            returnable=returnable[line.item_id],
            products=[each for each in products[line.product.family] if each.sku != line.product.sku],
        )
        for line in order.lines.all()
    ]


def _are_valid(lines: list[LineForm], whole: ReturnForm) -> bool:
    """Validates all forms, so that each shows what is wrong with it."""
    are_valid = not [form for form in (*lines, whole) if not form.is_valid()]
    if are_valid and whole.cleaned_data["outcome"] == "exchange":
        for line in lines:
            if line.cleaned_data["quantity"] and not line.cleaned_data["instead"]:
                line.add_error("instead", _("Choose what you would like instead."))
                are_valid = False
    return are_valid


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
    bonuses = [each.bonus for each in quote.plan if each.bonus is not None]
    bonus = sum(bonuses[1:], start=bonuses[0]) if bonuses else None
    return Shown(amount=quote.refund_amount, breakdown=quote.breakdown, bonus=bonus, choices=choices)


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
        found.append(
            Choices(form.line.product.title, tuple([_choice(option, outcome) for option in options]))
        )
    return tuple(found)


def _choice(option: ReturnOption, outcome: str) -> Choice:
    label, is_chosen = str(OUTCOMES[option.outcome]), option.outcome == outcome
    if not option.is_offered:
        return Choice(label, is_chosen, details=tuple([refusal_text(each) for each in option.violations]))
    details = [_("until %(day)s") % {"day": day_text(option.until)}] if option.until else []
    details.append(_("we pay the way back") if option.way_back == "merchant" else _("you pay the way back"))
    if option.fees:
        details.append(_("less a fee"))
    if option.needs_review:
        details.append(_("we look at it first"))
    return Choice(label, is_chosen, tuple(details), is_offered=True)


# A return that was made


def own_return(request: HttpRequest, return_id: str) -> tuple[Order, Return]:
    """
    Returns a return of the customer, with its order.

    Raises:
        Http404: there is none of this id, or it is another customer's.
    """
    try:
        found = get_service().get(return_id)
    except NotFound as error:
        raise Http404 from error
    return get_object_or_404(orders_of(request.user), pk=found.order_id), found


@login_required
@require_GET
def show(request: HttpRequest, return_id: str) -> HttpResponse:
    """Shows where a return is."""
    order, found = own_return(request, return_id)
    service, titles = get_service(), titles_of(order)
    exchange = service.get_exchange(found.exchange_id) if found.exchange_id else None
    subjects = {found.id} if found.exchange_id is None else {found.id, found.exchange_id}
    items = [
        {
            "title": titles.get(item.item_id, ""),
            "quantity": item.quantity,
            "reason": reason_text(item.reason_id),
            "note": item.note,
            "photos": [(each, is_web_link(each)) for each in item.images],
        }
        for item in found.items
        if item.is_requested
    ]
    context = {
        "order": order,
        "return": found,
        "items": items,
        "outcome": OUTCOMES["exchange" if exchange else found.outcome],
        "status": RETURN_STATUS[found.status],
        "exchange": exchange,
        "exchange_status": EXCHANGE_STATUS[exchange.status] if exchange else None,
        "owed": exchange.owed if exchange and exchange.is_open and exchange.owed.amount else None,
        "entries": news_about(service.history(order.number), subjects, titles),
        "titles": titles,
        "can_be_sent": found.status in _SENDS,
        "can_be_canceled": found.status in {"pending_approval", "requested"},
    }
    return render(request, "shop/return.html", context)


@login_required
@require_GET
def slip(request: HttpRequest, return_id: str) -> HttpResponse:
    """Shows what is printed and put into the parcel; there is none for a return that travels no more."""
    order, found = own_return(request, return_id)
    if found.status not in _SENDS:
        raise Http404
    titles = titles_of(order)
    items = [(item.quantity, titles.get(item.item_id, "")) for item in found.items if item.is_requested]
    context = {"order": order, "return": found, "items": items, "code": svg_code(found.id)}
    return render(request, "shop/slip.html", context)


@login_required
@require_POST
def cancel(request: HttpRequest, return_id: str) -> HttpResponse:
    """Cancels a return or its exchange; canceled twice, it is canceled."""
    found = own_return(request, return_id)[1]
    service, by = get_service(), customer_of(request)
    try:
        if found.exchange_id is None:
            service.handle(CancelReturn(return_id=found.id, created_by=by))
        else:
            service.handle(CancelExchange(exchange_id=found.exchange_id, created_by=by))
    except Rejected as error:
        return _back_with(request, found, error)
    messages.success(request, _("It was canceled."))
    return redirect("return", found.id)


@login_required
@require_POST
def sent(request: HttpRequest, return_id: str) -> HttpResponse:
    """Notes that the customer sent the parcel: the return then does not expire."""
    found = own_return(request, return_id)[1]
    tracking = found.shipment.tracking_number if found.shipment else None
    try:
        get_service().handle(
            RecordSending(return_id=found.id, tracking_number=tracking, created_by=customer_of(request))
        )
    except Rejected as error:
        if error.code == "return_already_sent":  # the button was clicked twice
            return redirect("return", found.id)
        return _back_with(request, found, error)
    return redirect("return", found.id)


@login_required
@require_POST
def pay(request: HttpRequest, return_id: str) -> HttpResponse:
    """Takes what the customer owes for an exchange, and records it; clicked twice, it is paid once."""
    order, found = own_return(request, return_id)
    if found.exchange_id is None:
        raise Http404
    attempt = pay_difference(order.number, found.exchange_id, customer_of(request))
    if attempt is not None and attempt.state in CHARGES:
        amount = amount_text(Money(attempt.amount, CURRENCY))
        messages.error(request, str(CHARGES[attempt.state]).format(amount=amount))
    return redirect("return", found.id)


def _back_with(request: HttpRequest, found: Return, error: Rejected) -> HttpResponse:
    for each in refusals(error, {}):
        messages.error(request, each)
    return redirect("return", found.id)
