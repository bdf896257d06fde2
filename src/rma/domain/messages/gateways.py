"""
What a payment gateway promises about a request that is sent twice, and what may therefore be done next.

A payments adapter declares its class as an attribute `gateway`; one that declares nothing counts as
`Idempotent()`, as the port's Protocol demands. Nothing is ever guessed: where a gateway can neither be asked
again nor looked up, an unknown outcome stops for a person.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, assert_never

from attrs import Attribute, field, frozen

from rma.domain.messages.effects import OpenEffect, RefundRequest
from rma.domain.values.validators import invalid


def _positive(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if value is not None and (not isinstance(value, timedelta) or value <= timedelta(0)):
        raise invalid(instance, attribute.name, value, "a timedelta above 0")


@frozen
class Idempotent:
    """
    The same key is the same refund, for as long as the gateway remembers it.

    Args:
        key_lifetime: how long that is at least; None for always. After it the gateway counts as looked up, if
            the adapter has `find_refund`, else as unkeyed.
    """

    key_lifetime: timedelta | None = field(default=None, validator=_positive)


@frozen
class Searchable:
    """
    A refund can be found by its key (in metadata, say) with the adapter's `find_refund`.

    Args:
        search_delay: after which a look-up that finds nothing means that there is nothing.
    """

    search_delay: timedelta = field(default=timedelta(minutes=5), validator=_positive)


@frozen
class NotIdempotent:
    """
    Neither: an unknown outcome stays unknown until a person records the outcome.

    Args:
        timeout: how long one attempt may take at the most.
    """

    timeout: timedelta = field(default=timedelta(minutes=5), validator=_positive)


Gateway = Idempotent | Searchable | NotIdempotent


class Action(Enum):
    """What to do about an open effect now."""

    #: Send it: a repeat is harmless.
    SEND = auto()
    #: Send it once the ledger says that it is being sent, so that no other process does.
    LEASE_AND_SEND = auto()
    #: Ask the gateway for it; if there is nothing, lease and send.
    LOOK_UP = auto()
    #: Leave it to a person.
    GIVE_UP = auto()


def next_step(effect: OpenEffect, gateway: Gateway, *, can_look_up: bool, now: datetime) -> Action:
    """What may be done about an effect that is due; only refunds go through a gateway, the rest is keyed."""
    if not isinstance(effect.request, RefundRequest):
        return Action.SEND
    match gateway:
        case Idempotent(key_lifetime=key_lifetime):
            if key_lifetime is None or now < effect.opened_at + key_lifetime:
                return Action.SEND
            # Whether it was sent before is unknown: a process may have died on the way.
            return Action.LOOK_UP if can_look_up else Action.GIVE_UP
        case Searchable():
            if effect.started_at is None:
                return Action.LEASE_AND_SEND
            return Action.LOOK_UP if can_look_up else Action.GIVE_UP  # it declared what it cannot do
        case NotIdempotent():
            return Action.LEASE_AND_SEND if effect.started_at is None else Action.GIVE_UP
        case _:
            assert_never(gateway)


def lease_of(gateway: Gateway) -> timedelta:
    """How long an effect that is being sent is left alone."""
    match gateway:
        case Idempotent():
            return timedelta(minutes=5)
        case Searchable(search_delay=search_delay):
            return search_delay
        case NotIdempotent(timeout=timeout):
            return timeout
        case _:
            assert_never(gateway)
