"""Ledgers in memory that can be written in a transaction of the host, and what a host does in one."""

from rma import Change, ReturnService
from rma.adapters.memory import InMemoryReturns
from rma.testing.faults import Faults
from tests.testing.crashes import Design, End
from tests.testing.environment import SCRIPT, Action, Environment, Resume
from tests.testing.stores import Memory


class Transaction:
    """What was stored in it, which the host commits, or not."""

    def __init__(self) -> None:
        self.changes: list[tuple[InMemoryReturns, Change]] = []

    def commit(self) -> None:
        """All of it."""
        for store, change in self.changes:
            store.commit(change)


class BindableInMemoryReturns(InMemoryReturns):
    """A dictionary, and copies of it that are written back by a transaction."""

    def in_transaction(self, connection: Transaction) -> "BoundInMemoryReturns":
        """A copy."""
        return BoundInMemoryReturns(self, connection)


class UndeclaredInMemoryReturns(InMemoryReturns):
    """A copy of a dictionary, written back by a transaction, that does not say so."""

    def __init__(self, store: InMemoryReturns, transaction: Transaction) -> None:
        super().__init__()
        self.store = store
        self.transaction = transaction
        self._ledgers = dict(store._ledgers)
        self._order_of = dict(store._order_of)
        self._sort_keys = list(store._sort_keys)
        self._history = {order_id: list(events) for order_id, events in store._history.items()}
        self._waiting = dict(store._waiting)
        self._unpublished = dict(store._unpublished)

    def commit(self, change: Change) -> None:
        """In the copy, and in the transaction."""
        super().commit(change)
        self.transaction.changes.append((self.store, change))


class BoundInMemoryReturns(UndeclaredInMemoryReturns):
    """The same, which says so."""

    def in_host_transaction(self) -> bool:
        """As long as it lives."""
        return True


class BindableMemory(Memory):
    """A `Store` whose ledgers can be bound."""

    def __init__(self) -> None:
        self.returns = BindableInMemoryReturns()


def simulate_in_transactions(design: Design, script: tuple[Action, ...] = SCRIPT) -> Environment:
    """
    The script, each command in a transaction that the host rolls back once and then repeats.

    Raises:
        AssertionError: something outside of the transaction changed before the host's commit.
    """
    environment = Environment(BindableMemory())
    service = environment.process(Faults())

    def joined(transaction: Transaction) -> ReturnService:
        return design(service.in_transaction(transaction), environment)

    for step in script:
        if isinstance(step, Resume):
            environment.do(service, step)
            continue
        rolled_back, committed = Transaction(), Transaction()
        before = End.of(environment)
        for transaction in (rolled_back, committed):
            environment.do(joined(transaction), step)
            assert End.of(environment).differs(before) == [], f"{step} moved something before the commit"
        committed.commit()
        assert End.of(environment).moved == before.moved
        service.resume()
    return environment
