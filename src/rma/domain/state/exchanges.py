"""An exchange: a return whose value pays for new goods. Medusa v1 calls it a swap."""

from datetime import datetime

from attrs import field, frozen

from rma.domain.messages.effects import ReplacementShipment
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.new_item import NewItem
from rma.domain.state.lifecycle import ExchangeStatus, exchange_rules
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money


@frozen
class ExchangePayment:
    """Money that the customer paid for an exchange; `reference` is what the host calls it."""

    reference: str
    amount: Money
    at: datetime
    by: str | None = None


@frozen
class Exchange:
    """
    New goods for returned goods.

    Attributes:
        return_id: the return that brings the goods; what is refunded of the difference is its refund.
        difference_due: new goods and their shipping, less the value of the return. Above 0 the customer
            owes it, below 0 the shop. The quote until the return is received.
        payments: what the customer paid of it.
        shipment: what the carrier answered when the new goods were sent.
        display_id: counts the order's exchanges from 1.
        stuck_effects: keys of what waits for its port for too long, or is not tried again.
    """

    id: str
    order_id: str
    display_id: int
    status: ExchangeStatus
    return_id: str
    new_items: tuple[NewItem, ...]
    difference_due: Money
    requested_at: datetime
    updated_at: datetime
    outbound_shipping: ShippingMethod | None = None
    payments: tuple[ExchangePayment, ...] = ()
    shipment: ReplacementShipment | None = None
    no_notification: bool = False
    created_by: str | None = None
    idempotency_key: str | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    metadata: FrozenMap[str, object] = field(default=FrozenMap())
    stuck_effects: tuple[str, ...] = ()

    @property
    def currency(self) -> str:
        """Of every amount in this exchange."""
        return self.difference_due.currency

    @property
    def is_open(self) -> bool:
        """True while goods or a payment are expected."""
        return exchange_rules(self.status).is_open

    @property
    def needs_attention(self) -> bool:
        """
        True while it goes no further without a person.

        Its goods are here and the customer owes for it, or its new goods wait for their port for too long.
        """
        if self.stuck_effects:
            return True
        return self.status in (ExchangeStatus.AWAITING_PAYMENT, ExchangeStatus.REQUIRES_ACTION)

    @property
    def paid(self) -> Money:
        """What the customer paid for it."""
        return Money(sum([payment.amount.amount for payment in self.payments]), self.currency)

    @property
    def owed(self) -> Money:
        """What the customer has yet to pay; nothing once it is canceled."""
        left = self.difference_due.amount - self.paid.amount
        return Money(0 if self.status is ExchangeStatus.CANCELED else max(0, left), self.currency)
