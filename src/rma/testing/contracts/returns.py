"""What `ReturnRepository` promises."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import one_of

from rma.domain.change import Change, replay, unchanged
from rma.domain.events import Event
from rma.domain.messages.effects import ReturnShipment
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import NotFound, StaleLedger
from rma.ports import ReturnRepository
from rma.testing.contracts.archiving import Archiving
from rma.testing.contracts.delivering import Delivering
from rma.testing.contracts.listing import Listing
from rma.testing.contracts.publishing import Publishing
from rma.testing.contracts.races import RacesOfCommits
from rma.testing.contracts.redacting import Redacting
from rma.testing.contracts.repairing import Repairing
from rma.testing.contracts.storing import LATER, harness, in_vain, owner, read_back, receive, request, rivals
from rma.testing.core_harness import Flow
from rma.testing.strategies import flows


class ReturnRepositoryContract(
    Listing, Delivering, Publishing, RacesOfCommits, Repairing, Archiving, Redacting
):
    """
    Laws of a store for ledgers.

    Attributes:
        examples: how many lives of an order are stored by the law that stores whole lives.
    """

    examples: int = 30

    # -- what is loaded -----------------------------------------------------------------------------

    def test_an_unknown_order_is_an_empty_ledger_at_revision_0(self) -> None:
        """Without history; and reading it stores nothing."""
        returns = self.port()

        for _ in range(2):
            assert returns.load("order_1") == ReturnLedger("order_1")
            assert returns.history("order_1") == ()
            assert tuple(returns.outstanding(LATER, 10, unpublished=True)) == ()

    @pytest.mark.parametrize("unknown_id", ["ret_9", "", "order_1", "' OR 1=1 --", "ñandú-🥜"])
    def test_an_unknown_return_is_not_found(self, unknown_id: str) -> None:
        """With the code and the id that the library's own answers are made of."""
        returns = self.port()
        returns.commit(harness().handle(request()))

        with pytest.raises(NotFound) as error:
            returns.load_by_return(unknown_id)

        assert error.value.code == "return_not_found"
        assert error.value.details == {"return_id": unknown_id}

    def test_what_is_loaded_is_what_was_committed(self) -> None:
        """By order and by every return: open effects in their order, what was tried, answered keys."""
        returns, life = self.port(), harness()
        for command in (request(key="k", label=True), receive("ret_order_1_1"), request(note={"é": [1]})):
            returns.commit(life.handle(command))
        returns.commit(life.record_outcomes(in_vain))

        again = self.reopened(returns)

        assert again.load("order_1") == life.ledger
        assert again.load_by_return("ret_order_1_1") == life.ledger
        assert again.load_by_return("ret_order_1_2") == life.ledger
        assert list(again.load("order_1").open_effects) == list(life.ledger.open_effects)

    def test_whole_lives_of_orders_are_stored_commit_by_commit(self) -> None:
        """After each: ledger, returns, history, which alone rebuilds the ledger, and what is outstanding."""

        @settings(
            max_examples=self.examples,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(flow=one_of(flows(), flows(with_rules=True)))
        def law(flow: Flow) -> None:
            returns = self.port()
            again = self.reopened(returns)
            events: tuple[Event, ...] = ()
            for change in flow:
                returns.commit(change)
                kept = [each for each in events if (each.revision, each.number) not in change.superseded]
                events = (*kept, *change.events)
                ledger = change.ledger
                assert again.load("order_1") == ledger
                assert all(again.load_by_return(each.id) == ledger for each in ledger.returns)
                assert again.history("order_1") == events
                assert replay("order_1", again.history("order_1")) == ledger
                is_due = ledger.due_at is not None and ledger.due_at <= LATER
                is_behind = ledger.published < ledger.revision
                assert list(again.outstanding(LATER, 9)) == ["order_1"] * is_due
                listed = list(again.outstanding(LATER, 9, unpublished=True))
                assert listed == ["order_1"] * (is_due or is_behind)

        law()

    def test_history_is_in_order(self) -> None:
        """Oldest first: by revision, then by number, past the tenth as well."""
        returns, life = self.port(), harness()
        for number in range(1, 7):
            returns.commit(life.handle(request(label=True)))
            returns.commit(life.handle(receive(f"ret_order_1_{number}")))

        places = [(event.revision, event.number) for event in self.reopened(returns).history("order_1")]

        assert places == [(revision, 1) for revision in range(1, 13)]

    # -- what is committed --------------------------------------------------------------------------

    def test_a_change_without_events_commits_nothing(self) -> None:
        """Whatever its revision says: nothing is stored, and nothing is refused."""
        returns, life = self.port(), harness()
        returns.commit(life.handle(request()))
        before = read_back(returns)

        for revision in (0, 1, 7):
            returns.commit(unchanged(ReturnLedger("order_1", revision=revision)))
            returns.commit(unchanged(ReturnLedger("order_2", revision=revision)))

        assert read_back(self.reopened(returns)) == before
        assert returns.load("order_2") == ReturnLedger("order_2")

    def test_a_commit_that_comes_too_late_is_refused_and_stores_nothing(self) -> None:
        """Neither ledger nor history, nor its new return, nor what it has outstanding."""
        returns, life = self.port(), harness()
        returns.commit(life.handle(request()))
        (late,) = rivals(life, 1, "late")
        returns.commit(life.handle(request()))

        self.assert_stale(returns, late, new_return="ret_late_0_1")

    def test_a_first_commit_that_comes_second_is_refused_and_stores_nothing(self) -> None:
        """An order's first commit races as any other does."""
        returns, life = self.port(), harness()
        (late,) = rivals(life, 1, "late")
        returns.commit(life.handle(request()))

        self.assert_stale(returns, late, new_return="ret_late_0_1")

    def test_a_commit_for_a_revision_that_is_not_there_yet_is_refused(self) -> None:
        """For an order that is known, and for one that is not."""
        returns, life, other = self.port(), harness(), harness("order_2")
        returns.commit(life.handle(request()))
        life.handle(request())
        other.handle(request("order_2"))

        self.assert_stale(returns, life.handle(request()), new_return="ret_order_1_3")
        self.assert_stale(returns, other.handle(request("order_2")), new_return="ret_order_2_2")

    def test_a_commit_that_is_repeated_is_refused(self) -> None:
        """It was stored; a caller without the answer decides again."""
        returns, life = self.port(), harness()
        change = life.handle(request(label=True))
        returns.commit(change)

        self.assert_stale(returns, change)

    def test_a_commit_that_fails_stores_nothing(self) -> None:
        """Not what came before the failure either: here, what the store may not be able to write."""
        returns, life = self.port(), harness()
        returns.commit(life.handle(request()))
        before = read_back(returns, "ret_order_1_2")
        first = life.handle(request(label=True))
        label = ReturnShipment({"print": lambda: "a function is not data"})
        both = first.then(life.record_outcomes(lambda _: label).events)

        try:
            returns.commit(both)
        except Exception:
            assert read_back(self.reopened(returns), "ret_order_1_2") == before
        else:
            assert self.reopened(returns).load("order_1") == both.ledger

    def test_orders_do_not_disturb_each_other(self) -> None:
        """Each has its own ledger, revision, returns and history."""
        returns, lives = self.port(), [harness("order_1"), harness("order_2")]
        for _ in range(2):
            for life in lives:
                returns.commit(life.handle(request(life.order.id, label=True, key="same key")))
                returns.commit(life.record_outcomes())

        again = self.reopened(returns)

        for life in lives:
            assert again.load(life.order.id) == life.ledger
            assert again.history(life.order.id) == tuple([e for c in life.changes for e in c.events])
            assert owner(again, f"ret_{life.order.id}_1") == life.order.id

    # -- what is outstanding ------------------------------------------------------------------------

    def test_an_order_is_outstanding_while_effects_are_open(self) -> None:
        """Those that were tried in vain too; not when all have ended."""
        returns, life = self.port(), harness()
        for change, expected in (
            (life.handle(request()), []),
            (life.handle(receive("ret_order_1_1")), ["order_1"]),
            (life.record_outcomes(in_vain), ["order_1"]),
            (life.record_outcomes(), []),
        ):
            returns.commit(change)
            assert list(self.reopened(returns).outstanding(LATER, 10)) == expected

    def test_who_waited_longest_is_outstanding_first_and_no_more_than_asked_for(self) -> None:
        """So that a timer with a limit comes to everybody."""
        returns, lives = self.port(), []
        for number in range(5):
            life = harness(f"order_{5 - number}", at=LATER - timedelta(hours=5 - number))
            returns.commit(life.handle(request(life.order.id, label=True)))
            lives.append(life)
        returns.commit(lives[1].record_outcomes())
        waiting = ["order_5", "order_3", "order_2", "order_1"]

        for limit in range(1, 6):
            assert list(returns.outstanding(LATER, limit)) == waiting[:limit]
            assert len(tuple(returns.outstanding(LATER, limit, unpublished=True))) == limit

    def test_an_effect_under_a_lease_is_outstanding_when_the_lease_is_over(self) -> None:
        """And before, if another effect of the order is not leased."""
        returns, life = self.port(), harness()
        until = LATER - timedelta(hours=1)
        a_moment = timedelta(seconds=1)
        returns.commit(life.handle(request(label=True)))
        returns.commit(life.lease("ret_order_1_1-shipment-1", until))

        assert list(returns.outstanding(until - a_moment, 10)) == []
        assert list(returns.outstanding(until, 10)) == ["order_1"]
        assert list(returns.outstanding(until + a_moment, 10)) == ["order_1"]
        returns.commit(life.handle(request(label=True)))
        assert list(returns.outstanding(until - a_moment, 10)) == ["order_1"]

    def test_orders_with_unpublished_events_are_named_to_those_who_publish(self) -> None:
        """Whether effects are open or not; each order once; and no other order."""
        returns, life, other = self.port(), harness(), harness("order_2")
        returns.commit(life.handle(request()))
        returns.commit(other.handle(request("order_2", label=True)))

        assert list(returns.outstanding(LATER, 10)) == ["order_2"]
        assert sorted(returns.outstanding(LATER, 10, unpublished=True)) == ["order_1", "order_2"]
        returns.commit(life.publish())
        assert list(returns.outstanding(LATER, 10, unpublished=True)) == ["order_2"]
        returns.commit(life.handle(request()))
        assert sorted(returns.outstanding(LATER, 10, unpublished=True)) == ["order_1", "order_2"]

    def assert_stale(
        self, returns: ReturnRepository, change: Change, *, new_return: str | None = None
    ) -> None:
        """The change is refused as stale, and everything is as it was."""
        before = read_back(returns, order_id=change.order_id)
        with pytest.raises(StaleLedger) as error:
            returns.commit(change)

        assert error.value.code == "stale_ledger"
        again = self.reopened(returns)
        assert read_back(again, order_id=change.order_id) == before
        assert new_return is None or owner(again, new_return) is None
