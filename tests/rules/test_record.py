"""RecordRefundOutcome: notifications in any order, as often as they like."""

from itertools import permutations

import pytest

from rma import (
    Invalid,
    NotFound,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcomeRecorded,
    RefundPending,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    RetryRefund,
)
from rma.domain.messages.effects import GivenUp, Unknown
from rma.domain.react import react
from tests.rules.given import Given, line, order_of, receive, request, usd

KEY = "ret_1/refund/1"


def received() -> Given:
    """Two mugs at 10.00 are back; the gateway has not answered yet."""
    given = Given(order_of(line(quantity=2)))
    given.when(request(2, no_notification=True))
    given.when(receive(2))
    return given


def render(outcome: object, **more: object) -> RecordRefundOutcome:
    """What the gateway says of the refund."""
    return RecordRefundOutcome(**{"key": KEY, "outcome": outcome, **more})  # type: ignore[arg-type] # by name


def test_a_notification_that_comes_before_our_own_answer_settles_the_refund() -> None:
    """The effect is closed; the answer that comes later says nothing new."""
    given = received()

    (event,) = given.when(render(RefundSucceeded("re_1"), notification_id="evt_1", created_by="gateway"))
    again = given.record_outcomes((KEY, RefundSucceeded("re_1")))

    (refund,) = given.the().refunds
    assert isinstance(event, RefundOutcomeRecorded)
    assert (event.notification_id, event.by, event.no_notification) == ("evt_1", "gateway", True)
    assert react(event) == ()
    assert (refund.status, refund.reference, refund.settled_at) == (RefundStatus.SUCCEEDED, "re_1", event.at)
    assert list(given.ledger.open_effects) == ["ret_1/restock/1"]
    assert again == ()


def test_a_late_failure_and_a_reversal_release_the_money() -> None:
    """Succeeded is not final; it is due again, and RetryRefund pays under the next key."""
    for outcome, status in (
        (RefundDeclined("insufficient_funds", "no"), RefundStatus.FAILED),
        (RefundReversed("returned"), RefundStatus.REVERSED),
    ):
        given = received()
        given.when(render(RefundSucceeded("re_1")))

        given.when(render(outcome))
        due = given.the().amount_due
        given.when(RetryRefund(return_id="ret_1"))

        first, second = given.the().refunds
        assert due == usd(2000)
        assert (first.status, first.reference) == (status, "re_1")
        assert (second.key, second.retry_of) == ("ret_1/refund/2", KEY)


@pytest.mark.parametrize(
    "order", list(permutations([RefundPending("re_1"), RefundSucceeded("re_1"), RefundDeclined("lost")]))
)
def test_notifications_in_any_order_end_the_same(order: tuple[object, ...]) -> None:
    """By rank: pending, succeeded, failed."""
    given = received()

    for outcome in (*order, *order):
        given.when(render(outcome))

    (refund,) = given.the().refunds
    assert (refund.status, refund.failure) == (RefundStatus.FAILED, "lost")


def test_a_repeated_notification_is_no_change() -> None:
    """Nor is one that says less than is known."""
    given = received()
    given.when(render(RefundSucceeded("re_1")))
    before = given.ledger

    assert given.when(render(RefundSucceeded("re_1"))) == ()
    assert given.when(render(RefundPending("re_1"))) == ()
    assert given.ledger == before


def test_a_pending_notification_closes_the_effect_and_keeps_the_reference() -> None:
    """The gateway has the request; what it is called is known from then on."""
    given = received()
    given.record_outcomes((KEY, Unknown("timeout")))

    given.when(render(RefundPending("re_1")))
    given.when(RecordRefundOutcome(return_id="ret_1", reference="re_1", outcome=RefundSucceeded()))

    (refund,) = given.the().refunds
    assert (refund.status, refund.reference) == (RefundStatus.SUCCEEDED, "re_1")


def test_what_nobody_can_tell_waits_for_a_person_who_tells() -> None:
    """It counts as paid until the opposite is known."""
    given = received()
    given.record_outcomes((KEY, GivenUp("TimeoutError: 30 s")))
    stuck = given.the()
    refused = given.codes(RetryRefund(return_id="ret_1"))

    given.when(render(RefundDeclined("never_arrived"), created_by="anna"))

    assert (stuck.refunds[0].status, stuck.refunds[0].failure) == (
        RefundStatus.NEEDS_ATTENTION,
        "TimeoutError: 30 s",
    )
    assert refused == ["nothing_due"]
    assert given.the().amount_due == usd(2000)


def test_giving_up_does_not_undo_what_is_known() -> None:
    """A notification was faster."""
    given = received()
    given.when(render(RefundPending("re_1")))

    assert given.record_outcomes((KEY, GivenUp("timeout"))) == ()
    assert given.the().refunds[0].status is RefundStatus.PENDING


def test_an_answer_that_says_more_than_a_notification_counts() -> None:
    """Pending was told first, the gateway's answer was no."""
    given = received()
    given.when(render(RefundPending("re_1")))

    given.record_outcomes((KEY, RefundDeclined("expired")))

    assert given.the().refunds[0].status is RefundStatus.FAILED


def test_what_is_not_there_can_not_be_told_of() -> None:
    """Everything that is wrong is said."""
    given = received()

    unknown = given.refuses(render(RefundSucceeded(), key="ret_1/refund/9"))
    nobody = given.refuses(render("succeeded", key="ret_9/refund/1", idempotency_key=""))
    nothing = given.refuses(render(RefundSucceeded(), key=None))
    odd = given.refuses(render(RefundSucceeded(), key=5))

    assert (type(unknown), unknown.code) == (NotFound, "refund_not_found")
    assert [violation.code for violation in nobody.violations] == [
        "return_not_found",
        "invalid_outcome",
        "invalid_idempotency_key",
    ]
    assert nothing.code == "return_not_found"
    assert [violation.code for violation in odd.violations] == ["return_not_found", "invalid_text"]
    assert type(given.refuses(render(None))) is Invalid
