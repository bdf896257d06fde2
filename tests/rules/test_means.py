"""By which means money goes back: order and split, closed payments, store credit, steps of gateways."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    Adjustment,
    Bonus,
    Calendar,
    CancelClaim,
    ClaimItem,
    CorrectedItem,
    CorrectReceipt,
    CreditRequest,
    EffectsAttempted,
    ExpireReturn,
    InvalidValue,
    LineItem,
    Means,
    Money,
    NewItem,
    Order,
    Payment,
    PaymentShare,
    PayoutRequest,
    ReceivedItem,
    ReceiveReturn,
    RecordPayout,
    RecordRefundOutcome,
    RefundDeclined,
    RefundPending,
    RefundRequest,
    RefundRetried,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    RetryRefund,
    Return,
    ReturnBasis,
    ReturnPolicy,
    ReturnRule,
    Withdrawal,
)
from rma.domain.react import react
from rma.domain.state.plan import Source, plan_all_other, plan_refund
from rma.domain.views.order_state import order_state
from rma.domain.views.quotes import planned_refunds, quote_of
from rma.domain.views.returnable import returnable_items
from rma.domain.views.timeline import timeline
from rma.domain.views.transactions import transactions
from rma.testing.core_harness import START
from tests.rules.given import Given, line, names_and_amounts, order_of, put, receive, request, update, usd
from tests.rules.inspected import SCALE, inspect

GIFT = Payment(id="gift", captured=usd(3000), kind="gift_card")
CARD = Payment(id="card", captured=usd(7000), provider_id="stripe")
BROKEN = RequestClaim(
    order_id="order_1", type="refund", items=[ClaimItem(item_id="mug", quantity=1, reason="other")]
)
CREDIT = ReturnRule(
    name="credit", outcomes=["refund", "store_credit", "exchange"], bonus=Bonus("thanks", percent=10)
)


def shop(
    *payments: Payment, policy: ReturnPolicy | None = None, price: int = 5000, quantity: int = 2
) -> Given:
    """Returns an order of two units at 50.00, paid by card and then by gift card unless named otherwise."""
    order = order_of(
        line(quantity=quantity, price=price), payments=payments or (CARD, GIFT), customer_id="cus_1"
    )
    return Given(order, policy)


def returned(given: Given, quantity: int = 1, **more: Any) -> Return:
    """Requests units and receives them; returns their return."""
    given.when(request(quantity, **more))
    return_id = given.ledger.returns[-1].id
    given.when(receive(quantity, return_id=return_id))
    return given.the(return_id)


def paid(target: Return) -> list[tuple[str | None, int]]:
    """Returns from which payments so much went back; None for other means."""
    return [(refund.payment_id, refund.amount.amount) for refund in target.refunds if refund.is_in_force]


# -- order and split --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "parts"),
    [
        ({"means": ["gift_card", "*"]}, [("gift", 3000), ("card", 2000)]),
        ({"means": ["card", "gift_card"]}, [("card", 5000)]),
        ({"means": ["*", "card"]}, [("gift", 3000), ("card", 2000)]),
        ({"split": "proportional"}, [("card", 3500), ("gift", 1500)]),
        ({"split": "proportional", "means": ["gift_card", "*"]}, [("gift", 1500), ("card", 3500)]),
        ({}, [("card", 5000)]),
    ],
)
def test_number_1_the_terms_say_which_payment_gives_back(
    terms: dict[str, Any], parts: list[tuple[str, int]]
) -> None:
    """Number 1: gift card 30.00 and card 70.00, 50.00 back; without terms the payments are in their order."""
    given = shop(policy=ReturnPolicy(**terms))

    assert paid(returned(given)) == parts


def test_number_1_a_proportional_split_is_of_what_is_left() -> None:
    """Number 1: 10.00 of 15.00 and 25.00 left are 3.75 and 6.25; the last cent goes where most is missing."""
    one = Payment(id="one", captured=usd(1500))
    other = Payment(id="other", captured=usd(4000), refunded=usd(1500))
    given = shop(one, other, policy=ReturnPolicy(split="proportional"), price=1000, quantity=4)

    assert paid(returned(given)) == [("one", 375), ("other", 625)]
    given = shop(one, other, policy=ReturnPolicy(split="proportional"), price=1001, quantity=1)
    assert paid(returned(given)) == [("one", 375), ("other", 626)]


def test_the_terms_of_the_request_hold() -> None:
    """What the policy says later changes no return; a claim keeps that of its own request."""
    given = shop(policy=ReturnPolicy(means=["gift_card", "*"]))
    given.when(request(1))
    given.policy = ReturnPolicy()
    given.when(receive(1))
    given.when(
        RequestClaim(
            order_id="order_1", type="refund", items=[ClaimItem(item_id="mug", quantity=1, reason="other")]
        )
    )

    assert paid(given.the()) == [("gift", 3000), ("card", 2000)]
    assert [refund.payment_id for refund in given.ledger.claims[0].refunds] == ["card"]
    assert given.ledger.claims[0].refund_terms == ReturnPolicy().refund_terms


def test_a_claim_gives_back_by_the_terms_of_its_policy() -> None:
    """As a return does."""
    given = shop(policy=ReturnPolicy(means=["gift_card", "*"]))

    given.when(
        RequestClaim(
            order_id="order_1", type="refund", items=[ClaimItem(item_id="mug", quantity=1, reason="other")]
        )
    )

    assert [refund.payment_id for refund in given.ledger.claims[0].refunds] == ["gift", "card"]


@pytest.mark.parametrize(
    "terms",
    [
        {"means": []},
        {"means": "gift_card"},
        {"means": ["card", "card"]},
        {"means": [""]},
        {"means": 7},
        {"split": "half"},
        {"when_closed": "never"},
    ],
)
def test_terms_that_contradict_themselves_are_refused(terms: dict[str, Any]) -> None:
    """Kinds that repeat or are none, and words that do not exist."""
    with pytest.raises(InvalidValue):
        ReturnPolicy(**terms)


def test_a_request_says_kind_and_provider() -> None:
    """Number 14: one gateway is not all; what a customer paid for an exchange has neither."""
    given = shop()
    given.when(request(1))
    (received,) = given.when(receive(1))

    _, refund = react(received)
    assert refund == RefundRequest(
        "ret_1-refund-1", "order_1", "ret_1", "card", usd(5000), kind="card", provider_id="stripe"
    )


# -- expired and closed payments --------------------------------------------------------------------


def paypal(policy: ReturnPolicy, *more: Payment) -> Given:
    """Returns an order paid by PayPal, which gives back for 180 days."""
    until = START + timedelta(days=180)
    return shop(
        Payment(id="paypal", captured=usd(10_000), kind="paypal", refundable_until=until),
        *more,
        policy=policy,
    )


def test_number_2_a_payment_that_is_too_old_counts_as_closed() -> None:
    """Number 2: on day 180 it gives back; on day 181 the next means does, then what the terms say instead."""
    given = paypal(ReturnPolicy(when_closed="payout"), Payment(id="card", captured=usd(1000)))
    given.now = START + timedelta(days=180) - timedelta(minutes=2)
    in_time = returned(given)
    given.now = START + timedelta(days=181)
    late = returned(given)

    assert paid(in_time) == [("paypal", 5000)]
    assert [(each.means, each.payment_id, each.amount) for each in late.refunds] == [
        (Means.PAYMENT, "card", usd(1000)),
        (Means.PAYOUT, None, usd(4000)),
    ]
    assert late.refunds[1].against == (PaymentShare("paypal", usd(4000)),)
    assert late.amount_due == usd(0)


def test_number_2_a_person_is_asked_unless_the_terms_say_more() -> None:
    """Nothing is paid, not even a part; a person chooses means that are open."""
    given = paypal(ReturnPolicy(), Payment(id="card", captured=usd(1000)))
    given.now = START + timedelta(days=181)
    late = returned(given)
    retry = RetryRefund(return_id="ret_1")

    assert (late.refunds, late.amount_due, late.entitlement.is_refund_blocked) == ((), usd(5000), True)
    entry = str(timeline("order_1", given.history)[-1])
    assert "50.00 USD is due, and payments do not take all of it any more: nothing was paid" in entry
    (refusal,) = given.refuses(retry).violations
    numbers = {"amount": 5000, "left": 1000, "currency": "usd"}
    assert (refusal.code, refusal.numbers) == ("refund_exceeds_means", numbers)
    named = RetryRefund(return_id="ret_1", payment_id="paypal")
    (refusal,) = given.refuses(named).violations
    until = (START + timedelta(days=180)).isoformat()
    assert (refusal.code, refusal.numbers) == ("means_expired", {"payment_id": "paypal", "until": until})
    assert given.codes(RetryRefund(return_id="ret_1", payment_id="card")) == ["refund_exceeds_means"]
    assert given.codes(RetryRefund(return_id="ret_1", means="payment")) == ["refund_exceeds_means"]
    given.when(RetryRefund(return_id="ret_1", amount=1000))
    given.when(RetryRefund(return_id="ret_1", means="payout", payment_id="paypal"))
    assert paid(given.the()) == [("card", 1000), (None, 4000)]
    assert given.the().entitlement.is_refund_blocked is False
    assert not given.the().needs_attention


def test_a_kind_without_a_place_is_never_asked() -> None:
    """Cash on delivery has no gateway: its part is paid out."""
    cash = Payment(id="cash", captured=usd(10_000), kind="cash")
    given = shop(cash, policy=ReturnPolicy(means=["card"], when_closed="payout"))

    assert [each.means for each in returned(given).refunds] == [Means.PAYOUT]


@pytest.mark.parametrize(
    ("when_closed", "request_of"), [("store_credit", CreditRequest), ("payout", PayoutRequest)]
)
def test_number_3_what_a_closed_payment_declines_is_given_in_the_same_commit(
    when_closed: str, request_of: type
) -> None:
    """Number 3: under the next key; the old key is known to have moved nothing."""
    given = shop(policy=ReturnPolicy(when_closed=when_closed))
    returned(given)

    attempted, retried = given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))

    assert isinstance(attempted, EffectsAttempted)
    assert isinstance(retried, RefundRetried)
    (effect,) = react(retried)
    assert isinstance(effect, request_of)
    assert effect.key in given.ledger.open_effects
    assert "ret_1-refund-1" not in given.ledger.open_effects
    first, second = given.the().refunds
    assert (first.status, second.status, second.retry_of) == (
        RefundStatus.FAILED, RefundStatus.PENDING, "ret_1-refund-1",
    )  # fmt: skip
    assert second.against == (PaymentShare("card", usd(5000)),)
    assert given.the().amount_due == usd(0)
    assert given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed"))) == ()


def test_credit_that_a_customer_chose_has_its_bonus_whatever_was_tried_before() -> None:
    """A clerk asked the card in vain: what is given instead is what was promised, as by a retry."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT], when_closed="store_credit"))
    returned(given, outcome="store_credit")
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("no_account")))
    given.when(RetryRefund(return_id="ret_1", means="payment"))

    given.record_outcomes(("ret_1-refund-2", RefundDeclined("closed")))

    (credit,) = [each for each in given.the().refunds if each.is_in_force]
    assert (credit.means, credit.amount, credit.bonus) == ("store_credit", usd(5000), usd(500))
    plain = shop(policy=ReturnPolicy(rules=[CREDIT], when_closed="store_credit"))
    returned(plain)
    plain.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))
    assert plain.the().refunds[1].bonus is None


