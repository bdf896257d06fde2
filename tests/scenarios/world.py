"""
A host in miniature, and the three kinds of scenario that are played in it.

Every scenario knows what the other system answered (`they`) and what this library has to answer (`we`), in
the words of this library. Where the two are not the same, `difference` names the rule that makes it so.
Amounts are minor units.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from attrs import asdict, evolve, field, frozen

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
    Rejected,
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
    Violation,
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

#: What was paid where the scenario is not about it: more than anything in it is worth.
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
    """A line item, all of it fulfilled unless said otherwise; `back` units returned without this library."""
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
    """A payment; `refunded` was given back without this library."""
    return Payment(id=payment_id, captured=Money(captured, "usd"), refunded=Money(refunded, "usd"), kind=kind)


def sale(
    *lines: LineItem,
    paid: int | Sequence[Payment] = PLENTY,
    off: Sequence[int] = (),
    shipping: int = 0,
    status: OrderStatus = OrderStatus.PENDING,
    no_notification: bool = False,
) -> Order:
    """An order; `paid` is one payment `p1`, or all of them; `off` are discounts on the whole order."""
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


def way_back(
    price: int,
    *,
    tax: Sequence[str] = (),
    inclusive: bool = False,
    option_id: str = POST,
    is_return: bool = True,
) -> ShippingOption:
    """A shipping option for returns."""
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
    shipping_option_id: str | None = None,
    shipping_price: int | None = None,
    location_id: str | None = None,
    reason_id: str | None = None,
    idempotency_key: str | None = None,
    **units: int,
) -> RequestReturn:
    """Ask to send units back: `request(a=2)`."""
    return RequestReturn(
        order_id=ORDER,
        items=tuple(
            RequestedItem(item_id=item_id, quantity=quantity, reason_id=reason_id)
            for item_id, quantity in units.items()
        ),
        refund_amount=refund_amount,
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
    """Units arrived: `receive(a=2)`, or with damaged ones besides: `receive(a=(1, 1))`."""
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
    """Call a return off."""
    return CancelReturn(return_id=return_id)


def retry(amount: int | None = None, return_id: str = FIRST) -> RetryRefund:
    """Ask again for what is due, or for part of it."""
    return RetryRefund(return_id=return_id, amount=amount)


#: A command; or the order as the host has it from then on.
Step = Command | Order


@frozen
class World:
    """A host with one order, whose ports keep what they were asked. Returns are `ret_1`, `ret_2`, …"""

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
        """A host that knows this order."""
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

    def do(self, *steps: Step) -> tuple[Return, ...]:
        """The returns that the commands answered."""
        answers: list[Return] = []
        for step in steps:
            if isinstance(step, Order):
                self.orders.put(step)
            else:
                answers.append(self.service.handle(step))
        return tuple(answers)

    @property
    def returns(self) -> tuple[Return, ...]:
        """The order's returns, oldest first."""
        return self.service.list(self.order.id)

    @property
    def refunds(self) -> tuple[tuple[str, int], ...]:
        """What payments were asked to give back: payment and amount, in the order asked."""
        return tuple((each.payment_id, each.amount.amount) for each in self.payments.refunds.values())

    @property
    def stock(self) -> tuple[tuple[str, int], ...]:
        """What went into stock, then what was taken out again: line item and quantity."""
        put_in, taken_out = self.inventory.restocks.values(), self.inventory.withdrawals.values()
        return (
            *((each.item_id, each.quantity) for asked in put_in for each in asked.lines),
            *((each.item_id, -each.quantity) for asked in taken_out for each in asked.lines),
        )

    @property
    def revision(self) -> int:
        """How many commits there were."""
        return self.service.returns.load(self.order.id).revision


@frozen(kw_only=True)
class Worth:
    """
    What a return is worth.

    Args:
        they: what the other system computed, not always whole.
        we: what is quoted, what the request says, and what is refunded when exactly that arrives.
    """

    order: Order
    ask: RequestReturn
    they: int | Decimal
    we: int
    difference: str = ""
    options: tuple[ShippingOption, ...] = ()
    policy: ReturnPolicy = DEFAULT_POLICY

    @property
    def is_explained(self) -> bool:
        """A difference is named exactly where there is one."""
        return bool(self.difference) == (self.they != self.we)

    def answers(self) -> tuple[int, int, int]:
        """The amount that is quoted, the amount that is requested, the amount that is refunded."""
        world = World.of(self.order, options=self.options, policy=self.policy)
        quote = world.service.quote(self.ask)
        arrived = [ReceivedItem(item_id=each.item_id, quantity=each.quantity) for each in self.ask.items]
        opened, _ = world.do(self.ask, ReceiveReturn(return_id=FIRST, items=tuple(arrived)))
        return (
            quote.refund_amount.amount,
            opened.refund_amount.amount,
            sum(amount for _, amount in world.refunds),
        )


REFUSED = "refused"


