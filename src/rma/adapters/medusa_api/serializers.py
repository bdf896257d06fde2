"""
Renders returns, reasons and orders as Medusa's clients read them: pure functions, from values to JSON.

Amounts are in minor units. What the library does not know (carts, regions, products, when a reason was
created) is null or left out, or is provided by the host's `Expand`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from rma.adapters.medusa_api import host_fields
from rma.adapters.medusa_api.host_fields import provided
from rma.adapters.medusa_api.keys import client_key
from rma.adapters.medusa_api.line_items import line_json
from rma.domain.sale.catalogue import ReturnReason, ShippingMethod, ShippingOption
from rma.domain.sale.order import LineItem, Order
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.tax import TaxLine
from rma.domain.views.order_state import OrderState

#: A JSON object.
Json = dict[str, object]

#: Provides what the library does not have: called with a kind and an id, it returns a JSON object, or None.
#: An `order`, `swap`, `claim_order`, `variant` or `product` is rendered as it is; of an `order`, `line_item`,
#: `shipping_option` or `return_reason` that the library renders, only the fields of `host_fields` are taken.
Expand = Callable[[str, str], Mapping[str, object] | None]

#: Medusa has four statuses; these of ours are rendered as one of them. The items show what was received.
_STATUSES = {
    "partially_received": "requested",
    "pending_approval": "requested",
    "in_inspection": "requested",
    "declined": "canceled",
    "expired": "canceled",
}


def nothing(_kind: str, _id: str) -> None:
    """An `Expand` that leaves everything out."""


def return_json(
    ret: Return,
    *,
    order: Order | None = None,
    siblings: Iterable[Return] = (),
    reasons: Iterable[ReturnReason] = (),
    shipping_option: ShippingOption | None = None,
    expand: Expand = nothing,
) -> Json:
    """
    Renders the `return` object of Medusa's responses.

    Args:
        ret: the return to render.
        order: the order of the return, for the lines of its items.
        siblings: all returns of the order including this one, for `returned_quantity` of those lines; by
            default only this one.
        reasons: the catalogue, for `reason`.
        shipping_option: the option of the shipping method.
        expand: provides the other objects.
    """
    lines = order_lines(order, tuple(siblings) or (ret,), expand) if order else {}
    return return_with_lines(
        ret, lines, {reason.id: reason for reason in reasons}, shipping_option, expand=expand
    )


def return_with_lines(
    ret: Return,
    lines: Mapping[str, Json],
    reasons: Mapping[str, ReturnReason],
    shipping_option: ShippingOption | None,
    *,
    expand: Expand = nothing,
) -> Json:
    """Renders the `return` object with lines that are rendered already, and reasons, by id."""
    rendered: Json = {
        "id": ret.id,
        "status": status_of(ret.status),
        "order_id": ret.order_id,
        "swap_id": ret.exchange_id,
        "claim_order_id": ret.claim_id,
        "location_id": ret.location_id,
        "refund_amount": ret.refund_amount.amount,
        "no_notification": ret.no_notification,
        "idempotency_key": client_key(ret.idempotency_key),
        "received_at": _timestamp(ret.received_at),
        "created_at": _timestamp(ret.requested_at),
        "updated_at": _timestamp(ret.updated_at),
        "shipping_data": _shipping_data(ret),
        "metadata": ret.metadata or None,
        "shipping_method": _method_json(ret, ret.shipping_method, shipping_option, expand),
        "items": [
            _item_json(ret, items, reasons, lines.get(item_id), expand)
            for item_id, items in _by_line(ret.items).items()
        ],
    }
    for kind, wanted_id in (
        ("order", ret.order_id),
        ("swap", ret.exchange_id),
        ("claim_order", ret.claim_id),
    ):
        if wanted_id is not None and (expansion := expand(kind, wanted_id)) is not None:
            rendered[kind] = dict(expansion)
    return rendered


def status_of(status: ReturnStatus) -> str:
    """
    Returns Medusa's name of a status.

    >>> from rma import ReturnStatus
    >>> status_of(ReturnStatus.PARTIALLY_RECEIVED)
    'requested'
    """
    return _STATUSES.get(status.value, status.value)


def order_json(
    order: Order,
    state: OrderState,
    returns: Iterable[Json],
    items: Iterable[Json],
    *,
    expand: Expand = nothing,
) -> Json:
    """Renders the `order` object of Medusa's responses, with returns and lines that are rendered already."""
    paid = sum(payment.captured.amount for payment in order.payments)
    return {
        "id": order.id,
        "status": order.status.value,
        "fulfillment_status": state.fulfillment_status.value,
        "payment_status": state.payment_status.value,
        "customer_id": order.customer_id,
        "currency_code": order.currency,
        "created_at": _timestamp(order.created_at),
        "no_notification": order.no_notification,
        "paid_total": paid,
        "refunded_total": state.refunded.amount,
        "refundable_amount": state.refundable.amount,
        "metadata": order.metadata or None,
        "items": list(items),
        "returns": list(returns),
        "object": "order",
        **provided(host_fields.ORDER, expand("order", order.id)),
    }


def order_lines(order: Order, returns: Iterable[Return], expand: Expand = nothing) -> dict[str, Json]:
    """Renders the lines of an order, by id, with the units that these returns received."""
    arrived: dict[str, int] = {}
    for each in returns:
        for item in each.items:
            arrived[item.item_id] = arrived.get(item.item_id, 0) + item.arrived_quantity
    discounts = order.allocated_adjustments()
    return {
        line.id: line_json(
            order.id,
            line,
            order_discount=sum(shares),
            returned_quantity=line.returned_quantity + arrived.get(line.id, 0),
            variant=_variant_json(line, expand),
            host=expand("line_item", line.id),
        )
        for line, shares in zip(order.items, discounts, strict=True)
    }


