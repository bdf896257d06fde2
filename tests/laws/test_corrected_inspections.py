"""The law of corrections after inspections, as a property."""

from hypothesis import given
from hypothesis import strategies as st

from rma import (
    CorrectedItem,
    CorrectReceipt,
    Order,
    ReceivedItem,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
)
from rma.domain.change import replay
from rma.testing.core_harness import CoreHarness
from tests.laws.test_inspections import INSPECT, ONE_LINE, inspect, judgements, waiting
from tests.rules.inspected import FAULTS


@given(order=ONE_LINE, data=st.data())
def test_units_that_were_graded_and_never_arrived_are_as_if_they_had_not_been(
    order: Order, data: st.DataObject
) -> None:
    """What was graded last is gone: amount, grades and stock are those of the units that arrived."""
    (line,) = order.items
    units = data.draw(judgements(order))
    here = data.draw(st.integers(1, line.quantity))
    waits = data.draw(st.integers(0, line.quantity - here))
    wrong, right = waiting(order), CoreHarness(order, policy=INSPECT, reasons=FAULTS)
    for each in units[: line.quantity - waits]:
        inspect(wrong, each)
    asked = [RequestedItem(item_id=line.id, quantity=line.quantity)]
    right.handle(RequestReturn(order_id=order.id, items=asked))
    arrived = [ReceivedItem(item_id=line.id, quantity=here)]
    right.handle(ReceiveReturn(return_id="ret_1", items=arrived, location_id="loc_1", allow_mismatch=True))
    for each in units[:here]:
        inspect(right, each)

    counted = [CorrectedItem(item_id=line.id, quantity=here)]
    wrong.handle(CorrectReceipt(return_id="ret_1", items=counted, reason="counted again"))

    ours, theirs = wrong.ledger.returns[0], right.ledger.returns[0]
    assert ours.items == theirs.items
    assert in_stock(wrong) == in_stock(right)
    if not waits:
        assert (ours.status, ours.refund_amount) == (theirs.status, theirs.refund_amount)
    assert replay(order.id, [event for change in wrong.changes for event in change.events]) == wrong.ledger


def in_stock(core: CoreHarness) -> dict[str | None, int]:
    """Returns how many units are in stock for the return, by place."""
    found: dict[str | None, int] = {}
    for restock in core.ledger.returns[0].in_stock:
        for line in restock.lines:
            found[restock.location_id] = found.get(restock.location_id, 0) + line.quantity
    return found
