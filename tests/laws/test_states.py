"""Every move and every refusal that `tests.states` finds by exploring is that of the table of states."""

import itertools
from pathlib import Path

import pytest

from rma import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    ReceiveReturn,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RenewShipment,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.state.lifecycle import RefundStatus, refund_rules
from rma.testing.commands import MAKERS
from tests.explored.engine import REQUESTS, Shop
from tests.states import (
    KINDS,
    SHOPS,
    Move,
    moves,
    moves_of_charges,
    moves_of_ledgers,
    moves_of_refunds,
    page,
    trials,
)

PAGE = Path(__file__).parent.parent.parent / "docs" / "states.md"

#: Nothing leaves these, but what is named here.
FINAL = {
    "return": {"received", "canceled"},
    "refund": {"succeeded", "failed", "reversed"},
    "means": set(),  # whatever it is given by, it may fail
    "exchange": {"completed", "canceled"},
    "hold": {"charged", "released"},
    "charge": {"succeeded", "failed"},
    "claim": {"completed", "canceled"},
}
ALLOWED = {
    # a gateway tells days later that it failed after all, or that it was reversed
    ("refund", "succeeded", "failed"),
    ("refund", "succeeded", "reversed"),
    # it tells that one succeeded which it said had failed: it contradicts itself
    ("refund", "failed", "needs_attention"),
    # a parcel that comes all the same, or a correction that finds more units: a person decides
    ("return", "received", "requires_action"),
    ("return", "canceled", "requires_action"),
    # or it is inspected first, as everything is that comes for this return
    ("return", "received", "in_inspection"),
    # what is owed was not taken of the hold, or its new goods cannot be sent
    ("exchange", "completed", "requires_action"),
    # the charge was declined: it took nothing
    ("hold", "charged", "held"),
    # a gateway contradicts itself, and is believed
    ("charge", "failed", "succeeded"),
    # or tells days later that it failed after all
    ("charge", "succeeded", "failed"),
    # nothing was paid: its refund failed, or was 0
    ("claim", "completed", "canceled"),
    # its new goods cannot be had: a person decides
    ("claim", "completed", "requires_action"),
}


@pytest.fixture(scope="module")
def found() -> frozenset[Move]:
    """Every move."""
    return moves()


def test_the_page_draws_what_the_code_does(found: frozenset[Move]) -> None:
    """`python -m tests.states > docs/states.md` draws it again."""
    assert PAGE.read_text(encoding="utf-8") == page(found)


def test_every_status_is_reached(found: frozenset[Move]) -> None:
    """One that is not would be a word without a meaning."""
    reached = {(move.kind, move.after) for move in found}

    assert reached == {(kind, status.value) for kind, statuses in KINDS.items() for status in statuses}


def test_nothing_leaves_an_end_but_what_is_allowed(found: frozenset[Move]) -> None:
    """Neither goods nor money move for what has ended."""
    left = {
        (move.kind, move.before, move.after)
        for move in found
        if move.before in FINAL[move.kind] and move.after != move.before
    }

    assert left == ALLOWED


def test_every_command_is_tried_on_every_status() -> None:
    """Of what it is about: each cell of the table of states is visited."""
    returns = {
        ApproveReturn,
        DeclineReturn,
        UpdateReturn,
        RecordSending,
        ExpireReturn,
        RenewShipment,
        ReceiveReturn,
        CorrectReceipt,
        InspectReturn,
        ResolveReturn,
        CancelReturn,
        RetryRefund,
        RecordPayout,
        RecordRefundOutcome,
    }
    columns: dict[str, set[type[Command]]] = {
        "return": returns,
        "exchange": {
            RecordExchangePayment,
            UpdateExchange,
            SettleAdvance,
            RecordChargeOutcome,
            CancelExchange,
        },
        "claim": {ResolveClaim, CancelClaim, RetryRefund, RecordPayout, RecordRefundOutcome},
    }

    tried = {(trial.kind, trial.status, trial.command) for trial in trials()}

    assert tried == {
        (kind, status.value, command)
        for kind, commands in columns.items()
        for status in KINDS[kind]
        for command in commands
    }
    assert set(MAKERS) == set[type[Command]]().union(REQUESTS, *columns.values())