def reason_json(reason: ReturnReason, *, expand: Expand = nothing) -> Json:
    """Renders a return reason without its children."""
    return {
        "id": reason.id,
        "value": reason.value,
        "label": reason.label,
        "description": reason.description,
        "parent_return_reason_id": reason.parent_id,
        "metadata": reason.metadata or None,
        **provided(host_fields.RETURN_REASON, expand("return_reason", reason.id)),
    }


def reasons_json(catalogue: Iterable[ReturnReason], *, expand: Expand = nothing) -> list[Json]:
    """Renders the reasons that can be chosen as trees; retired ones are left out."""
    available = [reason for reason in catalogue if not reason.retired]
    ids = {reason.id for reason in available}
    roots = [reason for reason in available if reason.parent_id not in ids]
    return [_tree(reason, available, frozenset(), expand) for reason in roots]


def reason_tree_json(
    catalogue: Iterable[ReturnReason], reason_id: str, *, expand: Expand = nothing
) -> Json | None:
    """Renders one reason with its children; None if it does not exist or is retired."""
    available = [reason for reason in catalogue if not reason.retired]
    found = next((reason for reason in available if reason.id == reason_id), None)
    return _tree(found, available, frozenset(), expand) if found else None


def _tree(reason: ReturnReason, available: list[ReturnReason], above: frozenset[str], expand: Expand) -> Json:
    above |= {reason.id}  # a catalogue with a cycle ends here
    below = [each for each in available if each.parent_id == reason.id and each.id not in above]
    return {
        **reason_json(reason, expand=expand),
        "return_reason_children": [_tree(each, available, above, expand) for each in below],
    }


def _by_line(items: Iterable[ReturnItem]) -> dict[str, list[ReturnItem]]:
    """Medusa has one item for each line of a return: the items of a line are rendered as one."""
    found: dict[str, list[ReturnItem]] = {}
    for item in items:
        found.setdefault(item.item_id, []).append(item)
    return found


def _item_json(
    ret: Return,
    items: list[ReturnItem],
    reasons: Mapping[str, ReturnReason],
    line: Json | None,
    expand: Expand,
) -> Json:
    """Renders the items of a line: quantities are added; reason, note and metadata are the first given."""
    requested = [item.quantity for item in items if item.is_requested]
    reason_id = next((item.reason_id for item in items if item.reason_id is not None), None)
    reason = reasons.get(reason_id) if reason_id is not None else None
    return {
        "return_id": ret.id,
        "item_id": items[0].item_id,
        "quantity": sum([item.allocated_quantity for item in items]),
        "is_requested": bool(requested),
        "requested_quantity": sum(requested) if requested else None,
        "received_quantity": sum([item.arrived_quantity for item in items]) if _has_arrivals(ret) else None,
        "reason_id": reason_id,
        "reason": reason_json(reason, expand=expand) if reason else None,
        "note": next((item.note for item in items if item.note is not None), None),
        "metadata": next((item.metadata for item in items if item.metadata), None),
        "item": line,
    }


def _has_arrivals(ret: Return) -> bool:
    return any(receipt.items for receipt in ret.receipts)


def _variant_json(line: LineItem, expand: Expand) -> Json | None:
    variant = expand("variant", line.variant_id) if line.variant_id is not None else None
    if variant is None:
        return None
    product_id = variant.get("product_id")
    product = expand("product", product_id) if isinstance(product_id, str) else None
    return dict(variant) if product is None else {**variant, "product": dict(product)}


def _method_json(
    ret: Return, method: ShippingMethod | None, option: ShippingOption | None, expand: Expand
) -> Json | None:
    if method is None:
        return None
    return {
        "id": method.id,
        "shipping_option_id": method.option_id,
        "order_id": None,
        "claim_order_id": None,
        "cart_id": None,
        "swap_id": None,
        "return_id": ret.id,
        "price": method.price.amount,
        "includes_tax": method.is_tax_inclusive,
        "subtotal": method.subtotal.amount,
        "tax_total": method.tax_total.amount,
        "total": method.total.amount,
        "data": method.data,
        "tax_lines": [
            _tax_json(ret, method, number, tax) for number, tax in enumerate(method.tax_lines, start=1)
        ],
        "shipping_option": _option_json(option, expand) if option else None,
    }


def _tax_json(ret: Return, method: ShippingMethod, number: int, tax: TaxLine) -> Json:
    return {
        "id": f"smtl_{method.id.removeprefix('sm_')}_{number}",
        "code": tax.code,
        "name": tax.label if tax.name is None else tax.name,
        "rate": _number(tax.percent),
        "shipping_method_id": method.id,
        "created_at": _timestamp(ret.requested_at),
        "updated_at": _timestamp(ret.requested_at),
        "metadata": None,
    }


def _option_json(option: ShippingOption, expand: Expand) -> Json:
    return {
        "id": option.id,
        "name": option.name,
        "provider_id": option.provider_id,
        "price_type": "flat_rate",
        "amount": option.price.amount,
        "is_return": option.is_return,
        "includes_tax": option.is_tax_inclusive,
        **provided(host_fields.SHIPPING_OPTION, expand("shipping_option", option.id)),
    }


def _shipping_data(ret: Return) -> Json | None:
    """Renders the carrier's data, with the tracking number and label URL unless the data has its own."""
    if ret.shipment is None:
        return None
    named = {"tracking_number": ret.shipment.tracking_number, "label_url": ret.shipment.label_url}
    return {**{name: value for name, value in named.items() if value is not None}, **ret.shipment.data}


def _number(rate: Decimal) -> int | float:
    return int(rate) if rate == rate.to_integral_value() else float(rate)


def _timestamp(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
