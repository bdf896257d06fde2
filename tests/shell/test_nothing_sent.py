"""Gateways that cannot be reached, leases and deadlines, and ports that hold up others."""

from datetime import datetime, timedelta
from typing import cast

import pytest
from attrs import define, evolve, field

from rma import (
    Change,
    Event,
    Gateway,
    Idempotent,
    InvalidValue,
    NotIdempotent,
    Order,
    RecordRefundOutcome,
    RefundAnswer,
    RefundDeclined,
    RefundNotSent,
    RefundOutcome,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    RestockRequest,
    RetryRefund,
    ReturnService,
    ReturnShipment,
    ReturnShipmentRequest,
    Searchable,
    Unavailable,
)
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryReturns,
    in_memory_service,
)
from rma.testing.core_harness import START
from tests.rules.given import order_of, receive, request, usd
from tests.world import RETURN_OPTION

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@define
class Clock:
    """A clock that is set."""

    now: datetime = START

    def __call__(self) -> datetime:
        """The time that was set last."""
        return self.now


@define
class Unreachable:
    """A gateway that refuses connections for a time, and counts what it then pays."""

    gateway: Gateway
    is_away: bool = True
    asked: int = 0
    paid: list[RefundRequest] = field(factory=list)

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Pays, unless it cannot be reached."""
        self.asked += 1
        if self.is_away:
            return RefundNotSent("connection refused")
        self.paid.append(request)
        return RefundSucceeded(f"re_{len(self.paid)}")


@define
class SearchableUnreachable(Unreachable):
    """One that can be searched."""

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """What it paid."""
        found = [each for each in self.paid if each.key == request.key]
        return RefundSucceeded("found") if found else None


@pytest.mark.parametrize(
    "gateway",
    [Idempotent(), Idempotent(24 * HOUR), Searchable(), NotIdempotent()],
    ids=lambda each: type(each).__name__,
)
def test_a_gateway_that_refuses_connections_for_25_hours_leaves_no_refund_to_a_person(
    gateway: Gateway,
) -> None:
    """Of any class: nothing was sent, so each is sent when it is back, once."""
    clock = Clock()
    kind = SearchableUnreachable if isinstance(gateway, Searchable) else Unreachable
    payments = kind(gateway)
    service = in_memory_service([order_of()], payments=payments, clock=clock)
    opened = service.handle(request(2))
    service.handle(receive(2, return_id=opened.id))
    for _ in range(25 * 12):
        clock.now += 5 * MINUTE
        service.resume()
    assert [refund.status for refund in service.get(opened.id).refunds] == [RefundStatus.PENDING]
    assert payments.asked < 40

    payments.is_away = False
    clock.now += HOUR
    service.resume()

    assert [refund.status for refund in service.get(opened.id).refunds] == [RefundStatus.SUCCEEDED]
    assert len(payments.paid) == 1


def test_a_process_that_died_while_it_sent_breaks_what_is_known_of_a_key() -> None:
    """Nothing is known of its attempt: the key's lifetime is counted from the beginning again."""

    class Died(BaseException):
        """The process ends."""

    class Dying(Unreachable):
        dies = False

        def refund(self, request: RefundRequest) -> RefundAnswer:
            """Ends the process, once it paid, if it is to."""
            answer = super().refund(request)
            if self.dies:
                raise Died
            return answer

    clock = Clock()
    payments = Dying(Idempotent(24 * HOUR))
    service = in_memory_service([order_of()], payments=payments, clock=clock)
    opened = service.handle(request(2))
    service.handle(receive(2, return_id=opened.id))
    clock.now += 20 * HOUR
    service.resume()
    payments.dies, payments.is_away = True, False
    clock.now += HOUR
    with pytest.raises(Died):
        service.resume()
    payments.dies, payments.is_away = False, True
    clock.now += HOUR
    service.resume()  # nothing was sent this time; of the time before that is not known

    payments.is_away = False
    clock.now += 10 * HOUR
    service.resume()

    assert len(payments.paid) == 1
    assert [refund.status for refund in service.get(opened.id).refunds] == [RefundStatus.NEEDS_ATTENTION]


