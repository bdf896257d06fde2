"""Credit notes: what each grant says, in lines, allowances, charges and taxes."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelClaim,
    CancelExchange,
    Charge,
    ClaimedCharge,
    ClaimItem,
    CorrectedItem,
    CorrectReceipt,
    CreditNote,
    Event,
    Fee,
    Grade,
    Grant,
    InspectedItem,
    InspectReturn,
    InvalidValue,
    NewItem,
    NoteAmount,
    ReceivedItem,
    ReceiveReturn,
    RecordRefundOutcome,
    RefundDeclined,
    RefundReversed,
    RefundSucceeded,
    RejectedItem,
    RequestClaim,
    RequestedItem,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    ReturnPolicy,
    ReturnRule,
    ShippingOption,
    TaxLine,
    TaxRate,
    note_of,
)
from rma.domain.change import replay
from rma.domain.views.notes import credit_notes
from tests.rules.given import Given, line, off, order_of, put, receive, request, usd, vat
from tests.rules.test_exchanges import exchange, pay

ALL_BACK = ReturnPolicy(rules=[ReturnRule(name="all", charges_back="all_back")])


def notes(given: Given) -> tuple[CreditNote, ...]:
    """Returns the notes of the order, and asserts that history rebuilds the ledger that they are of."""
    assert replay("order_1", given.history) == given.ledger
    return credit_notes(given.ledger)


def lines(note: CreditNote) -> list[tuple[str, int, int, int]]:
    """Returns item, quantity, net and tax of each line."""
    return [(each.item_id, each.quantity, each.net.amount, each.tax.amount) for each in note.lines]


def besides(amounts: tuple[NoteAmount, ...]) -> list[tuple[str, int, int]]:
    """Returns name, net and tax of allowances or charges."""
    return [(each.name, each.net.amount, each.tax.amount) for each in amounts]


def taxes(note: CreditNote) -> list[tuple[str | None, int | None, int, int]]:
    """Returns category, rate (whole percent), base and tax of each tax."""
    return [
        (
            each.category,
            None if each.rate is None else int(each.rate),
            each.base.amount,
            each.amount.amount,
        )
        for each in note.taxes
    ]


def shirts() -> Given:
    """Returns four shirts at 10.00 plus 10 %, 3.99 off the order, and express for 5.75 with 0.75 of tax."""
    express = Charge("express", "shipping", 575, vat("15", category="S"), is_tax_inclusive=True)
    order = order_of(
        line(quantity=4, tax_lines=vat("10", category="S")),
        captured=4536,
        adjustments=off(399),
        charges=[express],
        invoices=["R-1"],
    )
    return Given(order, ALL_BACK)


def test_a_note_credits_goods_and_charges_with_their_taxes() -> None:
    """36.01 + 3.60 for four shirts and 5.00 + 0.75 for shipping: 45.36."""
    given = shirts()
    given.when(request(4))

    given.when(receive(4))

    (note,) = notes(given)
    assert (note.id, note.payee_id, note.order_id) == ("ret_1-note-1", "ret_1", "order_1")
    assert (note.invoice_ids, note.issued_at, note.currency) == (("R-1",), given.now, "usd")
    assert lines(note) == [("mug", 4, 3601, 360)]
    assert note.lines[0].unit_price == Decimal("9.00250000")
    assert (note.lines[0].category, note.lines[0].rate) == ("S", Decimal(10))
    assert besides(note.charges) == [("charge:express", 500, 75)]
    assert note.allowances == ()
    assert taxes(note) == [("S", 10, 3601, 360), ("S", 15, 500, 75)]
    assert (note.net, note.tax, note.total) == (usd(4101), usd(435), usd(4536))


def test_notes_of_single_units_come_to_the_note_of_all() -> None:
    """9.00, 9.00, 9.01 and 9.00, with 0.90 of tax each; the last one has the shipping."""
    given = shirts()
    for number in range(1, 5):
        given.when(request(1))
        given.when(receive(1, return_id=f"ret_{number}"))

    found = notes(given)

    assert [lines(note) for note in found] == [[("mug", 1, net, 90)] for net in (900, 900, 901, 900)]
    assert [besides(note.charges) for note in found] == [[], [], [], [("charge:express", 500, 75)]]
    assert [note.id for note in found] == [f"ret_{number}-note-1" for number in range(1, 5)]


def test_taxes_of_several_notes_come_to_the_tax_of_the_invoice() -> None:
    """100.00 at 7 %: 33.33, 33.34 and 33.33 with 2.34, 2.33 and 2.33; the rate alone would lose a cent."""
    given = Given(order_of(line(quantity=3, price=3334, adjustments=off(2), tax_lines=vat("7"))))
    for number in range(1, 4):
        given.when(request(1))
        given.when(receive(1, return_id=f"ret_{number}"))

    found = notes(given)

    assert [(note.net.amount, note.tax.amount) for note in found] == [(3333, 234), (3334, 233), (3333, 233)]


def test_fees_and_the_way_back_are_allowances_with_their_taxes() -> None:
    """119.00 less a fee of 15 %, which has the tax of its goods, and a label of 3.90 with tax of its own."""
    goods = line(quantity=1, price=11_900, tax_lines=vat("19", category="S"), is_tax_inclusive=True)
    given = Given(order_of(goods, captured=11_900), ReturnPolicy(fees=[Fee("restocking", percent=15)]))
    given.options["label"] = ShippingOption(
        id="label", price=usd(390), tax_lines=vat("19", category="S"), is_tax_inclusive=True
    )
    given.when(request(1, shipping_option_id="label"))

    given.when(receive(1))

    (note,) = notes(given)
    assert besides(note.allowances) == [("return_shipping", 328, 62), ("fee:restocking", 1500, 285)]
    assert taxes(note) == [("S", 19, 10_000 - 328 - 1500, 1900 - 62 - 285)]
    assert note.total == given.the().refund_amount == usd(11_900 - 390 - 1785)


def test_a_fee_with_taxes_of_its_own_has_their_rates() -> None:
    """At each limit: two rules have the fee, and less than both is left."""
    fee = Fee("worn", amount=600, tax_lines=vat("20", code="low", category="S"), per="unit")
    given = Given(
        order_of(line(quantity=1), line("cup", 1, 500)),
        ReturnPolicy(rules=[ReturnRule(name="a", when={"a"}, fees=[fee]), ReturnRule(name="b", fees=[fee])]),
    )
    items = [
        RequestedItem(item_id="mug", quantity=1, tags=["a"]),
        RequestedItem(item_id="cup", quantity=1),
    ]
    given.when(RequestReturn(order_id="order_1", items=items))
    arrived = [ReceivedItem(item_id="mug", quantity=1), ReceivedItem(item_id="cup", quantity=1)]

    given.when(ReceiveReturn(return_id="ret_1", items=arrived))

    (note,) = notes(given)
    assert besides(note.allowances) == [("fee:worn", 917, 183)]
    assert taxes(note) == [("S", 20, -917, -183)]


def test_grades_are_allowances_and_the_lines_are_whole() -> None:
    """5 shirts for 90.00; three come, as A, B and D: 54.00 less 3.60 and 18.00."""
    scale = [Grade("A", 100, "shop"), Grade("B", 80, "shop"), Grade("D", 0, "bin")]
    given = Given(order_of(line(quantity=5, price=1800)), ReturnPolicy(inspect=True, grades=scale))
    given.when(request(3))
    given.when(receive(3))
    assert notes(given) == ()
    graded = [InspectedItem(item_id="mug", quantity=1, grade=grade) for grade in "ABD"]

    given.when(InspectReturn(return_id="ret_1", items=graded))

    (note,) = notes(given)
    assert lines(note) == [("mug", 3, 5400, 0)]
    assert besides(note.allowances) == [("grade:B", 360, 0), ("grade:D", 1800, 0)]
    assert note.total == usd(3240)


def test_each_parcel_has_a_note() -> None:
    """One mug now, one later: the second note says what came second."""
    given = Given(order_of(line(tax_lines=vat("7.5"))))
    given.when(request(2))
    given.when(receive(1, more_expected=True))

    given.when(receive(1))

    assert [lines(note) for note in notes(given)] == [[("mug", 1, 1000, 75)], [("mug", 1, 1000, 75)]]
    assert [note.id for note in notes(given)] == ["ret_1-note-1", "ret_1-note-2"]


def test_a_lower_amount_later_is_a_note_of_its_own() -> None:
    """Two were booked and one arrived: the second note takes one back, the first one stays as it was."""
    given = Given(order_of(line(tax_lines=vat("7.5"))))
    given.when(request(2))
    given.when(receive(2))
    (first,) = notes(given)

    corrected = [CorrectedItem(item_id="mug", quantity=1)]
    given.when(CorrectReceipt(return_id="ret_1", items=corrected, reason="miscounted"))

    before, note = notes(given)
    assert before == first
    assert lines(note) == [("mug", -1, -1000, -75)]
    assert note.lines[0].unit_price == 10
    assert (note.net, note.tax, note.total) == (usd(-1000), usd(-75), usd(-1075))


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_refund_that_fails_changes_no_note(is_reversed: bool) -> None:
    """Nor does one that is reversed: what is owed is owed all the same."""
    given = Given()
    given.when(request(1))
    given.when(receive(1))
    before = notes(given)

    if is_reversed:
        given.record_outcomes(("ret_1-refund-1", RefundSucceeded("re_1")))
        given.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundReversed("bounced")))
    else:
        given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))

    assert notes(given) == before


def test_an_amount_that_was_named_takes_its_part_of_the_tax() -> None:
    """12.30 with 2.30 of tax, 5.00 of it: an allowance of 7.30 with 1.37."""
    tax = TaxLine(code="vat", amount=usd(230), category="S")
    given = Given(order_of(line(quantity=1, price=1230, tax_lines=[tax], is_tax_inclusive=True)))
    items = [ClaimItem(item_id="mug", quantity=1, reason="other")]

    given.when(RequestClaim(order_id="order_1", type="refund", items=items, refund_amount=500))

    (note,) = notes(given)
    assert note.id == "claim_1-note-1"
    assert lines(note) == [("mug", 1, 1000, 230)]
    assert besides(note.allowances) == [("custom_amount", 593, 137)]
    assert taxes(note) == [("S", None, 407, 93)]


def test_what_is_named_above_the_goods_has_no_tax() -> None:
    """2.00 more than the goods, with a reason: no invoice says how it would be taxed."""
    given = Given(order_of(line(quantity=1, tax_lines=vat("10"))))
    given.when(request(1, refund_amount=1300, refund_note="sorry"))

    given.when(receive(1))

    (note,) = notes(given)
    assert besides(note.charges) == [("custom_amount", 200, 0)]
    assert taxes(note) == [(None, 10, 1000, 100)]


def test_a_price_reduction_credits_a_part_of_units_that_stay() -> None:
    """2.20 off a mug of 11.00; returned later it is a line of 8.00 and 0.80, and all is credited."""
    given = Given(order_of(line(quantity=1, tax_lines=vat("10"))))
    item = ClaimItem(item_id="mug", quantity=1, reason="other", amount=220)
    given.when(RequestClaim(order_id="order_1", type="reduce", items=[item]))
    given.when(request(1))

    given.when(receive(1, return_id="ret_2"))

    reduced, returned = notes(given)
    assert lines(reduced) == [("mug", 1, 200, 20)]
    assert reduced.lines[0].is_reduction
    assert lines(returned) == [("mug", 1, 800, 80)]
    assert not returned.lines[0].is_reduction


def test_units_that_are_replaced_are_credited_by_what_is_refunded() -> None:
    """Two mugs, new goods for one, and 5.50 besides: it is not known for which."""
    given = Given(order_of(line(tax_lines=vat("10"))))
    items = [ClaimItem(item_id="mug", quantity=2, reason="wrong_item")]
    new = [NewItem(variant_id="v_mug", quantity=1, unit_price=0)]

    given.when(
        RequestClaim(order_id="order_1", type="replace", items=items, new_items=new, refund_amount=550)
    )

    (note,) = notes(given)
    assert lines(note) == [("mug", 2, 500, 50)]
    assert note.lines[0].is_reduction
    assert note.allowances == note.charges == ()


@pytest.mark.parametrize("named", [None, 0])
def test_units_that_are_replaced_are_not_credited_with_a_charge(named: int | None) -> None:
    """A mug replaced, and 3.00 of 5.00 postage given back: a charge, no line, no rounding."""
    postage = Charge("post", "shipping", usd(500), vat("19"), is_tax_inclusive=True)
    given = Given(order_of(line(tax_lines=vat("10")), charges=[postage]))
    items = [ClaimItem(item_id="mug", quantity=1, reason="wrong_item")]
    new = [NewItem(variant_id="v_mug", quantity=1, unit_price=0)]
    back = [ClaimedCharge(charge_id="post", amount=300)]
    claim = RequestClaim(order_id="order_1", type="replace", items=items, new_items=new, charges=back)

    given.when(evolve(claim, refund_amount=named))

    (made,) = given.ledger.claims
    assert [(part.name, part.amount) for part in made.breakdown] == [("charge:post", usd(300))]
    (note,) = notes(given)
    assert (note.lines, note.allowances, note.total) == ((), (), usd(300))
    assert [(each.name, each.net, each.tax) for each in note.charges] == [("charge:post", usd(252), usd(48))]


def test_new_goods_of_a_claim_are_on_no_note() -> None:
    """Nothing is credited."""
    given = Given()
    items = [ClaimItem(item_id="mug", quantity=1, reason="wrong_item")]
    new = [NewItem(variant_id="v_mug", quantity=1, unit_price=0)]

    given.when(RequestClaim(order_id="order_1", type="replace", items=items, new_items=new))

    assert notes(given) == ()


def test_goodwill_reduces_what_all_lines_are_worth_and_credit_reduces_none() -> None:
    """Money is a reduction of the lines; store credit besides changes no invoice."""
    given = Given(evolve(order_of(line(tax_lines=vat("10"))), customer_id="ann"))
    goodwill = RequestClaim(order_id="order_1", type="goodwill", refund_amount=220)

    given.when(goodwill)
    given.when(evolve(goodwill, outcome="store_credit"))

    (note,) = notes(given)
    assert lines(note) == [("mug", 2, 200, 20)]
    assert note.lines[0].is_reduction
    assert [grant.note for grant in given.ledger.grants] == [1, None]


def test_a_claim_that_is_resolved_for_less_has_a_second_note() -> None:
    """10.00 were granted and could not be paid; 4.00 are agreed: 6.00 are taken back."""
    given = Given(order_of(captured=0))
    items = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=items))
    put(given, payments=[evolve(given.order.payments[0], captured=usd(400))] if given.order else [])

    given.when(ResolveClaim(claim_id="claim_1", refund_amount=400))

    first, second = notes(given)
    assert first.total == usd(1000)
    assert besides(second.allowances) == [("custom_amount", 600, 0)]
    assert second.lines == ()


def test_a_claim_that_is_canceled_takes_its_note_back() -> None:
    """Nothing was paid, since nothing was left; the units are the customer's again."""
    given = Given(order_of(captured=0))
    items = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=items))

    given.when(CancelClaim(claim_id="claim_1"))

    assert [lines(note) for note in notes(given)] == [[("mug", 1, 1000, 0)], [("mug", -1, -1000, 0)]]


