"""RecordRefundOutcome: notifications in any order and any number."""

from itertools import permutations
from typing import cast

import pytest

from rma import (
    CancelReturn,
    ClaimItem,
    IdempotencyKeyReused,
    Invalid,
    KnownOutcomeReported,
    Money,
    NotFound,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcomeRecorded,
    RefundPending,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    RequestClaim,
    RetryRefund,
)
from rma.domain.change import replay
from rma.domain.decide import answer
from rma.domain.messages.effects import GivenUp, Unknown
from rma.domain.react import react
from tests.rules.given import Given, line, order_of, receive, request, usd

KEY = "ret_1-refund-1"


def received() -> Given:
    """Returns a received return of two mugs at 10.00, whose refund the gateway has not answered."""
    given = Given(order_of(line(quantity=2)))
    given.when(request(2, no_notification=True))
    given.when(receive(2))
    return given


def notify(outcome: object, **more: object) -> RecordRefundOutcome:
    """Returns the notification of an outcome of the refund."""
    return RecordRefundOutcome(**{"key": KEY, "outcome": outcome, **more})  # type: ignore[arg-type] # by name


def test_a_notification_before_the_answer_of_the_gateway_closes_the_effect() -> None:
    """A notification records the outcome and closes the effect, so that the answer records nothing."""
    given = received()

    (event,) = given.when(notify(RefundSucceeded("re_1"), notification_id="evt_1", created_by="gateway"))
    again = given.record_outcomes((KEY, RefundSucceeded("re_1")))

    (refund,) = given.the().refunds
    assert isinstance(event, RefundOutcomeRecorded)
    assert (event.notification_id, event.by, event.no_notification) == ("evt_1", "gateway", True)
    assert react(event) == ()
    assert (refund.status, refund.reference, refund.settled_at) == (RefundStatus.SUCCEEDED, "re_1", event.at)
    assert list(given.ledger.open_effects) == ["ret_1-restock-1"]
    assert again == ()


def test_a_late_failure_and_a_reversal_release_the_money() -> None:
    """
    A failure or reversal after success makes the amount due again, and a retry requests it under the next
    key.
    """
    for outcome, status in (
        (RefundDeclined("insufficient_funds", "no"), RefundStatus.FAILED),
        (RefundReversed("returned"), RefundStatus.REVERSED),
    ):
        given = received()
        given.when(notify(RefundSucceeded("re_1")))

        given.when(notify(outcome))
        due = given.the().amount_due
        given.when(RetryRefund(return_id="ret_1"))

        first, second = given.the().refunds
        assert due == usd(2000)
        assert (first.status, first.reference) == (status, "re_1")
        assert (second.key, second.retry_of) == ("ret_1-refund-2", KEY)


@pytest.mark.parametrize(
    "order", list(permutations([RefundPending("re_1"), RefundSucceeded("re_1"), RefundDeclined("lost")]))
)
def test_notifications_end_by_which_of_two_final_ones_was_first(order: tuple[object, ...]) -> None:
    """
    A success that fails later has failed. A failure that is followed by a success is contradicted: it counts
    as paid and needs attention. Notices of what is known change nothing.
    """
    given = received()

    for number, outcome in [*enumerate(order), *enumerate(order)]:
        given.when(notify(outcome, notification_id=f"evt_{number}"))

    (refund,) = given.the().refunds
    kinds = [type(outcome) for outcome in order]
    if kinds.index(RefundSucceeded) < kinds.index(RefundDeclined):
        assert (refund.status, refund.failure) == (RefundStatus.FAILED, "lost")
    else:
        assert (refund.status, refund.failure) == (RefundStatus.NEEDS_ATTENTION, "succeeded after: lost")
        assert refund.is_contradicted
        assert given.the().refunded == usd(2000)


def contradicted() -> Given:
    """A refund of 20.00 that failed by mistake, its retry, and the notice that the first one succeeded."""
    given = received()
    given.when(notify(RefundDeclined("lost")))
    given.when(RetryRefund(return_id="ret_1"))
    given.record_outcomes(("ret_1-refund-2", RefundSucceeded("re_2")))
    given.when(notify(RefundSucceeded("re_1")))
    return given


