"""What happens around the library: at gateways and hosts, by timers and by people, in time."""

from contextlib import suppress
from datetime import timedelta

from attrs import evolve

from rma.domain.messages.commands import RecordRefundOutcome
from rma.domain.messages.effects import RefundDeclined, RefundPending, RefundReversed, RefundSucceeded
from rma.domain.sale.order import OrderStatus
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.values.errors import Rejected
from rma.testing.actions.chance import any_order, ask, ledgers
from rma.testing.gateway_model import Standing
from rma.testing.world import World


def the_gateway_moves_on(world: World) -> bool:
    """What was pending ends, what succeeded fails late or comes back; its notification is on its way."""
    moving = world.gateway_model.moving()
    if not moving:
        return False
    key = world.random.choice(moving)
    ends: list[Standing] = [RefundDeclined("failed_late"), RefundReversed()]
    if isinstance(world.gateway_model.stands(key), RefundPending):
        ends = [RefundSucceeded(), *ends]
    outcome = world.random.choice(ends)
    number = len(world.faults.notifications) + 1
    world.faults.notifications.append(
        RecordRefundOutcome(key=key, outcome=outcome, notification_id=f"notice_{number}")
    )
    world.note(f"{key}: a notification is on its way")
    return True


def a_notification_arrives(world: World) -> bool:
    """Any of them, in any order, as often as it likes."""
    if not world.faults.notifications:
        return False
    with suppress(Rejected):
        world.tell(world.random.choice(world.faults.notifications))
    return True


def a_timer_runs(world: World) -> bool:
    """What is outstanding goes out."""
    world.resume()
    return True


def time_passes(world: World) -> bool:
    """Minutes or hours: leases end, keys are forgotten."""
    world.now += timedelta(minutes=world.random.choice([1, 10, 60, 300]))
    world.note("time passed")
    return True


def somebody_looks(world: World) -> bool:
    """At refunds of which nobody could tell, and says what the gateway's books say."""
    lost = [
        refund
        for ledger in ledgers(world)
        for refund in ledger.refunds
        if refund.status is RefundStatus.NEEDS_ATTENTION and not world.gateway_model.is_unknown(refund.key)
    ]
    for refund in lost:
        outcome = world.gateway_model.stands(refund.key) or RefundDeclined("never_arrived")
        ask(world, RecordRefundOutcome(key=refund.key, outcome=outcome))
    return bool(lost)


def more_is_fulfilled(world: World) -> bool:
    """Some of what a customer still waits for."""
    order = any_order(world)
    if all(item.fulfilled_quantity == item.quantity for item in order.items):
        return False
    items = [
        evolve(item, fulfilled_quantity=world.random.randint(item.fulfilled_quantity, item.quantity))
        for item in order.items
    ]
    world.orders.put(evolve(order, items=items))
    world.note(f"{order.id}: fulfilled {[item.fulfilled_quantity for item in items]}")
    return True


def an_order_changes_its_status(world: World) -> bool:
    """A canceled one takes no requests, but still takes goods; the host may take it back."""
    order = any_order(world)
    is_canceled = order.status is OrderStatus.CANCELED
    if not is_canceled and world.random.random() < 0.7:
        return False
    status = OrderStatus.COMPLETED if is_canceled else OrderStatus.CANCELED
    world.orders.put(evolve(order, status=status))
    world.note(f"{order.id}: {status}")
    return True
