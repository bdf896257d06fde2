"""RequestClaim by store credit: it counts against the payments, but for goodwill, which is extra."""

from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelClaim,
    Claim,
    ClaimedCharge,
    ClaimItem,
    ClaimPayoutRecorded,
    ClaimRefundRetried,
    ClaimRequested,
    Command,
    CreditRequest,
    Means,
    Money,
    NewItem,
    Order,
    PaymentShare,
    PriceReduced,
    RecordPayout,
    RecordRefundOutcome,
    RefundDeclined,
    RefundReversed,
    RefundSucceeded,
    RequestClaim,
    RequestedItem,
    RequestReturn,
    ResolveClaim,
    RetryRefund,
)
from rma.domain.change import replay
from rma.domain.sale.rules import Outcome
from rma.domain.state.refunds import left_of_payments
from rma.domain.views.notes import credit_notes
from rma.domain.views.order_state import PaymentStatus, order_state
from rma.domain.views.postings import postings
from rma.domain.views.quotes import planned_refunds
from rma.domain.views.timeline import timeline
from rma.domain.views.transactions import transactions
from tests.rules.given import Given, line, names_and_amounts, order_of, put, receive, request, usd

BROKEN = ClaimItem(item_id="mug", quantity=1, reason="other")
KEY = "claim_1-refund-1"


def shop(**more: Any) -> Given:
    """Returns an order of three mugs at 10.00, paid in full by someone who is known."""
    return Given(order_of(line(quantity=3), **{"captured": 3000, "customer_id": "cus_1", **more}))


def claim(kind: str = "goodwill", **more: Any) -> RequestClaim:
    """Returns a claim by store credit: goodwill of 5.00, unless it says more."""
    fields = {"refund_amount": 500} if kind == "goodwill" else {}
    return RequestClaim(order_id="order_1", type=kind, **{"outcome": "store_credit", **fields, **more})


def declined() -> Given:
    """Returns an order whose goodwill of 5.00 was declined as credit."""
    given = shop()
    given.when(claim())
    given.record_outcomes((KEY, RefundDeclined("no_account")))
    return given


def reversed_in_part() -> Given:
    """Returns one of which 2.00 were given as credit then, and 3.00 by money; the credit was reversed."""
    given = declined()
    given.when(_retry(amount=200))
    given.record_outcomes(("claim_1-refund-2", RefundSucceeded("c")))
    given.when(_retry("payment"))
    given.when(RecordRefundOutcome(key="claim_1-refund-2", outcome=RefundReversed("closed")))
    return given


def the(given: Given) -> Claim:
    """Returns the claim, and asserts that the history rebuilds the ledger."""
    assert replay("order_1", given.history) == given.ledger
    return given.ledger.claims[-1]


def left(given: Given) -> int:
    """Returns what the payments of the order have left, minor units."""
    return given.ledger.refundable(_order(given)).amount


def _order(given: Given) -> Order:
    assert given.order is not None
    return given.order


def test_goodwill_as_credit_leaves_the_lines_and_the_payments_alone() -> None:
    """Number 7: 5.00 as credit, and all three mugs still come back for 30.00."""
    given = shop()

    (event,) = given.when(claim())

    assert isinstance(event, ClaimRequested)
    assert event.replacement is None
    made = the(given)
    assert (made.status, made.items, made.outcome) == ("completed", (), Outcome.STORE_CREDIT)
    assert (made.refund_amount, made.refunded, made.amount_due) == (usd(500), usd(500), usd(0))
    assert names_and_amounts(made) == {"custom_amount": 500}
    (refund,) = made.refunds
    assert (refund.means, refund.payment_id, refund.against, refund.is_extra) == (
        Means.STORE_CREDIT,
        None,
        (),
        True,
    )
    assert given.ledger.open_effects[KEY].request == CreditRequest(
        KEY, "order_1", None, "cus_1", None, usd(500), reason="claim"
    )
    assert left(given) == 3000
    given.when(RequestReturn(order_id="order_1", items=[RequestedItem(item_id="mug", quantity=3)]))
    given.when(receive(3, return_id=given.ledger.returns[-1].id))
    returned = given.ledger.returns[-1]
    assert (returned.refunded, returned.amount_due, left(given)) == (usd(3000), usd(0), 0)


