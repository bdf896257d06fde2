"""RecordSending, ExpireReturn and RenewShipment: what happens between the request and the parcel."""

from datetime import datetime, timedelta
from typing import Any

from rma import (
    CancelReturn,
    CancelShipmentRequest,
    NotFound,
    RecordSending,
    RenewShipment,
    ReturnExpired,
    ReturnPolicy,
    ReturnSent,
    ReturnShipment,
    ReturnStatus,
    Sending,
    ShipmentRenewed,
)
from rma.domain.messages.effects import GivenUp
from tests.rules.before import DECLINE, EXPIRE, RENEW, SENT, approve, pending, requested
from tests.rules.given import effect_kinds, receive, request, update, usd

DAYS_14 = ReturnPolicy(return_within_days=14, pay_within_days=7)


def test_a_sending_is_recorded() -> None:
    """When, under which number, and what shows it."""
    given = requested()
    at = given.now
    given.now += timedelta(days=2)

    (event,) = given.when(
        RecordSending(return_id="ret_1", sent_at=at, tracking_number="1Z", proof="receipt.jpg")
    )

    assert isinstance(event, ReturnSent)
    assert given.the().sending == Sending(at, "1Z", "receipt.jpg")
    assert given.the().status is ReturnStatus.REQUESTED


def test_a_sending_without_a_date_was_now() -> None:
    """A carrier's notice is recorded as it comes."""
    given = requested()
    given.when(SENT)
    assert given.the().sending == Sending(given.now)


def test_everything_that_is_wrong_with_a_sending_is_said_together() -> None:
    """Its date lies between the request and now."""
    given = requested()
    before = given.now - timedelta(days=1)
    after = given.now + timedelta(days=1)

    assert given.codes(RecordSending(return_id="ret_1", sent_at=before, proof="x" * 10_001)) == [
        "sent_before_requested",
        "text_too_long",
    ]
    assert given.codes(RecordSending(return_id="ret_1", sent_at=after)) == ["sent_at_in_future"]
    naive: Any = datetime(2026, 1, 1)  # noqa: DTZ001 # that is what is wrong
    assert given.codes(RecordSending(return_id="ret_1", sent_at=naive)) == ["invalid_datetime"]
    assert isinstance(given.refuses(RecordSending(return_id="ret_9")), NotFound)


def test_goods_are_sent_once() -> None:
    """And not after they arrived."""
    given = requested()
    given.when(SENT)
    assert given.codes(SENT) == ["return_already_sent"]
    given.when(receive(3))
    assert given.codes(SENT) == ["return_already_received"]


def test_a_return_expires_after_its_date() -> None:
    """Its label is canceled, its units are free, and it moves no money."""
    given = requested(policy=DAYS_14, shipping_option_id="so_return")
    until = given.now + timedelta(days=14)
    assert given.the().return_by == given.the().expires_at == until

    given.now = until - timedelta(minutes=1)
    given.all_delivered()
    given.now = until
    assert given.codes(EXPIRE) == ["not_expired_yet"]
    assert str(given.refuses(EXPIRE)).endswith(f"goods can be sent until {until.isoformat()}")
    (event,) = given.when(EXPIRE)

    assert isinstance(event, ReturnExpired)
    assert event.return_by == until
    assert given.the().status is ReturnStatus.EXPIRED
    assert given.the().expired_at == given.now
    assert given.the().expires_at is None
    (cancel,) = [each.request for each in given.ledger.open_effects.values()]
    assert cancel == CancelShipmentRequest(
        "ret_1-cancel_shipment-1",
        "order_1",
        "ret_1",
        "ret_1-shipment-1",
        ReturnShipment({"label": "ret_1-shipment-1"}),
    )
    given.when(request(3))


def test_expiring_twice_is_once() -> None:
    """Nothing more happens."""
    given = requested(policy=DAYS_14, shipping_option_id="so_return")
    given.now += timedelta(days=15)
    given.when(EXPIRE)

    assert given.when(EXPIRE) == ()