@frozen(kw_only=True)
class Refusal:
    """
    What is refused, and with which words.

    Args:
        before: what was done before.
        ask: what is refused.
        they: what the other system answered, where it did not refuse.
        kind, code, item_id, numbers: of the one violation; numbers as far as they are told.
    """

    order: Order
    before: tuple[Step, ...] = ()
    ask: Command
    kind: type[Rejected]
    code: str
    item_id: str | None = None
    numbers: Mapping[str, object] = field(factory=dict)
    they: str = REFUSED
    difference: str = ""
    options: tuple[ShippingOption, ...] = ()
    reasons: tuple[ReturnReason, ...] = ()

    @property
    def is_explained(self) -> bool:
        """A difference is named exactly where there is one."""
        return bool(self.difference) == (self.they != REFUSED)

    @property
    def expected(self) -> tuple[type[Rejected], str, tuple[Violation, ...]]:
        """The error's class, its code, its violations."""
        return self.kind, self.code, (Violation(self.code, self.item_id, self.numbers),)

    def answers(self) -> tuple[type[Rejected], str, tuple[Violation, ...]] | None:
        """The error's class, code and violations, their numbers as far as told; None if it was done."""
        world = World.of(self.order, options=self.options, reasons=self.reasons)
        world.do(*self.before)
        before = (world.returns, world.revision, world.refunds, world.stock)
        try:
            world.do(self.ask)
        except Rejected as error:
            if (world.returns, world.revision, world.refunds, world.stock) != before:
                raise AssertionError("what was refused has changed something") from error
            violations = tuple(
                evolve(each, numbers={name: each.numbers.get(name) for name in self.numbers})
                for each in error.violations
            )
            return type(error), error.code, violations
        return None


@frozen(kw_only=True)
class Ending:
    """
    How a scenario ended, as far as it is told: None is not told.

    Args:
        returns: the status of each return.
        amounts: the refund amount of each return.
        granted: what all returns together entitle the customer to: paid, on its way or due.
        refunds: payment and amount, in the order asked.
        stock: line item and quantity that went into stock; negative: taken out again.
        goods, money: the order's fulfillment and payment status.
        counters: of each line: units on their way back, arrived sellable, arrived damaged.
        returnable: units of each line that can still be returned.
        refused: which steps were refused, counted from 1.
    """

    returns: tuple[str, ...] | None = None
    amounts: tuple[int, ...] | None = None
    granted: int | None = None
    refunds: tuple[tuple[str, int], ...] | None = None
    stock: tuple[tuple[str, int], ...] | None = None
    goods: str | None = None
    money: str | None = None
    counters: tuple[tuple[int, int, int], ...] | None = None
    returnable: tuple[int, ...] | None = None
    refused: tuple[int, ...] | None = None

    @property
    def told(self) -> dict[str, object]:
        """What is told."""
        return {name: value for name, value in asdict(self, recurse=False).items() if value is not None}

    def as_far_as(self, other: "Ending") -> "Ending":
        """This ending without what the other does not tell."""
        return Ending(
            **{name: value for name, value in asdict(self, recurse=False).items() if name in other.told}
        )


#: What is told of every ending of ours.
ALWAYS_TOLD = {"returns", "amounts", "refunds", "stock", "goods", "money"}


@frozen(kw_only=True)
class Flow:
    """
    What becomes of an order, step by step.

    Args:
        codes: of the steps that are refused by us, in their order.
    """

    order: Order
    steps: tuple[Step, ...]
    they: Ending
    we: Ending
    codes: tuple[str, ...] = ()
    difference: str = ""
    options: tuple[ShippingOption, ...] = ()
    policy: ReturnPolicy = DEFAULT_POLICY

    @property
    def is_explained(self) -> bool:
        """A difference is named exactly where there is one, and enough is told to see it."""
        they, we = self.they.told, self.we.told
        return they.keys() | ALWAYS_TOLD <= we.keys() and bool(self.difference) == (
            not they.items() <= we.items()
        )

    def answers(self) -> tuple[Ending, tuple[str, ...]]:
        """How it ends, as far as ours is told, and the codes of what was refused."""
        world = World.of(self.order, options=self.options, policy=self.policy)
        refused, codes = [], []
        for number, step in enumerate(self.steps, start=1):
            try:
                world.do(step)
            except Rejected as error:
                refused.append(number)
                codes.append(error.code)
        return ending_of(world, refused).as_far_as(self.we), tuple(codes)


def ending_of(world: World, refused: Sequence[int] = ()) -> Ending:
    """
    How this world stands.

    Raises:
        AssertionError: a breakdown does not add up, or a return's time of receipt does not fit its status.
    """
    for each in world.returns:
        if sum(part.amount.amount for part in each.breakdown) != each.refund_amount.amount:
            raise AssertionError(each.breakdown)
        if (each.received_at is not None) != (each.status == "received"):
            raise AssertionError(each.received_at)
    state = world.service.order_state(world.order.id)
    items = [item for each in world.returns for item in each.items]
    on_their_way = [item for each in world.returns if each.is_open for item in each.items]
    return Ending(
        returns=tuple(each.status.value for each in world.returns),
        amounts=tuple(each.refund_amount.amount for each in world.returns),
        granted=sum(each.refunded + each.amount_due.amount for each in world.returns),
        refunds=world.refunds,
        stock=world.stock,
        goods=state.fulfillment_status.value,
        money=state.payment_status.value,
        counters=tuple(
            (
                sum(item.missing_quantity for item in on_their_way if item.item_id == each.id),
                sum(item.received_quantity for item in items if item.item_id == each.id),
                sum(item.damaged_quantity for item in items if item.item_id == each.id),
            )
            for each in world.order.items
        ),
        returnable=tuple(each.quantity for each in world.service.returnable_items(world.order.id)),
        refused=tuple(refused),
    )


@frozen(kw_only=True)
class Standing:
    """How the money of an order stands: payment status, and what can still be refunded."""

    order: Order
    they: tuple[str, int]
    we: tuple[str, int]
    difference: str = ""

    @property
    def is_explained(self) -> bool:
        """A difference is named exactly where there is one."""
        return bool(self.difference) == (self.they != self.we)

    def answers(self) -> tuple[str, int]:
        """The payment status and what can still be refunded."""
        state = World.of(self.order).service.order_state(self.order.id)
        return state.payment_status.value, state.refundable.amount
