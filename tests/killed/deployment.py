"""Real processes that share a database: each starts, may be killed at a point, and is followed by others."""

import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen

from rma import Gateway, Idempotent, Order, ReturnPolicy, ReturnService
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, counting
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Faults
from tests.killed.gateways import GatewayModel, StoredFulfillment, StoredInventory, StoredMoney
from tests.testing.stores import skip_the_disk
from tests.world import RETURN_OPTION

#: The exit status of a process that was killed.
KILLED = 9


class Killing(Faults):
    """A plan that ends the process at a point, without `finally` blocks."""

    def __init__(self, point: int) -> None:
        super().__init__()
        self._point = point

    def _pass(self, point: int) -> None:
        if point == self._point:
            os._exit(KILLED)


class Clock:
    """The present time of a process, which its commands may move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The present time."""
        return self.now

    def move_to(self, day: int) -> None:
        """So many days after the start."""
        self.now = START + timedelta(days=day)


@frozen
class Deployment:
    """
    Everything that outlives processes.

    Attributes:
        url: the database of the ledgers.
        gateway_model: the file of the ports.
        order: the only order.
        gateway: what the gateway of all money declares, and is.
    """

    url: str
    gateway_model: Path
    order: Order
    gateway: Gateway = Idempotent()
    policy: ReturnPolicy = ReturnPolicy()

    @contextmanager
    def process(
        self,
        faults: Faults | None = None,
        *,
        clock: Clock | None = None,
        ids: Callable[[], str] | None = None,
    ) -> Iterator[ReturnService]:
        """Builds the service of a process that just started; ids count from 1 unless given."""
        gateway_model = GatewayModel(self.gateway_model)
        money = StoredMoney(gateway_model, self.gateway)
        with closing(SqlReturns(self.url, busy_timeout=60)) as returns:  # the machine may be busy
            skip_the_disk(returns.engine)
            service = in_memory_service(
                [self.order],
                shipping_options=[RETURN_OPTION],
                returns=returns,
                payments=money,
                credits=money,
                payouts=money,
                holds=money,
                policies=self.policy,
                inventory=StoredInventory(gateway_model),
                fulfillment=StoredFulfillment(gateway_model),
                clock=clock or Clock(),
                ids=ids or counting(),
            )
            yield service if faults is None else inject_faults(service, faults)


def start_process(run: Callable[[], object]) -> int:
    """Starts a process that calls this function, and returns its id."""
    pid = os.fork()
    if not pid:
        gc.disable()  # a collection would copy every page of the parent
        try:
            run()
        except BaseException:  # a child must never return into the tests
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    return pid


def run_process(run: Callable[[], object]) -> int:
    """Runs this function in a process, and returns its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(start_process(run), 0)[1])
