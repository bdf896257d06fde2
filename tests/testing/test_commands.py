"""The registry has a maker of every kind of command, and choosers that leave nothing out."""

from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rma import Command, LineItem, Order, Payment, ReceiveUnannounced, ReturnLedger, ReturnPolicy
from rma.testing.command_strategies import DrawChooser
from rma.testing.commands import MAKERS, Chooser, RandomChooser, Situation, every
from rma.testing.core_harness import START
from rma.testing.simulation import simulate
from rma.testing.world import World

ORDER = Order(
    id="order_1",
    currency="usd",
    items=[
        LineItem(id="mug", quantity=9, fulfilled_quantity=9, unit_price=999),
        LineItem(id="tea", quantity=5, fulfilled_quantity=3, unit_price=333),
    ],
    payments=[Payment(id="card", captured=5000)],
)
NEW = Situation(order=ORDER, ledger=ReturnLedger("order_1"), now=START)


def test_every_kind_of_command_has_a_maker() -> None:
    """A new class of command is a new line of the registry."""
    assert set(MAKERS) == set(get_args(Command))
    assert all(maker.weight > 0 for maker in MAKERS.values())


def test_a_maker_makes_commands_of_its_kind() -> None:
    """In some state of a simulation, after some attempts; and nothing else, or nothing at all."""
    made: set[type[Command]] = set()
    for seed in range(50):
        policy = ReturnPolicy(return_within_days=0 if seed % 2 else None)
        world = World([ORDER], seed, policy=policy)
        simulate(world, 30)
        ledger = world.ledger_of("order_1")
        situation = Situation(order=ORDER, ledger=ledger, now=world.now, policy=policy)
        for kind, maker in MAKERS.items():
            command = maker.make(RandomChooser(Random(seed)), situation)
            assert command is None or type(command) is kind
            made.update([] if command is None else [kind])
        if made == set(MAKERS):
            break

    assert made == set(MAKERS)


@pytest.mark.parametrize("kind", MAKERS)
def test_nothing_but_a_request_is_made_for_an_order_without_returns(kind: type[Command]) -> None:
    """There is nothing that another command could be about."""
    made = list(every(MAKERS[kind].make, NEW))

    is_opening = kind is ReceiveUnannounced or kind.__name__.startswith("Request")
    assert bool(made) == is_opening
    assert len(set(made)) == len(made)


def test_trying_everything_tries_every_choice_once() -> None:
    """Each distinct option, each number of a short range, the ends of a long one, and first details only."""
    tried: list[tuple[str, int, int, str]] = []

    def make(chooser: Chooser, situation: Situation) -> Command | None:
        letter = chooser.choose(["a", "a", "b"])
        low = chooser.whole(0, 2) if letter == "a" else 9
        tried.append((letter, low, chooser.whole(0, 100), chooser.detail(["x", "y"])))
        return None

    assert list(every(make, NEW)) == []
    assert tried == [
        *[("a", low, high, "x") for low in range(3) for high in (0, 100)],
        ("b", 9, 0, "x"),
        ("b", 9, 100, "x"),
    ]


@given(data=st.data(), seed=st.integers())
def test_chance_and_hypothesis_choose_among_the_options(data: st.DataObject, seed: int) -> None:
    """And among the numbers from the lowest to the highest."""
    choosers: list[Chooser] = [DrawChooser(data.draw), RandomChooser(Random(seed))]
    for chooser in choosers:
        assert chooser.choose("abc") in "abc"
        assert chooser.detail("xy") in "xy"
        assert 3 <= chooser.whole(3, 5) <= 5
