"""The value of a return or exchange if it were requested now, and why."""

from attrs import frozen

from rma.domain.sale.pricing import AmountPart
from rma.domain.state.exchanges import Exchange
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
    """

    refund_amount: Money
    breakdown: tuple[AmountPart, ...]
    items: tuple[QuotedItem, ...]
    refundable: Money


@frozen
class ExchangeQuote:
    """The difference due if exactly the requested units are received, with its breakdown."""

    difference_due: Money
    breakdown: tuple[AmountPart, ...]
    items: tuple[QuotedItem, ...]


def exchange_quote_of(exchange: Exchange, opened: Return) -> ExchangeQuote:
    """The quote that an exchange begins with, with its return."""
    return ExchangeQuote(exchange.difference_due, opened.breakdown, _quoted_items(opened))


def quote_of(opened: Return, refundable: Money) -> Quote:
    """The quote that a return begins with."""
    return Quote(opened.refund_amount, opened.breakdown, _quoted_items(opened), refundable)


def _quoted_items(opened: Return) -> tuple[QuotedItem, ...]:
    return tuple(
        [
            QuotedItem(item.item_id, item.quantity, Money(item.line.paid(item.allocated), opened.currency))
            for item in opened.items
        ]
    )
