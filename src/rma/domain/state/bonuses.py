"""The bonus of a return whose customer takes store credit."""

from collections.abc import Sequence

from rma.domain.sale.bonus import Bonus, bonus_on
from rma.domain.sale.means import Means
from rma.domain.sale.policy import Terms
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.grading import grade_item
from rma.domain.state.return_item import ReturnItem

#: Units by the bonus of their rule, each with a weight.
Shares = list[tuple[Bonus | None, int]]


def bonus_now(
    amount: int, items: Sequence[ReturnItem], terms: Terms, before: Entitlement, *, is_promised: bool
) -> int:
    """
    The bonus on this amount of credit for these items, minor units.

    With what was given of it before, it is the bonus on all credit together, that without a bonus as well:
    units of a rule that has none, or amounts so small that theirs was rounded to nothing. What is promised
    is for the units that were requested, otherwise it is for those that arrived.
    """
    shares = _requested(items, terms) if is_promised else _arrived(items, terms)
    credited = [each for each in before.refunds if each.means is Means.STORE_CREDIT and each.is_in_force]
    had = sum([each.bonus.amount for each in credited if each.bonus is not None])
    so_far = sum([each.amount_in_force + each.carried_in_force for each in credited])
    return max(0, bonus_on(so_far + amount, shares) - had)


def has_bonus(terms: Terms) -> bool:
    """True if a rule of the return has a bonus."""
    return any(rule.bonus is not None for rule in (*terms.rules, *terms.other_rules))


def _bonus(name: str | None, terms: Terms) -> Bonus | None:
    rule = terms.rule(name)
    return None if rule is None else rule.bonus


def _requested(items: Sequence[ReturnItem], terms: Terms) -> Shares:
    requested = [item for item in items if item.is_requested]
    return _weighted(
        [(_bonus(item.rule, terms), item.line.paid(item.allocated), item.quantity) for item in requested]
    )


def _arrived(items: Sequence[ReturnItem], terms: Terms) -> Shares:
    found: list[tuple[Bonus | None, int, int]] = []
    for item in items:
        if item.is_inspected:
            counted = grade_item(item).counted
            found += [(_bonus(each.rule, terms), each.value, each.quantity) for each in counted]
        else:
            units = item.refunded_quantity(refund_damaged=terms.refund_damaged)
            found.append((_bonus(item.rule, terms), item.line.paid(item.value(units)), units))
    return _weighted(found)


def _weighted(units: list[tuple[Bonus | None, int, int]]) -> Shares:
    """By value; units without value by their number."""
    if any(value for _, value, _ in units):
        return [(bonus, value) for bonus, value, _ in units]
    return [(bonus, quantity) for bonus, _, quantity in units]
