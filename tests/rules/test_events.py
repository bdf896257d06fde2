"""What every event says, whatever happened."""

import pytest

from rma import EventHeader, EventsPublished, ReturnRequested
from rma.domain.decide.facts import Facts
from rma.domain.values.errors import InvalidValue, Violation
from rma.testing.core_harness import START
from tests.rules.given import Given, request


def test_an_event_reads_its_header() -> None:
    """Consumers of events need not know that there is a header."""
    given = Given()

    (event,) = given.when(request(1, idempotency_key="key_1", created_by="Ada", no_notification=True))

    assert isinstance(event, ReturnRequested)
    assert (event.order_id, event.subject_id, event.return_id) == ("order_1", "ret_1", "ret_1")
    assert (event.exchange_id, event.claim_id) == (None, None)
    assert (event.at, event.by, event.no_notification) == (given.now, "Ada", True)
    assert (event.revision, event.number, event.event_id) == (1, 1, "order_1/1/1")
    assert event.command == request(1, idempotency_key="key_1", created_by="Ada", no_notification=True)


def test_an_event_about_publication_has_no_subject() -> None:
    """It is about the order's history."""
    event = EventsPublished(header=EventHeader(order_id="order_1", at=START), through=3)

    assert (event.subject_id, event.return_id, event.command, event.by) == (None, None, None, None)


def test_something_new_needs_a_fresh_id() -> None:
    """The host's `ids` draws it before anything is decided."""
    with pytest.raises(InvalidValue) as error:
        Facts(at=START).new_id("ret")

    assert error.value.details["field"] == "Facts.fresh_id"
    assert Facts(at=START, fresh_id="7").new_id("ret") == "ret_7"


class _Unprintable:
    """A value of a host whose string cannot be had."""

    def __str__(self) -> str:
        """Raises."""
        raise RuntimeError("no string")

    __repr__ = __str__


def test_a_message_never_fails_whatever_a_host_put_in() -> None:
    """The class of the value is shown instead."""
    assert "_Unprintable" in str(Violation("order_not_found", numbers={"order_id": _Unprintable()}))
