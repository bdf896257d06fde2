"""Commands about an order, drawn by hypothesis."""

from collections.abc import Sequence
from math import isqrt
from typing import Protocol, TypeVar

from attrs import evolve
from hypothesis import strategies as st

from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import Command, Request, RequestReturn
from rma.testing.commands import MAKERS, Situation
from rma.testing.core_harness import CoreHarness

T = TypeVar("T")


class Draw(Protocol):
    """The `draw` of a composite strategy, or that of `st.data()`."""

    def __call__(self, strategy: st.SearchStrategy[T], /) -> T:
        """A value of the strategy."""
        ...


class DrawChooser:
    """
    Chooses what hypothesis draws: failing examples shrink to first options and low numbers.

    Args:
        draw: draws from a strategy.
    """

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def choose(self, options: Sequence[T]) -> T:
        """Shrinks to the first."""
        return self._draw(st.sampled_from(options))

    def whole(self, low: int, high: int) -> int:
        """Shrinks to the lowest."""
        return self._draw(st.integers(low, high))

    def detail(self, options: Sequence[T]) -> T:
        """Shrinks to the first."""
        return self._draw(st.sampled_from(options))


def next_command(draw: Draw, harness: CoreHarness, sent: list[Command], key: str) -> Command:
    """
    A command under this key that can mostly be done now, or one of those that were sent.

    Where nothing can be done at all, it is a request that is refused.
    """
    if sent and draw(st.integers(0, 19)) == 19:
        return draw(st.sampled_from(sent))
    situation = Situation(
        order=harness.order,
        ledger=harness.ledger,
        now=harness.now,
        policy=harness.policy,
        shipping_option_ids=list(harness.options),
    )
    # sequences are short: what follows a request is drawn more often than in simulations
    weights = {
        kind: isqrt(maker.weight // 3 if issubclass(kind, Request) else 2 * maker.weight)
        for kind, maker in MAKERS.items()
    }
    while weights:
        kind = draw(st.sampled_from([kind for kind, weight in weights.items() for _ in range(weight)]))
        command = MAKERS[kind].make(DrawChooser(draw), situation)
        if command is not None:
            return evolve(command, idempotency_key=key)
        del weights[kind]
    refused = [RequestedItem(item_id=harness.order.items[0].id, quantity=1)]
    return RequestReturn(order_id=harness.order.id, items=refused, idempotency_key=key)
