"""Several things at once, as often and as close together as one process can."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """The result or the error of each of these, all begun at the same moment, each in a thread."""
    ready = threading.Barrier(len(acts))

    def outcome(act: Callable[[], T]) -> T | Exception:
        ready.wait()
        try:
            return act()
        except Exception as error:
            return error

    with _restless(), ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(outcome, acts))


@contextmanager
def _restless() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
