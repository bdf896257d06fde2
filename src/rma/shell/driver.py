"""
How the shell's coroutines call ports, and how they run in blocking and in awaited services.

The shell is written once, as coroutines: `await call(port.method(...))` returns what the port answered,
whether the port answers at once or is awaited. An awaitable answer is handed to the driver of the coroutine:
`arun` awaits it in the caller's event loop, `run` refuses it, since a blocking service has no event loop.

>>> from rma.shell.driver import arun, call, run
>>> async def greeting(name_of):
...     name = await call(name_of("cus_1"))
...     return f"Dear {name}"
>>> run(greeting({"cus_1": "Ada"}.get))
'Dear Ada'

>>> import asyncio
>>> async def name_of(customer_id):
...     return "Ada"
>>> asyncio.run(arun(greeting(name_of)))
'Dear Ada'
"""

from collections.abc import Awaitable, Coroutine, Generator
from inspect import isawaitable
from types import GeneratorType, coroutine
from typing import Any, TypeVar, cast

T = TypeVar("T")


@coroutine
def call(answer: Awaitable[T] | T) -> Generator[Awaitable[T], T, T]:
    """
    Returns what a port answered, once it is there.

    Raises:
        TypeError: the answer has to be awaited, and the service is a blocking one.
    """
    # As `isawaitable`, which takes five times as long for what mostly is none.
    if hasattr(answer, "__await__") or (isinstance(answer, GeneratorType) and isawaitable(answer)):
        answer = yield cast("Awaitable[T]", answer)
    return answer


def run(steps: Coroutine[Any, Any, T]) -> T:
    """
    Runs a coroutine of the shell over blocking ports, and returns its result.

    An answer that has to be awaited is closed unused; where the port was called, `TypeError` is raised.
    """
    try:
        awaitable = steps.send(None)
        while True:
            awaitable = steps.throw(_refused(awaitable))
    except StopIteration as end:
        result: T = end.value
        return result


async def arun(steps: Coroutine[Any, Any, T]) -> T:
    """
    Runs a coroutine of the shell over ports that may be awaited, and returns its result; in any event loop.

    What an awaited answer raises, a cancellation too, is raised where the port was called.
    """
    try:
        awaitable = steps.send(None)
        while True:
            try:
                answer = await awaitable
            except BaseException as error:
                awaitable = steps.throw(error)
            else:
                awaitable = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


def _refused(awaitable: object) -> TypeError:
    error = TypeError(
        f"a port answered {awaitable!r}, which has to be awaited: use AsyncReturnService for awaited ports"
    )
    # A coroutine that is closed never runs; a future or task that is canceled ends as soon as it can.
    for end in ("close", "cancel"):
        if (act := getattr(awaitable, end, None)) is not None:
            act()
            break
    return error
