"""Actions around the library: at gateways and hosts, by timers, and as time passes."""

from contextlib import suppress
from datetime import timedelta

from attrs import evolve

from rma.domain.messages.commands import RecordRefundOutcome
from rma.domain.messages.effects import RefundDeclined, RefundPending, RefundReversed, RefundSucceeded
from rma.domain.sale.order import Order, OrderStatus
from rma.domain.values.errors import Rejected
from rma.domain.values.money import Money
from rma.testing.commands.choosers import RandomChooser
from rma.testing.edits import edit_order
from rma.testing.gateway_model import KnownOutcome
from rma.testing.world import World


def change_gateway_outcome(world: World) -> bool:
    """A pending refund ends, or a successful one fails late or is reversed; a notification is on its way."""
    keys = world.gateway_model.keys_that_may_change()
    if not keys:
        return False
    key = world.random.choice(keys)
    ends: list[KnownOutcome] = [RefundDeclined("failed_late"), RefundReversed()]
    if isinstance(world.gateway_model.outcome_of(key), RefundPending):
        ends = [RefundSucceeded(), *ends]
    outcome = world.random.choice(ends)
    number = len(world.faults.notifications) + 1
    world.faults.notifications.append(
        RecordRefundOutcome(key=key, outcome=outcome, notification_id=f"notice_{number}")
    )
    world.note(f"{key}: a notification is on its way")
    return True


def deliver_notification(world: World) -> bool:
    """Any of the gateway's notifications arrives, in any order and any number of times."""
    if not world.faults.notifications:
        return False
    with suppress(Rejected):
        world.notify(world.random.choice(world.faults.notifications))
    return True


def resume(world: World) -> bool:
    """A timer resumes outstanding effects."""
    world.resume()
    return True


def pass_time(world: World) -> bool:
    """Minutes or hours pass: leases end, gateways forget keys."""
    world.now += timedelta(minutes=world.random.choice([1, 10, 60, 300]))
    world.note("time passed")
    return True


def fulfill_more(world: World) -> bool:
    """Some of what a customer still waits for is fulfilled."""
    order = _any_order(world)
    if all(item.fulfilled_quantity == item.quantity for item in order.items):
        return False
    items = [
        evolve(item, fulfilled_quantity=world.random.randint(item.fulfilled_quantity, item.quantity))
        for item in order.items
    ]
    world.orders.put(evolve(order, items=items))
    world.note(f"{order.id}: fulfilled {[item.fulfilled_quantity for item in items]}")
    return True


def cancel_or_reopen_order(world: World) -> bool:
    """The host cancels an order, which then takes goods but no requests, or reopens a canceled one."""
    order = _any_order(world)
    is_canceled = order.status is OrderStatus.CANCELED
    if not is_canceled and world.random.random() < 0.7:
        return False
    status = OrderStatus.COMPLETED if is_canceled else OrderStatus.CANCELED
    world.orders.put(evolve(order, status=status))
    world.note(f"{order.id}: {status}")
    return True


def change_order(world: World) -> bool:
    """The host edits what was sold, while returns of it are open, closed or canceled."""
    order = _any_order(world)
    if world.random.random() < 0.5:
        return False
    world.orders.put(edit_order(RandomChooser(world.random), order))
    lines = [(item.id, item.quantity) for item in world.orders.get(order.id).items]
    world.note(f"{order.id}: edited, now {lines}")
    return True


def refund_elsewhere(world: World) -> bool:
    """A payment is charged back, or refunded without the library; all that is left of it, or a part."""
    order = _any_order(world)
    payments = [each for each in order.payments if each.refunded.amount < each.captured.amount]
    if not payments or world.random.random() < 0.7:
        return False
    payment = world.random.choice(payments)
    most = payment.captured.amount - payment.refunded.amount
    amount = Money(world.random.choice([most, world.random.randint(1, most)]), order.currency)
    changed = evolve(payment, refunded=payment.refunded + amount)
    world.orders.put(
        evolve(order, payments=[changed if each.id == payment.id else each for each in order.payments])
    )
    world.note(f"{payment.id}: {amount} refunded elsewhere")
    return True


def contradict(world: World) -> bool:
    """The gateway reports that a refund failed, and then that it succeeded, which is true."""
    keys = world.gateway_model.keys_that_may_change()
    if not keys or world.random.random() < 0.5:
        return False
    key = world.random.choice(keys)
    mistaken = RecordRefundOutcome(key=key, outcome=RefundDeclined("mistaken"))
    after_all = RecordRefundOutcome(key=key, outcome=RefundSucceeded(), notification_id=f"{key}_after_all")
    with suppress(Rejected):
        for notice in (mistaken, after_all):  # each until it is answered, and nothing between them
            world.handle(notice)
        world.gateway_model.contradict(key)
    return True


def send_what_was_stopped(world: World) -> bool:
    """A person looks at the carrier, and has sent again what it does not have, and nothing that it has."""
    for order_id in world.order_ids:
        snapshot = world.snapshot(order_id)
        stopped = [each for each in snapshot.ledger.open_effects.values() if each.delivery.is_stopped]
        for effect in stopped:
            related = snapshot.ledger.related(effect.owner_id)
            together = [each.request.key for each in stopped if each.owner_id in related]
            if not any(key in snapshot.shipments for key in together):
                world.resume_stopped(effect.owner_id)
                return True
    return False


def archive_history(world: World) -> bool:
    """The host archives an order, whether it is over or not; often after its timer had nothing left to do."""
    started = [order_id for order_id in world.order_ids if world.ledger_of(order_id).revision]
    if not started:
        return False
    if world.random.random() < 0.7:
        world.faults.calm()
        world.now += timedelta(hours=2)
        world.resume()
    with suppress(Rejected):
        world.archive(world.random.choice(started))
    return True


def _any_order(world: World) -> Order:
    return world.orders.get(world.random.choice(world.order_ids))
