"""RetryRefund."""

import pytest

from rma import (
    Invalid,
    Money,
    NotAllowed,
    NotFound,
    Order,
    Payment,
    RefundRetried,
    RefundStatus,
    RetryRefund,
)
from rma.domain.messages.effects import RefundDeclined, RefundPending, RefundSucceeded, Unknown
from rma.domain.react import react
from rma.domain.views.order_state import FulfillmentStatus, order_state
from tests.rules.given import (
    Given,
    effect_kinds,
    line,
    names_and_amounts,
    order_of,
    put,
    receive,
    request,
    usd,
)

RETRY = RetryRefund(return_id="ret_1", created_by="anna")


def received(captured: int = 5000) -> Given:
    """Returns a received return of two mugs at 10.00."""
    given = Given(order_of(line(quantity=2), captured=captured))
    given.when(request(2))
    given.when(receive(2))
    return given


def test_a_declined_refund_is_requested_again_under_the_next_key() -> None:
    """A retry requests the amount of a declined refund under the next key and names the refund it retries."""
    given = received()
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("expired")))
    due = given.the().amount_due

    (event,) = given.when(RETRY)

    first, second = given.the().refunds
    assert due == usd(2000)
    assert (first.status, first.failure, first.settled_at is not None) == (
        RefundStatus.FAILED,
        "expired",
        True,
    )
    assert (second.key, second.retry_of, second.amount) == ("ret_1-refund-2", "ret_1-refund-1", usd(2000))
    assert isinstance(event, RefundRetried)
    assert [effect.key for effect in react(event)] == ["ret_1-refund-2"]
    assert given.the().amount_due == usd(0)


def test_a_retry_of_a_retry_names_the_last_one() -> None:
    """Each retry names the refund before it, not the first one."""
    given = received()
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("expired")))
    given.when(RETRY)
    given.record_outcomes(("ret_1-refund-2", RefundDeclined("expired")))

    given.when(RETRY)

    assert [refund.retry_of for refund in given.the().refunds] == [None, "ret_1-refund-1", "ret_1-refund-2"]


def test_a_blocked_amount_is_paid_once_it_is_refundable() -> None:
    """
    A blocked amount is paid in parts or whole once it is refundable, and is blocked until all of it is
    paid.
    """
    given = received(captured=500)
    refused = given.refuses(RETRY)
    named = given.refuses(RetryRefund(return_id="ret_1", amount=usd(600)))
    blocked = order_state(order_of(captured=500), given.ledger).fulfillment_status
    put(given, payments=[Payment(id="pay_1", captured=usd(500)), Payment(id="pay_2", captured=usd(1500))])

    given.when(RetryRefund(return_id="ret_1", amount=usd(600)))
    partly = given.the()
    given.when(RETRY)

    assert refused.violations[0].code == "refund_exceeds_refundable"
    assert named.violations[0].numbers == {"amount": 600, "refundable": 500, "currency": "usd"}
    assert refused.violations[0].numbers == {"amount": 2000, "refundable": 500, "currency": "usd"}
    assert blocked is FulfillmentStatus.REQUIRES_ACTION
    assert (partly.entitlement.is_refund_blocked, partly.amount_due) == (True, usd(1400))
    assert (given.the().entitlement.is_refund_blocked, given.the().amount_due) == (False, usd(0))
    assert [(refund.payment_id, refund.amount.amount) for refund in given.the().refunds] == [
        ("pay_1", 500),
        ("pay_2", 100),
        ("pay_2", 1400),
    ]


def test_money_that_may_have_moved_is_not_due() -> None:
    """A retry is refused while the refund has succeeded, is pending or has an unknown outcome."""
    for result in (RefundSucceeded("re"), RefundPending("re"), Unknown("timeout")):
        given = received()
        given.record_outcomes(("ret_1-refund-1", result))

        assert type(given.refuses(RETRY)) is NotAllowed
        assert given.codes(RETRY) == ["nothing_due"]


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (usd(0), "invalid_refund_amount"),
        (usd(-1), "invalid_refund_amount"),
        (True, "invalid_refund_amount"),
        (Money(1, "eur"), "currency_mismatch"),
        (usd(2001), "refund_exceeds_due"),
    ],
)
def test_a_part_is_money_of_at_least_a_minor_unit_and_at_most_what_is_due(amount: object, code: str) -> None:
    """The amount of a retry has to be at least one minor unit and at most what is due."""
    given = received()
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("expired")))

    error = given.refuses(RetryRefund(return_id="ret_1", amount=amount))  # type: ignore[arg-type] # the point

    assert type(error) is Invalid
    assert [violation.code for violation in error.violations] == [code]


def test_a_retry_for_an_unknown_return_is_refused() -> None:
    """An unknown return is reported as not found, together with the other violations."""
    given = received()
    given.order = None

    error = given.refuses(RetryRefund(return_id="ret_9", amount=0, idempotency_key=""))

    assert type(error) is NotFound
    assert [violation.code for violation in error.violations] == [
        "return_not_found",
        "invalid_refund_amount",
        "invalid_idempotency_key",
    ]


def test_an_order_that_is_gone_is_reported() -> None:
    """A retry for an unknown order is refused with `order_not_found`, although something is due."""
    given = received()
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("expired")))
    given.order = None

    assert given.codes(RETRY) == ["order_not_found"]
    assert given.codes(RetryRefund(return_id="ret_1", amount=5)) == ["order_not_found"]


def test_a_failed_refund_never_changes_the_returns_status() -> None:
    """A declined refund leaves the status of the return and its restock as they are."""
    given = received()
    before = given.the().status
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("expired")))

    assert given.the().status is before
    assert effect_kinds(given.ledger) == ["restock-1"]


def test_a_cent_of_the_hosts_rounding_does_not_keep_an_amount_blocked() -> None:
    """A blocked amount that exceeds what is refundable by one minor unit is paid with a rounding part."""
    given = received(captured=500)
    put(given, payments=[Payment(id="pay_1", captured=usd(1999))])

    given.when(RETRY)

    assert [refund.amount for refund in given.the().refunds] == [usd(1999)]
    assert (given.the().entitlement.is_refund_blocked, given.the().amount_due) == (False, usd(0))
    assert given.the().refund_amount == usd(1999)
    assert names_and_amounts(given.the()) == {"item:mug": 2000, "rounding": -1}


def test_a_parcel_that_was_blocked_is_paid_before_the_return_is_complete() -> None:
    """A retry pays a blocked parcel, and the quoted refund of the return stays."""
    given = Given(order_of(line(quantity=2), captured=500))
    given.when(request(2))
    given.when(receive(1, more_expected=True))
    put(given, payments=[Payment(id="pay_1", captured=usd(5000))])

    given.when(RETRY)

    assert (given.the().refund_amount, given.the().entitlement.entitled.amount) == (usd(2000), 1000)
    assert [refund.amount for refund in given.the().refunds] == [usd(1000)]


def test_an_order_that_changed_its_currency_pays_nothing() -> None:
    """A retry is refused after the order changed its currency."""
    given = received(captured=500)
    given.order = Order(id="order_1", currency="eur", items=[])

    assert given.codes(RETRY) == ["order_currency_changed", "refund_exceeds_refundable"]
