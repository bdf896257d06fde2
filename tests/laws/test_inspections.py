"""The laws of inspections, as properties: what is paid and what is in stock is a function of counts."""

from collections import Counter
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    Grade,
    InspectedItem,
    InspectReturn,
    LineItem,
    Money,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    Rejected,
    RequestedItem,
    RequestReturn,
    RestockRequest,
    Return,
    ReturnPolicy,
    ReturnStatus,
    WithdrawRequest,
)
from rma.testing.core_harness import CoreHarness
from rma.testing.strategies import everything_fulfilled, orders, policies
from tests.rules.inspected import FAULTS

#: Grades, the best first; the first is the whole value.
SCALE = (
    Grade("A", 100, "restock"),
    Grade("B", "80.5", "refurbish"),
    Grade("C", "33.3", "outlet"),
    Grade("D", 0),
)
NAMES = [grade.name for grade in SCALE]
#: Where units may go: where their grade says, into stock at another place, elsewhere, or nowhere.
PLACES: tuple[dict[str, Any], ...] = (
    {},
    {"disposition": "restock", "location_id": "loc_2"},
    {"disposition": "outlet"},
    {"disposition": "hold"},
)
ONE_LINE = orders(most_lines=1, most_units=6).map(everything_fulfilled)
INSPECT = ReturnPolicy(inspect=True, grades=SCALE)


def waiting(order: Order, policy: ReturnPolicy = INSPECT, reason_id: str | None = None) -> CoreHarness:
    """Returns the core, of which everything was returned, and waits for an inspection."""
    core = CoreHarness(order, policy=policy, reasons=FAULTS)
    items = [
        RequestedItem(item_id=line.id, quantity=line.quantity, reason_id=reason_id) for line in order.items
    ]
    core.handle(RequestReturn(order_id=order.id, items=items))
    arrived = [ReceivedItem(item_id=line.id, quantity=line.quantity) for line in order.items]
    core.handle(ReceiveReturn(return_id="ret_1", items=arrived, location_id="loc_1"))
    return core


def inspect(core: CoreHarness, *items: InspectedItem) -> Return:
    """Returns the return once these units were graded, and everything that this asked for is done."""
    core.handle(InspectReturn(return_id="ret_1", items=items))
    core.record_outcomes()
    core.record_outcomes()
    return core.ledger.returns[0]


def stock(core: CoreHarness) -> Counter[tuple[str | None, str]]:
    """Returns what the ports were asked to have in stock, by place."""
    found: Counter[tuple[str | None, str]] = Counter()
    for inspection in core.ledger.returns[0].inspections:
        for request in inspection.requests:
            sign = {RestockRequest: 1, WithdrawRequest: -1}.get(type(request), 0)
            for line in request.lines:
                found[request.location_id, line.item_id] += sign * line.quantity
    return found


@st.composite
def judgements(draw: st.DrawFn, order: Order) -> list[InspectedItem]:
    """A grade and a place for each unit of the order's lines, one entry each."""
    return [
        InspectedItem(
            item_id=line.id,
            quantity=1,
            grade=draw(st.sampled_from(NAMES)),
            **draw(st.sampled_from(PLACES)),
        )
        for line in order.items
        for _ in range(line.quantity)
    ]


@given(order=orders(most_lines=2, most_units=3).map(everything_fulfilled), data=st.data())
def test_what_is_paid_and_in_stock_depends_on_counts_only(order: Order, data: st.DataObject) -> None:
    """All at once, one by one in another order, or first graded in another way and then again."""
    units = data.draw(judgements(order))
    at_once = waiting(order)
    whole = inspect(at_once, *units)
    step_by_step = waiting(order)
    for each in data.draw(st.permutations(units)):
        inspect(step_by_step, each)
    stepped = step_by_step.ledger.returns[0]
    changed = waiting(order)
    for each in units[:-1]:
        first = data.draw(st.sampled_from(NAMES))
        inspect(changed, InspectedItem(item_id=each.item_id, quantity=1, grade=first, disposition="maybe"))
        again = inspect(changed, evolve(each, previous_grade=first, previous_disposition="maybe"))
        assert again.refunds == ()
    last = inspect(changed, units[-1])

    assert whole.status is stepped.status is last.status is ReturnStatus.RECEIVED
    assert whole.refund_amount == stepped.refund_amount == last.refund_amount
    assert whole.breakdown == stepped.breakdown == last.breakdown
    graded = [[item.graded for item in each.items] for each in (whole, stepped, last)]
    assert graded[0] == graded[1] == graded[2]
    assert +stock(at_once) == +stock(step_by_step) == +stock(changed)


