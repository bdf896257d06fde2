"""Which port an effect goes to, what that port promises about repeats, and how it is asked."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from types import UnionType
from typing import Any, assert_never, cast

from attrs import evolve

from rma.async_ports import (
    AsyncDisposal,
    AsyncFulfillment,
    AsyncHolds,
    AsyncReservations,
    AsyncSendingBack,
    Host,
)
from rma.domain.messages.advance import (
    ChargeNotSent,
    ChargeOutcome,
    ChargeRequest,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
)
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    CreditRequest,
    DisposeRequest,
    Done,
    Effect,
    MoneyRequest,
    PayoutRequest,
    RefundAnswer,
    RefundNotSent,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    SendBackRequest,
    WithdrawRequest,
)
from rma.domain.messages.gateways import Gateway, Idempotent
from rma.domain.messages.timing import Timing
from rma.ports import Disposal, Fulfillment, Holds, Reservations, SendingBack
from rma.shell.driver import call

#: What ended an effect, or how its refund or charge ended.
Result = RefundOutcome | ChargeOutcome | ReturnShipment | ReplacementShipment | OutOfStock | Done

#: How an adapter is asked for what became of a request, if it can be; None if it knows of nothing.
LookUp = Callable[[Any], Awaitable[Result | None] | Result | None]


class NothingSentError(Exception):
    """The adapter knows that nothing was sent."""


async def ask(effect: Effect, host: Host) -> Result:  # noqa: C901, PLR0911, PLR0912 # a row for each kind of effect
    """What the port answered; raises whatever the port raises."""
    match effect:
        case RefundRequest():
            return _moved(await call(host.payments.refund(effect)), effect)
        case CreditRequest():
            if host.credits is None:
                raise LookupError("store credit was asked for, but no port for it is configured any more")
            return _moved(await call(host.credits.give(effect)), effect)
        case PayoutRequest():
            if host.payouts is None:
                raise LookupError("a payout was asked for, but no port for it is configured any more")
            return _moved(await call(host.payouts.pay(effect)), effect)
        case RestockRequest():
            return _done(await call(_untyped(host.inventory.restock(effect))))
        case WithdrawRequest():
            return _done(await call(_untyped(host.inventory.withdraw(effect))))
        case DisposeRequest():
            inventory = cast("Disposal | AsyncDisposal", host.inventory)
            return _done(await call(_untyped(inventory.dispose(effect))))
        case SendBackRequest():
            carrier = cast("SendingBack | AsyncSendingBack", _carrier_of(host))
            return _done(await call(_untyped(carrier.send_back(effect))))
        case ReturnShipmentRequest():
            return checked(await call(_carrier_of(host).book_return(effect)), effect)
        case ReplacementRequest():
            return checked(await call(_carrier_of(host).ship_replacement(effect)), effect)
        case CancelShipmentRequest():
            return _done(await call(_untyped(_carrier_of(host).cancel_return(effect))))
        case ChargeRequest():
            charged = await call(_holds_of(host).charge(effect))
            if isinstance(charged, ChargeNotSent):
                raise NothingSentError(charged.reason)
            return checked(charged, effect)
        case ReleaseRequest():
            return _done(await call(_untyped(_holds_of(host).release(effect))))
        case ReserveRequest():
            stock = cast("Reservations | AsyncReservations", host.inventory)
            reserved: object = await call(_untyped(stock.reserve(effect)))
            return reserved if isinstance(reserved, OutOfStock) else _done(reserved)
        case ReleaseReservationRequest():
            stock = cast("Reservations | AsyncReservations", host.inventory)
            return _done(await call(_untyped(stock.release_reservation(effect))))
        case _:
            assert_never(effect)


def _moved(answer: RefundAnswer, effect: MoneyRequest) -> Result:
    """What became of the money; raises if nothing was sent."""
    if isinstance(answer, RefundNotSent):
        raise NothingSentError(answer.reason)
    return checked(answer, effect)


def port_of(effect: Effect) -> str:
    """The name of the port that the effect goes to."""
    match effect:
        case RefundRequest():
            return "payments"
        case CreditRequest():
            return "credits"
        case PayoutRequest():
            return "payouts"
        case (
            RestockRequest()
            | WithdrawRequest()
            | DisposeRequest()
            | ReserveRequest()
            | ReleaseReservationRequest()
        ):
            return "inventory"
        case ChargeRequest() | ReleaseRequest():
            return "holds"
        case ReturnShipmentRequest() | ReplacementRequest() | CancelShipmentRequest() | SendBackRequest():
            return "fulfillment"
        case _:
            assert_never(effect)


class FailingPorts:
    """How long the failing calls of each port took in one pass of a timer."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience
        self._spent: dict[str, timedelta] = {}

    def add(self, port: str, spent: timedelta) -> None:
        """Counts a call of this port that failed after so long."""
        self._spent[port] = self._spent.get(port, timedelta(0)) + spent

    def leaves_alone(self, port: str) -> bool:
        """True if this port is to be left alone for the rest of the pass."""
        return self._spent.get(port, timedelta(0)) >= self._patience


