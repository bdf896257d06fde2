"""An order whose history was archived goes on exactly as one whose history is there."""

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime

from attrs import Factory, evolve, frozen
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from rma import (
    Change,
    Command,
    Event,
    Order,
    ReceivedItem,
    ReceiveReturn,
    RecordExchangePayment,
    Rejected,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ShippingOption,
)
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.domain.change import apply_archive
from rma.domain.decide import answer
from rma.testing.command_strategies import next_command
from rma.testing.core_harness import START, CoreHarness, counting
from rma.testing.strategies import everything_fulfilled, orders, policies
from tests.sql.alike import assert_alike


def unfinished(ledger: ReturnLedger) -> Iterator[Command]:
    """What a clerk does so that everything of an order is over."""
    for each in ledger.returns:
        if each.is_open:
            yield whole(each)
            yield ResolveReturn(return_id=each.id)
        if each.amount_due.amount:
            yield RetryRefund(return_id=each.id)
    for exchange in ledger.exchanges:
        if exchange.owed.amount:
            yield RecordExchangePayment(exchange_id=exchange.id, amount=exchange.owed, reference="ch_last")
    for claim in ledger.claims:
        if claim.amount_due.amount:
            yield ResolveClaim(claim_id=claim.id, refund_amount=claim.entitlement.paid)


def whole(target: Return) -> ReceiveReturn:
    """All that is missing arrives."""
    missing: dict[str, int] = {}
    for item in target.items:
        missing[item.item_id] = missing.get(item.item_id, 0) + item.missing_quantity
    items = [ReceivedItem(item_id=item_id, quantity=quantity) for item_id, quantity in missing.items()]
    return ReceiveReturn(return_id=target.id, items=items)


def finish(life: CoreHarness) -> None:
    """Everything that was begun ends, as far as it may."""
    for _ in range(3):
        for command in [None, *unfinished(life.ledger)]:
            if command is not None:
                with suppress(Rejected):
                    life.handle(command)
            while life.ledger.open_effects:
                life.record_outcomes()


def outcome_of(life: CoreHarness, command: Command) -> object:
    """What the command does, and what of it is stored; or the refusal."""
    try:
        change: Change = life.handle(command)
    except Rejected as error:
        return type(error), error.violations
    return change.events, change.effects, change.subject_id, evolve(change.ledger, archived=0)


@frozen
class Shop:
    """An order, the rules for it, and the commands that were sent about it."""

    data: st.DataObject
    order: Order
    policy: ReturnPolicy
    sent: list[Command] = Factory(list)

    def life(self, ledger: ReturnLedger | None = None, at: datetime = START, ids: str = "") -> CoreHarness:
        """What goes on from this ledger."""
        option = ShippingOption(id="post", price=200, location_id="loc_1")
        return CoreHarness(
            self.order, ledger=ledger, policy=self.policy, options=[option], ids=counting(ids), at=at
        )

    def go_on(self, most: int, *lives: CoreHarness) -> None:
        """Further commands, which do the same in all of these."""
        for _ in range(self.data.draw(st.integers(1, most))):
            key = f"key_{len(self.sent)}"
            self.sent.append(next_command(self.data.draw, lives[0], self.sent, key))
            first, *others = [outcome_of(each, self.sent[-1]) for each in lives]
            assert all(each == first for each in others)
            for each in lives:
                each.record_outcomes()

    def answers(self, ledger: ReturnLedger) -> list[str | None]:
        """What each command is answered that is repeated now; those that were refused are left out."""
        return [answer(ledger, each) for each in self.sent if each.idempotency_key in ledger.answered]


def archive(life: CoreHarness, history: tuple[Event, ...]) -> Change:
    """The change that archives it; examples in which the order is not over are left out."""
    try:
        change = apply_archive(life.ledger, history, life.now, has_publisher=False)
    except Rejected:
        reject()
    assume(bool(change.events))
    return change


@settings(max_examples=60)
@given(data=st.data(), policy=policies())
def test_whatever_happens_later_happens_as_without_the_archive(
    data: st.DataObject, policy: ReturnPolicy
) -> None:
    """
    Every command, repeated ones too: the same events, effects, refusals and answers, and the same ledger.

    The archived order is as a database returns it, and goes on in that database; the other is in memory.
    """
    shop = Shop(data, everything_fulfilled(data.draw(orders())), policy)
    life, order_id = shop.life(), shop.order.id
    shop.go_on(4, life)
    finish(life)
    with closing(SqlReturns("sqlite://")) as store:
        memory = InMemoryReturns()
        for each in life.changes:
            store.commit(each)
            memory.commit(each)
        change = archive(life, store.history(order_id))
        store.commit(change)
        memory.commit(change)

        archived = store.load(order_id)

        assert_alike(archived, change.ledger)
        assert_alike(memory.load(order_id), change.ledger)
        assert_alike(store.history(order_id), memory.history(order_id))
        same = evolve(life.ledger, revision=archived.revision, published=archived.published)
        lives = [shop.life(ledger, life.now, "later_") for ledger in (archived, same)]
        shop.go_on(5, *lives)
        kept, plain = lives
        assert shop.answers(kept.ledger) == shop.answers(plain.ledger)
        for each in kept.changes:
            store.commit(each)
        assert_alike(store.load(order_id), evolve(plain.ledger, archived=archived.revision))
