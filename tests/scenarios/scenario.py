"""
Defines the kinds of scenario.

Each has the answer of the other system (`they`) and the answer that this library must give (`we`), both in
the terms of this library; amounts are in minor units. If they differ, `difference` says which rule is the
reason.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal

from attrs import asdict, evolve, field, frozen

from rma import (
    Command,
    Order,
    ReceivedItem,
    ReceiveReturn,
    Rejected,
    RequestReturn,
    ReturnPolicy,
    ReturnReason,
    ShippingOption,
    Violation,
)

from .world import DEFAULT_POLICY, FIRST, Action, World


@frozen(kw_only=True)
class Scenario(ABC):
    """A scenario of another system."""

    difference: str = ""

    @property
    @abstractmethod
    def differs(self) -> bool:
        """Whether the two answers differ."""

    @property
    def is_explained(self) -> bool:
        """Whether `difference` is given exactly if the answers differ."""
        return bool(self.difference) == self.differs


@frozen(kw_only=True)
class Value(Scenario):
    """
    The value of a return.

    Args:
        they: the amount of the other system, which may have a fraction.
        we: the amount of the quote, of the request, and of the refund if exactly that arrives.
    """

    order: Order
    command: RequestReturn
    they: int | Decimal
    we: int
    options: tuple[ShippingOption, ...] = ()
    policy: ReturnPolicy = DEFAULT_POLICY

    @property
    def differs(self) -> bool:
        """Whether the two amounts differ."""
        return self.they != self.we

    def answers(self) -> tuple[int, int, int]:
        """Returns the quoted, the requested and the refunded amount."""
        world = World.of(self.order, options=self.options, policy=self.policy)
        quote = world.service.quote(self.command)
        arrived = [ReceivedItem(item_id=each.item_id, quantity=each.quantity) for each in self.command.items]
        opened, _ = world.do(self.command, ReceiveReturn(return_id=FIRST, items=tuple(arrived)))
        return (
            quote.refund_amount.amount,
            opened.refund_amount.amount,
            sum(amount for _, amount in world.refunds),
        )


REFUSED = "refused"


@frozen(kw_only=True)
class Refusal(Scenario):
    """
    A command that is refused.

    Args:
        before: steps before the command.
        command: the command that is refused.
        they: the answer of the other system, if it did not refuse.
        kind, code, item_id, numbers: the only violation; `numbers` may be a part of them.
    """

    order: Order
    before: tuple[Action, ...] = ()
    command: Command
    kind: type[Rejected]
    code: str
    item_id: str | None = None
    numbers: Mapping[str, object] = field(factory=dict)
    they: str = REFUSED
    options: tuple[ShippingOption, ...] = ()
    reasons: tuple[ReturnReason, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the other system did not refuse."""
        return self.they != REFUSED

    @property
    def expected(self) -> tuple[type[Rejected], str, tuple[Violation, ...]]:
        """The class, code and violations of the error."""
        return self.kind, self.code, (Violation(self.code, self.item_id, self.numbers),)

    def answers(self) -> tuple[type[Rejected], str, tuple[Violation, ...]] | None:
        """Returns the class, code and violations, with the expected numbers only; None without a refusal."""
        world = World.of(self.order, options=self.options, reasons=self.reasons)
        world.do(*self.before)
        before = (world.returns, world.revision, world.refunds, world.stock)
        try:
            world.do(self.command)
        except Rejected as error:
            if (world.returns, world.revision, world.refunds, world.stock) != before:
                raise AssertionError("a refused command changed something") from error
            violations = tuple(
                evolve(each, numbers={name: each.numbers.get(name) for name in self.numbers})
                for each in error.violations
            )
            return type(error), error.code, violations
        return None