def test_number_3_without_terms_the_amount_is_due_again() -> None:
    """Number 3: `RetryRefund` names the next payment."""
    given = shop()
    returned(given)

    assert len(given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))) == 1

    assert given.the().amount_due == usd(5000)
    given.when(RetryRefund(return_id="ret_1", payment_id="gift", amount=3000))
    assert paid(given.the()) == [("gift", 3000)]


def test_number_3_a_refusal_for_a_time_closes_nothing() -> None:
    """The merchant's balance was low: no one wants store credit for that."""
    given = shop(policy=ReturnPolicy(when_closed="store_credit"))
    returned(given)

    given.record_outcomes(("ret_1-refund-1", RefundDeclined("balance_low", is_temporary=True)))

    assert given.the().amount_due == usd(5000)
    assert given.codes(
        RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundDeclined("x", is_temporary="yes"))  # type: ignore[arg-type] # the point
    ) == ["invalid_flag"]


def test_number_3_a_refund_that_comes_back_later_is_given_by_other_means_too() -> None:
    """A bank that returns the money says that the account is closed; once."""
    given = shop(policy=ReturnPolicy(when_closed="payout"))
    returned(given)
    given.record_outcomes(("ret_1-refund-1", RefundSucceeded("re_1")))
    reversal = RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundReversed("account_closed"))

    recorded, retried = given.when(reversal)

    assert [type(event).__name__ for event in (recorded, retried)] == [
        "RefundOutcomeRecorded", "RefundRetried",
    ]  # fmt: skip
    assert paid(given.the()) == [(None, 5000)]
    assert given.when(reversal) == ()


def test_number_3_of_a_claim_too_and_only_what_is_due() -> None:
    """A claim goes on in its status; what is not due any more is not given."""
    given = shop(policy=ReturnPolicy(when_closed="payout"))
    given.when(
        RequestClaim(
            order_id="order_1", type="refund", items=[ClaimItem(item_id="mug", quantity=1, reason="other")]
        )
    )

    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))

    (claim,) = given.ledger.claims
    assert (claim.status, claim.amount_due) == ("completed", usd(0))
    assert [(each.means, each.amount) for each in claim.refunds if each.is_in_force] == [
        (Means.PAYOUT, usd(5000))
    ]
    given.record_outcomes(("claim_1-refund-2", RefundDeclined("no_account")))
    (claim,) = given.ledger.claims
    assert claim.amount_due == usd(5000)


def test_two_payments_that_are_closed_are_given_at_once() -> None:
    """Each instead of its own."""
    given = shop(policy=ReturnPolicy(when_closed="payout"))
    returned(given, 2)

    given.record_outcomes(
        ("ret_1-refund-1", RefundDeclined("card_closed")), ("ret_1-refund-2", RefundDeclined("gone"))
    )

    assert [(each.key, each.retry_of, each.amount) for each in given.the().refunds[2:]] == [
        ("ret_1-refund-3", "ret_1-refund-1", usd(7000)),
        ("ret_1-refund-4", "ret_1-refund-2", usd(3000)),
    ]


