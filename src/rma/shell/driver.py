"""
Calls of ports, made where they are needed and waited for elsewhere.

What handles commands, delivers effects and resumes is written once, as generators: `yield` stands wherever
a port was called, and is sent what the port answered. They know no event loop. `run` drives them for hosts
whose ports answer at once, `arun` for hosts whose ports are awaited: in no line else do the two differ.

>>> from rma.shell.driver import arun, run
>>> def greeting(name_of):
...     name = yield name_of("cus_1")
...     return f"Dear {name}"
>>> run(greeting({"cus_1": "Ada"}.get))
'Dear Ada'

>>> import asyncio
>>> async def name_of(customer_id):
...     return "Ada"
>>> asyncio.run(arun(greeting(name_of)))
'Dear Ada'
"""

from collections.abc import Generator
from inspect import isawaitable
from typing import Any, TypeVar

T = TypeVar("T")

#: Yields what ports answered, is sent it back when it is there, and ends with a T.
Steps = Generator[object, Any, T]


def run(steps: Steps[T]) -> T:
    """What the steps end with, where every port answers at once."""
    try:
        answer = next(steps)
        while True:
            answer = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


async def arun(steps: Steps[T]) -> T:
    """
    What the steps end with, where ports are awaited; in any event loop.

    What a port raises is raised in the steps, as if it had been raised at once.
    """
    try:
        answer = next(steps)
        while True:
            try:
                answer = await answer if isawaitable(answer) else answer
            except BaseException as error:
                answer = steps.throw(error)
            else:
                answer = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
