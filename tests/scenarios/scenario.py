"""
The kinds of scenario.

Each knows what the other system answered (`they`) and what this library has to answer (`we`), both in the
words of this library; amounts are minor units. Where the two are not the same, `difference` names the rule
that makes it so.
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
    """What every kind has."""

    difference: str = ""

    @property
    @abstractmethod
    def differs(self) -> bool:
        """What they answered is not what we answer."""

    @property
    def is_explained(self) -> bool:
        """A difference is named exactly where there is one."""
        return bool(self.difference) == self.differs


@frozen(kw_only=True)
class Worth(Scenario):
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
    options: tuple[ShippingOption, ...] = ()
    policy: ReturnPolicy = DEFAULT_POLICY

    @property
    def differs(self) -> bool:
        """The two amounts are not the same."""
        return self.they != self.we

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
class Refusal(Scenario):
    """
    What is refused, and with which words.

    Args:
        before: what was done before.
        ask: what is refused.
        they: what the other system answered, where it did not refuse.
        kind, code, item_id, numbers: of the one violation; numbers as far as they are told.
    """

    order: Order
    before: tuple[Action, ...] = ()
    ask: Command
    kind: type[Rejected]
    code: str
    item_id: str | None = None
    numbers: Mapping[str, object] = field(factory=dict)
    they: str = REFUSED
    options: tuple[ShippingOption, ...] = ()
    reasons: tuple[ReturnReason, ...] = ()

    @property
    def differs(self) -> bool:
        """They did it."""
        return self.they != REFUSED

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
        entitled_amount: what all returns together entitle the customer to: paid, on its way or due.
        refunds: payment and amount, in the order asked.
        stock: line item and quantity that went into stock; negative: taken out again.
        goods, money: the order's fulfillment and payment status.
        counters: of each line: units on their way back, arrived sellable, arrived damaged.
        returnable: units of each line that can still be returned.
        refused: which steps were refused, counted from 1.
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
    def render(self) -> dict[str, object]:
        """What is told."""
        return {name: value for name, value in asdict(self, recurse=False).items() if value is not None}

    def as_far_as(self, other: "Ending") -> "Ending":
        """This ending without what the other does not tell."""
        return Ending(
            **{name: value for name, value in asdict(self, recurse=False).items() if name in other.render}
        )


#: What is told of every ending of ours.
ALWAYS_TOLD = {"returns", "amounts", "refunds", "stock", "goods", "money"}


@frozen(kw_only=True)
class Flow(Scenario):
    """
    What becomes of an order, step by step.

    Args:
        codes: of the steps that are refused by us, in their order.
    """

    order: Order
    steps: tuple[Action, ...]
    they: Ending
    we: Ending
    codes: tuple[str, ...] = ()
    options: tuple[ShippingOption, ...] = ()
    policy: ReturnPolicy = DEFAULT_POLICY

    def __attrs_post_init__(self) -> None:
        if missing := (self.they.render.keys() | ALWAYS_TOLD) - self.we.render.keys():
            raise TypeError(f"our ending does not tell {missing}")

    @property
    def differs(self) -> bool:
        """Something that they tell ended in another way here."""
        return not self.they.render.items() <= self.we.render.items()

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
        entitled_amount=sum(each.refunded.amount + each.amount_due.amount for each in world.returns),
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
class Standing(Scenario):
    """How the money of an order stands: payment status, and what can still be refunded."""

    order: Order
    they: tuple[str, int]
    we: tuple[str, int]

    @property
    def differs(self) -> bool:
        """The two answers are not the same."""
        return self.they != self.we

    def answers(self) -> tuple[str, int]:
        """The payment status and what can still be refunded."""
        state = World.of(self.order).service.order_state(self.order.id)
        return state.payment_status.value, state.refundable.amount
