"""Ports that answer what they did not promise, and clocks that jump."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    CancelShipmentRequest,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    Searchable,
    WithdrawRequest,
)
from rma.adapters.memory import InMemoryFulfillment, InMemoryInventory, in_memory_service
from rma.domain.decide.facts import Facts
from tests.rules.given import order_of, receive, request
from tests.world import RETURN_OPTION, later

ODD = [False, True, 0, "ok", {"status": "error"}, object]


class OddInventory(InMemoryInventory):
    """Stock that answers something, whatever was done."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def restock(self, request: RestockRequest) -> None:
        """Answers it."""
        return cast("None", self.answer)

    def withdraw(self, request: WithdrawRequest) -> None:
        """Answers it."""
        return cast("None", self.answer)


class OddCarrier(InMemoryFulfillment):
    """A carrier that answers something, whatever was done."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Answers it."""
        return cast("ReturnShipment", self.answer)

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Answers it."""
        return cast("None", self.answer)


@pytest.mark.parametrize("answer", ODD)
def test_an_answer_that_was_not_promised_is_not_a_success(answer: object) -> None:
    """Whatever stock and carriers answer: the effect stays open and says what was answered."""
    service = in_memory_service(
        [order_of()],
        shipping_options=[RETURN_OPTION],
        inventory=OddInventory(answer),
        fulfillment=OddCarrier(answer),
    )
    opened = service.handle(request(2, shipping_option_id="so_return"))
    service.handle(receive(1, return_id=opened.id))

    found = service.outstanding()

    assert [each.key.split("-")[1] for each in found] == ["shipment", "restock"]
    assert all((each.last_error or "").startswith("TypeError: a port answered ") for each in found)


def test_a_cancellation_is_done_when_the_carrier_answers_nothing() -> None:
    """Not when it answers something."""
    carrier = OddCarrier(ReturnShipment())
    service = in_memory_service([order_of()], shipping_options=[RETURN_OPTION], fulfillment=carrier)
    opened = service.handle(request(2, shipping_option_id="so_return"))
    carrier.answer = False
    service.handle(CancelReturn(return_id=opened.id))
    assert [each.attempts for each in service.outstanding()] == [1]

    carrier.answer = None
    service.resume(opened.id)

    assert service.outstanding() == ()


class UnshowableError(Exception):
    """An error whose text cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("unshowable")


def test_an_error_whose_text_cannot_be_shown_stops_no_other_effect() -> None:
    """Its class is kept; the refund beside it is paid."""

    class Broken(InMemoryInventory):
        def restock(self, request: RestockRequest) -> None:
            """Raises."""
            raise UnshowableError

    service = in_memory_service([order_of()], inventory=Broken())
    opened = service.handle(request(2))

    received = service.handle(receive(2, return_id=opened.id))

    assert [refund.status.value for refund in received.refunds] == ["succeeded"]
    assert [each.last_error for each in service.outstanding()] == ["UnshowableError: "]


def test_a_port_cannot_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks and control characters of its words become spaces."""

    class Forger(InMemoryInventory):
        def restock(self, request: RestockRequest) -> None:
            """Raises."""
            cause = KeyError("a\nERROR root: nothing is left")
            raise OSError("away\nERROR root: all is lost\x1b[31m\u2028") from cause

    service = in_memory_service([order_of()], inventory=Forger())
    opened = service.handle(request(2))
    service.handle(receive(2, return_id=opened.id))

    (record,) = [each for each in caplog.records if "EffectFailed" in each.getMessage()]
    assert record.getMessage().endswith("away ERROR root: all is lost [31m ")
    assert "\n" not in record.getMessage()
    printed = logging.Formatter().format(record).splitlines()
    assert "OSError: away ERROR root: all is lost [31m " in printed
    assert "KeyError: 'a\\nERROR root: nothing is left'" in printed
    assert not [line for line in printed if line.startswith("ERROR")]


BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


#: Five minutes before the clocks of Berlin change, in spring and in autumn.
NIGHTS = [datetime(2026, 3, 29, 0, 55, tzinfo=UTC), datetime(2026, 10, 25, 0, 55, tzinfo=UTC)]


@pytest.mark.parametrize("zone", [UTC, BERLIN, NEW_YORK])
@pytest.mark.parametrize("night", NIGHTS)
def test_a_clock_in_local_time_pays_once_in_the_nights_when_summer_time_begins_or_ends(
    zone: ZoneInfo, night: datetime
) -> None:
    """A refund whose answer was lost is looked up after the search delay, not before, in any zone."""

    class Slow:
        """A gateway whose refunds can be found ten minutes later."""

        gateway = Searchable(timedelta(minutes=10))

        def __init__(self, now: Callable[[], datetime]) -> None:
            self.now = now
            self.made: list[datetime] = []

        def refund(self, request: RefundRequest) -> RefundOutcome:
            """Pays, and the answer is lost."""
            self.made.append(self.now().astimezone(UTC))
            raise TimeoutError

        def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
            """The refund, once it can be found."""
            found = self.made and self.now().astimezone(UTC) >= self.made[0] + self.gateway.search_delay
            return RefundSucceeded() if found else None

    moment = night
    gateway = Slow(lambda: moment.astimezone(zone))
    service = in_memory_service([order_of()], payments=gateway, clock=lambda: moment.astimezone(zone))
    opened = service.handle(request(2))
    service.handle(receive(2, return_id=opened.id))
    for _ in range(180):
        moment += timedelta(minutes=1)
        service.resume()

    assert len(gateway.made) == 1
    assert [refund.status.value for refund in service.get(opened.id).refunds] == ["succeeded"]


def test_every_moment_becomes_utc_where_it_enters() -> None:
    """What a host gives in local time is stored as the same moment in UTC."""
    local = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    order = evolve(order_of(), created_at=local)

    assert (order.created_at, order.created_at and order.created_at.tzinfo) == (local.astimezone(UTC), UTC)
    assert Facts(at=local).at.tzinfo is UTC
    assert later(in_memory_service(), timedelta(0)).clock().tzinfo is not None


def test_a_moment_that_has_no_name_in_utc_stays_as_it_is() -> None:
    """The last hours that a datetime can name, in the far west."""
    last = datetime.max.replace(tzinfo=timezone(-timedelta(hours=12)))

    assert Facts(at=last).at is last
