"""
What customers were granted, in amounts that have their taxes: what credit notes and books are made of.

A grant says by how much an event changed what a return or claim gives back, or what an exchange sold. Its
amounts are the difference to all earlier grants of the same one, so that together they are what it comes to,
to the minor unit, in each line, charge and tax.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from attrs import evolve, frozen

from rma.domain.sale.pricing import PricedLine
from rma.domain.state.claims import Claim, ClaimType
from rma.domain.state.deductions import is_bonus
from rma.domain.state.exchanges import Exchange
from rma.domain.state.explained import NamedAmount, Pool, charge_back, way_back_cost
from rma.domain.state.grading import grade_item
from rma.domain.state.lifecycle import ReturnStatus, claim_rules
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.state.valuation import DIFFERENCE_DUE, Valuation, with_entitled
from rma.domain.values.tax import TaxRate, rates_of

#: Units that are credited: `item:` and the id of their line.
ITEM = "item:"
#: A part of the price of units that stay with the customer, or of units that are replaced.
REDUCTION = "reduction:"
#: New goods that an exchange sold; below 0.
NEW_ITEM = "new_item:"
#: What it costs to send them; below 0.
OUTBOUND = "outbound_shipping"
#: What a customer does not pay for them, and is not asked for any longer.
WRITE_OFF = "write_off"
#: Store credit that is given besides, without an amount of an invoice that it would change.
GOODWILL = "goodwill"


@frozen
class GrantedTax:
    """
    A tax of an amount, minor units.

    Attributes:
        label: what it is called, as in breakdowns.
        rate: percent; None where only amounts are known.
        category: as the host's tax line had it.
    """

    label: str
    amount: int
    rate: Decimal | None = None
    category: str | None = None


@frozen
class GrantedAmount:
    """
    One amount of a grant, minor units; below 0 if it is taken off.

    Attributes:
        name: `item:<item_id>`, `reduction:<item_id>`, `charge:<id>`, `return_shipping`, `fee:<name>`,
            `grade:<name>`, `deduction:<item_id>`, `custom_amount`, `rounding`, `undecided`, `already_paid`,
            `bonus:<name>`, `goodwill`; of an exchange's new goods `new_item:<variant_id>`,
            `outbound_shipping` and `write_off`.
        net: without taxes.
        quantity: of units that are credited, or whose price is reduced.
    """

    name: str
    net: int
    taxes: tuple[GrantedTax, ...] = ()
    quantity: int = 0

    @property
    def tax(self) -> int:
        """All of its taxes."""
        return sum([each.amount for each in self.taxes])

    @property
    def total(self) -> int:
        """With taxes."""
        return self.net + self.tax

    @property
    def item_id(self) -> str | None:
        """The line of the order whose units it is for; None if it is for none."""
        for prefix in (ITEM, REDUCTION):
            if self.name.startswith(prefix):
                return self.name.removeprefix(prefix)
        return None

    @property
    def is_noted(self) -> bool:
        """True if it changes what an invoice said, so that a credit note has it."""
        is_new = self.name.startswith(NEW_ITEM) or self.name in (OUTBOUND, WRITE_OFF)
        return not is_new and self.name != GOODWILL and not is_bonus(self.name)


@frozen(kw_only=True)
class Grant:
    """
    What an event granted for a return or claim, or took back of it; or the new goods that an exchange sold.

    Attributes:
        number: counts the grants of the order from 1.
        subject_id: of the return, claim or exchange.
        at: when, aware.
        note: counts the credit notes of the subject from 1; None for a grant that is on none.
        invoice_ids: of the order, as it was last seen by then; empty if it had none.
        unrecorded: in the first grant of a subject, what releases granted before that recorded no grants.
    """

    number: int
    subject_id: str
    at: datetime
    currency: str
    amounts: tuple[GrantedAmount, ...]
    note: int | None = None
    invoice_ids: tuple[str, ...] = ()
    unrecorded: tuple[GrantedAmount, ...] = ()

    @property
    def total(self) -> int:
        """With taxes, minor units."""
        return sum([each.total for each in self.amounts])

    @property
    def note_id(self) -> str | None:
        """`{subject_id}-note-{note}`: the id of its credit note."""
        return None if self.note is None else f"{self.subject_id}-note-{self.note}"


#: Where goods arrived about which a person has yet to decide.
_UNDECIDED = (ReturnStatus.REQUIRES_ACTION, ReturnStatus.IN_INSPECTION)
#: A return, claim or exchange.
Granting = Return | Claim | Exchange


def grant_between(
    before: Granting | None,
    after: Granting,
    earlier: Sequence[Grant],
    at: datetime,
    invoice_ids: tuple[str, ...],
) -> Grant | None:
    """
    What was granted by what changed the subject so; None if nothing was.

    `earlier` are all grants of the order before. What was granted by a release that recorded none is on no
    credit note, and counts as granted all the same.
    """
    if before is not None and _is_alike(before, after):
        return None
    own = [each for each in earlier if each.subject_id == after.id]
    unrecorded = amounts_of(before) if before is not None and not own else ()
    if before is not None and _gives_nothing_yet(before, unrecorded):
        unrecorded = ()
    recorded = [amount for each in own for amount in (*each.unrecorded, *each.amounts)]
    amounts = _difference(amounts_of(after), [*unrecorded, *recorded])
    if not amounts or _gives_nothing_yet(after, amounts):
        return None
    note = None
    if any(each.is_noted for each in amounts):
        note = 1 + max([each.note or 0 for each in own], default=0)
    return Grant(
        number=len(earlier) + 1,
        subject_id=after.id,
        at=at,
        currency=after.currency,
        amounts=amounts,
        note=note,
        invoice_ids=invoice_ids,
        unrecorded=unrecorded,
    )


def _gives_nothing_yet(subject: Granting, amounts: Iterable[GrantedAmount]) -> bool:
    """
    True while it is not decided what is given for goods that arrived.

    A note would take all of them off again. The next grant has them as they were decided.
    """
    is_undecided = isinstance(subject, Return) and subject.status in _UNDECIDED
    return is_undecided and not sum([each.total for each in amounts])


def _is_alike(before: Granting, after: Granting) -> bool:
    """True if both grant the same because nothing changed that it depends on; False says nothing."""
    if isinstance(before, Return) and isinstance(after, Return):
        return (
            before.items is after.items
            and before.status is after.status
            and before.received_at == after.received_at
            and before.charges == after.charges
            and before.charges_back == after.charges_back
            and before.paid_ahead == after.paid_ahead
            and before.is_unbooked == after.is_unbooked
            and before.terms is after.terms
            and _amounts_named(before) == _amounts_named(after)
        )
    if isinstance(before, Claim) and isinstance(after, Claim):
        is_alike = before.status is after.status and before.type is after.type
        is_alike = is_alike and before.items is after.items
        return is_alike and _amounts_named(before) == _amounts_named(after)
    assert isinstance(before, Exchange), "a subject stays what it is"
    assert isinstance(after, Exchange), "a subject stays what it is"
    is_alike = before.new_items is after.new_items and before.is_sent == after.is_sent
    return is_alike and before.written_off == after.written_off


def _amounts_named(subject: Return | Claim) -> tuple[object, ...]:
    account = subject.entitlement
    return account.entitled, account.requested_refund, account.agreed_refund


def amounts_of(subject: Granting) -> tuple[GrantedAmount, ...]:
    """What a return or claim gives back as it is now, or what an exchange has sold."""
    match subject:
        case Return():
            return _of_return(subject)
        case Claim():
            return _of_claim(subject)
        case Exchange():
            return _of_exchange(subject)
        case _:
            assert_never(subject)


def _of_return(target: Return) -> tuple[GrantedAmount, ...]:
    """Its goods and what is taken off them; what new goods and payments of an exchange change is apart."""
    if target.claim_id is not None:
        return ()
    is_requested = False
    if target.received_at is not None:
        valuation = target.valuation
    elif target.exchange_id is not None or not target.entitlement.entitled.amount:
        return ()  # an exchange gives nothing for goods that are not here; what was paid for it goes back
    elif target.is_promised:
        is_requested = True
        valuation = with_entitled(target.valuation_if_as_requested, target.entitlement.entitled.amount)
    else:
        named = target.named_for(target.items, target.charges_back)
        arrived = target.value_arrived(target.paid_items, named, target.charges_back)
        entitled = target.entitlement.entitled.amount
        valuation = with_entitled(arrived, entitled, is_undecided=target.status in _UNDECIDED)
    goods = [
        _Goods(
            f"{ITEM}{item.item_id}",
            item.line,
            running_sums,
            item.quantity if is_requested else _quantity(item, target),
        )
        for item, running_sums in valuation.goods
    ]
    return _explained(goods, _beside_goods(target, valuation))


def _beside_goods(target: Return, valuation: Valuation) -> list[NamedAmount]:
    other = [each for each in valuation.named(target.shipping_method) if each.name != DIFFERENCE_DUE]
    if target.charges and not valuation.charges:
        # The amount that was named is after what is set against the goods: that is a part of their value.
        against = sum([part.amount.amount for part in target.charges])
        other.append(NamedAmount("custom_amount", -against, of=None))
    return other


def _quantity(item: ReturnItem, target: Return) -> int:
    if item.is_inspected:
        return grade_item(item).quantity
    return item.refunded_quantity(refund_damaged=target.terms.refund_damaged)


def _of_claim(claim: Claim) -> tuple[GrantedAmount, ...]:
    amount = claim.refund_amount.amount
    if not claim_rules(claim.status).reserves or (claim.type is ClaimType.REPLACE and not amount):
        return ()
    back = [charge_back(each) for each in claim.charges_back]
    difference = claim.difference
    if claim.is_extra_goodwill and difference.amount > 0:
        difference = evolve(difference, name=GOODWILL)
    prefix = ITEM if claim.type is ClaimType.REFUND else REDUCTION
    goods = [
        _Goods(f"{prefix}{item.item_id}", item.line, item.allocated, item.quantity)
        for item in claim.credited_items
    ]
    # Of units that are replaced it is not known which are refunded: what is refunded reduces all of them.
    return _explained(goods, [*back, difference], is_of_goods=claim.type is ClaimType.REPLACE)


def _of_exchange(exchange: Exchange) -> tuple[GrantedAmount, ...]:
    """New goods and what it costs to send them, once they are sent; and what is written off of that."""
    if not exchange.is_sent:
        return ()
    found = _Sums()
    for item in exchange.new_items:
        taxes = [part.amount.amount for part in item.part().parts if part.name != "price"]
        rates = rates_of(item.tax_lines)
        labels = [tax.label for tax in item.tax_lines]
        net = -item.total.amount - sum(taxes)
        found.add(f"{NEW_ITEM}{item.variant_id}", labels, rates, net, taxes)
    if (method := exchange.outbound_shipping) is not None:
        found.add_named(way_back_cost(method, method.total.amount), OUTBOUND)
    found.add(WRITE_OFF, (), (), exchange.written_off.amount, ())
    return found.amounts()


@frozen
class _Goods:
    name: str
    line: PricedLine
    running_sums: tuple[int, ...]
    quantity: int


def _explained(
    goods: Sequence[_Goods], other: Iterable[NamedAmount], *, is_of_goods: bool = False
) -> tuple[GrantedAmount, ...]:
    """
    Goods, and the other amounts with the taxes that they have, or take from the goods.

    With `is_of_goods`, what they take is taken off the goods, and is not an amount by itself.
    """
    found = _Sums()
    for each in goods:
        found.add_goods(each.name, each.line, each.running_sums, each.quantity)
    pool: Pool | None = None
    for named in other:
        if named.parts:
            found.add_named(named, named.name)
            continue
        sign = -1 if named.amount < 0 else 1
        pool = pool or Pool([(each.line, each.running_sums) for each in goods])
        rest, moved = pool.move(named.amount, named.of)
        for line, running_sums in moved:
            name = f"{REDUCTION}{line.item_id}" if is_of_goods else named.name
            found.add_goods(name, line, running_sums, 0, sign)
        found.add(named.name, (), (), rest, ())
    return found.amounts()


class _Sums:
    """Amounts by name and taxes."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], GrantedAmount] = {}

    def add_goods(
        self, name: str, line: PricedLine, running_sums: tuple[int, ...], quantity: int, sign: int = 1
    ) -> None:
        taxes = line.taxes_in(running_sums)
        net = line.paid(running_sums) - sum(taxes)
        signed = [sign * tax for tax in taxes]
        self.add(name, line.taxes, line.rates, sign * net, signed, quantity)

    def add_named(self, named: NamedAmount, name: str) -> None:
        """An amount with taxes of its own, or without any."""
        taxes = [(label, amount) for label, amount in named.parts if label != "price"]
        labels = [label.removeprefix("tax:") for label, _ in taxes]
        amounts = [amount for _, amount in taxes]
        self.add(name, labels, named.rates, named.amount - sum(amounts), amounts)

    def add(
        self,
        name: str,
        labels: Sequence[str],
        rates: Sequence[TaxRate],
        net: int,
        taxes: Sequence[int],
        quantity: int = 0,
    ) -> None:
        """An amount; `rates` are none where an earlier release recorded it."""
        known = tuple(rates) or (_UNKNOWN,) * len(labels)
        named = [
            GrantedTax(label, tax, rate.rate, rate.category)
            for label, tax, rate in zip(labels, taxes, known, strict=True)
        ]
        self.add_amount(GrantedAmount(name, net, tuple(named), quantity))

    def add_amount(self, amount: GrantedAmount, sign: int = 1) -> None:
        key = (amount.name, *[(each.label, each.rate, each.category) for each in amount.taxes])
        before = self._found.get(key)
        if before is None and sign == 1:
            self._found[key] = amount
            return
        net, taxes, quantity = (before.net, before.taxes, before.quantity) if before else (0, (), 0)
        had = [each.amount for each in taxes] or [0] * len(amount.taxes)
        self._found[key] = GrantedAmount(
            amount.name,
            net + sign * amount.net,
            tuple(
                [
                    GrantedTax(each.label, mine + sign * each.amount, each.rate, each.category)
                    for mine, each in zip(had, amount.taxes, strict=True)
                ]
            ),
            quantity + sign * amount.quantity,
        )

    def amounts(self) -> tuple[GrantedAmount, ...]:
        """Those that are not 0 in everything."""
        return tuple(
            [
                each
                for each in self._found.values()
                if each.net or each.quantity or any(tax.amount for tax in each.taxes)
            ]
        )


_UNKNOWN = TaxRate()


def _difference(
    after: tuple[GrantedAmount, ...], before: Sequence[GrantedAmount]
) -> tuple[GrantedAmount, ...]:
    if not before:
        return after
    found = _Sums()
    for amount in after:
        found.add_amount(amount)
    for amount in before:
        found.add_amount(amount, -1)
    return found.amounts()
