"""The laws of quotes, refunds and repeated commands."""

from decimal import Decimal
from fractions import Fraction

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    AmountPart,
    CancelReturn,
    Command,
    LineItem,
    Order,
    ReceivedItem,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
    ReturnStatus,
)
from rma.domain.change import replay
from rma.domain.sale.pricing import PricedLine, price_lines
from rma.testing.edits import total_paid
from rma.testing.strategies import everything_fulfilled, orders
from tests.world import World


def half_up(exact: Fraction) -> int:
    """Returns the nearest integer, computed in another way than the code under test."""
    return int((exact + Fraction(1, 2)) // 1)


def priced(order: Order) -> list[tuple[LineItem, PricedLine]]:
    """Returns each line of the order with its price."""
    lines = price_lines(order, [item.id for item in order.items])
    return [(item, lines[item.id]) for item in order.items]


@given(order=orders().map(everything_fulfilled))
def test_what_was_paid_for_a_line_is_its_price_less_discounts_with_tax(order: Order) -> None:
    """Tax on top is rounded for each tax line on the whole line, and contained tax changes nothing."""
    discounts = dict(zip([item.id for item in order.items], order.allocated_adjustments(), strict=True))

    for item, line in priced(order):
        net = item.discounted_price.amount - sum(discounts[item.id])
        taxes = (
            []
            if item.is_tax_inclusive
            else [half_up(net * Fraction(tax.percent) / 100) for tax in item.tax_lines]
        )
        assert line.paid(line.running_sums) == net + sum(taxes)


@given(order=orders().map(everything_fulfilled))
def test_contained_taxes_follow_their_rates_to_a_minor_unit(order: Order) -> None:
    """Contained taxes sum to the rounded share of the gross that all rates give, each within a minor unit."""
    for item, line in priced(order):
        part = line.part(line.running_sums)
        taxes = [each.amount.amount for each in part.parts if each.name.startswith("tax:")]
        if item.is_tax_inclusive:
            rates = sum([Fraction(tax.percent) for tax in item.tax_lines], Fraction(0))
            gross = part.amount.amount
            assert sum(taxes) == half_up(Fraction(gross) * rates / (100 + rates))
            for tax, line_of_tax in zip(taxes, item.tax_lines, strict=True):
                assert abs(tax - gross * Fraction(line_of_tax.percent) / (100 + rates)) < 1


def assert_adds_up(part: AmountPart) -> None:
    """Asserts that every part is the sum of its own parts, and that only discounts are negative."""
    if part.parts:
        assert sum(each.amount.amount for each in part.parts) == part.amount.amount
    for each in part.parts:
        assert (each.amount.amount <= 0) if each.name.startswith("discount:") else (each.amount.amount >= 0)
        assert_adds_up(each)


@given(order=orders(), data=st.data())
def test_a_quote_is_explained_by_parts_that_add_up_and_is_what_is_refunded(
    order: Order, data: st.DataObject
) -> None:
    """The amount quoted on request is refunded when exactly that arrives, with the same breakdown."""
    world = World(order)
    wanted = {
        each.item_id: data.draw(st.integers(0, each.quantity))
        for each in world.service.returnable_items(order.id)
    }
    items = [RequestedItem(item_id=i, quantity=q) for i, q in wanted.items() if q]
    if not items:
        return
    command = RequestReturn(
        order_id=order.id,
        items=items,
        shipping_option_id="so_return" if data.draw(st.booleans()) else None,
    )

    quote = world.service.quote(command)
    opened = world.service.handle(command)
    arrived = [ReceivedItem(item_id=item.item_id, quantity=item.quantity) for item in items]
    received = world.service.handle(ReceiveReturn(return_id=opened.id, items=arrived))

    assert received.status is ReturnStatus.RECEIVED
    assert quote.refund_amount == opened.refund_amount == received.refund_amount
    assert quote.breakdown == opened.breakdown == received.breakdown
    assert sum(part.amount.amount for part in quote.breakdown) == quote.refund_amount.amount
    assert quote.refund_amount.amount >= 0
    for part in quote.breakdown:
        assert_adds_up(part)
    assert world.refunded() == quote.refund_amount.amount


@given(order=orders(most_lines=3, most_units=5).map(everything_fulfilled), data=st.data())
def test_everything_back_in_any_partition_refunds_exactly_what_was_paid(
    order: Order, data: st.DataObject
) -> None:
    """
    All units of an order, returned in any partition with cancellations between, refund exactly what was
    paid.
    """
    world = World(order)
    service = world.service
    parts: dict[str, int] = {}

    while left := {
        each.item_id: each.quantity for each in service.returnable_items(order.id) if each.quantity
    }:
        wanted = {i: data.draw(st.integers(0, q), label=f"request {i}") for i, q in left.items()}
        if not any(wanted.values()):
            wanted = left
        opened = service.handle(
            RequestReturn(
                order_id=order.id,
                items=[RequestedItem(item_id=i, quantity=q) for i, q in wanted.items() if q],
            )
        )
        if data.draw(st.booleans(), label="cancel"):
            service.handle(CancelReturn(return_id=opened.id))
            continue
        first = {i: data.draw(st.integers(0, q), label=f"first parcel {i}") for i, q in wanted.items()}
        if any(first.values()) and first != wanted:
            service.handle(
                ReceiveReturn(
                    return_id=opened.id,
                    items=[ReceivedItem(item_id=i, quantity=q) for i, q in first.items()],
                    more_expected=True,
                )
            )
        else:
            first = dict.fromkeys(wanted, 0)
        rest = [ReceivedItem(item_id=i, quantity=q - first[i]) for i, q in wanted.items()]
        if data.draw(st.booleans(), label="close short") and any(first.values()):
            closed = service.handle(ReceiveReturn(return_id=opened.id, allow_mismatch=True))
        else:
            closed = service.handle(ReceiveReturn(return_id=opened.id, items=rest))
        for part in closed.breakdown:
            for each in part.parts:
                name = f"{part.name}/{each.name}"
                parts[name] = parts.get(name, 0) + each.amount.amount

    assert world.refunded() == total_paid(order)
    for _, line in priced(order):
        for each in line.part(line.running_sums).parts:
            assert parts.get(f"item:{line.item_id}/{each.name}", 0) == each.amount.amount


@given(order=orders(most_lines=1).map(everything_fulfilled), data=st.data())
def test_units_are_worth_between_floor_and_ceiling_of_what_one_cost(
    order: Order, data: st.DataObject
) -> None:
    """A single unit is worth its average price rounded down or up, however many were returned before it."""
    world = World(order)
    item = order.items[0]
    unit = Fraction(total_paid(order), item.quantity)

    while left := world.service.returnable_items(order.id)[0].quantity:
        quantity = data.draw(st.integers(1, left))
        opened = world.service.handle(
            RequestReturn(order_id=order.id, items=[RequestedItem(item_id=item.id, quantity=quantity)])
        )
        assert quantity * (unit // 1) <= opened.refund_amount.amount <= quantity * -(-unit // 1)
        if data.draw(st.booleans()):
            world.service.handle(
                ReceiveReturn(return_id=opened.id, items=[ReceivedItem(item_id=item.id, quantity=quantity)])
            )


@given(order=orders(), data=st.data())
def test_a_repeated_command_changes_nothing(order: Order, data: st.DataObject) -> None:
    """A repeated command returns the first answer, without another commit or port call."""
    world = World(order)
    left = [each for each in world.service.returnable_items(order.id) if each.quantity]
    if not left:
        return
    request = RequestReturn(
        order_id=order.id,
        items=[RequestedItem(item_id=each.item_id, quantity=each.quantity) for each in left],
        shipping_option_id="so_return",
        idempotency_key="request",
    )
    opened = world.service.handle(request)
    ends: list[Command] = [
        CancelReturn(return_id=opened.id, idempotency_key="end"),
        ReceiveReturn(
            return_id=opened.id,
            items=[ReceivedItem(item_id=each.item_id, quantity=each.quantity) for each in left],
            idempotency_key="end",
        ),
    ]
    end = data.draw(st.sampled_from(ends))
    ended = world.service.handle(end)
    before = world.ledger, dict(world.payments.refunds), dict(world.inventory.restocks)

    repeated = [world.service.handle(command) for command in (request, end, request)]

    assert repeated == [ended] * 3
    assert before == (world.ledger, world.payments.refunds, world.inventory.restocks)
    assert replay(order.id, world.service.history(order.id)) == world.ledger


@given(order=orders(most_lines=2).map(everything_fulfilled), raised=st.decimals(0, 3, places=1))
def test_a_canceled_return_leaves_no_trace_in_what_a_line_is_worth(order: Order, raised: Decimal) -> None:
    """A line that nothing reserves is read afresh: the same as if there had been no return."""
    world, untouched = World(order), World(order)
    item = order.items[0]
    request = RequestReturn(order_id=order.id, items=[RequestedItem(item_id=item.id, quantity=item.quantity)])
    opened = world.service.handle(request)
    world.service.handle(CancelReturn(return_id=opened.id))
    dearer = evolve(
        item, unit_price=evolve(item.unit_price, amount=int(item.unit_price.amount * (2 + raised)))
    )
    for each in (world, untouched):
        each.orders.put(evolve(order, items=[dearer, *order.items[1:]], adjustments=order.adjustments))

    assert world.service.quote(request) == untouched.service.quote(request)
