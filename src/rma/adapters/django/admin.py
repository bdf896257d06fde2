"""
The back office in Django's admin: returns, exchanges and claims of all orders, and what a clerk does to one.

It needs `RMA["SERVICE"]`, and nothing here changes anything but by a command of that service.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from rma.adapters.django.clerk import ACTIONS, Action, possible_actions
from rma.adapters.django.conf import get_service
from rma.adapters.django.forms import ActionForm
from rma.adapters.django.models import StoredReturn
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject, SubjectKind
from rma.domain.state.returns import Return
from rma.domain.values.errors import Rejected, RmaError
from rma.domain.views.query import STATUSES

if TYPE_CHECKING:  # Django's own class takes no arguments
    ModelAdmin = admin.ModelAdmin[StoredReturn]
else:
    ModelAdmin = admin.ModelAdmin

#: In days, how old a request is at least.
_AGES = (1, 3, 7, 14, 30, 90)


class FieldFilter(admin.SimpleListFilter):
    """By the value of the field that the parameter is named after."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 # Django's
        """Filters."""
        value = self.value()
        return queryset if value is None else queryset.filter(**{str(self.parameter_name): value})


class StatusFilter(FieldFilter):
    """By status, of all kinds together."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 # Django's
        """Returns every status that there is, also where nothing has it now."""
        found = dict.fromkeys([each.value for statuses in STATUSES.values() for each in statuses])
        return [(each, each.replace("_", " ")) for each in found]


class KindFilter(FieldFilter):
    """By kind."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 # Django's
        """Returns the kinds."""
        return [(each.value, each.value) for each in SubjectKind]


