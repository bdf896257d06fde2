"""What is asked about exchanges."""

from rma.domain.messages.commands import CancelExchange, RecordExchangePayment, RequestExchange
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.state.exchanges import Exchange
from rma.domain.state.lifecycle import ExchangeStatus
from rma.domain.values.money import Money
from rma.testing.actions.chance import (
    any_of,
    any_option,
    any_order,
    ask,
    ledgers,
    new_goods,
    requested,
    returnable,
    some_units,
)
from rma.testing.world import World


def an_exchange_is_requested(world: World) -> bool:
    """Some of what is left for something cheaper or dearer, that the customer pays the shipping of or not."""
    order = any_order(world)
    left = returnable(world, order)
    if not left:
        return False
    express = ShippingMethod(id="express", option_id=None, name="Express", price=Money(300, order.currency))
    ask(
        world,
        RequestExchange(
            order_id=order.id,
            items=requested(world, some_units(world, left)),
            new_items=new_goods(world),
            shipping_option_id=any_option(world),
            outbound_shipping=world.random.choice([None, express]),
        ),
    )
    return True


def an_exchange_is_paid(world: World) -> bool:
    """All that the customer owes, or a part of it."""
    found = [each for each in _going_on(world) if each.owed.amount]
    target = any_of(world, found)
    if target is None:
        return False
    amount = world.random.choice([target.owed.amount, world.random.randint(1, target.owed.amount)])
    ask(
        world,
        RecordExchangePayment(
            exchange_id=target.id,
            amount=Money(amount, target.currency),
            reference=f"payment_{len(target.payments) + 1}",
        ),
    )
    return True


def an_exchange_is_canceled(world: World) -> bool:
    """Refused where goods came or money moved."""
    target = any_of(world, _going_on(world))
    if target is None:
        return False
    ask(world, CancelExchange(exchange_id=target.id))
    return True


def _going_on(world: World) -> list[Exchange]:
    is_over = {ExchangeStatus.COMPLETED, ExchangeStatus.CANCELED}
    return [each for ledger in ledgers(world) for each in ledger.exchanges if each.status not in is_over]
