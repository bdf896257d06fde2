"""Postings: debits and credits of each event."""

from decimal import Decimal

from attrs import evolve

from rma import (
    Account,
    Bonus,
    Charge,
    ChargeDeclined,
    ChargeSucceeded,
    ClaimItem,
    Event,
    Fee,
    NewItem,
    Outcome,
    RecordPayout,
    RecordRefundOutcome,
    RefundDeclined,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
    RequestClaim,
    ReturnPolicy,
    ReturnRule,
    SettleAdvance,
    ShippingMethod,
    postings,
)
from tests.rules.advance import NOT_GRADED, after_last_day, shipped
from tests.rules.given import Given, line, order_of, receive, request, usd, vat
from tests.rules.test_charges import charged, reported
from tests.rules.test_exchanges import exchange, pay

KEY = "ret_1-refund-1"


def booked(*events: Event) -> list[tuple[str, str | None, int, int]]:
    """Returns account, part of it, debit and credit of each posting of these events."""
    found = [posting for event in events for posting in postings(event)]
    return [(each.account.value, each.of, each.debit.amount, each.credit.amount) for each in found]


def balance(given: Given) -> int:
    """Returns what is on the customer's account, above 0 if the order owes the customer."""
    found = [posting for event in given.history for posting in postings(event)]
    mine = [each for each in found if each.account is Account.CUSTOMER]
    return sum(each.credit.amount - each.debit.amount for each in mine)


def received(quantity: int = 1, **more: object) -> Given:
    """Returns mugs at 10.00 of which so many are back."""
    given = Given()
    given.when(request(quantity))
    given.when(receive(quantity, **more))  # type: ignore[arg-type] # any of its fields
    return given


def test_a_grant_takes_revenue_and_tax_back_and_keeps_fees() -> None:
    """119.00 with 19.00 of tax, 15 % are kept: 101.15 are owed to the customer."""
    goods = line(quantity=1, price=11_900, tax_lines=vat("19", category="S"), is_tax_inclusive=True)
    given = Given(order_of(goods, captured=11_900), ReturnPolicy(fees=[Fee("restocking", percent=15)]))
    assert booked(*given.when(request(1))) == []

    events = given.when(receive(1))

    assert booked(*events) == [
        ("revenue", "item:mug", 10_000, 0),
        ("tax", "19", 1900, 0),
        ("fee_income", "restocking", 0, 1500),
        ("tax", "19", 0, 285),
        ("customer", None, 0, 10_115),
    ]
    assert {(each.rate, each.category) for each in postings(events[0]) if each.rate is not None} == {
        (Decimal(19), "S")
    }
    assert balance(given) == 10_115


def test_what_is_not_revenue_of_goods_has_accounts_of_its_own() -> None:
    """Charges that come back, and the way back that the customer pays."""
    express = Charge("express", "shipping", 575)
    policy = ReturnPolicy(rules=[ReturnRule(name="all", charges_back="all_back")])
    given = Given(order_of(line(quantity=1), charges=[express]), policy)
    given.when(request(1, shipping_option_id="so_return"))

    assert booked(*given.when(receive(1))) == [
        ("revenue", "item:mug", 1000, 0),
        ("charges", "express", 575, 0),
        ("way_back", None, 0, 200),
        ("customer", None, 0, 1375),
    ]


def test_a_refund_is_booked_once_it_is_known_that_it_moved() -> None:
    """Neither when it is asked for, nor while it is pending, nor if it is declined."""
    given = received()
    assert booked(*given.record_outcomes((KEY, RefundPending("re_1")))) == []

    succeeded = given.when(RecordRefundOutcome(key=KEY, outcome=RefundSucceeded("re_1")))

    assert booked(*succeeded) == [("customer", None, 1000, 0), ("payment", "card", 0, 1000)]
    assert balance(given) == 0
    declined = received()
    assert booked(*declined.record_outcomes((KEY, RefundDeclined("closed")))) == []
    assert balance(declined) == 1000


