"""Makes the sample customers, products and orders: `manage.py sample`."""

from typing import Any

from django.core.management.base import BaseCommand

from shop.sample import make_sample


class Command(BaseCommand):
    """Makes what is missing, and changes nothing that is there."""

    help = "Makes the sample customers, products and orders."

    def handle(self, *_: Any, **__: Any) -> None:
        """Makes them."""
        make_sample()
