"""What is asked about returns and their refunds."""

from rma.domain.messages.command_items import ReceivedItem, RejectedItem
from rma.domain.messages.commands import (
    CancelReturn,
    ReceiveReturn,
    RequestReturn,
    ResolveReturn,
    RetryRefund,
)
from rma.domain.state.claims import Claim
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.testing.actions.chance import (
    any_of,
    any_option,
    any_order,
    any_return,
    ask,
    ledgers,
    requested,
    returnable,
    some_units,
)
from rma.testing.world import World


def a_return_is_requested(world: World) -> bool:
    """Some of what is left, with shipping or without, maybe for an amount of its own."""
    order = any_order(world)
    left = returnable(world, order)
    if not left:
        return False
    amount = Money(world.random.randint(0, 400), order.currency) if world.random.random() < 0.15 else None
    ask(
        world,
        RequestReturn(
            order_id=order.id,
            items=requested(world, some_units(world, left)),
            shipping_option_id=any_option(world),
            refund_amount=amount,
        ),
    )
    return True


def goods_arrive(world: World) -> bool:
    """All that is missing, or less, some of it damaged; sometimes a unit that nobody announced."""
    target = any_return(world, lambda each: each.is_open)
    if target is None:
        return False
    chance = world.random
    arrivals = {item.item_id: 0 for item in target.items}
    for item in target.items:
        arrivals[item.item_id] += item.missing_quantity
    kind = chance.choice(["full", "full", "full", "short", "short", "extra"])
    if kind == "short":
        arrivals = {item_id: chance.randint(0, missing) for item_id, missing in arrivals.items()}
    if kind == "extra" and (left := returnable(world, world.orders.get(target.order_id))):
        extra = chance.choice(left).item_id
        arrivals[extra] = arrivals.get(extra, 0) + 1
    damaged = {
        item_id: chance.choice([0, 0, chance.randint(0, units)]) for item_id, units in arrivals.items()
    }
    flag = (
        "" if kind == "full" else chance.choice(["", "", "allow_mismatch", "more_expected", "more_expected"])
    )
    ask(
        world,
        ReceiveReturn(
            return_id=target.id,
            items=[
                ReceivedItem(
                    item_id=item_id, quantity=units - damaged[item_id], damaged_quantity=damaged[item_id]
                )
                for item_id, units in arrivals.items()
            ],
            allow_mismatch=flag == "allow_mismatch",
            more_expected=flag == "more_expected",
        ),
    )
    return True


def a_clerk_accepts_what_came(world: World) -> bool:
    """As all that will come, for what it is worth or for an amount that the clerk names."""
    target = any_return(world, lambda each: each.is_open and bool(each.receipts))
    if target is None:
        return False
    amount = Money(world.random.randint(0, 400), target.currency) if world.random.random() < 0.5 else None
    ask(world, ReceiveReturn(return_id=target.id, allow_mismatch=True, refund_amount=amount))
    return True


def a_return_is_resolved(world: World) -> bool:
    """By a clerk: some of what came is kept unpaid or goes back, or an amount is named."""
    undecided = {ReturnStatus.REQUIRES_ACTION, ReturnStatus.PARTIALLY_RECEIVED}
    target = any_return(world, lambda each: each.status in undecided or each.entitlement.is_refund_blocked)
    if target is None:
        return False
    chance = world.random
    rejected = [
        RejectedItem(
            item_id=item.item_id,
            quantity=chance.randint(0, item.received_quantity),
            damaged_quantity=chance.randint(0, item.damaged_quantity),
            send_back=chance.random() < 0.5,
        )
        for item in target.items
        if item.arrived_quantity and chance.random() < 0.3
    ]
    named = Money(chance.randint(0, 400), target.currency) if chance.random() < 0.3 else None
    ask(world, ResolveReturn(return_id=target.id, rejected=rejected, refund_amount=named))
    return True


def a_return_is_canceled(world: World) -> bool:
    """Mostly one that can be, for whatever came of it goes back."""
    likely = {ReturnStatus.REQUESTED, ReturnStatus.REQUIRES_ACTION}
    target = any_return(world, lambda each: each.status in likely) or any_return(world, lambda _: True)
    if target is None:
        return False
    ask(world, CancelReturn(return_id=target.id))
    return True


def a_refund_is_retried(world: World) -> bool:
    """All that is due for a return or a claim, or one minor unit of it."""
    due: list[Return | Claim] = []
    for ledger in ledgers(world):
        due += [each for each in ledger.returns if each.amount_due.amount]
        due += [claim for claim in ledger.claims if claim.amount_due.amount]
    target = any_of(world, due)
    if target is None:
        return False
    amount = world.random.choice([None, None, Money(1, target.currency)])
    if isinstance(target, Claim):
        ask(world, RetryRefund(claim_id=target.id, amount=amount))
    else:
        ask(world, RetryRefund(return_id=target.id, amount=amount))
    return True


def a_command_is_repeated(world: World) -> bool:
    """One that was answered, or one whose client heard nothing."""
    sent = [*world.answered.values(), *world.unanswered.values()]
    if not sent:
        return False
    ask(world, world.random.choice(sent))
    return True
