"""How many units of each line can be returned now, for what and at whose cost, and why not more."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from attrs import evolve, frozen

from rma.domain.decide.facts import Facts, HostRule
from rma.domain.decide.returns.draft import terms_of
from rma.domain.decide.returns.eligibility import Judge
from rma.domain.decide.returns.item_checks import ItemChecks
from rma.domain.decide.returns.request import check_order_of
from rma.domain.decide.returns.review import waits_for_approval
from rma.domain.decide.returns.rule_checks import check_outcome, check_payee, require_amounts_in
from rma.domain.decide.violations import Violations
from rma.domain.messages.command_items import RequestedItem
from rma.domain.sale.catalogue import ReturnReason
from rma.domain.sale.eligibility import FailedRule
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.pricing import AmountPart
from rma.domain.sale.rules import Goods, Outcome, WayBack
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.deductions import Counted
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lots import Lot
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.valuation import fees_explained
from rma.domain.values.errors import Violation
from rma.domain.values.money import Money


@frozen
class ReturnOption:
    """
    What a customer can choose for a unit of a line, or why that cannot be chosen.

    Attributes:
        rule: the name of the rule that speaks, even if something else refuses it; None if none does, or the
            policy has none.
        until: the last moment that the customer is given; None for always, or if no rule speaks.
        value: of the next unit, before deductions.
        fees: what is kept of it, if it comes back alone; negative.
        needs_review: True if a person approves the return before it goes on.
        violations: why one unit is refused, all that `RequestReturn` or `RequestExchange` would say of it and
            of the order; empty if it is not.
        failed: the rules that do not speak for it, up to the one that does, and why.
    """

    outcome: Outcome
    rule: str | None
    until: datetime | None
    value: Money
    fees: tuple[AmountPart, ...] = ()
    way_back: WayBack = WayBack.CUSTOMER
    goods: Goods = Goods.BACK
    needs_review: bool = False
    violations: tuple[Violation, ...] = ()
    failed: tuple[FailedRule, ...] = ()

    @property
    def is_offered(self) -> bool:
        """True if a unit can be requested so."""
        return not self.violations


@frozen
class ReducedUnits:
    """Units that can be returned and whose price was reduced, last by the claim of this id."""

    claim_id: str
    quantity: int
    unit_value: Money


@frozen
class ReturnableItem:
    """
    How many units of a line can be returned now.

    Attributes:
        unit_value: the value of the next one; the others may differ from it by one minor unit, but for those
            that are in `reduced`.
        reasons: codes for why the quantity is below the ordered one: `order_canceled`,
            `item_not_returnable`, `return_window_closed`, `not_fulfilled`, `in_open_return`, `claimed`,
            `already_returned`, `kept_by_customer`, `no_longer_on_order` (the host took units off the order
            that returns or claims reserve). Where all options are refused, the codes of the first are among
            them: a reason or tags that cannot be, too.
        options: by outcome, for a unit with the reason and the tags that were asked for; the quantity is 0 if
            none is offered.
        reduced: those of the units whose price was reduced; they come back after the others unless a request
            names their claim.
    """

    item_id: str
    quantity: int
    unit_value: Money
    reasons: tuple[str, ...] = ()
    options: tuple[ReturnOption, ...] = ()
    reduced: tuple[ReducedUnits, ...] = ()


def returnable_items(
    order: Order,
    ledger: ReturnLedger,
    policy: ReturnPolicy,
    at: datetime,
    *,
    reasons: Iterable[ReturnReason] = (),
    host_rules: Iterable[HostRule] = (),
    reason_id: str | None = None,
    tags: Iterable[str] = (),
    basis: ReturnBasis = ReturnBasis.POLICY,
    books_shipments: bool = True,
    gives_credit: bool = True,
) -> tuple[ReturnableItem, ...]:
    """
    Every line of the order, those without returnable units too, in the order's order.

    Then every line that is no longer on the order and that a return or claim still reserves units of. Options
    are for units that come back for the reason of this id, of the catalogue `reasons`, and with these tags;
    by the right of withdrawal, declared at that moment, if that is the basis. `books_shipments` is False if
    the host has no fulfillment port, by which new goods are sent; `gives_credit` is False if it has no port
    for store credit.

    Raises:
        InvalidValue: as a request would: `currency_mismatch`, an amount of the policy is not in the order's
            currency; `host_rule_failed`.
    """
    facts = Facts(
        at=at,
        order=order,
        policy=policy,
        reasons=tuple(reasons),
        host_rules=tuple(host_rules),
        books_shipments=books_shipments,
        gives_credit=gives_credit,
    )
    require_amounts_in(order.currency, policy)
    reserved = ledger.reserved_quantities()
    remainders = ledger.remainders(order, [line.id for line in order.items])
    unit = RequestedItem(item_id="", quantity=1, reason_id=reason_id, tags=cast("tuple[str, ...]", tags))
    offers = _Offers(facts, ledger, remainders, unit, basis)
    expected, back, claimed = _expected(ledger), ledger.arrived_quantities(), _claimed(ledger)
    kept, unsent = _kept(ledger), ledger.unsent_quantities()
    found = []
    for line in order.items:
        remainder = remainders[line.id]
        options = offers.of(line, remainder)
        codes = _refused_by(options)
        quantity = 0 if codes else remainder.sent_quantity
        next_unit = remainder.line.paid(_next_unit(remainder).running_sums)
        shortened = {
            "not_fulfilled": line.fulfilled_quantity < line.quantity,
            "in_open_return": expected.get(line.id),
            "claimed": claimed.get(line.id)
            or unsent.get(line.id, 0) > line.quantity - line.fulfilled_quantity,
            "already_returned": line.returned_quantity or back.get(line.id),
            "kept_by_customer": kept.get(line.id),
            "no_longer_on_order": reserved.get(line.id, 0) > line.fulfilled_quantity - line.returned_quantity,
        }
        codes += [code for code, applies in shortened.items() if applies]
        unit_value = Money(next_unit, order.currency)
        reduced = _reduced(remainder, quantity)
        found.append(ReturnableItem(line.id, quantity, unit_value, tuple(codes), options, reduced))
    known = {line.id for line in order.items}
    nothing = Money(0, order.currency)
    for item_id, quantity in reserved.items():
        if quantity and item_id not in known:
            found.append(ReturnableItem(item_id, 0, nothing, ("no_longer_on_order",)))
    return tuple(found)


def _refused_by(options: Iterable[ReturnOption]) -> list[str]:
    """Codes for why no option is offered, apart from quantities; none if some option is."""
    by_option = [
        [each.code for each in option.violations if each.code != "quantity_exceeds_returnable"]
        for option in options
    ]
    return by_option[0] if all(by_option) else []


def _outcomes(policy: ReturnPolicy, basis: ReturnBasis) -> tuple[Outcome, ...]:
    """What rules offer at all, refunds first; a withdrawal is refunded, unless a rule offers credit, too."""
    if basis is ReturnBasis.WITHDRAWAL:
        is_credited = any(
            rule.is_for_withdrawals and Outcome.STORE_CREDIT in rule.outcomes for rule in policy.rules
        )
        return (Outcome.REFUND, Outcome.STORE_CREDIT) if is_credited else (Outcome.REFUND,)
    offered = {outcome for rule in policy.rules for outcome in rule.outcomes}
    return tuple([each for each in Outcome if each in (offered or {Outcome.REFUND, Outcome.EXCHANGE})])


class _Offers:
    """What is offered for a unit that comes back like `asked`: for its reason, with its tags."""

    def __init__(
        self,
        facts: Facts,
        ledger: ReturnLedger,
        remainders: dict[str, Remainder],
        asked: RequestedItem,
        basis: ReturnBasis,
    ) -> None:
        order = facts.order
        assert order is not None, "what is offered is of an order"
        declared_at = facts.at if basis is ReturnBasis.WITHDRAWAL else None
        self._judges = [
            Judge(facts, order, outcome, declared_at=declared_at, explains=True)
            for outcome in _outcomes(facts.policy, basis)
        ]
        self._checks = ItemChecks(facts, order, remainders)
        self._of_order = Violations()
        check_order_of(self._of_order, order.id, order, ledger)
        self._facts, self._policy, self._currency = facts, facts.policy, order.currency
        self._asked, self._basis = asked, basis

    def of(self, line: LineItem, remainder: Remainder) -> tuple[ReturnOption, ...]:
        """The options for the next unit of the line, refunds first."""
        asked = evolve(self._asked, item_id=line.id)
        next_unit = _next_unit(remainder)
        unit = ReturnItem(line.id, next_unit.quantity, remainder.line, next_unit.running_sums)
        of_unit = Violations()
        self._checks.check(of_unit, asked, line, 1, is_first=True)
        return tuple([self._option(judge, line, asked, unit, of_unit) for judge in self._judges])

    def _option(
        self, judge: Judge, line: LineItem, asked: RequestedItem, unit: ReturnItem, of_unit: Violations
    ) -> ReturnOption:
        amount = unit.line.paid(unit.allocated)
        judgment = judge.judge(line, asked, amount)
        finding, rule = judgment.finding, judgment.finding.rule
        option = ReturnOption(
            judge.outcome,
            rule.name if rule else None,
            judgment.until,
            Money(amount, self._currency),
            violations=self._violations(judge.outcome, judgment.violations, of_unit),
            failed=finding.failed,
        )
        if judgment.violations:
            return option
        item = evolve(unit, ruling=judgment.ruling)
        terms = terms_of(self._policy, [item], self._basis)
        return evolve(
            option,
            fees=fees_explained(Counted(item, item.quantity, amount), terms, self._currency),
            way_back=rule.way_back if rule else WayBack.CUSTOMER,
            goods=rule.goods if rule else Goods.BACK,
            needs_review=waits_for_approval(self._policy, self._basis, [item]),
        )

    def _violations(
        self, outcome: Outcome, of_rules: tuple[Violation, ...], of_unit: Violations
    ) -> tuple[Violation, ...]:
        """All that a request for this unit and outcome is refused for, in the same order."""
        wrong = Violations()
        if self._basis is ReturnBasis.WITHDRAWAL and self._policy.withdrawal is None:
            wrong.add("no_right_of_withdrawal", policy=self._policy.name)
        if outcome is not Outcome.EXCHANGE:
            check_outcome(wrong, outcome, gives_credit=self._facts.gives_credit)
        wrong += [*self._of_order, *of_rules, *of_unit]
        if outcome is Outcome.STORE_CREDIT:
            check_payee(wrong, None, outcome, self._facts.order)
        if outcome is Outcome.EXCHANGE and not self._facts.books_shipments:
            wrong.add("no_fulfillment")
        return tuple(wrong)


def _reduced(remainder: Remainder, quantity: int) -> tuple[ReducedUnits, ...]:
    """Of so many units that can be returned, those whose price was reduced."""
    found = []
    for lot in remainder.lots:
        units = min(lot.quantity, quantity)
        quantity -= units
        if units and lot.reduced_by:
            value = Money(remainder.line.paid(lot.share(1)), remainder.line.currency)
            found.append(ReducedUnits(lot.reduced_by.claim_id, units, value))
    return tuple(found)


def _next_unit(remainder: Remainder) -> Lot:
    """The unit that comes back first, with its value; none if none is left."""
    return remainder.take(1)[0] if remainder.free_quantity else Lot(0, remainder.line.nothing)


def _kept(ledger: ReturnLedger) -> dict[str, int]:
    """Units that are paid for and stay with the customer, by line."""
    kept: dict[str, int] = {}
    for each in ledger.returns:
        for item in each.items:
            kept[item.item_id] = kept.get(item.item_id, 0) + item.kept_quantity
    return kept


def _claimed(ledger: ReturnLedger) -> dict[str, int]:
    """Units that claims compensated, by line."""
    claimed: dict[str, int] = {}
    for claim in ledger.claims:
        for item_id, quantity in claim.reserved_quantities():
            claimed[item_id] = claimed.get(item_id, 0) + quantity
    return claimed


def _expected(ledger: ReturnLedger) -> dict[str, int]:
    """Units of open returns that have not arrived, by line."""
    expected: dict[str, int] = {}
    for each in ledger.returns:
        for item in each.items if each.is_open and not each.is_released else ():
            expected[item.item_id] = expected.get(item.item_id, 0) + item.missing_quantity
    return expected