def test_a_success_after_a_failure_is_not_dropped() -> None:
    """Both refunds count: 40.00 of 20.00 are out, and no one can ask for more without knowing it."""
    given = contradicted()

    target = given.the()
    assert target.refunded == usd(4000)
    assert target.entitlement.overpaid == usd(2000)
    assert target.needs_attention
    assert given.codes(RetryRefund(return_id="ret_1")) == ["nothing_due"]


def test_only_a_person_says_which_of_two_notices_is_true() -> None:
    """A notice that comes again decides nothing; a person who gives a name does, either way."""
    for outcome, status, paid in (
        (RefundSucceeded("re_1"), RefundStatus.SUCCEEDED, 4000),
        (RefundDeclined("lost"), RefundStatus.FAILED, 2000),
    ):
        given = contradicted()

        assert given.when(notify(outcome)) == ()
        given.when(notify(outcome, created_by="anna"))

        assert given.the().refunds[0].status is status
        assert given.the().refunded == usd(paid)
        assert not given.the().needs_attention


def test_the_notice_of_a_success_that_failed_later_does_not_contradict_it() -> None:
    """Gateways deliver notices more than once; its id shows that it is the same."""
    given = received()
    given.when(notify(RefundSucceeded("re_1"), notification_id="evt_1"))
    given.when(notify(RefundDeclined("lost"), notification_id="evt_2"))

    assert given.when(notify(RefundSucceeded("re_1"), notification_id="evt_1")) == ()
    assert given.the().refunds[0].status is RefundStatus.FAILED
    given.when(notify(RefundSucceeded("re_1"), notification_id="evt_3"))
    assert given.the().refunds[0].status is RefundStatus.NEEDS_ATTENTION


@pytest.mark.parametrize("by", [{"notification_id": "evt_1"}, {"idempotency_key": "webhook-evt_1"}])
def test_a_notice_that_said_nothing_new_is_a_repeat_all_the_same(by: dict[str, str]) -> None:
    """
    The gateway answered at once, so its notice says nothing new; then the refund fails and is retried.

    Delivered again, by its id or under its key, the notice takes back neither the failure nor the retry.
    """
    given = received()
    given.record_outcomes((KEY, RefundSucceeded("re_1")))
    notice = notify(RefundSucceeded("re_1"), **by)
    before = given.the()

    (event,) = given.when(notice)

    assert isinstance(event, KnownOutcomeReported)
    assert (event.key, react(event), event.header.moved, event.header.grants) == (KEY, (), (), ())
    assert (given.the().refunds[0].status, given.the().updated_at) == ("succeeded", before.updated_at)
    given.when(notify(RefundDeclined("account_closed"), notification_id="evt_2"))
    given.when(RetryRefund(return_id="ret_1"))
    given.record_outcomes(("ret_1-refund-2", RefundSucceeded("re_2")))
    assert answer(given.ledger, notice) == "ret_1" or given.when(notice) == ()
    assert [refund.status for refund in given.the().refunds] == ["failed", "succeeded"]
    assert (given.the().refunded, given.the().entitlement.overpaid) == (usd(2000), usd(0))


def test_every_outcome_under_an_idempotency_key_is_remembered() -> None:
    """From a gateway or a person, whatever it says: the key then belongs to it."""
    given = received()
    given.when(notify(RefundSucceeded("re_1")))
    given.when(notify(RefundDeclined("lost")))

    for number, outcome in enumerate((RefundPending("re_1"), RefundDeclined("lost"), RefundReversed())):
        command = notify(outcome, idempotency_key=f"key_{number}", created_by="anna")
        (event,) = given.when(command)
        assert (type(event), event.by) == (KnownOutcomeReported, "anna")
        assert answer(given.ledger, command) == "ret_1"
        with pytest.raises(IdempotencyKeyReused):
            answer(given.ledger, CancelReturn(return_id="ret_1", idempotency_key=f"key_{number}"))
    assert given.the().refunds[0].status is RefundStatus.FAILED


