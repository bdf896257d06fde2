"""The service of the project: what is asked of an order is in the beginning of its id."""

from typing import ClassVar

from attrs import evolve

from rma import Grade, Order, RefundDeclined, RefundOutcome, RefundRequest, RefundSucceeded, ReturnPolicy
from rma.adapters.django import DjangoReturnService, django_service
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryPayments,
    InMemoryShippingOptions,
)
from tests.django.shop import order
from tests.world import RETURN_OPTION

#: Orders whose card is closed, and orders whose gateway does not answer.
closed: set[str] = set()
deaf: set[str] = set()

#: What its orders call a mug.
TITLE = "Coffee mug, 0.3 l"


class Orders:
    """Every order that is asked for is there, with five mugs; those that are away cannot be read."""

    away: ClassVar[set[str]] = set()

    def get(self, order_id: str) -> Order:
        """Returns it."""
        if order_id in self.away:
            raise TimeoutError
        mugs = order(order_id, 5)
        return evolve(mugs, items=[evolve(each, title=TITLE) for each in mugs.items])


def policy_of(order: Order) -> ReturnPolicy:
    """Returns the policy by the beginning of the id."""
    grades = [
        Grade(name="A", percent=100, restock=True, disposition="restock"),
        Grade(name="<i>B", percent=40),
    ]
    return ReturnPolicy(
        return_within_days=14,
        review=order.id.startswith("review"),
        inspect=order.id.startswith("inspect"),
        grades=grades if order.id.startswith("inspect") else (),
    )


def pay(request: RefundRequest) -> RefundOutcome:
    """Declines what goes to a closed card, or says nothing."""
    if request.order_id in deaf:
        raise TimeoutError
    return RefundDeclined("card_closed") if request.order_id in closed else RefundSucceeded("re_1")


def make_service() -> DjangoReturnService:
    """Returns the service."""
    return django_service(
        orders=Orders(),
        inventory=InMemoryInventory(),
        payments=InMemoryPayments(answer=pay),
        fulfillment=InMemoryFulfillment(),
        shipping_options=InMemoryShippingOptions([RETURN_OPTION]),
        policies=policy_of,
    )