def test_what_is_given_instead_of_a_payment_that_is_named_counts_against_it() -> None:
    """A person gives 30.00 of credit instead of the gift card: the card still has its 70.00."""
    given = shop()
    returned(given)
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))

    given.when(RetryRefund(return_id="ret_1", means="store_credit", payment_id="gift", amount=3000))

    assert given.the().refunds[1].against == (PaymentShare("gift", usd(3000)),)
    assert given.order is not None
    assert given.ledger.left_of_payments(given.order) == {"card": 7000, "gift": 0}


def test_no_one_gets_store_credit_who_is_not_known() -> None:
    """An order of a guest: a person is asked, as if the terms said so."""
    given = shop(policy=ReturnPolicy(when_closed="store_credit"))
    put(given, customer_id=None)
    returned(given)

    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))

    assert given.the().amount_due == usd(5000)
    retry = RetryRefund(return_id="ret_1", means="store_credit")
    assert given.codes(retry) == ["credit_without_customer"]


@pytest.mark.parametrize(("when_closed", "port"), [("store_credit", "gives_credit"), ("payout", "pays_out")])
def test_a_policy_needs_the_port_that_it_names(when_closed: str, port: str) -> None:
    """The merchant's mistake, not the customer's: found at the first request."""
    given = shop(policy=ReturnPolicy(when_closed=when_closed))
    setattr(given, port, False)

    with pytest.raises(InvalidValue, match="when_closed"):
        given.when(request(1))


def test_what_is_given_instead_of_a_payment_counts_as_given_back_of_it() -> None:
    """The gift card still has all that it had, and gives back what is left of the order."""
    given = shop(policy=ReturnPolicy(when_closed="store_credit"))
    returned(given)
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))
    assert given.order is not None

    assert given.ledger.left_of_payments(given.order) == {"card": 2000, "gift": 3000}
    given.all_delivered()
    assert paid(returned(given)) == [("card", 2000), ("gift", 3000)]
    assert given.ledger.refundable(given.order) == usd(0)


# -- store credit -----------------------------------------------------------------------------------


def test_number_4_credit_counts_without_its_bonus() -> None:
    """Number 4: 40.00 as credit with 10 % bonus is 44.00; 60.00 of 100.00 are left."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]), price=4000)
    put(given, payments=[Payment(id="card", captured=usd(10_000))])

    target = returned(given, outcome="store_credit")

    effect = given.ledger.open_effects["ret_1-refund-1"]
    assert effect.request == CreditRequest(
        "ret_1-refund-1", "order_1", "ret_1", "cus_1", None, usd(4000), usd(400)
    )
    assert isinstance(effect.request, CreditRequest)
    assert effect.request.total == usd(4400)
    assert (target.refund_amount, target.refunded, target.amount_due) == (usd(4000), usd(4000), usd(0))
    assert given.order is not None
    assert given.ledger.refundable(given.order) == usd(6000)
    assert [(each.amount, each.reference) for each in transactions(given.order, given.ledger)] == [
        (usd(-4000), "store_credit")
    ]


def test_number_4_a_gift_is_credited_to_the_one_who_has_it() -> None:
    """Number 4: `payee` names who gets the credit, and the buyer is not notified unless that is asked for."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))

    target = returned(given, outcome="store_credit", payee="cus_friend")

    assert (target.payee, target.customer_id, target.no_notification) == ("cus_friend", "cus_1", True)
    assert (target.refunds[0].payee, target.refunds[0].customer_id) == ("cus_friend", "cus_1")
    loud = returned(given, outcome="store_credit", payee="cus_friend", no_notification=False)
    assert loud.no_notification is False


def test_credit_counts_against_payments_as_money_would_be_taken_of_them() -> None:
    """50.00 of credit: 30.00 of the gift card, which gives back first, and 20.00 of the card."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT], means=["gift_card", "*"]))

    (credit,) = returned(given, outcome="store_credit").refunds

    assert credit.against == (PaymentShare("gift", usd(3000)), PaymentShare("card", usd(2000)))
    assert given.order is not None
    assert given.ledger.left_of_payments(given.order) == {"card": 5000, "gift": 0}


def test_a_gift_that_its_recipient_returns_is_their_credit() -> None:
    """Report A-22: 50.00 on the card of the buyer; nothing goes back to it, 50.00 is the recipient's."""
    rule = ReturnRule(name="gifts", outcomes=["store_credit"])
    card = Payment(id="card", captured=usd(5000))
    given = shop(card, policy=ReturnPolicy(rules=[rule]), quantity=1)

    target = returned(given, outcome="store_credit", payee="cus_recipient")

    assert [(each.means, each.payee, each.amount) for each in target.refunds] == [
        (Means.STORE_CREDIT, "cus_recipient", usd(5000))
    ]
    assert given.order is not None
    assert given.ledger.left_of_payments(given.order) == {"card": 0}


def test_the_bonus_of_parcels_is_that_of_all_of_them() -> None:
    """Three units at 3.33 with 10 %: 0.33, then 0.34, then 0.33: 1.00 of 9.99."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]), price=333, quantity=3)
    given.when(request(3, outcome="store_credit"))
    for _ in range(2):
        given.when(receive(1, more_expected=True))
    given.when(receive(1))

    assert [each.bonus for each in given.the().refunds] == [usd(33), usd(34), usd(33)]


@pytest.mark.parametrize("parcels", [["ab"], ["b", "a"], ["a", "b"]])
def test_the_bonus_does_not_depend_on_which_parcel_came_first(parcels: list[str]) -> None:
    """A at 90.00 has no bonus, B at 10.00 has 10 %: 1.00 on 100.00, as the quote says."""
    given = Given(
        order_of(line("a", 1, 9000), line("b", 1, 1000, tags=["vip"]), customer_id="cus_1"),
        ReturnPolicy(rules=[evolve(CREDIT, when={"vip"}), evolve(CREDIT, name="other", bonus=None)]),
    )
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in "ab"]
    given.when(RequestReturn(order_id="order_1", items=items, outcome="store_credit"))
    assert given.order is not None
    (planned,) = planned_refunds(given.order, given.ledger, given.the(), given.now)

    for parcel in parcels:
        arrived = [ReceivedItem(item_id=item_id, quantity=1) for item_id in parcel]
        given.when(ReceiveReturn(return_id="ret_1", items=arrived, more_expected=True))

    assert sum([each.bonus.amount for each in given.the().refunds if each.bonus]) == 100
    assert (planned.bonus, given.the().refunded) == (usd(100), usd(10_000))


def test_the_bonus_of_many_small_amounts_is_that_of_their_sum() -> None:
    """Twenty parcels of 0.03 with 15 % have 0.09; 10.00 retried two hundred times with 10 % have 1.00."""
    fifteen = evolve(CREDIT, bonus=Bonus("thanks", percent=15))
    small = shop(policy=ReturnPolicy(rules=[fifteen]), price=3, quantity=20)
    small.when(request(20, outcome="store_credit"))
    for _ in range(20):
        small.when(receive(1, more_expected=True))
    retried = shop(policy=ReturnPolicy(rules=[CREDIT]), price=1000, quantity=1)
    retried.when(request(1, outcome="store_credit"))
    retried.when(receive(1))
    retried.record_outcomes(("ret_1-refund-1", RefundDeclined("busy", is_temporary=True)))
    for _ in range(200):
        retried.when(RetryRefund(return_id="ret_1", amount=usd(5)))

    for given, amount, bonus in ((small, 60, 9), (retried, 1000, 100)):
        credited = [each for each in given.the().refunds if each.is_in_force]
        assert sum([each.bonus.amount for each in credited if each.bonus]) == bonus
        assert given.the().refunded == usd(amount)


def test_a_bonus_is_on_credit_not_on_money() -> None:
    """Of 50.00 a person pays 20.00 by other ways: the credit of 30.00 has 10 % of 30.00."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    given.when(request(1, outcome="store_credit"))
    given.when(receive(1))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("busy", is_temporary=True)))
    given.when(RetryRefund(return_id="ret_1", amount=usd(2000), means="payout"))

    given.when(RetryRefund(return_id="ret_1"))

    assert [(each.means, each.amount, each.bonus) for each in given.the().refunds[1:]] == [
        (Means.PAYOUT, usd(2000), None),
        (Means.STORE_CREDIT, usd(3000), usd(300)),
    ]


