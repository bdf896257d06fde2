"""What steps choose from, and how they ask."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import Command
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import Order
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.returns import Return
from rma.domain.values.errors import Rejected
from rma.domain.views.returnable import ReturnableItem
from rma.testing.world import World

#: Does something in a world; False if there was nothing to do.
Action = Callable[[World], bool]

T = TypeVar("T")


def ask(world: World, command: Command) -> Subject | None:
    """The answer to a client that repeats, or to one that gives up; None if refused, or if nobody heard."""
    is_patient = world.random.random() < 0.6
    with suppress(Rejected):
        return world.handle(command) if is_patient else world.send(command)
    return None


def any_order(world: World) -> Order:
    """One of the orders, as it stands."""
    return world.orders.get(world.random.choice(world.order_ids))


def returnable(world: World, order: Order) -> list[ReturnableItem]:
    """The lines of which something can come back now."""
    return [each for each in world.snapshot(order.id).returnable if each.quantity]


def ledgers(world: World) -> Iterator[ReturnLedger]:
    """Of every order."""
    return map(world.ledger_of, world.order_ids)


def any_of(world: World, found: list[T]) -> T | None:
    """One of them, if there are any."""
    return world.random.choice(found) if found else None


def any_return(world: World, accept: Callable[[Return], bool]) -> Return | None:
    """A return that fits, if there is one."""
    return any_of(world, [each for ledger in ledgers(world) for each in ledger.returns if accept(each)])


def some_units(world: World, left: list[ReturnableItem]) -> dict[str, int]:
    """Of some lines a unit or two, or up to all of them; now and then one too many."""
    chance = world.random
    wanted = {}
    for each in chance.sample(left, chance.randint(1, len(left))):
        most = each.quantity if chance.random() < 0.2 else min(2, each.quantity)
        wanted[each.item_id] = chance.randint(1, most) + (chance.random() < 0.05)
    return wanted


def requested(world: World, wanted: dict[str, int]) -> list[RequestedItem]:
    """These units, for some reason or none; now and then a line twice."""
    items = []
    for item_id, quantity in wanted.items():
        parts = [1, quantity - 1] if quantity > 1 and world.random.random() < 0.2 else [quantity]
        items += [
            RequestedItem(item_id=item_id, quantity=part, reason_id=_any_reason(world)) for part in parts
        ]
    return items


def any_option(world: World) -> str | None:
    """A way of sending goods back, or none."""
    return world.random.choice([None, *[option.id for option in world.shipping_options if option.is_return]])


def new_goods(world: World) -> list[NewItem]:
    """One or two units of something else, cheap or dear."""
    price = world.random.choice([0, 300, 900, 1500, 2500])
    return [NewItem(variant_id="v_new", quantity=world.random.randint(1, 2), unit_price=price)]


def _any_reason(world: World) -> str | None:
    categories = {reason.parent_id for reason in world.reasons}
    usable = [each.id for each in world.reasons if not each.retired and each.id not in categories]
    return world.random.choice([None, *usable])
