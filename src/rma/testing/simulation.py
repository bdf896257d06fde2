"""
Simulations: actions chosen by chance in a world whose ports fail by chance.

The actions are in `rma.testing.actions`.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from rma.domain.messages.commands import Command
from rma.domain.messages.effects import RefundDeclined, RefundReversed
from rma.domain.values.errors import Rejected
from rma.testing.actions import ACTIONS, Action
from rma.testing.faults import AnswerLost, Away, Declines, FailsLate, Fault, Pends, RefundFault, Twice
from rma.testing.world import World

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
PORTS = ("payments", "payments", "inventory", "fulfillment", "events", "credits", "payouts", "holds")


def simulate(world: World, steps: int, kinds: Mapping[Action, int] | None = None) -> None:
    """
    Runs so many actions, chosen by chance, while ports fail; checks the laws after each.

    Args:
        world: where they happen.
        steps: how many.
        kinds: actions by how often they are chosen; `ACTIONS` unless given.

    Raises:
        InvariantViolated: with the seed and what happened until then.
    """
    weights = dict(ACTIONS if kinds is None else kinds)
    for _ in range(steps):
        change_faults(world)
        left = dict(weights)
        while left:
            (step,) = world.random.choices(list(left), list(left.values()))
            if step(world):
                break
            del left[step]
        world.check()


def simulate_commands(world: World, commands: Iterable[Command]) -> None:
    """
    Handles these commands while ports fail, each repeated until it is answered; checks the laws after each.

    A generator can look at the world before it yields the next: after a crash, a request gets another id.

    Raises:
        InvariantViolated: with the seed and what happened until then.
    """
    for command in commands:
        change_faults(world)
        with suppress(Rejected):
            world.handle(command)
        world.check()


def change_faults(world: World) -> None:
    """Plans what fails next: a call, a port, a process or nothing; a race; how the next refunds end."""
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
