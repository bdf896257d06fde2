"""The orders of the shop, as returns read them."""

from datetime import datetime
from decimal import Decimal

from django.db import DatabaseError

from rma import (
    Adjustment,
    Charge,
    LineItem,
    Money,
    NotFound,
    Order,
    OrderStatus,
    Payment,
    TaxLine,
    Unavailable,
)
from shop import models

CURRENCY = "eur"
VAT = [TaxLine(Decimal(19), code="vat")]


class ShopOrders:
    """Reads orders; a `rma.OrderRepository`."""

    def get(self, order_id: str) -> Order:
        """
        Returns the order as it is now.

        Raises:
            NotFound: there is none.
            Unavailable: the database does not answer.
        """
        try:
            row = (
                models.Order.objects.filter(number=order_id)
                .prefetch_related("lines__product", "payments")
                .first()
            )
        except ValueError:  # what cannot be stored is the number of no order
            row = None
        except DatabaseError as error:
            raise Unavailable("orders_unavailable", {"order_id": order_id}) from error
        if row is None:
            raise NotFound("order_not_found", {"order_id": order_id})
        return as_order(row)


def as_order(row: models.Order) -> Order:
    """Returns an order of the shop as one of the library."""
    return Order(
        id=row.number,
        currency=CURRENCY,
        items=[as_line(line, row.delivered_at) for line in row.lines.all()],
        payments=[Payment(each.id, captured=each.captured, kind=each.kind) for each in row.payments.all()],
        status=OrderStatus.CANCELED if row.is_canceled else OrderStatus.COMPLETED,
        created_at=row.placed_at,
        customer_id=str(row.customer_id),
        charges=[
            Charge("delivery", "shipping", row.shipping, tax_lines=VAT, is_tax_inclusive=True),
        ]
        if row.shipping
        else [],
    )


def as_line(line: models.OrderLine, delivered_at: datetime | None) -> LineItem:
    """Returns a line as returns know it; what was not delivered cannot come back."""
    return LineItem(
        id=line.item_id,
        title=line.product.title,
        variant_id=line.product.sku,
        quantity=line.quantity,
        fulfilled_quantity=line.quantity if delivered_at else 0,
        unit_price=Money(line.unit_price, CURRENCY),
        adjustments=[Adjustment(Money(line.discount, CURRENCY), code="voucher")] if line.discount else [],
        tax_lines=VAT,
        is_tax_inclusive=True,
        delivered_at=delivered_at,
        tags=line.product.tags,
    )
