"""What all contracts share: a port that is awaited is held to the same laws as one that blocks."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from inspect import isawaitable
from typing import Any, TypeVar

import pytest

from rma.domain.messages.gateways import Idempotent
from rma.testing.contracts.threads import at_once

T = TypeVar("T")


class PortContract(ABC):
    """
    A test class over one port, which may be awaited: its calls run in an event loop kept for the test.

    The loop has a thread of its own, so calls that the laws make at once take turns in it, as in a server.
    """

    _loop: "LoopThread | None" = None

    @abstractmethod
    def make(self) -> object:
        """The adapter, a new one for each law."""

    def wait(self, awaitable: Awaitable[T]) -> T:
        """
        Runs this in the event loop of the test and returns its result.

        For your own methods: `self.wait(client.count(key))` in one that says what was really done.
        """
        return self._loop_of_test().wait(awaitable)

    def close(self) -> None:  # noqa: B027 # most need none
        """Close what `make` opened, after each test, in the loop with `wait`; nothing unless you say how."""

    def blocking(self, port: object) -> Any:
        """Returns the port as one that blocks until its answer is there; what it declares stays as it is."""
        return Blocking(port, self.wait)

    def at_once(self, acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Runs these in a thread each, all begun at the same moment: results and errors, in their order."""
        return self._loop_of_test().at_once(acts)

    def cancel(self, act: Callable[[], object], turns: int) -> None:
        """Begins this in a task and cancels it after so many turns of the loop; one that blocks is done."""
        self.wait(_canceled(act, turns))

    def finish(self) -> None:
        """Closes what was made, then the event loop; runs after each test."""
        try:
            self.close()
        finally:
            if self._loop is not None:
                self._loop.close()
                self._loop = None

    @pytest.fixture(autouse=True)
    def _finished(self) -> Iterator[None]:
        yield
        self.finish()

    def _loop_of_test(self) -> "LoopThread":
        if self._loop is None:
            self._loop = LoopThread()
        return self._loop


def keyed(port: T) -> T:
    """Returns the port if it says, or does not deny, that it knows keys; else its law is skipped."""
    if not isinstance(getattr(port, "gateway", Idempotent()), Idempotent):
        pytest.skip("the adapter declares a gateway that does not know keys")
    return port


class Blocking:
    """
    A port whose methods return what its awaited methods answer.

    Args:
        port: awaited, or not.
        wait: runs an awaitable somewhere else, and returns its result.
    """

    def __init__(self, port: object, wait: Callable[[Awaitable[Any]], Any]) -> None:
        self.port = port
        self._wait = wait

    def __getattr__(self, name: str) -> Any:  # whatever the port has
        found = getattr(self.port, name)
        return self._waiting(found) if callable(found) else found

    def _waiting(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            answer = method(*given, **named)
            return self._wait(answer) if isawaitable(answer) else answer

        return call


class LoopThread:
    """An event loop in a thread of its own, for threads that wait for what runs in it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._gate: _Gate | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Runs this in the loop and returns its result, or raises what it raised."""
        running = asyncio.run_coroutine_threadsafe(_awaited(awaitable), self._loop)
        if self._gate is not None:
            self._gate.arrive()
        return running.result()

    def at_once(self, acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Runs each in a thread; the first of what they await begins when all have come so far."""
        gate = self._gate = _Gate(len(acts))
        self._loop.call_soon_threadsafe(gate.is_open.wait)  # all that is begun meanwhile queues behind it

        def through_the_gate(act: Callable[[], T]) -> T:
            try:
                return act()
            finally:
                gate.arrive()

        try:
            return at_once([lambda act=act: through_the_gate(act) for act in acts])  # type: ignore[misc] # mypy infers no lambda with a default
        finally:
            self._gate = None

    def close(self) -> None:
        """Cancels what still runs, and ends the thread."""
        asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Gate:
    """Opens when so many threads have arrived, each by its first call or by its end."""

    def __init__(self, threads: int) -> None:
        self.is_open = threading.Event()
        self._expected = threads
        self._arrived: set[int] = set()
        self._lock = threading.Lock()

    def arrive(self) -> None:
        """This thread is here."""
        with self._lock:
            self._arrived.add(threading.get_ident())
            if len(self._arrived) == self._expected:
                self.is_open.set()


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def _canceled(act: Callable[[], object], turns: int) -> None:
    answer = act()
    if not isawaitable(answer):
        return
    task = asyncio.ensure_future(_awaited(answer))
    for _ in range(1 + turns):  # in the first it begins
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _end_all() -> None:
    others: list[asyncio.Task[Any]] = [
        each for each in asyncio.all_tasks() if each is not asyncio.current_task()
    ]
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
