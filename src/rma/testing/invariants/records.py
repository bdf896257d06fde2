"""Laws of records: history, store, effects, and published events."""

import re
from collections.abc import Iterator, Mapping

from rma.domain.change import replay
from rma.domain.events import GoodsReceived, OrderRedacted, ReturnCanceled, ReturnRequested
from rma.domain.messages.effects import MoneyRequest
from rma.domain.redaction import redacted
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.values.personal import PersonalField
from rma.shell.deliver import is_news
from rma.testing.invariants.snapshot import Snapshot

#: What any gateway takes as a key: Razorpay takes no other characters, Square no more than 45.
_FITS = re.compile("[A-Za-z0-9_-]+")
_LONGEST_REFUND_KEY = 45


def history_alone_rebuilds_the_ledger(snapshot: Snapshot) -> Iterator[str]:
    """Open effects included; with what was removed from it since the order was over."""
    events = snapshot.whole_history
    if replay(snapshot.order.id, events) != snapshot.ledger:
        yield f"{len(events)} events give another ledger than revision {snapshot.ledger.revision}"


def the_store_keeps_what_it_took(snapshot: Snapshot) -> Iterator[str]:
    """All of the last commit, and the events of every one."""
    if snapshot.ledger != snapshot.stored_ledger:
        revisions = snapshot.stored_ledger.revision, snapshot.ledger.revision
        yield "revision {} was stored, revision {} is loaded, and they differ".format(*revisions)
    if snapshot.history != snapshot.stored_events:
        counts = len(snapshot.stored_events), len(snapshot.history)
        yield "{} events were stored, {} are read, and they differ".format(*counts)


def the_store_refuses_what_is_stale(snapshot: Snapshot) -> Iterator[str]:
    """Of two processes that change the same revision, one has to decide again."""
    if snapshot.stale:
        yield f"changes of revisions {snapshot.stale} were stored over others"


def the_order_version_counts_what_the_customer_notices(snapshot: Snapshot) -> Iterator[str]:
    """Requests, receipts and cancellations."""
    changes = sum(
        isinstance(event, ReturnRequested | GoodsReceived | ReturnCanceled)
        for event in snapshot.whole_history
    )
    if snapshot.order_version != snapshot.order.version + changes:
        yield f"{snapshot.order_version}, not {snapshot.order.version} and {changes} changes"


def every_event_is_published_in_order(snapshot: Snapshot) -> Iterator[str]:
    """Each that the ledger calls published reached the publisher, as it is in the history."""
    published = [event for event in snapshot.published.values() if event.order_id == snapshot.order.id]
    places = [(event.revision, event.number) for event in published]
    if places != sorted(places):
        yield f"out of order: {places}"
    news = [event for event in snapshot.whole_history if is_news(event)]
    if any(isinstance(event, OrderRedacted) for event in news):  # what was published before has its words
        published = [redacted(event, tuple(PersonalField)) for event in published]
        news = [redacted(event, tuple(PersonalField)) for event in news]
    if published != news[: len(published)]:
        yield f"{[event.event_id for event in published]} is not how the history begins"
    missing = [
        event.event_id for event in news[len(published) :] if event.revision <= snapshot.ledger.published
    ]
    if missing:
        yield f"never published: {missing}"


def each_open_effect_belongs_to_a_fact(snapshot: Snapshot) -> Iterator[str]:
    """It is under its own key, and a refund is in its return."""
    refunds = {refund.key for refund in snapshot.ledger.refunds}
    for key, effect in snapshot.ledger.open_effects.items():
        if key != effect.request.key:
            yield f"{effect.request.key} is open under {key}"
        if isinstance(effect.request, MoneyRequest) and key not in refunds:
            yield f"{key} is a refund of no return"


def every_key_fits_any_gateway(snapshot: Snapshot) -> Iterator[str]:
    """Letters, digits, `_` and `-` only, and at most 45 of them for a refund."""
    for effect in snapshot.requested:
        if not _FITS.fullmatch(effect.key):
            yield f"{effect.key}: not every gateway takes its characters"
        if isinstance(effect, MoneyRequest) and len(effect.key) > _LONGEST_REFUND_KEY:
            yield f"{effect.key}: {len(effect.key)} characters, more than {_LONGEST_REFUND_KEY}"


def changed_by_a_repeat(before: Mapping[str, ReturnLedger], after: Mapping[str, ReturnLedger]) -> list[str]:
    """Ids of the orders to which more happened than that what was outstanding went out."""
    return [
        order_id
        for order_id, now in after.items()
        if (now.changes, now.answered) != (before[order_id].changes, before[order_id].answered)
        or _ids(now) != _ids(before[order_id])
        or (now != before[order_id] and not _has_outstanding(before[order_id]))
    ]


def _has_outstanding(ledger: ReturnLedger) -> bool:
    return bool(ledger.open_effects) or ledger.published < ledger.revision


def _ids(ledger: ReturnLedger) -> list[str]:
    owners: list[Subject] = [*ledger.returns, *ledger.exchanges, *ledger.claims]
    return [each.id for each in owners]