@pytest.mark.parametrize(
    ("gateway", "minutes"),
    [(Idempotent(), None), (Searchable(5 * MINUTE), 6), (NotIdempotent(20 * MINUTE), 22)],
)
def test_a_leased_request_has_the_deadline_at_which_its_lease_ends(
    gateway: Gateway, minutes: int | None
) -> None:
    """A keyed one has none; and requests that differ in nothing else are equal."""
    payments = Unreachable(gateway, is_away=False)
    service = in_memory_service([order_of()], payments=payments, clock=Clock())
    opened = service.handle(request(2))
    service.handle(receive(2, return_id=opened.id))

    (asked,) = payments.paid
    assert asked.deadline == (None if minutes is None else START + minutes * MINUTE)
    assert asked == evolve(asked, deadline=None)


def test_a_slow_warehouse_does_not_eat_the_lease_of_the_refund_behind_it() -> None:
    """A restock takes four minutes, the answer of the refund is lost: it is looked up, and paid once."""
    clock = Clock()

    class Slow(InMemoryInventory):
        def restock(self, request: RestockRequest) -> None:
            """Takes four minutes."""
            clock.now += 4 * MINUTE

    @define
    class Lost(SearchableUnreachable):
        """A gateway that pays, answers too late, and can be searched after five minutes."""

        paid_at: datetime = START

        def refund(self, request: RefundRequest) -> RefundAnswer:
            """Pays."""
            self.paid.append(request)
            self.paid_at = clock.now
            raise TimeoutError

        def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
            """What it paid, five minutes later."""
            is_known = self.paid and clock.now >= self.paid_at + 5 * MINUTE
            return RefundSucceeded("found") if is_known else None

    payments = Lost(Searchable(5 * MINUTE))
    service = in_memory_service([order_of()], payments=payments, inventory=Slow(), clock=clock)
    opened = service.handle(request(2))
    service.handle(receive(2, return_id=opened.id))
    for _ in range(20):
        clock.now += MINUTE
        service.resume()

    assert len(payments.paid) == 1
    assert [refund.reference for refund in service.get(opened.id).refunds] == ["found"]


def test_a_success_after_a_write_off_is_not_silent() -> None:
    """A paused process sends what a person took for lost and paid again: both count, and are seen."""
    clock = Clock()

    @define
    class Paused(Unreachable):
        """A gateway whose first call is stopped for an hour, in which a person writes it off."""

        def refund(self, request: RefundRequest) -> RefundAnswer:
            """Pays after the pause."""
            if not self.asked:
                self.asked = 1
                clock.now += HOUR
                other = evolve(service, payments=self)
                other.resume()
                other.handle(
                    RecordRefundOutcome(
                        key=request.key, outcome=RefundDeclined("never_arrived"), created_by="anna"
                    )
                )
                other.handle(RetryRefund(return_id=opened.id))
            return super().refund(request)

    payments = Paused(NotIdempotent(), is_away=False)
    service: ReturnService = in_memory_service([order_of()], payments=payments, clock=clock)
    opened = service.handle(request(2))

    received = service.handle(receive(2, return_id=opened.id))

    assert len(payments.paid) == 2
    assert [refund.status.value for refund in received.refunds] == ["needs_attention", "succeeded"]
    assert (received.refunded, received.entitlement.overpaid) == (usd(4000), usd(2000))
    assert received.needs_attention


class SlowCarrier(InMemoryFulfillment):
    """A carrier whose calls time out after 30 seconds."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.asked = 0

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Times out."""
        self.asked += 1
        self.clock.now += timedelta(seconds=30)
        raise TimeoutError


def shop_with_a_slow_carrier(orders: int) -> tuple[ReturnService, SlowCarrier, Unreachable, Clock]:
    """So many bookings wait for a carrier, and behind them one refund."""
    clock = Clock()
    carrier, payments = SlowCarrier(clock), Unreachable(Idempotent(), is_away=False)
    service = in_memory_service(
        [evolve(order_of(), id=f"order_{number:03}") for number in range(orders)],
        payments=payments,
        fulfillment=carrier,
        shipping_options=[RETURN_OPTION],
        clock=clock,
    )
    opened = []
    for number in range(orders):
        asked = evolve(request(1, shipping_option_id="so_return"), order_id=f"order_{number:03}")
        opened.append(service.handle(asked, deliver=False))
        clock.now += MINUTE
    service.handle(receive(1, return_id=opened[-1].id), deliver=False)
    return service, carrier, payments, clock


