"""The example's host over any ports; and ports, as they block and as they wait."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from async_host import Desk
from rma import Order, ReturnPolicy, ReturnRepository, ReturnService
from rma.async_ports import AsyncReturnRepository

T = TypeVar("T")


class Awaited:
    """
    A port whose methods are awaited, and otherwise do and say the same.

    Args:
        port: one that blocks.
        turns: how many turns of the event loop go by before a call acts, and before it answers; asked anew
            for each.
    """

    def __init__(self, port: object, turns: Callable[[], int] = lambda: 1) -> None:
        self._port = port
        self._turns = turns

    def __getattr__(self, name: str) -> Any:  # whatever the port has
        found = getattr(self._port, name)
        return partial(self._asked, found) if callable(found) else found

    async def _asked(self, method: Callable[..., object], *given: object, **named: object) -> object:
        await self._pass_turns()
        answer = method(*given, **named)
        await self._pass_turns()
        return answer

    async def _pass_turns(self) -> None:
        for _ in range(self._turns()):
            await asyncio.sleep(0)


def desk_over(
    service: ReturnService,
    returns: AsyncReturnRepository | None = None,
    turns: Callable[[], int] = lambda: 1,
) -> Desk:
    """The example's host over the ports of the service, each awaited, or over these ledgers."""

    async def policy_of(order: Order) -> ReturnPolicy:
        await asyncio.sleep(0)
        return service.policies(order)

    return Desk(
        orders=Awaited(service.orders, turns),
        returns=Awaited(service.returns, turns) if returns is None else returns,
        inventory=Awaited(service.inventory, turns),
        payments=Awaited(service.payments, turns),
        fulfillment=None if service.fulfillment is None else Awaited(service.fulfillment, turns),
        shipping_options=Awaited(service.shipping_options, turns),
        return_reasons=Awaited(service.return_reasons, turns),
        policies=policy_of,
        events=None if service.events is None else Awaited(service.events, turns),
        clock=service.clock,
        ids=service.ids,
    )


class Loop:
    """An event loop in a thread of its own, for whoever blocks until it is done with something."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, awaited: Coroutine[Any, Any, T]) -> T:
        """What it comes to."""
        return asyncio.run_coroutine_threadsafe(awaited, self._loop).result()

    def close(self) -> None:
        """Nothing is asked any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def blocking(returns: AsyncReturnRepository, loop: Loop) -> ReturnRepository:
    """These ledgers for whoever blocks."""
    found: Any = _Blocking(returns, loop)
    ledgers: ReturnRepository = found
    return ledgers


class _Blocking:
    def __init__(self, port: object, loop: Loop) -> None:
        self._port = port
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., object]:
        method: Callable[..., Coroutine[Any, Any, object]] = getattr(self._port, name)
        return lambda *given, **named: self._loop.run(method(*given, **named))
