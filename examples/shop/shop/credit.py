"""Store credit of customers."""

from collections.abc import Iterable

from django.db.models import Sum

from rma import (
    CreditRequest,
    Money,
    PlannedRefund,
    Refund,
    RefundDeclined,
    RefundOutcome,
    RefundSucceeded,
)
from shop.models import StoreCredit
from shop.orders import CURRENCY


class ShopCredits:
    """Writes one row for each key; a `rma.Credits`."""

    def give(self, request: CreditRequest) -> RefundOutcome:
        """Gives the credit with its bonus."""
        who = request.payee or request.customer_id
        if who is None:
            return RefundDeclined("no_customer")
        given = {"customer_id": int(who), "amount": request.total.amount}
        row, _ = StoreCredit.objects.get_or_create(key=request.key, defaults=given)
        return RefundSucceeded(f"credit-{row.key}")


def bonus_of(refunds: Iterable[PlannedRefund | Refund]) -> Money | None:
    """Returns what is given on top of store credit."""
    bonuses = [each.bonus for each in refunds if each.bonus is not None]
    return sum(bonuses[1:], start=bonuses[0]) if bonuses else None


def balance(customer_id: int) -> Money:
    """Returns the credit that the customer has."""
    found = StoreCredit.objects.filter(customer_id=customer_id).aggregate(sum=Sum("amount"))["sum"]
    return Money(found or 0, CURRENCY)