def test_no_notice_that_was_heard_is_news_again() -> None:
    """Two notices of the success, one of the failure: none takes back what a person said after them."""
    given = received()
    success, again = [notify(RefundSucceeded("re_1"), notification_id=f"evt_{each}") for each in (1, 3)]
    failure = notify(RefundDeclined("lost"), notification_id="evt_2")
    for notice in (success, failure, again):
        given.when(notice)
    assert given.the().refunds[0].is_contradicted

    given.when(notify(RefundSucceeded("re_1"), created_by="anna"))
    assert [given.when(notice) for notice in (success, failure, again)] == [(), (), ()]
    assert given.the().refunds[0].status is RefundStatus.SUCCEEDED

    given.when(notify(RefundDeclined("lost"), created_by="anna"))
    assert [given.when(notice) for notice in (success, failure, again)] == [(), (), ()]
    assert given.the().refunds[0].status is RefundStatus.FAILED


def test_a_known_id_with_another_outcome_is_news() -> None:
    """A host may pass on an id of the gateway's refund instead of one for each notification."""
    given = received()
    given.when(notify(RefundSucceeded("re_1"), notification_id="re_1"))

    given.when(notify(RefundDeclined("lost"), notification_id="re_1"))

    assert given.the().refunds[0].status is RefundStatus.FAILED


def test_a_notice_of_a_claim_is_remembered_as_one_of_a_return() -> None:
    """A claim of 10.00 whose refund succeeded, and failed later."""
    given = Given(order_of(line(quantity=2)))
    item = ClaimItem(item_id="mug", quantity=1, reason="missing_item")
    given.when(RequestClaim(order_id="order_1", type="refund", items=[item]))
    (refund,) = given.ledger.claims[0].refunds
    given.record_outcomes((refund.key, RefundSucceeded("re_1")))
    notice = notify(RefundSucceeded("re_1"), key=refund.key, notification_id="evt_1")

    (event,) = given.when(notice)
    given.when(notify(RefundDeclined("lost"), key=refund.key, notification_id="evt_2"))

    assert isinstance(event, KnownOutcomeReported)
    assert given.when(notice) == ()
    assert given.ledger.claims[0].refunds[0].status is RefundStatus.FAILED
    assert replay("order_1", given.history) == given.ledger


@pytest.mark.parametrize(
    ("moved", "due", "overpaid"), [(1500, 500, 0), (2000, 0, 0), (2300, 0, 300), (0, 2000, 0)]
)
def test_what_really_moved_counts(moved: int, due: int, overpaid: int) -> None:
    """Less is due again, more shows as overpaid; the amount that was asked for stays on record."""
    given = received()

    given.when(notify(RefundSucceeded("re_1", amount=usd(moved))))

    target = given.the()
    assert target.refunds[0].amount == usd(2000)
    assert (target.refunded, target.amount_due, target.entitlement.overpaid) == (
        usd(moved),
        usd(due),
        usd(overpaid),
    )


def test_a_success_of_more_than_was_known_counts() -> None:
    """20.00 were asked for and 15.00 reported, then 25.00: 5.00 too much. Then 10.00 changes nothing."""
    given = received()
    found = []

    for number, amount in enumerate((1500, 2500, 1000)):
        given.when(notify(RefundSucceeded("re_1", usd(amount)), notification_id=f"evt_{number}"))
        found.append((given.the().refunded, given.the().entitlement.overpaid))

    assert found == [(usd(1500), usd(0)), (usd(2500), usd(500)), (usd(2500), usd(500))]


@pytest.mark.parametrize("moved", [Money(5, "eur"), Money(-1, "usd"), 5])
def test_an_amount_that_cannot_have_moved_is_refused(moved: object) -> None:
    """Another currency, less than nothing, or no amount at all."""
    assert received().codes(notify(RefundSucceeded("re_1", amount=cast("Money", moved)))) == [
        "invalid_outcome"
    ]