class AgeFilter(admin.SimpleListFilter):
    """By the time since the request."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 # Django's
        """Returns the ages."""
        return [(str(each), f"{each} day{'s' if each > 1 else ''} or older") for each in _AGES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 # Django's
        """Filters."""
        if self.value() not in {str(each) for each in _AGES}:
            return queryset
        return queryset.filter(requested_at__lte=timezone.now() - timedelta(days=int(self.value() or 0)))


@frozen
class Line:
    """A line of a breakdown: how deep it is in the tree, and what it says."""

    depth: int
    amount: str
    name: str

    @property
    def indent(self) -> str:
        """Returns an em space for each level; a style would need a content security policy that allows it."""
        return "\u2003" * self.depth


@admin.register(StoredReturn)
class StoredReturnAdmin(ModelAdmin):
    """Lists and shows; what changes is done by forms that ask first."""

    list_display = ("return_id", "kind", "order_id", "status", "needs_attention", "requested_at")
    list_filter = (StatusFilter, "needs_attention", AgeFilter, KindFilter)
    search_fields = ("return_id__startswith", "order_id__startswith")
    search_help_text = "The beginning of an id of a return, exchange, claim or order"
    ordering = ("-requested_at", "return_id")
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 # Django's
        """Returns False: a customer's request is made by the host's pages."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 # Django's
        """Returns False: what is stored is changed by commands."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 # Django's
        """Returns False."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Returns an address for each action, and Django's own."""
        asked = self.admin_site.admin_view(self.ask_view)
        return [
            path("<path:object_id>/do/<str:name>/", asked, name="rma_storedreturn_do"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 # Django's
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Returns the page of one: its status, what it is worth, what happened, what can be done."""
        row = self._row(request, object_id)
        try:
            subject = find_subject(row)
            timeline = get_service().timeline(row.order_id)
        except RmaError as error:
            return self._page(request, "rma/admin/unreadable.html", row, {"error": str(error)})
        context = {
            "subject": subject,
            "facts": list(_facts(subject)),
            "items": subject.items if isinstance(subject, Return) else (),
            "breakdown": [] if isinstance(subject, Exchange) else list(_lines(subject.breakdown)),
            "refunds": () if isinstance(subject, Exchange) else subject.entitlement.refunds,
            "timeline": [(each, list(_lines(each.breakdown))) for each in timeline],
            "possible": [each for each in possible_actions(subject) if _may(request, each)],
            **(extra_context or {}),
        }
        return self._page(request, "rma/admin/detail.html", row, context)

    def ask_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Returns the form that asks whether it is to be done; once it is sent, does it."""
        row = self._row(request, object_id)
        action = ACTIONS.get(name)
        if action is None:
            raise Http404
        if not _may(request, action):
            raise PermissionDenied
        try:
            subject = find_subject(row)
        except RmaError as error:
            return self._page(request, "rma/admin/unreadable.html", row, {"error": str(error)})
        if request.method != "POST":
            return self._ask(request, row, action, action.form(subject), ())
        form = action.form(subject, request.POST)
        if not form.is_valid():
            return self._ask(request, row, action, form, ())
        try:
            get_service().handle(form.command(request.user.get_username()))
        except RmaError as error:
            wrong = error.violations if isinstance(error, Rejected) else [error]
            return self._ask(
                request, row, action, form, [str(each) for each in wrong], error.http_status_hint
            )
        self.message_user(request, f"Done: {action.label.lower()}, {row.return_id}.", messages.SUCCESS)
        page = reverse(
            "admin:rma_storedreturn_change", args=[quote(row.pk)], current_app=self.admin_site.name
        )
        return HttpResponseRedirect(page)

    def _row(self, request: HttpRequest, object_id: str) -> StoredReturn:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def _ask(
        self,
        request: HttpRequest,
        row: StoredReturn,
        action: Action,
        form: ActionForm,
        wrong: Sequence[str],
        status: int = 400,
    ) -> HttpResponse:
        context = {"action": action, "form": form, "wrong": wrong}
        status = status if wrong or form.errors else 200
        return self._page(request, "rma/admin/ask.html", row, context, status)

    def _page(
        self,
        request: HttpRequest,
        template: str,
        row: StoredReturn,
        context: dict[str, Any],
        status: int = 200,
    ) -> HttpResponse:
        every = {
            **self.admin_site.each_context(request),
            "title": f"{row.kind} {row.return_id}",
            "opts": self.opts,
            "row": row,
            **context,
        }
        request.current_app = self.admin_site.name  # as on Django's own pages
        return TemplateResponse(request, template, every, status=status)


def find_subject(row: StoredReturn) -> Subject:
    """
    Returns the return, exchange or claim of a row.

    Raises:
        RmaError: it cannot be read, or the database does not answer.
    """
    service = get_service()
    match row.kind:
        case SubjectKind.EXCHANGE.value:
            return service.get_exchange(row.return_id)
        case SubjectKind.CLAIM.value:
            return service.get_claim(row.return_id)
        case _:
            return service.get(row.return_id)


def _may(request: HttpRequest, action: Action) -> bool:
    user: Any = request.user
    return bool(user.has_perm(action.permission))


def _facts(subject: Subject) -> Iterator[tuple[str, object]]:
    """Yields what is said at the top of the page."""
    yield "order", subject.order_id
    yield "status", subject.status.value.replace("_", " ")
    yield "needs attention", "yes" if subject.needs_attention else "no"
    yield "requested", subject.requested_at
    yield "by", subject.created_by or "unknown"
    if isinstance(subject, Exchange):
        yield "return", subject.return_id
        yield "difference due", subject.difference_due
    else:
        entitlement = subject.entitlement
        yield "entitled to", entitlement.entitled
        yield "paid or on its way", entitlement.paid
        yield "due", entitlement.due
    for key in subject.stuck_effects:
        yield "stuck", key


def _lines(parts: Iterable[AmountPart], depth: int = 0) -> Iterator[Line]:
    for part in parts:
        yield Line(depth, str(part.amount), part.name)
        if len(part.parts) > 1:
            yield from _lines(part.parts, depth + 1)