def test_a_bonus_is_of_the_units_of_its_rule() -> None:
    """30.00 of 40.00 have 10 %; an amount is given once, however many units have it."""
    outlet = ReturnRule(name="outlet", when={"outlet"}, outcomes=["store_credit"])
    flat = ReturnRule(
        name="flat", when={"flat"}, outcomes=["store_credit"], bonus=Bonus("hello", amount=usd(50))
    )
    given = Given(
        order_of(line(price=3000), line("cap", price=1000), customer_id="cus_1"),
        ReturnPolicy(rules=[outlet, flat, CREDIT]),
    )

    def bonus(*items: RequestedItem) -> Money | None:
        assert given.order is not None
        event = given.when(RequestReturn(order_id="order_1", items=items, outcome="store_credit"))[0]
        target = given.ledger.get(event.return_id)
        (planned,) = planned_refunds(given.order, given.ledger, target, given.now)
        return planned.bonus

    mug, cap = (
        RequestedItem(item_id="mug", quantity=1),
        RequestedItem(item_id="cap", quantity=1, tags=["outlet"]),
    )
    assert bonus(mug, cap) == usd(300)
    assert bonus(
        RequestedItem(item_id="mug", quantity=1, tags=["flat"]),
        RequestedItem(item_id="cap", quantity=1, tags=["flat"]),
    ) == usd(50)


def test_the_bonus_is_of_what_is_given_not_of_the_goods() -> None:
    """A fee of 10.00 on 50.00: 40.00 as credit, and 4.00 on top; goods without value have none."""
    free = shop(policy=ReturnPolicy(rules=[CREDIT]), price=0)
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    given.when(request(1, outcome="store_credit", refund_amount=4000))
    given.when(receive(1))

    assert [(each.amount, each.bonus) for each in given.the().refunds] == [(usd(4000), usd(400))]
    free.when(request(1, outcome="store_credit", refund_amount=1000, refund_note="sorry"))
    free.when(receive(1))
    assert [(each.amount, each.bonus) for each in free.the().refunds] == [(usd(1000), usd(100))]


def test_the_bonus_is_never_paid_as_money() -> None:
    """The customer wants money after all, once the credit is known not to be there."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    returned(given, outcome="store_credit")
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("account_locked")))

    given.when(RetryRefund(return_id="ret_1", means="payment"))

    assert paid(given.the()) == [("card", 5000)]
    assert given.the().refunds[1].bonus is None


@pytest.mark.parametrize(
    "means", [{}, {"means": "store_credit"}, {"means": "store_credit", "payment_id": "gift"}]
)
def test_a_retry_of_credit_is_credit(means: dict[str, Any]) -> None:
    """Unless a person says otherwise; with the bonus that was promised, also if a person names it."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    returned(given, outcome="store_credit")
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("account_locked")))

    if "payment_id" in means:
        given.when(RetryRefund(return_id="ret_1", amount=3000, **means))
        given.when(RetryRefund(return_id="ret_1"))
    else:
        given.when(RetryRefund(return_id="ret_1", **means))

    credit = given.the().refunds[1:]
    assert {each.means for each in credit} == {Means.STORE_CREDIT}
    assert sum(each.bonus.amount for each in credit if each.bonus) == 500
    assert credit[0].retry_of == "ret_1-refund-1"


def test_store_credit_is_for_someone() -> None:
    """An order without a customer needs a payee; money needs none."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    put(given, customer_id=None)

    assert given.codes(request(1, outcome="store_credit")) == ["credit_without_customer"]
    assert given.codes(request(1, outcome="store_credit", payee="")) == ["credit_without_customer"]
    assert given.codes(request(1, payee="cus_2")) == ["payee_without_credit"]
    assert given.codes(request(1, outcome="store_credit", payee=7)) == ["invalid_text"]
    assert paid(returned(given, outcome="store_credit", payee="cus_2")) == [(None, 5000)]


def test_credit_for_no_one_says_what_else_there_is() -> None:
    """A request names a payee; a retry has none, and chooses other means."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    put(given, customer_id=None)
    returned(given)
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))

    (of_retry,) = given.refuses(RetryRefund(return_id="ret_1", means="store_credit")).violations
    (of_request,) = given.refuses(request(1, outcome="store_credit")).violations

    assert str(of_retry).endswith("store credit: choose another means")
    assert str(of_request).endswith("store credit: name a payee")


def test_an_update_chooses_again() -> None:
    """What is not said again is not part of the return any more."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    given.when(request(2, outcome="store_credit", payee="cus_2"))
    before = given.the()

    given.when(update(1))

    assert (before.outcome, before.payee) == ("store_credit", "cus_2")
    assert (given.the().outcome, given.the().payee) == ("refund", None)
    given.when(update(1, outcome="store_credit"))
    assert given.the().outcome == "store_credit"


def test_a_bonus_belongs_to_credit_or_new_goods() -> None:
    """Either a percentage or an amount, of a rule that offers more than money."""
    for wrong in ({}, {"percent": 10, "amount": usd(5)}, {"percent": 101}, {"percent": 1.5}, {"amount": -1}):
        with pytest.raises(InvalidValue):
            Bonus("b", **wrong)
    with pytest.raises(InvalidValue, match="bonus"):
        ReturnRule(name="money", outcomes=["refund"], bonus=Bonus("b", percent=1))
    given = shop(policy=ReturnPolicy(rules=[ReturnRule(name="x", bonus=Bonus("b", amount=Money(5, "eur")))]))
    with pytest.raises(InvalidValue, match="bonus b"):
        given.when(request(1))


@pytest.mark.parametrize(
    ("price", "bonus", "due"), [(6000, 500, 500), (5200, 200, 0), (5000, 0, 0), (4000, 0, -1000)]
)
def test_a_bonus_of_an_exchange_is_for_what_the_customer_would_owe(price: int, bonus: int, due: int) -> None:
    """Goods of 50.00 count as 55.00 towards new ones, and pay no money on top."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    cup = NewItem(variant_id="cup", quantity=1, unit_price=usd(price))

    given.when(
        RequestExchange(order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)], new_items=[cup])
    )

    (exchange,) = given.ledger.exchanges
    assert exchange.difference_due == usd(due)
    assert names_and_amounts(given.the()).get("bonus:thanks", 0) == bonus
    given.when(receive(1))
    (exchange,) = given.ledger.exchanges
    assert exchange.difference_due == usd(due)


