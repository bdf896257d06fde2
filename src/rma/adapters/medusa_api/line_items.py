"""Renders a line item as Medusa's clients read it: its scalar fields, and totals as Medusa defines them."""

from collections.abc import Mapping

from attrs import evolve

from rma.adapters.medusa_api.host_fields import LINE_ITEM, provided
from rma.domain.sale.order import LineItem
from rma.domain.values.tax import tax_sums


def line_json(
    order_id: str,
    line: LineItem,
    *,
    order_discount: int = 0,
    returned_quantity: int = 0,
    variant: dict[str, object] | None = None,
    host: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """
    Renders a line with its totals, in minor units.

    Args:
        order_id: the order that contains the line.
        line: the line to render.
        order_discount: the line's share of the discounts on the whole order, in minor units.
        returned_quantity: units that were returned, through this library or without it.
        variant: the JSON object of its variant, if the host provides one.
        host: the fields of `host_fields.LINE_ITEM`, as far as the host provides them.
    """
    rendered: dict[str, object] = {
        "id": line.id,
        "order_id": order_id,
        "cart_id": None,
        "swap_id": None,
        "claim_order_id": None,
        "title": line.title,
        "is_return": False,
        "variant_id": line.variant_id,
        "unit_price": line.unit_price.amount,
        "quantity": line.quantity,
        "fulfilled_quantity": line.fulfilled_quantity,
        "returned_quantity": returned_quantity,
        "includes_tax": line.is_tax_inclusive,
        **_totals(line, line.discounted_price.amount - order_discount),
        "metadata": line.metadata or None,
        **provided(LINE_ITEM, host),
    }
    return rendered if variant is None else {**rendered, "variant": variant}


def _totals(line: LineItem, discounted: int) -> dict[str, int]:
    """Subtotal and discount without tax; subtotal - discount + tax is the total, to the minor unit."""
    tax = _tax(line, discounted)
    if not line.is_tax_inclusive:
        return {
            "subtotal": line.price.amount,
            "discount_total": line.price.amount - discounted,
            "tax_total": tax,
            "total": discounted + tax,
        }
    undiscounted = line
    if discounted != line.price.amount:  # the tax charged is known for the discounted price only
        undiscounted = evolve(line, tax_lines=[evolve(each, amount=None) for each in line.tax_lines])
    subtotal = line.price.amount - _tax(undiscounted, line.price.amount)
    return {
        "subtotal": subtotal,
        "discount_total": max(0, subtotal - (discounted - tax)),
        "tax_total": tax,
        "total": discounted,
    }


def _tax(line: LineItem, amount: int) -> int:
    running_sums = tax_sums(amount, line.tax_lines, is_tax_inclusive=line.is_tax_inclusive)
    return running_sums[-1] if running_sums else 0