def test_the_state_of_the_order_does_not_count_it() -> None:
    """No money of the order moved: it is neither refunded nor a transaction, delivered or not."""
    given = shop()
    before = order_state(_order(given), given.ledger)

    given.when(claim())

    assert order_state(_order(given), given.ledger) == before
    assert before.payment_status is PaymentStatus.CAPTURED
    given.record_outcomes((KEY, RefundSucceeded("cr_1")))
    assert order_state(_order(given), given.ledger) == before
    assert transactions(_order(given), given.ledger) == ()
    told = [detail for entry in timeline("order_1", given.history) for detail in entry.details]
    assert f"money: {usd(500)} as extra store credit" in told


def test_it_needs_no_room_and_no_note() -> None:
    """Not limited by what is refundable, by what the goods are worth, nor by what was captured."""
    given = shop(captured=0)

    given.when(claim(refund_amount=5000))

    assert (the(given).refunded, left(given)) == (usd(5000), 0)


def test_another_amount_that_was_credited_counts_against_nothing_either() -> None:
    """The port may say that it gave more."""
    given = shop()
    given.when(claim())

    given.record_outcomes((KEY, RefundSucceeded("cr_1", amount=usd(600))))

    assert (the(given).refunded, left(given)) == (usd(600), 3000)
    assert left_of_payments({"pay_1": 3000}, given.ledger.refunds) == {"pay_1": 3000}


@pytest.mark.parametrize("means", [None, "store_credit"])
def test_credit_that_is_declined_is_due_again_and_asked_for_again(means: str | None) -> None:
    """Under the next key, as extra as before, however little the payments have left."""
    given = shop(captured=0)
    given.when(claim())
    given.record_outcomes((KEY, RefundDeclined("no_account")))
    assert (the(given).amount_due, the(given).refunded) == (usd(500), usd(0))
    due = the(given)
    assert [
        (each.amount, each.is_extra) for each in planned_refunds(_order(given), given.ledger, due, given.now)
    ] == [(usd(500), True)]
    assert [each.code for each in given.refuses(_retry(means, amount=501)).violations] == [
        "refund_exceeds_due"
    ]

    given.when(_retry(means, amount=200))
    given.when(_retry(means))

    assert [(each.amount.amount, each.is_extra, each.against) for each in the(given).refunds[1:]] == [
        (200, True, ()),
        (300, True, ()),
    ]
    assert the(given).refunds[1].retry_of == KEY
    assert (the(given).amount_due, left(given)) == (usd(0), 0)


def _retry(means: str | None = None, **more: Any) -> RetryRefund:
    return RetryRefund(claim_id="claim_1", means=means, **more)


@pytest.mark.parametrize(
    "command",
    [
        _retry("payment"),
        _retry("payout"),
        _retry(payment_id="pay_1"),
        _retry("store_credit", payment_id="pay_1"),
        RecordPayout(claim_id="claim_1", amount=500, reference="bank_1"),
    ],
)
def test_what_a_person_gives_by_other_means_counts_against_the_payments(command: Any) -> None:
    """As any refund, and it is limited by what they have left."""
    given = declined()
    rich = _order(given)
    put(given, payments=[evolve(rich.payments[0], captured=usd(300))])
    assert "refund_exceeds_refundable" in [each.code for each in given.refuses(command).violations]
    put(given, payments=rich.payments)

    given.when(command)

    refund = the(given).refunds[-1]
    assert (refund.is_extra, the(given).amount_due, left(given)) == (False, usd(0), 2500)
    assert refund.payment_id == "pay_1" or refund.against == (PaymentShare("pay_1", usd(500)),)
    state = order_state(_order(given), given.ledger)
    assert (state.refunded, state.payment_status) == (usd(500), PaymentStatus.PARTIALLY_REFUNDED)


SWITCHES = [
    _retry("payment"),
    _retry("payout"),
    _retry("store_credit", payment_id="pay_1"),
    RecordPayout(claim_id="claim_1", amount=500, reference="bank_1"),
]


def all_back(given: Given) -> int:
    """Requests and receives all mugs; returns what is paid for them."""
    given.when(request(3))
    back = given.ledger.returns[-1].id
    given.when(receive(3, return_id=back))
    assert not given.the(back).entitlement.is_refund_blocked
    return given.the(back).refunded.amount


