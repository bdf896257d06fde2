"""
JSON Schemas (draft 2020-12) of what travels: request bodies and answers, as plain data.

Requests are parsed by these very schemas; answers are built by hand and held to them by tests.
"""

from typing import Final

from rma.adapters.medusa_api.json_schema import LARGEST_INTEGER, Schema

_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_MOMENT: Final = {"type": "string", "format": "date-time"}
_INTEGER: Final = {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_NULL: Final = {"type": "null"}
_OBJECT: Final = {"type": "object"}
_OBJECT_OR_NULL: Final = {"type": ["object", "null"]}
_METADATA: Final = _OBJECT_OR_NULL


def _object(optional: tuple[str, ...] = (), /, **properties: Schema) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _array(items: Schema) -> dict[str, object]:
    return {"type": "array", "items": items}


def _nullable(schema: Schema) -> dict[str, object]:
    return {"anyOf": [schema, _NULL]}


#: Body of POST /store/returns.
CREATE_RETURN: Final = _object(
    ("return_shipping",),
    order_id=_TEXT,
    return_shipping=_object(option_id=_TEXT),
    items=_array(
        _object(
            ("reason_id", "note"),
            item_id=_TEXT,
            quantity=_INTEGER,
            reason_id=_TEXT,
            note=_TEXT,
        )
    ),
)

#: Body of POST /admin/returns/:id/receive; `damaged_quantity`, `allow_mismatch`, `more_expected` are ours.
RECEIVE_RETURN: Final = _object(
    ("refund", "location_id", "allow_mismatch", "more_expected"),
    items=_array(
        _object(
            ("damaged_quantity",),
            item_id=_TEXT,
            quantity=_INTEGER,
            damaged_quantity=_INTEGER,
        )
    ),
    refund=_INTEGER,
    location_id=_TEXT,
    allow_mismatch=_FLAG,
    more_expected=_FLAG,
)

#: Body of POST /admin/returns/:id/cancel, which may be missing altogether.
CANCEL_RETURN: Final = _object()

#: Query of GET /admin/returns.
LIST_RETURNS: Final = _object(
    ("limit", "offset"),
    limit={"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    offset={"type": "integer", "minimum": 0, "maximum": LARGEST_INTEGER, "default": 0},
)

_REASON_FIELDS: Final[dict[str, Schema]] = {
    "id": _TEXT,
    "value": _TEXT,
    "label": _TEXT,
    "description": _TEXT_OR_NULL,
    "parent_return_reason_id": _TEXT_OR_NULL,
    "metadata": _METADATA,
}

#: A return reason beside the item it was given for.
REASON: Final = _object(**_REASON_FIELDS)

#: A return reason in the catalogue, with those below it.
REASON_TREE: Final = _object(
    **_REASON_FIELDS, return_reason_children=_array({"$ref": "#/$defs/ReturnReasonTree"})
)

#: A line item: its scalars, and its variant where the host's callback tells it.
LINE_ITEM: Final = _object(
    ("variant",),
    id=_TEXT,
    order_id=_TEXT,
    cart_id=_NULL,
    swap_id=_NULL,
    claim_order_id=_NULL,
    title=_TEXT,
    is_return={"const": False},
    variant_id=_TEXT_OR_NULL,
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
)

#: A return item.
RETURN_ITEM: Final = _object(
    return_id=_TEXT,
    item_id=_TEXT,
    quantity=_COUNT,
    is_requested=_FLAG,
    requested_quantity={"type": ["integer", "null"], "minimum": 1},
    received_quantity={"type": ["integer", "null"], "minimum": 0},
    reason_id=_TEXT_OR_NULL,
    reason=_nullable(REASON),
    note=_TEXT_OR_NULL,
    metadata=_METADATA,
    item=_nullable(LINE_ITEM),
)

#: A shipping option, as far as the library knows it.
SHIPPING_OPTION: Final = _object(
    id=_TEXT,
    name=_TEXT,
    provider_id=_TEXT_OR_NULL,
    price_type={"const": "flat_rate"},
    amount=_COUNT,
    is_return=_FLAG,
    includes_tax=_FLAG,
)

#: How the goods of a return travel.
SHIPPING_METHOD: Final = _object(
    id=_TEXT,
    shipping_option_id=_TEXT_OR_NULL,
    order_id=_NULL,
    claim_order_id=_NULL,
    cart_id=_NULL,
    swap_id=_NULL,
    return_id=_TEXT,
    price=_COUNT,
    includes_tax=_FLAG,
    subtotal=_COUNT,
    tax_total=_COUNT,
    total=_COUNT,
    data=_OBJECT,
    tax_lines=_array(
        _object(
            id=_TEXT,
            code=_TEXT_OR_NULL,
            name=_TEXT,
            rate={"type": "number", "minimum": 0},
            shipping_method_id=_TEXT,
            created_at=_MOMENT,
            updated_at=_MOMENT,
            metadata=_NULL,
        )
    ),
    shipping_option=_nullable(SHIPPING_OPTION),
)

#: A return; `order`, `swap` and `claim_order` where the host's callback tells them.
RETURN: Final = _object(
    ("order", "swap", "claim_order"),
    id=_TEXT,
    status={"enum": ["requested", "received", "requires_action", "canceled"]},
    order_id=_TEXT,
    swap_id=_TEXT_OR_NULL,
    claim_order_id=_TEXT_OR_NULL,
    location_id=_TEXT_OR_NULL,
    refund_amount=_COUNT,
    no_notification=_FLAG,
    idempotency_key=_TEXT_OR_NULL,
    received_at={"type": ["string", "null"], "format": "date-time"},
    created_at=_MOMENT,
    updated_at=_MOMENT,
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
    id=_TEXT,
    status=_TEXT,
    fulfillment_status=_TEXT,
    payment_status=_TEXT,
    customer_id=_TEXT_OR_NULL,
    currency_code=_TEXT,
    created_at={"type": ["string", "null"], "format": "date-time"},
    no_notification=_FLAG,
    paid_total=_COUNT,
    refunded_total=_COUNT,
    refundable_amount=_COUNT,
    metadata=_METADATA,
    items=_array(LINE_ITEM),
    returns=_array(RETURN),
)

_ONE_ERROR: Final[dict[str, Schema]] = {
    "type": _TEXT,
    "code": _TEXT,
    "message": _TEXT,
    "path": _TEXT,
    "item_id": _TEXT,
    "numbers": _OBJECT,
}
_WHERE: Final = ("path", "item_id", "numbers")

#: Any refusal; `errors` lists what is wrong when it is several things, or the shape of the request.
ERROR: Final = _object((*_WHERE, "errors"), **_ONE_ERROR, errors=_array(_object(_WHERE, **_ONE_ERROR)))

#: What the routes answer, by name.
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