def test_rejected_units_are_not_credited() -> None:
    """Of two that arrived, one is kept without a refund."""
    given = Given()
    given.when(request(1))
    given.when(receive(2))
    rejected = [RejectedItem(item_id="mug", quantity=1)]

    given.when(ResolveReturn(return_id="ret_1", rejected=rejected))

    assert [lines(note) for note in notes(given)] == [[("mug", 1, 1000, 0)]]


def test_what_is_paid_ahead_is_credited_then_and_once() -> None:
    """The note is of the request; the parcel adds none, unless it holds something else."""
    given = Given(policy=ReturnPolicy(pay_on="request"))
    given.when(request(2))
    assert [lines(note) for note in notes(given)] == [[("mug", 2, 2000, 0)]]

    given.when(receive(1, allow_mismatch=True))

    assert [lines(note) for note in notes(given)] == [[("mug", 2, 2000, 0)], [("mug", -1, -1000, 0)]]


def test_an_exchange_credits_its_goods_and_sells_the_new_ones_apart() -> None:
    """Two mugs of 22.00 for a cup of 33.00: the note is of 22.00, whatever is owed or paid."""
    cup = NewItem(variant_id="v_cup", quantity=1, unit_price=3000, tax_lines=vat("10"))
    given = Given(order_of(line(tax_lines=vat("10"))))
    given.when(exchange(new_items=[cup]))
    given.when(pay(1100))
    assert not given.ledger.grants

    given.when(receive(2))

    (note,) = notes(given)
    assert (note.payee_id, note.total) == ("ret_1", usd(2200))
    assert lines(note) == [("mug", 2, 2000, 200)]
    (sold,) = [grant for grant in given.ledger.grants if grant.subject_id == "exc_1"]
    assert (sold.total, sold.note, sold.note_id) == (-3300, None, None)


