"""Which rule speaks for a line, and why each of the others does not; asked once, on request."""

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from rma.domain.sale.catalogue import Fault, ReturnReason
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.rules import OF_WITHDRAWAL, Outcome, ReturnRule
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.values.errors import Violation


@frozen
class FailedRule:
    """
    A rule that does not speak for a line.

    Attributes:
        code: `item_not_returnable`, `facts_missing`, `not_for_withdrawals`, `outcome_not_offered`,
            `return_window_closed` or `worth_exceeds_rule`.
        until: when its window closed, as the customer was informed.
        missing: the facts that it names and that are not there.
    """

    rule: str
    code: str
    until: datetime | None = None
    missing: tuple[str, ...] = ()


@frozen
class Finding:
    """
    What a policy says about a line.

    Attributes:
        rule: the one that speaks; None if none does, or the policy has no rules.
        until: the last moment that the customer is given; None for always.
        failed: the rules before it that do not speak, and why; all of them if none speaks.
        violations: why no unit of the line may come back so; empty if some may.
    """

    rule: ReturnRule | None = None
    until: datetime | None = None
    failed: tuple[FailedRule, ...] = ()
    violations: tuple[Violation, ...] = ()


def facts_of_reason(reason: ReturnReason | None, reasons: dict[str, ReturnReason]) -> frozenset[str]:
    """`reason:<value>` of the reason and of its categories, and `fault:` of the first that says whose."""
    facts, fault, seen = set[str](), None, set[str]()
    while reason is not None and reason.id not in seen:
        seen.add(reason.id)
        facts.add(f"reason:{reason.value}")
        fault = fault or reason.fault
        reason = reasons.get(reason.parent_id) if reason.parent_id is not None else None
    if fault is not None:
        facts.add(f"fault:{fault}")
    return frozenset(facts)


def fault_in(facts: Iterable[str]) -> Fault | None:
    """Whose fault these facts say that it is; None if they do not say."""
    return next((Fault(fact.removeprefix("fault:")) for fact in facts if fact.startswith("fault:")), None)


def facts_of(
    order: Order,
    line: LineItem,
    *,
    tags: Iterable[str] = (),
    of_reason: frozenset[str] = frozenset(),
    basis: ReturnBasis = ReturnBasis.POLICY,
) -> frozenset[str]:
    """The facts of units of a line, which rules name."""
    return frozenset([*order.tags, *line.tags, *tags, *of_reason, f"basis:{basis}"])


def find_candidates(policy: ReturnPolicy, facts: frozenset[str], outcome: Outcome) -> tuple[ReturnRule, ...]:
    """The rules whose facts are there and that offer the outcome: the first that is open speaks."""
    is_withdrawal = OF_WITHDRAWAL in facts
    return tuple(
        [
            rule
            for rule in policy.rules
            if rule.when <= facts
            and outcome in rule.outcomes
            and (not is_withdrawal or OF_WITHDRAWAL in rule.when)
        ]
    )


def find_open(
    policy: ReturnPolicy,
    candidates: Iterable[ReturnRule],
    order: Order,
    line: LineItem,
    at: datetime,
    *,
    value: int | None = None,
) -> Finding | None:
    """
    The first of these rules whose window is open and that takes units of this value, minor units.

    The value is None where it is not known, because the request is wrong; no rule fails for it. Of a line
    that is not returnable only rules for withdrawals speak.
    """
    for rule in candidates:
        if not line.is_returnable and OF_WITHDRAWAL not in rule.when:
            continue
        most = rule.worth_at_most
        if value is not None and most is not None and value > most.amount:
            continue
        until, closes_at = _window(policy, rule, order, line)
        if closes_at is None or at <= closes_at:
            return Finding(rule, until)
    return None


def find_rule(
    policy: ReturnPolicy,
    order: Order,
    line: LineItem,
    facts: frozenset[str],
    outcome: Outcome,
    at: datetime,
    *,
    value: int | None = None,
) -> Finding:
    """The rule that speaks for units of the line, of this value together, and why others do not."""
    if not policy.rules:
        return _by_window(policy, order, line, outcome, at)
    candidates = find_candidates(policy, facts, outcome)
    found = find_open(policy, candidates, order, line, at, value=value)
    failed: list[FailedRule] = []
    for rule in policy.rules:
        if found is not None and rule is found.rule:
            return Finding(found.rule, found.until, tuple(failed))
        failed.append(_why_not(policy, rule, order, line, facts, outcome, at))
    if not line.is_returnable:
        return Finding(failed=tuple(failed), violations=(Violation("item_not_returnable", line.id),))
    refusal = _refusal(policy, order, line, outcome, at, failed, value)
    return Finding(failed=tuple(failed), violations=(refusal,))


