"""The laws of the dock, as properties."""

from collections import Counter
from typing import cast

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    Command,
    CorrectedForeign,
    CorrectedItem,
    CorrectReceipt,
    ForeignDecision,
    ForeignItem,
    MissingItem,
    Order,
    OrderStatus,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    Rejected,
    RequestedItem,
    RequestReturn,
    ResolveReturn,
    ReturnPolicy,
    ReturnStatus,
    replay,
)
from rma.domain.messages.effects import RestockRequest, WithdrawRequest
from rma.domain.views.returnable import returnable_items
from rma.testing.command_strategies import next_command
from rma.testing.core_harness import CoreHarness, good_end
from rma.testing.strategies import policies
from tests.laws.test_before_goods import shop, whole_orders

#: By item id, sellable and damaged units.
Counts = dict[str, tuple[int, int]]
SOCK = ForeignItem(description="a sock", quantity=2)


@st.composite
def counts(draw: st.DrawFn, most: dict[str, int]) -> Counts:
    """At most so many units of each line, some of them damaged."""
    found: Counts = {}
    for item_id, units in most.items():
        arrived = draw(st.integers(0, units))
        damaged = draw(st.integers(0, arrived))
        found[item_id] = (arrived - damaged, damaged)
    return found


def requested(order: Order, policy: ReturnPolicy, units: dict[str, int]) -> CoreHarness:
    """Returns the core, in which a return of these units was requested."""
    core = shop(order, evolve(policy, review=False))
    items = [RequestedItem(item_id=item_id, quantity=count) for item_id, count in units.items() if count]
    core.handle(RequestReturn(order_id=order.id, items=items))
    return core


def received(found: Counts, *, is_accepted: bool = False) -> ReceiveReturn:
    """Receives these units for the first return."""
    items = [
        ReceivedItem(item_id=item_id, quantity=good, damaged_quantity=bad)
        for item_id, (good, bad) in found.items()
    ]
    return ReceiveReturn(return_id="ret_1", items=items, allow_mismatch=is_accepted)


def corrected(found: Counts) -> CorrectReceipt:
    """Says that these units arrived."""
    items = [
        CorrectedItem(item_id=item_id, quantity=good, damaged_quantity=bad)
        for item_id, (good, bad) in found.items()
    ]
    return CorrectReceipt(return_id="ret_1", items=items, reason="counted again")


def stock(core: CoreHarness) -> Counter[str]:
    """Returns what was put into stock, less what was taken out."""
    moved = Counter[str]()
    for change in core.changes:
        for effect in change.effects:
            if isinstance(effect, RestockRequest | WithdrawRequest):
                sign = 1 if isinstance(effect, RestockRequest) else -1
                moved.update({line.item_id: sign * line.quantity for line in effect.lines})
    return +moved


def free(core: CoreHarness) -> dict[str, int]:
    """Returns how many units of each line nothing reserves."""
    found = returnable_items(core.order, core.ledger, ReturnPolicy(), core.now)
    return {each.item_id: each.quantity for each in found}


def units(core: CoreHarness) -> list[tuple[str, int, int]]:
    """Returns what is here of each requested item."""
    items = core.ledger.get("ret_1").items
    return [(item.item_id, item.received_quantity, item.damaged_quantity) for item in items]


@given(order=whole_orders, policy=policies(), data=st.data())
def test_corrections_end_as_the_receipt_that_should_have_been(
    order: Order, policy: ReturnPolicy, data: st.DataObject
) -> None:
    """In units, stock and amount, whatever was said between, of a return that was closed with the first."""
    most = {item.id: data.draw(st.integers(0, item.quantity)) for item in order.items}
    most[order.items[0].id] = order.items[0].quantity
    said = data.draw(st.lists(counts(most), min_size=2, max_size=4))
    first, last = said[0], said[-1]
    wrong, right = requested(order, policy, most), requested(order, policy, most)
    if not any(sum(each) for each in first.values()) or not any(sum(each) for each in last.values()):
        return
    wrong.handle(received(first, is_accepted=True))
    for each in said[1:]:
        wrong.handle(corrected(each))
        wrong.record_outcomes(good_end)

    right.handle(received(last, is_accepted=True))

    assert units(wrong) == units(right)
    assert (stock(wrong), free(wrong)) == (stock(right), free(right))
    ours, theirs = wrong.ledger.get("ret_1"), right.ledger.get("ret_1")
    assert ours.status is theirs.status is ReturnStatus.RECEIVED
    assert ours.refund_amount == theirs.refund_amount
    assert ours.refunded - ours.entitlement.overpaid == theirs.refunded
    assert replay(order.id, [event for change in wrong.changes for event in change.events]) == wrong.ledger