def test_an_exchange_whose_goods_were_fewer_is_let_off_what_is_owed() -> None:
    """Paid 5.00 for new goods of 25.00, one of two arrived: a clerk gives 0 more, and 10.00 are credited."""
    given = Given(order_of(line(quantity=5)))
    given.when(exchange(price=2500))
    given.when(pay(500))
    given.when(receive(2))
    corrected = [CorrectedItem(item_id="mug", quantity=1)]
    given.when(CorrectReceipt(return_id="ret_1", items=corrected, reason="miscounted"))
    assert given.ledger.exchanges[0].owed == usd(1000)

    given.when(ResolveReturn(return_id="ret_1", refund_amount=0, refund_note="let off"))

    *_, note = notes(given)
    assert besides(note.charges) == [("custom_amount", 1000, 0)]
    assert sum(grant.total for grant in given.ledger.grants) == -500


def test_an_exchange_that_is_canceled_credits_its_goods_as_a_return() -> None:
    """What was paid for it goes back, and is on no note."""
    given = Given(order_of(line(quantity=5)))
    given.when(exchange(price=3000))
    given.when(pay(400))
    given.when(receive(2))

    given.when(CancelExchange(exchange_id="exc_1"))

    (note,) = notes(given)
    assert note.total == usd(2000)
    assert given.the().refund_amount == usd(2400)


