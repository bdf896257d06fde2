"""
Delivers open effects to their ports and records in the ledger what the ports answered.

Nothing here raises for a port or a store that fails: the command was committed before, its effects stay
open under their keys, and the next `resume` sends them again.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
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
from rma.shell.commit import commit_with_retry
from rma.shell.driver import call
from rma.shell.facts import now

#: How much of what a port raised is kept with its effect; the log has it all.
LONGEST_ERROR = 200

_log = logging.getLogger("rma")
T = TypeVar("T")

#: How a payments adapter is asked for a refund by its key, if it can be.
FindRefund = Callable[[str], Awaitable[RefundOutcome | None] | RefundOutcome | None]

#: What ended an effect well, or how its refund ended.
Result = RefundOutcome | ReturnShipment | ReplacementShipment | Done


async def deliver(ledger: ReturnLedger, host: Host, subject_id: str | None = None) -> ReturnLedger:
    """
    Tries open effects once, in their order, and returns the ledger with their outcomes recorded.

    With a `subject_id`: only those of this return, exchange or claim and of what belongs to it. Effects that
    wait for another are tried as soon as the outcome of that one is recorded.
    """
    try:
        tried: set[str] = set()
        while ledger.open_effects and (due := _due(ledger, host, subject_id, besides=tried)):
            tried.update([each.request.key for each in due])
            ledger = await _try(ledger, host, due)
        return ledger if host.events is None else await _publish(ledger, host, host.events)
    except Exception:
        # The command was committed before; what is not recorded stays open and repeats under its key.
        _log.warning("order %s: outcomes not stored, again later", ledger.order_id, exc_info=True)
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
        and (owners is None or each.owner_id in owners)
        and each.waits_for not in ledger.open_effects
        and each.is_due(at)
    ]


async def _try(ledger: ReturnLedger, host: Host, due: list[OpenEffect]) -> ReturnLedger:
    """Tries these effects, except those that another process turns out to be sending."""
    at, gateway = now(host), _gateway_of(host)
    find_refund: FindRefund | None = getattr(host.payments, "find_refund", None)
    outcomes: dict[str, Outcome] = {}
    to_lease = []
    for each in due:
        key = each.request.key
        step = next_step(each, gateway, can_look_up=find_refund is not None, now=at)
        if step is Action.GIVE_UP:
            outcomes[key] = Outcome(key, GivenUp(each.last_error or "unknown outcome"))
        if (
            step is Action.LOOK_UP
            and find_refund is not None
            and (outcome := await _look_up(each.request, find_refund)) is not None
        ):
            outcomes[key] = outcome
        elif step in (Action.LOOK_UP, Action.LEASE_AND_SEND):
            to_lease.append(key)
    if to_lease:
        until = at + lease_of(gateway)
        change = await _commit(ledger, host, lambda state: apply_lease(state, to_lease, at, until))
        leases = [event for event in change.events if isinstance(event, EffectsLeased)]
        ours = {key for event in leases for key in event.keys}
        left_alone = set(to_lease) - ours  # another process was faster
        due = [each for each in due if each.request.key not in left_alone]
        ledger = change.ledger
    for each in due:
        if each.request.key not in outcomes:
            outcomes[each.request.key] = await _send(each.request, host)
    return await _record(ledger, host, tuple(outcomes.values()))


async def _look_up(effect: Effect, find_refund: FindRefund) -> Outcome | None:
    """Asks the gateway for the outcome; None if it says that there is no such refund."""
    try:
        answer = await call(find_refund(effect.key))
        return None if answer is None else Outcome(effect.key, _checked(answer, RefundOutcome))
    except Exception as error:
        return _unknown(effect, error)


async def _send(effect: Effect, host: Host) -> Outcome:
    """Asks the port; any exception means that the outcome is unknown."""
    try:
        return Outcome(effect.key, await _ask(effect, host))
    except Exception as error:
        if isinstance(effect, RefundRequest) and isinstance(_gateway_of(host), NotIdempotent):
            _log.warning("%s: %s; needs attention", effect.key, error, exc_info=True)
            return Outcome(effect.key, GivenUp(_short(error)))
        return _unknown(effect, error)


async def _ask(effect: Effect, host: Host) -> Result:
    match effect:
        case RefundRequest():
            return _checked(await call(host.payments.refund(effect)), RefundOutcome)
        case RestockRequest():
            await call(host.inventory.restock(effect))
            return Done()
        case WithdrawRequest():
            await call(host.inventory.withdraw(effect))
            return Done()
        case ReturnShipmentRequest():
            return _checked(await call(_carrier_of(host).book_return(effect)), ReturnShipment)
        case ReplacementRequest():
            return _checked(await call(_carrier_of(host).ship_replacement(effect)), ReplacementShipment)
        case CancelShipmentRequest():
            await call(_carrier_of(host).cancel_return(effect))
            return Done()
        case _:
            assert_never(effect)


def _gateway_of(host: Host) -> Gateway:
    """What the payments adapter declares; `Idempotent` if nothing."""
    declared: Gateway = getattr(host.payments, "gateway", Idempotent())
    return declared


def _carrier_of(host: Host) -> Fulfillment | AsyncFulfillment:
    if host.fulfillment is None:
        raise LookupError("a shipment was asked for, but no fulfillment is configured any more")
    return host.fulfillment


async def _record(ledger: ReturnLedger, host: Host, outcomes: tuple[Outcome, ...]) -> ReturnLedger:
    """Commits these outcomes; one that cannot be stored does not hold up the others."""
    try:
        change = await _commit(ledger, host, lambda state: apply_outcomes(state, outcomes, now(host)))
    except InvalidValue as error:
        if len(outcomes) > 1:
            for each in outcomes:
                ledger = await _record(ledger, host, (each,))
            return ledger
        (outcome,) = outcomes
        unknown = (_unknown(ledger.open_effects[outcome.key].request, error),)
        change = await _commit(ledger, host, lambda state: apply_outcomes(state, unknown, now(host)))
    return change.ledger


async def _publish(
    ledger: ReturnLedger, host: Host, events: EventPublisher | AsyncEventPublisher
) -> ReturnLedger:
    """Publishes every event that no publisher took yet, in order."""
    if ledger.published >= ledger.revision:
        return ledger
    through = ledger.revision
    history = await call(host.returns.history(ledger.order_id))
    for event in history:
        if event.revision <= ledger.published or not is_news(event):
            continue
        try:
            await call(events.publish(event.event_id, event))
        except Exception:
            _log.warning("%s: not published, again later", event.event_id, exc_info=True)
            through = event.revision - 1
            break
    change = await _commit(ledger, host, lambda state: apply_publication(state, through, now(host)))
    return change.ledger


async def _commit(ledger: ReturnLedger, host: Host, change_of: Callable[[ReturnLedger], Change]) -> Change:
    """Commits this change; the ledger is loaded again only if another writer was faster."""

    async def retry() -> Change:
        return change_of(await call(host.returns.load(ledger.order_id)))

    return await commit_with_retry(change_of(ledger), host, retry)


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


def _checked(answer: object, expected: type[T] | UnionType) -> T:
    if not isinstance(answer, expected):  # a port that is not typed may answer anything
        raise TypeError(f"a port answered {answer!r}")
    return answer