def test_a_return_without_a_date_never_expires() -> None:
    """The error says so."""
    given = requested()
    given.now += timedelta(days=1000)
    assert str(given.refuses(EXPIRE)).endswith("it never expires")
    assert isinstance(given.refuses(type(EXPIRE)(return_id="ret_9")), NotFound)


def test_nothing_that_was_sent_or_received_expires() -> None:
    """Whatever its date."""
    sent, received = requested(policy=DAYS_14), requested(policy=DAYS_14)
    sent.when(SENT)
    received.when(receive(1, more_expected=True))
    for given, code in ((sent, "return_already_sent"), (received, "return_already_received")):
        given.now += timedelta(days=30)
        assert given.codes(EXPIRE) == [code]
        assert given.the().expires_at is None


def test_a_reviewed_return_can_be_sent_so_long_after_its_approval() -> None:
    """No time runs while the merchant thinks."""
    given = pending(policy=ReturnPolicy(review=True, return_within_days=14))
    assert given.the().return_by is None
    given.now += timedelta(days=20)

    given.when(approve())

    assert given.the().return_by == given.now + timedelta(days=14)


def test_a_late_parcel_of_an_expired_return_is_booked() -> None:
    """Its label was canceled once, is not again, and is not deducted."""
    given = requested(policy=DAYS_14, shipping_option_id="so_return")
    given.now += timedelta(days=15)
    given.when(EXPIRE)
    given.all_delivered()

    given.when(receive(3))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(receive(0, allow_mismatch=True))
    assert given.the().refund_amount == usd(2900)


def test_a_late_parcel_of_an_expired_return_can_go_back() -> None:
    """Its label was canceled when it expired."""
    given = requested(policy=DAYS_14, shipping_option_id="so_return")
    given.now += timedelta(days=15)
    given.when(EXPIRE)
    given.when(receive(1))
    given.all_delivered()

    given.when(CancelReturn(return_id="ret_1"))

    assert effect_kinds(given.ledger) == ["withdraw-1"]


def test_an_expired_return_is_neither_updated_nor_renewed() -> None:
    """It has ended."""
    given = requested(policy=DAYS_14, shipping_option_id="so_return")
    given.now += timedelta(days=15)
    given.when(EXPIRE)
    for command in (update(1), SENT, RENEW):
        assert "return_expired" in given.codes(command)
    assert given.codes(DECLINE) == ["return_not_pending"]


def test_a_policys_refund_is_due_so_long_after_the_goods_arrived() -> None:
    """The first parcel counts; nothing is due before."""
    given = requested(policy=DAYS_14)
    assert given.the().refund_due_by is None
    given.when(SENT)
    assert given.the().refund_due_by is None

    given.when(receive(1, more_expected=True))
    due_by = given.now + timedelta(days=7)
    assert given.the().refund_due_by == due_by
    given.when(receive(2))

    assert given.the().refund_due_by == due_by
    assert given.the().payable_by is None  # it is paid, or on its way


def test_what_a_clerk_has_yet_to_judge_is_payable() -> None:
    """So is what failed; what is closed without a refund is not."""
    given = requested(policy=DAYS_14)
    given.when(receive(1))
    assert given.the().payable_by == given.now + timedelta(days=7)
    given.when(receive(0, allow_mismatch=True))
    assert given.the().payable_by is None
    from rma import RefundDeclined  # noqa: PLC0415 # only here

    given.record_outcomes(("ret_1-refund-1", RefundDeclined("no")))
    assert given.the().payable_by == given.the().refund_due_by


def test_parcels_of_a_policys_return_are_paid_one_by_one() -> None:
    """What did not arrive is not due."""
    given = requested(policy=DAYS_14)
    given.when(receive(1, more_expected=True))
    assert given.the().payable_by is None