def test_goods_without_value_have_no_bonus_towards_new_ones() -> None:
    """Ten percent of nothing."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]), price=0)
    cup = NewItem(variant_id="cup", quantity=1, unit_price=usd(100))
    mugs = [RequestedItem(item_id="mug", quantity=1)]
    given.when(RequestExchange(order_id="order_1", items=mugs, new_items=[cup]))

    assert "bonus:thanks" not in names_and_amounts(given.the())


# -- a person names means ---------------------------------------------------------------------------


def declined() -> Given:
    """Returns a return of 50.00 whose refund was declined."""
    given = shop()
    returned(given)
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))
    return given


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({"payment_id": "other"}, ["means_not_of_order"]),
        ({"payment_id": 7}, ["means_not_of_order"]),
        ({"payment_id": "gift"}, ["refund_exceeds_means"]),
        ({"means": "gold"}, ["invalid_means"]),
        ({"means": 7}, ["invalid_means"]),
        ({"means": "payout", "payment_id": "gift"}, ["refund_exceeds_means"]),
        ({"means": "payout", "amount": 5001}, ["refund_exceeds_due"]),
    ],
)
def test_means_that_cannot_be_are_refused(more: dict[str, Any], codes: list[str]) -> None:
    """Each with what is left, or what there is."""
    given = declined()

    assert given.codes(RetryRefund(return_id="ret_1", **more)) == codes


@pytest.mark.parametrize(
    ("means", "port", "code"),
    [
        ("payout", "pays_out", "payout_unsupported"),
        ("store_credit", "gives_credit", "store_credit_unsupported"),
    ],
)
def test_means_need_their_port(means: str, port: str, code: str) -> None:
    """A host that has none is refused only what needs it."""
    given = declined()
    setattr(given, port, False)

    assert given.codes(RetryRefund(return_id="ret_1", means=means)) == [code]


def test_means_that_the_terms_choose_need_their_port_too() -> None:
    """The port was there at the request, and is not any more."""
    given = paypal(ReturnPolicy(when_closed="payout"))
    given.now = START + timedelta(days=181)
    returned(given)
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("no_account")))
    given.pays_out = False

    assert given.codes(RetryRefund(return_id="ret_1")) == ["payout_unsupported"]


def test_a_person_gives_credit_instead() -> None:
    """Without a bonus, which is for customers who chose it; of a claim as well."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    given.when(
        RequestClaim(
            order_id="order_1", type="refund", items=[ClaimItem(item_id="mug", quantity=1, reason="other")]
        )
    )
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))

    given.when(RetryRefund(claim_id="claim_1", means="store_credit"))

    (claim,) = given.ledger.claims
    credit = claim.refunds[1]
    assert (credit.means, credit.bonus, credit.customer_id, credit.retry_of) == (
        Means.STORE_CREDIT, None, "cus_1", "claim_1-refund-1",
    )  # fmt: skip
    assert credit.against == (PaymentShare("card", usd(5000)),)
    returned(given)
    given.record_outcomes(("ret_2-refund-1", RefundDeclined("card_closed")))
    given.when(RetryRefund(return_id="ret_2", means="store_credit"))
    assert {each.bonus for each in given.the("ret_2").refunds} == {None}


# -- steps of gateways ------------------------------------------------------------------------------


def stepped(price: int, discount: int, step: int, currency: str) -> tuple[Order, Given]:
    """Returns an order of three units less a discount, at a gateway that moves multiples of a step."""
    mugs = LineItem(
        id="mug", quantity=3, fulfilled_quantity=3, unit_price=price, adjustments=[Adjustment(discount)]
    )
    order = Order(
        id="order_1",
        currency=currency,
        items=[mugs],
        payments=[Payment(id="p", captured=3 * price - discount, refund_step=step)],
    )
    return order, Given(order)


@pytest.mark.parametrize(
    ("price", "discount", "step", "currency", "parts"),
    [
        (10_000, 20_000, 10, "kwd", [3330, 3340, 3330]),
        (100_000, 10_000, 100, "huf", [96_700, 96_600, 96_700]),
        (10_000, 20_000, 1, "kwd", [3333, 3334, 3333]),
    ],
)
def test_number_15_refunds_are_multiples_and_the_rest_goes_with_the_last(
    price: int, discount: int, step: int, currency: str, parts: list[int]
) -> None:
    """Number 15, and reports A-18 and RB-24: each is what its units are worth, and nothing is due."""
    order, given = stepped(price, discount, step, currency)

    targets = [returned(given) for _ in range(3)]

    assert [refund.amount.amount for target in targets for refund in target.refunds] == parts
    assert all(part % step == 0 for part in parts)
    assert sum(parts) == 3 * price - discount == sum(target.refund_amount.amount for target in targets)
    assert {target.amount_due.amount for target in targets} == {0}
    assert {target.entitlement.overpaid.amount for target in targets} == {0}
    assert not any(target.needs_attention for target in targets)
    assert given.ledger.refundable(order).amount == given.ledger.carried == 0


def test_a_step_and_what_was_carried_survive_a_failure() -> None:
    """What is due again is what the units are worth, not what was asked for; in the end all is paid."""
    order, given = stepped(10_000, 20_000, 10, "kwd")
    returned(given)
    assert given.ledger.carried == 3
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))
    assert (given.the().amount_due.amount, given.ledger.carried) == (3333, 0)
    second = returned(given)
    assert [each.amount.amount for each in second.refunds] == [3330]

    given.when(RetryRefund(return_id="ret_1", amount=1005))
    given.when(RetryRefund(return_id="ret_1"))
    returned(given)

    assert [each.amount.amount for each in given.the().refunds if each.is_in_force] == [1010, 2330]
    assert given.ledger.refundable(order).amount == 0
    assert sum(each.refunded.amount for each in given.ledger.returns) == 10_000


def test_refunds_of_steps_go_in_their_order() -> None:
    """The rest of 7.74 goes last: it waits until the gateway took each refund before it."""
    given = Given(
        order_of(line(quantity=3, price=258), payments=[Payment(id="p", captured=774, refund_step=10), GIFT])
    )
    targets = [returned(given) for _ in range(3)]
    keys = [target.refunds[0].key for target in targets]
    assert [target.refunds[0].after_key for target in targets] == [None, *keys[:2]]
    assert sendable(given) == keys[:1]

    given.record_outcomes((keys[0], RefundSucceeded("re_1")))
    assert sendable(given) == keys[1:2]
    given.record_outcomes((keys[1], RefundPending("re_2")))
    assert sendable(given) == keys[1:]
    given.record_outcomes((keys[1], RefundDeclined("closed")))
    assert sendable(given) == keys[2:]
    assert given.ledger.due_at is not None


