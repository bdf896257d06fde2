"""
Two orders and their returns, told as timelines.

Who did what, what it is worth and why, where stock and money went.

Run it: `python examples/quickstart.py`. Everything is printed from `service.history`, nothing is kept aside.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from rma import (
    Adjustment,
    AmountPart,
    EffectsAttempted,
    Event,
    GoodsReceived,
    LineItem,
    Money,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
    ReturnReason,
    ReturnRequested,
    ReturnService,
    ShippingOption,
    TaxLine,
)
from rma.adapters.memory import in_memory_service


def usd(amount: int) -> Money:
    """US cents."""
    return Money(amount, "usd")


MUG = Order(
    id="order_mug",
    currency="usd",
    items=[
        LineItem(
            id="item_mug", quantity=1, unit_price=usd(8000), fulfilled_quantity=1, title="Medusa Coffee Mug"
        )
    ],
    payments=[Payment(id="pay_card", captured=usd(8000))],
)

# Nothing divides here: 10.00 off the whole order, 5.00 off three shirts, two tax rates on top of the
# shirts, tax inside the teapot's price, and the customer paid a part with a gift card.
BASKET = Order(
    id="order_basket",
    currency="usd",
    items=[
        LineItem(
            id="item_shirt",
            quantity=3,
            unit_price=usd(2999),
            fulfilled_quantity=3,
            title="Shirt",
            adjustments=[Adjustment(usd(500), code="SHIRTS")],
            tax_lines=[TaxLine(Decimal("7.5"), name="state"), TaxLine(Decimal("2.5"), name="city")],
        ),
        LineItem(
            id="item_teapot",
            quantity=1,
            unit_price=usd(4500),
            fulfilled_quantity=1,
            title="Teapot",
            is_tax_inclusive=True,
            tax_lines=[TaxLine(Decimal(20), name="vat")],
        ),
        LineItem(id="item_socks", quantity=2, unit_price=usd(999), fulfilled_quantity=2, title="Socks"),
    ],
    adjustments=[Adjustment(usd(1000), code="WELCOME10")],
    payments=[
        Payment(id="pay_gift", captured=usd(5000), kind="gift_card"),
        Payment(id="pay_card", captured=usd(9788)),
    ],
)

REASONS = [
    ReturnReason(id="rr_damaged", value="damaged", label="Damaged goods"),
    ReturnReason(id="rr_big", value="too_big", label="Too big"),
]
POST = ShippingOption(id="so_post", price=usd(200), name="PostFake Return", location_id="warehouse")


def quickstart_service() -> ReturnService:
    """A whole service in memory; a clock and ids that are the same in every run."""
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    minutes: Iterator[int] = count()
    numbers: Iterator[int] = count(1)
    return in_memory_service(
        [MUG, BASKET],
        REASONS,
        [POST],
        clock=lambda: start + timedelta(minutes=next(minutes)),
        ids=lambda: str(next(numbers)),
    )


def return_the_mug(service: ReturnService) -> None:
    """The mug came damaged, and is sent back by post."""
    opened = service.handle(
        RequestReturn(
            order_id=MUG.id,
            items=[
                RequestedItem(
                    item_id="item_mug", quantity=1, reason_id="rr_damaged", note="The handle is broken."
                )
            ],
            shipping_option_id="so_post",
            created_by="customer Ada",
            idempotency_key="ada-mug",
        )
    )
    service.handle(
        ReceiveReturn(
            return_id=opened.id,
            items=[ReceivedItem(item_id="item_mug", quantity=1)],
            created_by="clerk Bo",
        )
    )


def return_the_basket(service: ReturnService) -> None:
    """Everything goes back in two parcels; one shirt is damaged."""
    opened = service.handle(
        RequestReturn(
            order_id=BASKET.id,
            items=[
                RequestedItem(item_id="item_shirt", quantity=3, reason_id="rr_big"),
                RequestedItem(item_id="item_teapot", quantity=1),
                RequestedItem(item_id="item_socks", quantity=2),
            ],
            shipping_option_id="so_post",
            created_by="customer Eve",
        )
    )
    service.handle(
        ReceiveReturn(
            return_id=opened.id,
            items=[
                ReceivedItem(item_id="item_shirt", quantity=1, damaged_quantity=1),
                ReceivedItem(item_id="item_socks", quantity=1),
            ],
            more_expected=True,
            created_by="clerk Bo",
        )
    )
    service.handle(
        ReceiveReturn(
            return_id=opened.id,
            items=[
                ReceivedItem(item_id="item_shirt", quantity=1),
                ReceivedItem(item_id="item_teapot", quantity=1),
                ReceivedItem(item_id="item_socks", quantity=1),
            ],
            created_by="clerk Cy",
        )
    )


class Teller:
    """Tells what happened to an order, from its history alone."""

    def __init__(self, service: ReturnService, order: Order) -> None:
        self.service = service
        self.order = order
        self.titles = {item.id: item.title for item in order.items}
        self.kinds = {payment.id: payment.kind.replace("_", " ") for payment in order.payments}
        self.reasons = {reason.id: reason.label for reason in service.return_reasons.list()}

    def timeline(self) -> Iterator[str]:
        """Line by line."""
        sold = ", ".join(f"{item.quantity} x {item.title}" for item in self.order.items)
        paid = " and ".join(f"{each.captured} by {self.kinds[each.id]}" for each in self.order.payments)
        yield f"Order {self.order.id}: {sold}; paid {paid}"
        for event in self.service.history(self.order.id):
            yield ""
            yield from (f"  {line}" for line in self.render(event))
        state = self.service.order_state(self.order.id)
        goods, money = (
            status.replace("_", " ") for status in (state.fulfillment_status, state.payment_status)
        )
        yield ""
        yield f"  In the end: goods {goods}, money {money}, {state.refundable} kept by the shop"

    def render(self, event: Event) -> Iterator[str]:
        """One event."""
        match event:
            case ReturnRequested():
                yield from self.requested(event)
            case GoodsReceived():
                yield from self.received(event)
            case EffectsAttempted():
                yield from self.record_outcomes(event)
            case _:
                yield f"{event.at:%H:%M}  {type(event).__name__}"

    def requested(self, event: ReturnRequested) -> Iterator[str]:
        """What is to come back, why, and what it will be worth."""
        yield f"{event.at:%H:%M}  {event.by} asks to return"
        for item in event.opened.items:
            said = [self.reasons[item.reason_id]] if item.reason_id else []
            said += [f'"{item.note}"'] if item.note else []
            words = f" ({'; '.join(said)})" if said else ""
            yield f"         {item.quantity} x {self.titles[item.item_id]}{words}"
        yield f"       for {event.opened.refund_amount}, which is"
        yield from self.explained(event.opened.breakdown, details=True)

    def received(self, event: GoodsReceived) -> Iterator[str]:
        """What came, where it went, and what is paid for it."""
        receipt = event.receipt
        yield f"{event.at:%H:%M}  {event.by} books parcel {receipt.number}: {event.status.replace('_', ' ')}"
        for arrivals in receipt.items:
            damaged = f", and {arrivals.damaged_quantity} damaged" if arrivals.damaged_quantity else ""
            yield f"         {arrivals.quantity} x {self.titles[arrivals.item_id]} fit for sale{damaged}"
        for line in receipt.restock.lines if receipt.restock else ():
            yield f"       stock: +{line.quantity} {self.titles[line.item_id]} at {receipt.location_id}"
        for refund in event.refunds:
            yield f"       money: {refund.amount} is to go back to the {self.kinds[refund.payment_id]}"
        yield "       because what came so far is worth"
        value = self.service.get(event.return_id or "").value_arrived(
            event.items, event.entitlement.agreed_refund
        )
        yield from self.explained(value.breakdown(self.order.currency), details=False)

    def record_outcomes(self, event: EffectsAttempted) -> Iterator[str]:
        """What the carrier, the warehouse and the bank answered."""
        for each in event.outcomes:
            time = f"{event.at:%H:%M}"
            if each.shipment:
                yield f"{time}  the carrier booked the way back: {each.shipment.tracking_number}"
            elif each.refund:
                kind = self.kinds[each.refund.payment_id]
                yield f"{time}  {each.refund.amount} to the {kind}: {each.refund.status} ({each.key})"
            else:
                yield f"{time}  stock: booked ({each.key})"

    def explained(self, parts: tuple[AmountPart, ...], *, details: bool, depth: int = 0) -> Iterator[str]:
        """An amount as a tree of its parts, which add up."""
        for part in parts:
            name = part.name.removeprefix("item:")
            words = self.titles.get(name, name.replace("_", " ").replace(":", " "))
            yield f"         {part.amount!s:>{12 + 4 * depth}}  {words}"
            if details and len(part.parts) > 1:
                yield from self.explained(part.parts, details=details, depth=depth + 1)


def main() -> None:
    """Both returns, and their stories."""
    service = quickstart_service()
    return_the_mug(service)
    return_the_basket(service)
    for order in (MUG, BASKET):
        print(*Teller(service, order).timeline(), "", sep="\n")


if __name__ == "__main__":
    main()
