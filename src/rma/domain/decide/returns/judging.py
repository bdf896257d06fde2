"""What becomes of a return's items when units of one line are graded, whichever of its items they are of."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from attrs import evolve, frozen

from rma.domain.sale.catalogue import Fault, ReturnReason
from rma.domain.sale.eligibility import facts_of_reason, fault_in
from rma.domain.sale.grades import SEND_BACK, Grade, is_restocked
from rma.domain.sale.policy import Terms
from rma.domain.state.graded_units import GradedUnits, merge_graded
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.money import Money

#: Units that come back by their fault are paid whole, whatever their grade.
OURS = (Fault.MERCHANT, Fault.CARRIER)


@frozen
class Judging:
    """
    Units of a line that are graded by one entry of a command.

    Attributes:
        units: what was said of them, without what depends on the item that they are of.
        previous: what was said of them before; None for waiting ones.
    """

    units: GradedUnits
    previous: GradedUnits | None = None


class Judge:
    """
    The terms of a return, and the catalogue of reasons, by which its units are graded.

    Units of one line look alike: those of the best grade are taken to be of the item that was requested
    first, so that what is paid does not depend on the order of inspections. Where some of them come back by
    the merchant's or the carrier's fault, those of the worst grades are taken to be these.
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
        facts = facts_of_reason(self._reasons.get(reason_id or ""), self._reasons)
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
            fault=fault_in(facts),
            facts=tuple(sorted(facts)),
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
        units = self.merged(said)
        worst = self._worst(units, sum([item.arrived_quantity for item in items if _is_ours(item)]))
        ours = iter(self._fill([item for item in items if _is_ours(item)], worst))
        others = iter(self._fill([item for item in items if not _is_ours(item)], _without(units, worst)))
        return [next(ours if _is_ours(item) else others) for item in items]

    def _worst(self, units: Sequence[GradedUnits], most: int) -> tuple[GradedUnits, ...]:
        """
        Of these units those of the worst grades, as many as there are and at most so many.

        Those for which a clerk said a reason or an amount come last: they are worth the same, whose they are.
        """
        worst = []
        of_items = [each for each in units if not _is_worth_the_same(each)]
        of_clerks = [each for each in units if _is_worth_the_same(each)]
        for each in (*reversed(of_items), *reversed(of_clerks)):
            worst.append(evolve(each, quantity=min(most, each.quantity)))
            most -= worst[-1].quantity
        return self.merged(worst)

    def _fill(self, items: Sequence[ReturnItem], said: Sequence[GradedUnits]) -> list[ReturnItem]:
        """These items once this was said of their units that are here; of the last ones it was not."""
        left = [(each, each.quantity) for each in said]
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
        """
        The items of a line of which these units went back to the customer: of what arrived last, first, and
        of what is returned by the merchant's or the carrier's fault, last.
        """
        after, left = list(items), back.quantity
        for index in sorted(range(len(after)), key=lambda index: (_is_ours(items[index]), -index)):
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
        is_ours = _is_ours(item) if said.reason_id is None else said.fault in OURS
        is_whole = is_ours or said.deduction is not None
        percent = Decimal(100) if is_whole else self._grades[said.grade].percent
        return evolve(said, percent=percent, rule=self._rule(said, item))

    def _rule(self, said: GradedUnits, item: ReturnItem) -> str | None:
        """The first of the rules that may speak for an item by the reason of a clerk; None for its own."""
        if said.reason_id is None or item.ruling is None or item.is_overruled:
            return None
        others = [fact for fact in item.facts if not fact.startswith(("reason:", "fault:"))]
        facts = frozenset([*said.facts, *others])
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
            if judging.previous is not None:
                said[evolve(judging.previous, quantity=0)] -= judging.units.quantity
            if judging.units.is_returned:
                line = judge.send_back(line, judging.units)
            else:
                alike = evolve(judging.units, quantity=0)
                said[alike] = said.get(alike, 0) + judging.units.quantity
        graded = [evolve(alike, quantity=quantity) for alike, quantity in said.items()]
        for index, item in zip(places, judge.spread(line, graded), strict=True):
            after[index] = item
    return tuple(after)


def _is_ours(item: ReturnItem) -> bool:
    """True if the customer's reason said, when it was requested, that the merchant or carrier is to blame."""
    return (item.fault or fault_in(item.facts)) in OURS


def _is_worth_the_same(said: GradedUnits) -> bool:
    """True if it does not matter for the value of these units which item they are of."""
    return said.reason_id is not None or said.deduction is not None


def _without(units: Sequence[GradedUnits], others: Sequence[GradedUnits]) -> list[GradedUnits]:
    """The units without these others, which are some of them."""
    gone = {evolve(each, quantity=0): each.quantity for each in others}
    return [evolve(each, quantity=each.quantity - gone.get(evolve(each, quantity=0), 0)) for each in units]
