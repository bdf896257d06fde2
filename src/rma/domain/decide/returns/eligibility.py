"""Whether a requested line may come back: by the merchant's rules, then by the host's own."""

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
from rma.domain.sale.rules import Outcome, ReturnBasis, ReturnRule
from rma.domain.sale.ruling import HostAnswer, Review, Ruling
from rma.domain.sale.tags import is_tag
from rma.domain.values.display import name_kind
from rma.domain.values.errors import InvalidValue, Violation
from rma.domain.values.validators import is_whole


@frozen
class Judgment:
    """
    What the rules say about a requested line.

    Attributes:
        ruling: what the return keeps of it; None if there is nothing to keep.
        violations: why the line is refused; empty if it is taken.
        finding: what the policy says.
    """

    finding: Finding
    ruling: Ruling | None = None
    violations: tuple[Violation, ...] = ()

    @property
    def overruled(self) -> Ruling:
        """What the return keeps of the line if a person takes it all the same."""
        return evolve(self.ruling or Ruling(), rule=None, until=self.finding.until, is_overruled=True)


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
        basis: by what right the goods come back.
        explains: True to say of every rule why it does not speak.

    Attributes:
        needs_value: True if a rule depends on the value of the units.
    """

    def __init__(
        self,
        facts: Facts,
        order: Order,
        outcome: Outcome,
        basis: ReturnBasis = ReturnBasis.POLICY,
        *,
        explains: bool = False,
    ) -> None:
        self._facts, self._order, self._outcome, self._basis = facts, order, outcome, basis
        self._explains = explains
        self._reasons: dict[str, ReturnReason] = {reason.id: reason for reason in facts.reasons}
        self._known: dict[object, _Known] = {}
        self.needs_value = any(rule.worth_at_most is not None for rule in facts.policy.rules)

    def judge(self, line: LineItem, asked: RequestedItem, value: int | None) -> Judgment:
        """
        What the rules say about these units of the line, which are of this value together, minor units.

        Raises:
            InvalidValue: a rule of the host answers something that is not an answer.
        """
        facts, policy = self._facts, self._facts.policy
        if not policy.rules and not facts.host_rules:
            finding = find_rule(policy, self._order, line, frozenset(), self._outcome, facts.at)
            return Judgment(finding, violations=finding.violations)
        known = self._know(line, asked)
        open_rule = None
        if not self._explains and policy.rules:
            open_rule = find_open(policy, known.candidates, self._order, line, facts.at, value=value)
        finding = open_rule or find_rule(
            policy, self._order, line, known.facts, self._outcome, facts.at, value=value
        )
        answers, refusals = self._ask_host(line, asked) if facts.host_rules else ((), [])
        rule = finding.rule.name if finding.rule else None
        ruling = Ruling(rule, known.in_order, finding.until, answers=answers)
        return Judgment(finding, ruling, (*finding.violations, *refusals))

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
            candidates = find_candidates(self._facts.policy, facts, self._outcome)
            known = self._known[key] = _Known(facts, tuple(sorted(facts)), candidates)
        return known

    def _ask_host(
        self, line: LineItem, asked: RequestedItem
    ) -> tuple[tuple[HostAnswer, ...], list[Violation]]:
        """What the host's own rules say; they are not asked about a quantity that cannot be."""
        answers, refusals = [], []
        for rule in self._facts.host_rules if is_whole(asked.quantity, at_least=1) else ():
            said: object = rule.judge(self._facts, line, asked)
            match said:
                case None:
                    answers.append(HostAnswer(rule.name))
                case Review(reason=reason):
                    answers.append(HostAnswer(rule.name, review=True, reason=reason))
                case Violation(code=code):
                    answers.append(HostAnswer(rule.name, refused_code=code))
                    refusals.append(evolve(said, item_id=line.id))
                case _:
                    raise _not_an_answer(rule, said)
        return tuple(answers), refusals


def _not_an_answer(rule: HostRule, said: object) -> InvalidValue:
    details = {
        "field": f"answer of the rule {rule.name}",
        "value": name_kind(said),
        "expected": "a Violation, a Review or None",
    }
    return InvalidValue("invalid_value", details)
