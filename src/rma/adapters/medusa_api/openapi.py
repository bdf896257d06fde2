"""The routes as an OpenAPI 3.1 document; its schemas are those that requests are parsed by."""

from collections.abc import Mapping

from rma.adapters.medusa_api.schemas import (
    ANSWERS,
    CANCEL_RETURN,
    CREATE_RETURN,
    LIST_RETURNS,
    REASON_TREE,
    RECEIVE_RETURN,
)

Json = dict[str, object]

_WRONG = {
    "400": "The request can not be done as it stands",
    "401": "No token, or a wrong one",
    "404": "Not found",
    "409": "Wrong state, or a key that stands for another request",
    "413": "The body is too large",
    "415": "The body is not declared as JSON",
    "422": "Not the shape of a request",
    "500": "Something went wrong here",
    "503": "Not available now",
}
_READING = ("404", "500", "503")
_DOING = tuple(_WRONG)
_ID: Json = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Sent again under the same key, the request is done once.",
    "schema": {"type": "string"},
}


def openapi(*, title: str = "Returns", version: str = "1") -> Json:
    """The document, as JSON."""
    create, receive = _body("CreateReturn"), _body("ReceiveReturn")
    cancel = {**_body("CancelReturn"), "required": False}
    schemas = {
        **{name: _in_components(schema) for name, schema in ANSWERS.items()},
        "ReturnReasonTree": _in_components(REASON_TREE),
        "CreateReturn": CREATE_RETURN,
        "ReceiveReturn": RECEIVE_RETURN,
        "CancelReturn": CANCEL_RETURN,
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": {
            "/store/returns": {
                "post": _route("create", "Return", _DOING, [_KEY], body=create, token="customer")
            },
            "/store/return-reasons": {"get": _route("listReasons", "ReturnReasons", _READING)},
            "/store/return-reasons/{id}": {"get": _route("getReason", "ReturnReason", _READING, [_ID])},
            "/admin/returns": {
                "get": _route("list", "Returns", ("401", "422", "500", "503"), _query(), token="admin")
            },
            "/admin/returns/{id}": {"get": _route("get", "Return", ("401", *_READING), [_ID], token="admin")},
            "/admin/returns/{id}/receive": {
                "post": _route("receive", "Return", _DOING, [_ID, _KEY], body=receive, token="admin")
            },
            "/admin/returns/{id}/cancel": {
                "post": _route("cancel", "Order", _DOING, [_ID, _KEY], body=cancel, token="admin")
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "customer": {"type": "http", "scheme": "bearer"},
                "admin": {"type": "apiKey", "in": "header", "name": "x-medusa-access-token"},
            },
        },
    }


def _route(
    name: str,
    answer: str,
    wrong: tuple[str, ...],
    parameters: list[Json] | None = None,
    *,
    body: Json | None = None,
    token: str | None = None,
) -> Json:
    route: Json = {
        "operationId": name,
        "parameters": parameters or [],
        "responses": {
            "200": {"description": "Done", "content": _content(answer)},
            **{status: {"description": _WRONG[status], "content": _content("Error")} for status in wrong},
        },
    }
    if body is not None:
        route["requestBody"] = body
    if token is not None:
        route["security"] = [{token: []}]
    return route


def _body(name: str) -> Json:
    return {"required": True, "content": _content(name)}


def _content(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _query() -> list[Json]:
    properties = LIST_RETURNS["properties"]
    assert isinstance(properties, Mapping)
    return [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]


def _in_components(schema: object) -> object:
    """The schema with its references to definitions of its own turned to the components of the document."""
    if isinstance(schema, list):
        return [_in_components(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: value.replace("#/$defs/", "#/components/schemas/")
        if name == "$ref" and isinstance(value, str)
        else _in_components(value)
        for name, value in schema.items()
        if name != "$defs"
    }
