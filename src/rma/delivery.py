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
from rma.domain.change import Change, publication, settlement
from rma.domain.effects import (
    CancelShipmentRequest,
    Done,
    Effect,
    Outcome,
    RefundOutcome,
    RefundRequest,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    Unknown,
    WithdrawRequest,
)
from rma.domain.events import EffectsSettled, Event, EventsPublished
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
            while due := [effect for effect in _due(ledger, return_id) if effect.key not in tried]:
                tried.update([effect.key for effect in due])
                outcomes = tuple([self._tried(effect) for effect in due])
                ledger = self._stored(ledger, lambda now: settlement(now, outcomes, self.clock()))  # noqa: B023
            return self._published(ledger, self.events) if self.events is not None else ledger
        except Exception:
            # The command was committed before; what is not recorded stays open and repeats under its key.
            _log.warning("order %s: outcomes not stored, again later", ledger.order_id, exc_info=True)
            return ledger

    def _tried(self, effect: Effect) -> Outcome:
        try:
            return Outcome(effect.key, self._sent(effect))
        except Exception as error:  # whatever a port raises: nobody knows whether it acted
            _log.warning("%s: %s; it stays open", effect.key, error, exc_info=True)
            return Outcome(effect.key, Unknown(f"{type(error).__name__}: {error}"[:LONGEST_ERROR]))

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
        return self._stored(ledger, lambda now: publication(now, through, self.clock()))

    def _stored(self, ledger: ReturnLedger, change_of: Callable[[ReturnLedger], Change]) -> ReturnLedger:
        """The ledger with this change committed; read again only if somebody else changed it meanwhile."""
        state: ReturnLedger | None = ledger

        def make() -> Change:
            nonlocal state
            now, state = state or self.returns.load(ledger.order_id), None
            return change_of(now)

        return committed(self.returns, make).ledger


def is_news(event: Event) -> bool:
    """True unless the event says only that publishing went on, or that ports did not answer."""
    match event:
        case EventsPublished():
            return False
        case EffectsSettled(settlements=settlements):
            return not all(settlement.is_open for settlement in settlements)
        case _:
            return True


def _due(ledger: ReturnLedger, return_id: str | None) -> list[Effect]:
    return [
        effect.request
        for effect in ledger.open_effects.values()
        if return_id in (None, effect.request.return_id) and effect.waits_for not in ledger.open_effects
    ]


def _answered(answer: T, expected: type[T] | UnionType) -> T:
    if not isinstance(answer, expected):  # a port that is not typed may answer anything
        raise TypeError(f"a port answered {answer!r}")
    return answer
