"""The id of a worker: a thread of a process."""

import os
import threading
from functools import cache
from uuid import uuid4


def worker_id() -> str:
    """Returns a string that no other living thread of any process has."""
    return f"{_process(os.getpid())}/{threading.get_ident()}"


@cache
def _process(_: int) -> str:  # by the process id, so that forked processes draw their own
    return uuid4().hex