def test_a_refund_that_is_reversed_is_booked_back() -> None:
    """It is owed again."""
    given = received()
    given.record_outcomes((KEY, RefundSucceeded("re_1")))

    reversed_ = given.when(RecordRefundOutcome(key=KEY, outcome=RefundReversed("bounced")))

    assert booked(*reversed_) == [("customer", None, 0, 1000), ("payment", "card", 1000, 0)]
    assert balance(given) == 1000


def test_what_a_gateway_says_that_it_moved_is_booked() -> None:
    """11.00 in place of 10.00: 1.00 was paid too much. Said again, it is booked once."""
    given = received()

    first = given.record_outcomes((KEY, RefundSucceeded("re_1", amount=usd(1100))))
    more = given.when(RecordRefundOutcome(key=KEY, outcome=RefundSucceeded("re_1", amount=usd(1150))))

    assert booked(*first) == [("customer", None, 1100, 0), ("payment", "card", 0, 1100)]
    assert booked(*more) == [("customer", None, 50, 0), ("payment", "card", 0, 50)]
    assert balance(given) == -150


def test_a_success_that_contradicts_a_failure_is_booked() -> None:
    """The money moved, as far as is known, until a person says what is true."""
    given = received()
    given.record_outcomes((KEY, RefundDeclined("closed")))

    late = given.when(RecordRefundOutcome(key=KEY, outcome=RefundSucceeded("re_1")))
    said = given.when(RecordRefundOutcome(key=KEY, outcome=RefundDeclined("closed"), created_by="ann"))

    assert booked(*late) == [("customer", None, 1000, 0), ("payment", "card", 0, 1000)]
    assert booked(*said) == [("customer", None, 0, 1000), ("payment", "card", 1000, 0)]


def test_a_bonus_is_booked_with_the_credit() -> None:
    """10.00 as store credit with 10 %: 1.00 is an expense, and 11.00 are owed as credit."""
    policy = ReturnPolicy(
        rules=[ReturnRule(name="all", outcomes=[Outcome.STORE_CREDIT], bonus=Bonus("thanks", percent=10))]
    )
    given = Given(evolve(order_of(), customer_id="ann"), policy)
    given.when(request(1, outcome="store_credit"))
    given.when(receive(1))

    assert booked(*given.record_outcomes((KEY, RefundSucceeded("credit_1")))) == [
        ("customer", None, 1000, 0),
        ("store_credit", None, 0, 1000),
        ("bonus", None, 100, 0),
        ("store_credit", None, 0, 100),
    ]


def test_a_payout_by_a_person_is_booked_at_once() -> None:
    """What a closed card did not take is paid by bank transfer."""
    given = received()
    given.record_outcomes((KEY, RefundDeclined("closed")))

    paid = given.when(RecordPayout(return_id="ret_1", amount=1000, reference="bank_7"))

    assert booked(*paid) == [("customer", None, 1000, 0), ("payout", None, 0, 1000)]


def test_goodwill_by_credit_is_an_expense() -> None:
    """No invoice is changed by it."""
    given = Given(evolve(order_of(), customer_id="ann"))
    claim = RequestClaim(order_id="order_1", type="goodwill", refund_amount=500, outcome="store_credit")

    assert booked(*given.when(claim)) == [("goodwill", None, 500, 0), ("customer", None, 0, 500)]
    given.all_delivered()
    assert balance(given) == 0


def test_a_claim_is_booked_when_it_is_made() -> None:
    """A refund claim pays at once."""
    given = Given()
    items = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    claim = RequestClaim(order_id="order_1", type="refund", items=items, refund_amount=400)

    assert booked(*given.when(claim)) == [
        ("revenue", "item:mug", 1000, 0),
        ("revenue", "custom_amount", 0, 600),
        ("customer", None, 0, 400),
    ]


