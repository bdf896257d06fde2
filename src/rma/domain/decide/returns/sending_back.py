"""What a resolution asks the carrier to bring to the customer: rejected units, and foreign goods."""

from collections.abc import Sequence

from rma.domain.decide.facts import Facts
from rma.domain.messages.command_items import ForeignDecision, ForeignItem, RejectedItem
from rma.domain.messages.effects import SendBackRequest, StockLine, effect_key
from rma.domain.state.returns import Return


def request_send_back(
    facts: Facts,
    target: Return,
    rejected: Sequence[RejectedItem],
    decided: Sequence[ForeignDecision],
) -> SendBackRequest | None:
    """The request for what goes back; None if nothing does, or the carrier cannot be asked."""
    quantities: dict[str, int] = {}
    for each in rejected:
        if each.send_back:
            units = each.quantity + each.damaged_quantity
            quantities[each.item_id] = quantities.get(each.item_id, 0) + units
    back = {each.number for each in decided if each.send_back}
    foreign = [
        ForeignItem(
            description=each.description,
            quantity=each.quantity,
            sku=each.sku,
            note=each.note,
            images=each.images,
        )
        for each in target.foreign
        if each.number in back
    ]
    if not facts.sends_back or not (quantities or foreign):
        return None
    variants = {item.item_id: item.line.variant_id for item in target.items}
    return SendBackRequest(
        key=effect_key(target.id, "sendback", target.send_backs + 1),
        order_id=target.order_id,
        return_id=target.id,
        location_id=target.location_id,
        lines=tuple([StockLine(item_id, variants[item_id], units) for item_id, units in quantities.items()]),
        foreign=tuple(foreign),
    )
