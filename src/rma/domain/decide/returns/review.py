"""What a person has to approve before it may be sent."""

from collections.abc import Iterable

from rma.domain.decide.returns.draft import terms_of
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.review import needs_review


def waits_for_approval(policy: ReturnPolicy, basis: ReturnBasis, items: Iterable[ReturnItem]) -> bool:
    """True if a request for these items waits for approval; a withdrawal needs no consent."""
    if basis is ReturnBasis.WITHDRAWAL:
        return False
    items = tuple(items)
    return policy.review or needs_review(items, terms_of(policy, items, basis))