@pytest.mark.parametrize("command", SWITCHES)
def test_what_a_person_gives_by_other_means_reduces_all_lines(command: Any) -> None:
    """Number 7: 5.00 of 30.00 by money after all, so that the mugs come back for the 25.00 that are left."""
    given = declined()

    (event,) = given.when(command)

    assert isinstance(event, ClaimRefundRetried | ClaimPayoutRecorded)
    made = the(given)
    assert event.reduced == made.items
    assert [(item.item_id, item.quantity, item.is_reduced) for item in made.items] == [("mug", 3, True)]
    assert (made.value, made.gives_extra, made.is_revised) == (500, False, True)
    (note,) = credit_notes(given.ledger)
    assert (note.total, note.lines[0].is_reduction) == (usd(500), True)
    booked = [(each.account, each.debit - each.credit) for each in postings(event)]
    assert booked[:2] == [("revenue", usd(500)), ("goodwill", usd(-500))]
    entry = timeline("order_1", given.history)[-1]
    assert entry.details[0] == "3 x mug: other, less 5.00 USD"
    assert all_back(given) == 2500
    assert sum(each.total.amount for each in credit_notes(given.ledger)) == 3000


def test_a_part_that_was_given_as_extra_credit_reduces_nothing() -> None:
    """2.00 of 5.00 as credit, then 1.00 of 3.00 by money: the lines are worth 3.00 less, at once."""
    given = declined()
    given.when(_retry(amount=200))

    given.when(_retry("payment", amount=100))

    assert (the(given).value, the(given).amount_due, left(given)) == (300, usd(200), 2900)
    given.when(_retry())  # the credit that the customer chose, of money that is theirs
    credit = the(given).refunds[-1]
    assert (credit.means, credit.is_extra, left(given)) == (Means.STORE_CREDIT, False, 2700)
    assert the(given).value == 300
    assert all_back(given) == 2700
    assert sum(each.total.amount for each in credit_notes(given.ledger)) == 3000


def test_extra_credit_that_comes_back_later_reduces_the_lines_once_it_is_given_otherwise() -> None:
    """2.00 as credit, 3.00 by money; then the credit is reversed, and 2.00 more are money."""
    given = reversed_in_part()

    given.when(_retry("payment"))

    assert (the(given).value, left(given), len(the(given).items)) == (500, 2500, 2)
    assert all_back(given) == 2500


def test_a_switch_that_failed_is_canceled_with_its_reduction() -> None:
    """The mugs are worth what they were; also where it reduced them twice."""
    given = reversed_in_part()
    given.when(_retry("payment"))
    for key in ("claim_1-refund-3", "claim_1-refund-4"):
        given.record_outcomes((key, RefundDeclined("card_closed")))

    given.when(CancelClaim(claim_id="claim_1"))

    assert sum(each.total.amount for each in credit_notes(given.ledger)) == 0
    assert all_back(given) == 3000


@pytest.mark.parametrize("command", SWITCHES)
def test_goodwill_by_other_means_is_at_most_what_is_left_of_the_lines(command: Any) -> None:
    """All mugs are on their way back: 5.00 more by money need a note, as goodwill by money does."""
    for note in (None, "as agreed"):
        given = shop()
        given.when(claim(refund_note=note))
        given.record_outcomes((KEY, RefundDeclined("no_account")))
        given.when(request(3))

        if note is None:
            assert given.codes(command) == ["refund_exceeds_worth"]
            given.when(_retry())
            assert the(given).refunds[-1].is_extra
        else:
            given.when(command)
            assert (the(given).items, left(given)) == ((), 2500)


def test_nothing_is_taken_of_lines_for_what_is_not_due() -> None:
    """A credit that may still succeed, a claim that does not exist, an order that does not."""
    given = shop()
    given.when(claim())

    assert given.codes(_retry("payment")) == ["nothing_due"]
    assert given.codes(RetryRefund(claim_id="claim_9", means="payment")) == ["claim_not_found"]
    given.record_outcomes((KEY, RefundDeclined("no_account")))
    given.order = None
    assert given.codes(_retry("payment")) == ["order_not_found"]


def test_what_is_due_of_it_is_written_off_raised_or_canceled() -> None:
    """A clerk sets another amount, which is credit again; or cancels the claim if nothing was given."""
    given = shop(captured=0)
    given.when(claim())
    given.record_outcomes((KEY, RefundDeclined("no_account")))
    declined = given.ledger

    given.when(ResolveClaim(claim_id="claim_1", refund_amount=700))
    assert (the(given).refunds[-1].amount, the(given).refunds[-1].is_extra) == (usd(700), True)

    ends: dict[str, Command] = {
        "completed": ResolveClaim(claim_id="claim_1", refund_amount=0),
        "canceled": CancelClaim(claim_id="claim_1"),
    }
    for status, command in ends.items():
        given.ledger = declined
        given.when(command)
        (claimed,) = given.ledger.claims
        assert (claimed.status, claimed.refunded) == (status, usd(0))


