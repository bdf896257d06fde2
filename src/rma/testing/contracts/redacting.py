"""What `RedactableReturns` promises."""

from typing import Any

import pytest
from attrs import evolve

from rma.domain.change import Change, apply_redaction, replay
from rma.domain.decide import answer
from rma.domain.events import Event
from rma.domain.messages.commands import CancelReturn
from rma.domain.values.errors import StaleLedger
from rma.domain.values.personal import REDACTED
from rma.domain.views.query import ReturnQuery
from rma.ports import ReturnRepository
from rma.shell.driver import run
from rma.shell.repair import verify
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import LATER, harness, in_vain, read_back, receive, request
from rma.testing.core_harness import CoreHarness

_GROUPS = ("notes", "images", "metadata", "actors")
_IDS = ("ret_order_1_1", "ret_order_1_2")


class Redacting(ReturnRepositoryPort):
    """
    Laws of a store for ledgers that can be redacted; a part of `ReturnRepositoryContract`.

    They are skipped for a repository without a method `redact`.
    """

    def test_a_redacted_order_is_stored_without_what_was_taken(self) -> None:
        """Ledger, lists and history; what is outstanding, other orders and answers to keys are as before."""
        returns, life = self._with_words()
        other = harness("order_2")
        returns.commit(other.handle(request("order_2", note="of another order")))
        before = read_back(returns, *_IDS)
        change, history = _redaction(life, returns, awaits_publication=False)

        _redact(returns, change, history)

        again = self.reopened(returns)
        now = read_back(again, *_IDS)
        assert (now.ledger, now.history) == (change.ledger, history)
        assert again.load_by_return(_IDS[0]) == change.ledger
        assert (now.owners, now.outstanding, now.waiting) == (
            before.owners,
            before.outstanding,
            before.waiting,
        )
        assert now.unpublished == before.unpublished
        found = again.find(ReturnQuery())
        assert {each.id: each for each in found if each.order_id == "order_1"} == {
            each.id: each for each in change.ledger.returns
        }
        assert again.history("order_2") == other.changes[0].events
        assert replay("order_1", history) == change.ledger
        assert run(verify("order_1", again)) == ()
        repeated = request(key="k", note="in other words")
        assert answer(again.load("order_1"), repeated) == _IDS[0]

    def test_a_redacted_order_goes_on(self) -> None:
        """Receipts, outcomes, requests and cancellations; and another redaction, of what was said since."""
        returns, life = self._with_words()
        for _ in range(2):
            change, history = _redaction(life, returns)
            _redact(returns, change, history)
            life = harness(prefix=f"of_{len(history)}_", ledger=change.ledger, at=life.now)
            for command in (
                request(key=f"later {len(history)}", note="call me", label=True),
                receive(_IDS[1]) if life.ledger.returns[1].is_open else request(note="and me"),
                CancelReturn(return_id=f"ret_of_{len(history)}_1", created_by="jane@shop.example"),
            ):
                returns.commit(life.handle(command))
                assert self.reopened(returns).load("order_1") == life.ledger
            returns.commit(life.record_outcomes())
            again = self.reopened(returns)
            assert replay("order_1", again.history("order_1")) == again.load("order_1") == life.ledger
            assert run(verify("order_1", again)) == ()

    def test_a_redaction_of_what_is_published_is_published_itself(self) -> None:
        """One without a publisher is not; then what was noted before is still to be published."""
        for is_published, awaits, named in (
            (True, True, ["order_1"]),
            (True, False, []),
            (False, False, ["order_1"]),
        ):
            returns, life = self._with_words()
            while life.ledger.open_effects:
                returns.commit(life.record_outcomes())
            if is_published:
                returns.commit(life.publish())
            change, history = _redaction(life, returns, awaits_publication=awaits)
            _redact(returns, change, history)
            assert list(self.reopened(returns).outstanding(LATER, 10, unpublished=True)) == named

    def test_a_redaction_that_comes_too_late_takes_nothing(self) -> None:
        """What was committed meanwhile would be forgotten, or be what it was."""
        returns, life = self._with_words()
        late = _redaction(life, returns)
        returns.commit(life.handle(request(note="meanwhile")))
        before = read_back(returns, *_IDS)

        with pytest.raises(StaleLedger):
            _redact(returns, *late)

        assert read_back(self.reopened(returns), *_IDS) == before
        assert replay("order_1", before.history) == life.ledger

    def test_a_commit_that_comes_after_a_redaction_is_refused(self) -> None:
        """It was decided upon what was taken meanwhile, and would bring it back."""
        returns, life = self._with_words()
        change, history = _redaction(life, returns)
        late = life.handle(request(note="decided before"))

        _redact(returns, change, history)

        with pytest.raises(StaleLedger):
            returns.commit(late)
        assert self.reopened(returns).load("order_1") == change.ledger

    def _with_words(self) -> tuple[ReturnRepository, CoreHarness]:
        """A repository with two returns of an order, of which effects are open and one failed; with words."""
        returns, life = self.port(), harness()
        if not hasattr(returns, "redact"):
            pytest.skip("the repository has no method `redact`")
        for command in (
            request(key="k", note="too big"),
            receive(_IDS[0]),
            request(key="l", label=True, note="call me on 555-0100"),
        ):
            returns.commit(life.handle(command))
        returns.commit(life.record_outcomes(in_vain))
        return returns, life


def _redaction(
    life: CoreHarness, returns: ReturnRepository, *, awaits_publication: bool = True
) -> tuple[Change, tuple[Event, ...]]:
    """The change, and the history after it; an error of a port is among what it takes."""
    change, history = apply_redaction(life.ledger, returns.history("order_1"), _GROUPS, life.tick())
    errors = {each.delivery.last_error for each in change.ledger.open_effects.values()}
    assert errors <= {None, REDACTED}
    return evolve(change, awaits_publication=awaits_publication), history


def _redact(returns: Any, change: Change, history: tuple[Event, ...]) -> None:  # a `RedactableReturns`
    returns.redact(change, history)
