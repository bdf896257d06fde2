"""The laws of credit notes and postings: all of them together are the invoice, and each adds up."""

from collections import Counter
from contextlib import suppress
from fractions import Fraction

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    Account,
    CancelReturn,
    Charge,
    ClaimedCharge,
    ClaimItem,
    CreditNote,
    Event,
    LineItem,
    Money,
    NewItem,
    Order,
    ReceivedItem,
    ReceiveReturn,
    RefundDeclined,
    Rejected,
    RequestClaim,
    RequestedItem,
    RequestReturn,
    ResolveClaim,
    ReturnLedger,
    ReturnPolicy,
    ReturnRule,
    TaxLine,
    codec,
    postings,
)
from rma.domain.change import replay
from rma.domain.sale.charges import refundable_part
from rma.domain.sale.pricing import price_lines
from rma.domain.views.notes import credit_notes
from rma.testing.core_harness import Flow
from rma.testing.edits import total_paid
from rma.testing.strategies import charges, everything_fulfilled, flows, orders
from tests.rules.given import Given, line, order_of, vat

ALL_BACK = ReturnPolicy(rules=[ReturnRule(name="all", charges_back="all_back")])

#: By what it is of and the tax: net, or the tax.
Amounts = Counter[tuple[str, str | None]]


def bring_everything_home(given_: Given, data: st.DataObject) -> None:
    """Returns all units in any partition and order, with returns that are canceled between."""
    assert given_.order is not None
    left = Counter({item.id: item.fulfilled_quantity - item.returned_quantity for item in given_.order.items})
    number = 0
    while +left:
        wanted = {item_id: data.draw(st.integers(0, most)) for item_id, most in left.items() if most}
        wanted = {item_id: quantity for item_id, quantity in wanted.items() if quantity} or dict(+left)
        items = [RequestedItem(item_id=item_id, quantity=quantity) for item_id, quantity in wanted.items()]
        given_.when(RequestReturn(order_id="order_1", items=items))
        number += 1
        if number < 4 and data.draw(st.integers(0, 3)) == 0:
            given_.when(CancelReturn(return_id=f"ret_{number}"))
            continue
        arrived = [ReceivedItem(item_id=item_id, quantity=quantity) for item_id, quantity in wanted.items()]
        given_.when(ReceiveReturn(return_id=f"ret_{number}", items=arrived))
        left -= Counter(wanted)


def invoiced(order: Order) -> Amounts:
    """Returns what the order was paid for: net and taxes of each line and charge."""
    found = Amounts()
    for item_id, priced in price_lines(order, [item.id for item in order.items]).items():
        taxes = priced.taxes_in(priced.running_sums)
        found[f"item:{item_id}", None] += priced.paid(priced.running_sums) - sum(taxes)
        for label, tax in zip(priced.taxes, taxes, strict=True):
            found[f"item:{item_id}", label] += tax
    for charge in order.all_charges:
        back = refundable_part(charge)
        parts = dict(back.parts) or {"price": back.amount}
        for name, amount in parts.items():
            found[f"charge:{back.id}", None if name == "price" else name.removeprefix("tax:")] += amount
    return found


def credited(notes: tuple[CreditNote, ...]) -> Amounts:
    """Returns what the notes credit, in the same way."""
    found = Amounts()
    for note in notes:
        signed = [(1, each) for each in (*note.lines, *note.charges)]
        for sign, each in [*signed, *[(-1, each) for each in note.allowances]]:
            found[each.name, None] += sign * each.net.amount
            for tax in each.taxes:
                found[each.name, tax.label] += sign * tax.amount.amount
    return found


def not_zero(amounts: Amounts) -> dict[tuple[str, str | None], int]:
    """Returns those that are not 0."""
    return {key: amount for key, amount in amounts.items() if amount}


@given(order=orders().map(everything_fulfilled), charged=charges(), data=st.data())
def test_all_notes_of_an_order_that_is_home_are_its_invoice(
    order: Order, charged: tuple[Charge, ...], data: st.DataObject
) -> None:
    """Each line, charge and tax is credited to the minor unit, and each unit once."""
    order = evolve(order, charges=charged)
    order = evolve(order, payments=[evolve(order.payments[0], captured=Money(10**9, order.currency))])
    given_ = Given(order, ALL_BACK)

    bring_everything_home(given_, data)

    notes = credit_notes(given_.ledger)
    assert not_zero(credited(notes)) == not_zero(invoiced(order))
    units = Counter({item.id: 0 for item in order.items})
    for note in notes:
        units.update({each.item_id: each.quantity for each in note.lines})
        assert all(each.quantity > 0 for each in note.lines)
    assert units == Counter({item.id: item.quantity for item in order.items})


