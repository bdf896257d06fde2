"""Errors are data: codes, numbers, and whose move is next."""

import copy
import pickle

import pytest

from rma import (
    Conflict,
    IdempotencyKeyReused,
    Invalid,
    InvalidValue,
    NotAllowed,
    NotFound,
    Rejected,
    RmaError,
    StaleLedger,
    Unavailable,
    Violation,
)
from rma.domain.values.errors import _CODES, rejection


def test_the_gravest_violation_gives_class_code_and_hint() -> None:
    """Not found, then state, then the request, then the key."""
    found = {
        "idempotency_key_reused": IdempotencyKeyReused,
        "no_items": Invalid,
        "order_canceled": NotAllowed,
        "return_not_found": NotFound,
    }
    broken: list[Violation] = []
    for code, kind in found.items():
        broken.append(Violation(code))
        error = rejection(broken)
        assert (type(error), error.code) == (kind, code)
        assert [violation.code for violation in error.violations] == [each.code for each in broken]
    assert [kind.http_status_hint for kind in found.values()] == [409, 400, 409, 404]


def test_of_equally_grave_ones_the_first_counts() -> None:
    """In request order."""
    error = rejection(
        [Violation("no_items"), Violation("invalid_quantity", "a", {"quantity": 0, "minimum": 1})]
    )

    assert error.code == "no_items"
    assert str(error) == "no items given; line a: quantity must be an integer of at least 1, not 0"


def test_a_code_of_a_hosts_own_is_told_in_its_own_words() -> None:
    """Policies may add violations."""
    error = rejection([Violation("too_smelly", "shoe", {"grade": 7})])

    assert type(error) is Invalid
    assert str(error) == "line shoe: too smelly (grade 7)"
    assert str(Violation("too_smelly")) == "too smelly"


def test_a_code_without_its_numbers_still_tells_itself() -> None:
    """Hosts raise NotFound with whatever details they have."""
    assert str(NotFound("order_not_found", {"id": 5})) == "order not found (id 5)"
    assert NotFound("order_not_found").violations == (Violation("order_not_found"),)


@pytest.mark.parametrize("code", sorted(_CODES))
def test_every_code_is_snake_case_and_has_a_message(code: str) -> None:
    """Codes are API."""
    kind, template = _CODES[code]

    assert code == code.lower()
    assert code.replace("_", "").isalpha()
    assert template
    assert issubclass(kind, RmaError)


def test_errors_say_whose_move_is_next() -> None:
    """The tree that callers catch by."""
    assert issubclass(Rejected, RmaError)
    assert issubclass(StaleLedger, Conflict)
    assert issubclass(InvalidValue, ValueError)
    hints = {
        kind: kind.http_status_hint for kind in (RmaError, InvalidValue, Conflict, Unavailable, Rejected)
    }
    assert list(hints.values()) == [500, 500, 409, 503, 400]


@pytest.mark.parametrize(
    "error",
    [
        rejection([Violation("no_items"), Violation("order_canceled", None, {"order_id": "o"})]),
        StaleLedger("stale_ledger", {"order_id": "o", "expected": 1, "found": 2}),
        InvalidValue("invalid_value", {"field": "f"}),
    ],
)
def test_errors_travel(error: RmaError) -> None:
    """Through copies and task queues, with everything they say."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert (twin.code, twin.details, str(twin)) == (error.code, error.details, str(error))
        assert getattr(twin, "violations", None) == getattr(error, "violations", None)


def test_an_error_of_no_known_code_outside_requests_is_an_error_all_the_same() -> None:
    """A class that is no refusal does not become one."""
    assert type(rejection([Violation("stale_ledger")])) is Invalid
