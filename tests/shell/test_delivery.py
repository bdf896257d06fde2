"""Delivery of effects: once, in order, and resumed after failures."""

import logging
from datetime import timedelta
from typing import cast

import pytest
from attrs import evolve, frozen

from rma import (
    AttentionNeeded,
    CancelReturn,
    CommandHandled,
    Event,
    EventsPublished,
    KnownOutcomeReported,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    ReturnLedger,
    ReturnShipment,
    ReturnShipmentRequest,
    ReturnStatus,
    Signal,
    StaleLedger,
    Unavailable,
)
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryPayments,
    InMemoryReturns,
    KeyReusedError,
    in_memory_service,
)
from rma.domain.change import Change, replay
from rma.domain.values.money import Money
from rma.ports import Payments
from rma.testing.faults import AnswerLost, Away, Declines, Fault, Pends, RefundFault
from tests.rules.given import line, order_of, receive, request, usd
from tests.world import World, later


def flow(world: World) -> None:
    """Handles two returns: one with a label that is received, one that is canceled after half a receipt."""
    world.service.handle(request(1, shipping_option_id="so_return"))
    world.service.handle(receive(1))
    world.service.handle(request(2, shipping_option_id="so_return"))
    world.service.handle(receive(1, return_id="ret_2"))
    world.service.handle(CancelReturn(return_id="ret_2"))


@pytest.mark.parametrize("fails", ["payments", "inventory", "fulfillment"])
@pytest.mark.parametrize("fault", [Away(), AnswerLost()])
def test_a_failing_port_delays_its_effects_and_nothing_else(fails: str, fault: Fault) -> None:
    """After a port recovers, `resume` leads to the same state and port calls as if it had not failed."""
    calm, rough = World(order_of(line(quantity=5))), World(order_of(line(quantity=5)))
    flow(calm)

    rough.faults.breaks(fails, fault)
    flow(rough)
    during = later(rough.service).resume()
    rough.faults.calm()
    after = later(rough.service, timedelta(hours=4)).resume()

    assert (during.orders, during.still_open) == (("order_1",), ("order_1",))
    assert (after.orders, after.still_open) == (("order_1",), ())
    assert not rough.ledger.open_effects
    for port in ("refunds", "restocks", "withdrawals", "shipments", "cancellations"):
        owner = {"refunds": "payments", "restocks": "inventory", "withdrawals": "inventory"}.get(
            port, "fulfillment"
        )
        assert getattr(getattr(rough, owner), port) == getattr(getattr(calm, owner), port)
    assert [(ret.status, ret.refunded, ret.shipping_data) for ret in rough.all_returns] == [
        (ret.status, ret.refunded, ret.shipping_data) for ret in calm.all_returns
    ]
    assert rough.service.resume().orders == ()


