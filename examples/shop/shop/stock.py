"""The stock of the shop."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

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
    units: dict[str, int] = {}
    for line in lines:
        units[line.item_id] = units.get(line.item_id, 0) + sign * line.quantity
    if StockMovement.objects.filter(key=key).exists():
        return
    movements = [
        StockMovement(key=key, item_id=item_id, quantity=quantity, place=place)
        for item_id, quantity in units.items()
    ]
    try:
        with transaction.atomic():
            StockMovement.objects.bulk_create(movements)
    except IntegrityError:  # another process has moved them in this moment
        if not StockMovement.objects.filter(key=key).exists():
            raise
