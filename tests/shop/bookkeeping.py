"""
Makes orders, and says what became of them; run with the settings of a shop.

    python -m tests.shop.bookkeeping make 12    makes orders of two mugs each
    python -m tests.shop.bookkeeping count      prints what there is, as JSON
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> None:
    """Does what the arguments say."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "shop"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    import django  # noqa: PLC0415 # settings first

    django.setup()
    match arguments:
        case ["make", count]:
            make(int(count))
        case ["count"]:
            print(json.dumps(count_all()))  # noqa: T201
        case _:
            raise SystemExit(__doc__)


def make(count: int) -> None:
    """Makes tables, the sample and orders."""
    from django.core.management import call_command  # noqa: PLC0415 # settings first
    from shop.sample import make_order, make_sample  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    make_sample()
    for number in range(count):
        make_order(f"L{number}", "ada", [("mug-white", 2, 0)], payment=f"card_L{number}", days_ago=1)


def count_all() -> dict[str, object]:
    """Returns what each part of the shop has, for those orders."""
    from shop.models import Mail, Parcel, SentForm, StockMovement  # noqa: PLC0415 # settings first
    from shop.returns import get_service  # noqa: PLC0415

    service = get_service()
    orders = sorted(set(SentForm.objects.values_list("order_id", flat=True)))
    returns = [each for order in orders for each in service.list(order)]
    return {
        "forms": SentForm.objects.count(),
        "returns": {each.id: each.status for each in returns},
        "refunds": {
            refund.key: [refund.status, refund.amount.amount] for each in returns for refund in each.refunds
        },
        "labels": sorted(Parcel.objects.values_list("key", flat=True)),
        "stock": sorted(StockMovement.objects.values_list("key", flat=True)),
        "mails": Mail.objects.count(),
        "open": [each.key for each in service.outstanding()],
        "differences": [str(each) for order in orders for each in service.verify(order)],
    }


if __name__ == "__main__":
    main(sys.argv[1:])
