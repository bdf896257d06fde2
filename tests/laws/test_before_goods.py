"""The laws of what happens before the goods, as properties."""

from datetime import timedelta
from typing import Any, cast

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    ApproveReturn,
    Calendar,
    CancelReturn,
    DeclineReturn,
    ExpireReturn,
    NewItem,
    Order,
    ReceivedItem,
    ReceiveReturn,
    RecordSending,
    Rejected,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ShippingOption,
    UpdateReturn,
    Withdrawal,
)
from rma.domain.views.query import ReturnQuery
from rma.testing.command_strategies import next_command
from rma.testing.commands.choices import TAGS
from rma.testing.core_harness import START, CoreHarness, good_end
from rma.testing.edits import total_paid
from rma.testing.strategies import charges, everything_fulfilled, orders, policies, policies_with_rules
from tests.laws.test_rule_machine import with_charges
from tests.world import REASONS

UTC_DAYS = Calendar("UTC", free_weekdays=[])

POST = ShippingOption(id="post", price=200, location_id="loc_1")
LATE = timedelta(days=40)

whole_orders = orders(most_lines=3, most_units=5).map(everything_fulfilled)
any_policy = st.one_of(policies(), policies_with_rules(most=3, waits=True))


@st.composite
def charged_orders(draw: st.DrawFn) -> Order:
    """Orders that charged for more than goods, and have facts that rules name."""
    order = with_charges(draw(whole_orders), draw(charges(at_most=2)))
    return evolve(order, tags=draw(st.sets(st.sampled_from(TAGS), max_size=2)))


def shop(order: Order, policy: ReturnPolicy, ledger: ReturnLedger | None = None, **more: Any) -> CoreHarness:
    """Returns the core, for this order, with a carrier."""
    return CoreHarness(order, policy=policy, ledger=ledger, options=[POST], reasons=REASONS, **more)


@st.composite
def wishes(draw: st.DrawFn, order: Order) -> dict[str, Any]:
    """What a customer may ask to send back: some units of each line, in a parcel or by themselves."""
    units = {item.id: draw(st.integers(0, item.quantity)) for item in order.items}
    if not any(units.values()):
        units[order.items[0].id] = 1
    reason = st.sampled_from([None, None, "rr_damaged"])
    items = [
        RequestedItem(item_id=item_id, quantity=count, reason_id=draw(reason))
        for item_id, count in units.items()
        if count
    ]
    return {
        "items": draw(st.permutations(items)),
        "shipping_option_id": draw(st.sampled_from([None, "post"])),
        "refund_amount": draw(st.sampled_from([None, None, None, 150])),
        "refund_note": "agreed",
        "location_id": draw(st.sampled_from([None, "loc_2"])),
    }


def what_counts(each: Return) -> dict[str, object]:
    """Returns what a return is worth, holds and says, without its id, numbers and dates."""
    return {
        "items": [(item.item_id, item.quantity, item.line, item.allocated) for item in each.items],
        "amount": (each.refund_amount, each.quoted_refund, each.breakdown, each.quoted_charges),
        "rules": [(item.reason_id, item.ruling) for item in each.items],
        "named": (each.entitlement.requested_refund, each.entitlement.refund_note),
        "way": (each.shipping_total, each.location_id, each.provider_id, each.label_number is None),
        "reserved": each.reserved_quantities(),
        "status": (each.status, each.basis, each.terms),
    }


@given(order=charged_orders(), data=st.data(), policy=any_policy)
def test_an_update_equals_a_cancellation_and_a_request(
    order: Order, data: st.DataObject, policy: ReturnPolicy
) -> None:
    """In units, worth, parts and limits, whatever other returns there are; but for id and dates."""
    core = shop(order, policy)
    others = data.draw(st.integers(0, 2))
    for _ in range(others + 1):
        try:
            core.handle(RequestReturn(order_id=order.id, **data.draw(wishes(order))))
        except Rejected:
            continue
    # The others are kept, or were paid ahead.
    waiting = [each for each in core.ledger.returns if not each.receipts and not each.refunds]
    if not waiting:
        return
    target = data.draw(st.sampled_from(waiting))
    wish = data.draw(wishes(order))
    updated = shop(order, policy, core.ledger, at=core.now)
    again = shop(order, policy, core.ledger, at=core.now, ids=lambda: "other")
    again.handle(CancelReturn(return_id=target.id))
    refusals: list[tuple[object, ...]] = []
    for each, command in (
        (updated, UpdateReturn(return_id=target.id, **wish)),
        (again, RequestReturn(order_id=order.id, **wish)),
    ):
        try:
            each.handle(command)
        except Rejected as refused:
            refusals.append(refused.violations)
    if refusals:
        assert len(refusals) == 2
        assert refusals[0] == refusals[1]
        return

    if updated.ledger.get(target.id).status != again.ledger.get("ret_other").status:
        assert target.status == updated.ledger.get(target.id).status == "pending_approval"
        updated.handle(ApproveReturn(return_id=target.id))  # what waited still waits
    one, other = updated.ledger.get(target.id), again.ledger.get("ret_other")
    assert what_counts(one) == what_counts(other)
    item_ids = [item.id for item in order.items]
    assert updated.ledger.remainders(order, item_ids) == again.ledger.remainders(order, item_ids)


