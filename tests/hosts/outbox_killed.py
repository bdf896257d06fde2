"""
The outbox example with a process that kills itself: `python -m tests.hosts.outbox_killed NAME CALL COMMAND`.

It dies by SIGKILL when this function is called for the so-manyth time, before the function does anything.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from nats.aio.msg import Msg

import outbox_nats

#: Where the functions are.
OWNERS: dict[str, Any] = {
    "publish": outbox_nats.Outbox,
    "mark_sent": outbox_nats,
    "write_mail": outbox_nats,
    "ack": Msg,
}


def kill_at(name: str, call: int) -> None:
    """Puts a function that kills in the place of this one."""
    calls = count(1)
    original: Callable[..., Awaitable[None]] = getattr(OWNERS[name], name)

    async def killed(*arguments: object) -> None:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        await original(*arguments)

    setattr(OWNERS[name], name, killed)


if __name__ == "__main__":
    kill_at(sys.argv[1], int(sys.argv[2]))
    asyncio.run(outbox_nats.main(*sys.argv[3:]))
