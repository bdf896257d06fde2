"""An observer receives what a service does, and cannot change it."""

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    Change,
    NotIdempotent,
    RecordRefundOutcome,
    RefundDeclined,
    RefundPending,
    RefundSucceeded,
    StaleLedger,
    Unavailable,
)
from rma.adapters.memory import InMemoryEvents, InMemoryReturns
from rma.observing import (
    AttentionNeeded,
    CommandHandled,
    CommitConflicted,
    EffectDelivered,
    EffectFailed,
    PublishingFailed,
    Signal,
    StoringFailed,
)
from rma.shell.commit import ATTEMPTS
from tests.rules.given import order_of, receive, request
from tests.shell.adapters import Carrier, Payments, SearchedPayments
from tests.shell.shop import HOUR, LABEL, MINUTE, Shop

WHERE = {"order_id": "order_1", "subject_id": "ret_1"}


def test_a_command_its_repeat_and_its_effects_are_observed_in_order() -> None:
    """What was done, what each port answered, and that a repeat changed nothing."""
    shop = Shop()
    shop.handle_all(request(2))
    arrival = receive(2, idempotency_key="k")

    shop.handle_all(arrival, arrival)

    received = CommandHandled(**WHERE, command="ReceiveReturn", is_repeat=False)
    assert shop.signals == [
        CommandHandled(**WHERE, command="RequestReturn", is_repeat=False),
        received,
        EffectDelivered(**WHERE, key="ret_1-restock-1", effect="RestockRequest", attempt=1),
        EffectDelivered(**WHERE, key="ret_1-refund-1", effect="RefundRequest", attempt=1),
        evolve(received, is_repeat=True),
    ]


def test_a_command_that_finds_nothing_to_do_is_a_repeat() -> None:
    """Canceling twice, without a key, is the same as once."""
    shop = Shop()
    shop.handle_all(request(2), CancelReturn(return_id="ret_1"), CancelReturn(return_id="ret_1"))

    assert [each.is_repeat for each in shop.signals if isinstance(each, CommandHandled)] == [
        False,
        False,
        True,
    ]


def test_a_refused_command_tells_nothing() -> None:
    """The caller has the refusal."""
    shop = Shop([order_of()])

    with pytest.raises(Exception, match="only 2 returnable"):
        shop.service.handle(request(9))

    assert shop.signals == []


def test_attempts_are_counted_until_the_port_answers() -> None:
    """Each failure with its number and error; then the answer with the next number."""
    shop = Shop()
    shop.handle_all(request(2))
    shop.away = {"payments"}
    shop.handle_all(receive(2))
    for _ in range(2):
        shop.pass_time(HOUR)
        shop.service.resume()
    shop.away.clear()
    shop.pass_time(HOUR)
    shop.service.resume()

    told = [each for each in shop.signals if getattr(each, "key", "") == "ret_1-refund-1"]
    attempts = [(type(each), getattr(each, "attempt", None)) for each in told]
    assert attempts == [
        (EffectFailed, 1),
        (EffectFailed, 2),
        (AttentionNeeded, None),
        (EffectFailed, 3),
        (EffectDelivered, 4),
    ]
    errors = [each.error for each in told if isinstance(each, EffectFailed)]
    assert {type(error) for error in errors} == {ConnectionError}


class Racing(InMemoryReturns):
    """A store that refuses so many commits as stale."""

    stale = 0

    def commit(self, change: Change) -> None:
        """Raises StaleLedger, or stores the change."""
        if self.stale:
            self.stale -= 1
            raise StaleLedger("stale_ledger")
        super().commit(change)


def test_each_commit_that_loses_a_race_is_observed() -> None:
    """With its number; the last one before giving up is raised instead."""
    returns = Racing()
    shop = Shop(returns=returns)
    returns.stale = 2
    shop.handle_all(request(2))
    returns.stale = ATTEMPTS
    with pytest.raises(StaleLedger):
        shop.handle_all(request(2))

    conflicts = [each.attempt for each in shop.signals if isinstance(each, CommitConflicted)]
    assert conflicts == [1, 2, *range(1, ATTEMPTS)]
    assert {each.order_id for each in shop.signals} == {"order_1"}


