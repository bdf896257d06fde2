"""In a transaction of the host nothing moves; the contract and the script catch what does."""

from collections.abc import Callable

import pytest

from rma import Change
from rma.adapters.memory import InMemoryReturns
from rma.testing.contracts import HostTransactionContract
from rma.testing.faults import Faults
from tests.testing import designs
from tests.testing.breaking import breaks, laws_of
from tests.testing.crashes import End, as_shipped, simulate
from tests.testing.environment import Environment
from tests.testing.transactions import (
    BindableInMemoryReturns,
    BoundInMemoryReturns,
    Transaction,
    UndeclaredInMemoryReturns,
    simulate_in_transactions,
)


class DoesNotDeclare(BindableInMemoryReturns):
    """What it binds is as any other repository."""

    def in_transaction(self, connection: Transaction) -> BoundInMemoryReturns:
        """A copy that says nothing."""
        return UndeclaredInMemoryReturns(self, connection)  # type: ignore[return-value] # that is the mistake


class DeclaresUntilTheFirstCommit(BindableInMemoryReturns):
    """What it binds takes its own commit for that of the host."""

    def in_transaction(self, connection: Transaction) -> BoundInMemoryReturns:
        """A copy that says so while nothing is in it."""

        class Bound(BoundInMemoryReturns):
            def in_host_transaction(self) -> bool:
                return not self.transaction.changes

        return Bound(self, connection)


class CommitsByItself(BindableInMemoryReturns):
    """What it binds says so, and does not wait for the host."""

    def in_transaction(self, connection: Transaction) -> BoundInMemoryReturns:
        """A copy that is written back at once."""

        class Bound(BoundInMemoryReturns):
            def commit(self, change: Change) -> None:
                super().commit(change)
                self.store.commit(self.transaction.changes.pop()[1])

        return Bound(self, connection)


class ForgetsWhatTheHostCommits(BindableInMemoryReturns):
    """What it binds is written nowhere."""

    def in_transaction(self, connection: Transaction) -> BoundInMemoryReturns:
        """A copy in a transaction of its own."""
        return BoundInMemoryReturns(self, Transaction())


class AlwaysDeclares(BindableInMemoryReturns):
    """It says so of itself as well: nothing is delivered, and no timer can help."""

    def in_host_transaction(self) -> bool:
        """Always."""
        return bool(self._ledgers)


def contract_for(repository: Callable[[], InMemoryReturns]) -> type[HostTransactionContract]:
    """The contract, with this repository held against it."""

    class Held(HostTransactionContract):
        def make(self) -> InMemoryReturns:
            return repository()

        def begin(self) -> Transaction:
            return Transaction()

        def commit(self, connection: Transaction) -> None:
            connection.commit()

        def rollback(self, connection: Transaction) -> None:
            connection.changes.clear()

    return Held


class TestBindableInMemoryReturns(contract_for(BindableInMemoryReturns)):  # type: ignore[misc] # made by a function
    """The repository that the wrong ones are made of."""


WRONG: list[tuple[type[InMemoryReturns], str]] = [
    (DoesNotDeclare, "in_a_transaction_of_the_host_no_port_is_called"),
    (DeclaresUntilTheFirstCommit, "in_a_transaction_of_the_host_no_port_is_called"),
    (DoesNotDeclare, "what_the_host_rolls_back_reaches_no_port"),
    (CommitsByItself, "what_the_host_rolls_back_reaches_no_port"),
    (CommitsByItself, "after_the_commit_of_the_host_everything_is_delivered_once"),
    (ForgetsWhatTheHostCommits, "after_the_commit_of_the_host_everything_is_delivered_once"),
    (AlwaysDeclares, "outside_of_the_transaction_commands_are_delivered_at_once"),
]


@pytest.mark.parametrize(("wrong", "law"), WRONG)
def test_a_wrong_repository_breaks_the_law_that_is_about_it(wrong: type[InMemoryReturns], law: str) -> None:
    """And the one without its fault keeps it."""
    assert breaks(contract_for(wrong), law)
    assert not breaks(contract_for(BindableInMemoryReturns), law)


def test_every_law_of_host_transactions_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in WRONG} == laws_of(HostTransactionContract)


def test_commands_in_transactions_of_the_host_end_as_without() -> None:
    """Each rolled back first: nothing moves before a commit, and everything once after it."""
    without = Environment()
    simulate(without, Faults())

    environment = simulate_in_transactions(as_shipped)

    assert End.of(environment).differs(End.of(without)) == []


def test_a_design_that_delivers_in_a_transaction_of_the_host_is_caught() -> None:
    """The first command that asks something of a port has asked before the commit."""
    with pytest.raises(AssertionError, match="moved something before the commit"):
        simulate_in_transactions(designs.delivers_in_a_transaction_of_the_host)
