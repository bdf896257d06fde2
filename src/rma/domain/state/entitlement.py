"""What the customer of a return or claim is entitled to, and what of it was paid."""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import Refund, in_force
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden


@frozen
class EntitlementChange:
    """
    What an event changed in an entitlement: its amounts as they are afterwards, and the refunds made for it.

    Attributes:
        refunds: those that this event made; the others were made before.
        carried: as in `Entitlement`.
    """

    entitled: Money
    requested_refund: Money | None = None
    agreed_refund: Money | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    is_refund_blocked: bool = False
    refunds: tuple[Refund, ...] = ()
    carried: int = 0


@frozen
class Entitlement:
    """
    The account of one return or claim, every amount in its currency.

    Attributes:
        entitled: what the customer is to have, from what was received or claimed so far.
        requested_refund: the amount that the request named instead of the computed one.
        agreed_refund: the amount that a receipt or resolution named for the whole return.
        refund_note: why the requested or agreed refund is above the value of the units.
        is_refund_blocked: the amount due exceeded what the payments have left; `RetryRefund` asks again.
        refunds: oldest first, those that failed included.
        carried: what the steps of gateways (`Payment.refund_step`) leave to the next refund of the order,
            minor units; below 0 if it was paid ahead. It is not due. Of a refund that fails nothing is.
    """

    entitled: Money
    requested_refund: Money | None = None
    agreed_refund: Money | None = None
    refund_note: str | None = field(default=None, repr=hidden)
    is_refund_blocked: bool = False
    refunds: tuple[Refund, ...] = ()
    carried: int = 0

    @property
    def covered(self) -> int:
        """What of `entitled` is not due, minor units: in force, or carried."""
        return in_force(self.refunds) + self.carried

    @property
    def paid(self) -> Money:
        """The sum of the refunds in force: paid, or on their way."""
        return Money(in_force(self.refunds), self.entitled.currency)

    @property
    def due(self) -> Money:
        """What is entitled and not paid, never below 0."""
        return Money(max(0, self.entitled.amount - self.covered), self.entitled.currency)

    @property
    def overpaid(self) -> Money:
        """What was paid above what is entitled, never below 0."""
        return Money(max(0, self.covered - self.entitled.amount), self.entitled.currency)

    @property
    def needs_attention(self) -> bool:
        """True if an amount is due, or the outcome of a refund cannot be known without a person."""
        return self.covered < self.entitled.amount or any(
            refund.status is RefundStatus.NEEDS_ATTENTION for refund in self.refunds
        )

    def after(self, change: EntitlementChange) -> "Entitlement":
        """The entitlement once this was changed in it."""
        return Entitlement(
            entitled=change.entitled,
            requested_refund=change.requested_refund,
            agreed_refund=change.agreed_refund,
            refund_note=change.refund_note,
            is_refund_blocked=change.is_refund_blocked,
            refunds=self.refunds + change.refunds,
            carried=change.carried,
        )

    def with_outcomes(self, known: Mapping[str, Refund]) -> "Entitlement":
        """The account once these refunds, by key, are as they are here: what failed carries nothing."""
        refunds = tuple([known.get(refund.key, refund) for refund in self.refunds])
        change = _carried(refunds) - _carried(self.refunds)
        return evolve(self, refunds=refunds, carried=self.carried + change)

    def reduced_to(self, entitled: Money) -> "Entitlement":
        """
        The account of what is over: it is entitled to this, and not blocked.

        What was left to the next refund, or paid ahead by it, is carried only as far as it is for this.
        """
        left = entitled.amount - in_force(self.refunds)
        carried = min(max(self.carried, min(0, left)), max(0, left))
        refunds = _carrying_less(self.refunds, self.carried - carried)
        return evolve(self, entitled=entitled, is_refund_blocked=False, carried=carried, refunds=refunds)

    def change_since(self, before: "Entitlement") -> EntitlementChange:
        """What was changed in the one before to make this one; refunds were only added to it."""
        return EntitlementChange(
            entitled=self.entitled,
            requested_refund=self.requested_refund,
            agreed_refund=self.agreed_refund,
            refund_note=self.refund_note,
            is_refund_blocked=self.is_refund_blocked,
            refunds=self.refunds[len(before.refunds) :],
            carried=self.carried,
        )


def _carried(refunds: tuple[Refund, ...]) -> int:
    return sum([refund.carried_in_force for refund in refunds])


def _carrying_less(refunds: tuple[Refund, ...], less: int) -> tuple[Refund, ...]:
    """The refunds, of which so much is not carried any more: of each at most what it carries."""
    found = []
    for refund in refunds:
        carried = refund.carried_in_force
        part = min(less, max(0, carried)) if less > 0 else max(less, min(0, carried))
        less -= part
        found.append(evolve(refund, carried=refund.carried - part) if part else refund)
    return tuple(found)
