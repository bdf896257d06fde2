"""
What can happen in a world.

An action does something in a world by chance, if there is something to do. Every kind of command is sent by
a `SendCommand`, made as `rma.testing.commands` has it; what happens around the library is in `surroundings`.
A host adds its own actions with `simulate(world, 50, {**ACTIONS, mine: 2})`.
"""

from collections.abc import Mapping

from rma.testing.actions.sending import Action, SendCommand, repeat_command, situation_of
from rma.testing.actions.surroundings import (
    archive_history,
    cancel_or_reopen_order,
    change_gateway_outcome,
    change_order,
    contradict,
    deliver_notification,
    fulfill_more,
    pass_time,
    refund_elsewhere,
    resume,
    send_what_was_stopped,
)
from rma.testing.commands import MAKERS

#: What can happen, and how often.
ACTIONS: Mapping[Action, int] = {
    **{SendCommand(kind): maker.weight for kind, maker in MAKERS.items()},
    repeat_command: 5,
    change_gateway_outcome: 3,
    deliver_notification: 6,
    resume: 4,
    pass_time: 3,
    fulfill_more: 3,
    cancel_or_reopen_order: 3,
    change_order: 3,
    refund_elsewhere: 2,
    contradict: 1,
    send_what_was_stopped: 2,
    archive_history: 3,
}

__all__ = ["ACTIONS", "Action", "SendCommand", "situation_of"]