def test_refunds_without_steps_wait_for_none() -> None:
    """Nor do those of another payment."""
    given = Given(order_of(line(quantity=3, price=1000), payments=[Payment(id="p", captured=3000)]))
    returned(given)
    assert returned(given).refunds[0].after_key is None
    put(given, payments=[Payment(id="p", captured=3000), Payment(id="q", captured=3000, refund_step=10)])
    again = RetryRefund(return_id="ret_1", payment_id="q")
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))
    given.when(again)
    assert given.the().refunds[1].after_key is None


def sendable(given: Given) -> list[str]:
    """Returns the keys of the refunds that may be sent now."""
    effects = given.ledger.open_effects.items()
    return [key for key, each in effects if "-refund-" in key and given.ledger.waits_for(each) is None]


def test_what_a_canceled_claim_carried_is_not_paid_with_the_next_refund() -> None:
    """Nothing of 0.04 is moved in steps of 0.10; without the claim, the next 0.06 is paid for itself."""
    _, given = stepped(10_000, 20_000, 10, "kwd")
    given.when(RequestClaim(order_id="order_1", type="goodwill", refund_amount=4))
    (claim,) = given.ledger.claims
    assert (claim.refunds, given.ledger.carried) == ((), 4)

    given.when(CancelClaim(claim_id=claim.id))

    (claim,) = given.ledger.claims
    assert (claim.entitlement.covered, given.ledger.carried) == (0, 0)
    assert not claim.needs_attention


def test_steps_are_of_all_refunds_of_a_payment() -> None:
    """The host names the step once something was paid: 33.33 before, and 33.37 make 66.70 together."""
    order, given = stepped(10_000, 20_000, 1, "kwd")
    returned(given)
    (payment,) = order.payments
    put(given, payments=[evolve(payment, refund_step=10)])

    assert [each.amount.amount for each in returned(given).refunds] == [3337]
    assert [each.amount.amount for each in returned(given).refunds] == [3330]


def test_a_part_of_a_step_goes_with_the_last_refund() -> None:
    """100.05 in steps of 0.10: the last one is 33.35."""
    _, given = stepped(10_000, 19_995, 10, "kwd")

    parts = [refund.amount.amount for _ in range(3) for refund in returned(given).refunds]

    assert (parts, sum(parts)) == ([3340, 3330, 3335], 10_005)


def test_what_a_step_leaves_is_asked_of_no_payment_beyond_its_own() -> None:
    """Of 1.03, 0.90 go back in steps of 0.10; the other one has 0.10 left of 0.13, and 0.03 are carried."""
    sources = [Source("a", 100, step=10), Source("b", 10, most=13)]

    plan = plan_refund(103, sources, ReturnPolicy(split="proportional").refund_terms, "usd", START)

    assert [(each.payment_id, each.amount) for each in plan.refunds] == [("a", usd(90)), ("b", usd(10))]
    assert plan.carried == 3


def test_steps_leave_what_credit_took_of_a_payment() -> None:
    """20.50 of 30.00 are left, at steps of 1.00: 20.00 go back, and no later refund takes the rest along."""
    source, terms = Source("p", 2050, step=100, most=3000), ReturnPolicy().refund_terms

    asked = plan_refund(2050, [source], terms, "usd", START)
    paid_out = plan_refund(2050, [source], terms, "usd", START, instead=Means.PAYOUT)
    alone = plan_refund(50, [Source("p", 50, given=2000, step=100, most=3000)], terms, "usd", START)
    later = plan_refund(2050, [source], terms, "usd", START, left_of_others=1000)

    assert ([each.amount for each in asked.refunds], asked.carried) == ([usd(2000)], 0)  # 0.50 are due
    assert [each.amount for each in paid_out.refunds] == [usd(2000), usd(50)]
    assert paid_out.refunds[1].against == (PaymentShare("p", usd(50)),)
    assert (alone.refunds, alone.closed) == ((), 50)
    assert ([each.amount for each in later.refunds], later.carried) == ([usd(2000)], 50)


def test_what_no_step_moves_is_given_instead_of_the_payment_that_kept_it() -> None:
    """One payment gives all of its 5.00, the other none of its 0.60, which is paid out."""
    sources = [Source("p", 500), Source("q", 60, given=400, step=100, most=1000)]

    plan = plan_refund(560, sources, ReturnPolicy().refund_terms, "usd", START, instead=Means.PAYOUT)

    assert [(each.payment_id, each.amount) for each in plan.refunds] == [("p", usd(500)), (None, usd(60))]
    assert plan.refunds[1].against == (PaymentShare("q", usd(60)),)


def test_credit_takes_along_no_more_than_is_left() -> None:
    """The host lowered what was captured: 0.40 were left to the next refund, and 5.00 are."""
    plan = plan_all_other(500, [Source("p", 500)], Means.STORE_CREDIT, "usd", carried=40)

    assert ([each.amount for each in plan.refunds], plan.carried) == ([usd(500)], 0)


def test_each_refund_is_for_something_of_its_own() -> None:
    """With 0.30 that were left, 0.29 are paid as 0.24 and 0.35; whichever fails, something is due again."""
    sources = [Source("p", 24, step=100, most=24), Source("q", 35, step=100, most=35)]
    terms = ReturnPolicy(split="proportional").refund_terms

    plan = plan_refund(29, sources, terms, "usd", START, carried=30)

    assert [each.amount for each in plan.refunds] == [usd(24), usd(35)]
    assert [each.amount.amount + each.carried for each in plan.refunds] == [1, 28]


def test_an_amount_below_half_a_step_is_carried() -> None:
    """Nothing is asked of the gateway, and nothing is due."""
    _, given = stepped(10_000, 20_000, 10_000, "kwd")

    target = returned(given)

    assert (target.refunds, target.amount_due.amount, target.entitlement.carried) == ((), 0, 3333)
    assert not target.needs_attention


def two_at_a_step(first: int, *, policy: ReturnPolicy | None = None) -> Given:
    """Returns two units of 10.00 together, of which the first is worth so much, at steps of 1.00."""
    units = [line("mug", quantity=1, price=first), line("cap", quantity=1, price=1000 - first)]
    payments = [Payment(id="p", captured=usd(1000), refund_step=100)]
    return Given(order_of(*units, payments=payments, customer_id="cus_1"), policy)


def back(given: Given, item_id: str = "mug", **more: Any) -> Return:
    """Requests a unit of the line and receives it; returns its return."""
    given.when(request(1, item_id, **more))
    return_id = given.ledger.returns[-1].id
    arrived = [ReceivedItem(item_id=item_id, quantity=1)]
    given.when(ReceiveReturn(return_id=return_id, items=arrived))
    return given.the(return_id)


def given_in_all(given: Given) -> int:
    """Returns the sum of all refunds in force, minor units."""
    return sum(each.amount_in_force for each in given.ledger.refunds)


