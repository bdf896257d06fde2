"""Which lines may be returned at all, whatever their quantity; asked once, on request."""

from datetime import datetime

from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.values.errors import Violation


def refusals(order: Order, item: LineItem, policy: ReturnPolicy, at: datetime) -> tuple[Violation, ...]:
    """Why no unit of this line may be returned now; empty if some may."""
    if item.is_returnable and policy.window_days is None:
        return ()
    refused = []
    if not item.is_returnable:
        refused.append(Violation("item_not_returnable", item.id))
    until = policy.returnable_until(order, item)
    if until is not None and at > until:
        refused.append(Violation("return_window_closed", item.id, {"until": until.isoformat()}))
    return tuple(refused)