def test_a_repeated_notification_changes_nothing() -> None:
    """A notification that was recorded, or that says less than is known, records no event."""
    given = received()
    given.when(notify(RefundSucceeded("re_1")))
    before = given.ledger

    assert given.when(notify(RefundSucceeded("re_1"))) == ()
    assert given.when(notify(RefundPending("re_1"))) == ()
    assert given.ledger == before


def test_a_pending_notification_stores_the_reference() -> None:
    """After a pending notification, an outcome may be recorded by the reference of the refund."""
    given = received()
    given.record_outcomes((KEY, Unknown("timeout")))

    given.when(notify(RefundPending("re_1")))
    given.when(RecordRefundOutcome(return_id="ret_1", reference="re_1", outcome=RefundSucceeded()))

    (refund,) = given.the().refunds
    assert (refund.status, refund.reference) == (RefundStatus.SUCCEEDED, "re_1")


def test_a_refund_that_was_given_up_waits_for_a_recorded_outcome() -> None:
    """A refund that was given up counts as paid until its outcome is recorded."""
    given = received()
    given.record_outcomes((KEY, GivenUp("TimeoutError: 30 s")))
    stuck = given.the()
    refused = given.codes(RetryRefund(return_id="ret_1"))

    given.when(notify(RefundDeclined("never_arrived"), created_by="anna"))

    assert (stuck.refunds[0].status, stuck.refunds[0].failure) == (
        RefundStatus.NEEDS_ATTENTION,
        "TimeoutError: 30 s",
    )
    assert refused == ["nothing_due"]
    assert given.the().amount_due == usd(2000)


def test_giving_up_does_not_undo_what_is_known() -> None:
    """Giving up a refund after its notification records nothing."""
    given = received()
    given.when(notify(RefundPending("re_1")))

    assert given.record_outcomes((KEY, GivenUp("timeout"))) == ()
    assert given.the().refunds[0].status is RefundStatus.PENDING


def test_an_answer_that_says_more_than_a_notification_counts() -> None:
    """A declined answer after a pending notification fails the refund."""
    given = received()
    given.when(notify(RefundPending("re_1")))

    given.record_outcomes((KEY, RefundDeclined("expired")))

    assert given.the().refunds[0].status is RefundStatus.FAILED


def test_an_outcome_of_an_unknown_refund_is_refused() -> None:
    """The refusal lists what was not found together with everything that is invalid."""
    given = received()

    unknown = given.refuses(notify(RefundSucceeded(), key="ret_1-refund-9"))
    no_return = given.refuses(notify("succeeded", key="ret_9-refund-1", idempotency_key=""))
    nothing = given.refuses(notify(RefundSucceeded(), key=None))
    odd = given.refuses(notify(RefundSucceeded(), key=5))

    assert (type(unknown), unknown.code) == (NotFound, "refund_not_found")
    assert [violation.code for violation in no_return.violations] == [
        "return_not_found",
        "invalid_outcome",
        "invalid_idempotency_key",
    ]
    assert nothing.code == "return_not_found"
    assert [violation.code for violation in odd.violations] == ["return_not_found", "invalid_text"]
    assert type(given.refuses(notify(None))) is Invalid


def test_a_notice_that_more_moved_than_was_known_counts() -> None:
    """Of two notices of a success the larger amount is in force, in either order."""
    for first, second in ((1500, 2300), (2300, 1500)):
        given = received()
        given.when(notify(RefundSucceeded("re_1", amount=usd(first))))
        given.when(notify(RefundSucceeded("re_1", amount=usd(second))))

        assert given.the().refunded == usd(2300)


def test_a_failure_of_an_effect_that_is_closed_changes_nothing() -> None:
    """Another process was faster, and had an answer."""
    given = received()
    given.record_outcomes((KEY, RefundSucceeded("re_1")))

    assert given.record_outcomes((KEY, Unknown("timeout"))) == ()
