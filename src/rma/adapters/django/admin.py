"""
The back office in Django's admin: returns, exchanges and claims of all orders, and what a clerk does to one.

It needs `RMA["SERVICE"]`, and nothing here changes anything but by a command of that service.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from rma.adapters.django.clerk import ACTIONS, ORDER_ACTIONS, Action, Offered, possible_actions
from rma.adapters.django.conf import get_service
from rma.adapters.django.export import export_response
from rma.adapters.django.filters import AgeFilter, KindFilter, StatusFilter
from rma.adapters.django.forms import ActionForm, OrderForm
from rma.adapters.django.models import StoredReturn
from rma.adapters.django.page import attention_of, context_of, find_titles, lines_of, pending_of, words
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject, SubjectKind
from rma.domain.values.errors import Rejected, RmaError
from rma.service import ReturnService

if TYPE_CHECKING:  # Django's own class takes no arguments
    ModelAdmin = admin.ModelAdmin[StoredReturn]
else:
    ModelAdmin = admin.ModelAdmin

AnOffer = TypeVar("AnOffer", bound=Offered)
AForm = TypeVar("AForm", bound=Form)

#: What is said on the page: that it cannot be read now, or that `RMA["SERVICE"]` is missing or wrong.
_UNREADABLE = (RmaError, ImproperlyConfigured)


@admin.register(StoredReturn)
class StoredReturnAdmin(ModelAdmin):
    """Lists and shows; what changes is done by forms that ask first."""

    list_display = ("return_id", "kind", "order_id", "status_words", "attention", "requested_at")
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

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Returns False for what PostgreSQL cannot look for; a filter ignores what it does not offer."""
        own = {each.parameter_name for each in (StatusFilter, KindFilter, AgeFilter)}
        if "\0" in value and lookup not in own:
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Returns the row of this id, or None; PostgreSQL cannot look for an id with a NUL."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    @admin.display(description="status", ordering="status")
    def status_words(self, row: StoredReturn) -> str:
        """Returns it as the filter has it."""
        return words(str(row.status))

    @admin.display(description="needs attention", ordering="needs_attention")
    def attention(self, row: StoredReturn) -> str:
        """Returns a word: the icon of Django would praise what is in trouble."""
        return "yes" if row.needs_attention else "no"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Returns the list."""
        return super().changelist_view(
            request, {"title": "Returns, exchanges and claims", **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        """Returns an address for each action, and Django's own."""
        asked, of_order = map(self.admin_site.admin_view, (self.ask_view, self.order_view))
        return [
            path("<path:object_id>/do/<str:name>/", asked, name="rma_storedreturn_do"),
            path("<path:object_id>/order/<str:name>/", of_order, name="rma_storedreturn_order"),
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
            service = get_service()
            subject, titles = find_subject(row), find_titles(service, row.order_id)
            timeline = service.timeline(row.order_id)
            context = {
                **context_of(subject, service, titles),
                "refunds": () if isinstance(subject, Exchange) else subject.entitlement.refunds,
                "timeline": [(each, list(lines_of(each.breakdown, titles))) for each in timeline],
                "possible": [each for each in possible_actions(subject) if _may(request, each)],
                "of_order": [each for each in ORDER_ACTIONS.values() if _may(request, each)],
                **(extra_context or {}),
            }
        except _UNREADABLE as error:
            return self._unreadable(request, row, error)
        return self._page(request, "rma/admin/detail.html", row, context)

    def ask_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Returns the form that asks whether it is to be done; once it is sent, does it."""
        row = self._row(request, object_id)
        action = _allowed(request, ACTIONS, name)

        def do(service: ReturnService, form: ActionForm) -> HttpResponse:
            service.handle(form.command(request.user.get_username()))
            self._tell(request, row, action)
            return self._back(row)

        return self._ask_first(request, row, action, action.form, do)

    def order_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Returns the form that asks whether it is to be done with the whole order; once sent, does it."""
        row = self._row(request, object_id)
        action = _allowed(request, ORDER_ACTIONS, name)

        def form_for(_: Subject, __: Mapping[str, str], data: Mapping[str, Any] | None = None) -> OrderForm:
            return action.form(data)

        do = {"export": self._export, "redact": self._redact}[action.name]
        return self._ask_first(request, row, action, form_for, partial(do, request, row))

    def _ask_first(
        self,
        request: HttpRequest,
        row: StoredReturn,
        action: Offered,
        form_for: Callable[..., AForm],
        do: Callable[[ReturnService, AForm], HttpResponse],
    ) -> HttpResponse:
        """Returns the form, with what is wrong with it if it was sent; or does it once nothing is."""
        try:
            service = get_service()
            subject, titles = find_subject(row), find_titles(service, row.order_id)
            shown = context_of(subject, service, titles)
        except _UNREADABLE as error:
            return self._unreadable(request, row, error)
        if request.method != "POST":
            return self._ask(request, row, action, form_for(subject, titles), shown, ())
        form = form_for(subject, titles, request.POST)
        if not form.is_valid():
            return self._ask(request, row, action, form, shown, ())
        try:
            return do(service, form)
        except RmaError as error:
            wrong = error.violations if isinstance(error, Rejected) else [error]
            said = [str(each) for each in wrong]
            return self._ask(request, row, action, form, shown, said, error.http_status_hint)

    def _export(
        self, request: HttpRequest, row: StoredReturn, service: ReturnService, _: OrderForm
    ) -> HttpResponse:
        answer = export_response(service.export(row.order_id))
        self.log_change(request, row, f"All that is stored of order {row.order_id} was exported.")
        return answer

    def _redact(
        self, request: HttpRequest, row: StoredReturn, service: ReturnService, form: OrderForm
    ) -> HttpResponse:
        by = request.user.get_username()
        event = service.redact(row.order_id, form.cleaned_data["groups"], created_by=by)
        if event is None:
            self.message_user(request, f"Order {row.order_id}: there was nothing to take away.")
        else:
            done = f"Order {row.order_id} was redacted: {', '.join(event.fields)}."
            self.message_user(request, done, messages.SUCCESS)
        return self._back(row)

    def _back(self, row: StoredReturn) -> HttpResponse:
        page = reverse(
            "admin:rma_storedreturn_change", args=[quote(row.pk)], current_app=self.admin_site.name
        )
        return HttpResponseRedirect(page)

    def _tell(self, request: HttpRequest, row: StoredReturn, action: Action) -> None:
        """Says what was done, and what became of it: a port may have failed since."""
        done = f"{action.label}, {row.return_id}"
        try:
            subject = find_subject(row)
        except RmaError as error:
            self.message_user(request, f"Done: {done}. It cannot be read now: {error}", messages.WARNING)
            return
        if troubles := "; ".join(attention_of(subject)):
            self.message_user(request, f"{done}. It needs attention: {troubles}.", messages.WARNING)
        elif pending := ", ".join(pending_of(subject)):
            text = f"{done}. It was asked for; the outcome is pending: {pending}."
            self.message_user(request, text, messages.WARNING)
        else:
            self.message_user(request, f"Done: {done}.", messages.SUCCESS)

    def _row(self, request: HttpRequest, object_id: str) -> StoredReturn:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row: StoredReturn | None = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def _ask(
        self,
        request: HttpRequest,
        row: StoredReturn,
        action: Offered,
        form: Form,
        shown: dict[str, Any],
        wrong: Sequence[str],
        status: int = 400,
    ) -> HttpResponse:
        context = {**shown, "action": action, "form": form, "wrong": wrong}
        status = status if wrong or form.errors else 200
        return self._page(request, "rma/admin/ask.html", row, context, status)

    def _unreadable(self, request: HttpRequest, row: StoredReturn, error: Exception) -> HttpResponse:
        return self._page(request, "rma/admin/unreadable.html", row, {"error": str(error)})

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


def _allowed(request: HttpRequest, actions: Mapping[str, AnOffer], name: str) -> AnOffer:
    """
    Returns the action of this name.

    Raises:
        Http404: there is none.
        PermissionDenied: the user may not do it.
    """
    action = actions.get(name)
    if action is None:
        raise Http404
    if not _may(request, action):
        raise PermissionDenied
    return action


def _may(request: HttpRequest, action: Offered) -> bool:
    user: Any = request.user
    return bool(user.has_perm(action.permission))
