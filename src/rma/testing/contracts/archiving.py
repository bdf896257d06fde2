"""What `ReturnRepository` promises about an order whose history was archived."""

import pytest

from rma.domain.change import Change, apply_archive, replay
from rma.domain.events import HistoryArchived, Opening
from rma.domain.messages.commands import CancelReturn, RecordRefundOutcome
from rma.domain.messages.effects import RefundReversed
from rma.domain.values.errors import StaleLedger
from rma.domain.views.query import ReturnQuery
from rma.ports import ReturnRepository
from rma.shell.driver import run
from rma.shell.repair import verify
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import LATER, harness, read_back, receive, request
from rma.testing.core_harness import CoreHarness

IDS = ("ret_order_1_1", "ret_order_1_2")


class Archiving(ReturnRepositoryPort):
    """Laws of a store for ledgers whose history was removed; a part of `ReturnRepositoryContract`."""

    def test_an_archived_order_is_as_it_was_without_its_history(self) -> None:
        """Its ledger, lists and ids too; the events that opened something are there, and one that says so."""
        returns, life = self.port(), over()
        for change in life.changes:
            returns.commit(change)
        other = harness("order_2")
        returns.commit(other.handle(request("order_2")))
        found = returns.find(ReturnQuery())
        change = archived(life, returns)

        returns.commit(change)

        again = self.reopened(returns)
        assert again.load("order_1") == again.load_by_return(IDS[0]) == change.ledger
        history = again.history("order_1")
        assert [type(each) for each in history] == [*[type(each) for each in openings(life)], HistoryArchived]
        assert history[:-1] == openings(life)
        assert again.find(ReturnQuery()) == found
        assert list(again.outstanding(LATER, 10, unpublished=True)) == ["order_2"]
        assert again.history("order_2") == other.changes[0].events
        assert run(verify("order_1", again)) == ()

    def test_an_archived_order_goes_on(self) -> None:
        """A reversal that is late, a request, a second archive: each as on any order."""
        returns, life = self.port(), over()
        for change in life.changes:
            returns.commit(change)
        change = archived(life, returns)
        returns.commit(change)
        life = harness(prefix="later_", ledger=self.reopened(returns).load("order_1"), at=life.now)
        late = RecordRefundOutcome(key=f"{IDS[0]}-refund-1", outcome=RefundReversed(), idempotency_key="late")
        for command in (late, request(key="new", label=True), CancelReturn(return_id="ret_later_1")):
            returns.commit(life.handle(command))
            assert self.reopened(returns).load("order_1") == life.ledger
        assert list(returns.outstanding(LATER, 10, unpublished=True)) == ["order_1"]
        returns.commit(life.record_outcomes())
        returns.commit(life.record_outcomes())
        history = returns.history("order_1")
        rebuilt, ledger = replay("order_1", history), life.ledger
        assert rebuilt.returns[2:] == ledger.returns[2:]
        assert (rebuilt.revision, rebuilt.archived) == (ledger.revision, ledger.archived)
        assert run(verify("order_1", self.reopened(returns))) == ()

    def test_an_archive_that_comes_too_late_removes_nothing(self) -> None:
        """What was committed meanwhile may need the history."""
        returns, life = self.port(), over()
        for change in life.changes:
            returns.commit(change)
        late = archived(life, returns)
        returns.commit(life.handle(request()))
        before = read_back(returns, *IDS)

        with pytest.raises(StaleLedger):
            returns.commit(late)

        assert read_back(self.reopened(returns), *IDS) == before
        assert replay("order_1", before.history) == life.ledger


def over() -> CoreHarness:
    """An order of which one return was received and refunded, and another was canceled."""
    life = harness()
    for command in (
        request(key="a", label=True),
        receive(IDS[0]),
        request(key="b"),
        CancelReturn(return_id=IDS[1], idempotency_key="c"),
    ):
        life.handle(command)
        life.record_outcomes()
    return life


def openings(life: CoreHarness) -> tuple[object, ...]:
    """The events that opened its returns."""
    return tuple([each for change in life.changes for each in change.events if isinstance(each, Opening)])


def archived(life: CoreHarness, returns: ReturnRepository) -> Change:
    """The change that archives its history."""
    return apply_archive(life.ledger, returns.history("order_1"), life.tick(), has_publisher=False)
