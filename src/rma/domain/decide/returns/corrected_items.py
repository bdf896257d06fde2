"""What a correction says of the lines and foreign goods of a return, checked, and what it changes."""

from collections.abc import Iterable, Mapping

from attrs import frozen

from rma.domain.decide.checks import check_text, valid_items, valid_members
from rma.domain.decide.returns.counted_again import undecided_units
from rma.domain.decide.returns.limits import expected_units, limits_of, room_of
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.messages.command_items import CorrectedForeign, CorrectedItem
from rma.domain.messages.commands import CorrectReceipt
from rma.domain.sale.order import Order
from rma.domain.state.at_the_dock import ForeignGoods, foreign_after
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Return
from rma.domain.values.validators import is_whole


@frozen
class Said:
    """
    What a correction says of a line: sellable and damaged units, foreign ones under its id among them.

    Attributes:
        grade: of which units are gone, if that is said.
    """

    good: int
    bad: int
    grade: str | None = None

    @property
    def units(self) -> int:
        """Of both kinds."""
        return self.good + self.bad


@frozen
class Line:
    """
    A line of a return as it was counted: sellable and damaged units.

    Attributes:
        booked: what its receipts say together.
        here: of these, what did not go back to the customer.
        rejected: of those that are here, what is not paid for.
        undecided: of those that are here, how many were neither rejected nor graded.
        graded: how many have which grade.
    """

    booked: tuple[int, int] = (0, 0)
    here: tuple[int, int] = (0, 0)
    rejected: tuple[int, int] = (0, 0)
    undecided: int = 0
    graded: Mapping[str, int] = {}

    @property
    def least(self) -> tuple[int, int]:
        """What it cannot be corrected below: units that were decided about cannot vanish."""
        (good, bad), here, rejected = self.booked, self.here, self.rejected
        return good - here[0] + rejected[0], bad - here[1] + rejected[1]

    def least_of(self, grade: str) -> int:
        """What both kinds together cannot be corrected below, if units of no other grade are gone."""
        return sum(self.booked) - self.undecided - self.graded.get(grade, 0)


@frozen
class Counts:
    """
    What the receipts of a return say once they are corrected.

    Attributes:
        booked: by line, the sellable and damaged units, where they are others than before.
        foreign: how many foreign goods there were, where there are others than before.
        receivable: by line, of what the correction says, how many can have come.
    """

    booked: dict[str, tuple[int, int]]
    foreign: tuple[CorrectedForeign, ...]
    receivable: dict[str, int]


def read_items(wrong: Violations, command: CorrectReceipt, target: Return | None) -> dict[str, Said]:
    """What the receipts should have said, by line; appends what is malformed."""
    asked: object = command.items
    if asked == () and command.foreign == ():
        wrong.add("no_items")
    said: dict[str, Said] = {}
    grades = [grade.name for grade in target.terms.scale] if target else []
    for each in valid_items(wrong, asked, CorrectedItem, "items"):
        good, bad, grade = each.quantity, each.damaged_quantity, each.grade
        if target and grade is not None and grade not in grades:
            wrong.add("unknown_grade", each.item_id, grade=error_id(grade), grades=list(grades))
        if not is_whole(good, at_least=0):
            wrong.add("invalid_quantity", each.item_id, quantity=error_value(good), minimum=0)
        elif not is_whole(bad, at_least=0):
            wrong.add("invalid_damaged_quantity", each.item_id, quantity=error_value(bad), minimum=0)
        else:
            before = said.get(each.item_id, Said(0, 0))
            said[each.item_id] = Said(before.good + good, before.bad + bad, grade or before.grade)
    return said


def read_foreign(
    wrong: Violations, command: CorrectReceipt, target: Return | None
) -> tuple[CorrectedForeign, ...]:
    """How many foreign goods there were, each once, and only of those that no one decided about."""
    corrected = valid_members(wrong, command.foreign, CorrectedForeign, "foreign")
    undecided = [each.number for each in target.undecided_foreign] if target else []
    seen: list[object] = []
    for each in corrected:
        number: object = each.number
        if number in seen:
            wrong.add("foreign_decided_twice", number=error_value(number))
        elif target and not (is_whole(number, at_least=1) and number in undecided):
            wrong.add("foreign_not_found", return_id=target.id, number=error_value(number))
        if not is_whole(each.quantity, at_least=0):
            wrong.add("invalid_quantity", quantity=error_value(each.quantity), minimum=0)
        seen.append(number)
    return corrected