@given(order=orders(most_lines=2, most_units=3).map(everything_fulfilled), data=st.data())
def test_units_are_where_they_were_judged_to_go(order: Order, data: st.DataObject) -> None:
    """What arrived is what waits, and what is at each disposition; stock has those that go there."""
    core = waiting(order)
    units = data.draw(judgements(order))
    some = data.draw(st.integers(0, len(units)))

    for each in units[:some]:
        inspect(core, each)

    target = core.ledger.returns[0]
    for item in target.items:
        assert item.arrived_quantity == item.waiting_quantity + sum(each.quantity for each in item.graded)
    placed = Counter(
        (each.location_id, item.item_id)
        for item in target.items
        for each in item.graded
        if each.is_restocked
        for _ in range(each.quantity)
    )
    assert +stock(core) == placed
    asked = [request for inspection in target.inspections for request in inspection.requests]
    assert len({request.key for request in asked}) == len(asked)


@given(order=orders(most_lines=3).map(everything_fulfilled), policy=policies(), data=st.data())
def test_all_at_100_percent_is_what_is_paid_without_an_inspection(
    order: Order, policy: ReturnPolicy, data: st.DataObject
) -> None:
    """To the last part, fees included, whatever the steps."""
    policy = evolve(policy, review=False)
    plain = waiting(order, policy).ledger.returns[0]
    core = waiting(order, evolve(policy, inspect=True, grades=SCALE))

    for line in data.draw(st.permutations(order.items)):
        inspect(core, InspectedItem(item_id=line.id, quantity=line.quantity, grade="A"))
    inspected = core.ledger.returns[0]

    assert inspected.refund_amount == plain.refund_amount
    assert inspected.breakdown == plain.breakdown


@given(order=ONE_LINE, refund_damaged=st.booleans(), data=st.data())
def test_the_default_scale_pays_as_a_receipt_does(
    order: Order, refund_damaged: bool, data: st.DataObject
) -> None:
    """Sellable and damaged, graded or counted at the dock: the same amount, and the same stock."""
    (line,) = order.items
    bad = data.draw(st.integers(0, line.quantity))
    policy = ReturnPolicy(refund_damaged=refund_damaged)
    plain = CoreHarness(order, policy=policy)
    items = [RequestedItem(item_id=line.id, quantity=line.quantity)]
    plain.handle(RequestReturn(order_id=order.id, items=items))
    counted = ReceivedItem(item_id=line.id, quantity=line.quantity - bad, damaged_quantity=bad)
    plain.handle(ReceiveReturn(return_id="ret_1", items=[counted], location_id="loc_1"))
    core = waiting(order, evolve(policy, inspect=True))

    for grade, quantity in (("damaged", bad), ("sellable", line.quantity - bad)):
        if quantity:
            inspect(core, InspectedItem(item_id=line.id, quantity=quantity, grade=grade))

    one, other = plain.ledger.returns[0], core.ledger.returns[0]
    assert other.refund_amount == one.refund_amount
    restocked = [(line.item_id, line.quantity) for each in one.restocks for line in each.lines]
    assert [(line.item_id, line.quantity) for each in other.restocks for line in each.lines] == restocked


@given(order=orders(most_lines=2, most_units=3).map(everything_fulfilled), data=st.data())
def test_the_parts_add_up_to_what_is_paid(order: Order, data: st.DataObject) -> None:
    """Goods, less what each grade and deduction takes, as computed in another way."""
    units = data.draw(judgements(order))
    core = waiting(order)

    target = inspect(core, *units)

    assert sum(part.amount.amount for part in target.breakdown) == target.refund_amount.amount
    assert target.refund_amount.amount == sum(_paid(target, line, units) for line in order.items)