def test_one_rate_with_two_categories_is_two_taxes() -> None:
    """Exempt is not zero-rated; without categories the names keep taxes apart."""
    order = order_of(
        line(tax_lines=vat("0", category="Z")),
        line("cup", 1, 500, tax_lines=vat("0", category="E")),
        line("hat", 1, 300, tax_lines=[*vat("5", code="city"), *vat("5", code="state")]),
    )
    given = Given(order)
    items = [RequestedItem(item_id=item.id, quantity=1) for item in order.items]
    given.when(RequestReturn(order_id="order_1", items=items))
    arrived = [ReceivedItem(item_id=item.id, quantity=1) for item in order.items]

    given.when(ReceiveReturn(return_id="ret_1", items=arrived))

    (note,) = notes(given)
    assert taxes(note) == [("Z", 0, 1000, 0), ("E", 0, 500, 0), (None, 5, 300, 15), (None, 5, 300, 15)]
    assert [each.label for each in note.taxes] == ["0", "0", "city", "state"]
    assert (note.lines[2].category, note.lines[2].rate) == (None, None)


def test_taxes_without_a_category_are_kept_apart_by_their_names() -> None:
    """A city's on one line, a state's on another, of one rate."""
    order = order_of(
        line(tax_lines=vat("5", code="city")), line("cup", 1, 500, tax_lines=vat("5", code="state"))
    )
    given = Given(order)
    items = [RequestedItem(item_id=item.id, quantity=1) for item in order.items]
    given.when(RequestReturn(order_id="order_1", items=items))
    arrived = [ReceivedItem(item_id=item.id, quantity=1) for item in order.items]

    given.when(ReceiveReturn(return_id="ret_1", items=arrived))

    (note,) = notes(given)
    assert taxes(note) == [(None, 5, 1000, 50), (None, 5, 500, 25)]
    assert [each.label for each in note.taxes] == ["city", "state"]


