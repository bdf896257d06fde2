"""Awaited services over any ports; and ports that are awaited and otherwise do what blocking ones do."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from rma import AsyncReturnService, Order, ReturnPolicy, ReturnService
from rma.async_ports import AsyncReturnRepository


class Awaited:
    """
    A port whose methods are awaited, and otherwise do and answer the same.

    Args:
        port: one that blocks.
        turns: how many turns of the event loop go by before a call acts, and before it answers; called for
            each.
    """

    def __init__(self, port: object, turns: Callable[[], int] = lambda: 1) -> None:
        self._port = port
        self._turns = turns

    def __getattr__(self, name: str) -> Any:  # whatever the port has
        found = getattr(self._port, name)
        return partial(self._ask, found) if callable(found) else found

    async def _ask(self, method: Callable[..., object], *given: object, **named: object) -> object:
        await self._pass_turns()
        answer = method(*given, **named)
        await self._pass_turns()
        return answer

    async def _pass_turns(self) -> None:
        for _ in range(self._turns()):
            await asyncio.sleep(0)


def awaited_service(
    service: ReturnService,
    returns: AsyncReturnRepository | None = None,
    turns: Callable[[], int] = lambda: 1,
) -> AsyncReturnService:
    """An awaited service over the ports of this one, each awaited, or over these ledgers."""

    async def policy_of(order: Order) -> ReturnPolicy:
        await asyncio.sleep(0)
        return service.policies(order)

    return AsyncReturnService(
        orders=Awaited(service.orders, turns),
        returns=Awaited(service.returns, turns) if returns is None else returns,
        inventory=Awaited(service.inventory, turns),
        payments=Awaited(service.payments, turns),
        credits=None if service.credits is None else Awaited(service.credits, turns),
        payouts=None if service.payouts is None else Awaited(service.payouts, turns),
        fulfillment=None if service.fulfillment is None else Awaited(service.fulfillment, turns),
        shipping_options=Awaited(service.shipping_options, turns),
        return_reasons=Awaited(service.return_reasons, turns),
        policies=policy_of,
        events=None if service.events is None else Awaited(service.events, turns),
        clock=service.clock,
        ids=service.ids,
        pause=lambda _: asyncio.sleep(0),
        holds=None if service.holds is None else Awaited(service.holds, turns),
    )
