"""What clerks see of the shop besides returns."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from rma import Money
from shop.models import ChargeAttempt
from shop.orders import CURRENCY
from shop.words import amount_text

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[ChargeAttempt]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(ChargeAttempt)
class ChargeAttemptAdmin(ModelAdmin):
    """Charges for exchanges: a clerk who looked at the gateway says how one ended that is for a clerk."""

    list_display = ("key", "order", "money", "state", "at")
    list_filter = ("state",)
    readonly_fields = ("key", "order", "exchange_id", "amount", "by", "at")

    @admin.display(description="amount")
    def money(self, attempt: ChargeAttempt) -> str:
        """Returns its amount as it is read."""
        return amount_text(Money(attempt.amount, CURRENCY))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 # Django passes it
        """No one adds one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 # as above
        """No one removes one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ChargeAttempt | None = None) -> bool:
        """Those that go on by themselves, and those that ended, stay as they are."""
        is_for_clerks = obj is None or obj.state == ChargeAttempt.State.STUCK
        return is_for_clerks and super().has_change_permission(request, obj)
