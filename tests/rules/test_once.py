"""Idempotency keys, repeated outcomes, and what a ledger remembers."""

import pytest

from rma import (
    CancelReturn,
    DeliveryChanged,
    EffectsAttempted,
    IdempotencyKeyReused,
    RefundStatus,
    ReturnLedger,
)
from rma.domain.change import apply_outcomes, apply_publication, replay, unchanged
from rma.domain.decide import answer
from rma.domain.evolve import evolve
from rma.domain.messages.effects import Done, RefundPending, RefundSucceeded, ReturnShipment, Unknown
from rma.testing.core_harness import START
from tests.rules.given import Given, line, order_of, receive, request, usd


def test_a_repeated_command_is_answered_with_its_return() -> None:
    """
    A command that equals the first one under its key, in class and every field, is answered with its
    return.
    """
    given = Given()
    command = request(1, idempotency_key="k")
    assert answer(given.ledger, command) is None

    given.when(command)

    assert answer(given.ledger, request(1, idempotency_key="k")) == "ret_1"
    assert answer(given.ledger, request(1, idempotency_key="other")) is None
    assert answer(given.ledger, request(1)) is None
    assert answer(given.ledger, request(1, idempotency_key=["k"])) is None


@pytest.mark.parametrize(
    ("other", "fields"),
    [
        (request(2, idempotency_key="k"), ["items"]),
        (request(1, idempotency_key="k", created_by="anna"), ["created_by"]),
        (request(2, idempotency_key="k", refund_amount=usd(0)), ["items", "refund_amount"]),
        (CancelReturn(return_id="ret_1", idempotency_key="k"), ["command"]),
    ],
)
def test_the_same_key_with_another_request_is_refused(other: CancelReturn, fields: list[str]) -> None:
    """The error names the key and the fields that differ from the first request."""
    given = Given()
    given.when(request(1, idempotency_key="k"))

    with pytest.raises(IdempotencyKeyReused) as error:
        answer(given.ledger, other)

    assert (error.value.code, error.value.http_status_hint) == ("idempotency_key_reused", 409)
    assert error.value.details == {"idempotency_key": "k", "fields": fields}
    message = f"idempotency key k belongs to another request, which differs in {', '.join(fields)}"
    assert str(error.value) == message


def test_a_command_that_changed_nothing_is_not_remembered_under_its_key() -> None:
    """A second cancellation does not store its idempotency key."""
    given = Given()
    given.when(request(1))
    given.when(CancelReturn(return_id="ret_1", idempotency_key="first"))
    given.when(CancelReturn(return_id="ret_1", idempotency_key="second"))

    assert list(given.ledger.answered) == ["first"]


def test_commands_without_a_key_are_not_stored() -> None:
    """Neither the event nor the ledger stores a command that has no idempotency key."""
    given = Given()

    (event,) = given.when(request(1))

    assert getattr(event, "command", "missing") is None
    assert given.ledger.answered == {}


def test_a_repeated_outcome_is_recorded_once() -> None:
    """The second outcome of an effect and an outcome of an unknown effect record nothing."""
    given = Given()
    given.when(request(2))
    given.when(receive(2))

    (event,) = given.record_outcomes(("ret_1-refund-1", RefundSucceeded("re_1")), ("ret_1-restock-1", Done()))
    again = given.record_outcomes(("ret_1-refund-1", RefundSucceeded("re_2")), ("no/such/effect", Done()))

    assert isinstance(event, EffectsAttempted)
    assert again == ()
    (refund,) = given.the().refunds
    assert (refund.status, refund.reference, refund.settled_at) == (
        RefundStatus.SUCCEEDED,
        "re_1",
        given.the().updated_at,
    )
    assert given.ledger.open_effects == {}


