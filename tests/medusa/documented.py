"""The bodies and fields of Medusa's documentation of Create Return, as Python data."""

from typing import Final

#: The example request; each value shows its type.
REQUEST: Final = {
    "order_id": "string",
    "return_shipping": {"option_id": "string"},
    "items": [{"item_id": "string", "quantity": 0, "reason_id": "string", "note": "string"}],
}

#: Fields of `return` that are marked required, and the types they may have.
REQUIRED: Final[dict[str, tuple[type, ...]]] = {
    "id": (str,),
    "swap_id": (str, type(None)),
    "claim_order_id": (str, type(None)),
    "order_id": (str, type(None)),
    "location_id": (str, type(None)),
    "refund_amount": (int,),
    "no_notification": (bool, type(None)),
    "received_at": (str, type(None)),
    "created_at": (str,),
    "updated_at": (str,),
    "status": (str,),
    "shipping_data": (dict, type(None)),
    "idempotency_key": (str, type(None)),
    "metadata": (dict, type(None)),
}
STATUSES: Final = {"requested", "received", "requires_action", "canceled"}

#: Nested fields of the example response, without objects that only the host knows: carts, regions, products.
METHOD: Final = {
    "id", "shipping_option_id", "order_id", "claim_order_id", "cart_id", "swap_id", "return_id", "price",
    "includes_tax", "subtotal", "total", "tax_total", "data", "tax_lines", "shipping_option",
}  # fmt: skip
TAX_LINE: Final = {
    "id", "code", "name", "rate", "shipping_method_id", "created_at", "updated_at", "metadata",
}  # fmt: skip
OPTION: Final = {
    "id", "name", "provider_id", "amount", "is_return", "includes_tax", "price_type",
    "region_id", "profile_id", "admin_only", "data", "metadata", "created_at", "updated_at", "deleted_at",
}  # fmt: skip
ITEM: Final = {
    "return_id", "item_id", "quantity", "is_requested", "requested_quantity", "received_quantity",
    "reason_id", "note", "metadata", "reason", "item",
}  # fmt: skip
REASON: Final = {
    "id", "value", "label", "description", "parent_return_reason_id", "metadata",
    "created_at", "updated_at", "deleted_at",
}  # fmt: skip
LINE: Final = {
    "id", "cart_id", "order_id", "swap_id", "claim_order_id", "title", "is_return", "unit_price",
    "variant_id", "quantity", "fulfilled_quantity", "returned_quantity", "subtotal", "tax_total", "total",
    "discount_total", "includes_tax", "metadata", "description", "thumbnail", "is_giftcard", "should_merge",
    "allow_discounts", "has_shipping", "shipped_quantity", "original_item_id", "order_edit_id", "created_at",
    "updated_at",
}  # fmt: skip

#: The fields that the published schema of an order requires.
ORDER: Final = {
    "billing_address_id", "canceled_at", "cart_id", "created_at", "currency_code", "customer_id",
    "draft_order_id", "display_id", "email", "external_id", "fulfillment_status", "id", "idempotency_key",
    "metadata", "no_notification", "object", "payment_status", "region_id", "shipping_address_id", "status",
    "tax_rate", "updated_at",
}  # fmt: skip

#: The values of the example response.
FIGURES: Final = {
    "return_id": "ret_01F0YET7XPCMF8RZ0Y151NZV2V",
    "order_id": "order_01G8TJSYT9M6AVS5N4EMNFS1EK",
    "location_id": "sloc_01G8TJSYT9M6AVS5N4EMNFS1EK",
    "refund_amount": 1000,
    "at": "2019-08-24T14:15:22Z",
    "option_id": "so_01G1G5V27GYX4QXNARRQCW1N8T",
    "option_name": "PostFake Standard",
    "shipping_price": 200,
    "rate": 10,
    "reason_id": "rr_01G8X82GCCV2KSQHDBHSSAH5TQ",
    "item_id": "item_01G8ZC9GWT6B2GP5FSXRXNFNGN",
    "variant_id": "variant_01G1G5V2MRX2V3PVSR2WXYPFB6",
    "title": "Medusa Coffee Mug",
    "unit_price": 8000,
}
