"""A world depends on its seed alone, can be quiesced, and catches ports that break their promises."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    CancelShipmentRequest,
    Change,
    Claim,
    ClaimStatus,
    Command,
    Event,
    Exchange,
    ExchangeStatus,
    Fee,
    Gateway,
    Idempotent,
    LineItem,
    NotIdempotent,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    Refund,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    Rejected,
    RequestedItem,
    RequestReturn,
    RestockRequest,
    Return,
    ReturnPolicy,
    ReturnShipment,
    ReturnShipmentRequest,
    ReturnStatus,
    Searchable,
    TaxLine,
    Unavailable,
    WithdrawRequest,
)
from rma.adapters.memory import InMemoryFulfillment, InMemoryInventory, InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.domain.events import GoodsReceived
from rma.domain.state.ledger import Subject
from rma.testing.actions import ACTIONS, Action
from rma.testing.core_harness import counting
from rma.testing.faults import AnswerLost, Away, Declines, FailsLate, Pends, Twice
from rma.testing.invariants import broken as violations
from rma.testing.invariants.records import every_key_fits_any_gateway
from rma.testing.simulation import simulate, simulate_commands
from rma.testing.world import ATTEMPTS, InvariantViolated, World
from tests.testing.carriers import Keyless
from tests.world import REASONS

HOUR = timedelta(hours=1)
#: A search stops at the first life that has what it looks for, mostly one of the first ten.
MANY_LIVES = 1000
GATEWAYS: list[Gateway] = [Idempotent(), Idempotent(2 * HOUR), Searchable(HOUR), NotIdempotent(HOUR)]

ORDER = Order(
    id="order_1",
    currency="usd",
    items=[
        LineItem(id="mug", quantity=9, fulfilled_quantity=9, unit_price=999, tax_lines=[TaxLine("7.5")]),
        LineItem(id="tea", quantity=5, fulfilled_quantity=3, unit_price=333),
    ],
    payments=[Payment(id="gift", captured=3000), Payment(id="card", captured=9000)],
)
OTHER = evolve(ORDER, id="order_2", payments=[Payment(id="card", captured=4000)])  # less than it is worth
REQUEST = RequestReturn(
    order_id="order_1", items=[RequestedItem(item_id="mug", quantity=2)], shipping_option_id="post"
)
RECEIPT = ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="mug", quantity=2)])


def simulated(world: World, steps: int = 40) -> World:
    """The world after so many actions, at rest."""
    simulate(world, steps)
    world.quiesce()
    return world


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_same_seed_has_the_same_trace(gateway: Gateway) -> None:
    """To the second and the call; another seed is another one."""
    first, again = [simulated(World([ORDER, OTHER], 7, gateway=gateway, reasons=REASONS)) for _ in range(2)]

    assert first.trace == again.trace
    assert first.faults.calls == again.faults.calls
    assert [first.ledger_of(each) for each in first.order_ids] == [
        again.ledger_of(each) for each in first.order_ids
    ]
    assert simulated(World([ORDER, OTHER], 8, gateway=gateway)).trace != first.trace


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_correct_ports_keep_every_law(gateway: Gateway) -> None:
    """With several orders, fees and reasons; in the end nothing is open."""
    policy = ReturnPolicy(refund_damaged=False, fees=[Fee("restocking", percent=10)])
    for seed in range(10):
        simulated(World([ORDER, OTHER], seed, gateway=gateway, reasons=REASONS, policy=policy))


#: What a trace says of each kind of failure.
FAILURES = ("died before", "died after", "no answer", "refused", "meanwhile", "Away()", "Twice()")

#: Every status in which something can be.
STATUSES = {
    (kind, status)
    for kind, statuses in (
        (Return, ReturnStatus), (Exchange, ExchangeStatus), (Claim, ClaimStatus), (Refund, RefundStatus)
    )
    for status in statuses
}  # fmt: skip


def name_of(action: Action) -> str:
    """The name of a function, or what the action sends."""
    return str(getattr(action, "__name__", action))


def test_lives_are_rich() -> None:
    """Every action, every kind of failure and every status is met, sooner or later."""
    missing: set[object] = {*map(name_of, ACTIONS), *FAILURES, *STATUSES}

    def observed(action: Action) -> Action:
        def act_and_observe(world: World) -> bool:
            if did := action(world):
                missing.discard(name_of(action))
            for ledger in map(world.ledger_of, world.order_ids):
                subjects: list[Subject] = [*ledger.returns, *ledger.exchanges, *ledger.claims]
                missing.difference_update((type(each), each.status) for each in (*subjects, *ledger.refunds))
            return did

        return act_and_observe

    for seed in range(MANY_LIVES):
        carrier = Keyless() if seed % 2 else None
        policy = ReturnPolicy(
            review=seed % 3 == 0, return_within_days=0 if seed % 5 == 0 else None, inspect=seed % 4 == 1
        )
        world = World(
            [ORDER, OTHER],
            seed,
            gateway=GATEWAYS[seed % len(GATEWAYS)],
            fulfillment=carrier,
            policy=policy,
        )
        simulate(world, 60, {observed(action): weight for action, weight in ACTIONS.items()})
        trace = "\n".join(world.trace)
        missing.difference_update([failure for failure in FAILURES if failure in trace])
        if not missing:
            break

    assert not missing


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///{}/returns.db"])
def test_the_sqlite_store_keeps_every_law(url: str, tmp_path: Path) -> None:
    """In memory and in a file; what is read back is what was stored."""
    with closing(SqlReturns(url.format(tmp_path))) as store:
        for seed in range(4):
            orders = [evolve(each, id=f"{each.id}_{seed}") for each in (ORDER, OTHER)]
            world = World(orders, seed, returns=store, ids=counting(f"{seed}_"))
            simulated(world, 25)


def test_a_host_drives_it_with_commands() -> None:
    """Whatever fails with a seed, each is done once."""
    for seed in range(30):
        world = World([ORDER], seed)

        def commands(world: World = world) -> Iterator[Command]:
            yield REQUEST
            (opened,) = world.ledger_of("order_1").returns
            yield evolve(RECEIPT, return_id=opened.id)
            yield evolve(REQUEST, refund_amount=100)
            yield CancelReturn(return_id=opened.id)  # refused: it is received

        simulate_commands(world, commands())
        world.quiesce()

        returns = world.ledger_of("order_1").returns
        assert [each.status for each in returns] == [ReturnStatus.RECEIVED, ReturnStatus.REQUESTED]


def test_a_host_adds_actions_of_its_own() -> None:
    """They are chosen as often as they weigh, and only if there is something to do."""
    seen: list[int] = []

    def a_customer_calls(world: World) -> bool:
        seen.append(len(world.trace))
        return True

    simulate(World([ORDER]), 20, {**ACTIONS, a_customer_calls: 10**9})

    assert len(seen) == 20


def test_a_command_is_repeated_until_it_is_answered() -> None:
    """By one process after another; sent once, a command whose process dies has no answer."""
    calm = World([ORDER])
    calm.handle(REQUEST)
    answered_after_crash = 0

    for point in range(calm.faults.points):
        world = World([ORDER])
        world.faults.dies_after(point)
        assert world.send(evolve(REQUEST, idempotency_key="k")) is None
        assert list(world.unanswered) == ["k"]
        world.faults.dies_after(point)
        world.faults.fails_after(point, AnswerLost())

        answer = world.handle(world.unanswered["k"])

        crashes = [line for line in world.trace if "died" in line]
        answered_after_crash += len(crashes) == 2
        assert (answer.order_id, list(world.answered), world.unanswered) == ("order_1", ["k"], {})
        assert len(world.ledger_of("order_1").returns) == 1
        world.quiesce()

    assert answered_after_crash


def test_a_command_without_any_answer_is_unavailable() -> None:
    """A store that is away for good."""
    world = World([ORDER])
    world.faults.breaks("returns", Away())

    with pytest.raises(Unavailable, match="RequestReturn"):
        world.handle(REQUEST)

    assert len(world.faults.calls) == ATTEMPTS
    assert world.resume() is None
    world.quiesce()
    assert [each.id for each in world.ledger_of("order_1").returns] == [f"ret_{ATTEMPTS + 1}"]


def test_a_refusal_is_raised() -> None:
    """As the service raises it."""
    world = World([ORDER])

    with pytest.raises(Rejected):
        world.handle(evolve(REQUEST, order_id="order_9"))

    assert "refused" in world.trace[-1]


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        (Declines(), RefundDeclined("card_closed")),
        (Pends(), RefundSucceeded()),
        (FailsLate(RefundReversed()), RefundReversed()),
    ],
)
def test_the_model_of_the_gateway_has_its_latest_outcome(
    fault: Declines | Pends | FailsLate, ends: RefundOutcome | RefundReversed
) -> None:
    """What it reports later counts once it was reported."""
    world = World([ORDER])
    world.faults.refunds.append(fault)
    world.handle(REQUEST)
    world.handle(RECEIPT)
    first = {Declines: RefundDeclined, Pends: RefundPending, FailsLate: RefundSucceeded}[type(fault)]
    assert isinstance(world.gateway_model.outcome_of("ret_1-refund-1"), first)

    world.quiesce()

    assert world.gateway_model.outcome_of("ret_1-refund-1") == ends
    assert world.gateway_model.outcome_of("ret_1-refund-2") is None


def test_calls_to_a_gateway_without_keys_are_not_repeated_by_the_network() -> None:
    """No library could prevent a second refund; every other call may arrive twice."""
    world = World([ORDER], gateway=NotIdempotent())
    for port in ("payments", "inventory", "fulfillment", "events"):
        world.faults.breaks(port, Twice())

    world.handle(REQUEST)
    world.handle(RECEIPT)

    world.quiesce()
    assert [each.status for each in world.ledger_of("order_1").refunds] == [RefundStatus.SUCCEEDED]


# -- ports that break their promises -----------------------------------------------------------------


class Forgetful:
    """A gateway that ignores keys and does not declare it."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """A new one each time."""
        self.made[request.key] += 1
        return RefundSucceeded(f"re_{self.made.total()}")


class Discreet(Forgetful):
    """The same, noticed only by its own count of refunds."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """A new one each time, under the same reference."""
        super().refund(request)
        return RefundSucceeded(f"re_{request.key}")


class Blind(Forgetful):
    """A gateway that declares searches, which never find anything."""

    gateway = Searchable(HOUR)

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Nothing."""
        return None


