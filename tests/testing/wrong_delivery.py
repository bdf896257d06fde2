"""Repositories that are wrong about open effects, and about events of their delivery."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve

from rma import Change, DeliveryChanged
from rma.adapters.memory import InMemoryReturns


class TellsTheYoungestFirst(InMemoryReturns):
    """Who waits longest is named last."""

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """Upside down."""
        return tuple(super().waiting(before, 10**6))[::-1][:limit]


class TellsEverybodyWhoWaits(InMemoryReturns):
    """A million rows at once."""

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """All of them."""
        return super().waiting(before, 10**6)


class TellsWhoIsYounger(InMemoryReturns):
    """Compares with `<`."""

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """Not those of the very moment."""
        return super().waiting(before - timedelta(microseconds=1), limit)


class TellsWhoIsDue(InMemoryReturns):
    """One column for two questions: what is leased or stopped does not wait."""

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """Those that a timer would try."""
        return super().outstanding(before, limit)


class RemembersTheLatestEffect(InMemoryReturns):
    """Every commit with effects begins the waiting again."""

    def commit(self, change: Change) -> None:
        """By the effect that was opened last."""
        super().commit(change)
        if change.ledger.open_effects:
            opened = [each.opened_at for each in change.ledger.open_effects.values()]
            self._waiting[change.order_id] = max(opened)


class NeverForgetsWhoWaited(InMemoryReturns):
    """An order waits since its first effect, for ever."""

    def commit(self, change: Change) -> None:
        """Written once."""
        since = self._waiting.get(change.order_id)
        super().commit(change)
        if since is not None:
            self._waiting[change.order_id] = since


class NamesWhoWaitedLongest(InMemoryReturns):
    """What fails again and again is in front of everything else."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """By when an effect was opened."""
        due = set(super().outstanding(now, 10**6, unpublished=unpublished))
        return [order_id for order_id in super().waiting(now, 10**6) if order_id in due][:limit]


class NamesWhatIsStopped(InMemoryReturns):
    """What waits for a person is named to timers."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """After all others."""
        found = list(super().outstanding(now, limit, unpublished=unpublished))
        stopped = [
            order_id
            for order_id, ledger in self._ledgers.items()
            if any(each.delivery.is_stopped for each in ledger.open_effects.values())
        ]
        return [*found, *stopped][:limit]


class KeepsEveryAttempt(InMemoryReturns):
    """Histories only grow."""

    def commit(self, change: Change) -> None:
        """Removes nothing."""
        super().commit(evolve(change, superseded=()))


class KeepsOneEventOfDelivery(InMemoryReturns):
    """Forgets since when an effect was stuck, though that was published."""

    def commit(self, change: Change) -> None:
        """Removes all events about deliveries that others follow."""
        known = self._history.get(change.order_id, [])
        gone = [(each.revision, each.number) for each in known if isinstance(each, DeliveryChanged)]
        super().commit(evolve(change, superseded=(*change.superseded, *gone)))


class RemovesEventsForWhatItRefuses(InMemoryReturns):
    """Removes events before it looks at the revision."""

    def commit(self, change: Change) -> None:
        """Events first."""
        known = self._history.get(change.order_id, [])
        known[:] = [each for each in known if (each.revision, each.number) not in change.superseded]
        super().commit(change)


class RemovesEventsOfEveryOrder(InMemoryReturns):
    """Deletes by revision and number alone."""

    def commit(self, change: Change) -> None:
        """In all orders."""
        super().commit(change)
        for order_id, known in self._history.items():
            if order_id != change.order_id:
                known[:] = [each for each in known if (each.revision, each.number) not in change.superseded]


#: Each with the law that it breaks.
WRONG_ABOUT_DELIVERY: list[tuple[type[InMemoryReturns], str]] = [
    (TellsTheYoungestFirst, "orders_wait_since_their_oldest_open_effect_was_opened"),
    (TellsEverybodyWhoWaits, "orders_wait_since_their_oldest_open_effect_was_opened"),
    (TellsWhoIsYounger, "orders_wait_since_their_oldest_open_effect_was_opened"),
    (TellsWhoIsDue, "orders_wait_since_their_oldest_open_effect_was_opened"),
    (RemembersTheLatestEffect, "orders_wait_since_their_oldest_open_effect_was_opened"),
    (RemembersTheLatestEffect, "an_order_waits_until_its_last_effect_has_its_outcome"),
    (NeverForgetsWhoWaited, "an_order_waits_until_its_last_effect_has_its_outcome"),
    (NamesWhoWaitedLongest, "outstanding_orders_come_by_when_they_are_due"),
    (NamesWhatIsStopped, "outstanding_orders_come_by_when_they_are_due"),
    (KeepsEveryAttempt, "superseded_events_are_removed_by_the_commit_that_supersedes_them"),
    (KeepsOneEventOfDelivery, "superseded_events_are_removed_by_the_commit_that_supersedes_them"),
    (RemovesEventsForWhatItRefuses, "a_commit_that_is_refused_removes_no_event"),
    (RemovesEventsOfEveryOrder, "events_of_other_orders_are_not_superseded"),
]
