"""Choices that makers share."""

from collections.abc import Sequence
from typing import TypeVar

from rma.domain.messages.command_items import RequestedItem
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.rules import Outcome
from rma.domain.values.money import Money
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation

T = TypeVar("T")

#: Tags of requested units, where the policy has rules.
TAGS = ("outlet", "worn", "member")
#: Who may have sent a command, and what a host may have noted about it.
CREATORS = (None, "customer", "clerk é")
METADATA: tuple[dict[str, object], ...] = ({}, {"channel": "web", "tags": ["a", 1, None, {"deep": True}]})


def rarely(chooser: Chooser, one_in: int) -> bool:
    """True once in so many times."""
    return chooser.choose([False] * (one_in - 1) + [True])


def choose_target(chooser: Chooser, likely: Sequence[T], possible: Sequence[T]) -> T | None:
    """
    What a command is about: one of the likely ones, seldom any of the possible ones; None if there is none.

    Where nothing is likely it is mostly None, so that steps are not wasted on commands that are refused.
    """
    candidates = possible if rarely(chooser, 20) else likely
    return chooser.choose(candidates) if candidates else None


def choose_units(chooser: Chooser, situation: Situation) -> dict[str, int]:
    """By item id, how many units: of some lines one or two, or up to all; seldom one too many."""
    returnable = situation.returnable()
    units = {}
    for each in returnable:
        most = chooser.choose([min(2, each.quantity)] * 3 + [each.quantity])
        units[each.item_id] = chooser.whole(0, most) + rarely(chooser, 40)
    if returnable and not any(units.values()):
        units[chooser.choose(returnable).item_id] = 1
    return {item_id: quantity for item_id, quantity in units.items() if quantity}


def requested_items(chooser: Chooser, situation: Situation, units: dict[str, int]) -> list[RequestedItem]:
    """These units, for a reason or none; seldom a line in two entries, or units that a claim reduced."""
    items = []
    reductions = [claim for claim in situation.ledger.claims if claim.reductions]
    reduced = {item.item_id: claim.id for claim in reductions for _, item in claim.reductions}
    for item_id, quantity in units.items():
        is_split = quantity > 1 and chooser.detail([False] * 4 + [True])
        items += [
            RequestedItem(
                item_id=item_id,
                quantity=part,
                reason_id=chooser.detail([None, *situation.reason_ids]),
                note=chooser.detail([None, "too big"]),
                tags=chooser.detail([(), *[(tag,) for tag in TAGS]]) if situation.policy.rules else (),
                claim_id=chooser.detail([None, None, reduced[item_id]]) if item_id in reduced else None,
            )
            for part in ([1, quantity - 1] if is_split else [quantity])
        ]
    return items


def choose_amount(chooser: Chooser, situation: Situation, one_in: int) -> Money | None:
    """An amount instead of the computed one, once in so many times: up to 400 minor units."""
    if not rarely(chooser, one_in):
        return None
    return Money(chooser.choose([0, chooser.whole(0, 400)]), situation.order.currency)


def choose_note(chooser: Chooser, amount: Money | None) -> str | None:
    """Why the amount is what it is: needed where it is above the value of the units."""
    return None if amount is None else chooser.choose(["goodwill", "goodwill", None])


def choose_option(chooser: Chooser, situation: Situation) -> str | None:
    """The id of an option by which goods come back, or None."""
    return chooser.choose([None, *situation.shipping_option_ids])


def choose_outcome(chooser: Chooser, situation: Situation) -> str:
    """Money, or store credit where a rule offers it."""
    is_offered = any(Outcome.STORE_CREDIT in rule.outcomes for rule in situation.policy.rules)
    options = [Outcome.REFUND, Outcome.REFUND, Outcome.STORE_CREDIT] if is_offered else [Outcome.REFUND]
    return chooser.detail(options).value


def new_items(chooser: Chooser, situation: Situation, units: dict[str, int]) -> list[NewItem]:
    """One or two units of something else: cheaper than what comes back, the same, or dearer."""
    prices = [line.unit_price.amount for line in situation.order.items if line.id in units]
    price = max(prices, default=0)
    dearer = price * 2 + 500
    amount = chooser.choose([price // 2, 0, price, dearer, dearer, dearer])
    amount += chooser.detail([0, chooser.detail(range(300))])
    quantity = chooser.detail([1, 1, 2])
    return [
        NewItem(
            variant_id="v_new",
            quantity=quantity,
            unit_price=Money(amount, situation.order.currency),
            title=chooser.detail(["", "New"]),
        )
    ]
