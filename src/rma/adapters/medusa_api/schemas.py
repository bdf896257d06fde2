"""
JSON Schemas (draft 2020-12) of request bodies and responses, as plain data.

Requests are parsed with these schemas; responses are built by hand, and tests compare them with the schemas.
"""

from typing import Final

from rma.adapters.medusa_api import host_fields
from rma.adapters.medusa_api.json_schema import LARGEST_INTEGER, Schema

_STRING: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_TIMESTAMP: Final = {"type": "string", "format": "date-time"}
_INTEGER: Final = {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
_STRING_OR_NULL: Final = {"type": ["string", "null"]}
_NULL: Final = {"type": "null"}
_OBJECT: Final = {"type": "object"}
_OBJECT_OR_NULL: Final = {"type": ["object", "null"]}
_METADATA: Final = _OBJECT_OR_NULL
_INTEGER_OR_NULL: Final = {"type": ["integer", "null"]}
_FLAG_OR_NULL: Final = {"type": ["boolean", "null"]}
_TIMESTAMP_OR_NULL: Final = {"type": ["string", "null"], "format": "date-time"}

#: The fields that the host provides; those that are not here are strings or null.
_HOST_TYPES: Final[dict[str, Schema]] = {
    **dict.fromkeys(
        ("allow_discounts", "has_shipping", "is_giftcard", "should_merge", "admin_only"), _FLAG_OR_NULL
    ),
    **dict.fromkeys(("created_at", "updated_at", "deleted_at", "canceled_at"), _TIMESTAMP_OR_NULL),
    **dict.fromkeys(("shipped_quantity", "display_id"), _INTEGER_OR_NULL),
    **dict.fromkeys(("data", "metadata"), _OBJECT_OR_NULL),
    "tax_rate": {"type": ["number", "null"]},
}


def _object(optional: tuple[str, ...] = (), /, **properties: Schema) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _array(items: Schema) -> dict[str, object]:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> dict[str, object]:
    return {**schema, "type": [schema["type"], "null"]}


def _body(optional: tuple[str, ...] = (), /, **properties: Schema) -> dict[str, object]:
    """The schema of a request: null is an optional field that is left out."""
    return _object(
        optional,
        **{name: _or_null(each) if name in optional else each for name, each in properties.items()},
    )


def _host_fields(names: tuple[str, ...]) -> dict[str, Schema]:
    return {name: _HOST_TYPES.get(name, _STRING_OR_NULL) for name in names}


def _nullable(schema: Schema) -> dict[str, object]:
    return {"anyOf": [schema, _NULL]}


#: Body of POST /store/returns.
CREATE_RETURN: Final = _body(
    ("return_shipping",),
    order_id=_STRING,
    return_shipping=_object(option_id=_STRING),
    items=_array(
        _body(
            ("reason_id", "note"),
            item_id=_STRING,
            quantity=_INTEGER,
            reason_id=_STRING,
            note=_STRING,
        )
    ),
)

#: Body of POST /admin/returns/:id/receive; `damaged_quantity`, `allow_mismatch`, `more_expected` are ours.
RECEIVE_RETURN: Final = _body(
    ("refund", "location_id", "allow_mismatch", "more_expected"),
    items=_array(
        _body(
            ("damaged_quantity",),
            item_id=_STRING,
            quantity=_INTEGER,
            damaged_quantity=_INTEGER,
        )
    ),
    refund=_INTEGER,
    location_id=_STRING,
    allow_mismatch=_FLAG,
    more_expected=_FLAG,
)

#: Body of POST /admin/returns/:id/cancel, which may have no body.
CANCEL_RETURN: Final = _object()

#: The largest page; a larger `limit` is this, and one below 1 is 1.
LARGEST_PAGE: Final = 100

#: Query of GET /admin/returns.
LIST_RETURNS: Final = _object(
    ("limit", "offset"),
    limit={"type": "integer", "default": 50, "description": f"Clipped to 1 to {LARGEST_PAGE}."},
    offset={"type": "integer", "minimum": 0, "maximum": LARGEST_INTEGER, "default": 0},
)

_REASON_FIELDS: Final[dict[str, Schema]] = {
    "id": _STRING,
    "value": _STRING,
    "label": _STRING,
    "description": _STRING_OR_NULL,
    "parent_return_reason_id": _STRING_OR_NULL,
    "metadata": _METADATA,
    **_host_fields(host_fields.RETURN_REASON),
}

#: A return reason inside a return item.
REASON: Final = _object(**_REASON_FIELDS)

#: A return reason in the catalogue, with its children.
REASON_TREE: Final = _object(
    **_REASON_FIELDS, return_reason_children=_array({"$ref": "#/$defs/ReturnReasonTree"})
)

#: A line item: its scalar fields, and its variant if the host's callback returns one.
LINE_ITEM: Final = _object(
    ("variant",),
    id=_STRING,
    order_id=_STRING,
    cart_id=_NULL,
    swap_id=_NULL,
    claim_order_id=_NULL,
    title=_STRING,
    is_return={"const": False},
    variant_id=_STRING_OR_NULL,
    unit_price=_COUNT,
    quantity=_COUNT,
    fulfilled_quantity=_COUNT,
    returned_quantity=_COUNT,
    includes_tax=_FLAG,
    subtotal=_COUNT,
    discount_total=_COUNT,
    tax_total=_COUNT,
    total=_COUNT,
    metadata=_METADATA,
    variant=_OBJECT,
    **_host_fields(host_fields.LINE_ITEM),
)

#: A return item.
RETURN_ITEM: Final = _object(
    return_id=_STRING,
    item_id=_STRING,
    quantity=_COUNT,
    is_requested=_FLAG,
    requested_quantity={"type": ["integer", "null"], "minimum": 1},
    received_quantity={"type": ["integer", "null"], "minimum": 0},
    reason_id=_STRING_OR_NULL,
    reason=_nullable(REASON),
    note=_STRING_OR_NULL,
    metadata=_METADATA,
    item=_nullable(LINE_ITEM),
)

#: A shipping option.
SHIPPING_OPTION: Final = _object(
    id=_STRING,
    name=_STRING,
    provider_id=_STRING_OR_NULL,
    price_type={"const": "flat_rate"},
    amount=_COUNT,
    is_return=_FLAG,
    includes_tax=_FLAG,
    **_host_fields(host_fields.SHIPPING_OPTION),
)

#: The shipping method of a return.
SHIPPING_METHOD: Final = _object(
    id=_STRING,
    shipping_option_id=_STRING_OR_NULL,
    order_id=_NULL,
    claim_order_id=_NULL,
    cart_id=_NULL,
    swap_id=_NULL,
    return_id=_STRING,
    price=_COUNT,
    includes_tax=_FLAG,
    subtotal=_COUNT,
    tax_total=_COUNT,
    total=_COUNT,
    data=_OBJECT,
    tax_lines=_array(
        _object(
            id=_STRING,
            code=_STRING_OR_NULL,
            name=_STRING,
            rate={"type": "number", "minimum": 0},
            shipping_method_id=_STRING,
            created_at=_TIMESTAMP,
            updated_at=_TIMESTAMP,
            metadata=_NULL,
        )
    ),
    shipping_option=_nullable(SHIPPING_OPTION),
)

#: A return; `order`, `swap` and `claim_order` if the host's callback returns them.
RETURN: Final = _object(
    ("order", "swap", "claim_order"),
    id=_STRING,
    status={"enum": ["requested", "received", "requires_action", "canceled"]},
    order_id=_STRING,
    swap_id=_STRING_OR_NULL,
    claim_order_id=_STRING_OR_NULL,
    location_id=_STRING_OR_NULL,
    refund_amount=_COUNT,
    no_notification=_FLAG,
    idempotency_key=_STRING_OR_NULL,
    received_at=_TIMESTAMP_OR_NULL,
    created_at=_TIMESTAMP,
    updated_at=_TIMESTAMP,
    shipping_data=_OBJECT_OR_NULL,
    metadata=_METADATA,
    shipping_method=_nullable(SHIPPING_METHOD),
    items=_array(RETURN_ITEM),
    order=_OBJECT,
    swap=_OBJECT,
    claim_order=_OBJECT,
)

#: An order after one of its returns was canceled.
ORDER: Final = _object(
    id=_STRING,
    status=_STRING,
    fulfillment_status=_STRING,
    payment_status=_STRING,
    customer_id=_STRING_OR_NULL,
    currency_code=_STRING,
    created_at=_TIMESTAMP_OR_NULL,
    no_notification=_FLAG,
    paid_total=_COUNT,
    refunded_total=_COUNT,
    refundable_amount=_COUNT,
    metadata=_METADATA,
    items=_array(LINE_ITEM),
    returns=_array(RETURN),
    object={"const": "order"},
    **_host_fields(host_fields.ORDER),
)

_ONE_ERROR: Final[dict[str, Schema]] = {
    "type": _STRING,
    "code": _STRING,
    "message": _STRING,
    "path": _STRING,
    "item_id": _STRING,
    "numbers": _OBJECT,
}
_OPTIONAL: Final = ("path", "item_id", "numbers")

#: Any error; `errors` lists several violations, or the problems of a malformed request.
ERROR: Final = _object((*_OPTIONAL, "errors"), **_ONE_ERROR, errors=_array(_object(_OPTIONAL, **_ONE_ERROR)))

#: The bodies of responses, by name.
ANSWERS: Final[dict[str, dict[str, object]]] = {
    "Return": _object(**{"return": RETURN}),
    "Returns": _object(returns=_array(RETURN), count=_COUNT, offset=_COUNT, limit=_COUNT),
    "Order": _object(order=_nullable(ORDER)),
    "ReturnReason": {
        **_object(return_reason={"$ref": "#/$defs/ReturnReasonTree"}),
        "$defs": {"ReturnReasonTree": REASON_TREE},
    },
    "ReturnReasons": {
        **_object(return_reasons=_array({"$ref": "#/$defs/ReturnReasonTree"})),
        "$defs": {"ReturnReasonTree": REASON_TREE},
    },
    "Error": ERROR,
}
