"""Money that moved, as an event tells it: refunds whose success is known, and what was paid for exchanges."""

from typing import assert_never

from attrs import frozen

from rma.domain.sale.means import Means
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import Refund
from rma.domain.state.returns import Return


@frozen
class MoneyMoved:
    """
    By how much an event changed what moved under one key.

    Attributes:
        key: of the refund; of a payment for an exchange, its reference.
        amount: minor units: above 0 to the customer, below 0 from the customer or back to the merchant.
        currency: of the amounts.
        means: by which it goes to the customer; None for a payment for an exchange.
        kind, provider_id: of the payment, as the order or the exchange had them.
        bonus: what went besides as store credit.
    """

    key: str
    amount: int
    currency: str
    means: Means | None = None
    kind: str | None = None
    provider_id: str | None = None
    bonus: int = 0


def movements_between(
    before: Return | Claim | Exchange | None, after: Return | Claim | Exchange
) -> tuple[MoneyMoved, ...]:
    """What moved by what changed the subject so."""
    match after:
        case Return() | Claim():
            earlier = before.refunds if isinstance(before, Return | Claim) else ()
            return () if earlier is after.refunds else _refunded(earlier, after)
        case Exchange():
            had = before if isinstance(before, Exchange) else None
            return () if had and had.payments is after.payments else _paid(had, after)
        case _:
            assert_never(after)


def _refunded(before: tuple[Refund, ...], after: Return | Claim) -> tuple[MoneyMoved, ...]:
    known = {refund.key: refund for refund in before}
    found = []
    for refund in after.refunds:
        had = known.get(refund.key)
        if had is refund:
            continue
        amount, bonus = _moved(refund)
        if had is not None:
            amount_before, bonus_before = _moved(had)
            amount, bonus = amount - amount_before, bonus - bonus_before
        if amount or bonus:
            found.append(
                MoneyMoved(
                    refund.key,
                    amount,
                    refund.amount.currency,
                    refund.means,
                    refund.kind,
                    refund.provider_id,
                    bonus,
                )
            )
    return tuple(found)


def _moved(refund: Refund) -> tuple[int, int]:
    """What is known to have moved for it, and its bonus; nothing while its outcome is not known."""
    if refund.status is not RefundStatus.SUCCEEDED and not refund.is_contradicted:
        return 0, 0
    bonus = 0 if refund.bonus is None else refund.bonus.amount
    return refund.amount_in_force, bonus if refund.is_in_force else 0


def _paid(before: Exchange | None, after: Exchange) -> tuple[MoneyMoved, ...]:
    had = before.payments if before else ()
    signed = [(-1, each) for each in after.payments if each not in had]
    signed += [(1, each) for each in had if each not in after.payments]
    return tuple(
        [
            MoneyMoved(
                paid.reference,
                sign * paid.amount.amount,
                paid.amount.currency,
                kind=paid.kind,
                provider_id=paid.provider_id,
            )
            for sign, paid in signed
        ]
    )
