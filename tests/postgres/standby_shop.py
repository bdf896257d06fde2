"""A shop whose database has a standby: orders, gateway, commands, and what clients were answered."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from attrs import evolve, frozen

from rma import (
    ClaimItem,
    Idempotent,
    ReceiveReturn,
    RefundOutcome,
    RefundRequest,
    RequestClaim,
    RequestReturn,
    ReturnService,
)
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from rma.shell.ids import derive_id
from rma.testing.core_harness import START
from tests.killed.gateways import GatewayModel, StoredInventory, StoredMoney
from tests.rules.given import line, order_of, receive, request

#: The numbers of the orders.
ORDERS = range(1, 31)


@frozen
class Shop:
    """
    What outlives the processes and servers of a test.

    Attributes:
        url: of the database.
        folder: where the books of the gateway are, and the list of commands that were acknowledged.
    """

    url: str
    folder: Path

    @contextmanager
    def process(
        self, *, at: datetime = START, while_paying: Callable[[], None] = lambda: None
    ) -> Iterator[ReturnService]:
        """Builds the service of a process that just started."""
        with closing(SqlReturns(self.url)) as returns:
            yield in_memory_service(
                [evolve(order_of(line()), id=order_id(number)) for number in ORDERS],
                returns=returns,
                payments=Interrupted(self.gateway, while_paying),
                inventory=StoredInventory(self.gateway),
                clock=lambda: at,
            )

    @property
    def gateway(self) -> GatewayModel:
        """The books of the gateway."""
        return GatewayModel(self.folder / "gateway.db")

    def acknowledge(self, command: RequestReturn | ReceiveReturn) -> None:
        """Notes that the client has the answer to this command."""
        with (self.folder / "acknowledged").open("a") as written:
            written.write(f"{command.idempotency_key}\n")

    def acknowledged(self) -> list[str]:
        """Returns the idempotency keys of the commands to which the client has an answer."""
        with suppress(FileNotFoundError):
            return (self.folder / "acknowledged").read_text().split()
        return []

    def refunds(self) -> dict[str, int]:
        """Returns how often the gateway was asked for each refund; it made each of them once."""
        return {key: times for key, times in self.gateway.times().items() if "-refund-" in key}


class Interrupted(StoredMoney):
    """A gateway that knows its keys; something happens after it moved the money and before it answers."""

    def __init__(self, gateway_model: GatewayModel, while_paying: Callable[[], None]) -> None:
        super().__init__(gateway_model, Idempotent())
        self._while_paying = while_paying

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Succeeds."""
        outcome = super().refund(request)
        self._while_paying()
        return outcome


def order_id(number: int) -> str:
    """Returns the id of an order."""
    return f"order_{number}"


def commands(number: int) -> tuple[RequestReturn, ReceiveReturn]:
    """Returns the commands about an order, whose ids are known before: they are derived from the keys."""
    requested = evolve(request(1, idempotency_key=f"request_{number}"), order_id=order_id(number))
    return_id = f"ret_{derive_id(order_id(number), f'request_{number}')}"
    return requested, receive(1, return_id=return_id, idempotency_key=f"receive_{number}")


def claim_of(number: int, key: str | None) -> RequestClaim:
    """Claims a mug of this order, which is refunded at once."""
    items = [ClaimItem(item_id="mug", quantity=1, reason="production_failure")]
    return RequestClaim(order_id=order_id(number), type="refund", items=items, idempotency_key=key)