def test_an_exchange_that_is_canceled_before_its_goods_are_here_credits_nothing() -> None:
    """What was paid for it goes back; no invoice had that."""
    given = Given(order_of(line(quantity=5)))
    given.when(exchange(price=3000))
    given.when(pay(400))
    given.when(CancelExchange(exchange_id="exc_1"))

    assert given.ledger.get("ret_1").entitlement.entitled == usd(400)
    assert notes(given) == ()


def test_an_amount_that_was_named_is_an_allowance_for_each_category() -> None:
    """10.00 and 5.00, of which 3.00 are kept: 2.00 zero-rated and 1.00 exempt."""
    zero, exempt = line(quantity=1, tax_lines=vat("0", category="Z")), vat("0", category="E")
    given = Given(order_of(zero, line("cup", 1, 500, tax_lines=exempt)))
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("mug", "cup")]
    given.when(RequestReturn(order_id="order_1", items=items, refund_amount=1200))
    arrived = [ReceivedItem(item_id=item_id, quantity=1) for item_id in ("mug", "cup")]

    given.when(ReceiveReturn(return_id="ret_1", items=arrived))

    (note,) = notes(given)
    assert [(each.category, each.net.amount) for each in note.allowances] == [("Z", 200), ("E", 100)]
    assert taxes(note) == [("Z", 0, 800, 0), ("E", 0, 400, 0)]