def test_a_failing_port_does_not_fail_the_command_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The command succeeds, and the error is in the ledger and in the log."""
    world = World(order_of())
    world.service.handle(request(2))
    world.faults.breaks("payments", Away())

    with caplog.at_level(logging.WARNING, "rma"):
        received = world.service.handle(receive(2))

    (effect,) = world.ledger.open_effects.values()
    assert received.status is ReturnStatus.RECEIVED
    assert [refund.status for refund in received.refunds] == [RefundStatus.PENDING]
    assert effect.delivery.attempts == 1
    assert effect.delivery.last_error == "ConnectionError: call 12, payments.refund ret_1-refund-1: away"
    assert "ret_1-refund-1" in caplog.text
    assert list(world.inventory.restocks) == ["ret_1-restock-1"]


def test_a_failing_inventory_does_not_block_the_refund() -> None:
    """A refund is sent although the restock before it failed."""
    world = World(order_of())
    world.faults.breaks("inventory", Away())
    world.service.handle(request(2))

    world.service.handle(receive(2))

    assert list(world.payments.refunds) == ["ret_1-refund-1"]
    assert list(world.ledger.open_effects) == ["ret_1-restock-1"]


def test_stock_comes_before_money() -> None:
    """A receipt calls the inventory before the payments."""
    world = World(order_of())
    world.service.handle(request(2))

    world.service.handle(receive(2))

    asked = [call.method for call in world.faults.calls]
    assert asked.index("inventory.restock") < asked.index("payments.refund")


def test_a_repeated_command_delivers_what_is_outstanding() -> None:
    """A repeated command delivers the open effects of its own return only."""
    world = World(order_of())
    world.faults.breaks("fulfillment", Away())
    first = request(1, shipping_option_id="so_return", idempotency_key="k")
    world.service.handle(first)
    world.service.handle(request(1, shipping_option_id="so_return"))
    world.faults.calm()

    repeated = world.service.handle(first)

    assert repeated.shipping_data == {"shipment": "ret_1-shipment-1"}
    assert list(world.ledger.open_effects) == ["ret_2-shipment-1"]


def test_a_withdrawal_waits_for_its_restock() -> None:
    """A withdrawal is not sent before the outcome of its restock is recorded."""
    world = World(order_of())
    world.service.handle(request(2))
    world.faults.breaks("inventory", AnswerLost())
    world.service.handle(receive(1))

    world.service.handle(CancelReturn(return_id="ret_1"))
    assert not world.inventory.withdrawals
    world.faults.calm()
    later(world.service).resume()

    assert list(world.inventory.withdrawals) == ["ret_1-withdraw-1"]
    assert not world.ledger.open_effects


@pytest.mark.parametrize(
    ("answers", "status", "due"),
    [(Declines(), RefundStatus.FAILED, 2000), (Pends(), RefundStatus.PENDING, 0)],
)
def test_what_a_gateway_answers_is_recorded(answers: RefundFault, status: RefundStatus, due: int) -> None:
    """A declined refund closes its effect; a pending one waits for its outcome, and is not sent again."""
    world = World(order_of())
    world.faults.refunds.append(answers)
    world.service.handle(request(2))

    received = world.service.handle(receive(2))

    assert [refund.status for refund in received.refunds] == [status]
    assert received.amount_due == usd(due)
    assert bool(world.ledger.open_effects) is (status is RefundStatus.PENDING)
    later(world.service).resume()
    assert len([call for call in world.faults.calls if call.method == "payments.refund"]) == 1


def test_a_port_that_returns_none_has_an_unknown_outcome() -> None:
    """A port that returns None instead of an outcome leaves the effect open with a TypeError."""

    class Broken:
        """A gateway that returns None."""

        def refund(self, request: RefundRequest) -> RefundOutcome:
            """Returns None."""
            return cast("RefundOutcome", None)

    payments: Payments = Broken()
    service = in_memory_service([order_of()], payments=payments)
    opened = service.handle(request(2))

    received = service.handle(receive(2, return_id=opened.id))

    (effect,) = service.returns.load("order_1").open_effects.values()
    assert [refund.status for refund in received.refunds] == [RefundStatus.PENDING]
    assert effect.delivery.last_error == "TypeError: a port answered None"


def test_a_shipment_stays_open_without_fulfillment() -> None:
    """An open booking stays open, with an error, while the service has no fulfillment port."""
    world = World(order_of())
    world.faults.breaks("fulfillment", Away())
    world.service.handle(request(1, shipping_option_id="so_return"))
    without = evolve(world.service, fulfillment=None)
    later(without).resume()

    (effect,) = world.ledger.open_effects.values()
    assert effect.delivery.last_error is not None
    assert "no fulfillment" in effect.delivery.last_error


class FailingReturns(InMemoryReturns):
    """A store that fails from its n-th commit on, a number of times."""

    def __init__(self, *, at: int, error: Exception, times: int = 1) -> None:
        super().__init__()
        self.until = at
        self.error = error
        self.times = times

    def commit(self, change: Change) -> None:
        """Raises the error while it is due, and stores the change otherwise."""
        self.until -= 1
        if self.until <= 0 < self.times:
            self.times -= 1
            raise self.error
        super().commit(change)


@pytest.mark.parametrize(
    "error", [Unavailable("database_locked"), OSError("disk full"), StaleLedger("stale_ledger")]
)
def test_an_outcome_that_cannot_be_stored_is_sent_again_under_its_key(error: Exception) -> None:
    """The command succeeds although no outcome was stored, and `resume` completes its effects."""
    returns = FailingReturns(at=3, error=error, times=10**6)
    service = in_memory_service([order_of()], returns=returns, pause=lambda _: None)
    opened = service.handle(request(2))

    received = service.handle(receive(2, return_id=opened.id))
    before = dict(returns.load("order_1").open_effects)
    returns.times = 0
    resumed = later(service).resume()

    assert received.status is ReturnStatus.RECEIVED
    assert len(before) == 2
    assert resumed.still_open == ()
    assert [refund.status for refund in service.get(opened.id).refunds] == [RefundStatus.SUCCEEDED]


def test_an_outcome_that_loses_a_race_is_recorded_on_the_new_ledger() -> None:
    """After a StaleLedger, an outcome is recorded on the ledger as it is then."""
    returns = FailingReturns(at=3, error=StaleLedger("stale_ledger"))
    service = in_memory_service([order_of()], returns=returns, pause=lambda _: None)
    opened = service.handle(request(2))

    received = service.handle(receive(2, return_id=opened.id))

    assert [refund.status for refund in received.refunds] == [RefundStatus.SUCCEEDED]


@frozen
class SignalList:
    """An observer that keeps every signal."""

    signals: list[Signal]

    def observe(self, signal: Signal) -> None:
        """Keeps it."""
        self.signals.append(signal)


class FlakyEvents(InMemoryEvents):
    """A publisher that accepts a number of events and then fails."""

    def __init__(self) -> None:
        super().__init__()
        self.accepts = 10**6
        self.calls: list[str] = []

    def publish(self, event_id: str, event: Event) -> None:
        """Publishes the event, or raises ConnectionError if no more are accepted."""
        if self.accepts <= 0:
            raise ConnectionError("broker away")
        self.accepts -= 1
        self.calls.append(event_id)
        super().publish(event_id, event)


def test_every_event_reaches_its_publisher_in_order() -> None:
    """Missed events are published in order by `resume`; only the record of publishing is not published."""
    events = FlakyEvents()
    service = in_memory_service([order_of()], events=events)
    opened = service.handle(request(1))
    events.accepts = 1
    received = service.handle(receive(1, return_id=opened.id))
    missed = service.resume()
    events.accepts = 10**6

    caught_up = service.resume()

    facts = [event for event in service.history("order_1") if not isinstance(event, EventsPublished)]
    assert received.status is ReturnStatus.RECEIVED
    assert (missed.still_open, caught_up.still_open) == (("order_1",), ())
    assert list(events.published) == [event.event_id for event in facts]
    assert list(events.published.values()) == facts
    assert service.resume().orders == ()
    assert len(events.calls) == len(facts)


def test_a_notice_that_says_nothing_new_is_kept_and_tells_no_one() -> None:
    """It is in the history, so that its repeat is known; no receiver and no observer hears of news."""
    events, signals = InMemoryEvents(), list[Signal]()

    service = evolve(in_memory_service([order_of()], events=events), observer=SignalList(signals))
    opened = service.handle(request(1))
    received = service.handle(receive(1, return_id=opened.id))
    key = received.refunds[0].key
    before, heard = dict(events.published), len(signals)
    notice = RecordRefundOutcome(key=key, outcome=RefundSucceeded(), notification_id="evt_1")

    for _ in range(2):
        service.handle(notice)

    kept = [event for event in service.history("order_1") if isinstance(event, KnownOutcomeReported)]
    assert [event.key for event in kept] == [key]
    assert events.published == before
    handled = [each for each in signals[heard:] if isinstance(each, CommandHandled)]
    assert [each.is_repeat for each in handled] == [True, True]
    assert not any(isinstance(each, AttentionNeeded) for each in signals[heard:])
    assert service.resume().still_open == ()


def test_a_failing_publisher_blocks_no_effect() -> None:
    """A refund succeeds although no event could be published."""
    events = FlakyEvents()
    events.accepts = 0
    service = in_memory_service([order_of()], events=events)
    opened = service.handle(request(1))

    received = service.handle(receive(1, return_id=opened.id))

    assert [refund.status for refund in received.refunds] == [RefundStatus.SUCCEEDED]
    assert events.published == {}


def test_an_event_may_be_published_twice_under_the_same_id() -> None:
    """An event is published again under its id if the record of publishing was lost."""
    events = FlakyEvents()
    returns = FailingReturns(at=2, error=Unavailable("database_locked"))
    service = in_memory_service([order_of()], returns=returns, events=events)

    service.handle(request(1))
    service.resume()

    assert events.calls == ["order_1/1/1", "order_1/1/1"]


def test_resume_reaches_every_order_though_some_stay_open() -> None:
    """One `resume` calls the port once for each of 250 orders."""
    orders = [evolve(order_of(), id=f"order_{number:03}") for number in range(250)]
    world = World(order_of())
    service = in_memory_service(
        orders, fulfillment=world.service.fulfillment, shipping_options=world.service.shipping_options
    )
    world.faults.breaks("fulfillment", Away())
    for order in orders:
        service.handle(evolve(request(1, shipping_option_id="so_return"), order_id=order.id))
    world.faults.calm()
    world.faults.calls.clear()

    resumed = later(service).resume()

    assert len(resumed.orders) == len(world.faults.calls) == 250
    assert resumed.still_open == ()
    assert len(world.fulfillment.shipments) == 250


def test_in_memory_ports_give_the_first_answer_and_refuse_another_request_under_a_key() -> None:
    """A repeated key gets the first answer, and another request under it raises KeyReusedError."""
    payments = InMemoryPayments()
    first = RefundRequest("k", "order_1", "ret_1", "pay_1", usd(5))

    answers = [payments.refund(first), payments.refund(first)]
    payments.answer = lambda _: RefundDeclined("closed")
    answers.append(payments.refund(first))
    with pytest.raises(KeyReusedError):
        payments.refund(RefundRequest("k", "order_1", "ret_1", "pay_1", Money(6, "usd")))

    assert len(set(map(repr, answers))) == 1


def test_the_ledger_is_rebuilt_from_history_in_the_middle_of_a_failure() -> None:
    """The replayed history equals the ledger while an effect is open."""
    world = World(order_of())
    world.faults.breaks("fulfillment", Away())
    world.service.handle(request(1, shipping_option_id="so_return"))

    assert replay("order_1", world.service.history("order_1")) == world.ledger
    assert ReturnShipment() != world.all_returns[0].shipment


def test_an_unreadable_ledger_does_not_block_the_others() -> None:
    """`resume` names an unreadable ledger as still open and delivers the effects of the next one."""

    class Unreadable(InMemoryReturns):
        """A store in which one ledger cannot be loaded."""

        away = ""

        def load(self, order_id: str) -> ReturnLedger:
            """Raises Unavailable for that ledger."""
            if order_id == self.away:
                raise Unavailable("database_locked")
            return super().load(order_id)

    returns, world = Unreadable(), World(order_of())
    orders = [evolve(order_of(), id=order_id) for order_id in ("b", "a")]
    service = in_memory_service(
        orders,
        returns=returns,
        fulfillment=world.service.fulfillment,
        shipping_options=world.service.shipping_options,
    )
    world.faults.breaks("fulfillment", Away())
    for order in orders:
        service.handle(evolve(request(1, shipping_option_id="so_return"), order_id=order.id))
    world.faults.calm()
    returns.away = "b"

    resumed = later(service).resume()

    assert (resumed.orders, resumed.still_open) == (("b", "a"), ("b",))
    assert len(world.fulfillment.shipments) == 1


def test_failed_attempts_are_not_published() -> None:
    """
    Failed attempts are counted in the ledger with a shortened error, and their events are not published.
    """

    class Verbose(InMemoryFulfillment):
        """A carrier that fails with a long message."""

        def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
            """Raises OSError."""
            raise OSError("x" * 5000)

    events = FlakyEvents()
    world = World(order_of())
    service = evolve(world.service, events=events, fulfillment=Verbose())
    service.handle(request(1, shipping_option_id="so_return"))

    for hours in (1, 3, 5):
        later(service, timedelta(hours=hours)).resume()

    (effect,) = world.ledger.open_effects.values()
    assert list(events.published) == ["order_1/1/1", "order_1/4/1"]  # the request, and that it is stuck
    assert (effect.delivery.attempts, len(effect.delivery.last_error or "")) == (4, 200)
