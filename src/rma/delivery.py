"""
Outstanding effects go to their ports, and what the ports answer goes into the ledger: the only loop.

Nothing here raises for a port or a store that fails: the command was committed before, its effects stay
open under their keys, and the next `resume` sends them again.
"""

import logging
from collections.abc import Callable
from types import UnionType
from typing import TypeVar, assert_never

from attrs import frozen

from rma.committing import committed
from rma.domain.change import Change, lease, publication, settlement
from rma.domain.effects import (
    CancelShipmentRequest,
    Done,
    Effect,
    GivenUp,
    OpenEffect,
    Outcome,
    RefundOutcome,
    RefundRequest,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    Unknown,
    WithdrawRequest,
)
from rma.domain.errors import InvalidValue
from rma.domain.events import EffectsLeased, EffectsSettled, Event, EventsPublished
from rma.domain.gateways import Gateway, Keyed, Step, Unkeyed, lease_of, next_step
from rma.domain.ledger import ReturnLedger
from rma.ports import Clock, EventPublisher, Fulfillment, Inventory, Payments, ReturnRepository

#: How much of what a port raised is kept with its effect; the log has it all.
LONGEST_ERROR = 200

_log = logging.getLogger("rma")
T = TypeVar("T")


@frozen
class Delivery:
    """Takes what a ledger has outstanding to the outside."""

    returns: ReturnRepository
    payments: Payments
    inventory: Inventory
    fulfillment: Fulfillment | None
    events: EventPublisher | None
    clock: Clock

    def __call__(self, ledger: ReturnLedger, return_id: str | None = None) -> ReturnLedger:
        """
        The ledger after its open effects (of one return, or of all) were tried once, in their order.

        Effects that wait for another are tried as soon as that one is settled.
        """
        try:
            tried: set[str] = set()
            while due := [each for each in self._due(ledger, return_id) if each.request.key not in tried]:
                tried.update([each.request.key for each in due])
                ledger = self._delivered(ledger, due)
            return self._published(ledger, self.events) if self.events is not None else ledger
        except Exception:
            # The command was committed before; what is not recorded stays open and repeats under its key.
            _log.warning("order %s: outcomes not stored, again later", ledger.order_id, exc_info=True)
            return ledger

    def _due(self, ledger: ReturnLedger, return_id: str | None) -> list[OpenEffect]:
        if not ledger.open_effects:
            return []
        now = self.clock()
        return [
            each
            for each in ledger.open_effects.values()
            if return_id in (None, each.request.return_id)
            and each.waits_for not in ledger.open_effects
            and each.is_due(now)
        ]

    def _delivered(self, ledger: ReturnLedger, due: list[OpenEffect]) -> ReturnLedger:
        """The ledger with what came of these effects; some may turn out to be somebody else's."""
        now = self.clock()
        outcomes: dict[str, Outcome] = {}
        to_lease = []
        for each in due:
            key = each.request.key
            step = next_step(each, self.gateway, can_look_up=self.lookup is not None, now=now)
            if step is Step.GIVE_UP:
                outcomes[key] = Outcome(key, GivenUp(each.last_error or "unknown outcome"))
            if step is Step.LOOK_UP and (answer := self._found(each)) is not None:
                outcomes[key] = answer
            elif step in (Step.LOOK_UP, Step.LEASE_AND_SEND):
                to_lease.append(key)
        if to_lease:
            until = now + lease_of(self.gateway)
            change = self._stored(ledger, lambda state: lease(state, to_lease, now, until))
            leases = [event for event in change.events if isinstance(event, EffectsLeased)]
            ours = {key for event in leases for key in event.keys}
            left_alone = set(to_lease) - ours  # another process was faster
            due = [each for each in due if each.request.key not in left_alone]
            ledger = change.ledger
        for each in due:
            if each.request.key not in outcomes:
                outcomes[each.request.key] = self._tried(each.request)
        return self._settled(ledger, tuple(outcomes.values()))

    def _settled(self, ledger: ReturnLedger, outcomes: tuple[Outcome, ...]) -> ReturnLedger:
        """The ledger with these outcomes; one that can not be stored does not hold up the others."""
        try:
            return self._stored(ledger, lambda state: settlement(state, outcomes, self.clock())).ledger
        except InvalidValue as error:
            if len(outcomes) > 1:
                for each in outcomes:
                    ledger = self._settled(ledger, (each,))
                return ledger
            (outcome,) = outcomes
            unknown = (self._unknown(ledger.open_effects[outcome.key].request, error),)
            return self._stored(ledger, lambda state: settlement(state, unknown, self.clock())).ledger

    @property
    def gateway(self) -> Gateway:
        """What the payments adapter declares; keyed if nothing."""
        declared: Gateway = getattr(self.payments, "gateway", Keyed())
        return declared

    @property
    def lookup(self) -> Callable[[str], RefundOutcome | None] | None:
        """How the payments adapter finds a refund, if it can."""
        return getattr(self.payments, "find_refund", None)

    def _found(self, effect: OpenEffect) -> Outcome | None:
        """What a look-up says; None if it says that there is no such refund."""
        key = effect.request.key
        try:
            answer = self.lookup(key) if self.lookup else None
            return None if answer is None else Outcome(key, _answered(answer, RefundOutcome))
        except Exception as error:
            return self._unknown(effect.request, error)

    def _tried(self, effect: Effect) -> Outcome:
        try:
            return Outcome(effect.key, self._sent(effect))
        except Exception as error:  # whatever a port raises: nobody knows whether it acted
            if isinstance(effect, RefundRequest) and isinstance(self.gateway, Unkeyed):
                _log.warning("%s: %s; somebody must look", effect.key, error, exc_info=True)
                return Outcome(effect.key, GivenUp(_short(error)))
            return self._unknown(effect, error)

    def _unknown(self, effect: Effect, error: Exception) -> Outcome:
        _log.warning("%s: %s; it stays open", effect.key, error, exc_info=True)
        return Outcome(effect.key, Unknown(_short(error)))

    def _sent(self, effect: Effect) -> RefundOutcome | ReturnShipment | Done:
        match effect:
            case RefundRequest():
                return _answered(self.payments.refund(effect), RefundOutcome)
            case RestockRequest():
                self.inventory.restock(effect)
            case WithdrawRequest():
                self.inventory.withdraw(effect)
            case ReturnShipmentRequest():
                return _answered(self._carrier().book_return(effect), ReturnShipment)
            case CancelShipmentRequest():
                self._carrier().cancel_return(effect)
            case _:
                assert_never(effect)
        return Done()

    def _carrier(self) -> Fulfillment:
        if self.fulfillment is None:
            raise LookupError("a shipment was asked for, but no fulfillment is configured any more")
        return self.fulfillment

    def _published(self, ledger: ReturnLedger, events: EventPublisher) -> ReturnLedger:
        """The ledger after every event that no publisher took yet was handed to it, in order."""
        if ledger.published >= ledger.revision:
            return ledger
        through = ledger.revision
        for event in self.returns.history(ledger.order_id):
            if event.revision <= ledger.published or not is_news(event):
                continue
            try:
                events.publish(event.event_id, event)
            except Exception:
                _log.warning("%s: not published, again later", event.event_id, exc_info=True)
                through = event.revision - 1
                break
        return self._stored(ledger, lambda state: publication(state, through, self.clock())).ledger

    def _stored(self, ledger: ReturnLedger, change_of: Callable[[ReturnLedger], Change]) -> Change:
        """This change, committed; the ledger is read again only if somebody else changed it meanwhile."""
        state: ReturnLedger | None = ledger

        def make() -> Change:
            nonlocal state
            now, state = state or self.returns.load(ledger.order_id), None
            return change_of(now)

        return committed(self.returns, make)


def is_news(event: Event) -> bool:
    """True unless the event says only that publishing went on, or that ports did not answer."""
    match event:
        case EventsPublished() | EffectsLeased():
            return False
        case EffectsSettled(settlements=settlements):
            return not all(settlement.is_open for settlement in settlements)
        case _:
            return True


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST_ERROR]


def _answered(answer: T, expected: type[T] | UnionType) -> T:
    if not isinstance(answer, expected):  # a port that is not typed may answer anything
        raise TypeError(f"a port answered {answer!r}")
    return answer