def test_what_a_publisher_does_not_take_is_observed() -> None:
    """The event by its id, with what was raised."""
    shop = Shop(events=InMemoryEvents())
    shop.away = {"events"}

    shop.handle_all(request(2))

    (told,) = [each for each in shop.signals if isinstance(each, PublishingFailed)]
    assert (told.order_id, told.event_id, type(told.error)) == ("order_1", "order_1/1/1", ConnectionError)


def test_an_outcome_that_cannot_be_stored_is_observed() -> None:
    """The port acted, the store is away: the command is done, and the effect is sent again later."""

    class Failing(InMemoryReturns):
        """A store that fails from its third commit on."""

        commits = 0

        def commit(self, change: Change) -> None:
            """Raises Unavailable if it is time."""
            self.commits += 1
            if self.commits > 2:
                raise Unavailable("database_locked")
            super().commit(change)

    shop = Shop(returns=Failing())
    shop.handle_all(request(2), receive(2))

    (told,) = [each for each in shop.signals if isinstance(each, StoringFailed)]
    assert (told.order_id, type(told.error)) == ("order_1", Unavailable)


def reasons(shop: Shop) -> list[tuple[str | None, str]]:
    """What needed attention, in order."""
    return [(each.key, each.reason) for each in shop.signals if isinstance(each, AttentionNeeded)]


def test_whatever_needs_attention_is_observed_once() -> None:
    """A mismatch, a blocked refund, an unknown outcome, a contradiction, a stopped label."""
    mismatch = Shop()
    mismatch.handle_all(request(2), receive(1))
    blocked = Shop([order_of(captured=500)])
    blocked.handle_all(request(2), receive(2))
    unknown = Shop(payments=Payments(NotIdempotent()))
    unknown.away = {"payments"}
    unknown.handle_all(request(2), receive(2), receive_again())
    contradicted = Shop()
    contradicted.handle_all(request(2), receive(2))
    for outcome in (RefundDeclined("lost"), RefundSucceeded("re_1")):
        contradicted.handle_all(
            RecordRefundOutcome(key="ret_1-refund-1", outcome=outcome, notification_id=str(type(outcome)))
        )
    stopped = Shop(carrier=Carrier(NotIdempotent()))
    stopped.away = {"fulfillment"}
    stopped.handle_all(LABEL)

    assert reasons(mismatch) == [(None, "mismatch")]
    assert reasons(blocked) == [(None, "refund_blocked")]
    assert reasons(unknown) == [("ret_1-refund-1", "refund_needs_attention")]
    assert reasons(contradicted) == [
        ("ret_1-refund-1", "refund_failed"),
        ("ret_1-refund-1", "refund_needs_attention"),
    ]
    assert reasons(stopped) == [("ret_1-shipment-1", "effect_stuck")]


def receive_again() -> RecordRefundOutcome:
    """A notice that says nothing new about a refund that needs attention."""
    return RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundPending(), notification_id="evt_1")


class Raising:
    """An observer that raises each time."""

    def observe(self, signal: Signal) -> None:
        """Raises ValueError."""
        raise ValueError("no disk")


def test_an_observer_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The same calls, ledger and history; what it raised is logged."""
    calm, rough = Shop(payments=SearchedPayments()), Shop(payments=SearchedPayments())
    rough.service = evolve(rough.service, observer=Raising())
    for shop in (calm, rough):
        shop.handle_all(LABEL)
        shop.away = {"payments", "fulfillment"}
        shop.handle_all(receive(1), LABEL)
        shop.away.clear()
        for _ in range(90):
            shop.pass_time(MINUTE)
            shop.service.resume()
        shop.handle_all(request(1), CancelReturn(return_id="ret_2"))

    assert rough.faults.calls == calm.faults.calls
    assert rough.ledger == calm.ledger
    assert rough.history == calm.history
    assert "the observer failed on EffectDelivered" in caplog.text
