"""Whether a requested line may come back: by the merchant's rules, then by the host's own, or by the law."""

from datetime import datetime

from attrs import evolve, frozen

from rma.domain.decide.facts import Facts, HostRule
from rma.domain.messages.command_items import RequestedItem
from rma.domain.sale.catalogue import ReturnReason
from rma.domain.sale.eligibility import (
    Finding,
    facts_of,
    facts_of_reason,
    find_candidates,
    find_open,
    find_rule,
)
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.rules import Goods, Outcome, ReturnRule
from rma.domain.sale.ruling import HostAnswer, Review, Ruling
from rma.domain.sale.tags import is_tag
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.display import name_kind, show
from rma.domain.values.errors import InvalidValue, Violation
from rma.domain.values.validators import is_short_text, is_whole


@frozen
class Judgment:
    """
    What the rules say about a requested line.

    Attributes:
        ruling: what the return keeps of it; None if there is nothing to keep.
        violations: why the line is refused; empty if it is taken.
        finding: what the policy says.
        until: the last moment that the customer is given; None for always, or if no rule speaks.
    """

    finding: Finding
    ruling: Ruling | None = None
    violations: tuple[Violation, ...] = ()
    until: datetime | None = None

    @property
    def overruled(self) -> Ruling:
        """What the return keeps of the line, the rule that spoke too, if a person takes it all the same."""
        return evolve(self.ruling or Ruling(), until=self.until, is_overruled=True)


@frozen
class Replaced:
    """
    What an update replaces.

    Attributes:
        target: the return before it.
        growing: the lines of which more units are to come back than before. Those of the others are graded
            as of the request; and not at all if rules know the same facts of them as before.
    """

    target: Return
    growing: frozenset[str]


@frozen
class _Known:
    """Facts of requested units, sorted as well, and the rules that may speak for them."""

    facts: frozenset[str]
    in_order: tuple[str, ...]
    candidates: tuple[ReturnRule, ...]


