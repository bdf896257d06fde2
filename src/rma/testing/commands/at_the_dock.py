"""Makers of commands about goods at the dock that no one expected, or that were counted wrong."""

from rma.domain.messages.command_items import (
    CorrectedForeign,
    CorrectedItem,
    ForeignDecision,
    ForeignItem,
    MissingItem,
    ReceivedItem,
)
from rma.domain.messages.commands import CorrectReceipt, ReceiveUnannounced
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.testing.commands.choices import choose_target, choose_units, rarely
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def receive_unannounced(chooser: Chooser, situation: Situation) -> ReceiveUnannounced | None:
    """Some of what the customer has, seldom one unit too many, or what is not of the order at all."""
    has_foreign = rarely(chooser, 4)
    units = {} if has_foreign and rarely(chooser, 2) else choose_units(chooser, situation)
    foreign = foreign_items(chooser) if has_foreign else []
    if not units and not foreign:
        return None
    return ReceiveUnannounced(
        order_id=situation.order.id,
        items=[ReceivedItem(item_id=item_id, quantity=quantity) for item_id, quantity in units.items()],
        foreign=foreign,
        location_id=chooser.detail([None, "loc_2"]),
    )


def correct_receipt(chooser: Chooser, situation: Situation) -> CorrectReceipt | None:
    """Of a return was counted wrong: more of one line, or less, or it is damaged; or foreign goods."""
    returns = situation.ledger.returns
    booked = [
        each
        for each in returns
        if each.undecided_foreign or any(any(units) for units in each.booked_quantities().values())
    ]
    target = choose_target(chooser, booked, returns)
    if target is None:
        return None
    said = target.booked_quantities()
    item_id = chooser.choose(list(said) or [item.item_id for item in target.items] or ["mug"])
    units = sum(said.get(item_id, (0, 0)))
    units += sum([each.quantity for each in target.undecided_foreign if each.item_id == item_id])
    quantity = chooser.whole(0, units + 1)
    damaged = chooser.detail([0, 0, *range(quantity + 1)])
    corrected = CorrectedItem(
        item_id=item_id,
        quantity=quantity - damaged,
        damaged_quantity=damaged,
        grade=chooser.detail([None, None, *[grade.name for grade in target.terms.scale]]),
    )
    foreign = [
        CorrectedForeign(number=each.number, quantity=chooser.detail([each.quantity, 0]))
        for each in target.undecided_foreign
    ]
    return CorrectReceipt(
        return_id=target.id,
        items=[corrected],
        foreign=chooser.detail([[], foreign]),
        reason=chooser.detail(["miscounted", "damage found"]),
    )


def foreign_items(chooser: Chooser) -> list[ForeignItem]:
    """A sock."""
    note = chooser.detail([None, "worn"])
    return [ForeignItem(description="a sock", quantity=1, sku=chooser.detail([None, "sock"]), note=note)]


def missing_items(chooser: Chooser, target: Return) -> list[MissingItem]:
    """Of some lines, units that will not arrive; of a request, of all lines."""
    is_request = target.status is ReturnStatus.REQUESTED
    return [
        MissingItem(
            item_id=item.item_id,
            quantity=chooser.whole(1, item.missing_quantity),
            pay=chooser.choose([True, False]),
            reason=chooser.detail([None, "lost by the carrier"]),
        )
        for item in target.items
        if item.missing_quantity and not target.is_released
        if is_request or chooser.detail([False] * 3 + [True])
    ]


def foreign_decisions(chooser: Chooser, target: Return) -> list[ForeignDecision]:
    """What becomes of foreign goods for which it was not said before."""
    return [
        ForeignDecision(number=each.number, send_back=chooser.detail([True, False]))
        for each in target.undecided_foreign
    ]
