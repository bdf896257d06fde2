"""The contract of the ledgers' repository catches repositories that are wrong."""

import pickle
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from itertools import islice

import pytest
from attrs import evolve

from rma import (
    Change,
    Event,
    NotFound,
    OpenEffect,
    Return,
    ReturnLedger,
    ReturnQuery,
    ReturnRepository,
    ReturnStatus,
    StaleLedger,
    Subject,
    Unavailable,
)
from rma.adapters.memory import InMemoryReturns
from rma.domain.values.frozenmap import FrozenMap
from rma.testing.contracts import ReturnRepositoryContract
from tests.testing.breaking import breaks, laws_of
from tests.testing.wrong_archives import WRONG_ABOUT_ARCHIVES
from tests.testing.wrong_delivery import WRONG_ABOUT_DELIVERY
from tests.testing.wrong_redactions import WRONG_ABOUT_REDACTIONS


class IgnoresTheRevision(InMemoryReturns):
    """The last one wins."""

    def commit(self, change: Change) -> None:
        """Whatever was committed meanwhile is overwritten."""
        stored = self.load(change.order_id).revision
        super().commit(evolve(change, expected_revision=stored))


class StoresHistoryOfWhatItRefuses(InMemoryReturns):
    """Writes the history before it looks at the revision."""

    def commit(self, change: Change) -> None:
        """History first."""
        try:
            super().commit(change)
        except StaleLedger:
            self._history.setdefault(change.order_id, []).extend(change.events)
            raise


class IndexesReturnsOfWhatItRefuses(InMemoryReturns):
    """Writes the index of returns before it looks at the revision."""

    def commit(self, change: Change) -> None:
        """Index first."""
        if change.events:
            for each in change.ledger.returns:
                self._order_of.setdefault(each.id, change.order_id)
        super().commit(change)


class QueuesEffectsOfWhatItRefuses(InMemoryReturns):
    """Writes what is outstanding before it looks at the revision."""

    def __init__(self) -> None:
        super().__init__()
        self._queue: dict[str, None] = {}

    def commit(self, change: Change) -> None:
        """Queue first."""
        if change.ledger.open_effects:
            self._queue[change.order_id] = None
        super().commit(change)

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Every order in the queue."""
        return tuple(self._queue)


class InsertsOrReplacesTheFirst(InMemoryReturns):
    """An order's first commit is an upsert."""

    def commit(self, change: Change) -> None:
        """Without a look."""
        found = change.expected_revision or self.load(change.order_id).revision
        super().commit(evolve(change, expected_revision=found))


class TakesWhatComesTooEarly(InMemoryReturns):
    """Compares with `<`."""

    def commit(self, change: Change) -> None:
        """Only what is late is stale."""
        found = self.load(change.order_id).revision
        super().commit(evolve(change, expected_revision=min(found, change.expected_revision)))


class CountsRevisionsOfAllOrders(InMemoryReturns):
    """One counter for the whole store: orders get into each other's way."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[str] = []

    def commit(self, change: Change) -> None:
        """Stale if another commit of any order was between."""
        if change.events and change.expected_revision != len(self._all):
            raise StaleLedger("stale_ledger")
        super().commit(change)
        self._all.append(change.order_id)


class LivesInOneProcess(InMemoryReturns):
    """A store that is opened again is empty."""


class ForgetsTheReturnIndex(InMemoryReturns):
    """Only the order's first return is found by its id."""

    def commit(self, change: Change) -> None:
        """The first commit fills the index."""
        before = dict(self._order_of)
        super().commit(change)
        if change.expected_revision:
            self._order_of = before


class KeepsTheFirstLedgerByReturn(InMemoryReturns):
    """By return, the ledger is found as it was when the return was opened."""

    def __init__(self) -> None:
        super().__init__()
        self._by_return: dict[str, ReturnLedger] = {}

    def commit(self, change: Change) -> None:
        """A copy for each return."""
        super().commit(change)
        for each in change.ledger.returns:
            self._by_return.setdefault(each.id, change.ledger)

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """The copy."""
        super().load_by_return(return_id)
        return self._by_return[return_id]


class RefusesChangesWithoutEvents(InMemoryReturns):
    """Looks at the revision of a change that changes nothing."""

    def commit(self, change: Change) -> None:
        """Always compares."""
        if change.expected_revision != self.load(change.order_id).revision:
            raise StaleLedger("stale_ledger")
        super().commit(change)