@pytest.mark.parametrize("rate", [None, 0])
def test_taxes_without_a_rate_have_a_base_and_no_rate(rate: int | None) -> None:
    """The host knows amounts only: 1.00 on two mugs, 0.50 on one."""
    tax = TaxLine(rate, amount=usd(100))
    given = Given(order_of(line(tax_lines=[tax])))
    given.when(request(1))

    given.when(receive(1))

    assert taxes(notes(given)[0]) == [(None, None, 1000, 50)]


def test_a_tax_line_has_a_rate_or_an_amount() -> None:
    """It is called after what it has; without a name and a rate it is the tax."""
    with pytest.raises(InvalidValue, match="a rate, or an amount"):
        TaxLine()
    with pytest.raises(InvalidValue):
        TaxLine(1, category="")
    assert TaxLine(amount=5).label == "tax"
    assert TaxLine("7.50").taxed == TaxRate(Decimal("7.50"))
    assert TaxLine(0, amount=0, category="Z").taxed == TaxRate(Decimal(0), "Z")


def test_a_note_names_the_invoices_that_the_order_had_when_it_was_issued() -> None:
    """None is invented, and none is added to an earlier note."""
    given = Given()
    given.when(request(1))
    given.when(receive(1))
    put(given, invoices=["R-1"])
    given.when(request(1))
    put(given, invoices=["R-1", "R-2"])

    given.when(receive(1, return_id="ret_2"))

    assert [note.invoice_ids for note in notes(given)] == [(), ("R-1", "R-2")]
    assert given.ledger.invoice_ids == ("R-1", "R-2")


@pytest.mark.parametrize("invoices", ["R-1", ["R-1", ""], ["R-1", "R-1"], [7]])
def test_invoices_are_numbers_that_do_not_repeat(invoices: Any) -> None:
    """A string is not a list of them."""
    with pytest.raises(InvalidValue, match="strings that are not empty"):
        order_of(invoices=invoices)


def grants_of(events: tuple[Event, ...]) -> list[Grant]:
    """Returns what these events granted."""
    return [grant for event in events for grant in event.header.grants]


@pytest.mark.parametrize("rejected", [0, 1, 2])
def test_units_that_wait_for_a_decision_are_on_no_note(rejected: int) -> None:
    """One of two arrived and was credited, then two arrive, one too many: the note has what is decided."""
    given = Given(order_of(line(quantity=3, tax_lines=vat("19", category="S")), captured=3570))
    given.when(request(2))
    given.when(receive(1, more_expected=True))
    given.when(receive(2))
    assert [lines(note) for note in notes(given)] == [[("mug", 1, 1000, 190)]]

    items = [RejectedItem(item_id="mug", quantity=rejected)] if rejected else []
    given.when(ResolveReturn(return_id="ret_1", rejected=items))

    accepted = 2 - rejected
    assert [lines(note) for note in notes(given)[1:]] == (
        [[("mug", accepted, 1000 * accepted, 190 * accepted)]] if accepted else []
    )
    assert all(not note.charges and not note.allowances for note in notes(given))


