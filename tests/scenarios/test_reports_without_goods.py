"""
Situations that users of other systems reported to their trackers: money that is given back without goods.

Goodwill, price reductions, postage, units that were never sent, and the taxes of amounts. Each has an id and
the product and number of the tracker. Amounts are in minor units.
"""

from typing import Any

import pytest
from attrs import evolve

from rma import (
    AmountPart,
    Claim,
    ClaimedCharge,
    ClaimItem,
    Order,
    RequestClaim,
)
from rma.testing.core_harness import counting

from .world import ORDER, World, line, receive, request, sale


def host(order: Order) -> World:
    """Returns a host with this order, whose returns and claims are numbered together."""
    world = World.of(order)
    return evolve(world, service=evolve(world.service, ids=counting()))


def claim(world: World, kind: str, reason: str = "other", amount: int | None = None, **units: int) -> Claim:
    """Claims units; of a price reduction the amount is for the units."""
    is_reduced = kind == "reduce"
    items = [
        ClaimItem(item_id=item_id, quantity=quantity, reason=reason, amount=amount if is_reduced else None)
        for item_id, quantity in units.items()
    ]
    return world.service.handle(
        RequestClaim(order_id=ORDER, type=kind, items=items, refund_amount=None if is_reduced else amount)
    )


def postage(world: World, amount: int | None = None) -> Claim:
    """Gives back the postage of the order, or a part of it."""
    charge = ClaimedCharge(charge_id="outbound", amount=amount)
    return world.service.handle(RequestClaim(order_id=ORDER, type="refund", charges=[charge]))


def left(world: World) -> dict[str, int]:
    """Returns how many units of each line are returnable."""
    return {each.item_id: each.quantity for each in world.service.returnable_items(ORDER)}


def paid(world: World) -> int:
    """Returns the sum of all refunds."""
    return sum(amount for _, amount in world.refunds)


def taxes_of(parts: tuple[AmountPart, ...]) -> int:
    """Returns the sum of all taxes in an amount."""
    return sum(leaf.amount.amount for part in parts for leaf in part.parts if leaf.name.startswith("tax:"))


def one(price: int, tax: str) -> Order:
    """Returns an order of one unit with its tax in the price."""
    return sale(line("a", 1, price, tax=(tax,), inclusive=True), paid=price)


@pytest.mark.parametrize(
    ("price", "rate", "amount", "tax"), [(10_000, "21", 5000, 868), (10_000, "9", 2000, 165)]
)
@pytest.mark.parametrize("kind", ["refund", "reduce"])
def test_a_part_of_a_price_carries_its_part_of_the_tax(
    price: int, rate: str, amount: int, tax: int, kind: str
) -> None:
    """A-07: mollie/Shopware6#1279, #1244: 50.00 of 100.00 incl. 21 % has 8.68 of tax."""
    world = host(one(price, rate))

    found = claim(world, kind, amount=amount, a=1)

    assert (paid(world), taxes_of(found.breakdown)) == (amount, tax)


def test_the_second_half_is_paid_for_goods_that_are_kept() -> None:
    """A-08, RB-13: mollie/Shopware6#1374: 1.50 of 2.99, then the other 1.49; the goods stay."""
    world = host(sale(line("a", 1, 299, tax=("9",), inclusive=True), line("b", 1, 5000), paid=5299))

    first, second = (claim(world, "reduce", amount=amount, a=1) for amount in (150, 149))

    assert (first.refund_amount.amount, second.refund_amount.amount, paid(world)) == (150, 149, 299)
    assert taxes_of(first.breakdown) + taxes_of(second.breakdown) == 25
    assert left(world) == {"a": 1, "b": 1}


def test_the_second_half_is_paid_when_the_goods_come_back_after_all() -> None:
    """A-08: the same, and then the unit comes back for the other 1.49."""
    world = host(sale(line("a", 1, 299), paid=299))
    claim(world, "reduce", amount=150, a=1)

    (opened,) = world.do(request(a=1))
    (received,) = world.do(receive(opened.id, a=1))

    assert (received.refund_amount.amount, paid(world), world.stock) == (149, 299, (("a", 1),))


def test_postage_is_refunded_after_the_goods() -> None:
    """A-12: Sylius/RefundPlugin#262, medusajs/medusa#13066, solidusio/solidus#2628: 20.00 for each."""
    world = host(sale(line("a", 2, 1000), paid=4000, shipping=2000))
    world.do(request(a=2), receive(a=2))

    found = postage(world)

    assert (found.refund_amount.amount, paid(world)) == (2000, 4000)
    assert world.service.order_state(ORDER).refundable.amount == 0


def test_postage_is_refunded_while_the_goods_stay() -> None:
    """A-12: 20.00 are paid, and both units are still returnable for what they cost."""
    world = host(sale(line("a", 2, 1000), paid=4000, shipping=2000))

    postage(world)

    assert (paid(world), left(world)) == (2000, {"a": 2})
    assert world.service.quote(request(a=2)).refund_amount.amount == 2000


@pytest.mark.parametrize(("fulfilled", "unsent"), [(0, 3), (2, 1)])
def test_units_that_were_never_sent_are_paid_back(fulfilled: int, unsent: int) -> None:
    """
    A-13: solidusio/solidus#1712, #2947, spree/spree#10108, bagisto/bagisto#2594.

    None of three sent: 30.00, and no stock moves. Two sent: 10.00, and both are still returnable.
    """
    world = host(sale(line("a", 3, 1000, fulfilled=fulfilled), paid=3000))

    claim(world, "refund", "not_sent", a=unsent)

    assert (paid(world), world.stock, left(world)) == (1000 * unsent, (), {"a": fulfilled})


def test_seven_were_ordered_and_six_sent() -> None:
    """RB-31: woocommerce/woocommerce-ios, order 560, odoo/odoo PR 247163: 27.00, then 6 x 27.00."""
    world = host(sale(line("a", 7, 2700, fulfilled=6), paid=18_900))

    found = claim(world, "refund", "not_sent", a=1)

    assert (found.refund_amount.amount, left(world)) == (2700, {"a": 6})
    assert world.service.quote(request(a=6)).refund_amount.amount == 16_200


def test_a_credit_for_each_unit_lowers_what_they_come_back_for() -> None:
    """RB-08: frappe/erpnext#55860: 50.00 off each of ten at 150.00; four come back for 400.00."""
    world = host(sale(line("a", 10, 15_000), paid=150_000))

    claim(world, "reduce", amount=50_000, a=10)

    assert (paid(world), left(world)) == (50_000, {"a": 10})
    assert world.service.quote(request(a=4)).refund_amount.amount == 40_000


def test_an_amount_without_a_line_is_refunded_after_a_return() -> None:
    """
    RB-14: woocommerce/woocommerce-rest-api-docs, order 723, magento/magento2#34144.

    9.00 for an album with its line, then 10.00 by amount alone; the other line is still returnable.
    """
    world = host(sale(line("311", 1, 900), line("313", 1, 2000), paid=3900))
    units: dict[str, Any] = {"311": 1}
    world.do(request(**units), receive(**units))

    found = claim(world, "goodwill", amount=1000)

    assert found.refund_amount.amount == 1000
    assert world.refunds == (("p1", 900), ("p1", 1000))
    assert left(world) == {"311": 0, "313": 1}
