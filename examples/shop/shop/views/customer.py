"""What customers see: their orders, and what becomes of their returns. Those of others are not found."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rma import (
    CancelExchange,
    CancelReturn,
    Money,
    NotFound,
    RecordSending,
    Rejected,
    Return,
)
from shop.charging import pay_difference
from shop.credit import balance, bonus_of
from shop.forms import is_web_link
from shop.models import Order
from shop.orders import CURRENCY
from shop.returns import get_service
from shop.slip import svg_code
from shop.timeline import news_about
from shop.titles import titles_of
from shop.words import (
    CHARGES,
    OUTCOMES,
    amount_text,
    reason_text,
    refusals,
    status_text,
)

#: Statuses in which nothing comes back, nor is paid.
_OVER = ("canceled", "declined", "expired")

#: Statuses in which the customer sends a parcel.
_SENDS = ("requested", "partially_received")


def customer_of(request: HttpRequest) -> str:
    """Returns who asks, as returns keep it."""
    return f"customer {request.user.get_username()}"


def orders_of(user: AbstractBaseUser | AnonymousUser) -> Any:
    """Returns the customer's own orders."""
    return Order.objects.filter(customer_id=user.pk).prefetch_related("lines__product", "payments")


class Login(LoginView):
    """Leads customers to their orders, and clerks to the back office."""

    def get_default_redirect_url(self) -> str:
        """Where to, if no page was asked for."""
        if getattr(self.request.user, "is_staff", False):
            return reverse("admin:rma_storedreturn_changelist")
        return super().get_default_redirect_url()


@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """Shows the customer's orders, their returns, and their store credit."""
    service = get_service()
    assert request.user.pk is not None
    shown = []
    for order in orders_of(request.user):
        exchanges = {each.return_id: each for each in service.exchanges(order.number)}
        returns = [
            {
                "id": each.id,
                "number": each.display_id,
                "status": status_text(each, exchanges.get(each.id)),
            }
            for each in service.list(order.number)
        ]
        shown.append({"order": order, "returns": returns})
    return render(request, "shop/orders.html", {"orders": shown, "credit": balance(request.user.pk)})


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
@require_safe
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
    in_force = [each for each in found.refunds if each.is_in_force]
    context = {
        "order": order,
        "return": found,
        "items": items,
        "outcome": OUTCOMES["exchange" if exchange else found.outcome],
        "status": status_text(found, exchange),
        "exchange": exchange,
        "has_amount": found.status not in _OVER,
        "bonus": bonus_of([*in_force, *service.refund_plan(found.id)]),
        "owed": exchange.owed if exchange and exchange.is_open and exchange.owed.amount else None,
        "entries": news_about(service.history(order.number), subjects, titles),
        "titles": titles,
        "can_be_sent": found.status in _SENDS,
        "can_be_canceled": found.status in {"pending_approval", "requested"} and not found.sending,
    }
    return render(request, "shop/return.html", context)


@login_required
@require_safe
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
