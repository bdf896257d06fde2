"""Repositories that are wrong about orders whose history was archived."""

from attrs import evolve

from rma import Change, ReturnLedger, replay
from rma.adapters.memory import InMemoryReturns
from tests.testing.wrong_delivery import KeepsEveryAttempt, RemovesEventsForWhatItRefuses


class RemovesAllEvents(InMemoryReturns):
    """Takes an archive for the end of an order."""

    def commit(self, change: Change) -> None:
        """Without what opened something."""
        super().commit(change)
        if change.ledger.archived == change.ledger.revision:
            self._history[change.order_id][:] = change.events


class ForgetsThatItWasArchived(InMemoryReturns):
    """Has no field for it."""

    def load(self, order_id: str) -> ReturnLedger:
        """As if all of the history was there."""
        return evolve(super().load(order_id), archived=0)


class ReadsTheHistory(InMemoryReturns):
    """Stores events only."""

    def load(self, order_id: str) -> ReturnLedger:
        """What they rebuild."""
        return replay(order_id, self._history.get(order_id, ()))


class RebuildsAfterEachCommit(InMemoryReturns):
    """Stores what the history rebuilds, once it goes on after an archive."""

    def commit(self, change: Change) -> None:
        """What was received before is forgotten."""
        super().commit(change)
        if 0 < change.ledger.archived < change.ledger.revision:
            self._ledgers[change.order_id] = replay(change.order_id, self.history(change.order_id))


AS_IT_WAS = "an_archived_order_is_as_it_was_without_its_history"

#: Each with the law that it breaks.
WRONG_ABOUT_ARCHIVES: list[tuple[type[InMemoryReturns], str]] = [
    (KeepsEveryAttempt, AS_IT_WAS),
    (RemovesAllEvents, AS_IT_WAS),
    (ForgetsThatItWasArchived, AS_IT_WAS),
    (ReadsTheHistory, AS_IT_WAS),
    (RebuildsAfterEachCommit, "an_archived_order_goes_on"),
    (RemovesEventsForWhatItRefuses, "an_archive_that_comes_too_late_removes_nothing"),
]
