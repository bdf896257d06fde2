"""How a service is built: what it does without an optional port, and which ports a blocking one refuses."""

import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from inspect import iscoroutinefunction

from rma.async_ports import AsyncPolicyProvider, Host
from rma.domain.decide.facts import HostRule
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.values.display import show
from rma.domain.values.errors import InvalidValue, NotFound
from rma.domain.values.validators import all_are, as_tuple
from rma.ports import (
    BindableReturns,
    BoundReturns,
    ChargeLookup,
    CreditLookup,
    Credits,
    Disposal,
    EventPublisher,
    Fulfillment,
    Holds,
    Inventory,
    OrderRepository,
    Payments,
    PayoutLookup,
    Payouts,
    PolicyProvider,
    RefundLookup,
    Reservations,
    ReturnReasonRepository,
    ReturnRepository,
    SendingBack,
    ShipmentLookup,
    ShippingOptionRepository,
)


class NoShippingOptions:
    """The catalogue of a host that offers no shipping options."""

    def get(self, option_id: str) -> ShippingOption:
        """Raises `NotFound`, whatever the id."""
        raise NotFound("shipping_option_not_found", {"shipping_option_id": option_id})


class NoReturnReasons:
    """The catalogue of a host that asks for no reasons."""

    def list(self) -> tuple[ReturnReason, ...]:
        """No reasons."""
        return ()


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def pause(longest: float) -> None:
    """Blocks the thread for a random part of these seconds."""
    time.sleep(longest * _random_part())


async def pause_awaited(longest: float) -> None:
    """
    Awaits a random part of these seconds, in an event loop of asyncio.

    In another one it returns at once, which is safe and only busier.
    """
    asyncio = sys.modules.get("asyncio")  # its loops have loaded it, and others need not
    try:
        if asyncio is None or asyncio.get_running_loop() is None:
            return
    except RuntimeError:  # another loop runs
        return
    await asyncio.sleep(longest * _random_part())


def _random_part() -> float:
    return int.from_bytes(os.urandom(4), "big") / 2**32


def as_policy_provider(policies: PolicyProvider | ReturnPolicy) -> PolicyProvider:
    """Returns a provider of the same policy for every order, or the provider that was given."""
    return (lambda _: policies) if isinstance(policies, ReturnPolicy) else policies


def as_async_policy_provider(policies: AsyncPolicyProvider | ReturnPolicy) -> AsyncPolicyProvider:
    """The same for providers that may be awaited."""
    return (lambda _: policies) if isinstance(policies, ReturnPolicy) else policies


def as_host_rules(rules: Iterable[HostRule]) -> tuple[HostRule, ...]:
    """
    Returns the rules as a tuple.

    Raises:
        InvalidValue: one of them is no `HostRule`, or two have the same name.
    """
    found: object = as_tuple(rules)
    if not all_are(found, HostRule) or len({rule.name for rule in found}) != len(found):
        expected = "rules of the class HostRule, with names that do not repeat"
        details = {"field": "ReturnService.host_rules", "value": show(rules), "expected": expected}
        raise InvalidValue("invalid_value", details)
    return found


def _methods(*protocols: type) -> tuple[str, ...]:
    return tuple([name for each in protocols for name in vars(each) if not name.startswith("_")])


#: What is called of each port of a host. Clock, ids and policies are callables themselves.
_CALLED = {
    "orders": _methods(OrderRepository),
    "returns": _methods(ReturnRepository, BoundReturns, BindableReturns),
    "inventory": _methods(Inventory, Disposal, Reservations),
    "payments": _methods(Payments, RefundLookup),
    "credits": _methods(Credits, CreditLookup),
    "payouts": _methods(Payouts, PayoutLookup),
    "holds": _methods(Holds, ChargeLookup),
    "fulfillment": _methods(Fulfillment, ShipmentLookup, SendingBack),
    "shipping_options": _methods(ShippingOptionRepository),
    "return_reasons": _methods(ReturnReasonRepository),
    "events": _methods(EventPublisher),
    "policies": ("__call__",),
    "clock": ("__call__",),
    "ids": ("__call__",),
    "pause": ("__call__",),
}


def refuse_awaited_ports(host: Host) -> None:
    """
    Checks that no port of a blocking service is written with `async def`.

    Raises:
        InvalidValue: one is; the error names the port and its method.
    """
    for name, methods in _CALLED.items():
        port = getattr(host, name)
        for method in methods:
            if iscoroutinefunction(port) or iscoroutinefunction(getattr(port, method, None)):
                known_as = getattr(port, "__qualname__", type(port).__qualname__)
                is_awaited = f"{known_as}, whose {method} is awaited: use AsyncReturnService for such ports"
                field = f"{type(host).__name__}.{name}"
                details = {"field": field, "value": is_awaited, "expected": "a port that answers at once"}
                raise InvalidValue("invalid_value", details)


def refuse_awaited_observer(host: Host) -> None:
    """
    Checks that the observer of a service, blocking or not, answers at once: nothing waits for it.

    Raises:
        InvalidValue: its `observe` is `async def`, so that it would never see a signal.
    """
    if iscoroutinefunction(getattr(host.observer, "observe", None)):
        details = {
            "field": f"{type(host).__name__}.observer",
            "value": f"{type(host.observer).__qualname__}, whose observe is awaited",
            "expected": "an observer that returns at once",
        }
        raise InvalidValue("invalid_value", details)