def test_goods_that_come_after_all_were_rejected_are_credited_once_they_are_decided() -> None:
    """Nothing was on a note before."""
    given = Given(order_of(line(quantity=3), captured=3000))
    given.when(request(1))
    given.when(receive(2))
    given.when(ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=2)]))
    given.when(receive(1))
    assert (given.ledger.get("ret_1").status, notes(given)) == ("requires_action", ())

    given.when(ResolveReturn(return_id="ret_1"))

    (note,) = notes(given)
    assert (lines(note), note.charges, note.allowances) == ([("mug", 1, 1000, 0)], (), ())


def test_goods_that_are_yet_to_be_graded_are_on_no_note() -> None:
    """One of two later units is graded: the note is issued with the other."""
    given = Given(
        order_of(line(quantity=3, tax_lines=vat("19", category="S")), captured=3570),
        ReturnPolicy(inspect=True),
    )
    given.when(request(3))
    given.when(receive(1, more_expected=True))
    graded = InspectReturn(
        return_id="ret_1", items=[InspectedItem(item_id="mug", quantity=1, grade="sellable")]
    )
    given.when(graded)
    given.when(receive(2))
    given.when(graded)
    credited = [lines(note) for note in notes(given)]

    given.when(graded)

    assert [
        *credited,
        [("mug", 3 - len(credited), 1000 * (3 - len(credited)), 190 * (3 - len(credited)))],
    ] == [lines(note) for note in notes(given)]
    assert sum(quantity for note in notes(given) for _, quantity, *_ in lines(note)) == 3
    assert all(not note.charges and not note.allowances for note in notes(given))


@pytest.mark.parametrize("category", ["S", None])
@pytest.mark.parametrize("codes", [("state", "union"), ("tax", "tax")])
def test_two_taxes_of_one_rate_on_one_line_stay_two(category: str | None, codes: tuple[str, str]) -> None:
    """Each has the whole line as its base: 9 % of 10.00 and 9 % of 10.00."""
    both = [TaxLine(9, code=code, category=category) for code in codes]
    given = Given(order_of(line(quantity=2, tax_lines=both), captured=2360))
    given.when(request(2))
    given.when(receive(2))

    (note,) = notes(given)

    assert taxes(note) == [(category, 9, 2000, 180)] * 2
    assert [each.label for each in note.taxes] == list(codes)
    assert (note.lines[0].rate, note.net, note.tax) == (None, usd(2000), usd(360))


def test_an_event_has_the_note_of_what_it_granted() -> None:
    """A consumer of events needs no other."""
    given = Given()
    given.when(request(1))

    (grant,) = grants_of(given.when(receive(1)))

    assert note_of("order_1", grant) == notes(given)[0]
    assert note_of("order_1", evolve(grant, note=None)) is None


def test_what_a_release_granted_that_recorded_no_grants_is_on_no_note() -> None:
    """A ledger of before has none; what is granted later is on notes, and only that."""
    given = Given(order_of(line(quantity=3)))
    given.when(request(3))
    given.when(receive(1, more_expected=True))
    given.history = [evolve(each, header=evolve(each.header, grants=())) for each in given.history]
    given.ledger = evolve(given.ledger, grants=())

    given.when(receive(1, more_expected=True))
    given.when(receive(1))

    assert [lines(note) for note in notes(given)] == [[("mug", 1, 1000, 0)], [("mug", 1, 1000, 0)]]


def test_what_a_commit_changes_is_compared_with_what_was_before_it() -> None:
    """A ledger of before: its exchange is canceled by two events, between which nothing is stored."""
    given = Given(order_of(line(quantity=5)))
    given.when(exchange(price=3000))
    given.when(pay(400))
    given.when(receive(2))
    given.ledger = evolve(given.ledger, grants=())

    given.when(CancelExchange(exchange_id="exc_1"))

    assert given.ledger.grants == ()


def test_rates_that_were_not_recorded_are_absent() -> None:
    """A line that an earlier release priced knows the names of its taxes only."""
    given = Given(order_of(line(tax_lines=vat("10"))))
    given.when(request(1))
    (item,) = given.the().items
    old = evolve(item, line=evolve(item.line, rates=()))
    given.ledger = evolve(given.ledger, returns=(evolve(given.ledger.returns[0], items=(old,)),))

    given.when(receive(1))

    assert taxes(credit_notes(given.ledger)[0]) == [(None, None, 1000, 100)]


