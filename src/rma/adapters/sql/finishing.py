"""Finishes what must not stop half way, although the task that awaits it is canceled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def finish(steps: Coroutine[Any, Any, T]) -> T:
    """
    Returns what the coroutine returns, once it is done.

    A task that is canceled meanwhile ends when the coroutine has: the connection that it uses is then free.

    Raises:
        CancelledError: the task was canceled; the coroutine ended nevertheless, well or with an error.
    """
    working = asyncio.ensure_future(steps)
    canceled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait([working])
        except asyncio.CancelledError as error:
            canceled = canceled or error
    if canceled is not None:
        if not working.cancelled():
            working.exception()  # was looked at, so that the event loop does not report it
        raise canceled
    return working.result()
