"""The value of a return or exchange if it were requested now, and why."""

from datetime import datetime

from attrs import frozen

from rma.domain.decide.facts import Facts
from rma.domain.decide.holds import least_hold, once_approved
from rma.domain.decide.refunds.split import limit_to_refundable, plan_for, room_for
from rma.domain.sale.order import Order
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.plan import Plan, PlannedRefund
from rma.domain.state.returns import Return
from rma.domain.values.money import Money


@frozen
class QuotedItem:
    """The value of the requested units of one line item, before deductions."""

    item_id: str
    quantity: int
    amount: Money


@frozen
class Quote:
    """
    The refund if exactly the requested units are received, with its breakdown.

    Attributes:
        refundable: what the order's payments have left now. If that is less than the refund, nothing will be
            paid on receipt until a person decides.
        plan: how it would go back now: from which payments, or as store credit and with which bonus. Nothing
            if none of it would be paid.
    """

    refund_amount: Money
    breakdown: tuple[AmountPart, ...]
    items: tuple[QuotedItem, ...]
    refundable: Money
    plan: tuple[PlannedRefund, ...] = ()


@frozen
class HoldNeeded:
    """
    The least that a hold must be, so that the new goods of an exchange can be sent first.

    Attributes:
        amount: what the customer may come to owe once the difference is paid.
        until: the last moment for the goods if the exchange was requested now and, where a person has to
            approve it, approved now. The later it is, the later is that moment.
    """

    amount: Money
    until: datetime


@frozen
class ExchangeQuote:
    """
    The difference due if exactly the requested units are received, with its breakdown.

    Attributes:
        hold_needed: to send the new goods first, whether that is asked for or not; None where it cannot be,
            since the host has no port of holds or the goods have no last day.
    """

    difference_due: Money
    breakdown: tuple[AmountPart, ...]
    items: tuple[QuotedItem, ...]
    hold_needed: HoldNeeded | None = None


def exchange_quote_of(exchange: Exchange, opened: Return, facts: Facts) -> ExchangeQuote:
    """The quote that an exchange begins with, with its return."""
    approved = once_approved(facts, opened)
    needed = None
    if facts.has_holds and approved.return_by is not None:
        needed = HoldNeeded(least_hold(approved), approved.return_by)
    return ExchangeQuote(exchange.difference_due, opened.breakdown, _quoted_items(opened), needed)


def quote_of(opened: Return, order: Order, ledger: ReturnLedger, at: datetime) -> Quote:
    """The quote that a return begins with."""
    return Quote(
        opened.refund_amount,
        opened.breakdown,
        _quoted_items(opened),
        ledger.refundable(order),
        planned_refunds(order, ledger, opened, at),
    )


def planned_refunds(
    order: Order, ledger: ReturnLedger, target: Return | Claim, at: datetime
) -> tuple[PlannedRefund, ...]:
    """
    How what is due for a return or claim would go back now; of an open return, how what it was quoted would.

    Nothing if a person has to decide first.
    """
    amount, is_promised = target.amount_due.amount, False
    if not amount and isinstance(target, Return) and target.is_open:
        amount, is_promised = max(0, target.refund_amount.amount - target.entitlement.covered), True
    refundable = room_for(target, ledger.refundable(order).amount, ledger)
    pay, _ = limit_to_refundable(amount, refundable, order)
    plan = plan_for(pay, order, ledger, target, at, is_promised=is_promised) if pay else Plan()
    return plan.refunds


def _quoted_items(opened: Return) -> tuple[QuotedItem, ...]:
    return tuple(
        [
            QuotedItem(item.item_id, item.quantity, Money(item.line.paid(item.allocated), opened.currency))
            for item in opened.items
        ]
    )
