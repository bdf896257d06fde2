"""The value of a return or exchange if it were requested now, and why."""

from datetime import datetime

from attrs import frozen

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
class ExchangeQuote:
    """The difference due if exactly the requested units are received, with its breakdown."""

    difference_due: Money
    breakdown: tuple[AmountPart, ...]
    items: tuple[QuotedItem, ...]


def exchange_quote_of(exchange: Exchange, opened: Return) -> ExchangeQuote:
    """The quote that an exchange begins with, with its return."""
    return ExchangeQuote(exchange.difference_due, opened.breakdown, _quoted_items(opened))


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
    amount, is_quote = target.amount_due.amount, False
    if not amount and isinstance(target, Return) and target.is_open:
        amount, is_quote = max(0, target.refund_amount.amount - target.entitlement.covered), True
    refundable = room_for(target, ledger.refundable(order).amount, ledger)
    pay, _ = limit_to_refundable(amount, refundable, order)
    plan = plan_for(pay, order, ledger, target, at, is_quote=is_quote) if pay else Plan()
    return plan.refunds


def _quoted_items(opened: Return) -> tuple[QuotedItem, ...]:
    return tuple(
        [
            QuotedItem(item.item_id, item.quantity, Money(item.line.paid(item.allocated), opened.currency))
            for item in opened.items
        ]
    )
