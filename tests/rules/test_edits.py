"""Orders that their host edits while returns are open, closed or canceled: worked amounts, then the law."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    Adjustment,
    CancelReturn,
    Conflict,
    LineItem,
    Means,
    Order,
    Payment,
    PaymentShare,
    ReceivedItem,
    ReceiveReturn,
    Refund,
    RefundStatus,
    RequestedItem,
    RequestReturn,
    Return,
    ReturnPolicy,
    StaleOrder,
)
from rma.domain.state.refunds import left_of_payments
from rma.domain.views.returnable import returnable_items
from rma.testing.core_harness import START
from rma.testing.edits import total_paid
from tests.rules.given import Given, line, off, order_of, put, receive, request, usd


def priced(item_id: str, price: int, quantity: int = 1, **more: Any) -> LineItem:
    """A line of this unit price, all of it fulfilled unless the fields say otherwise."""
    fields = {"fulfilled_quantity": quantity, **more}
    return LineItem(id=item_id, quantity=quantity, unit_price=usd(price), **fields)


def bring_back(given: Given, **quantities: int) -> Return:
    """These units requested and received in a return of their own."""
    items = [RequestedItem(item_id=item_id, quantity=count) for item_id, count in quantities.items()]
    given.when(RequestReturn(order_id="order_1", items=items))
    opened = given.ledger.returns[-1]
    arrived = [ReceivedItem(item_id=item_id, quantity=count) for item_id, count in quantities.items()]
    given.when(ReceiveReturn(return_id=opened.id, items=arrived))
    return given.ledger.returns[-1]


def test_a_canceled_return_does_not_freeze_what_was_paid() -> None:
    """1 x 50.00, canceled, then edited to 2 x 50.00: both are returnable, for 100.00."""
    given = Given(order_of(priced("a", 5000)))
    given.when(request(1, "a"))
    given.when(CancelReturn(return_id="ret_1"))
    put(given, items=[priced("a", 5000, 2)])

    assert bring_back(given, a=2).refund_amount == usd(10_000)


def test_units_added_after_a_receipt_are_returnable() -> None:
    """One of 2 x 50.00 back, edited to 3: two more, for 100.00."""
    given = Given(order_of(priced("a", 5000, 2), captured=20_000))
    bring_back(given, a=1)
    put(given, items=[priced("a", 5000, 3)])

    assert given.refuses(request(3, "a")).violations[0].numbers == {"quantity": 3, "returnable": 2}
    assert bring_back(given, a=2).refund_amount == usd(10_000)


def test_an_orders_discount_adds_up_over_a_line_that_an_edit_adds() -> None:
    """A and B at 100.00 with 50.00 off, A back (75.00), C added: B and C are 175.00, 250.00 in all."""
    lines = [priced("a", 10_000), priced("b", 10_000), priced("c", 10_000)]
    given = Given(order_of(*lines[:2], captured=25_000, adjustments=off(5000)))
    first = bring_back(given, a=1)
    put(given, items=lines)

    rest = bring_back(given, b=1, c=1)

    assert (first.refund_amount, rest.refund_amount) == (usd(7500), usd(17_500))


def test_an_orders_discount_adds_up_over_units_that_an_edit_removes() -> None:
    """A and three B at 100.00 with 40.00 off, A back (90.00), two B edited away: the last B is 70.00."""
    given = Given(
        order_of(priced("a", 10_000), priced("b", 10_000, 3), captured=40_000, adjustments=off(4000))
    )
    first = bring_back(given, a=1)
    put(given, items=[priced("a", 10_000), priced("b", 10_000)])

    assert (first.refund_amount, bring_back(given, b=1).refund_amount) == (usd(9000), usd(7000))


def test_a_discount_that_comes_later_is_spread_over_what_is_left() -> None:
    """10 x 150.00, one back at 150.00, then 450.00 off: four are 400.00."""
    given = Given(order_of(priced("a", 15_000, 10), captured=150_000))
    first = bring_back(given, a=1)
    put(given, items=[priced("a", 15_000, 10, adjustments=off(45_000))])

    assert (first.refund_amount, bring_back(given, a=4).refund_amount) == (usd(15_000), usd(40_000))


def test_a_line_whose_units_are_all_back_has_nothing_more_to_give() -> None:
    """Whatever an edit says of its price."""
    given = Given(order_of(priced("a", 1000)))
    bring_back(given, a=1)
    put(given, items=[priced("a", 5000)])

    assert given.codes(request(1, "a")) == ["quantity_exceeds_returnable"]


def test_a_price_that_falls_below_what_was_taken_leaves_nothing() -> None:
    """Never a negative amount."""
    given = Given(order_of(priced("a", 1000, 2)))
    bring_back(given, a=1)
    put(given, items=[priced("a", 300, 2)])

    assert bring_back(given, a=1).refund_amount == usd(0)


def test_a_request_keeps_what_its_units_took() -> None:
    """The quote is a promise; an edit changes it no more."""
    given = Given(order_of(priced("mug", 1000, 2)))
    given.when(request(1))
    put(given, items=[priced("mug", 4000, 2)])

    given.when(receive(1))

    assert given.the().refund_amount == usd(1000)


def test_an_order_older_than_the_ledger_saw_moves_nothing() -> None:
    """A replica that lags behind would pay by facts that are over."""
    given = Given(order_of(priced("mug", 1000, 2), version=4))
    given.when(request(1))
    put(given, version=3)

    with pytest.raises(StaleOrder) as error:
        given.when(receive(1))

    assert error.value.details == {"order_id": "order_1", "version": 3, "seen": 4}
    assert isinstance(error.value, Conflict)
    put(given, version=5)
    given.when(receive(1))
    assert given.ledger.order_version == 5
    assert given.the().status == "received"


def test_units_that_were_edited_away_are_explained() -> None:
    """A removed line and one that shrank below what is reserved say the same."""
    given = Given(order_of(priced("a", 1000, 2), priced("b", 1000, 2)))
    given.when(request(2, "a"))
    given.when(request(2, "b"))
    put(given, items=[priced("a", 1000, 1)])
    assert given.order is not None

    found = returnable_items(given.order, given.ledger, ReturnPolicy(), given.now)

    assert [(each.item_id, each.quantity) for each in found] == [("a", 0), ("b", 0)]
    assert found[0].reasons == ("in_open_return", "no_longer_on_order")
    assert found[1].reasons == ("no_longer_on_order",)


@pytest.mark.parametrize("items", [[], [priced("mug", 1000, 2, fulfilled_quantity=0)]])
def test_a_line_removed_after_its_request_is_one_whose_fulfilled_quantity_fell_to_0(
    items: list[LineItem],
) -> None:
    """Its parcel is booked and pays nothing by itself: the host refunded what it took off the order."""
    for quantity in (1, 2):
        given = Given(order_of(priced("mug", 1000, 2)))
        given.when(request(1))
        put(given, items=items)

        given.when(receive(quantity))

        ret = given.the()
        assert (ret.status, ret.refunds) == ("requires_action", ())
        assert [item.received_quantity for item in ret.items] == [1]
        assert [each.quantity for each in ret.foreign] == [1] * (quantity - 1)


def test_a_discount_that_a_removed_line_took_is_not_taken_again() -> None:
    """A and B at 100.00 with 40.00 off, A back (80.00) and removed: B is 80.00, as when it was sold."""
    given = Given(order_of(priced("a", 10_000), priced("b", 10_000), captured=16_000, adjustments=off(4000)))
    first = bring_back(given, a=1)
    put(given, items=[priced("b", 10_000)])

    assert (first.refund_amount, bring_back(given, b=1).refund_amount) == (usd(8000), usd(8000))


def test_units_that_got_back_what_others_paid_too_much_take_nothing_from_other_lines() -> None:
    """
    Three A and three B at 10.00 with 30.00 off, two A back (5.00 each), B edited to 27.

    A's part of the discount is 3.00 now, of which 10.00 were taken: its last unit is 17.00, and B is 243.00.
    """
    given = Given(
        order_of(priced("a", 1000, 3), priced("b", 1000, 3), captured=30_000, adjustments=off(3000))
    )
    first = bring_back(given, a=2)
    put(given, items=[priced("a", 1000, 3), priced("b", 1000, 27)])

    last, others = bring_back(given, a=1), bring_back(given, b=27)

    assert [each.refund_amount for each in (first, last, others)] == [usd(1000), usd(1700), usd(24_300)]


def test_a_lines_own_discount_counts_once_however_its_units_took_it() -> None:
    """16.00 with 2.00 off, 5.00 off the order: back for 9.00; then one more of it, and another at 11.00."""
    own = {"adjustments": off(200)}
    given = Given(order_of(line("a", 1, 1600, **own), captured=10_000, adjustments=off(500)))
    first = bring_back(given, a=1)
    put(given, items=[line("a", 2, 1600, **own), priced("b", 1100)])

    last, other = bring_back(given, a=1), bring_back(given, b=1)

    amounts = [each.refund_amount.amount for each in (first, last, other)]
    assert amounts[0] == 900
    assert sum(amounts) == 2 * 1600 - 200 + 1100 - 500


def test_what_one_discount_has_no_room_for_goes_to_the_others() -> None:
    """What a line without units left took too much of one is given up by the others' second discount."""
    discounts = [Adjustment(3), Adjustment(2)]
    given = Given(order_of(priced("a", 8), priced("b", 5), captured=10_000, adjustments=discounts))
    amounts = [bring_back(given, a=1), bring_back(given, b=1)]
    put(given, items=[priced("a", 8), priced("b", 5, 3), priced("c", 8)])
    amounts += [bring_back(given, b=1), bring_back(given, b=1), bring_back(given, c=1)]
    assert sum([each.refund_amount.amount for each in amounts]) == 8 + 15 + 8 - 5


