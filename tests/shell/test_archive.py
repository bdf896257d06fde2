"""A service removes the history of an order that is over, and hands it to the host."""

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    Event,
    HistoryArchived,
    InvalidValue,
    NotAllowed,
    RecordRefundOutcome,
    RefundReversed,
    ReturnLedger,
    ReturnPolicy,
    StaleLedger,
    Unavailable,
    replay,
)
from rma.shell.driver import run
from rma.shell.repair import rebuild_order, verify_order
from rma.testing.faults import AnswerLost, Away, Twice
from tests.aio.hosts import awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.shell.test_repair import Damaged
from tests.world import World

ORDER = order_of(line(quantity=9))


def over() -> World:
    """A world in which a return was received and refunded, and a label booked."""
    world = World(ORDER)
    opened = world.handle(request(2, idempotency_key="a", shipping_option_id="so_return"))
    world.handle(receive(2, return_id=opened.id, idempotency_key="b"))
    return world


def whole(removed: tuple[Event, ...], history: tuple[Event, ...]) -> list[Event]:
    """Both parts in one."""
    return sorted([*removed, *history], key=lambda event: (event.revision, event.number))


def test_what_is_removed_is_returned_oldest_first() -> None:
    """With what is left it rebuilds the ledger; nothing is published, and nothing is left to do."""
    world = over()
    before, published = world.observer.history("order_1"), len(world.events.published)
    service = world.service

    removed = service.archive("order_1")

    history = service.history("order_1")
    assert removed == before[1:]
    assert history[0] == before[0]
    assert [type(each) for each in history[1:]] == [HistoryArchived]
    assert replay("order_1", whole(removed, history)) == world.ledger
    assert (service.archive("order_1"), service.archive("order_9")) == ((), ())
    world.now += timedelta(days=1)
    assert service.resume().still_open == ()
    assert len(world.events.published) == published
    world.check()


def test_an_archived_order_is_not_refunded_twice() -> None:
    """Repeats are answered, a reversal that is late is recorded and paid again once, and units count."""
    world = over()
    world.archive("order_1")
    made, returns = dict(world.payments.refunds), world.all_returns
    for command in list(world.answered.values()):
        world.handle(command)
    assert (world.payments.refunds, world.all_returns) == (made, returns)
    assert [each.quantity for each in world.observer.returnable_items("order_1")] == [7]
    assert sum(each.amount.amount for each in world.observer.transactions("order_1")) != 0

    refund = next(iter(made))
    world.handle(RecordRefundOutcome(key=refund, outcome=RefundReversed()))

    assert world.all_returns[0].amount_due == world.payments.refunds[refund].amount


def test_an_order_that_is_not_over_is_refused() -> None:
    """With every reason; nothing is removed."""
    world = over()
    world.faults.breaks("payments", Away())
    world.handle(request(1, idempotency_key="c"))
    second = world.all_returns[-1]
    world.handle(receive(1, return_id=second.id))
    before = world.observer.history("order_1")

    with pytest.raises(NotAllowed) as error:
        world.service.archive("order_1")

    assert [each.code for each in error.value.violations] == ["effect_open", "refund_not_ended"]
    assert world.observer.history("order_1") == before


def test_what_the_publisher_did_not_take_is_not_removed() -> None:
    """A service without one archives what no one publishes."""
    world = World(ORDER)
    world.faults.breaks("events", Away())
    opened = world.handle(request(1))
    world.handle(CancelReturn(return_id=opened.id))
    with pytest.raises(NotAllowed) as error:
        world.service.archive("order_1")
    assert error.value.code == "events_unpublished"
    world.faults.calm()
    world.now += timedelta(hours=2)
    world.resume()
    assert world.archive("order_1")

    silent = World(ORDER)
    service = evolve(silent.service, events=None)
    opened = service.handle(request(1))
    service.handle(CancelReturn(return_id=opened.id))
    assert len(service.archive("order_1")) == 1
    assert tuple(silent.returns.outstanding(silent.now, 9, unpublished=True)) == ()


def test_an_awaited_service_archives_too() -> None:
    """The same events."""
    blocks, waits = over(), over()
    expected = blocks.service.archive("order_1")

    assert asyncio.run(awaited_service(waits.service).archive("order_1")) == expected
    assert waits.ledger == blocks.ledger
    assert waits.faults.calls == blocks.faults.calls


def test_an_archive_that_loses_a_race_is_decided_again() -> None:
    """What was committed meanwhile is removed too, or the order is not over any more."""
    world = over()

    def request_and_cancel() -> None:
        opened = world.observer.handle(request(1))
        world.observer.handle(CancelReturn(return_id=opened.id))

    def request_only() -> None:
        world.observer.handle(request(1))

    world.faults.meanwhile(2, request_and_cancel)
    removed = world.service.archive("order_1")
    assert removed[-1].revision == world.ledger.revision - 1
    assert replay("order_1", whole(removed, world.observer.history("order_1"))) == world.ledger
    world.check()

    world.handle(CancelReturn(return_id=world.handle(request(1)).id))
    before = world.observer.history("order_1")
    world.faults.meanwhile(2, request_only)
    with pytest.raises(NotAllowed) as error:
        world.service.archive("order_1")
    assert error.value.code == "not_over"
    assert world.observer.history("order_1")[: len(before)] == before


