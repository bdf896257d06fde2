"""Goodwill that was asked for as store credit, and that a person gives by other means."""

from rma.domain.decide.claimed_items import allocate_goodwill
from rma.domain.decide.violations import Violations
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim, ClaimedItem
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Return


def reduce_lines(
    wrong: Violations, order: Order | None, ledger: ReturnLedger, target: Return | Claim | None
) -> tuple[ClaimedItem, ...]:
    """
    What goodwill takes of all lines once it does not come as extra credit; nothing of anything else.

    As goodwill by money it is at most what is left of them, unless it was asked for with a note, so that
    everything that comes back gives back no more than was paid.
    """
    if order is None or not isinstance(target, Claim) or not (amount := target.not_reduced):
        return ()
    remainders = ledger.remainders(order, [line.id for line in order.items])
    reduced = allocate_goodwill(amount, order.items, remainders)
    value = sum([item.line.paid(item.allocated) for item in reduced])
    if amount > value and not target.entitlement.refund_note:
        hint = "cancel the claim, and ask for goodwill with a note"
        numbers = {"amount": amount, "value": value, "currency": order.currency}
        wrong.add("refund_exceeds_worth", **numbers, hint=hint)
    return reduced
