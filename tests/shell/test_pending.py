"""A refund that its gateway called pending is looked up, never sent again, and not waited for for ever."""

from datetime import timedelta

import pytest

from rma import (
    DeliveryChanged,
    Gateway,
    Idempotent,
    NotAllowed,
    NotIdempotent,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    RetryRefund,
    Searchable,
    Timing,
)
from rma.observing import AttentionNeeded
from tests.rules.given import receive, request, usd
from tests.shell.adapters import Payments, SearchedPayments
from tests.shell.shop import DAY, HOUR, MINUTE, Shop

KEY = "ret_1-refund-1"
GATEWAYS: list[Gateway] = [Idempotent(), Idempotent(HOUR), Searchable(MINUTE), NotIdempotent(MINUTE)]
gateways = pytest.mark.parametrize("gateway", GATEWAYS)


def pending(payments: Payments, timing: Timing | None = None) -> Shop:
    """A return was received, and the gateway called its refund pending."""
    payments.answer = RefundPending("re_1")
    shop = Shop(payments=payments, timing=timing)
    shop.handle_all(request(2), receive(2, idempotency_key="k"))
    return shop


def hours_of_look_ups(shop: Shop, payments: SearchedPayments, days: int) -> list[int]:
    """The hours at which the gateway was asked, while a timer comes each hour."""
    found = []
    for hour in range(1, 24 * days + 1):
        before = len(payments.searched)
        shop.pass_time(HOUR)
        shop.service.resume()
        if len(payments.searched) != before:
            found.append(hour)
    return found


@gateways
def test_it_is_looked_up_every_six_hours_and_never_sent_again(gateway: Gateway) -> None:
    """Whatever the gateway promises about repeats, by timers, people and clients."""
    payments = SearchedPayments(gateway)
    shop = pending(payments)
    payments.found = RefundPending("re_1")
    commits = shop.calls("returns.commit")

    hours = hours_of_look_ups(shop, payments, days=2)
    shop.service.resume("ret_1")
    shop.service.resume("ret_1", stopped=True)
    shop.service.handle(receive(2, idempotency_key="k"))

    assert hours == [6, 12, 18, 24, 30, 36, 42, 48]
    assert payments.asked == [KEY]
    assert shop.calls("returns.commit") - commits == len(hours)
    assert len([each for each in shop.history if isinstance(each, DeliveryChanged)]) == 1
    assert shop.refund.status is RefundStatus.PENDING
    assert not shop.ledger.get("ret_1").needs_attention


@gateways
@pytest.mark.parametrize(
    ("found", "status", "due"),
    [
        (RefundSucceeded("re_1"), RefundStatus.SUCCEEDED, 0),
        (RefundSucceeded("re_1", usd(1500)), RefundStatus.SUCCEEDED, 500),
        (RefundDeclined("expired"), RefundStatus.FAILED, 2000),
    ],
)
def test_what_a_look_up_finds_is_recorded(
    gateway: Gateway, found: RefundOutcome, status: RefundStatus, due: int
) -> None:
    """It ends the effect, and what did not move is due again."""
    payments = SearchedPayments(gateway)
    shop = pending(payments)
    payments.found = found

    hours_of_look_ups(shop, payments, days=1)

    assert payments.searched == [KEY]
    assert shop.refund.status is status
    assert shop.ledger.get("ret_1").amount_due == usd(due)
    assert not shop.ledger.open_effects


@pytest.mark.parametrize("found", [None, RefundPending("re_1"), RefundPending()])
def test_a_gateway_that_knows_nothing_yet_is_asked_again(found: RefundOutcome | None) -> None:
    """It said that it took the refund: it is not sent because it is not found now."""
    payments = SearchedPayments()
    shop = pending(payments)
    payments.found = found

    assert hours_of_look_ups(shop, payments, days=1) == [6, 12, 18, 24]
    assert payments.asked == [KEY]
    assert shop.refund.reference == "re_1"


def test_a_look_up_that_fails_is_repeated_with_back_off() -> None:
    """Soon, then once an hour; that the gateway cannot be asked does not make the refund stuck."""
    payments = SearchedPayments()
    shop = pending(payments)
    payments.found = ConnectionError("away")

    hours = hours_of_look_ups(shop, payments, days=1)

    assert hours == list(range(6, 25))
    assert payments.asked == [KEY]
    assert shop.ledger.get("ret_1").stuck_effects == ()
    (effect,) = shop.service.outstanding()
    assert (effect.is_pending, effect.last_error) == (True, "ConnectionError: away")