class StoresChangesWithoutEvents(InMemoryReturns):
    """Takes a change that changes nothing for a new state."""

    def commit(self, change: Change) -> None:
        """Always stores."""
        super().commit(change)
        self._ledgers[change.order_id] = change.ledger


class SilentlyDropsWhatIsStale(InMemoryReturns):
    """The caller thinks that it was stored."""

    def commit(self, change: Change) -> None:
        """Does not tell."""
        with suppress(StaleLedger):
            super().commit(change)


class CommitsPieceByPiece(InMemoryReturns):
    """Each event is a transaction of its own, written as bytes."""

    def commit(self, change: Change) -> None:
        """An event that cannot be written leaves those before it."""
        written = len(self.history(change.order_id))
        super().commit(change)
        for number, event in enumerate(change.events):
            try:
                pickle.dumps(event)
            except Exception:
                del self._history[change.order_id][written + number :]
                raise


class TellsNewestFirst(InMemoryReturns):
    """A history for people, not for replaying."""

    def history(self, order_id: str) -> tuple[Event, ...]:
        """Upside down."""
        return super().history(order_id)[::-1]


class SortsHistoryAsText(InMemoryReturns):
    """Event ids are keys, and keys are sorted as text: 10 comes before 9."""

    def history(self, order_id: str) -> tuple[Event, ...]:
        """By id."""
        return tuple(sorted(super().history(order_id), key=lambda event: event.event_id))


class ForgetsWhatWasTried(InMemoryReturns):
    """Open effects are stored without their attempts and last error."""

    def load(self, order_id: str) -> ReturnLedger:
        """As if never tried."""
        ledger = super().load(order_id)
        untried = {
            key: OpenEffect(effect.request, opened_at=effect.opened_at)
            for key, effect in ledger.open_effects.items()
        }
        return evolve(ledger, open_effects=FrozenMap(untried))


class RaisesForAnUnknownOrder(InMemoryReturns):
    """An order without returns raises."""

    def load(self, order_id: str) -> ReturnLedger:
        """Raises."""
        if order_id not in self._ledgers:
            raise NotFound("order_not_found", {"order_id": order_id})
        return super().load(order_id)


class ForgetsEffectsThatWereTried(InMemoryReturns):
    """What failed once is never tried again."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Only what is fresh."""
        found = super().outstanding(now, limit, unpublished=unpublished)
        return [
            order_id
            for order_id in found
            if all(not effect.delivery.attempts for effect in self.load(order_id).open_effects.values())
        ]


class RaisesKeyErrors(InMemoryReturns):
    """Tells an unknown return in its own words."""

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """A KeyError."""
        return self._ledgers[self._order_of[return_id]]


class IgnoresTheLimit(InMemoryReturns):
    """A million rows at once."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """All of them."""
        return super().outstanding(now, limit + 1_000_000, unpublished=unpublished)


class IgnoresLeases(InMemoryReturns):
    """Names orders that another process has leased."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """As if it were next year."""
        return super().outstanding(now.replace(year=now.year + 1), limit, unpublished=unpublished)


class NamesTheNewestFirst(InMemoryReturns):
    """The order that waited longest is never named."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Upside down."""
        found = tuple(super().outstanding(now, 1_000_000, unpublished=unpublished))
        return islice(reversed(found), limit)


class NamesTheUnpublishedToEverybody(InMemoryReturns):
    """A host without a publisher resumes for ever."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Always all."""
        return super().outstanding(now, limit, unpublished=True)


class ForgetsTheUnpublished(InMemoryReturns):
    """Events that no publisher took are never tried again."""

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """Never."""
        return super().outstanding(now, limit)


class ForgetsTheUnpublishedWithoutAPublisher(InMemoryReturns):
    """Takes the last process for all of them."""

    def commit(self, change: Change) -> None:
        """What another process waits for is forgotten."""
        super().commit(change)
        if not change.awaits_publication:
            self._unpublished.pop(change.order_id, None)


class NotesOnlyTheNew(InMemoryReturns):
    """A publisher that comes back gets only orders that it never saw."""

    def commit(self, change: Change) -> None:
        """Notes nothing of an order that it knows."""
        is_known = change.order_id in self._ledgers and change.order_id not in self._unpublished
        super().commit(evolve(change, awaits_publication=change.awaits_publication and not is_known))


