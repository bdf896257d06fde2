"""Makers of commands about returns."""

from rma.domain.messages.command_items import ReceivedItem, RejectedItem
from rma.domain.messages.commands import CancelReturn, ReceiveReturn, RequestReturn, ResolveReturn
from rma.domain.sale.rules import Outcome
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.testing.commands.at_the_dock import foreign_decisions, foreign_items, missing_items
from rma.testing.commands.choices import (
    CREATORS,
    METADATA,
    choose_amount,
    choose_note,
    choose_option,
    choose_outcome,
    choose_target,
    choose_units,
    rarely,
    requested_items,
)
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def request_return(chooser: Chooser, situation: Situation) -> RequestReturn | None:
    """Some of what is left, with shipping or without, seldom for an amount of its own."""
    units = choose_units(chooser, situation)
    if not units:
        return None
    amount = choose_amount(chooser, situation, 6)
    outcome = choose_outcome(chooser, situation)
    return RequestReturn(
        order_id=situation.order.id,
        items=requested_items(chooser, situation, units),
        shipping_option_id=choose_option(chooser, situation),
        refund_amount=amount,
        refund_note=choose_note(chooser, amount),
        basis=chooser.detail(
            ["policy", "policy", "withdrawal"] if situation.policy.withdrawal else ["policy"]
        ),
        created_by=chooser.detail(CREATORS),
        metadata=chooser.detail(METADATA),
        overrule=chooser.detail([None, None, "kind"]) if situation.policy.rules else None,
        outcome=outcome,
        payee=chooser.detail([None, None, "cus_friend"]) if outcome == Outcome.STORE_CREDIT else None,
    )


#: By kind of parcel, what a clerk says about it.
FLAGS = {
    "full": ["", "", "", "", "allow_mismatch", "more_expected"],
    "short": ["", "", "allow_mismatch", "more_expected", "more_expected"],
    "extra": ["", "", "allow_mismatch", "more_expected"],
    "accept": ["allow_mismatch", "allow_mismatch", "allow_mismatch", ""],
}


def receive_return(chooser: Chooser, situation: Situation) -> ReceiveReturn | None:
    """A parcel that is full, short or holds something else; or a clerk accepts what arrived before."""
    returns = situation.ledger.returns
    likely = [each for each in returns if each.is_open]
    late = [each for each in returns if each.is_released and not each.is_open]
    closed = {ReturnStatus.RECEIVED, ReturnStatus.CANCELED}
    if late and rarely(chooser, 4):
        open_again = [each for each in late if each.status not in closed]
        likely = late if rarely(chooser, 4) else open_again
    target = choose_target(chooser, likely, returns)
    if target is None:
        return None
    parcel, arrivals = _parcel(chooser, situation, target)
    flag = chooser.choose(FLAGS[parcel])
    one_in = {"accept": 2, "full": 10, "short": 10, "extra": 10}[parcel] * (
        10 if flag == "more_expected" else 1
    )
    amount = choose_amount(chooser, situation, one_in)
    return ReceiveReturn(
        return_id=target.id,
        items=[_received(chooser, item_id, units) for item_id, units in arrivals.items()],
        refund_amount=amount,
        refund_note=choose_note(chooser, amount),
        allow_mismatch=flag == "allow_mismatch",
        more_expected=flag == "more_expected",
        foreign=foreign_items(chooser) if chooser.detail([False] * 19 + [True]) else [],
    )


def _parcel(chooser: Chooser, situation: Situation, target: Return) -> tuple[str, dict[str, int]]:
    """The kind of parcel, and its units by item id; none where a clerk accepts what arrived before."""
    missing = dict.fromkeys([item.item_id for item in target.items], 0)
    for item in target.items:
        missing[item.item_id] += item.missing_quantity
    kinds = ["full", "full", "full", "short", "short", "short", "extra", "extra"]
    kind = chooser.choose([*kinds, "accept", "accept", "accept"] if target.receipts else kinds)
    if kind == "accept":
        return kind, {}
    if kind == "short":
        some = {item_id: chooser.whole(0, units) for item_id, units in missing.items()}
        return kind, some if target.receipts or any(some.values()) else missing
    if kind == "extra":
        others = [each.item_id for each in situation.returnable()]
        if not (others or missing):
            return "full", {}  # foreign goods alone arrived, and nothing is left
        extra = chooser.choose(others or list(missing))
        return kind, {**missing, extra: missing.get(extra, 0) + 1}
    return kind, missing


def _received(chooser: Chooser, item_id: str, units: int) -> ReceivedItem:
    """So many units, seldom some of them damaged."""
    damaged = chooser.whole(1, units) if units and rarely(chooser, 3) else 0
    return ReceivedItem(item_id=item_id, quantity=units - damaged, damaged_quantity=damaged)


def resolve_return(chooser: Chooser, situation: Situation) -> ResolveReturn | None:
    """A clerk rejects some of what arrived, or nothing, and seldom names an amount."""
    returns = situation.ledger.returns
    undecided = {ReturnStatus.REQUIRES_ACTION, ReturnStatus.PARTIALLY_RECEIVED}
    likely = [each for each in returns if each.status in undecided or each.entitlement.is_refund_blocked]
    requested = [each for each in returns if each.status is ReturnStatus.REQUESTED]
    if requested and rarely(chooser, 6):
        likely = requested
    target = choose_target(chooser, likely, returns)
    if target is None:
        return None
    is_over = target.status is ReturnStatus.RECEIVED  # what was decided stays, an amount can be named
    rejected = [
        RejectedItem(
            item_id=item.item_id,
            quantity=chooser.whole(0, item.received_quantity - item.rejected_quantity),
            damaged_quantity=chooser.whole(0, item.damaged_quantity - item.rejected_damaged_quantity),
            reason=chooser.detail([None, "worn"]),
            send_back=chooser.choose([True, False]),
        )
        for item in target.items
        if item.arrived_quantity and rarely(chooser, 10 if is_over else 3)
    ]
    amount = choose_amount(chooser, situation, 2 if is_over else 3)
    return ResolveReturn(
        return_id=target.id,
        rejected=rejected,
        refund_amount=amount,
        refund_note=choose_note(chooser, amount),
        missing=missing_items(chooser, target),
        foreign=foreign_decisions(chooser, target),
    )


def cancel_return(chooser: Chooser, situation: Situation) -> CancelReturn | None:
    """Mostly a return that can be canceled, so that whatever arrived for it goes back."""
    returns = situation.ledger.returns
    requested = [each for each in returns if each.status is ReturnStatus.REQUESTED]
    disputed = [each for each in returns if each.status is ReturnStatus.REQUIRES_ACTION]
    target = choose_target(chooser, [*requested, *disputed * 4], returns)
    return None if target is None else CancelReturn(return_id=target.id)