@pytest.mark.parametrize(("first", "refunded", "credited"), [(560, 600, 400), (540, 500, 500)])
def test_credit_takes_along_what_steps_left(first: int, refunded: int, credited: int) -> None:
    """Of 10.00 not 10.40 are given, and not 9.60: the quote says so."""
    given = two_at_a_step(first, policy=ReturnPolicy(rules=[CREDIT]))
    one = back(given)
    given.when(request(1, "cap", outcome="store_credit"))
    assert given.order is not None
    (planned,) = planned_refunds(given.order, given.ledger, given.the("ret_2"), given.now)
    given.when(ReceiveReturn(return_id="ret_2", items=[ReceivedItem(item_id="cap", quantity=1)]))
    other = given.the("ret_2")

    assert [each.amount for each in (*one.refunds, *other.refunds)] == [usd(refunded), usd(credited)]
    assert (planned.amount, planned.bonus) == (usd(credited), other.refunds[0].bonus)
    assert other.refunds[0].bonus == usd((1000 - first) // 10)  # of what its unit is worth
    assert {each.amount_due.amount for each in (one, other)} == {0}
    assert (given_in_all(given), given.ledger.carried) == (1000, 0)


def test_what_was_paid_ahead_is_quoted_all_the_same() -> None:
    """6.00 went back for 5.98: the other unit is worth 4.02, of which 0.02 were paid."""
    given = two_at_a_step(598)
    back(given)

    other = back(given, "cap")

    assert (other.quoted_refund, other.refund_amount, other.refunded) == (usd(402), usd(402), usd(400))
    assert (given_in_all(given), given.ledger.carried) == (1000, 0)


def test_credit_of_less_than_was_paid_ahead_moves_nothing() -> None:
    """0.40 were paid with the first refund; the other unit is worth as much."""
    given = two_at_a_step(960, policy=ReturnPolicy(rules=[CREDIT]))
    back(given)

    other = back(given, "cap", outcome="store_credit")

    assert (other.refunds, other.amount_due) == ((), usd(0))
    assert (given_in_all(given), given.ledger.carried) == (1000, 0)


@pytest.mark.parametrize("first", [60, 440, 540, 560, 960])
@pytest.mark.parametrize("when_closed", ["payout", "store_credit"])
def test_what_is_given_instead_of_a_refund_has_no_steps(first: int, when_closed: str) -> None:
    """A refund that failed moved nothing and carries nothing: its unit is paid for, to the cent."""
    given = two_at_a_step(first, policy=ReturnPolicy(when_closed=when_closed))
    back(given)
    declined = [each.key for each in given.ledger.refunds]
    given.record_outcomes(*[(key, RefundDeclined("closed")) for key in declined])

    assert [(each.amount.amount, each.carried) for each in given.the().refunds if each.is_in_force] == [
        (first, 0)
    ]
    back(given, "cap")
    assert (given_in_all(given), given.ledger.carried) == (1000, 0)
    assert not any(each.needs_attention for each in given.ledger.returns)


def test_what_was_paid_ahead_is_not_given_again_instead_of_a_refund() -> None:
    """6.00 for a unit of 5.60; of the other one, of 4.40, 4.00 are left, by whatever means."""
    given = two_at_a_step(560, policy=ReturnPolicy(when_closed="payout"))
    back(given)
    back(given, "cap")
    given.record_outcomes(("ret_2-refund-1", RefundDeclined("closed")))

    assert [each.amount for each in given.the("ret_2").refunds] == [usd(400), usd(400)]
    assert (given_in_all(given), given.ledger.carried) == (1000, 0)


def test_a_first_refund_that_fails_leaves_nothing_to_the_next() -> None:
    """5.60, asked for as 6.00 and declined: it is paid out before the next one, of 4.40, is asked for."""
    given = two_at_a_step(560)
    back(given)
    back(given, "cap")
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))
    assert given.the().amount_due == usd(560)
    assert (given.the("ret_2").amount_due.amount, given.ledger.carried) == (0, 40)

    given.when(RetryRefund(return_id="ret_1", means="payout"))

    assert (given_in_all(given), given.ledger.carried) == (1000, 0)
    assert given.the().refunds[-1].amount == usd(600)


def test_a_claim_that_is_canceled_later_leaves_no_step() -> None:
    """It asked for 1.00 of 0.60, the gateway declined, and all units come back for all that was paid."""
    given = two_at_a_step(560)
    given.when(RequestClaim(order_id="order_1", type="goodwill", refund_amount=60))
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("closed")))
    given.when(CancelClaim(claim_id="claim_1"))

    back(given)
    back(given, "cap")

    assert (given_in_all(given), given.ledger.carried) == (1000, 0)


def test_what_expires_and_fails_later_leaves_no_step() -> None:
    """Paid ahead and never sent: once its refund fails, nothing is due of it, carried, or overpaid."""
    for first in (560, 540):
        given = two_at_a_step(first, policy=ReturnPolicy(pay_on="request", return_within_days=1))
        given.when(request(1))
        given.now += timedelta(days=2)
        given.when(ExpireReturn(return_id="ret_1"))
        given.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundDeclined("closed")))

        account = given.the().entitlement
        assert (account.due, account.overpaid, account.carried) == (usd(0), usd(0), 0)


def test_a_step_is_an_integer_of_at_least_1() -> None:
    """Of minor units."""
    for step in (0, -1, 1.0, True):
        with pytest.raises(InvalidValue):
            Payment(id="p", captured=1, refund_step=step)  # type: ignore[arg-type] # the point


# -- shown before it is done ------------------------------------------------------------------------


