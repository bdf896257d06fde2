"""What the goods that came entitle the customer to, and how much of that is paid now."""

from datetime import datetime

from attrs import frozen

from rma.domain.decide.refunds.split import limit_to_refundable, refunds_for
from rma.domain.decide.violations import Violations
from rma.domain.events import RefundBlocked, ReturnResolved
from rma.domain.messages.commands import Command
from rma.domain.messages.effects import WithdrawRequest
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim
from rma.domain.state.ledger import ReturnLedger, subject_ids
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Resolution, Return, ReturnStatus
from rma.domain.values.money import Money


@frozen
class Grant:
    """
    A return's money after goods were booked or judged, minor units.

    Attributes:
        refund_amount, entitled_amount, named, is_refund_blocked: as the return has them then.
        pay: what is paid now.
        blocked: what is due and above what the payments have left; 0 if it is not.
    """

    refund_amount: int
    entitled_amount: int
    named: int | None
    is_refund_blocked: bool
    pay: int = 0
    blocked: int = 0


def grant(
    order: Order,
    target: Return,
    items: tuple[ReturnItem, ...],
    *,
    refundable: int,
    status: ReturnStatus,
    named: int | None,
) -> Grant:
    """What the return comes to with these items and this status; `named` wins if an amount was."""
    quote = target.refund_amount.amount
    named = target.agreed_refund if named is None else named
    closing = status is ReturnStatus.RECEIVED
    if status is ReturnStatus.REQUIRES_ACTION or (target.exchange_id is not None and not closing):
        return Grant(
            quote, target.entitled_amount, named, target.is_refund_blocked
        )  # an exchange settles once, at the end
    due = target.value_arrived(items, named if closing else None).total
    if named is not None:  # it is for the whole return, so a part of it is not worth more
        due = min(due, named)
    due = max(due, target.refunded)  # money that was paid is not taken back
    pay, rounding = limit_to_refundable(due - target.refunded, refundable, order)
    entitled_amount = due - rounding
    return Grant(
        refund_amount=entitled_amount if closing else quote,
        entitled_amount=entitled_amount,
        named=named,
        is_refund_blocked=pay is None,
        pay=pay or 0,
        blocked=due - target.refunded if pay is None else 0,
    )


def check_named_amount(
    wrong: Violations, amount: Money | int | None, order: Order | None, target: Return | None, refundable: int
) -> int | None:
    """The amount that was named for the whole return, if one was and it can be."""
    if amount is None:
        return None
    is_closed = target is not None and target.status is ReturnStatus.RECEIVED
    if target and not is_closed and (target.exchange_id is not None or target.claim_id is not None):
        wrong.add("refund_settled_elsewhere", return_id=target.id)
    return wrong.check_refund(amount, order, refundable + target.refunded if target else None)


def check_claimed(
    wrong: Violations, target: Return, items: tuple[ReturnItem, ...], status: ReturnStatus
) -> None:
    """Nobody would pay for what a claim's return brings besides what was claimed: it is not accepted."""
    if target.claim_id is None or status is not ReturnStatus.RECEIVED:
        return
    for item in items:
        quantity = 0 if item.is_requested else item.refunded_quantity(refund_damaged=True)
        if quantity:
            wrong.add("units_not_claimed", item.item_id, quantity=quantity, claim_id=target.claim_id)


def resolve_event(
    ledger: ReturnLedger,
    target: Return,
    order: Order,
    money: Grant,
    resolution: Resolution,
    *,
    items: tuple[ReturnItem, ...],
    command: Command | None = None,
    withdraw_requests: tuple[WithdrawRequest, ...] = (),
) -> ReturnResolved:
    """The return closed by this resolution, and what it comes to paid; `command` is what it is due to."""
    return ReturnResolved(
        order_id=target.order_id,
        return_id=target.id,
        exchange_id=target.exchange_id,
        claim_id=target.claim_id,
        at=resolution.at,
        by=resolution.by,
        no_notification=target.no_notification,
        command=command if command and command.idempotency_key else None,
        resolution=resolution,
        items=items,
        refund_amount=Money(money.refund_amount, target.currency),
        entitled_amount=money.entitled_amount,
        agreed_refund=money.named,
        is_refund_blocked=money.is_refund_blocked,
        refunds=refunds_for(money.pay, order, ledger, target, resolution.at) if money.pay else (),
        withdraw_requests=withdraw_requests,
    )


def block_refund(
    target: Return | Claim, amount: int, refundable: int, at: datetime, by: str | None
) -> tuple[()] | tuple[RefundBlocked]:
    """The event that says so, if this amount is due and can not be paid; minor units, 0 for none."""
    if not amount:
        return ()
    return_id, exchange_id, claim_id = subject_ids(target)
    event = RefundBlocked(
        order_id=target.order_id,
        return_id=return_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        at=at,
        by=by,
        no_notification=target.no_notification,
        amount=Money(amount, target.currency),
        refundable=Money(refundable, target.currency),
    )
    return (event,)
