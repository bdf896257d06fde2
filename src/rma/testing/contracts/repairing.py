"""What `RepairableReturns` promises."""

from typing import Any

import pytest

from rma.domain.change import replay
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import StaleLedger
from rma.ports import ReturnRepository
from rma.shell.driver import run
from rma.shell.repair import rebuild, verify
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import harness, in_vain, read_back, receive, request
from rma.testing.core_harness import CoreHarness


class Repairing(ReturnRepositoryPort):
    """
    Laws of a store for ledgers that can be put right; a part of `ReturnRepositoryContract`.

    They are skipped for a repository without a method `replace`.
    """

    def test_what_is_stored_is_what_its_history_rebuilds(self) -> None:
        """Nothing differs; a ledger that is replaced by itself is as it was, with all that is outstanding."""
        returns, life = self._filled()
        before = read_back(returns, "ret_order_1_1", "ret_order_1_2")
        assert run(verify("order_1", returns)) == run(rebuild("order_1", returns)) == ()
        _replace(returns, life.ledger)

        again = self.reopened(returns)
        assert read_back(again, "ret_order_1_1", "ret_order_1_2") == before
        assert run(verify("order_1", again)) == ()
        again.commit(life.handle(request()))
        assert self.reopened(returns).load("order_1") == life.ledger

    def test_a_ledger_that_is_behind_its_history_replaces_nothing(self) -> None:
        """It is stale: what was committed after it would be forgotten. So is one that is ahead."""
        returns, life = self._filled()
        first = replay("order_1", [each for each in returns.history("order_1") if each.revision == 1])
        ahead = harness(prefix="ahead_", ledger=life.ledger).handle(request()).ledger
        before = read_back(returns, "ret_order_1_1", "ret_order_1_2")
        for ledger in (first, ahead, ReturnLedger("order_9", revision=1)):
            with pytest.raises(StaleLedger):
                _replace(returns, ledger)
        assert read_back(self.reopened(returns), "ret_order_1_1", "ret_order_1_2") == before

    def test_a_document_that_cannot_be_read_is_rebuilt(self) -> None:
        """It differs until the ledger is put right from its history, which stays as it is."""
        returns, life = self._filled()
        before = read_back(returns, "ret_order_1_1", "ret_order_1_2")
        self.damaged(returns, "ret_order_1_1")

        assert run(verify("order_1", self.reopened(returns)))
        assert run(rebuild("order_1", self.reopened(returns)))

        again = self.reopened(returns)
        assert run(verify("order_1", again)) == ()
        assert read_back(again, "ret_order_1_1", "ret_order_1_2") == before
        assert again.load("order_1") == life.ledger

    def _filled(self) -> tuple[ReturnRepository, CoreHarness]:
        """A repository with two returns of an order, of which effects are open and one was tried."""
        returns, life = self.port(), harness()
        if not hasattr(returns, "replace"):
            pytest.skip("the repository has no method `replace`")
        for command in (request(key="k", label=True), receive("ret_order_1_1"), request(label=True)):
            returns.commit(life.handle(command))
        returns.commit(life.record_outcomes(in_vain))
        return returns, life


def _replace(returns: Any, ledger: ReturnLedger) -> None:  # a `RepairableReturns`
    """As `rebuild` does; the events of the first commit are not published."""
    behind = [each.at for each in returns.history(ledger.order_id)]
    returns.replace(ledger, behind[0] if behind else None)
