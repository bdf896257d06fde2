"""What a host does to an order that was sold: units and lines come and go, prices and discounts change."""

from collections.abc import Iterable

from attrs import evolve

from rma.domain.sale.order import Adjustment, LineItem, Order
from rma.domain.sale.pricing import price_lines
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money
from rma.testing.commands.choosers import Chooser

#: Edits that only add to what was sold, so that the value of units that were returned before stays as it was.
ADDING = ("more_units", "new_line")
#: All edits, as often as they are made.
EDITS = (
    *ADDING,
    *ADDING,
    "fewer_units",
    "line_removed",
    "price",
    "line_discount",
    "order_discount",
)


def edit_order(chooser: Chooser, order: Order, edits: tuple[str, ...] = EDITS) -> Order:
    """
    The order after one of these edits, one version later; what the edit adds to its total was captured.

    Discounts that would exceed the price after the edit are taken off.
    """
    items, adjustments = list(order.items), order.adjustments
    edit = chooser.choose(edits)
    number = chooser.whole(0, len(items) - 1) if items else 0
    if edit == "new_line" or not items:
        items.append(_new_line(chooser, order))
    elif edit == "line_removed":
        del items[number]
    elif edit == "order_discount":
        most = sum([item.price.amount for item in items])
        adjustments = (Adjustment(Money(chooser.whole(0, most // 2), order.currency), code="EDIT"),)
    else:
        items[number] = _edited_line(chooser, items[number], edit)
    edited = _build(order, items, adjustments)
    more = total_paid(edited) - total_paid(order)
    if more <= 0 or not edited.payments:
        return edited
    first, *others = edited.payments
    # Unless it is a multiple of the step, it may have been given back whole, as no multiple is.
    step = 1 if first.captured.amount % first.refund_step else first.refund_step
    captured = evolve(first, captured=first.captured + Money(more, order.currency), refund_step=step)
    return evolve(edited, payments=[captured, *others])


def _new_line(chooser: Chooser, order: Order) -> LineItem:
    item_id, quantity = f"added_{order.version + 1}", chooser.whole(1, 3)
    return LineItem(
        id=item_id,
        quantity=quantity,
        unit_price=Money(chooser.whole(0, 999), order.currency),
        fulfilled_quantity=quantity,
        variant_id=f"v_{item_id}",
    )


def _edited_line(chooser: Chooser, item: LineItem, edit: str) -> LineItem:
    currency = item.unit_price.currency
    if edit == "price":
        price = Money(chooser.whole(0, 999), currency)
        return evolve(item, unit_price=price, adjustments=())
    if edit == "line_discount":
        amount = chooser.whole(0, item.price.amount)
        return evolve(item, adjustments=(Adjustment(Money(amount, currency), code="EDIT"),))
    if edit == "fewer_units":
        quantity = chooser.whole(item.returned_quantity, item.quantity)
        fulfilled = min(item.fulfilled_quantity, quantity)
        return evolve(item, quantity=quantity, fulfilled_quantity=fulfilled, adjustments=())
    more = chooser.whole(1, 2)
    return evolve(item, quantity=item.quantity + more, fulfilled_quantity=item.fulfilled_quantity + more)


def _build(order: Order, items: Iterable[LineItem], adjustments: tuple[Adjustment, ...]) -> Order:
    try:
        return evolve(order, items=items, adjustments=adjustments, version=order.version + 1)
    except InvalidValue:
        return evolve(order, items=items, adjustments=(), version=order.version + 1)


def total_paid(order: Order) -> int:
    """What was paid for the items of the order, returned ones included: minor units."""
    whole = evolve(order, items=[evolve(item, returned_quantity=0) for item in order.items])
    lines = price_lines(whole, [item.id for item in order.items]).values()
    return sum(line.paid(line.running_sums) for line in lines)