def test_a_quote_shows_how_it_would_go_back() -> None:
    """From which payments, or as credit with which bonus: what is refunds when exactly that arrives."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT], means=["gift_card", "*"]))
    for outcome in ("refund", "store_credit"):
        given.when(request(1, outcome=outcome))
        target = given.ledger.returns[-1]
        assert given.order is not None
        quote = quote_of(target, given.order, given.ledger, given.now)
        assert quote.plan == planned_refunds(given.order, given.ledger, target, given.now)
        given.when(receive(1, return_id=target.id))
        refunds = given.the(target.id).refunds
        assert [(each.means, each.payment_id, each.amount, each.bonus) for each in quote.plan] == [
            (each.means, each.payment_id, each.amount, each.bonus) for each in refunds
        ]
        assert planned_refunds(given.order, given.ledger, given.the(target.id), given.now) == ()


def test_a_plan_is_of_what_is_due() -> None:
    """Nothing is shown where a person has to decide first, or where nothing is due."""
    given = paypal(ReturnPolicy())
    given.now = START + timedelta(days=181)
    returned(given)
    assert given.order is not None

    assert planned_refunds(given.order, given.ledger, given.the(), given.now) == ()
    put(given, payments=[Payment(id="card", captured=usd(10_000))])
    (planned,) = planned_refunds(given.order, given.ledger, given.the(), given.now)
    assert (planned.payment_id, planned.amount) == ("card", usd(5000))
    put(given, payments=[])
    assert planned_refunds(given.order, given.ledger, given.the(), given.now) == ()


# -- withdrawals ------------------------------------------------------------------------------------


def withdrawn(*rules: ReturnRule, **more: Any) -> Given:
    """Returns an order from which the customer can withdraw, and a policy that credits what is closed."""
    policy = ReturnPolicy(
        rules=rules,
        when_closed="store_credit",
        withdrawal=Withdrawal(calendar=Calendar("Europe/Berlin")),
        **more,
    )
    return shop(policy=policy)


def test_a_withdrawal_is_never_credited_unless_its_customer_asked_for_it() -> None:
    """Neither by the terms when its payment is closed, nor by a person; a payout is money."""
    given = withdrawn()
    returned(given, basis="withdrawal")

    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))

    assert given.the().amount_due == usd(5000)
    assert given.codes(RetryRefund(return_id="ret_1", means="store_credit")) == ["credit_not_agreed"]
    given.when(RetryRefund(return_id="ret_1", means="payout"))
    assert given.the().terms.when_closed == "ask"


def test_a_withdrawal_is_credited_if_its_customer_chooses_that() -> None:
    """Where a rule for withdrawals offers it; the options say so, too."""
    given = withdrawn(
        ReturnRule(name="law", when={"basis:withdrawal"}, outcomes=["refund", "store_credit"],
                   bonus=Bonus("thanks", percent=5)),
    )  # fmt: skip
    assert given.order is not None
    (item,) = returnable_items(
        given.order, given.ledger, given.policy, given.now, basis=ReturnBasis.WITHDRAWAL
    )

    target = returned(given, basis="withdrawal", outcome="store_credit")

    assert [option.outcome for option in item.options if option.is_offered] == ["refund", "store_credit"]
    assert [(each.means, each.bonus) for each in target.refunds] == [(Means.STORE_CREDIT, usd(250))]
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("locked")))
    given.when(RetryRefund(return_id="ret_1", means="store_credit"))
    assert given.the().amount_due == usd(0)


def test_a_withdrawal_is_offered_no_credit_by_itself() -> None:
    """The law gives money."""
    given = withdrawn()

    assert given.codes(request(1, basis="withdrawal", outcome="store_credit")) == ["outcome_not_offered"]


# -- edges ------------------------------------------------------------------------------------------


def test_what_is_not_due_any_more_is_not_given_by_other_means() -> None:
    """The receipt was corrected before the gateway declined."""
    given = shop(policy=ReturnPolicy(when_closed="payout"))
    returned(given)
    nothing = [CorrectedItem(item_id="mug", quantity=0)]
    given.when(CorrectReceipt(return_id="ret_1", items=nothing, reason="a miscount"))

    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))

    assert (len(given.the().refunds), given.the().amount_due) == (1, usd(0))


def test_the_bonus_of_inspected_goods_is_of_what_is_paid_for_them() -> None:
    """One graded A and one B at 80 %: 50.00 and 40.00, and 10 % of both."""
    rule = ReturnRule(name="credit", outcomes=["store_credit"], bonus=Bonus("thanks", percent=10))
    given = shop(policy=ReturnPolicy(rules=[rule], inspect=True, grades=SCALE))
    returned(given, 2, outcome="store_credit")

    given.when(inspect("A", "B"))

    assert [(each.amount, each.bonus) for each in given.the().refunds] == [(usd(9000), usd(900))]


def test_credit_without_a_bonus() -> None:
    """Rules need not have one."""
    rule = ReturnRule(name="credit", outcomes=["store_credit"])
    given = shop(policy=ReturnPolicy(rules=[rule]))

    assert [each.bonus for each in returned(given, outcome="store_credit").refunds] == [None]


def test_a_bonus_of_no_percent_is_none() -> None:
    """As if the rule had none."""
    rule = ReturnRule(name="credit", outcomes=["store_credit"], bonus=Bonus("none", percent=0))
    given = shop(policy=ReturnPolicy(rules=[rule]))

    assert [each.bonus for each in returned(given, outcome="store_credit").refunds] == [None]


def test_a_payment_that_the_host_renamed_is_given_back_of_all_the_same() -> None:
    """What credit counted against is taken from the payments in their order."""
    given = shop(policy=ReturnPolicy(rules=[CREDIT]))
    returned(given, outcome="store_credit")
    put(given, payments=[Payment(id="other", captured=usd(10_000))])
    assert given.order is not None

    assert given.ledger.left_of_payments(given.order) == {"other": 5000}


#: 50.00 of them as store credit, or paid by a person.
OTHERWISE = [
    [request(1, outcome="store_credit"), receive(1)],
    [
        request(1),
        receive(1),
        RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundDeclined("card_closed")),
        RecordPayout(return_id="ret_1", amount=5000, reference="cash"),
    ],
]


@pytest.mark.parametrize("commands", OTHERWISE)
def test_what_the_host_gives_back_besides_is_missing_in_the_other_payments(commands: list[Any]) -> None:
    """50.00 count against a card of 50.00, which the host gives back itself: 20.00 of 120.00 are left."""
    card = Payment(id="card", captured=usd(5000))
    other = Payment(id="other", captured=usd(7000))
    given = shop(card, other, policy=ReturnPolicy(rules=[CREDIT]))
    for command in commands:
        given.when(command)
    assert given.order is not None
    assert given.ledger.left_of_payments(given.order) == {"card": 0, "other": 7000}

    put(given, payments=[evolve(card, refunded=usd(5000)), other])

    assert given.ledger.left_of_payments(given.order) == {"card": 0, "other": 2000}
    state = order_state(given.order, given.ledger)
    assert (state.refunded, state.refundable) == (usd(10_000), usd(2000))
    assert sum(each.amount.amount for each in transactions(given.order, given.ledger)) == 2000 - 7000
    second = returned(given)
    assert (paid(second), second.entitlement.is_refund_blocked) == ([], True)
    given.when(RetryRefund(return_id=second.id, amount=2000))
    assert paid(given.the(second.id)) == [("other", 2000)]


def test_a_refund_of_a_payment_that_the_host_counts_too_is_not_missing_in_the_others() -> None:
    """50.00 of a card by its own gateway, and the host says that 50.00 of it were given back."""
    card = Payment(id="card", captured=usd(5000))
    other = Payment(id="other", captured=usd(7000))
    given = shop(card, other)
    assert paid(returned(given)) == [("card", 5000)]

    put(given, payments=[evolve(card, refunded=usd(5000)), other])

    assert given.order is not None
    assert given.ledger.left_of_payments(given.order) == {"card": 0, "other": 7000}


def test_a_retry_says_how_much_is_refundable() -> None:
    """Of all payments, also where one is named that has less."""
    given = declined()
    put(given, payments=[Payment(id="card", captured=usd(7000), refunded=usd(6000)), GIFT])

    unknown = RetryRefund(return_id="ret_9", means="store_credit")
    assert given.codes(unknown) == ["return_not_found"]
    assert given.codes(RetryRefund(return_id="ret_1")) == ["refund_exceeds_refundable"]
    codes = given.codes(RetryRefund(return_id="ret_1", payment_id="card", amount=4500))
    assert codes == ["refund_exceeds_refundable", "refund_exceeds_means"]