class NotesWhatIsPublished(InMemoryReturns):
    """Takes every order for one that is behind."""

    def note_unpublished(self, now: datetime) -> int:
        """All of them."""
        new = [order_id for order_id in self._ledgers if order_id not in self._unpublished]
        self._unpublished.update(dict.fromkeys(new, now))
        return len(new)


class ChecksThenWrites(InMemoryReturns):
    """Nothing is locked between the look at the revision and the write."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)
        self._writing = threading.Lock()

    def commit(self, change: Change) -> None:
        """All of a race look before one of them writes; then each of them does, over the one before."""
        if change.expected_revision != self.load(change.order_id).revision:
            raise StaleLedger("stale_ledger")
        self._looked.wait(timeout=5)
        with self._writing:
            super().commit(evolve(change, expected_revision=self.load(change.order_id).revision))


class ShowsHalfOfACommit(InMemoryReturns):
    """The ledger is there before what it has open, until it was read once."""

    def __init__(self) -> None:
        super().__init__()
        self._was_read = threading.Event()

    def load(self, order_id: str) -> ReturnLedger:
        """What is there."""
        ledger = super().load(order_id)
        if ledger.revision:
            self._was_read.set()
        return ledger

    def commit(self, change: Change) -> None:
        """In two steps."""
        before = super().load(change.order_id)
        super().commit(evolve(change, ledger=evolve(change.ledger, open_effects=before.open_effects)))
        self._was_read.wait(timeout=60)
        self._ledgers[change.order_id] = change.ledger


class ListsBySomethingElse(InMemoryReturns):
    """In the order of the orders, not of the returns."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Order by order."""
        found = [each for ledger in self._ledgers.values() for each in ledger.returns if query.accepts(each)]
        return tuple(found[::-1] if query.newest_first else found)


class ListsReturnsAsTheyBegan(InMemoryReturns):
    """A column of the status that is only written once."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Every return is still requested."""
        if query.status not in (None, ReturnStatus.REQUESTED):
            return ()
        return super().find(evolve(query, status=None))


class ShowsWhatNeededAttentionOnce(InMemoryReturns):
    """Only what a clerk decides, not what a gateway refused."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """By the status alone."""
        if query.needs_attention and query.status not in (None, ReturnStatus.REQUIRES_ACTION):
            return ()
        wanted = ReturnStatus.REQUIRES_ACTION if query.needs_attention else query.status
        return super().find(evolve(query, status=wanted, needs_attention=False))


class BeginsThePageWithTheLast(InMemoryReturns):
    """Compares with `>=`."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """The last one again, in front."""
        found = super().find(query)
        if query.after is None:
            return found
        last = self.load_by_return(query.after).get(query.after)
        return (last, *found)[: query.limit]


class PagesByMomentAlone(InMemoryReturns):
    """Of returns of the same moment only the first page's are shown."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Strictly later ones."""
        if query.after is None:
            return super().find(query)
        last = self.load_by_return(query.after).get(query.after)
        found = [
            each for each in super().find(evolve(query, limit=None)) if each.requested_at != last.requested_at
        ]
        return tuple(found[: query.limit])


class LooksForTheLastAmongWhatIsListed(InMemoryReturns):
    """The place of a return that has another status by now is lost."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Begins again if it is not there."""
        everything = super().find(evolve(query, after=None, limit=None))
        ids = [each.id for each in everything]
        start = ids.index(query.after) + 1 if query.after in ids else 0
        return everything[start:][: query.limit]


class IgnoresDates(InMemoryReturns):
    """Lists what will be due with what is."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Without the dates."""
        return super().find(evolve(query, due_before=None, return_before=None))


class ListsReturnsOnly(InMemoryReturns):
    """Claims and exchanges are not looked at."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Only the returns."""
        return tuple([each for each in super().find(query) if isinstance(each, Return)])


class SkipsNothing(InMemoryReturns):
    """Begins every page where `after` says."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Without the offset."""
        return super().find(evolve(query, offset=0))


class ListsEveryOrder(InMemoryReturns):
    """Knows one order or all."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Of all orders, if several are asked for."""
        return super().find(evolve(query, order_ids=None))


class CountsThePage(InMemoryReturns):
    """Not what is on all pages."""

    def count(self, query: ReturnQuery) -> int:
        """What `find` finds."""
        return len(self.find(query))


class CountsReturnsOnly(InMemoryReturns):
    """Claims and exchanges are not counted."""

    def count(self, query: ReturnQuery) -> int:
        """Only the returns."""
        return sum([query.accepts(each) for ledger in self._ledgers.values() for each in ledger.returns])