@gateways
@pytest.mark.parametrize("found", [None, RefundPending("re_1"), ConnectionError("away")])
def test_it_needs_attention_after_ten_days(gateway: Gateway, found: RefundOutcome | Exception | None) -> None:
    """Whatever the look-ups say, and if they fail; it counts as in force, and is asked for no more."""
    payments = SearchedPayments(gateway)
    shop = pending(payments)
    payments.found = found
    hours_of_look_ups(shop, payments, days=9)
    early = shop.refund.status

    hours_of_look_ups(shop, payments, days=1)

    assert (early, shop.refund.status) == (RefundStatus.PENDING, RefundStatus.NEEDS_ATTENTION)
    assert shop.refund.failure == "pending since 2026-01-01 00:00"
    assert shop.refund.amount_in_force == 2000
    assert [each.id for each in shop.service.list(needs_attention=True)] == ["ret_1"]
    told = [each.reason for each in shop.signals if isinstance(each, AttentionNeeded)]
    assert told == ["refund_needs_attention"]
    assert hours_of_look_ups(shop, payments, days=2) == []
    assert payments.asked == [KEY]


@gateways
def test_where_it_cannot_be_looked_up_it_is_left_alone_till_then(gateway: Gateway) -> None:
    """Its order is not even named for ten days; then it needs attention."""
    payments = Payments(gateway)
    shop = pending(payments)

    shop.pass_time(10 * DAY - timedelta(seconds=1))
    early = shop.service.resume()
    shop.pass_time(timedelta(seconds=1))
    late = shop.service.resume()

    assert (early.orders, late.orders) == ((), ("order_1",))
    assert payments.asked == [KEY]
    assert shop.refund.status is RefundStatus.NEEDS_ATTENTION


def test_how_long_is_for_the_host_to_say() -> None:
    """A shop whose gateway is quick asks sooner, and is patient for a day."""
    payments = SearchedPayments()
    shop = pending(payments, Timing(pending_lookup=2 * HOUR, pending_patience=5 * HOUR))

    assert hours_of_look_ups(shop, payments, days=1) == [2, 4, 5]
    assert shop.refund.status is RefundStatus.NEEDS_ATTENTION


@pytest.mark.parametrize("is_overdue", [False, True])
@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (RefundSucceeded("re_1"), RefundStatus.SUCCEEDED),
        (RefundDeclined("expired"), RefundStatus.FAILED),
        (RefundReversed("returned"), RefundStatus.REVERSED),
    ],
)
def test_a_notice_ends_it(
    outcome: RefundOutcome | RefundReversed, status: RefundStatus, is_overdue: bool
) -> None:
    """Before and after it needed attention; nothing is looked up afterwards."""
    payments = SearchedPayments()
    shop = pending(payments)
    if is_overdue:
        hours_of_look_ups(shop, payments, days=10)

    shop.service.handle(RecordRefundOutcome(key=KEY, outcome=outcome, notification_id="evt_1"))

    assert shop.refund.status is status
    assert not shop.ledger.open_effects
    assert hours_of_look_ups(shop, payments, days=11) == []


@gateways
def test_a_notice_that_it_is_pending_stops_the_sending(gateway: Gateway) -> None:
    """The answer was lost; the gateway's notice says that it has it: it is looked up instead."""
    payments = SearchedPayments(gateway)
    payments.answer = RefundPending("re_1")
    shop = Shop(payments=payments)
    shop.handle_all(request(2))
    shop.service.handle(receive(2), deliver=False)
    notice = RecordRefundOutcome(key=KEY, outcome=RefundPending("re_1"), notification_id="evt_1")

    shop.service.handle(notice)
    shop.service.handle(notice)
    hours = hours_of_look_ups(shop, payments, days=1)

    assert (payments.asked, hours) == ([], [6, 12, 18, 24])
    assert (shop.refund.status, shop.refund.reference) == (RefundStatus.PENDING, "re_1")


def test_a_notice_that_it_is_pending_does_not_begin_the_patience_again() -> None:
    """The ten days count from when the gateway said so first."""
    payments = Payments()
    shop = pending(payments)
    shop.pass_time(9 * DAY)

    shop.service.handle(RecordRefundOutcome(key=KEY, outcome=RefundPending("re_1")))
    shop.pass_time(DAY)
    shop.service.resume()

    assert shop.refund.status is RefundStatus.NEEDS_ATTENTION


def test_money_on_its_way_is_not_paid_again() -> None:
    """A retry is refused while the refund is pending, and while it is overdue."""
    payments = Payments()
    shop = pending(payments)

    for _ in range(2):
        with pytest.raises(NotAllowed, match="no amount is due"):
            shop.service.handle(RetryRefund(return_id="ret_1"))
        shop.pass_time(10 * DAY)
        shop.service.resume()

    assert payments.asked == [KEY]
