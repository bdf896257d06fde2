"""Worlds catch ways to build it that look right as long as nothing surprising happens."""

from collections.abc import Callable
from typing import Any

import pytest

from rma import (
    ReturnService,
)
from rma.testing.faults import AnswerLost, Away
from rma.testing.simulation import simulate
from rma.testing.world import InvariantViolated, World
from tests.testing import designs
from tests.testing.carriers import Keyless, Searched
from tests.testing.test_world import HOUR, MANY_LIVES, ORDER, RECEIPT, REQUEST, simulated

Design = Callable[[ReturnService], ReturnService]


class Designed(World):
    """A world in which each process is built like this."""

    def __init__(self, design: Design, seed: int, **ports: Any) -> None:
        self._design = design
        super().__init__([ORDER], seed, **ports)

    def __setattr__(self, name: str, value: object) -> None:
        """A new process is built as designed."""
        if name == "service" and isinstance(value, ReturnService):
            value = self._design(value)
        super().__setattr__(name, value)


def as_shipped(service: ReturnService) -> ReturnService:
    """The library as it is."""
    return service


def failure(world: World) -> str:
    """How this simulation fails, or nothing."""
    try:
        simulated(world)
    except InvariantViolated as broken:
        return str(broken)
    return ""


@pytest.mark.parametrize("carrier", [Keyless, Searched])
def test_labels_of_keyless_carriers_keep_every_law(carrier: Callable[[], Keyless]) -> None:
    """In every life, no key is asked for twice that the carrier has; a person sends what was stopped."""
    stopped = 0
    for seed in range(30):
        made = carrier()
        world = World([ORDER], seed, fulfillment=made)
        simulate(world, 40)
        world.quiesce()

        assert max(made.made.values(), default=0) <= 1
        stopped += any(
            effect.delivery.is_stopped for effect in world.ledger_of("order_1").open_effects.values()
        )

    assert bool(stopped) is (carrier is Keyless)


@pytest.mark.parametrize("fault", [Away(), AnswerLost()])
@pytest.mark.parametrize(("carrier", "times"), [(Keyless, 1), (Searched, 1)])
def test_what_a_carrier_declares_passes_the_faults(
    carrier: Callable[[], Keyless], times: int, fault: Away | AnswerLost
) -> None:
    """A plan of failures around it hides neither its class nor its look-up."""
    made = carrier()
    world = World([ORDER], fulfillment=made)
    world.faults.breaks("fulfillment", fault)
    world.handle(REQUEST)
    world.faults.calm()
    world.now += 2 * HOUR
    world.resume()

    is_stopped = world.ledger_of("order_1").returns[0].needs_attention
    assert is_stopped is (carrier is Keyless)
    assert made.made.total() == (0 if is_stopped and isinstance(fault, Away) else times)


@pytest.mark.parametrize(
    ("design", "ports", "law"),
    [
        (designs.reads_each_order_once, dict[str, Any], "no_refund_leaves_a_payment_without_room"),
        (designs.believes_the_first_notice, dict[str, Any], "no_payment_gives_back_more_than_it_captured"),
        (designs.buys_labels_again, lambda: {"fulfillment": Keyless()}, "a_carrier_books_once"),
    ],
)
def test_a_wrong_design_is_caught_by_its_law(
    design: Design, ports: Callable[[], dict[str, Any]], law: str
) -> None:
    """In one of many lives; as long as nothing surprising happens it ends as the right one does."""
    for made in (design, as_shipped):
        calm = Designed(made, 0, **ports())
        calm.handle(REQUEST)
        calm.handle(RECEIPT)
        calm.quiesce()

    lives = (failure(Designed(design, seed, **ports())) for seed in range(MANY_LIVES))

    assert any(law in life for life in lives)
