"""
Measures an outage: a port is away for a day, and many refunds wait for it.

    python benchmarks/outage.py [database URL [number of orders]]

First a single order by a simulated clock: a timer comes by each minute for a day while one port is away. It
prints how often the port was asked, how many commits were made, how many events the history has and how many
bytes were written. Then many orders wait at once (100,000 unless given, in a SQLite file), and one
`resume` tries them all: with a gateway that is away, and with one that answers. It also runs for a tenth of
them: the time an order takes should be the same.
"""

import logging
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from attrs import evolve
from in_memory import AT, order_of
from sqlalchemy import make_url

from rma import (
    Change,
    Order,
    ReceivedItem,
    ReceiveReturn,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    RequestedItem,
    RequestReturn,
    ReturnService,
    ShippingOption,
)
from rma.adapters.memory import InMemoryFulfillment, InMemoryInventory, InMemoryReturns, in_memory_service
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.rows import rows_of

ORDERS = 100_000
PORTS = ("payments", "inventory", "fulfillment")
POST = ShippingOption(id="post", price=0)


class Away:
    """Stands for any port: it counts what it is asked for and raises."""

    def __init__(self) -> None:
        self.calls = 0

    def __getattr__(self, name: str) -> object:
        if name in {"gateway", "find_refund", "find_shipment"}:
            raise AttributeError(name)
        return self._raise

    def _raise(self, _: object) -> None:
        self.calls += 1
        raise ConnectionError("away")


class Answers:
    """A gateway that pays at once."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Succeeds."""
        return RefundSucceeded(f"re_{request.key}")


class Orders:
    """One order under many ids."""

    def __init__(self, order: Order) -> None:
        self._order = order

    def get(self, order_id: str) -> Order:
        """The order with this id."""
        return evolve(self._order, id=order_id)


class Counted(InMemoryReturns):
    """Counts commits, and the bytes of the documents that a database would write."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = self.written = 0

    def commit(self, change: Change) -> None:
        """Stores the change."""
        super().commit(change)
        if change.events:
            rows = rows_of(change)
            self.commits += 1
            written = (rows.ledger, *rows.opened, *rows.changed, *rows.events)
            self.written += sum(
                len(str(row[name])) for row in written for name in ("document", "record") if row.get(name)
            )


def day_without(port: str) -> str:
    """A line of the table: a day of a timer each minute while this port is away."""
    order = order_of(1)
    returns, away = Counted(), Away()
    ports = {"inventory": InMemoryInventory(), "fulfillment": InMemoryFulfillment(), "payments": Answers()}
    ports[port] = away
    service = in_memory_service([order], returns=returns, shipping_options=[POST], **ports)  # type: ignore[arg-type] # any port
    service = evolve(service, clock=lambda: AT)
    opened = service.handle(evolve(request_of(order.id, order.items[0].id), shipping_option_id="post"))
    service.handle(receipt_of(opened.id, order.items[0].id))
    commits, written, calls = returns.commits, returns.written, away.calls
    for minute in range(1, 24 * 60 + 1):
        evolve(service, clock=lambda: AT + timedelta(minutes=minute)).resume()  # noqa: B023 # called at once
    assert len(returns.load(order.id).open_effects) == 1
    return (
        f"{port:12} {away.calls - calls:6} {returns.commits - commits:8} {len(returns.history(order.id)):7} "
        f"{returns.written - written:9}"
    )


def request_of(order_id: str, item_id: str) -> RequestReturn:
    """One unit comes back."""
    return RequestReturn(order_id=order_id, items=[RequestedItem(item_id=item_id, quantity=1)])


def receipt_of(return_id: str, item_id: str) -> ReceiveReturn:
    """It arrives."""
    return ReceiveReturn(return_id=return_id, items=[ReceivedItem(item_id=item_id, quantity=1)])


def waiting(url: str, number: int) -> Iterator[tuple[str, float]]:
    """What is measured, and the seconds it took, with so many orders that wait for their refund."""
    order = order_of(1)
    with closing(SqlReturns(url)) as returns:
        service = ReturnService(
            orders=Orders(order),
            returns=returns,
            inventory=InMemoryInventory(),
            payments=Answers(),
            clock=lambda: AT,
        )
        for each in range(number):
            opened = service.handle(request_of(f"{number}_{each}", order.items[0].id))
            service.handle(receipt_of(opened.id, order.items[0].id), deliver=False)
        for what, payments, hours in (("away", Away(), 1), ("answers", Answers(), 9)):
            later = evolve(service, payments=payments, clock=lambda: AT + timedelta(hours=hours))  # type: ignore[arg-type] # any port  # noqa: B023 # called at once
            start = perf_counter()
            result = later.resume()
            assert len(result.orders) == number, len(result.orders)
            assert len(result.still_open) == (number if what == "away" else 0)
            yield what, perf_counter() - start


def main() -> None:
    """Prints both tables."""
    logging.disable()
    print(f"{platform.machine()}, Python {platform.python_version()}\n")
    print("a day, a timer each minute, one order with one open effect")
    print(f"{'port away':12} {'calls':>6} {'commits':>8} {'events':>7} {'bytes':>9}")
    for port in PORTS:
        print(day_without(port))
    number = int(sys.argv[2]) if len(sys.argv) > 2 else ORDERS
    print(f"\n{'orders':>8} {'gateway':10} {'seconds':>8} {'microseconds an order':>22}")
    with tempfile.TemporaryDirectory() as folder:
        for some in (number // 10, number):
            url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / f'{some}.db'}"
            assert make_url(url)
            for what, seconds in waiting(url, some):
                print(f"{some:8} {what:10} {seconds:8.1f} {seconds / some * 1e6:22.0f}")


if __name__ == "__main__":
    main()
