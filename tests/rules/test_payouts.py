"""RecordPayout: a person paid what is due by other ways."""

from typing import Any

import pytest

from rma import (
    ClaimItem,
    ClaimPayoutRecorded,
    Means,
    NotAllowed,
    Payment,
    PaymentShare,
    PayoutRecorded,
    ReceivedItem,
    ReceiveReturn,
    RecordPayout,
    RecordRefundOutcome,
    RefundDeclined,
    RefundPending,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    RequestClaim,
    RetryRefund,
)
from rma.domain.react import react
from rma.domain.views.transactions import transactions
from tests.rules.given import Given, line, order_of, put, receive, request, usd

BANK = RecordPayout(return_id="ret_1", amount=8000, reference="bank-1", created_by="anna")


def closed() -> Given:
    """Returns a received return of 80.00 whose card is closed: reports A-25 and RB-22."""
    given = Given(order_of(line(price=8000), captured=16_000))
    given.when(request(1))
    given.when(receive(1))
    given.all_delivered()
    given.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundDeclined("card_closed")))
    return given


def test_number_13_what_a_person_paid_counts_as_paid() -> None:
    """Number 13, reports A-25 and RB-22: for the return, against what was captured, with its transaction."""
    given = closed()

    (event,) = given.when(BANK)

    assert isinstance(event, PayoutRecorded)
    assert (event.by, react(event), given.ledger.open_effects) == ("anna", (), {})
    payout = given.the().refunds[1]
    assert (payout.key, payout.means, payout.status, payout.reference) == (
        "ret_1-refund-2", Means.PAYOUT, RefundStatus.SUCCEEDED, "bank-1",
    )  # fmt: skip
    assert (payout.retry_of, payout.against) == ("ret_1-refund-1", (PaymentShare("pay_1", usd(8000)),))
    assert (given.the().refund_amount, given.the().amount_due) == (usd(8000), usd(0))
    assert not given.the().needs_attention
    assert given.order is not None
    (transaction,) = transactions(given.order, given.ledger)
    assert (transaction.amount, transaction.reference, transaction.reference_id) == (
        usd(-8000), "payout", "bank-1",
    )  # fmt: skip
    assert given.ledger.refundable(given.order) == usd(8000)


def test_number_13_what_may_have_moved_is_not_paid_again() -> None:
    """Never while an earlier key may have moved the same money."""
    for result in (RefundPending("re"), RefundSucceeded("re")):
        given = Given(order_of(line(price=8000), captured=16_000))
        given.when(request(1))
        given.when(receive(1))
        given.record_outcomes(("ret_1-refund-1", result))

        assert type(given.refuses(BANK)) is NotAllowed
        assert given.codes(BANK) == ["nothing_due"]


def test_a_payout_is_recorded_once() -> None:
    """The same reference and amount say the same; another amount, or for another return, is a mistake."""
    given = closed()
    given.when(BANK)
    given.when(request(1))
    second = given.ledger.returns[-1].id
    given.when(receive(1, return_id=second))
    given.record_outcomes((f"{second}-refund-1", RefundDeclined("card_closed")))

    assert given.when(BANK) == ()
    for other in (
        RecordPayout(return_id="ret_1", amount=7999, reference="bank-1"),
        RecordPayout(return_id=second, amount=8000, reference="bank-1"),
    ):
        (refusal,) = given.refuses(other).violations
        assert (refusal.code, refusal.numbers) == (
            "payout_reference_reused", {"reference": "bank-1", "amount": 8000},
        )  # fmt: skip


def test_a_payout_that_was_returned_is_due_again() -> None:
    """The bank returned it: its reference may be given once more."""
    given = closed()
    given.when(BANK)

    given.when(RecordRefundOutcome(key="ret_1-refund-2", outcome=RefundReversed("no_account")))

    assert given.the().amount_due == usd(8000)
    given.when(BANK)
    assert given.the().amount_due == usd(0)


def test_a_part_leaves_the_rest_due() -> None:
    """Which goes back by any other means."""
    given = closed()

    given.when(RecordPayout(return_id="ret_1", amount=usd(3000), reference="cash"))

    assert given.the().amount_due == usd(5000)
    given.when(RetryRefund(return_id="ret_1"))
    assert [each.amount for each in given.the().refunds if each.is_in_force] == [usd(3000), usd(5000)]


def test_what_was_blocked_is_paid_by_a_person() -> None:
    """It is blocked until all of it is paid; more than the payments have left is refused."""
    given = Given(order_of(line(price=8000), captured=3000))
    given.when(request(1))
    given.when(receive(1))

    (refusal,) = given.refuses(BANK).violations
    assert (refusal.code, refusal.numbers["refundable"]) == ("refund_exceeds_refundable", 3000)
    put(given, payments=order_of(captured=9000).payments)
    given.when(RecordPayout(return_id="ret_1", amount=3000, reference="a"))
    assert given.the().entitlement.is_refund_blocked
    given.when(RecordPayout(return_id="ret_1", amount=5000, reference="b"))
    assert not given.the().entitlement.is_refund_blocked


