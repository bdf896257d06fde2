"""Goods that stay with the customer are paid for once, whatever fails while they are requested."""

import pytest

from rma import RequestedItem, RequestReturn, ReturnPolicy, ReturnRule, ReturnStatus
from rma.testing.faults import AnswerLost, Away, Fault
from tests.rules.given import line, order_of
from tests.world import World

KEPT = ReturnPolicy(rules=[ReturnRule(name="keep it", when={"reason:damaged"}, goods="kept")])


@pytest.mark.parametrize("calls_before", range(9))
@pytest.mark.parametrize("fault", [Away(), AnswerLost(), None])
def test_a_request_that_fails_anywhere_is_paid_once(calls_before: int, fault: Fault | None) -> None:
    """The client repeats it until it is answered, and a timer resumes what is left."""
    world = World(order_of(line(quantity=3)), KEPT)
    items = [RequestedItem(item_id="mug", quantity=2, reason_id="rr_damaged")]
    if fault is None:
        world.faults.dies_after(calls_before)
    else:
        world.faults.fails_after(calls_before, fault)

    ret = world.handle(RequestReturn(order_id="order_1", items=items))
    world.faults.calm()
    world.quiesce()

    assert world.service.get(ret.id).status is ReturnStatus.RECEIVED
    assert (world.refunded(), world.inventory.on_hand, world.fulfillment.shipments) == (2000, {}, {})
    assert world.service.returnable_items("order_1", reason_id="rr_damaged")[0].quantity == 1
    world.check()
