"""What a handler gathers before the core runs; `decide` reads nothing else."""

from collections.abc import Callable
from datetime import datetime
from inspect import iscoroutinefunction
from typing import Any

from attrs import Attribute, field, frozen

from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.timing import DEFAULT_TIMING, Timing
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.ruling import Review
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue, StaleOrder, Violation
from rma.domain.values.validators import as_utc, aware, invalid, short_text


def _callable(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if not callable(value) or iscoroutinefunction(value):
        raise invalid(instance, attribute.name, value, "a function that answers at once")


@frozen
class HostRule:
    """
    A rule of the host's own, besides those of the policy.

    Args:
        name: returns remember it, with what it said.
        judge: called with the facts, a line of the order and what is requested of it; answers a `Violation`
            that refuses it, a `Review` for a person to approve the return, or None. It answers the same for
            the same arguments, reads nothing else and changes nothing: a command may be decided twice.
    """

    name: str = field(validator=short_text)
    judge: "Callable[[Facts, LineItem, RequestedItem], Violation | Review | None]" = field(
        validator=_callable
    )


@frozen(kw_only=True)
class Facts:
    """
    The world as far as a decision needs it.

    Args:
        at: now, aware.
        order: None if there is none of the command's order id.
        fresh_id: unique, drawn once for each `handle` that asks for something new; its ids are made of it.
        reasons: the whole catalogue.
        shipping_option: None if there is none of the command's option id.
        books_shipments: False if the host has no fulfillment port.
        disposes: False if its inventory has no `dispose`.
        sends_back: False if its fulfillment has no `send_back`.
        gives_credit: False if the host has no port for store credit.
        pays_out: False if it has none for payouts.
        has_holds: False if the host has no port of holds.
        reserves: True if its inventory has `reserve`.
        timing: how long effects are waited for.
        host_rules: the host's own, all of which are asked about each requested line.

    Raises:
        InvalidValue: `at` is naive.
    """

    at: datetime = field(converter=as_utc, validator=aware)
    order: Order | None = None
    fresh_id: str | None = None
    reasons: tuple[ReturnReason, ...] = ()
    shipping_option: ShippingOption | None = None
    policy: ReturnPolicy = ReturnPolicy()
    books_shipments: bool = True
    disposes: bool = True
    sends_back: bool = True
    gives_credit: bool = True
    pays_out: bool = True
    has_holds: bool = True
    reserves: bool = False
    timing: Timing = DEFAULT_TIMING
    host_rules: tuple[HostRule, ...] = ()

    def new_id(self, prefix: str) -> str:
        """
        The id of something new of this kind: `{prefix}_{fresh_id}`.

        Raises:
            InvalidValue: no fresh id was gathered.
        """
        if self.fresh_id is None:
            details = {
                "field": "Facts.fresh_id",
                "value": "None",
                "expected": "an id that was never given before",
            }
            raise InvalidValue("invalid_value", details)
        return f"{prefix}_{self.fresh_id}"

    def require_current(self, ledger: ReturnLedger) -> None:
        """
        Nothing, if the order is as new as the one that the ledger saw last, or newer.

        Raises:
            StaleOrder: a stale read must not move money.
        """
        order = self.order
        if order is not None and order.version < ledger.order_version and order.id == ledger.order_id:
            details = {"order_id": order.id, "version": order.version, "seen": ledger.order_version}
            raise StaleOrder("stale_order", details)
