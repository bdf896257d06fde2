"""Actions that send commands, as clients, clerks and gateways do."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from attrs import frozen

from rma.domain.messages.commands import Command
from rma.domain.messages.effects import RefundDeclined, RefundOutcome, RefundReversed
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import Refund
from rma.domain.values.errors import Rejected
from rma.shell.construction import as_policy_provider
from rma.testing.commands import MAKERS, RandomChooser, Situation
from rma.testing.world import World

#: Does something in a world; False if there was nothing to do.
Action = Callable[[World], bool]


@frozen
class SendCommand:
    """Sends a command of this kind about one of the orders, if there is anything it could be about."""

    kind: type[Command]

    def __call__(self, world: World) -> bool:
        """Sends it; False if there was nothing to do for any order."""
        chooser = RandomChooser(world.random)
        for order_id in world.random.sample(world.order_ids, len(world.order_ids)):
            command = MAKERS[self.kind].make(chooser, situation_of(world, order_id))
            if command is not None:
                send(world, command)
                return True
        return False

    def __str__(self) -> str:
        return f"send {self.kind.__name__}"


def repeat_command(world: World) -> bool:
    """Sends a command again: one that was answered, or one whose client received no answer."""
    sent = [*world.answered.values(), *world.unanswered.values()]
    if not sent:
        return False
    send(world, world.random.choice(sent))
    return True


def send(world: World, command: Command) -> None:
    """Sends the command for a client that repeats it until it is answered, or for one that gives up."""
    is_patient = world.random.random() < 0.6
    with suppress(Rejected):
        world.handle(command) if is_patient else world.send(command)


def situation_of(world: World, order_id: str) -> Situation:
    """
    What makers of commands see of this order.

    Only refunds that need attention have an outcome to report, the one that the gateway has: everything
    else is reported by the gateway's own notifications.
    """
    order = world.orders.get(order_id)
    categories = {reason.parent_id for reason in world.reasons}

    def outcomes(refund: Refund) -> Sequence[RefundOutcome | RefundReversed]:
        is_known = not world.gateway_model.is_unknown(refund.key)
        if refund.status is not RefundStatus.NEEDS_ATTENTION or not is_known:
            return ()
        return [world.gateway_model.outcome_of(refund.key) or RefundDeclined("never_arrived")]

    return Situation(
        order=order,
        ledger=world.ledger_of(order_id),
        now=world.now,
        policy=as_policy_provider(world.policy)(order),
        shipping_option_ids=[option.id for option in world.shipping_options if option.is_return],
        reason_ids=[each.id for each in world.reasons if not each.retired and each.id not in categories],
        outcomes=outcomes,
    )
