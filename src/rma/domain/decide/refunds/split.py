"""Turning an amount into refunds: how it goes back is planned, and each part has its own key."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from attrs import evolve

from rma.domain.messages.effects import effect_key
from rma.domain.sale.means import Means
from rma.domain.sale.order import Order
from rma.domain.sale.rules import Outcome
from rma.domain.state.bonuses import bonus_now, has_bonus
from rma.domain.state.claims import Claim
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.plan import Plan, PlannedRefund, Source, plan_all_other, plan_refund, sources_in_order
from rma.domain.state.refunds import Refund
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return


def plan_for(
    amount: int,
    order: Order,
    ledger: ReturnLedger,
    target: Return | Claim,
    at: datetime,
    *,
    items: Sequence[ReturnItem] | None = None,
    is_promised: bool = False,
    first: Collection[str] = (),
) -> Plan:
    """
    How the amount (minor units, at most what is refundable) goes back, by the terms of its return or claim.

    Store credit, if the customer chose it, with the bonus for these items, or, of what is promised before
    they arrive, for those that were requested; else from the payments: those whose ids are `first` before
    the others. The credit of goodwill counts against no payment.
    """
    if target.outcome is Outcome.STORE_CREDIT and amount:
        is_extra = gives_extra(target)
        sources = [] if is_extra else sources_in_order(ledger.sources(order), target.refund_terms)
        bonus = _bonus(amount, target, items, is_promised=is_promised)
        carried = 0 if is_extra else ledger.carried
        plan = plan_all_other(
            amount, sources, Means.STORE_CREDIT, order.currency, carried=carried, bonus=bonus
        )
        return evolve(plan, refunds=tuple([evolve(each, is_extra=is_extra) for each in plan.refunds]))
    return plan_refund(
        amount,
        ledger.sources(order),
        target.refund_terms,
        order.currency,
        at,
        carried=ledger.carried,
        instead=means_instead(target),
        first=first,
    )


def plan_by_person(
    amount: int,
    ledger: ReturnLedger,
    target: Return | Claim,
    means: Means,
    sources: Sequence[Source],
    currency: str,
) -> Plan:
    """The plan for store credit or a payout that a person chose; a customer who chose credit has a bonus."""
    bonus = bonus_chosen(amount, target, means)
    return plan_all_other(amount, sources, means, currency, carried=ledger.carried, bonus=bonus)


def bonus_chosen(amount: int, target: Return | Claim, means: Means) -> int:
    """The bonus on an amount that goes back by these means, minor units: on credit that a customer chose."""
    is_chosen = means is Means.STORE_CREDIT and target.outcome is Outcome.STORE_CREDIT
    return _bonus(amount, target, None) if is_chosen else 0


def _bonus(
    amount: int,
    target: Return | Claim,
    items: Sequence[ReturnItem] | None,
    *,
    is_promised: bool = False,
) -> int:
    """The bonus on this amount of store credit, minor units; claims have none."""
    if not isinstance(target, Return) or not has_bonus(target.terms):
        return 0
    units = target.paid_items if items is None else items
    is_promised = is_promised or (items is None and target.is_promised)
    return bonus_now(amount, units, target.terms, target.entitlement, is_promised=is_promised)


def means_instead(target: Return | Claim) -> Means | None:
    """By which means what a closed payment owes is given; None if a person decides, or no one can have it."""
    means = target.refund_terms.when_closed.means
    return None if means is Means.STORE_CREDIT and not can_be_credited(target) else means


def can_be_credited(target: Return | Claim) -> bool:
    """True if it is known who would have store credit."""
    return target.customer_id is not None or target.payee is not None


def gives_extra(target: Return | Claim) -> bool:
    """True if what is due of it is goodwill as store credit, which counts against no payment."""
    return isinstance(target, Claim) and target.gives_extra


def refunds_of(
    planned: Iterable[PlannedRefund], target: Return | Claim, at: datetime, *, retry_of: str | None = None
) -> tuple[Refund, ...]:
    """
    The refunds of a plan, under the next keys.

    A payment whose refund failed or was reversed is tried again under the next key. `retry_of` is the key of
    the refund that they replace, if they replace one.
    """
    retried = {refund.retry_of for refund in target.refunds}
    lost = {
        refund.payment_id: refund.key
        for refund in target.refunds
        if not refund.is_in_force and refund.key not in retried
    }
    return tuple(
        [
            _refund(each, target, at, number, retry_of or _lost(each, lost))
            for number, each in enumerate(planned, start=len(target.refunds) + 1)
        ]
    )


def _lost(planned: PlannedRefund, lost: dict[str | None, str]) -> str | None:
    """The refund that this one replaces."""
    instead_of = [planned.payment_id, *[share.payment_id for share in planned.against]]
    return next((lost[each] for each in instead_of if each in lost), None)


def _refund(
    planned: PlannedRefund, target: Return | Claim, at: datetime, number: int, retry_of: str | None
) -> Refund:
    is_credit = planned.means is Means.STORE_CREDIT
    return Refund(
        key=effect_key(target.id, "refund", number),
        payment_id=planned.payment_id,
        amount=planned.amount,
        status=RefundStatus.PENDING,
        requested_at=at,
        retry_of=retry_of,
        means=planned.means,
        bonus=planned.bonus,
        payee=target.payee if is_credit else None,
        customer_id=target.customer_id if is_credit else None,
        kind=planned.kind,
        provider_id=planned.provider_id,
        against=planned.against,
        is_extra=planned.is_extra,
        carried=planned.carried,
        after_key=planned.after_key,
    )


def limit_to_refundable(
    following: int, refundable: int | None, order: Order | None
) -> tuple[int | None, int]:
    """
    What is paid of a computed amount, and how much of it the host's rounding makes unpayable, minor units.

    All of it; or what is refundable, where the amount exceeds it by at most one minor unit for each line
    of the order, because hosts round their totals in their own ways; or None: it is blocked. All of it where
    no payment limits it.
    """
    if refundable is None:
        return following, 0
    excess = max(0, following - refundable)
    if excess > (len(order.items) if order else 0):
        return None, 0
    return following - excess, excess


def rounding_of(amount: int, order: Order, ledger: ReturnLedger) -> int:
    """What of an amount that nothing was paid of the host's rounding makes unpayable now, minor units."""
    refundable = with_paid_ahead(ledger.refundable(order).amount, ledger)
    return limit_to_refundable(amount, refundable, order)[1]


def room_for(target: Return | Claim, refundable: int, ledger: ReturnLedger) -> int | None:
    """What can be owed for a return or claim now, minor units; None where no payment limits it."""
    return None if gives_extra(target) else with_paid_ahead(refundable, ledger)


def with_paid_ahead(refundable: int, ledger: ReturnLedger) -> int:
    """What can be owed, where refunds ran ahead of what was owed by the steps of gateways: minor units."""
    return refundable + max(0, -ledger.carried)
