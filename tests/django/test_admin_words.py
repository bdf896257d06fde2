"""What the admin says of a return, an exchange or a claim, in words."""

import re
from collections.abc import Iterator
from datetime import timedelta

from attrs import evolve

from rma import ChargeDeclined, Grade, NotIdempotent, PayOn, ReturnPolicy
from rma.adapters.django.page import attention_of
from rma.adapters.memory import InMemoryHolds, InMemoryReservingInventory
from rma.domain.messages.effects import GivenUp
from rma.domain.state.ledger import Subject, SubjectKind
from rma.testing.simulation import simulate
from rma.testing.world import World
from tests.databases import LONG
from tests.rules.advance import first, pay
from tests.rules.before import requested
from tests.rules.given import request
from tests.shell.test_advance import DAYS, LosesAnswers, Shop
from tests.testing.test_world import ORDER, OTHER
from tests.world import REASONS

POLICIES = (
    ReturnPolicy(),
    ReturnPolicy(review=True),
    ReturnPolicy(inspect=True, grades=[Grade("A", "100", "restock"), Grade("B", "40")]),
    ReturnPolicy(pay_on=PayOn.REQUEST, return_within_days=2),
    ReturnPolicy(return_within_days=1),
)

#: What is met in some life, sooner or later.
REASONS_GIVEN = {
    "it waits for approval",
    "its new goods cannot be had: no v_new",
    "the customer has yet to pay",
    "the refund of failed: card_closed",
    "the refund of needs attention: succeeded after: mistaken",
    "is due and not paid, which is more than the payments have left",
    "too much was paid",
    "what arrived is not what was requested, or was not expected",
    "what arrived waits for an inspection",
}


def subjects_of(world: World) -> Iterator[Subject]:
    """Yields everything that there is."""
    for order_id in world.order_ids:
        for kind in SubjectKind:
            yield from world.ledger_of(order_id).subjects(kind)


def test_whatever_needs_attention_says_why_and_nothing_else_does() -> None:
    """In many lives of orders, whose ports fail."""
    seen: set[str] = set()
    for seed in range(300 if LONG else 40):
        policy = POLICIES[seed % len(POLICIES)]
        stock = InMemoryReservingInventory({"v_new": seed % 7}) if seed % 2 else None
        world = World([ORDER, OTHER], seed, policy=policy, reasons=REASONS, inventory=stock)
        for _ in range(40):
            simulate(world, 1)
            for each in subjects_of(world):
                why = list(attention_of(each))
                assert bool(why) == each.needs_attention, each
                seen.update([" ".join(re.sub(r"\S*\d\S*|[A-Z]{3}", "", reason).split()) for reason in why])
    assert seen >= REASONS_GIVEN


def why_of(shop: Shop, subject_id: str) -> list[str]:
    """Returns why it needs attention; the law holds for it."""
    subject: Subject = shop.exchange() if subject_id.startswith("exc") else shop.service.get(subject_id)
    why = list(attention_of(subject))
    assert bool(why) == subject.needs_attention
    return why


class NotKeyed(LosesAnswers):
    """One that must not be asked twice."""

    gateway = NotIdempotent(timedelta(minutes=5))


def test_a_charge_that_failed_or_of_which_no_one_knows_is_named() -> None:
    """With what is known of it."""
    shop = Shop(holds=NotKeyed(9))
    shop.shipped()
    for _ in range(3):
        shop.now += DAYS
        shop.service.resume()
    assert why_of(shop, "exc_1") == ["whether 59.95 USD was charged is not known: TimeoutError: lost"]

    shop = Shop(holds=InMemoryHolds(lambda _: ChargeDeclined("hold_expired")))
    shop.shipped()
    shop.now += DAYS
    shop.service.resume()
    failed, owed = "the charge of 59.95 USD failed: hold_expired", "the customer has yet to pay 59.95 USD"
    assert why_of(shop, "exc_1") == [failed, owed]


def test_what_is_not_tried_again_is_named() -> None:
    """By the key of its effect: a label whose carrier refused to answer."""
    given = requested(shipping_option_id="so_return")
    given.record_outcomes(("ret_1-shipment-1", GivenUp("away")))

    assert list(attention_of(given.the())) == ["ret_1-shipment-1 waits for too long, or is not tried again"]


def test_goods_that_are_overdue_or_never_arrived_are_named() -> None:
    """Of an exchange that the customer paid, and of a return that was paid ahead."""
    shop = Shop()
    shop.service.handle(first(ship="last", hold=None))
    shop.service.handle(pay(500))
    shop.now += DAYS
    shop.service.resume()
    assert why_of(shop, "ret_1") == ["goods of its exchange are overdue"]

    shop = Shop()
    shop.service = evolve(
        shop.service, policies=lambda _: ReturnPolicy(pay_on=PayOn.REQUEST, return_within_days=2)
    )
    shop.service.handle(request(1))
    shop.now += DAYS
    shop.service.resume()
    assert why_of(shop, "ret_1") == [
        "it was paid, and its goods never arrived",
        "59.95 USD too much was paid",
    ]
