"""The stock of the shop."""

from collections.abc import Iterable

from django.db import transaction

from rma import DisposeRequest, RestockRequest, StockLine, WithdrawRequest
from shop.models import StockMovement

#: Where goods can be sold again.
STOCK = "stock"


class ShopStock:
    """Writes one movement for each key and line; a `rma.Inventory` with `rma.Disposal`."""

    def restock(self, request: RestockRequest) -> None:
        """Adds these units, once for the key."""
        _move(request.key, request.lines, 1, STOCK)

    def withdraw(self, request: WithdrawRequest) -> None:
        """Takes these units out again, once for the key."""
        _move(request.key, request.lines, -1, STOCK)

    def dispose(self, request: DisposeRequest) -> None:
        """Brings these units where the disposition says, once for the key."""
        _move(request.key, request.lines, 1, request.disposition)


def _move(key: str, lines: Iterable[StockLine], sign: int, place: str) -> None:
    with transaction.atomic():
        for line in lines:
            moved = {"quantity": sign * line.quantity, "place": place}
            StockMovement.objects.get_or_create(key=key, item_id=line.item_id, defaults=moved)
