"""A small host: functions that make orders and commands in one line, and ports that keep their requests."""

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from rma import (
    Adjustment,
    CancelReturn,
    Command,
    LineItem,
    Money,
    Order,
    OrderStatus,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
    RetryRefund,
    Return,
    ReturnPolicy,
    ReturnReason,
    ReturnService,
    ShippingMethod,
    ShippingOption,
    TaxLine,
)
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    in_memory_service,
)

ORDER = "order"
POST = "post"
FIRST, SECOND, THIRD = "ret_1", "ret_2", "ret_3"

DEFAULT_POLICY = ReturnPolicy()

#: The captured amount by default: more than the value of any order here.
PLENTY = 100_000_000


def line(
    item_id: str,
    quantity: int,
    price: int,
    *,
    off: Sequence[int] = (),
    tax: Sequence[str] = (),
    inclusive: bool = False,
    fulfilled: int | None = None,
    back: int = 0,
    variant_id: str | None = "variant",
) -> LineItem:
    """Returns a line item, fulfilled by default; `back` units were returned without this library."""
    return LineItem(
        id=item_id,
        quantity=quantity,
        unit_price=Money(price, "usd"),
        fulfilled_quantity=quantity if fulfilled is None else fulfilled,
        returned_quantity=back,
        variant_id=variant_id,
        adjustments=tuple(Adjustment(Money(amount, "usd")) for amount in off),
        tax_lines=tuple(TaxLine(Decimal(rate)) for rate in tax),
        is_tax_inclusive=inclusive,
    )


def payment(payment_id: str, captured: int, *, refunded: int = 0, kind: str = "card") -> Payment:
    """Returns a payment; `refunded` was refunded without this library."""
    return Payment(id=payment_id, captured=Money(captured, "usd"), refunded=Money(refunded, "usd"), kind=kind)


def sale(
    *lines: LineItem,
    paid: int | Sequence[Payment] = PLENTY,
    off: Sequence[int] = (),
    shipping: int = 0,
    status: OrderStatus = OrderStatus.PENDING,
    no_notification: bool = False,
) -> Order:
    """Returns an order; `paid` is one payment `p1`, or all payments; `off` are discounts on the order."""
    outbound = ShippingMethod(id="outbound", option_id="outbound", name="Post", price=Money(shipping, "usd"))
    return Order(
        id=ORDER,
        currency="usd",
        items=tuple(lines),
        payments=(payment("p1", paid),) if isinstance(paid, int) else tuple(paid),
        adjustments=tuple(Adjustment(Money(amount, "usd")) for amount in off),
        shipping_methods=(outbound,) if shipping else (),
        status=status,
        no_notification=no_notification,
    )


def return_option(
    price: int,
    *,
    tax: Sequence[str] = (),
    inclusive: bool = False,
    option_id: str = POST,
    is_return: bool = True,
) -> ShippingOption:
    """Returns a shipping option, for returns by default."""
    return ShippingOption(
        id=option_id,
        price=Money(price, "usd"),
        tax_lines=tuple(TaxLine(Decimal(rate)) for rate in tax),
        is_tax_inclusive=inclusive,
        is_return=is_return,
    )


def request(
    *,
    refund_amount: Money | int | None = None,
    refund_note: str | None = None,
    shipping_option_id: str | None = None,
    shipping_price: int | None = None,
    location_id: str | None = None,
    reason_id: str | None = None,
    idempotency_key: str | None = None,
    **units: int,
) -> RequestReturn:
    """Requests a return of units: `request(a=2)`."""
    return RequestReturn(
        order_id=ORDER,
        items=tuple(
            RequestedItem(item_id=item_id, quantity=quantity, reason_id=reason_id)
            for item_id, quantity in units.items()
        ),
        refund_amount=refund_amount,
        refund_note=refund_note,
        shipping_option_id=shipping_option_id,
        shipping_price=shipping_price,
        location_id=location_id,
        idempotency_key=idempotency_key,
    )


def receive(
    return_id: str = FIRST,
    *,
    refund_amount: int | None = None,
    location_id: str | None = None,
    allow_mismatch: bool = False,
    more_expected: bool = False,
    **units: int | tuple[int, int],
) -> ReceiveReturn:
    """Receives units: `receive(a=2)`, or sellable and damaged ones: `receive(a=(1, 1))`."""
    counts = {item_id: each if isinstance(each, tuple) else (each, 0) for item_id, each in units.items()}
    return ReceiveReturn(
        return_id=return_id,
        items=tuple(
            ReceivedItem(item_id=item_id, quantity=sellable, damaged_quantity=damaged)
            for item_id, (sellable, damaged) in counts.items()
        ),
        refund_amount=refund_amount,
        location_id=location_id,
        allow_mismatch=allow_mismatch,
        more_expected=more_expected,
    )


def cancel(return_id: str = FIRST) -> CancelReturn:
    """Cancels a return."""
    return CancelReturn(return_id=return_id)


def retry(amount: int | None = None, return_id: str = FIRST) -> RetryRefund:
    """Retries the refund of what is due, or of a part of it."""
    return RetryRefund(return_id=return_id, amount=amount)


#: A command, or a new version of the order.
Action = Command | Order


@frozen
class World:
    """A host with one order, whose ports keep their requests. Ids of returns are `ret_1`, `ret_2`, …"""

    order: Order
    service: ReturnService
    orders: InMemoryOrders
    payments: InMemoryPayments
    inventory: InMemoryInventory
    fulfillment: InMemoryFulfillment

    @classmethod
    def of(
        cls,
        order: Order,
        *,
        options: Sequence[ShippingOption] = (),
        reasons: Sequence[ReturnReason] = (),
        policy: ReturnPolicy = DEFAULT_POLICY,
        payments: InMemoryPayments | None = None,
    ) -> "World":
        """Returns a host with this order."""
        payments = payments or InMemoryPayments()
        inventory, fulfillment = InMemoryInventory(), InMemoryFulfillment()
        service = in_memory_service(
            [order],
            reasons,
            options,
            payments=payments,
            inventory=inventory,
            fulfillment=fulfillment,
            policies=policy,
            ids=lambda: str(len(service.list(order.id)) + 1),
        )
        orders = service.orders
        if not isinstance(orders, InMemoryOrders):
            raise TypeError(orders)
        return cls(order, service, orders, payments, inventory, fulfillment)

    def do(self, *steps: Action) -> tuple[Return, ...]:
        """Runs the steps, and returns the returns that the commands returned."""
        answers: list[Return] = []
        for step in steps:
            if isinstance(step, Order):
                self.orders.put(step)
            else:
                answer = self.service.handle(step)
                if not isinstance(answer, Return):
                    raise TypeError(answer)
                answers.append(answer)
        return tuple(answers)

    @property
    def returns(self) -> tuple[Return, ...]:
        """The order's returns, oldest first."""
        return self.service.list(self.order.id)

    @property
    def refunds(self) -> tuple[tuple[str, int], ...]:
        """Requested refunds: payment and amount, in the order of the requests."""
        return tuple((each.payment_id, each.amount.amount) for each in self.payments.refunds.values())

    @property
    def stock(self) -> tuple[tuple[str, int], ...]:
        """Restocked, then withdrawn units: line item and quantity."""
        restocks, withdrawals = self.inventory.restocks.values(), self.inventory.withdrawals.values()
        return (
            *((each.item_id, each.quantity) for request in restocks for each in request.lines),
            *((each.item_id, -each.quantity) for request in withdrawals for each in request.lines),
        )

    @property
    def revision(self) -> int:
        """The number of commits."""
        return self.service.returns.load(self.order.id).revision
