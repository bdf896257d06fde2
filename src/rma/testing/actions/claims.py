"""What is asked about claims."""

from rma.domain.messages.command_items import ClaimItem
from rma.domain.messages.commands import CancelClaim, RequestClaim
from rma.domain.state.claims import ClaimReason, ClaimType
from rma.domain.state.lifecycle import ClaimStatus
from rma.domain.values.money import Money
from rma.testing.actions.chance import (
    any_of,
    any_option,
    any_order,
    ask,
    ledgers,
    new_goods,
    returnable,
    some_units,
)
from rma.testing.world import World


def a_claim_is_made(world: World) -> bool:
    """For money, computed or named, or for new goods; the broken ones come back or do not."""
    order, chance = any_order(world), world.random
    left = returnable(world, order)
    if not left:
        return False
    type_ = chance.choice(list(ClaimType))
    is_refund, comes_back = type_ is ClaimType.REFUND, chance.random() < 0.5
    named = is_refund and chance.random() < 0.3
    ask(
        world,
        RequestClaim(
            order_id=order.id,
            type=type_,
            items=[
                ClaimItem(item_id=item_id, quantity=quantity, reason=chance.choice(list(ClaimReason)))
                for item_id, quantity in some_units(world, left).items()
            ],
            new_items=[] if is_refund else new_goods(world),
            refund_amount=Money(chance.randint(0, 400), order.currency) if named else None,
            return_items=comes_back,
            shipping_option_id=any_option(world) if comes_back else None,
        ),
    )
    return True


def a_claim_is_canceled(world: World) -> bool:
    """Refused where something was paid, sent or received."""
    found = [
        each for ledger in ledgers(world) for each in ledger.claims if each.status is not ClaimStatus.CANCELED
    ]
    target = any_of(world, found)
    if target is None:
        return False
    ask(world, CancelClaim(claim_id=target.id))
    return True
