"""Makers of inspections."""

from rma.domain.messages.command_items import InspectedItem
from rma.domain.messages.commands import InspectReturn
from rma.domain.sale.grades import HOLD, RESTOCK, SEND_BACK
from rma.domain.state.returns import Return
from rma.testing.commands.choices import choose_target, rarely
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation

#: Where units may go instead of where their grade says.
DISPOSITIONS = (None, None, None, RESTOCK, SEND_BACK, HOLD, "outlet")
#: Where they may be put; the return's location is one of these, or none.
LOCATIONS = (None, None, None, "loc_2")


def inspect_return(chooser: Chooser, situation: Situation) -> InspectReturn | None:
    """Some of what waits, or all of it; or some units again that were graded before."""
    returns = situation.ledger.returns
    waiting = [each for each in returns if each.awaits_inspection]
    graded = [each for each in returns if each.is_inspected]
    target = choose_target(chooser, [*waiting * 3, *graded], returns)
    if target is None:
        return None
    is_again = target.is_inspected and (not target.awaits_inspection or rarely(chooser, 4))
    items = _again(chooser, target) if is_again else _waiting(chooser, situation, target)
    return InspectReturn(return_id=target.id, items=items)


def _waiting(chooser: Chooser, situation: Situation, target: Return) -> list[InspectedItem]:
    left: dict[str, int] = {}
    for item in target.items:
        left[item.item_id] = left.get(item.item_id, 0) + item.waiting_quantity
    items = []
    for item_id, most in left.items():
        quantity = chooser.choose([most, most, min(most, 1)])
        if quantity:
            items.append(_graded(chooser, situation, target, item_id, quantity))
    some_id = next(iter(left), "mug")
    return items or [_graded(chooser, situation, target, some_id, 1)]


def _graded(
    chooser: Chooser, situation: Situation, target: Return, item_id: str, quantity: int
) -> InspectedItem:
    """These units, of one grade; seldom with a deduction, or for another reason than the customer's."""
    disposition = chooser.detail(DISPOSITIONS)
    deducted = disposition != SEND_BACK and chooser.detail([False] * 7 + [True])
    return InspectedItem(
        item_id=item_id,
        quantity=quantity,
        grade=chooser.choose([grade.name for grade in target.terms.scale]),
        disposition=disposition,
        location_id=chooser.detail(LOCATIONS),
        deduction=chooser.detail(range(1, 50)) if deducted else None,
        note=chooser.detail([None, "scratched"]) if not deducted else "scratched",
        images=chooser.detail([(), ("https://images.example/1",)]),
        reason_id=chooser.detail([None, None, *situation.reason_ids]),
    )


def _again(chooser: Chooser, target: Return) -> list[InspectedItem]:
    """Units of one judgement, as another grade or at another place."""
    groups = [
        (item.item_id, each) for item in target.items for each in item.graded if not each.is_returned
    ] or [(item.item_id, each) for item in target.items for each in item.graded]
    item_id, before = chooser.choose(groups)
    return [
        InspectedItem(
            item_id=item_id,
            quantity=chooser.detail(range(1, before.quantity + 1)),
            grade=chooser.choose([grade.name for grade in target.terms.scale]),
            disposition=chooser.detail(DISPOSITIONS),
            location_id=chooser.detail(LOCATIONS),
            note=chooser.detail([None, "looked again"]),
            previous_grade=before.grade,
            previous_disposition=chooser.detail([None, before.disposition]),
        )
    ]