@given(order=whole_orders, policy=policies(), data=st.data())
def test_an_open_return_that_is_corrected_to_what_was_requested_is_received_and_paid(
    order: Order, policy: ReturnPolicy, data: st.DataObject
) -> None:
    """As if its parcel had been counted right at once; whatever was said between."""
    most = {item.id: item.quantity for item in order.items}
    wrong, right = requested(order, policy, most), requested(order, policy, most)
    *said, last = [
        *data.draw(st.lists(counts(most), min_size=1, max_size=3)),
        {item_id: (count, 0) for item_id, count in most.items()},
    ]
    wrong.handle(received(said[0]))
    for each in (*said[1:], last):
        wrong.handle(corrected(each))

    right.handle(received(last))

    ours, theirs = wrong.ledger.get("ret_1"), right.ledger.get("ret_1")
    assert (ours.status, ours.refund_amount) == (theirs.status, theirs.refund_amount)
    assert (units(wrong), stock(wrong)) == (units(right), stock(right))
    assert ours.refunded - ours.entitlement.overpaid == theirs.refunded


@given(order=whole_orders, policy=policies(), data=st.data())
def test_foreign_goods_that_never_were_are_as_if_no_one_had_said_so(
    order: Order, policy: ReturnPolicy, data: st.DataObject
) -> None:
    """Units that were never sold, unknown ones, described ones: once corrected, the count is what it is."""
    most = {item.id: item.quantity for item in order.items}
    wrong, right = requested(order, policy, most), requested(order, policy, most)
    last = data.draw(counts(most))
    typed = {item_id: data.draw(st.integers(0, count + 3)) for item_id, count in most.items()}
    parcel = received({**{item_id: (count, 0) for item_id, count in typed.items()}, "unknown": (2, 0)})
    foreign = [SOCK] * data.draw(st.integers(0, 2))
    wrong.handle(evolve(parcel, foreign=foreign))
    socks = [
        CorrectedForeign(number=each.number, quantity=0)
        for each in wrong.ledger.get("ret_1").undecided_foreign
        if each.item_id is None
    ]

    wrong.handle(evolve(corrected({**last, "unknown": (0, 0)}), foreign=socks))
    right.handle(received(last))

    ours, theirs = wrong.ledger.get("ret_1"), right.ledger.get("ret_1")
    assert ours.foreign == ()
    assert (ours.status, ours.refund_amount, ours.refunded) == (
        theirs.status,
        theirs.refund_amount,
        theirs.refunded,
    )
    assert (units(wrong), stock(wrong), free(wrong)) == (units(right), stock(right), free(right))


@given(order=whole_orders, policy=policies(), data=st.data())
def test_a_correction_that_is_undone_leaves_a_closed_return_as_it_was(
    order: Order, policy: ReturnPolicy, data: st.DataObject
) -> None:
    """Whatever was said between: the same status, units, stock, and amount."""
    most = {item.id: item.quantity for item in order.items}
    core = requested(order, policy, most)
    found = data.draw(counts(most))
    if not any(sum(each) for each in found.values()):
        return
    core.handle(received(found, is_accepted=True))
    core.record_outcomes(good_end)
    before, had = core.ledger.get("ret_1"), (units(core), stock(core), free(core))

    for each in (*data.draw(st.lists(counts(most), min_size=1, max_size=3)), found):
        core.handle(corrected(each))

    after = core.ledger.get("ret_1")
    assert (after.status, after.refund_amount) == (before.status, before.refund_amount)
    assert (units(core), stock(core), free(core)) == had