def gateway_of(effect: Effect, host: Host) -> Gateway:
    """What the adapter declares about repeats of such an effect; `Idempotent` if nothing."""
    adapter = _declaring(effect, host)
    declared: Gateway | None = getattr(adapter, "gateway", None)
    if isinstance(effect, RefundRequest):
        by_provider: Mapping[str | None, Gateway] = getattr(adapter, "gateways", None) or {}
        declared = by_provider.get(effect.provider_id, declared)
    return Idempotent() if declared is None else declared


def look_up_of(effect: Effect, host: Host) -> LookUp | None:
    """How the adapter is asked what became of such an effect; None if it cannot be."""
    adapter = _declaring(effect, host)
    match effect:
        case RefundRequest():
            found: LookUp | None = getattr(adapter, "find_refund", None)
        case CreditRequest():
            found = getattr(adapter, "find_credit", None)
        case PayoutRequest():
            found = getattr(adapter, "find_payout", None)
        case ChargeRequest():
            found = _by_key(getattr(adapter, "find_charge", None))
        case _:
            found = _by_key(getattr(adapter, "find_shipment", None))
    return found


def _by_key(find: Callable[[str], Any] | None) -> LookUp | None:
    return None if find is None else lambda request: find(request.key)


def _declaring(effect: Effect, host: Host) -> object:
    """The adapter that declares what it promises about such an effect; None if its port is always keyed."""
    match effect:
        case RefundRequest():
            return host.payments
        case CreditRequest():
            return host.credits
        case PayoutRequest():
            return host.payouts
        case ReturnShipmentRequest() | ReplacementRequest() | SendBackRequest():
            return host.fulfillment
        case ChargeRequest():
            return host.holds
        case (
            RestockRequest()
            | WithdrawRequest()
            | DisposeRequest()
            | CancelShipmentRequest()
            | ReserveRequest()
            | ReleaseReservationRequest()
            | ReleaseRequest()
        ):
            return None  # stock is keyed, as its port demands; what is canceled or released already is so
        case _:
            assert_never(effect)


def timing_of(host: Host) -> Timing:
    """The host's timing; where no refund can be looked up, a pending one is left alone till it is overdue."""
    ports = ((host.payments, "find_refund"), (host.credits, "find_credit"), (host.payouts, "find_payout"))
    can_look_up = any(getattr(port, name, None) is not None for port, name in ports)
    return host.timing if can_look_up else _without_lookups(host.timing)


@lru_cache(maxsize=8)
def _without_lookups(timing: Timing) -> Timing:
    return evolve(timing, pending_lookup=timing.pending_patience)


def checked(answer: object, effect: Effect) -> Result:
    """
    The answer, if it is one that the port may give: a port that is not typed may answer anything.

    Raises:
        TypeError: it is not.
    """
    expected: type | UnionType = Done
    match effect:
        case SendBackRequest() if isinstance(answer, ReturnShipment | ReplacementShipment):
            return Done()  # a look-up found what was sent
        case RefundRequest() | CreditRequest() | PayoutRequest():
            expected = RefundOutcome
        case ReturnShipmentRequest():
            expected = ReturnShipment
        case ReplacementRequest():
            expected = ReplacementShipment | OutOfStock
        case ChargeRequest():
            expected = ChargeOutcome
        case _:
            pass
    if not isinstance(answer, expected):
        raise TypeError(f"a port answered {answer!r}")
    if isinstance(answer, OutOfStock) and not isinstance(answer.message, str):
        raise TypeError(f"a port answered {answer!r}")
    if isinstance(effect, MoneyRequest) and isinstance(answer, RefundSucceeded):
        moved, asked_for = answer.amount, effect.amount
        if moved is not None and (moved.currency != asked_for.currency or moved.amount < 0):
            raise TypeError(f"a port answered that {moved!r} moved, for a refund of {asked_for!r}")
    return cast("Result", answer)


def _untyped(answer: object) -> Any:
    """The answer of a port that answers nothing: if it is not typed, it may answer anything."""
    return answer


def _done(answer: object) -> Done:
    """Done, if the port answered what it promised: nothing. `False` is not a success."""
    if answer is not None:
        raise TypeError(f"a port answered {answer!r}")
    return Done()


def _carrier_of(host: Host) -> Fulfillment | AsyncFulfillment:
    if host.fulfillment is None:
        raise LookupError("a shipment was asked for, but no fulfillment is configured any more")
    return host.fulfillment


def _holds_of(host: Host) -> Holds | AsyncHolds:
    if host.holds is None:
        raise LookupError("a hold is to be charged or released, but no holds are configured any more")
    return host.holds