@given(order=charged_orders(), data=st.data(), policy=any_policy)
def test_approving_all_equals_no_review(order: Order, data: st.DataObject, policy: ReturnPolicy) -> None:
    """But for the decision and the dates; what a rule leaves with the customer is paid then."""
    wish = data.draw(wishes(order))
    request: RequestReturn | RequestExchange = RequestReturn(order_id=order.id, **wish)
    if data.draw(st.booleans()):
        cup = NewItem(variant_id="cup", quantity=1, unit_price=data.draw(st.integers(0, 3000)))
        way = {name: wish[name] for name in ("items", "shipping_option_id", "location_id")}
        request = RequestExchange(order_id=order.id, new_items=[cup], **way)
    reviewed = shop(order, evolve(policy, review=True))
    rules = [evolve(rule, review=False) for rule in policy.rules]
    straight = shop(order, evolve(policy, review=False, rules=rules))
    try:
        reviewed.handle(request)
    except Rejected:
        return
    assert not reviewed.ledger.open_effects

    reviewed.handle(ApproveReturn(return_id="ret_1"))
    straight.handle(request)

    approved = reviewed.ledger.get("ret_1")
    calm = [evolve(rule, review=False) for rule in approved.terms.rules]
    approved = evolve(approved, terms=evolve(approved.terms, rules=tuple(calm)))
    assert what_counts(approved) == what_counts(straight.ledger.get("ret_1"))
    exchanges = [
        [(each.status, each.difference_due) for each in core.ledger.exchanges]
        for core in (reviewed, straight)
    ]
    assert exchanges[0] == exchanges[1]
    requests = [[each.request for each in core.ledger.open_effects.values()] for core in (reviewed, straight)]
    assert requests[0] == requests[1]


@given(order=whole_orders, data=st.data())
def test_what_is_approved_and_what_is_free_again_are_worth_what_was_requested(
    order: Order, data: st.DataObject
) -> None:
    """Everything comes back in the end, for exactly what was paid: no unit is worth something twice."""
    core = shop(order, ReturnPolicy(review=True))
    items = [RequestedItem(item_id=item.id, quantity=item.quantity) for item in order.items]
    core.handle(RequestReturn(order_id=order.id, items=items))
    from rma import ApprovedItem  # noqa: PLC0415 # beside the only use

    approved = [
        ApprovedItem(item_id=item.id, quantity=data.draw(st.integers(0, item.quantity)))
        for item in order.items
    ]
    if not any(each.quantity for each in approved):
        return

    core.handle(ApproveReturn(return_id="ret_1", items=approved))
    first = core.ledger.get("ret_1").refund_amount.amount
    left = [
        RequestedItem(item_id=item.id, quantity=item.quantity - each.quantity)
        for item, each in zip(order.items, approved, strict=True)
        if item.quantity > each.quantity
    ]
    second = 0
    if left:
        core.handle(RequestReturn(order_id=order.id, items=left))
        second = core.ledger.get("ret_2").refund_amount.amount

    assert first + second == total_paid(order)


@given(order=whole_orders, data=st.data())
def test_what_was_declined_or_expired_changes_nothing(order: Order, data: st.DataObject) -> None:
    """No money, no stock, no limit: all units can be returned again for the same."""
    wish = data.draw(wishes(order))
    is_declined = data.draw(st.booleans())
    core = shop(order, ReturnPolicy(review=is_declined, return_within_days=1))
    item_ids = [item.id for item in order.items]
    before = core.ledger.remainders(order, item_ids)
    try:
        core.handle(RequestReturn(order_id=order.id, **wish))
    except Rejected:
        return
    core.record_outcomes()
    core.now += LATE

    core.handle(
        DeclineReturn(return_id="ret_1", reason="worn") if is_declined else ExpireReturn(return_id="ret_1")
    )
    core.record_outcomes()

    assert core.ledger.remainders(order, item_ids) == before
    assert core.ledger.refundable(order).amount == total_paid(order)
    assert not list(core.ledger.refunds)
    assert not core.ledger.open_effects