@frozen(kw_only=True)
class Ending:
    """
    The result of a scenario; None if it is not reported.

    Args:
        returns: the status of each return.
        amounts: the refund amount of each return.
        entitled_amount: the amount that all returns entitle the customer to: paid, pending or due.
        refunds: payment and amount, in the order of the requests.
        stock: line item and restocked quantity; negative if it was withdrawn again.
        goods, money: the fulfillment status and payment status of the order.
        counters: for each line, units that are expected, were received sellable, were received damaged.
        returnable: units of each line that can still be returned.
        refused: numbers of the steps that were refused, from 1.
    """

    returns: tuple[str, ...] | None = None
    amounts: tuple[int, ...] | None = None
    entitled_amount: int | None = None
    refunds: tuple[tuple[str, int], ...] | None = None
    stock: tuple[tuple[str, int], ...] | None = None
    goods: str | None = None
    money: str | None = None
    counters: tuple[tuple[int, int, int], ...] | None = None
    returnable: tuple[int, ...] | None = None
    refused: tuple[int, ...] | None = None

    @property
    def reported(self) -> dict[str, object]:
        """The values that are reported."""
        return {name: value for name, value in asdict(self, recurse=False).items() if value is not None}

    def restricted_to(self, other: "Ending") -> "Ending":
        """Returns this ending without values that the other does not report."""
        return Ending(
            **{name: value for name, value in asdict(self, recurse=False).items() if name in other.reported}
        )


#: Values that every ending of ours reports.
ALWAYS_REPORTED = {"returns", "amounts", "refunds", "stock", "goods", "money"}


@frozen(kw_only=True)
class Flow(Scenario):
    """
    Steps and the result of an order.

    Args:
        codes: the codes of the steps that we refuse, in their order.
    """

    order: Order
    steps: tuple[Action, ...]
    they: Ending
    we: Ending
    codes: tuple[str, ...] = ()
    options: tuple[ShippingOption, ...] = ()
    policy: ReturnPolicy = DEFAULT_POLICY

    def __attrs_post_init__(self) -> None:
        if missing := (self.they.reported.keys() | ALWAYS_REPORTED) - self.we.reported.keys():
            raise TypeError(f"our ending does not report {missing}")

    @property
    def differs(self) -> bool:
        """Whether a value that they report is different here."""
        return not self.they.reported.items() <= self.we.reported.items()

    def answers(self) -> tuple[Ending, tuple[str, ...]]:
        """Returns the ending, restricted to what `we` reports, and the codes of refused steps."""
        world = World.of(self.order, options=self.options, policy=self.policy)
        refused, codes = [], []
        for number, step in enumerate(self.steps, start=1):
            try:
                world.do(step)
            except Rejected as error:
                refused.append(number)
                codes.append(error.code)
        return ending_of(world, refused).restricted_to(self.we), tuple(codes)


def ending_of(world: World, refused: Sequence[int] = ()) -> Ending:
    """
    Returns the current result of a world.

    Raises:
        AssertionError: a breakdown does not add up, or a return's time of receipt contradicts its status.
    """
    for each in world.returns:
        if sum(part.amount.amount for part in each.breakdown) != each.refund_amount.amount:
            raise AssertionError(each.breakdown)
        if each.received_at is None and each.status == "received":
            raise AssertionError(each.received_at)
    state = world.service.order_state(world.order.id)
    items = [item for each in world.returns for item in each.items]
    expected = [item for each in world.returns if each.is_open for item in each.items]
    return Ending(
        returns=tuple(each.status.value for each in world.returns),
        amounts=tuple(each.refund_amount.amount for each in world.returns),
        entitled_amount=sum(each.refunded.amount + each.amount_due.amount for each in world.returns),
        refunds=world.refunds,
        stock=world.stock,
        goods=state.fulfillment_status.value,
        money=state.payment_status.value,
        counters=tuple(
            (
                sum(item.missing_quantity for item in expected if item.item_id == each.id),
                sum(item.received_quantity for item in items if item.item_id == each.id),
                sum(item.damaged_quantity for item in items if item.item_id == each.id),
            )
            for each in world.order.items
        ),
        returnable=tuple(each.quantity for each in world.service.returnable_items(world.order.id)),
        refused=tuple(refused),
    )


@frozen(kw_only=True)
class Balance(Scenario):
    """The money of an order: its payment status and what can still be refunded."""

    order: Order
    they: tuple[str, int]
    we: tuple[str, int]

    @property
    def differs(self) -> bool:
        """Whether the two answers differ."""
        return self.they != self.we

    def answers(self) -> tuple[str, int]:
        """Returns the payment status and what can still be refunded."""
        state = World.of(self.order).service.order_state(self.order.id)
        return state.payment_status.value, state.refundable.amount