@pytest.mark.parametrize(
    "command",
    [
        claim("refund", items=[BROKEN]),
        claim("reduce", items=[evolve(BROKEN, amount=1000)]),
        claim(
            "replace",
            items=[BROKEN],
            new_items=[NewItem(variant_id="v_cup", quantity=1, unit_price=usd(1000))],
            refund_amount=1000,
        ),
    ],
)
def test_other_claims_are_credited_as_returns_are(command: RequestClaim) -> None:
    """The credit counts against the payments: 10.00 of one mug, and 20.00 are left for the others."""
    given = shop()

    given.when(command)

    made = the(given)
    (refund,) = made.refunds
    assert (refund.means, refund.amount, refund.bonus, refund.is_extra) == (
        Means.STORE_CREDIT,
        usd(1000),
        None,
        False,
    )
    assert refund.against == (PaymentShare("pay_1", usd(1000)),)
    assert left(given) == 2000
    assert [(each.amount, each.reference) for each in transactions(_order(given), given.ledger)] == [
        (usd(-1000), "store_credit")
    ]


def test_a_claim_by_credit_is_limited_by_what_is_left() -> None:
    """It is blocked as a refund is, and credit is asked for once there is room."""
    given = shop(captured=500)
    given.when(claim("refund", items=[BROKEN]))
    assert (the(given).status, the(given).amount_due) == ("requires_action", usd(1000))
    put(given, payments=[evolve(_order(given).payments[0], captured=usd(3000))])

    given.when(_retry())

    assert [each.means for each in the(given).refunds] == [Means.STORE_CREDIT]


def test_goodwill_to_the_payments_is_as_before() -> None:
    """It reduces the lines."""
    given = shop()

    (event,) = given.when(claim(outcome="refund"))

    assert isinstance(event, PriceReduced)
    assert (names_and_amounts(the(given)), left(given)) == ({"item:mug": 500}, 2500)


def test_the_credit_of_a_claim_goes_to_the_one_who_is_named() -> None:
    """And who bought is not notified, unless that is asked for; nor is their return."""
    given = shop()

    given.when(claim(payee="cus_friend"))
    assert (the(given).payee, the(given).no_notification) == ("cus_friend", True)
    assert (the(given).refunds[0].payee, the(given).refunds[0].customer_id) == ("cus_friend", "cus_1")
    given.when(claim("refund", items=[BROKEN], payee="cus_friend", return_items=True))
    assert given.ledger.returns[-1].no_notification is True
    given.when(claim(payee="cus_friend", no_notification=False))
    assert the(given).no_notification is False


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (claim(outcome="exchange"), ["invalid_return_outcome"]),
        (claim(outcome=7), ["invalid_return_outcome"]),
        (claim(outcome="refund", payee="cus_2"), ["payee_without_credit"]),
        (claim(payee=""), ["credit_without_customer"]),
        (claim(payee=7), ["invalid_text"]),
        (claim(refund_amount=None), ["no_refund_amount"]),
        (claim(refund_amount=-1), ["invalid_refund_amount"]),
        (claim(refund_amount=Money(1, "eur")), ["currency_mismatch"]),
        (claim(items=[BROKEN]), ["items_of_goodwill"]),
        (claim(return_items=True), ["goods_stay"]),
        (
            claim(charges=[ClaimedCharge(charge_id="post")]),
            ["charge_not_found", "charges_of_extra_credit"],
        ),
        (
            claim("refund", items=[BROKEN], refund_amount=3001),
            ["refund_exceeds_refundable", "refund_exceeds_worth"],
        ),
    ],
)
def test_each_impossible_credit_is_refused_with_its_code(command: Any, codes: list[str]) -> None:
    """Each with its own code, and nothing changes."""
    assert shop().codes(command) == codes


def test_credit_needs_its_port_and_someone_who_has_it() -> None:
    """As a return does."""
    given = shop()
    given.gives_credit = False
    assert given.codes(claim()) == ["store_credit_unsupported"]
    assert shop(customer_id=None).codes(claim()) == ["credit_without_customer"]


def test_who_asks_for_new_goods_is_sent_to_the_request_for_them() -> None:
    """Of a return that is an exchange, of a claim one of type replace; no other outcome has a hint."""
    asked = RequestReturn(
        order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)], outcome="exchange"
    )

    (of_claim,) = shop().refuses(claim(outcome="exchange")).violations
    (of_return,) = shop().refuses(asked).violations
    (other,) = shop().refuses(claim(outcome="gold")).violations

    assert of_claim.numbers["hint"] == "a claim of type replace sends new goods"
    assert of_return.numbers["hint"] == "request an exchange for new goods"
    assert "hint" not in other.numbers
