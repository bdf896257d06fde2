"""What a handler gathers before the core runs; `decide` reads nothing else."""

from datetime import datetime

from attrs import field, frozen

from rma.domain.messages.timing import DEFAULT_TIMING, Timing
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue, StaleOrder
from rma.domain.values.validators import as_utc, aware


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
        timing: how long effects are waited for.

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
    timing: Timing = DEFAULT_TIMING

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