class FallsWithOneDocument(InMemoryReturns):
    """Decodes a page as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self._lost: str | None = None

    def damage(self, return_id: str) -> None:
        """Makes the document of this return unreadable."""
        self._lost = return_id

    def load(self, order_id: str) -> ReturnLedger:
        """Refuses what is damaged."""
        ledger = super().load(order_id)
        if self._lost is not None and ledger.find(self._lost):
            raise Unavailable("unreadable_document", {"order_id": order_id, "error": "gone"})
        return ledger

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Refuses each page that has it."""
        found = super().find(evolve(query, after=None))
        if any(each.id == self._lost for each in found):
            raise Unavailable("unreadable_document", {"order_id": "order_1", "error": "gone"})
        return found


class ReplacesNothing(FallsWithOneDocument):
    """The row stays as it is."""

    def replace(self, ledger: ReturnLedger, unpublished_since: datetime | None) -> None:
        """Forgets to write."""


class ForgetsWhatIsDue(InMemoryReturns):
    """What is outstanding is not found after a repair."""

    def replace(self, ledger: ReturnLedger, unpublished_since: datetime | None) -> None:
        """Clears the index."""
        super().replace(ledger, unpublished_since)
        self._due.clear()


class ReplacesByWhatIsOld(InMemoryReturns):
    """Looks at no revision."""

    def replace(self, ledger: ReturnLedger, unpublished_since: datetime | None) -> None:
        """Whatever was committed meanwhile."""
        self._ledgers[ledger.order_id] = ledger


class LeavesOutWhatItCannotRead(FallsWithOneDocument):
    """Says nothing about it."""

    def find(self, query: ReturnQuery) -> tuple[Subject, ...]:
        """Without it."""
        found = InMemoryReturns.find(self, evolve(query, after=None))
        return tuple([each for each in found if each.id != self._lost])


def contract_for(repository: Callable[[], ReturnRepository]) -> type[ReturnRepositoryContract]:
    """The contract, with this repository held against it."""

    class Held(ReturnRepositoryContract):
        def make(self) -> ReturnRepository:
            return repository()

        def reopen(self, returns: ReturnRepository) -> ReturnRepository:
            return InMemoryReturns() if isinstance(returns, LivesInOneProcess) else returns

        def damage(self, returns: object, return_id: str) -> object:
            damage = getattr(returns, "damage", None)  # of one that is awaited too
            return super().damage(returns, return_id) if damage is None else damage(return_id)

    return Held


