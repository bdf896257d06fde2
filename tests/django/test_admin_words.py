"""What the admin says of a return, an exchange or a claim, in words."""

import re
from collections.abc import Iterator

from rma import Grade, PayOn, ReturnPolicy
from rma.adapters.django.page import attention_of
from rma.adapters.memory import InMemoryReservingInventory
from rma.domain.state.ledger import Subject, SubjectKind
from rma.testing.simulation import simulate
from rma.testing.world import World
from tests.databases import LONG
from tests.testing.test_world import ORDER, OTHER
from tests.world import REASONS

POLICIES = (
    ReturnPolicy(),
    ReturnPolicy(review=True),
    ReturnPolicy(inspect=True, grades=[Grade("A", "100", "restock"), Grade("B", "40")]),
    ReturnPolicy(pay_on=PayOn.REQUEST, return_within_days=2),
    ReturnPolicy(return_within_days=1),
)


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
    assert {
        "it waits for approval",
        "its new goods cannot be had: no v_new",
        "the customer has yet to pay",
        "the refund of failed: card_closed",
        "the refund of needs attention: succeeded after: mistaken",
        "is due and not paid, which is more than the payments have left",
        "too much was paid",
        "what arrived is not what was requested, or was not expected",
        "what arrived waits for an inspection",
        "waits for too long, or is not tried again",
    } <= seen
