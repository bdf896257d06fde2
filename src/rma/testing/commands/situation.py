"""What a maker of commands sees: one order, its ledger, and what may be chosen."""

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from rma.domain.messages.effects import RefundDeclined, RefundOutcome, RefundReversed, RefundSucceeded
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.refunds import Refund
from rma.domain.views.returnable import ReturnableItem, returnable_items


def any_outcome(_: Refund) -> Sequence[RefundOutcome | RefundReversed]:
    """Everything that can become known of a refund without another answer of the gateway."""
    return (RefundSucceeded("re_reported"), RefundDeclined("refund_failed"), RefundReversed())


@frozen(kw_only=True)
class Situation:
    """
    One order at a moment.

    Attributes:
        order, ledger, policy: as the host has them.
        now: an aware datetime; decides which return windows are open.
        shipping_option_ids: options by which goods can come back.
        reason_ids: reasons that a customer may give.
        outcomes: what may be reported of a refund; none if nothing may be.
    """

    order: Order
    ledger: ReturnLedger
    now: datetime
    policy: ReturnPolicy = ReturnPolicy()
    shipping_option_ids: Sequence[str] = ()
    reason_ids: Sequence[str] = ()
    outcomes: Callable[[Refund], Sequence[RefundOutcome | RefundReversed]] = any_outcome

    #: What `returnable` found: makers ask for it again and again.
    _found: list[tuple[ReturnableItem, ...]] = field(factory=list, init=False, eq=False, repr=False)

    def returnable(self) -> tuple[ReturnableItem, ...]:
        """The lines of which at least one unit can come back now."""
        if not self._found:
            found = returnable_items(self.order, self.ledger, self.policy, self.now)
            self._found.append(tuple([each for each in found if each.quantity]))
        return self._found[0]
