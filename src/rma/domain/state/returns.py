"""A return: one authorisation to send items back (an RMA), as it stands."""

from datetime import datetime
from enum import StrEnum

from attrs import evolve, field, frozen

from rma.domain.messages.command_items import RejectedItem
from rma.domain.messages.effects import RestockRequest, ReturnShipment
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.policy import Terms
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.refunds import Refund, in_force, need_attention
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.valuation import NOTHING, Valuation, value_arrived, value_requested, with_entitled
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money


class ReturnStatus(StrEnum):
    """
    Where a return stands.

    `requires_action`: what arrived is not what was requested, and a clerk decides.
    """

    REQUESTED = "requested"
    PARTIALLY_RECEIVED = "partially_received"
    REQUIRES_ACTION = "requires_action"
    RECEIVED = "received"
    CANCELED = "canceled"


@frozen
class ReceiptItem:
    """What one parcel held of one line item."""

    item_id: str
    quantity: int
    damaged_quantity: int


@frozen
class Receipt:
    """
    One arrival of goods, or a clerk's word that no more will arrive (then without items).

    Attributes:
        number: counts the return's receipts from 1.
        status: what the return became by it.
        restock: what was put into stock because of it.
    """

    number: int
    at: datetime
    by: str | None
    items: tuple[ReceiptItem, ...]
    location_id: str | None
    status: ReturnStatus
    restock: RestockRequest | None = None


@frozen
class Resolution:
    """A clerk's last word: when, whose, and which units of what came were not paid for."""

    at: datetime
    by: str | None
    rejected: tuple[RejectedItem, ...] = ()


@frozen
class Return:
    """
    One authorisation to send items back.

    Attributes:
        refund_amount: the quote until the return is received, then the sum of what was granted.
        exchange_id: the exchange that its goods pay for. What is left of their worth, less `charges`, is
            refunded once it is received; what is missing, the customer owes.
        charges: what the exchange sets against its goods, negative, and what the customer paid, positive.
        claim_id: the claim whose goods it brings back. It moves no money.
        entitled_amount: what the receipts so far entitle the customer to, minor units.
        requested_refund: the refund that the request named, minor units.
        agreed_refund: the refund that a receipt named for the whole return, minor units.
        is_refund_blocked: the amount due was above what the payments have left; `RetryRefund` asks again.
        terms: what the policy said about money and damage when the return was requested.
        display_id: counts the order's returns from 1.
        order_version: the order's version that the request made.
        received_at: when it became received; a parcel of several or a mismatch does not set it.
        shipment: what the carrier answered; `shipping_data` is its data.
        resolution: how a clerk closed it, if one did.
    """

    id: str
    order_id: str
    display_id: int
    order_version: int
    status: ReturnStatus
    items: tuple[ReturnItem, ...]
    refund_amount: Money
    terms: Terms
    requested_at: datetime
    updated_at: datetime
    shipping_method: ShippingMethod | None = None
    shipment: ReturnShipment | None = None
    location_id: str | None = None
    no_notification: bool = False
    created_by: str | None = None
    idempotency_key: str | None = None
    refunds: tuple[Refund, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    resolution: Resolution | None = None
    entitled_amount: int = 0
    requested_refund: int | None = None
    agreed_refund: int | None = None
    is_refund_blocked: bool = False
    received_at: datetime | None = None
    canceled_at: datetime | None = None
    exchange_id: str | None = None
    claim_id: str | None = None
    charges: tuple[AmountPart, ...] = ()
    metadata: FrozenMap[str, object] = field(default=FrozenMap())

    def without_exchange(self) -> "Return":
        """The return standing by itself: nothing new is set against its goods; what was paid for it stays."""
        return evolve(self, charges=tuple([part for part in self.charges if part.amount.amount > 0]))

    @property
    def is_open(self) -> bool:
        """True while goods may still arrive: its units are spoken for."""
        return self.status not in (ReturnStatus.RECEIVED, ReturnStatus.CANCELED)

    @property
    def currency(self) -> str:
        """Of every amount in this return."""
        return self.refund_amount.currency

    @property
    def shipping_data(self) -> FrozenMap[str, object] | None:
        """What the carrier answered; None until a booking was."""
        return self.shipment.data if self.shipment else None

    @property
    def shipping_total(self) -> int:
        """What the way back costs the customer, with tax: minor units."""
        return self.shipping_method.total.amount if self.shipping_method else 0

    @property
    def refunded(self) -> int:
        """The sum of its refunds in force, minor units."""
        return in_force(self.refunds)

    @property
    def amount_due(self) -> Money:
        """Granted, and neither paid nor on its way."""
        return Money(max(0, self.entitled_amount - self.refunded), self.currency)

    @property
    def needs_attention(self) -> bool:
        """
        True while it goes no further without a person.

        What arrived is not what was requested, an amount is due that could not be paid, nobody can tell
        what became of a refund, or the customer has yet to pay for an exchange whose goods are here.
        """
        return (
            self.status is ReturnStatus.REQUIRES_ACTION
            or need_attention(self.entitled_amount, self.refunds)
            or (bool(self.charges) and self.status is ReturnStatus.RECEIVED and self.valuation.owed > 0)
        )

    @property
    def was_partially_received(self) -> bool:
        """True if a parcel was ever booked, and refunded, as one of several."""
        return any(receipt.status is ReturnStatus.PARTIALLY_RECEIVED for receipt in self.receipts)

    @property
    def valuation(self) -> Valuation:
        """Why `refund_amount` is what it is."""
        if self.claim_id is not None:
            return NOTHING
        if self.status is not ReturnStatus.RECEIVED:
            return value_requested(
                self.items,
                shipping=self.shipping_total,
                terms=self.terms,
                requested_refund=self.requested_refund,
                charges=self.charges,
            )
        return with_entitled(self.value_arrived(self.items, self.agreed_refund), self.entitled_amount)

    def value_arrived(self, items: tuple[ReturnItem, ...], agreed_refund: int | None) -> Valuation:
        """What these items come to by this return's terms, once they have arrived as they say."""
        if self.claim_id is not None:
            return NOTHING
        return value_arrived(
            items,
            shipping=self.shipping_total,
            terms=self.terms,
            requested_refund=self.requested_refund,
            agreed_refund=agreed_refund,
            charges=self.charges,
        )

    @property
    def breakdown(self) -> tuple[AmountPart, ...]:
        """The named parts of `refund_amount`; they add up to it exactly."""
        return self.valuation.breakdown(self.currency)

    def reserved_quantities(self) -> list[tuple[str, int]]:
        """
        By item: its line, and the units of the line that are spoken for by it.

        Open returns hold what was requested and what came besides; a received one what arrived; a
        canceled one nothing. What a claim's return was requested for, the claim holds.
        """
        if self.status is ReturnStatus.CANCELED:
            return [(item.item_id, 0) for item in self.items]
        if self.claim_id is not None:
            return [(item.item_id, 0 if item.is_requested else item.arrived_quantity) for item in self.items]
        if self.status is ReturnStatus.RECEIVED:
            return [(item.item_id, item.arrived_quantity) for item in self.items]
        return [(item.item_id, item.allocated_quantity) for item in self.items]