def test_what_the_table_refuses_is_refused_with_its_code() -> None:
    """In every state of that status, whatever else is wrong with the command."""
    accepted_or_other = {
        (trial.kind, trial.status, trial.command, tuple(sorted(trial.codes)))
        for trial in trials()
        if trial.by_table is not None and trial.by_table not in trial.codes
    }

    assert accepted_or_other == {
        # it is canceled with its exchange, whatever its status
        ("return", "partially_received", CancelReturn, ("return_of_exchange",)),
        ("return", "in_inspection", CancelReturn, ("return_of_exchange",)),
        ("return", "received", CancelReturn, ("return_of_exchange",)),
        ("return", "expired", CancelReturn, ("return_of_exchange",)),
    }


def test_what_the_table_allows_is_accepted_in_some_state() -> None:
    """A cell that never allows anything should name the code of its refusal."""
    allowed = {(t.kind, t.status, t.command) for t in trials() if t.by_table is None}
    accepted = {(t.kind, t.status, t.command) for t in trials() if not t.codes}

    assert accepted <= allowed
    assert allowed - accepted == {
        # its refund was blocked: none was made of which anything could become known
        ("claim", "requires_action", RecordRefundOutcome),
        ("return", "requested", RenewShipment),  # nothing here has a label
        # nothing here is kept by the customer, beside which others wait for their first parcel
        ("return", "partially_received", RecordSending),
        ("return", "partially_received", ExpireReturn),
        ("return", "partially_received", RenewShipment),
        # nothing here is paid ahead, and ends without its goods
        ("return", "expired", ResolveReturn),
        # no receipt here is corrected once the new goods were sent, so that the customer owes
        ("exchange", "completed", RecordExchangePayment),
        # what waits for its payment was not sent; other exchanges of this status may not be sent first
        ("exchange", "awaiting_payment", SettleAdvance),
        # what is charged for is completed, or requires action; no new goods here run out after that
        ("exchange", "requested", RecordChargeOutcome),
        ("exchange", "awaiting_payment", RecordChargeOutcome),
        ("exchange", "canceled", RecordChargeOutcome),
    }


@pytest.mark.parametrize("shop", SHOPS)
def test_what_makers_see_is_all_that_they_depend_on(shop: Shop) -> None:
    """Commands that are remembered for states that look the same are those that would be made."""
    for snapshot in itertools.islice(shop.snapshots(), 0, 3000, 150):
        for kind in MAKERS:
            assert list(shop.commands_in(snapshot, [kind])) == shop.made_in(snapshot, kind)


def test_a_refund_is_only_ever_better_known() -> None:
    """What is in force may change, what is over may only be contradicted; what is known is not unlearned."""
    for move in moves_of_refunds():
        before, after = RefundStatus(move.before), RefundStatus(move.after)
        if not refund_rules(before).is_in_force:
            assert after is RefundStatus.NEEDS_ATTENTION, move
            continue
        unknown = {RefundStatus.PENDING, RefundStatus.NEEDS_ATTENTION}
        assert after not in unknown or before in unknown, move


def test_refunds_in_ledgers_move_as_refunds_do(found: frozenset[Move]) -> None:
    """For every source of an outcome; and they begin as pending, or as what a person did before."""
    of_refunds = {(move.before, move.after) for move in found if move.kind == "refund"}

    in_ledgers = {(move.before, move.after) for move in moves_of_ledgers() if move.kind == "refund"}

    assert in_ledgers <= of_refunds
    assert {after for before, after in in_ledgers if not before} == {"pending", "succeeded"}


def test_charges_in_ledgers_move_as_charges_do(found: frozenset[Move]) -> None:
    """They begin as pending; what is known is not unlearned, only contradicted."""
    of_charges = {(move.before, move.after) for move in found if move.kind == "charge"}

    in_ledgers = {(move.before, move.after) for move in moves_of_ledgers() if move.kind == "charge"}

    assert in_ledgers <= of_charges
    assert {after for before, after in in_ledgers if not before} == {"pending"}
    assert {move.before for move in moves_of_charges()} == {
        "pending",
        "needs_attention",
        "succeeded",
        "failed",
    }
    assert not any(move.after == "pending" for move in moves_of_charges())
