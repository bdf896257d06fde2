"""Keys of effects: how they are spelled, whose they are, and that ledgers with older keys go on."""

import pytest
from attrs import evolve

from rma import CancelReturn, ReturnShipment
from rma.domain.change import Change, apply_outcomes, replay
from rma.domain.events import ReturnRequested
from rma.domain.messages.effects import CancelShipmentRequest, Outcome, effect_key, owner_of
from rma.domain.state.ledger import ReturnLedger
from rma.testing.core_harness import CoreHarness
from tests.rules.given import line, order_of, request
from tests.world import RETURN_OPTION

OLD_KEY = "ret_1/shipment/1"


@pytest.mark.parametrize("owner_id", ["ret_1", "claim_a-b", "exc_-", "ret_1-refund-2", "ret_a/b-3", ""])
@pytest.mark.parametrize("kind", ["refund", "cancel_shipment"])
def test_a_key_names_its_owner_kind_and_number(owner_id: str, kind: str) -> None:
    """And the owner is read from it, whatever its id is made of, also as keys were spelled before."""
    assert effect_key(owner_id, kind, 12) == f"{owner_id}-{kind}-12"
    assert owner_of(effect_key(owner_id, kind, 12)) == owner_id
    assert owner_of(f"{owner_id}/{kind}/12") == owner_id


def with_old_key() -> ReturnLedger:
    """Returns a ledger with a booking that is open under a key as it was spelled before."""
    harness = CoreHarness(order_of(line(quantity=2)), options=[RETURN_OPTION])
    (event,) = harness.handle(request(1, shipping_option_id=RETURN_OPTION.id)).events
    assert isinstance(event, ReturnRequested)
    assert event.shipment_request is not None
    old = evolve(event, shipment_request=evolve(event.shipment_request, key=OLD_KEY))
    return replay("order_1", [old])


def canceled(ledger: ReturnLedger) -> Change:
    """Returns the change that cancels the first return."""
    return CoreHarness(order_of(line(quantity=2)), ledger=ledger).handle(CancelReturn(return_id="ret_1"))


def test_an_outcome_under_an_older_key_is_recorded() -> None:
    """The return has its label, and nothing is open."""
    ledger = with_old_key()

    ledger = apply_outcomes(
        ledger, [Outcome(OLD_KEY, ReturnShipment({"label": 1}))], ledger.returns[0].requested_at
    ).ledger

    assert ledger.returns[0].shipping_data == {"label": 1}
    assert not ledger.open_effects


def test_a_cancellation_waits_for_a_booking_under_an_older_key() -> None:
    """The cancellation has a key as they are spelled now, and names that of the booking."""
    effects = canceled(with_old_key()).ledger.open_effects

    cancellation = effects["ret_1-cancel_shipment-1"]
    assert isinstance(cancellation.request, CancelShipmentRequest)
    assert cancellation.waits_for == cancellation.request.shipment_key == OLD_KEY
    assert list(effects) == [OLD_KEY, "ret_1-cancel_shipment-1"]


def test_a_cancellation_waits_for_the_booking_of_its_own_return() -> None:
    """Other returns of the order have open bookings, too."""
    harness = CoreHarness(order_of(line(quantity=2)), options=[RETURN_OPTION])
    for _ in range(2):
        harness.handle(request(1, shipping_option_id=RETURN_OPTION.id))

    harness.handle(CancelReturn(return_id="ret_2"))

    assert harness.ledger.open_effects["ret_2-cancel_shipment-1"].waits_for == "ret_2-shipment-1"
