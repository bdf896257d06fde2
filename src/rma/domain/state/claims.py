"""A claim: goods that never came, or came wrong or broken, and what the shop does about it."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from rma.domain.messages.effects import ReplacementShipment
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.pricing import AmountPart, PricedLine
from rma.domain.state.refunds import Refund, in_force, need_attention
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money


class ClaimType(StrEnum):
    """What makes it good."""

    REFUND = "refund"
    REPLACE = "replace"


class ClaimReason(StrEnum):
    """What went wrong."""

    MISSING_ITEM = "missing_item"
    WRONG_ITEM = "wrong_item"
    PRODUCTION_FAILURE = "production_failure"
    OTHER = "other"


class ClaimStatus(StrEnum):
    """
    Where a claim stands.

    `requested`: it was made good, its goods are still to come back. `completed`: nothing is to come any
    more. `requires_action`: its refund is above what the payments have left, and nothing was paid.
    """

    REQUESTED = "requested"
    COMPLETED = "completed"
    REQUIRES_ACTION = "requires_action"
    CANCELED = "canceled"


@frozen
class ClaimedItem:
    """
    Units of a line that are made good.

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
    Units that the shop makes good, by money or by new goods, at most once.

    Attributes:
        return_id: the return that brings the goods back, if they are to come; it moves no money.
        refund_amount: what it is worth to the customer in money; 0 where new goods are sent.
        entitled_amount: what of it was granted, minor units.
        requested_refund: the refund that the claim named, minor units.
        is_refund_blocked: the refund was above what the payments have left; `RetryRefund` asks again.
        shipment: what the carrier answered when the new goods were sent.
        display_id: counts the order's claims from 1.
    """

    id: str
    order_id: str
    display_id: int
    type: ClaimType
    status: ClaimStatus
    items: tuple[ClaimedItem, ...]
    refund_amount: Money
    requested_at: datetime
    updated_at: datetime
    new_items: tuple[NewItem, ...] = ()
    return_id: str | None = None
    refunds: tuple[Refund, ...] = ()
    entitled_amount: int = 0
    requested_refund: int | None = None
    is_refund_blocked: bool = False
    shipment: ReplacementShipment | None = None
    no_notification: bool = False
    created_by: str | None = None
    idempotency_key: str | None = None
    canceled_at: datetime | None = None
    metadata: FrozenMap[str, object] = field(default=FrozenMap())

    @property
    def currency(self) -> str:
        """Of every amount in this claim."""
        return self.refund_amount.currency

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
        """True while it goes no further without a person."""
        return need_attention(self.entitled_amount, self.refunds)

    @property
    def breakdown(self) -> tuple[AmountPart, ...]:
        """The named parts of `refund_amount`; they add up to it exactly. None where new goods are sent."""
        if self.type is ClaimType.REPLACE:
            return ()
        goods = [item.line.part(item.allocated) for item in self.items]
        difference = self.refund_amount.amount - sum([part.amount.amount for part in goods])
        if self.requested_refund is None and not difference:
            return tuple(goods)
        name = "rounding" if self.requested_refund is None else "requested_refund"
        return (*goods, AmountPart(name, Money(difference, self.currency)))

    def reserved_quantities(self) -> list[tuple[str, int]]:
        """By item: its line, and the units of the line that are spoken for by it; none once canceled."""
        is_over = self.status is ClaimStatus.CANCELED
        return [(item.item_id, 0 if is_over else item.quantity) for item in self.items]