WRONG: list[tuple[type[InMemoryReturns], str]] = [
    (FallsWithOneDocument, "a_document_that_cannot_be_read_hides_no_others"),
    (ReplacesNothing, "a_document_that_cannot_be_read_is_rebuilt"),
    (ForgetsWhatIsDue, "what_is_stored_is_what_its_history_rebuilds"),
    (ReplacesByWhatIsOld, "a_ledger_that_is_behind_its_history_replaces_nothing"),
    (LeavesOutWhatItCannotRead, "a_document_that_cannot_be_read_hides_no_others"),
    (RaisesForAnUnknownOrder, "an_unknown_order_is_an_empty_ledger_at_revision_0"),
    (RaisesKeyErrors, "an_unknown_return_is_not_found"),
    (LivesInOneProcess, "what_is_loaded_is_what_was_committed"),
    (LivesInOneProcess, "a_commit_that_is_canceled_holds_up_no_other"),
    (ForgetsTheReturnIndex, "what_is_loaded_is_what_was_committed"),
    (KeepsTheFirstLedgerByReturn, "what_is_loaded_is_what_was_committed"),
    (ForgetsWhatWasTried, "what_is_loaded_is_what_was_committed"),
    (KeepsTheFirstLedgerByReturn, "whole_lives_of_orders_are_stored_commit_by_commit"),
    (ForgetsTheUnpublished, "whole_lives_of_orders_are_stored_commit_by_commit"),
    (TellsNewestFirst, "history_is_in_order"),
    (SortsHistoryAsText, "history_is_in_order"),
    (RefusesChangesWithoutEvents, "a_change_without_events_commits_nothing"),
    (StoresChangesWithoutEvents, "a_change_without_events_commits_nothing"),
    (IgnoresTheRevision, "a_commit_that_comes_too_late_is_refused_and_stores_nothing"),
    (SilentlyDropsWhatIsStale, "a_commit_that_comes_too_late_is_refused_and_stores_nothing"),
    (StoresHistoryOfWhatItRefuses, "a_commit_that_comes_too_late_is_refused_and_stores_nothing"),
    (IndexesReturnsOfWhatItRefuses, "a_commit_that_comes_too_late_is_refused_and_stores_nothing"),
    (QueuesEffectsOfWhatItRefuses, "a_commit_that_comes_too_late_is_refused_and_stores_nothing"),
    (InsertsOrReplacesTheFirst, "a_first_commit_that_comes_second_is_refused_and_stores_nothing"),
    (TakesWhatComesTooEarly, "a_commit_for_a_revision_that_is_not_there_yet_is_refused"),
    (IgnoresTheRevision, "a_commit_that_is_repeated_is_refused"),
    (CommitsPieceByPiece, "a_commit_that_fails_stores_nothing"),
    (CountsRevisionsOfAllOrders, "orders_do_not_disturb_each_other"),
    (ForgetsEffectsThatWereTried, "an_order_is_outstanding_while_effects_are_open"),
    (NamesTheUnpublishedToEverybody, "an_order_is_outstanding_while_effects_are_open"),
    (IgnoresTheLimit, "who_waited_longest_is_outstanding_first_and_no_more_than_asked_for"),
    (NamesTheNewestFirst, "who_waited_longest_is_outstanding_first_and_no_more_than_asked_for"),
    (IgnoresLeases, "an_effect_under_a_lease_is_outstanding_when_the_lease_is_over"),
    (NamesTheUnpublishedToEverybody, "orders_with_unpublished_events_are_named_to_those_who_publish"),
    (ForgetsTheUnpublished, "orders_with_unpublished_events_are_named_to_those_who_publish"),
    (
        ForgetsTheUnpublishedWithoutAPublisher,
        "a_change_without_a_publisher_hides_no_order_from_those_who_have_one",
    ),
    (NotesOnlyTheNew, "a_change_without_a_publisher_hides_no_order_from_those_who_have_one"),
    (NotesWhatIsPublished, "what_was_committed_without_a_publisher_can_be_noted_for_one"),
    *WRONG_ABOUT_DELIVERY,
    *WRONG_ABOUT_ARCHIVES,
    *WRONG_ABOUT_REDACTIONS,
    (ListsBySomethingElse, "returns_are_listed_by_order_status_and_age"),
    (ListsReturnsAsTheyBegan, "returns_are_listed_by_order_status_and_age"),
    (ShowsWhatNeededAttentionOnce, "returns_are_listed_by_order_status_and_age"),
    (ListsReturnsOnly, "exchanges_and_claims_are_listed_as_returns_are"),
    (CountsReturnsOnly, "exchanges_and_claims_are_listed_as_returns_are"),
    (IgnoresDates, "returns_are_listed_by_their_dates"),
    (ListsEveryOrder, "several_orders_are_listed_together"),
    (SkipsNothing, "an_offset_skips_what_a_page_would_begin_with"),
    (CountsThePage, "an_offset_skips_what_a_page_would_begin_with"),
    (PagesByMomentAlone, "pages_show_every_return_once"),
    (BeginsThePageWithTheLast, "a_page_goes_on_where_the_one_before_ended"),
    (LooksForTheLastAmongWhatIsListed, "a_page_goes_on_where_the_one_before_ended"),
    (LooksForTheLastAmongWhatIsListed, "behind_an_unknown_return_there_is_no_page"),
    (ChecksThenWrites, "of_commits_at_the_same_revision_exactly_one_wins"),
    (CountsRevisionsOfAllOrders, "commits_to_different_orders_at_once_all_win"),
    (ShowsHalfOfACommit, "what_is_read_while_others_commit_is_what_one_of_them_committed"),
]


@pytest.mark.parametrize(("wrong", "law"), WRONG)
def test_a_wrong_repository_breaks_the_law_that_is_about_it(wrong: type[InMemoryReturns], law: str) -> None:
    """The function that pytest runs for a host fails."""
    assert breaks(contract_for(wrong), law)


def test_every_law_of_repositories_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in WRONG} == laws_of(ReturnRepositoryContract)


def test_a_law_that_fails_shows_what_differs() -> None:
    """The asserts of contracts are explained to a host as those of its own tests are."""
    contract = contract_for(StoresChangesWithoutEvents)()

    with pytest.raises(AssertionError, match=r"assert Stored\(ledger") as error:
        contract.test_a_change_without_events_commits_nothing()

    assert "revision=7" in str(error.value)
