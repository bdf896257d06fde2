"""The part of a Medusa v1 order that is read. Other keys are ignored; optional values may be null."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from rma.adapters.medusa_api.json_schema import Schema


class DiscountJson(TypedDict):
    """A discount; its code becomes the code of the adjustment."""

    code: NotRequired[str | None]


class AdjustmentJson(TypedDict):
    """What a discount took off the net price of a line."""

    amount: int | float
    discount: NotRequired[DiscountJson | None]


class TaxJson(TypedDict):
    """A tax of a line or shipping method: percent."""

    rate: int | float
    code: NotRequired[str | None]
    name: NotRequired[str | None]


class LineJson(TypedDict):
    """A line item."""

    id: str
    quantity: int
    unit_price: int
    adjustments: list[AdjustmentJson]
    tax_lines: list[TaxJson]
    title: NotRequired[str | None]
    variant_id: NotRequired[str | None]
    fulfilled_quantity: NotRequired[int | None]
    returned_quantity: NotRequired[int | None]
    includes_tax: NotRequired[bool | None]
    metadata: NotRequired[dict[str, object] | None]


class PaymentJson(TypedDict):
    """A payment, captured or not."""

    id: str
    amount: int
    amount_refunded: NotRequired[int | None]
    captured_at: NotRequired[str | None]
    canceled_at: NotRequired[str | None]
    provider_id: NotRequired[str | None]


class MethodJson(TypedDict):
    """A shipping method."""

    id: str
    price: int
    shipping_option_id: NotRequired[str | None]
    includes_tax: NotRequired[bool | None]
    tax_lines: NotRequired[list[TaxJson] | None]
    data: NotRequired[dict[str, object] | None]


class OrderJson(TypedDict):
    """An order."""

    id: str
    currency_code: str
    items: list[LineJson]
    payments: list[PaymentJson]
    status: NotRequired[str | None]
    canceled_at: NotRequired[str | None]
    created_at: NotRequired[str | None]
    customer_id: NotRequired[str | None]
    tax_rate: NotRequired[int | float | None]
    shipping_methods: NotRequired[list[MethodJson] | None]
    no_notification: NotRequired[bool | None]
    metadata: NotRequired[dict[str, object] | None]


def _object(required: Mapping[str, Schema | str], optional: Mapping[str, Schema | str]) -> Schema:
    """Returns the schema of an object that may have other keys, and whose optional values may be null."""
    properties = {name: _kind(kind) for name, kind in required.items()}
    for name, kind in optional.items():
        wanted = dict(_kind(kind))
        properties[name] = wanted | {"type": [wanted["type"], "null"]}
    return {"type": "object", "properties": properties, "required": list(required)}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _kind(kind: Schema | str) -> Schema:
    return {"type": kind} if isinstance(kind, str) else kind


TAXES = _array(_object({"rate": "number"}, {"code": "string", "name": "string"}))
ADJUSTMENTS = _array(_object({"amount": "number"}, {"discount": _object({}, {"code": "string"})}))
LINE = _object(
    {
        "id": "string",
        "quantity": "integer",
        "unit_price": "integer",
        "adjustments": ADJUSTMENTS,
        "tax_lines": TAXES,
    },
    {
        "title": "string",
        "variant_id": "string",
        "fulfilled_quantity": "integer",
        "returned_quantity": "integer",
        "includes_tax": "boolean",
        "metadata": "object",
    },
)
PAYMENT = _object(
    {"id": "string", "amount": "integer"},
    {
        "amount_refunded": "integer",
        "captured_at": "string",
        "canceled_at": "string",
        "provider_id": "string",
    },
)
METHOD = _object(
    {"id": "string", "price": "integer"},
    {"shipping_option_id": "string", "includes_tax": "boolean", "tax_lines": TAXES, "data": "object"},
)
ORDER = _object(
    {"id": "string", "currency_code": "string", "items": _array(LINE), "payments": _array(PAYMENT)},
    {
        "status": "string",
        "canceled_at": "string",
        "created_at": "string",
        "customer_id": "string",
        "tax_rate": "number",
        "shipping_methods": _array(METHOD),
        "no_notification": "boolean",
        "metadata": "object",
    },
)
