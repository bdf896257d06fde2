"""A claim: goods that never arrived, or arrived wrong or broken, and how they are compensated."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from rma.domain.messages.effects import ReplacementShipment
from rma.domain.sale.means import DEFAULT_REFUND_TERMS, RefundTerms
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.pricing import AmountPart, PricedLine
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.lifecycle import ClaimStatus, claim_rules
from rma.domain.state.refunds import Refund
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money


class ClaimType(StrEnum):
    """How the units are compensated."""

    REFUND = "refund"
    REPLACE = "replace"


class ClaimReason(StrEnum):
    """What went wrong."""

    MISSING_ITEM = "missing_item"
    WRONG_ITEM = "wrong_item"
    PRODUCTION_FAILURE = "production_failure"
    OTHER = "other"


@frozen
class ClaimedItem:
    """
    Units of a line that are compensated.

    Attributes:
        line: the order's line as it was priced when a return or claim first touched it.
        allocated: the share of the line's pool that these units took, as running sums in minor units.
    """

    item_id: str
    quantity: int
    reason: ClaimReason
    line: PricedLine = field(repr=False)
    allocated: tuple[int, ...] = field(repr=False)
    note: str | None = None
    images: tuple[str, ...] = ()


@frozen
class Claim:
    """
    Units that the merchant compensates, by a refund or by new goods, at most once.

    Attributes:
        return_id: the return that brings the goods back, if they are returned; it moves no money.
        entitlement: what the customer is entitled to in money, and what was paid; 0 where new goods are sent.
        shipment: what the carrier answered when the new goods were sent.
        display_id: counts the order's claims from 1.
        stuck_effects: keys of what waits for its port for too long, or is not tried again.
        refund_terms: how its refunds are taken from the payments of the order, by the policy at the request.
        customer_id: who bought, as the order said then.
    """

    id: str
    order_id: str
    display_id: int
    type: ClaimType
    status: ClaimStatus
    items: tuple[ClaimedItem, ...]
    entitlement: Entitlement
    requested_at: datetime
    updated_at: datetime
    new_items: tuple[NewItem, ...] = ()
    return_id: str | None = None
    shipment: ReplacementShipment | None = None
    no_notification: bool = False
    created_by: str | None = None
    idempotency_key: str | None = None
    canceled_at: datetime | None = None
    metadata: FrozenMap[str, object] = field(default=FrozenMap())
    stuck_effects: tuple[str, ...] = ()
    refund_terms: RefundTerms = DEFAULT_REFUND_TERMS
    customer_id: str | None = None

    @property
    def currency(self) -> str:
        """Of every amount in this claim."""
        return self.entitlement.entitled.currency

    @property
    def refund_amount(self) -> Money:
        """What the customer is entitled to in money; 0 where new goods are sent."""
        return self.entitlement.entitled

    @property
    def value(self) -> int:
        """The value of its units, minor units."""
        return sum([item.line.paid(item.allocated) for item in self.items])

    @property
    def refunds(self) -> tuple[Refund, ...]:
        """Oldest first, those that failed included."""
        return self.entitlement.refunds

    @property
    def refunded(self) -> Money:
        """The sum of its refunds in force: paid, or on their way."""
        return self.entitlement.paid

    @property
    def amount_due(self) -> Money:
        """What the customer is entitled to and was not paid."""
        return self.entitlement.due

    @property
    def is_open(self) -> bool:
        """True while goods are expected, or its refund exceeds what the payments have left."""
        return claim_rules(self.status).is_open

    @property
    def needs_attention(self) -> bool:
        """True while it goes no further without a person: see `Return.needs_attention`."""
        return bool(self.stuck_effects) or self.entitlement.needs_attention

    @property
    def breakdown(self) -> tuple[AmountPart, ...]:
        """The named parts of `refund_amount`; they add up to it exactly. None where new goods are sent."""
        if self.type is ClaimType.REPLACE:
            return ()
        goods = [item.line.part(item.allocated) for item in self.items]
        difference = self.refund_amount.amount - self.value
        is_named = (self.entitlement.requested_refund or self.entitlement.agreed_refund) is not None
        if not is_named and not difference:
            return tuple(goods)
        name = "custom_amount" if is_named else "rounding"
        return (*goods, AmountPart(name, Money(difference, self.currency)))

    def reserved_quantities(self) -> list[tuple[str, int]]:
        """By item: its line, and the units of the line that it reserves; none once canceled."""
        reserves = claim_rules(self.status).reserves
        return [(item.item_id, item.quantity if reserves else 0) for item in self.items]