def test_an_exchange_sells_its_new_goods_when_they_are_sent() -> None:
    """22.00 come back for a cup of 33.00 sent for 5.00: 16.00 are paid before, and nothing is open then."""
    cup = NewItem(variant_id="v_cup", quantity=1, unit_price=3000, tax_lines=vat("10"))
    post = ShippingMethod(id="sm", option_id="so", name="Post", price=usd(500))
    given = Given(order_of(line(tax_lines=vat("10"))))
    given.when(exchange(new_items=[cup], outbound_shipping=post))
    assert booked(*given.when(pay(1600, kind="card"))) == [
        ("customer", None, 0, 1600),
        ("payment", "card", 1600, 0),
    ]

    assert booked(*given.when(receive(2))) == [
        ("revenue", "item:mug", 2000, 0),
        ("tax", "10", 200, 0),
        ("customer", None, 0, 2200),
        ("new_goods", "v_cup", 0, 3000),
        ("tax", "10", 0, 300),
        ("outbound_shipping", None, 0, 500),
        ("customer", None, 3800, 0),
    ]
    assert balance(given) == 0


def test_new_goods_that_go_first_are_sold_then() -> None:
    """64.95 against 59.95 on a hold: 59.95 are open until the shoes are back, or the hold is charged."""
    given = shipped(NOT_GRADED)
    assert balance(given) == -5995
    after_last_day(given)
    given.when(SettleAdvance(exchange_id="exc_1"))
    assert balance(given) == -5995

    given.all_delivered()

    assert balance(given) == 0


def test_a_charge_that_bounces_is_booked_back() -> None:
    """What was taken for shoes that never returned is owed again."""
    given = charged()
    given.when(reported(ChargeSucceeded("ch_9")))
    assert balance(given) == 0

    bounced = given.when(reported(ChargeDeclined("no funds")))

    assert booked(*bounced) == [("customer", None, 5995, 0), ("payment", None, 0, 5995)]
    assert balance(given) == -5995


def test_what_was_paid_twice_for_an_exchange_does_not_credit_its_goods() -> None:
    """Paid at the till and by a charge; the late parcel waits for a person, and only then it is credited."""
    given = charged()
    given.when(reported(ChargeDeclined("no")))
    given.when(pay(5995, reference="till"))
    given.when(reported(ChargeSucceeded("ch_9")))

    given.when(receive(1))

    assert given.the().entitlement.entitled == usd(5995)
    assert [grant.subject_id for grant in given.ledger.grants] == ["exc_1"]
    assert balance(given) == 5995


def test_a_bonus_towards_new_goods_is_booked_with_the_goods() -> None:
    """It is on no credit note."""
    policy = ReturnPolicy(rules=[ReturnRule(name="all", bonus=Bonus("thanks", percent=10))])
    given = Given(order_of(line(quantity=5)), policy)
    given.when(exchange(price=2500))

    given.when(receive(2))

    (grant,) = given.ledger.grants
    assert [(each.name, each.net, each.is_noted) for each in grant.amounts] == [
        ("item:mug", 2000, True),
        ("bonus:thanks", 200, False),
    ]
    assert ("bonus", "thanks", 200, 0) in booked(*given.history)


def test_goods_under_two_taxes_are_booked_under_neither() -> None:
    """10.00 at 5 % and 7 %: revenue names no rate, and each tax its own."""
    two = [*vat("5", code="gst", category="G"), *vat("7", code="pst", category="P")]
    given = Given(order_of(line(quantity=1, tax_lines=two)))
    given.when(request(1))

    (event,) = given.when(receive(1))

    assert [(each.account, each.of, each.rate, each.category) for each in postings(event)] == [
        (Account.REVENUE, "item:mug", None, None),
        (Account.TAX, "gst", Decimal(5), "G"),
        (Account.TAX, "pst", Decimal(7), "P"),
        (Account.CUSTOMER, None, None, None),
    ]
