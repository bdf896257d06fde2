"""Makers of commands about returns whose goods were not received yet."""

from rma.domain.messages.command_items import ApprovedItem
from rma.domain.messages.commands import (
    ApproveReturn,
    DeclineReturn,
    ExpireReturn,
    RecordSending,
    RenewShipment,
    UpdateReturn,
)
from rma.domain.messages.effects import ReturnShipmentRequest
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.testing.commands.choices import (
    choose_option,
    choose_target,
    rarely,
    requested_items,
)
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def _pending(situation: Situation) -> list[Return]:
    return [each for each in situation.ledger.returns if each.status is ReturnStatus.PENDING_APPROVAL]


def _at_the_customer(situation: Situation) -> list[Return]:
    """Those that are requested, and of which nothing was sent."""
    returns = situation.ledger.returns
    return [each for each in returns if each.status is ReturnStatus.REQUESTED and each.sending is None]


def approve_return(chooser: Chooser, situation: Situation) -> ApproveReturn | None:
    """All of it, or fewer units."""
    target = choose_target(chooser, _pending(situation), situation.ledger.returns)
    if target is None:
        return None
    items = None
    if chooser.choose([False, False, True]):
        units: dict[str, int] = {}
        for item in target.items:
            units[item.item_id] = units.get(item.item_id, 0) + item.quantity
        items = [
            ApprovedItem(item_id=item_id, quantity=chooser.whole(0, most)) for item_id, most in units.items()
        ]
    return ApproveReturn(return_id=target.id, items=items, note=chooser.detail([None, "welcome back"]))


def decline_return(chooser: Chooser, situation: Situation) -> DeclineReturn | None:
    """For a reason of the merchant's."""
    target = choose_target(chooser, _pending(situation), situation.ledger.returns)
    if target is None:
        return None
    note = chooser.detail([None, "it was worn"])
    return DeclineReturn(return_id=target.id, reason=chooser.detail(["worn", "late"]), note=note)


def update_return(chooser: Chooser, situation: Situation) -> UpdateReturn | None:
    """Fewer units, more of them, other lines; another way back, or none."""
    alone = [
        each
        for each in (*_pending(situation), *_at_the_customer(situation))
        if each.exchange_id is None and each.claim_id is None
    ]
    target = choose_target(chooser, alone, situation.ledger.returns)
    if target is None:
        return None
    most = {each.item_id: each.quantity for each in situation.returnable()}
    for item in target.items:
        most[item.item_id] = most.get(item.item_id, 0) + item.quantity
    units = {item_id: chooser.whole(0, min(3, quantity)) for item_id, quantity in most.items()}
    if not any(units.values()):
        units = {item.item_id: max(1, item.quantity) for item in target.items}
    amount = chooser.detail([None] * 7 + [Money(150, situation.order.currency)])
    return UpdateReturn(
        return_id=target.id,
        items=requested_items(chooser, situation, {each: count for each, count in units.items() if count}),
        shipping_option_id=choose_option(chooser, situation),
        location_id=chooser.detail([None, None, "loc_2"]),
        refund_amount=amount,
        refund_note=None if amount is None else "agreed",
    )


def record_sending(chooser: Chooser, situation: Situation) -> RecordSending | None:
    """As the customer or the carrier says."""
    target = choose_target(chooser, _at_the_customer(situation), situation.ledger.returns)
    if target is None:
        return None
    return RecordSending(
        return_id=target.id,
        tracking_number=chooser.detail([None, "1Z"]),
        proof=chooser.detail([None, "receipt.jpg"]),
    )


def expire_return(chooser: Chooser, situation: Situation) -> ExpireReturn | None:
    """Mostly one whose date is past."""
    past = [each for each in situation.ledger.returns if each.expires_at and each.expires_at < situation.now]
    target = choose_target(chooser, past, situation.ledger.returns)
    return None if target is None else ExpireReturn(return_id=target.id)


def renew_shipment(chooser: Chooser, situation: Situation) -> RenewShipment | None:
    """One that has a label; where its booking was stopped, a person says that it was made."""
    labeled = [each for each in _at_the_customer(situation) if each.label_number is not None]
    target = choose_target(chooser, labeled, situation.ledger.returns)
    if target is None:
        return None
    is_stopped = any(
        isinstance(effect.request, ReturnShipmentRequest)
        and effect.request.return_id == target.id
        and effect.delivery.is_stopped
        for effect in situation.ledger.open_effects.values()
    )
    was_booked = True if is_stopped and not rarely(chooser, 10) else None
    return RenewShipment(return_id=target.id, was_booked=was_booked)
