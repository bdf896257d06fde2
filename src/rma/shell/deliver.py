"""
Delivers open effects to their ports and records in the ledger what the ports answered.

Nothing here raises for a port or a store that fails: the command was committed before, its effects stay
open under their keys, and a later `resume` sends them again.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from attrs import evolve

from rma.async_ports import AsyncEventPublisher, Host
from rma.domain.change import Change, apply_lease, apply_outcomes, apply_publication
from rma.domain.events import DeliveryChanged, Event, EventsPublished, HistoryArchived, KnownOutcomeReported
from rma.domain.messages.advance import (
    ChargePending,
    ChargeRequest,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
)
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    Deferred,
    DisposeRequest,
    GivenUp,
    MoneyRequest,
    NoRoom,
    NotSent,
    OpenEffect,
    Outcome,
    Overdue,
    RefundPending,
    RefundRequest,
    RestockRequest,
    Unknown,
    WithdrawRequest,
)
from rma.domain.messages.gateways import Action, Gateway, NotIdempotent, lease_of, next_step
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue, Unavailable
from rma.domain.values.money import Money
from rma.observing import EffectDelivered, EffectFailed, PublishingFailed, StoringFailed, words_of
from rma.ports import EventPublisher
from rma.shell.asking import (
    FailingPorts,
    LookUp,
    NothingSentError,
    Result,
    ask,
    checked,
    gateway_of,
    look_up_of,
    port_of,
    timing_of,
)
from rma.shell.commit import commit_change
from rma.shell.driver import call
from rma.shell.facts import now
from rma.shell.observe import tell, tell_attention

#: How much of what a port raised is kept with its effect; the observer sees it all.
LONGEST_ERROR = 200


async def deliver(
    ledger: ReturnLedger,
    host: Host,
    subject_id: str | None = None,
    *,
    fresh: Collection[str] = (),
    failing: FailingPorts | None = None,
) -> ReturnLedger:
    """
    Tries open effects once, in their order, and returns the ledger with their outcomes recorded.

    A timer tries what is due. With a `subject_id`, a client or a person asks for this return, exchange or
    claim and what belongs to it: everything of it that no other process is sending is tried now. Effects that
    wait for another are tried as soon as the outcome of that one is recorded. `fresh` are the keys that the
    command itself just committed: nothing can have changed for them since it was decided. `failing` counts
    how long ports failed in a timer's pass, so that one of them does not hold up the others.
    """
    try:
        tried: set[str] = set()
        while ledger.open_effects and (due := _due(ledger, host, subject_id, besides=tried)):
            tried.update([each.request.key for each in due])
            ledger = await _try(ledger, host, due, fresh, failing)
        if host.events is None or (failing and failing.leaves_alone("events")):
            return ledger
        return await _publish(ledger, host, host.events, failing)
    except Exception as error:
        # The command was committed before; what is not recorded stays open and repeats under its key.
        tell(host, StoringFailed(order_id=ledger.order_id, error=error))
        return ledger


def _due(
    ledger: ReturnLedger, host: Host, subject_id: str | None, besides: Collection[str]
) -> list[OpenEffect]:
    at = now(host)
    owners = None if subject_id is None else ledger.related(subject_id)
    return [
        each
        for key, each in ledger.open_effects.items()
        if key not in besides
        and (each.is_due(at) if owners is None else each.owner_id in owners and each.is_free(at))
        and ledger.waits_for(each) is None
    ]


async def _try(
    ledger: ReturnLedger,
    host: Host,
    due: Sequence[OpenEffect],
    fresh: Collection[str],
    failing: FailingPorts | None,
) -> ReturnLedger:
    """
    Tries these effects one after the other, except those that another process turns out to be sending.

    Outcomes are recorded together, but before the next lease begins: a lease is for one call, and nothing
    that was answered before it waits for its end.
    """
    outcomes: list[Outcome] = []
    for each in due:
        if failing and failing.leaves_alone(port_of(each.request)):
            outcomes.append(Outcome(each.request.key, Deferred()))
            continue
        started_at = now(host) if failing else None
        gateway, look_up = gateway_of(each.request, host), look_up_of(each.request, host)
        step = next_step(each, gateway, can_look_up=look_up is not None, now=now(host))
        outcome = await _known(each, step, look_up, host)
        if outcome is None and each.request.key not in fresh:
            outcome = await _without_room(each, ledger, host)
            if next_step(each, gateway, can_look_up=look_up is not None, now=now(host)) is not step:
                continue  # looking took so long that something else is right now: the next pass does it
        deadline: datetime | None = None
        if outcome is None and step is not Action.SEND:
            ledger, deadline = await _lease(each, gateway, ledger, host, outcomes)
            outcomes = []
            if deadline is None:
                continue
        if outcome is None:
            outcome = await _send(each, gateway, host, deadline, is_first=each.request.key in fresh)
        outcomes.append(outcome)
        if failing and started_at and isinstance(outcome.result, Unknown | NotSent | GivenUp):
            failing.add(port_of(each.request), now(host) - started_at)
    return await _record(ledger, host, outcomes)


async def _known(effect: OpenEffect, step: Action, look_up: LookUp | None, host: Host) -> Outcome | None:
    """The outcome without sending it; None if it is to be sent."""
    key, delivery = effect.request.key, effect.delivery
    if step is Action.GIVE_UP:
        return Outcome(key, GivenUp(delivery.last_error or "unknown outcome"))
    found: Outcome | None = None
    if step is Action.LOOK_UP and look_up is not None:
        found = await _look_up(effect, look_up, host)
    is_open = found is None or isinstance(found.result, RefundPending | ChargePending | Unknown)
    if delivery.pending_since is None or not is_open:
        return found
    # The gateway has it, even if it does not find it or answer now: it is never sent again.
    if host.timing.is_overdue(effect, now(host)):
        return Outcome(key, Overdue(delivery.pending_since))
    is_charge = isinstance(effect.request, ChargeRequest)
    return found or Outcome(key, ChargePending() if is_charge else RefundPending())


async def _look_up(effect: OpenEffect, look_up: LookUp, host: Host) -> Outcome | None:
    """Asks the adapter for the outcome; None if it says that it knows of nothing under this key."""
    try:
        answer = await call(look_up(effect.request))
        return None if answer is None else _delivered(effect, checked(answer, effect.request), host)
    except Exception as error:
        return Outcome(effect.request.key, Unknown(_failed(effect, error, host)))


async def _without_room(effect: OpenEffect, ledger: ReturnLedger, host: Host) -> Outcome | None:
    """
    Why a refund that leaves later than with its command must not be sent; None if it may be.

    Meanwhile the payment may have been charged back, or refunded without us.
    """
    request = effect.request
    if not isinstance(request, MoneyRequest):
        return None
    if ledger.is_extra(request.key):  # it is no one's money but the merchant's
        return None
    try:
        order = await call(host.orders.get(request.order_id))
    except Exception as error:
        return Outcome(request.key, Unknown(_failed(effect, error, host)))
    payment_id = request.payment_id if isinstance(request, RefundRequest) else None
    left = ledger.left_of_payment(order, payment_id, besides=request.key)
    if request.amount.amount <= left:
        return None
    return Outcome(request.key, NoRoom(request.amount, Money(left, request.amount.currency)))


async def _lease(
    effect: OpenEffect, gateway: Gateway, ledger: ReturnLedger, host: Host, outcomes: list[Outcome]
) -> tuple[ReturnLedger, datetime | None]:
    """
    The ledger with these outcomes and, in the same commit, this effect leased; and when the lease ends.

    That is None if another process is sending the effect, or if the commit took as long as the lease.
    """
    at = now(host)
    key, until = effect.request.key, at + lease_of(gateway)

    def recorded_and_leased(state: ReturnLedger) -> Change:
        return apply_lease(state, key, at, until, outcomes, timing_of(host))

    try:
        change = await _commit(ledger, host, recorded_and_leased)
    except InvalidValue:  # one of the outcomes cannot be stored
        ledger = await _record(ledger, host, outcomes)
        change = await _commit(ledger, host, lambda state: apply_lease(state, key, at, until))
    leases = [each for each in change.events if isinstance(each, DeliveryChanged) and each.key == key]
    return change.ledger, until if leases and now(host) < until else None


async def _send(
    effect: OpenEffect, gateway: Gateway, host: Host, deadline: datetime | None, *, is_first: bool
) -> Outcome:
    """Asks the port; any exception means that the outcome is unknown."""
    request = effect.request
    match request:
        case (
            RestockRequest()
            | WithdrawRequest()
            | DisposeRequest()
            | CancelShipmentRequest()
            | ReserveRequest()
            | ReleaseReservationRequest()
            | ReleaseRequest()
        ):
            pass  # their ports are keyed
        case _ if deadline is not None:
            request = evolve(request, deadline=deadline)
        case _:
            pass
    try:
        return _delivered(effect, await ask(request, host), host)
    except NothingSentError as error:
        return Outcome(request.key, NotSent(_failed(effect, error, host), is_first))
    except Exception as error:
        words = _failed(effect, error, host)
        is_final = isinstance(gateway, NotIdempotent)
        return Outcome(effect.request.key, GivenUp(words) if is_final else Unknown(words))


def _delivered(effect: OpenEffect, result: Result, host: Host) -> Outcome:
    request = effect.request
    signal = EffectDelivered(
        order_id=request.order_id,
        subject_id=effect.owner_id,
        key=request.key,
        effect=type(request).__name__,
        attempt=effect.delivery.attempts + 1,
    )
    tell(host, signal)
    return Outcome(request.key, result)


def _failed(effect: OpenEffect, error: Exception, host: Host) -> str:
    """What is kept of the error."""
    request = effect.request
    signal = EffectFailed(
        order_id=request.order_id,
        subject_id=effect.owner_id,
        key=request.key,
        effect=type(request).__name__,
        attempt=effect.delivery.attempts + 1,
        error=error,
    )
    tell(host, signal)
    return f"{type(error).__name__}: {words_of(error)}"[:LONGEST_ERROR]


async def _record(ledger: ReturnLedger, host: Host, outcomes: Sequence[Outcome]) -> ReturnLedger:
    """Commits these outcomes; one that cannot be stored does not hold up the others."""

    def recorded(state: ReturnLedger) -> Change:
        return apply_outcomes(state, outcomes, now(host), timing_of(host))

    try:
        return (await _commit(ledger, host, recorded)).ledger
    except Unavailable:
        # An answer is precious: a gateway without keys gives it once. The connection may have been dead.
        fresh = await call(host.returns.load(ledger.order_id))
        return (await _commit(fresh, host, recorded)).ledger
    except InvalidValue as error:
        if len(outcomes) > 1:
            for each in outcomes:
                ledger = await _record(ledger, host, (each,))
            return ledger
        (outcome,) = outcomes
        words = _failed(ledger.open_effects[outcome.key], error, host)
        return await _record(ledger, host, (Outcome(outcome.key, Unknown(words)),))


async def _publish(
    ledger: ReturnLedger,
    host: Host,
    events: EventPublisher | AsyncEventPublisher,
    failing: FailingPorts | None,
) -> ReturnLedger:
    """Publishes every event that no publisher took yet, in order."""
    if ledger.published >= ledger.revision:
        return ledger
    through = ledger.revision
    history = await call(host.returns.history(ledger.order_id))
    for event in history:
        if event.revision <= ledger.published or not is_news(event):
            continue
        started_at = now(host) if failing else None
        try:
            await call(events.publish(event.event_id, event))
        except Exception as error:
            if failing and started_at:
                failing.add("events", now(host) - started_at)
            tell(host, PublishingFailed(order_id=event.order_id, event_id=event.event_id, error=error))
            through = event.revision - 1
            break
    change = await _commit(ledger, host, lambda state: apply_publication(state, through, now(host)))
    return change.ledger


async def _commit(ledger: ReturnLedger, host: Host, change_of: Callable[[ReturnLedger], Change]) -> Change:
    """Commits this change, and tells what needs attention because of it."""
    change = await commit_change(ledger.order_id, host, change_of, ledger)
    tell_attention(host, change)
    return change


def is_news(event: Event) -> bool:
    """
    True unless it says only what the library did: published, archived, or tried to deliver an effect; or that
    an outcome was reported that was known.
    """
    match event:
        case EventsPublished() | HistoryArchived() | KnownOutcomeReported():
            return False
        case DeliveryChanged(is_newly_stuck=is_newly_stuck):
            return is_newly_stuck
        case _:
            return True