@given(
    order=whole_orders,
    data=st.data(),
    policy=policies(),
    days=st.integers(0, 30),
    is_returnable=st.booleans(),
)
def test_a_withdrawal_in_its_window_is_refused_for_its_quantity_only(
    order: Order, data: st.DataObject, policy: ReturnPolicy, days: int, is_returnable: bool
) -> None:
    """Whatever the policy says, and however late it is recorded."""
    items = [evolve(item, delivered_at=START, is_returnable=is_returnable) for item in order.items]
    order = evolve(order, items=items)
    policy = evolve(policy, window_days=0, withdrawal=Withdrawal(calendar=UTC_DAYS))
    core = shop(order, policy, at=START + timedelta(days=days))
    declared_at = START + timedelta(days=data.draw(st.integers(0, min(14, days))))
    line = data.draw(st.sampled_from(order.items))
    quantity = data.draw(st.integers(1, line.quantity + 1))
    asked = RequestedItem(item_id=line.id, quantity=quantity)
    command = RequestReturn(order_id=order.id, items=[asked], basis="withdrawal", declared_at=declared_at)

    if quantity > line.quantity:
        with pytest.raises(Rejected) as refused:
            core.handle(command)
        assert [each.code for each in refused.value.violations] == ["quantity_exceeds_returnable"]
        return
    core.handle(command)
    assert not core.ledger.get("ret_1").needs_approval


@given(data=st.data(), order=whole_orders, policy=policies())
def test_what_is_listed_as_due_is_due_and_neither_paid_nor_on_its_way(
    data: st.DataObject, order: Order, policy: ReturnPolicy
) -> None:
    """After any commands; and what is waited for can still come, or expire."""
    policy = evolve(policy, return_within_days=1, pay_within_days=2, withdrawal=Withdrawal(calendar=UTC_DAYS))
    core = shop(order, policy)
    sent: list[Any] = []
    for number in range(data.draw(st.integers(1, 8))):
        sent.append(next_command(cast("st.DrawFn", data.draw), core, sent, f"key_{number}"))
        try:
            core.handle(sent[-1])
        except Rejected:
            continue
        if data.draw(st.booleans()):
            core.record_outcomes(good_end)
        core.now += timedelta(hours=data.draw(st.sampled_from([0, 0, 20])))
    at = core.now + timedelta(days=data.draw(st.integers(-2, 20)))

    due = [each for each in core.ledger.returns if ReturnQuery(due_before=at).accepts(each)]
    waited_for = [each for each in core.ledger.returns if ReturnQuery(return_before=at).accepts(each)]

    for each in due:
        assert each.refund_due_by is not None
        assert each.refund_due_by < at
        assert each.refunded < each.refund_amount or each.amount_due.amount
    for each in waited_for:
        assert each.sending is None
        assert not each.receipts
        core.now = at
        core.handle(ExpireReturn(return_id=each.id))


@given(order=whole_orders, data=st.data())
def test_nothing_that_was_sent_or_received_expires(order: Order, data: st.DataObject) -> None:
    """However late it is; and what expired expires once."""
    core = shop(order, ReturnPolicy(return_within_days=1))
    try:
        core.handle(RequestReturn(order_id=order.id, **data.draw(wishes(order))))
    except Rejected:
        return
    first = core.ledger.get("ret_1").items[0]
    command = data.draw(
        st.sampled_from(
            [
                None,
                RecordSending(return_id="ret_1"),
                ReceiveReturn(
                    return_id="ret_1",
                    items=[ReceivedItem(item_id=first.item_id, quantity=1)],
                    more_expected=True,
                ),
            ]
        )
    )
    if command is not None:
        core.handle(command)
    core.now += LATE
    expire = ExpireReturn(return_id="ret_1")

    if command is None:
        assert core.handle(expire).events
        assert not core.handle(expire).events
        return
    with pytest.raises(Rejected) as refused:
        core.handle(expire)
    assert refused.value.code in {"return_already_sent", "return_already_received"}