@given(order=orders().map(everything_fulfilled), data=st.data())
def test_books_are_even_once_everything_is_paid(order: Order, data: st.DataObject) -> None:
    """Revenue and taxes are what was paid, the means gave it back, and the customer is owed nothing."""
    given_ = Given(order)
    bring_everything_home(given_, data)
    given_.all_delivered()

    balances: Counter[Account] = Counter()
    for event in given_.history:
        for each in postings(event):
            balances[each.account] += each.debit.amount - each.credit.amount
    paid = total_paid(order)
    assert balances[Account.CUSTOMER] == 0
    assert balances[Account.REVENUE] + balances[Account.TAX] == paid == -balances[Account.PAYMENT]


@given(
    price=st.integers(0, 20_000),
    quantity=st.integers(1, 9),
    rate=st.sampled_from(["5.5", "7", "10", "19", "25"]),
    is_tax_inclusive=st.booleans(),
    data=st.data(),
)
def test_the_tax_of_a_line_is_its_base_at_the_rate_give_or_take_a_minor_unit(
    price: int, quantity: int, rate: str, is_tax_inclusive: bool, data: st.DataObject
) -> None:
    """Never two: what notes of a line with one tax differ by is far below the 1.00 of EN 16931's check."""
    line = LineItem(
        id="a",
        quantity=quantity,
        fulfilled_quantity=quantity,
        unit_price=Money(price, "usd"),
        tax_lines=[TaxLine(rate)],
        is_tax_inclusive=is_tax_inclusive,
    )
    given_ = Given(Order(id="order_1", currency="usd", items=[line]))
    bring_everything_home(given_, data)

    for note in credit_notes(given_.ledger):
        for tax in note.taxes:
            exact = Fraction(tax.base.amount) * Fraction(rate) / 100
            assert abs(tax.amount.amount - exact) < 2


@given(flow=flows(with_rules=True))
def test_a_note_never_changes(flow: Flow) -> None:
    """Whatever happens after it. What is stored as JSON, or rebuilt from history, has the same notes."""
    known: tuple[CreditNote, ...] = ()
    ledger = ReturnLedger("order_1")
    history: list[Event] = []
    for change in flow:
        ledger = change.ledger
        notes = credit_notes(ledger)
        assert notes[: len(known)] == known
        known = notes
        history += change.events
    assert credit_notes(replay("order_1", history)) == known
    assert tuple([grant for event in history for grant in event.header.grants]) == ledger.grants
    assert credit_notes(codec.decode(codec.encode(ledger), ReturnLedger)) == known


@given(flow=flows(with_rules=True))
def test_debits_are_credits_whatever_happens(flow: Flow) -> None:
    """In each event, and in the minor unit; none of them is below 0."""
    for change in flow:
        for event in change.events:
            found = postings(event)
            assert sum(each.debit.amount - each.credit.amount for each in found) == 0
            assert all(min(each.debit.amount, each.credit.amount) == 0 for each in found)
            assert all(max(each.debit.amount, each.credit.amount) > 0 for each in found)


@given(
    quantity=st.integers(1, 3),
    named=st.one_of(st.none(), st.integers(0, 3300)),
    charge=st.integers(0, 500),
    resolved=st.one_of(st.none(), st.integers(0, 3300)),
)
def test_replaced_units_are_credited_only_with_money_for_units(
    quantity: int, named: int | None, charge: int, resolved: int | None
) -> None:
    """By what is named besides a charge that is given back, when asked for, or by a clerk later."""
    postage = Charge("post", "shipping", Money(500, "usd"), vat("19"), is_tax_inclusive=True)
    given_ = Given(order_of(line(quantity=3, tax_lines=vat("10")), charges=[postage], captured=3800))
    claim = RequestClaim(
        order_id="order_1",
        type="replace",
        items=[ClaimItem(item_id="mug", quantity=quantity, reason="other")],
        new_items=[NewItem(variant_id="v_mug", quantity=1, unit_price=0)],
        refund_amount=min(named, 1100 * quantity) if named is not None else None,
        charges=[ClaimedCharge(charge_id="post", amount=charge)] if charge else [],
    )
    given_.when(claim)
    if resolved is not None:
        given_.record_outcomes(
            *[(each.key, RefundDeclined("no")) for each in given_.ledger.claims[0].refunds]
        )
        with suppress(Rejected):
            given_.when(ResolveClaim(claim_id="claim_1", refund_amount=resolved))
    (made,) = given_.ledger.claims

    names = [part.name for part in made.breakdown]
    assert sum(part.amount.amount for part in made.breakdown) == made.refund_amount.amount
    assert "rounding" not in names
    assert ("item:mug" in names) == (made.refund_amount.amount > charge)
    amounts = not_zero(credited(credit_notes(given_.ledger)))
    assert sum(amounts.values()) == made.refund_amount.amount
    assert any(name == "reduction:mug" for name, _ in amounts) == ("item:mug" in names)