def test_a_line_without_units_is_an_amount_besides() -> None:
    """What changes the value of a line and not its units is an allowance or a charge."""
    given = Given()
    given.when(request(1))
    (grant,) = grants_of(given.when(receive(1)))
    (amount,) = grant.amounts
    note = note_of("order_1", evolve(grant, amounts=(evolve(amount, quantity=0),)))

    assert note is not None
    assert (note.lines, besides(note.charges)) == ((), [("item:mug", 1000, 0)])


def test_postage_that_a_claim_gives_back_is_on_its_note_once() -> None:
    """10.00 for a mug and 5.00 of its postage."""
    given = Given(order_of(charges=[Charge("post", "shipping", usd(500))]))
    mug = ClaimItem(item_id="mug", quantity=1, reason="other")
    post = ClaimedCharge(charge_id="post")

    given.when(RequestClaim(order_id="order_1", type="refund", items=[mug], charges=[post]))

    (note,) = notes(given)
    assert lines(note) == [("mug", 1, 1000, 0)]
    assert (besides(note.charges), note.allowances) == ([("charge:post", 500, 0)], ())
    assert note.total == usd(1500)


def test_damaged_units_that_are_not_refunded_are_on_no_note() -> None:
    """Two mugs arrive, one is broken: one is credited."""
    given = Given(policy=ReturnPolicy(refund_damaged=False))
    given.when(request(2))

    given.when(receive(1, damaged=1))

    (note,) = notes(given)
    assert lines(note) == [("mug", 1, 1000, 0)]


def test_units_that_are_worth_nothing_are_on_the_note() -> None:
    """A mug and a gift: it says what was returned, not only what it was worth."""
    given = Given(order_of(line(quantity=1), line("gift", 1, 0)))
    both = [RequestedItem(item_id="mug", quantity=1), RequestedItem(item_id="gift", quantity=1)]
    given.when(RequestReturn(order_id="order_1", items=both))

    here = [ReceivedItem(item_id="mug", quantity=1), ReceivedItem(item_id="gift", quantity=1)]
    given.when(ReceiveReturn(return_id="ret_1", items=here))

    (note,) = notes(given)
    assert lines(note) == [("mug", 1, 1000, 0), ("gift", 1, 0, 0)]
    assert note.lines[1].unit_price == 0


def test_a_cent_that_is_kept_can_be_one_of_tax() -> None:
    """1.00 with 1.50 of tax, less 0.01: the cent is an allowance without a net amount, above 0."""
    given = Given(order_of(line(quantity=1, price=100, tax_lines=vat("150"))))
    given.when(request(1, refund_amount=249))

    given.when(receive(1))

    (note,) = notes(given)
    assert (besides(note.allowances), note.charges) == ([("custom_amount", 0, 1)], ())
    assert (note.net, note.total) == (usd(100), usd(249))


def test_the_taxes_of_an_allowance_have_its_net_amount_as_their_base() -> None:
    """11.00 with 1.00 of tax, less 1.10: 0.10 on 1.00, and in all 0.90 on 9.00."""
    given = Given(order_of(line(quantity=1, tax_lines=vat("10"))))
    given.when(request(1, refund_amount=990))

    given.when(receive(1))

    (note,) = notes(given)
    ((allowance,), (tax,)) = note.allowances, note.allowances[0].taxes
    assert (allowance.net, tax.base, tax.amount) == (usd(100), usd(100), usd(10))
    assert taxes(note) == [(None, 10, 900, 90)]


def test_an_amount_under_two_taxes_has_no_one_rate() -> None:
    """5 % and 7 %, of two categories: only each tax says its own."""
    two = [*vat("5", code="gst", category="G"), *vat("7", code="pst", category="P")]
    given = Given(order_of(line(quantity=1, tax_lines=two)))
    given.when(request(1))

    given.when(receive(1))

    (only,) = notes(given)[0].lines
    assert (only.category, only.rate) == (None, None)
    assert taxes(notes(given)[0]) == [("G", 5, 1000, 50), ("P", 7, 1000, 70)]
