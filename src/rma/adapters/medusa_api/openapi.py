"""Renders the routes as an OpenAPI 3.1 document, with the schemas that requests are parsed with."""

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

_ERRORS = {
    "400": "The request breaks a rule, or the return is in another state",
    "401": "The token is missing or wrong",
    "404": "Not found",
    "408": "The body did not arrive in time",
    "409": "Others changed the order's returns: send it again; or the key belongs to another request",
    "413": "The body is too large",
    "415": "The body is not declared as JSON",
    "422": "The request does not match its schema",
    "500": "Internal error",
    "503": "Not available now",
}
_READ_ERRORS = ("404", "500", "503")
_WRITE_ERRORS = tuple(_ERRORS)
_ID: Json = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A request that is sent again with the same key is handled once.",
    "schema": {"type": "string"},
}


def openapi(*, title: str = "Returns", version: str = "1") -> Json:
    """Returns the document as a JSON object."""
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
                "post": _route("create", "Return", _WRITE_ERRORS, [_KEY], body=create, token="customer")
            },
            "/store/return-reasons": {"get": _route("listReasons", "ReturnReasons", _READ_ERRORS)},
            "/store/return-reasons/{id}": {"get": _route("getReason", "ReturnReason", _READ_ERRORS, [_ID])},
            "/admin/returns": {
                "get": _route("list", "Returns", ("401", "422", "500", "503"), _query(), token="admin")
            },
            "/admin/returns/{id}": {
                "get": _route("get", "Return", ("401", *_READ_ERRORS), [_ID], token="admin")
            },
            "/admin/returns/{id}/receive": {
                "post": _route("receive", "Return", _WRITE_ERRORS, [_ID, _KEY], body=receive, token="admin")
            },
            "/admin/returns/{id}/cancel": {
                "post": _route("cancel", "Order", _WRITE_ERRORS, [_ID, _KEY], body=cancel, token="admin")
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
    errors: tuple[str, ...],
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
            **{status: {"description": _ERRORS[status], "content": _content("Error")} for status in errors},
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
    """Returns the schema with its `$defs` references changed to the components of the document."""
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
