"""Credit notes: what was granted, as a document says it. A view of what events granted, nowhere stored."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from rma.domain.state.grants import REDUCTION, Grant, GrantedAmount
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.money import Money

#: Digits of a unit price behind those of the currency.
_DIGITS = 6


@frozen(kw_only=True)
class NoteTax:
    """
    What a note credits of one tax.

    Attributes:
        label: what the tax is called, as in breakdowns; of several with one category and rate the first.
        category, rate: as the host's tax lines had them; `rate` is None where only amounts are known.
        base: net, of the amounts that have this tax.
        amount: the tax.
    """

    label: str
    category: str | None
    rate: Decimal | None
    base: Money
    amount: Money


@frozen(kw_only=True)
class NoteAmount:
    """
    An allowance or charge of a note, each above 0.

    Attributes:
        name: as in a breakdown: `return_shipping`, `fee:<name>`, `charge:<id>`, `custom_amount`, …; or
            `item:<item_id>` for an amount of a line without units.
        net: without taxes.
        taxes: on it, in the order of the host's tax lines.
    """

    name: str
    net: Money
    taxes: tuple[NoteTax, ...] = ()

    @property
    def tax(self) -> Money:
        """All of its taxes."""
        return Money(sum([each.amount.amount for each in self.taxes]), self.net.currency)

    @property
    def category(self) -> str | None:
        """Of its one tax; None if it has none or several."""
        return self.taxes[0].category if len(self.taxes) == 1 else None

    @property
    def rate(self) -> Decimal | None:
        """Of its one tax; None if it has none or several, or the rate is not known."""
        return self.taxes[0].rate if len(self.taxes) == 1 else None


@frozen(kw_only=True)
class NoteLine(NoteAmount):
    """
    Units of a line of the order.

    Attributes:
        quantity: whole units; below 0 where units that were credited are not any more.
        is_reduction: they stay with the customer, or are replaced, and a part of their price is credited.
    """

    item_id: str
    quantity: int
    is_reduction: bool = False

    @property
    def unit_price(self) -> Decimal:
        """Net and after discounts, in major units: six more digits than the currency has."""
        exact = self.net.major / self.quantity
        return exact.quantize(Decimal(1).scaleb(self.net.major.as_tuple().exponent - _DIGITS))  # type: ignore[operator] # it is finite


@frozen(kw_only=True)
class CreditNote:
    """
    What one event granted for a return or claim, or took back of it.

    Its lines and charges less its allowances are `net`, with its taxes `total`. What was taken back is below
    0. A note never changes.

    Attributes:
        id: `{payee_id}-note-{n}`, n from 1.
        payee_id: the return or claim.
        invoice_ids: what it changes: the order's invoices as they were known when it was issued.
    """

    id: str
    order_id: str
    payee_id: str
    invoice_ids: tuple[str, ...]
    issued_at: datetime
    lines: tuple[NoteLine, ...]
    allowances: tuple[NoteAmount, ...]
    charges: tuple[NoteAmount, ...]
    taxes: tuple[NoteTax, ...]
    net: Money
    total: Money

    @property
    def currency(self) -> str:
        """Of every amount in it."""
        return self.total.currency

    @property
    def tax(self) -> Money:
        """All of its taxes."""
        return self.total - self.net


def credit_notes(ledger: ReturnLedger) -> tuple[CreditNote, ...]:
    """The credit notes of an order, in the order in which they were issued."""
    return tuple([_note(ledger.order_id, grant) for grant in ledger.grants if grant.note is not None])


def note_of(order_id: str, grant: Grant) -> CreditNote | None:
    """The credit note of what an event granted; None if it changes no invoice."""
    return None if grant.note is None else _note(order_id, grant)


def _note(order_id: str, grant: Grant) -> CreditNote:
    currency = grant.currency
    amounts = [each for each in grant.amounts if each.is_noted]
    lines = [each for each in amounts if each.item_id is not None and each.quantity]
    others = [each for each in amounts if each not in lines]
    assert grant.note_id is not None, "it is on a note"
    return CreditNote(
        id=grant.note_id,
        order_id=order_id,
        payee_id=grant.subject_id,
        invoice_ids=grant.invoice_ids,
        issued_at=grant.at,
        lines=tuple([_line(each, currency) for each in lines]),
        allowances=tuple([_amount(each, currency, -1) for each in others if _is_taken_off(each)]),
        charges=tuple([_amount(each, currency, 1) for each in others if not _is_taken_off(each)]),
        taxes=_taxes(amounts, currency),
        net=Money(sum([each.net for each in amounts]), currency),
        total=Money(sum([each.total for each in amounts]), currency),
    )


def _is_taken_off(amount: GrantedAmount) -> bool:
    return (amount.net, amount.tax) < (0, 0)


def _line(amount: GrantedAmount, currency: str) -> NoteLine:
    assert amount.item_id is not None, "it is of a line"
    return NoteLine(
        name=amount.name,
        item_id=amount.item_id,
        quantity=amount.quantity,
        is_reduction=amount.name.startswith(REDUCTION),
        net=Money(amount.net, currency),
        taxes=_taxes([amount], currency),
    )


def _amount(amount: GrantedAmount, currency: str, sign: int) -> NoteAmount:
    return NoteAmount(
        name=amount.name,
        net=Money(sign * amount.net, currency),
        taxes=_taxes([amount], currency, sign),
    )


def _taxes(amounts: Iterable[GrantedAmount], currency: str, sign: int = 1) -> tuple[NoteTax, ...]:
    """
    By category and rate; without a category by their names as well.

    Two of one kind on one amount, as of a state and a union, stay two: each has the whole amount as its base.
    """
    found: dict[tuple[object, ...], NoteTax] = {}
    for amount in amounts:
        seen = Counter[tuple[object, ...]]()
        for tax in amount.taxes:
            kind = tax.category, tax.rate, tax.label if tax.category is None else None
            seen[kind] += 1
            key = *kind, seen[kind]
            had = found.get(key) or NoteTax(
                label=tax.label,
                category=tax.category,
                rate=tax.rate,
                base=Money(0, currency),
                amount=Money(0, currency),
            )
            found[key] = NoteTax(
                label=had.label,
                category=had.category,
                rate=had.rate,
                base=had.base + Money(sign * amount.net, currency),
                amount=had.amount + Money(sign * tax.amount, currency),
            )
    return tuple(found.values())
