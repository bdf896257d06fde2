"""Whether a requested line may come back: by the merchant's rules, then by the host's own."""

from attrs import evolve, frozen

from rma.domain.decide.facts import Facts, HostRule
from rma.domain.messages.command_items import RequestedItem
from rma.domain.sale.catalogue import ReturnReason
from rma.domain.sale.eligibility import Finding, facts_of, facts_of_reason, find_rule
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.rules import Basis, Outcome
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


class Judge:
    """
    The rules for the lines of one request.

    Args:
        facts: with the order, its policy and the host's own rules.
        outcome: what the customer chose.
        basis: by what right the goods come back.
    """

    def __init__(self, facts: Facts, order: Order, outcome: Outcome, basis: Basis = Basis.POLICY) -> None:
        self._facts, self._order, self._outcome, self._basis = facts, order, outcome, basis
        self._reasons: dict[str, ReturnReason] = {reason.id: reason for reason in facts.reasons}
        self._of_reason: dict[object, frozenset[str]] = {}

    def judge(self, line: LineItem, asked: RequestedItem, value: int | None) -> Judgment:
        """
        What the rules say about these units of the line, which are value so much together, minor units.

        Raises:
            InvalidValue: a rule of the host answers something that is not an answer.
        """
        facts, policy = self._facts, self._facts.policy
        if not policy.rules and not facts.host_rules:
            finding = find_rule(policy, self._order, line, frozenset(), self._outcome, facts.at)
            return Judgment(finding, violations=finding.violations)
        known = self._facts_of(line, asked)
        finding = find_rule(policy, self._order, line, known, self._outcome, facts.at, value=value)
        answers, refusals = self._ask_host(line, asked)
        ruling = Ruling(
            rule=finding.rule.name if finding.rule else None,
            facts=tuple(sorted(known)),
            until=finding.until,
            answers=answers,
        )
        return Judgment(finding, ruling, (*finding.violations, *refusals))

    def _facts_of(self, line: LineItem, asked: RequestedItem) -> frozenset[str]:
        reason_id: object = asked.reason_id
        of_reason = self._of_reason.get(reason_id) if isinstance(reason_id, str) else frozenset()
        if of_reason is None:
            of_reason = facts_of_reason(self._reasons.get(str(reason_id)), self._reasons)
            self._of_reason[reason_id] = of_reason
        tags: object = asked.tags
        valid = [tag for tag in tags if is_tag(tag)] if isinstance(tags, tuple) else ()
        return facts_of(self._order, line, tags=valid, of_reason=of_reason, basis=self._basis)

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
