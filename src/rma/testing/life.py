"""
What may happen in a world, and lives made of it by chance.

A step is a function that does something in a world, if there is something to do; `STEPS` says which there
are, and how often each happens. A new kind of command is a new function and a line in `STEPS`; a host adds
its own by `live(world, steps, {**STEPS, mine: 2})`. Chance is steered so that goods really come home.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta

from attrs import evolve

from rma.domain.asked import ReceivedItem, RequestedItem
from rma.domain.commands import (
    CancelReturn,
    Command,
    ReceiveReturn,
    RecordRefundOutcome,
    RequestReturn,
    RetryRefund,
)
from rma.domain.effects import RefundDeclined, RefundPending, RefundReversed, RefundSucceeded
from rma.domain.errors import Rejected
from rma.domain.money import Money
from rma.domain.order import Order, OrderStatus
from rma.domain.refunds import RefundStatus
from rma.domain.returns import Return, ReturnStatus
from rma.domain.views import ReturnableItem
from rma.testing.books import Standing
from rma.testing.faults import AnswerLost, Away, Declines, FailsLate, Fault, Pends, RefundFault, Twice
from rma.testing.world import World

#: Does something in a world; False if there was nothing to do.
Step = Callable[[World], bool]

#: What can happen to a call.
FAULTS: tuple[Fault, ...] = (Away(), AnswerLost(), Twice())

#: What a gateway can do with a refund; None is to make it.
REFUND_FAULTS: tuple[RefundFault | None, ...] = (
    None,
    Declines(),
    Pends(),
    Pends(RefundDeclined("refund_failed")),
    Pends(RefundReversed()),
    FailsLate(),
    FailsLate(RefundReversed()),
)

#: Ports that may be away for longer than a call.
PORTS = ("payments", "payments", "inventory", "fulfillment", "events")


def live(world: World, steps: int, kinds: Mapping[Step, int] | None = None) -> None:
    """
    So many steps by chance, in whatever weather; the laws are asked after each.

    Args:
        world: in which they happen.
        steps: how many.
        kinds: what may happen, and how often; `STEPS` unless given.

    Raises:
        LawBroken: with the seed and what happened until then.
    """
    weights = dict(STEPS if kinds is None else kinds)
    for _ in range(steps):
        the_weather_changes(world)
        left = dict(weights)
        while left:
            (step,) = world.random.choices(list(left), list(left.values()))
            if step(world):
                break
            del left[step]
        world.check()


def live_through(world: World, commands: Iterable[Command]) -> None:
    """
    These commands, each in its own weather and repeated until it is answered; the laws are asked after each.

    A generator can look at the world before it says what comes next: ids of returns are drawn anew where
    a process died.

    Raises:
        LawBroken: with the seed and what happened until then.
    """
    for command in commands:
        the_weather_changes(world)
        with suppress(Rejected):
            world.handle(command)
        world.check()


def the_weather_changes(world: World) -> None:
    """What fails next, and who races: a call, a port, a process, nothing; how refunds end at the gateway."""
    world.faults.calm()
    chance = world.random
    match chance.choice(["nothing", "nothing", "call", "call", "port", "process", "race"]):
        case "call":
            world.faults.fails_after(chance.randint(0, 11), chance.choice(FAULTS))
        case "port":
            world.faults.breaks(chance.choice(PORTS), chance.choice(FAULTS))
        case "process":
            world.faults.dies_after(chance.randint(0, 23))
        case "race":
            world.race(chance.randint(0, 11), resumes=chance.random() < 0.3)
        case _:
            pass
    if chance.random() < 0.4:
        world.faults.refunds.extend(chance.choices(REFUND_FAULTS, k=2))


def a_return_is_requested(world: World) -> bool:
    """Some of what is left or all of it, maybe a line twice, with shipping or an amount of its own."""
    order, chance = any_order(world), world.random
    left = returnable(world, order)
    if not left:
        return False
    items = []
    for each in chance.sample(left, chance.randint(1, len(left))):
        most = each.quantity if chance.random() < 0.2 else min(2, each.quantity)
        quantity = chance.randint(1, most) + (chance.random() < 0.05)
        parts = [1, quantity - 1] if quantity > 1 and chance.random() < 0.2 else [quantity]
        items += [
            RequestedItem(item_id=each.item_id, quantity=part, reason_id=_any_reason(world)) for part in parts
        ]
    amount = Money(chance.randint(0, 400), order.currency) if chance.random() < 0.15 else None
    option_id = chance.choice([None, *[option.id for option in world.shipping_options]])
    ask(
        world,
        RequestReturn(order_id=order.id, items=items, shipping_option_id=option_id, refund_amount=amount),
    )
    return True


def goods_arrive(world: World) -> bool:
    """All that is missing, or less, some of it damaged; sometimes a unit that nobody announced."""
    target = _any_return(world, lambda each: each.is_open)
    if target is None:
        return False
    chance = world.random
    came = {item.item_id: 0 for item in target.items}
    for item in target.items:
        came[item.item_id] += item.missing_quantity
    kind = chance.choice(["full", "full", "short", "extra"])
    if kind == "short":
        came = {item_id: chance.randint(0, missing) for item_id, missing in came.items()}
    if kind == "extra" and (left := returnable(world, world.orders.get(target.order_id))):
        extra = chance.choice(left).item_id
        came[extra] = came.get(extra, 0) + 1
    damaged = {item_id: chance.choice([0, 0, chance.randint(0, units)]) for item_id, units in came.items()}
    flag = "" if kind == "full" else chance.choice(["", "allow_mismatch", "more_expected"])
    ask(
        world,
        ReceiveReturn(
            return_id=target.id,
            items=[
                ReceivedItem(
                    item_id=item_id, quantity=units - damaged[item_id], damaged_quantity=damaged[item_id]
                )
                for item_id, units in came.items()
            ],
            allow_mismatch=flag == "allow_mismatch",
            more_expected=flag == "more_expected",
        ),
    )
    return True


def a_clerk_accepts_what_came(world: World) -> bool:
    """As all that will come, for what it is worth or for an amount that the clerk names."""
    target = _any_return(world, lambda each: each.is_open and bool(each.receipts))
    if target is None:
        return False
    amount = Money(world.random.randint(0, 400), target.currency) if world.random.random() < 0.5 else None
    ask(world, ReceiveReturn(return_id=target.id, allow_mismatch=True, refund_amount=amount))
    return True


def a_return_is_canceled(world: World) -> bool:
    """Mostly one that can be, for whatever came of it goes back."""
    likely = {ReturnStatus.REQUESTED, ReturnStatus.REQUIRES_ACTION}
    target = _any_return(world, lambda each: each.status in likely) or _any_return(world, lambda _: True)
    if target is None:
        return False
    ask(world, CancelReturn(return_id=target.id))
    return True


def a_refund_is_retried(world: World) -> bool:
    """All that is due, or one minor unit of it."""
    target = _any_return(world, lambda each: each.amount_due.amount > 0)
    if target is None:
        return False
    amount = world.random.choice([None, None, Money(1, target.currency)])
    ask(world, RetryRefund(return_id=target.id, amount=amount))
    return True


def a_command_is_repeated(world: World) -> bool:
    """One that was answered, or one whose client heard nothing."""
    sent = [*world.answered.values(), *world.unanswered.values()]
    if not sent:
        return False
    ask(world, world.random.choice(sent))
    return True


def the_gateway_moves_on(world: World) -> bool:
    """What was pending ends, what succeeded fails late or comes back; its notification is on its way."""
    moving = world.books.moving()
    if not moving:
        return False
    key = world.random.choice(moving)
    ends: list[Standing] = [RefundDeclined("failed_late"), RefundReversed()]
    if isinstance(world.books.stands(key), RefundPending):
        ends = [RefundSucceeded(), *ends]
    outcome = world.random.choice(ends)
    number = len(world.faults.notices) + 1
    world.faults.notices.append(RecordRefundOutcome(key=key, outcome=outcome, notice_id=f"notice_{number}"))
    world.note(f"{key}: a notification is on its way")
    return True


def a_notification_arrives(world: World) -> bool:
    """Any of them, in any order, as often as it likes."""
    if not world.faults.notices:
        return False
    with suppress(Rejected):
        world.tell(world.random.choice(world.faults.notices))
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
        for order_id in world.order_ids
        for refund in world.ledger_of(order_id).refunds
        if refund.status is RefundStatus.NEEDS_ATTENTION and not world.books.is_unknown(refund.key)
    ]
    for refund in lost:
        outcome = world.books.stands(refund.key) or RefundDeclined("never_arrived")
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


#: What may happen, and how often.
STEPS: Mapping[Step, int] = {
    a_return_is_requested: 16,
    goods_arrive: 24,
    a_clerk_accepts_what_came: 6,
    a_return_is_canceled: 6,
    a_refund_is_retried: 10,
    a_command_is_repeated: 5,
    the_gateway_moves_on: 3,
    a_notification_arrives: 6,
    a_timer_runs: 4,
    time_passes: 3,
    somebody_looks: 6,
    more_is_fulfilled: 3,
    an_order_changes_its_status: 3,
}


def ask(world: World, command: Command) -> Return | None:
    """The answer of a client that repeats, or of one that gives up; None if it is refused or nobody heard."""
    is_patient = world.random.random() < 0.6
    with suppress(Rejected):
        return world.handle(command) if is_patient else world.send(command)
    return None


def any_order(world: World) -> Order:
    """One of the orders, as it stands."""
    return world.orders.get(world.random.choice(world.order_ids))


def returnable(world: World, order: Order) -> list[ReturnableItem]:
    """The lines of which something can come back now."""
    return [each for each in world.look(order.id).returnable if each.quantity]


def _any_return(world: World, accept: Callable[[Return], bool]) -> Return | None:
    fitting = [
        each for order_id in world.order_ids for each in world.ledger_of(order_id).returns if accept(each)
    ]
    return world.random.choice(fitting) if fitting else None


def _any_reason(world: World) -> str | None:
    categories = {reason.parent_id for reason in world.reasons}
    usable = [each.id for each in world.reasons if not each.retired and each.id not in categories]
    return world.random.choice([None, *usable])