def check_reason(wrong: Violations, reason: object) -> str:
    """Why the receipts are corrected: it must be said."""
    check_text(wrong, "reason", reason)
    if not isinstance(reason, str) or not reason.strip():
        if reason is None or isinstance(reason, str):
            wrong.add("correction_without_reason")
        return ""
    return reason


def check_lines(wrong: Violations, said: Iterable[str], order: Order, target: Return) -> None:
    """What is corrected is on the order, in the return, or among its foreign goods."""
    known = {line.id for line in order.items} | {item.item_id for item in target.items}
    known |= {each.item_id for each in target.undecided_foreign if each.item_id is not None}
    for item_id in said:
        if item_id not in known:
            wrong.add("item_not_found", item_id, order_id=order.id)


def lines_of(target: Return) -> dict[str, Line]:
    """The lines of the return as they were counted."""
    counted: dict[str, Line] = {}
    for item_id, booked in target.booked_quantities().items():
        items = [item for item in target.items if item.item_id == item_id]
        here = sum([item.received_quantity for item in items]), sum([item.damaged_quantity for item in items])
        rejected = [(item.rejected_quantity, item.rejected_damaged_quantity) for item in items]
        graded: dict[str, int] = {}
        for each in [each for item in items for each in item.graded if not each.is_returned]:
            graded[each.grade] = graded.get(each.grade, 0) + each.quantity
        counted[item_id] = Line(
            booked,
            here,
            (sum([g for g, _ in rejected]), sum([b for _, b in rejected])),
            undecided_units(items),
            graded,
        )
    return counted


def count_lines(
    ledger: ReturnLedger,
    order: Order,
    target: Return,
    said: dict[str, Said],
    corrected: tuple[CorrectedForeign, ...],
) -> Counts:
    """
    What the receipts say once this is said of lines and foreign goods.

    Fewer units of a line take the foreign ones under its id away first.
    """
    counted, undecided = lines_of(target), target.undecided_foreign
    quantities = {each.number: each.quantity for each in undecided}
    left = {each.number: each.quantity for each in foreign_after(undecided, corrected)}
    booked: dict[str, tuple[int, int]] = {}
    receivable: dict[str, int] = {}
    expected = expected_units(target.items, room_of(ledger, target))
    limits = limits_of(ledger, {line.id: line for line in order.items}, expected, said)
    for item_id, of_line in said.items():
        before = counted.get(item_id, Line()).booked
        goods = [each for each in undecided if each.item_id == item_id]
        foreign = sum([left.get(each.number, 0) for each in goods])
        gone = min(foreign, max(0, sum(before) + foreign - of_line.units))
        _take_foreign(left, goods, gone)
        units = of_line.units - (foreign - gone)
        good = min(of_line.good, units)
        if (good, units - good) != before:
            booked[item_id] = good, units - good
        most = limits[item_id].most if item_id in limits else 0
        receivable[item_id] = sum(before) + most + foreign - gone
    after = [CorrectedForeign(number=number, quantity=left.get(number, 0)) for number in quantities]
    changed = tuple([each for each in after if each.quantity != quantities[each.number]])
    return Counts(booked, changed, receivable)


def check_limits(
    wrong: Violations, said: dict[str, Said], counted: Mapping[str, Line], counts: Counts
) -> None:
    """Neither below what was decided about, nor above what the customer can have sent."""
    for item_id, (good, bad) in counts.booked.items():
        line, grade = counted.get(item_id, Line()), said[item_id].grade
        least = line.least
        if good < least[0] or bad < least[1]:
            wrong.add(
                "correction_below_decided",
                item_id,
                quantity=good,
                damaged_quantity=bad,
                least=least[0],
                damaged_least=least[1],
            )
        elif grade is not None and good + bad < line.least_of(grade):
            wrong.add("correction_below_graded", item_id, quantity=good + bad, least=line.least_of(grade))
        most = counts.receivable[item_id]
        if good + bad > sum(line.booked) and said[item_id].units > most:
            wrong.add("quantity_exceeds_receivable", item_id, quantity=said[item_id].units, receivable=most)


def _take_foreign(left: dict[int, int], goods: Iterable[ForeignGoods], units: int) -> None:
    """Takes so many units away, of the goods that were booked last first."""
    for each in reversed(tuple(goods)):
        gone = min(units, left.get(each.number, 0))
        if gone:
            left[each.number] -= gone
            units -= gone