def test_a_claim_is_paid_by_a_person() -> None:
    """Its status is that of one that was paid."""
    given = Given(order_of(line(price=8000), captured=3000))
    broken = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken))
    put(given, payments=order_of(captured=9000).payments)
    assert given.ledger.claims[0].status == "requires_action"

    given.when(RecordPayout(claim_id="claim_1", amount=3000, reference="a"))
    assert given.ledger.claims[0].status == "requires_action"
    (event,) = given.when(RecordPayout(claim_id="claim_1", amount=5000, reference="b"))

    assert isinstance(event, ClaimPayoutRecorded)
    assert given.ledger.claims[0].status == "completed"
    assert given.ledger.claims[0].amount_due == usd(0)


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({"amount": 0}, ["invalid_payout_amount"]),
        ({"amount": "80.00"}, ["invalid_payout_amount"]),
        ({"amount": True}, ["invalid_payout_amount"]),
        ({"amount": 8001}, ["refund_exceeds_due"]),
        ({"reference": ""}, ["invalid_reference"]),
        ({"reference": None}, ["invalid_reference"]),
        ({"reference": "x" * 10_001}, ["text_too_long"]),
        ({"return_id": "ret_9"}, ["return_not_found"]),
        ({"return_id": None}, ["return_not_found"]),
        ({"claim_id": "claim_1"}, ["return_and_claim"]),
        ({"return_id": None, "claim_id": "claim_9"}, ["claim_not_found"]),
        ({"created_by": 7, "idempotency_key": ""}, ["invalid_text", "invalid_idempotency_key"]),
        ({"amount": -1, "reference": 7}, ["invalid_reference", "invalid_payout_amount"]),
    ],
)
def test_a_payout_that_cannot_be_is_refused(more: dict[str, Any], codes: list[str]) -> None:
    """All that is wrong with it at once."""
    fields: dict[str, Any] = {"return_id": "ret_1", "amount": 8000, "reference": "bank-1", **more}

    assert closed().codes(RecordPayout(**fields)) == codes


def test_an_order_that_is_gone_is_reported() -> None:
    """As by a retry."""
    given = closed()
    given.order = None

    assert given.codes(BANK) == ["order_not_found"]


@pytest.mark.parametrize(("first", "second"), [(560, 400), (540, 500)])
def test_a_payout_takes_along_what_steps_left(first: int, second: int) -> None:
    """At steps of 1.00 the first refund was 0.40 more, or less, than its unit is worth."""
    units = [line("mug", quantity=1, price=first), line("cap", quantity=1, price=1000 - first)]
    given = Given(order_of(*units, payments=[Payment(id="p", captured=usd(1000), refund_step=100)]))
    given.when(request(1))
    given.when(receive(1))
    given.when(request(1, "cap"))
    given.when(ReceiveReturn(return_id="ret_2", items=[ReceivedItem(item_id="cap", quantity=1)]))
    given.record_outcomes(("ret_2-refund-1", RefundDeclined("closed")))
    assert given.the("ret_2").amount_due == usd(1000 - first)
    more = RecordPayout(return_id="ret_2", amount=second + 1, reference="bank-1")
    assert "refund_exceeds_refundable" in given.codes(more)

    given.when(RecordPayout(return_id="ret_2", amount=second, reference="bank-1"))

    assert (given.the("ret_2").amount_due, given.ledger.carried) == (usd(0), 0)
    assert sum(each.amount_in_force for each in given.ledger.refunds) == 1000


def test_a_payout_is_of_what_its_units_are_worth_not_of_a_step() -> None:
    """5.00 were asked for a unit of 5.40, and declined: 5.40 are due, and a person pays them."""
    one = line("mug", quantity=2, price=540)
    given = Given(order_of(one, payments=[Payment(id="p", captured=usd(1080), refund_step=100)]))
    given.when(request(1))
    given.when(receive(1))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))

    assert given.codes(RecordPayout(return_id="ret_1", amount=541, reference="bank-1")) == [
        "refund_exceeds_due"
    ]
    given.when(RecordPayout(return_id="ret_1", amount=540, reference="bank-1"))

    assert (given.the().amount_due, given.ledger.carried) == (usd(0), 0)


def test_a_payout_leaves_due_what_no_later_refund_takes_along() -> None:
    """0.40 were left of the first; a person pays the 4.60 of the last, and then the 0.40 are due."""
    units = [line("mug", quantity=1, price=540), line("cap", quantity=1, price=460)]
    given = Given(order_of(*units, payments=[Payment(id="p", captured=usd(1000), refund_step=100)]))
    given.when(request(1))
    given.when(receive(1))
    given.when(request(1, "cap"))
    given.when(ReceiveReturn(return_id="ret_2", items=[ReceivedItem(item_id="cap", quantity=1)]))
    given.record_outcomes(("ret_2-refund-1", RefundDeclined("closed")))

    given.when(RecordPayout(return_id="ret_2", amount=460, reference="bank-1"))
    assert given.the("ret_2").amount_due == usd(40)
    given.when(RecordPayout(return_id="ret_2", amount=40, reference="bank-2"))

    assert (given.the("ret_2").amount_due, given.ledger.carried) == (usd(0), 0)
