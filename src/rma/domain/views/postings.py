"""
What an event means for the books: debits and credits, under words of ours that the host maps to its accounts.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from attrs import frozen

from rma.domain.events import Event
from rma.domain.sale.means import Means
from rma.domain.state.explained import RETURN_SHIPPING
from rma.domain.state.grants import GOODWILL, OUTBOUND, WRITE_OFF, Grant, GrantedAmount
from rma.domain.state.movements import MoneyMoved
from rma.domain.values.money import Money


class Account(StrEnum):
    """
    Where an amount is booked; `Posting.of` tells apart what one of them holds.

    `revenue`: of the goods that come back, with what grades, deductions and named amounts change of it.
    `charges`: what the order charged besides goods (`of` its id). `tax`: by the name of the tax.
    `fee_income`: by the name of the fee. `way_back`: what the customer pays for it. `new_goods`: what an
    exchange sold (`of` the variant). `outbound_shipping`: of these. `write_off`: what is not paid for these,
    and not waited for; with the taxes in it. `bonus` and `goodwill`: what is given
    without an invoice behind it. `customer`: what the order owes the customer. `payment`: by the kind of the
    payment. `store_credit`, `payout`: as they say.
    """

    REVENUE = "revenue"
    CHARGES = "charges"
    TAX = "tax"
    FEE_INCOME = "fee_income"
    WAY_BACK = "way_back"
    NEW_GOODS = "new_goods"
    OUTBOUND_SHIPPING = "outbound_shipping"
    WRITE_OFF = "write_off"
    BONUS = "bonus"
    GOODWILL = "goodwill"
    CUSTOMER = "customer"
    PAYMENT = "payment"
    STORE_CREDIT = "store_credit"
    PAYOUT = "payout"


@frozen
class Posting:
    """
    One line of a journal entry; either debit or credit is 0, neither is below.

    Attributes:
        of: what of the account it is: see `Account`; None where the account has no parts.
        rate, category: of the tax, or of the one tax on the amount; None if it has none or several.
    """

    account: Account
    debit: Money
    credit: Money
    of: str | None = None
    rate: Decimal | None = None
    category: str | None = None


def postings(event: Event) -> tuple[Posting, ...]:
    """
    The debits and credits of an event; nothing for one that changes no amount. Both come to the same.

    What is granted is booked when it is, and what moves once it is known that it did. An event that a
    release recorded which did not say these has none.
    """
    header = event.header
    found = [posting for grant in header.grants for posting in _granted(grant)]
    found += [posting for moved in header.moved for posting in _moved(moved)]
    return tuple(found)


#: By what the name of an amount begins with.
_ACCOUNTS = {
    "charge": Account.CHARGES,
    "fee": Account.FEE_INCOME,
    "bonus": Account.BONUS,
    "new_item": Account.NEW_GOODS,
    GOODWILL: Account.GOODWILL,
    OUTBOUND: Account.OUTBOUND_SHIPPING,
    WRITE_OFF: Account.WRITE_OFF,
    RETURN_SHIPPING: Account.WAY_BACK,
}


def _granted(grant: Grant) -> Iterator[Posting]:
    for amount in grant.amounts:
        account, of = _account(amount)
        one = amount.taxes[0] if len(amount.taxes) == 1 else None
        rate, category = (one.rate, one.category) if one else (None, None)
        yield from _posting(account, amount.net, grant.currency, of, rate, category)
        for tax in amount.taxes:
            yield from _posting(Account.TAX, tax.amount, grant.currency, tax.label, tax.rate, tax.category)
    yield from _posting(Account.CUSTOMER, -grant.total, grant.currency)


def _account(amount: GrantedAmount) -> tuple[Account, str | None]:
    kind, _, of = amount.name.partition(":")
    if kind in _ACCOUNTS:
        return _ACCOUNTS[kind], of or None
    return Account.REVENUE, amount.name


def _moved(moved: MoneyMoved) -> Iterator[Posting]:
    yield from _posting(Account.CUSTOMER, moved.amount, moved.currency)
    account, of = _means(moved)
    yield from _posting(account, -moved.amount, moved.currency, of)
    yield from _posting(Account.BONUS, moved.bonus, moved.currency)
    yield from _posting(Account.STORE_CREDIT, -moved.bonus, moved.currency)


def _means(moved: MoneyMoved) -> tuple[Account, str | None]:
    match moved.means:
        case None | Means.PAYMENT:
            return Account.PAYMENT, moved.kind
        case Means.STORE_CREDIT:
            return Account.STORE_CREDIT, None
        case Means.PAYOUT:
            return Account.PAYOUT, None
        case _:
            assert_never(moved.means)


def _posting(
    account: Account,
    amount: int,
    currency: str,
    of: str | None = None,
    rate: Decimal | None = None,
    category: str | None = None,
) -> Iterator[Posting]:
    """A debit, or of an amount below 0 a credit; nothing of 0."""
    if amount:
        debit, credit = Money(max(0, amount), currency), Money(max(0, -amount), currency)
        yield Posting(account, debit, credit, of, rate, category)
