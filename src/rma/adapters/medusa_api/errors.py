"""Renders refusals and failures as Medusa's errors: `type`, `code`, `message`, and an HTTP status."""

from attrs import evolve

from rma.adapters.medusa_api.json_schema import MalformedRequest, Problem
from rma.adapters.medusa_api.keys import client_key
from rma.domain.values.errors import (
    Conflict,
    IdempotencyKeyReused,
    Invalid,
    NotAllowed,
    NotFound,
    Rejected,
    RmaError,
    Unavailable,
    Violation,
    rejection,
)

#: The largest number of errors in a response: a body of mistakes gets a short response.
_MOST_ERRORS = 100

_TYPES: dict[type[RmaError], str] = {
    NotFound: "not_found",
    NotAllowed: "not_allowed",
    Invalid: "invalid_data",
    IdempotencyKeyReused: "conflict",
}


def error_json(error: Exception) -> tuple[int, dict[str, object]]:
    """
    Returns the HTTP status and the body of an error response.

    Medusa's clients send a request again if the response is 409, so it is that only where this may help, and
    for a key that belongs to another request. A state that does not permit the request is 400, as in Medusa.

    `errors` lists the violations if there are several, and every problem of a malformed request. The body
    never contains the message of an exception of the host, or of a store that cannot be reached.

    >>> from rma import NotFound
    >>> from rma.adapters.medusa_api import error_json
    >>> status, body = error_json(NotFound("order_not_found", {"order_id": "order_1"}))
    >>> status, body["type"], body["message"]
    (404, 'not_found', 'order order_1 not found')
    """
    match error:
        case MalformedRequest():
            return error.http_status_hint, {
                "type": "invalid_data",
                "code": error.code,
                "message": _summary([str(problem) for problem in error.problems]),
                "errors": [_problem_json(problem) for problem in error.problems[:_MOST_ERRORS]],
            }
        case Rejected(violations=(violation,)):
            return _status(error), _violation_json(_as_sent(violation), _type(error))
        case Rejected():
            return _status(error), {
                "type": _type(error),
                "code": "multiple_errors",
                "message": _summary([str(_as_sent(violation)) for violation in error.violations]),
                "errors": [
                    _violation_json(_as_sent(violation), _type(rejection([violation])))
                    for violation in error.violations[:_MOST_ERRORS]
                ],
            }
        case Conflict():
            message = "the order's returns changed meanwhile; send the request again with the same key"
            return error.http_status_hint, plain_error("conflict", error.code, message)
        case Unavailable():
            message = "not available now; send the request again later with the same key"
            return error.http_status_hint, plain_error("unexpected_state", "unavailable", message)
        case _:
            return 500, plain_error("unknown_error", "api_error", "an internal error")


def plain_error(kind: str, code: str, message: str) -> dict[str, object]:
    """Returns an error as Medusa renders it: `type` is `kind`."""
    return {"type": kind, "code": code, "message": message}


def _status(error: Rejected) -> int:
    return 400 if isinstance(error, NotAllowed) else error.http_status_hint


def _type(error: Rejected) -> str:
    return next((name for kind, name in _TYPES.items() if isinstance(error, kind)), "invalid_data")


def _as_sent(violation: Violation) -> Violation:
    """Returns the violation with the idempotency key that the client sent, without its scope."""
    key = violation.numbers.get("idempotency_key")
    if not isinstance(key, str):
        return violation
    sent = client_key(key)
    shown = "(too long to be shown)" if sent is None else sent
    return evolve(violation, numbers={**violation.numbers, "idempotency_key": shown})


def _violation_json(violation: Violation, kind: str) -> dict[str, object]:
    body = plain_error(kind, violation.code, str(violation))
    if violation.item_id is not None:
        body["item_id"] = violation.item_id
    if violation.numbers:
        body["numbers"] = violation.numbers
    return body


def _problem_json(problem: Problem) -> dict[str, object]:
    return {**plain_error("invalid_data", problem.code, str(problem)), "path": problem.path}


def _summary(messages: list[str]) -> str:
    first, *others = messages
    return f"{first} (and {len(others)} more)" if others else first
