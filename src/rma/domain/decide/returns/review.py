"""What a person has to approve before it may be sent."""

from rma.domain.decide.facts import Facts
from rma.domain.sale.withdrawal import ReturnBasis


def needs_review(facts: Facts, basis: ReturnBasis) -> bool:
    """True if a request waits for approval; a withdrawal needs no consent."""
    return facts.policy.review and basis is not ReturnBasis.WITHDRAWAL
