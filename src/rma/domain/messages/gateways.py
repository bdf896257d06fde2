"""
What a payment gateway promises about a request that is sent twice, and what may therefore be done next.

A payments adapter declares its class as an attribute `gateway`; one that declares nothing counts as
`Keyed()`, as the port's Protocol demands. Nothing is ever guessed: where a gateway can neither be asked
again nor looked up, an unknown outcome stops for a person.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, assert_never

from attrs import Attribute, field, frozen

from rma.domain.messages.effects import OpenEffect, RefundRequest
from rma.domain.values.validators import refuse


def _positive(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if value is not None and (not isinstance(value, timedelta) or value <= timedelta(0)):
        raise refuse(instance, attribute.name, value, "a timedelta above 0")


@frozen
class Keyed:
    """
    The same key is the same refund, for as long as the gateway remembers it.

    Args:
        window: how long that is at least; None for always. After it the gateway counts as looked up, if
            the adapter has `find_refund`, else as unkeyed.
    """

    window: timedelta | None = field(default=None, validator=_positive)


@frozen
class LookedUp:
    """
    A refund can be found by its key (in metadata, say) with the adapter's `find_refund`.

    Args:
        delay: after which a look-up that finds nothing means that there is nothing.
    """

    delay: timedelta = field(default=timedelta(minutes=5), validator=_positive)


@frozen
class Unkeyed:
    """
    Neither: an unknown outcome stays unknown until somebody says how it ended.

    Args:
        patience: how long one attempt may take at the most.
    """

    patience: timedelta = field(default=timedelta(minutes=5), validator=_positive)


Gateway = Keyed | LookedUp | Unkeyed


class Step(Enum):
    """What to do about an open effect now."""

    #: Send it: a repeat is harmless.
    SEND = auto()
    #: Send it once the ledger says that it is being sent, so that nobody else does.
    LEASE_AND_SEND = auto()
    #: Ask the gateway for it; if there is nothing, lease and send.
    LOOK_UP = auto()
    #: Leave it to a person.
    GIVE_UP = auto()


def next_step(effect: OpenEffect, gateway: Gateway, *, can_look_up: bool, now: datetime) -> Step:
    """What may be done about an effect that is due; only refunds go through a gateway, the rest is keyed."""
    if not isinstance(effect.request, RefundRequest):
        return Step.SEND
    match gateway:
        case Keyed(window=window):
            if window is None or now < effect.opened_at + window:
                return Step.SEND
            # Whether it was sent before can not be told: a process may have died on the way.
            return Step.LOOK_UP if can_look_up else Step.GIVE_UP
        case LookedUp():
            if effect.started_at is None:
                return Step.LEASE_AND_SEND
            return Step.LOOK_UP if can_look_up else Step.GIVE_UP  # it promised what it can not do
        case Unkeyed():
            return Step.LEASE_AND_SEND if effect.started_at is None else Step.GIVE_UP
        case _:
            assert_never(gateway)


def lease_of(gateway: Gateway) -> timedelta:
    """How long an effect that is being sent is left alone."""
    match gateway:
        case Keyed():
            return timedelta(minutes=5)
        case LookedUp(delay=delay):
            return delay
        case Unkeyed(patience=patience):
            return patience
        case _:
            assert_never(gateway)
