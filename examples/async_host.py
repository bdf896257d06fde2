"""
Returns in an asynchronous application: three customers at once, a double click, a gateway that times out.

`AsyncReturnService` runs over the application's ports. The ledgers are in a database over SQLAlchemy's
asyncio; gateway, warehouse and carrier are awaited; a catalogue in memory answers at once.

Run it: `python examples/async_host.py`, or with the URL of an empty database, such as
`postgresql://localhost/shop`. It prints the same in every run, whichever task is first.
"""

import asyncio
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve, field, frozen

from rma import (
    AsyncReturnService,
    CancelShipmentRequest,
    DeliveryChanged,
    EffectsAttempted,
    Event,
    GoodsReceived,
    LineItem,
    Money,
    NotFound,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReplacementRequest,
    ReplacementShipment,
    RequestedItem,
    RequestReturn,
    RestockRequest,
    ReturnRequested,
    ReturnShipment,
    ReturnShipmentRequest,
    ShippingOption,
    WithdrawRequest,
)
from rma.adapters.memory import InMemoryShippingOptions
from rma.adapters.sql.aio import AsyncSqlReturns

POST = ShippingOption(id="post", price=Money(200, "usd"), name="Parcel", location_id="warehouse")


# The ports of an asynchronous application


class Orders:
    """Three orders of one mug each."""

    async def get(self, order_id: str) -> Order:
        """As the shop's tables have it."""
        await asyncio.sleep(0.001)
        if order_id not in {"order_ann", "order_bob", "order_cat"}:
            raise NotFound("order_not_found", {"order_id": order_id})
        mug = LineItem(id="mug", title="Mug", quantity=1, fulfilled_quantity=1, unit_price=Money(1000, "usd"))
        return Order(
            id=order_id, currency="usd", items=[mug], payments=[Payment(f"pay_{order_id}", captured=1000)]
        )


@frozen
class Gateway:
    """A gateway that knows its keys, and loses one answer: that about Cat's money."""

    made: dict[str, RefundRequest] = field(factory=dict)

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        """Once for its key."""
        await asyncio.sleep(0.005)
        is_new = request.key not in self.made
        self.made[request.key] = request
        if is_new and request.order_id == "order_cat":
            raise TimeoutError("no answer within 30 s")
        return RefundSucceeded(reference=f"re_{request.key}")


@frozen
class Warehouse:
    """Stock, by key."""

    booked: dict[str, RestockRequest | WithdrawRequest] = field(factory=dict)

    async def restock(self, request: RestockRequest) -> None:
        """Once for its key."""
        await asyncio.sleep(0.002)
        self.booked[request.key] = request

    async def withdraw(self, request: WithdrawRequest) -> None:
        """Once for its key."""
        await asyncio.sleep(0.002)
        self.booked[request.key] = request


class Carrier:
    """Its answer follows from the key, so a repeat is the same booking."""

    async def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A label."""
        await asyncio.sleep(0.003)
        return ReturnShipment({"label": request.key}, tracking_number=f"TRACK-{request.order_id}")

    async def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Nothing to undo."""

    async def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """For exchanges and claims, of which there are none here."""
        return ReplacementShipment({"parcel": request.key})


# What happens


def ask(order_id: str, customer: str) -> RequestReturn:
    """The customer wants to send the mug back."""
    return RequestReturn(
        order_id=order_id,
        items=[RequestedItem(item_id="mug", quantity=1)],
        shipping_option_id="post",
        idempotency_key=f"{order_id}: send it back",
        created_by=customer,
    )


async def run_day(url: str) -> None:
    """Requests at once, then receipts at once, then the timer; and prints the results."""
    gateway, warehouse, returns = Gateway(), Warehouse(), AsyncSqlReturns(url)
    numbers = count(1)
    service = AsyncReturnService(
        orders=Orders(),
        returns=returns,
        inventory=warehouse,
        payments=gateway,
        fulfillment=Carrier(),
        shipping_options=InMemoryShippingOptions([POST]),
        ids=lambda: str(next(numbers)),
    )

    print("Ann, Bob and Cat ask at once; Bob clicks twice.")
    ann, bob, bob_again, cat = await asyncio.gather(
        service.handle(ask("order_ann", "Ann")),
        service.handle(ask("order_bob", "Bob")),
        service.handle(ask("order_bob", "Bob")),
        service.handle(ask("order_cat", "Cat")),
    )
    print(f"  Both of Bob's clicks are the same return: {bob.id == bob_again.id}")

    print("All three parcels arrive at once.")
    mug = ReceivedItem(item_id="mug", quantity=1)
    await asyncio.gather(
        *[
            service.handle(ReceiveReturn(return_id=each.id, items=[mug], created_by="clerk Dan"))
            for each in (ann, bob, cat)
        ]
    )

    print("Two minutes later, a timer resumes what has no answer yet.")
    found = await evolve(service, clock=lambda: service.clock() + timedelta(minutes=2)).resume()
    print(f"  It was {', '.join(found.orders)}; still open: {len(found.still_open)}")

    for order_id in ("order_ann", "order_bob", "order_cat"):
        print(f"\n{order_id}")
        for event in await returns.history(order_id):
            for line in render(event):
                print(f"  {line}")
    moved = sum([request.amount for request in gateway.made.values()], start=Money(0, "usd"))
    print(f"\nThe gateway made {len(gateway.made)} refunds: {moved}.")
    print(f"Stock was booked {len(warehouse.booked)} times.")
    await returns.close()


def render(event: Event) -> Iterator[str]:
    """What happened, in words."""
    match event:
        case ReturnRequested(by=by, opened=opened):
            yield f"{by} sends the mug back, for {opened.refund_amount}"
        case GoodsReceived(by=by, entitlement=entitlement):
            yield f"{by} has it; {entitlement.entitled} is due"
        case EffectsAttempted(outcomes=outcomes):
            for each in outcomes:
                yield f"{kind_of(each.key)}: done"
        case DeliveryChanged(key=key, delivery=delivery):
            yield f"{kind_of(key)}: no answer ({delivery.last_error})"


def kind_of(key: str) -> str:
    """The kind of effect that this key is of."""
    return key.rsplit("-", 2)[1]


def main(*urls: str) -> None:
    """Runs in the database of the URL, or in a file that is removed afterwards."""
    with TemporaryDirectory() as folder:
        url = next(iter(urls), f"sqlite:///{Path(folder) / 'returns.db'}")
        asyncio.run(run_day(url))


if __name__ == "__main__":
    main(*sys.argv[1:])
