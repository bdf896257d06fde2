"""Orders of every shape that can be, built through their constructors."""

from decimal import Decimal

from attrs import evolve
from hypothesis import strategies as st

from rma import Adjustment, LineItem, Money, Order, Payment, TaxLine
from rma.domain.pricing import price_lines

#: Rates that divide badly, that are usual, and that are nothing.
RATES = [Decimal(rate) for rate in ("0", "5", "7.5", "10", "12.5", "19", "20", "25", "8.875", "33.3")]

amounts = st.one_of(st.integers(0, 30), st.integers(0, 5000), st.sampled_from([99, 100, 199, 333, 999, 1000]))


@st.composite
def tax_lines(draw: st.DrawFn, at_most: int = 3) -> tuple[TaxLine, ...]:
    """Up to three taxes, some with the amount that was really charged."""
    rates = draw(st.lists(st.sampled_from(RATES), max_size=at_most))
    return tuple([TaxLine(rate, code=f"t{number}") for number, rate in enumerate(rates, start=1)])


@st.composite
def line_items(draw: st.DrawFn, item_id: str = "a", *, most_units: int = 7) -> LineItem:
    """A line with discounts and taxes, on top or contained, of which some was fulfilled and came back."""
    quantity = draw(st.integers(1, most_units))
    unit_price = draw(amounts)
    price = unit_price * quantity
    discounts: list[int] = []
    for _ in range(draw(st.integers(0, 2))):
        discounts.append(draw(st.integers(0, price - sum(discounts))))
    fulfilled = draw(st.one_of(st.just(quantity), st.integers(0, quantity)))
    return LineItem(
        id=item_id,
        quantity=quantity,
        unit_price=Money(unit_price, "usd"),
        fulfilled_quantity=fulfilled,
        returned_quantity=draw(st.one_of(st.just(0), st.integers(0, fulfilled))),
        variant_id=f"v_{item_id}",
        adjustments=[Adjustment(Money(discount, "usd")) for discount in discounts],
        tax_lines=draw(tax_lines()),
        is_tax_inclusive=draw(st.booleans()),
    )


@st.composite
def orders(draw: st.DrawFn, *, most_lines: int = 4, most_units: int = 7) -> Order:
    """An order, its discounts, and payments that captured exactly what it came to, in up to three parts."""
    items = [
        draw(line_items(f"i{number}", most_units=most_units))
        for number in range(1, draw(st.integers(1, most_lines)) + 1)
    ]
    value = sum(item.discounted_price for item in items)
    discounts: list[int] = []
    for _ in range(draw(st.integers(0, 2))):
        discounts.append(draw(st.integers(0, value - sum(discounts))))
    order = Order(
        id="order_1",
        currency="usd",
        items=items,
        adjustments=[Adjustment(Money(discount, "usd")) for discount in discounts],
    )
    return draw(paid(order))


@st.composite
def paid(draw: st.DrawFn, order: Order) -> Order:
    """The order with payments that captured exactly what it came to."""
    left = total_paid(order)
    parts = []
    for _ in range(draw(st.integers(0, 2))):
        parts.append(draw(st.integers(0, left)))
        left -= parts[-1]
    payments = [
        Payment(id=f"pay_{number}", captured=Money(part, "usd"))
        for number, part in enumerate([*parts, left], start=1)
    ]
    return evolve(order, payments=payments)


def total_paid(order: Order) -> int:
    """What the items of the order came to, those that are back already included: minor units."""
    whole = evolve(order, items=[evolve(item, returned_quantity=0) for item in order.items])
    lines = price_lines(whole, [item.id for item in order.items]).values()
    return sum(line.paid(line.pool) for line in lines)


def everything_fulfilled(order: Order) -> Order:
    """The order with every unit at the customer."""
    items = [evolve(item, fulfilled_quantity=item.quantity, returned_quantity=0) for item in order.items]
    return evolve(order, items=items)