def _why_not(
    policy: ReturnPolicy,
    rule: ReturnRule,
    order: Order,
    line: LineItem,
    facts: frozenset[str],
    outcome: Outcome,
    at: datetime,
) -> FailedRule:
    """Why a rule that does not speak for the line does not."""
    if not line.is_returnable and OF_WITHDRAWAL not in rule.when:
        return FailedRule(rule.name, "item_not_returnable")
    if not rule.when <= facts:
        return FailedRule(rule.name, "facts_missing", missing=tuple(sorted(rule.when - facts)))
    if OF_WITHDRAWAL in facts and OF_WITHDRAWAL not in rule.when:
        return FailedRule(rule.name, "not_for_withdrawals")
    if outcome not in rule.outcomes:
        return FailedRule(rule.name, "outcome_not_offered")
    until, closes_at = _window(policy, rule, order, line)
    if closes_at is not None and at > closes_at:
        return FailedRule(rule.name, "return_window_closed", until)
    return FailedRule(rule.name, "worth_exceeds_rule", until)


def _window(
    policy: ReturnPolicy, rule: ReturnRule, order: Order, line: LineItem
) -> tuple[datetime | None, datetime | None]:
    """The last moment that the customer is given, and the last one there is; None for always."""
    window = rule.window
    if window is None:
        return None, None
    until = window.until(order, line, policy.calendar)
    return until, window.closes_at(order, line, policy.calendar) if window.grace_days else until


def _refusal(
    policy: ReturnPolicy,
    order: Order,
    line: LineItem,
    outcome: Outcome,
    at: datetime,
    failed: list[FailedRule],
    value: int | None,
) -> Violation:
    """Why no rule speaks: that which the request was closest to."""
    by_code: dict[str, list[FailedRule]] = {}
    for each in failed:
        by_code.setdefault(each.code, []).append(each)
    numbers: dict[str, object] = {}
    if closed := [(each.until, each.rule) for each in by_code.get("return_window_closed", ()) if each.until]:
        until, name = max(closed)
        numbers = {"until": until.isoformat(), "rule": name}
        return Violation("return_window_closed", line.id, numbers)
    rules = {rule.name: rule for rule in policy.rules}
    if dear := by_code.get("worth_exceeds_rule"):
        limits = {each.rule: rules[each.rule].worth_at_most for each in dear}
        most, name = max([(limit.amount, name) for name, limit in limits.items() if limit is not None])
        return Violation("worth_exceeds_rule", line.id, {"value": value, "most": most, "rule": name})
    if others := by_code.get("outcome_not_offered"):
        offered = set[str]()
        for other in others:
            _, closes_at = _window(policy, rules[other.rule], order, line)
            if closes_at is None or at <= closes_at:
                offered |= {outcome.value for outcome in rules[other.rule].outcomes}
        numbers = {"outcome": outcome.value, "offered": sorted(offered)}
        return Violation("outcome_not_offered", line.id, numbers)
    return Violation("no_rule_applies", line.id)


def _by_window(policy: ReturnPolicy, order: Order, line: LineItem, outcome: Outcome, at: datetime) -> Finding:
    """Of a policy without rules: it offers refunds and exchanges, as long as its window is open."""
    until = policy.returnable_until(order, line)
    if line.is_returnable and outcome is not Outcome.STORE_CREDIT and (until is None or at <= until):
        return Finding(until=until)
    refused = []
    if not line.is_returnable:
        refused.append(Violation("item_not_returnable", line.id))
    if until is not None and at > until:
        refused.append(Violation("return_window_closed", line.id, {"until": until.isoformat()}))
    if outcome is Outcome.STORE_CREDIT:
        offered = [Outcome.EXCHANGE.value, Outcome.REFUND.value]
        refused.append(
            Violation("outcome_not_offered", line.id, {"outcome": outcome.value, "offered": offered})
        )
    return Finding(until=until, violations=tuple(refused))
