"""The checks of what a clerk says about units, and which units that is about."""

from attrs import evolve

from rma.domain.decide.checks import (
    check_amount,
    check_images,
    check_items,
    check_string,
    check_text,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.judging import Judge, Judging
from rma.domain.decide.returns.reasons import check_reason
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.messages.command_items import InspectedItem
from rma.domain.messages.commands import InspectReturn
from rma.domain.sale.grades import HOLD
from rma.domain.state.graded_units import GradedUnits
from rma.domain.state.grading import lowest_value
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.domain.values.validators import is_whole


def check_inspected(
    wrong: Violations, facts: Facts, command: InspectReturn, target: Return | None, judge: Judge | None
) -> dict[str, list[Judging]]:
    """What is said, by line; as far as nothing is wrong with it."""
    asked = check_items(wrong, command.items, InspectedItem)
    for each in asked:
        _check_strings(wrong, each)
        _check_reason(wrong, facts, each)
    if target is None or judge is None:
        return {}
    lines: dict[str, list[ReturnItem]] = {}
    for item in target.items:
        lines.setdefault(item.item_id, []).append(item)
    judgings: dict[str, list[Judging]] = {}
    left = {item_id: _Left(line, judge) for item_id, line in lines.items()}
    arrived_at = {item_id: _location_of(target, item_id) for item_id in lines}
    said: list[tuple[InspectedItem, GradedUnits]] = []
    for each in asked:
        is_valid = _check_quantity(wrong, each)
        if each.item_id not in lines:
            wrong.add("item_not_in_return", each.item_id, return_id=error_id(command.return_id))
            continue
        before = len(wrong)
        _check_grades(wrong, each, judge)
        deduction = _check_deduction(wrong, each, target, lines[each.item_id])
        if len(wrong) > before or not is_valid or not _has_strings(each):
            continue
        units = judge.said(
            judge.grades[each.grade],
            each.quantity,
            disposition=each.disposition,
            location_id=each.location_id if each.location_id is not None else arrived_at[each.item_id],
            deduction=deduction,
            reason_id=each.reason_id,
        )
        said.append((each, units))
        judgings.setdefault(each.item_id, []).extend(left[each.item_id].take(wrong, each, units))
    _check_places(wrong, facts, target, said)
    for item_id, of_line in left.items():
        if of_line.new > of_line.waiting:
            wrong.add("inspected_exceeds_received", item_id, quantity=of_line.new, waiting=of_line.waiting)
    return judgings


class _Left:
    """The units of a line that a command can judge: those that wait, and those that were graded before."""

    def __init__(self, items: list[ReturnItem], judge: Judge) -> None:
        self.waiting = sum([item.waiting_quantity for item in items])
        self.new = 0
        said = judge.said_before([item for item in items if item.is_inspected])
        self._said = {evolve(each, quantity=0): each.quantity for each in said}

    def take(self, wrong: Violations, asked: InspectedItem, units: GradedUnits) -> tuple[Judging, ...]:
        """What an entry judges: units that wait, or units that were graded before, by what was said then."""
        if asked.previous_grade is None:
            self.new += units.quantity
            return (Judging(units),)
        found = [
            each
            for each in self._said
            if each.grade == asked.previous_grade and asked.previous_disposition in (None, each.disposition)
        ]
        graded = sum([self._said[each] for each in found])
        if units.quantity > graded:
            wrong.add(
                "regraded_exceeds_graded",
                asked.item_id,
                quantity=units.quantity,
                graded=graded,
                grade=asked.previous_grade,
            )
            return ()
        taken, quantity = [], units.quantity
        for each in sorted(found, key=lambda other: other == _said_again(units, other)):  # changes first
            part = min(quantity, self._said[each])
            quantity -= part
            self._said[each] -= part
            again = evolve(_said_again(units, each), quantity=part)
            taken.append(Judging(again, evolve(each, quantity=part)))
        return tuple(taken)


def _said_again(units: GradedUnits, before: GradedUnits) -> GradedUnits:
    """
    What is said of units, of which this was said before.

    Where the grade is the same, the deduction and the reason of a clerk stay, unless others are given.
    """
    again = evolve(units, quantity=0)
    if units.grade != before.grade or units.is_returned:
        return again
    if again.deduction is None:
        again = evolve(again, deduction=before.deduction)
    if again.reason_id is None:
        again = evolve(again, reason_id=before.reason_id, fault=before.fault, facts=before.facts)
    return again


def _location_of(target: Return, item_id: str) -> str | None:
    """Where units of a line are: where its parcels arrived, if they were all at one place; else None."""
    found = {
        receipt.location_id
        for receipt in target.receipts
        for item in receipt.items
        if item.item_id == item_id and (item.quantity or item.damaged_quantity)
    }
    if not found:  # a correction says that they are here
        return target.location_id
    return found.pop() if len(found) == 1 else None


def _check_strings(wrong: Violations, each: InspectedItem) -> None:
    check_string(wrong, "grade", each.grade, each.item_id)
    for name in ("disposition", "location_id", "note", "previous_grade", "previous_disposition"):
        check_text(wrong, name, getattr(each, name), each.item_id)
    if each.disposition == "":
        wrong.add("invalid_text", each.item_id, field="disposition", expected="a word", value="''")
    check_images(wrong, each.images, each.item_id)


def _has_strings(each: InspectedItem) -> bool:
    """True if what its units are found by are strings; if not, that was reported."""
    values: tuple[object, ...] = (
        each.disposition,
        each.location_id,
        each.reason_id,
        each.previous_grade,
        each.previous_disposition,
    )
    return all(value is None or isinstance(value, str) for value in values)


def _check_reason(wrong: Violations, facts: Facts, each: InspectedItem) -> None:
    if each.reason_id is not None:
        reasons = {reason.id: reason for reason in facts.reasons}
        categories = {reason.parent_id for reason in facts.reasons}
        check_reason(wrong, each.item_id, each.reason_id, reasons, categories)


def _check_quantity(wrong: Violations, each: InspectedItem) -> bool:
    if is_whole(each.quantity, at_least=1):
        return True
    wrong.add("invalid_quantity", each.item_id, quantity=error_value(each.quantity), minimum=1)
    return False


def _check_grades(wrong: Violations, each: InspectedItem, judge: Judge) -> None:
    """The grade, and the one before if there was one, are of the scale."""
    names: list[object] = [each.grade, *([each.previous_grade] if each.previous_grade is not None else [])]
    for name in names:
        if not isinstance(name, str) or name not in judge.grades:
            wrong.add("unknown_grade", each.item_id, grade=error_id(name), grades=list(judge.grades))
    if each.previous_disposition is not None and each.previous_grade is None:
        wrong.add("previous_grade_missing", each.item_id)


def _check_deduction(
    wrong: Violations, each: InspectedItem, target: Return, line: list[ReturnItem]
) -> Money | None:
    """The deduction, if one is named and it is valid: at most the value of a unit of the line."""
    if each.deduction is None:
        return None
    deduction = check_amount(
        wrong, each.deduction, target.currency, "invalid_deduction", field="deduction", minimum=1
    )
    if not each.note:
        wrong.add("deduction_without_note", each.item_id)
    value = min([lowest_value(item) for item in line if item.is_inspected], default=0)
    if deduction is not None and deduction.amount > value:
        wrong.add(
            "deduction_exceeds_worth",
            each.item_id,
            deduction=deduction.amount,
            value=value,
            currency=target.currency,
        )
    return deduction


def _check_places(
    wrong: Violations, facts: Facts, target: Return, said: list[tuple[InspectedItem, GradedUnits]]
) -> None:
    """The host has what dispositions need; and stock has locations, if some of it has one."""
    before = [graded for item in target.items for graded in item.graded]
    in_stock = [units for units in (*before, *[units for _, units in said]) if units.is_restocked]
    is_located = any(units.location_id is not None for units in in_stock)
    for each, units in said:
        if units.is_returned:
            if not facts.sends_back:
                wrong.add("send_back_unsupported", each.item_id)
            if units.deduction is not None:
                wrong.add("deduction_without_refund", each.item_id)
        elif units.is_restocked:
            if units.location_id is None and (is_located or _has_locations(target, each.item_id)):
                wrong.add("location_missing", each.item_id, disposition=units.disposition)
        elif units.disposition != HOLD and not facts.disposes:
            wrong.add("disposal_unsupported", each.item_id, disposition=units.disposition)


def _has_locations(target: Return, item_id: str) -> bool:
    """True if parcels of this line named where they arrived."""
    return any(
        receipt.location_id is not None and any(item.item_id == item_id for item in receipt.items)
        for receipt in target.receipts
    )