def test_a_pending_refund_keeps_its_reference_and_counts() -> None:
    """A pending refund stores its reference and counts as refunded; its effect waits for the outcome."""
    given = Given()
    given.when(request(2))
    given.when(receive(2))

    given.record_outcomes(("ret_1-refund-1", RefundPending("re_1")))

    (refund,) = given.the().refunds
    assert (refund.status, refund.reference, refund.settled_at) == (RefundStatus.PENDING, "re_1", None)
    assert given.the().refunded == usd(2000)
    assert list(given.ledger.open_effects) == ["ret_1-restock-1", "ret_1-refund-1"]
    assert given.ledger.open_effects["ret_1-refund-1"].delivery.pending_since == given.now


def test_an_effect_of_unknown_outcome_stays_open_and_says_why() -> None:
    """
    An unknown outcome keeps the effect open with the number of attempts and the last error, until one is
    known.
    """
    given = Given()
    given.when(request(2, shipping_option_id="so_return"))

    given.record_outcomes(("ret_1-shipment-1", Unknown("TimeoutError: 30 s")))
    given.record_outcomes(("ret_1-shipment-1", Unknown("ConnectionError: away")))

    (effect,) = given.ledger.open_effects.values()
    assert (effect.delivery.attempts, effect.delivery.last_error) == (2, "ConnectionError: away")
    given.record_outcomes(("ret_1-shipment-1", ReturnShipment({"label": 1}, "T1", "https://x.example")))
    assert given.the().shipping_data == {"label": 1}
    assert given.the().shipment == ReturnShipment({"label": 1}, "T1", "https://x.example")


def test_an_empty_list_of_outcomes_changes_nothing() -> None:
    """An empty list of outcomes changes neither the ledger nor its revision."""
    ledger = ReturnLedger("order_1")

    assert apply_outcomes(ledger, [], START) == unchanged(ledger)


def test_publication_is_remembered_and_needs_no_publishing_itself() -> None:
    """Recording a publication brings the ledger up to date, unless events were recorded meanwhile."""
    given = Given()
    given.when(request(1))
    done = apply_publication(given.ledger, 1, START)
    given.when(request(1))
    late = apply_publication(given.ledger, 1, START)

    assert (done.ledger.published, done.ledger.revision) == (2, 2)
    assert (late.ledger.published, late.ledger.revision) == (1, 3)
    assert apply_publication(done.ledger, 2, START).events == ()


def test_events_of_unknown_returns_change_no_return() -> None:
    """Events of returns that are not in the ledger neither raise nor add a return."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(2, shipping_option_id="so_return"))
    given.record_outcomes(("ret_1-shipment-1", Unknown("away")))
    given.when(receive(1))
    given.record_outcomes(("ret_1-shipment-1", ReturnShipment()), ("ret_1-restock-1", Done()))
    given.when(CancelReturn(return_id="ret_1"))
    empty = ReturnLedger("order_1")

    for event in given.history[1:]:
        assert evolve(empty, event).returns == ()


def test_history_rebuilds_the_ledger_with_what_is_outstanding() -> None:
    """Replaying the history restores the ledger with all open effects."""
    given = Given()
    given.when(request(2, shipping_option_id="so_return", idempotency_key="k"))
    given.when(receive(1, more_expected=True))
    given.record_outcomes(("ret_1-refund-1", Unknown("away")))

    rebuilt = replay("order_1", given.history)

    assert rebuilt == given.ledger
    assert len(rebuilt.open_effects) == 3


def test_outcomes_are_recorded_by_return_with_its_notification() -> None:
    """Outcomes of several returns are recorded in one event a return, each with its `no_notification`."""
    given = Given(order_of(line(quantity=2)))
    given.when(request(1, shipping_option_id="so_return", no_notification=True))
    given.when(request(1, shipping_option_id="so_return"))

    events = given.record_outcomes(
        ("ret_1-shipment-1", ReturnShipment()), ("ret_2-shipment-1", Unknown("away"))
    )

    said = [(type(event), event.return_id, event.no_notification) for event in events]
    assert said == [(EffectsAttempted, "ret_1", True), (DeliveryChanged, "ret_2", False)]
    assert [event.event_id for event in events] == ["order_1/3/1", "order_1/3/2"]
    assert given.the("ret_1").updated_at == given.now
