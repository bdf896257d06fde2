"""Where things can go, tried out: `tests.states` goes everywhere."""

from pathlib import Path

import pytest

from rma.domain.state.lifecycle import RefundStatus, refund_rules
from tests.states import KINDS, Move, moves, moves_of_ledgers, moves_of_refunds, page

PAGE = Path(__file__).parent.parent.parent / "docs" / "states.md"

#: Nothing leaves these, but what is named here.
FINAL = {
    "return": {"received", "canceled"},
    "refund": {"succeeded", "failed", "reversed"},
    "exchange": {"completed", "canceled"},
    "claim": {"completed", "canceled"},
}
ALLOWED = {
    # a gateway tells days later that it failed after all, or that the money came back
    ("refund", "succeeded", "failed"),
    ("refund", "succeeded", "reversed"),
    # nothing was paid: its refund failed, or was 0
    ("claim", "completed", "canceled"),
}


@pytest.fixture(scope="module")
def found() -> frozenset[Move]:
    """Every move."""
    return moves()


def test_the_page_draws_what_the_code_does(found: frozenset[Move]) -> None:
    """`python -m tests.states > docs/states.md` draws it anew."""
    assert PAGE.read_text(encoding="utf-8") == page(found)


def test_every_status_is_reached(found: frozenset[Move]) -> None:
    """One that is not would be a word without a meaning."""
    reached = {(move.kind, move.after) for move in found}

    assert reached == {(kind, status.value) for kind, statuses in KINDS.items() for status in statuses}


def test_nothing_leaves_an_end_but_what_is_allowed(found: frozenset[Move]) -> None:
    """Neither goods nor money move for what is over."""
    left = {
        (move.kind, move.before, move.after)
        for move in found
        if move.before in FINAL[move.kind] and move.after != move.before
    }

    assert left == ALLOWED


def test_a_refund_is_only_ever_better_known() -> None:
    """What is in force may change, what is over may not; of two that cannot be known neither is later."""
    for move in moves_of_refunds():
        before, after = RefundStatus(move.before), RefundStatus(move.after)
        unknown = {RefundStatus.PENDING, RefundStatus.NEEDS_ATTENTION}
        assert refund_rules(before).is_in_force, move
        assert after not in unknown or before in unknown, move


def test_refunds_in_ledgers_move_as_refunds_do(found: frozenset[Move]) -> None:
    """Whoever tells of them; and they all begin as pending."""
    of_refunds = {(move.before, move.after) for move in found if move.kind == "refund"}

    in_ledgers = {(move.before, move.after) for move in moves_of_ledgers() if move.kind == "refund"}

    assert in_ledgers <= of_refunds
    assert {after for before, after in in_ledgers if not before} == {"pending"}
