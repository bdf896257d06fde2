"""
What may happen in a world.

A step is a function that does something in a world, by chance, if there is something to do. A new kind of
command is a new function and a line in `ACTIONS`; a host adds its own with
`simulate(world, 50, {**ACTIONS, mine: 2})`. Chance is steered so that goods really come home.
"""

from collections.abc import Mapping

from rma.testing.actions.chance import Action
from rma.testing.actions.claims import a_claim_is_canceled, a_claim_is_made
from rma.testing.actions.exchanges import (
    an_exchange_is_canceled,
    an_exchange_is_paid,
    an_exchange_is_requested,
)
from rma.testing.actions.outside import (
    a_notification_arrives,
    a_timer_runs,
    an_order_changes_its_status,
    more_is_fulfilled,
    somebody_looks,
    the_gateway_moves_on,
    time_passes,
)
from rma.testing.actions.returns import (
    a_clerk_accepts_what_came,
    a_command_is_repeated,
    a_refund_is_retried,
    a_return_is_canceled,
    a_return_is_requested,
    a_return_is_resolved,
    goods_arrive,
)

#: What may happen, and how often.
ACTIONS: Mapping[Action, int] = {
    a_return_is_requested: 14,
    goods_arrive: 20,
    a_clerk_accepts_what_came: 10,
    a_return_is_resolved: 10,
    a_return_is_canceled: 5,
    an_exchange_is_requested: 5,
    an_exchange_is_paid: 6,
    an_exchange_is_canceled: 2,
    a_claim_is_made: 5,
    a_claim_is_canceled: 2,
    a_refund_is_retried: 10,
    a_command_is_repeated: 5,
    the_gateway_moves_on: 3,
    a_notification_arrives: 6,
    a_timer_runs: 4,
    time_passes: 3,
    somebody_looks: 12,
    more_is_fulfilled: 3,
    an_order_changes_its_status: 3,
}

__all__ = ["ACTIONS", "Action"]
