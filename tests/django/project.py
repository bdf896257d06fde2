"""A project whose ports write to a file, so that they outlive its processes."""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

import django
from rma import Idempotent, ReturnShipment, ReturnShipmentRequest
from rma.adapters.django import DjangoReturns, DjangoReturnService
from rma.adapters.memory import InMemoryOrders, InMemoryShippingOptions
from rma.testing.core_harness import START
from tests.django.shop import label_for, order
from tests.killed.gateways import GatewayModel, StoredFulfillment, StoredInventory, StoredMoney
from tests.world import RETURN_OPTION

#: The orders that there are.
ORDERS = tuple([f"order_{number}" for number in range(1, 4)])


class Carrier(StoredFulfillment):
    """A carrier that may fail, or book and then answer only when a pipe is closed."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Books a label, once for each key."""
        if os.environ.get("RMA_TEST_CARRIER") == "away":
            raise TimeoutError("no answer in 10 s")
        shipment = super().book_return(request)
        if pipe := os.environ.get("RMA_TEST_PIPE"):
            sys.stdout.write(f"booked {request.key}\n")
            sys.stdout.flush()
            Path(pipe).read_bytes()
        return shipment


class Clock:
    """A clock that begins so many hours late, and goes on by so many seconds each time it is read."""

    def __init__(self, hours: int, seconds: float) -> None:
        self._now = START + timedelta(hours=hours)
        self._step = timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        """Returns the moment."""
        self._now += self._step
        return self._now


def service_over(
    gateway: Path, using: str = "default", *, hours: int = 0, seconds: float = 0
) -> DjangoReturnService:
    """Returns a service over this database, whose ports write to this file."""
    gateway_model = GatewayModel(gateway)
    return DjangoReturnService(
        returns=DjangoReturns(using, worker_lease=0),
        using=using,
        orders=InMemoryOrders([order(each) for each in ORDERS]),
        payments=StoredMoney(gateway_model, Idempotent()),
        inventory=StoredInventory(gateway_model),
        fulfillment=Carrier(gateway_model),
        shipping_options=InMemoryShippingOptions([RETURN_OPTION]),
        clock=Clock(hours, seconds),
    )


def make_service() -> DjangoReturnService:
    """Returns the service of this process."""
    return service_over(
        Path(os.environ["RMA_TEST_GATEWAY"]),
        hours=int(os.environ.get("RMA_TEST_HOURS", "0")),
        seconds=float(os.environ.get("RMA_TEST_SECONDS", "0")),
    )


def main() -> None:
    """Requests a label for each order in one block, and dies between its commit and the deliveries."""
    django.setup()
    service = make_service()
    with transaction.atomic():
        transaction.on_commit(lambda: os._exit(9))
        for each in ORDERS:
            service.handle(label_for(each, key=each))
    sys.exit("it is still alive")


if __name__ == "__main__":
    main()