class Hasty(Discreet):
    """An adapter that takes a time-out for a refusal."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Made; every third answer is too late."""
        if request.key not in self.made:
            super().refund(request)
        late = self.made.total() % 3 == 0
        return RefundDeclined("timeout") if late else RefundSucceeded(f"re_{request.key}")


class LosesCommits(InMemoryReturns):
    """A store that loses every fifth commit, like one that does not wait for its disk."""

    commits = 0

    def commit(self, change: Change) -> None:
        """Mostly."""
        self.commits += 1
        if self.commits % 5:
            super().commit(change)


class LosesEvents(InMemoryReturns):
    """A store that keeps the ledger, and the events of most commits."""

    def history(self, order_id: str) -> tuple[Event, ...]:
        """All but those of each fifth."""
        return tuple([event for event in super().history(order_id) if event.revision % 5])


class Overwrites(InMemoryReturns):
    """A store that compares no revisions."""

    def commit(self, change: Change) -> None:
        """Without comparing."""
        super().commit(evolve(change, expected_revision=self.load(change.order_id).revision))


class Panics(InMemoryReturns):
    """A store whose errors are not those of the port."""

    commits = 0

    def commit(self, change: Change) -> None:
        """Sometimes raises the driver's own error."""
        self.commits += 1
        if self.commits % 5 == 0:
            raise ConnectionResetError
        super().commit(change)


