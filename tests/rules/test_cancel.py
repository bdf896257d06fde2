"""CancelReturn."""

from typing import Any

from rma import (
    CancelReturn,
    CancelShipmentRequest,
    NotAllowed,
    NotFound,
    ReturnCanceled,
    ReturnShipment,
    ReturnStatus,
    WithdrawRequest,
)
from rma.domain.messages.effects import Done, StockLine
from tests.rules.given import Given, effect_kinds, line, order_of, receive, request, usd

CANCEL = CancelReturn(return_id="ret_1", created_by="anna")


def requested(quantity: int = 2, **more: Any) -> Given:
    """Returns an order of five mugs with a return of some of them."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(quantity, **more))
    return given


def test_canceling_releases_the_units() -> None:
    """Canceling a return makes its units returnable again, and opens no effect."""
    given = requested(2, no_notification=True)

    (event,) = given.when(CANCEL)

    assert isinstance(event, ReturnCanceled)
    assert (event.by, event.no_notification) == ("anna", True)
    assert given.the().status is ReturnStatus.CANCELED
    assert given.the().canceled_at == given.the().updated_at == given.now
    assert given.ledger.open_effects == {}
    given.when(request(5))
    assert given.the("ret_2").order_version == 4


def test_a_booked_shipment_is_canceled_with_what_the_carrier_answered() -> None:
    """
    The cancellation of a shipment names the key of the booking and the shipment that the carrier returned.
    """
    given = requested(2, shipping_option_id="so_return")
    shipment = ReturnShipment({"label": 7})
    given.record_outcomes(("ret_1-shipment-1", shipment))

    given.when(CANCEL)

    (effect,) = given.ledger.open_effects.values()
    assert effect.request == CancelShipmentRequest(
        "ret_1-cancel_shipment-1", "order_1", "ret_1", "ret_1-shipment-1", shipment
    )


def test_a_cancellation_waits_for_its_booking_and_carries_the_booked_shipment() -> None:
    """
    The cancellation of a shipment whose booking is open waits for the booking, then carries the shipment.
    """
    given = requested(2, shipping_option_id="so_return")
    given.when(CANCEL)

    assert effect_kinds(given.ledger) == ["shipment-1", "cancel_shipment-1"]
    assert given.ledger.open_effects["ret_1-cancel_shipment-1"].waits_for == "ret_1-shipment-1"
    given.record_outcomes(("ret_1-shipment-1", ReturnShipment({"label": 7})))

    (waiting,) = given.ledger.open_effects.values()
    assert isinstance(waiting.request, CancelShipmentRequest)
    assert waiting.request.shipment == ReturnShipment({"label": 7})
    assert given.the().shipping_data == {"label": 7}


def test_goods_of_an_unresolved_return_are_withdrawn_where_they_were_restocked() -> None:
    """
    Canceling withdraws exactly the restocked units of each receipt, at its location, and keeps the
    receipts.
    """
    given = requested(4, location_id="loc_1")
    given.when(receive(1, 1))
    given.when(receive(1, location_id="loc_2"))
    given.record_outcomes(("ret_1-restock-1", Done()))

    given.when(CANCEL)

    kinds = effect_kinds(given.ledger)
    assert kinds == ["restock-2", "withdraw-1", "withdraw-2"]
    withdrawals = [
        effect.request
        for effect in given.ledger.open_effects.values()
        if isinstance(effect.request, WithdrawRequest)
    ]
    assert [(each.location_id, each.restock_key) for each in withdrawals] == [
        ("loc_1", "ret_1-restock-1"),
        ("loc_2", "ret_1-restock-2"),
    ]
    assert all(each.lines == (StockLine("mug", "v_mug", 1),) for each in withdrawals)
    (item,) = given.the().items
    assert (item.received_quantity, item.damaged_quantity) == (0, 0)
    assert len(given.the().receipts) == 2
    given.when(request(5))


def test_units_that_were_not_expected_are_returnable_again() -> None:
    """
    Canceling also takes back units that arrived without being requested, so that all five are returnable.
    """
    given = requested(1)
    given.when(receive(2))

    given.when(CANCEL)

    assert [item.arrived_quantity for item in given.the().items] == [0, 0]
    assert given.the().refund_amount == usd(1000)
    given.when(request(5))


def test_canceling_twice_is_the_same_as_once() -> None:
    """Canceling a canceled return records no event and does not change the ledger."""
    given = requested()
    given.when(CANCEL)
    before = given.ledger

    assert given.when(CANCEL) == ()
    assert given.ledger == before


def test_a_received_return_cannot_be_canceled() -> None:
    """A received return refuses the cancellation as NotAllowed with `return_already_received`."""
    given = requested()
    given.when(receive(2))

    assert type(given.refuses(CANCEL)) is NotAllowed
    assert given.codes(CANCEL) == ["return_already_received"]


def test_what_was_paid_in_part_can_only_be_closed_short() -> None:
    """A return that was refunded in part refuses the cancellation, also after a mismatch."""
    given = requested()
    given.when(receive(1, more_expected=True))
    partially = given.codes(CANCEL)
    given.when(receive(2))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert partially == given.codes(CANCEL) == ["return_not_cancelable"]


def test_a_return_that_does_not_exist_cannot_be_canceled() -> None:
    """An unknown return is reported as not found, together with the invalid idempotency key."""
    error = requested().refuses(CancelReturn(return_id="ret_9", idempotency_key=""))

    assert type(error) is NotFound
    assert [violation.code for violation in error.violations] == [
        "return_not_found",
        "invalid_idempotency_key",
    ]
