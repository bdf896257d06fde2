"""Whether a person has to approve a return before it goes on."""

from collections.abc import Iterable

from rma.domain.sale.policy import Terms
from rma.domain.state.return_item import ReturnItem


def needs_review(items: Iterable[ReturnItem], terms: Terms) -> bool:
    """True if a rule that spoke for one of the items asks for a review, or a host's own rule did."""
    for item in items:
        rule = terms.rule(item.rule)
        if rule and rule.review:
            return True
        if item.ruling and any(answer.review for answer in item.ruling.answers):
            return True
    return False