class AddsTwice(InMemoryInventory):
    """Stock that ignores keys."""

    def restock(self, request: RestockRequest) -> None:
        """A new one each time."""
        for line in request.lines:
            self.on_hand[request.location_id, line.item_id] += line.quantity


class KeepsAll(InMemoryInventory):
    """Stock that never gives anything out again."""

    def withdraw(self, request: WithdrawRequest) -> None:
        """Nothing."""


class Stock:
    """A host's own stock that ignores keys."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()

    def restock(self, request: RestockRequest) -> None:
        """A new one each time."""
        self.units.update({line.item_id: line.quantity for line in request.lines})

    def withdraw(self, request: WithdrawRequest) -> None:
        """A new one each time."""
        self.units.subtract({line.item_id: line.quantity for line in request.lines})


class BooksAgain(InMemoryFulfillment):
    """A carrier that ignores keys."""

    booked = 0

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A new one each time."""
        self.booked += 1
        return ReturnShipment({"number": self.booked})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Nothing."""


def discreet(gateway: Discreet, seed: int) -> World:
    """A world that knows how many refunds the gateway really made."""
    return World([ORDER], seed, payments=gateway, refunds_made=gateway.made.__getitem__)


def stocked(stock: Stock, seed: int) -> World:
    """A world that knows how many units the stock really holds."""
    return World([ORDER], seed, inventory=stock, on_hand=stock.units.__getitem__)


@pytest.mark.parametrize(
    ("make", "law"),
    [
        (lambda seed: World([ORDER], seed, payments=Forgetful()), "no_refund_is_made_twice"),
        (lambda seed: discreet(Discreet(), seed), "no_refund_is_made_twice"),
        (lambda seed: World([ORDER], seed, payments=Blind()), "no_refund_is_made_twice"),
        (lambda seed: discreet(Hasty(), seed), "no_refusal_moves_money"),
        (lambda seed: World([ORDER], seed, returns=LosesCommits()), "the_store_keeps_what_it_took"),
        (lambda seed: World([ORDER], seed, returns=LosesEvents()), "the_store_keeps_what_it_took"),
        (lambda seed: World([ORDER], seed, returns=Overwrites()), "the_store_refuses_what_is_stale"),
        (lambda seed: World([ORDER], seed, returns=Panics()), "a_service_raises_nothing_else"),
        (lambda seed: World([ORDER], seed, inventory=AddsTwice()), "stock_holds_what_is_sellable"),
        (lambda seed: World([ORDER], seed, inventory=KeepsAll()), "stock_holds_what_is_sellable"),
        (lambda seed: stocked(Stock(), seed), "stock_holds_what_is_sellable"),
        (lambda seed: World([ORDER], seed, fulfillment=BooksAgain()), "a_carrier_books_once"),
    ],
)
def test_a_port_that_breaks_a_promise_is_caught(make: Callable[[int], World], law: str) -> None:
    """In one of many lives, by its law; the message says how to repeat it."""
    broken = next(filter(None, map(failure, map(make, range(MANY_LIVES)))), None)

    assert broken is not None
    assert law in str(broken)
    assert str(broken) == str(failure(make(broken.seed)))


def failure(world: World) -> InvariantViolated | None:
    """How this simulation fails, if it does."""
    try:
        simulated(world)
    except InvariantViolated as broken:
        return broken
    return None


@pytest.mark.parametrize(
    ("key", "violation"),
    [
        ("ret_1/refund/1", "not every gateway takes its characters"),
        ("ret_1-refund-é", "not every gateway takes its characters"),
        (f"{'r' * 36}-refund-1", None),
        (f"{'r' * 36}-refund-12", "46 characters, more than 45"),
    ],
)
def test_a_key_that_some_gateway_refuses_is_caught(key: str, violation: str | None) -> None:
    """By its law, in the history of an order."""
    world = World([ORDER])
    items = [RequestedItem(item_id="mug", quantity=1)]
    opened = world.handle(RequestReturn(order_id="order_1", items=items))
    assert isinstance(opened, Return)
    world.handle(ReceiveReturn(return_id=opened.id, items=[ReceivedItem(item_id="mug", quantity=1)]))
    snapshot = world.snapshot("order_1")
    (received,) = [event for event in snapshot.history if isinstance(event, GoodsReceived)]
    refund, *_ = received.refunds
    renamed = evolve(
        received,
        entitlement=evolve(received.entitlement, refunds=(evolve(refund, key=key),)),
    )

    found = violations([every_key_fits_any_gateway], evolve(snapshot, history=(renamed,)))

    assert found == ([] if violation is None else [f"every_key_fits_any_gateway: {key}: {violation}"])
