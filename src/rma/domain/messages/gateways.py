"""
What a gateway promises about a request that is sent twice, and what may therefore be done next.

A payments adapter declares its class as an attribute `gateway`, a fulfillment adapter that of its carrier
likewise; one that declares nothing counts as `Idempotent()`, as the port's Protocol demands. A payments
adapter that serves several gateways declares them as `gateways`, by `Payment.provider_id`, and `gateway` for
all others. Nothing is ever guessed: where a gateway can neither be asked again nor looked up, an unknown
outcome stops for a person.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import assert_never

from attrs import field, frozen
from attrs.validators import optional

from rma.domain.messages.effects import OpenEffect
from rma.domain.values.validators import positive_duration


@frozen
class Idempotent:
    """
    The same key is the same refund or shipment, for as long as the gateway remembers it.

    Args:
        key_lifetime: how long that is at least; None for always. After it the gateway counts as looked up, if
            the adapter has `find_refund`, else as unkeyed.
    """

    key_lifetime: timedelta | None = field(default=None, validator=optional(positive_duration))


@frozen
class Searchable:
    """
    A refund can be found by its key (in metadata, say) with the adapter's `find_refund`, a shipment with its
    `find_shipment`.

    Args:
        search_delay: after which a look-up that finds nothing means that there is nothing.
    """

    search_delay: timedelta = field(default=timedelta(minutes=5), validator=positive_duration)


@frozen
class NotIdempotent:
    """
    Neither: an unknown outcome stays unknown until a person records the outcome.

    Args:
        timeout: how long one attempt may take at the most.
    """

    timeout: timedelta = field(default=timedelta(minutes=5), validator=positive_duration)


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
    #: The gateway took it and will report the outcome.
    WAIT = auto()


def next_step(effect: OpenEffect, gateway: Gateway, *, can_look_up: bool, now: datetime) -> Action:
    """What may be done about an effect that is due, at a gateway of this class."""
    if effect.delivery.pending_since is not None:  # the gateway has it: it is never sent again
        return Action.LOOK_UP if can_look_up else Action.WAIT
    match gateway:
        case Idempotent(key_lifetime=key_lifetime):
            unsent_until = effect.delivery.unsent_until
            first_sent = unsent_until or effect.opened_at
            if key_lifetime is None or now < first_sent + key_lifetime - margin_of(key_lifetime):
                # What is known to be unsent stays known only if each attempt begins with a lease.
                is_keyed = key_lifetime is None or unsent_until is None
                return Action.SEND if is_keyed else Action.LEASE_AND_SEND
            # Whether it was sent before is unknown: a process may have died on the way.
            return Action.LOOK_UP if can_look_up else Action.GIVE_UP
        case Searchable():
            if effect.delivery.started_at is None:
                return Action.LEASE_AND_SEND
            return Action.LOOK_UP if can_look_up else Action.GIVE_UP  # it declared what it cannot do
        case NotIdempotent():
            return Action.LEASE_AND_SEND if effect.delivery.started_at is None else Action.GIVE_UP
        case _:
            assert_never(gateway)


def margin_of(duration: timedelta) -> timedelta:
    """
    How far clocks of processes and gateways may differ: a tenth of what is measured, at least a minute.

    A key counts as forgotten so much earlier, and a look-up that finds nothing counts so much later.
    """
    return min(max(duration / 10, timedelta(minutes=1)), duration / 2)


def lease_of(gateway: Gateway) -> timedelta:
    """How long an effect that is being sent is left alone."""
    match gateway:
        case Idempotent():
            return timedelta(minutes=5)
        case Searchable(search_delay=search_delay):
            return search_delay + margin_of(search_delay)
        case NotIdempotent(timeout=timeout):
            return timeout + margin_of(timeout)
        case _:
            assert_never(gateway)
