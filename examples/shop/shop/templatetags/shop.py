"""Amounts and their parts as they are read."""

from collections.abc import Mapping

from django import template
from rma import AmountPart, Money
from shop.words import amount_text, part_text

register = template.Library()


@register.filter
def money(amount: Money) -> str:
    """Returns an amount as it is written in the reader's language."""
    return amount_text(amount)


@register.filter
def cents(amount: int) -> str:
    """Returns a number of the shop's minor units as an amount."""
    return amount_text(Money(amount, "eur"))


@register.filter
def without_sign(amount: Money) -> Money:
    """Returns the amount as if it were above 0."""
    return amount if amount.amount >= 0 else -amount


@register.filter
def called(part: AmountPart, titles: Mapping[str, str]) -> str:
    """Returns what a part of an amount is called."""
    return part_text(part, titles)
