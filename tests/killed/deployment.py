"""Real processes that share a database: each starts, may be killed at a point, and is followed by others."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from attrs import frozen

from rma import Gateway, Idempotent, Order, ReturnService
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import START, counting
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Faults
from tests.killed.gateways import GatewayModel, StoredFulfillment, StoredInventory, StoredPayments
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


@frozen
class Deployment:
    """
    Everything that outlives processes.

    Attributes:
        url: the database of the ledgers.
        gateway_model: the file of the ports.
        order: the only order.
    """

    url: str
    gateway_model: Path
    order: Order
    gateway: Gateway = Idempotent()

    @contextmanager
    def process(
        self, faults: Faults | None = None, *, at: datetime = START, ids: Callable[[], str] | None = None
    ) -> Iterator[ReturnService]:
        """Builds the service of a process that just started; ids count from 1 unless given."""
        gateway_model = GatewayModel(self.gateway_model)
        with closing(SqlReturns(self.url, busy_timeout=60)) as returns:  # the machine may be busy
            service = in_memory_service(
                [self.order],
                shipping_options=[RETURN_OPTION],
                returns=returns,
                payments=StoredPayments(gateway_model, self.gateway),
                inventory=StoredInventory(gateway_model),
                fulfillment=StoredFulfillment(gateway_model),
                clock=lambda: at,
                ids=ids or counting(),
            )
            yield service if faults is None else inject_faults(service, faults)


def start_process(run: Callable[[], object]) -> int:
    """Starts a process that calls this function, and returns its id."""
    pid = os.fork()
    if not pid:
        try:
            run()
        except BaseException:  # a child must never return into the tests
            os._exit(1)
        os._exit(0)
    return pid


def run_process(run: Callable[[], object]) -> int:
    """Runs this function in a process, and returns its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(start_process(run), 0)[1])
