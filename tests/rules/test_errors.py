"""Errors are data: a class, a code, numbers and a status hint."""

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
    """Not found outranks state, state outranks the request, and the request outranks the idempotency key."""
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
    """Among violations of one class, the first gives the code; the message lists all."""
    error = rejection(
        [Violation("no_items"), Violation("invalid_quantity", "a", {"quantity": 0, "minimum": 1})]
    )

    assert error.code == "no_items"
    assert str(error) == "no items given; line a: quantity must be an integer of at least 1, not 0"


def test_a_code_of_the_host_is_rendered_from_its_name_and_numbers() -> None:
    """A code that a policy adds is Invalid, and its message is the code in words with its numbers."""
    error = rejection([Violation("too_smelly", "shoe", {"grade": 7})])

    assert type(error) is Invalid
    assert str(error) == "line shoe: too smelly (grade 7)"
    assert str(Violation("too_smelly")) == "too smelly"


def test_a_code_without_its_numbers_is_rendered_from_its_name() -> None:
    """NotFound may be raised with any details, and its message shows them."""
    assert str(NotFound("order_not_found", {"id": 5})) == "order not found (id 5)"
    assert NotFound("order_not_found").violations == (Violation("order_not_found"),)
    without_a_date = {"return_id": "r", "return_by": None, "hint": "it never expires"}
    assert str(Violation("not_expired_yet", numbers=without_a_date)) == (
        "not expired yet (return_id r): it never expires"
    )


@pytest.mark.parametrize("code", sorted(_CODES))
def test_every_code_is_snake_case_and_has_a_message(code: str) -> None:
    """Every code is in snake case and has a message and an error class."""
    kind, template = _CODES[code]

    assert code == code.lower()
    assert code.replace("_", "").isalpha()
    assert template
    assert issubclass(kind, RmaError)


def test_the_class_of_an_error_gives_its_status_hint() -> None:
    """Conflicts, refusals, outages and wrong values are separate classes, each with an HTTP status hint."""
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
def test_errors_survive_pickling_and_copying(error: RmaError) -> None:
    """A pickled or copied error has the same class, code, details, message and violations."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert (twin.code, twin.details, str(twin)) == (error.code, error.details, str(error))
        assert getattr(twin, "violations", None) == getattr(error, "violations", None)


def test_a_violation_whose_code_belongs_to_another_error_is_invalid() -> None:
    """A violation with the code of an error that is not a refusal is rejected as Invalid."""
    assert type(rejection([Violation("stale_ledger")])) is Invalid
