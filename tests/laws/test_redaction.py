"""An order that was redacted goes on exactly as one that was not, but for words."""

from contextlib import closing
from datetime import datetime

from attrs import evolve
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from rma import (
    Change,
    Command,
    Event,
    NotAllowed,
    Order,
    PersonalField,
    Rejected,
    ReturnLedger,
    ReturnPolicy,
    ShippingOption,
    codec,
    redacted,
    replay,
)
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.domain.change import apply_redaction
from rma.domain.decide import answer
from rma.domain.redaction import redacted_ledger, without
from rma.testing.command_strategies import next_command
from rma.testing.core_harness import START, CoreHarness, counting
from rma.testing.strategies import everything_fulfilled, orders, policies
from tests.canary import CANARY, planted
from tests.sql.alike import assert_alike

Groups = tuple[PersonalField, ...]


class Shop:
    """An order, the rules for it, and the commands that were sent about it, each full of words."""

    def __init__(self, data: st.DataObject, policy: ReturnPolicy) -> None:
        self.data = data
        self.order: Order = everything_fulfilled(data.draw(orders()))
        self.policy = policy
        self.sent: list[Command] = []

    def life(self, ledger: ReturnLedger | None = None, at: datetime = START, ids: str = "") -> CoreHarness:
        """What goes on from this ledger."""
        option = ShippingOption(id="post", price=200, location_id="loc_1")
        return CoreHarness(
            self.order, ledger=ledger, policy=self.policy, options=[option], ids=counting(ids), at=at
        )

    def go_on(self, groups: Groups, most: int, *lives: CoreHarness) -> None:
        """Further commands, which do the same in all of these, but for what these fields hold."""
        for _ in range(self.data.draw(st.integers(1, most))):
            command = next_command(self.data.draw, lives[0], self.sent, f"key_{len(self.sent)}")
            self.sent.append(command if command in self.sent else planted(command))
            first, *others = [outcome_of(each, self.sent[-1], groups) for each in lives]
            assert all(each == first for each in others)
            if self.data.draw(st.booleans()):
                for each in lives:
                    each.record_outcomes()

    def answers(self, ledger: ReturnLedger) -> list[str | None]:
        """What each command is answered that is repeated now; those that were refused are left out."""
        return [answer(ledger, each) for each in self.sent if each.idempotency_key in ledger.answered]


def outcome_of(life: CoreHarness, command: Command, groups: Groups) -> object:
    """What the command does, and what of it is stored, without what these fields hold; or the refusal."""
    try:
        change: Change = life.handle(command)
    except Rejected as error:
        return type(error), error.violations
    events = [redacted(each, groups) for each in change.events]
    return events, without(change.effects, groups), change.subject_id, redacted_ledger(change.ledger, groups)


def redaction(
    life: CoreHarness, history: tuple[Event, ...], groups: Groups
) -> tuple[Change, tuple[Event, ...]]:
    """What redacts the order; examples in which something open needs the data are left out."""
    try:
        return apply_redaction(life.ledger, history, groups, life.tick())
    except NotAllowed:
        reject()


def money_and_units(ledger: ReturnLedger, order: Order) -> object:
    """What an order's returns hold and what was paid for them."""
    return (
        [(each.key, each.means, each.amount, each.status, each.reference) for each in ledger.refunds],
        ledger.left_of_payments(order),
        ledger.reserved_quantities(),
        ledger.arrived_quantities(),
        [
            (each.id, each.status, each.refund_amount, each.amount_due, each.needs_attention)
            for each in ledger.returns
        ],
        list(ledger.open_effects),
        sorted(ledger.answered),
    )


@settings(max_examples=60)
@given(data=st.data(), policy=policies(), groups=st.sets(st.sampled_from(PersonalField), min_size=1))
def test_a_redacted_order_goes_on_as_if_it_was_not(
    data: st.DataObject, policy: ReturnPolicy, groups: set[PersonalField]
) -> None:
    """
    The history rebuilds its ledger; units, money and answers to keys are as before; what follows is the same.

    It is as a database returns it, and goes on in that database.
    """
    taken = tuple([each for each in PersonalField if each in groups])
    shop = Shop(data, policy)
    life, order_id = shop.life(), shop.order.id
    shop.go_on(taken, 5, life)
    with closing(SqlReturns("sqlite://")) as store:
        memory = InMemoryReturns()
        for each in life.changes:
            store.commit(each)
            memory.commit(each)
        change, history = redaction(life, store.history(order_id), taken)
        if not change.events:  # every command was refused
            return
        store.redact(change, history)
        memory.redact(change, history)

        stored = store.load(order_id)

        assert_alike(stored, change.ledger)
        assert_alike(memory.load(order_id), stored)
        assert store.history(order_id) == memory.history(order_id) == history
        assert replay(order_id, history) == stored
        assert store.compare(stored) == ()
        assert money_and_units(stored, shop.order) == money_and_units(life.ledger, shop.order)
        assert shop.answers(stored) == shop.answers(life.ledger)
        if len(taken) == len(PersonalField):
            assert not [each for each in (stored, *history) if CANARY in codec.encode(each)]
        same = evolve(life.ledger, revision=stored.revision)
        lives = [shop.life(ledger, life.now, "later_") for ledger in (stored, same)]
        shop.go_on(taken, 4, *lives)
        gone, plain = lives
        assert shop.answers(gone.ledger) == shop.answers(plain.ledger)
        for each in gone.changes:
            store.commit(each)
        assert_alike(store.load(order_id), gone.ledger)
        assert replay(order_id, store.history(order_id)) == gone.ledger