class Judge:
    """
    The rules for the lines of one request.

    Args:
        facts: with the order, its policy and the host's own rules.
        outcome: what the customer chose.
        declared_at: when a withdrawal was declared; None for what the policy allows.
        replaced: what the request updates, if it does.
        explains: True to say of every rule why it does not speak.

    Attributes:
        outcome: what the customer chose.
        needs_value: True if a rule depends on the value of the units.
    """

    def __init__(
        self,
        facts: Facts,
        order: Order,
        outcome: Outcome,
        *,
        declared_at: datetime | None = None,
        replaced: Replaced | None = None,
        explains: bool = False,
    ) -> None:
        self._facts = facts if declared_at is None else evolve(facts, at=declared_at)
        self._facts_before = self._facts
        if replaced is not None:
            target = replaced.target
            self._facts_before = evolve(facts, at=target.declared_at or target.requested_at)
        self.outcome = outcome
        self._order, self._replaced, self._explains = order, replaced, explains
        self._basis = ReturnBasis.POLICY if declared_at is None else ReturnBasis.WITHDRAWAL
        self._asks_host = bool(facts.host_rules) and declared_at is None
        self._reasons: dict[str, ReturnReason] = {reason.id: reason for reason in facts.reasons}
        self._known: dict[object, _Known] = {}
        self.needs_value = any(rule.worth_at_most is not None for rule in facts.policy.rules)

    def judge(self, line: LineItem, asked: RequestedItem, value: int | None) -> Judgment:
        """
        What the rules say about these units of the line, which are of this value together, minor units.

        Raises:
            InvalidValue: `host_rule_failed`, a rule of the host raises, or answers something that is not an
                answer.
        """
        facts = self._facts
        if self._replaced is not None and line.id not in self._replaced.growing:
            if before := self._find_before(line, asked):
                return Judgment(Finding(), before.ruling)
            facts = self._facts_before
        if self._basis is ReturnBasis.WITHDRAWAL:
            return self._judge_withdrawal(facts, line, asked, value)
        judgment = self._judge_by_policy(facts, line, asked, value)
        if not self._asks_host:
            return judgment
        answers, refusals = _ask_host(facts, line, asked)
        return evolve(
            judgment,
            ruling=evolve(judgment.ruling or Ruling(), answers=answers),
            violations=(*judgment.violations, *refusals),
        )

    def _judge_by_policy(
        self, facts: Facts, line: LineItem, asked: RequestedItem, value: int | None
    ) -> Judgment:
        policy = facts.policy
        if not policy.rules and not self._asks_host:
            finding = find_rule(policy, self._order, line, frozenset(), self.outcome, facts.at)
            return Judgment(finding, None, finding.violations, finding.until)
        known = self._know(line, asked)
        open_rule = None
        if not self._explains and policy.rules:
            open_rule = find_open(policy, known.candidates, self._order, line, facts.at, value=value)
        finding = open_rule or find_rule(
            policy, self._order, line, known.facts, self.outcome, facts.at, value=value
        )
        rule = finding.rule.name if finding.rule else None
        others = self._rules_for_any_reason(facts, line, known, value) if policy.inspects else ()
        ruling = Ruling(rule, known.in_order, finding.until, other_rules=others)
        return Judgment(finding, ruling, finding.violations, finding.until)

    def _rules_for_any_reason(
        self, facts: Facts, line: LineItem, known: "_Known", value: int | None
    ) -> tuple[str, ...]:
        """The rules that would take these units if they were returned for the reason that the rule names."""
        names = []
        for rule in facts.policy.rules:
            of_reason = [fact for fact in rule.when if fact.startswith(("reason:", "fault:"))]
            candidates = find_candidates(facts.policy, known.facts.union(of_reason), self.outcome)
            is_open = rule in candidates and find_open(
                facts.policy, (rule,), self._order, line, facts.at, value=value
            )
            if is_open and rule.goods is Goods.BACK:
                names.append(rule.name)
        return tuple(names)

    def _judge_withdrawal(
        self, facts: Facts, line: LineItem, asked: RequestedItem, value: int | None
    ) -> Judgment:
        """By the law's window, whatever the policy says; a rule for withdrawals says the rest."""
        judgment = self._judge_by_policy(facts, line, asked, value)
        right = facts.policy.right_of_withdrawal
        if right is None:
            return evolve(judgment, violations=(), until=None)  # the request is refused as a whole
        until = right.window.until(self._order, line, right.calendar)
        ruling = judgment.ruling and evolve(judgment.ruling, until=until)
        refusals = right.refusals(self._order, line, facts.at)
        if self.outcome is Outcome.STORE_CREDIT and judgment.finding.rule is None:
            numbers: dict[str, object] = {"outcome": self.outcome.value, "offered": [Outcome.REFUND.value]}
            refusals = (*refusals, Violation("outcome_not_offered", line.id, numbers))
        return Judgment(judgment.finding, ruling, refusals, until)

    def _find_before(self, line: LineItem, asked: RequestedItem) -> ReturnItem | None:
        """The item of the return before an update of which rules knew the same facts, if there were rules."""
        assert self._replaced is not None, "asked of updates only"
        for item in self._replaced.target.items:
            is_same = item.item_id == line.id and (item.reason_id, item.tags) == (asked.reason_id, asked.tags)
            if is_same and (item.ruling is None or item.facts == self._know(line, asked).in_order):
                return item
        return None

    def _know(self, line: LineItem, asked: RequestedItem) -> "_Known":
        """The facts of the units, and the rules that may speak for them; found once for all lines alike."""
        reason_id: object = asked.reason_id if isinstance(asked.reason_id, str) else None
        given: object = asked.tags
        tags = tuple([tag for tag in given if is_tag(tag)]) if given and isinstance(given, tuple) else ()
        key = (line.tags, tags, reason_id)
        known = self._known.get(key)
        if known is None:
            reason = self._reasons.get(str(reason_id))
            of_reason = facts_of_reason(reason, self._reasons)
            facts = facts_of(self._order, line, tags=tags, of_reason=of_reason, basis=self._basis)
            candidates = find_candidates(self._facts.policy, facts, self.outcome)
            known = self._known[key] = _Known(facts, tuple(sorted(facts)), candidates)
        return known


def _ask_host(
    facts: Facts, line: LineItem, asked: RequestedItem
) -> tuple[tuple[HostAnswer, ...], list[Violation]]:
    """What the host's own rules say; they are not asked about a quantity that cannot be."""
    answers, refusals = [], []
    for rule in facts.host_rules if is_whole(asked.quantity, at_least=1) else ():
        try:
            said: object = rule.judge(facts, line, asked)
        except Exception as error:
            raise _failed(rule, f"it raised {show(error)}") from error
        match said:
            case None:
                answers.append(HostAnswer(rule.name))
            case Review(reason=reason):
                answers.append(HostAnswer(rule.name, review=True, reason=reason))
            case Violation(code=code) if is_short_text(code):
                answers.append(HostAnswer(rule.name, refused_code=code))
                refusals.append(evolve(said, item_id=line.id))
            case _:
                what = f"{name_kind(said)}, not a Violation, a Review or None"
                if isinstance(said, Violation):
                    what = f"a Violation whose code is {show(said.code)}, not a name"
                raise _failed(rule, f"it answered {what}")
    return tuple(answers), refusals


def _failed(rule: HostRule, problem: str) -> InvalidValue:
    return InvalidValue("host_rule_failed", {"rule": rule.name, "problem": problem})
