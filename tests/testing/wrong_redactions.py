"""Repositories that are wrong about orders that are redacted."""

from attrs import evolve

from rma import Change, Event, Return, ReturnQuery, Subject
from rma.adapters.memory import InMemoryReturns
from rma.domain.redaction import without
from rma.domain.values.personal import PersonalField

_Events = tuple[Event, ...]


class KeepsTheEvents(InMemoryReturns):
    """Stores the ledger only."""

    def redact(self, change: Change, history: _Events) -> None:
        """The history goes on as it was."""
        before = self.history(change.order_id)
        super().redact(change, (*before, history[-1]))


class KeepsTheLedger(InMemoryReturns):
    """Stores the history only."""

    def redact(self, change: Change, history: _Events) -> None:
        """The ledger is what it was, of another revision."""
        before = self.load(change.order_id)
        super().redact(change, history)
        self._ledgers[change.order_id] = evolve(before, revision=change.ledger.revision)


class ListsCopies(InMemoryReturns):
    """Has a table for lists, which is written by commits."""

    def __init__(self) -> None:
        super().__init__()
        self._copies: dict[str, Subject] = {}

    def commit(self, change: Change) -> None:
        """And its copies."""
        super().commit(change)
        self._copies.update({each.id: each for each in change.ledger.returns})

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """From the copies."""
        return tuple([self._copies.get(each.id, each) for each in super().find(query)])


class ForgetsTheEvent(InMemoryReturns):
    """Does not say that it was redacted."""

    def redact(self, change: Change, history: _Events) -> None:
        """Without the last event."""
        super().redact(change, history[:-1])


class AddsTheEventTwice(InMemoryReturns):
    """Commits what is in the history already."""

    def redact(self, change: Change, history: _Events) -> None:
        """The event of the change follows."""
        super().redact(change, history)
        self._history[change.order_id] += change.events


class RedactsWhateverIsStored(InMemoryReturns):
    """Looks at no revision."""

    def redact(self, change: Change, history: _Events) -> None:
        """The last one wins."""
        super().redact(evolve(change, expected_revision=self.load(change.order_id).revision), history)


class CommitsAfterARedaction(InMemoryReturns):
    """Takes a redaction for something that changes no ledger."""

    def commit(self, change: Change) -> None:
        """As if it had not been."""
        stored = self.load(change.order_id).revision
        is_next = stored == change.expected_revision + 1
        if is_next and change.events and _is_redacted(self.history(change.order_id)):
            change = evolve(change, expected_revision=stored)
        super().commit(change)


class NamesNoRedaction(InMemoryReturns):
    """Notes what is unpublished in commits only."""

    def redact(self, change: Change, history: _Events) -> None:
        """No one publishes it."""
        super().redact(evolve(change, awaits_publication=False), history)


class NamesEveryRedaction(InMemoryReturns):
    """Notes that it is unpublished, with or without a publisher."""

    def redact(self, change: Change, history: _Events) -> None:
        """As if there was a publisher."""
        super().redact(evolve(change, awaits_publication=True), history)


class TakesWhatComesLater(InMemoryReturns):
    """Has a filter instead of a rewritten order."""

    def commit(self, change: Change) -> None:
        """Whatever is said of such an order."""
        if any(_is_redacted((each,)) for each in self.history(change.order_id)):
            returns = tuple([_emptied(each) for each in change.ledger.returns])
            change = evolve(change, ledger=evolve(change.ledger, returns=returns))
        super().commit(change)


def _emptied(ret: Return) -> Return:
    return without(ret, tuple(PersonalField))


def _is_redacted(history: _Events) -> bool:
    return any(type(each).__name__ == "OrderRedacted" for each in history)


STORED = "a_redacted_order_is_stored_without_what_was_taken"
PUBLISHED = "a_redaction_of_what_is_published_is_published_itself"

#: Each with the law that it breaks.
WRONG_ABOUT_REDACTIONS: list[tuple[type[InMemoryReturns], str]] = [
    (KeepsTheEvents, STORED),
    (KeepsTheLedger, STORED),
    (ListsCopies, STORED),
    (ForgetsTheEvent, STORED),
    (AddsTheEventTwice, STORED),
    (TakesWhatComesLater, "a_redacted_order_goes_on"),
    (NamesNoRedaction, PUBLISHED),
    (NamesEveryRedaction, PUBLISHED),
    (RedactsWhateverIsStored, "a_redaction_that_comes_too_late_takes_nothing"),
    (CommitsAfterARedaction, "a_commit_that_comes_after_a_redaction_is_refused"),
]
