"""Tests of refusals and failures as Medusa renders them."""

from typing import Any

import pytest

from rma import (
    IdempotencyKeyReused,
    Invalid,
    InvalidValue,
    NotAllowed,
    NotFound,
    Rejected,
    RequestedItem,
    RequestReturn,
    StaleLedger,
    Unavailable,
    Violation,
)
from rma.adapters.medusa_api import MalformedRequest, error_json, request_return
from rma.adapters.medusa_api.schemas import ERROR
from rma.adapters.memory import in_memory_service

from .schema_validators import strict_validator


def render(error: Exception) -> tuple[int, Any]:
    """Returns the status and the body, which matches its schema."""
    status, body = error_json(error)
    strict_validator(ERROR).validate(body)  # type: ignore[arg-type] # its stubs spell JSON out
    return status, body


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFound("order_not_found", {"order_id": "o"}), 404, "not_found"),
        (NotFound("shipping_option_not_found", {"shipping_option_id": "so"}), 404, "not_found"),
        (NotAllowed("return_already_received", {"return_id": "r"}), 400, "not_allowed"),
        (IdempotencyKeyReused("idempotency_key_reused", {"idempotency_key": "k"}), 409, "conflict"),
        (Invalid("no_items"), 400, "invalid_data"),
    ],
)
def test_one_violation_is_rendered_at_the_top(error: Rejected, status: int, kind: str) -> None:
    """The body has its type, code, message and numbers."""
    assert render(error) == (
        status,
        {"type": kind, "code": error.code, "message": str(error)}
        | ({"numbers": dict(error.details)} if error.details else {}),
    )


def test_several_violations_are_listed() -> None:
    """The response has the status and type of the gravest; each violation has its own type."""
    items = [RequestedItem(item_id="a", quantity=0), RequestedItem(item_id="b", quantity=1, reason_id="no")]
    with pytest.raises(Rejected) as refused:
        in_memory_service().handle(RequestReturn(order_id="none", items=items))

    status, body = render(refused.value)

    assert (status, body["type"], body["code"]) == (404, "not_found", "multiple_errors")
    assert body["message"] == "order none not found (and 2 more)"
    assert [(each["type"], each["code"], each.get("item_id")) for each in body["errors"]] == [
        ("not_found", "order_not_found", None),
        ("invalid_data", "invalid_quantity", "a"),
        ("invalid_data", "return_reason_not_found", "b"),
    ]


def test_a_malformed_request_lists_the_place_of_each_problem() -> None:
    """A single problem is listed too."""
    with pytest.raises(MalformedRequest) as refused:
        request_return({"order_id": 1, "items": []})

    message = "$.order_id: must be a string, not an integer"
    error = {"type": "invalid_data", "code": "wrong_type", "message": message, "path": "$.order_id"}
    assert render(refused.value) == (
        422,
        {"type": "invalid_data", "code": "invalid_request_error", "message": message, "errors": [error]},
    )


def test_a_body_with_thousands_of_mistakes_gets_a_short_response() -> None:
    """The message has the number of mistakes; the list is cut."""
    with pytest.raises(MalformedRequest) as refused:
        request_return({"order_id": "o", "items": [], **{f"x{number}": 0 for number in range(5000)}})

    _, body = render(refused.value)

    assert len(body["errors"]) == 100
    assert body["message"] == "$.x0: is unknown (and 4999 more)"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StaleLedger("stale_ledger", {"order_id": "secret"}), 409, "stale_ledger"),
        (Unavailable("postgresql://user:secret@host is away"), 503, "unavailable"),
        (InvalidValue("invalid_value", {"field": "Order.secret"}), 500, "api_error"),
        (ValueError("secret"), 500, "api_error"),
    ],
)
def test_internal_details_are_not_rendered(error: Exception, status: int, code: str) -> None:
    """The body contains no address, id or message of an exception."""
    found, body = render(error)

    assert (found, body["code"]) == (status, code)
    assert "secret" not in str(body)


def test_a_violation_of_a_hosts_own_policy_is_invalid_data() -> None:
    """Codes that the library does not know are rendered as mistakes of the request."""
    violations = [Violation("only_on_mondays", "a"), Violation("no_items")]

    status, body = render(Rejected("only_on_mondays", violations=violations))

    assert status == 400
    assert [each["type"] for each in body["errors"]] == ["invalid_data", "invalid_data"]