@given(order=whole_orders, policy=policies(), data=st.data())
def test_foreign_goods_move_nothing(order: Order, policy: ReturnPolicy, data: st.DataObject) -> None:
    """With and without them, a return ends with the same units, stock and money; they only need a person."""
    most = {item.id: item.quantity for item in order.items}
    with_socks, without = requested(order, policy, most), requested(order, policy, most)
    found = data.draw(counts(most))

    with_socks.handle(evolve(received(found), foreign=[SOCK]))
    assert with_socks.ledger.get("ret_1").status is ReturnStatus.REQUIRES_ACTION
    decided = [ForeignDecision(number=1, send_back=data.draw(st.booleans()))]
    with_socks.handle(ResolveReturn(return_id="ret_1", foreign=decided))
    without.handle(received(found))
    if without.ledger.get("ret_1").status is not ReturnStatus.RECEIVED:
        without.handle(ResolveReturn(return_id="ret_1"))

    assert (units(with_socks), stock(with_socks), free(with_socks)) == (
        units(without),
        stock(without),
        free(without),
    )
    assert with_socks.ledger.get("ret_1").refunded == without.ledger.get("ret_1").refunded


@given(order=whole_orders, policy=policies(), data=st.data())
def test_lost_units_pay_once_whether_they_turn_up_or_not(
    order: Order, policy: ReturnPolicy, data: st.DataObject
) -> None:
    """As if they had arrived in full order; what turns up moves stock, and neither money nor units."""
    most = {item.id: item.quantity for item in order.items}
    lost, arrived = requested(order, policy, most), requested(order, policy, most)
    missing = [MissingItem(item_id=item_id, quantity=count, pay=True) for item_id, count in most.items()]
    found = data.draw(counts(most))

    lost.handle(ResolveReturn(return_id="ret_1", missing=missing))
    arrived.handle(received({item_id: (count, 0) for item_id, count in most.items()}))
    paid, left = lost.ledger.get("ret_1").refunded, free(lost)
    if any(sum(each) for each in found.values()):
        lost.handle(received(found))

    ours = lost.ledger.get("ret_1")
    assert paid == arrived.ledger.get("ret_1").refunded == ours.refunded
    assert (ours.status, free(lost)) == (ReturnStatus.RECEIVED, left)
    assert stock(lost) == +Counter({item_id: good for item_id, (good, _) in found.items()})


@given(order=whole_orders, policy=policies(), data=st.data())
def test_nothing_is_refused_at_the_dock(order: Order, policy: ReturnPolicy, data: st.DataObject) -> None:
    """After any commands, any parcel is booked for any return, and for the order; only a match pays."""
    core = shop(order, evolve(policy, review=data.draw(st.booleans()), return_within_days=1))
    sent: list[Command] = []
    for number in range(data.draw(st.integers(1, 6))):
        sent.append(next_command(cast("st.DrawFn", data.draw), core, sent, f"key_{number}"))
        try:
            core.handle(sent[-1])
        except Rejected:
            continue
    if data.draw(st.booleans()):
        core.order = evolve(core.order, status=OrderStatus.CANCELED)
    known = [item.id for item in order.items]
    parcel = [
        ReceivedItem(
            item_id=data.draw(st.sampled_from([*known, "unknown"])),
            quantity=data.draw(st.integers(0, 9)),
            damaged_quantity=data.draw(st.integers(0, 2)),
        )
        for _ in range(data.draw(st.integers(0, 2)))
    ]
    foreign = [SOCK] * data.draw(st.integers(0, 1))
    is_first = data.draw(st.booleans())

    for each in core.ledger.returns:
        before = core.ledger.get(each.id)
        core.handle(ReceiveReturn(return_id=each.id, items=parcel, foreign=foreign, more_expected=is_first))
        after = core.ledger.get(each.id)
        assert len(after.receipts) == len(before.receipts) + 1
        if before.is_released or before.needs_approval or after.undecided_foreign:
            assert after.refunds == before.refunds
    paid = list(core.ledger.refunds)
    core.handle(ReceiveUnannounced(order_id=order.id, items=parcel, foreign=foreign))
    assert list(core.ledger.refunds) == paid
    assert core.ledger.returns[-1].status is ReturnStatus.REQUIRES_ACTION
