"""How many units of each line can be returned now, and why not more."""

from datetime import datetime

from attrs import frozen

from rma.domain.sale.eligibility import refusals
from rma.domain.sale.order import Order, OrderStatus
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.money import Money, share


@frozen
class ReturnableItem:
    """
    How many units of a line can be returned now.

    Attributes:
        unit_value: the value of the next one; the others may differ from it by one minor unit.
        reasons: codes for why the quantity is below the ordered one: `order_canceled`,
            `item_not_returnable`, `return_window_closed`, `not_fulfilled`, `in_open_return`, `claimed`,
            `already_returned`, `no_longer_on_order` (the host took units off the order that returns or
            claims reserve).
    """

    item_id: str
    quantity: int
    unit_value: Money
    reasons: tuple[str, ...] = ()


def returnable_items(
    order: Order, ledger: ReturnLedger, policy: ReturnPolicy, at: datetime
) -> tuple[ReturnableItem, ...]:
    """
    Every line of the order, those without returnable units too, in the order's order.

    Then every line that is no longer on the order and that a return or claim still reserves units of.
    """
    reserved = ledger.reserved_quantities()
    remainders = ledger.remainders(order, [line.id for line in order.items])
    expected, back, claimed = _expected(ledger), ledger.arrived_quantities(), _claimed(ledger)
    found = []
    for line in order.items:
        codes = [violation.code for violation in refusals(order, line, policy, at)]
        if order.status is OrderStatus.CANCELED:
            codes.insert(0, "order_canceled")
        remainder = remainders[line.id]
        quantity = 0 if codes else remainder.returnable(line)
        next_unit = (
            remainder.line.paid(share(remainder.running_sums, 1, remainder.quantity))
            if remainder.quantity
            else 0
        )
        shortened = {
            "not_fulfilled": line.fulfilled_quantity < line.quantity,
            "in_open_return": expected.get(line.id),
            "claimed": claimed.get(line.id),
            "already_returned": line.returned_quantity or back.get(line.id),
            "no_longer_on_order": reserved.get(line.id, 0) > line.fulfilled_quantity - line.returned_quantity,
        }
        codes += [code for code, applies in shortened.items() if applies]
        found.append(ReturnableItem(line.id, quantity, Money(next_unit, order.currency), tuple(codes)))
    known = {line.id for line in order.items}
    nothing = Money(0, order.currency)
    for item_id, quantity in reserved.items():
        if quantity and item_id not in known:
            found.append(ReturnableItem(item_id, 0, nothing, ("no_longer_on_order",)))
    return tuple(found)


def _claimed(ledger: ReturnLedger) -> dict[str, int]:
    """Units that claims compensated, by line."""
    claimed: dict[str, int] = {}
    for claim in ledger.claims:
        for item_id, quantity in claim.reserved_quantities():
            claimed[item_id] = claimed.get(item_id, 0) + quantity
    return claimed


def _expected(ledger: ReturnLedger) -> dict[str, int]:
    """Units of open returns that have not arrived, by line."""
    expected: dict[str, int] = {}
    for each in ledger.returns:
        for item in each.items if each.is_open else ():
            expected[item.item_id] = expected.get(item.item_id, 0) + item.missing_quantity
    return expected
