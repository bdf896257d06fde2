"""The service of returns, over what the shop has: the one place where they are put together."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from rma.adapters.django import DjangoReturnService, django_service, get_service
from shop.carrier import ShopCarrier
from shop.credit import ShopCredits
from shop.mails import Mails
from shop.orders import ShopOrders
from shop.payments import GatewayPayments
from shop.policy import POLICY, TIMING, reasons, shipping_options
from shop.stock import ShopStock

__all__ = ["get_service", "make_service", "now"]


def now() -> datetime:
    """Returns the present moment, or so many days later as `SHOP_DAYS_AHEAD` says."""
    return datetime.now(UTC) + timedelta(days=settings.SHOP_DAYS_AHEAD)


def make_service() -> DjangoReturnService:
    """Makes the service; `RMA["SERVICE"]` names this, and `get_service` returns what it made."""
    return django_service(
        orders=ShopOrders(),
        inventory=ShopStock(),
        payments=GatewayPayments(),
        fulfillment=ShopCarrier(),
        credits=ShopCredits(),
        shipping_options=shipping_options,
        return_reasons=reasons,
        policies=POLICY,
        events=Mails(),
        clock=now,
        timing=TIMING,
    )
