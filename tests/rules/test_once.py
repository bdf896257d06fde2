"""Idempotency keys, outcomes that come twice, and what is remembered."""

import pytest

from rma import (
    CancelReturn,
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
    """Equal in class and every field; lists and tuples are the same."""
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
    """The error names what differs."""
    given = Given()
    given.when(request(1, idempotency_key="k"))

    with pytest.raises(IdempotencyKeyReused) as error:
        answer(given.ledger, other)

    assert (error.value.code, error.value.http_status_hint) == ("idempotency_key_reused", 409)
    assert error.value.details == {"idempotency_key": "k", "fields": fields}
    message = f"idempotency key k belongs to another request, which differs in {', '.join(fields)}"
    assert str(error.value) == message


def test_a_keyed_command_that_changed_nothing_is_not_remembered() -> None:
    """There is nothing to answer with but the present state, and that is so anyway."""
    given = Given()
    given.when(request(1))
    given.when(CancelReturn(return_id="ret_1", idempotency_key="first"))
    given.when(CancelReturn(return_id="ret_1", idempotency_key="second"))

    assert list(given.ledger.answered) == ["first"]


def test_commands_without_a_key_are_not_kept() -> None:
    """History stays small."""
    given = Given()

    (event,) = given.when(request(1))

    assert getattr(event, "command", "missing") is None
    assert given.ledger.answered == {}


def test_an_outcome_that_comes_twice_settles_its_effect_once() -> None:
    """By another process, or a repeated delivery."""
    given = Given()
    given.when(request(2))
    given.when(receive(2))

    (event,) = given.record_outcomes(("ret_1/refund/1", RefundSucceeded("re_1")), ("ret_1/restock/1", Done()))
    again = given.record_outcomes(("ret_1/refund/1", RefundSucceeded("re_2")), ("no/such/effect", Done()))

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
    """The effect is closed: the gateway has the request."""
    given = Given()
    given.when(request(2))
    given.when(receive(2))

    given.record_outcomes(("ret_1/refund/1", RefundPending("re_1")))

    (refund,) = given.the().refunds
    assert (refund.status, refund.reference, refund.settled_at) == (RefundStatus.PENDING, "re_1", None)
    assert given.the().refunded == usd(2000)
    assert list(given.ledger.open_effects) == ["ret_1/restock/1"]


def test_an_effect_of_unknown_outcome_stays_open_and_says_why() -> None:
    """It is counted, and the same key is sent again."""
    given = Given()
    given.when(request(2, shipping_option_id="so_return"))

    given.record_outcomes(("ret_1/shipment/1", Unknown("TimeoutError: 30 s")))
    given.record_outcomes(("ret_1/shipment/1", Unknown("ConnectionError: away")))

    (effect,) = given.ledger.open_effects.values()
    assert (effect.attempts, effect.last_error) == (2, "ConnectionError: away")
    given.record_outcomes(("ret_1/shipment/1", ReturnShipment({"label": 1}, "T1", "https://x.example")))
    assert given.the().shipping_data == {"label": 1}
    assert given.the().shipment == ReturnShipment({"label": 1}, "T1", "https://x.example")


def test_no_outcome_is_no_change() -> None:
    """Of the ledger or its revision."""
    ledger = ReturnLedger("order_1")

    assert apply_outcomes(ledger, [], START) == unchanged(ledger)


def test_publication_is_remembered_and_needs_no_publishing_itself() -> None:
    """The ledger is behind only if something came between."""
    given = Given()
    given.when(request(1))
    done = apply_publication(given.ledger, 1, START)
    given.when(request(1))
    late = apply_publication(given.ledger, 1, START)

    assert (done.ledger.published, done.ledger.revision) == (2, 2)
    assert (late.ledger.published, late.ledger.revision) == (1, 3)
    assert apply_publication(done.ledger, 2, START).events == ()


def test_evolving_is_total() -> None:
    """Events of returns that are not there change nothing, and none is refused."""
    given = Given(order_of(line(quantity=5)))
    given.when(request(2, shipping_option_id="so_return"))
    given.record_outcomes(("ret_1/shipment/1", Unknown("away")))
    given.when(receive(1))
    given.record_outcomes(("ret_1/shipment/1", ReturnShipment()), ("ret_1/restock/1", Done()))
    given.when(CancelReturn(return_id="ret_1"))
    empty = ReturnLedger("order_1")

    for event in given.history[1:]:
        assert evolve(empty, event).returns == ()


def test_history_rebuilds_the_ledger_with_what_is_outstanding() -> None:
    """An outbox that was lost is found again."""
    given = Given()
    given.when(request(2, shipping_option_id="so_return", idempotency_key="k"))
    given.when(receive(1, more_expected=True))
    given.record_outcomes(("ret_1/refund/1", Unknown("away")))

    rebuilt = replay("order_1", given.history)

    assert rebuilt == given.ledger
    assert len(rebuilt.open_effects) == 3


def test_outcomes_are_told_by_return_and_carry_its_notification() -> None:
    """Whoever mails a customer needs to know about which return, and whether to."""
    given = Given(order_of(line(quantity=2)))
    given.when(request(1, shipping_option_id="so_return", no_notification=True))
    given.when(request(1, shipping_option_id="so_return"))

    events = given.record_outcomes(
        ("ret_1/shipment/1", ReturnShipment()), ("ret_2/shipment/1", Unknown("away"))
    )

    said = [
        (event.return_id, event.no_notification) for event in events if isinstance(event, EffectsAttempted)
    ]
    assert said == [("ret_1", True), ("ret_2", False)]
    assert [event.event_id for event in events] == ["order_1/3/1", "order_1/3/2"]
    assert all(ret.updated_at == given.now for ret in given.ledger.returns)
