"""What the laws of repositories store: an order of mugs, and commits about it."""

from datetime import datetime, timedelta

from attrs import frozen

from rma.domain.change import Change
from rma.domain.events import Event
from rma.domain.messages.command_items import ReceivedItem, RequestedItem
from rma.domain.messages.commands import ReceiveReturn, RequestReturn
from rma.domain.messages.effects import Effect, Unknown
from rma.domain.sale.catalogue import ShippingOption
from rma.domain.sale.order import LineItem, Order, Payment
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import NotFound
from rma.domain.values.money import Money
from rma.ports import ReturnRepository
from rma.testing.core_harness import START, CoreHarness, counting

#: After everything that the laws commit.
LATER = START + timedelta(days=1)


def harness(
    order_id: str = "order_1",
    *,
    prefix: str = "",
    ledger: ReturnLedger | None = None,
    at: datetime = START,
) -> CoreHarness:
    """An order of many mugs; its returns are `ret_{prefix}1` and so on, the prefix `{order_id}_` if none."""
    mugs = LineItem(id="mug", quantity=999, fulfilled_quantity=999, unit_price=Money(1000, "usd"))
    payments = [Payment(id=f"pay_{number}", captured=Money(500_000, "usd")) for number in (1, 2)]
    return CoreHarness(
        Order(id=order_id, currency="usd", items=[mugs], payments=payments),
        ledger=ledger,
        options=[ShippingOption(id="post", price=Money(200, "usd"), location_id="loc_1")],
        ids=counting(prefix or f"{order_id}_"),
        at=at,
    )


def request(
    order_id: str = "order_1", *, label: bool = False, key: str | None = None, note: object = None
) -> RequestReturn:
    """One mug back; with a label, an effect stays open."""
    return RequestReturn(
        order_id=order_id,
        items=[RequestedItem(item_id="mug", quantity=1)],
        shipping_option_id="post" if label else None,
        idempotency_key=key,
        metadata={} if note is None else {"note": note},
    )


def receive(return_id: str, *, arrivals: int = 1) -> ReceiveReturn:
    """The mug arrived: a restock and a refund are open. If more arrived, only a restock."""
    return ReceiveReturn(return_id=return_id, items=[ReceivedItem(item_id="mug", quantity=arrivals)])


def in_vain(effect: Effect) -> Unknown:
    """A port that did not answer."""
    return Unknown(f"TimeoutError: {effect.key}")


def rivals(life: CoreHarness, count: int, name: str) -> list[Change]:
    """Changes that were all made from where this life is now; their returns are `ret_{name}_{n}_1`."""
    order_id = life.order.id
    return [
        harness(order_id, prefix=f"{name}_{number}_", ledger=life.ledger, at=life.now).handle(
            request(order_id, label=True)
        )
        for number in range(count)
    ]


@frozen
class Stored:
    """All that a repository tells about an order."""

    ledger: ReturnLedger
    history: tuple[Event, ...]
    owners: tuple[str | None, ...]
    outstanding: tuple[str, ...]
    unpublished: frozenset[str]
    waiting: tuple[str, ...]


def read_back(returns: ReturnRepository, *return_ids: str, order_id: str = "order_1") -> Stored:
    """What it tells now, about these returns too."""
    return Stored(
        ledger=returns.load(order_id),
        history=returns.history(order_id),
        owners=tuple([owner(returns, return_id) for return_id in return_ids]),
        outstanding=tuple(returns.outstanding(LATER, 100)),
        unpublished=frozenset(returns.outstanding(LATER, 100, unpublished=True)),
        waiting=tuple(returns.waiting(LATER, 100)),
    )


def owner(returns: ReturnRepository, return_id: str) -> str | None:
    """The order whose return this is, or None if it is not found."""
    try:
        return returns.load_by_return(return_id).order_id
    except NotFound:
        return None