def test_a_crash_or_a_lost_answer_at_any_call_leaves_it_done_or_not() -> None:
    """What is in the history then is there whole; a second call does the rest, and laws hold."""
    calm = over()
    before = len(calm.faults.calls)
    calm.archive("order_1")
    calls = len(calm.faults.calls) - before
    done = 0
    for point in range(2 * calls + 1):
        world = over()
        world.faults.dies_after(point)
        world.archive("order_1")
        done += world.ledger.archived > 0
        world.check()
        world.faults.calm()
        world.archive("order_1")
        world.check()
        assert world.ledger == calm.ledger or world.ledger.archived
    for number in range(calls):
        for fault in (Away(), AnswerLost(), Twice()):
            world = over()
            world.faults.fails_after(number, fault)
            world.archive("order_1")
            world.check()
    assert 0 < done < 2 * calls + 1


def test_an_answer_that_is_lost_does_not_say_what_was_removed() -> None:
    """So a host stores the history before, or in the same transaction."""
    world = over()
    before = world.observer.history("order_1")
    world.faults.fails_after(2, AnswerLost())

    with pytest.raises(Unavailable):
        world.service.archive("order_1")

    assert world.ledger.archived
    assert world.service.archive("order_1") == ()
    assert replay("order_1", whole(before[1:], world.observer.history("order_1"))) == world.ledger


def test_an_archive_whose_commit_arrives_twice_returns_what_it_removed() -> None:
    """The store refuses the second as stale."""
    world = over()
    before = world.observer.history("order_1")
    world.faults.fails_after(2, Twice())

    removed = world.archive("order_1")

    assert removed == before[1:]
    world.check()


def test_a_request_between_both_arrivals_does_not_change_what_was_removed() -> None:
    """Though the order is not over any more, it was."""
    world = over()
    before = world.observer.history("order_1")

    def request_only() -> None:
        world.observer.handle(request(1, idempotency_key="c"))

    world.faults.fails_after(2, Twice())
    world.faults.meanwhile(3, request_only)

    assert world.service.archive("order_1") == before[1:]
    assert len(world.all_returns) == 2
    world.check()


def test_an_archive_that_loses_to_another_returns_nothing() -> None:
    """Each event is removed, and returned, once."""
    world = over()
    before, others = world.observer.history("order_1"), list[Event]()
    world.faults.meanwhile(2, lambda: others.extend(world.observer.archive("order_1")))

    assert world.service.archive("order_1") == ()
    assert tuple(others) == before[1:]


def test_an_archived_order_is_compared_as_far_as_its_history_goes() -> None:
    """What was opened later, revisions, open effects; that the rest cannot be does not count as damage."""
    returns = Damaged()
    service = evolve(World(ORDER).service, returns=returns)
    first = service.handle(request(2, idempotency_key="a"))
    service.handle(receive(2, return_id=first.id))
    service.archive("order_1")
    service.handle(request(1, idempotency_key="b", shipping_option_id="so_return"), deliver=False)
    right = returns.load("order_1")
    for check in (verify_order, rebuild_order):
        found = run(check("order_1", returns))
        assert (found.differences, found.is_archived) == ((), True)
    assert service.verify("order_1") == service.rebuild("order_1") == ()

    old, new = right.returns
    for wrong, where in (
        (evolve(right, revision=99), "ledger"),
        (evolve(right, published=0), "ledger"),
        (evolve(right, archived=0), "ledger"),
        (evolve(right, returns=(old, evolve(new, location_id="loc_9"))), f"return {new.id}"),
        (evolve(right, returns=(new,)), f"return {old.id}"),
        (evolve(right, open_effects=ReturnLedger("order_1").open_effects), f"effect {new.id}-shipment-1"),
    ):
        returns.put(wrong)
        assert [each.where for each in service.verify("order_1")] == [where]
        with pytest.raises(InvalidValue) as error:
            service.rebuild("order_1")
        assert error.value.code == "history_archived"
        assert returns.load("order_1") == wrong
    returns.put(evolve(right, returns=(evolve(old, location_id="loc_9"), new)))
    assert service.verify("order_1") == ()  # nothing is left that says otherwise


def test_a_history_without_the_record_of_its_archive_rebuilds_nothing() -> None:
    """Else what was received would be forgotten, and refunded again."""
    returns = Damaged()
    service = evolve(World(ORDER, ReturnPolicy(refund_damaged=False)).service, returns=returns)
    first = service.handle(request(2))
    service.handle(receive(0, 2, return_id=first.id))  # there is no refund that would be missed
    service.archive("order_1")
    service.handle(request(1))
    del returns._history["order_1"][1]

    with pytest.raises(InvalidValue) as error:
        service.rebuild("order_1")

    assert error.value.code == "history_incomplete"


def test_a_replaced_ledger_must_be_that_of_the_last_event() -> None:
    """An archive is an event as any other."""
    world = over()
    before = world.ledger
    world.archive("order_1")
    with pytest.raises(StaleLedger):
        world.returns.replace(before, None)
