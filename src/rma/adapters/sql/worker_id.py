"""Who delivers: a worker is a thread of a process."""

import os
import threading
from functools import cache
from uuid import uuid4


def worker_id() -> str:
    """A text that no other thread of any process has, now."""
    return f"{_process(os.getpid())}/{threading.get_ident()}"


@cache
def _process(_: int) -> str:  # by its number, so that those that are forked draw their own
    return uuid4().hex
