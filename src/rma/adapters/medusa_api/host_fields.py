"""
The fields that Medusa v1's published schemas require and this library does not know.

They are part of every response: as the host's callback provides them, else null. What else the callback
returns for these objects is left out, so that responses match the schemas.
"""

from collections.abc import Mapping
from typing import Final

#: Of `LineItem`.
LINE_ITEM: Final = (
    "allow_discounts",
    "created_at",
    "description",
    "has_shipping",
    "is_giftcard",
    "order_edit_id",
    "original_item_id",
    "shipped_quantity",
    "should_merge",
    "thumbnail",
    "updated_at",
)

#: Of `Order`.
ORDER: Final = (
    "billing_address_id",
    "canceled_at",
    "cart_id",
    "display_id",
    "draft_order_id",
    "email",
    "external_id",
    "idempotency_key",
    "region_id",
    "shipping_address_id",
    "tax_rate",
    "updated_at",
)

#: Of `ShippingOption`.
SHIPPING_OPTION: Final = (
    "admin_only",
    "created_at",
    "data",
    "deleted_at",
    "metadata",
    "profile_id",
    "region_id",
    "updated_at",
)

#: Of `ReturnReason`.
RETURN_REASON: Final = ("created_at", "deleted_at", "updated_at")


def provided(names: tuple[str, ...], host: Mapping[str, object] | None) -> dict[str, object]:
    """Returns these fields as the host provides them; null for those that it does not have."""
    return dict.fromkeys(names) if host is None else {name: host.get(name) for name in names}
