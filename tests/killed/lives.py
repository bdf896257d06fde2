"""Processes that begin, die at a point, and are followed by others: real ones."""

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
from tests.killed.gateways import BookedFulfillment, BookedInventory, BookedPayments, GatewayModel
from tests.world import RETURN_OPTION

#: The exit status of a process that was killed.
KILLED = 9


class Killing(Faults):
    """A plan that ends the process at a point, so that nothing of it is left: no `finally`, no memory."""

    def __init__(self, point: int) -> None:
        super().__init__()
        self._point = point

    def _pass(self, point: int) -> None:
        if point == self._point:
            os._exit(KILLED)


@frozen
class Place:
    """
    What outlives processes.

    Attributes:
        url: where the ledgers are.
        gateway_model: what the ports did, in a file.
        order: the only one.
    """

    url: str
    gateway_model: Path
    order: Order
    gateway: Gateway = Idempotent()

    @contextmanager
    def process(
        self, faults: Faults | None = None, *, at: datetime = START, ids: Callable[[], str] | None = None
    ) -> Iterator[ReturnService]:
        """A service as a process that just started builds it; ids count from 1 unless given."""
        gateway_model = GatewayModel(self.gateway_model)
        with closing(SqlReturns(self.url, busy_timeout=60)) as returns:  # however busy the machine is
            service = in_memory_service(
                [self.order],
                shipping_options=[RETURN_OPTION],
                returns=returns,
                payments=BookedPayments(gateway_model, self.gateway),
                inventory=BookedInventory(gateway_model),
                fulfillment=BookedFulfillment(gateway_model),
                clock=lambda: at,
                ids=ids or counting(),
            )
            yield service if faults is None else inject_faults(service, faults)


def born(life: Callable[[], object]) -> int:
    """The id of a process that lives this life from now on."""
    pid = os.fork()
    if not pid:
        try:
            life()
        except BaseException:  # a child must never come back into the tests
            os._exit(1)
        os._exit(0)
    return pid


def dies(life: Callable[[], object]) -> int:
    """The exit status of a process that has lived this life."""
    return os.waitstatus_to_exitcode(os.waitpid(born(life), 0)[1])
