"""What becomes of a return's items when units of one line are graded, whichever of its items they are of."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from attrs import evolve, frozen

from rma.domain.sale.catalogue import Fault, ReturnReason
from rma.domain.sale.eligibility import facts_of_reason
from rma.domain.sale.grades import SEND_BACK, Grade, is_restocked
from rma.domain.sale.policy import Terms
from rma.domain.state.graded_units import GradedUnits, merge_graded
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.money import Money


@frozen
class Judging:
    """
    Units of a line that are graded by one entry of a command.

    Attributes:
        units: what was said of them, without what depends on the item that they are of.
        previous: what was said of them before, by what it takes units from; empty for waiting ones.
    """

    units: GradedUnits
    previous: tuple[GradedUnits, ...] = ()


class Judge:
    """
    The terms of a return, and the catalogue of reasons, by which its units are graded.

    Units of one line look alike: those of the best grade are taken to be of the item that was requested
    first, so that what is paid does not depend on the order of inspections.
    """

    def __init__(self, terms: Terms, reasons: Iterable[ReturnReason]) -> None:
        self._terms = terms
        self._grades = {grade.name: grade for grade in terms.scale}
        self._reasons = {reason.id: reason for reason in reasons}

    @property
    def grades(self) -> Mapping[str, Grade]:
        """The scale by names, the best first."""
        return self._grades

    def said(
        self,
        grade: Grade,
        quantity: int,
        *,
        disposition: str | None,
        location_id: str | None,
        deduction: Money | None,
        reason_id: str | None,
    ) -> GradedUnits:
        """What is said of units of this grade, without what depends on the item that they are of."""
        to = grade.disposition if disposition is None else disposition
        goes_back = to == SEND_BACK
        stock = not goes_back and (
            is_restocked(to, self._grades.values()) or (disposition is None and grade.restock)
        )
        return GradedUnits(
            grade=grade.name,
            quantity=quantity,
            percent=Decimal(0),
            disposition=to,
            is_restocked=stock,
            is_returned=goes_back,
            location_id=None if goes_back else location_id,
            deduction=deduction,
            reason_id=reason_id,
            fault=None if reason_id is None else self._fault(reason_id),
        )

    def merged(self, units: Iterable[GradedUnits]) -> tuple[GradedUnits, ...]:
        """The units by what was said, the best first."""
        return merge_graded(units, list(self._grades))

    def said_before(self, items: Sequence[ReturnItem]) -> tuple[GradedUnits, ...]:
        """What was said of the units of these items that are here, without what depends on the item."""
        return self.merged(
            [
                evolve(each, percent=Decimal(0), rule=None)
                for item in items
                for each in item.graded
                if not each.is_returned
            ]
        )

    def spread(self, items: Sequence[ReturnItem], said: Sequence[GradedUnits]) -> list[ReturnItem]:
        """The items of a line once this, and no more, was said of its units that are here."""
        left = [(each, each.quantity) for each in self.merged(said)]
        spread = []
        for item in items:
            capacity = item.arrived_quantity
            graded = [each for each in item.graded if each.is_returned]
            while left and capacity:
                each, quantity = left[0]
                taken = min(quantity, capacity)
                graded.append(self._of_item(evolve(each, quantity=taken), item))
                capacity -= taken
                left[0] = each, quantity - taken
                if taken == quantity:
                    left.pop(0)
            spread.append(evolve(item, graded=self.merged(graded), waiting_quantity=capacity))
        return spread

    def send_back(self, items: Sequence[ReturnItem], back: GradedUnits) -> list[ReturnItem]:
        """The items of a line of which these units went back to the customer: of what arrived last, first."""
        after, left = list(items), back.quantity
        for index in reversed(range(len(after))):
            item = after[index]
            taken = min(left, item.arrived_quantity)
            if taken:
                left -= taken
                damaged = min(taken, item.damaged_quantity)
                after[index] = evolve(
                    item,
                    allocated=(
                        item.allocated if item.is_requested else item.value(item.arrived_quantity - taken)
                    ),
                    damaged_quantity=item.damaged_quantity - damaged,
                    received_quantity=item.received_quantity - (taken - damaged),
                    returned_to_customer_quantity=item.returned_to_customer_quantity + taken,
                    graded=self.merged([*item.graded, evolve(back, quantity=taken)]),
                )
        return after

    def _of_item(self, said: GradedUnits, item: ReturnItem) -> GradedUnits:
        """What was said of units, for this item: what is paid, and which rule speaks for them."""
        fault = self._fault_of(item) if said.reason_id is None else said.fault
        is_ours = fault in (Fault.MERCHANT, Fault.CARRIER) or said.deduction is not None
        percent = Decimal(100) if is_ours else self._grades[said.grade].percent
        return evolve(said, percent=percent, rule=self._rule(said.reason_id, item))

    def _fault(self, reason_id: str | None) -> Fault | None:
        reason = self._reasons.get(reason_id) if reason_id is not None else None
        return _fault_in(facts_of_reason(reason, self._reasons))

    def _fault_of(self, item: ReturnItem) -> Fault | None:
        """Whose fault the customer's reason says that it is; as it was requested, if rules saw it."""
        return _fault_in(item.facts) or self._fault(item.reason_id)

    def _rule(self, reason_id: str | None, item: ReturnItem) -> str | None:
        """The first of the rules that may speak for an item by the reason of a clerk; None for its own."""
        if reason_id is None or item.ruling is None or item.is_overruled:
            return None
        of_reason = facts_of_reason(self._reasons.get(reason_id), self._reasons)
        others = [fact for fact in item.facts if not fact.startswith(("reason:", "fault:"))]
        facts = of_reason.union(others)
        for name in item.ruling.other_rules:
            rule = self._terms.rule(name)
            if rule is not None and rule.when <= facts:
                return None if name == item.rule else name
        return None


def judge_items(
    items: tuple[ReturnItem, ...], judgings: Mapping[str, Sequence[Judging]], judge: Judge
) -> tuple[ReturnItem, ...]:
    """The items of a return once these units were graded, by line."""
    after = list(items)
    for item_id, of_line in judgings.items():
        places = [index for index, item in enumerate(items) if item.item_id == item_id and item.is_inspected]
        line = [items[index] for index in places]
        said = {evolve(each, quantity=0): each.quantity for each in judge.said_before(line)}
        for judging in of_line:
            for previous in judging.previous:
                said[evolve(previous, quantity=0)] -= previous.quantity
            if judging.units.is_returned:
                line = judge.send_back(line, judging.units)
            else:
                alike = evolve(judging.units, quantity=0)
                said[alike] = said.get(alike, 0) + judging.units.quantity
        graded = [evolve(alike, quantity=quantity) for alike, quantity in said.items()]
        for index, item in zip(places, judge.spread(line, graded), strict=True):
            after[index] = item
    return tuple(after)


def _fault_in(facts: Iterable[str]) -> Fault | None:
    return next((Fault(fact.removeprefix("fault:")) for fact in facts if fact.startswith("fault:")), None)