def test_a_carrier_that_times_out_does_not_hold_up_the_money() -> None:
    """After half a minute of failures it is left alone for the rest of the pass; the refund goes out."""
    service, carrier, payments, clock = shop_with_a_slow_carrier(100)
    before = clock.now

    result = service.resume()

    assert len(payments.paid) == 1
    assert carrier.asked == 1
    assert clock.now - before < 2 * MINUTE
    assert (len(result.orders), len(result.still_open)) == (100, 100)
    clock.now += 2 * MINUTE
    service.resume()
    assert carrier.asked == 2


def test_a_pass_ends_at_its_time_limit_and_the_next_one_goes_on() -> None:
    """What was not reached is still due."""
    service, carrier, _, clock = shop_with_a_slow_carrier(10)
    patient = evolve(service, timing=evolve(service.timing, failing_time=HOUR))

    first = patient.resume(time_limit=2 * MINUTE)
    second = patient.resume(time_limit=HOUR)

    assert (len(first.orders), first.is_complete) == (4, False)
    assert second.is_complete
    assert {*first.orders, *second.orders} == {f"order_{number:03}" for number in range(10)}
    assert carrier.asked >= 10
    assert clock.now > START


@pytest.mark.parametrize("fails", [1, 2])
def test_an_answer_is_stored_by_a_second_commit_if_the_first_one_fails(fails: int) -> None:
    """A connection that is dead does not cost the answer of a gateway that gives it once; two failures do."""

    class Dead(InMemoryReturns):
        """A store whose commits fail some times, once the gateway has answered."""

        def commit(self, change: Change) -> None:
            """Fails while the gateway's answer is to be stored."""
            if payments.paid and self.left:
                self.left -= 1
                raise Unavailable("store_disconnected")
            super().commit(change)

        left = fails

    payments = Unreachable(NotIdempotent(), is_away=False)
    service = in_memory_service([order_of()], payments=payments, returns=Dead())
    opened = service.handle(request(2))

    received = service.handle(receive(2, return_id=opened.id))

    status = RefundStatus.SUCCEEDED if fails == 1 else RefundStatus.PENDING
    assert [refund.status for refund in received.refunds] == [status]
    assert [refund.status for refund in service.get(opened.id).refunds] == [status]


def test_a_look_at_the_payment_that_outlasts_a_key_does_not_send_it() -> None:
    """The order is read for so long that the gateway forgets the key meanwhile: nothing is sent under it."""
    clock = Clock()

    class SlowOrders(InMemoryOrders):
        """Orders that take three hours to read, once it is slow."""

        is_slow = False

        def get(self, order_id: str) -> Order:
            """The order."""
            clock.now += 3 * HOUR * self.is_slow
            return super().get(order_id)

    payments = Unreachable(Idempotent(4 * HOUR), is_away=False)
    orders = SlowOrders([order_of()])
    service = in_memory_service(orders, payments=payments, clock=clock)
    opened = service.handle(request(2))
    service.handle(receive(2, return_id=opened.id), deliver=False)
    orders.is_slow = True
    clock.now += HOUR

    service.resume()

    assert payments.asked == 0


def test_a_publisher_that_times_out_does_not_hold_up_the_money() -> None:
    """After half a minute of failures nothing more is published in this pass; refunds go out."""
    clock = Clock()

    class Slow(InMemoryEvents):
        """A publisher whose calls time out after 30 seconds."""

        asked = 0

        def publish(self, event_id: str, event: Event) -> None:
            """Times out."""
            self.asked += 1
            clock.now += timedelta(seconds=30)
            raise TimeoutError

    events, payments = Slow(), Unreachable(Idempotent(), is_away=False)
    orders = [evolve(order_of(), id=f"order_{number:03}") for number in range(50)]
    service = in_memory_service(orders, payments=payments, events=events, clock=clock)
    for order in orders:
        opened = service.handle(evolve(request(1), order_id=order.id), deliver=False)
        service.handle(receive(1, return_id=opened.id), deliver=False)

    service.resume()

    assert len(payments.paid) == 50
    assert events.asked == 1


@pytest.mark.parametrize("limit", [timedelta(0), -MINUTE, 5])
def test_a_time_limit_of_nothing_is_refused(limit: object) -> None:
    """A pass that may begin no order is a mistake."""
    with pytest.raises(InvalidValue, match=r"resume\.time_limit must be a timedelta above 0"):
        in_memory_service().resume(time_limit=cast("timedelta", limit))
