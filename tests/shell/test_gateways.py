"""Gateways of every class: at most one refund, and exactly one where retries are safe."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from rma import (
    DeliveryChanged,
    Gateway,
    Idempotent,
    NotFound,
    NotIdempotent,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    Return,
    Searchable,
)
from rma.adapters.memory import InMemoryReturns, in_memory_service
from rma.domain.change import Change
from rma.service import ReturnService
from rma.testing.core_harness import START
from tests.rules.given import order_of, receive, request

HOUR = timedelta(hours=1)


class KeylessGateway:
    """A gateway that pays each time it is called; it does not de-duplicate."""

    gateway: Gateway = NotIdempotent()

    def __init__(self) -> None:
        self.paid: list[str] = []
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Pays and returns a success, between the two hooks."""
        self.before()
        self.paid.append(request.key)
        self.after()
        return RefundSucceeded(f"re_{len(self.paid)}")


class SearchableGateway(KeylessGateway):
    """A gateway that can be asked for a refund by its key."""

    gateway: Gateway = Searchable(HOUR)

    def __init__(self) -> None:
        super().__init__()
        self.is_searchable = True

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Returns the refund under this key, or None."""
        if not self.is_searchable:
            raise ConnectionError("away")
        return RefundSucceeded("re_found") if request.key in self.paid else None


class ForgetfulGateway(SearchableGateway):
    """A gateway that remembers its keys for an hour and can be searched."""

    gateway: Gateway = Idempotent(HOUR)


class Clock:
    """A clock that changes only when the test sets it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Returns the time that is set."""
        return self.now


def away() -> None:
    """Raises TimeoutError."""
    raise TimeoutError("30 s")


def shop(gateway: KeylessGateway) -> tuple[ReturnService, Clock, Callable[[], Return]]:
    """Returns a service with a requested return, its clock, and a function that receives the return."""
    clock = Clock()
    service = in_memory_service([order_of()], payments=gateway, clock=clock)
    opened = service.handle(request(2))
    return service, clock, lambda: service.handle(receive(2, return_id=opened.id, idempotency_key="k"))


def status(service: ReturnService) -> str:
    """Returns the status of the only refund."""
    ((refund,),) = [each.refunds for each in service.list("order_1")]
    return refund.status.value


@pytest.mark.parametrize("gateway", [KeylessGateway(), SearchableGateway(), ForgetfulGateway()])
def test_a_gateway_that_answers_is_asked_once(gateway: KeylessGateway) -> None:
    """A gateway of any class is called once if it answers, however often the command is repeated."""
    service, _, arrive = shop(gateway)

    for _ in range(3):
        assert [refund.status for refund in arrive().refunds] == [RefundStatus.SUCCEEDED]

    assert len(gateway.paid) == 1
    assert service.resume().orders == ()


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_gateway_that_is_not_idempotent_is_never_called_twice(fails: str) -> None:
    """An unknown outcome at a NotIdempotent gateway needs attention until its outcome is recorded."""
    gateway = KeylessGateway()
    setattr(gateway, fails, away)
    service, clock, arrive = shop(gateway)

    arrive()
    gateway.before = gateway.after = lambda: None
    clock.now += 24 * HOUR
    arrive()
    resumed = service.resume()

    assert status(service) == "needs_attention"
    assert len(gateway.paid) == (1 if fails == "after" else 0)
    assert resumed.orders == ()
    key = service.list("order_1")[0].refunds[0].key
    recorded = service.handle(RecordRefundOutcome(key=key, outcome=RefundDeclined("no_such_refund")))
    assert recorded.amount_due == recorded.refund_amount


def test_a_refund_of_a_process_that_died_needs_attention() -> None:
    """A NotIdempotent refund whose process died is pending during its lease and needs attention after it."""

    class Death(BaseException):
        """Ends the process."""

    def die() -> None:
        raise Death

    gateway = KeylessGateway()
    gateway.after = die
    service, clock, arrive = shop(gateway)
    with pytest.raises(Death):
        arrive()
    gateway.after = lambda: None

    arrive()
    service.resume()
    at_once = status(service)
    clock.now += 2 * HOUR
    service.resume()

    assert (at_once, status(service)) == ("pending", "needs_attention")
    assert len(gateway.paid) == 1


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_searchable_gateway_is_looked_up_before_it_is_called_again(fails: str) -> None:
    """After the search delay a refund that is found is recorded, and one that is absent is sent again."""
    gateway = SearchableGateway()
    setattr(gateway, fails, away)
    service, clock, arrive = shop(gateway)
    arrive()
    gateway.before = gateway.after = lambda: None

    early = (service.resume(), status(service), len(gateway.paid))
    clock.now += 2 * HOUR
    service.resume()

    assert early[0].orders == ()
    assert early[1:] == ("pending", 1 if fails == "after" else 0)
    assert status(service) == "succeeded"
    assert len(gateway.paid) == 1


def test_a_look_up_that_fails_is_repeated() -> None:
    """A failed look-up leaves the refund open, and the next `resume` repeats it."""
    gateway = SearchableGateway()
    gateway.after = away
    service, clock, arrive = shop(gateway)
    arrive()
    gateway.is_searchable = False
    clock.now += 2 * HOUR

    away_too = service.resume()
    gateway.is_searchable = True
    clock.now += 2 * HOUR
    service.resume()

    assert away_too.still_open == ("order_1",)
    assert status(service) == "succeeded"
    assert len(gateway.paid) == 1


@pytest.mark.parametrize(("hours", "paid"), [(0.5, 2), (2, 1)])
def test_a_refund_is_looked_up_after_the_lifetime_of_its_key(hours: float, paid: int) -> None:
    """Within the lifetime of its key a refund is sent again, and after it the refund is looked up."""
    gateway = ForgetfulGateway()  # it does not even de-duplicate, so that a repeat shows
    gateway.after = away
    service, clock, arrive = shop(gateway)
    arrive()
    gateway.after = lambda: None

    clock.now += hours * HOUR
    service.resume()

    assert status(service) == "succeeded"
    assert len(gateway.paid) == paid


def test_a_forgotten_key_without_a_look_up_needs_attention() -> None:
    """A refund whose key is forgotten needs attention if the gateway cannot be searched."""

    class Forgetful(KeylessGateway):
        """A gateway that is idempotent for an hour."""

        gateway: Gateway = Idempotent(HOUR)

    gateway = Forgetful()
    gateway.before = away
    service, clock, arrive = shop(gateway)
    arrive()
    clock.now += 2 * HOUR

    service.resume()

    assert status(service) == "needs_attention"
    assert service.list("order_1")[0].refunds[0].failure == "TimeoutError: 30 s"


def test_a_refund_that_another_process_leased_is_not_sent() -> None:
    """
    The lease is committed before the call, so the process that loses that race does not send the refund.
    """

    class Racing(InMemoryReturns):
        """A store that lets another process deliver just before a lease is committed."""

        rival: Callable[[], object] | None = None

        def commit(self, change: Change) -> None:
            """Runs the rival before the first lease."""
            if self.rival and any(isinstance(event, DeliveryChanged) for event in change.events):
                rival, self.rival = self.rival, None
                rival()
            super().commit(change)

    for gateway in (KeylessGateway(), SearchableGateway()):
        returns, clock = Racing(), Clock()
        service = in_memory_service([order_of()], payments=gateway, returns=returns, clock=clock)
        opened = service.handle(request(2))
        returns.rival = service.resume  # called between decision and lease

        received = service.handle(receive(2, return_id=opened.id))

        assert len(gateway.paid) == 1
        assert [refund.status for refund in received.refunds] in (
            [RefundStatus.SUCCEEDED],
            [RefundStatus.PENDING],
        )
        assert status(service) == "succeeded"


def test_one_return_can_be_resumed_by_itself() -> None:
    """`resume` with an id resumes its order only, and an unknown id raises NotFound."""
    gateway = KeylessGateway()
    service = in_memory_service([order_of()], payments=gateway)
    service = evolve(service, payments=gateway)
    opened = service.handle(request(2))

    resumed = service.resume(opened.id)

    assert (resumed.orders, resumed.still_open) == (("order_1",), ())
    with pytest.raises(NotFound):
        service.resume("ret_9")