def _paid(target: Return, line: LineItem, units: list[InspectedItem]) -> int:
    """Returns what is paid for the units of a line, the best grades first, each grade rounded half up."""
    (item,) = [each for each in target.items if each.item_id == line.id]
    position, paid = 0, 0
    for grade in SCALE:
        quantity = len([each for each in units if each.item_id == line.id and each.grade == grade.name])
        before, after = (item.line.paid(item.value(count)) for count in (position, position + quantity))
        position += quantity
        paid += int((Fraction(after - before) * Fraction(grade.percent) / 100 + Fraction(1, 2)) // 1)
    return paid


@given(order=ONE_LINE, data=st.data())
def test_a_better_grade_pays_at_least_as_much_less_a_minor_unit(order: Order, data: st.DataObject) -> None:
    """One unit of the same return, graded as each grade in turn."""
    (line,) = order.items
    count = line.quantity - 1
    others = data.draw(st.lists(st.sampled_from(NAMES), min_size=count, max_size=count))
    amounts = []
    for grade in NAMES:
        units = [InspectedItem(item_id=line.id, quantity=1, grade=name) for name in (*others, grade)]
        amounts.append(inspect(waiting(order), *units).refund_amount.amount)

    assert all(better >= worse - 1 for better, worse in pairwise(amounts))


@given(order=ONE_LINE, reason_id=st.sampled_from(["rr_defective", "rr_transit"]), data=st.data())
def test_only_the_customers_fault_costs_the_customer(
    order: Order, reason_id: str, data: st.DataObject
) -> None:
    """By the merchant's or the carrier's fault, every grade pays everything."""
    core = waiting(order, reason_id=reason_id)

    target = inspect(core, *data.draw(judgements(order)))

    assert target.refund_amount == target.quoted_refund


FIVE = Order(
    id="order_1",
    currency="usd",
    items=[LineItem(id="mug", quantity=5, fulfilled_quantity=5, unit_price=1800)],
    payments=[Payment(id="pay_1", captured=100_000)],
)
#: Percentages that leave no fraction of a cent.
EVEN = (Grade("A", 100), Grade("B", 80), Grade("C", 50), Grade("D", 0))
REASONS = ("rr_defective", "rr_transit", "rr_mind", None)


@given(reasons=st.lists(st.sampled_from(REASONS), min_size=1, max_size=5), data=st.data())
def test_whose_fault_it_is_pays_whatever_the_order(reasons: list[str | None], data: st.DataObject) -> None:
    """
    Units of the merchant's or the carrier's fault are paid whole, and those have the worst grades.

    Whatever the order of the request's entries, of the parcels and of the grades; a parcel that was paid for
    before the others arrived changes nothing.
    """
    grades = data.draw(st.lists(st.sampled_from(EVEN), min_size=len(reasons), max_size=len(reasons)))
    ours = sum(reason in ("rr_defective", "rr_transit") for reason in reasons)
    best = sorted([grade.percent for grade in grades], reverse=True)[: len(reasons) - ours]
    paid = 18 * (100 * ours + sum([int(percent) for percent in best]))

    core = CoreHarness(FIVE, policy=evolve(INSPECT, grades=EVEN), reasons=FAULTS)
    entries = data.draw(st.permutations(reasons))
    items = [RequestedItem(item_id="mug", quantity=1, reason_id=reason) for reason in entries]
    core.handle(RequestReturn(order_id="order_1", items=items))
    left = data.draw(st.permutations(grades))
    while left:
        count = data.draw(st.integers(1, len(left)))
        parcel = [ReceivedItem(item_id="mug", quantity=count)]
        core.handle(ReceiveReturn(return_id="ret_1", items=parcel, more_expected=count < len(left)))
        for grade in left[:count]:
            inspect(core, InspectedItem(item_id="mug", quantity=1, grade=grade.name))
        left = left[count:]

    target = core.ledger.returns[0]
    assert target.status is ReturnStatus.RECEIVED
    assert target.refunded == target.refund_amount == Money(paid, "usd")


@given(data=st.data())
def test_no_unit_is_paid_for_twice(data: st.DataObject) -> None:
    """
    It is requested, arrives, is graded and goes back, again and again: the line is worth what it is.

    Also where an amount is named for it, before it is known what goes back.
    """
    core = CoreHarness(FIVE, policy=INSPECT, reasons=FAULTS)
    for number in range(1, data.draw(st.integers(1, 4)) + 1):
        quantity = 5 - core.ledger.reserved_quantities().get("mug", 0)
        if not quantity:
            break
        some = data.draw(st.integers(1, quantity))
        core.handle(RequestReturn(order_id="order_1", items=[RequestedItem(item_id="mug", quantity=some)]))
        parcel = [ReceivedItem(item_id="mug", quantity=some)]
        named = data.draw(st.none() | st.integers(0, 1800 * some))
        core.handle(ReceiveReturn(return_id=f"ret_{number}", items=parcel, refund_amount=named))
        for _ in range(data.draw(st.integers(1, 6))):
            item = core.ledger.returns[-1].items[0]
            names = [each.grade for each in item.graded if not each.is_returned]
            again = InspectedItem(
                item_id="mug",
                quantity=data.draw(st.integers(1, some)),
                grade=data.draw(st.sampled_from(NAMES)),
                disposition=data.draw(st.sampled_from([None, "send_back"])),
                previous_grade=data.draw(st.sampled_from([None, *names])),
            )
            with suppress(Rejected):
                core.handle(InspectReturn(return_id=f"ret_{number}", items=[again]))
        waits = core.ledger.returns[-1].items[0].waiting_quantity
        if waits:
            last = InspectedItem(item_id="mug", quantity=waits, grade="A")
            core.handle(InspectReturn(return_id=f"ret_{number}", items=[last]))

    refunded = sum(each.refunded.amount for each in core.ledger.returns)
    assert refunded <= 1800 * core.ledger.reserved_quantities().get("mug", 0) <= 9000
