"""Makes commands of what customers filled in."""

from collections.abc import Iterable

from rma import Money, NewItem, RequestedItem, RequestExchange, RequestReturn
from shop.forms import LineForm, ReturnForm
from shop.models import Order, Product
from shop.orders import CURRENCY, VAT
from shop.policy import LABEL


def command_of(
    order: Order, lines: Iterable[LineForm], whole: ReturnForm, by: str
) -> RequestReturn | RequestExchange:
    """Returns what the customer asks for; all forms are valid."""
    chosen = [line for line in lines if line.cleaned_data["quantity"]]
    items = [
        RequestedItem(
            item_id=line.line.item_id,
            quantity=line.cleaned_data["quantity"],
            reason_id=line.cleaned_data["reason"],
            note=line.cleaned_data["note"] or None,
            images=line.cleaned_data["photos"],
        )
        for line in chosen
    ]
    said = whole.cleaned_data
    shipping_option_id = LABEL.id if said["way"] == LABEL.id else None
    if said["outcome"] == "exchange":
        return RequestExchange(
            order_id=order.number,
            items=items,
            new_items=_new_items(chosen),
            shipping_option_id=shipping_option_id,
            idempotency_key=said["key"],
            created_by=by,
        )
    return RequestReturn(
        order_id=order.number,
        items=items,
        outcome=said["outcome"],
        shipping_option_id=shipping_option_id,
        idempotency_key=said["key"],
        created_by=by,
    )


def _new_items(chosen: Iterable[LineForm]) -> list[NewItem]:
    wanted: dict[str, int] = {}
    for line in chosen:
        sku = line.cleaned_data.get("instead")  # where there is nothing of its kind, the form has no field
        if sku:
            wanted[sku] = wanted.get(sku, 0) + line.cleaned_data["quantity"]
    products = Product.objects.in_bulk(wanted)
    return [
        NewItem(
            variant_id=sku,
            quantity=quantity,
            unit_price=Money(products[sku].price, CURRENCY),
            title=products[sku].title,
            tax_lines=VAT,
            is_tax_inclusive=True,
        )
        for sku, quantity in wanted.items()
    ]