def test_a_line_that_is_back_gives_others_no_discount_because_its_price_was_edited() -> None:
    """A and B at 10.00 with 4.00 off, A back for 8.00 and edited to 20.00: B is still 8.00."""
    given = Given(order_of(priced("a", 1000), priced("b", 1000), captured=10_000, adjustments=off(400)))
    bring_back(given, a=1)
    put(given, items=[priced("a", 2000), priced("b", 1000)])
    assert bring_back(given, b=1).refund_amount == usd(800)


#: An edit that only adds: so many units to a line, or a line of so many.
additions = st.lists(
    st.one_of(
        st.tuples(st.just("more"), st.integers(0, 4), st.integers(1, 2)),
        st.tuples(st.just("new"), st.integers(1, 20), st.integers(1, 2)),
        st.tuples(st.just("back"), st.integers(0, 4), st.integers(1, 3)),
    ),
    max_size=5,
)


#: The price of a unit, units, and what the line's own discount takes off.
sold = st.tuples(st.integers(4, 20), st.integers(1, 2), st.integers(0, 3))


@for_all(
    prices=st.lists(
        st.tuples(st.integers(4, 20), st.integers(1, 2), st.integers(0, 3)), min_size=1, max_size=3
    ),
    discounts=st.lists(st.integers(1, 5), min_size=1, max_size=2),
    steps=additions,
)
def test_with_additions_alone_everything_back_is_everything_paid(
    prices: list[tuple[int, int, int]], discounts: list[int], steps: list[tuple[str, int, int]]
) -> None:
    """Whatever was returned between them: own discounts, and several on the order, of untaxed lines."""
    items = [
        line(f"i{number}", quantity, price, adjustments=off(own))
        for number, (price, quantity, own) in enumerate(prices)
    ]
    whole = sum([price * quantity - own for price, quantity, own in prices])
    adjustments = [Adjustment(min(each, whole // 2)) for each in discounts]
    given = Given(order_of(*items, captured=100_000, adjustments=adjustments))
    for kind, number, count in steps:
        order = given.order
        assert order is not None
        items = list(order.items)
        place = number % len(items)
        if kind == "new":
            put(given, items=[*items, line(f"i{len(items)}", count, number)])
        elif kind == "more":
            more = items[place].quantity + count
            items[place] = evolve(items[place], quantity=more, fulfilled_quantity=more)
            put(given, items=items)
        else:
            left = given.ledger.remainders(order, [items[place].id])[items[place].id].quantity
            if left:
                bring_back(given, **{items[place].id: min(left, count)})
    order = given.order
    assert order is not None
    for item in order.items:
        for _ in range(given.ledger.remainders(order, [item.id])[item.id].quantity):
            bring_back(given, **{item.id: 1})
    assert sum([each.refund_amount.amount for each in given.ledger.returns]) == total_paid(order)


def test_a_line_that_a_discount_makes_free_gets_back_what_a_removed_line_took_of_it() -> None:
    """A and B at 100.00 with 200.00 off, A back (0.00) and removed, 100.00 off: B is 100.00."""
    given = Given(
        order_of(priced("a", 10_000), priced("b", 10_000), captured=20_000, adjustments=off(20_000))
    )
    first = bring_back(given, a=1)
    put(given, items=[priced("b", 10_000)], adjustments=off(10_000))

    assert (first.refund_amount, bring_back(given, b=1).refund_amount) == (usd(0), usd(10_000))


def test_a_line_made_free_by_a_new_discount_has_nothing_left() -> None:
    """2 x 10.00, one back, then 20.00 off: the other one is returnable for 0.00."""
    given = Given(order_of(priced("a", 1000, 2)))
    bring_back(given, a=1)
    put(given, items=[priced("a", 1000, 2, adjustments=off(2000))])

    last = bring_back(given, a=1)

    assert last.refund_amount == usd(0)
    assert {part.name: part.amount.amount for part in last.breakdown[0].parts} == {
        "price": 1000,
        "discount:1": -1000,
    }


def test_a_parcel_that_is_not_accepted_shows_the_amount_that_was_named() -> None:
    """Its parts add up to it, and its first quote stays on record."""
    given = Given(order_of(priced("mug", 1000, 2)))
    given.when(request(2))
    given.when(receive(1, refund_amount=usd(900)))

    waiting = given.the()

    assert (waiting.quoted_refund, waiting.refund_amount) == (usd(2000), usd(900))
    assert sum(part.amount.amount for part in waiting.breakdown) == 900


@pytest.mark.parametrize("names", [["new"], ["new", "other"], []])
def test_refunds_of_a_payment_that_was_renamed_still_count(names: list[str]) -> None:
    """20.00 captured, 10.00 of it back: whatever the payment is called now, 10.00 is left of it."""
    given = Given(order_of(priced("a", 1000, 2)))
    bring_back(given, a=1)
    put(given, payments=[Payment(id=name, captured=usd(2000 // len(names))) for name in names])
    assert given.order is not None

    assert given.ledger.refundable(given.order) == usd(1000 if names else 0)
    assert given.codes(request(1, "a", refund_amount=1001, refund_note="all")) == [
        "refund_exceeds_refundable"
    ]


@for_all(
    captured=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50), max_size=4),
    refunded=st.lists(st.tuples(st.sampled_from("abcdxy"), st.integers(0, 30)), max_size=6),
)
def test_no_more_is_left_than_was_captured_less_what_is_in_force(
    captured: dict[str, int], refunded: list[tuple[str, int]]
) -> None:
    """Of all payments together, whatever refunds are called after; and no payment is below 0."""
    refunds = [
        Refund(f"k{number}", payment_id, usd(amount), RefundStatus.SUCCEEDED, START)
        for number, (payment_id, amount) in enumerate(refunded)
    ]

    left = left_of_payments(captured, refunds)

    assert left.keys() == captured.keys()
    assert min(left.values(), default=0) >= 0
    assert all(left[each] <= captured[each] for each in left)
    is_covered = all(
        sum(amount for name, amount in refunded if name == each) <= captured[each] for each in captured
    )
    if is_covered:
        assert sum(left.values()) == max(0, sum(captured.values()) - sum(amount for _, amount in refunded))


@for_all(
    captured=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50), max_size=4),
    own=st.lists(st.tuples(st.sampled_from("abcdx"), st.integers(0, 30)), max_size=3),
    otherwise=st.lists(
        st.lists(st.tuples(st.sampled_from("abcdxy"), st.integers(0, 30)), max_size=3), max_size=3
    ),
)
def test_what_is_given_otherwise_is_missing_in_some_payment(
    captured: dict[str, int], own: list[tuple[str, int]], otherwise: list[list[tuple[str, int]]]
) -> None:
    """All of it, whatever payments it counts against, and whatever these gave back since."""
    refunds = [
        Refund(f"own{number}", payment_id, usd(amount), RefundStatus.SUCCEEDED, START)
        for number, (payment_id, amount) in enumerate(own)
    ]
    for number, shares in enumerate(otherwise):
        refunds.append(
            Refund(
                f"credit{number}",
                None,
                usd(sum(amount for _, amount in shares)),
                RefundStatus.SUCCEEDED,
                START,
                means=Means.STORE_CREDIT,
                against=tuple([PaymentShare(payment_id, usd(amount)) for payment_id, amount in shares]),
            )
        )

    left = left_of_payments(captured, refunds)

    lefts = {
        name: max(0, all_of - sum(a for each, a in own if each == name)) for name, all_of in captured.items()
    }
    unnamed = sum(amount for name, amount in own if name not in captured)
    instead = sum(amount for shares in otherwise for _, amount in shares)
    assert sum(left.values()) == max(0, sum(lefts.values()) - unnamed - instead)
    assert all(0 <= left[each] <= lefts[each] for each in captured)


@st.composite
def edits(draw: st.DrawFn, order: Order) -> Order:
    """The order after an edit: quantities, lines added, one discount on the order; all fulfilled."""
    items = []
    for item in order.items:
        if draw(st.integers(0, 9)) == 0:
            continue  # removed
        quantity = draw(st.integers(0, 5))
        items.append(evolve(item, quantity=quantity, fulfilled_quantity=quantity))
    if draw(st.booleans()):
        items.append(priced(f"i{order.version + 1}", draw(st.integers(1, 2000)), draw(st.integers(1, 3))))
    whole = sum([item.price.amount for item in items])
    discounts = (
        [Adjustment(usd(draw(st.integers(0, whole // 2))), code="SALE")] if draw(st.booleans()) else []
    )
    return evolve(order, items=items, adjustments=discounts, version=order.version + 1)


@for_all(data=st.data())
def test_what_is_left_refunds_what_the_order_says_now_less_what_was_taken(data: st.DataObject) -> None:
    """Under any edits, requests, receipts and cancellations of untaxed lines with a discount on the order."""
    given = Given(order_of(priced("i0", 1000, 3), priced("i1", 333, 2), captured=10_000_000))
    order = given.order
    for _ in range(data.draw(st.integers(1, 4))):
        order = given.order = data.draw(edits(order)) if order else None
        assert order is not None
        for item in order.items:
            most = given.ledger.remainders(order, [item.id])[item.id].sent_quantity
            quantity = data.draw(st.integers(0, most))
            if quantity and data.draw(st.booleans()):
                bring_back(given, **{item.id: quantity})
            elif quantity:
                given.when(request(quantity, item.id))
                given.when(CancelReturn(return_id=given.ledger.returns[-1].id))
    order = given.order = data.draw(edits(order)) if order else None
    assert order is not None

    net, discount = taken(given)
    shares = {
        item.id: sum(each) for item, each in zip(order.items, order.allocated_adjustments(), strict=True)
    }
    # What lines without units left have too much or too little of the discount goes to the others.
    rooms, excess = {}, 0
    left = given.ledger.remainders(order, [item.id for item in order.items])
    open_ids = [item.id for item in order.items if left[item.id].quantity]
    for item_id in {*shares, *discount} - {*open_ids}:
        excess += shares.get(item_id, 0) - discount.get(item_id, 0)
    for item in order.items:
        if item.id in open_ids:
            rooms[item.id] = item.price.amount - shares[item.id] - net.get(item.id, 0)
    if not rooms:
        return
    back = bring_back(given, **{item_id: left[item_id].quantity for item_id in rooms}).refund_amount.amount

    assert back >= 0
    given_to_open = sum([shares[item_id] for item_id in rooms])
    if min(rooms.values()) >= 0 and -given_to_open <= excess <= sum(rooms.values()):
        assert back == sum(rooms.values()) - excess


def taken(given: Given) -> tuple[dict[str, int], dict[str, int]]:
    """What reserved units took of each line, and what the discount took off their price."""
    net: dict[str, int] = {}
    discount: dict[str, int] = {}
    for item_id, reserved in given.ledger.reserved().items():
        for each in reserved:
            took = each.line.paid(each.running_sums)
            price = each.line.running_sums[-1] * each.quantity // each.line.quantity
            net[item_id] = net.get(item_id, 0) + took
            discount[item_id] = discount.get(item_id, 0) + price - took
    return net, discount
