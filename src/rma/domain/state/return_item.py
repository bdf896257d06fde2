"""One line of a return: what was asked, what arrived, and what its units took from the line's pool."""

from attrs import field, frozen

from rma.domain.sale.pricing import PricedLine
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import share


@frozen
class ReturnItem:
    """
    A line item in a return.

    Attributes:
        quantity: requested units; 0 for what arrived without being requested.
        received_quantity: arrived and can be sold again.
        damaged_quantity: arrived and cannot. The two are disjoint.
        rejected_quantity, rejected_damaged_quantity: of the received and the damaged ones, how many were
            kept without a refund.
        returned_to_customer_quantity: arrived, and went back to the customer; neither received nor damaged.
        is_requested: False for units that were not requested.
        line: the order's line as it was priced when a return first touched it.
        allocated: the share of the line's pool that these units took, as running sums in minor units.
    """

    item_id: str
    quantity: int
    line: PricedLine = field(repr=False)
    allocated: tuple[int, ...] = field(repr=False)
    received_quantity: int = 0
    damaged_quantity: int = 0
    reason_id: str | None = None
    note: str | None = None
    is_requested: bool = True
    rejected_quantity: int = 0
    rejected_damaged_quantity: int = 0
    returned_to_customer_quantity: int = 0
    metadata: FrozenMap[str, object] = FrozenMap()

    @property
    def arrived_quantity(self) -> int:
        """Received and damaged together."""
        return self.received_quantity + self.damaged_quantity

    @property
    def missing_quantity(self) -> int:
        """Requested units that have not arrived."""
        return self.quantity - self.received_quantity - self.damaged_quantity if self.is_requested else 0

    @property
    def allocated_quantity(self) -> int:
        """The units that `allocated` is the share of."""
        return self.quantity if self.is_requested else self.received_quantity + self.damaged_quantity

    def value(self, quantity: int) -> tuple[int, ...]:
        """The share of the first `quantity` units of this item, as running sums."""
        if not quantity:
            return self.line.nothing
        return share(self.allocated, quantity, self.allocated_quantity)

    def refunded_quantity(self, *, refund_damaged: bool) -> int:
        """The units that arrived and are refunded."""
        accepted = self.received_quantity - self.rejected_quantity
        if refund_damaged:
            accepted += self.damaged_quantity - self.rejected_damaged_quantity
        return accepted
