"""A scale of grades, and returns whose goods wait for an inspection."""

from typing import Any

from rma import Grade, InspectedItem, InspectReturn, Order, ReceivedItem, ReturnPolicy, ReturnReason
from tests.rules.given import Given, line, off, order_of, receive, request
from tests.world import REASONS

SCALE = (
    Grade("A", 100, "restock"),
    Grade("B", 80, "refurbish"),
    Grade("D", 0, "recycle"),
)
INSPECT = ReturnPolicy(inspect=True, grades=SCALE)
FAULTS = (
    *REASONS,
    ReturnReason(id="rr_defective", value="defective", label="Defective", fault="merchant"),
    ReturnReason(id="rr_transit", value="transit", label="Damaged in transit", fault="carrier"),
    ReturnReason(id="rr_mind", value="mind", label="Change of mind", fault="customer"),
)


def five() -> Order:
    """Returns an order of five mugs for 90.00."""
    return order_of(line("mug", 5, 1800))


def odd() -> Order:
    """Returns an order of three mugs for 29.00, worth 9.67, 9.66 and 9.67."""
    return order_of(line("mug", 3, 1000, adjustments=off(100)))


def waiting(
    quantity: int = 3, order: Order | None = None, policy: ReturnPolicy = INSPECT, **more: Any
) -> Given:
    """Returns five mugs for 90.00, of which some were requested and received, and wait for an inspection."""
    given = Given(order or five(), policy)
    given.catalogue = FAULTS
    given.when(request(quantity, **more))
    given.when(receive(quantity))
    return given


def graded(grade: str, quantity: int = 1, **more: Any) -> InspectedItem:
    """Judges so many mugs."""
    return InspectedItem(item_id="mug", quantity=quantity, grade=grade, **more)


def inspect(*items: InspectedItem | str, **more: Any) -> InspectReturn:
    """Judges units of the first return: mugs of these grades, one each, or these items."""
    asked = [graded(item) if isinstance(item, str) else item for item in items]
    return InspectReturn(return_id="ret_1", items=asked, **more)


def mug(quantity: int, damaged: int = 0) -> ReceivedItem:
    """So many mugs arrived."""
    return ReceivedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged)
