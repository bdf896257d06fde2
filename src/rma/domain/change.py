"""
What one commit stores: events folded into the ledger, with the effects they ask for.

Here decide, evolve and react meet; they do not know each other.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from attrs import evolve as with_
from attrs import frozen

from rma.domain.decide import (
    archive_history,
    decide,
    lease_effect,
    record_outcomes,
    record_overdue,
    record_publication,
    redact_order,
    start_again,
)
from rma.domain.decide.facts import Facts
from rma.domain.events import DeliveryChanged, Event, OrderRedacted
from rma.domain.evolve import Folding
from rma.domain.messages.commands import (
    Command,
    ReceiveUnannounced,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    subject_of,
)
from rma.domain.messages.effects import Effect, Outcome
from rma.domain.messages.timing import DEFAULT_TIMING, Timing
from rma.domain.react import react
from rma.domain.redaction import redacted
from rma.domain.state.grants import grant_between
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.movements import MoneyMoved, movements_between
from rma.domain.values.errors import history_incomplete
from rma.domain.values.personal import PersonalField


@frozen
class Change:
    """
    A new state of one order's ledger and the events that led to it; one atomic commit stores it.

    Attributes:
        expected_revision: that the stored ledger must have, or the commit is refused as stale.
        ledger: afterwards.
        events: what happened, in order. Without events a change is a no-op.
        effects: what the events ask of ports; the ledger has them as open.
        superseded: revision and number of stored events whose place these events take. A store removes them
            in the same commit. Without them, history rebuilds the same ledger, unless it is archived.
        subject_id: the return, exchange or claim that the command was about; None where no command caused
            the change.
        awaits_publication: False if the host that commits it has no publisher. A store then need not note
            that its events are not published; what it noted before stays noted until they are.
    """

    order_id: str
    expected_revision: int
    ledger: ReturnLedger
    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()
    subject_id: str | None = None
    superseded: tuple[tuple[int, int], ...] = ()
    awaits_publication: bool = True

    def then(self, events: Iterable[Event]) -> "Change":
        """This change with further events on top, in the same commit."""
        events = tuple(events)
        if not events:
            return self
        superseded = _superseded_by(events, self.ledger, self.expected_revision)
        ledger, recorded, effects = _fold(self.ledger, self.expected_revision + 1, self.events, events)
        return Change(
            self.order_id,
            self.expected_revision,
            ledger,
            recorded,
            self.effects + effects,
            self.subject_id,
            self.superseded + superseded,
            self.awaits_publication,
        )


def unchanged(ledger: ReturnLedger, subject_id: str | None = None) -> Change:
    """The change that changes nothing: where a fold starts, and what a repeated command does."""
    return Change(ledger.order_id, ledger.revision, ledger, subject_id=subject_id)


def apply_command(
    facts: Facts, ledger: ReturnLedger, command: Command, *, effects_due_at: datetime | None = None
) -> Change:
    """
    What a command does to the ledger; timers leave its effects alone until `effects_due_at`.

    Raises:
        Rejected: it is refused; with everything that is wrong.
    """
    events = decide(facts, ledger, command)
    changed, events, effects = _fold(ledger, ledger.revision + 1, (), events, effects_due_at)
    subject_id = _subject_id(changed, command)
    return Change(ledger.order_id, ledger.revision, changed, events, effects, subject_id)


def apply_outcomes(
    ledger: ReturnLedger, outcomes: Iterable[Outcome], at: datetime, timing: Timing = DEFAULT_TIMING
) -> Change:
    """What the outcomes of effects do to the ledger; nothing for effects that are closed already."""
    return unchanged(ledger).then(record_outcomes(ledger, tuple(outcomes), at, timing))


def apply_lease(
    ledger: ReturnLedger,
    key: str,
    at: datetime,
    until: datetime,
    outcomes: Iterable[Outcome] = (),
    timing: Timing = DEFAULT_TIMING,
) -> Change:
    """
    The change that this effect is being sent, with these outcomes of others before it.

    Without the lease if another process is sending it.
    """
    change = apply_outcomes(ledger, outcomes, at, timing)
    return change.then(lease_effect(change.ledger, key, at, until))


def allow_again(ledger: ReturnLedger, subject_ids: Collection[str], at: datetime) -> Change:
    """The change that the stopped effects of these subjects may be tried again."""
    return unchanged(ledger).then(start_again(ledger, subject_ids, at))


def apply_overdue(ledger: ReturnLedger, return_id: str, at: datetime) -> Change:
    """The change that the goods of this return are overdue; nothing if they are not, or it is known."""
    return unchanged(ledger).then(record_overdue(ledger, return_id, at))


def apply_publication(ledger: ReturnLedger, through: int, at: datetime) -> Change:
    """The ledger remembering that events were published up to this revision."""
    return unchanged(ledger).then(record_publication(ledger, through, at))


def apply_archive(
    ledger: ReturnLedger, history: Iterable[Event], at: datetime, *, has_publisher: bool
) -> Change:
    """
    The change that removes the history of an order that is over; nothing if there is none to remove.

    Its `superseded` are all of these events up to the ledger's revision but those that opened something.

    Raises:
        Rejected: the order is not over; with everything that is not.
    """
    events, removed = archive_history(ledger, history, at, has_publisher=has_publisher)
    change = unchanged(ledger).then(events)
    return with_(change, superseded=tuple([(each.revision, each.number) for each in removed]))


def apply_redaction(
    ledger: ReturnLedger,
    history: Iterable[Event],
    groups: Iterable[PersonalField | str],
    at: datetime,
    *,
    by: str | None = None,
) -> tuple[Change, tuple[Event, ...]]:
    """
    The change that takes data about persons from all that is stored of an order, and its whole history then.

    A change without events if fields of these groups hold nothing.

    Raises:
        Rejected, InvalidValue: as `redact_order`.
    """
    before = tuple(history)
    change = unchanged(ledger).then(redact_order(ledger, before, groups, at, by=by))
    for event in change.events:
        assert isinstance(event, OrderRedacted), "nothing else is asked for"
        return change, (*[redacted(each, event.fields) for each in before], event)
    return change, before


def replay(order_id: str, events: Iterable[Event]) -> ReturnLedger:
    """
    The ledger rebuilt from its history, open effects included.

    After `HistoryArchived`, what was opened before is as it began, unless what it removed is here as well.

    Events of deliveries and publications may be left out, as they are not published, and the last ones may
    be missing: it is then the ledger of before. Of others that are missing, not all can be noticed.

    Raises:
        InvalidValue: `history_incomplete`: an event is about something that none of those before it opened.
    """
    folding = Folding(ReturnLedger(order_id))
    for event in events:
        folding.add(event)
        if event.subject_id not in {None, *[each.id for each in folding.subjects(event.header) if each]}:
            raise history_incomplete(f"what opened {event.subject_id}, before revision {event.revision}")
        folding.open(react(event), event.header.at, event.header.effects_due_at)
    return folding.ledger()


def _superseded_by(
    events: tuple[Event, ...], ledger: ReturnLedger, revision: int
) -> tuple[tuple[int, int], ...]:
    """The stored events (up to this revision) about deliveries that these events say more of."""
    found = []
    for event in events:
        if isinstance(event, DeliveryChanged) and (effect := ledger.open_effects.get(event.key)):
            place = effect.recorded_in
            if place is not None and place[0] <= revision:
                found.append(place)
    return tuple(found)


def _fold(
    ledger: ReturnLedger,
    revision: int,
    before: tuple[Event, ...],
    events: Iterable[Event],
    effects_due_at: datetime | None = None,
) -> tuple[ReturnLedger, tuple[Event, ...], tuple[Effect, ...]]:
    """The ledger after these events of one commit; they, after those before; and the effects they ask for."""
    folding, recorded, effects = Folding(ledger), list(before), list[Effect]()
    changed: dict[str, _Changed] = {}
    for number, event in enumerate(events, start=len(before) + 1):
        asked = react(event)
        numbered = _numbered(event, revision, number, effects_due_at if asked else None)
        subjects = folding.subjects(event.header)
        folding.add(numbered)
        moved: tuple[MoneyMoved, ...] = ()
        for had, has in zip(subjects, folding.subjects(event.header), strict=True):
            if has is not None and has is not had:
                first = changed[has.id].before if has.id in changed else had
                changed[has.id] = _Changed(first, has, len(recorded))
                moved += movements_between(had, has)
        if moved:
            numbered = with_(numbered, header=with_(numbered.header, moved=moved))
        recorded.append(numbered)
        folding.open(asked, event.at, effects_due_at)
        effects += asked
    _tell_grants(changed.values(), folding, recorded)
    return folding.ledger(), tuple(recorded), tuple(effects)


@frozen
class _Changed:
    """A return, exchange or claim that a commit changed, and the index of the last event that did."""

    before: Subject | None
    after: Subject
    last: int


def _tell_grants(changed: Iterable[_Changed], folding: Folding, recorded: list[Event]) -> None:
    """
    Tells with these events what was granted by them all.

    Between two of them the state may be one that is never stored, and nothing is granted by that.
    """
    for each in sorted(changed, key=lambda change: change.last):
        at = recorded[each.last].at
        grant = grant_between(each.before, each.after, folding.grants, at, folding.invoice_ids)
        if grant is not None:
            folding.grant((grant,))
            event = recorded[each.last]
            grants = (*event.header.grants, grant)
            recorded[each.last] = with_(event, header=with_(event.header, grants=grants))


def _subject_id(ledger: ReturnLedger, command: Command) -> str | None:
    """The id of what the command, done as the last in this ledger, was about."""
    match command:
        case RequestReturn() | ReceiveUnannounced():
            return ledger.returns[-1].id
        case RequestExchange():
            return ledger.exchanges[-1].id
        case RequestClaim():
            return ledger.claims[-1].id
        case _:
            return subject_of(command)


def _numbered(event: Event, revision: int, number: int, effects_due_at: datetime | None) -> Event:
    header = event.header
    if header.revision == revision and header.number == number and effects_due_at is None:
        return event  # the first event of a commit has its number already
    header = with_(header, revision=revision, number=number, effects_due_at=effects_due_at)
    return with_(event, header=header)
