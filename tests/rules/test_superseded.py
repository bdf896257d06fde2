"""History without the events that were superseded rebuilds the same ledger."""

from datetime import timedelta

from rma import CancelReturn, Change, Event, ReturnLedger
from rma.domain.change import allow_again, apply_lease, apply_outcomes, apply_publication, replay
from rma.domain.messages.effects import Done, GivenUp, Outcome, ReturnShipment, Unknown
from rma.domain.views.timeline import timeline
from tests.rules.given import Given, receive, request

HOUR = timedelta(hours=1)
LABEL, RESTOCK = "ret_1-shipment-1", "ret_1-restock-1"


class StoredOrder(Given):
    """An order whose history is stored as a store stores it."""

    def commit(self, change: Change) -> Change:
        """Stores the change, checks that the history rebuilds the ledger, and moves the clock on."""
        kept = [each for each in self.history if (each.revision, each.number) not in change.superseded]
        self.history: list[Event] = [*kept, *change.events]
        self.ledger: ReturnLedger = change.ledger
        assert replay("order_1", self.history) == self.ledger
        self.now += HOUR
        return change

    def fails(self, *keys: str) -> Change:
        """The ports of these effects raise."""
        outcomes = [Outcome(key, Unknown("TimeoutError: 30 s")) for key in keys]
        return self.commit(apply_outcomes(self.ledger, outcomes, self.now))

    def gives_up(self, key: str) -> Change:
        """The port of this effect raised, and can neither be asked nor repeat."""
        return self.commit(apply_outcomes(self.ledger, [Outcome(key, GivenUp("?"))], self.now))


def with_label() -> StoredOrder:
    """A return whose label is not booked yet."""
    kept = StoredOrder()
    kept.when(request(2, shipping_option_id="so_return"))
    return kept


def test_what_was_published_is_known_without_the_events_between() -> None:
    """A publisher took revision 1 while an attempt failed; the event of that failure is superseded later."""
    kept = with_label()
    kept.fails(LABEL)

    kept.commit(apply_publication(kept.ledger, 1, kept.now))
    kept.fails(LABEL)

    assert kept.ledger.published == 1
    assert [each.revision for each in kept.history] == [1, 3, 4]


def test_what_was_published_up_to_now_includes_the_publication() -> None:
    """Else an order would be behind for ever."""
    kept = with_label()
    kept.fails(LABEL)

    kept.commit(apply_publication(kept.ledger, 2, kept.now))
    behind = kept.ledger.published < kept.ledger.revision
    kept.fails(LABEL)

    assert not behind
    assert kept.ledger.published == 3


def test_stuck_effects_are_in_the_same_order() -> None:
    """A label is stopped, a restock is stuck, the label is tried again and is stopped again."""
    kept = with_label()
    kept.when(receive(2))
    kept.gives_up(LABEL)
    kept.fails(RESTOCK)
    kept.commit(allow_again(kept.ledger, ["ret_1"], kept.now))
    alone = kept.the().stuck_effects
    kept.gives_up(LABEL)

    assert alone == (RESTOCK,)
    assert kept.the().stuck_effects == (RESTOCK, LABEL)


def test_an_event_by_which_an_effect_became_stuck_is_not_superseded() -> None:
    """It was published; those before and after it are."""
    kept = with_label()
    changes = [kept.fails(LABEL) for _ in range(5)]

    assert [change.superseded for change in changes] == [(), ((2, 1),), (), ((4, 1),), ((5, 1),)]
    assert len(kept.history) == 3


def test_a_failure_of_what_is_closed_is_not_recorded() -> None:
    """Another process was faster, and its port answered."""
    kept = with_label()
    kept.commit(apply_outcomes(kept.ledger, [Outcome(LABEL, ReturnShipment())], kept.now))

    assert kept.fails(LABEL).events == ()


def test_a_lease_is_not_in_the_timeline() -> None:
    """It says only that a process is about to ask; a failed attempt is there with what its port said."""
    kept = with_label()
    before = list(timeline("order_1", kept.history))
    kept.commit(apply_lease(kept.ledger, LABEL, kept.now, kept.now + HOUR))
    leased = list(timeline("order_1", kept.history))
    kept.fails(LABEL)

    *_, failed = timeline("order_1", kept.history)

    assert leased == before
    assert failed.details == ("TimeoutError: 30 s",)


def test_a_lease_supersedes_and_is_superseded() -> None:
    """Failure, lease, failure: one event."""
    kept = with_label()
    kept.now += timedelta(minutes=1)
    kept.fails(LABEL)
    kept.commit(apply_lease(kept.ledger, LABEL, kept.now, kept.now + timedelta(minutes=5)))
    kept.fails(LABEL)

    (effect,) = kept.ledger.open_effects.values()
    assert effect.delivery.attempts == 2
    assert [each.revision for each in kept.history] == [1, 4]


def test_an_effect_of_the_same_commit_is_not_superseded_in_it() -> None:
    """What a change adds to itself is stored with it."""
    kept = with_label()
    outcome = [Outcome(LABEL, Unknown("?"))]
    first = apply_outcomes(kept.ledger, outcome, kept.now)

    both = first.then(apply_outcomes(first.ledger, outcome, kept.now).events)

    assert both.superseded == ()
    kept.commit(both)


def test_an_order_is_due_when_the_first_of_a_chain_is() -> None:
    """A withdrawal that waits for its restock is tried right after it, and not before."""
    kept = StoredOrder()
    kept.when(request(2))
    kept.when(receive(1))
    kept.fails(RESTOCK)
    kept.when(CancelReturn(return_id="ret_1"))
    waiting = kept.ledger.due_at
    restock = kept.ledger.open_effects[RESTOCK]

    kept.commit(apply_outcomes(kept.ledger, [Outcome(RESTOCK, Done())], kept.now))

    assert waiting == restock.delivery.due_at
    assert waiting is not None
    (withdrawal,) = kept.ledger.open_effects.values()
    assert kept.ledger.due_at == withdrawal.opened_at


def test_an_order_whose_first_of_a_chain_is_stopped_is_not_due() -> None:
    """A cancellation waits until a person decided about the booking."""
    kept = with_label()
    kept.gives_up(LABEL)
    kept.when(CancelReturn(return_id="ret_1"))

    assert kept.ledger.due_at is None
    assert len(kept.ledger.open_effects) == 2
