"""
Runs three sample returns and prints each as a timeline.

The timeline says who did what, how every refund was calculated, and what happened to stock and money.

Run it: `python examples/quickstart.py`. Everything it prints comes from the service: the history of an order
and its state.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from rma import (
    Adjustment,
    AmountPart,
    ApproveReturn,
    Charge,
    EffectsAttempted,
    Event,
    Fee,
    GoodsReceived,
    LineItem,
    Money,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RecordSending,
    Refund,
    RequestedItem,
    RequestReturn,
    Return,
    ReturnApproved,
    ReturnLedger,
    ReturnPolicy,
    ReturnReason,
    ReturnRequested,
    ReturnRule,
    ReturnSent,
    ReturnService,
    ShippingOption,
    TaxLine,
    Window,
    replay,
)
from rma.adapters.memory import in_memory_service


def usd(amount: int) -> Money:
    """Returns an amount of US cents."""
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

# None of these amounts divides evenly: 10.00 off the whole order, 5.00 off three shirts, two tax rates on top
# of the shirts' price, tax included in the teapot's price. The customer paid part of it with a gift card.
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

# A shop with rules. Who changes their mind has 30 days, pays 15 % and waits for a clerk to approve it. What
# is the fault of the merchant can be returned for two years, at no cost. Once everything is back, as much of
# the delivery is refunded as the cheapest one would have cost.
VAT = [TaxLine(Decimal(19), name="vat")]
SHOES = Order(
    id="order_shoes",
    currency="usd",
    tags=["rules"],
    items=[
        LineItem(
            id="item_shoes",
            quantity=1,
            unit_price=usd(11900),
            fulfilled_quantity=1,
            title="Shoes",
            is_tax_inclusive=True,
            tax_lines=VAT,
            delivered_at=datetime(2026, 2, 20, 12, 0, tzinfo=UTC),
        ),
        LineItem(
            id="item_cap",
            quantity=1,
            unit_price=usd(2000),
            fulfilled_quantity=1,
            title="Cap",
            is_tax_inclusive=True,
            tax_lines=VAT,
            delivered_at=datetime(2026, 2, 20, 12, 0, tzinfo=UTC),
        ),
    ],
    charges=[
        Charge("express", "shipping", usd(1200), tax_lines=VAT, is_tax_inclusive=True, refundable=usd(490))
    ],
    payments=[Payment(id="pay_card", captured=usd(15100))],
)
RULES = ReturnPolicy(
    name="shop",
    rules=[
        ReturnRule(
            name="our fault",
            when={"fault:merchant"},
            window=Window(730),
            way_back="merchant",
            charges_back="all_back",
        ),
        ReturnRule(
            name="change of mind",
            window=Window(30),
            fees=[Fee("restocking", percent=15, tax_lines=VAT)],
            review=True,
            charges_back="all_back",
        ),
    ],
    return_within_days=14,
)

REASONS = [
    ReturnReason(id="rr_damaged", value="damaged", label="Damaged goods"),
    ReturnReason(id="rr_big", value="too_big", label="Too big"),
    ReturnReason(id="rr_faulty", value="faulty", label="Faulty", fault="merchant"),
]
POST = ShippingOption(id="so_post", price=usd(200), name="PostFake Return", location_id="warehouse")


def quickstart_service() -> ReturnService:
    """Builds a service in memory, with a clock and ids that are the same in every run."""
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    minutes: Iterator[int] = count()
    numbers: Iterator[int] = count(1)
    return in_memory_service(
        [MUG, BASKET, SHOES],
        REASONS,
        [POST],
        policies=lambda order: RULES if "rules" in order.tags else ReturnPolicy(),
        clock=lambda: start + timedelta(minutes=next(minutes)),
        ids=lambda: str(next(numbers)),
    )


def return_the_mug(service: ReturnService) -> None:
    """Returns a mug that arrived broken, by post."""
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
    """Returns the whole basket in two parcels; one shirt is damaged."""
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


def return_the_shoes(service: ReturnService) -> None:
    """Returns shoes that the customer regrets, and a faulty cap, under rules; a clerk approves it first."""
    opened = service.handle(
        RequestReturn(
            order_id=SHOES.id,
            items=[
                RequestedItem(item_id="item_shoes", quantity=1, reason_id="rr_big"),
                RequestedItem(
                    item_id="item_cap", quantity=1, reason_id="rr_faulty", note="The seam is open."
                ),
            ],
            shipping_option_id="so_post",
            created_by="customer Fay",
        )
    )
    service.handle(
        ApproveReturn(return_id=opened.id, created_by="clerk Cy", note="Please send the box, too.")
    )
    service.handle(RecordSending(return_id=opened.id, tracking_number="1Z-7", created_by="customer Fay"))
    service.handle(
        ReceiveReturn(
            return_id=opened.id,
            items=[
                ReceivedItem(item_id="item_shoes", quantity=1),
                ReceivedItem(item_id="item_cap", quantity=0, damaged_quantity=1),
            ],
            created_by="clerk Bo",
        )
    )


def means_of(refund: Refund) -> str:
    """Returns what the money went back to, in words: the kind of the payment, or store credit."""
    return (refund.kind or refund.means).replace("_", " ")


class Timeline:
    """Renders what happened to an order, from its history."""

    def __init__(self, service: ReturnService, order: Order) -> None:
        self.service = service
        self.order = order
        self.titles = {item.id: item.title for item in order.items}
        self.kinds = {payment.id: payment.kind.replace("_", " ") for payment in order.payments}
        self.reasons = {reason.id: reason.label for reason in service.return_reasons.list()}

    def lines(self) -> Iterator[str]:
        """Yields the lines of the timeline."""
        sold = ", ".join(f"{item.quantity} x {item.title}" for item in self.order.items)
        paid = " and ".join(f"{each.captured} by {self.kinds[each.id]}" for each in self.order.payments)
        yield f"Order {self.order.id}: {sold}; paid {paid}"
        history = self.service.history(self.order.id)
        for number, event in enumerate(history, start=1):
            yield ""
            yield from (f"  {line}" for line in self.render(event, replay(self.order.id, history[:number])))
        state = self.service.order_state(self.order.id)
        goods, money = (
            status.replace("_", " ") for status in (state.fulfillment_status, state.payment_status)
        )
        yield ""
        yield f"  Result: goods {goods}, money {money}, {state.refundable} kept by the shop"

    def render(self, event: Event, after: ReturnLedger) -> Iterator[str]:
        """Yields the lines of one event, after which the ledger was as it is given."""
        match event:
            case ReturnRequested():
                yield from self.render_request(event)
            case ReturnApproved():
                yield f"{event.at:%H:%M}  {event.by} approves it: {event.decision.note}"
            case ReturnSent():
                yield f"{event.at:%H:%M}  {event.by} sends it: parcel {event.sending.tracking_number}"
            case GoodsReceived():
                yield from self.render_receipt(event, after.get(event.return_id))
            case EffectsAttempted():
                yield from self.render_outcomes(event)
            case _:
                yield f"{event.at:%H:%M}  {type(event).__name__}"

    def render_request(self, event: ReturnRequested) -> Iterator[str]:
        """Yields the requested items with their reasons, and the expected refund."""
        waits = ", which waits for approval" if event.opened.needs_approval else ""
        yield f"{event.at:%H:%M}  {event.by} requests a return{waits}"
        for item in event.opened.items:
            reasons = [self.reasons[item.reason_id]] if item.reason_id else []
            reasons += [f'"{item.note}"'] if item.note else []
            reasons += [f"rule: {item.rule}, until {item.until:%d %b %Y}"] if item.rule and item.until else []
            why = f" ({'; '.join(reasons)})" if reasons else ""
            yield f"         {item.quantity} x {self.titles[item.item_id]}{why}"
        yield f"       expected refund: {event.opened.refund_amount}, calculated as"
        yield from self.render_amounts(event.opened.breakdown, details=True)

    def render_receipt(self, event: GoodsReceived, after: Return) -> Iterator[str]:
        """Yields the received items, the changes of stock, and how the refund was calculated."""
        receipt = event.receipt
        status = event.status.replace("_", " ")
        yield f"{event.at:%H:%M}  {event.by} receives parcel {receipt.number}; the return is {status}"
        for item in receipt.items:
            counts = {"fit for sale": item.quantity, "damaged": item.damaged_quantity}
            found = " and ".join([f"{count} {how}" for how, count in counts.items() if count])
            yield f"         {self.titles[item.item_id]}: {found}"
        for line in receipt.restocked:
            yield f"       stock: +{line.quantity} {self.titles[line.item_id]} at {receipt.location_id}"
        for refund in event.refunds:
            yield f"       refund: {refund.amount} to the {means_of(refund)}"
        yield "       refund for everything received so far, calculated as"
        value = after.value_arrived(after.items, after.entitlement.agreed_refund, after.charges_back)
        yield from self.render_amounts(value.breakdown(self.order.currency), details=False)

    def render_outcomes(self, event: EffectsAttempted) -> Iterator[str]:
        """Yields the answers of the carrier, the warehouse and the payment gateway."""
        for each in event.outcomes:
            time = f"{event.at:%H:%M}"
            if each.shipment:
                yield f"{time}  return shipment booked: {each.shipment.tracking_number}"
            elif each.refund:
                refund = each.refund
                to = means_of(refund)
                yield f"{time}  refund: {refund.amount} to the {to}: {refund.status} ({each.key})"
            else:
                yield f"{time}  stock: updated ({each.key})"

    def render_amounts(
        self, parts: tuple[AmountPart, ...], *, details: bool, depth: int = 0
    ) -> Iterator[str]:
        """Yields an amount as a tree of parts that add up to it."""
        for part in parts:
            name = part.name.removeprefix("item:")
            title = self.titles.get(name, name.replace("_", " ").replace(":", " "))
            yield f"         {part.amount!s:>{12 + 4 * depth}}  {title}"
            if details and len(part.parts) > 1:
                yield from self.render_amounts(part.parts, details=details, depth=depth + 1)


def main() -> None:
    """Runs the returns and prints their timelines."""
    service = quickstart_service()
    return_the_mug(service)
    return_the_basket(service)
    return_the_shoes(service)
    for order in (MUG, BASKET, SHOES):
        print(*Timeline(service, order).lines(), "", sep="\n")


if __name__ == "__main__":
    main()
