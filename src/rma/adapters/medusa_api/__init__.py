"""
The returns side of Medusa v1's store and admin API, as pure functions: JSON to commands, values to JSON.

No web framework and no dependency: route requests here with the framework that the host uses;
`examples/http_api.py` does it with Starlette. `json_schema` validates JSON against `schemas`, `requests`
makes commands of it; `serializers`, `line_items` and `errors` turn values into JSON; `responses` collects
those values from a service; `orders` reads the orders of a Medusa store. This package contains no rules
about returns.
"""

from rma.adapters.medusa_api.errors import error_json, plain_error
from rma.adapters.medusa_api.json_schema import MalformedRequest, Problem, loads
from rma.adapters.medusa_api.openapi import openapi
from rma.adapters.medusa_api.orders import gross_discounts, line_item_from_medusa, order_from_medusa
from rma.adapters.medusa_api.requests import Page, cancel_return, page, receive_return, request_return
from rma.adapters.medusa_api.responses import (
    order_response,
    reason_response,
    reasons_response,
    return_response,
    returns_response,
)
from rma.adapters.medusa_api.serializers import (
    Expand,
    order_json,
    reason_json,
    reason_tree_json,
    reasons_json,
    return_json,
)

__all__ = [
    "Expand",
    "MalformedRequest",
    "Page",
    "Problem",
    "cancel_return",
    "error_json",
    "gross_discounts",
    "line_item_from_medusa",
    "loads",
    "openapi",
    "order_from_medusa",
    "order_json",
    "order_response",
    "page",
    "plain_error",
    "reason_json",
    "reason_response",
    "reason_tree_json",
    "reasons_json",
    "reasons_response",
    "receive_return",
    "request_return",
    "return_json",
    "return_response",
    "returns_response",
]
