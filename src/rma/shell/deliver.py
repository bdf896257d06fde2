"""
Outstanding effects go to their ports, and what the ports answer goes into the ledger: the only loop.

Nothing here raises for a port or a store that fails: the command was committed before, its effects stay
open under their keys, and the next `resume` sends them again.
"""

import logging
from collections.abc import Callable, Collection
from types import UnionType
from typing import TypeVar, assert_never

from rma.async_ports import AsyncEventPublisher, AsyncFulfillment, Host
from rma.domain.change import Change, apply_lease, apply_outcomes, apply_publication
from rma.domain.events import EffectsAttempted, EffectsLeased, Event, EventsPublished
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    Done,
    Effect,
    GivenUp,
    OpenEffect,
    Outcome,
    RefundOutcome,
    RefundRequest,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    Unknown,
    WithdrawRequest,
)
from rma.domain.messages.gateways import Action, Gateway, Idempotent, NotIdempotent, lease_of, next_step
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue
from rma.ports import EventPublisher, Fulfillment
from rma.shell.commit import committed
from rma.shell.driver import Steps

#: How much of what a port raised is kept with its effect; the log has it all.
LONGEST_ERROR = 200

_log = logging.getLogger("rma")
T = TypeVar("T")


def delivered(ledger: ReturnLedger, host: Host, subject_id: str | None = None) -> Steps[ReturnLedger]:
    """
    The ledger after its open effects were tried once, in their order: all, or those of one subject.

    A subject is a return, an exchange or a claim, with what belongs to it. Effects that wait for another
    are tried as soon as that one is settled.
    """
    try:
        tried: set[str] = set()
        while ledger.open_effects and (due := _due(ledger, host, subject_id, besides=tried)):
            tried.update([each.request.key for each in due])
            ledger = yield from _tried(ledger, host, due)
        return ledger if host.events is None else (yield from _published(ledger, host, host.events))
    except Exception:
        # The command was committed before; what is not recorded stays open and repeats under its key.
        _log.warning("order %s: outcomes not stored, again later", ledger.order_id, exc_info=True)
        return ledger


def _due(
    ledger: ReturnLedger, host: Host, subject_id: str | None, besides: Collection[str]
) -> list[OpenEffect]:
    now = host.clock()
    owners = None if subject_id is None else ledger.related(subject_id)
    return [
        each
        for key, each in ledger.open_effects.items()
        if key not in besides
        and (owners is None or each.owner_id in owners)
        and each.waits_for not in ledger.open_effects
        and each.is_due(now)
    ]


def _tried(ledger: ReturnLedger, host: Host, due: list[OpenEffect]) -> Steps[ReturnLedger]:
    """The ledger with what came of these effects; some may turn out to be somebody else's."""
    now, gateway = host.clock(), _gateway_of(host)
    find_refund = getattr(host.payments, "find_refund", None)
    outcomes: dict[str, Outcome] = {}
    to_lease = []
    for each in due:
        key = each.request.key
        step = next_step(each, gateway, can_look_up=find_refund is not None, now=now)
        if step is Action.GIVE_UP:
            outcomes[key] = Outcome(key, GivenUp(each.last_error or "unknown outcome"))
        if (
            step is Action.LOOK_UP
            and (answer := (yield from _looked_up(each.request, find_refund))) is not None
        ):
            outcomes[key] = answer
        elif step in (Action.LOOK_UP, Action.LEASE_AND_SEND):
            to_lease.append(key)
    if to_lease:
        until = now + lease_of(gateway)
        change = yield from _stored(ledger, host, lambda state: apply_lease(state, to_lease, now, until))
        leases = [event for event in change.events if isinstance(event, EffectsLeased)]
        ours = {key for event in leases for key in event.keys}
        left_alone = set(to_lease) - ours  # another process was faster
        due = [each for each in due if each.request.key not in left_alone]
        ledger = change.ledger
    for each in due:
        if each.request.key not in outcomes:
            outcomes[each.request.key] = yield from _sent(each.request, host)
    return (yield from _recorded(ledger, host, tuple(outcomes.values())))


def _looked_up(effect: Effect, find_refund: Callable[[str], object] | None) -> Steps[Outcome | None]:
    """What a look-up says; None if it says that there is no such refund."""
    try:
        answer: RefundOutcome | None = (yield find_refund(effect.key)) if find_refund else None
        return None if answer is None else Outcome(effect.key, _answered(answer, RefundOutcome))
    except Exception as error:
        return _unknown(effect, error)


