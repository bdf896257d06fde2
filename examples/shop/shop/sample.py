"""Sample customers, products and orders."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from shop.models import Order, OrderLine, Payment, Product

_PRODUCTS = [
    ("mug-white", "mug", "White mug", 1290, ["usual"]),
    ("mug-blue", "mug", "Blue mug", 1490, ["usual"]),
    ("shirt-s", "shirt", "Linen shirt, S", 4900, ["usual"]),
    ("shirt-m", "shirt", "Linen shirt, M", 4900, ["usual"]),
    ("shirt-l", "shirt", "Linen shirt, L", 5400, ["usual"]),
    ("lamp", "lamp", "Brass lamp", 24900, ["dear"]),
    ("scarf", "scarf", "Scarf, from the sale", 1500, ["sale"]),
]

#: By order: the customer, how many days ago it was delivered, and its lines: product, quantity, discount.
_ORDERS: list[tuple[str, str, int, Sequence[tuple[str, int, int]], str]] = [
    ("1001", "ada", 3, [("mug-white", 2, 0), ("shirt-m", 1, 500), ("lamp", 1, 0)], "card_1001"),
    ("1002", "ada", 5, [("scarf", 1, 0), ("mug-blue", 1, 0)], "card_1002_later"),
    ("1003", "ada", 60, [("shirt-s", 1, 0)], "card_1003"),
    ("1004", "ada", 8, [("mug-white", 1, 0)], "card_1004_closed"),
    ("1005", "ada", 8, [("mug-blue", 2, 0)], "card_1005_lost"),
    ("1006", "ada", 4, [("shirt-m", 4, 0)], "card_1006"),
    ("2001", "ben", 2, [("shirt-l", 2, 0), ("mug-blue", 1, 0)], "card_2001"),
]

_LANGUAGES = {"ada": "en", "ben": "de"}
_SHIPPING = 490


def make_sample() -> None:
    """Makes what is missing; customers' passwords are their names."""
    with transaction.atomic():
        for name in ("ada", "ben", "cleo"):
            if not User.objects.filter(username=name).exists():
                mail = f"{name}@customers.example"
                User.objects.create_user(name, mail, password=name, is_staff=name == "cleo")
        User.objects.get(username="cleo").user_permissions.set(_what_clerks_may())
        for sku, family, title, price, tags in _PRODUCTS:
            wanted = {"family": family, "title": title, "price": price, "tags": tags}
            Product.objects.get_or_create(sku=sku, defaults=wanted)
        for number, customer, days_ago, lines, payment in _ORDERS:
            make_order(number, customer, lines, payment=payment, days_ago=days_ago)


def _what_clerks_may() -> QuerySet[Permission]:
    """See returns in the admin, and do what it offers; say how a charge ended that is for a clerk."""
    returns = Q(content_type__app_label="rma", content_type__model="storedreturn")
    charges = Q(codename__in=["view_chargeattempt", "change_chargeattempt"])
    return Permission.objects.filter(returns | charges)


def make_order(
    number: str, customer: str, lines: Sequence[tuple[str, int, int]], *, payment: str, days_ago: int
) -> Order:
    """Makes an order that was delivered so many days ago, unless it is there."""
    delivered_at = timezone.now() - timedelta(days=days_ago)
    order, is_new = Order.objects.get_or_create(
        number=number,
        defaults={
            "customer": User.objects.get(username=customer),
            "language": _LANGUAGES.get(customer, "en"),
            "placed_at": delivered_at - timedelta(days=2),
            "delivered_at": delivered_at,
            "shipping": _SHIPPING,
        },
    )
    if not is_new:
        return order
    paid = _SHIPPING
    for position, (sku, quantity, discount) in enumerate(lines, start=1):
        product = Product.objects.get(sku=sku)
        OrderLine.objects.create(
            order=order,
            position=position,
            product=product,
            quantity=quantity,
            unit_price=product.price,
            discount=discount,
        )
        paid += product.price * quantity - discount
    Payment.objects.create(id=payment, order=order, captured=paid)
    return order
