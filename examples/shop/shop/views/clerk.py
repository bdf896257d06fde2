"""
What clerks see: returns that wait, and what they do about them.

Each action is shown for confirmation first. Its form carries a key, so that it is done once.
"""

from collections.abc import Callable
from typing import Any

from attrs import frozen
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from django import forms
from rma import (
    ApproveReturn,
    DeclineReturn,
    InspectedItem,
    InspectReturn,
    NotFound,
    ReceivedItem,
    ReceiveReturn,
    Rejected,
    RetryRefund,
    Return,
    ReturnStatus,
)
from rma.domain.messages.commands import ReturnCommand
from shop.forms import ApproveForm, DeclineForm, InspectForm, PlainForm, ReceiveForm, is_web_link, new_key
from shop.models import Order
from shop.policy import POLICY
from shop.returns import get_service
from shop.titles import titles_of
from shop.words import RETURN_STATUS, count_text, reason_text, refusals

#: How many returns a page has.
_PAGE = 50


def clerks_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Lets staff in; others are sent to the login, or refused."""

    @login_required
    def guarded(request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        if not getattr(request.user, "is_staff", False):
            raise PermissionDenied
        return view(request, *args, **more)

    return guarded


@clerks_only
@require_GET
def returns(request: HttpRequest) -> HttpResponse:
    """Lists returns: those that need a person, of a status, or all; the latest first."""
    status, after = request.GET.get("status", ""), request.GET.get("after") or None
    try:
        found = get_service().list(
            kinds=["return"],
            status=status if status in RETURN_STATUS else None,
            needs_attention=status == "attention",
            after=after,
            limit=_PAGE,
            newest_first=True,
        )
    except NotFound as error:
        raise Http404 from error
    context = {
        "returns": [(each, RETURN_STATUS[ReturnStatus(each.status)]) for each in found],
        "statuses": [("", _("All")), ("attention", _("Need a person")), *RETURN_STATUS.items()],
        "status": status,
        "after": found[-1].id if len(found) == _PAGE else None,
    }
    return render(request, "shop/clerk/returns.html", context)


@frozen
class Action:
    """
    Something that a clerk does about a return.

    Attributes:
        label: of its button.
        statuses: in which it is shown; in others the service refuses it.
        form: makes its form.
        command: makes its command of the form, which is valid.
    """

    label: str | Promise
    statuses: tuple[str, ...]
    form: Callable[[Return, Any], forms.Form]
    command: Callable[[Return, Any, str], ReturnCommand | RetryRefund]


def _approve(found: Return, form: ApproveForm, by: str) -> ReturnCommand:
    said = form.cleaned_data
    return ApproveReturn(
        return_id=found.id, note=said["note"] or None, idempotency_key=said["key"], created_by=by
    )


def _decline(found: Return, form: DeclineForm, by: str) -> ReturnCommand:
    said = form.cleaned_data
    return DeclineReturn(
        return_id=found.id,
        reason=said["reason"],
        note=said["note"] or None,
        idempotency_key=said["key"],
        created_by=by,
    )


def _receive(found: Return, form: ReceiveForm, by: str) -> ReturnCommand:
    items = [
        ReceivedItem(item_id=item_id, quantity=count["good"], damaged_quantity=count["damaged"])
        for item_id, count in form.counts().items()
        if any(count.values())
    ]
    said = form.cleaned_data
    return ReceiveReturn(
        return_id=found.id,
        items=items,
        more_expected=said["more_expected"],
        location_id="warehouse",
        idempotency_key=said["key"],
        created_by=by,
    )


def _accept(found: Return, form: PlainForm, by: str) -> ReturnCommand:
    key = form.cleaned_data["key"]
    return ReceiveReturn(return_id=found.id, allow_mismatch=True, idempotency_key=key, created_by=by)


def _inspect(found: Return, form: InspectForm, by: str) -> ReturnCommand:
    said = form.cleaned_data
    items = [
        InspectedItem(item_id=item_id, quantity=quantity, grade=grade, note=said["note"] or None)
        for item_id, count in form.counts().items()
        for grade, quantity in count.items()
        if quantity
    ]
    return InspectReturn(return_id=found.id, items=items, idempotency_key=said["key"], created_by=by)


def _retry(found: Return, form: PlainForm, by: str) -> RetryRefund:
    return RetryRefund(return_id=found.id, idempotency_key=form.cleaned_data["key"], created_by=by)


def _lines(found: Return, *, waiting: bool) -> dict[str, str]:
    titles = titles_of(_order_of(found))
    items = [item for item in found.items if item.waiting_quantity or not waiting]
    return {item.item_id: titles.get(item.item_id, item.item_id) for item in items}


_IS_EXPECTED = ("requested", "partially_received", "requires_action")

ACTIONS: dict[str, Action] = {
    "approve": Action(
        gettext_lazy("Approve"), ("pending_approval",), lambda _found, data: ApproveForm(data), _approve
    ),
    "decline": Action(
        gettext_lazy("Decline"), ("pending_approval",), lambda _found, data: DeclineForm(data), _decline
    ),
    "receive": Action(
        gettext_lazy("Receive a parcel"),
        _IS_EXPECTED,
        lambda found, data: ReceiveForm(data, lines=_lines(found, waiting=False)),
        _receive,
    ),
    "accept": Action(
        gettext_lazy("Accept what arrived"),
        ("requires_action",),
        lambda _found, data: PlainForm(data),
        _accept,
    ),
    "inspect": Action(
        gettext_lazy("Inspect"),
        ("in_inspection",),
        lambda found, data: InspectForm(data, lines=_lines(found, waiting=True)),
        _inspect,
    ),
    "retry": Action(
        gettext_lazy("Pay what is due"), ("received",), lambda _found, data: PlainForm(data), _retry
    ),
}


@clerks_only
@require_GET
def show(request: HttpRequest, return_id: str) -> HttpResponse:
    """Shows a return with what can be done about it."""
    return _page(request, _found(return_id))


@clerks_only
@require_POST
def act(request: HttpRequest, return_id: str, action: str) -> HttpResponse:
    """Shows an action for confirmation; does it, once it is confirmed."""
    found, chosen = _found(return_id), ACTIONS.get(action)
    if chosen is None:
        raise Http404
    form = chosen.form(found, request.POST)
    if not form.is_valid():
        return _page(request, found, {action: form}, status=400)
    command = chosen.command(found, form, f"clerk {request.user.get_username()}")
    if request.POST.get("confirmed") != "yes":
        context = {
            "return": found,
            "action": action,
            "label": chosen.label,
            "form": form,
            "said": _said(found, command),
        }
        return render(request, "shop/clerk/confirm.html", context)
    try:
        get_service().handle(command)
    except Rejected as error:
        for each in refusals(error, titles_of(_order_of(found))):
            messages.error(request, each)
        return _page(request, found, {action: form}, status=error.http_status_hint)
    messages.success(request, _("Done: %(what)s.") % {"what": chosen.label})
    return redirect("clerk-return", found.id)


def _said(found: Return, command: ReturnCommand | RetryRefund) -> list[str]:
    """Returns what a command says, for its confirmation."""
    titles = titles_of(_order_of(found))
    match command:
        case ReceiveReturn(items=items):
            counted = [
                (each, kind)
                for item in items
                for each, kind in (
                    (item.quantity, _("arrived well")),
                    (item.damaged_quantity, _("arrived damaged")),
                )
            ]
            title = [titles.get(item.item_id, "") for item in items for _two in range(2)]
            return [
                f"{count_text(quantity, name)}: {kind}"
                for (quantity, kind), name in zip(counted, title, strict=True)
                if quantity
            ]
        case InspectReturn(items=inspected):
            return [
                f"{count_text(item.quantity, titles.get(item.item_id, ''))}: {item.grade}"
                for item in inspected
            ]
        case ApproveReturn(note=note) | DeclineReturn(note=note):
            return [note] if note else []
        case _:
            return []


def _page(
    request: HttpRequest, found: Return, filled: dict[str, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    order = _order_of(found)
    titles = titles_of(order)
    actions = []
    for name, action in ACTIONS.items():
        if found.status in action.statuses and (name != "retry" or found.amount_due.amount):
            form = (filled or {}).get(name)
            if form is None:
                form = action.form(found, None)
                form.initial = {"key": new_key()}
            actions.append((name, action.label, form))
    items = [
        {
            "title": titles.get(item.item_id, ""),
            "item": item,
            "reason": reason_text(item.reason_id),
            "photos": [(each, is_web_link(each)) for each in item.images],
        }
        for item in found.items
    ]
    entries = [each for each in get_service().timeline(found.order_id) if found.id in each.summary]
    context = {
        "return": found,
        "order": order,
        "items": items,
        "titles": titles,
        "status": RETURN_STATUS[found.status],
        "actions": actions,
        "grades": POLICY.grades,
        "entries": entries,
    }
    return render(request, "shop/clerk/return.html", context, status=status)


def _found(return_id: str) -> Return:
    try:
        return get_service().get(return_id)
    except NotFound as error:
        raise Http404 from error


def _order_of(found: Return) -> Order:
    return Order.objects.select_related("customer").prefetch_related("lines__product").get(pk=found.order_id)
