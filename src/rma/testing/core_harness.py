"""
Commands about one order, handled by the pure core alone: the commits that a repository would be given.

No port is called; the caller says how effects end.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count

from rma.domain.change import (
    Change,
    apply_command,
    apply_lease,
    apply_outcomes,
    apply_publication,
    unchanged,
)
from rma.domain.decide import answer
from rma.domain.decide.facts import Facts
from rma.domain.messages.advance import ChargeOutcome, ChargeRequest, ChargeSucceeded, OutOfStock
from rma.domain.messages.commands import Command, OpeningCommand, Request, UpdateReturn
from rma.domain.messages.effects import (
    CreditRequest,
    Done,
    Effect,
    GivenUp,
    Outcome,
    PayoutRequest,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReplacementRequest,
    ReplacementShipment,
    ReturnShipment,
    ReturnShipmentRequest,
    Unknown,
)
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger

#: The moment at which harnesses and worlds begin.
START = datetime(2026, 1, 1, tzinfo=UTC)

#: How an effect can end, or that its outcome is unknown.
Result = (
    RefundOutcome
    | ChargeOutcome
    | ReturnShipment
    | ReplacementShipment
    | OutOfStock
    | Done
    | Unknown
    | GivenUp
)


def counting(prefix: str = "") -> Callable[[], str]:
    """
    Ids for a `ReturnService`, or anything else, that are the same in every run.

    >>> from rma.testing.core_harness import counting
    >>> ids = counting("a")
    >>> ids(), ids()
    ('a1', 'a2')
    """
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers)}"


def good_end(effect: Effect) -> Result:
    """What a port answers that has done what it was asked."""
    match effect:
        case RefundRequest(key=key) | CreditRequest(key=key) | PayoutRequest(key=key):
            return RefundSucceeded(f"re_{key}")
        case ReturnShipmentRequest(key=key):
            return ReturnShipment({"shipment": key}, f"TRACK-{key}")
        case ChargeRequest(key=key):
            return ChargeSucceeded(f"ch_{key}")
        case ReplacementRequest(key=key):
            return ReplacementShipment({"shipment": key}, f"TRACK-{key}")
        case _:
            return Done()


class Flow(tuple[Change, ...]):
    """
    Commits about one order, from the first on; a tuple with a short representation.

    Every change is the commit of the next revision, made from the one before.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        commits = [" + ".join([type(event).__name__ for event in change.events]) for change in self]
        return f"Flow({', '.join(commits)})"


class CoreHarness:
    """
    A ledger, and every change that brought it about.

    >>> from rma import LineItem, Order, RequestedItem, RequestReturn
    >>> from rma.testing.core_harness import CoreHarness
    >>> mug = LineItem(id="mug", quantity=2, fulfilled_quantity=2, unit_price=1000)
    >>> harness = CoreHarness(Order(id="order_1", currency="usd", items=[mug]))
    >>> items = [RequestedItem(item_id="mug", quantity=1)]
    >>> change = harness.handle(RequestReturn(order_id="order_1", items=items))
    >>> change.expected_revision, change.ledger.revision, change.ledger.returns[0].id
    (0, 1, 'ret_1')

    Args:
        ledger: what happened before; nothing unless given.
        ids: draws the ids of returns, one a request, refused and repeated ones too; counts from 1.
        at: the moment before the first; every step is a minute later.
        reserves: whether new goods of exchanges are reserved.
    """

    def __init__(
        self,
        order: Order,
        *,
        ledger: ReturnLedger | None = None,
        policy: ReturnPolicy = ReturnPolicy(),
        options: Iterable[ShippingOption] = (),
        reasons: Iterable[ReturnReason] = (),
        ids: Callable[[], str] | None = None,
        at: datetime = START,
        reserves: bool = False,
    ) -> None:
        self.order = order
        self.policy = policy
        self.options = {option.id: option for option in options}
        self.reasons = tuple(reasons)
        self.now = at
        self.reserves = reserves
        self.ledger = ledger or ReturnLedger(order.id)
        self.changes: list[Change] = []
        self._ids = ids or counting()

    def handle(self, command: Command) -> Change:
        """
        What the command commits; a change without events if it was answered before.

        Raises:
            Rejected: it cannot be done.
        """
        option: ShippingOption | None = None
        fresh_id: str | None = None
        if isinstance(command, OpeningCommand):
            fresh_id = self._ids()
        if isinstance(command, Request | UpdateReturn):
            option = self.options.get(command.shipping_option_id or "")
        if answer(self.ledger, command) is not None:
            return unchanged(self.ledger)
        facts = Facts(
            at=self.tick(),
            order=self.order,
            fresh_id=fresh_id,
            reasons=self.reasons,
            shipping_option=option,
            policy=self.policy,
            reserves=self.reserves,
        )
        return self._made(apply_command(facts, self.ledger, command))

    def record_outcomes(self, end: Callable[[Effect], Result] = good_end) -> Change:
        """What it commits that every effect which may be sent now ended like this."""
        effects = self.ledger.open_effects.values()
        sent = [each.request for each in effects if self.ledger.waits_for(each) is None]
        outcomes = [Outcome(effect.key, end(effect)) for effect in sent]
        return self._made(apply_outcomes(self.ledger, outcomes, self.tick()))

    def lease(self, key: str, until: datetime) -> Change:
        """What it commits that this effect is being sent, by no other process until then."""
        return self._made(apply_lease(self.ledger, key, self.tick(), until))

    def publish(self) -> Change:
        """What it commits that a publisher took every event so far."""
        return self._made(apply_publication(self.ledger, self.ledger.revision, self.tick()))

    def tick(self) -> datetime:
        """A minute later each time."""
        self.now += timedelta(minutes=1)
        return self.now

    def _made(self, made: Change) -> Change:
        self.ledger = made.ledger
        if made.events:
            self.changes.append(made)
        return made
