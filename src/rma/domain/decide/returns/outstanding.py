"""What a clerk says when a return is closed: of units that will not arrive, and of foreign goods."""

from attrs import evolve

from rma.domain.decide.checks import check_flags, check_text, valid_items, valid_members
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.messages.command_items import ForeignDecision, MissingItem
from rma.domain.messages.commands import ResolveReturn
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.validators import is_whole


def check_missing(
    wrong: Violations, command: ResolveReturn, target: Return | None
) -> tuple[MissingItem, ...]:
    """The units that will not arrive, of each line at most as many as are outstanding."""
    missing = valid_items(wrong, command.missing, MissingItem, "missing")
    totals: dict[str, int] = {}
    for each in missing:
        if is_whole(each.quantity, at_least=1):
            totals[each.item_id] = totals.get(each.item_id, 0) + each.quantity
        else:
            wrong.add("invalid_quantity", each.item_id, quantity=error_value(each.quantity), minimum=1)
        check_flags(wrong, pay=each.pay)
        check_text(wrong, "reason", each.reason, each.item_id)
    if target is None:
        return missing
    items = () if target.is_released else target.items  # units that were free again are not outstanding
    for item_id, quantity in totals.items():
        if not any(item.item_id == item_id for item in target.items):
            wrong.add("item_not_in_return", item_id, return_id=error_id(command.return_id))
            continue
        outstanding = sum([item.missing_quantity for item in items if item.item_id == item_id])
        if quantity > outstanding:
            wrong.add("missing_exceeds_outstanding", item_id, quantity=quantity, outstanding=outstanding)
    return missing


def without_lost(items: tuple[ReturnItem, ...], missing: tuple[MissingItem, ...]) -> tuple[ReturnItem, ...]:
    """The items with what was lost and is paid for, in request order."""
    found = list(items)
    for each in missing:
        left = each.quantity if each.pay else 0
        for index, item in enumerate(found):
            lost = min(left, item.missing_quantity) if item.item_id == each.item_id else 0
            if lost:
                left -= lost
                found[index] = evolve(item, lost_quantity=item.lost_quantity + lost)
    return tuple(found)


def check_foreign(
    wrong: Violations, command: ResolveReturn, target: Return | None
) -> tuple[ForeignDecision, ...]:
    """What becomes of foreign goods: of each that was not decided about, and of no other."""
    decided = valid_members(wrong, command.foreign, ForeignDecision, "foreign")
    seen: list[object] = []
    undecided = [each.number for each in target.undecided_foreign] if target else []
    for each in decided:
        number: object = each.number
        check_flags(wrong, send_back=each.send_back)
        check_text(wrong, "note", each.note)
        if number in seen:
            wrong.add("foreign_decided_twice", number=error_value(number))
        elif target and not (is_whole(number, at_least=1) and number in undecided):
            wrong.add("foreign_not_found", return_id=target.id, number=error_value(number))
        seen.append(number)
    if target and (left := [number for number in undecided if number not in seen]):
        wrong.add("foreign_undecided", return_id=target.id, numbers=tuple(left))
    return decided