def _sent(effect: Effect, host: Host) -> Steps[Outcome]:
    try:
        return Outcome(effect.key, _result(effect, (yield _asked(effect, host))))
    except Exception as error:  # whatever a port raises: nobody knows whether it acted
        if isinstance(effect, RefundRequest) and isinstance(_gateway_of(host), NotIdempotent):
            _log.warning("%s: %s; somebody must look", effect.key, error, exc_info=True)
            return Outcome(effect.key, GivenUp(_short(error)))
        return _unknown(effect, error)


def _asked(effect: Effect, host: Host) -> object:
    """What the port says to this request, or something to await for it."""
    match effect:
        case RefundRequest():
            return host.payments.refund(effect)
        case RestockRequest():
            return host.inventory.restock(effect)
        case WithdrawRequest():
            return host.inventory.withdraw(effect)
        case ReturnShipmentRequest():
            return _carrier_of(host).book_return(effect)
        case ReplacementRequest():
            return _carrier_of(host).ship_replacement(effect)
        case CancelShipmentRequest():
            return _carrier_of(host).cancel_return(effect)
        case _:
            assert_never(effect)


def _result(effect: Effect, answer: object) -> RefundOutcome | ReturnShipment | ReplacementShipment | Done:
    match effect:
        case RefundRequest():
            return _answered(answer, RefundOutcome)
        case ReturnShipmentRequest():
            return _answered(answer, ReturnShipment)
        case ReplacementRequest():
            return _answered(answer, ReplacementShipment)
        case _:
            return Done()


def _gateway_of(host: Host) -> Gateway:
    """What the payments adapter declares; keyed if nothing."""
    declared: Gateway = getattr(host.payments, "gateway", Idempotent())
    return declared


def _carrier_of(host: Host) -> Fulfillment | AsyncFulfillment:
    if host.fulfillment is None:
        raise LookupError("a shipment was asked for, but no fulfillment is configured any more")
    return host.fulfillment


def _recorded(ledger: ReturnLedger, host: Host, outcomes: tuple[Outcome, ...]) -> Steps[ReturnLedger]:
    """The ledger with these outcomes; one that can not be stored does not hold up the others."""
    try:
        return (
            yield from _stored(ledger, host, lambda state: apply_outcomes(state, outcomes, host.clock()))
        ).ledger
    except InvalidValue as error:
        if len(outcomes) > 1:
            for each in outcomes:
                ledger = yield from _recorded(ledger, host, (each,))
            return ledger
        (outcome,) = outcomes
        unknown = (_unknown(ledger.open_effects[outcome.key].request, error),)
        return (
            yield from _stored(ledger, host, lambda state: apply_outcomes(state, unknown, host.clock()))
        ).ledger


def _published(
    ledger: ReturnLedger, host: Host, events: EventPublisher | AsyncEventPublisher
) -> Steps[ReturnLedger]:
    """The ledger after every event that no publisher took yet was handed to it, in order."""
    if ledger.published >= ledger.revision:
        return ledger
    through = ledger.revision
    history: tuple[Event, ...] = yield host.returns.history(ledger.order_id)
    for event in history:
        if event.revision <= ledger.published or not is_news(event):
            continue
        try:
            yield events.publish(event.event_id, event)
        except Exception:
            _log.warning("%s: not published, again later", event.event_id, exc_info=True)
            through = event.revision - 1
            break
    return (
        yield from _stored(ledger, host, lambda state: apply_publication(state, through, host.clock()))
    ).ledger


def _stored(ledger: ReturnLedger, host: Host, change_of: Callable[[ReturnLedger], Change]) -> Steps[Change]:
    """This change, committed; the ledger is read again only if somebody else changed it meanwhile."""

    def retry() -> "Steps[Change]":  # a text, or it would be evaluated for each commit
        return change_of((yield host.returns.load(ledger.order_id)))

    return committed(change_of(ledger), host, retry)


def is_news(event: Event) -> bool:
    """True unless the event says only that publishing went on, or that ports did not answer."""
    match event:
        case EventsPublished() | EffectsLeased():
            return False
        case EffectsAttempted(outcomes=outcomes):
            return not all(outcome.is_open for outcome in outcomes)
        case _:
            return True


def _unknown(effect: Effect, error: Exception) -> Outcome:
    _log.warning("%s: %s; it stays open", effect.key, error, exc_info=True)
    return Outcome(effect.key, Unknown(_short(error)))


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST_ERROR]


def _answered(answer: object, expected: type[T] | UnionType) -> T:
    if not isinstance(answer, expected):  # a port that is not typed may answer anything
        raise TypeError(f"a port answered {answer!r}")
    return answer
