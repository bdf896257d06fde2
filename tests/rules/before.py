"""Commands and policies of what happens before the goods arrive."""

from datetime import datetime
from typing import Any

from rma import (
    ApprovedItem,
    ApproveReturn,
    Calendar,
    DeclineReturn,
    ExpireReturn,
    Order,
    RecordSending,
    RenewShipment,
    ReturnPolicy,
    Withdrawal,
)
from tests.rules.given import Given, line, off, order_of, request

REVIEW = ReturnPolicy(review=True)
EXPIRE = ExpireReturn(return_id="ret_1")
DECLINE = DeclineReturn(return_id="ret_1", reason="worn")
SENT = RecordSending(return_id="ret_1")
RENEW = RenewShipment(return_id="ret_1")


def mugs() -> Order:
    """Returns an order of three mugs for 29.00 together."""
    return order_of(line("mug", 3, 1000, adjustments=off(100)))


def pending(quantity: int = 3, policy: ReturnPolicy = REVIEW, **more: Any) -> Given:
    """Returns three mugs for 29.00, of which a return of some waits for approval."""
    given = Given(mugs(), policy)
    given.when(request(quantity, **more))
    return given


def requested(quantity: int = 3, policy: ReturnPolicy | None = None, **more: Any) -> Given:
    """Returns three mugs for 29.00, of which a return of some is requested."""
    given = Given(mugs(), policy)
    given.when(request(quantity, **more))
    return given


def approve(quantity: int | None = None, **more: Any) -> ApproveReturn:
    """Approves the first return, or so many mugs of it."""
    items = None if quantity is None else [ApprovedItem(item_id="mug", quantity=quantity)]
    return ApproveReturn(return_id="ret_1", items=items, **more)


def berlin(*holidays: str) -> Calendar:
    """Returns the calendar of Berlin, in which weekends and these dates are free."""
    return Calendar("Europe/Berlin", holidays=[datetime.fromisoformat(each).date() for each in holidays])


def withdrawals(**more: Any) -> ReturnPolicy:
    """Returns a policy without any returns of its own, with the European right of withdrawal."""
    return ReturnPolicy(window_days=0, withdrawal=Withdrawal(calendar=berlin(), **more))