def test_a_renewed_label_takes_the_place_of_the_one_before() -> None:
    """The one before is canceled, and waits for the answer to its booking."""
    given = requested(shipping_option_id="so_return")

    (event,) = given.when(RENEW)

    assert isinstance(event, ShipmentRenewed)
    assert effect_kinds(given.ledger) == ["shipment-1", "cancel_shipment-1", "shipment-2"]
    given.all_delivered()
    assert given.the().shipping_data == {"label": "ret_1-shipment-2"}
    given.when(RENEW)
    assert effect_kinds(given.ledger) == ["cancel_shipment-2", "shipment-3"]


def test_only_a_label_that_is_not_used_is_renewed() -> None:
    """There has to be one, and its goods are not on their way."""
    given = requested()
    assert given.codes(RENEW) == ["no_shipment"]
    given.when(SENT)
    assert given.codes(RenewShipment(return_id="ret_1", was_booked=5)) == [  # type: ignore[arg-type] # wrong on purpose
        "return_already_sent",
        "no_shipment",
        "invalid_flag",
    ]
    given.when(receive(1))
    assert given.codes(RENEW) == ["return_already_received"]
    assert isinstance(given.refuses(RenewShipment(return_id="ret_9")), NotFound)


def test_a_person_says_what_became_of_a_booking_that_was_stopped() -> None:
    """Only then is it known whether there is anything to cancel."""
    for was_booked, open_keys in ((True, ["cancel_shipment-1", "shipment-2"]), (False, ["shipment-2"])):
        given = requested(shipping_option_id="so_return")
        given.record_outcomes(("ret_1-shipment-1", GivenUp("away")))
        assert given.the().stuck_effects == ("ret_1-shipment-1",)
        assert given.codes(RENEW) == ["booking_unknown"]

        given.when(RenewShipment(return_id="ret_1", was_booked=was_booked))

        assert effect_kinds(given.ledger) == open_keys
        assert given.the().stuck_effects == ()
        given.all_delivered()
        assert given.the().shipping_data == {"label": "ret_1-shipment-2"}
        assert given.codes(RenewShipment(return_id="ret_1", was_booked=True)) == ["booking_not_stopped"]


def test_a_proof_can_be_given_later() -> None:
    """Then the sending is recorded again, with what was known of it; once it is proven, it is known."""
    given = requested()
    sent_at = given.now
    given.when(RecordSending(return_id="ret_1", sent_at=sent_at, tracking_number="1Z"))
    given.now += timedelta(days=3)
    assert given.codes(RecordSending(return_id="ret_1", tracking_number="2Z")) == ["return_already_sent"]

    given.when(RecordSending(return_id="ret_1", proof="receipt.jpg"))

    assert given.the().sending == Sending(sent_at, "1Z", "receipt.jpg")
    assert given.codes(RecordSending(return_id="ret_1", proof="other.jpg")) == ["return_already_sent"]


def test_a_label_that_the_goods_travel_with_is_not_canceled() -> None:
    """Who cancels a return that is on its way learns from the parcel that it was."""
    given = requested(shipping_option_id="so_return")
    given.all_delivered()
    given.when(SENT)
    given.when(CancelReturn(return_id="ret_1"))
    assert given.ledger.open_effects == {}


def test_goods_that_were_sent_in_time_are_recorded_though_the_return_expired() -> None:
    """It stays expired; a parcel can still be booked."""
    given = requested(policy=DAYS_14)
    sent_at = given.now + timedelta(days=14)
    given.now += timedelta(days=20)
    given.when(EXPIRE)

    late = sent_at + timedelta(seconds=1)
    assert given.codes(RecordSending(return_id="ret_1", sent_at=late)) == ["return_expired"]
    given.when(RecordSending(return_id="ret_1", sent_at=sent_at))

    assert given.the().status is ReturnStatus.EXPIRED
    assert given.the().sending == Sending(sent_at)
