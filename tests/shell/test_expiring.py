"""`resume` ends returns for which nothing was sent or received in time."""

from datetime import timedelta

import pytest
from attrs import evolve

from rma import (
    RecordSending,
    ReturnPolicy,
    ReturnStatus,
    SubjectKind,
    Unavailable,
    UpdateReturn,
)
from rma.domain.events import ReturnExpired
from rma.domain.views.query import UnreadableSubject
from rma.observing import CommandHandled, StoringFailed
from rma.shell.expire import expiry_key
from tests.rules.given import line, order_of, request, update
from tests.shell.shop import DAY, Shop

TWO_WEEKS = ReturnPolicy(return_within_days=14)


def shop(**more: object) -> Shop:
    """Returns a shop in which two returns of three were never sent."""
    found = Shop([order_of(line(quantity=5))], **more)  # type: ignore[arg-type] # of any kind
    found.service = evolve(found.service, policies=lambda _: TWO_WEEKS)
    found.timer = evolve(found.timer, policies=lambda _: TWO_WEEKS)
    found.handle_all(
        request(1, shipping_option_id="so_return"), request(1), request(1), RecordSending(return_id="ret_3")
    )
    return found


def test_what_is_past_its_date_expires_with_every_pass() -> None:
    """Its label is canceled in the same pass; what was sent goes on."""
    here = shop()
    assert here.service.resume().expired == ()
    here.pass_time(15 * DAY)

    result = here.timer.resume()

    assert result.expired == ("ret_1", "ret_2")
    assert [each.status for each in here.ledger.returns] == [
        ReturnStatus.EXPIRED,
        ReturnStatus.EXPIRED,
        ReturnStatus.REQUESTED,
    ]
    assert not here.ledger.open_effects
    assert here.timer.resume().expired == ()


def test_it_expires_under_a_key_of_its_own() -> None:
    """The event has the command, so that two timers do it once."""
    here = shop()
    here.pass_time(15 * DAY)
    here.timer.resume()

    expired = [event for event in here.history if isinstance(event, ReturnExpired)]

    assert [event.command.idempotency_key for event in expired if event.command] == [
        expiry_key("ret_1"),
        expiry_key("ret_2"),
    ]
    names = [each.command for each in here.signals if isinstance(each, CommandHandled)]
    assert names.count("ExpireReturn") == 2


def test_one_that_cannot_be_stored_does_not_hold_up_the_others() -> None:
    """It is tried again by the next pass."""
    here = shop()
    here.pass_time(15 * DAY)
    commits = here.returns.commit
    failed: list[object] = []

    def commit(change: object) -> None:
        events = getattr(change, "events", ())
        if not failed and any(isinstance(event, ReturnExpired) for event in events):
            failed.append(change)
            raise Unavailable("store_failed", {"error": "full"})
        commits(change)  # type: ignore[arg-type] # as it was given

    here.returns.commit = commit  # type: ignore[method-assign] # fails once

    assert here.timer.resume().expired == ("ret_2",)
    assert [each.order_id for each in here.signals if isinstance(each, StoringFailed)] == ["order_1"]
    assert here.timer.resume().expired == ("ret_1",)


def test_what_was_sent_meanwhile_does_not_expire() -> None:
    """The list may be older than the ledger."""
    here = shop()
    here.pass_time(15 * DAY)
    find = here.returns.find
    sent: list[str] = []

    def find_and_send(query: object) -> object:
        found = find(query)  # type: ignore[arg-type] # as it was given
        if not sent and found:
            sent.append("ret_1")
            here.service.handle(RecordSending(return_id="ret_1"))
        return found

    here.returns.find = find_and_send  # type: ignore[method-assign,assignment] # another process is faster

    assert here.timer.resume().expired == ("ret_2",)


def test_a_pass_with_a_time_limit_ends_in_time() -> None:
    """The next one goes on."""
    here = shop()
    here.pass_time(15 * DAY)
    ticks = iter(range(1000))
    slow = evolve(here.timer, clock=lambda: here.clock.now + timedelta(minutes=next(ticks)))

    result = slow.resume(time_limit=timedelta(seconds=30))

    assert (result.expired, result.is_complete) == ((), False)


def test_one_that_cannot_be_read_is_passed_over() -> None:
    """What reads lists tells of it."""
    here = shop()
    here.pass_time(15 * DAY)
    find = here.returns.find

    def unreadable(query: object) -> object:
        found = find(query)  # type: ignore[arg-type] # as it was given
        torn = UnreadableSubject(
            id="ret_1",
            order_id="order_1",
            kind=SubjectKind.RETURN,
            requested_at=here.clock.now,
            error="torn",
        )
        return tuple([torn if each.id == "ret_1" else each for each in found])

    here.returns.find = unreadable  # type: ignore[method-assign,assignment] # a page that is torn

    assert here.timer.resume().expired == ("ret_2",)


def test_a_store_that_cannot_say_what_is_past_fails_the_pass() -> None:
    """As one that cannot say what is outstanding does."""
    here = shop()
    here.away = {"returns.find"}

    with pytest.raises(Unavailable):
        here.timer.resume()


def test_returns_are_listed_by_their_dates() -> None:
    """Until when goods are to be sent: those of which nothing was."""
    here = shop()
    until = here.ledger.returns[0].return_by
    assert until is not None

    assert [each.id for each in here.service.list(return_before=until + DAY)] == ["ret_1", "ret_2"]
    assert here.service.count(return_before=until + DAY) == 2
    assert here.service.list(return_before=until) == ()
    assert here.service.list(due_before=until + 99 * DAY) == ()


def test_an_update_reads_what_a_request_reads() -> None:
    """The option by which goods come back, the reasons, and the policy of now."""
    here = shop()

    updated = here.service.handle(update(1, shipping_option_id="so_return", location_id="loc_2"))

    assert updated.location_id == "loc_2"
    assert [key for key in here.carrier.done if key.startswith("ret_1")] == [
        "ret_1-shipment-1",
        "ret_1-cancel_shipment-1",
        "ret_1-shipment-2",
    ]
    missing = UpdateReturn(return_id="ret_9", items=[])
    with pytest.raises(Exception, match="return ret_9 not found"):
        here.service.handle(missing)
