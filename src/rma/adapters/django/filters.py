"""The filters of the list in the admin."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from rma.adapters.django.page import words
from rma.domain.state.ledger import SubjectKind
from rma.domain.views.query import STATUSES

#: In days, how old a request is at least.
_AGES = (1, 3, 7, 14, 30, 90)


class FieldFilter(admin.SimpleListFilter):
    """By the value of the field that the parameter is named after."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002 # Django's
        """Filters; a value that is not offered filters nothing."""
        value = self.value()
        if value not in [each for each, _ in self.lookup_choices]:
            return queryset
        return queryset.filter(**{str(self.parameter_name): value})


class StatusFilter(FieldFilter):
    """By status, of all kinds together."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 # Django's
        """Returns every status that there is, also where nothing has it now."""
        found = dict.fromkeys([each.value for statuses in STATUSES.values() for each in statuses])
        return [(each, words(each)) for each in found]


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
