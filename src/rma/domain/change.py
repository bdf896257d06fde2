"""
What one commit stores: events folded into the ledger, with the effects they ask for.

Here decide, evolve and react meet; they do not know each other.
"""

from collections.abc import Iterable
from datetime import datetime

from attrs import evolve as with_
from attrs import frozen

from rma.domain.decide import decide, lease_effects, record_outcomes, record_publication
from rma.domain.decide.facts import Facts
from rma.domain.events import Event
from rma.domain.evolve import evolve
from rma.domain.messages.commands import Command, RequestClaim, RequestExchange, RequestReturn, subject_of
from rma.domain.messages.effects import Effect, Outcome
from rma.domain.react import react
from rma.domain.state.ledger import ReturnLedger


@frozen
class Change:
    """
    A new state of one order's ledger and the events that led to it; one atomic commit stores it.

    Attributes:
        expected_revision: that the stored ledger must have, or the commit is refused as stale.
        ledger: afterwards.
        events: what happened, in order. Without events a change is a no-op.
        effects: what the events ask of ports; the ledger has them as open.
        subject_id: the return, exchange or claim that the command was about; None where no command caused
            the change.
    """

    order_id: str
    expected_revision: int
    ledger: ReturnLedger
    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()
    subject_id: str | None = None

    def then(self, events: Iterable[Event]) -> "Change":
        """This change with further events on top, in the same commit."""
        ledger, recorded, effects = _fold(self.ledger, self.expected_revision + 1, self.events, events)
        return Change(
            self.order_id,
            self.expected_revision,
            ledger,
            recorded,
            self.effects + effects,
            self.subject_id,
        )


def unchanged(ledger: ReturnLedger, subject_id: str | None = None) -> Change:
    """The change that changes nothing: where a fold starts, and what a repeated command does."""
    return Change(ledger.order_id, ledger.revision, ledger, subject_id=subject_id)


def apply_command(facts: Facts, ledger: ReturnLedger, command: Command) -> Change:
    """
    What a command does to the ledger.

    Raises:
        Rejected: it is refused; with everything that is wrong.
    """
    changed, events, effects = _fold(ledger, ledger.revision + 1, (), decide(facts, ledger, command))
    subject_id = _subject_id(changed, command)
    return Change(ledger.order_id, ledger.revision, changed, events, effects, subject_id)


def apply_outcomes(ledger: ReturnLedger, outcomes: Iterable[Outcome], at: datetime) -> Change:
    """What the outcomes of effects do to the ledger; nothing for effects that are closed already."""
    return unchanged(ledger).then(record_outcomes(ledger, tuple(outcomes), at))


def apply_lease(ledger: ReturnLedger, keys: Iterable[str], at: datetime, until: datetime) -> Change:
    """The change that these effects are being sent; those that another process has leased are left out."""
    return unchanged(ledger).then(lease_effects(ledger, tuple(keys), at, until))


def apply_publication(ledger: ReturnLedger, through: int, at: datetime) -> Change:
    """The ledger remembering that events were published up to this revision."""
    return unchanged(ledger).then(record_publication(ledger, through, at))


def replay(order_id: str, events: Iterable[Event]) -> ReturnLedger:
    """The ledger rebuilt from its history, open effects included."""
    ledger = ReturnLedger(order_id)
    for event in events:
        ledger = evolve(ledger, event).with_open_effects(react(event), event.at)
    return ledger


def _fold(
    ledger: ReturnLedger, revision: int, before: tuple[Event, ...], events: Iterable[Event]
) -> tuple[ReturnLedger, tuple[Event, ...], tuple[Effect, ...]]:
    """The ledger after these events of one commit; they, after those before; and the effects they ask for."""
    recorded, effects = list(before), list[Effect]()
    for number, event in enumerate(events, start=len(before) + 1):
        recorded.append(_numbered(event, revision, number))
        asked = react(recorded[-1])
        ledger = evolve(ledger, recorded[-1]).with_open_effects(asked, event.at)
        effects += asked
    return ledger, tuple(recorded), tuple(effects)


def _subject_id(ledger: ReturnLedger, command: Command) -> str | None:
    """The id of what the command, done as the last in this ledger, was about."""
    match command:
        case RequestReturn():
            return ledger.returns[-1].id
        case RequestExchange():
            return ledger.exchanges[-1].id
        case RequestClaim():
            return ledger.claims[-1].id
        case _:
            return subject_of(command)


def _numbered(event: Event, revision: int, number: int) -> Event:
    if event.header.revision == revision and event.header.number == number:
        return event  # the first event of a commit has its number already
    return with_(event, header=with_(event.header, revision=revision, number=number))
